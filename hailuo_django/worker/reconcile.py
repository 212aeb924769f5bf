"""Looking for lost answers in Krea's list; and trying whether Krea answers at all in a pause."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

from django.db.models import Q
from django.utils import timezone

from hailuo_django import ledger, pacing
from hailuo_django.clock import aware
from hailuo_django.conf import conf
from hailuo_django.deadlines import call_seconds, lease_seconds
from hailuo_django.exceptions import HailuoError
from hailuo_django.krea import errors
from hailuo_django.krea.client import KreaClient
from hailuo_django.krea.listing import Listing as JobList
from hailuo_django.krea.listing import list_since
from hailuo_django.krea.wire import JobReport
from hailuo_django.ledger import next_look
from hailuo_django.models import DeletedSubmission, Stranger, Submission, VideoJob
from hailuo_django.states import WITHOUT_VIDEO, Status

from .evidence import SKEW, Finding, Listing, Window, examine, rivals
from .known import lacks_any, sort_out
from .lanes import in_words

LISTED_FOR = timedelta(days=1)
"""For so long a lost answer is looked for; then it waits for a person, or for a sync."""

CUT_OFF = timedelta(seconds=1)
"""Krea tells its time in whole seconds; later is the safe side."""


@dataclass(frozen=True)
class Search:
    """Submissions whose answers were lost; none of them: only whether Krea answers."""

    submissions: list[Submission]
    seconds: float
    since: datetime
    """How far the list has to go back, with room for clocks that differ."""
    asked_at: datetime
    """Our own clock before Krea told its time: that is later by what the answer took."""


class ListLane:
    """Asks for Krea's list at most once a pass, and records what it shows."""

    width = 1
    waits = False

    def __init__(self, client: KreaClient, only: uuid.UUID | None = None) -> None:
        self.client = client
        self.only = only
        self.done = False

    def take(self, seconds_left: float) -> Search | None:
        """Lease what is due; in a pause there is something to ask even without that."""
        calls = 2 if seconds_left >= 2 * call_seconds() else 1
        if self.done or seconds_left < call_seconds() or not pacing.may_look():
            return None
        self.done = True
        account, lease = pacing.account(), lease_seconds(calls)
        rows = ledger.take_to_list(account, lease_seconds=lease, only=self.only)
        if not rows and not (self.only is None and pacing.is_paused()):
            return None
        now = aware(timezone.now())
        oldest = min((aware(row.sent_at or row.created_at) for row in rows), default=now)
        return Search(rows, calls * call_seconds(), oldest - 3 * SKEW, now)

    def call(self, item: Search) -> JobList:
        """GET the list, as many pages as there is time for."""
        end = monotonic() + item.seconds
        if not item.submissions:
            return list_since(self.client, item.asked_at, max_pages=1, limit=1)
        return list_since(
            self.client, item.since, may_go_on=lambda: monotonic() + call_seconds() <= end
        )

    def record(self, item: Search, outcome: JobList | Exception) -> None:
        """Write down what the list shows; trouble with asking changes no state."""
        match outcome:
            case JobList():
                pacing.answered(item.asked_at)
                _weigh(item, outcome)
            case errors.RateLimited():
                due_at = pacing.slow_looking(outcome)
                _give_back(item.submissions, in_words(outcome), due_at)
            case errors.Refused() | errors.NotFound():
                # No list for this token: yet Krea has answered.
                pacing.answered(item.asked_at)
                _give_back(item.submissions, in_words(outcome), None)
            case _:
                _give_back(item.submissions, in_words(outcome), None)


def _give_back(rows: Iterable[Submission], trouble: str, due_at: datetime | None) -> None:
    for row in rows:
        note = f"Krea's list could not be had: {trouble}"
        ledger.finish_look(row, due_at=due_at or next_look(row), note=note)


