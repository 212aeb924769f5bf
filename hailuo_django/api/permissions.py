"""Who may do what with which job: the same rule for every path of the API.

A signed-in user reads the jobs they own; what costs money, changes or ends a job takes a
permission of its own. Staff who hold the permission reach everybody's jobs. Somebody else's job
does not exist for anyone else, whichever right they hold.

A site with another rule, of teams or of service accounts, names its own permission classes in
``HAILUO["API_PERMISSION_CLASSES"]`` (what may be done) and its own ``HAILUO["API_QUERYSET"]``
(with which jobs).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from hailuo_django.conf import conf
from hailuo_django.models import VideoJob
from hailuo_django.models.querysets import VideoJobQuerySet

if TYPE_CHECKING:
    # DRF's views import what its settings name, and that may be a module with a class of ours.
    from rest_framework.views import APIView

PERMISSIONS = {
    "create": "hailuo_django.add_videojob",
    "update": "hailuo_django.change_videojob",
    "partial_update": "hailuo_django.change_videojob",
    "destroy": "hailuo_django.delete_videojob",
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

    def may(self, user: Any, action: str) -> bool:
        """Tell whether a signed-in user may take ``action``; a site's own rule overrides this."""
        return action not in PERMISSIONS or _holds(user, PERMISSIONS[action])

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Let signed-in users in; creating a job is asked about at once."""
        if not is_signed_in(request.user):
            return False
        return _action(view) != "create" or self.may(request.user, "create")

    def has_object_permission(self, request: Request, view: APIView, obj: Any) -> bool:
        """Ask about the action that is taken on the job."""
        return self.may(request.user, _action(view))


def reachable_jobs(user: Any, action: str) -> VideoJobQuerySet:
    """Return the jobs that exist for ``user``: their own, and for staff with the right all.

    The default of ``HAILUO["API_QUERYSET"]``. A visitor without an account owns nothing, also
    not the jobs that have no owner.
    """
    jobs = VideoJob.objects.all()
    if sees_all(user):
        return jobs
    if _is_staff(user) and action in PERMISSIONS and _holds(user, PERMISSIONS[action]):
        return jobs
    return jobs.owned_by(user) if is_signed_in(user) else jobs.none()


def jobs_for(user: Any, action: str) -> VideoJobQuerySet:
    """Return the jobs that exist for ``user`` by the site's rule, each once.

    Raises ImproperlyConfigured for what cannot be filtered any more.
    """
    found: VideoJobQuerySet = import_string(conf.API_QUERYSET)(user, action)
    if found.query.is_sliced or found.query.combinator:
        raise ImproperlyConfigured(
            f"{conf.API_QUERYSET} has to return jobs that can be filtered: no slice, and no"
            " union() of querysets; combine them by | instead."
        )
    if sum(map(bool, found.query.alias_refcount.values())) < 2:
        return found
    # A rule that joins may give a job once for each row that it meets.
    once = found.using(None).order_by().values("pk")
    return VideoJob.objects.using(found.db).filter(pk__in=once)


def sees_all(user: Any) -> bool:
    """Tell whether ``user`` is staff that may read everybody's jobs, with what staff alone sees."""
    return _is_staff(user) and _holds(user, VIEW)


def is_signed_in(user: Any) -> bool:
    """Tell whether ``user`` is a person; DRF may be set up to give visitors as None."""
    return user is not None and bool(user.is_authenticated)


def _is_staff(user: Any) -> bool:
    return is_signed_in(user) and bool(getattr(user, "is_staff", False))


def _holds(user: Any, permission: str) -> bool:
    # A user model of the site's may know no permissions.
    has_perm = getattr(user, "has_perm", None)
    return bool(has_perm and has_perm(permission))


def _action(view: APIView) -> str:
    # None where the path does not know the method, which the view answers with 405 itself.
    return getattr(view, "action", None) or ""
