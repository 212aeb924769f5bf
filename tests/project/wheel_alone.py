"""The wheel in an environment that holds its own dependencies and nothing else.

Run by the tox environment ``wheel``, without pytest, which would be something else.
"""

from __future__ import annotations

import os
import pkgutil
import subprocess
import sys
import tempfile
import unittest
from importlib import import_module, metadata
from pathlib import Path, PurePath

CHECKOUT = Path(__file__).parents[2]
SITE = """
SECRET_KEY = "the key of a smoke test"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "site.sqlite3"}}
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.admin",
    "hailuo_django",
    # more
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [{
    "BACKEND": "django.template.backends.django.DjangoTemplates",
    "APP_DIRS": True,
    "OPTIONS": {"context_processors": [
        "django.template.context_processors.request",
        "django.contrib.auth.context_processors.auth",
        "django.contrib.messages.context_processors.messages",
    ]},
}]
HAILUO = {"KREA_API_TOKEN": "a-token"}
Q_CLUSTER = {"name": "site", "orm": "default", "timeout": 90, "retry": 300}
ROOT_URLCONF = "site_urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
"""
SITE_URLS = """
from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("hailuo/", include("hailuo_django.urls")),
    path("api/", include("hailuo_django.api.urls")),
]
"""


class WheelAlone(unittest.TestCase):
    """What somebody gets who installs the wheel and nothing more."""

    def test_it_declares_four_dependencies(self) -> None:
        declared = metadata.requires("hailuo_django") or []
        needed = {text.split(">")[0].strip() for text in declared if "extra ==" not in text}
        self.assertEqual(needed, {"django", "djangorestframework", "django-q2", "requests"})

    def test_it_holds_the_package_and_nothing_beside_it(self) -> None:
        tops = {path.parts[0] for path in self.installed()}
        self.assertEqual({top for top in tops if not top.endswith(".dist-info")}, {"hailuo_django"})

    def test_it_holds_every_file_of_the_package(self) -> None:
        source = CHECKOUT / "hailuo_django"
        expected = {
            PurePath(path.relative_to(CHECKOUT))
            for path in source.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        packaged = {path for path in self.installed() if path.parts[0] == "hailuo_django"}
        self.assertEqual(packaged, expected)
        for needed in ("py.typed", "migrations/__init__.py"):
            self.assertIn(PurePath("hailuo_django", needed), packaged)

    def test_a_small_site_passes_its_checks_and_migrates(self) -> None:
        self.try_site(SITE)

    def test_so_does_one_with_the_rest_framework_and_the_task_queue_installed(self) -> None:
        self.try_site(SITE.replace("# more", '"rest_framework", "django_q",'))

    def try_site(self, settings: str) -> None:
        with tempfile.TemporaryDirectory() as directory:
            Path(directory, "site_settings.py").write_text(settings)
            Path(directory, "site_urls.py").write_text(SITE_URLS)
            self.django(directory, "check", "--fail-level", "ERROR")
            self.django(directory, "migrate", "--verbosity", "0")
            self.django(directory, "makemigrations", "hailuo_django", "--check", "--dry-run")
            self.django(directory, "shell", "-c", IMPORT_EVERYTHING)

    def django(self, directory: str, *arguments: str) -> None:
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "site_settings",
            "PYTHONPATH": directory,
        }
        command = [sys.executable, "-W", "error", "-m", "django", *arguments]
        done = subprocess.run(
            command, cwd=directory, env=environment, capture_output=True, text=True
        )
        self.assertEqual(done.returncode, 0, f"{arguments}\n{done.stdout}{done.stderr}")

    def installed(self) -> list[PurePath]:
        files = metadata.files("hailuo_django") or []
        return [PurePath(path) for path in files if "__pycache__" not in path.parts]


IMPORT_EVERYTHING = f"""
import sys
sys.path.append({str(Path(__file__).parent)!r})
from wheel_alone import import_everything
import_everything()
"""


def import_everything() -> None:
    """Import each module of the package, but for what a host opts into with what it needs."""
    opted = ("hailuo_django.testing.fixtures", "hailuo_django.api.openapi.")
    package = import_module("hailuo_django")
    for module in pkgutil.walk_packages(package.__path__, "hailuo_django."):
        if not module.name.startswith(opted):
            import_module(module.name)


if __name__ == "__main__":
    unittest.main()
