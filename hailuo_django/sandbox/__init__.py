"""A stand-in for Krea over real HTTP, for demos, tests and development without an account.

>>> with Sandbox() as krea:
...     krea.url, krea.token, krea.jobs
"""

from __future__ import annotations

from .api import Post
from .faults import FAULTS
from .jobs import SandboxJob
from .sandbox import Sandbox
from .webhooks import Delivery

MISBEHAVIOURS = tuple(FAULTS)

__all__ = ["MISBEHAVIOURS", "Delivery", "Post", "Sandbox", "SandboxJob"]
