"""What the verbs of this app raise."""

from __future__ import annotations


class HailuoError(Exception):
    """Base of every error of this app. ``code`` is stable, the text is for people."""

    code = "error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code


class Conflict(HailuoError):
    """The job is in no state for what was asked. Nothing was changed."""

    code = "conflict"
