"""What a whole run of the tests shares: its directory, its servers, its databases."""

from __future__ import annotations

import gc
import shutil
import signal
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
from django.conf import settings
from django.core.servers.basehttp import WSGIRequestHandler, WSGIServer
from django.db import connections
from pytest_django import DjangoDbBlocker

from tests import effort
from tests.live import gate
from tests.servers import postgres_server, redis_server

DATABASE_FIXTURES = {"db", "transactional_db", "django_db_reset_sequences", "live_server"}


# A busy machine is slow, which is no defect of the code.
hypothesis.settings.register_profile("patient", deadline=None, max_examples=effort.EXAMPLES)
hypothesis.settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("live", "one video at the real Krea (docs/testing.md)")
    group.addoption(gate.FLAG, action="store_true", help=f"pay ${gate.COST_USD} for it")
    group.addoption(gate.START_IMAGE, metavar="URL", help="a public picture it starts from")


def pytest_collection_finish() -> None:
    # What is loaded by now stays: looking through it for garbage again and again takes a sixth
    # of the time of a run.
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


def pytest_configure() -> None:
    # Who runs the tests in the background ignores these, and so would every process they start.
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    # A crowd of clients is let in by and by; Django's own ten turn some of them away.
    WSGIServer.request_queue_size = 128
    # It writes head and body apart: on a kept connection each answer would be 40 ms late.
    WSGIRequestHandler.disable_nagle_algorithm = True
    settings.TEST_DIR.mkdir(mode=0o755, exist_ok=True)


def pytest_unconfigure() -> None:
    shutil.rmtree(settings.TEST_DIR, ignore_errors=True)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests that fit the settings' broker, and give them every database there is."""
    with_redis = "redis" in settings.Q_CLUSTER
    dropped = [item for item in items if bool(item.get_closest_marker("redis")) != with_redis]
    items[:] = [item for item in items if item not in dropped]
    config.hook.pytest_deselected(items=dropped)
    give_every_database(items)


def give_every_database(items: list[pytest.Item]) -> None:
    """Open all real databases, whatever their names, to each test that asks for one."""
    for item in items:
        marker = item.get_closest_marker("django_db")
        fixtures: set[str] = set(getattr(item, "fixturenames", ()))
        if marker is None and not fixtures & DATABASE_FIXTURES:
            continue
        asked: dict[str, Any] = dict(marker.kwargs) if marker else {}
        asked.setdefault("databases", database_aliases())
        item.add_marker(pytest.mark.django_db(**asked), append=False)


def database_aliases() -> list[str]:
    """The aliases that name a real database; an empty ``default`` does not."""
    return [alias for alias in connections if connections[alias].vendor != "unknown"]


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> Iterator[None]:
    """pytest-django asks for this before it creates the databases: start their server."""
    if connections[database_aliases()[0]].vendor == "postgresql":
        with postgres_server():
            yield
    else:
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Forget an earlier database; before it is dropped, send away whom a kill has left in it."""
    from django.contrib.contenttypes.models import ContentType  # the apps are not ready above

    # mutmut runs the tests twice in one process: what it remembers is of the first database.
    ContentType.objects.clear_cache()
    yield
    others = "datname = current_database() AND pid <> pg_backend_pid()"
    for alias in database_aliases():
        if connections[alias].vendor == "postgresql":
            with django_db_blocker.unblock(), connections[alias].cursor() as cursor:
                cursor.execute(
                    f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"  # noqa: S608
                )


@pytest.fixture(scope="session")
def redis() -> Iterator[None]:
    """A Redis that listens where ``tests/settings_redis.py`` says."""
    with redis_server():
        yield
