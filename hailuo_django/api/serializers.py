"""What the API shows."""

from __future__ import annotations

from typing import TypeVar

from django.db import models
from rest_framework import serializers

from hailuo_django.budget import Balance
from hailuo_django.models import REQUEST_FIELDS, JobEvent, Submission, VideoJob
from hailuo_django.states import Status

from .fields import MomentField, TextOrNullField, USDField
from .waiting import Hint, reason_to_wait

Row = TypeVar("Row", bound=models.Model)


class RowSerializer(serializers.ModelSerializer[Row]):
    """A row whose times are told as every other time here."""

    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.DateTimeField: MomentField,
    }


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
