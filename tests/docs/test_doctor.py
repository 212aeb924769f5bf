"""The page about the doctor has every line that it can print."""

from __future__ import annotations

import re
from pathlib import Path

from django.core.management import load_command_class

from hailuo_django import doctor

from .pages import code, page, rows

CODE = re.compile(r'"((?:[a-z]+)\.[a-z_]+)"')
LEVELS = {"ok", "warning", "problem", "as the check's"}


def test_every_code_is_listed_once_with_its_level() -> None:
    sources = Path(doctor.__file__).parent.glob("*.py")
    printed = {found for source in sources for found in CODE.findall(source.read_text())}
    listed = [(code(row[0])[0], row[1]) for row in rows(page("doctor"), "| code |")]
    assert sorted(found for found, _ in listed) == sorted(printed)
    assert {level for _, level in listed} == LEVELS


def test_what_is_to_be_mended_has_its_fix() -> None:
    for _, level, found, fix in rows(page("doctor"), "| code |"):
        assert found
        assert bool(fix) or level == "ok"


def test_every_verdict_is_listed() -> None:
    parser = load_command_class("hailuo_django", "hailuo_doctor").create_parser("", "hailuo_doctor")
    [actions] = [one for one in parser._actions if isinstance(one.choices, dict)]
    assert isinstance(actions.choices, dict)
    listed = {code(row[0])[0].split()[1] for row in rows(page("doctor"), "| command |")}
    assert listed | {"orphans"} == set(actions.choices)
