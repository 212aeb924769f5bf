"""What must hold of the money after every step: nothing is settled before Krea settles it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal

from hailuo_django import budget
from hailuo_django.exceptions import BudgetExceeded
from hailuo_django.models import JobEvent, Submission
from hailuo_django.states import ENDED, RUNNING, FailureCode, Status

from .krea_model import Key, KreaModel

ALIVE_OR_IN_DOUBT = {"unsent", "submitting", "unconfirmed", *RUNNING}


def usd(rows: Iterable[Submission]) -> Decimal:
    return sum((row.price_usd for row in rows), start=Decimal(0))


def is_reserved(row: Submission) -> bool:
    """It may still be billed: also what was given up and is known to run after all.

    But not what a person wrote off since Krea never ends it.
    """
    runs = row.runs_upstream and row.due_at is not None and row.written_off_at is None
    return row.status in ALIVE_OR_IN_DOUBT or runs


def check_money(rows: Sequence[Submission], events: Mapping[int, Sequence[JobEvent]]) -> None:
    """Reserved is what is alive or in doubt, spent what is completed; no cap is exceeded.

    But for what was settled as failed or cancelled and runs, or was completed, after all.
    """
    reserved = usd(row for row in rows if is_reserved(row))
    spent = usd(row for row in rows if row.status == Status.COMPLETED)
    late = usd(row for row in rows if is_late(row, events[row.pk]))
    for balance in budget.balances():
        assert (balance.reserved_usd, balance.spent_usd) == (reserved, spent)
        assert spent + reserved <= balance.limit_usd + late


def is_late(row: Submission, events: Sequence[JobEvent]) -> bool:
    """Its room was free, and may have been given away, before it was known to cost money."""
    return was_late(events) or (row.status in ENDED and is_reserved(row))


def was_late(events: Sequence[JobEvent]) -> bool:
    """Tell whether it was completed after it had ended, which its event says in USD."""
    for event in events:
        if event.to_status == Status.COMPLETED and event.from_status in ENDED:
            assert " USD" in event.detail, "what it cost can be seen"
            return True
    return False


def check_reservation(row: Submission, krea: KreaModel, misled: Collection[Key]) -> None:
    """What Krea may still bill is reserved or spent, unless a person gave it up."""
    key = (row.job_id, row.number)
    unseen = row.krea_job_id is None or row.written_off_at is not None
    given_up = row.failure_code == FailureCode.GIVEN_UP and unseen
    if key in misled or not krea.may_bill(key) or given_up:
        return
    assert is_reserved(row) or row.status == Status.COMPLETED


def check_refusal(refused: BudgetExceeded) -> None:
    """A budget says no only where there is no room."""
    assert refused.price_usd > refused.limit_usd - refused.spent_usd - refused.reserved_usd
