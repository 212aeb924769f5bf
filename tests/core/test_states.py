"""The one table of what may follow what."""

from __future__ import annotations

import pytest

from hailuo_django.states import (
    ENDED,
    LIVE,
    RUNNING,
    TRANSITIONS,
    UPSTREAM,
    Action,
    Status,
    known,
    sources,
)

KREAS_NINE = {
    "backlogged",
    "queued",
    "scheduled",
    "processing",
    "sampling",
    "intermediate-complete",
    "completed",
    "failed",
    "cancelled",
}


def test_the_words_are_kreas() -> None:
    assert UPSTREAM == KREAS_NINE
    assert LIVE | ENDED | {Status.DRAFT} == set(Status.values)
    assert not LIVE & ENDED


@pytest.mark.proves("R1")
def test_completed_is_never_undone() -> None:
    assert not [row for row in TRANSITIONS if Status.COMPLETED in row.sources]


@pytest.mark.proves("R2")
def test_completed_beats_every_earlier_verdict() -> None:
    assert {Status.FAILED, Status.CANCELLED} <= sources(Action.REPORT, Status.COMPLETED)
    assert {Status.FAILED, Status.CANCELLED} <= sources(Action.ADOPT, Status.COMPLETED)


@pytest.mark.proves("R1")
@pytest.mark.parametrize("end", [Status.FAILED, Status.CANCELLED])
def test_other_ends_absorb(end: Status) -> None:
    assert {t for row in TRANSITIONS if end in row.sources for t in row.targets} == {
        Status.COMPLETED
    }


def test_only_an_unsent_submission_is_ever_claimed_for_sending() -> None:
    assert sources(Action.CLAIM, Status.SUBMITTING) == {Status.UNSENT}
    back = {row.action for row in TRANSITIONS if Status.UNSENT in row.targets}
    assert back == {Action.HOLD}, "what may have been sent never becomes unsent again"
    assert sources(Action.HOLD, Status.UNSENT) == {Status.SUBMITTING}


def test_between_running_states_there_is_no_order() -> None:
    for status in RUNNING:
        assert sources(Action.REPORT, status) == RUNNING - {status}


def test_an_unknown_word_of_kreas_is_no_state_of_ours() -> None:
    assert known("daydreaming") is None
    assert known("unsent") is None, "our own words mean nothing in Krea's mouth"
    assert known("sampling") is Status.SAMPLING
