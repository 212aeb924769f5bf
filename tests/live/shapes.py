"""What an answer looks like, without what it says: values become the names of their kinds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from hailuo_django.conf import DEFAULTS
from hailuo_django.krea.transport import Answer, NoAnswer
from hailuo_django.sandbox.contract import STATUSES

ABSENT = "absent"
HEADERS = ("Date", "Retry-After", "Deprecation", "Sunset", "Link")
# Words of a closed set, which are compared as they are.
WORDS = ("type",)

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)")

Shape = dict[str, str]
"""Parts of an answer, such as ``status code``, ``Date`` and ``result.urls``, and their kinds."""


def shape_of(answer: Answer | NoAnswer, own_host: str) -> Shape:
    """Return the shape of an answer. Results on ``own_host`` are taken as those of Krea's hosts."""
    if isinstance(answer, NoAnswer):
        return {"status code": "no answer"}
    content_type = answer.headers.get("Content-Type", ABSENT).partition(";")[0]
    limits = sorted(name.lower() for name in answer.headers if "ratelimit" in name.lower())
    found = {"status code": str(answer.status), "Content-Type": content_type}
    found |= {name: "present" if name in answer.headers else ABSENT for name in HEADERS}
    found["rate limit headers"] = ", ".join(limits) or ABSENT
    return found | shape_of_body(answer.body, own_host)


def shape_of_body(body: bytes, own_host: str) -> Shape:
    """Return the shape of a body alone."""
    if not body:
        return {"body": "empty"}
    try:
        tree = json.loads(body)
    except (ValueError, RecursionError):
        return {"body": "not JSON"}
    return {"body": _kind(tree, "", own_host)} | dict(_parts(tree, "", own_host))


def _parts(tree: object, path: str, own_host: str) -> Iterator[tuple[str, str]]:
    if isinstance(tree, dict):
        below = [(f"{path}.{key}" if path else str(key), value) for key, value in tree.items()]
    else:
        below = [(f"{path}[]", value) for value in tree] if isinstance(tree, list) else []
    for name, value in below:
        yield name, _kind(value, name, own_host)
        yield from _parts(value, name, own_host)


def _kind(value: object, name: str, own_host: str) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case dict():
            return "an object" if value else "an empty object"
        case list():
            return "a list" if value else "an empty list"
    return _kind_of_text(str(value), name, own_host)


def _kind_of_text(text: str, name: str, own_host: str) -> str:
    if name == "status":
        return "a documented state" if text in STATUSES else repr(text[:40])
    if name in WORDS:
        return repr(text[:40])
    if _UUID.fullmatch(text):
        return "a UUID"
    if match := _TIME.fullmatch(text):
        digits, zone = len((match[1] or ".")[1:]), "Z" if match[2] == "Z" else "an offset"
        return f"a time with {digits} decimals and {zone}"
    if text.startswith(("https://", "http://")):
        known = {own_host, *DEFAULTS["RESULT_HOSTS"]}
        return "an address" + ("" if urlsplit(text).hostname in known else " elsewhere")
    return "text"
