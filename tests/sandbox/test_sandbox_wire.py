"""Faults of the way over each protocol, and wrong answers byte by byte."""

from __future__ import annotations

import json
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from functools import reduce
from typing import Any

import httpx
import pytest
from curl_cffi import CurlECode, CurlHttpVersion
from curl_cffi.requests import Session
from curl_cffi.requests.exceptions import RequestException
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)
from sandbox_http import NOW, PAGE
from tls_kit import (
    ME,
    Http2Client,
    bytes_of_http1,
    call,
    client,
    connected,
    data_of,
    events_of_http2,
    is_last,
    payment,
)

from seqdata.sandbox import Sandbox
from seqdata.sandbox.faults.wire import DEPTH, GIGABYTE, VARIANTS, bomb

both = pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])

#: What one of the protocols cannot say.
HTTP1_ALONE = ("stray_lines", "http09", "other_protocol", "unknown_version")
HTTP2_ALONE = ("refused_stream", "goaway", "http11_required", "reset", "bad_frame")


@pytest.fixture(scope="module")
def plain() -> Iterator[Sandbox]:
    """Serve a small world without TLS."""
    with Sandbox(now=NOW, months=2) as box:
        yield box


@pytest.fixture(params=["plain", "tls"])
def http1(request: pytest.FixtureRequest, plain: Sandbox, secure: Sandbox) -> Iterator[Sandbox]:
    """Give a sandbox for HTTP/1.1, without TLS and with it."""
    yield secure if request.param == "tls" else plain
    plain.clear_faults()


def is_data(event: Event) -> bool:
    return isinstance(event, DataReceived) or is_last(event)


def parted(raw: bytes) -> tuple[bytes, bytes]:
    """Part an answer of HTTP/1.1 into its head and its body."""
    head, _, body = raw.partition(b"\r\n\r\n")
    return head, body


def body_of(box: Sandbox, body: bytes, *, http2: bool) -> bytes:
    """Post a call, and give what comes as the answer's body, as it is sent."""
    with client(box, http2=http2) as asking:
        headers = {"accept-encoding": "identity"}
        with asking.stream("POST", "/api/graphql", content=body, headers=headers) as answer:
            assert answer.status_code == 200
            return b"".join(answer.iter_raw())


# -- the faults of the way ---------------------------------------------------------


@both
@pytest.mark.parametrize(("kind", "moved"), [("cut", 0), ("cut_after", 1)])
def test_a_cut_ends_the_connection(secure: Sandbox, http2: bool, kind: str, moved: int) -> None:
    """No answer comes in TLS either, and the money has moved or has not, as the fault says."""
    body, before = payment(secure), len(secure.payments())
    secure.fail(kind, operation="CreatePayment")
    with (
        client(secure, http2=http2) as asking,
        pytest.raises(httpx.RemoteProtocolError, match="disconnected"),
    ):
        asking.post("/api/graphql", content=body)
    assert len(secure.payments()) - before == moved


@both
@pytest.mark.parametrize("first", [1, 100])
def test_a_cut_midway_leaves_half_in_tls(secure: Sandbox, http2: bool, first: int) -> None:
    """The headers and half of the announced body arrive, then the connection ends."""
    body = call(PAGE, {"id": secure.organization_id, "first": first})
    secure.fail("cut_midway")
    if http2:
        seen = events_of_http2(secure, body).events
        (start,) = [event for event in seen if isinstance(event, ResponseReceived)]
        announced, half = int(dict(start.headers)["content-length"]), data_of(seen)
        assert not [event for event in seen if isinstance(event, StreamEnded)]
    else:
        head, half = parted(bytes_of_http1(secure, body))
        announced = int(head.lower().partition(b"content-length: ")[2].split()[0])
    assert len(half) == announced // 2


@both
def test_truncated_json_is_valid_in_tls(secure: Sandbox, http2: bool) -> None:
    """The body has its announced length and is no JSON, and the connection goes on."""
    secure.fail("truncated_json", share=0.9)
    with client(secure, http2=http2) as asking:
        answers = [asking.post("/api/graphql", content=call(ME)) for _ in range(2)]
    assert int(answers[0].headers["content-length"]) == len(answers[0].content)
    with pytest.raises(json.JSONDecodeError):
        answers[0].json()
    assert answers[1].json()["data"]


