"""What the pages say is so: tables, links, versions, commands and code."""

from __future__ import annotations

import ast
import re
import textwrap
from pathlib import Path

import pytest
from django.core.management import get_commands

import hailuo_django
from hailuo_django import deadlines, pricing, signals, testing
from hailuo_django.api.urls import urlpatterns
from hailuo_django.checks.values import ROWS
from hailuo_django.conf import DEFAULTS, Conf
from hailuo_django.sandbox import MISBEHAVIOURS
from hailuo_django.states import TRANSITIONS, FailureCode, Status
from tests.matrix import cells as matrix

from . import proofs, transitions
from .pages import PAGES, ROOT, anchors, blocks, code, page, rows

THEMES = ("light", "dark")
SETTINGS = rows(page("settings"), "| key |")


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.name)
def test_links_lead_somewhere(file: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", file.read_text()):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        found = (file.parent / name).resolve() if name else file
        assert found.is_file(), target
        assert not anchor or anchor in anchors(found.read_text()), target


def test_every_picture_is_shown_in_both_themes_and_they_are_small() -> None:
    shown = re.findall(r'(?:src|srcset)="images/([a-z-]+)\.webp"', page("admin"))
    names = {name.rpartition("-")[0] for name in shown}
    pictures = list((ROOT / "docs" / "images").iterdir())
    assert sorted(shown) == sorted(f"{name}-{theme}" for name in names for theme in THEMES)
    assert sorted(shown) == sorted(picture.stem for picture in pictures)
    assert sum(picture.stat().st_size for picture in pictures) <= 600_000


def test_every_page_is_in_the_index() -> None:
    linked = set(re.findall(r"\]\(([a-z-]+\.md)\)", page("index")))
    assert linked == {file.name for file in (ROOT / "docs").glob("*.md")} - {"index.md"}


def test_the_version_is_the_packages() -> None:
    assert f"This is version {hailuo_django.__version__}." in (ROOT / "README.md").read_text()
    assert page("index").startswith(f"# hailuo_django {hailuo_django.__version__}\n")


def test_every_setting_has_its_row_with_its_default() -> None:
    written = {code(key)[0]: ast.literal_eval(code(default)[0]) for key, default, *_ in SETTINGS}
    assert written == DEFAULTS


def test_every_setting_has_its_check() -> None:
    written = {code(key)[0]: f"hailuo_django.{check}" for key, _, check, _ in SETTINGS}
    assert written == {key: row.id for key, row in ROWS.items()}


def test_every_setting_has_a_property() -> None:
    assert DEFAULTS.keys() == {name for name in dir(Conf) if name.isupper()}


def test_every_id_of_a_check_is_listed_once() -> None:
    package = Path(hailuo_django.__file__).parent / "checks"
    sources = "".join(file.read_text() for file in package.glob("*.py"))
    listed = re.findall(r"^\| ([EWI]\d{3}) \|", page("settings"), re.MULTILINE)
    listed += [check for _, _, check, _ in SETTINGS]
    assert sorted(listed) == sorted(set(re.findall(r"hailuo_django\.([EWI]\d{3})", sources)))


def test_the_price_list_is_of_its_day() -> None:
    assert f"as of {pricing.PRICES_AS_OF.isoformat()}" in page("settings")


def test_the_diagram_is_that_of_the_table() -> None:
    text = page("states")
    assert transitions.page_with(transitions.rendered(), text) == text, (
        "run: python -m tests.docs.transitions"
    )


def test_every_state_move_and_failure_is_explained() -> None:
    text = page("states")
    states = [word for row in rows(text, "| state |") for word in code(row[0])]
    assert states == [str(status) for status in Status]
    assert [code(row[0])[0] for row in rows(text, "| `failure_code` |")] == FailureCode.values
    moves = {str(row.action) for row in TRANSITIONS}
    assert {code(row[0])[0] for row in rows(text, "| by |")} == moves


def test_every_property_has_a_test_and_its_row() -> None:
    assert proofs.PROPERTIES.keys() == proofs.proofs().keys()
    text = page("figures")
    assert proofs.page_with(proofs.rendered(), text) == text, "run: python -m tests.docs.proofs"


def test_every_row_of_the_matrix_is_explained_with_its_end() -> None:
    by_answer = {row.answer: row for row in matrix.ROWS}
    explained = []
    for happened, _, seen, _, cost in rows(page("what-can-go-wrong"), "| what happened |"):
        for answer in code(happened):
            row = by_answer[answer]
            ends = row.outcome
            waits = "unsent" if "hold" in ends.person.events else ends.person.status
            assert f"`{waits}`" in seen, answer
            assert not row.failure_code or f"`{row.failure_code}`" in seen, answer
            paid = max(end.paid for end in ends)
            assert ("nothing", "the price", "**the price twice**")[paid] in cost, answer
            explained.append(answer)
    assert sorted(explained) == sorted(by_answer)


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.name)
def test_every_test_that_is_named_exists(file: Path) -> None:
    for path, name in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", file.read_text()):
        nodes = ast.walk(ast.parse((ROOT / path).read_text()))
        assert name in {node.name for node in nodes if isinstance(node, ast.FunctionDef)}, path


@pytest.mark.parametrize(
    "header", ["at Krea", "the webhook", "a lost answer", "at the site", "sending"]
)
def test_every_failure_is_shown_by_a_test(header: str) -> None:
    for what, *_, shown_by in rows(page("what-can-go-wrong"), f"| {header} |"):
        assert shown_by, what
        assert all("::" in test for test in code(shown_by)), what


def test_every_misbehaviour_is_listed() -> None:
    listed = [name for row in rows(page("sandbox"), "| kind |") for name in code(row[1])]
    assert sorted(listed) == sorted(MISBEHAVIOURS)


def test_every_testing_helper_is_listed() -> None:
    listed = {code(row[0])[0].partition("(")[0] for row in rows(page("testing"), "| name |")}
    assert listed == {*testing.__all__, "hailuo_sandbox"}


def test_every_signal_is_listed() -> None:
    listed = {code(row[0])[0] for row in rows(page("signals"), "| signal |")}
    assert listed == {*signals.BY_NAME}


def test_every_path_of_the_api_is_listed() -> None:
    listed = {code(row[0])[0] for row in rows(page("api"), "| path |")}
    routes = {str(pattern.pattern).replace("<str:pk>", "{id}") for pattern in urlpatterns}
    assert listed == routes


def test_the_retry_that_is_named_is_long_enough() -> None:
    safe = (deadlines.TASK_MARGIN_SECONDS + 2 * DEFAULTS["KREA_TIMEOUT_SECONDS"] + 3) * 3 + 1
    assert f"`queue_limit` equal to `workers`, {safe} is" in page("worker")


def test_every_command_that_is_named_exists() -> None:
    texts = [file.read_text() for file in PAGES]
    named = {name for text in texts for name in re.findall(r"manage\.py ([a-z_]+)", text)}
    named |= {name for text in texts for name in re.findall(r"`(hailuo_s[a-z]+)[ `]", text)}
    assert named >= {"hailuo_sweep", "hailuo_sandbox", "hailuo_schedule"}
    assert named <= {*get_commands(), "demo", "spectacular"}


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.name)
def test_code_in_python_can_be_read(file: Path) -> None:
    for block in blocks(file.read_text(), "python"):
        ast.parse(textwrap.dedent(block))
