"""A stage on which time passes."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import DateTimeField, F

from hailuo_django.models import JobEvent, Stranger, Submission, VideoJob
from tests.browser.stage import Stage


class Studio(Stage):
    """Sets up what is to be seen with the times that it takes at Krea."""

    def pause(self, seconds: int) -> None:
        """Let all that happened so far have happened so much earlier."""
        for model in (VideoJob, Submission, JobEvent, Stranger):
            fields = [f.name for f in model._meta.fields if isinstance(f, DateTimeField)]
            earlier = {name: F(name) - timedelta(seconds=seconds) for name in fields}
            model._default_manager.update(**earlier)
