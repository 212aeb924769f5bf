"""The address that Krea calls back: ``path("hailuo/", include("hailuo_django.urls"))``."""

from __future__ import annotations

from django.urls import path, register_converter

from .transactions import outside_atomic_requests
from .webhooks import TokenConverter, webhook

app_name = "hailuo_django"

register_converter(TokenConverter, "hailuo_token")

urlpatterns = [
    path("webhook/<hailuo_token:token>/", outside_atomic_requests(webhook), name="webhook"),
]