def _weigh(search: Search, answer: JobList) -> None:
    if not search.submissions:
        return
    if answer.server_time is None:
        _give_back(search.submissions, "it came without Krea's time.", None)
        return
    offset = answer.server_time + CUT_OFF - search.asked_at
    if abs(offset) > SKEW:
        seconds = round(offset.total_seconds())
        trouble = f"Krea's clock and this host's differ by {seconds} s, so it proves nothing."
        _give_back(search.submissions, trouble, None)
        return
    # What was sent just now may be late in a list; and the clocks of our hosts differ.
    settled = search.asked_at - timedelta(seconds=conf.UNCONFIRMED_GRACE_SECONDS) - SKEW
    beginning = max(search.since, answer.reach or search.since) + 2 * SKEW
    has_gaps = lacks_any(answer.jobs, pacing.account(), beginning, settled)
    reach = None if has_gaps else answer.reach
    ours, strangers, candidates, told = sort_out(answer.jobs)
    listing = Listing(answer.server_time, reach, ours, strangers, candidates | told)
    findings = [(row, examine(_window(row, offset), listing)) for row in search.submissions]
    in_question = {job.krea_job_id: job for _, found in findings for job in found.strangers}
    ledger.remember_strangers(pacing.account(), list(in_question.values()))
    # By a person, as after a restore: until that is over, rows here may have forgotten what was
    # sent, and whose job a stranger is cannot be told by what they know.
    held = pacing.is_held()
    # Nor where its own webhook has named a job: that Krea lists none proves nothing against it.
    named = Stranger.objects.using(VideoJob.database()).unrecorded()
    spoken_for = set(
        named.filter(named_for__in=search.submissions).values_list("named_for", flat=True)
    )
    for row, finding in findings:
        with ledger.each_alone(row):
            if held or row.pk in spoken_for or not _decide(row, finding, offset):
                _write_down(row, finding)


def _decide(row: Submission, finding: Finding, offset: timedelta) -> bool:
    """Do what needs no person; False when nothing was decided."""
    proof = _proof(finding)
    if finding.is_absent and row.cancel_requested_at:
        return ledger.cancel_absent(row, proof=proof)
    job = finding.lone_stranger if conf.ADOPT_STRANGERS else None
    if job and _is_its_own(job, row, finding.window, offset):
        return _adopt(row, job)
    if finding.is_absent and conf.RESEND_WHEN_ABSENT:
        return ledger.end_absent(row, proof=proof) or _resend(row, finding, proof)
    return False


def _adopt(row: Submission, job: JobReport) -> bool:
    undecided = Q(status=Status.UNCONFIRMED, candidate_id="")
    try:
        return ledger.adopt(row, job, by=ledger.POLL, where=undecided)
    except ledger.KnownJob:  # another worker knew better
        return False


def _resend(row: Submission, finding: Finding, proof: str) -> bool:
    try:
        ledger.resend_absent(row, proof=proof)
    except HailuoError as error:
        _write_down(row, finding, note=f"Not sent again: {error.message}")
    return True


def _write_down(row: Submission, finding: Finding, **changes: str) -> None:
    """Keep the evidence for whoever decides."""
    is_new = finding.is_absent and not row.evidence.get("absent")
    lost_at = row.lost_at or row.created_at
    # Also after the proof: a request may be later than anybody thought.
    given_up = timezone.now() - lost_at > LISTED_FOR
    ledger.write_evidence(
        row,
        finding.as_json(),
        due_at=None if given_up else next_look(row),
        proof=_proof(finding) if is_new else "",
        **changes,
    )


def _proof(finding: Finding) -> str:
    return (
        "Krea's list shows no unknown job since it was claimed, and does show job"
        f" {finding.control}, made after it."
    )


def _is_its_own(job: JobReport, row: Submission, window: Window, offset: timedelta) -> bool:
    """Whether nobody else's answer may have been this job.

    Whatever token it was sent with: a renewed one lists the jobs of the one before.
    """
    rows = Submission.objects.using(VideoJob.database()).exclude(pk=row.pk)
    lost = Q(status=Status.UNCONFIRMED) | Q(status__in=WITHOUT_VIDEO)
    doubtful = Q(status=Status.SUBMITTING) | Q(lost, lost_at__isnull=False)
    columns = ("status", "sent_at", "created_at", "lost_at", "lease_expires_at", "evidence")
    others = list(rows.filter(doubtful, krea_job_id=None).only(*columns))
    windows = {row.pk: window} | {other.pk: _window(other, offset) for other in others}
    closed = {
        other.pk
        for other in others
        if other.status in WITHOUT_VIDEO or other.evidence.get("absent")
    }
    for gone in DeletedSubmission.objects.using(rows.db).filter(lost_at__isnull=False):
        windows[-gone.pk] = _window(gone, offset)
        closed.add(-gone.pk)
    return rivals(job, windows, closed) == {row.pk}


def _window(row: Submission | DeletedSubmission, offset: timedelta) -> Window:
    now = timezone.now()
    ended = row.lost_at or getattr(row, "lease_expires_at", None) or now
    grace = timedelta(seconds=conf.UNCONFIRMED_GRACE_SECONDS)
    until = aware(ended, latest=True) + grace + SKEW
    return Window(aware(row.sent_at or now) + offset, until + offset)
