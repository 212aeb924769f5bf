"""A site's own rule about who may do what with which jobs: the example of docs/api.md, run."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser, Group, User
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse
from pytest_django import Settings

from hailuo_django.api.permissions import VideoJobPermissions, reachable_jobs
from hailuo_django.models import VideoJob
from tests.docs.pages import blocks

from .people import API, VERBS, Visitor, address, draft, person

pytestmark = pytest.mark.django_db

JOBS = reverse("hailuo_django_api:job-list")
EXAMPLE, SETTING = [block for block in blocks(API, "python") if "ShopPermissions" in block]


@pytest.fixture
def shop(settings: Settings) -> Iterator[None]:
    """The site of the example, which holds its code and its setting."""
    package, module = types.ModuleType("shop"), types.ModuleType("shop.api")
    package.api = module  # type: ignore[attr-defined]
    exec(EXAMPLE, module.__dict__)  # noqa: S102
    sys.modules |= {"shop": package, "shop.api": module}
    written: dict[str, Any] = {}
    exec(SETTING, written)  # noqa: S102
    settings.HAILUO = {**settings.HAILUO, **written["HAILUO"]}
    yield
    del sys.modules["shop"], sys.modules["shop.api"]


def test_the_example_is_short() -> None:
    assert len([line for line in EXAMPLE.splitlines() if line.strip()]) < 15


def test_a_team_shares_its_jobs_and_nobody_elses_exist(shop: None) -> None:
    team = Group.objects.create(name="team")
    grace, joan = person("grace", "submit"), person("joan")
    for member in (grace, joan):
        member.groups.add(team)
    theirs, foreign = draft(grace), draft(person("mallory"))

    for member in (grace, joan):
        assert [job["id"] for job in Visitor(member).get(JOBS).json()["results"]] == [
            str(theirs.pk)
        ]
        for part in ("detail", "events"):
            assert Visitor(member).get(address(theirs, part)).status_code == 200
            assert Visitor(member).get(address(foreign, part)).status_code == 404
        for verb in VERBS:
            assert Visitor(member).post(address(foreign, verb)).status_code == 404
        assert Visitor(member).delete(address(foreign)).status_code == 404

    assert Visitor(joan).post(address(theirs, "submit")).status_code == 403
    assert Visitor(grace).post(address(theirs, "submit")).status_code == 202
    assert Visitor(joan).get(address(theirs)).json()["status"] == "unsent"


def test_a_service_account_needs_no_permissions_for_what_it_sees(shop: None, ada: User) -> None:
    service = Visitor(person("service-mail"))
    made = service.create(prompt="x")
    assert made.status_code == 202
    assert service.post(f"{made['Location']}cancel/").status_code == 202
    assert service.get(address(draft(ada))).status_code == 404


def test_a_visitor_still_gets_nothing(shop: None, ada: User) -> None:
    assert Visitor().get(JOBS).status_code == 403
    assert Visitor().get(address(draft(ada))).status_code == 403


class Principal:
    """Whom a token names, as stateless authentications have it: no row, no ORM."""

    is_authenticated, is_active, is_staff = True, True, False

    def __init__(self, pk: Any) -> None:
        self.pk = pk


def shared(user: Any, action: str) -> Any:
    """Whoever shares any group with the owner, by a join that meets a job once for each."""
    return VideoJob.objects.filter(owner__groups__in=user.groups.all())


def test_a_rule_that_joins_shows_each_job_once(ada: User, settings: Settings) -> None:
    settings.HAILUO = {**settings.HAILUO, "API_QUERYSET": f"{__name__}.shared"}
    grace = person("grace")
    for name in ("team", "choir"):
        group = Group.objects.create(name=name)
        group.user_set.add(ada, grace)
    job = draft(ada)

    assert [one["id"] for one in Visitor(grace).get(JOBS).json()["results"]] == [str(job.pk)]
    assert Visitor(grace).get(address(job, "events")).status_code == 200
    assert Visitor(ada).post(address(job, "submit")).status_code == 202


def cut(user: Any, action: str) -> Any:
    """What no further condition can be asked of."""
    return VideoJob.objects.all()[:5]


def joined(user: Any, action: str) -> Any:
    """The same, by another way."""
    return VideoJob.objects.owned_by(user).union(VideoJob.objects.none())


@pytest.mark.parametrize("rule", [cut, joined])
def test_a_rule_that_cannot_be_filtered_is_named(
    ada: User, settings: Settings, rule: Callable[..., Any]
) -> None:
    settings.HAILUO = {**settings.HAILUO, "API_QUERYSET": f"{__name__}.{rule.__name__}"}
    with pytest.raises(ImproperlyConfigured, match="combine them by | instead"):
        Visitor(ada).get(JOBS)


def test_a_history_is_shown_by_djangos_own_rule_as_well(ada: User, settings: Settings) -> None:
    """It asks the view for its rows, and then about one of them."""
    rule = "rest_framework.permissions.DjangoObjectPermissions"
    settings.HAILUO = {**settings.HAILUO, "API_PERMISSION_CLASSES": [rule]}
    root = User.objects.create_superuser("root")
    assert Visitor(root).get(address(draft(root), "events")).status_code == 200


class NobodySpends(VideoJobPermissions):
    """A rule that is asked before any job is found."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """Refuse what spends."""
        return view.action != "submit" and super().has_permission(request, view)


def test_who_may_not_submit_may_not_do_it_by_creating(client: Visitor, settings: Settings) -> None:
    classes = [f"{__name__}.NobodySpends"]
    settings.HAILUO = {**settings.HAILUO, "API_PERMISSION_CLASSES": classes}
    assert client.create(prompt="x").status_code == 403
    assert not VideoJob.objects.exists()
    assert client.create(prompt="x", submit=False).status_code == 201


class EverythingIsAllowed(VideoJobPermissions):
    """Another authority issued the token."""

    def may(self, user: Any, action: str) -> bool:
        return True


@pytest.fixture
def token_site(settings: Settings) -> None:
    rule = f"{__name__}.EverythingIsAllowed"
    settings.HAILUO = {**settings.HAILUO, "API_PERMISSION_CLASSES": [rule]}


def test_whom_a_token_names_by_key_owns_what_they_order(token_site: None, ada: User) -> None:
    caller = Visitor()
    caller.force_authenticate(Principal(str(ada.pk)))  # type: ignore[arg-type]

    made = caller.create(prompt="x")

    job = VideoJob.objects.get()
    assert (made.status_code, job.owner, job.events.get().actor) == (202, ada, ada)
    assert Visitor(ada).get(made["Location"]).status_code == 200
    assert caller.patch(address(draft(ada)), {"duration": 7}).status_code == 200


def test_whom_a_token_names_without_a_key_owns_nothing(token_site: None) -> None:
    caller = Visitor()
    caller.force_authenticate(Principal(None))  # type: ignore[arg-type]

    made = caller.create(prompt="x")

    assert (made.status_code, VideoJob.objects.get().owner) == (202, None)
    assert caller.get(made["Location"]).status_code == 404


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("key", [{}, {"idempotency-key": "a-key"}], ids=["plain", "with a key"])
def test_a_token_that_outlived_its_account_orders_nothing(
    token_site: None, ada: User, key: dict[str, str]
) -> None:
    caller = Visitor(headers=key)
    caller.force_authenticate(Principal(ada.pk))  # type: ignore[arg-type]
    ada.delete()

    refused = caller.create(prompt="x")

    assert (refused.status_code, refused.json()["code"]) == (403, "authentication_failed")
    assert not VideoJob.objects.exists()
    assert caller.get(JOBS).json()["results"] == []


def test_a_user_without_permissions_of_djangos_only_reads(ada: User) -> None:
    """As a site's own user model may be: nothing but AbstractBaseUser."""
    job = draft(ada)
    plain = Principal(ada.pk)
    assert not hasattr(AbstractBaseUser, "has_perm")
    caller = Visitor()
    caller.force_authenticate(plain)  # type: ignore[arg-type]

    assert caller.get(address(job)).status_code == 200
    assert caller.create(prompt="x").status_code == 403
    assert caller.post(address(job, "submit")).status_code == 403
    assert not reachable_jobs(AnonymousUser(), "list").exists()
