"""HTTP/2 for the sandbox: frames on one side, an ASGI call for each stream on the other.

uvicorn stays the server. It is given `Negotiated`, which looks at what a client and the server
agreed on in the handshake, and hands the connection to uvicorn's own HTTP/1.1 or to `Http2`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RemoteSettingsChanged,
    RequestReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import ProtocolError
from hyperframe.frame import GoAwayFrame
from starlette.types import ASGIApp, Message, Scope
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

log = logging.getLogger("uvicorn.error")

#: Seconds until a connection that ends is gone, though its client does not take leave.
LEAVE_SECONDS = 0.05

#: Headers of one connection alone; HTTP/2 forbids them.
_OF_THE_CONNECTION = {
    b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade",
}  # fmt: skip

Headers = list[tuple[bytes, bytes]]


class Negotiated(asyncio.Protocol):
    """A connection until its handshake is done; made by uvicorn's server.

    `stop_listening` lets the server take no more connections.
    """

    def __init__(self, stop_listening: Callable[[], None], **given: Any) -> None:
        self._stop_listening, self._given = stop_listening, given

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hand the connection to the protocol that was agreed on."""
        assert isinstance(transport, asyncio.Transport)
        agreed = transport.get_extra_info("ssl_object").selected_alpn_protocol()
        protocol: Http1 | Http2 = Http1(**self._given)
        if agreed == "h2":
            protocol = Http2(self._stop_listening, **self._given)
        transport.set_protocol(protocol)
        protocol.connection_made(transport)


def _leave(transport: asyncio.Transport) -> None:
    """Close a connection, and do not wait for a client that stays.

    The end of TLS is a word from both sides, and an idle client does not listen.
    """
    if not transport.is_closing():  # closed twice, it could not be aborted any more
        transport.close()
    asyncio.get_running_loop().call_later(LEAVE_SECONDS, transport.abort)


class Http1(H11Protocol):
    """uvicorn's HTTP/1.1, in TLS."""

    def shutdown(self) -> None:
        """End when the answer under way is out; at once where there is none."""
        super().shutdown()
        if self.transport.is_closing():
            _leave(self.transport)


class Http2(asyncio.Protocol):
    """One connection of HTTP/2: its streams, and the windows they share."""

    def __init__(
        self,
        stop_listening: Callable[[], None],
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self.stop_listening = stop_listening
        self.app: ASGIApp = config.loaded_app
        self.server_state, self.app_state = server_state, app_state
        self.streams: dict[int, Stream] = {}
        self.conn = H2Connection(H2Configuration(client_side=False))
        self.can_write, self.is_ending = True, False
        self.transport: asyncio.Transport

    # -- what the event loop calls -----------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin with the server's settings."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.server_state.connections.add(self)  # type: ignore[arg-type] # it lists its own
        self.conn.initiate_connection()
        self.flush()

    def connection_lost(self, _: Exception | None) -> None:
        """Tell every stream that its client is gone."""
        self.server_state.connections.discard(self)
        self._abandon()

    def data_received(self, data: bytes) -> None:
        """Read frames; a client that breaks the protocol is told so and left."""
        if self.transport.is_closing():
            return
        try:
            for event in self.conn.receive_data(data):
                self._take(event)
        except ProtocolError as error:
            log.warning("broken HTTP/2: %s", error)
            self._abandon()
            self.flush()
            self.transport.close()
            return
        self.flush()

    def pause_writing(self) -> None:
        """Hold the answers: the client does not read."""
        self.can_write = False

    def resume_writing(self) -> None:
        """Let the answers go on."""
        self.can_write = True
        self._move()

    # -- what the server and the streams call ------------------------------------------

    def shutdown(self) -> None:
        """Take no more requests, and end when the answers under way are out."""
        self.is_ending = True
        if self.streams:
            last = self.conn.highest_inbound_stream_id
            self.transport.write(GoAwayFrame(last_stream_id=last).serialize())
        else:
            self.go_away()
            _leave(self.transport)

    def go_away(self, last_stream_id: int | None = None) -> None:
        """Say that this is the end, and up to which stream there was an answer.

        h2 sends nothing after that, so answers under way are lost.
        """
        self._abandon()
        self.conn.close_connection(last_stream_id=last_stream_id)
        self.flush()

    def flush(self) -> None:
        """Write what h2 has ready."""
        if (data := self.conn.data_to_send()) and not self.transport.is_closing():
            self.transport.write(data)

    def forget(self, stream: Stream) -> None:
        """Let go of a stream whose answer is out, or will not come."""
        del self.streams[stream.id]
        if self.is_ending and not self.streams and not self.transport.is_closing():
            self.go_away()
            _leave(self.transport)

    def acknowledge(self, stream_id: int, size: int) -> None:
        """Give the client back the room of bytes that were read."""
        if not self.transport.is_closing():
            self.conn.acknowledge_received_data(size, stream_id)
            self.flush()

    # -- events ------------------------------------------------------------------------

    def _take(self, event: Event) -> None:
        match event:
            case RequestReceived():
                self._open(event)
            case DataReceived():
                self._receive(event)
            case StreamEnded(stream_id=number) if stream := self.streams.get(number):
                stream.feed(b"", more=False)
            case StreamReset(stream_id=number) if stream := self.streams.get(number):
                stream.disconnect()
            case WindowUpdated() | RemoteSettingsChanged():
                self._move()
            case ConnectionTerminated():
                self._abandon()
                self.transport.close()

    def _open(self, event: RequestReceived) -> None:
        if self.is_ending:
            self.conn.reset_stream(event.stream_id, ErrorCodes.REFUSED_STREAM)
            return
        stream = Stream(self, event.stream_id, self._scope(event))
        self.streams[stream.id] = stream
        task = asyncio.get_running_loop().create_task(stream.run())
        self.server_state.tasks.add(task)
        task.add_done_callback(self.server_state.tasks.discard)

    def _receive(self, event: DataReceived) -> None:
        if stream := self.streams.get(event.stream_id):
            stream.feed(event.data, size=event.flow_controlled_length)
        else:  # it has its answer already
            self.acknowledge(event.stream_id, event.flow_controlled_length)

    def _abandon(self) -> None:
        for stream in self.streams.values():
            stream.disconnect()

    def _move(self) -> None:
        for stream in self.streams.values():
            stream.moved.set()

    def _scope(self, event: RequestReceived) -> Scope:
        pseudo = {name: value for name, value in event.headers if name.startswith(b":")}
        path, _, query = pseudo.get(b":path", b"*").partition(b"?")
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "2",
            "server": self.transport.get_extra_info("sockname"),
            "client": self.transport.get_extra_info("peername"),
            "scheme": "https",
            "method": pseudo[b":method"].decode("ascii"),
            "root_path": "",
            "path": unquote(path.decode("latin-1")),
            "raw_path": path,
            "query_string": query,
            "headers": _headers(pseudo, event.headers),
            "state": self.app_state.copy(),
        }


