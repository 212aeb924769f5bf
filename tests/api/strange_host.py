"""A site with its own ideas of everything, in a process of its own: DRF reads settings at import.

Prints as JSON what it answered. DRF is not among its apps, its defaults are hostile to other
people's views, and the API hangs below a namespace and an argument of the site's.
"""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.urls import include, path

settings.configure(
    SECRET_KEY="the key of a strange site",
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["testserver"],
    USE_TZ=False,
    TIME_ZONE="Asia/Kolkata",
    LANGUAGE_CODE="de",
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": ":memory:",
            "ATOMIC_REQUESTS": True,
        }
    },
    INSTALLED_APPS=[
        "django.contrib.contenttypes",
        "django.contrib.auth",
        "django.contrib.sessions",
        "hailuo_django",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.auth.middleware.LoginRequiredMiddleware",
    ],
    REST_FRAMEWORK={
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.DjangoModelPermissions"],
        "DEFAULT_PAGINATION_CLASS": None,
        "ORDERING_PARAM": "order",
        "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
        "DEFAULT_FILTER_BACKENDS": ["rest_framework.filters.OrderingFilter"],
        "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.UserRateThrottle"],
        "DEFAULT_THROTTLE_RATES": {"user": "16/day"},
        "COERCE_DECIMAL_TO_STRING": False,
        "DATETIME_FORMAT": "%d.%m.%Y %H:%M",
        "UNAUTHENTICATED_USER": None,
    },
)
# As Django does for settings in a module.
os.environ["TZ"] = settings.TIME_ZONE
time.tzset()
django.setup()

urlpatterns = [
    path(
        "<slug:tenant>/",
        include(([path("v1/", include("hailuo_django.api.urls"))], "strange"), namespace="strange"),
    )
]


def tell() -> dict[str, Any]:
    from django.contrib.auth.models import User
    from django.db import connection

    from hailuo_django.models import VideoJob

    call_command("migrate", verbosity=0)
    client, jobs = Client(), "/acme/v1/jobs/"
    told: dict[str, Any] = {"visitor": client.get(jobs).status_code}
    client.force_login(User.objects.create_superuser("root"))

    # A job that is asked for is there when the answer is, whatever fails later in the request.
    atomic: list[bool] = []
    submit = VideoJob.submit

    def watched(job: VideoJob, **options: Any) -> Any:
        atomic.append(connection.in_atomic_block)
        return submit(job, **options)

    VideoJob.submit = watched  # type: ignore[method-assign, assignment]
    made = client.post(jobs, {"prompt": "x"}, "application/json")
    told["made"] = [made.status_code, made["Location"], made.json()["price_usd"], *atomic]
    told["found"] = client.get(made["Location"]).status_code
    age = datetime.now(UTC) - datetime.fromisoformat(made.json()["created_at"])
    told["made just now"] = abs(age) < timedelta(minutes=1)
    client.post(jobs, {"prompt": "y", "submit": False}, "application/json")
    oldest = client.get(f"{jobs}?ordering=created_at").json()["results"]
    told["the oldest"] = oldest[0]["prompt"]
    told["their filter"] = client.get(f"{jobs}?ordering=prompt").status_code
    listed = client.get(jobs).json()["results"]
    told["listed"] = [row["prompt"] for row in listed]
    following = client.get(jobs, {"page_size": 1}).json()["next"]
    told["next page"] = [row["prompt"] for row in client.get(following).json()["results"]]
    told["conflict"] = client.post(f"{made['Location']}submit/", {}, "application/json").status_code
    told["prices"] = client.get("/acme/v1/prices/").json()["prices"]["768p"]["6"]
    told["form"] = client.post(jobs, {"prompt": "x"}).status_code
    made_there = client.post(
        jobs, {"prompt": "z"}, "application/json", headers={"Accept": "text/html, */*;q=0.8"}
    )
    told["a browser"] = [made_there.status_code, made_there["Content-Type"]]
    told["throttled"] = [client.get(jobs).status_code for _ in range(8)][-1]
    return told


if __name__ == "__main__":
    json.dump(tell(), sys.stdout)
