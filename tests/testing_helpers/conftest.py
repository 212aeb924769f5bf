"""The fixtures that sites get from ``pytest_plugins``."""

from __future__ import annotations

from hailuo_django.testing.fixtures import hailuo_sandbox

__all__ = ["hailuo_sandbox"]
