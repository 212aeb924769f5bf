"""What is asked and answered, as examples: a test holds them against the schema."""

from __future__ import annotations

from typing import Any

JOB_ID = "6f1c0d58-7d0f-4c6e-9d0a-5f2f8a4a1b7e"
RESETS_AT = "2026-06-19T00:00:00Z"
PROMPT = "A lighthouse at dusk."

ASKED: dict[str, Any] = {"prompt": PROMPT, "resolution": "768p", "duration": 6}
ASKED_FOR_DRAFT: dict[str, Any] = {
    "prompt": PROMPT,
    "start_image": "https://www.example.com/lighthouse.jpg",
    "reference": "order 4711",
    "submit": False,
}
AT_MOST: dict[str, Any] = {"max_price_usd": "0.2835"}
CHANGED: dict[str, Any] = {"prompt": PROMPT, "duration": 10}

SUBMISSION: dict[str, Any] = {
    "number": 1,
    "status": "completed",
    "price_usd": "0.2835",
    "krea_job_id": "0c1ffd6a-8a8e-4a4e-8d2b-3f1de6d3f8ab",
    "failure_code": None,
    "created_at": "2026-06-18T12:00:00Z",
    "sent_at": "2026-06-18T12:00:01Z",
    "cancel_requested_at": None,
    "ended_at": "2026-06-18T12:03:20Z",
}
COMPLETED: dict[str, Any] = {
    "id": JOB_ID,
    "status": "completed",
    "prompt": PROMPT,
    "start_image": "",
    "end_image": "",
    "expand_prompt": True,
    "resolution": "768p",
    "duration": 6,
    "reference": "",
    "price_usd": "0.2835",
    "spent_usd": "0.2835",
    "advice": [],
    "waiting": None,
    "expected_at": None,
    "video_url": "https://gen.krea.ai/videos/lighthouse.mp4",
    "failure_code": None,
    "error": None,
    "submissions": [SUBMISSION],
    "created_at": "2026-06-18T12:00:00Z",
    "submitted_at": "2026-06-18T12:00:00Z",
    "completed_at": "2026-06-18T12:03:20Z",
}
NOT_YET = {"spent_usd": "0", "video_url": None, "completed_at": None}
SUBMITTED: dict[str, Any] = (
    COMPLETED
    | NOT_YET
    | {
        "status": "unsent",
        "submissions": [
            SUBMISSION
            | {"status": "unsent", "krea_job_id": None, "sent_at": None, "ended_at": None}
        ],
    }
)
DRAFT: dict[str, Any] = (
    COMPLETED
    | NOT_YET
    | {
        "status": "draft",
        "start_image": "https://www.example.com/lighthouse.jpg",
        "reference": "order 4711",
        "submissions": [],
        "submitted_at": None,
    }
)
EVENT: dict[str, Any] = {
    "created_at": "2026-06-18T12:00:00Z",
    "source": "api",
    "action": "submit",
    "submission": 1,
    "from_status": "draft",
    "to_status": "unsent",
}

LIST_OF_PRICES = {"currency": "USD", "as_of": "2026-06-18"}
PRICES: dict[str, Any] = LIST_OF_PRICES | {
    "prices": {
        "512p": {"6": "0.105", "7": "0.3308", "8": "0.378", "9": "0.4253", "10": "0.1575"},
        "768p": {"6": "0.2835", "7": "0.3308", "8": "0.378", "9": "0.4253", "10": "0.4725"},
        "1080p": {"6": "0.567", "7": "0.6615", "8": "0.756", "9": "0.8505", "10": "0.945"},
    }
}
SUM: dict[str, Any] = {
    "total_usd": "0.2835",
    "budget": {"cap": "day", "room_usd": "4.2", "resets_at": RESETS_AT},
    "fits_budget": True,
}
QUOTE: dict[str, Any] = LIST_OF_PRICES | {"price_usd": "0.2835", "advice": []} | SUM
QUOTES: dict[str, Any] = LIST_OF_PRICES | {"quotes": [{"price_usd": "0.2835", "advice": []}]} | SUM

INVALID: dict[str, Any] = {
    "duration": [
        {
            "message": "Give whole seconds from 6 to 10: the price list has no fractions.",
            "code": "max_value",
        }
    ],
    "endImage": [
        {"message": "This name is retired: use end_image.", "code": "retired_field"},
    ],
}
