"""A client that is made of the description by a tool, as other programs' authors do it."""

from __future__ import annotations

import subprocess
import sys
import uuid
from base64 import b64encode
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django.live_server_helper import LiveServer

from hailuo_django.sandbox import Sandbox

from .conftest import PASSWORD
from .test_schema import CHECKED_IN

CONFIG = Path(__file__).with_name("client.yaml")


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of the package that the tool has made, without a complaint about anything."""
    name = "made_of_the_description"
    command = (
        *(sys.executable, "-m", "openapi_python_client", "generate", "--path", CHECKED_IN),
        *("--config", CONFIG, "--meta", "none", "--output-path", tmp_path / name),
        "--fail-on-warning",
    )
    run = subprocess.run(command, capture_output=True, check=False, text=True, timeout=120)
    assert run.returncode == 0, run.stdout + run.stderr
    monkeypatch.syspath_prepend(tmp_path)
    return name


@pytest.fixture
def site(live_server: LiveServer, made: str) -> Iterator[Any]:
    """The site, as the client knows it."""
    site = import_module(made).AuthenticatedClient(
        base_url=live_server.url,
        token=b64encode(f"ada:{PASSWORD}".encode()).decode(),
        prefix="Basic",
        raise_on_unexpected_status=True,
    )
    with site:
        yield site


def test_it_gets_its_video(ada: User, krea: Sandbox, worker: None, made: str, site: Any) -> None:
    models: Any = import_module(f"{made}.models")

    def ask(what: str, *args: Any, **kwargs: Any) -> Any:
        function = import_module(f"{made}.api.video_jobs.video_jobs_{what}")
        return function.sync(*args, client=site, **kwargs)

    quote = ask("quote", body=models.VideoJobToPrice(prompt="A lighthouse at dusk."))
    assert (quote.total_usd, quote.fits_budget) == ("0.2835", True)

    wish = models.VideoJobToMake(prompt="A lighthouse at dusk.", reference="order 4711")
    key = str(uuid.uuid4())
    made_job, again = (ask("create", body=wish, idempotency_key=key) for _ in range(2))
    assert made_job.id == again.id
    assert made_job.status == models.VideoJobStatus.UNSENT

    def there() -> bool:
        status = ask("retrieve", made_job.id).status
        return bool(status == models.VideoJobStatus.COMPLETED)

    krea.wait(there, timeout=60)
    job = ask("retrieve", made_job.id)
    assert (job.spent_usd, job.failure_code, job.submissions[0].number) == ("0.2835", None, 1)
    assert job.video_url.startswith(krea.url)
    assert [one.id for one in ask("list", reference=["order 4711"]).results] == [job.id]

    refused = ask("cancel", job.id)
    assert refused.code == models.VideoJobErrorCode409.CONFLICT
    assert refused.status == models.VideoJobStatus.COMPLETED
