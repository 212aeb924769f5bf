"""What is read for what is shown: in two queries for a page of jobs, in one for a single job."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.db.models import Exists, QuerySet

from hailuo_django import pacing
from hailuo_django.models import Submission, VideoJob

from .serializers import SubmissionSerializer

JOB = [field.attname for field in VideoJob._meta.concrete_fields]
"""The columns of a job, in the order in which Django makes one of them."""

NEEDED = {
    *("id", "job_id", "error_code", "error_message", "expected_at", "due_at"),
    *SubmissionSerializer.Meta.fields,
}
SUBMISSION = [
    field.attname for field in Submission._meta.concrete_fields if field.attname in NEEDED
]
"""The same of a submission. What Krea answered may be long, and is for staff."""


def with_pauses(jobs: QuerySet[VideoJob]) -> QuerySet[VideoJob]:
    """Tell along, within the same query, whether sending is held back."""
    return jobs.annotate(sending_is_held=Exists(pacing.holding()))


def read_submissions(jobs: Sequence[VideoJob], using: str) -> None:
    """Read the submissions of a page of jobs, in one query."""
    rows = Submission.objects.using(using).filter(job__in=jobs).order_by("number")
    by_job = defaultdict(list)
    for submission in rows.only(*SUBMISSION):
        by_job[submission.job_id].append(submission)
    for job in jobs:
        _keep(job, by_job[job.pk])


def whole_job(jobs: QuerySet[VideoJob], key: Any) -> VideoJob | None:
    """Return one of ``jobs`` with its submissions, read in one query where ``jobs`` are read."""
    # By key among them: whatever joins a site's own rule makes multiplies no submissions.
    chosen = VideoJob.objects.using(jobs.db).filter(pk=key, pk__in=jobs.order_by().values("pk"))
    names = [*JOB, *(f"submissions__{column}" for column in SUBMISSION), "sending_is_held"]
    rows = list(with_pauses(chosen).order_by("submissions__number").values_list(*names))
    if not rows:
        return None
    first = len(JOB)
    job = VideoJob.from_db(jobs.db, JOB, rows[0][:first])
    job.sending_is_held = rows[0][-1]  # type: ignore[attr-defined]
    tries = (row[first:-1] for row in rows)
    _keep(job, [Submission.from_db(jobs.db, SUBMISSION, row) for row in tries if row[0]])
    return job


def _keep(job: VideoJob, submissions: list[Submission]) -> None:
    # Where Django looks for what was fetched along. Its own way costs a page a tenth of its time.
    job._prefetched_objects_cache = {"submissions": submissions}  # type: ignore[attr-defined]
