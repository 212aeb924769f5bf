"""The settings of a process that a test starts: the tests' own, with the test's ``HAILUO``."""

from __future__ import annotations

import importlib
import json
import os
from typing import Any

_tests = importlib.import_module(os.environ.get("HAILUO_TEST_SETTINGS", "tests.settings"))
globals().update({name: value for name, value in vars(_tests).items() if name.isupper()})

HAILUO: dict[str, Any] = json.loads(os.environ.get("HAILUO_TEST_SITE", "{}"))
# A cluster first looks at its schedules after one cycle; here that is at once.
Q_CLUSTER: dict[str, Any] = {**_tests.Q_CLUSTER, "guard_cycle": 30}
