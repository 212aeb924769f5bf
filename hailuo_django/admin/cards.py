"""The submissions of a job side by side: what each is, cost and came to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from hailuo_django import results
from hailuo_django.conf import conf
from hailuo_django.models import Stranger, Submission, VideoJob
from hailuo_django.states import Status

from . import display, progress, signs

MAX_SHOWN = 100
"""How many a page shows at most, the newest."""

Facts = Iterator[tuple[str, str]]


def submissions_of(job: VideoJob) -> QuerySet[Submission]:
    """Return the newest submissions of a job without what is long and not shown."""
    rows = Submission.objects.using(job._state.db).filter(job=job)
    return rows.defer("body", "raw", "evidence").order_by("-number")[:MAX_SHOWN]


@dataclass(frozen=True)
class Card:
    """One submission, in words. All of it is safe to show."""

    job: VideoJob
    submission: Submission
    now: datetime
    plays: bool
    """Whether its own video stands on it: that of an only submission is the job's."""

    @property
    def title(self) -> str:
        """What it is called."""
        return _("Submission %d") % self.submission.number

    @property
    def sign(self) -> str:
        """Its state and whatever asks for attention."""
        return signs.submission_sign(self.submission)

    @property
    def video(self) -> str:
        """Its own video, where there is one to compare."""
        return display.player(self.submission.result_url) if self._plays else ""

    @property
    def _plays(self) -> bool:
        return self.plays and results.linkable(self.submission.result_url, conf.RESULT_HOSTS)

    def facts(self) -> Facts:
        """Tell what is known, and nothing of what is not there."""
        yield from ((name, value) for name, value in self._facts() if value)

    def _facts(self) -> Facts:
        row = self.submission
        yield _("Price"), display.usd(row.price_usd)
        if row.may_be_billed and not row.is_live:
            yield _("Reserved"), _("Krea may still bill it: it never said that this has ended.")
        yield _("Time"), progress.elapsed(row, self.now)
        yield _("Expected"), progress.expected(self.job, row, self.now)
        yield (
            _("Why it waits") if row.due_at else _("Note"),
            display.text(self._waits_for or row.note),
        )
        error = ": ".join(filter(None, (row.error_code, row.error_message)))
        yield _("Krea's error"), display.text(error)
        if not self._plays:
            yield _("Result"), display.result(row.result_url)
        yield _("Krea job id"), display.text(row.krea_job_id or "")
        yield _("Named, to be confirmed"), display.text(row.candidate_id)
        if row.krea_status != row.status:
            yield _("In Krea's words"), display.text(row.krea_status)
        yield from self._times()
        yield from self._counts()

    @property
    def _waits_for(self) -> str:
        """Which other submission keeps this one from being sent."""
        row = self.submission
        if row.status != Status.UNSENT or row.beside_others or self.job.submission_count == 1:
            return ""
        others = Submission.objects.using(self.job._state.db).filter(job=self.job)
        others = others.exclude(pk=row.pk)
        if other := others.may_arrive().first():
            return _("Submission %d may still become a video: both would be billed.") % other.number
        named = Stranger.objects.using(others.db).named_for_job(self.job)
        if stranger := named.exclude(named_for=row).first():
            return _("Krea job %s was named for another submission: both may be billed.") % stranger
        return ""

    def _times(self) -> Facts:
        row = self.submission
        for name, when in (
            (_("Created"), row.created_at),
            (_("Sent"), row.sent_at),
            (_("Answer lost"), row.lost_at),
            (_("Not found since"), row.not_found_since),
            (_("Cancellation requested"), row.cancel_requested_at),
            (_("Ended"), row.ended_at),
            (_("Written off"), row.written_off_at),
            (_("Due"), row.due_at),
        ):
            yield name, display.moment(when) if when else ""

    def _counts(self) -> Facts:
        row = self.submission
        if row.attempts > 1:
            yield _("Attempts to send"), str(row.attempts)
        if row.last_polled_at:
            words = ngettext("%(n)d time, %(when)s", "%(n)d times, last %(when)s", row.poll_count)
            when = display.moment(row.last_polled_at)
            yield _("Krea was asked"), words % {"n": row.poll_count, "when": when}
        if row.last_webhook_at:
            words = ngettext("%(n)d, %(when)s", "%(n)d, last %(when)s", row.webhook_count)
            when = display.moment(row.last_webhook_at)
            yield _("Webhooks"), words % {"n": row.webhook_count, "when": when}
