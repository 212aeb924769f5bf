"""The requests of a live run, in their order, and the shapes of what they were answered.

The same walk is taken with Krea and with the sandbox; only its one POST costs money.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

from hailuo_django.krea.answers import server_time
from hailuo_django.krea.client import KreaClient
from hailuo_django.krea.errors import KreaError, NotFound, RateLimited, Temporary
from hailuo_django.krea.transport import Answer
from hailuo_django.krea.wire import JobReport, generate_body
from hailuo_django.sandbox.contract import TERMINAL

from .recording import RecordingClient
from .shapes import Shape, shape_of, shape_of_body

RESOLUTION, DURATION_SECONDS = "512p", 6
PROMPT = "A lighthouse at dusk, slow waves."
NOBODYS_JOB = "00000000-0000-4000-8000-000000000000"
# Krea's documentation advises a look each 5 seconds, and gives external providers two hours.
SECONDS_BETWEEN_LOOKS = 5.0
LOOKS = 2 * 3600 // 5
CLOCK_TOLERANCE_SECONDS = 5
SHOWS = "shows the job"

Say = Callable[[str], None]
Pause = Callable[[float], None]


class NotEnded(RuntimeError):  # noqa: N818
    """The job that was ordered has not ended in the documented time; it still may."""


@dataclass
class Walk:
    """What a walk met: the shapes of the answers to each of its steps."""

    host: str
    shapes: dict[str, list[Shape]] = field(default_factory=dict)
    states: list[str] = field(default_factory=list)
    job: JobReport | None = None

    def note(self, step: str, shape: Shape) -> None:
        self.shapes.setdefault(step, []).append(shape)


def body(start_image: str, prompt: str = PROMPT) -> dict[str, object]:
    """The cheapest order. 512p exists for image-to-video only, hence the start image."""
    return generate_body(
        prompt=prompt,
        start_image=start_image,
        expand_prompt=False,
        resolution=RESOLUTION,
        duration=DURATION_SECONDS,
    )


def take(
    base_url: str,
    token: str,
    order: dict[str, object],
    pause: Pause,
    say: Say,
    interval: float = SECONDS_BETWEEN_LOOKS,
) -> Walk:
    """Order one job and follow it to its end. Raises ``KreaError``, ``NotEnded``."""
    walk = Walk(urlsplit(base_url).hostname or "")
    with RecordingClient(base_url=base_url, token=token) as client:
        _ask_for_free(client, walk)
        _be_refused(base_url, client, walk)
        job = _order(client, walk, order, say)
        _follow(client, walk, job, pause, say, interval)
        _find_again(client, walk)
    return walk


def _ask_for_free(client: RecordingClient, walk: Walk) -> None:
    """Look at the list first: nothing is ordered where even that fails."""
    client.list(limit=1)
    walk.note("the list", _without_items(shape_of(client.last, walk.host)))


def _be_refused(base_url: str, client: RecordingClient, walk: Walk) -> None:
    with suppress(KreaError):
        client.get(NOBODYS_JOB)
    walk.note("an unknown job", shape_of(client.last, walk.host))
    with suppress(KreaError):
        client.list(limit=0)
    walk.note("a list of 0 jobs", shape_of(client.last, walk.host))
    with RecordingClient(base_url=base_url, token="nobodys-token") as nobody:
        with suppress(KreaError):
            nobody.list(limit=1)
        walk.note("a wrong token", shape_of(nobody.last, walk.host))


def _order(client: RecordingClient, walk: Walk, order: dict[str, object], say: Say) -> JobReport:
    job = client.generate(order)
    say(f"Ordered job {job.krea_job_id}; its state is {job.status}")
    shape = shape_of(client.last, walk.host)
    if isinstance(client.last, Answer) and job.created_at is not None:
        clock = server_time(client.last.headers)
        apart = abs((clock - job.created_at).total_seconds()) if clock else 0.0
        shape["clock"] = _yes(apart <= CLOCK_TOLERANCE_SECONDS)
    walk.note("the order", shape)
    walk.states.append(job.status)
    walk.note("the list at once", _listed(client, job.krea_job_id))
    return job


def _follow(
    client: RecordingClient, walk: Walk, job: JobReport, pause: Pause, say: Say, interval: float
) -> None:
    wait = interval
    for _ in range(LOOKS):
        pause(wait)
        wait = interval
        try:
            found = client.get(job.krea_job_id)
        except RateLimited as error:
            wait = max(interval, error.retry_after or 0)
        except (Temporary, NotFound):
            pass
        else:
            if walk.states[-1] != found.status:
                walk.states.append(found.status)
                say(f"Its state is {found.status}")
            if found.status in TERMINAL:
                walk.job = found
                walk.note("the ended job", shape_of(client.last, walk.host))
                return
        walk.note("the running job", shape_of(client.last, walk.host))
    raise NotEnded(f"Job {job.krea_job_id} has not ended. Look at it before anything else.")


def _find_again(client: RecordingClient, walk: Walk) -> None:
    assert walk.job is not None
    job_id, made = walk.job.krea_job_id, walk.job.created_at
    item = _listed(client, job_id)
    if isinstance(client.last, Answer) and item == {SHOWS: "yes"}:
        items = json.loads(client.last.body)["items"]
        found = next(one for one in items if one.get("job_id") == job_id)
        item |= shape_of_body(json.dumps(found).encode(), walk.host)
    walk.note("the job in the list", item)
    walk.note("the list of its state", _listed(client, job_id, status=walk.job.status))
    if made is not None:
        just_after = made + timedelta(milliseconds=1)
        for step, moment in (("its own time", made), ("1 ms after its time", just_after)):
            cursor = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            walk.note(f"the list before {step}", _listed(client, job_id, cursor=cursor))


def _listed(
    client: KreaClient, job_id: str, *, cursor: str | None = None, status: str | None = None
) -> Shape:
    """Whether a page shows the job. What goes wrong here is noted: the order is paid by now."""
    try:
        page = client.list(cursor=cursor, status=status)
    except KreaError as error:
        return {SHOWS: f"not answered ({error.status})"}
    return {SHOWS: _yes(any(item.krea_job_id == job_id for item in page.items))}


def _without_items(shape: Shape) -> Shape:
    """The page alone: whose jobs it shows, and whether it is the last, is chance."""
    page = {part: kind for part, kind in shape.items() if not part.startswith("items[]")}
    page["items"] = page.get("items", "absent").replace("an empty list", "a list")
    if "next_cursor" in page:
        page["next_cursor"] = "a time or null"
    return page


def _yes(fact: bool) -> str:
    return "yes" if fact else "no"
