"""Charts as SVG: pure functions from numbers and words to markup.

They know no rows, no settings and no language. Colours, patterns' colours and sizes of
letters are classes of ``hailuo_django/overview.css``, which takes them from the admin's theme;
shares of a column differ by pattern as well. Each chart is one picture to a screen reader,
with a title and a summary: the figures themselves belong into a table beside it.
"""

from __future__ import annotations

from .columns import Limit, Series, columns
from .ranges import Range, ranges
from .svg import Look, swatch

__all__ = ["Limit", "Look", "Range", "Series", "columns", "ranges", "swatch"]
