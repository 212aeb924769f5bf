"""The site that the tests run in; the other settings modules change its servers only.

Everything that one run of the tests leaves on disk lies in ``TEST_DIR``. Its name is handed
down in the environment, so that the processes which tests start (clusters, management
commands) work on the same database as the tests themselves.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

TEST_DIR = Path(
    os.environ.setdefault(
        "HAILUO_TEST_DIR", str(Path(tempfile.gettempdir(), f"hailuo-tests-{os.getpid()}"))
    )
)


def sqlite(name: str) -> dict[str, Any]:
    """A SQLite database in a file, which threads and other processes can open as well."""
    path = str(TEST_DIR / f"{name}.sqlite3")
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "OPTIONS": {
            # A site needs FULL. Here nobody cuts the power, and what a killed process has
            # committed stays: no test has to wait for the disk.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;",
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
        },
        # Else Django makes it after ``default``, which settings_multidb.py leaves empty.
        "TEST": {"NAME": path, "DEPENDENCIES": []},
    }


DATABASES: dict[str, dict[str, Any]] = {"default": sqlite("default")}
SILENCED_SYSTEM_CHECKS = ["hailuo_django.W030"]  # synchronous=OFF, see above
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

SECRET_KEY = "the key of the tests, which opens nothing"
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "testserver"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Django 6.1 wants it said; the tests' own runner puts a mailbox in its place.
MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
ROOT_URLCONF = "tests.urls"
STATIC_URL = "static/"
USE_TZ = True

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.admin",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_q",
    "hailuo_django",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

Q_CLUSTER: dict[str, Any] = {
    "name": "hailuo_django_tests",
    "orm": "default",
    "workers": 2,
    "queue_limit": 2,
    "bulk": 1,
    "timeout": 90,
    "retry": 300,
    "catch_up": False,
}

HAILUO: dict[str, Any] = {
    "KREA_API_TOKEN": "krea-token-of-the-tests",
    # Nobody listens there: a test that forgets its sandbox cannot reach Krea.
    "KREA_BASE_URL": "http://127.0.0.1:9",
}
