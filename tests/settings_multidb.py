"""The tests' site with nothing behind ``default``: everything lives in the database ``app``."""

from __future__ import annotations

from tests.settings import *

DATABASES = {"default": {}, "app": sqlite("app"), "other": sqlite("other")}
DATABASE_ROUTERS = ["tests.routers.AppRouter"]
Q_CLUSTER = {**Q_CLUSTER, "orm": "app"}
