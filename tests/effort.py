"""How hard the tests try: the one place with the counts of both tiers.

``make test`` takes the first of each pair. ``make proof`` takes the second; it sets
``HAILUO_TEST_EFFORT=proof``.
"""

from __future__ import annotations

import os

PROOF = os.environ.get("HAILUO_TEST_EFFORT") == "proof"


def count(usual: int, proof: int) -> int:
    return proof if PROOF else usual


# Examples of hypothesis, where a test names no number of its own.
EXAMPLES = count(100, 1_000)

# Runs of the model of everything, and steps in each.
HISTORIES = count(20, 1_000)
HISTORY_STEPS = count(30, 50)

# Jobs of the chaos on each database; ``make proof`` calls its command instead.
CHAOS = {"sqlite": 40, "postgresql": 300}
CHAOS_WITH_REDIS = 30

# The cells of a row of the matrix on each database, or all but the first on one of them.
CELLS_ON_BOTH = PROOF

# Webhooks with a token that was altered: over HTTP, and read alone.
ALTERED_TOKENS = count(150, 2_000)
ALTERED_TOKENS_READ = count(2_000, 10_000)

# Webhooks with a body that was altered: its values, its bytes, and without a valid token.
ODD_BODIES = count(80, 5_000)
DAMAGED_BODIES = count(60, 5_000)
FORGED_BODIES = count(60, 2_000)

# Jobs that have to end although their webhooks are lost.
JOBS_WITHOUT_NEWS = count(12, 1_000)

# Workers killed at each of the named points, and at random moments.
KILLS_AT_A_POINT = count(2, 20)
KILLS_AT_RANDOM = count(8, 100)

# Rounds of each race, and the jobs that sweeps compete for.
RACES = count(3, 200)
CONTESTED_JOBS = count(20, 500)

# Meetings of everybody at one job, in each of five scenes.
MEETINGS = count(2, 100)

# Runs of a hundred submits against a budget with room for three.
BUDGET_RACES = count(1, 10)

# Sets of rights with which every path of the API is tried.
SETS_OF_RIGHTS = count(6, 200)

# Keys of consumers, each of them sent by eight at once.
CONTESTED_KEYS = count(10, 200)

# Requests made up by the API's description: for each operation at random, and no fewer in all.
REQUESTS = count(3, 350)
MADE_UP_REQUESTS = count(120, 5_000)

# Jobs that an operator submits with one click, and in a long list.
SUBMITTED_AT_ONCE = count(100, 1_000)
LISTED = count(30, 100)

# The signals that stop a demo before it has begun to serve.
SIGNALS = count(1, 3)
