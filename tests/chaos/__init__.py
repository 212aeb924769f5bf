"""A whole site under random faults, and the reckoning afterwards: ``python -m tests.chaos``."""
