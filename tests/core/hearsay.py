"""What webhooks say in the stories of this folder, and what a person may do about it."""

from __future__ import annotations

import json

from django.test import Client
from django.urls import reverse

from hailuo_django.exceptions import SUBMISSION_ALIVE, Conflict
from hailuo_django.krea.wire import JobReport, read_job
from hailuo_django.ledger.told import readable
from hailuo_django.models import KreaAccount, VideoJob
from hailuo_django.tokens import Addressee, make_token
from tests.webhooks.rows import post

from .rows import fresh


def deliver(job: VideoJob, news: JobReport) -> int:
    """What the webhook of the first submission is answered."""
    token = make_token(Addressee(job.pk, 1))
    return post(Client(), reverse("hailuo_django:webhook", args=[token]), readable(news).encode())


def said(krea_job_id: str, status: str, *urls: str) -> JobReport:
    """What a webhook says of a job, whatever Krea would answer."""
    words = {"job_id": krea_job_id, "status": status, "result": {"urls": urls}}
    return read_job(json.dumps(words))


def can_be_resubmitted(job: VideoJob) -> bool:
    """Whether nobody has to force it."""
    try:
        fresh(job).resubmit()
    except Conflict as refusal:
        assert refusal.code == SUBMISSION_ALIVE
        return False
    return True


def let_sending_go_on() -> None:
    KreaAccount.objects.update(send_after=None)
