"""One page that tells whether it works: what needs attention, and the figures of a month.

``attention`` and ``standing`` read what is so now, ``figures`` what happened day by day, each
within ``scope``: the jobs that the reader's list shows. ``drawing`` puts figures in words and
charts; ``view`` is the page.
"""

from __future__ import annotations

from .view import OverviewMixin

__all__ = ["OverviewMixin"]
