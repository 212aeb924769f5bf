"""What all paths share: the site's permissions, our rates, and one kind of errors."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import IntegrityError
from django.http.response import HttpResponseBase
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import AuthenticationFailed, NotFound
from rest_framework.permissions import SAFE_METHODS
from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer, TemplateHTMLRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer, Serializer
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from hailuo_django.conf import conf
from hailuo_django.models import VideoJob

from .exceptions import PreconditionFailed, add_codes, as_api_exception
from .filters import refuse_parameters
from .freshness import is_what_they_have, make_conditional
from .permissions import is_signed_in
from .throttling import ReadThrottle, SubmitThrottle

SPENDING = ("create", "submit", "resubmit")
"""The actions that make jobs and may spend money."""


class HailuoViewSet(GenericViewSet[Any]):
    """The base of every view of ours."""

    queryset = VideoJob.objects.none()
    serializer_class: type[BaseSerializer[Any]] = Serializer
    # The host's defaults for these suit its own models.
    filter_backends: tuple[Any, ...] = ()

    def get_permissions(self) -> list[Any]:
        """Return the permissions the site chose, read anew for each request."""
        return [import_string(path)() for path in conf.API_PERMISSION_CLASSES]

    def get_renderers(self) -> list[Any]:
        """Return the site's renderers, but for those whose templates nobody has.

        There are none for our views, and DRF's own only where it is installed.
        """
        lacking: tuple[Any, ...] = (TemplateHTMLRenderer,)
        if not apps.is_installed("rest_framework"):
            lacking += (BrowsableAPIRenderer,)
        return [one for one in super().get_renderers() if not isinstance(one, lacking)] or [
            JSONRenderer()
        ]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse, before anything is written, a host whose addresses no answer could name."""
        request.get_host()
        super().initial(request, *args, **kwargs)
        if self.action and request.method not in SAFE_METHODS:
            refuse_parameters(request, self)

    def get_throttles(self) -> list[Any]:
        """Return our own rate, and those that the site has for all of its views."""
        ours = SubmitThrottle if self.action in SPENDING else ReadThrottle
        return [ours(), *super().get_throttles()]

    def handle_exception(self, exc: Exception) -> Response:
        """Answer what the verbs raise as well, and with a code whatever it is."""
        if isinstance(exc, IntegrityError) and self._account_is_gone():
            exc = AuthenticationFailed(_("There is no such account here any more."))
        error = as_api_exception(exc)
        response = super().handle_exception(error)
        add_codes(response, error)
        return response

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        """Make every answer one that its reader may keep and ask about."""
        final = super().finalize_response(request, response, *args, **kwargs)
        make_conditional(request, final, otherwise=self._refuse_condition)
        return final

    def check_condition(self, facts: Callable[[], Any] | None = None) -> None:
        """Refuse what was asked on a condition, such as ``If-Match``, that does not hold.

        ``facts`` gives what a GET would show; None where nothing is there yet. Raises
        PreconditionFailed.
        """

        def show() -> Any:
            if facts is None:
                return None
            answer = Response(facts())
            # DRF's own part alone: it is compared, and never sent.
            APIView.finalize_response(self, self.request, answer, **self.kwargs)
            return answer.render()

        if not is_what_they_have(self.request, show):
            raise PreconditionFailed

    def _refuse_condition(self) -> HttpResponseBase:
        refusal = self.handle_exception(PreconditionFailed())
        answer: HttpResponseBase = self.finalize_response(self.request, refusal, **self.kwargs)
        # A site's handler may answer otherwise.
        return answer.render() if isinstance(answer, Response) else answer

    def job_id(self) -> uuid.UUID:
        """Return the id in the address; 404 where there is something else."""
        try:
            found = uuid.UUID(self.kwargs["pk"])
        except ValueError as error:
            raise NotFound from error
        if str(found) != self.kwargs["pk"]:  # one address for each job
            raise NotFound
        return found

    def _account_is_gone(self) -> bool:
        """Tell whether a token has outlived its account, and so nothing can be written of it."""
        accounts = get_user_model()._default_manager.using(VideoJob.database())
        actor = self.actor()
        return actor is not None and not accounts.filter(pk=actor.pk).exists()

    def actor(self) -> Any:
        """Return who asks; None for a visitor."""
        user = self.request.user
        return user if is_signed_in(user) else None
