"""One upstream job: its states, its result, and the JSON that Krea shows of it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from .clock import Clock
from .contract import RUNNING, TERMINAL
from .faults import Faults

# Unknown: the type name of Hailuo jobs. Live answers of other models say externalImage (seen live).
JOB_TYPE = "externalVideo"
UNKNOWN_STATUS = "upscaling"
FOREIGN_HOST = "https://videos.example.com"

# Documented: error {code, message}, and that moderation and provider errors are reasons. Unknown:
# the codes.
_ERRORS = {
    "moderation": {
        "code": "moderation",
        "message": "The request was rejected by content moderation.",
    },
    "fails": {
        "code": "provider_error",
        "message": "The provider could not generate the video.",
    },
    "error_in_result": {
        "code": "provider_error",
        "message": "The provider could not generate the video.",
    },
    "failed_at_once": {
        "code": "provider_error",
        "message": "The provider took no request of this kind.",
    },
    # Our choice: nothing bounds or cleans what a provider may say. Control characters, right-to-
    # left, 100 kB.
    "hostile_text": {
        "code": "<b>provider</b>\r\n\x1b[31m",
        "message": "<script>alert(1)</script>\r\nX-Injected: 1 \x07\x1b[2J"
        "\u202egnp.exe\u202c {{ 7*7 }} %s " + "A" * 100_000,
    },
}


def iso(moment: datetime | None) -> str | None:
    """Return the time as ISO 8601 (documented), such as ``2026-05-01T12:00:00.000Z``."""
    if moment is None:
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass
class SandboxJob:
    """A job as the sandbox knows it. ``status`` changes last: what it promises is there already."""

    body: dict[str, Any] = field(repr=False)
    webhook_url: str | None = field(repr=False)
    base_url: str
    faults: Faults
    clock: Clock = field(repr=False)
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    type: str = JOB_TYPE
    status: str = RUNNING[0]
    created_at: datetime = field(init=False)
    completed_at: datetime | None = None
    result: Any = None
    error: dict[str, str] | None = None
    history: list[str] = field(default_factory=lambda: [RUNNING[0]])
    extra: dict[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.created_at = self.clock.now()

    @property
    def billed(self) -> bool:
        """Documented: only completed jobs cost money."""
        return "completed" in self.history

    @property
    def ended(self) -> bool:
        """Whether the state is one of Krea's terminal ones."""
        return self.status in TERMINAL

    @property
    def walk(self) -> list[str]:
        """The states this job goes through by itself, its first one included.

        Documented: the states. Inferred: their order. Our choice: every job meets them all, so that
        clients do.
        """
        middle = list(RUNNING)
        if "unknown_status" in self.faults:
            # Documented: states were added over time, so a client must bear one it does not know.
            middle.insert(-1, UNKNOWN_STATUS)
        if "stuck" in self.faults:
            return middle[: middle.index("processing") + 1]
        return [*middle, self.fate]

    @property
    def fate(self) -> str:
        """The state it ends in, unless it is cancelled or never ends."""
        return "completed" if self._failure is None else "failed"

    @property
    def ends_at_once(self) -> bool:
        """Whether the answer to its own POST shows its end."""
        return not self.faults.keys().isdisjoint({"completed_at_once", "failed_at_once"})

    @property
    def ends_early(self) -> bool:
        """Whether it has ended before its POST is answered, be that in the answer or not."""
        return self.ends_at_once or "early_webhook" in self.faults

    @property
    def _failure(self) -> str | None:
        return next((name for name in _ERRORS if name in self.faults), None)

    def grow_older(self, seconds: float) -> None:
        """Have been made, and have ended, ``seconds`` earlier."""
        self.created_at -= timedelta(seconds=seconds)
        if self.completed_at:
            self.completed_at -= timedelta(seconds=seconds)

    def enter(self, status: str) -> None:
        """Put the job in ``status``, with the result and error that belong to it."""
        self.result = self.result_in(status)
        self.error = self.error_in(status)
        # Inferred: completed_at is filled at every end (other clients take it as a sign of one).
        self.completed_at = self.clock.now() if status in TERMINAL else None
        self.history.append(status)
        self.status = status

    def result_in(self, status: str) -> Any:
        """Return what ``result`` holds in ``status``."""
        if status == "intermediate-complete":
            # Documented: previews may appear before the end; only the result of completed is the
            # video.
            return {"urls": [f"{self.base_url}/previews/{self.id}.mp4"]}
        if status == "completed":
            return self._video()
        if status == "failed" and "error_in_result" in self.faults:
            # Documented on the lifecycle page, against the endpoint page: the error is in the
            # result.
            return {"error": _ERRORS["error_in_result"]["message"]}
        # Documented: null until there is one. Seen live: also {}.
        return None

    def _video(self) -> dict[str, Any]:
        host = FOREIGN_HOST if "foreign_result_host" in self.faults else self.base_url
        url = f"{host}/videos/{self.id}.mp4"
        if "result_empty" in self.faults:
            return {}
        # Documented in newer specifications: urls may also be a list of objects, or a map.
        if "urls_as_objects" in self.faults:
            return {"urls": [{"type": "video", "url": url}]}
        if "urls_as_map" in self.faults:
            return {"urls": {"video": url}}
        # Documented: result.urls is a list with one address.
        return {"urls": [url]}

    def error_in(self, status: str) -> dict[str, str] | None:
        """Return the top-level ``error`` in ``status`` (documented on the endpoint page)."""
        if status != "failed" or "error_in_result" in self.faults:
            return None
        error = dict(_ERRORS[self._failure or "fails"])
        if self.extra:
            error["message"] += f" {self.extra}"
        return error

    def as_json(self, status: str | None = None) -> dict[str, Any]:
        """Return the job as Krea shows it, in its own state or as it would look in ``status``.

        Documented: these keys. Seen live: ``type``. The prompt and the webhook URL are never in it
        (documented).
        """
        as_is = status is None or status == self.status
        shown = self.status if status is None else status
        ended_at = self.completed_at if as_is else (self.clock.now() if shown in TERMINAL else None)
        error = self.error if as_is else self.error_in(shown)
        return {
            "job_id": self.id,
            "type": self.type,
            "status": shown,
            "created_at": iso(self.created_at),
            "completed_at": iso(ended_at),
            "result": self.result if as_is else self.result_in(shown),
            **({"error": error} if error else {}),
            **self.extra,
        }
