"""The package as its users get it."""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path

import pytest
from django.contrib.contenttypes.models import ContentType

import hailuo_django


@pytest.mark.skipif("TOX_ENV_NAME" not in os.environ, reason="tox installs the wheel")
def test_under_tox_the_suite_runs_against_the_installed_wheel() -> None:
    installed = Path(sysconfig.get_path("purelib"))
    assert Path(hailuo_django.__file__).is_relative_to(installed)


def test_the_package_says_that_it_is_typed() -> None:
    assert Path(hailuo_django.__file__).with_name("py.typed").is_file()


@pytest.mark.django_db
def test_the_database_of_the_tests_is_migrated() -> None:
    assert ContentType.objects.count()
