"""The parts that answers and requests are made of, each under a name of its own.

Their names begin with ``VideoJob`` and no set of values is left without one, so that whatever a
site's own API has under ``status`` or ``code`` keeps its name as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.settings import spectacular_settings

from hailuo_django.api.waiting import WAITING_CODES
from hailuo_django.budget import CAPS
from hailuo_django.models import JobEvent
from hailuo_django.pricing import DURATIONS, RESOLUTIONS
from hailuo_django.states import Action, FailureCode, Status

from .refusals import FIELD_CODES, Refusal

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
USD: Schema = {"type": "string", "pattern": r"^\d+(\.\d+)?$", "description": "US dollars."}
STORABLE = r"^[^\x00]*$"
"""What no database stores is refused."""

PROMPT: Schema = {
    "type": "string",
    "pattern": r"^[^\x00]*[^\s\x00][^\x00]*$",
    "description": "What the video shows.",
}
"""Somewhere in it is something else than white space."""

WORDS: dict[str, Iterable[str]] = {
    "VideoJobStatus": Status.values,
    "VideoJobFailureCode": FailureCode.values,
    "VideoJobResolution": RESOLUTIONS,
    "VideoJobEventAction": Action.values,
    "VideoJobEventSource": JobEvent.Source.values,
    "VideoJobBudgetCap": CAPS,
    "VideoJobCurrency": ["USD"],
    "VideoJobWaitingCode": WAITING_CODES,
    "VideoJobFieldCode": FIELD_CODES,
}


def named(view: AutoSchema, name: str, schema: Schema) -> Schema:
    """Keep ``schema`` among the components, and return the reference to it."""
    component = ResolvedComponent(name, ResolvedComponent.SCHEMA, schema, name)
    view.registry.register_on_missing(component)
    reference: Schema = component.ref
    return reference


def word(view: AutoSchema, name: str) -> Schema:
    """Return the reference to one of ``WORDS``."""
    return named(view, name, {"type": "string", "enum": [*WORDS[name]]})


def thing(required: Schema, **optional: Schema) -> Schema:
    """Return an object that has all of ``required``, and may have the others."""
    return {"type": "object", "properties": required | optional, "required": [*required]}


def or_null(schema: Schema) -> Schema:
    """Return ``schema`` or null, as the site's version of OpenAPI has it."""
    by_json_schema = not spectacular_settings.OAS_VERSION.startswith("3.0")
    null: Schema = {"type": "null"} if by_json_schema else {"enum": [None]}
    return {"oneOf": [schema, null]}


def or_empty(schema: Schema) -> Schema:
    """Return ``schema`` or the empty text."""
    return {"oneOf": [schema, {"type": "string", "maxLength": 0}]}


def hint(view: AutoSchema) -> Schema:
    """Return a code and a sentence for people."""
    return named(view, "VideoJobHint", thing({"code": TEXT, "message": TEXT}))


def waiting(view: AutoSchema) -> Schema:
    """Return why a job waits."""
    code = word(view, "VideoJobWaitingCode")
    return named(view, "VideoJobWaiting", thing({"code": code, "message": TEXT}))


def prices(view: AutoSchema) -> Schema:
    """Return the list of prices, by resolution and seconds."""
    row = thing({str(seconds): USD for seconds in DURATIONS})
    table = thing(dict.fromkeys(RESOLUTIONS, named(view, "VideoJobPriceRow", row)))
    return named(view, "VideoJobPrices", thing(_of_the_list(view) | {"prices": table}))


def quotes(view: AutoSchema, quote: Schema, balance: Schema) -> Schema:
    """Return what a quote is answered with: one price, or a list of them."""
    whole = _of_the_list(view) | {
        "total_usd": USD,
        "budget": or_null(balance),
        "fits_budget": {"type": "boolean"},
    }
    advice = {"type": "array", "items": hint(view)}
    one = thing({"price_usd": USD, "advice": advice} | whole)
    many = thing({"quotes": {"type": "array", "items": quote}} | whole)
    return {
        "oneOf": [
            named(view, "VideoJobQuoteOfOne", one),
            named(view, "VideoJobQuoteOfMany", many),
        ]
    }


def _of_the_list(view: AutoSchema) -> Schema:
    as_of = or_null({"type": "string", "format": "date"})
    as_of["description"] = "The day that Krea's list is of; null where the site has its own prices."
    return {"currency": word(view, "VideoJobCurrency"), "as_of": as_of}


def invalid(view: AutoSchema) -> Schema:
    """Return what is wrong with a request, by field or parameter."""
    message = thing({"message": TEXT, "code": word(view, "VideoJobFieldCode")})
    messages = {"type": "array", "items": named(view, "VideoJobFieldError", message)}
    schema: Schema = {"type": "object", "additionalProperties": messages}
    return named(view, "VideoJobInvalid", schema)


def refused(view: AutoSchema, status: int, known: Iterable[Refusal]) -> Schema:
    """Return the body of a refusal, with the codes that ``status`` may have in this API."""
    codes: Schema = {"type": "string", "enum": sorted({one.code for one in known})}
    fields = {
        "detail": {"type": "string", "description": "For people, in their language."},
        "code": named(view, f"VideoJobErrorCode{status}", codes),
    }
    more: Schema = {}
    if status == 402:
        amounts = ("limit_usd", "spent_usd", "reserved_usd", "price_usd")
        fields["cap"] = word(view, "VideoJobBudgetCap")
        fields |= {**dict.fromkeys(amounts, USD), "resets_at": MOMENT}
    if status == 409:  # these where it is about the state of the job
        state = word(view, "VideoJobStatus")
        more = {"status": state, "allowed_statuses": {"type": "array", "items": state}}
    return named(view, f"VideoJobError{status}", thing(fields, **more))
