"""Clients that show what a sandbox puts on the wire: bytes of HTTP/1.1, events of HTTP/2."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpx
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, DataReceived, Event, StreamEnded, StreamReset
from h2.exceptions import ProtocolError
from sandbox_http import PAY

from seqdata.sandbox import Sandbox

ME = "query Me { me { id } }"


def trusting(box: Sandbox) -> ssl.SSLContext:
    """Make a context that trusts the sandbox's authority and no other."""
    return ssl.create_default_context(cafile=str(box.ca_bundle))


def client(box: Sandbox, *, http2: bool) -> httpx.Client:
    """Make a client of one protocol, with a token."""
    return httpx.Client(
        http1=not http2,
        http2=http2,
        verify=trusting(box) if box.ca_bundle else True,
        headers={"authorization": f"Bearer {box.access_token}"},
        base_url=box.app_url,
        timeout=20,
    )


def call(query: str, variables: dict[str, Any] | None = None) -> bytes:
    """Write the body of a call."""
    return json.dumps({"query": query, "variables": variables}).encode()


@cache
def payment(box: Sandbox) -> bytes:
    """Write the body of a call that moves money between two pods."""
    query = "query Pods($id: ID!) { organization(id: $id) { pods { id } } }"
    with client(box, http2=False) as asking:
        answer = asking.post(
            "/api/graphql", content=call(query, {"id": box.organization_id})
        ).json()
    rows = {row["id"] for row in answer["data"]["organization"]["pods"]}
    rich = sorted(rows, key=lambda own_id: -last_balance(box, own_id))
    sides = [{"type": "POD", "id": own_id} for own_id in rich[:2]]
    fields = {"source": sides[0], "destination": sides[1], "amount": 100}
    return call(PAY, {"id": box.kyc_id, "fields": fields})


def last_balance(box: Sandbox, own_id: str) -> int:
    return list(box.balances()[own_id].values())[-1]


@contextmanager
def connected(box: Sandbox, *protocols: str, url: str = "") -> Iterator[socket.socket]:
    """Open a connection to the application or another origin, in TLS where it has that."""
    parts = urlsplit(url or box.app_url)
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as plain:
        if not box.ca_bundle:
            yield plain
            return
        context = trusting(box)
        context.set_alpn_protocols(protocols or ["http/1.1"])
        with context.wrap_socket(plain, server_hostname=parts.hostname) as secure:
            yield secure


def arriving(connection: socket.socket) -> Iterator[bytes]:
    """Yield what arrives, until the end of the connection, in whatever way it ends."""
    while True:
        try:
            data = connection.recv(65_536)
        except (ConnectionError, ssl.SSLError):
            return
        if not data:
            return
        yield data


def bytes_of_http1(
    box: Sandbox, body: bytes, enough: Callable[[bytes], bool] = lambda _: False
) -> bytes:
    """Post a call over HTTP/1.1; all that comes until the end, or until it is enough."""
    head = (
        f"POST /api/graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        f"Authorization: Bearer {box.access_token}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    seen = b""
    with connected(box) as connection:
        connection.sendall(head.encode() + body)
        for data in arriving(connection):
            seen += data
            if enough(seen):
                break
    return seen


class Http2Client:
    """One connection of HTTP/2, frame by frame."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.conn = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self.conn.initiate_connection()
        self.events: list[Event] = []
        self.raw = b""
        self.flush()

    def flush(self) -> None:
        self.socket.sendall(self.conn.data_to_send())

    def ask(
        self,
        box: Sandbox,
        body: bytes | None,
        *,
        path: str = "/api/graphql",
        method: str = "POST",
        headers: tuple[tuple[str, str], ...] = (),
    ) -> int:
        """Send a request; the number of its stream."""
        number = self.conn.get_next_available_stream_id()
        pseudo = {":method": method, ":scheme": "https", ":path": path}
        own = (("authorization", f"Bearer {box.access_token}"), *headers)
        listed = [*pseudo.items(), (":authority", urlsplit(box.app_url).netloc), *own]
        self.conn.send_headers(number, listed, end_stream=body is None)
        if body is not None:
            self.conn.send_data(number, body, end_stream=True)
        self.flush()
        return number

    def listen(self, enough: Callable[[Event], bool]) -> list[Event]:
        """Collect events until one is enough, or the connection ends, or is no HTTP/2."""
        for data in arriving(self.socket):
            self.raw += data
            try:
                new = self.conn.receive_data(data)
            except ProtocolError:
                break
            for event in new:
                if isinstance(event, DataReceived):
                    size = event.flow_controlled_length
                    self.conn.acknowledge_received_data(size, event.stream_id)
            self.events += new
            if any(enough(event) for event in new):
                break
            self.flush()
        return self.events


def is_last(event: Event) -> bool:
    """Whether nothing more is to be expected of one request."""
    return isinstance(event, StreamEnded | StreamReset | ConnectionTerminated)


def events_of_http2(
    box: Sandbox, body: bytes, enough: Callable[[Event], bool] = is_last
) -> Http2Client:
    """Post a call over HTTP/2, and collect what happens."""
    with connected(box, "h2") as connection:
        http2 = Http2Client(connection)
        http2.ask(box, body)
        http2.listen(enough)
        return http2


def data_of(events: list[Event]) -> bytes:
    """Join the bodies among events."""
    return b"".join(event.data for event in events if isinstance(event, DataReceived))
