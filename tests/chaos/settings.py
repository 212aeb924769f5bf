"""The settings of the chaos: the tests' own, on the database and with the broker asked for.

``HAILUO_CHAOS`` in the environment says which, and what ``HAILUO`` is; the processes of the
site inherit it.
"""

from __future__ import annotations

import importlib
import json
import os
from typing import Any

_asked: dict[str, Any] = json.loads(os.environ["HAILUO_CHAOS"])
_databases = importlib.import_module(
    {"sqlite": "tests.settings", "postgres": "tests.settings_postgres"}[_asked["database"]]
)
_brokers = importlib.import_module(
    {"orm": "tests.settings", "redis": "tests.settings_redis"}[_asked["broker"]]
)
globals().update({name: value for name, value in vars(_databases).items() if name.isupper()})

HAILUO: dict[str, Any] = _asked["hailuo"]
# A cluster first looks at its schedules after one cycle; here that is at once.
Q_CLUSTER: dict[str, Any] = {**_brokers.Q_CLUSTER, "guard_cycle": 30, "log_level": "WARNING"}
