"""Plays one cell: a site, a Krea that misbehaves once, and some time in which all else goes well.

Time passes in the rows and on the sandbox's clock, so that both agree about every moment.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.db.models import Model, QuerySet
from django.utils import timezone
from pytest_django import Settings

from hailuo_django.deadlines import lease_seconds
from hailuo_django.models import JobEvent, KreaAccount, Stranger, Submission, VideoJob
from hailuo_django.sandbox import Sandbox, SandboxJob
from hailuo_django.sandbox.faults import FAULTS
from hailuo_django.worker.sweep import sweep
from tests.core.rows import change, claimed, fresh, pass_time, submitted
from tests.site import configure

from .cells import LAGS, MADE, SETTINGS, Cell, End

PROMPT, CONTROL = "a lighthouse at dusk", "another lighthouse"

WORDS = {
    "none": " [no_webhook]",
    "before": " [early_webhook]",
    "before, twice": " [early_webhook] [duplicate_webhook:2]",
    "after": "",
    "twice": " [duplicate_webhook:2]",
}
"""What the sandbox understands by the words of the matrix."""

SECONDS_TO_ANSWER = 10
SECONDS_TO_TIME_OUT = (0.3, 1, 5)
"""Where no answer is to come in time. A busy machine may not even have sent the request by then;
the cell then begins anew, with more time."""

LOOKS = (365, 430, 800, 1300)
"""Seconds after the POST at which somebody looks: soon after the window, when every list has caught
up, when every pause is over, and at the end."""

LOOKS_WHERE_TOLD = (365, 1300)
"""Where a webhook tells of the end, and nothing waits for a list or for the end of a pause."""

LOOKS_FOR_LATE = (365, 390, 425, 470, 840)
"""The same around a request that arrives late and is listed at once or 30 s later."""


def forget_everything() -> None:
    """Empty the tables, for the next cell."""
    models: tuple[type[Model], ...] = (JobEvent, Submission, VideoJob, Stranger, KreaAccount)
    for model in models:
        QuerySet(model).delete()


@dataclass
class Site:
    """A site and its Krea while one cell is played."""

    cell: Cell
    krea: Sandbox
    settings: Settings
    webhooks_to: str
    seconds_to_time_out: float

    def configure(self, **more: Any) -> None:
        """Let the site use this Krea, with the settings of the cell."""
        hailuo = {
            "WEBHOOK_BASE_URL": self.webhooks_to,
            "KREA_TIMEOUT_SECONDS": SECONDS_TO_ANSWER,
        }
        configure(self.settings, self.krea, **hailuo | SETTINGS[self.cell.decides] | more)

    def send(self) -> bool:
        """Send what is wanted, as the row says; False when it did not get out in time."""
        match self.cell.row.fault.split(":"):
            case ["nobody listens"]:
                self.configure(KREA_BASE_URL="http://127.0.0.1:9")
                sweep()
            case ["killed before"]:
                self._be_killed(before=True)
            case ["killed after"]:
                self._be_killed(before=False)
            case [name, *number]:
                self._send_into(name, *map(float, number))
        self.configure()
        if self.cell.row.times_out and not self._is_out():
            return False
        if self.cell.row.outcome == MADE and not self.cell.row.seconds_late:
            self._arrives()
        return True

    def _send_into(self, fault: str, *number: float) -> None:
        if fault:
            options: dict[str, Any] = dict(zip([FAULTS[fault].option], number, strict=False))
            self.krea.misbehave(fault, on="generate", **options)
        if self.cell.row.times_out:
            self.configure(KREA_TIMEOUT_SECONDS=self.seconds_to_time_out)
        sweep()

    def _is_out(self) -> bool:
        with suppress(TimeoutError):
            return bool(self.krea.wait(lambda: self.krea.posts, 1))
        return False

    def _be_killed(self, *, before: bool) -> None:
        lane, item = claimed(self.krea)
        if not before:
            lane.call(item)
        pass_time(self.krea, lease_seconds() + 1)
        sweep()

    def _heard(self) -> None:
        # A sender that gave up did not wait until Krea had told of the end.
        if "before" in self.cell.webhook:
            self.krea.wait_idle()

    def _arrives(self) -> None:
        """Wait until Krea has made a job of the first request."""
        first = self.krea.wait(lambda: self.krea.posts)[0]
        self.krea.wait(lambda: first.job_id in [one.id for one in self.krea.jobs])
        self._heard()

    def finish(self) -> None:
        """Krea ends what it has, and tells of it as the cell says."""
        for one in self.krea.jobs:
            if not one.ended:
                self.krea.move(one.id, "completed")

    def time_passes(self, job: VideoJob) -> None:
        """Somebody looks again and again; the control is sent just after the first look."""
        self.finish()
        late = self.cell.row.seconds_late
        for before, now in pairwise((0, *self._looks())):
            pass_time(self.krea, now - before)
            if before < late <= now:
                self._arrives()
            self.finish()
            change(job, due_at=timezone.now())
            sweep()
            if self.cell.control and not before:
                submitted(prompt=CONTROL)
                sweep()

    def _looks(self) -> tuple[int, ...]:
        if self.cell.row.seconds_late:
            return LOOKS_FOR_LATE
        is_told = self.cell.webhook != "none" and "hold" not in self.cell.end.events
        return LOOKS_WHERE_TOLD if is_told else LOOKS

    def made(self, job: VideoJob) -> list[SandboxJob]:
        """What Krea made of the job."""
        return [one for one in self.krea.jobs if one.body["prompt"] == job.prompt]

    def webhooks(self, job: VideoJob) -> list[int | None]:
        """What Krea's webhooks for the job were answered."""
        mine = [one.id for one in self.made(job)]
        return [one.http_status for one in self.krea.deliveries if one.job_id in mine]

    def paid_videos(self, job: VideoJob) -> list[str]:
        """Where the videos are that the job has cost."""
        return [one.result["urls"][0] for one in self.made(job) if one.billed]

    def end(self, job: VideoJob) -> End:
        """What it came to."""
        row, newest = fresh(job), Submission.objects.filter(job=job).latest("number")
        assert newest.status == row.status
        return End(
            row.status,
            len([post for post in self.krea.posts if post.body["prompt"] == job.prompt]),
            len(self.made(job)),
            len(self.paid_videos(job)),
            " ".join(JobEvent.objects.filter(job=job).values_list("action", flat=True)),
            shown(newest.evidence) if row.status == "unconfirmed" else "",
        )


def shown(evidence: dict[str, Any]) -> str:
    """What the evidence says to somebody who has to decide."""
    if evidence["strangers"]:
        return "a stranger"
    return "absence" if evidence["absent"] else ""


def play(cell: Cell, settings: Settings, webhooks_to: str) -> tuple[Site, VideoJob]:
    """Play one cell to its end, on empty tables."""
    lag = f"lagging_list:{LAGS[cell.listing]}"
    for seconds in SECONDS_TO_TIME_OUT:
        forget_everything()
        with Sandbox(manual=True, misbehave=[lag]) as krea:
            site = Site(cell, krea, settings, webhooks_to, seconds)
            site.configure()
            job = submitted(prompt=PROMPT + WORDS[cell.webhook])
            if site.send():
                site.time_passes(job)
                return site, job
    raise TimeoutError("This machine is too busy to send a single request.")
