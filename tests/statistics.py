"""What a database has learned of its rows, by which it plans its queries."""

from __future__ import annotations

from django.db import connections

from hailuo_django.models import VideoJob


def gather() -> None:
    """Let it learn, as PostgreSQL does by itself and few sites on SQLite ever do."""
    with connections[VideoJob.database()].cursor() as cursor:
        cursor.execute("ANALYZE")


def forget() -> None:
    """Let SQLite forget what it learned of the rows of another test."""
    connection = connections[VideoJob.database()]
    with connection.cursor() as cursor:
        if "sqlite_stat1" in connection.introspection.table_names(cursor):
            cursor.execute("DELETE FROM sqlite_stat1")
            cursor.execute("ANALYZE sqlite_schema")
