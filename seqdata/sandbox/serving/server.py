"""Serving: two loopback sockets, one event loop in a thread of its own; in TLS where asked."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
import time
from typing import Any

import uvicorn
from starlette.types import ASGIApp

#: Of a busy machine too: who waits this long waits for a server that will not come.
START_SECONDS = 120.0

#: What a request that is under way has, once the server is to end.
END_SECONDS = 1.0


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


def address_of(listener: socket.socket, scheme: str = "http") -> str:
    """Write the origin a socket serves."""
    host, port = listener.getsockname()
    return f"{scheme}://{host}:{port}"


class _Server(uvicorn.Server):
    """A server that ends at once: uvicorn looks ten times a second whether it should, and is.

    What is under way when it ends has a second, as uvicorn gives it.
    """

    ending: asyncio.Event

    async def main_loop(self) -> None:
        """Wait for the end."""
        await self.on_tick(0)
        await self.ending.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close what listens, then the connections; cancel what takes longer than it may."""
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        state = self.server_state
        for connection in list(state.connections):
            connection.shutdown()
        deadline = time.monotonic() + END_SECONDS
        while (state.connections or state.tasks) and time.monotonic() < deadline:
            await asyncio.sleep(0.002)
        for task in state.tasks:
            task.cancel()


def _uvicorn(app: ASGIApp, tls: ssl.SSLContext | None) -> _Server:
    config = uvicorn.Config(
        app,
        http="h11",  # httptools drops the body of a request that offers an upgrade to h2c
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        date_header=False,
    )
    server = _Server(config)
    if tls is not None:
        _speak_tls(server, tls)
    return server


def _speak_tls(server: _Server, tls: ssl.SSLContext) -> None:
    from seqdata.sandbox.serving.http2 import Negotiated

    def stop_listening() -> None:
        for one in server.servers:
            one.close()

    def protocol(**given: Any) -> asyncio.Protocol:
        return Negotiated(stop_listening, **given)

    server.config.http = protocol  # type: ignore[assignment] # a class, in its own words
    server.config.load()
    server.config.ssl = tls


class ServerThread:
    """Several applications, each on its own socket, until `stop`."""

    def __init__(
        self, apps: list[tuple[ASGIApp, socket.socket]], tls: ssl.SSLContext | None = None
    ) -> None:
        self._listeners = [listener for _, listener in apps]
        self._servers = [_uvicorn(app, tls) for app, _ in apps]
        self._has_tls = tls is not None
        self._thread = threading.Thread(target=self._run, name="seqdata-sandbox", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None

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
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # it is closed: the thread has ended
                self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join(timeout=START_SECONDS)
        for listener in self._listeners:
            listener.close()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._ending = asyncio.Event()
        for server in self._servers:
            server.ending = self._ending
        self._loop = asyncio.get_running_loop()
        pairs = zip(self._servers, self._listeners, strict=True)
        await asyncio.gather(*(server.serve(sockets=[listener]) for server, listener in pairs))
        if self._has_tls:
            await self._leave()

    async def _leave(self) -> None:
        """Drop the connections whose clients have not taken leave: TLS waits for them."""
        left = [one for server in self._servers for one in server.server_state.connections]
        for connection in left:
            connection.transport.abort()
        await asyncio.sleep(0)
