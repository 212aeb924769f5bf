"""Run by ``make test`` after tox: what all environments together ran, and what they could not.

Names every environment that was skipped or failed and every test that ran in none of them,
and ends with pytest's usual summary over all of them. With ``CI`` set, a skipped environment
and a test that ran nowhere are failures, but for a test that would cost money.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

LACKING = "this machine has no "
COSTS = "costs $"


@dataclass
class Report:
    """What the environments left in the directory of results."""

    seconds: float = 0
    counts: Counter[str] = field(default_factory=Counter)
    passed: set[str] = field(default_factory=set)
    skipped: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    not_run: list[str] = field(default_factory=list)
    not_paid: list[str] = field(default_factory=list)

    def add_suite(self, path: Path) -> None:
        """Read the JUnit file that one environment's pytest has written."""
        counts: Counter[str] = Counter()
        lacking: Counter[str] = Counter()
        for case in ElementTree.parse(path).iter("testcase"):  # noqa: S314 - our own file
            name = f"{case.get('classname')}::{case.get('name')}"
            self.seconds += float(case.get("time", 0))
            if (skip := case.find("skipped")) is not None:
                reason = skip.get("message", "")
                counts["skipped"] += 1
                if reason.startswith(LACKING):
                    lacking[reason] += 1
                else:
                    self.skipped[name] = reason
            elif case.find("failure") is not None or case.find("error") is not None:
                counts["failed"] += 1
                self.lines.append(f"FAILED {path.stem}: {name}")
            else:
                counts["passed"] += 1
                self.passed.add(name)
        self.counts += counts
        self.lines.append(f"{path.stem}: {summary(counts)}")
        self.not_run += [f"{path.stem}, {n} tests: {why}" for why, n in lacking.items()]

    def add_environments(self, path: Path) -> None:
        """Read tox's own results: which environments it passed over."""
        for name, found in json.loads(path.read_text())["testenvs"].items():
            if found.get("result", {}).get("skipped"):
                self.not_run.append(f"{name}: {LACKING}such interpreter")

    def finish(self) -> None:
        """Add the tests that every environment skipped."""
        for name, why in self.skipped.items():
            if name not in self.passed:
                lines = self.not_paid if why.startswith(COSTS) else self.not_run
                lines.append(f"{name}: {why}")


def summary(counts: Counter[str]) -> str:
    """``2 failed, 5 passed``, in pytest's order."""
    words = ("failed", "passed", "skipped")
    return ", ".join(f"{counts[word]} {word}" for word in words if counts[word]) or "no tests ran"


def main(results: Path) -> int:
    """Print the report; the exit code."""
    report = Report()
    for path in sorted(results.glob("*.xml")):
        report.add_suite(path)
    if (environments := results / "tox.json").exists():
        report.add_environments(environments)
    report.finish()
    not_run = [*report.not_run, *report.not_paid]
    for line in [*report.lines, *(f"NOT RUN {line}" for line in not_run)]:
        print(line)  # noqa: T201 - it is a report
    print(f"===== {summary(report.counts)} in {report.seconds:.2f}s =====")  # noqa: T201
    return 1 if report.counts["failed"] or (report.not_run and os.environ.get("CI")) else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
