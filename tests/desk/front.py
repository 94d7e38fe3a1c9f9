"""A server between the desk and the sandbox that answers a payment in any way a test asks for.

Everything but a payment passes through. Of each payment it notes that its whole body arrived,
lets the sandbox act on it or not, and then plays a :class:`Play` on the wire: over HTTP/1.1,
over TLS, or over HTTP/2.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import trustme
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived, RequestReceived, StreamEnded

PROTOCOLS = ("HTTP/1.1", "TLS", "HTTP/2")

PATIENCE = 60.0


@dataclass(frozen=True)
class Play:
    """What goes out as the answer to a payment.

    `status`, `headers` and `body` are a plain answer in any protocol. `raw` is bytes that go out
    as they are over HTTP/1.1; `frames` acts on an HTTP/2 connection and its stream. `end`: the
    connection is closed, reset, or left open in silence ("hang") afterwards.
    """

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = (("content-type", "application/json"),)
    raw: bytes | None = None
    frames: Callable[[H2Connection, int], bytes | None] | None = None
    end: str = "close"


Script = Callable[[bytes], Play]


@dataclass
class Front:
    """The server; `script` gives the play of a payment from the sandbox's own good answer."""

    origin: str
    protocol: str
    script: Script = field(default=lambda good: Play(body=good))
    acts: bool = True
    bodies: list[bytes] = field(default_factory=list)
    closes_door: bool = False

    def __post_init__(self) -> None:
        self.ca_bundle: Path | None = None
        self._context: ssl.SSLContext | None = None
        self._threads: list[threading.Thread] = []
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self._spawn(self._accept, self._listener)

    @property
    def url(self) -> str:
        scheme = "http" if self.protocol == "HTTP/1.1" else "https"
        return f"{scheme}://127.0.0.1:{self.port}"

    def trust(self, authority: trustme.CA, folder: Path) -> None:
        """Serve TLS with a certificate of an authority, whose own goes into a file."""
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(self._context)
        names = ["h2"] if self.protocol == "HTTP/2" else ["http/1.1"]
        self._context.set_alpn_protocols(names)
        self.ca_bundle = folder / "authority.pem"
        authority.cert_pem.write_to_path(str(self.ca_bundle))

    def close(self) -> None:
        self._shut()
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(timeout=PATIENCE)

    def _shut(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _spawn(self, work: Callable[..., None], *given: Any) -> None:
        thread = threading.Thread(target=work, args=given, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self._spawn(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(PATIENCE)
        with suppress(OSError):
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
            self._open.add(connection)
            with connection:
                serve = self._serve_h2 if self.protocol == "HTTP/2" else self._serve_h1
                serve(connection)
        self._open.discard(connection)

    # -- the sandbox behind it ----------------------------------------------------------------

    def _forward(self, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        host = urlsplit(self.origin).netloc
        behind = http.client.HTTPConnection(host, timeout=PATIENCE)
        names = ("authorization", "content-type")
        kept = {name: headers[name] for name in names if name in headers}
        behind.request("POST", "/api/graphql", body, kept)
        answer = behind.getresponse()
        data = answer.read()
        behind.close()
        named = {name.lower(): text for name, text in answer.getheaders()}
        passed = ("content-type", "date", "x-seqdata-sandbox")
        return answer.status, {name: named[name] for name in passed if name in named}, data

    def _play_of(self, headers: dict[str, str], body: bytes) -> Play:
        """Note a payment, let the sandbox act on it or not, and give what goes out."""
        self.bodies.append(body)
        if self.closes_door:
            self._shut()
        good = self._forward(headers, body)[2] if self.acts else b"{}"
        return self.script(good)

    # -- HTTP/1.1 -----------------------------------------------------------------------------

    def _serve_h1(self, connection: socket.socket) -> None:
        stream = connection.makefile("rb")
        while True:
            line = stream.readline()
            if not line:
                return
            headers = {}
            while (line := stream.readline()) not in (b"\r\n", b""):
                name, _, value = line.decode("latin-1").partition(":")
                headers[name.strip().lower()] = value.strip()
            body = stream.read(int(headers.get("content-length", "0")))
            if b"createPayment" in body:
                self._play_h1(connection, self._play_of(headers, body))
                return
            status, passed, data = self._forward(headers, body)
            connection.sendall(_head(status, tuple(passed.items()), len(data)) + data)

    def _play_h1(self, connection: socket.socket, play: Play) -> None:
        data = play.raw
        if data is None:
            data = _head(play.status, play.headers, len(play.body)) + play.body
        with suppress(OSError):
            connection.sendall(data)
        self._end(connection, play)

    def _end(self, connection: socket.socket, play: Play) -> None:
        if play.end == "reset":
            linger = struct.pack("ii", 1, 0)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        elif play.end == "hang":
            with suppress(OSError):
                while connection.recv(65_536):
                    pass
        elif not isinstance(connection, ssl.SSLSocket):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_WR)

    # -- HTTP/2 -------------------------------------------------------------------------------

    def _serve_h2(self, connection: socket.socket) -> None:
        h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        h2.initiate_connection()
        connection.sendall(h2.data_to_send())
        streams: dict[int, tuple[dict[str, str], bytearray]] = {}
        while data := connection.recv(65_536):
            for event in h2.receive_data(data):
                if isinstance(event, RequestReceived):
                    named = {str(name): str(value) for name, value in event.headers}
                    streams[event.stream_id] = named, bytearray()
                elif isinstance(event, DataReceived):
                    streams[event.stream_id][1].extend(event.data)
                    h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, StreamEnded):
                    headers, body = streams.pop(event.stream_id)
                    if self._answer_h2(connection, h2, event.stream_id, headers, bytes(body)):
                        return
            with suppress(OSError):
                connection.sendall(h2.data_to_send())

    def _answer_h2(
        self,
        connection: socket.socket,
        h2: H2Connection,
        stream_id: int,
        headers: dict[str, str],
        body: bytes,
    ) -> bool:
        """Answer a request; whether the connection is over then."""
        if b"createPayment" not in body:
            status, passed, data = self._forward(headers, body)
            _respond(h2, stream_id, status, tuple(passed.items()), data)
            return False
        play = self._play_of(headers, body)
        garbage = None
        if play.frames is None:
            _respond(h2, stream_id, play.status, play.headers, play.body)
        else:
            garbage = play.frames(h2, stream_id)
        with suppress(OSError):
            connection.sendall(h2.data_to_send() + (garbage or b""))
        if play.frames is None or play.end == "stay":
            return False
        self._end(connection, play)
        return True


def _head(status: int, headers: tuple[tuple[str, str], ...], length: int) -> bytes:
    lines = [f"HTTP/1.1 {status} X", *(f"{name}: {text}" for name, text in headers)]
    return "\r\n".join([*lines, f"content-length: {length}", "", ""]).encode("latin-1")


def _respond(
    h2: H2Connection, stream_id: int, status: int, headers: tuple[tuple[str, str], ...], body: bytes
) -> None:
    h2.send_headers(stream_id, [(":status", str(status)), *headers], end_stream=not body)
    for start in range(0, len(body), 16_000):
        part = body[start : start + 16_000]
        h2.send_data(stream_id, part, end_stream=start + len(part) == len(body))


def reset(code: ErrorCodes) -> Callable[[H2Connection, int], None]:
    """End the stream with an error code."""
    return lambda h2, stream_id: h2.reset_stream(stream_id, code)
