"""Searching jobs: by their whole names, found by index; in prompts only where that is asked for.

A part of a prompt is found by reading prompts. So that this takes as long in a few years as
today, no more than ``MAX_PROMPTS`` of them are read.
"""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import ClassVar

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import Exists, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from hailuo_django.models import Submission, VideoJob

from .base import HailuoAdmin

PREFIX = "prompt:"
MAX_PROMPTS = 10_000
MAX_WORDS_LENGTH = 500
"""Of what is looked for in prompts, in characters; SQLite takes no pattern of any length."""

Jobs = QuerySet[VideoJob]


class SearchMixin(HailuoAdmin):
    """Finds jobs by id, Krea job id, reference, owner's name, or a part of a recent prompt.

    ``search_fields`` of a subclass are searched besides, as Django does: by reading every row
    where they are not exact.
    """

    search_fields: ClassVar[list[str] | tuple[str, ...]] = ("reference__exact",)
    search_help_text = gettext_lazy(
        "A whole id, Krea job id, reference or username."
        " Or “prompt:” and a part of the prompt, for the newest 10,000 jobs."
    )

    def get_search_results(
        self, request: HttpRequest, queryset: Jobs, search_term: str
    ) -> tuple[Jobs, bool]:
        """Return what is found among the jobs of ``queryset``."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if looks_in_prompts(term):
            return with_prompt(queryset, term[len(PREFIX) :].strip()), False
        found = named(queryset, term)
        if set(self.get_search_fields(request)) - set(SearchMixin.search_fields):
            rows, _duplicates = super().get_search_results(request, queryset, search_term)
            found |= Q(pk__in=rows.order_by().values("pk"))
        return queryset.filter(found), False


def looks_in_prompts(term: str) -> bool:
    """Tell whether prompts are to be searched."""
    return term.strip().lower().startswith(PREFIX)


def in_prompts(term: str) -> str:
    """Return what has to be typed to look for ``term`` in prompts."""
    return f"{PREFIX} {term.strip()}"


def named(jobs: Jobs, term: str) -> Q:
    """Return what holds for the jobs that ``term`` is a whole name of, or that of their owner."""
    # A single value, as "=" takes it, can be looked up by index beside the other conditions.
    krea = Submission.objects.filter(krea_job_id=term).order_by().values("job")[:1]
    found = Q(reference=term) | Q(pk=Subquery(krea))
    with suppress(ValueError):  # no id
        found |= Q(pk=uuid.UUID(term))
    owner, has_others = owner_named(term, jobs.db, Exists(VideoJob.objects.filter(found)))
    if owner is None:
        return found
    # An index has the jobs of one owner in order; of whatever else is found it has not.
    return found | Q(owner=owner) if has_others else Q(owner=owner)


def owner_named(name: str, alias: str, others: Exists) -> tuple[object, bool]:
    """Return the key of the user who logs in with ``name``, or None, and what ``others`` says."""
    users = get_user_model()._base_manager.using(alias).annotate(others=others)
    try:
        [found] = users.filter(**{get_user_model().USERNAME_FIELD: name}).values_list(
            "pk", "others"
        )
        return found
    except (ValueError, ValidationError):  # nobody; or users have numbers for names
        return None, False


def with_prompt(jobs: Jobs, words: str) -> Jobs:
    """Return those of the newest ``MAX_PROMPTS`` of ``jobs`` whose prompt contains ``words``."""
    if not words or len(words) > MAX_WORDS_LENGTH:
        return jobs.none()
    newest = jobs.order_by("-created_at", "-pk").values_list("created_at", "pk")
    for created_at, key in newest[MAX_PROMPTS - 1 : MAX_PROMPTS]:
        jobs = jobs.filter(created_at__gte=created_at).exclude(created_at=created_at, pk__lt=key)
    return jobs.filter(prompt__icontains=words)
