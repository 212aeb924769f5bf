"""The servers that the tests start."""

from __future__ import annotations

import pytest
from django_q.brokers import get_broker


@pytest.mark.redis
@pytest.mark.usefixtures("redis")
def test_django_q_speaks_to_the_redis_of_this_run() -> None:
    broker = get_broker()
    assert "Redis" in broker.info()
    broker.enqueue("a task")
    assert [task for _, task in broker.dequeue()] == [b"a task"]