def _headers(pseudo: dict[bytes, bytes], given: Any) -> Headers:
    """List a request's headers as HTTP/1.1 has them: with a host, and cookies in one line."""
    plain = [(n, v) for n, v in given if not n.startswith(b":")]
    headers = [(name, value) for name, value in plain if name != b"cookie"]
    if b":authority" in pseudo:
        headers = [(b"host", pseudo[b":authority"]), *(h for h in headers if h[0] != b"host")]
    cookies = [value for name, value in plain if name == b"cookie"]
    return [*headers, (b"cookie", b"; ".join(cookies))] if cookies else headers


class Stream:
    """One request and its answer: the two calls of ASGI, over the frames of a connection."""

    def __init__(self, protocol: Http2, number: int, scope: Scope) -> None:
        self.protocol, self.id, self.scope = protocol, number, scope
        self.disconnected = self.is_complete = False
        self._body, self._has_more, self._unread = bytearray(), True, 0
        self._arrived = asyncio.Event()
        #: Set when there may be room for more of the answer.
        self.moved = asyncio.Event()

    @property
    def transport(self) -> asyncio.Transport:
        """The connection under the stream, and under others."""
        return self.protocol.transport

    async def run(self) -> None:
        """Call the application; an answer that it does not end is reset."""
        try:
            await self.protocol.app(self.scope, self.receive, self.send)
        except BaseException as error:
            log.error("Exception in ASGI application", exc_info=error)
        finally:
            self.reset(ErrorCodes.INTERNAL_ERROR)
            self.protocol.acknowledge(self.id, self._unread)
            self.protocol.forget(self)

    # -- what the connection tells -----------------------------------------------------

    def feed(self, data: bytes, *, size: int = 0, more: bool = True) -> None:
        """Take a part of the request's body, which used `size` bytes of the window."""
        self._body += data
        self._unread += size
        self._has_more = more
        self._arrived.set()

    def disconnect(self) -> None:
        """Note that nobody waits for the answer any more."""
        self.disconnected = True
        self._arrived.set()
        self.moved.set()

    # -- what the application calls ----------------------------------------------------

    async def receive(self) -> Message:
        """Give the next part of the body, or that the client is gone."""
        if not (self.disconnected or self.is_complete):
            await self._arrived.wait()
            self._arrived.clear()
        if self.disconnected or self.is_complete:
            return {"type": "http.disconnect"}
        body, self._body = bytes(self._body), bytearray()
        size, self._unread = self._unread, 0
        self.protocol.acknowledge(self.id, size)
        return {"type": "http.request", "body": body, "more_body": self._has_more}

    async def send(self, message: Message) -> None:
        """Send the status and headers, or a part of the body."""
        if self.disconnected:
            return
        if message["type"] == "http.response.start":
            self.protocol.conn.send_headers(self.id, _answer_headers(message))
            self.protocol.flush()
            return
        if self.scope["method"] != "HEAD":
            await self._send_body(message.get("body", b""))
        if not message.get("more_body", False):
            self._end()

    def reset(self, code: ErrorCodes) -> None:
        """Take the answer back. Does nothing where all of it is out, or nobody waits."""
        if self.is_complete or self.disconnected:
            return
        self.protocol.conn.reset_stream(self.id, code)
        self.protocol.flush()
        self.disconnect()

    async def _send_body(self, body: bytes) -> None:
        rest = memoryview(body)
        while rest and not self.disconnected:
            size = self._room()
            if size == 0:
                self.moved.clear()
                await self.moved.wait()
                continue
            self.protocol.conn.send_data(self.id, bytes(rest[:size]))
            self.protocol.flush()
            rest = rest[size:]

    def _room(self) -> int:
        """How many bytes can go out now."""
        conn = self.protocol.conn
        if not self.protocol.can_write:
            return 0
        return min(conn.local_flow_control_window(self.id), conn.max_outbound_frame_size)

    def _end(self) -> None:
        if self.disconnected:
            return
        self.protocol.conn.end_stream(self.id)
        self.protocol.flush()
        self.is_complete = True
        self._arrived.set()


def _answer_headers(message: Message) -> Headers:
    given = ((name.lower(), value) for name, value in message.get("headers", []))
    kept = [(name, value) for name, value in given if name not in _OF_THE_CONNECTION]
    return [(b":status", str(message["status"]).encode()), *kept]
