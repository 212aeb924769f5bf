"""The tests' site with a real Redis as django-q2's broker."""

from __future__ import annotations

from tests.settings import *

Q_CLUSTER = {name: value for name, value in Q_CLUSTER.items() if name != "orm"} | {
    # tests/conftest.py starts the server behind this socket.
    "redis": {"unix_socket_path": str(TEST_DIR / "redis.sock")},
}
