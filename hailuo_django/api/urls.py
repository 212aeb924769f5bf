"""The REST API: ``path("api/", include("hailuo_django.api.urls"))``."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, path
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from hailuo_django.transactions import outside_atomic_requests

from .base import HailuoViewSet
from .events import JobEventViewSet
from .jobs import VideoJobViewSet
from .money import PriceViewSet, QuoteViewSet

app_name = "hailuo_django_api"


def _path(
    route: str,
    views: type[HailuoViewSet],
    actions: dict[str, Any],
    *,
    name: str,
    title: str | Promise,
) -> URLPattern:
    view = views.as_view(actions, name=title)
    if actions.keys() != {"get"}:
        view = outside_atomic_requests(view)
    return path(route, view, name=name)


# Whatever stands where an id should, the view answers, in the form of its other refusals.
def _verb(action: str, title: str | Promise) -> URLPattern:
    route, name = f"jobs/<str:pk>/{action}/", f"job-{action}"
    return _path(route, VideoJobViewSet, {"post": action}, name=name, title=title)


urlpatterns = [
    _path(
        "jobs/",
        VideoJobViewSet,
        {"get": "list", "post": "create"},
        name="job-list",
        title=_("Video jobs"),
    ),
    _path(
        "jobs/<str:pk>/",
        VideoJobViewSet,
        {"get": "retrieve", "put": "update", "patch": "partial_update", "delete": "destroy"},
        name="job-detail",
        title=_("Video job"),
    ),
    _verb("submit", _("Submit")),
    _verb("resubmit", _("Resubmit")),
    _verb("cancel", _("Cancel")),
    _verb("sync", _("Look now")),
    _path(
        "jobs/<str:pk>/events/",
        JobEventViewSet,
        {"get": "list"},
        name="job-events",
        title=_("History"),
    ),
    _path("prices/", PriceViewSet, {"get": "retrieve"}, name="prices", title=_("Prices")),
    _path("quote/", QuoteViewSet, {"post": "quote"}, name="quote", title=_("Quote")),
]
