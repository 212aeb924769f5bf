"""What the API shows."""

from __future__ import annotations

from rest_framework import serializers

from hailuo_django.budget import Balance
from hailuo_django.models import REQUEST_FIELDS, JobEvent, Submission, VideoJob
from hailuo_django.pricing import Advice
from hailuo_django.states import Status

from .fields import TextOrNullField, USDField
from .waiting import reason_to_wait


class SubmissionSerializer(serializers.ModelSerializer[Submission]):
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


class AdviceSerializer(serializers.Serializer[Advice]):
    """One hint: ``code`` for programs, ``message`` for people."""

    code = serializers.CharField()
    message = serializers.CharField()


class QuoteSerializer(serializers.Serializer[VideoJob]):
    """What one request would cost, and what is worth knowing before."""

    price_usd = USDField()
    advice = AdviceSerializer(many=True)


class BalanceSerializer(serializers.Serializer[Balance]):
    """How much there is room for under one cap, and until when."""

    cap = serializers.CharField()
    room_usd = USDField()
    resets_at = serializers.DateTimeField()


class VideoJobSerializer(serializers.ModelSerializer[VideoJob]):
    """A job with everything its owner may know.

    ``failure_code``, ``error`` and ``video_url`` are null while there is none; ``video_url``
    also where the result lies on a host that the site did not name.
    """

    price_usd = USDField()
    spent_usd = USDField()
    advice = AdviceSerializer(many=True)
    waiting = serializers.SerializerMethodField()
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
            "video_url",
            "failure_code",
            "error",
            "submissions",
            "created_at",
            "submitted_at",
            "completed_at",
        )
        read_only_fields = fields

    def get_waiting(self, job: VideoJob) -> dict[str, str] | None:
        """Return why nothing moves; null while all goes its way."""
        return reason_to_wait(job)

    def get_error(self, job: VideoJob) -> dict[str, str] | None:
        """Return Krea's own words about why the job failed; null where it gave none."""
        submission = job.latest_submission
        if job.status != Status.FAILED or submission is None:
            return None
        error = {"code": submission.error_code, "message": submission.error_message}
        return error if any(error.values()) else None


class JobEventSerializer(serializers.ModelSerializer[JobEvent]):
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


class StaffJobEventSerializer(JobEventSerializer):
    """The same line for staff, with its detail."""

    class Meta(JobEventSerializer.Meta):
        fields = (*JobEventSerializer.Meta.fields, "detail")
