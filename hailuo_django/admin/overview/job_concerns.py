"""What concerns single jobs, each with the page where somebody does something about it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Case, F, When
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from hailuo_django.admin import display
from hailuo_django.conf import conf
from hailuo_django.models import JobEvent, Stranger, Submission, VideoJob
from hailuo_django.models.conditions import NEVER_ENDING, lost_for_good

from .concerns import MAX_COUNTED, Concern, Findings, Found, counted
from .figures import DAYS, Days
from .scope import Scope
from .ways import Link, Ways

OWED_TOO_LONG = timedelta(minutes=10)


def about_jobs(scope: Scope, ways: Ways, days: Days) -> Iterator[Concern]:
    """Yield what concerns jobs: 5 queries, and one more where the reader sees strangers."""
    yield from unconfirmed(scope, ways)
    yield from named(scope, ways)
    yield from overdue(scope, ways)
    yield from flagged(scope, ways, days)
    yield from unannounced(scope, ways)
    yield from strangers(scope, ways)


def unconfirmed(scope: Scope, ways: Ways) -> Iterator[Concern]:
    """Lost answers that nobody has decided about, those first that are looked for next."""
    rows = Submission.objects.filter(lost_for_good(timezone.now()))
    if not (found := Findings.of(scope.within(rows).order_by("due_at"))):
        return
    words = ngettext(
        "The answer to %(count)s submission was lost: it may or may not become a paid video.",
        "The answers to %(count)s submissions were lost: they may or may not become paid videos.",
        len(found),
    ) % {"count": found.count}
    if ways.may_decide:
        advice = _("Decide about each, with what Krea's list showed.")
    else:
        advice = _("Somebody who may decide about unconfirmed submissions is needed.")
    yield Concern("unconfirmed", words, advice, decisions(found, ways, "unconfirmed"))


def named(scope: Scope, ways: Ways) -> Iterator[Concern]:
    """What waits since a webhook named a job for it that Krea did not confirm, the oldest first."""
    rows = Stranger.objects.using(scope.jobs.db).held_up()
    if not (found := Findings.of(scope.within(rows).order_by("created_at"))):
        return
    words = ngettext(
        "A webhook named a Krea job for %(count)s submission, and Krea did not confirm it.",
        "Webhooks named Krea jobs for %(count)s submissions, and Krea did not confirm them.",
        len(found),
    ) % {"count": found.count}
    advice = _("Nothing more is sent for them: say that the job is theirs, or none of ours.")
    yield Concern("named", words, advice, decisions(found, ways))


def overdue(scope: Scope, ways: Ways) -> Iterator[Concern]:
    """What runs for too long, the oldest first."""
    rows = scope.within(Submission.objects.overdue())
    # Of what waits to be sent there is nothing to decide.
    decidable = Case(When(NEVER_ENDING, then=F("number")))
    if not (found := Findings.of(rows.order_by("overdue_at"), decidable)):
        return
    words = ngettext(
        "%(count)s submission takes longer than %(span)s.",
        "%(count)s submissions take longer than %(span)s.",
        len(found),
    ) % {"count": found.count, "span": display.span(timedelta(seconds=conf.OVERDUE_AFTER_SECONDS))}
    advice = _(
        "Krea goes on being asked about what was sent, and should end every job within hours."
        " Where it tells of no end, money is reserved until somebody decides. What waits to be"
        " sent is held back by its account, or by a lack of workers."
    )
    yield Concern("overdue", words, advice, decisions(found, ways, "overdue"))


def flagged(scope: Scope, ways: Ways, days: Days) -> Iterator[Concern]:
    """Videos that are there and cannot be shown, the newest first."""
    rows = scope.jobs.filter(pk__in=VideoJob.objects.flagged(), created_at__gte=days.since)
    if not (found := Findings.of_jobs(rows.order_by("-created_at"))):
        return
    words = ngettext(
        "%(count)s video of the last %(days)d days has no address that this site links.",
        "%(count)s videos of the last %(days)d days have no address that this site links.",
        len(found),
    ) % {"count": found.count, "days": DAYS}
    advice = _("See where it is. If Krea moved its results, add the host to RESULT_HOSTS.")
    links = [*pages_of(found, ways), *ways.attention("flagged")]
    yield Concern("flagged", words, advice, links)


def unannounced(scope: Scope, ways: Ways) -> Iterator[Concern]:
    """Signals that nobody got, although every sweep announces what is owed."""
    rows = scope.within(JobEvent.objects.untold(timezone.now() - OWED_TOO_LONG))
    if not (found := Findings.of(rows, "submission__number")):
        return
    words = ngettext(
        "%(count)s announcement has been owed for more than %(span)s: a receiver of a signal has"
        " not been told.",
        "%(count)s announcements have been owed for more than %(span)s: receivers of signals have"
        " not been told.",
        len(found),
    ) % {"count": found.count, "span": display.span(OWED_TOO_LONG)}
    advice = _("Every sweep announces what is owed: see that one runs, and read its log.")
    yield Concern("unannounced", words, advice, pages_of(found, ways))


def strangers(scope: Scope, ways: Ways) -> Iterator[Concern]:
    """Upstream jobs that are on no record here; for those who may see their list."""
    if not (address := ways.rows(Stranger, "known=open")):
        return
    rows = Stranger.objects.using(scope.jobs.db).open().order_by()
    if not (count := rows[: MAX_COUNTED + 1].count()):
        return
    words = ngettext(
        "%(count)s job of Krea's is on record for no submission.",
        "%(count)s jobs of Krea's are on record for no submission.",
        count,
    ) % {"count": counted(count)}
    advice = _(
        "Each is what became of a lost answer, a second job of one order, or the work of another"
        " program."
    )
    yield Concern("strangers", words, advice, [Link(address, _("Unknown upstream jobs"))])


def pages_of(found: Findings, ways: Ways) -> list[Link]:
    """Return links to the pages of jobs."""
    return found.links(lambda row: ways.job(row.job.pk), lambda row: display.title(row.job))


def decisions(found: Findings, ways: Ways, reason: str = "") -> list[Link]:
    """Return links to where somebody decides, for whoever may; and to the list where one is."""
    listed = ways.attention(reason) if reason else []
    if not ways.may_decide:
        return [*pages_of(found, ways), *listed]

    def address(row: Found) -> str:
        pk, number = row.job.pk, row.number
        return ways.job(pk) if number is None else ways.decision(pk, number)

    def words(row: Found) -> str:
        title = display.title(row.job)
        if row.number is None:
            return title
        told = _("Decide about submission {number} of {job}")
        return format_html(told, number=row.number, job=title)

    return [*found.links(address, words), *listed]
