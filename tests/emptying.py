"""How a test that commits leaves the databases to the next one: with the rows of ``migrate`` only.

Django truncates every table, and then makes all permissions and content types anew. That takes as
long as many a test; deleting the few rows that there are takes a tenth of it.
"""

from __future__ import annotations

from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connections, transaction
from django.test import TransactionTestCase

KEPT = {Permission._meta.db_table, ContentType._meta.db_table}


def delete_rows(test: TransactionTestCase) -> None:
    """Delete what the test has committed, in every database that it was given."""
    models = [model for model in apps.get_models(include_auto_created=True) if model._meta.managed]
    for alias in test._databases_names(include_mirrors=False):  # type: ignore[attr-defined]
        connection = connections[alias]
        there = set(connection.introspection.table_names())
        tables = {model._meta.db_table for model in models} & there - KEPT
        # Foreign keys are looked at in the end, so that any order does.
        with transaction.atomic(using=alias), connection.cursor() as cursor:
            for table in sorted(tables):
                cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")  # noqa: S608
