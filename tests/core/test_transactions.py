"""No transaction waits for Krea."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connections, transaction
from django.db.transaction import TransactionManagementError
from pytest_django import Settings

from hailuo_django.krea import transport
from hailuo_django.models import VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import Status
from hailuo_django.worker.sweep import sweep

from .rows import ago, change, fresh, look_again, sent, submitted

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each request to Krea, whether its thread was in a transaction."""
    found: list[bool] = []
    perform = transport.perform

    def noting(*args: Any) -> Any:
        found.append(any(one.in_atomic_block for one in connections.all(initialized_only=True)))
        return perform(*args)

    monkeypatch.setattr("hailuo_django.krea.client.perform", noting)
    return found


@pytest.mark.proves("P3")
def test_no_transaction_is_open_while_krea_is_asked(
    krea: Sandbox, settings: Settings, inside: list[bool]
) -> None:
    job = sent()
    job.cancel()
    assert look_again(job).status == Status.CANCELLED
    krea.misbehave("lost_answer", on="generate")
    lost = submitted(prompt="a lost one")
    sweep()
    assert fresh(lost).status == Status.UNCONFIRMED
    change(lost, due_at=ago(seconds=1))
    sweep()

    assert {method for method, *_ in krea.requests} == {"POST", "GET", "DELETE"}
    assert ("GET", "/jobs", 200) in krea.requests, "the list was asked for, too"
    assert len(inside) >= 5 and not any(inside)


@pytest.mark.parametrize("durable", [True, False])
def test_a_worker_sends_nothing_within_a_transaction_that_may_be_undone(
    krea: Sandbox, durable: bool
) -> None:
    """Else each call of a view that sweeps, and fails, would pay once more."""
    job = submitted()
    with (
        pytest.raises(TransactionManagementError, match="outside of atomic"),
        transaction.atomic(using=VideoJob.database(), durable=durable),
    ):
        sweep()
    assert krea.posts == []
    sweep()
    assert fresh(job).status == Status.BACKLOGGED


def test_nor_where_the_database_keeps_nothing_by_itself(krea: Sandbox) -> None:
    submitted()
    connection = connections[VideoJob.database()]
    connection.set_autocommit(False)
    try:
        with pytest.raises(TransactionManagementError, match="AUTOCOMMIT is off"):
            sweep()
    finally:
        connection.rollback()
        connection.set_autocommit(True)
    assert krea.posts == []
