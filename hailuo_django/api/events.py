"""The history of a job."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework.exceptions import NotFound
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from hailuo_django.models import JobEvent

from .base import HailuoViewSet
from .filters import KnownParameters
from .pagination import OldestFirst
from .permissions import jobs_for, sees_all
from .serializers import JobEventSerializer, StaffJobEventSerializer


class JobEventViewSet(ListModelMixin, HailuoViewSet):
    """What happened to the job, the oldest first."""

    pagination_class = OldestFirst
    filter_backends = (KnownParameters,)

    def get_queryset(self) -> QuerySet[JobEvent]:
        """Return the history of the job."""
        return JobEvent.objects.filter(job=self.job_id()).select_related("submission")

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return what happened to the job, where it exists for this user; else 404."""
        # Not in get_queryset(), which permission classes may ask for the model.
        job = jobs_for(request.user, self.action).filter(pk=self.job_id()).first()
        if job is None:
            raise NotFound
        self.check_object_permissions(request, job)
        return super().list(request, *args, **kwargs)

    def get_serializer_class(self) -> type[BaseSerializer[JobEvent]]:
        """Return the details to staff only."""
        return StaffJobEventSerializer if sees_all(self.request.user) else JobEventSerializer
