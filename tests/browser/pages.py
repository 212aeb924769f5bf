"""Every page of ours: what it is called, and how to get there.

A new page is one line here. ``test_pages.py`` then looks at it in all ways.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import reverse

from tests.admin.pages import page_of

from .stage import HOSTILE, Stage


def admin_page(name: str, *keys: Any) -> str:
    """The address of a page in the admin of this app, such as ``videojob_changelist``."""
    return reverse(f"admin:hailuo_django_{name}", args=keys)


def _list(name: str, *rows: Any) -> str:
    """The address of a list with rows."""
    assert all(rows)
    return admin_page(f"{name}_changelist")


def _overview(*rows: Any) -> str:
    """The address of the overview, where there is something to see."""
    assert all(rows)
    return admin_page("videojob_overview")


PAGES: dict[str, Callable[[Stage], str]] = {
    "the app": lambda stage: reverse("admin:app_list", args=["hailuo_django"]),
    "the empty list": lambda stage: admin_page("videojob_changelist"),
    "the list": lambda stage: _list("videojob", *stage.everything()),
    "a filtered list": lambda stage: f"{_list('videojob', *stage.everything())}?status=live",
    "a list that was searched": lambda stage: (
        f"{_list('videojob', *stage.everything())}?q=fog&created=today"
    ),
    "a search in prompts": lambda stage: f"{_list('videojob', *stage.everything())}?q=prompt:+fog",
    "a duplicate": lambda stage: f"{admin_page('videojob_add')}?original={stage.draft(HOSTILE).pk}",
    "the empty overview": lambda stage: admin_page("videojob_overview"),
    "the overview": lambda stage: _overview(*stage.month(), *stage.everything()),
    "a new job": lambda stage: admin_page("videojob_add"),
    "a draft": lambda stage: page_of(stage.draft(HOSTILE)),
    "a job that waits": lambda stage: page_of(stage.unsent()),
    "a running job": lambda stage: page_of(stage.running()),
    "a completed job": lambda stage: page_of(stage.completed()),
    "a failed job": lambda stage: page_of(stage.failed(HOSTILE)),
    "a job with two submissions": lambda stage: page_of(stage.resubmitted(HOSTILE)),
    "what submitting costs": lambda stage: admin_page("videojob_batch", stage.proposal().pk),
    "a batch under way": lambda stage: admin_page("videojob_batch", stage.batch().pk),
    "batches": lambda stage: _list("batch", stage.proposal(), stage.batch()),
    "a lost answer": lambda stage: admin_page("videojob_reconcile", stage.lost(HOSTILE).pk, 1),
    "a job that a webhook named": lambda stage: admin_page(
        "videojob_reconcile", stage.named(HOSTILE).pk, 1
    ),
    "a job with a lost answer": lambda stage: page_of(stage.lost()),
    "deleting a job": lambda stage: page_of(stage.completed(HOSTILE), "delete"),
    "the history of a job": lambda stage: page_of(stage.completed(HOSTILE), "history"),
    "unknown upstream jobs": lambda stage: _list("stranger", stage.stranger()),
    "an unknown upstream job": lambda stage: admin_page("stranger_change", stage.stranger().pk),
    "no account yet": lambda stage: admin_page("kreaaccount_changelist"),
    "accounts": lambda stage: _list("kreaaccount", stage.paused()),
    "an account": lambda stage: admin_page("kreaaccount_change", stage.paused().pk),
    "heartbeats": lambda stage: _list("heartbeat", stage.completed()),
}
