"""Bodies out, jobs in: the one normaliser of what Krea says about a job.

It reads the answers to POST, GET and list as well as webhook bodies, and takes every shape
that was documented or seen; what it returns is bounded and storable, whatever came in.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hailuo_django.states import WITHOUT_VIDEO, FailureCode, Status

from .problems import Problem, Refusal, failure_code, read_error, read_problem
from .text import Redact, bounded, is_storable, unchanged

GENERATE_PATH = "/generate/video/minimax/hailuo-02"
"""The endpoint of Hailuo 02 (Krea documentation, page of MiniMax Hailuo 02)."""

MAX_ID = 100
MAX_STATUS = 100
MAX_CODE = 100
MAX_MESSAGE = 4000
MAX_RAW = 16 * 1024
MAX_URL = 2048
MAX_URLS = 10
MAX_CURSOR = 100
MAX_DIGITS = 400
PLAUSIBLE_YEARS = range(2020, 2100)


class Unreadable(ValueError):  # noqa: N818
    """What came is no job, or no page of jobs."""


@dataclass(frozen=True)
class JobReport:
    """What Krea says about one job at one moment. All text is bounded and storable."""

    krea_job_id: str
    status: str
    """Krea's word, verbatim; empty where it gave none."""
    urls: tuple[str, ...] = ()
    """The results; empty unless completed, since previews appear earlier (job lifecycle page)."""
    error_code: str = ""
    error_message: str = ""
    created_at: datetime | None = None
    completed_at: datetime | None = None
    raw: str = ""
    deprecation: str = ""
    """Krea's ``Deprecation`` and ``Sunset`` headers, where it sent any (deprecations page)."""

    @property
    def failure_code(self) -> FailureCode:
        """Why a failed job failed, in our closed set."""
        return failure_code(self.error_code, self.error_message)


@dataclass(frozen=True)
class JobPage:
    """One page of ``GET /jobs``, newest job first."""

    items: tuple[JobReport, ...]
    next_cursor: str | None = None
    unreadable: tuple[datetime | None, ...] = ()
    """When the items were made that could not be read; ``None`` where not even that could."""
    server_time: datetime | None = None
    """Krea's clock when it answered; ``None`` where it did not say."""


def generate_body(
    *,
    prompt: str,
    start_image: str = "",
    end_image: str = "",
    expand_prompt: bool = True,
    resolution: str,
    duration: float,
) -> dict[str, Any]:
    """Return the exact body of a generate request (Krea documentation, Hailuo 02 page).

    ``duration`` is in seconds. The body is closed upstream: an unset image is left out.
    """
    body: dict[str, Any] = {"prompt": prompt}
    if start_image:
        body["start_image"] = start_image
    if end_image:
        body["end_image"] = end_image
    return body | {
        "expand_prompt": expand_prompt,
        "resolution": resolution,
        "duration": duration,
    }


def read_job(raw: bytes | str, *, redact: Redact = unchanged) -> JobReport:
    """Read one job. Raises ``Unreadable`` where there is no job with an id.

    ``redact`` takes the caller's secrets out of every text that is kept.
    """
    text = _decoded(raw)
    return _job(_parsed(text), text, redact)


def read_page(raw: bytes | str, *, redact: Redact = unchanged) -> JobPage:
    """Read a page of jobs. Raises ``Unreadable`` where it has no list of items."""
    tree = _parsed(_decoded(raw))
    items = tree.get("items")
    if not isinstance(items, list):
        raise Unreadable("no list of items")
    jobs, unreadable = [], []
    for item in items:
        try:
            jobs.append(_job(item, json.dumps(item, ensure_ascii=False), redact))
        except (Unreadable, RecursionError):  # what could be read may be too deep to be written
            made_at = item.get("created_at") if isinstance(item, Mapping) else None
            unreadable.append(read_moment(made_at))
    # An older documentation page spelled it nextCursor.
    cursor = tree.get("next_cursor", tree.get("nextCursor"))
    usable = isinstance(cursor, str) and 0 < len(cursor) <= MAX_CURSOR and is_storable(cursor)
    return JobPage(tuple(jobs), cursor if usable else None, tuple(unreadable))


