"""A development server on a socket that somebody else opened."""

from __future__ import annotations

import socket

from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler


class HandedDownServer(ThreadedWSGIServer):
    """Serves on a listening socket, so that its address is known before it runs."""

    def __init__(self, listener: socket.socket) -> None:
        address = listener.getsockname()
        super().__init__(address, WSGIRequestHandler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.server_name, self.server_port = address
        self.setup_environ()
