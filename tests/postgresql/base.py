"""PostgreSQL as Django has it, but that tables are emptied row by row between the tests.

TRUNCATE makes new files of every table and index, which takes far longer than deleting the few
rows that a test has written.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.backends.postgresql import base, operations


class DatabaseOperations(operations.DatabaseOperations):
    def sql_flush(self, style: Any, tables: Sequence[str], **options: Any) -> list[str]:
        # Foreign keys are looked at when the transaction ends: any order will do.
        return [f"DELETE FROM {self.quote_name(table)}" for table in tables]  # noqa: S608


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class = DatabaseOperations
