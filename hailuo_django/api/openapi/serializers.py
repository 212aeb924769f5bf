"""What is known of the fields of our serializers beyond what can be read from them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema

from hailuo_django.api import requests, serializers
from hailuo_django.fields import MAX_URL_LENGTH
from hailuo_django.models import VideoJob
from hailuo_django.pricing import DEFAULT_RESOLUTION, DURATIONS

from . import components
from .components import STORABLE, Schema, or_empty, or_null, word

ANSWERS = (
    serializers.SubmissionSerializer,
    serializers.QuoteSerializer,
    serializers.BalanceSerializer,
    serializers.VideoJobSerializer,
    serializers.JobEventSerializer,
)
REQUESTS = (
    requests.DraftSerializer,
    requests.VideoJobRequestSerializer,
    requests.QuoteRequestSerializer,
    requests.PriceLimitSerializer,
)
OURS = [f"{one.__module__}.{one.__name__}" for one in (*ANSWERS, *REQUESTS)]


def completed(view: AutoSchema, serializer: Any, schema: Schema) -> Schema:
    """Return ``schema`` with the properties that are better known here."""
    is_request = isinstance(serializer, REQUESTS)
    known = _asked(view, serializer) if is_request else _shown(view)
    properties = schema["properties"]
    for name in properties.keys() & known.keys():
        properties[name] = known[name]
    if isinstance(serializer, serializers.JobEventSerializer):
        properties["detail"] = {"type": "string", "description": "For staff alone."}
    if is_request:
        # An unknown name is refused, and never passed over.
        schema["additionalProperties"] = False
    schema["description"] = DESCRIPTIONS.get(type(serializer).__name__, "")
    return schema


DESCRIPTIONS = {
    "SubmissionSerializer": "One try upstream.",
    "QuoteSerializer": "The price of one request.",
    "BalanceSerializer": "The cap of the budget that has least room.",
    "VideoJobSerializer": "A job with everything its owner may know.",
    "JobEventSerializer": "One line of the history of a job.",
    "DraftSerializer": "What a draft is made of.",
    "VideoJobRequestSerializer": "What a job is made of.",
    "QuoteRequestSerializer": "What a job would be made of.",
    "PriceLimitSerializer": "What submitting takes besides the job; nothing is needed.",
}


def _asked(view: AutoSchema, serializer: Any) -> Schema:
    address: Schema = {
        "type": "string",
        "format": "uri",
        "maxLength": MAX_URL_LENGTH,
        "description": "It begins with `https://` or `http://`.",
    }
    prompt = components.PROMPT
    if isinstance(serializer, requests.QuoteRequestSerializer):
        prompt = prompt | {"pattern": STORABLE}
    reference = VideoJob._meta.get_field("reference")
    return {
        "prompt": prompt,
        "start_image": or_empty(address) | {"default": ""},
        "end_image": or_empty(address) | {"default": ""},
        "resolution": {"allOf": [word(view, "VideoJobResolution")], "default": DEFAULT_RESOLUTION},
        "reference": {
            "type": "string",
            "maxLength": reference.max_length,
            "pattern": STORABLE,
            "default": "",
            "description": str(reference.help_text),
        },
    }


def _shown(view: AutoSchema) -> Schema:
    state = word(view, "VideoJobStatus")
    address = {"type": "string", "description": "Empty where there is none."}
    return {
        "status": state,
        "from_status": or_empty(state),
        "to_status": or_empty(state),
        "start_image": address,
        "end_image": address,
        "resolution": word(view, "VideoJobResolution"),
        "duration": {"type": "integer", "minimum": DURATIONS[0], "maximum": DURATIONS[-1]},
        "advice": {"type": "array", "items": components.hint(view)},
        "waiting": or_null(components.waiting(view)),
        "error": or_null(components.hint(view)),
        "video_url": or_null({"type": "string", "format": "uri"}),
        "failure_code": or_null(word(view, "VideoJobFailureCode")),
        "source": word(view, "VideoJobEventSource"),
        "action": word(view, "VideoJobEventAction"),
        "cap": word(view, "VideoJobBudgetCap"),
    }
