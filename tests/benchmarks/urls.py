"""The tests' addresses, and the bare views to compare with."""

from __future__ import annotations

import json

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from hailuo_django.api.serializers import SubmissionSerializer
from hailuo_django.models import Submission, VideoJob
from tests.urls import urlpatterns as site


@csrf_exempt
def bare(request: HttpRequest) -> HttpResponse:
    """The least a webhook can do: one UPDATE by key."""
    body = json.loads(request.body)
    Submission.objects.filter(krea_job_id=body["job_id"]).update(status=body["status"])
    return HttpResponse()


def limit(request: HttpRequest) -> JsonResponse:
    """The least a list can do: the newest 50 jobs and their submissions, as they stand."""
    columns = [field.attname for field in VideoJob._meta.fields]
    jobs = {
        job["id"]: job
        for job in VideoJob.objects.order_by("-created_at", "-id").values(*columns)[:50]
    }
    for submission in Submission.objects.filter(job__in=jobs).values(*SUBMISSION):
        jobs[submission["job_id"]].setdefault("submissions", []).append(submission)
    return JsonResponse({"results": [*jobs.values()]})


SUBMISSION = ("job_id", *SubmissionSerializer.Meta.fields)

urlpatterns = [*site, path("bare/", bare), path("limit/", limit)]
