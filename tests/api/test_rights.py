"""Somebody else's job does not exist, and nothing happens without the right."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from hailuo_django.api.permissions import VideoJobPermissions, reachable_jobs
from hailuo_django.models import JobEvent, Submission, VideoJob
from hailuo_django.states import ENDED, Status
from tests import effort

from .people import VERBS, Visitor, address, draft, ended, person, under_way, wanted

pytestmark = pytest.mark.django_db

JOBS = reverse("hailuo_django_api:job-list")
RIGHTS = ("view", "add", "change", "delete", "submit", "cancel")
NEEDED = {"submit": "submit", "resubmit": "submit", "cancel": "cancel"}
NEEDED_FOR_DRAFTS = {"put": "change", "patch": "change", "delete": "delete"}
METHODS = ("get", "head", "post", "put", "patch", "delete")
# In this order a draft is deleted in the end.
PARTS = ("events", *VERBS, "detail")
CANARY = "a canary in the prompt"
_number = itertools.count()


@pytest.mark.slow
@given(st.sets(st.sampled_from(RIGHTS)), st.booleans(), st.sampled_from([*Status]))
@settings(
    max_examples=effort.SETS_OF_RIGHTS,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_three_users_on_every_path_with_every_method(
    db: None, rights: set[str], is_staff: bool, status: Status
) -> None:
    """The owner, a stranger with any rights, and a visitor: who finds the job, who may act."""
    owner = person(f"owner {next(_number)}", *rights)
    stranger = person(f"stranger {next(_number)}", *rights, is_staff=is_staff)
    job = _job(owner, status)
    callers = [_caller(user) for user in (None, stranger, owner)]

    for part, method in itertools.product(PARTS, METHODS):
        before = _rows(job)
        needed = NEEDED_FOR_DRAFTS.get(method) if part == "detail" else NEEDED.get(part)
        path, verb = address(job, part), method.upper()
        visitor_sees, stranger_sees = (caller.generic(verb, path) for caller in callers[:2])

        assert visitor_sees.status_code in (401, 403)
        if not (is_staff and {"view", needed} & rights):
            known = method in _methods(part)
            assert stranger_sees.status_code == (404 if known else 405)
            assert _rows(job) == before
            for answer in (visitor_sees, stranger_sees):
                assert not any(word in answer.content.decode() for word in (CANARY, str(job.pk)))

        owner_sees = callers[2].generic(verb, path)
        if method not in _methods(part):
            assert owner_sees.status_code == 405
        elif stranger_sees.status_code == 204:
            assert owner_sees.status_code == 404
        elif needed and needed not in rights:
            assert owner_sees.status_code == 403
        else:
            assert owner_sees.status_code in _answers(part, method)
    assert CANARY not in callers[0].get(JOBS).content.decode()
    assert CANARY not in callers[1].get(JOBS).content.decode() or (is_staff and "view" in rights)


@pytest.mark.parametrize("path", [JOBS, reverse("hailuo_django_api:prices")])
@pytest.mark.parametrize("method", ["get", "post", "options"])
def test_a_visitor_gets_nothing(db: None, path: str, method: str) -> None:
    assert getattr(Visitor(), method)(path).status_code in (401, 403)


def test_reading_takes_no_right_but_being_the_owner(db: None) -> None:
    reader = person("reader")
    job = wanted(reader)

    assert Visitor(reader).get(JOBS).json()["results"][0]["id"] == str(job.pk)
    assert Visitor(reader).get(address(job)).status_code == 200
    assert Visitor(reader).get(address(job, "events")).status_code == 200
    assert Visitor(reader).post(address(job, "sync")).status_code == 202


@pytest.mark.parametrize(("verb", "right"), NEEDED.items())
def test_first_403_then_the_right_is_granted_then_202(db: None, verb: str, right: str) -> None:
    owner = person("owner", *({*RIGHTS} - {right}))
    job = ended(owner, Status.FAILED) if verb == "resubmit" else draft(owner)
    if verb == "cancel":
        job.submit()
    before = _rows(job)

    assert Visitor(owner).post(address(job, verb)).status_code == 403
    assert _rows(job) == before

    User.objects.all().delete()
    owner = person("owner", right)
    VideoJob.objects.update(owner=owner)
    assert Visitor(owner).post(address(job, verb)).status_code == 202


@pytest.mark.parametrize(("verb", "right"), NEEDED.items())
def test_staff_with_the_right_act_on_everybodys_jobs(ada: User, verb: str, right: str) -> None:
    job = ended(ada, Status.FAILED) if verb == "resubmit" else draft(ada)
    if verb == "cancel":
        job.submit()
    boss = person("boss", right, is_staff=True)

    assert Visitor(boss).get(address(job)).status_code == 404
    assert Visitor(boss).post(address(job, verb)).status_code == 202
    assert job.events.filter(actor=boss).exists()
    job.refresh_from_db()
    assert job.owner == ada


@pytest.mark.parametrize("verb", NEEDED)
def test_staff_who_may_only_look_do_not_act(ada: User, verb: str) -> None:
    job = draft(ada)
    boss = Visitor(person("boss", "view", is_staff=True))

    assert boss.get(JOBS).json()["results"][0]["id"] == str(job.pk)
    assert boss.get(address(job)).status_code == 200
    assert boss.post(address(job, verb)).status_code == 403


def test_nobody_is_not_the_owner_of_jobs_without_an_owner(db: None) -> None:
    job = draft(None)
    assert VideoJob.objects.filter(pk=job.pk, owner=None).exists()
    for nobody in (AnonymousUser(), None):
        assert not reachable_jobs(nobody, "list").exists()
        assert not reachable_jobs(nobody, "submit").exists()
    assert Visitor(person("somebody")).get(address(job)).status_code == 404


def test_a_site_may_let_every_visitor_spend_on_their_own_jobs(
    settings: Settings, ada: User
) -> None:
    adas = draft(ada)
    visitor = Visitor(person("visitor"))
    assert visitor.create(prompt="x").status_code == 403

    settings.HAILUO = {"API_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"]}

    mine = visitor.create(prompt="x")
    assert mine.status_code == 202
    assert visitor.post(f"{mine['Location']}cancel/").status_code == 202
    assert visitor.post(address(adas, "submit")).status_code == 404
    assert Visitor().create(prompt="x").status_code in (401, 403)


def test_a_site_may_even_take_requests_of_nobody_who_then_sees_nothing(
    settings: Settings, db: None
) -> None:
    settings.HAILUO = {"API_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"]}

    made = Visitor().create(prompt="x")

    assert made.status_code == 202
    assert VideoJob.objects.get().owner is None
    assert JobEvent.objects.get().actor is None
    assert Visitor().get(made["Location"]).status_code == 404
    assert Visitor().get(JOBS).json()["results"] == []


def test_a_permission_class_of_the_site_sees_the_jobs_it_decides_about(
    settings: Settings, ada: User
) -> None:
    name = f"{__name__}.OnlyShortPrompts"
    settings.HAILUO = {"API_PERMISSION_CLASSES": [name]}
    visitor = Visitor(person("visitor", *RIGHTS))

    assert visitor.create(prompt="short").status_code == 202
    assert visitor.create(prompt="much too long").status_code == 403
    assert VideoJob.objects.count() == 1
    imported = draft(VideoJob.objects.get().owner, prompt="much too long")
    for part in ("detail", "events"):
        assert visitor.get(address(imported, part)).status_code == 403


class OnlyShortPrompts(VideoJobPermissions):
    """A rule of the host's own."""

    def has_object_permission(self, request: Any, view: Any, obj: VideoJob) -> bool:
        return len(obj.prompt) < 10 and super().has_object_permission(request, view, obj)


def _job(owner: User, status: Status) -> VideoJob:
    if status == Status.DRAFT:
        return draft(owner, prompt=CANARY)
    job = (ended if status in ENDED else under_way)(owner, status)
    VideoJob.objects.filter(pk=job.pk).update(prompt=CANARY)
    return job


def _rows(job: VideoJob) -> Any:
    submissions = Submission.objects.filter(job=job).order_by("number")
    rows = [*VideoJob.objects.filter(pk=job.pk).values(), *submissions.values()]
    return rows, JobEvent.objects.filter(job=job).count()


def _methods(part: str) -> tuple[str, ...]:
    if part in VERBS:
        return ("post",)
    return ("get", "head", *NEEDED_FOR_DRAFTS) if part == "detail" else ("get", "head")


def _answers(part: str, method: str) -> tuple[int, ...]:
    """What the owner may hear who sends no body."""
    if part in VERBS:
        return (202, 409, 429) if part == "sync" else (202, 409)
    return {"put": (400,), "patch": (200, 409), "delete": (204, 409)}.get(method, (200,))


def _caller(user: User | None) -> Visitor:
    caller = Visitor()
    caller.force_authenticate(user)  # no session to read for each of many calls
    return caller
