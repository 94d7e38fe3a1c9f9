"""Faults on demand: a registry of named kinds, and the queue of those asked for.

A kind acts at one of these places: instead of the answer, before anything was done
(`replace`); on the finished answer (`alter`); on a page of transfers (`page`), or on one
that was asked for by a cursor (`later page`).
"""

# ruff: noqa: ARG001 - every kind is given its options
from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from seqdata.sandbox.paging import decode_cursor, encode_cursor

Options = dict[str, Any]

#: The operation name under which faults of the token endpoint are asked for.
TOKEN_OPERATION = "oauth/token"  # noqa: S105 - the name of an address


@dataclass(slots=True)
class Reply:
    """What goes out. `is_cut`: nothing does, and the connection is gone."""

    status: int = 200
    payload: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    #: Sent as it is, as HTML, where set.
    text: str | None = None
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """Where a named fault acts, and how."""

    place: str
    act: Callable[..., Any]


def _unauthorized(options: Options) -> Reply:
    return Reply(401, {"message": "Unauthorized"})


def _rate_limit(options: Options) -> Reply:
    retry_after = str(options.get("retry_after", 1))
    return Reply(429, {"message": "Too Many Requests"}, {"retry-after": retry_after})


def _server_error(options: Options) -> Reply:
    page = "<html><body><h1>Internal Server Error</h1></body></html>"
    return Reply(options.get("status", 500), text=page)


def _error(options: Options) -> dict[str, Any]:
    message = options.get("message", "Something went wrong")
    return {"message": message, "extensions": {"code": "INTERNAL_SERVER_ERROR"}}


def _errors_without_data(options: Options) -> Reply:
    return Reply(200, {"errors": [_error(options)], "data": None})


def _errors_with_data(reply: Reply, options: Options) -> Reply:
    errors = [*reply.payload.get("errors", []), _error(options)]
    return Reply(reply.status, reply.payload | {"errors": errors}, reply.headers)


def _cut(options: Options) -> Reply:
    return Reply(is_cut=True)


def _repeated_cursor(page: dict[str, Any], after: str, options: Options) -> dict[str, Any]:
    info = page["pageInfo"] | {"endCursor": after, "hasNextPage": True}
    return page | {"pageInfo": info}


def _empty_page(page: dict[str, Any], after: str, options: Options) -> dict[str, Any]:
    """Show nothing; the new cursor stands where the old one stood, so no row is lost."""
    created_at, own_id = decode_cursor(after) if after else (2**62, "_")
    end = encode_cursor((created_at, own_id[:-1]))
    info = page["pageInfo"] | {"startCursor": None, "endCursor": end, "hasNextPage": True}
    return page | {"edges": [], "pageInfo": info}


KINDS: dict[str, Kind] = {
    "unauthorized": Kind("replace", _unauthorized),
    "rate_limit": Kind("replace", _rate_limit),
    "server_error": Kind("replace", _server_error),
    "errors_without_data": Kind("replace", _errors_without_data),
    "errors_with_data": Kind("alter", _errors_with_data),
    "repeated_cursor": Kind("later page", _repeated_cursor),
    "empty_page": Kind("page", _empty_page),
    "cut": Kind("replace", _cut),
}


@dataclass(slots=True)
class Fault:
    """A fault that was asked for: it passes `after` matches by, then acts `times` times."""

    kind: str
    times: int = 1
    operation: str | None = None
    after: int = 0
    options: Options = field(default_factory=dict)

    def matches(self, place: str, operation: str | None) -> bool:
        """Whether this is the place and the operation. Unnamed ones mean any of GraphQL."""
        if KINDS[self.kind].place != place or self.times <= 0:
            return False
        if self.operation is None:
            return operation != TOKEN_OPERATION
        return self.operation == operation


class Faults:
    """The faults that are waiting, first come, first served."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Ask for a fault."""
        if fault.kind not in KINDS:
            raise ValueError(f"unknown fault {fault.kind!r}; there are {', '.join(sorted(KINDS))}")
        if fault.times < 1 or fault.after < 0:
            raise ValueError("times is a whole number from 1 up, after from 0 up")
        with self._lock:
            self._waiting.append(fault)

    def clear(self) -> None:
        """Forget all that are waiting."""
        with self._lock:
            self._waiting.clear()

    def waiting(self) -> list[dict[str, Any]]:
        """Those that have not acted as often as asked."""
        with self._lock:
            return [asdict(fault) for fault in self._waiting]

    def _take(self, place: str, operation: str | None) -> Fault | None:
        with self._lock:
            for fault in self._waiting:
                if not fault.matches(place, operation):
                    continue
                if fault.after > 0:
                    fault.after -= 1
                    continue
                fault.times -= 1
                if fault.times == 0:
                    self._waiting.remove(fault)
                return fault
        return None

    def replace(self, operation: str | None) -> Reply | None:
        """Give the answer to give instead of acting, or None."""
        fault = self._take("replace", operation)
        reply: Reply | None = KINDS[fault.kind].act(fault.options) if fault else None
        return reply

    def alter(self, reply: Reply, operation: str | None) -> Reply:
        """Give the answer after faults that act on a finished one."""
        if not isinstance(reply.payload, dict) or reply.payload.get("data") is None:
            return reply
        fault = self._take("alter", operation)
        altered: Reply = KINDS[fault.kind].act(reply, fault.options) if fault else reply
        return altered

    def change_page(
        self, page: dict[str, Any], after: str | None, operation: str | None
    ) -> dict[str, Any]:
        """Give a page of transfers after its faults.

        A first page came from no cursor, so there is none to repeat.
        """
        fault = (self._take("later page", operation) if after else None) or self._take(
            "page", operation
        )
        if fault is None:
            return page
        changed: dict[str, Any] = KINDS[fault.kind].act(page, after or "", fault.options)
        return changed
