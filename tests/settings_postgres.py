"""The tests' site on PostgreSQL: the server given in the environment, else one of our own."""

from __future__ import annotations

import os

from tests.settings import *

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        # Without a server given, tests/conftest.py starts one whose socket lies here.
        "HOST": os.environ.get("HAILUO_TEST_POSTGRES_HOST", str(TEST_DIR / "pg")),
        "PORT": os.environ.get("HAILUO_TEST_POSTGRES_PORT", "5432"),
        "USER": os.environ.get("HAILUO_TEST_POSTGRES_USER", "postgres"),
        "PASSWORD": os.environ.get("HAILUO_TEST_POSTGRES_PASSWORD", ""),
        "NAME": "test_hailuo_django",
        "TEST": {"NAME": "test_hailuo_django"},
    }
}
