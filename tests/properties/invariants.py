"""What must hold of the rows after every step, whatever the step was."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from hailuo_django.models import JobEvent, Submission, VideoJob
from hailuo_django.states import ENDED, LIVE, RUNNING, TRANSITIONS, Action, FailureCode, Status

from .krea_model import Key, KreaModel

FIRST = {Action.SUBMIT, Action.RESUBMIT}


def check_job(job: VideoJob, submissions: Sequence[Submission]) -> None:
    """A job is completed if any of its submissions is; else it follows the newest."""
    completed = [row for row in submissions if row.status == Status.COMPLETED]
    assert [row.number for row in submissions] == list(range(1, job.submission_count + 1))
    if completed:
        assert (job.status, job.failure_code) == (Status.COMPLETED, "")
        assert job.result_url in {row.result_url for row in completed}
        assert job.result_url or not any(row.result_url for row in completed)
        twins = [row for row in submissions if row.status in LIVE or row.runs_upstream]
        assert all(row.cancel_requested_at for row in twins), "one video is enough"
        return
    newest = submissions[-1]
    assert job.status == newest.status
    assert job.failure_code == newest.failure_code
    assert (job.result_url, job.completed_at) == ("", None)
    replaced = [row for row in submissions[:-1] if row.status == Status.UNSENT]
    assert not replaced, "what was replaced before it was sent is never sent"


def check_submission(row: Submission) -> None:
    """Each state has what it needs to get on, so that no row is forgotten."""
    identified = row.krea_job_id is not None
    if row.status == Status.UNSENT:
        assert row.due_at is not None
        assert (identified, row.lease_expires_at) == (False, None)
        assert row.cancel_requested_at is None, "what was not sent is withdrawn at once"
    elif row.status == Status.SUBMITTING:
        assert (identified, bool(row.lease_token)) == (False, True)
        assert row.lease_expires_at is not None
    elif row.status == Status.UNCONFIRMED:
        assert (identified, row.lease_expires_at) == (False, None)
        assert row.note, "a person must be able to see why"
        assert not row.candidate_id or row.due_at, "what somebody named is asked for"
        assert row.due_at or row.evidence, "it is looked for, or somebody can see what for"
    elif row.status in RUNNING:
        assert identified
        assert row.due_at is not None, "whatever runs is asked for"
        assert row.candidate_id == ""
    else:
        assert row.status in ENDED
        assert (row.ended_at is not None, row.lease_expires_at) == (True, None)
    assert (row.failure_code != "") == (row.status == Status.FAILED)


def check_events(row: Submission, events: Sequence[JobEvent]) -> None:
    """The events of a submission are the path to where it is, along the table."""
    first, *later = events
    moves = [event for event in later if event.from_status != event.to_status]
    assert (first.action in FIRST, first.to_status) == (True, Status.UNSENT)
    at = first.to_status
    for event in moves:
        assert event.from_status == at
        assert any(
            event.action == step.action
            and event.from_status in step.sources
            and event.to_status in step.targets
            for step in TRANSITIONS
        ), event
        at = event.to_status
    assert at == row.status, "every change has its event"
    marks = [event for event in later if event.action == Action.OVERDUE]
    claims = [event for event in later if event.action == Action.CLAIM]
    assert (row.overdue_at is not None) <= len(marks) <= 1 + len(claims), "marked once"


def check_succession(
    submissions: Sequence[Submission],
    events: Mapping[int, Sequence[JobEvent]],
    forced: Collection[Key],
) -> None:
    """A submission follows one that has ended, unless somebody took the risk."""
    for number, row in enumerate(submissions):
        older = submissions[:number]
        first = events[row.pk][0]
        if older and first.source == JobEvent.Source.SYSTEM:
            assert any(event.action == Action.ABSENT for event in events[older[-1].pk])
        if (row.job_id, row.number) not in forced:
            unforced = [other.status for other in older if other.status in LIVE]
            assert not unforced or any((o.job_id, o.number) in forced for o in older)


def check_provenance(row: Submission, krea: KreaModel) -> None:
    """A submission has the job that it bought, and says of it what Krea said."""
    if row.krea_job_id is None:
        return
    job = krea.jobs[row.krea_job_id]
    assert job.key == (row.job_id, row.number)
    if row.status == Status.COMPLETED:
        assert job.status == "completed"
        assert row.result_url in ("", job.url)
    elif row.status in ENDED:
        settled = row.status == job.status or row.failure_code == FailureCode.GIVEN_UP
        assert settled or job.forgotten


def check_evidence(taken: Submission, before: Submission, after: Submission) -> None:
    """What was listed for a row is written there if nothing happened to it meanwhile."""
    undisturbed = before.status == Status.UNCONFIRMED and before.due_at == taken.due_at
    if not undisturbed and after.status == before.status:
        assert (after.evidence, after.due_at) == (before.evidence, before.due_at)


def check_absence(row: Submission, events: Sequence[JobEvent], krea: KreaModel) -> None:
    """What is said to have never arrived has not, and will not."""
    job = krea.of((row.job_id, row.number))
    if job is not None and not job.forgotten:
        assert row.krea_job_id or not row.evidence.get("absent")
        assert all(event.action != Action.ABSENT for event in events)
