"""``hailuo_schedule install|remove|check``: plain words, and exit codes for scripts."""

from __future__ import annotations

from io import StringIO

import pytest
from django.conf import settings as site
from django.core.management import CommandError, call_command
from django_q.models import Schedule
from pytest_django import Settings

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_scheduled(db: None) -> None:
    Schedule.objects.all().delete()


def said(action: str) -> str:
    out = StringIO()
    call_command("hailuo_schedule", action, stdout=out)
    return out.getvalue()


def test_a_life() -> None:
    with pytest.raises(CommandError, match="hailuo_schedule install"):
        said("check")
    assert "is installed" in said("install")
    assert "already" in said("install")
    assert "is installed" in said("check")
    assert "is removed" in said("remove")
    assert "There was no schedule" in said("remove")
    assert not Schedule.objects.exists()


def test_the_timeout_of_before_is_named_until_it_is_installed_again(settings: Settings) -> None:
    said("install")
    settings.HAILUO = {**settings.HAILUO, "KREA_TIMEOUT_SECONDS": 120}
    with pytest.raises(CommandError, match="not as it should be"):
        said("check")
    assert "is installed" in said("install")
    assert "is installed" in said("check")


def test_any_other_word_is_refused() -> None:
    with pytest.raises(CommandError, match="invalid choice"):
        said("uninstall")


@pytest.mark.parametrize("action", ["install", "remove", "check"])
def test_without_the_task_queue_it_names_what_to_run(action: str, settings: Settings) -> None:
    settings.INSTALLED_APPS = [app for app in site.INSTALLED_APPS if app != "django_q"]
    with pytest.raises(CommandError, match="hailuo_sweep.*cron"):
        said(action)
