"""Wrong ways of answering, by name: what no service means to send, and a client must survive.

Each variant acts on an answer that is ready, so the service has done what was asked, unless the
fault was asked for with `before`. The body is the answer's own where the table says nothing else.

====================  ==================================================================
on both protocols
--------------------------------------------------------------------------------------
`never_ends`          the body goes on, slowly, until the client leaves
`huge_headers`        1 MB of headers
`bomb`                1 MB of gzip that unpacks to 1 GB
`huge`                1 GB of JSON
`nested`              JSON 200,000 lists deep
`duplicate_key`       the key `ok`, or the first one of the data, once more, with null
`bad_length`          a Content-Length larger than the body; over HTTP/1.1 then the end
====================  ==================================================================

====================  ==================================================================
on HTTP/1.1; on HTTP/2 the connection is cut instead
--------------------------------------------------------------------------------------
`stray_lines`         two empty lines before a good answer
`http09`              the body alone, without a status line
`other_protocol`      a line of SSH
`unknown_version`     an answer of HTTP/7.3
====================  ==================================================================

====================  ==================================================================
on HTTP/2; on HTTP/1.1 the connection is cut instead
--------------------------------------------------------------------------------------
`refused_stream`      the stream is reset as refused, though its request was read
`http11_required`     the stream is reset: to be asked again over HTTP/1.1
`reset`               the stream is reset: an error of the server
`goaway`              GOAWAY that knows of no stream, and the end
`goaway_closed_port`  the same, and nothing listens there until the sandbox starts again
`bad_frame`           bytes that are no frame, and the end
====================  ==================================================================
"""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import Awaitable, Callable, Iterator
from functools import cache
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

GIGABYTE = 2**30
MEGABYTE = 2**20
DEPTH = 200_000

#: Seconds between two bytes of an answer that never ends.
DRIP_SECONDS = 0.1


class Way:
    """One answer, and the connection it is to take."""

    def __init__(self, answer: Response, scope: Scope, receive: Receive, send: Send) -> None:
        self.answer = answer
        self._scope, self._receive, self._send = scope, receive, send
        #: The server's side of the request: uvicorn's cycle, or our stream.
        self.request: Any = scope["state"]["send"].__self__

    @property
    def transport(self) -> asyncio.Transport:
        """The connection."""
        transport: asyncio.Transport = self.request.transport
        return transport

    @property
    def is_http2(self) -> bool:
        """Whether the request came over HTTP/2."""
        return bool(self._scope["http_version"] == "2")

    async def send_answer(self) -> None:
        """Send the answer as it is."""
        await Response.__call__(self.answer, self._scope, self._receive, self._send)

    async def send_start(self, **changed: str) -> None:
        """Send the status and the headers, some of them changed, without a length."""
        changes = {name.replace("_", "-").encode(): v.encode() for name, v in changed.items()}
        headers = {n: v for n, v in self.answer.raw_headers if n != b"content-length"} | changes
        start = {"type": "http.response.start", "status": self.answer.status_code}
        await self._send({**start, "headers": list(headers.items())})

    async def send_part(self, body: bytes, *, more: bool = True) -> None:
        """Send a part of the body; waits while the client does not read."""
        await self._send({"type": "http.response.body", "body": body, "more_body": more})

    def write(self, raw: bytes) -> None:
        """Put bytes on the connection that no protocol stands behind."""
        self.transport.write(raw)

    async def close(self) -> None:
        """End the connection, after what is on its way."""
        self.transport.close()
        await self.is_gone(None)

    async def cut(self) -> None:
        """End the connection at once."""
        self.transport.abort()
        await self.is_gone(None)

    async def is_gone(self, seconds: float | None) -> bool:
        """Wait for the end of the connection; whether it came within the seconds."""
        return await is_gone(self._receive, seconds)


async def is_gone(receive: Receive, seconds: float | None) -> bool:
    """Wait until nobody waits for the answer any more; whether it came within the seconds."""
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                await asyncio.sleep(0)
    except TimeoutError:
        return False
    return True


Variant = Callable[[Way], Awaitable[None]]


def _only(http2: bool) -> Callable[[Variant], Variant]:
    """Let a variant cut the connection where its protocol is not spoken."""

    def limit(act: Variant) -> Variant:
        async def limited(way: Way) -> None:
            await (act(way) if way.is_http2 is http2 else way.cut())

        return limited

    return limit


# -- what is sent ------------------------------------------------------------------


async def _never_ends(way: Way) -> None:
    await way.send_start()
    await way.send_part(b'{"data":')
    while not await way.is_gone(DRIP_SECONDS):
        await way.send_part(b" ")


async def _huge_headers(way: Way) -> None:
    for number in range(1_024):
        way.answer.headers[f"x-filler-{number}"] = "x" * 1_024
    await way.send_answer()


async def _bomb(way: Way) -> None:
    await way.send_start(content_encoding="gzip")
    await way.send_part(bomb(), more=False)


