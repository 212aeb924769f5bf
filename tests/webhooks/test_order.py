"""Whatever the order in which Krea's words arrive, the job takes each of them once."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from hailuo_django.exceptions import Conflict
from hailuo_django.models import Submission
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import ENDED, RUNNING, Status
from hailuo_django.worker.sweep import sweep
from tests.site import configure

from .rows import SITE, Pair, everything, look, post, running, unconfirmed

pytestmark = pytest.mark.django_db


def test_a_webhook_completes_the_job(krea: Sandbox, client: Client) -> None:
    pair = running(krea)

    assert post(client, pair.path, pair.news("completed")) == 200

    assert pair.row.status == Status.COMPLETED
    assert pair.row.video_url == f"{krea.url}/videos/{pair.upstream.id}.mp4"
    assert pair.changes() == [("webhook", "completed")]
    assert pair.submission.due_at is None, "an ended job is not polled"
    assert pair.submission.webhook_count == 1


@pytest.mark.parametrize("status", sorted(RUNNING | ENDED))
def test_each_state_that_krea_tells_of_is_taken(
    krea: Sandbox, client: Client, status: Status
) -> None:
    pair = running(krea)
    assert post(client, pair.path, pair.news(status)) == 200
    assert pair.row.status == status


@pytest.mark.proves("W6")
def test_five_times_the_same_is_one_change_and_five_in_the_count(
    krea: Sandbox, client: Client
) -> None:
    pair = running(krea)
    assert post(client, pair.path, pair.news("completed")) == 200
    before, counted = pair.row, pair.submission

    assert [post(client, pair.path, pair.news("completed")) for _ in range(4)] == [200] * 4

    assert pair.row.updated_at == before.updated_at
    assert pair.changes() == [("webhook", "completed")]
    assert pair.submission.webhook_count == 5
    assert counted.last_webhook_at and pair.submission.last_webhook_at
    assert pair.submission.last_webhook_at > counted.last_webhook_at


@pytest.mark.proves("W6")
def test_after_a_poll_has_seen_the_end_it_is_a_repeat(krea: Sandbox, client: Client) -> None:
    pair = running(krea)
    krea.move(pair.upstream.id, "completed", deliver=False)
    look()
    seen = pair.row

    assert post(client, pair.path, pair.news("completed")) == 200

    assert pair.row.updated_at == seen.updated_at
    assert pair.changes() == [("poll", "completed")]


@pytest.mark.parametrize("end", sorted(ENDED))
def test_running_after_ended_changes_nothing_and_krea_is_asked(
    krea: Sandbox, client: Client, end: Status
) -> None:
    pair = running(krea)
    krea.move(pair.upstream.id, end, deliver=False)
    assert post(client, pair.path, pair.news(end)) == 200

    assert post(client, pair.path, pair.news("processing")) == 202
    sweep()

    assert pair.row.status == end
    assert pair.changes() == [("webhook", end)]
    assert pair.submission.due_at is None
    assert ("GET", f"/jobs/{pair.upstream.id}", 200) in krea.requests


@pytest.mark.proves("R2")
@pytest.mark.parametrize("verdict", ["failed", "cancelled"])
def test_completed_after_another_end_is_decided_by_krea_and_wins(
    krea: Sandbox, client: Client, verdict: str
) -> None:
    pair = running(krea)
    assert post(client, pair.path, pair.news(verdict)) == 200
    krea.move(pair.upstream.id, "completed", deliver=False)

    assert post(client, pair.path, pair.news("completed")) == 202
    assert pair.row.status == verdict
    sweep()

    assert pair.row.status == Status.COMPLETED
    assert pair.changes() == [("webhook", verdict), ("poll", "completed")]


@pytest.mark.proves("R2")
@pytest.mark.parametrize("later", ["failed", "cancelled"])
def test_another_end_after_completed_changes_nothing(
    krea: Sandbox, client: Client, later: str
) -> None:
    pair = running(krea)
    krea.move(pair.upstream.id, "completed", deliver=False)
    assert post(client, pair.path, pair.news("completed")) == 200
    assert post(client, pair.path, pair.news(later)) == 202
    sweep()

    assert pair.row.status == Status.COMPLETED
    assert pair.row.video_url
    assert pair.changes() == [("webhook", "completed")]


@pytest.mark.proves("B2")
def test_a_state_nobody_knows_is_asked_about_and_kept_in_kreas_words(
    krea: Sandbox, client: Client
) -> None:
    pair = running(krea)
    krea.move(pair.upstream.id, "processing", deliver=False)
    pair.upstream.status = "upscaling"

    assert post(client, pair.path, pair.news("upscaling")) == 202
    sweep()

    assert pair.row.status in RUNNING
    assert pair.submission.krea_status == "upscaling"
    assert pair.submission.due_at is not None, "it goes on being asked for"


def test_completed_without_an_address_is_asked_for(krea: Sandbox, client: Client) -> None:
    pair = running(krea)
    krea.move(pair.upstream.id, "completed", deliver=False)
    bare = json.loads(pair.news("completed")) | {"result": None}

    assert post(client, pair.path, json.dumps(bare).encode()) == 202
    sweep()
    assert pair.row.video_url


def test_an_address_that_may_not_be_linked_makes_krea_be_asked(
    krea: Sandbox, client: Client
) -> None:
    pair = running(krea)
    lie = pair.news("completed").replace(krea.url.encode(), b"https://evil.example")
    assert post(client, pair.path, lie) == 202
    assert pair.row.status == Status.BACKLOGGED

    krea.move(pair.upstream.id, "completed", deliver=False)
    look()
    assert pair.row.video_url == f"{krea.url}/videos/{pair.upstream.id}.mp4"
    assert b"evil" not in str(everything()).encode()


@pytest.mark.proves("W2")
def test_another_job_id_changes_nothing_and_krea_decides(krea: Sandbox, client: Client) -> None:
    pair = running(krea)
    foreign = json.loads(pair.news("completed")) | {"job_id": str(uuid.uuid4())}

    assert post(client, pair.path, json.dumps(foreign).encode()) == 202
    sweep()

    assert pair.row.status in RUNNING
    assert pair.submission.krea_job_id == pair.upstream.id
    assert pair.submission.candidate_id == ""
    assert pair.changes() == []
    assert post(client, pair.path, json.dumps(foreign).encode()) == 202
    [said] = pair.job.events.filter(action="note")
    both = f"names Krea job {foreign['job_id']} beside {pair.upstream.id}"
    assert both in said.detail


@pytest.mark.parametrize("end", ["failed", "cancelled"])
def test_a_webhook_that_tells_of_the_end_that_was_assumed_settles_it(
    krea: Sandbox, client: Client, end: str
) -> None:
    pair = running(krea)
    krea.misbehave("missing", times=None, on="get")
    if end == "cancelled":
        pair.job.cancel()
        Submission.objects.update(cancel_sent_at=timezone.now() - timedelta(hours=1))
    Submission.objects.update(not_found_since=timezone.now() - timedelta(hours=1))
    look()
    assert (pair.row.status, pair.submission.may_be_billed) == (end, True)

    assert post(client, pair.path, pair.news(end)) == 200

    assert (pair.submission.krea_status, pair.submission.may_be_billed) == (end, False)
    assert pair.row.failure_code == pair.submission.failure_code != "not_found"
    assert pair.submission.webhook_count == 1


def test_a_webhook_undoes_a_verdict_that_krea_never_spoke(krea: Sandbox, client: Client) -> None:
    pair = running(krea)
    krea.misbehave("missing", times=None, on="get")
    Submission.objects.update(not_found_since=timezone.now() - timedelta(hours=1))
    look()
    assert pair.row.failure_code == "not_found"

    assert post(client, pair.path, pair.news("completed")) == 200

    assert (pair.row.status, bool(pair.row.video_url)) == (Status.COMPLETED, True)


@pytest.mark.proves("W2")
def test_nor_does_the_token_of_one_submission_speak_for_the_other_of_its_job(
    krea: Sandbox, client: Client
) -> None:
    first = running(krea)
    first.row.resubmit(force=True)
    sweep()
    second = Pair(first.job, krea.jobs[-1])
    before, _ = first.submissions

    assert post(client, second.path, first.news(Status.BACKLOGGED)) == 202

    after, named = first.submissions
    assert (after.webhook_count, after.due_at) == (0, before.due_at)
    assert named.webhook_count == 1
    assert named.due_at and named.due_at <= timezone.now(), "Krea is asked"


def test_a_webhook_resolves_a_submission_whose_answer_was_lost(
    krea: Sandbox, client: Client
) -> None:
    pair = unconfirmed(krea)
    assert pair.row.status == Status.UNCONFIRMED
    krea.move(pair.upstream.id, "completed", deliver=False)

    assert post(client, pair.path, pair.news("completed")) == 202
    assert pair.submission.candidate_id == pair.upstream.id
    assert pair.row.status == Status.UNCONFIRMED, "the body alone decides nothing here"
    sweep()

    assert pair.row.status == Status.COMPLETED
    assert pair.row.video_url
    assert pair.submission.krea_job_id == pair.upstream.id
    assert len(krea.posts) == 1


def test_a_candidate_that_krea_does_not_know_gives_way_to_a_better_one(
    krea: Sandbox, client: Client
) -> None:
    pair = unconfirmed(krea)
    lie = json.loads(pair.news("completed")) | {"job_id": str(uuid.uuid4())}
    assert post(client, pair.path, json.dumps(lie).encode()) == 202
    sweep()
    assert pair.row.status == Status.UNCONFIRMED
    assert pair.submission.krea_job_id is None

    krea.move(pair.upstream.id, "completed", deliver=False)
    assert post(client, pair.path, pair.news("completed")) == 202
    sweep()
    assert pair.row.status == Status.COMPLETED


def test_a_candidate_that_is_another_submissions_job_is_refused(
    krea: Sandbox, client: Client
) -> None:
    other = running(krea, "another video")
    pair = unconfirmed(krea)

    assert post(client, pair.path, other.news("completed")) == 202
    sweep()

    assert pair.row.status == Status.UNCONFIRMED
    assert (other.submission.krea_job_id, other.row.status in RUNNING) == (other.upstream.id, True)


@pytest.mark.proves("W8")
def test_with_confirm_a_webhook_is_a_mere_hint(
    krea: Sandbox, client: Client, settings: Settings
) -> None:
    configure(settings, krea, WEBHOOK_BASE_URL=SITE, WEBHOOK_CONFIRM=True)
    pair = running(krea)
    krea.move(pair.upstream.id, "processing", deliver=False)
    lie = json.loads(pair.news("completed"))
    lie["result"] = {"urls": ["http://127.0.0.1/another.mp4"]}

    for said in ("completed", "failed", "cancelled"):
        told = json.dumps(lie | {"status": said}).encode()
        assert post(client, pair.path, told) == 202
        assert pair.row.status not in ENDED
        sweep()
        assert pair.row.status == Status.PROCESSING

    krea.move(pair.upstream.id, "completed", deliver=False)
    assert post(client, pair.path, json.dumps(lie).encode()) == 202
    sweep()
    assert pair.row.video_url == f"{krea.url}/videos/{pair.upstream.id}.mp4"
    assert [source for source, _ in pair.changes()] == ["poll", "poll"]


def test_a_cancellation_asked_for_meanwhile_does_not_hide_the_video(
    krea: Sandbox, client: Client
) -> None:
    pair = running(krea)
    pair.row.cancel()
    krea.move(pair.upstream.id, "completed", deliver=False)
    assert post(client, pair.path, pair.news("completed")) == 200
    look()
    assert pair.row.status == Status.COMPLETED


@pytest.mark.django_db(transaction=True)
class TestOverHTTP:
    """The stories in which the sandbox itself calls the site."""

    @pytest.mark.proves("R4")
    def test_before_the_posts_own_answer(self, live_krea: Sandbox) -> None:
        live_krea.misbehave("early_webhook")
        pair = running(live_krea)
        assert [one.http_status for one in live_krea.deliveries] == [202]
        look()
        assert pair.row.status == Status.COMPLETED
        assert len(live_krea.posts) == 1

    def test_what_was_refused_after_a_webhook_named_its_job_is_asked_for_and_not_ordered_again(
        self, live_krea: Sandbox
    ) -> None:
        """A gateway passed it on, and then said no in Krea's place and in its form."""
        live_krea.misbehave("early_webhook", on="generate")
        live_krea.misbehave("server_error_accepted", on="generate", status=403)
        live_krea.misbehave("server_error", on="get", times=None)
        pair = running(live_krea)
        assert pair.row.status == Status.FAILED
        assert pair.submission.may_be_billed
        with pytest.raises(Conflict):
            pair.row.resubmit()
        live_krea.behave()
        look()
        assert (pair.row.status, pair.row.video_url != "") == (Status.COMPLETED, True)
        assert len(live_krea.posts) == 1

    @pytest.mark.parametrize(
        ("fault", "answers"),
        [
            ("duplicate_webhook", [200] * 5),
            ("reordered_webhook", [200, 202]),
            ("webhook_other_job", [202]),
            ("webhook_not_json", [202]),
            ("webhook_too_large", [202]),
        ],
    )
    def test_a_sender_that_misbehaves(
        self, live_krea: Sandbox, fault: str, answers: list[int]
    ) -> None:
        live_krea.misbehave(fault, on="generate")
        pair = running(live_krea)
        live_krea.move(pair.upstream.id, "completed")

        assert [one.http_status for one in live_krea.deliveries] == answers
        look()
        assert pair.row.status == Status.COMPLETED
        assert pair.row.video_url
        assert len(pair.changes()) == 1

    def test_running_webhooks_move_the_job_on(self, live_krea: Sandbox) -> None:
        live_krea.misbehave("running_webhook", on="generate")
        pair = running(live_krea)
        for status in ("processing", "sampling", "completed"):
            assert live_krea.move(pair.upstream.id, status) == [200]
            assert pair.row.status == status


@pytest.mark.proves("R1", "R2")
def test_every_pair_of_words_ends_as_the_table_says(krea: Sandbox, client: Client) -> None:
    """Ends absorb, but for completed, which Krea itself has to confirm."""
    for first in sorted(ENDED):
        for second in sorted(ENDED - {first}):
            pair: Pair = running(krea, f"{first}, then {second}")
            assert post(client, pair.path, pair.news(first)) == 200
            before = everything()[0]
            assert post(client, pair.path, pair.news(second)) == 202
            assert everything()[0] == before
