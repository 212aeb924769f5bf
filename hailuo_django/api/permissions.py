"""Who may do what with which job: the same rule for every path of the API.

A signed-in user reads the jobs they own; what costs money or ends a job takes a permission of
its own. Staff who hold the permission reach everybody's jobs. Somebody else's job does not
exist for anyone else, whichever right they hold.
"""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from hailuo_django.models import VideoJob
from hailuo_django.models.querysets import VideoJobQuerySet

PERMISSIONS = {
    "create": "hailuo_django.add_videojob",
    "submit": "hailuo_django.submit_videojob",
    "resubmit": "hailuo_django.submit_videojob",
    "cancel": "hailuo_django.cancel_videojob",
}
"""The permission that an action takes on one's own jobs; what is not named here is reading."""

VIEW = "hailuo_django.view_videojob"


class VideoJobPermissions(BasePermission):
    """The default of ``HAILUO["API_PERMISSION_CLASSES"]``.

    The view asks about ``create`` before it reads the request, and about every other action
    once it has found the job, so that somebody else's is a 404 and never a 403.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Let signed-in users in; creating a job takes ``add_videojob``."""
        if not is_signed_in(request.user):
            return False
        return _action(view) != "create" or _may(request.user, "create")

    def has_object_permission(self, request: Request, view: APIView, obj: Any) -> bool:
        """Ask for the permission that the action takes."""
        return _may(request.user, _action(view))


def reachable_jobs(user: Any, action: str) -> VideoJobQuerySet:
    """Return the jobs that exist for ``user``: their own, and for staff with the right all.

    Permission classes cannot widen this. A visitor without an account owns nothing, also
    not the jobs that have no owner.
    """
    jobs = VideoJob.objects.all()
    if sees_all(user) or (_is_staff(user) and action in PERMISSIONS and _may(user, action)):
        return jobs
    return jobs.owned_by(user) if is_signed_in(user) else jobs.none()


def sees_all(user: Any) -> bool:
    """Tell whether ``user`` is staff that may read everybody's jobs, with what staff alone sees."""
    return _is_staff(user) and bool(user.has_perm(VIEW))


def is_signed_in(user: Any) -> bool:
    """Tell whether ``user`` is a person; DRF may be set up to give visitors as None."""
    return user is not None and bool(user.is_authenticated)


def _is_staff(user: Any) -> bool:
    return is_signed_in(user) and bool(getattr(user, "is_staff", False))


def _may(user: Any, action: str) -> bool:
    return action not in PERMISSIONS or bool(user.has_perm(PERMISSIONS[action]))


def _action(view: APIView) -> str:
    # None where the path does not know the method, which the view answers with 405 itself.
    return getattr(view, "action", None) or ""
