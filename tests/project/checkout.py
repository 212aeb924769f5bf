"""Run by tox in a new environment: append the checkout to that environment's sys.path.

There it lends ``tests`` and ``manage.py``; ``hailuo_django`` is found before it, in
site-packages, by the tests and by every process that they start.
"""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

if __name__ == "__main__":
    Path(sysconfig.get_path("purelib"), "checkout.pth").write_text(f"{sys.argv[1]}\n")
