"""What concerns single jobs, each with the page where somebody does something about it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import reduce
from operator import and_

from django.db.models import Q
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from hailuo_django.admin import display
from hailuo_django.conf import conf
from hailuo_django.models import JobEvent, Stranger, Submission, VideoJob
from hailuo_django.states import Status

from .concerns import MAX_COUNTED, Concern, Findings, Found, beginning, counted
from .figures import DAYS, Days
from .scope import Scope
from .ways import Link, Ways

OWED_TOO_LONG = timedelta(minutes=10)


def about_jobs(scope: Scope, ways: Ways, days: Days) -> Iterator[Concern]:
    """Yield what concerns jobs: 4 queries, and one more where the reader sees strangers."""
    yield from unconfirmed(scope, ways)
    yield from overdue(scope, ways)
    yield from flagged(scope, ways, days)
    yield from unannounced(scope, ways)
    yield from strangers(scope, ways)


def unconfirmed(scope: Scope, ways: Ways) -> Iterator[Concern]:
    """Lost answers that nobody has decided about, those first that are looked for next."""
    rows = scope.within(Submission.objects.unconfirmed()).order_by("due_at")
    if not (found := Findings.of(rows, "number")):
        return
    words = ngettext(
        "The answer to %(count)s submission was lost: it may or may not become a paid video.",
        "The answers to %(count)s submissions were lost: they may or may not become paid videos.",
        len(found),
    ) % {"count": found.count}
    if ways.may_decide:
        advice = _("Decide about each, with what Krea's list showed.")
        links = found.links(
            lambda row: ways.lost_answer(row.job.pk, row.number),
            lambda row: format_html(
                _("Decide about submission {number} of {job}"),
                number=row.number,
                job=display.title(row.job),
            ),
        )
    else:
        advice = _("Somebody who may decide about unconfirmed submissions is needed.")
        links = pages_of(found, ways)
    links.append(Link(ways.jobs(f"status__exact={Status.UNCONFIRMED}"), _("The list of them")))
    yield Concern("unconfirmed", words, advice, links)


def overdue(scope: Scope, ways: Ways) -> Iterator[Concern]:
    """What runs for too long, the oldest first."""
    # As a range of times, which every database finds by index, also SQLite.
    rows = Submission.objects.live().filter(overdue_at__lte=timezone.now())
    if not (found := Findings.of(scope.within(rows).order_by("overdue_at"))):
        return
    words = ngettext(
        "%(count)s submission takes longer than %(span)s.",
        "%(count)s submissions take longer than %(span)s.",
        len(found),
    ) % {"count": found.count, "span": display.span(timedelta(seconds=conf.OVERDUE_AFTER_SECONDS))}
    advice = _("Krea goes on being asked, and ends every job within hours. Look again, or cancel.")
    yield Concern("overdue", words, advice, pages_of(found, ways))


def flagged(scope: Scope, ways: Ways, days: Days) -> Iterator[Concern]:
    """Videos that are there and cannot be shown, the newest first."""
    rows = scope.jobs.filter(elsewhere(), status=Status.COMPLETED, created_at__gte=days.since)
    newest = rows.order_by("-created_at").values_list("pk", beginning("prompt"), "result_url")
    doubtful = [
        VideoJob(pk=pk, prompt=prompt, result_url=url, status=Status.COMPLETED)
        for pk, prompt, url in newest[: MAX_COUNTED + 1]
    ]
    found = Findings([Found(job) for job in doubtful if job.is_flagged])
    if not found:
        return
    words = ngettext(
        "%(count)s video of the last %(days)d days has no address that this site links.",
        "%(count)s videos of the last %(days)d days have no address that this site links.",
        len(found),
    ) % {"count": found.count, "days": DAYS}
    advice = _("See where it is. If Krea moved its results, add the host to RESULT_HOSTS.")
    yield Concern("flagged", words, advice, pages_of(found, ways))


def elsewhere() -> Q:
    """Return what singles out addresses that are not plainly on a host of the site's.

    Some of them may be linked after all: ``VideoJob.is_flagged`` tells.
    """
    plain = (Q(result_url__startswith=f"https://{host}/") for host in conf.RESULT_HOSTS)
    return reduce(and_, (~one for one in plain), Q())


def unannounced(scope: Scope, ways: Ways) -> Iterator[Concern]:
    """Signals that nobody got, although every sweep announces what is owed."""
    rows = scope.within(JobEvent.objects.untold(timezone.now() - OWED_TOO_LONG))
    if not (found := Findings.of(rows)):
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
    """Upstream jobs that nobody here ordered; for those who may see their list."""
    if not (address := ways.rows(Stranger, "known=open")):
        return
    rows = Stranger.objects.using(scope.jobs.db).open().order_by()
    if not (count := rows[: MAX_COUNTED + 1].count()):
        return
    words = ngettext(
        "Krea lists %(count)s job that nobody here ordered.",
        "Krea lists %(count)s jobs that nobody here ordered.",
        count,
    ) % {"count": counted(count)}
    advice = _("Each is what became of a lost answer, or the work of another program.")
    yield Concern("strangers", words, advice, [Link(address, _("Unknown upstream jobs"))])


def pages_of(found: Findings, ways: Ways) -> list[Link]:
    """Return links to the pages of jobs."""
    return found.links(lambda row: ways.job(row.job.pk), lambda row: display.title(row.job))
