"""A site whose admin stands elsewhere, bears another name, and shows jobs in its own way."""

from __future__ import annotations

from django.contrib.admin import AdminSite
from django.urls import path

from hailuo_django.admin import KreaAccountAdmin, StrangerAdmin, VideoJobAdmin
from hailuo_django.models import KreaAccount, Stranger, VideoJob


class OurVideoJobAdmin(VideoJobAdmin):
    """With a column and a search of its own."""

    list_display = (*VideoJobAdmin.list_display, "reference")
    search_fields = ("owner__username",)


site = AdminSite(name="back-office")
site.disable_action("delete_selected")
site.register(VideoJob, OurVideoJobAdmin)
site.register(Stranger, StrangerAdmin)
site.register(KreaAccount, KreaAccountAdmin)

urlpatterns = [path("staff/", site.urls)]
