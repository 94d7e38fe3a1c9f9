"""Wrong and right answers to a payment, and what each proves: the data of tests and of a table.

Run as a program it writes the table into "What protects your money".
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from front import PROTOCOLS, Play, reset
from h2.connection import H2Connection
from h2.errors import ErrorCodes

PAGE = Path(__file__).parents[2] / "docs" / "what-protects-your-money.md"

EVERYWHERE = PROTOCOLS
OLD_WIRE = ("HTTP/1.1", "TLS")
NEW_WIRE = ("HTTP/2",)

Make = Callable[[bytes], Play]


@dataclass(frozen=True)
class Shape:
    """An answer to a payment: what a reader calls it, over what it comes, and its verdict.

    `acts`: the service made the payment before it answered so.
    """

    name: str
    verdict: str
    make: Make
    acts: bool = True
    over: tuple[str, ...] = EVERYWHERE
    closes_door: bool = False
    hangs: bool = False


# -- answers in JSON --------------------------------------------------------------------------


def as_json(change: Callable[[Any], Any], status: int = 200) -> Make:
    """Make the good answer, changed."""
    return lambda good: Play(status, json.dumps(change(json.loads(good))).encode())


def plain(body: bytes, status: int = 200, kind: str = "application/json") -> Make:
    """Make an answer of these bytes."""
    return lambda _: Play(status, body, (("content-type", kind),))


def beside(**more: Any) -> Callable[[Any], Any]:
    return lambda answer: {**answer, **more}


def result(value: Any) -> bytes:
    return json.dumps({"data": {"forKYC": {"createPayment": value}}}).encode()


def changed(**more: Any) -> Callable[[Any], Any]:
    def change(answer: Any) -> Any:
        answer["data"]["forKYC"]["createPayment"] |= more
        return answer

    return change


def edited(old: bytes, new: bytes) -> Make:
    return lambda good: Play(body=good.replace(old, new, 1))


ERROR = {"message": "Something went wrong"}
EARLY = {"message": "no", "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"}}
LATE = {"message": "no", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}
HTML = b"<!DOCTYPE html><html><body><h1>Blocked</h1></body></html>"

CLEAR = [
    Shape("a good answer", "completed", lambda good: Play(body=good)),
    Shape("a good answer with `errors: []` beside it", "completed", as_json(beside(errors=[]))),
    Shape("the operation's own error", "failed",
          plain(result({"ok": None, "error": {"message": "Insufficient funds"}})), acts=False),
    *[
        Shape(f"HTTP {status} with a reason in JSON", "failed",
              plain(b'{"message": "no"}', status), acts=False)
        for status in (400, 401, 403, 404, 429)
    ],
    Shape("HTTP 400 with GraphQL errors", "failed",
          plain(json.dumps({"errors": [EARLY]}).encode(), 400), acts=False),
    Shape("errors of validation alone", "failed",
          plain(json.dumps({"errors": [EARLY]}).encode()), acts=False),
]  # fmt: skip

CONTRADICTIONS = [
    *[
        Shape(f"HTTP {status} around a good answer", "unknown",
              lambda good, status=status: Play(status, good))  # type: ignore[misc]
        for status in (302, 400, 401, 403, 404, 408, 409, 422, 429, 500, 503)
    ],
    Shape("`ok` beside errors", "unknown", as_json(beside(errors=[LATE]))),
    Shape("`ok` beside errors of validation", "unknown", as_json(beside(errors=[EARLY]))),
    Shape("`ok` beside errors that are text", "unknown", as_json(beside(errors="no"))),
    Shape("`ok` beside errors that are an object", "unknown", as_json(beside(errors=ERROR))),
    Shape("`ok` beside the operation's own error", "unknown", as_json(changed(error=ERROR))),
    Shape("`ok` beside an error at the top", "unknown", as_json(beside(error="no"))),
    Shape("`ok` twice", "unknown", edited(b'"ok":', b'"ok":null,"ok":')),
    Shape("`ok` and then no `ok`", "unknown",
          lambda good: Play(body=good[:-3] + b',"ok":null}}}' if good.endswith(b"}}}") else good)),
    Shape("`error` twice", "unknown", edited(b'"error":', b'"error":{"message":"no"},"error":')),
    Shape("`data` twice", "unknown", edited(b'{"data":', b'{"data":null,"data":')),
    Shape("an `ok` that is true", "unknown", as_json(changed(ok=True))),
    Shape("an `ok` that is a list", "unknown", as_json(changed(ok=[]))),
    Shape("neither `ok` nor error", "unknown", as_json(changed(ok=None))),
    Shape("an error without words", "unknown", plain(result({"ok": None, "error": {}}))),
    Shape("a refusal that also has data", "unknown",
          plain(json.dumps({"data": {"forKYC": None}, "errors": [EARLY]}).encode(), 400)),
    Shape("the operation's own error beside others", "unknown",
          plain(json.dumps({**json.loads(result({"ok": None, "error": ERROR})),
                            "errors": [LATE]}).encode())),
    Shape("errors while it was executed", "unknown",
          plain(json.dumps({"errors": [LATE], "data": None}).encode())),
    Shape("errors with a path", "unknown",
          plain(json.dumps({"errors": [{**EARLY, "path": ["forKYC"]}]}).encode())),
    Shape("errors that are text, with HTTP 400", "unknown", plain(b'{"errors": "no"}', 400)),
    Shape("HTTP 400 with errors of execution", "unknown",
          plain(json.dumps({"data": None, "errors": [{**LATE, "path": ["forKYC"]}]}).encode(),
                400)),
    Shape("HTTP 400 with an error of the service's inside", "unknown",
          plain(json.dumps({"errors": [LATE]}).encode(), 400)),
    Shape("HTTP 400 with an error without words", "unknown", plain(b'{"errors": [{}]}', 400)),
    Shape("HTTP 400 with a message beside a transfer", "unknown",
          plain(b'{"message": "accepted", "transfer": {"id": "tr-1"}}', 400)),
    Shape("the operation's own error beside a transfer", "unknown",
          plain(result({"error": ERROR, "transferReference": {"id": "tr-1"}}))),
    Shape("the operation's own error beside another answer", "unknown",
          plain(json.dumps({"data": {**json.loads(result({"ok": None, "error": ERROR}))["data"],
                                     "other": {"id": "tr-1"}}}).encode())),
    Shape("the operation's own error with no text", "unknown",
          plain(result({"ok": None, "error": {"message": ""}}))),
    Shape("HTTP 500 with a reason in JSON", "unknown", plain(b'{"message": "no"}', 500)),
    Shape("HTTP 409 with a reason in JSON", "unknown", plain(b'{"message": "no"}', 409)),
    Shape("HTTP 422 with a reason in JSON", "unknown", plain(b'{"message": "no"}', 422)),
    Shape("HTTP 400 with an empty object", "unknown", plain(b"{}", 400)),
]  # fmt: skip

NO_JSON = [
    *[
        Shape(f"HTTP {status} with a page in HTML", "unknown",
              plain(HTML, status, "text/html"), acts=status == 200)
        for status in (200, 400, 401, 403, 404, 429, 502)
    ],
    Shape("an empty answer", "unknown", plain(b"")),
    Shape("HTTP 204", "unknown", lambda _: Play(204, b"", ())),
    Shape("`null`", "unknown", plain(b"null")),
    Shape("a list", "unknown", plain(b"[]")),
    Shape("two documents", "unknown", lambda good: Play(body=good + good)),
    Shape("a good answer in UTF-16", "unknown",
          lambda good: Play(body=good.decode().encode("utf-16"))),
    Shape("a number that is none (NaN)", "unknown",
          lambda good: Play(body=good[:-1] + b',"more":NaN}')),
    Shape("half of a good answer", "unknown", lambda good: Play(body=good[: len(good) // 2])),
    Shape("200,000 brackets", "unknown", plain(b"[" * 200_000)),
    Shape("a good answer inside 200,000 brackets", "unknown",
          lambda good: Play(body=b"[" * 200_000 + good + b"]" * 200_000)),
    Shape("packed bytes that are broken", "unknown",
          lambda good: Play(body=gzip.compress(good)[:-12] + b"x" * 8,
                            headers=(("content-encoding", "gzip"),))),
    Shape("a packing that nobody knows", "unknown",
          lambda good: Play(body=good, headers=(("content-encoding", "lzip"),))),
    Shape("more bytes than any answer has", "unknown",
          lambda good: Play(body=good[:-1] + b" " * 600_000 + b"}")),
    Shape("few bytes that unpack to many", "unknown",
          lambda good: Play(body=gzip.compress(good[:-1] + b" " * 2_000_000 + b"}"),
                            headers=(("content-encoding", "gzip"),))),
]  # fmt: skip

# -- garbage on the wire ----------------------------------------------------------------------


def raw(data: bytes | Callable[[bytes], bytes], end: str = "close") -> Make:
    """Make bytes that go out as they are; a function makes them from the good answer."""
    return lambda good: Play(raw=data if isinstance(data, bytes) else data(good), end=end)


def whole(good: bytes, head: bytes = b"HTTP/1.1 200 OK\r\n") -> bytes:
    return head + b"content-length: %d\r\n\r\n" % len(good) + good


OLD = [
    Shape("the connection ends without an answer", "unknown", raw(b""), over=OLD_WIRE),
    Shape("the connection is reset without an answer", "unknown", raw(b"", "reset"),
          over=OLD_WIRE),
    Shape("no answer ever", "unknown", raw(b"", "hang"), over=OLD_WIRE, hangs=True),
    Shape("two line ends before a good answer", "unknown",
          raw(lambda good: b"\r\n\r\n" + whole(good)), over=OLD_WIRE),
    Shape("an answer of HTTP/0.9", "unknown", raw(lambda good: good), over=OLD_WIRE),
    Shape("another protocol's first line", "unknown", raw(b"SSH-2.0-OpenSSH_9.9\r\n"),
          over=OLD_WIRE),
    Shape("an unknown version", "unknown",
          raw(lambda good: whole(good, b"HTTP/7.3 200 OK\r\n")), over=OLD_WIRE),
    Shape("a status that is no number", "unknown",
          raw(lambda good: whole(good, b"HTTP/1.1 two OK\r\n")), over=OLD_WIRE),
    Shape("a status of five digits", "unknown",
          raw(lambda good: whole(good, b"HTTP/1.1 20000 OK\r\n")), over=OLD_WIRE),
    Shape("bytes at random", "unknown", raw(bytes(range(255, 0, -1)) * 3), over=OLD_WIRE),
    Shape("a length that is longer than the body", "unknown",
          raw(lambda good: whole(good)[:-9]), over=OLD_WIRE),
    Shape("a length below zero", "unknown",
          raw(lambda good: b"HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\n" + good),
          over=OLD_WIRE),
    Shape("two lengths that differ", "unknown",
          raw(lambda good: b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: %d\r\n\r\n"
              % len(good) + good), over=OLD_WIRE),
    Shape("a chunk without a size", "unknown",
          raw(lambda good: b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n" + good),
          over=OLD_WIRE),
    Shape("chunks without the last one", "unknown",
          raw(lambda good: b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n%x\r\n"
              % len(good) + good + b"\r\n"), over=OLD_WIRE),
    Shape("a head without end", "unknown",
          raw(b"HTTP/1.1 200 OK\r\n" + b"x-more: " + b"y" * 700_000), over=OLD_WIRE),
    Shape("interim answers and no other", "unknown",
          raw(b"HTTP/1.1 100 Continue\r\n\r\n" * 500), over=OLD_WIRE),
    Shape("a head, and then silence", "unknown",
          raw(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n", "hang"), over=OLD_WIRE,
          hangs=True),
    Shape("a redirect to the same place", "unknown",
          lambda _: Play(307, b"", (("location", "/api/graphql"),))),
    Shape("a demand for another login", "unknown",
          lambda _: Play(401, HTML, (("www-authenticate", "Basic realm=x"),))),
    Shape("HTTP 408, after which browsers ask again", "unknown", lambda _: Play(408, b"")),
    Shape("HTTP 417", "unknown", lambda _: Play(417, b"")),
    Shape("HTTP 421, after which browsers ask again elsewhere", "unknown",
          lambda _: Play(421, b"")),
    Shape("HTTP 503, try again at once", "unknown",
          lambda _: Play(503, b"", (("retry-after", "0"),))),
]  # fmt: skip


def frames(act: Callable[[H2Connection, int], bytes | None], end: str = "close") -> Make:
    return lambda _: Play(frames=act, end=end)


def half_and_reset(h2: H2Connection, stream_id: int) -> None:
    h2.send_headers(stream_id, [(":status", "200"), ("content-type", "application/json")])
    h2.send_data(stream_id, b'{"data": {"forKYC"')
    h2.reset_stream(stream_id, ErrorCodes.INTERNAL_ERROR)


def head_alone(h2: H2Connection, stream_id: int) -> None:
    h2.send_headers(stream_id, [(":status", "200"), ("content-length", "500")])


def wrong_length(h2: H2Connection, stream_id: int) -> None:
    h2.send_headers(stream_id, [(":status", "200"), ("content-length", "500")])
    h2.send_data(stream_id, b"{}", end_stream=True)


def goaway(last: int, code: ErrorCodes) -> Callable[[H2Connection, int], None]:
    return lambda h2, _: h2.close_connection(code, last_stream_id=last)


NEW = [
    Shape("REFUSED_STREAM after the body was read", "unknown",
          frames(reset(ErrorCodes.REFUSED_STREAM), "stay"), over=NEW_WIRE),
    Shape("HTTP_1_1_REQUIRED after the body was read", "unknown",
          frames(reset(ErrorCodes.HTTP_1_1_REQUIRED), "stay"), over=NEW_WIRE),
    Shape("INTERNAL_ERROR", "unknown",
          frames(reset(ErrorCodes.INTERNAL_ERROR), "stay"), over=NEW_WIRE),
    Shape("CANCEL", "unknown", frames(reset(ErrorCodes.CANCEL), "stay"), over=NEW_WIRE),
    Shape("ENHANCE_YOUR_CALM", "unknown",
          frames(reset(ErrorCodes.ENHANCE_YOUR_CALM), "stay"), over=NEW_WIRE),
    Shape("GOAWAY, nothing was processed", "unknown",
          frames(goaway(0, ErrorCodes.NO_ERROR)), over=NEW_WIRE),
    Shape("GOAWAY, nothing was processed, and the port is closed", "unknown",
          frames(goaway(0, ErrorCodes.NO_ERROR)), over=NEW_WIRE, closes_door=True),
    Shape("GOAWAY with an error", "unknown",
          frames(goaway(1, ErrorCodes.PROTOCOL_ERROR)), over=NEW_WIRE),
    Shape("frames that are garbage", "unknown",
          frames(lambda _, __: b"\xff" * 200), over=NEW_WIRE),
    Shape("an answer of HTTP/1.1 among frames", "unknown",
          frames(lambda _, __: b"HTTP/1.1 200 OK\r\n\r\n{}"), over=NEW_WIRE),
    Shape("half of an answer, and INTERNAL_ERROR", "unknown",
          frames(half_and_reset, "stay"), over=NEW_WIRE),
    Shape("a head, and the connection ends", "unknown", frames(head_alone), over=NEW_WIRE),
    Shape("a head, and the connection is reset", "unknown",
          frames(head_alone, "reset"), over=NEW_WIRE),
    Shape("a head, and then silence over HTTP/2", "unknown",
          frames(head_alone, "hang"), over=NEW_WIRE, hangs=True),
    Shape("a length that the body has not", "unknown",
          frames(wrong_length, "stay"), over=NEW_WIRE),
    Shape("the connection ends over HTTP/2 without an answer", "unknown",
          frames(lambda _, __: None), over=NEW_WIRE),
    Shape("the connection is reset over HTTP/2 without an answer", "unknown",
          frames(lambda _, __: None, "reset"), over=NEW_WIRE),
    Shape("no answer ever over HTTP/2", "unknown",
          frames(lambda _, __: None, "hang"), over=NEW_WIRE, hangs=True),
]  # fmt: skip

GROUPS = {
    "A clear answer": CLEAR,
    "An answer that contradicts itself": CONTRADICTIONS,
    "An answer that is no JSON of the service": NO_JSON,
    "The wire": [*OLD, *NEW],
}

SHAPES = [shape for shapes in GROUPS.values() for shape in shapes]


# -- the table --------------------------------------------------------------------------------

BEGIN, END = "<!-- shapes: begin -->", "<!-- shapes: end -->"


def table() -> Iterator[str]:
    """Yield the lines of the table that a reader gets."""
    yield "| what comes back | over | verdict |"
    yield "|---|---|---|"
    yield "| nothing left: no connection, no TLS, a certificate nobody vouches for | all | failed |"
    for head, shapes in GROUPS.items():
        yield f"| **{head}** | | |"
        for shape in shapes:
            over = "all" if shape.over == EVERYWHERE else ", ".join(shape.over)
            yield f"| {shape.name} | {over} | {shape.verdict} |"


def page_with_table(text: str) -> str:
    """Return the page with the table as it is now."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return "\n".join([f"{before}{BEGIN}", "", *table(), "", f"{END}{after}"])


if __name__ == "__main__":
    PAGE.write_text(page_with_table(PAGE.read_text("utf-8")), "utf-8")
    sys.stdout.write(f"wrote {len(SHAPES)} shapes into {PAGE.name}\n")
