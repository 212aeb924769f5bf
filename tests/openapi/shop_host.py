"""A shop that describes its own API as well, in a process of its own: DRF reads settings at import.

It has users of its own, a schema class of its own, our API below an argument, and in its own
orders the same words that we have. Prints as JSON what drf-spectacular makes of all that.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import django
from django.conf import settings
from django.urls import include, path

settings.configure(
    SECRET_KEY="the key of a shop",
    ROOT_URLCONF=__name__,
    AUTH_USER_MODEL="token_shop.Customer",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[
        "django.contrib.contenttypes",
        "django.contrib.auth",
        "tests.api.token_shop",
        "hailuo_django",
        "drf_spectacular",
    ],
    LANGUAGE_CODE="de",
    HAILUO={
        "API_PERMISSION_CLASSES": ["tests.api.token_shop.rules.Customers"],
        "API_QUERYSET": "tests.openapi.shop.jobs_of_the_shop",
        "API_REQUIRE_IDEMPOTENCY_KEY": True,
    },
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.BasicAuthentication"],
        "DEFAULT_SCHEMA_CLASS": "tests.openapi.shop.ShopSchema",
        "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.UserRateThrottle"],
        "DEFAULT_THROTTLE_RATES": {"user": "14/day"},
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "SCHEMA_COERCE_PATH_PK": False,
    },
    # Else drf-spectacular guesses it from all paths that there are.
    SPECTACULAR_SETTINGS={"SCHEMA_PATH_PREFIX": "/shop"},
)
django.setup()


def tell() -> dict[str, Any]:
    from drf_spectacular.drainage import GENERATOR_STATS
    from drf_spectacular.generators import SchemaGenerator
    from drf_spectacular.validation import validate_schema

    from tests.openapi.shop import Orders

    own = [path("shop/orders/", Orders.as_view())]
    ours = [path("shop/<slug:branch>/v1/", include("hailuo_django.api.urls"))]

    def described(patterns: list[Any]) -> Any:
        schema = SchemaGenerator(patterns=patterns).get_schema(public=True)
        validate_schema(schema)
        return schema

    alone, both = described(own), described([*own, *ours])
    words, all_words = (schema["components"]["schemas"] for schema in (alone, both))
    submit = both["paths"]["/shop/{branch}/v1/jobs/{pk}/submit/"]["post"]
    return {
        "complaints": [*GENERATOR_STATS._warn_cache, *GENERATOR_STATS._error_cache],
        "own paths": alone["paths"].items() <= both["paths"].items(),
        "own words": words.items() <= all_words.items(),
        "version": both["openapi"],
        "in the path": [one["name"] for one in submit["parameters"] if one["in"] == "path"],
        "required": [one["name"] for one in submit["parameters"] if one.get("required")],
        "shop's mark": submit["x-shop"],
        "statuses": ", ".join(submit["responses"]),
    }


if __name__ == "__main__":
    json.dump(tell(), sys.stdout)
