"""Which changes of the code no test notices: ``python -m tests.mutation [MODULE ...]``.

mutmut changes one thing at a time in a copy of the module and runs the tests that reach it. A
change that they do not notice survived: it lacks a story, or an argument in ``modules.ARGUED``.
Modules with the same tests share a directory in ``.mutants``, where ``mutmut browse`` shows more.
A run of all of them goes on where it was stopped; one of some, or with ``--ending``, begins anew.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from .modules import ARGUED, ARGUED_WITHIN, MODULES

ROOT = Path(__file__).parents[2]
COPIED = ("hailuo_django", "tests", "docs", "example_project", "manage.py", "pyproject.toml")
ENDING = "only mutants whose number ends in one of these digits: a tenth of all for each"
MINUTES = "for modules with the same tests together (60)"
HEADS = ("---", "+++")
NOTICED = ("killed", "timeout", "segfault", "suspicious")


@dataclass
class Score:
    """How many mutants of a module were tried and noticed, and the survivors' changed lines."""

    module: str
    tried: int
    noticed: int
    survivors: dict[str, str] = field(default_factory=dict)

    @property
    def unargued(self) -> list[str]:
        return [name for name, line in self.survivors.items() if not argument(name, line)]

    @property
    def arguments(self) -> Counter[str]:
        found = (argument(name, line) for name, line in self.survivors.items())
        return Counter(why for why in found if why)

    def __str__(self) -> str:
        return (
            f"{self.module}: {self.noticed} of {self.tried} noticed, "
            f"{self.arguments.total()} argued, {len(self.unargued)} survived"
        )


def argument(name: str, line: str) -> str | None:
    """Why no test can notice this mutant."""
    function = name.partition("__mutmut_")[0]
    named = (ARGUED.get(key) for key in (line, function, f"{function}: {line}"))
    within = (why for part, why in ARGUED_WITHIN.items() if part in line)
    return next(filter(None, named), None) or next(within, None)


def together(module: str) -> list[str]:
    """The modules that have the same tests."""
    return [other for other in MODULES if MODULES[other] == MODULES[module]]


def directory(module: str) -> Path:
    return ROOT / ".mutants" / together(module)[0].replace("/", "_")


def dotted(module: str) -> str:
    """What the names of its mutants begin with."""
    return f"hailuo_django.{module.removesuffix('.py').replace('/', '.')}."


def prepare(module: str) -> None:
    """Copy what the tests need, with mutmut's settings for this module and those beside it."""
    place = directory(module)
    place.mkdir(parents=True, exist_ok=True)
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, place / name, dirs_exist_ok=True, ignore=ignored)
        else:
            shutil.copy2(source, place / name)
    chosen = {
        "source_paths": ["hailuo_django"],
        "only_mutate": [f"hailuo_django/{name}" for name in together(module)],
        "also_copy": ["docs", "example_project", "manage.py"],
        "pytest_add_cli_args": ["-p", "no:cacheprovider", "-p", "no:randomly", "-m", "not slow"],
        "pytest_add_cli_args_test_selection": list(MODULES[module]),
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in chosen.items()]
    with (place / "pyproject.toml").open("a") as settings:
        settings.write("\n".join(["", "[tool.mutmut]", *lines, ""]))


def mutmut(module: str, *arguments: str) -> str:
    """Run a command of mutmut quietly, and return what it says. Raises CalledProcessError."""
    done = subprocess.run(
        [sys.executable, "-m", "mutmut", *arguments],
        cwd=directory(module),
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def mutate(modules: Sequence[str], ending: str, minutes: float) -> bool:
    """Try what was not tried yet of modules with the same tests; whether that ended in time."""
    # One at a time: the tests of children would share a directory and fail for that.
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", "1"]
    endings = [f"*{digit}" for digit in ending] or ["*"]
    if ending or list(modules) != together(modules[0]):  # what is named is tried again
        command += [f"{dotted(module)}{name}" for module in modules for name in endings]
    place = directory(modules[0])
    with (place / "mutmut.log").open("w") as log:
        try:
            done = subprocess.run(
                command,
                cwd=place,
                stdout=log,
                stderr=log,
                timeout=minutes * 60,
            )
        except subprocess.TimeoutExpired:
            return False
    if done.returncode:
        sys.exit(f"mutmut failed: {log.name}")
    return True


def score(module: str) -> Score:
    """Read what became of the mutants that were tried."""
    lines = mutmut(module, "results", "--all", "true").splitlines()
    mine = (line.strip() for line in lines if line.strip().startswith(dotted(module)))
    results = [line.split(": ") for line in mine]
    names = [name for name, verdict in results if verdict in ("survived", "no tests")]
    noticed = sum(verdict in NOTICED for _name, verdict in results)
    survivors = {name: changed(module, name) for name in names}
    return Score(module, noticed + len(names), noticed, survivors)


def changed(module: str, name: str) -> str:
    """The line of a mutant that differs, as it became; what is only gone with a minus."""
    lines = [line for line in mutmut(module, "show", name).splitlines() if line[:3] not in HEADS]
    added = [line[1:].strip() for line in lines if line.startswith("+")]
    gone = [f"- {line[1:].strip()}" for line in lines if line.startswith("-")]
    return "; ".join(added if any(added) else gone)


def main() -> int:
    """Print a line for each module, survivor and argument; 1 where one has no argument."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=f"of {', '.join(MODULES)}")
    parser.add_argument("--ending", default="", metavar="DIGITS", help=ENDING)
    parser.add_argument("--minutes", type=float, default=60, help=MINUTES)
    options = parser.parse_args()
    survived = 0
    for _tests, group in groupby(options.modules or MODULES, MODULES.__getitem__):
        modules = list(group)
        prepare(modules[0])
        ended = mutate(modules, options.ending, options.minutes)
        survived += sum(told(score(module), ended=ended) for module in modules)
    return 1 if survived else 0


def told(found: Score, *, ended: bool) -> int:
    """Print what became of a module's mutants; how many survived without an argument."""
    print(found if ended else f"{found} (stopped, more to try)")  # noqa: T201
    for name in found.unargued:
        print(f"  {name}: {found.survivors[name]}")  # noqa: T201
    for why, times in found.arguments.items():
        print(f"  {times} argued: {why}")  # noqa: T201
    return len(found.unargued)


if __name__ == "__main__":
    sys.exit(main())
