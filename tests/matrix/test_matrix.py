"""Whatever becomes of the one POST: what is sent, made, paid, shown and written down."""

from __future__ import annotations

import pytest
from django.db import connections
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from hailuo_django.models import JobEvent, VideoJob
from tests import effort
from tests.core.rows import fresh

from .cells import ROWS, WEBHOOKS, Row, cells
from .run import play


@pytest.mark.slow
@pytest.mark.proves("M3", "R4")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.answer)
def test_every_cell_ends_as_the_matrix_says(
    row: Row, settings: Settings, live_server: LiveServer, subtests: pytest.Subtests
) -> None:
    on_postgres = connections[VideoJob.database()].vendor == "postgresql"
    for number, cell in enumerate(cells(row, every=effort.PROOF)):
        if number and not effort.CELLS_ON_BOTH and number % 2 == on_postgres:
            continue
        with subtests.test(cell.name):
            site, job = play(cell, settings, live_server.url)

            assert site.end(job) == cell.end
            assert fresh(job).failure_code == row.failure_code
            told = site.webhooks(job)
            assert len(told) == cell.end.jobs * WEBHOOKS[cell.webhook]
            assert {*told} <= {200, 202}
            if cell.end.status == "completed":
                assert JobEvent.objects.filter(job=job).latest("pk").source == cell.teller
                assert fresh(job).video_url in site.paid_videos(job)
