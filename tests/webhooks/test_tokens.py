"""Who may speak: the address is the credential, and it opens one submission."""

from __future__ import annotations

import ast
import re
import string
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.core import signing
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django import Settings

import hailuo_django
from hailuo_django.models import VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import RUNNING, Status
from hailuo_django.tokens import SALT, Addressee, BadToken, make_token, read_token
from tests import effort
from tests.site import configure

from .rows import SITE, Pair, everything, look, post, running, unconfirmed

pytestmark = pytest.mark.django_db

EDITS = st.sampled_from(["replace", "insert", "delete", "cut", "swap case", "double"])
LETTERS = st.one_of(
    st.sampled_from(string.ascii_letters + string.digits + "-_.:~%"),
    st.characters(exclude_characters="/", exclude_categories=["Cs"]),
)


def altered(token: str, edit: str, place: int, letter: str) -> str:
    """``token`` with one edit at ``place``."""
    match edit:
        case "replace":
            return token[:place] + letter + token[place + 1 :]
        case "insert":
            return token[:place] + letter + token[place:]
        case "delete":
            return token[:place] + token[place + 1 :]
        case "cut":
            return token[:place]
        case "swap case":
            return token[:place] + token[place:].swapcase()
        case _:
            return token + token[place:]


def refused(client: Client, token: str, body: bytes) -> bool:
    """Whether a webhook at this address is refused before any query."""
    with CaptureQueriesContext(connections[VideoJob.database()]) as queries:
        status = post(client, f"/hailuo/webhook/{quote(token, safe='')}/", body)
    return status in (403, 404) and not queries.captured_queries


@pytest.mark.proves("W1")
def test_no_altered_token_is_taken(krea: Sandbox, client: Client) -> None:
    pair = running(krea)
    before, body = everything(), pair.news("completed")

    @settings(max_examples=effort.ALTERED_TOKENS)
    @given(EDITS, st.integers(0, len(pair.token) - 1), LETTERS)
    def check(edit: str, place: int, letter: str) -> None:
        token = altered(pair.token, edit, place, letter)
        assert token == pair.token or refused(client, token, body)

    check()
    assert everything() == before
    assert post(client, pair.path, body) == 200


@pytest.mark.proves("W1")
@pytest.mark.slow
def test_no_altered_token_is_read(krea: Sandbox) -> None:
    """The same without HTTP, many times more."""
    token = running(krea).token

    @settings(max_examples=effort.ALTERED_TOKENS_READ)
    @given(EDITS, st.integers(0, len(token) - 1), LETTERS)
    def check(edit: str, place: int, letter: str) -> None:
        changed = altered(token, edit, place, letter)
        if changed == token:
            return
        with pytest.raises(BadToken):
            read_token(changed)

    check()


@pytest.mark.proves("W1")
def test_the_last_letter_of_a_token_has_no_second_spelling(krea: Sandbox) -> None:
    """Base64 leaves bits over at its end; none of the other spellings is taken."""
    token = running(krea).token
    for letter in string.ascii_letters + string.digits + "-_":
        if letter != token[-1]:
            with pytest.raises(BadToken):
                read_token(token[:-1] + letter)


@pytest.mark.proves("W3")
def test_what_others_sign_opens_nothing(krea: Sandbox, client: Client) -> None:
    pair = running(krea)
    user = User.objects.create_user("ada", password="correct horse")
    name = pair.token.partition(".")[0]
    foreign = [
        default_token_generator.make_token(user),
        signing.dumps(name),
        signing.dumps(name, salt=SALT),
        signing.Signer(salt=SALT, sep=".").sign(name),
        signing.TimestampSigner(sep=".").sign(name),
        signing.TimestampSigner(salt=SALT).sign(name),
        signing.TimestampSigner(key="another key", salt=SALT, sep=".").sign(name),
        signing.get_cookie_signer(salt="sessionid").sign(name),
        f"{pair.job.pk}",
        name,
    ]
    before = everything()
    assert all(refused(client, token, pair.news("completed")) for token in foreign)
    assert everything() == before


@pytest.mark.proves("W3")
def test_our_token_opens_nothing_elsewhere(krea: Sandbox) -> None:
    token = running(krea).token
    user = User.objects.create_user("ada", password="correct horse")
    assert not default_token_generator.check_token(user, token)
    for sep in ":.":
        with pytest.raises(signing.BadSignature):
            signing.TimestampSigner(sep=sep).unsign(token)
    with pytest.raises(signing.BadSignature):
        signing.loads(token)


