"""What a request and its answer were: made by hand, or changed on the way."""

from __future__ import annotations

from dataclasses import replace

from seqdata.http.messages import Answer, Exchange

MARK = "x-seqdata-sandbox"


def came(status: int = 200, body: bytes = b"", **headers: str) -> Exchange:
    """Make an exchange with an answer; ``retry_after`` stands for the header ``retry-after``."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Exchange(True, Answer(status, named, body))


def without_mark(exchange: Exchange) -> Exchange:
    """Take out of an answer that it is a sandbox's."""
    assert exchange.answer is not None
    kept = {name: text for name, text in exchange.answer.headers.items() if name != MARK}
    return replace(exchange, answer=replace(exchange.answer, headers=kept))
