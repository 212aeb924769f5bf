"""For the tests of sites that use this app: a Krea on this machine, jobs, and a worker.

>>> with sandbox():
...     job = make_submitted_job(prompt="A lighthouse at dusk.")
...     assert finish(job).video_url
"""

from __future__ import annotations

from .factories import make_job, make_submitted_job
from .site import sandbox
from .work import finish, work

__all__ = ["finish", "make_job", "make_submitted_job", "sandbox", "work"]
