"""Duplicating with changes: the request of one job as the beginning of another draft."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from hailuo_django.models import REQUEST_FIELDS

from .base import HailuoAdmin

ORIGINAL = "original"
"""The parameter of the add form that names a job. Its prompt is no business of an address."""


class DuplicatingMixin(HailuoAdmin):
    """Fills the add form with what another job asked for; nothing is written before it is saved."""

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Return the request and the reference of the job that the address names, if any.

        Raises PermissionDenied and Http404 as its own page would.
        """
        given = super().get_changeform_initial_data(request)
        if ORIGINAL not in request.GET:
            return given
        original = self.seen(request, request.GET[ORIGINAL])
        copied = {name: getattr(original, name) for name in (*REQUEST_FIELDS, "reference")}
        return {**copied, **given}
