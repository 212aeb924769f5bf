"""Short words for who asks and what they ask of the API."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from django.contrib.auth.models import Permission, User
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from hailuo_django import results
from hailuo_django.models import Submission, VideoJob
from hailuo_django.states import Status
from tests.docs.pages import code, page, rows

API = page("api")
DOCUMENTED = {word for row in rows(API, "| status | `code` |") for word in code(row[1])}
DOCUMENTED |= {word for row in rows(API, "| `code` of a field |") for word in code(row[0])}

VERBS = ("submit", "resubmit", "cancel", "sync")


class Visitor(APIClient):
    """A client that is signed in as ``user``, or as nobody, and speaks JSON."""

    def __init__(self, user: User | None = None, **defaults: Any) -> None:
        super().__init__(**defaults)
        self.default_format = "json"
        if user:
            self.force_login(user)

    def request(self, **kwargs: Any) -> Any:
        """Ask; whatever is refused has a code that docs/api.md lists."""
        answer = super().request(**kwargs)
        if answer.status_code >= 400 and answer.content.startswith((b"{", b"[")):
            assert codes(answer.json()) <= DOCUMENTED
        return answer

    def create(self, **fields: Any) -> Any:
        """Ask for a video, or with ``submit=False`` for a draft."""
        return self.post(reverse("hailuo_django_api:job-list"), fields)

    def create_raw(self, body: str | bytes, **extra: Any) -> Any:
        """The same with a body that is sent as it stands."""
        path = reverse("hailuo_django_api:job-list")
        return self.post(path, body, content_type="application/json", **extra)


def person(name: str, *rights: str, is_staff: bool = False) -> User:
    """A user who holds the named rights on video jobs, such as ``submit``."""
    user = User.objects.create_user(name, is_staff=is_staff)
    names = [f"{right}_videojob" for right in rights]
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    return user


def is_midnight(told: str) -> bool:
    """Whether a day of the site's begins at this moment."""
    assert told.endswith("Z")
    return timezone.localtime(datetime.fromisoformat(told)).time() == time()


def codes(body: Any) -> set[str]:
    """The codes in the body of a refusal, which has one for each message."""
    if isinstance(body, list):
        return set().union(*map(codes, body))
    if not isinstance(body, dict):
        return set()
    if "code" in body and {"detail", "message"} & body.keys():
        return {body["code"]}
    return set().union(*map(codes, body.values()))


def complaints(answer: Any) -> dict[str, list[tuple[str, str]]]:
    """What a 400 says of each field, as code and message."""
    assert answer.status_code == 400
    return {
        name: [(error["code"], error["message"]) for error in errors]
        for name, errors in answer.json().items()
    }


def address(job: VideoJob, part: str = "detail") -> str:
    """The path of a job, or of one of its verbs or its events."""
    return reverse(f"hailuo_django_api:job-{part}", args=[job.pk])


def draft(owner: User | None, **fields: Any) -> VideoJob:
    """A job nobody asked for yet."""
    return VideoJob.objects.create(**{"owner": owner, "prompt": "a lighthouse", **fields})


def wanted(owner: User | None, **fields: Any) -> VideoJob:
    """A job somebody asked for."""
    job = draft(owner, **fields)
    job.submit(actor=owner)
    return job


def ended(owner: User | None, status: Status, **fields: Any) -> VideoJob:
    """A job that Krea has ended so; ``fields`` are its submission's."""
    job = wanted(owner)
    end = {"due_at": None, "ended_at": timezone.now()}
    _move(job, status, **{**end, **fields})
    failure_code, result_url = fields.get("failure_code", ""), fields.get("result_url", "")
    VideoJob.objects.filter(pk=job.pk).update(
        failure_code=failure_code,
        result_url=result_url,
        result_host=results.link_host(result_url) if status == Status.COMPLETED else None,
    )
    job.refresh_from_db()
    return job


def under_way(owner: User | None, status: Status, **fields: Any) -> VideoJob:
    """A job that was sent and has not ended; ``fields`` are its submission's."""
    job = wanted(owner)
    _move(job, status, **fields)
    job.refresh_from_db()
    return job


def _move(job: VideoJob, status: Status, **fields: Any) -> None:
    said = {"status": status, "krea_status": status, "krea_job_id": f"krea-{job.pk}"}
    Submission.objects.filter(job=job).update(**{**said, **fields})
    VideoJob.objects.filter(pk=job.pk).update(status=status)
