"""The REST paths: they read rows, and write what somebody wants through the verbs of VideoJob."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, cast

from django.db.models import Prefetch, QuerySet
from django.shortcuts import get_object_or_404
from django.urls import ResolverMatch, reverse
from django.utils.module_loading import import_string
from rest_framework import status
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer, Serializer
from rest_framework.viewsets import GenericViewSet

from hailuo_django import pricing
from hailuo_django.conf import conf
from hailuo_django.models import JobEvent, Submission, VideoJob

from .bodies import read_body
from .exceptions import as_api_exception
from .fields import USDField
from .pagination import NewestFirst, OldestFirst
from .permissions import is_signed_in, reachable_jobs, sees_all
from .serializers import (
    JobEventSerializer,
    StaffJobEventSerializer,
    VideoJobRequestSerializer,
    VideoJobSerializer,
)

RETRY_AFTER_SECONDS = 10
"""When to ask again after a 202. Asking reads rows only; a video takes minutes."""


class HailuoViewSet(GenericViewSet[Any]):
    """What all paths share: the site's permission classes, and one kind of errors."""

    queryset = VideoJob.objects.none()
    serializer_class: type[BaseSerializer[Any]] = Serializer
    # The host's defaults for these suit its own models.
    filter_backends = ()

    def get_permissions(self) -> list[Any]:
        """Return the permissions the site chose, read anew for each request."""
        return [import_string(path)() for path in conf.API_PERMISSION_CLASSES]

    def handle_exception(self, exc: Exception) -> Response:
        """Answer what the verbs raise: 400, 402 and 409."""
        return super().handle_exception(as_api_exception(exc))


class VideoJobViewSet(ListModelMixin, RetrieveModelMixin, HailuoViewSet):
    """Videos by Hailuo 02."""

    serializer_class = VideoJobSerializer
    pagination_class = NewestFirst

    def get_queryset(self) -> QuerySet[VideoJob]:
        """Return the jobs that exist for this user; what is to be changed, where it is written."""
        jobs = reachable_jobs(self.request.user, self.action)
        if self.request.method in SAFE_METHODS:
            return jobs.with_submissions()
        return jobs.using(VideoJob.database())

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        """Return what a POST on this path takes, or what a GET shows."""
        if self.request.method != "POST":
            return VideoJobSerializer
        # By the path: DRF also asks in the course of OPTIONS, which has an action of its own.
        creates = self.action_map["post"] == "create"
        return VideoJobRequestSerializer if creates else Serializer

    def create(self, request: Request, **kwargs: Any) -> Response:
        """Create a job: 202 when it is submitted along, 201 for a draft."""
        body = read_body(request, known=VideoJobRequestSerializer.Meta.fields)
        serializer = self.get_serializer(data=body)
        serializer.is_valid(raise_exception=True)
        fields = serializer.validated_data
        wanted = fields.pop("submit")
        job = VideoJob(owner=self._actor(), **fields)
        if not wanted:
            job.save(force_insert=True)
            return self._show(job.pk, status.HTTP_201_CREATED)
        self.action = "submit"  # it spends, and so takes the right of that path
        self.check_object_permissions(request, job)
        job.submit(actor=self._actor(), source=JobEvent.Source.API)
        return self._show(job.pk, status.HTTP_202_ACCEPTED)

    def submit(self, request: Request, **kwargs: Any) -> Response:
        """Ask for the video of a draft, which costs its price."""
        return self._ask(VideoJob.submit)

    def resubmit(self, request: Request, **kwargs: Any) -> Response:
        """Ask once more for the video of a failed or cancelled job, which costs once more."""
        return self._ask(VideoJob.resubmit)

    def cancel(self, request: Request, **kwargs: Any) -> Response:
        """Wish the job cancelled; Krea may still complete it."""
        return self._ask(VideoJob.cancel)

    def sync(self, request: Request, **kwargs: Any) -> Response:
        """Have a worker look now."""
        return self._ask(VideoJob.sync)

    def _ask(self, verb: Callable[..., object]) -> Response:
        job = self.get_object()
        read_body(self.request, known=())
        verb(job, actor=self._actor(), source=JobEvent.Source.API)
        return self._show(job.pk, status.HTTP_202_ACCEPTED)

    def _actor(self) -> Any:
        user = self.request.user
        return user if is_signed_in(user) else None

    def _show(self, job_id: uuid.UUID, code: int) -> Response:
        """Show the job as it was written, with its address."""
        alias = VideoJob.database()
        # Named for the submissions too, which would come from wherever the site reads.
        submissions = Prefetch("submissions", Submission.objects.using(alias))
        rows = VideoJob.objects.using(alias).prefetch_related(submissions)
        job = get_object_or_404(rows, pk=job_id)
        headers = {"Location": self._address(job)}
        if code == status.HTTP_202_ACCEPTED:
            headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
        shown = VideoJobSerializer(job, context=self.get_serializer_context())
        # A plain dict: the browsable API would show the serializer of the answer as its form.
        return Response(dict(shown.data), status=code, headers=headers)

    def _address(self, job: VideoJob) -> str:
        # Wherever the host put us: a namespace within its own, arguments before ours.
        match = cast(ResolverMatch, self.request.resolver_match)
        name = ":".join([*match.namespaces, "job-detail"])
        path = reverse(name, kwargs={**self.kwargs, "pk": job.pk})
        return self.request.build_absolute_uri(path)


class JobEventViewSet(ListModelMixin, HailuoViewSet):
    """What happened to the job, the oldest first."""

    pagination_class = OldestFirst

    def get_queryset(self) -> QuerySet[JobEvent]:
        """Return the history of a job that exists for this user; else 404."""
        jobs = reachable_jobs(self.request.user, self.action)
        job = get_object_or_404(jobs, pk=self.kwargs["pk"])
        self.check_object_permissions(self.request, job)
        return JobEvent.objects.filter(job=job).select_related("submission")

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        """Return the details to staff only."""
        return StaffJobEventSerializer if sees_all(self.request.user) else JobEventSerializer


class PriceViewSet(HailuoViewSet):
    """What a video costs, by resolution and whole seconds."""

    def retrieve(self, request: Request, **kwargs: Any) -> Response:
        """Return the table that jobs are priced by now, in USD as strings."""
        usd = USDField().to_representation
        prices = {
            resolution: {str(seconds): usd(price) for seconds, price in row.items()}
            for resolution, row in conf.PRICES.items()
        }
        as_of = pricing.PRICES_AS_OF.isoformat()
        return Response({"currency": "USD", "as_of": as_of, "prices": prices})
