"""The site's web process: ``python -m tests.chaos.web DESCRIPTOR``.

It serves on a listening socket that it is handed, which outlives it: who calls while it is
dead waits in the queue until its successor has started.
"""

from __future__ import annotations

import socket
import sys

from django.core.servers.basehttp import get_internal_wsgi_application

from example_project.web import HandedDownServer

if __name__ == "__main__":
    application = get_internal_wsgi_application()
    with HandedDownServer(socket.socket(fileno=int(sys.argv[1]))) as server:
        server.set_app(application)
        server.serve_forever()
