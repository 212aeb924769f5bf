"""The addresses of the example site."""

from __future__ import annotations

from django.apps import apps
from django.contrib import admin
from django.urls import include, path

from .views import GalleryView, IndexView, SignInView

urlpatterns = [
    path("", IndexView.as_view(), name="index"),
    path("gallery/", GalleryView.as_view(), name="gallery"),
    path("login/", SignInView.as_view(), name="login"),
    path("admin/", admin.site.urls),
    path("hailuo/", include("hailuo_django.urls")),  # Krea's webhooks
    path("api/", include("hailuo_django.api.urls")),
    path("api-auth/", include("rest_framework.urls")),  # "Log in" on the API's pages
]

if apps.is_installed("drf_spectacular"):
    from drf_spectacular.views import SpectacularAPIView

    urlpatterns.append(path("api/schema/", SpectacularAPIView.as_view(), name="schema"))
