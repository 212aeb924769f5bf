"""Short words for the stories about the overview."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import F
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from hailuo_django.models import Heartbeat, JobEvent, Submission, VideoJob

from .pages import Browser, Page

OVERVIEW = "admin:hailuo_django_videojob_overview"


def overview(browser: Browser) -> Page:
    """Open the page."""
    page = browser.open(reverse(OVERVIEW))
    assert page.status == 200
    return page


def concerns(page: Page) -> list[str]:
    """The names of what needs attention, in their order."""
    ids = (node.get("id", "") for node in page.all("li"))
    return [name.removeprefix("concern-") for name in ids if name.startswith("concern-")]


def links(page: Page) -> list[str]:
    """Where the page leads to."""
    return [link.get("href", "") for link in page.all("a")]


def table(page: Page, name: str) -> list[list[str]]:
    """The rows of the table behind a chart, the newest day first; none without a chart."""
    section = page.html.partition(f'id="{name}" aria-labelledby')[2].partition("</section>")[0]
    rows = re.findall(r"<tr>(.*?)</tr>", section.partition("<tbody>")[2], re.DOTALL)
    return [[strip_tags(cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row)] for row in rows]


def on_day(page: Page, name: str, ago: int = 0) -> list[str]:
    """The figures of a day."""
    return table(page, name)[ago][1:]


def beat(**ago: float) -> None:
    """Let the last sweep have ended so long ago."""
    at = timezone.now() - timedelta(**ago)
    Heartbeat.objects.update_or_create(name=Heartbeat.SWEEP, defaults={"beat_at": at})


def change(job: VideoJob, **fields: Any) -> None:
    """Put a job's submissions where a story begins."""
    Submission.objects.filter(job=job).update(**fields)


def move_back(job: VideoJob, *, days: float = 0, **span: float) -> None:
    """Let the life of a job have been so much earlier, and all of it told."""
    now = datetime.now(timezone.get_default_timezone())
    # Days of the site's: one of them may have had 25 hours.
    then = (now - timedelta(days=days)).astimezone(UTC)
    earlier = now.astimezone(UTC) - then + timedelta(**span)
    change(job, **{name: F(name) - earlier for name in ("created_at", "sent_at", "ended_at")})
    events = JobEvent.objects.filter(job=job)
    events.update(created_at=F("created_at") - earlier, announce_after=None)
    VideoJob.objects.filter(pk=job.pk).update(created_at=F("created_at") - earlier)
