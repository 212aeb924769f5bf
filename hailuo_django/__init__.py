"""MiniMax's Hailuo 02 through Krea's asynchronous job API, as a reusable Django app."""

from __future__ import annotations

__version__ = "0.1.0"
