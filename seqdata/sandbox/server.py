"""Serving: two loopback sockets, one event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
import time

import uvicorn
from starlette.types import ASGIApp

#: Of a busy machine too: who waits this long waits for a server that will not come.
START_SECONDS = 120.0


def bind(port: int) -> socket.socket:
    """Make a socket that listens on loopback; port 0 is any free one."""
    # Without the protocol asyncio does not switch Nagle's algorithm off: some answers then
    # wait 40 ms for an acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise OSError(error.errno, f"cannot listen on 127.0.0.1:{port}: {error.strerror}") from None
    return listener


def origin(listener: socket.socket) -> str:
    """Write the origin a socket serves."""
    host, port = listener.getsockname()
    return f"http://{host}:{port}"


def _uvicorn(app: ASGIApp) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        http="h11",  # httptools drops the body of a request that offers an upgrade to h2c
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)


class ServerThread:
    """Several applications, each on its own socket, until `stop`."""

    def __init__(self, apps: list[tuple[ASGIApp, socket.socket]]) -> None:
        self._listeners = [listener for _, listener in apps]
        self._servers = [_uvicorn(app) for app, _ in apps]
        self._thread = threading.Thread(target=self._run, name="seqdata-sandbox", daemon=True)

    def start(self) -> None:
        """Serve; returns when connections are accepted."""
        self._thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not all(server.started for server in self._servers):
            if not self._thread.is_alive() or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError("the sandbox's server did not start")
            time.sleep(0.005)

    def stop(self) -> None:
        """End every connection and wait for the thread."""
        for server in self._servers:
            server.should_exit = True
        self._thread.join(timeout=START_SECONDS)
        for listener in self._listeners:
            listener.close()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        pairs = zip(self._servers, self._listeners, strict=True)
        await asyncio.gather(*(server.serve(sockets=[listener]) for server, listener in pairs))
