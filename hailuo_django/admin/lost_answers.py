"""What is known of a lost answer, in plain words, and what may be decided about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cached_property

from django.db.models import Case, Q, When
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from hailuo_django import pacing
from hailuo_django.models import Stranger, Submission, VideoJob
from hailuo_django.states import Action, Status

from . import display

MAX_SHOWN = 50

CLOCKS_DIFFER = timedelta(minutes=5)
"""Between Krea's clock and ours, at most."""

Facts = Iterator[tuple[str, str]]


@dataclass(frozen=True)
class Candidate:
    """An unknown upstream job that may be what became of a lost answer."""

    stranger: Stranger
    is_open: bool
    """Whether it is still unknown: neither dismissed nor on record, nor named for another."""
    is_its_own: bool
    """Whether the submission's own webhook named it."""
    is_asked_about: bool
    """Whether it is named for the submission, and Krea has yet to confirm it."""

    @property
    def status(self) -> str:
        """Whatever word Krea used."""
        return display.text(self.stranger.krea_status) or "-"

    @property
    def created(self) -> str:
        """When Krea made it, by Krea's clock."""
        when = self.stranger.krea_created_at
        return display.moment(when) if when else "-"

    @property
    def remark(self) -> str:
        """Why it cannot be chosen from the list, or what speaks for it."""
        if self.is_asked_about:
            return _("Krea is being asked about it")
        if self.stranger.dismissed_at:
            gave_way = self.is_its_own and not self.stranger.dismissed_by
            return _("gave way to another") if gave_way else _("dismissed as none of ours")
        if not self.is_open:
            return _("another submission has it on record, or its webhook named it")
        return _("a webhook of this submission named it") if self.is_its_own else ""