@pytest.mark.proves("W2")
def test_a_token_opens_the_submission_it_names_and_no_other(krea: Sandbox, client: Client) -> None:
    pairs = [running(krea, f"video {number}") for number in range(4)]
    before = everything()[0]

    for mine in pairs:
        for other in pairs:
            if other is not mine:
                assert post(client, mine.path, other.news("completed")) == 202
    look()

    assert everything()[0] == before
    assert [pair.submission.krea_job_id for pair in pairs] == [p.upstream.id for p in pairs]


@pytest.mark.proves("W2")
def test_the_token_of_a_replaced_submission_still_opens_only_its_own(
    krea: Sandbox, client: Client
) -> None:
    old = running(krea)
    krea.move(old.upstream.id, "failed", deliver=False)
    assert post(client, old.path, old.news("failed")) == 200
    job = old.row
    job.resubmit()
    look()
    new = Pair(job, krea.jobs[-1])

    assert post(client, old.path, new.news("completed")) == 202
    look()
    assert old.row.status in RUNNING
    assert post(client, new.path, new.news("completed")) == 200
    assert old.row.status == Status.COMPLETED


def test_a_token_for_a_job_that_was_deleted_is_answered_and_does_nothing(
    krea: Sandbox, client: Client
) -> None:
    pair = running(krea)
    assert post(client, pair.path, pair.news("failed")) == 200
    VideoJob.objects.filter(pk=pair.job.pk).delete()
    assert post(client, pair.path, pair.news("completed")) == 202
    assert everything() == [[], [], []]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock by which tokens are signed and read."""
    frozen = Clock()
    monkeypatch.setattr("django.core.signing.time.time", frozen)
    return frozen


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 12).timestamp()

    def __call__(self) -> float:
        return self.now

    def move(self, **time: float) -> None:
        self.now += timedelta(**time).total_seconds()


@pytest.mark.proves("W5")
@pytest.mark.parametrize(("late", "status"), [(-1, 200), (0, 200), (1, 403)])
def test_a_token_expires_to_the_second(
    krea: Sandbox, client: Client, clock: Clock, late: int, status: int
) -> None:
    pair = running(krea)
    clock.move(days=7, seconds=late)
    assert post(client, pair.path, pair.news("completed")) == status


@pytest.mark.proves("W5")
def test_an_expired_token_costs_nothing_but_the_webhook(
    krea: Sandbox, client: Client, clock: Clock, settings: Settings
) -> None:
    configure(settings, krea, WEBHOOK_BASE_URL=SITE, WEBHOOK_MAX_AGE_SECONDS=3600)
    pair = running(krea)
    krea.move(pair.upstream.id, "completed", deliver=False)
    before = everything()

    clock.move(hours=2)
    assert refused(client, pair.token, pair.news("completed"))
    assert everything() == before
    look()
    assert pair.row.status == Status.COMPLETED


@pytest.mark.proves("W4")
def test_a_key_is_changed_without_losing_a_job(
    krea: Sandbox, client: Client, settings: Settings
) -> None:
    old_key = settings.SECRET_KEY
    first, second, lost = (running(krea, prompt) for prompt in ("one", "two", "three"))

    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "the new key", [old_key]
    assert post(client, first.path, first.news("completed")) == 200
    fresh = running(krea, "sent under the new key")

    settings.SECRET_KEY_FALLBACKS = []
    assert refused(client, second.token, second.news("completed"))
    assert post(client, fresh.path, fresh.news("completed")) == 200

    for pair in (second, lost):
        krea.move(pair.upstream.id, "completed", deliver=False)
    look()
    assert {pair.row.status for pair in (first, second, lost, fresh)} == {Status.COMPLETED}


def test_a_lost_answer_and_a_changed_key_leave_it_to_a_person(
    krea: Sandbox, client: Client, settings: Settings
) -> None:
    pair = unconfirmed(krea)
    settings.SECRET_KEY = "the new key"
    assert refused(client, pair.token, pair.news("completed"))
    assert pair.row.status == Status.UNCONFIRMED
    assert pair.submission.note


@pytest.mark.proves("W7")
def test_no_secret_is_compared_by_hand() -> None:
    """Django's signing compares in constant time; ``==`` would tell how much of it is right."""
    package = Path(hailuo_django.__file__).parent
    nodes = [
        node for file in package.rglob("*.py") for node in ast.walk(ast.parse(file.read_text()))
    ]
    compared = [
        ast.unparse(node)
        for node in nodes
        if isinstance(node, ast.Compare)
        and any(isinstance(operator, ast.Eq | ast.NotEq) for operator in node.ops)
    ]
    assert len(compared) > 50
    assert not [one for one in compared if re.search("token|secret|signature", one.lower())]


def test_a_token_says_whom_it_names(krea: Sandbox) -> None:
    pair = running(krea)
    named = Addressee(pair.job.pk, 1)
    assert read_token(pair.token) == named
    assert read_token(make_token(named)) == named
