"""A site that shows jobs with an admin of its own that has nothing of ours."""

from __future__ import annotations

from django.contrib.admin import AdminSite, ModelAdmin
from django.urls import path

from hailuo_django.models import VideoJob

site = AdminSite()
site.register(VideoJob, ModelAdmin)

urlpatterns = [path("plain/", site.urls)]
