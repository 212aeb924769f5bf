"""Django admin: write drafts, spend money knowingly, and see what became of every job."""

from __future__ import annotations

from django.contrib import admin

from hailuo_django.models import Heartbeat, KreaAccount, Stranger, VideoJob

from .accounts import HeartbeatAdmin, KreaAccountAdmin
from .strangers import StrangerAdmin
from .videojobs import VideoJobAdmin

__all__ = ["HeartbeatAdmin", "KreaAccountAdmin", "StrangerAdmin", "VideoJobAdmin"]

admin.site.register(VideoJob, VideoJobAdmin)
admin.site.register(Stranger, StrangerAdmin)
admin.site.register(KreaAccount, KreaAccountAdmin)
admin.site.register(Heartbeat, HeartbeatAdmin)
