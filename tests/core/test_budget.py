"""No site spends more than it said: caps, what counts against them, and when they reset."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest
from django.contrib.auth import get_user_model
from django.db import OperationalError, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.formats import date_format
from pytest_django import Settings

from hailuo_django import budget, ledger
from hailuo_django.exceptions import BudgetExceeded
from hailuo_django.models import BudgetLock, VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import Status
from hailuo_django.worker.sweep import sweep

from .rows import change, fresh, look_again, only, sent, submitted

pytestmark = pytest.mark.django_db(transaction=True)

PRICE = Decimal("0.2835")
ZERO = Decimal(0)


def caps(settings: Settings, **usd: Any) -> None:
    settings.HAILUO = {**settings.HAILUO, "BUDGET": usd}


def balance(cap: str = "day", owner_id: Any = None) -> budget.Balance:
    [found] = [one for one in budget.balances(owner_id) if one.cap == cap]
    return found


def completed(krea: Sandbox, *, at: datetime, **fields: Any) -> VideoJob:
    """A job whose video came at a moment."""
    job = sent(**fields)
    krea.move(str(only(job).krea_job_id), "completed")
    look_again(job)
    change(job, ended_at=at)
    return fresh(job)


@contextmanager
def moment(at: datetime) -> Iterator[None]:
    """Let it be then."""
    with mock.patch("django.utils.timezone.now", lambda: at):
        yield


def test_a_cap_refuses_what_it_has_no_room_for_and_says_why(
    krea: Sandbox, settings: Settings
) -> None:
    caps(settings, day="0.6")
    for _job in range(2):
        submitted()
    job = VideoJob(prompt="one too many")
    with pytest.raises(BudgetExceeded) as refusal:
        job.submit()

    error = refusal.value
    assert (error.code, error.cap, error.limit_usd) == ("budget_exceeded", "day", Decimal("0.6"))
    assert (error.spent_usd, error.reserved_usd, error.price_usd) == (ZERO, 2 * PRICE, PRICE)
    assert error.resets_at == balance().resets_at
    resets = date_format(error.resets_at, "Y-m-d H:i T")
    assert str(error) == (
        "The site's budget of a day has no room for 0.2835 USD: of 0.6 USD, 0.0000 are spent"
        f" and 0.5670 reserved. It resets at {resets}."
    )
    assert VideoJob.objects.count() == 2, "nothing was written"

    caps(settings, day="1")
    job.submit()
    assert fresh(job).status == Status.UNSENT, "the same instance can be submitted later"


def test_a_price_that_fits_exactly_is_not_refused(krea: Sandbox, settings: Settings) -> None:
    caps(settings, day=2 * PRICE)
    for _job in range(2):
        submitted()
    assert balance().room_usd == 0


def test_a_draft_that_was_refused_stays_a_draft(krea: Sandbox, settings: Settings) -> None:
    caps(settings, month="0.1")
    job = VideoJob(prompt="a draft")
    job.save()
    with pytest.raises(BudgetExceeded, match="^The site's budget of a month"):
        job.submit()
    assert fresh(job).status == Status.DRAFT
    assert not job.submissions.exists()
    assert not job.events.exists()


def test_money_stays_reserved_until_the_end_upstream_and_is_then_spent_or_free(
    krea: Sandbox, settings: Settings
) -> None:
    caps(settings, day="10")
    completed, failed = sent(), sent()
    assert (balance().spent_usd, balance().reserved_usd) == (ZERO, 2 * PRICE)
    upstream = [only(job).krea_job_id for job in (completed, failed)]
    krea.move(str(upstream[0]), "completed")
    krea.move(str(upstream[1]), "failed")
    for job in (completed, failed):
        look_again(job)
    assert (balance().spent_usd, balance().reserved_usd) == (PRICE, ZERO)


def test_money_stays_reserved_while_anything_is_in_doubt(krea: Sandbox, settings: Settings) -> None:
    caps(settings, day=PRICE)
    krea.misbehave("lost_answer")
    job = sent()
    change(job, created_at=datetime(2020, 1, 1, tzinfo=UTC))
    with pytest.raises(BudgetExceeded):
        submitted()

    ledger.give_up(only(job), by=ledger.By("operator"))
    submitted()


def test_what_was_given_up_and_runs_after_all_is_reserved_once_more(
    krea: Sandbox, settings: Settings
) -> None:
    caps(settings, day=PRICE)
    krea.misbehave("lost_answer")
    job = sent()
    [made] = krea.jobs
    ledger.give_up(only(job), by=ledger.By("operator"))
    assert balance().reserved_usd == ZERO, "a verdict ends a reservation"

    ledger.choose(only(job), made.id, by=ledger.By("operator"))
    look_again(job)
    assert (only(job).status, balance().reserved_usd) == (Status.FAILED, PRICE)
    with pytest.raises(BudgetExceeded):
        submitted()

    krea.move(made.id, "failed")
    look_again(job)
    assert balance().reserved_usd == ZERO


def test_what_is_completed_while_the_budget_is_summed_counts_twice_rather_than_not(
    krea: Sandbox, settings: Settings
) -> None:
    caps(settings, day="0.3")
    job = sent()
    krea.move(str(only(job).krea_job_id), "completed")
    done: list[Any] = []

    def complete_meanwhile(execute: Any, sql: str, *rest: Any) -> Any:
        if "SUM(" in sql and not done:
            done.append(execute(sql, *rest))
            look_again(job)
            return done[0]
        return execute(sql, *rest)

    with connections[VideoJob.database()].execute_wrapper(complete_meanwhile):
        found = balance()

    assert fresh(job).status == Status.COMPLETED
    assert found.spent_usd + found.reserved_usd >= PRICE


def test_deleting_a_video_gives_its_money_to_nobody(krea: Sandbox, settings: Settings) -> None:
    ada = get_user_model().objects.create_user("ada")
    caps(settings, day="0.3", user_day="0.3")
    job = sent(owner=ada)
    krea.move(str(only(job).krea_job_id), "completed")
    look_again(job).delete()
    assert balance().spent_usd == balance("user_day", ada.pk).spent_usd == PRICE
    with pytest.raises(BudgetExceeded):
        submitted(owner=ada)


def test_resubmitting_needs_room_as_well(krea: Sandbox, settings: Settings) -> None:
    job = submitted()
    job.cancel()
    caps(settings, day="0.2")
    with pytest.raises(BudgetExceeded):
        job.resubmit()
    assert (fresh(job).status, fresh(job).submission_count) == (Status.CANCELLED, 1)


def test_a_users_cap_counts_the_jobs_they_own(krea: Sandbox, settings: Settings) -> None:
    caps(settings, user_day="0.3")
    users = get_user_model().objects
    ada, grace = users.create_user("ada"), users.create_user("grace")
    submitted(owner=ada)
    submitted(owner=grace)
    submitted()
    submitted()
    with pytest.raises(BudgetExceeded, match="^The owner's budget of a day"):
        submitted(owner=ada)
    assert balance("user_day", ada.pk).reserved_usd == PRICE


def test_a_day_begins_at_midnight_in_the_sites_time_zone(krea: Sandbox, settings: Settings) -> None:
    settings.TIME_ZONE = "America/New_York"
    caps(settings, day="0.3", month="100")
    # 23:30 of the last day of October there, when summer time is about to end.
    evening = datetime(2026, 11, 1, 3, 30, tzinfo=UTC)
    completed(krea, at=evening)

    with moment(evening + timedelta(minutes=29)):
        assert (balance().spent_usd, balance("month").spent_usd) == (PRICE, PRICE)
        assert balance().resets_at == balance("month").resets_at
        assert balance().resets_at.isoformat() == "2026-11-01T00:00:00-04:00"
    with moment(evening + timedelta(minutes=30)):
        assert (balance().spent_usd, balance("month").spent_usd) == (ZERO, ZERO)
        assert balance().resets_at.isoformat() == "2026-11-02T00:00:00-05:00"


@pytest.mark.parametrize("deleted", [False, True])
def test_a_users_day_ends_at_midnight_as_well(
    krea: Sandbox, settings: Settings, deleted: bool
) -> None:
    settings.TIME_ZONE = "UTC"
    caps(settings, user_day="0.3")
    ada = get_user_model().objects.create_user("ada")
    evening = datetime(2026, 11, 1, 23, 30, tzinfo=UTC)
    job = completed(krea, at=evening, owner=ada)
    if deleted:
        job.delete()

    with moment(evening + timedelta(minutes=29)):
        assert balance("user_day", ada.pk).spent_usd == PRICE
    with moment(evening + timedelta(minutes=30)):
        assert balance("user_day", ada.pk).spent_usd == ZERO


def test_a_month_begins_on_its_first(krea: Sandbox, settings: Settings) -> None:
    settings.TIME_ZONE = "UTC"
    caps(settings, day="10", month="10")
    first = datetime(2026, 2, 1, tzinfo=UTC)
    completed(krea, at=first)

    with moment(first + timedelta(days=27)):
        assert (balance().spent_usd, balance("month").spent_usd) == (ZERO, PRICE)
        assert balance("month").resets_at == datetime(2026, 3, 1, tzinfo=UTC)
    with moment(first + timedelta(days=28)):
        assert balance("month").spent_usd == ZERO
        assert balance("month").resets_at == datetime(2026, 4, 1, tzinfo=UTC)


def test_a_day_is_the_sites_wherever_its_users_are(krea: Sandbox, settings: Settings) -> None:
    settings.TIME_ZONE = "America/New_York"
    caps(settings, day="10")
    evening = datetime(2026, 11, 2, 3, 30, tzinfo=UTC)
    completed(krea, at=evening - timedelta(hours=20))

    with moment(evening), timezone.override("Asia/Tokyo"):
        assert balance().spent_usd == PRICE
        assert balance().resets_at.isoformat() == "2026-11-02T00:00:00-05:00"


def test_a_day_begins_at_midnight_where_times_have_no_zone(
    krea: Sandbox, settings: Settings
) -> None:
    settings.USE_TZ = False
    caps(settings, day="10")
    midnight = datetime(2026, 11, 2)
    completed(krea, at=midnight)

    with moment(midnight + timedelta(hours=23)):
        assert balance().spent_usd == PRICE
        assert balance().resets_at == datetime(2026, 11, 3)


def test_a_cap_for_users_leaves_the_others_to_those_who_have_no_owner(
    krea: Sandbox, settings: Settings
) -> None:
    caps(settings, user_day="10", day="0.1")
    with pytest.raises(BudgetExceeded, match="^The site's budget of a day"):
        submitted()


def test_a_budget_is_locked_before_anything_is_read(krea: Sandbox, settings: Settings) -> None:
    caps(settings, day="10")
    submitted()
    with CaptureQueriesContext(connections[VideoJob.database()]) as queries:
        submitted()

    begin, first, *_ = [query["sql"] for query in queries]
    assert begin.startswith("BEGIN")
    assert first.startswith(f'UPDATE "{BudgetLock._meta.db_table}"')
    assert BudgetLock.objects.get().taken == 1, "and was made by the first of them"


def test_the_lock_that_somebody_else_has_just_made_is_taken(
    krea: Sandbox, settings: Settings
) -> None:
    caps(settings, day="10")

    def make(execute: Any, sql: str, *rest: Any) -> Any:
        outcome = execute(sql, *rest)
        if BudgetLock._meta.db_table in sql and not made:
            made.append(BudgetLock(name=budget.LOCK))
            made[0].save(force_insert=True)
        return outcome

    made: list[BudgetLock] = []
    with connections[VideoJob.database()].execute_wrapper(make):
        submitted()

    assert BudgetLock.objects.get().taken == 1


def test_without_a_budget_nothing_is_locked_and_nothing_summed(krea: Sandbox) -> None:
    job = VideoJob(prompt="as ever")
    job.save()
    with CaptureQueriesContext(connections[VideoJob.database()]) as queries:
        job.submit()
    assert budget.balances() == []
    spoken = " ".join(query["sql"] for query in queries)
    assert "INSERT" in spoken
    assert BudgetLock._meta.db_table not in spoken
    assert "SUM(" not in spoken


def test_a_cap_that_was_lowered_refuses_and_shows_no_negative_room(
    krea: Sandbox, settings: Settings
) -> None:
    submitted()
    caps(settings, day="0.1")
    assert balance().room_usd == 0
    with pytest.raises(BudgetExceeded):
        submitted()
    sweep()
    assert VideoJob.objects.get().status == Status.BACKLOGGED, "what was promised goes on"


def test_a_video_that_failed_costs_its_owner_nothing(krea: Sandbox, settings: Settings) -> None:
    caps(settings, user_day="10")
    ada = get_user_model().objects.create_user("ada")
    job = sent(owner=ada)
    krea.move(krea.jobs[0].id, "failed")
    look_again(job)
    found = balance("user_day", ada.pk)
    assert (found.spent_usd, found.reserved_usd) == (ZERO, ZERO)


def test_without_a_cap_for_users_nobody_has_one(krea: Sandbox, settings: Settings) -> None:
    caps(settings, day="10")
    assert budget.by_owner([get_user_model().objects.create_user("ada").pk]) == {}


def test_a_lock_that_this_transaction_cannot_see_yet_asks_to_try_again(
    krea: Sandbox, settings: Settings
) -> None:
    """As on MySQL, where a transaction sees the tables as they were when it began."""
    caps(settings, day="10")
    submitted()

    def unseen(execute: Any, sql: str, *rest: Any) -> Any:
        takes = sql.startswith("UPDATE") and BudgetLock._meta.db_table in sql
        return execute(f"{sql} AND 1 = 0" if takes else sql, *rest)

    words = "^The budget's lock was made meanwhile: try again.$"
    with (
        connections[VideoJob.database()].execute_wrapper(unseen),
        pytest.raises(OperationalError, match=words),
    ):
        submitted()
