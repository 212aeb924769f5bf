"""A headless site in a process of its own: tokens, no sessions, its own users, versions in paths.

Prints as JSON what it answered.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.urls import include, path

settings.configure(
    SECRET_KEY="the key of a headless site",
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["testserver"],
    AUTH_USER_MODEL="token_shop.Customer",
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": ":memory:",
            "ATOMIC_REQUESTS": True,
        }
    },
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[
        "django.contrib.contenttypes",
        "django.contrib.auth",
        "tests.api.token_shop",
        "hailuo_django",
    ],
    MIDDLEWARE=[],
    HAILUO={
        "API_PERMISSION_CLASSES": ["tests.api.token_shop.rules.Customers"],
        "API_REQUIRE_IDEMPOTENCY_KEY": True,
    },
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": ["tests.api.token_shop.rules.CustomerToken"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "DEFAULT_VERSIONING_CLASS": "rest_framework.versioning.URLPathVersioning",
        "ALLOWED_VERSIONS": ["v1"],
        "DEFAULT_METADATA_CLASS": None,
        "UNAUTHENTICATED_USER": None,
        "NON_FIELD_ERRORS_KEY": "all",
    },
)
django.setup()

urlpatterns = [path("<version>/", include("hailuo_django.api.urls"))]


def tell() -> dict[str, Any]:
    from hailuo_django.models import IdempotencyKey, VideoJob
    from tests.api.token_shop.models import Customer

    call_command("migrate", run_syncdb=True, verbosity=0)
    ada = Customer._default_manager.create(token="adas")
    Customer._default_manager.create(token="graces")

    def client(token: str, **more: str) -> Client:
        return Client(headers={"Authorization": f"Customer {token}", **more})

    told: dict[str, Any] = {}
    nobody = Client().get("/v1/jobs/")
    told["nobody"] = [nobody.status_code, nobody["WWW-Authenticate"], nobody.json()["code"]]
    told["wrong token"] = client("stolen").get("/v1/jobs/").json()["code"]
    told["wrong version"] = client("adas").get("/v2/jobs/").json()["code"]

    body = {"prompt": "x"}
    told["without a key"] = (
        client("adas").post("/v1/jobs/", body, "application/json").json()["code"]
    )
    keyed = client("adas", **{"Idempotency-Key": "1"})
    answers = [keyed.post("/v1/jobs/", body, "application/json") for _ in range(2)]
    told["with a key"] = [answer.status_code for answer in answers]
    told["once"] = [VideoJob.objects.count(), IdempotencyKey.objects.count()]
    told["owner"] = VideoJob.objects.get().owner_id == ada.pk

    address = answers[1]["Location"].removeprefix("http://testserver")
    told["address"] = address.startswith("/v1/jobs/")
    shown = client("adas").get(address)
    known = client("adas", **{"If-None-Match": shown["ETag"]}).get(address)
    told["no news"] = [known.status_code, "Authorization" in known["Vary"]]
    told["another's"] = client("graces").get(address).status_code
    told["wrong form"] = [*client("adas").post("/v1/quote/", [], "application/json").json()]
    told["options"] = client("adas").options(address).status_code
    told["cancelled"] = client("adas").post(f"{address}cancel/").json()["status"]
    return told


if __name__ == "__main__":
    json.dump(tell(), sys.stdout)
