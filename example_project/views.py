"""The pages of the site's own, under a policy by which nothing runs that came with a prompt."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponseBase
from django.views.generic import TemplateView
from django.views.generic.base import View

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
SANDBOX_HOSTS = ("127.0.0.1", "localhost")


def policy() -> str:
    """Return the Content-Security-Policy of these pages."""
    hosts = [
        f"http://{host}:*" if host in SANDBOX_HOSTS else f"https://{host}"
        for host in conf.RESULT_HOSTS
    ]
    sources = POLICY | {"media-src": hosts}
    return "; ".join(" ".join([name, *values]) for name, values in sources.items())


class UnderPolicy(View):
    """A page that is answered with the policy; Django 6 has a setting for this, 5.2 has none."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Add it to every answer, a refusal and a redirect too."""
        response = super().dispatch(request, *args, **kwargs)
        response.headers["Content-Security-Policy"] = policy()
        return response


class IndexView(UnderPolicy, TemplateView):
    """What there is to see."""

    template_name = "example_project/index.html"


class SignInView(UnderPolicy, LoginView):
    """Name and password."""

    template_name = "example_project/login.html"


class GalleryView(UnderPolicy, LoginRequiredMixin, TemplateView):
    """The visitor's own videos, and a form for another one."""

    template_name = "example_project/gallery.html"
    rights = ("hailuo_django.add_videojob", "hailuo_django.submit_videojob")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add whether the visitor may order; the API decides about each order itself."""
        may_order = self.request.user.has_perms(self.rights)
        return super().get_context_data(may_order=may_order, seconds=range(6, 11), **kwargs)
