"""The gallery: a page that a visitor's browser fills by calling the REST API."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponseBase
from django.views.generic import TemplateView

from hailuo_django.conf import conf

# Scripts and styles from files of this site alone. Videos are where results may be linked: over
# https, or at the sandbox, which has none.
POLICY = {
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "img-src": ["'self'"],
    "connect-src": ["'self'"],
    "form-action": ["'self'"],
    "base-uri": ["'none'"],
    "frame-ancestors": ["'none'"],
}
SANDBOX = "127.0.0.1"


class GalleryView(LoginRequiredMixin, TemplateView):
    """The visitor's own videos, and a form for another one."""

    template_name = "example_project/gallery.html"
    rights = ("hailuo_django.add_videojob", "hailuo_django.submit_videojob")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer with a policy under which nothing runs that came with a prompt."""
        response = super().dispatch(request, *args, **kwargs)
        response.headers["Content-Security-Policy"] = policy()
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add whether the visitor may order; the API decides about each order itself."""
        may_order = self.request.user.has_perms(self.rights)
        return super().get_context_data(may_order=may_order, seconds=range(6, 11), **kwargs)


def policy() -> str:
    """Return the Content-Security-Policy of the gallery."""
    hosts = [f"http://{host}:*" if host == SANDBOX else host for host in conf.RESULT_HOSTS]
    sources = POLICY | {"media-src": hosts}
    return "; ".join(" ".join([name, *values]) for name, values in sources.items())