@both
def test_a_slow_answer_in_tls_is_late(secure: Sandbox, http2: bool) -> None:
    """A slow answer comes whole, after its seconds."""
    secure.fail("slow", seconds=0.3)
    begun = time.monotonic()
    assert json.loads(body_of(secure, call(ME), http2=http2))["data"]
    assert time.monotonic() - begun >= 0.3


def test_a_slow_stream_lets_others_pass(secure: Sandbox) -> None:
    """On one connection an answer that is late is overtaken by one that is not."""
    secure.fail("slow", seconds=0.5)
    with connected(secure, "h2") as connection:
        http2 = Http2Client(connection)
        late, soon = (http2.ask(secure, call(ME)) for _ in range(2))
        events = http2.listen(lambda e: isinstance(e, StreamEnded) and e.stream_id == late)
    assert [e.stream_id for e in events if isinstance(e, StreamEnded)] == [soon, late]


# -- whether the service acted -----------------------------------------------------


@pytest.mark.parametrize("variant", [v for v in VARIANTS if v != "goaway_closed_port"])
@both
def test_a_wrong_answer_comes_after_the_money_moved_or_instead(
    secure: Sandbox, http2: bool, variant: str
) -> None:
    """The payment was made once; with `before` it was not made, and the answer is as wrong."""
    body = payment(secure)
    for options, moved in (({}, 1), ({"before": True}, 0)):
        before = len(secure.payments())
        secure.fail("wire", variant=variant, operation="CreatePayment", **options)
        if http2:
            events_of_http2(secure, body, enough=is_data)
        else:
            bytes_of_http1(secure, body, enough=bool)
        assert len(secure.payments()) - before == moved


@pytest.mark.parametrize("variant", HTTP2_ALONE)
def test_what_http1_cannot_say_is_a_cut(http1: Sandbox, variant: str) -> None:
    """A variant of HTTP/2 ends a connection of HTTP/1.1 without a byte."""
    http1.fail("wire", variant=variant)
    assert bytes_of_http1(http1, call(ME)) == b""


@pytest.mark.parametrize("variant", HTTP1_ALONE)
def test_what_http2_cannot_say_is_a_cut(secure: Sandbox, variant: str) -> None:
    """A variant of HTTP/1.1 ends a connection of HTTP/2 without an answer."""
    secure.fail("wire", variant=variant)
    seen = events_of_http2(secure, call(ME)).events
    ends = (ResponseReceived, StreamEnded, StreamReset, ConnectionTerminated)
    assert not [event for event in seen if isinstance(event, ends)]


# -- what HTTP/1.1 can say ---------------------------------------------------------


@pytest.mark.parametrize(
    ("variant", "begins"),
    [
        ("stray_lines", b"\r\n\r\nHTTP/1.1 200"),
        ("http09", b'{"data":{"me":'),
        ("other_protocol", b"SSH-2.0-x\r\n"),
        ("unknown_version", b"HTTP/7.3 200 OK\r\n"),
    ],
)
def test_the_first_line_can_be_wrong(http1: Sandbox, variant: str, begins: bytes) -> None:
    """Empty lines, no status line, another protocol or version: so it begins, once."""
    http1.fail("wire", variant=variant)
    raw = bytes_of_http1(http1, call(ME))
    assert raw.startswith(begins)
    assert (b'"me"' in raw) is (variant != "other_protocol")
    assert bytes_of_http1(http1, call(ME)).startswith(b"HTTP/1.1 200")


def test_a_length_can_be_too_large(http1: Sandbox) -> None:
    """The announced length is larger than the body, and the connection ends."""
    http1.fail("wire", variant="bad_length")
    head, body = parted(bytes_of_http1(http1, call(ME)))
    assert f"content-length: {len(body) + 100}" in head.decode().lower()
    assert json.loads(body)["data"]


def test_a_length_can_be_too_large_over_http2(secure: Sandbox) -> None:
    """Over HTTP/2 the stream ends before the announced length."""
    secure.fail("wire", variant="bad_length")
    with pytest.raises(RequestException) as caught:
        curl(secure)
    assert caught.value.code == CurlECode.HTTP2_STREAM


