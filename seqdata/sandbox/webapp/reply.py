"""What goes out as the answer to a request, before it becomes HTTP."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any


def written(payload: Any) -> str:
    """Write JSON; half of a character, which no bytes can hold, as JavaScript escapes it."""
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    halves = re.compile("[\ud800-\udfff]")
    return halves.sub(lambda half: f"\\u{ord(half[0]):04x}", text)


@dataclass(slots=True)
class Reply:
    """An answer, and what becomes of it on its way."""

    status: int = 200
    payload: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    #: Sent as it is, as HTML, where set.
    text: str | None = None
    #: Nothing goes out, and the connection is gone.
    is_cut: bool = False
    #: Headers and half of the body go out, and the connection is gone.
    is_cut_midway: bool = False
    #: The wrong way it is answered in: a variant of `seqdata.sandbox.faults.wire`.
    wire: str | None = None
    #: The share of the body that is the whole answer, in valid HTTP.
    share: float = 1.0
    #: Seconds of the wall clock before anything goes out.
    delay: float = 0.0

    @property
    def media_type(self) -> str:
        """What the body is."""
        return "application/json; charset=utf-8" if self.text is None else "text/html"

    @property
    def body(self) -> bytes:
        """The body, as far as it goes out."""
        text = self.text
        if text is None:
            text = written(self.payload)
        whole = text.encode()
        return whole[: int(len(whole) * self.share)]
