"""What ``hailuo_doctor`` says, for those who tell stories about it."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

from django.core.management import CommandError, call_command


def said(*arguments: str) -> tuple[str, int]:
    """What it prints, and its exit code."""
    out = StringIO()
    try:
        call_command("hailuo_doctor", *arguments, stdout=out, no_color=True)
    except CommandError as error:
        return out.getvalue(), error.returncode
    return out.getvalue(), 0


def findings() -> dict[str, dict[str, Any]]:
    """What it finds, by code."""
    found: list[dict[str, Any]] = json.loads(said("--json")[0])
    return {finding["code"]: finding for finding in found}


def finding(examination: str) -> dict[str, Any]:
    """The one finding of this examination."""
    [found] = [one for code, one in findings().items() if code.startswith(f"{examination}.")]
    return found
