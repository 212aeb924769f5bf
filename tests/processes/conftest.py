"""The processes that stories kill."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .mortal import MortalWorkers, mortal_workers


@pytest.fixture(scope="module")
def processes() -> Iterator[MortalWorkers]:
    """Processes that do one thing each, and can be killed at a named point of it."""
    with mortal_workers() as processes:
        yield processes
