"""Take all pictures, with the site, the sandbox and the browser of the tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

if __name__ == "__main__":
    sys.exit(pytest.main([str(Path(__file__).with_name("pictures.py"))]))
