"""The settings of a small site with hailuo_django: a model for your own.

What differs between machines comes from the environment. ``manage.py demo`` hands these
variables down to the processes that it starts:

HAILUO_DEMO_DIR           the directory of the database; default: the one of manage.py
HAILUO_DEMO_SECRET_KEY    default: a key that protects nothing
HAILUO_DEMO_DEBUG         1 turns DEBUG on
HAILUO_DEMO_KREA_URL      default: where ``manage.py hailuo_sandbox`` listens
HAILUO_DEMO_KREA_TOKEN    default: the one that the sandbox takes
HAILUO_DEMO_WEBHOOK_URL   where Krea reaches this site; empty: every job is polled;
                          default: where ``manage.py runserver`` listens
HAILUO_DEMO_POLL_SECONDS  the shortest time between two polls; default: that of hailuo_django

So ``manage.py`` works without the demo as well: run ``hailuo_sandbox``, ``qcluster`` and
``runserver`` (with HAILUO_DEMO_DEBUG=1) in three terminals.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hailuo_django import __version__

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = os.environ.get("HAILUO_DEMO_SECRET_KEY", "django-insecure-for-this-machine-alone")
DEBUG = os.environ.get("HAILUO_DEMO_DEBUG") == "1"
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",  # for the API's pages in a browser
    "django_q",  # does the work; without it, run ``hailuo_sweep`` from cron
    "hailuo_django",
    "example_project",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "example_project.urls"
WSGI_APPLICATION = "example_project.wsgi.application"
STATIC_URL = "static/"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"

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

# Web process and workers write at the same time. With WAL they do not wait for readers, and
# with IMMEDIATE a transaction waits for its turn at its beginning, where waiting is possible.
# With FULL a commit is on the disk before anything is sent to Krea because of it.
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": Path(os.environ.get("HAILUO_DEMO_DIR", BASE_DIR), "db.sqlite3"),
        "OPTIONS": {
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Cookies know no ports: these leave other sites on this machine signed in.
SESSION_COOKIE_NAME = "hailuo_demo_session"
CSRF_COOKIE_NAME = "hailuo_demo_csrf"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

# ``retry`` is for how long a task belongs to a worker, from being fetched on: the tasks
# before it in the queue, its own ``timeout``, and three seconds for its end have to fit.
Q_CLUSTER = {
    "name": "hailuo_demo",
    "orm": "default",
    "workers": 2,
    "queue_limit": 2,
    "bulk": 1,
    "timeout": 90,
    "retry": 300,
    "catch_up": False,
}

HAILUO: dict[str, Any] = {
    "KREA_BASE_URL": os.environ.get("HAILUO_DEMO_KREA_URL", "http://127.0.0.1:8765"),
    "KREA_API_TOKEN": os.environ.get("HAILUO_DEMO_KREA_TOKEN", "sandbox-token"),
    "WEBHOOK_BASE_URL": os.environ.get("HAILUO_DEMO_WEBHOOK_URL", "http://127.0.0.1:8000"),
    "RESULT_HOSTS": ["gen.krea.ai", "127.0.0.1"],  # the second is the sandbox
}
if "HAILUO_DEMO_POLL_SECONDS" in os.environ:
    HAILUO["POLL_INTERVAL_SECONDS"] = float(os.environ["HAILUO_DEMO_POLL_SECONDS"])

# The description of the API needs the extra ``hailuo_django[openapi]``.
if find_spec("drf_spectacular"):
    INSTALLED_APPS += ["drf_spectacular"]
    REST_FRAMEWORK = {"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"}
    SPECTACULAR_SETTINGS = {
        "TITLE": "hailuo_django",
        "DESCRIPTION": "Videos by MiniMax's Hailuo 02: asked for now, done in minutes, paid once.",
        "VERSION": __version__,
        "LICENSE": {"name": "MIT"},
        "OAS_VERSION": "3.1.0",
        "SERVE_INCLUDE_SCHEMA": False,
    }

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "django-q": {"level": "INFO"},
        "hailuo_django": {"level": "INFO"},
        # Its messages go to the root, whatever DEBUG says.
        "django": {"handlers": [], "level": "INFO"},
    },
}
