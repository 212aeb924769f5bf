"""The table of what is mutated keeps up with the package and its tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from .modules import MODULES

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("module", MODULES)
def test_a_module_and_its_tests_are_there(module: str) -> None:
    assert list((ROOT / "hailuo_django").glob(module))
    for test in MODULES[module]:
        path, _, name = test.partition("::")
        assert (ROOT / path).exists()
        assert f"def {name}(" in (ROOT / path).read_text() if name else True
