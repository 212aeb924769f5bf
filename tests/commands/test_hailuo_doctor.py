"""``hailuo_doctor``: the settings, the token, the clock, the queue and the rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from django.conf import settings as site
from django.core.management import call_command
from django.db import ProgrammingError, connections
from django.test import override_settings
from django.utils import timezone
from django_q.models import Schedule
from pytest_django import Settings

from hailuo_django import pacing
from hailuo_django.doctor import Finding, Level
from hailuo_django.models import Heartbeat, KreaAccount, Submission, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import Status
from hailuo_django.testing import make_submitted_job, sandbox
from hailuo_django.worker.sweep import sweep
from tests.krea.conftest import Net, answer
from tests.site import configure
from tests.trouble import down

from .doctor import finding, findings, said

pytestmark = pytest.mark.django_db


@pytest.fixture
def krea(settings: Settings) -> Iterator[Sandbox]:
    """A site on which nothing is wrong, and its Krea."""
    with Sandbox(manual=True) as krea:
        configure(settings, krea, KREA_TIMEOUT_SECONDS=5)
        # Beside a real Krea this is a warning; the site of these stories has none.
        settings.SILENCED_SYSTEM_CHECKS = [*settings.SILENCED_SYSTEM_CHECKS, "hailuo_django.W023"]
        settings.Q_CLUSTER = {**settings.Q_CLUSTER, "workers": 2, "queue_limit": 2}
        call_command("hailuo_schedule", "install", verbosity=0)
        sweep()
        yield krea


def test_a_healthy_site_gets_a_line_for_each_examination_and_0(krea: Sandbox) -> None:
    text, code = said()
    assert code == 0
    assert [line.split()[:2] for line in text.splitlines()] == [
        ["ok", f"{name}:"]
        for name in (
            *("settings.ok", "token.ok", "clock.ok", "schedule.ok", "sweep.ok", "queue.ok"),
            *("account.ok", "submissions.ok", "budget.none", "webhook.none"),
        )
    ]


def test_it_asks_krea_once_and_orders_nothing(krea: Sandbox) -> None:
    make_submitted_job()
    before = len(krea.requests)
    said()
    assert krea.requests[before:] == [("GET", "/jobs", 200)]


def test_a_problem_is_told_with_its_fix_and_1(krea: Sandbox) -> None:
    Schedule.objects.all().delete()
    text, code = said()
    assert code == 1
    [line] = [line for line in text.splitlines() if line.startswith("problem")]
    assert line == (
        "problem schedule.missing: django-q2's schedule of the sweep is missing or not as it"
        " should be. Fix: Run “manage.py hailuo_schedule install”."
    )


def test_a_warning_alone_is_no_failure(krea: Sandbox) -> None:
    Heartbeat.objects.all().delete()
    text, code = said()
    assert "warning sweep.never: No worker has ever finished a sweep." in text
    assert code == 0


def test_machines_get_json_with_the_same_exit_code(krea: Sandbox) -> None:
    Schedule.objects.all().delete()
    text, code = said("--json")
    missing = next(one for one in json.loads(text) if one["code"] == "schedule.missing")
    assert missing.keys() == {"code", "level", "found", "fix"}
    assert (missing["level"], code) == ("problem", 1)


def test_the_settings_are_checked_as_for_a_deployment(settings: Settings, krea: Sandbox) -> None:
    settings.HAILUO = {**settings.HAILUO, "RESULT_HOSTS": [], "POLL_INTERVAL_SECOND": 5}
    lines = said()[0].splitlines()
    assert any("RESULT_HOSTS" in line and line.startswith("warning") for line in lines)
    [misspelt] = [line for line in lines if "POLL_INTERVAL_SECOND" in line]
    assert misspelt.startswith("problem settings.check: ")
    assert misspelt.endswith("(hailuo_django.E002) Fix: Did you mean POLL_INTERVAL_SECONDS?")
    assert "settings.ok" not in findings()


def test_a_silenced_check_is_silent(settings: Settings, krea: Sandbox) -> None:
    settings.HAILUO = {**settings.HAILUO, "RESULT_HOSTS": []}
    settings.SILENCED_SYSTEM_CHECKS = [*settings.SILENCED_SYSTEM_CHECKS, "hailuo_django.W022"]
    assert finding("settings")["code"] == "settings.ok"


def test_what_is_too_broken_to_be_examined_does_not_end_it(
    settings: Settings, krea: Sandbox
) -> None:
    settings.HAILUO = {**settings.HAILUO, "KREA_TIMEOUT_SECONDS": "soon"}
    found = findings()
    assert found["settings.check"]["level"] == "problem"
    assert found["examination.failed"]["found"].endswith("could not be done: ValueError.")
    assert {"sweep.ok", "webhook.none"} <= found.keys()


def test_a_database_that_is_away_is_named_as_such(krea: Sandbox) -> None:
    with connections[VideoJob.database()].execute_wrapper(down):
        found = findings()
    away = found["examination.no_database"]
    assert away["level"] == "problem"
    assert "cannot be used: the database is away" in away["found"]
    assert "examination.failed" not in found


def test_a_router_that_is_broken_does_not_end_it(krea: Sandbox) -> None:
    class Broken:
        def db_for_write(self, *args: Any, **hints: Any) -> str:
            raise LookupError("no replica")

    with override_settings(DATABASE_ROUTERS=[Broken()]):
        found = findings()
    assert found["examination.failed"]["found"].endswith("could not be done: LookupError.")
    assert "“manage.py migrate”" in found["examination.failed"]["fix"]


def test_tables_that_are_missing_are_told_with_what_makes_them(krea: Sandbox) -> None:
    def lack(*args: Any, **kwargs: Any) -> None:
        raise ProgrammingError('relation "hailuo_django_heartbeat" does not exist')

    alias = VideoJob.database()
    with connections[alias].execute_wrapper(lack):
        missing = findings()["examination.no_database"]
    assert 'relation "hailuo_django_heartbeat" does not exist' in missing["found"]
    assert "“manage.py migrate”" in missing["fix"]
    assert (f"“manage.py migrate --database={alias}”" in missing["fix"]) == (alias != "default")


@pytest.mark.parametrize(
    ("fault", "code", "level"),
    [
        ("unauthorized", "token.refused", "problem"),
        ("payment_required", "token.payment", "problem"),
        ("rate_limited", "token.limited", "warning"),
        ("server_error", "token.unwell", "warning"),
        ("bad_gateway_html", "token.unwell", "warning"),
        ("lost_request", "token.unreachable", "problem"),
        ("redirect", "token.no_krea", "problem"),
        ("garbage", "token.no_krea", "problem"),
    ],
)
def test_what_krea_says_to_the_token(krea: Sandbox, fault: str, code: str, level: str) -> None:
    krea.misbehave(fault, on="list")
    found = finding("token")
    assert (found["code"], found["level"]) == (code, level)
    assert found["fix"]


def test_where_nobody_listens_krea_is_unreachable(
    settings: Settings, krea: Sandbox, free_port: int
) -> None:
    settings.HAILUO = {**settings.HAILUO, "KREA_BASE_URL": f"http://127.0.0.1:{free_port}"}
    found = findings()
    assert "refused" in found["token.unreachable"]["found"]
    assert found["clock.unknown"]["level"] == "warning"


@pytest.mark.parametrize(("token", "code"), [("", "token.empty"), ("a\nb", "token.malformed")])
def test_a_token_that_cannot_be_sent_is_not(
    settings: Settings, krea: Sandbox, token: str, code: str
) -> None:
    settings.HAILUO = {**settings.HAILUO, "KREA_API_TOKEN": token}
    before = len(krea.requests)
    assert finding("token")["code"] == code
    assert len(krea.requests) == before


def test_a_token_that_krea_repeats_is_not_printed(settings: Settings, net: Net) -> None:
    token = "a-token-that-nobody-may-see"
    body = {"error": f"Bearer {token} is unknown.\x1b[2J\r\nok token.ok"}
    server = net.serve(answer(401, body))
    settings.HAILUO = {"KREA_API_TOKEN": token, "KREA_BASE_URL": server.url}
    text, _ = said()
    assert token not in text
    [line] = [line for line in text.splitlines() if "token." in line]
    assert "[redacted] is unknown.?[2J ok token.ok" in line


@pytest.mark.parametrize(
    ("seconds", "code", "words"),
    [(0, "ok", "agrees"), (50, "ok", "agrees"), (70, "skewed", "ahead"), (-70, "skewed", "behind")],
)
def test_the_clock_is_compared_with_kreas(
    settings: Settings, net: Net, seconds: int, code: str, words: str
) -> None:
    date = format_datetime(datetime.now(UTC) - timedelta(seconds=seconds), usegmt=True)
    server = net.serve(answer(200, {"items": []}, f"Date: {date}"))
    settings.HAILUO = {"KREA_API_TOKEN": "a-token", "KREA_BASE_URL": server.url}
    found = finding("clock")
    assert found["code"] == f"clock.{code}"
    assert words in found["found"]


def test_without_the_task_queue_nothing_is_said_against_it(
    settings: Settings, krea: Sandbox
) -> None:
    settings.INSTALLED_APPS = [app for app in site.INSTALLED_APPS if app != "django_q"]
    found = findings()
    assert found["schedule.no_queue"]["level"] == "ok"
    assert not any(code.startswith("queue.") for code in found)


def test_a_schedule_that_is_not_wanted_is_not_missed(settings: Settings, krea: Sandbox) -> None:
    Schedule.objects.all().delete()
    settings.HAILUO = {**settings.HAILUO, "SCHEDULE": False}
    assert finding("schedule")["code"] == "schedule.off"


def test_a_schedule_that_somebody_changed_is_a_problem(krea: Sandbox) -> None:
    Schedule.objects.update(minutes=30)
    assert finding("schedule")["code"] == "schedule.missing"


def test_a_sweep_is_late_after_three_minutes(krea: Sandbox) -> None:
    Heartbeat.objects.update(beat_at=timezone.now() - timedelta(seconds=170))
    assert finding("sweep")["code"] == "sweep.ok"
    Heartbeat.objects.update(beat_at=timezone.now() - timedelta(seconds=190))
    late = finding("sweep")
    assert (late["code"], late["level"]) == ("sweep.late", "warning")
    assert "190 s ago" in late["found"]
    assert "qcluster" in late["fix"]


def test_a_retry_that_is_too_short_is_told_once(settings: Settings, krea: Sandbox) -> None:
    settings.Q_CLUSTER = {**settings.Q_CLUSTER, "retry": 20}
    text, _ = said()
    assert text.count("hailuo_django.W026") == 1
    assert finding("queue")["level"] == "warning"


def test_a_pause_is_told_with_its_reason_and_its_end(krea: Sandbox) -> None:
    make_submitted_job()
    krea.misbehave("payment_required", on="generate")
    sweep()
    assert KreaAccount.objects.filter(send_after__gt=timezone.now()).exists()
    paused = finding("account")
    assert (paused["code"], paused["level"]) == ("account.paused", "warning")
    assert "HTTP 402" in paused["found"]


def test_after_trouble_it_is_told_that_one_goes_at_a_time(krea: Sandbox) -> None:
    pacing.doubt("the line went dead")
    trial = finding("account")
    assert (trial["code"], trial["level"]) == ("account.trial", "ok")


def test_the_pause_of_another_account_does_not_matter(krea: Sandbox) -> None:
    later = timezone.now() + timedelta(hours=1)
    KreaAccount.objects.create(fingerprint="another", send_after=later)
    assert finding("account")["code"] == "account.ok"


def test_a_pause_after_lost_answers_lasts_until_krea_answers(krea: Sandbox) -> None:
    for _ in range(3):
        pacing.doubt("the line went dead")
    paused = finding("account")["found"]
    assert "until Krea answers a GET: Answers were lost: the line went dead" in paused


def test_a_budget_tells_its_room(settings: Settings, krea: Sandbox) -> None:
    make_submitted_job()  # 0.2835 USD
    settings.HAILUO = {**settings.HAILUO, "BUDGET": {"day": "1", "month": "0.38", "user_day": "1"}}
    text, code = said()
    day, month = [line for line in text.splitlines() if "budget." in line]
    assert day.startswith("ok      budget.ok: day: 0.0000 spent and 0.2835 reserved of 1 USD")
    assert "room for 0.7165; resets at " in day
    assert month.startswith("warning budget.full: month: ")
    assert "room for 0.0965" in month, "less than the cheapest video costs"
    assert code == 0


def test_a_budget_of_the_owners_alone_is_told(settings: Settings, krea: Sandbox) -> None:
    settings.HAILUO = {**settings.HAILUO, "BUDGET": {"user_day": "1"}}
    assert finding("budget")["code"] == "budget.owners"


def test_what_is_unconfirmed_or_overdue_is_counted() -> None:
    with sandbox(manual=True) as krea:
        krea.misbehave("lost_answer", on="generate")
        for _ in range(2):
            make_submitted_job()
            sweep()
        lost = Submission.objects.get(status=Status.UNCONFIRMED)
        early = timezone.now() - timedelta(days=1)
        Submission.objects.exclude(pk=lost.pk).update(sent_at=early)
        sweep()
        found = findings()
    assert "answer was lost: 1, the first at " in found["submissions.unconfirmed"]["found"]
    assert found["submissions.overdue"]["found"].endswith(": 1.")
    assert "submissions.ok" not in found


def test_a_finding_is_one_line() -> None:
    assert str(Finding("a.b", Level.OK, "Fine.")) == "ok      a.b: Fine."
