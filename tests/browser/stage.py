"""Jobs in every state, as the worker and the sandbox make them."""

from __future__ import annotations

from django.contrib.auth.models import User

from hailuo_django import ledger, pacing
from hailuo_django.krea.errors import AccountProblem
from hailuo_django.krea.wire import JobReport
from hailuo_django.models import Batch, JobEvent, KreaAccount, Stranger, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import Action, Status
from hailuo_django.testing import make_job, work
from tests.admin.overview import move_back

HOSTILE = (
    "</title></textarea></li></bdi><script>alert(1)</script><img src=x onerror=alert(2)>"
    "\"'><svg onload=alert(3)>\u202e<iframe src='javascript:alert(4)'></iframe>"
)


class Stage:
    """Sets up what a page is to show; everything belongs to one operator."""

    def __init__(self, krea: Sandbox, operator: User) -> None:
        self.krea = krea
        self.operator = operator

    def draft(self, prompt: str = "A lighthouse at dusk.") -> VideoJob:
        """A job that nobody asked for yet."""
        return make_job(prompt=prompt, owner=self.operator)

    def unsent(self, prompt: str = "A lighthouse at dusk.") -> VideoJob:
        """A job that waits for a worker."""
        job = self.draft(prompt)
        job.submit(actor=self.operator, source=JobEvent.Source.OPERATOR)
        return job

    def running(self, prompt: str = "A lighthouse at dusk.") -> VideoJob:
        """A job that Krea works on."""
        return self._moved(prompt, "processing")

    def completed(self, prompt: str = "A lighthouse at dusk.") -> VideoJob:
        """A job with its video at the sandbox."""
        return self._moved(prompt, "completed")

    def failed(self, prompt: str = "A lighthouse at dusk.") -> VideoJob:
        """A job that Krea refused to finish, in words as hostile as the prompt may be."""
        self.krea.misbehave("moderation", on="generate")
        return self._moved(prompt, "failed")

    def resubmitted(self, prompt: str = "A lighthouse at dusk.") -> VideoJob:
        """A job that failed, was resubmitted, and has its video."""
        job = self.failed(prompt)
        self.pause(60)
        job.resubmit(actor=self.operator, source=JobEvent.Source.OPERATOR)
        self.pause(2)
        work()
        self._end(job, "completed")
        return VideoJob.objects.get(pk=job.pk)

    def lost(self, prompt: str = "A lighthouse at dusk.") -> VideoJob:
        """A job that Krea took, whose answer was lost, and what Krea's list shows of it."""
        self.krea.misbehave("lost_answer", on="generate")
        job = self.unsent(prompt)
        work()  # sends it
        work()  # looks for it
        return VideoJob.objects.get(pk=job.pk)

    def named(self, prompt: str) -> VideoJob:
        """A job whose answer was lost and whose webhook named what Krea does not know."""
        job = self.lost(prompt)
        ledger.make_due(job.pk, 1, JobReport(HOSTILE[:90], Status.PROCESSING))
        ledger.reject_candidate(job.submissions.get(), "Krea does not know it.")
        return job

    def stranger(self) -> Stranger:
        """An upstream job that nobody here knows."""
        self.lost()
        return Stranger.objects.latest("pk")

    def paused(self) -> KreaAccount:
        """The account in use, which Krea lets send nothing for lack of money."""
        pacing.slow_sending(AccountProblem("no balance", status=402))
        return KreaAccount.objects.get()

    def everything(self) -> list[VideoJob]:
        """One job in each state that a list may show."""
        return [
            self.draft(),
            self.running("A harbour in the fog, seen from the pier."),
            self.completed("Two cranes over a rice field at first light."),
            self.failed(HOSTILE),
            self.lost("A paper boat on a wet street."),
            self.unsent("A kite over the dunes."),
        ]

    def proposal(self) -> Batch:
        """What submitting one job of each state would cost, and which are skipped."""
        return ledger.propose(Action.SUBMIT, self.everything(), actor=self.operator)

    def batch(self) -> Batch:
        """The same, confirmed, so that it is a worker's turn."""
        batch = self.proposal()
        ledger.confirm(batch, actor=self.operator)
        ledger.hand_over(batch)
        return batch

    def month(self) -> list[VideoJob]:
        """Videos and failures on several days, enough of a kind to say how long one takes."""
        jobs = [self.unsent() for _job in range(24)]
        work()
        for third in range(3):
            self.pause(70)
            for number in range(third, len(jobs), 3):
                status = "failed" if number in (3, 9) else "completed"
                self.krea.move(jobs[number].submissions.get().krea_job_id or "", status)
            work()
        for number, job in enumerate(jobs):
            move_back(job, days=number % 7 * 4)
        return jobs

    def pause(self, seconds: int) -> None:
        """Wait between two steps of a story, where the time it takes is to be seen."""

    def _moved(self, prompt: str, status: str) -> VideoJob:
        job = self.unsent(prompt)
        self.pause(3)
        work()
        self._end(job, status)
        return VideoJob.objects.get(pk=job.pk)

    def _end(self, job: VideoJob, status: str) -> None:
        self.pause(150)
        self.krea.move(job.submissions.latest("number").krea_job_id or "", status)
        work()