@cache
def bomb() -> bytes:
    """Pack ``{"data":``, 1 GB of spaces, and ``null}``.

    A megabyte of spaces is packed once: after a full flush its bytes say the same wherever they
    stand, so they are repeated. The checksum, which they would have to be counted for, is known.
    """
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    head = packer.compress(b'{"data":') + packer.flush(zlib.Z_FULL_FLUSH)
    megabyte = packer.compress(b" " * MEGABYTE) + packer.flush(zlib.Z_FULL_FLUSH)
    tail = packer.compress(b"null}") + packer.flush()
    size = GIGABYTE + len(b'{"data":null}')
    trailer = BOMB_CHECKSUM.to_bytes(4, "little") + size.to_bytes(4, "little")
    return GZIP_HEADER + head + megabyte * (GIGABYTE // MEGABYTE) + tail + trailer


GZIP_HEADER = bytes([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255])
#: The CRC-32 of what `bomb` unpacks to.
BOMB_CHECKSUM = 0x81BE927B


async def _huge(way: Way) -> None:
    await way.send_start()
    for part in _gigabyte():
        if way.request.disconnected:
            return
        await way.send_part(part)
        await asyncio.sleep(0)  # lets other requests in
    await way.send_part(b"0]}", more=False)


def _gigabyte() -> Iterator[bytes]:
    yield b'{"data":['
    zeros = b"0," * (MEGABYTE // 32)
    for _ in range(GIGABYTE // len(zeros)):
        yield zeros


async def _nested(way: Way) -> None:
    await way.send_start()
    lists = b"[" * DEPTH + b"]" * DEPTH
    await way.send_part(b'{"data":' + lists + b"}", more=False)


async def _duplicate_key(way: Way) -> None:
    await way.send_start()
    await way.send_part(with_key_twice(bytes(way.answer.body)), more=False)


def with_key_twice(body: bytes) -> bytes:
    """Write a JSON object again, with `ok` or the first key of its data a second time, as null."""
    payload = json.loads(body)
    data = payload.get("data") or payload
    key, value = first(data, "ok") or next(iter(data.items()))
    once = f"{_written(key)}:{_written(value)}"
    return _written(payload).replace(once, f"{once},{_written(key)}:null", 1).encode()


def first(data: Any, key: str) -> tuple[str, Any] | None:
    """Find a key in an object or the objects within it; the key and its value."""
    if not isinstance(data, dict):
        return None
    if key in data:
        return key, data[key]
    found = (first(value, key) for value in data.values())
    return next((one for one in found if one is not None), None)


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


async def _bad_length(way: Way) -> None:
    body = bytes(way.answer.body)
    await way.send_start(content_length=str(len(body) + 100))
    await way.send_part(body, more=not way.is_http2)
    if not way.is_http2:
        await way.close()


# -- what is no HTTP/1.1 -----------------------------------------------------------


@_only(http2=False)
async def _stray_lines(way: Way) -> None:
    way.write(b"\r\n\r\n")
    await way.send_answer()


@_only(http2=False)
async def _http09(way: Way) -> None:
    way.write(bytes(way.answer.body))
    await way.close()


@_only(http2=False)
async def _other_protocol(way: Way) -> None:
    way.write(b"SSH-2.0-x\r\n")
    await way.close()


@_only(http2=False)
async def _unknown_version(way: Way) -> None:
    headers = b"".join(n + b": " + v + b"\r\n" for n, v in way.answer.raw_headers)
    way.write(b"HTTP/7.3 200 OK\r\n" + headers + b"\r\n" + bytes(way.answer.body))
    await way.close()


# -- what only HTTP/2 can say ------------------------------------------------------


def _reset(code: str) -> Variant:
    @_only(http2=True)
    async def act(way: Way) -> None:
        from h2.errors import ErrorCodes

        way.request.reset(ErrorCodes[code])

    return act


@_only(http2=True)
async def _goaway(way: Way) -> None:
    way.request.protocol.go_away(last_stream_id=0)
    await way.close()


@_only(http2=True)
async def _goaway_closed_port(way: Way) -> None:
    way.request.protocol.stop_listening()
    await _goaway(way)


@_only(http2=True)
async def _bad_frame(way: Way) -> None:
    way.write(b"\xff" * 64)
    await way.close()


VARIANTS: dict[str, Variant] = {
    "stray_lines": _stray_lines,
    "http09": _http09,
    "other_protocol": _other_protocol,
    "unknown_version": _unknown_version,
    "bad_length": _bad_length,
    "never_ends": _never_ends,
    "huge_headers": _huge_headers,
    "bomb": _bomb,
    "huge": _huge,
    "nested": _nested,
    "duplicate_key": _duplicate_key,
    "refused_stream": _reset("REFUSED_STREAM"),
    "goaway": _goaway,
    "goaway_closed_port": _goaway_closed_port,
    "http11_required": _reset("HTTP_1_1_REQUIRED"),
    "reset": _reset("INTERNAL_ERROR"),
    "bad_frame": _bad_frame,
}


async def answer(variant: str, ready: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer wrongly, in the way of a variant, with an answer that is ready."""
    way = Way(ready, scope, receive, send)
    try:
        await VARIANTS[variant](way)
    except asyncio.CancelledError:  # the server ends
        await way.cut()
