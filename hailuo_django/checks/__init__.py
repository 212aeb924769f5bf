"""System checks of the ``HAILUO`` setting and of the site around it.

They look at settings only, never at tables. ``docs/settings.md`` lists every id; an id keeps
its meaning, so that ``SILENCED_SYSTEM_CHECKS`` may name it.
"""

from __future__ import annotations

from django.core import checks

from .cluster import check_cluster
from .deployment import check_database, check_deployment
from .site import check_site
from .values import check_setting

TAG = "hailuo_django"


def register() -> None:
    """Register all of our checks under the tag ``hailuo_django``."""
    checks.register(check_setting, TAG)
    checks.register(check_site, TAG)
    for check in (check_deployment, check_database, check_cluster):
        checks.register(check, TAG, deploy=True)
