"""How often the races are run: as a rule, and as a proof (``HAILUO_TEST_EFFORT=proof``)."""

from __future__ import annotations

import os

PROOF = os.environ.get("HAILUO_TEST_EFFORT") == "proof"

RACES = 200 if PROOF else 10
CONTESTED_JOBS = 500 if PROOF else 50
BUDGET_RACES = 10 if PROOF else 2
MEETINGS = 100 if PROOF else 4