def read_refusal(raw: bytes, *, redact: Redact = unchanged) -> Refusal:
    """Read an error answer; never raises."""
    text = _decoded(raw)
    try:
        problem = read_problem(_parsed(text))
    except Unreadable:
        problem = Problem()
    is_kreas = text.lstrip().startswith("{")  # also where the rest was cut off
    return Refusal(*_bounded(problem, redact), bounded(text, MAX_RAW, redact), is_kreas)


def is_job_id(value: object) -> bool:
    """Whether ``value`` may be a Krea job id; documented as a UUID, taken as an opaque word."""
    return (
        isinstance(value, str)
        and 0 < len(value) <= MAX_ID
        and value.isprintable()
        and value not in (".", "..")
    )


def _job(tree: object, text: str, redact: Redact) -> JobReport:
    if not isinstance(tree, Mapping):
        raise Unreadable("not an object")
    krea_job_id = tree.get("job_id")
    if not isinstance(krea_job_id, str) or not is_job_id(krea_job_id):
        raise Unreadable("no job id")
    if redact(krea_job_id) != krea_job_id:
        raise Unreadable("a secret in place of a job id")
    word = tree.get("status")
    status = bounded(word, MAX_STATUS, redact) if isinstance(word, str) else ""
    problem = _bounded(_job_problem(tree, status), redact)
    return JobReport(
        krea_job_id=krea_job_id,
        status=status,
        urls=_urls(tree.get("result"), redact) if status == Status.COMPLETED else (),
        error_code=problem.code,
        error_message=problem.message,
        created_at=read_moment(tree.get("created_at")),
        completed_at=read_moment(tree.get("completed_at")),
        raw=bounded(text, MAX_RAW, redact),
    )


def _job_problem(tree: Mapping[str, object], status: str) -> Problem:
    """The endpoint page has ``error`` at the top, the job lifecycle page ``result.error``."""
    result = tree.get("result")
    inner = result.get("error") if isinstance(result, Mapping) else None
    problem = read_error(tree.get("error") or inner)
    if any(problem) or status not in WITHOUT_VIDEO:
        return problem
    return read_problem(tree)


def _bounded(problem: Problem, redact: Redact) -> Problem:
    return Problem(
        bounded(problem.code, MAX_CODE, redact), bounded(problem.message, MAX_MESSAGE, redact)
    )


def _urls(result: object, redact: Redact) -> tuple[str, ...]:
    """Krea's newer schema allows strings, objects and a map; older answers had ``video_url``."""
    found: dict[str, None] = {}
    for value in _candidates(result):
        url = value.get("url") if isinstance(value, Mapping) else value
        if isinstance(url, str) and _is_web_address(url):
            found[redact(url)] = None
            if len(found) == MAX_URLS:
                break
    return tuple(found)


def _candidates(result: object) -> Iterable[object]:
    if not isinstance(result, Mapping):
        yield from result if isinstance(result, list) else [result]
        return
    urls = result.get("urls")
    if isinstance(urls, Mapping):
        yield from urls.values()
    else:
        yield from urls if isinstance(urls, list) else [urls]
    yield result.get("video_url")


def _is_web_address(url: str) -> bool:
    return (
        len(url) <= MAX_URL
        and url.startswith(("https://", "http://"))
        and url.isprintable()
        and " " not in url
    )


def read_moment(value: object) -> datetime | None:
    """An aware time in UTC; ``None`` for what is none, naive or implausible."""
    try:
        moment = datetime.fromisoformat(value if isinstance(value, str) else "")
        if moment.tzinfo is None or moment.year not in PLAUSIBLE_YEARS:
            return None
        return moment.astimezone(UTC)
    except ValueError:
        return None


def _decoded(raw: bytes | str) -> str:
    text = raw.decode("utf-8", errors="replace") if isinstance(raw, bytes) else raw
    return text.removeprefix("\ufeff")


def _parsed(text: str) -> Mapping[str, Any]:
    try:
        tree = json.loads(text, parse_int=_number)
    except (ValueError, RecursionError):
        raise Unreadable("not JSON") from None
    if not isinstance(tree, Mapping):
        raise Unreadable("not an object")
    return tree


def _number(digits: str) -> float:
    # Python refuses to make an int of thousands of digits, which would spoil the whole body.
    return int(digits) if len(digits) <= MAX_DIGITS else float("inf")
