"""The servers that do what a script says, as the stories about the client have them."""

from __future__ import annotations

from tests.krea.conftest import certificate, free_port, net, tls

__all__ = ["certificate", "free_port", "net", "tls"]
