"""What the API shows."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar

from django.db import models
from django.utils.functional import cached_property
from rest_framework import serializers

from hailuo_django.budget import Balance
from hailuo_django.models import REQUEST_FIELDS, JobEvent, Submission, VideoJob
from hailuo_django.states import Status

from .fields import MomentField, TextOrNullField, USDField
from .waiting import Hint, reason_to_wait

Row = TypeVar("Row", bound=models.Model)


class RowSerializer(serializers.ModelSerializer[Row]):
    """A row whose times are told as every other time here.

    It is shown, never written: what DRF would find out about the fields anew, some for each page
    and some for each row of it, is found out once. A page of jobs takes a sixth less.
    """

    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.DateTimeField: MomentField,
    }

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return a field for each fact."""
        return deepcopy(_fields(type(self)))

    @cached_property
    def _shown(self) -> list[tuple[str, Callable[[Row], Any], Callable[[Any], Any]]]:
        return [
            (
                str(field.field_name),
                attrgetter(str(field.source))
                if len(field.source_attrs) == 1
                else field.get_attribute,
                field.to_representation,
            )
            for field in self._readable_fields
        ]

    def to_representation(self, instance: Row) -> dict[str, Any]:
        """Return the facts of the row by their names."""
        facts: dict[str, Any] = {}
        for name, read, show in self._shown:
            value = read(instance)
            facts[name] = None if value is None else show(value)
        return facts


@cache
def _fields(kind: type[RowSerializer[Any]]) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
    return super(RowSerializer, kind()).get_fields()


class SubmissionSerializer(RowSerializer[Submission]):
    """One try upstream, without what is about the account, the worker or Krea's raw words."""

    price_usd = USDField()
    failure_code = TextOrNullField()

    class Meta:
        model = Submission
        fields = (
            "number",
            "status",
            "price_usd",
            "krea_job_id",
            "failure_code",
            "created_at",
            "sent_at",
            "cancel_requested_at",
            "ended_at",
        )
        read_only_fields = fields


class AdvisedSerializer(RowSerializer[VideoJob]):
    """What a request costs, and what is worth knowing before."""

    price_usd = USDField()
    advice = serializers.SerializerMethodField()

    def get_advice(self, job: VideoJob) -> list[Hint]:
        """Return the hints about this request; none is a refusal."""
        return [Hint(code=one.code, message=one.message) for one in job.advice()]


class QuoteSerializer(AdvisedSerializer):
    """One request that is priced."""

    class Meta:
        model = VideoJob
        fields = ("price_usd", "advice")


class BalanceSerializer(serializers.Serializer[Balance]):
    """How much there is room for under one cap, and until when."""

    cap = serializers.CharField()
    room_usd = USDField()
    resets_at = MomentField()


class VideoJobSerializer(AdvisedSerializer):
    """A job with everything its owner may know.

    ``failure_code``, ``error`` and ``video_url`` are null while there is none; ``video_url``
    also where the result lies on a host that the site did not name.
    """

    spent_usd = USDField()
    waiting = serializers.SerializerMethodField()
    expected_at = MomentField(allow_null=True)
    video_url = TextOrNullField()
    failure_code = TextOrNullField()
    error = serializers.SerializerMethodField()
    submissions = SubmissionSerializer(many=True)

    class Meta:
        model = VideoJob
        fields = (
            "id",
            "status",
            *REQUEST_FIELDS,
            "reference",
            "price_usd",
            "spent_usd",
            "advice",
            "waiting",
            "expected_at",
            "video_url",
            "failure_code",
            "error",
            "submissions",
            "created_at",
            "submitted_at",
            "completed_at",
        )
        read_only_fields = fields

    def get_waiting(self, job: VideoJob) -> Hint | None:
        """Return why nothing moves; null while all goes its way."""
        return reason_to_wait(job)

    def get_error(self, job: VideoJob) -> Hint | None:
        """Return Krea's own words about why the job failed; null where it gave none."""
        submission = job.latest_submission
        if job.status != Status.FAILED or submission is None:
            return None
        error = Hint(code=submission.error_code, message=submission.error_message)
        return error if any(error.values()) else None


class JobEventSerializer(RowSerializer[JobEvent]):
    """One line of the history. Its detail may speak of the account, so owners do not get it."""

    submission = serializers.IntegerField(source="submission.number", allow_null=True)

    class Meta:
        model = JobEvent
        fields: tuple[str, ...] = (
            "created_at",
            "source",
            "action",
            "submission",
            "from_status",
            "to_status",
        )
        read_only_fields = fields


class StaffJobEventSerializer(JobEventSerializer):
    """The same line for staff, with its detail."""

    class Meta(JobEventSerializer.Meta):
        fields = (*JobEventSerializer.Meta.fields, "detail")
