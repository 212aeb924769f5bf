"""``hailuo_doctor orphans``: who is there that the other side does not know."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from hailuo_django.doctor.krea import client
from hailuo_django.models import Stranger, Submission, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import Status
from hailuo_django.testing import make_submitted_job, sandbox
from hailuo_django.worker.sweep import sweep
from tests.krea.conftest import BODY

from .doctor import said

pytestmark = pytest.mark.django_db

EARLIER = timedelta(hours=1)


@pytest.fixture
def krea() -> Iterator[Sandbox]:
    with sandbox(manual=True, hailuo={"UNCONFIRMED_GRACE_SECONDS": 0}) as krea:
        yield krea


def sent() -> VideoJob:
    """A job that Krea knows, sent an hour ago."""
    job = make_submitted_job()
    sweep()
    Submission.objects.filter(job=job).update(sent_at=timezone.now() - EARLIER)
    return job


def order_by_another_program() -> str:
    """An upstream job of this account that nobody here knows."""
    with client() as other:
        return other.generate(BODY).krea_job_id


def forget(krea: Sandbox, job: VideoJob) -> None:
    """Let the job be older at Krea than any list goes back."""
    upstream = {one.id: one for one in krea.jobs}
    submission = Submission.objects.get(job=job)
    upstream[str(submission.krea_job_id)].created_at -= timedelta(days=99)


def listed(*arguments: str) -> dict[str, Any]:
    text, code = said("orphans", "--json", *arguments)
    assert code == 0
    found: dict[str, Any] = json.loads(text)
    return found


def test_where_both_know_the_same_there_is_none(krea: Sandbox) -> None:
    sent()
    found = listed()
    assert (found["jobs"], found["complete"]) == (1, True)
    assert found["strangers"] == found["unconfirmed"] == found["missing"] == []


def test_an_upstream_job_that_nobody_here_knows_is_listed(krea: Sandbox) -> None:
    sent()
    krea_job_id = order_by_another_program()
    krea.move(krea_job_id, "processing")
    [stranger] = listed()["strangers"]
    assert (stranger["krea_job_id"], stranger["status"]) == (krea_job_id, "processing")
    assert stranger["created_at"] != "-"


def test_what_was_dismissed_or_named_is_not_listed(krea: Sandbox) -> None:
    dismissed, named = order_by_another_program(), order_by_another_program()
    Stranger.objects.create(krea_job_id=dismissed, dismissed_at=timezone.now())
    job = make_submitted_job()
    Submission.objects.filter(job=job).update(candidate_id=named)
    assert listed()["strangers"] == []


def test_a_submission_whose_answer_was_lost_is_listed_with_its_stranger(krea: Sandbox) -> None:
    krea.misbehave("lost_answer", on="generate")
    job = make_submitted_job()
    sweep()
    found = listed()
    [row] = found["unconfirmed"]
    assert (row["job"], row["number"], row["krea_job_id"]) == (str(job.pk), 1, None)
    [stranger] = found["strangers"]
    assert stranger["krea_job_id"] == krea.jobs[0].id


def test_a_submission_that_krea_does_not_list_is_missing(krea: Sandbox) -> None:
    sent()
    lost = sent()
    forget(krea, lost)
    [row] = listed()["missing"]
    assert row["job"] == str(lost.pk)
    assert row["krea_job_id"] == Submission.objects.get(job=lost).krea_job_id


def test_what_ended_or_is_older_than_the_list_is_not_missed(krea: Sandbox) -> None:
    old, ended = sent(), sent()
    for job in (old, ended):
        forget(krea, job)
    Submission.objects.filter(job=old).update(sent_at=timezone.now() - timedelta(days=3))
    krea.move(str(Submission.objects.get(job=ended).krea_job_id), "completed")
    Submission.objects.filter(job=ended).update(due_at=timezone.now())
    sweep()
    assert Submission.objects.get(job=ended).status == Status.COMPLETED
    assert listed()["missing"] == []
    assert [row["job"] for row in listed("--days", "4")["missing"]] == [str(old.pk)]


def test_an_incomplete_list_calls_nothing_missing(
    krea: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hailuo_django.doctor.orphans.MAX_PAGES", 0)
    forget(krea, sent())
    found = listed()
    assert (found["complete"], found["missing"]) == (False, [])
    assert "The list is not complete" in said("orphans")[0]


def test_submissions_of_another_token_may_be_left_out(krea: Sandbox) -> None:
    job = sent()
    forget(krea, job)
    Submission.objects.filter(job=job).update(account="another")
    assert listed()["missing"]
    assert listed("--account")["missing"] == []


def test_it_reads_and_changes_nothing(krea: Sandbox) -> None:
    order_by_another_program()
    job = sent()
    rows = list(Submission.objects.values()), list(VideoJob.objects.values())
    before = len(krea.requests)
    listed()
    assert krea.requests[before:] == [("GET", "/jobs", 200)]
    assert rows == (list(Submission.objects.values()), list(VideoJob.objects.values()))
    assert not Stranger.objects.exists()
    assert job.events.count() == Submission.objects.get(job=job).events.count()


def test_people_get_lines(krea: Sandbox) -> None:
    krea_job_id = order_by_another_program()
    job = sent()
    forget(krea, job)
    text, _ = said("orphans")
    assert "Krea's jobs that nobody here knows: 1\n" in text
    assert f"  {krea_job_id}  backlogged  " in text
    assert f"  {job.pk} #1  backlogged  " in text
    assert "dismiss" in text


def test_trouble_with_krea_ends_it(krea: Sandbox) -> None:
    krea.misbehave("unauthorized", on="list")
    assert said("orphans")[1] == 1


@pytest.mark.parametrize("text", ["0", "-1", "nan", "many"])
def test_days_are_a_positive_number(text: str) -> None:
    assert said("orphans", f"--days={text}") == ("", 1)