@both
def test_an_answer_can_never_end(secure: Sandbox, http2: bool) -> None:
    """It is good HTTP and goes on, byte by byte, until the client leaves."""
    secure.fail("wire", variant="never_ends")
    with client(secure, http2=http2) as asking:
        with asking.stream("POST", "/api/graphql", content=call(ME)) as answer:
            parts = answer.iter_raw()
            begin = b"".join(next(parts) for _ in range(3))
        assert begin.startswith(b'{"data":')
        assert begin.endswith(b"  ")
        assert asking.get("/sandbox").status_code == 200


def test_a_sandbox_stops_while_an_answer_never_ends() -> None:
    """Stopping ends an answer without an end, and one that its client does not read."""
    box = Sandbox(now=NOW, months=1).start()
    for variant in ("never_ends", "huge"):
        box.fail("wire", variant=variant)
    head = b"POST /api/graphql HTTP/1.1\r\nhost: 127.0.0.1\r\n"
    head += f"authorization: Bearer {box.access_token}\r\n".encode()
    body = call(ME)
    with connected(box) as one, connected(box) as other:
        for connection in (one, other):
            connection.sendall(head + f"content-length: {len(body)}\r\n\r\n".encode() + body)
            assert connection.recv(8) == b"HTTP/1.1"
        box.stop()


def test_headers_can_be_huge(http1: Sandbox) -> None:
    """A megabyte of headers arrives before a good body."""
    http1.fail("wire", variant="huge_headers")
    head, body = parted(bytes_of_http1(http1, call(ME)))
    assert len(head) > 2**20
    assert json.loads(body)["data"]


def test_headers_can_be_huge_over_http2(secure: Sandbox) -> None:
    """curl gives up on the frames of a megabyte of headers."""
    secure.fail("wire", variant="huge_headers")
    with pytest.raises(RequestException) as caught:
        curl(secure)
    assert caught.value.code == CurlECode.HTTP2


# -- what both can say -------------------------------------------------------------


def test_a_bomb_unpacks_to_a_gigabyte() -> None:
    """It is 1 MB of gzip: JSON of 1 GB, with its checksum and its length."""
    packed, megabyte, flushed = bomb(), b" " * 2**20, b"\0\0\xff\xff"
    assert len(packed) < 1_200_000
    assert packed.count(flushed) == 1 + 1_024
    checksum = reduce(
        lambda sum, part: zlib.crc32(part, sum), [b'{"data":', *[megabyte] * 1_024, b"null}"], 0
    )
    assert packed[-8:] == struct.pack("<II", checksum, GIGABYTE + len('{"data":null}'))
    begin = zlib.decompressobj(31).decompress(packed, 2**24)
    assert begin == b'{"data":'.ljust(2**24)
    end = zlib.decompressobj(-15).decompress(packed[packed.rindex(flushed) + 4 : -8])
    assert end == b"null}"


@both
def test_a_bomb_arrives_as_gzip(secure: Sandbox, http2: bool) -> None:
    """The answer says that it is packed, and is the bomb."""
    secure.fail("wire", variant="bomb")
    with (
        client(secure, http2=http2) as asking,
        asking.stream("POST", "/api/graphql", content=call(ME)) as answer,
    ):
        assert answer.headers["content-encoding"] == "gzip"
        assert b"".join(answer.iter_raw()) == bomb()


@both
def test_an_answer_can_be_huge(secure: Sandbox, http2: bool) -> None:
    """It goes on for megabytes, and a client that leaves is let go."""
    secure.fail("wire", variant="huge")
    seen = 0
    with client(secure, http2=http2) as asking:
        with asking.stream("POST", "/api/graphql", content=call(ME)) as answer:
            for part in answer.iter_raw():
                seen += len(part)
                if seen > 20_000_000:
                    break
        assert asking.get("/sandbox").status_code == 200


@both
def test_json_can_be_too_deep(secure: Sandbox, http2: bool) -> None:
    """Lists stand in lists, 200,000 times."""
    secure.fail("wire", variant="nested")
    body = body_of(secure, call(ME), http2=http2)
    assert body == b'{"data":' + b"[" * DEPTH + b"]" * DEPTH + b"}"


