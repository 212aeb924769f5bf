"""How drf-spectacular is told about a view of ours: what it cannot see, and what it guesses wrong.

It asks the methods here; each is one that it offers for being overridden.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from hailuo_django.api.events import JobEventViewSet
from hailuo_django.api.jobs import TAKES
from hailuo_django.api.money import MOST_QUOTES, PriceViewSet, QuoteViewSet
from hailuo_django.api.requests import QuoteRequestSerializer
from hailuo_django.api.serializers import (
    BalanceSerializer,
    JobEventSerializer,
    QuoteSerializer,
    VideoJobSerializer,
)

from . import components, examples, headers, queries
from .components import Schema
from .operations import BY_STATUS, OPERATIONS, SHARED, Operation
from .refusals import Refusal

NAMES = {
    "BalanceSerializer": "VideoJobBalance",
    "DraftSerializer": "VideoJobDraft",
    "JobEventSerializer": "VideoJobEvent",
    "PriceLimitSerializer": "VideoJobPriceLimit",
    "QuoteRequestSerializer": "VideoJobToPrice",
    "QuoteSerializer": "VideoJobQuote",
    "SubmissionSerializer": "VideoJobSubmission",
    "VideoJobRequestSerializer": "VideoJobToMake",
    "VideoJobSerializer": "VideoJob",
}
"""What our serializers are called among those of a site."""

ASKED = {
    "create": (("A video", examples.ASKED), ("A draft", examples.ASKED_FOR_DRAFT)),
    "update": (("Written anew", examples.CHANGED),),
    "partial_update": (("A change", {"duration": 10}),),
    "submit": (("For the price that was seen", examples.AT_MOST),),
    "resubmit": (("For the price that was seen", examples.AT_MOST),),
    "quote": (("One", examples.ASKED), ("A list", [examples.ASKED])),
}

SHOWN: dict[tuple[str, int], Any] = {
    ("list", 200): examples.COMPLETED,
    ("retrieve", 200): examples.COMPLETED,
    ("events", 200): examples.EVENT,
    ("prices", 200): examples.PRICES,
    ("create", 201): examples.DRAFT,
    ("update", 200): examples.DRAFT,
    ("partial_update", 200): examples.DRAFT,
}


class Described(AutoSchema):
    """What a site's own ``DEFAULT_SCHEMA_CLASS`` becomes for our views."""

    view: Any

    @property
    def action(self) -> str:
        """Return the name of what is asked for in ``OPERATIONS``."""
        if isinstance(self.view, JobEventViewSet):
            return "events"
        if isinstance(self.view, PriceViewSet):
            return "prices"
        return str(self.view.action)

    @property
    def operation(self) -> Operation:
        """Return what is asked for."""
        return OPERATIONS[self.action]

    def get_operation(self, *args: Any, **kwargs: Any) -> Schema | None:
        """Return the description, with a reference for each refusal that many share."""
        described: Schema | None = super().get_operation(*args, **kwargs)
        if described is not None:
            for status in SHARED & self.operation.refusals.keys():
                told = described["responses"][str(status)]
                refusal = ResolvedComponent(
                    f"VideoJobRefused{status}", ResolvedComponent.RESPONSE, told, status
                )
                self.registry.register_on_missing(refusal)
                described["responses"][str(status)] = refusal.ref
        return described

    def get_operation_id(self) -> str:
        """Return a name that makes a good one for the function of a client."""
        return f"video_jobs_{self.action}"

    def get_tags(self) -> list[str]:
        """Return the one that keeps all of ours together."""
        return ["video jobs"]

    def get_summary(self) -> str:
        """Return what it is for in a few words."""
        return self.operation.summary

    def get_description(self) -> str:  # type: ignore[override]  # as in spectacular
        """Return what is said of it in the code, or what it answers."""
        told = getattr(self.view, self.view.action).__doc__
        return told or next(iter(self.operation.answers.values()))

    def get_serializer_name(self, serializer: Any, direction: Any) -> str:
        """Return a name that no serializer of the site's is likely to have."""
        name: str = super().get_serializer_name(serializer, direction)
        return NAMES.get(name, name)

    def get_override_parameters(self) -> list[Any]:
        """Return the headers of requests and answers, and the path's own parameter."""
        return [
            *self._of_the_path(),
            *(queries.of_jobs(self) if self.action == "list" else ()),
            *(queries.of_lists() if self.action in ("list", "events") else ()),
            *headers.of_requests(self.operation, self.action),
            *headers.of_answers(self.operation),
            *self._about_the_job(),
        ]

    def _of_the_path(self) -> Iterator[OpenApiParameter]:
        for name in ("id", "pk"):  # a site may have DRF leave it as it is
            if f"{{{name}}}" in self.path:
                words = "The `id` of the job."
                yield OpenApiParameter(
                    name, OpenApiTypes.UUID, OpenApiParameter.PATH, description=words
                )

    def _about_the_job(self) -> Iterator[OpenApiParameter]:
        answers = self.operation.answers
        if self.method in ("POST", "PUT", "PATCH") and self.action != "quote":
            yield headers.location([status for status in answers if status in (200, 201, 202)])
        waits = [429, *(status for status in answers if status == 202)]
        if self.action == "retrieve":
            waits += [200, 304]
        if self.operation.takes_key:
            waits += [409]
        yield headers.retry_after(waits)

    def get_request_serializer(self) -> Any:
        """Return what a body is, by media type: forms are for the pages in a browser alone."""
        body: Any = TAKES.get(self.action)
        if self.action == "quote":
            one = self.resolve_serializer(QuoteRequestSerializer(), "request").ref
            many = {"type": "array", "items": one, "minItems": 1, "maxItems": MOST_QUOTES}
            body = {"oneOf": [one, many]}
        if body is None:
            return None
        parsed = self.map_parsers()
        return dict.fromkeys([name for name in parsed if "json" in name] or parsed, body)

    def get_response_serializers(self) -> Any:
        """Return every answer and every refusal, by status."""
        answers: dict[int, Any] = {
            status: OpenApiResponse(self._shown(status), words, self._examples(status))
            for status, words in self.operation.answers.items()
        }
        for status, refusals in self.operation.refusals.items():
            answers[status] = self._refused(status, refusals)
        return answers

    def get_examples(self) -> list[OpenApiExample]:
        """Return examples of what is asked."""
        asked = ASKED.get(self.action, ())
        return [OpenApiExample(name, body, request_only=True) for name, body in asked]

    def _shown(self, status: int) -> Any:
        if status in (204, 304):
            return None
        if isinstance(self.view, JobEventViewSet):
            return JobEventSerializer
        if isinstance(self.view, PriceViewSet):
            return components.prices(self)
        if isinstance(self.view, QuoteViewSet):
            quote = self.resolve_serializer(QuoteSerializer(), "response").ref
            balance = self.resolve_serializer(BalanceSerializer(), "response").ref
            return components.quotes(self, quote, balance)
        return VideoJobSerializer

    def _examples(self, status: int) -> list[OpenApiExample]:
        if status in (204, 304):
            return []
        if self.action == "quote":
            pairs = {"One": examples.QUOTE, "A list": examples.QUOTES}
            return [OpenApiExample(name, value) for name, value in pairs.items()]
        shown = SHOWN.get((self.action, status), examples.SUBMITTED)
        return [OpenApiExample("What is shown", shown)]

    def _refused(self, status: int, refusals: tuple[Refusal, ...]) -> OpenApiResponse:
        shown = [OpenApiExample(one.code, one.body()) for one in refusals]
        words = [f"`{one.code}`" for one in refusals]
        bodies: list[Schema] = []
        if refusals:
            bodies.append(components.refused(self, status, BY_STATUS[status]))
        if status == 400:
            wrong = components.invalid(self)
            bodies.append(wrong)
            if self.action == "quote":  # a list has those of each request in its place
                bodies.append({"type": "array", "items": wrong})
            shown.append(OpenApiExample("invalid", examples.INVALID))
            words.append("what is wrong, by field or parameter")
        body = bodies[0] if len(bodies) == 1 else {"oneOf": bodies}
        return OpenApiResponse(body, ", or ".join(words), shown)
