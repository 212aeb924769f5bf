"""The addresses of the tests' site."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("hailuo/", include("hailuo_django.urls")),
    path("api/", include("hailuo_django.api.urls")),
]
