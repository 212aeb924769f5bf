"""The tests' addresses, and the bare view to compare with."""

from __future__ import annotations

import json

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from hailuo_django.models import Submission
from tests.urls import urlpatterns as site


@csrf_exempt
def bare(request: HttpRequest) -> HttpResponse:
    """The least a webhook can do: one UPDATE by key."""
    body = json.loads(request.body)
    Submission.objects.filter(krea_job_id=body["job_id"]).update(status=body["status"])
    return HttpResponse()


urlpatterns = [*site, path("bare/", bare)]
