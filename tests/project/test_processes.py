"""Processes that tests start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.auth.models import User

import hailuo_django

MANAGE = Path(__file__).parents[2] / "manage.py"
REPORT = """
import hailuo_django
from django.contrib.auth.models import User
print(hailuo_django.__file__, User.objects.get().username)
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("entrance", [[str(MANAGE)], ["-m", "django"]], ids=["manage.py", "django"])
def test_they_see_the_package_and_the_database_of_the_tests(
    entrance: list[str],
) -> None:
    User.objects.create(username="operator")
    done = subprocess.run(
        [sys.executable, *entrance, "shell", "--verbosity", "0", "--command", REPORT],
        capture_output=True,
        check=True,
        cwd=MANAGE.parent,
        text=True,
    )
    assert done.stdout.split() == [hailuo_django.__file__, "operator"]
