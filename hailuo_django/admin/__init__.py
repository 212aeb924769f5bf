"""Django admin: write drafts, spend money knowingly, and see what became of every job."""

from __future__ import annotations

from django.contrib import admin

from hailuo_django.models import Batch, Heartbeat, KreaAccount, Stranger, VideoJob

from .accounts import HeartbeatAdmin, KreaAccountAdmin
from .batches import BatchAdmin
from .strangers import StrangerAdmin
from .videojobs import VideoJobAdmin

__all__ = ["BatchAdmin", "HeartbeatAdmin", "KreaAccountAdmin", "StrangerAdmin", "VideoJobAdmin"]

admin.site.register(VideoJob, VideoJobAdmin)
admin.site.register(Batch, BatchAdmin)
admin.site.register(Stranger, StrangerAdmin)
admin.site.register(KreaAccount, KreaAccountAdmin)
admin.site.register(Heartbeat, HeartbeatAdmin)
