"""The site of ``back_office.py`` with Django's own admin beside it."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path

from . import back_office

urlpatterns = [*back_office.urlpatterns, path("admin/", admin.site.urls)]
