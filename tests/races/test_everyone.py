"""Everyone at the same job at the same time: webhooks, workers, people, and Krea's list."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from pytest_django import Settings

from hailuo_django import ledger
from hailuo_django.models import JobEvent, KreaAccount, Submission, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.sandbox.jobs import SandboxJob
from hailuo_django.sandbox.webhooks import message
from hailuo_django.states import ENDED, Status
from hailuo_django.tokens import Addressee, read_token
from hailuo_django.worker.sweep import sweep
from tests import effort
from tests.properties.invariants import check_events, check_job, check_submission
from tests.properties.world import empty_tables
from tests.site import configure
from tests.webhooks.rows import SITE

from .crowd import Crowd, a_little_later, succeeded
from .stories import deliver, make_due, submitted

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

BY = ledger.By("operator")
LONGEST_DELAY_SECONDS = 0.04

Call = Callable[[], Any]


class Scene:
    """One job, the Krea that it was sent to, and the calls that those who meet at it make."""

    def __init__(self, krea: Sandbox) -> None:
        self.krea = krea
        self.job = submitted()

    def send(self, *, fault: str = "") -> Submission:
        """Have it sent."""
        if fault:
            self.krea.misbehave(fault, on="generate")
        sweep()
        return Submission.objects.get(job=self.job)

    def verb(self, name: str, **options: Any) -> Call:
        """A person presses a button on a page that they opened before."""
        return partial(getattr(VideoJob.objects.get(pk=self.job.pk), name), **options)

    def verdict(self, name: str, *facts: Any) -> Call:
        row = Submission.objects.get(job=self.job, number=1)
        return partial(getattr(ledger, name), row, *facts, by=BY)

    def webhook(self, status: str) -> Call:
        [made] = self.krea.jobs
        return partial(deliver, path(made), message(made, status).body)

    def people(self) -> list[Call]:
        again = [self.verb("resubmit", force=True), self.verb("resubmit")]
        return [self.verb("cancel"), self.verb("sync"), *again]


def path(made: SandboxJob) -> str:
    return urlsplit(made.webhook_url or "").path


def addressee(webhook_url: str) -> Addressee:
    return read_token(urlsplit(webhook_url).path.rstrip("/").rpartition("/")[2])


def nobody_sent_it(krea: Sandbox) -> tuple[Scene, list[Call]]:
    scene = Scene(krea)
    return scene, [sweep, partial(sweep, only=scene.job.pk), sweep, *scene.people()]


def it_runs(krea: Sandbox) -> tuple[Scene, list[Call]]:
    scene = Scene(krea)
    scene.send()
    krea.move(krea.jobs[0].id, "completed", deliver=False)
    webhooks = [scene.webhook("completed"), scene.webhook("sampling"), scene.webhook("completed")]
    return scene, [*webhooks, sweep, sweep, *scene.people()]


def it_failed_and_is_completed_after_all(krea: Sandbox) -> tuple[Scene, list[Call]]:
    scene = Scene(krea)
    scene.send()
    krea.move(krea.jobs[0].id, "failed", deliver=False)
    scene.webhook("failed")()
    krea.move(krea.jobs[0].id, "completed", deliver=False)
    Submission.objects.update(due_at=timezone.now())
    return scene, [scene.webhook("completed"), sweep, sweep, *scene.people()]


def its_answer_was_lost(krea: Sandbox) -> tuple[Scene, list[Call]]:
    scene = Scene(krea)
    scene.send(fault="lost_answer")
    krea.move(krea.jobs[0].id, "completed", deliver=False)
    chosen = scene.verdict("choose", krea.jobs[0].id)
    verdicts = [scene.verdict("give_up"), scene.verdict("send_again"), chosen]
    webhooks = [scene.webhook("backlogged"), scene.webhook("completed")]
    return scene, [*webhooks, sweep, sweep, *verdicts, *scene.people()]


def it_never_arrived(krea: Sandbox) -> tuple[Scene, list[Call]]:
    scene = Scene(krea)
    scene.send(fault="lost_request")
    verdicts = [scene.verdict("give_up"), scene.verdict("send_again")]
    return scene, [sweep, sweep, *verdicts, *scene.people()]


@pytest.mark.parametrize(
    "begin",
    [
        nobody_sent_it,
        it_runs,
        it_failed_and_is_completed_after_all,
        its_answer_was_lost,
        it_never_arrived,
    ],
)
@pytest.mark.proves("R1", "R2", "R5", "M1")
def test_all_of_them_make_one_history(
    crowd: Crowd,
    settings: Settings,
    announced: list[JobEvent],
    begin: Callable[[Sandbox], tuple[Scene, list[Call]]],
) -> None:
    dice = random.Random(begin.__name__)  # noqa: S311 - the same meetings in every run
    for _meeting in range(effort.MEETINGS):
        empty_tables()
        announced.clear()
        with Sandbox(manual=True) as krea:
            configure(
                settings,
                krea,
                WEBHOOK_BASE_URL=SITE,
                UNCONFIRMED_GRACE_SECONDS=0,
                ADOPT_STRANGERS=dice.random() < 0.5,
                BUDGET={"day": "100"},
            )
            scene, calls = begin(krea)
            make_due()
            forgive()
            dice.shuffle(calls)
            longest = dice.choice([0, LONGEST_DELAY_SECONDS])
            late = [a_little_later(call, dice.uniform(0, longest)) for call in calls]

            outcomes = crowd.at_once(*late)

            assert {one for one in outcomes if isinstance(one, int)} <= {*range(20), 200, 202}
            added = [one for one in succeeded(outcomes) if isinstance(one, Submission)]
            assert VideoJob.objects.get().submission_count == 1 + len(added)
            finish(scene)
            check(scene, announced)
        assert crowd.troubles == []


def forgive() -> None:
    """Let no earlier trouble hold up a sender."""
    KreaAccount.objects.update(doubts=0, paused_at=None, trial_until=None)


def finish(scene: Scene) -> None:
    """Let Krea finish what it works on, its webhooks arrive, and workers come."""
    for _pass in range(2):
        forgive()
        make_due()
        sweep()
        for made in scene.krea.jobs:
            if not made.ended:
                scene.krea.move(made.id, "completed", deliver=False)
            assert deliver(path(made), message(made, made.status).body) in {200, 202}
    for _pass in range(2):
        make_due()
        sweep()
    JobEvent.objects.filter(announce_after__isnull=False).update(announce_after=timezone.now())
    sweep()


def check(scene: Scene, announced: list[JobEvent]) -> None:
    """Rows, events, announcements and money tell one story, and it is Krea's."""
    job, rows = VideoJob.objects.get(), list(Submission.objects.order_by("number"))
    check_job(job, rows)
    for row in rows:
        check_submission(row)
        check_events(row, list(row.events.exclude(action="note").order_by("pk")))
        assert row.status in ENDED or row.status == Status.UNCONFIRMED

    posts = Counter(addressee(post.headers["x-webhook-url"]) for post in scene.krea.posts)
    assert posts == {Addressee(job.pk, row.number): 1 for row in rows if row.attempts}
    made = {addressee(one.webhook_url or "").number: one for one in scene.krea.jobs}
    assert {row.number: row.krea_job_id for row in rows if row.krea_job_id} == {
        number: one.id for number, one in made.items()
    }
    paid = {number for number, one in made.items() if one.billed}
    assert {row.number for row in rows if row.status == Status.COMPLETED} == paid

    owed = JobEvent.objects.exclude(announcement="").values_list("pk", flat=True)
    assert Counter(event.pk for event in announced) == Counter(owed)
    assert not JobEvent.objects.filter(announce_after__isnull=False).exists()
