"""The site's web process: ``python -m tests.chaos.web DESCRIPTOR``.

It serves on a listening socket that it is handed, which outlives it: who calls while it is
dead waits in the queue until its successor has started.
"""

from __future__ import annotations

import socket
import sys

from django.core.servers.basehttp import (
    ThreadedWSGIServer,
    WSGIRequestHandler,
    get_internal_wsgi_application,
)


class Server(ThreadedWSGIServer):
    """A development server on a socket that somebody else opened."""

    def __init__(self, listener: socket.socket) -> None:
        address = listener.getsockname()
        super().__init__(address, WSGIRequestHandler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.server_name, self.server_port = address
        self.setup_environ()


if __name__ == "__main__":
    application = get_internal_wsgi_application()
    with Server(socket.socket(fileno=int(sys.argv[1]))) as server:
        server.set_app(application)
        server.serve_forever()