@dataclass
class LostAnswer:
    """One submission of one job, read from the database of the job."""

    job: VideoJob
    submission: Submission

    @cached_property
    def is_lost(self) -> bool:
        """Whether its upstream job may still turn up, so that there is something to decide."""
        rows = Submission.objects.using(self.job._state.db)
        return rows.in_question().filter(pk=self.submission.pk).exists()

    @cached_property
    def can_be_given_up(self) -> bool:
        """Whether nobody has decided yet, and Krea is not being asked about a job named."""
        rows = Submission.objects.using(self.job._state.db).undecided(timezone.now())
        return rows.filter(pk=self.submission.pk).exists()

    @property
    def never_ends(self) -> bool:
        """Whether Krea knows it, and takes longer than it ever should."""
        return self.submission.is_overdue and self.submission.runs_upstream

    @property
    def has_its_video(self) -> bool:
        """Whether what else was named can only be billed beside it."""
        return self.submission.status == Status.COMPLETED

    @property
    def is_unconfirmed(self) -> bool:
        """Whether its answer is lost and nobody has decided yet."""
        return self.can_be_given_up and self.submission.status == Status.UNCONFIRMED

    @property
    def can_be_looked_for(self) -> bool:
        """Whether a worker can look for it in Krea's list, or at the job that was named."""
        named = bool(self.submission.candidate_id)
        return named or (self.submission.status == Status.UNCONFIRMED and self.is_our_account)

    @property
    def can_be_sent_again(self) -> bool:
        """Whether the job waits for this one, and has a price."""
        newest = self.submission.number == self.job.submission_count
        waits = self.is_unconfirmed and newest and self.job.status == Status.UNCONFIRMED
        return waits and self.price_again is not None

    @property
    def is_our_account(self) -> bool:
        """Whether it was sent with the API token in use."""
        return self.submission.account in ("", pacing.account())

    @property
    def is_absent(self) -> bool:
        """Whether Krea's list proves that it never arrived; no webhook says otherwise."""
        proved = bool(self.submission.evidence.get("absent"))
        return proved and not self.named and not self.submission.candidate_id

    @property
    def price_again(self) -> Decimal | None:
        """What a new submission costs in USD; None where the price list has none any more."""
        return self.job.price_today()

    @property
    def price(self) -> str:
        """What it costs if it arrived."""
        return display.usd(self.submission.price_usd)

    @property
    def price_of_another(self) -> str:
        """What a new submission costs."""
        return display.usd(self.price_again or Decimal(0))

    @property
    def price_of_both(self) -> str:
        """What may be billed if both are completed."""
        return display.usd(self.submission.price_usd + (self.price_again or Decimal(0)))

    def facts(self) -> Facts:
        """Tell what happened."""
        row = self.submission
        yield _("Status"), display.submission_status(row)
        if row.sent_at:
            yield _("Sent"), display.moment(row.sent_at)
        ours = _("the API token in use") if self.is_our_account else _("another API token")
        yield _("Account"), f"{row.account} ({ours})" if row.account else ours
        yield _("Webhook"), self._webhook()
        if row.lost_at:
            yield _("Answer lost"), display.moment(row.lost_at)
        lost = row.events.using(self.job._state.db).filter(action=Action.LOSE).last()
        if lost:
            yield _("Why"), display.text(lost.detail)
        if row.note and not (lost and row.note == lost.detail):
            yield _("Note"), display.text(row.note)
        if row.krea_job_id:
            yield _("Krea job id"), display.identifier(row.krea_job_id)
        if row.candidate_id:
            yield _("Named"), display.identifier(row.candidate_id)
        yield _("Price"), display.usd(row.price_usd)

    def _webhook(self) -> str:
        row = self.submission
        if not row.has_webhook:
            return _("Krea was given none; only asking can tell.")
        if not row.webhook_count:
            return _("Krea was given one, and none has come.")
        words = ngettext("%d has come.", "%d have come.", row.webhook_count)
        return words % row.webhook_count

    def evidence(self) -> Facts:
        """Tell what Krea's list showed, all times by Krea's clock; nothing before it was had."""
        seen = self.submission.evidence
        if not seen:
            return
        yield _("Looked at"), self._time("listed_at")
        span = {"since": self._time("since"), "until": self._time("until")}
        yield _("Window"), _("from %(since)s; the attempt and the grace ended %(until)s") % span
        counts = {"jobs": seen.get("jobs", 0), "strangers": len(seen.get("strangers", ()))}
        yield (
            _("Jobs listed"),
            _("%(jobs)d in all, %(strangers)d of them unknown and possibly this") % (counts),
        )
        if not seen.get("whole", True):
            yield _("Completeness"), _("Not all of the list could be read.")
        control = _("none yet: the list may lag behind, and its silence proves nothing")
        if seen.get("control"):
            control = display.identifier(str(seen["control"]))
        yield _("Known job made later"), control
        yield (
            _("Absence proved"),
            _("Yes: it never reached Krea.") if self.is_absent else _("No: it may have arrived."),
        )

    def why_no_evidence(self) -> str:
        """Say why Krea's list was not looked at yet."""
        if not self.is_our_account:
            return _(
                "Krea's list has not been looked at: this was sent with another API token than the"
                " one in use, and only that one's list can show it."
            )
        if self.submission.candidate_id:
            return _("Krea's list has not been looked at: Krea is asked about the job named.")
        if self.submission.status == Status.UNCONFIRMED and self.submission.due_at:
            when = display.moment(self.submission.due_at)
            return _("Krea's list has not been looked at yet; a worker does from %s on.") % when
        return _("Krea's list was not looked at before this was decided.")

    def _time(self, name: str) -> str:
        moment = self.submission.evidence_time(name)
        return display.moment(moment) if moment else "-"

    @cached_property
    def candidates(self) -> list[Candidate]:
        """The unknown upstream jobs that may be it: its own first, then the oldest."""
        known = Stranger.objects.using(self.job._state.db)
        mine = Q(named_for=self.submission)
        rows = known.filter(mine | Q(account=self.submission.account))
        rows = rows.exclude(krea_job_id=self.submission.krea_job_id or "")
        ids = self.submission.evidence.get("strangers", [])
        sent_at = self.submission.sent_at or self.submission.created_at
        earliest = self.submission.evidence_time("since") or sent_at - CLOCKS_DIFFER
        undated = Q(krea_created_at=None)
        later = Q(krea_created_at__gte=earliest)
        fits = rows.filter(mine | Q(krea_job_id__in=ids) | later | undated)
        own_first = Case(When(mine, then=0), default=1)
        shown = fits.select_related("dismissed_by").order_by(own_first, "krea_created_at", "pk")
        free = rows.open().filter(mine | Q(named_for=None))
        open_ids = set(free.values_list("pk", flat=True))
        key, named = self.submission.pk, self.submission.candidate_id
        return [
            Candidate(row, row.pk in open_ids, row.named_for_id == key, row.krea_job_id == named)
            for row in shown[:MAX_SHOWN]
        ]

    @property
    def named(self) -> list[Stranger]:
        """Those that its own webhook named, and that nobody has decided about."""
        return [one.stranger for one in self.candidates if one.is_open and one.is_its_own]
