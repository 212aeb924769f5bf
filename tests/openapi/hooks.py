"""What schemathesis is told that no description can say. Run in its process, not in pytest's."""

from __future__ import annotations

import itertools
import json
import os
import uuid
from typing import Any
from urllib.parse import quote

import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis.generation.meta import TestPhase

# A `uri` may be anything that has a scheme; an address of the web has a domain.
ADDRESSES = st.from_regex(
    r"https?://[a-z0-9]{1,20}\.[a-z]{2,6}(/[a-z0-9._~-]{0,20}){0,3}", fullmatch=True
)
schemathesis.openapi.format("uri", ADDRESSES)

SITE: dict[str, Any] = json.loads(os.environ["HAILUO_TEST_SITE"])
"""Where the site is, who asks there, and jobs of theirs in several states."""

SIGNED_IN = tuple(SITE["auth"])

OLD_AND_NEW = itertools.cycle([*SITE["jobs"], *[None] * len(SITE["jobs"])])


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Ask for a job, a page and a key that will do, where nothing is to be wrong."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    # Which cursors there are, only the site knows.
    case.query.pop("cursor", None)
    # A key is one request's: given to the next one as well, that is refused and tries nothing.
    if "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = str(uuid.uuid4())
    if "id" in case.path_parameters and case.meta.phase.name != TestPhase.STATEFUL:
        case.path_parameters["id"] = next(OLD_AND_NEW) or _new_job(case.operation.path)
    if "If-Match" in case.headers:
        case.headers["If-Match"] = _tag(case.path_parameters["id"])


def _tag(job_id: str) -> str:
    """Look at a job, to ask on condition that it stays so; of what is none, anything is true."""
    address = f"{SITE['url']}/api/jobs/{quote(job_id, safe='')}/"
    return str(requests.get(address, auth=SIGNED_IN, timeout=30).headers.get("ETag", "*"))


def _new_job(path: str) -> str:
    """Make a job that is in the state for what is asked of it."""
    jobs = f"{SITE['url']}/api/jobs/"
    submits = path.endswith(("/cancel/", "/resubmit/", "/sync/"))
    asked = {"prompt": "A lighthouse at dusk.", "submit": submits}
    made = requests.post(jobs, json=asked, auth=SIGNED_IN, timeout=30)
    if path.endswith("/resubmit/"):
        address = f"{made.headers['Location']}cancel/"
        requests.post(address, auth=SIGNED_IN, timeout=30)
    return str(made.json()["id"])
