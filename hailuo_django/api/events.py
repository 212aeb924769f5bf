"""The history of a job."""

from __future__ import annotations

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from rest_framework.mixins import ListModelMixin
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
        """Return the history of a job that exists for this user; else 404."""
        jobs = jobs_for(self.request.user, self.action)
        job = get_object_or_404(jobs, pk=self.job_id())
        self.check_object_permissions(self.request, job)
        return JobEvent.objects.filter(job=job).select_related("submission")

    def get_serializer_class(self) -> type[BaseSerializer[JobEvent]]:
        """Return the details to staff only."""
        return StaffJobEventSerializer if sees_all(self.request.user) else JobEventSerializer
