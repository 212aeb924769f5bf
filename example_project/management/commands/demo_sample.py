"""The demo's sample job; ``manage.py demo`` starts it."""

from __future__ import annotations

import logging
import os
import time
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from hailuo_django.models import JobEvent, VideoJob
from hailuo_django.states import ENDED, Status

PROMPT = "A paper boat sails down a rainy street, close to the water, at dusk"
LOOK_SECONDS = 0.1


class Command(BaseCommand):
    """Exits 0 when the video is there and the expected messenger has brought it."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.description = _("Submit a sample job and follow it. “manage.py demo” starts this.")
        parser.add_argument("--operator", required=True, help=_("Whose job it is."))
        parser.add_argument(
            "--completed-by",
            required=True,
            choices=(JobEvent.Source.WEBHOOK.value, JobEvent.Source.POLL.value),
            help=_("What is to bring the video."),
        )
        parser.add_argument("--timeout", type=float, required=True, help=_("Seconds to wait."))

    def handle(
        self, *args: Any, operator: str, completed_by: str, timeout: float, **options: Any
    ) -> None:
        logging.getLogger("django-q").setLevel(logging.WARNING)  # the screen is for the job
        job = VideoJob(prompt=PROMPT, owner=make_operator(operator), reference="demo")
        job.submit(actor=job.owner)
        self.say(_("A sample job: “%(prompt)s”") % {"prompt": job.prompt})
        request = {"resolution": job.resolution, "seconds": job.duration, "price": job.price_usd}
        self.say(_("%(resolution)s, %(seconds)s s, USD %(price)s at Krea's prices") % request)
        self.follow(job, timeout)
        self.judge(job, completed_by)

    def say(self, line: str) -> None:
        """Print a line at once, also where nobody but a pipe reads."""
        self.stdout.write(line)
        self.stdout.flush()

    def follow(self, job: VideoJob, timeout: float) -> None:
        """Print what happens to the job until it ends. Raises CommandError after ``timeout``."""
        started, last = time.monotonic(), 0
        while True:
            job.refresh_from_db()
            for event in job.events.filter(pk__gt=last):
                self.say(line(event, job))
                last = event.pk
            if job.status in ENDED:
                return
            if time.monotonic() - started > timeout:
                message = _("It is still “%(status)s” after %(seconds)g seconds.")
                raise CommandError(message % {"status": job.status, "seconds": timeout})
            time.sleep(LOOK_SECONDS)

    def judge(self, job: VideoJob, completed_by: str) -> None:
        """Show the video. Raises CommandError unless it came as expected."""
        if job.status != Status.COMPLETED:
            raise CommandError(_("No video: the job is “%(status)s”.") % {"status": job.status})
        self.say(_("Its video: %(url)s") % {"url": job.video_url or job.result_url})
        source = job.events.filter(to_status=Status.COMPLETED).latest("pk").source
        if source != completed_by:
            message = _("It was completed by “%(source)s” instead of “%(expected)s”.")
            raise CommandError(message % {"source": source, "expected": completed_by})
        if source == JobEvent.Source.WEBHOOK:
            self.say(_("Completed by its webhook."))
        else:
            self.say(_("Completed by polling."))


def make_operator(name: str) -> Any:
    """Return a superuser of that name with the password that the environment holds."""
    users = get_user_model()._default_manager
    operator, _created = users.update_or_create(
        username=name, defaults={"is_staff": True, "is_superuser": True}
    )
    operator.set_password(os.environ["HAILUO_DEMO_PASSWORD"])
    operator.save()
    return operator


def line(event: JobEvent, job: VideoJob) -> str:
    """Return an event in a line: seconds since the submission, state, what, by whom, why."""
    seconds = (event.created_at - (job.submitted_at or job.created_at)).total_seconds()
    what = f"{event.get_action_display()} ({event.get_source_display()})"
    status = event.to_status or event.from_status
    return f"  {max(seconds, 0):5.1f} s  {status:<22} {what} {event.detail}".rstrip()
