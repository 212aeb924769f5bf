"""What ``make test`` says at its end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.project.report import main

PASSED = '<testcase classname="tests.a" name="one" time="1.5"/>'
SKIPPED = '<testcase classname="tests.a" name="{}" time="0"><skipped message="{}"/></testcase>'
FAILED = '<testcase classname="tests.a" name="three" time="0"><failure message="no"/></testcase>'


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("CI", raising=False)
    environments = {".pkg": {}, "py311": {"result": {"skipped": False}}}
    (tmp_path / "tox.json").write_text(json.dumps({"testenvs": environments}))
    (tmp_path / "py311.xml").write_text(f"<testsuite>{PASSED}</testsuite>")
    return tmp_path


def last_lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_it_ends_with_pytest_s_usual_summary_over_all_environments(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (results / "py312.xml").write_text(f"<testsuite>{PASSED}</testsuite>")
    assert main(results) == 0
    assert last_lines(capsys)[-1] == "===== 2 passed in 3.00s ====="


def test_a_failed_test_is_named_with_its_environment(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (results / "py312.xml").write_text(f"<testsuite>{FAILED}</testsuite>")
    assert main(results) == 1
    assert "FAILED py312: tests.a::three" in last_lines(capsys)


@pytest.mark.parametrize(
    ("file", "text", "line"),
    [
        (
            "tox.json",
            json.dumps({"testenvs": {"py313": {"result": {"skipped": True}}}}),
            "NOT RUN py313: this machine has no such interpreter",
        ),
        (
            "postgres.xml",
            f"<testsuite>{SKIPPED.format('one', 'this machine has no PostgreSQL')}</testsuite>",
            "NOT RUN postgres, 1 tests: this machine has no PostgreSQL",
        ),
        (
            "multidb.xml",
            f"<testsuite>{SKIPPED.format('two', 'of no use here')}</testsuite>",
            "NOT RUN tests.a::two: of no use here",
        ),
    ],
    ids=["an interpreter", "a server", "a place for a test"],
)
def test_what_the_machine_lacks_is_named_and_fails_under_ci_alone(
    results: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    file: str,
    text: str,
    line: str,
) -> None:
    (results / file).write_text(text)
    assert main(results) == 0
    assert last_lines(capsys)[-2] == line
    monkeypatch.setenv("CI", "true")
    assert main(results) == 1


def test_a_test_that_would_cost_money_is_named_and_fails_nowhere(
    results: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f"<testsuite>{SKIPPED.format('two', 'costs $0.105: --flag')}</testsuite>"
    (results / "multidb.xml").write_text(text)
    monkeypatch.setenv("CI", "true")
    assert main(results) == 0
    assert last_lines(capsys)[-2] == "NOT RUN tests.a::two: costs $0.105: --flag"


def test_a_test_that_one_environment_skips_and_another_passes_has_run(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (results / "multidb.xml").write_text(
        f"<testsuite>{SKIPPED.format('one', 'of no use here')}</testsuite>"
    )
    monkeypatch.setenv("CI", "true")
    assert main(results) == 0
