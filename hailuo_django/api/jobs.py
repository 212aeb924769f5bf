"""Jobs: read by their owner, made and changed as drafts, and asked for by the verbs of VideoJob."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, cast

from django.urls import ResolverMatch, reverse
from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer, Serializer

from hailuo_django import ledger
from hailuo_django.conf import conf
from hailuo_django.models import JobEvent, VideoJob
from hailuo_django.models.querysets import VideoJobQuerySet

from .base import HailuoViewSet
from .bodies import read_body
from .filters import VideoJobFilter, VideoJobOrdering
from .idempotency import answer_once
from .pagination import NewestFirst
from .permissions import jobs_for
from .requests import DraftSerializer, PriceLimitSerializer, VideoJobRequestSerializer
from .rows import read_submissions, whole_job, with_pauses
from .serializers import VideoJobSerializer
from .waiting import retry_after, usual_seconds

TAKES: dict[str, type[BaseSerializer[Any]]] = {
    "create": VideoJobRequestSerializer,
    "update": DraftSerializer,
    "partial_update": DraftSerializer,
    "submit": PriceLimitSerializer,
    "resubmit": PriceLimitSerializer,
}
"""What a path takes by its action; the other verbs take nothing."""


class VideoJobViewSet(ListModelMixin, RetrieveModelMixin, HailuoViewSet):
    """Videos by Hailuo 02."""

    serializer_class = VideoJobSerializer
    pagination_class = NewestFirst
    filter_backends = (VideoJobFilter, VideoJobOrdering)

    def get_queryset(self) -> VideoJobQuerySet:
        """Return the jobs that exist for this user; what is to be changed, where it is written."""
        jobs = jobs_for(self.request.user, self.action)
        if self.request.method in SAFE_METHODS:
            return jobs
        return jobs.using(VideoJob.database())

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        """Return what this path takes by the method of the request, or what a GET shows."""
        # By the path: DRF also asks in the course of OPTIONS, which has an action of its own.
        action = self.action_map.get(cast(str, self.request.method).lower(), "")
        if self.request.method in SAFE_METHODS:
            return VideoJobSerializer
        return TAKES.get(action, Serializer)

    def paginate_queryset(self, queryset: Any) -> Any:
        """Return a page of jobs with all that it shows of them."""
        page: Any = super().paginate_queryset(with_pauses(queryset))
        read_submissions(page, using=queryset.db)
        return page

    def get_object(self) -> VideoJob:
        """Return the job with all that is shown of it, or 404. One query."""
        job = whole_job(self.get_queryset(), self.job_id())
        if job is None:
            raise NotFound
        self.check_object_permissions(self.request, job)
        return job

    def retrieve(self, request: Request, **kwargs: Any) -> Response:
        """Return the job, and when to ask again."""
        job = self.get_object()
        return Response(self.get_serializer(job).data, headers=_when(retry_after(job)))

    def create(self, request: Request, **kwargs: Any) -> Response:
        """Create a job: 202 when it is submitted along, 201 for a draft."""
        asked = self._read(VideoJobRequestSerializer.Meta.fields)
        fields = {name: asked[name] for name in DraftSerializer.Meta.fields if name in asked}
        # By key: whom the site signs in may be no row of its users' table.
        job = VideoJob(owner_id=getattr(self.actor(), "pk", None), **fields)
        if asked["submit"]:
            self.action = "submit"  # it spends, and so takes the rights of that path
            self.check_permissions(request)
            self.check_object_permissions(request, job)

        def write() -> Response:
            self.check_condition()
            if not asked["submit"]:
                job.save(force_insert=True)
                return self._show(job.pk, status.HTTP_201_CREATED)
            limit = asked.get("max_price_usd")
            job.submit(actor=self.actor(), source=JobEvent.Source.API, max_price_usd=limit)
            return self._show(job.pk, status.HTTP_202_ACCEPTED)

        return answer_once(request, write, asked, spends=asked["submit"])

    def update(self, request: Request, **kwargs: Any) -> Response:
        """Write a draft anew."""
        return self._change(partial=False)

    def partial_update(self, request: Request, **kwargs: Any) -> Response:
        """Change some fields of a draft."""
        return self._change(partial=True)

    def destroy(self, request: Request, **kwargs: Any) -> Response:
        """Throw a draft away."""
        job = self.get_object()
        self._check_unchanged(job)
        ledger.delete_draft(job)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def submit(self, request: Request, **kwargs: Any) -> Response:
        """Ask for the video of a draft, which costs its price."""
        return self._spend(VideoJob.submit)

    def resubmit(self, request: Request, **kwargs: Any) -> Response:
        """Ask once more for the video of a failed or cancelled job, which costs once more."""
        return self._spend(VideoJob.resubmit)

    def cancel(self, request: Request, **kwargs: Any) -> Response:
        """Wish the job cancelled; Krea may still complete it."""
        return self._ask(VideoJob.cancel)

    def sync(self, request: Request, **kwargs: Any) -> Response:
        """Have a worker look now."""
        return self._ask(VideoJob.sync, cooldown_seconds=conf.API_SYNC_COOLDOWN_SECONDS)

    def _read(self, known: tuple[str, ...], *stored: VideoJob, partial: bool = False) -> Any:
        """Return the fields of the body, which are valid for a new job or for the one stored."""
        body = read_body(self.request, known=known)
        serializer = self.get_serializer(*stored, data=body, partial=partial)
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data

    def _change(self, *, partial: bool) -> Response:
        job = self.get_object()
        changes = self._read(DraftSerializer.Meta.fields, job, partial=partial)
        self._check_unchanged(job)
        ledger.change_draft(job, changes)
        return self._show(job.pk, status.HTTP_200_OK)

    def _ask(self, verb: Callable[..., object], **options: Any) -> Response:
        job = self.get_object()
        read_body(self.request, known=())
        return self._carry_out(job, verb, **options)

    def _spend(self, verb: Callable[..., object]) -> Response:
        job = self.get_object()
        limit = self._read(("max_price_usd",))

        def write() -> Response:
            return self._carry_out(job, verb, **limit)

        return answer_once(self.request, write, limit, spends=True)

    def _carry_out(self, job: VideoJob, verb: Callable[..., object], **options: Any) -> Response:
        self._check_unchanged(job)
        verb(job, actor=self.actor(), source=JobEvent.Source.API, **options)
        return self._show(job.pk, status.HTTP_202_ACCEPTED)

    def _check_unchanged(self, job: VideoJob) -> None:
        """Refuse a condition that does not hold of the job as a GET shows it."""
        self.check_condition(lambda: self._facts(job))

    def _facts(self, job: VideoJob) -> dict[str, Any]:
        # A plain dict: the browsable API would show the serializer of an answer as its form.
        return dict(VideoJobSerializer(job, context=self.get_serializer_context()).data)

    def _show(self, job_id: uuid.UUID, code: int) -> Response:
        """Show the job as it was written, with its address."""
        job = whole_job(VideoJob.objects.using(VideoJob.database()), job_id)
        if job is None:  # a draft, and thrown away the moment after
            raise NotFound
        headers = {"Location": self._address(job)}
        if code == status.HTTP_202_ACCEPTED:
            headers |= _when(retry_after(job, usual_seconds(job)))
        return Response(self._facts(job), status=code, headers=headers)

    def _address(self, job: VideoJob) -> str:
        # Wherever the host put us: a namespace within its own, arguments before ours.
        match = cast(ResolverMatch, self.request.resolver_match)
        name = ":".join([*match.namespaces, "job-detail"])
        path = reverse(name, kwargs={**self.kwargs, "pk": job.pk})
        return self.request.build_absolute_uri(path)


def _when(seconds: int | None) -> dict[str, str]:
    return {} if seconds is None else {"Retry-After": str(seconds)}
