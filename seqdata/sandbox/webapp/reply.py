"""What goes out as the answer to a request, before it becomes HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


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
