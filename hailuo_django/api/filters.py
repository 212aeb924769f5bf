"""What a list may be asked for: known parameters with known values, and nothing by silence."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.filters import BaseFilterBackend, OrderingFilter
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from hailuo_django.clock import read_moment
from hailuo_django.fields import validate_storable_text
from hailuo_django.pricing import DURATIONS, RESOLUTIONS
from hailuo_django.states import FailureCode, Status

Condition = Callable[[list[str]], Q]
"""Makes a condition of the values that a parameter was given; ValueError says what is wrong."""


def one_of(field: str, known: Iterable[object], **more: str) -> Condition:
    """Take values out of ``known``, repeated or separated by commas."""
    names = [str(value) for value in known]

    def condition(values: list[str]) -> Q:
        chosen = {name for value in values for name in value.split(",")}
        if not chosen <= {*names}:
            raise ValueError(_("Choose among %(names)s.") % {"names": ", ".join(names)})
        return Q(**{f"{field}__in": sorted(chosen)}, **more)

    return condition


def exactly(field: str) -> Condition:
    """Take the text as it stands, one or several times."""

    def condition(values: list[str]) -> Q:
        for value in values:
            try:
                validate_storable_text(value)
            except DjangoValidationError as error:
                raise ValueError(error.messages[0]) from error
        return Q(**{f"{field}__in": values})

    return condition


def moment(lookup: str) -> Condition:
    """Take one time in ISO 8601; without a zone of its own it is the site's."""

    def condition(values: list[str]) -> Q:
        found = read_moment(values[0]) if len(values) == 1 else None
        if found is None:
            message = _(
                "Give one time such as 2026-06-18T12:00:00Z; in an address, the + of a time zone"
                " is written %2B."
            )
            raise ValueError(message)
        return Q(**{lookup: found})

    return condition


class KnownParameters(BaseFilterBackend):
    """Refuses what a list does not know: a filter that was misspelt must not show everything."""

    filters: dict[str, Condition] = {}
    others: Collection[str] = ("cursor", "page_size")

    def filter_queryset(
        self, request: Request, queryset: QuerySet[Any], view: APIView
    ) -> QuerySet[Any]:
        """Return the rows that were asked for. ValidationError names each wrong parameter."""
        errors = {}
        for name in request.query_params:
            if name in self.filters:
                try:
                    condition = self.filters[name](request.query_params.getlist(name))
                    queryset = queryset.filter(condition)
                except ValueError as error:
                    errors[name] = [ErrorDetail(str(error), "invalid")]
            elif name not in (*self.others, *_of_the_site(view)):
                errors[name] = [self._about_unknown()]
        if errors:
            raise ValidationError(errors)
        return queryset

    def _about_unknown(self) -> ErrorDetail:
        names = ", ".join([*self.filters, *self.others])
        message = _("Unknown parameter. Known parameters: %(names)s.") % {"names": names}
        return ErrorDetail(message, "unknown_parameter")


def refuse_parameters(request: Request, view: APIView) -> None:
    """Refuse what stands in the address of a request that writes: it belongs into the body.

    Raises ValidationError: ``?submit=false`` must not order.
    """
    known = _of_the_site(view)
    if unknown := [name for name in request.query_params if name not in known]:
        message = _("Unknown parameter: this takes none. What it takes stands in the body.")
        raise ValidationError(
            {name: [ErrorDetail(message, "unknown_parameter")] for name in unknown}
        )


def _of_the_site(view: APIView) -> list[str]:
    """Return what the site's own settings of DRF let stand in any address."""
    versioning = getattr(view.versioning_class, "version_param", None)
    return [name for name in (api_settings.URL_FORMAT_OVERRIDE, versioning) if name]


class VideoJobFilter(KnownParameters):
    """The filters for jobs, each on an index: the owner's, the state's or the reference's."""

    filters = {
        "status": one_of("status", Status.values),
        # Only failed jobs have one, and the state is in the index.
        "failure_code": one_of("failure_code", FailureCode.values, status=Status.FAILED),
        "resolution": one_of("resolution", RESOLUTIONS),
        "duration": one_of("duration", DURATIONS),
        "reference": exactly("reference"),
        "created_after": moment("created_at__gte"),
        "created_before": moment("created_at__lt"),
    }
    others = ("ordering", *KnownParameters.others)


class VideoJobOrdering(OrderingFilter):
    """``ordering``: by when they were created, which is the order that has an index.

    The pagination asks for it and sorts.
    """

    ordering_param = "ordering"  # whatever the host calls it elsewhere
    ordering_fields = ("created_at",)

    def filter_queryset(
        self, request: Request, queryset: QuerySet[Any], view: APIView
    ) -> QuerySet[Any]:
        """Return the rows as they are."""
        return queryset

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: APIView) -> list[str]:
        """Return the order, the newest first by default. Raises ValidationError."""
        asked = request.query_params.get(self.ordering_param, "-created_at")
        if asked.removeprefix("-") not in self.ordering_fields:
            message = _("Order by created_at or by -created_at.")
            raise ValidationError({"ordering": [ErrorDetail(message, "invalid")]})
        return [asked]
