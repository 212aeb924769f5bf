"""What the API takes and what it shows."""

from __future__ import annotations

from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from hailuo_django.models import REQUEST_FIELDS, JobEvent, Submission, VideoJob
from hailuo_django.pricing import DEFAULT_RESOLUTION, RESOLUTIONS, Advice
from hailuo_django.states import Status

from .fields import FlagField, SecondsField, TextOrNullField, USDField, WebAddressField


class VideoJobRequestSerializer(serializers.ModelSerializer[VideoJob]):
    """The six fields of Krea's endpoint, the site's ``reference``, and ``submit``."""

    start_image = WebAddressField(label=_("Start image"))
    end_image = WebAddressField(label=_("End image"))
    expand_prompt = FlagField(label=_("Expand prompt"))
    resolution = serializers.ChoiceField(
        label=_("Resolution"),
        choices=RESOLUTIONS,
        default=DEFAULT_RESOLUTION,
        initial=DEFAULT_RESOLUTION,
        # DRF's own words repeat the input.
        error_messages={
            "invalid_choice": format_lazy(_("Choose one of {names}."), names=", ".join(RESOLUTIONS))
        },
    )
    duration = SecondsField(label=_("Duration"))
    submit = FlagField(
        label=_("Submit"),
        write_only=True,
        help_text=_("Send it now, which costs money; else it stays a draft."),
    )

    class Meta:
        model = VideoJob
        fields = (*REQUEST_FIELDS, "reference", "submit")
        # What is paid for is what was written.
        extra_kwargs = {
            "prompt": {"trim_whitespace": False},
            "reference": {"trim_whitespace": False},
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Apply the model's own rules to the request, so that drafts keep to them as well."""
        fields = {name: value for name, value in attrs.items() if name != "submit"}
        VideoJob(**fields).clean_request()
        return attrs


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


class VideoJobSerializer(serializers.ModelSerializer[VideoJob]):
    """A job with everything its owner may know.

    ``failure_code``, ``error`` and ``video_url`` are null while there is none; ``video_url``
    also where the result lies on a host that the site did not name.
    """

    price_usd = USDField()
    spent_usd = USDField()
    advice = AdviceSerializer(many=True)
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
            "video_url",
            "failure_code",
            "error",
            "submissions",
            "created_at",
            "submitted_at",
            "completed_at",
        )
        read_only_fields = fields

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