def keys_twice(body: bytes) -> list[str]:
    """Name the keys that stand twice in an object of some JSON."""
    found: list[str] = []

    def note(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        found.extend(sorted({name for name in names if names.count(name) > 1}))
        return dict(pairs)

    json.loads(body, object_pairs_hook=note)
    return found


@both
@pytest.mark.parametrize(("ask", "key"), [(lambda _: call(ME), "me"), (payment, "ok")])
def test_a_key_can_stand_twice(
    secure: Sandbox, http2: bool, ask: Callable[[Sandbox], bytes], key: str
) -> None:
    """`ok`, or the first key of the data, stands there twice, the second time with null."""
    body = ask(secure)
    secure.fail("wire", variant="duplicate_key")
    answer = body_of(secure, body, http2=http2)
    assert keys_twice(answer) == [key]
    assert f'"{key}":null'.encode() in answer


# -- what HTTP/2 can say -----------------------------------------------------------


@pytest.mark.parametrize(
    ("variant", "code"),
    [
        ("refused_stream", ErrorCodes.REFUSED_STREAM),
        ("http11_required", ErrorCodes.HTTP_1_1_REQUIRED),
        ("reset", ErrorCodes.INTERNAL_ERROR),
    ],
)
def test_a_stream_can_be_reset(secure: Sandbox, variant: str, code: ErrorCodes) -> None:
    """One stream is reset with the code, after its whole request, and the next is answered."""
    secure.fail("wire", variant=variant)
    with connected(secure, "h2") as connection:
        http2 = Http2Client(connection)
        for _ in range(2):
            http2.ask(secure, call(ME))
            http2.listen(is_last)
    reset, ended = [event for event in http2.events if is_last(event)]
    assert isinstance(reset, StreamReset)
    assert reset.error_code == code
    assert isinstance(ended, StreamEnded)


def test_the_server_can_go_away(secure: Sandbox) -> None:
    """GOAWAY knows of no stream, though the request was read, and the connection ends."""
    secure.fail("wire", variant="goaway")
    (last,) = [e for e in events_of_http2(secure, call(ME)).events if is_last(e)]
    assert isinstance(last, ConnectionTerminated)
    assert (last.error_code, last.last_stream_id) == (ErrorCodes.NO_ERROR, 0)
    assert secure.requests()[-1]["operation"] == "Me"


def test_a_frame_can_be_garbage(secure: Sandbox) -> None:
    """Bytes that are no frame come in the place of the answer."""
    secure.fail("wire", variant="bad_frame")
    assert events_of_http2(secure, call(ME)).raw.endswith(b"\xff" * 64)


def test_the_server_can_go_away_for_good() -> None:
    """Nothing listens after GOAWAY; curl then says that it could not connect, having sent all."""
    with Sandbox(now=NOW, months=1, tls=True) as box:
        body = payment(box)
        box.fail("wire", variant="goaway_closed_port")
        with pytest.raises(RequestException) as caught:
            curl(box, body)
        assert caught.value.code == CurlECode.COULDNT_CONNECT
        assert len(box.payments()) == 1
    with box, client(box, http2=True) as asking:
        assert asking.get("/sandbox").status_code == 200


def curl(box: Sandbox, body: bytes | None = None) -> Any:
    """Post a call as curl does by itself."""
    with Session(verify=str(box.ca_bundle)) as session:
        headers = {"authorization": f"Bearer {box.access_token}"}
        url = f"{box.app_url}/api/graphql"
        return session.post(url, data=body or call(ME), headers=headers, timeout=20)


@pytest.mark.parametrize(
    ("variant", "version"),
    [
        ("refused_stream", CurlHttpVersion.V2_0),
        ("goaway", CurlHttpVersion.V2_0),
        ("http11_required", CurlHttpVersion.V1_1),
    ],
)
def test_curl_pays_twice_where_it_is_told_that_nothing_was_done(
    secure: Sandbox, variant: str, version: CurlHttpVersion
) -> None:
    """A lie that the request was not taken makes curl send it again by itself: two payments."""
    body, before = payment(secure), len(secure.payments())
    secure.fail("wire", variant=variant, operation="CreatePayment")
    assert curl(secure, body).http_version == version
    assert len(secure.payments()) - before == 2
