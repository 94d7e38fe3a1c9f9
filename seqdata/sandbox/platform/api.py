"""The API over HTTP: a request in, a reply out, checked in one order.

The order, which nobody documents: address and method (404 in plain text), key (401), limit (429),
headers, query and body (400), permission (403), existence (404, or 400 of a transfer's ends), the
state of a rule (403), and the idempotency key before anything is done.
"""

from __future__ import annotations

from itertools import count
from typing import Any

from seqdata.sandbox.faults.queue import Faults
from seqdata.sandbox.platform.audit import ACTIONS, Audit, Call
from seqdata.sandbox.platform.description import Operation
from seqdata.sandbox.platform.errors import ApiError, NotOffered
from seqdata.sandbox.platform.idempotency import Idempotency
from seqdata.sandbox.platform.keys import Key, Keys, moving, read_permissions
from seqdata.sandbox.platform.limits import Limits
from seqdata.sandbox.platform.operations import Asked, Operations
from seqdata.sandbox.platform.request import Request
from seqdata.sandbox.platform.switches import Switches
from seqdata.sandbox.webapp.reply import Reply
from seqdata.sandbox.world.book import make_id
from seqdata.sandbox.world.world import World

_CODES = {400: "INVALID_PARAMETERS", 401: "UNAUTHORIZED", 403: "ACCESS_DENIED",
          429: "RATE_LIMIT_EXCEEDED"}  # fmt: skip


class Platform:
    """The official API over one world."""

    def __init__(self, world: World, faults: Faults) -> None:
        self.world, self.faults = world, faults
        self.switches = Switches()
        self.keys = Keys(world.id)
        self.limits = Limits(lambda: world.now, self.switches)
        self.audit = Audit()
        self.idempotency = Idempotency(self.switches)
        self._operations = Operations(world, faults, self.switches, self.audit, self.idempotency)
        self._numbers = count(1)

    def make_key(
        self, name: str, permissions: Any = None, organization_id: str | None = None
    ) -> tuple[Key, str]:
        """Make a key of an organization, the first one where none is named; it reads everything."""
        own_id = organization_id or self.world.organizations[0].id
        if self.world.organization(own_id) is None:
            raise ValueError(f"no organization has the id {own_id}")
        return self.keys.make(name, own_id, read_permissions(permissions))

    def make_moving_key(self, name: str) -> tuple[Key, str]:
        """Make a key that also runs rules, and moves money between any accounts that allow it."""
        organization = self.world.organizations[0]
        book = organization.book
        open_now = [one for one in book.holdings.values() if one.deleted_at is None]
        sources = [*open_now, *(one for one in book.outside.values() if one.can_be_source)]
        ids = [one.id or "" for one in sources]
        targets = [one.id or "" for one in [*open_now, *book.outside.values()]]
        pairs = [(one, other) for one in ids for other in targets if one != other]
        return self.keys.make(name, organization.id, moving(pairs))

    def serve(self, request: Request, record: dict[str, Any]) -> Reply:
        """Answer a request, with the faults that wait for it; `record` gets what it was for."""
        try:
            operation, values = request.route()
        except NotOffered:
            return _text(404, f"Cannot {request.method} /{request.path.lstrip('/')}")
        record.update(operation=operation.id, variables=values | request.said())
        request_id = f"req-{next(self._numbers)}"
        replaced = self.faults.replace(operation.id)
        if replaced is not None:
            reply = self._in_own_words(replaced, request_id)
        else:
            with self.world.lock:
                reply = self._answer(request, operation, values, request_id, record)
            reply = self.faults.alter(reply, operation.id)
        if self.switches.request_id_header:
            reply.headers.setdefault("x-request-id", request_id)
        return self.faults.delay(reply, operation.id)

    def _answer(
        self,
        request: Request,
        operation: Operation,
        values: dict[str, str],
        request_id: str,
        record: dict[str, Any],
    ) -> Reply:
        key = self.keys.find(request.bearer())
        if key is None:
            own_id = f"broker-{make_id(self.world.id, request_id)}"
            return self._refusal(ApiError(401, "UNAUTHORIZED", "Unknown API key."), own_id)
        record["api_key_id"] = key.id
        at, code = self.world.now, None
        try:
            reply = self._permitted(request, operation, values, key, request_id)
            code = (
                (reply.payload or {}).get("error", {}).get("code") if reply.text is None else None
            )
        except NotOffered:
            reply = _text(404, f"Cannot {request.method} /{request.path.lstrip('/')}")
            code = "NOT_FOUND"
        except ApiError as error:
            code = error.code
            reply = self._refusal(error, request_id)
        action = ACTIONS.get(operation.id)
        if action is None and self.switches.unlisted_action != "null":
            action = self.switches.unlisted_action
        path = record["path"]
        self.audit.note(
            Call(at, key.organization_id, key.id, key.name, path, action, request_id, code)
        )
        return reply

    def _permitted(
        self,
        request: Request,
        operation: Operation,
        values: dict[str, str],
        key: Key,
        request_id: str,
    ) -> Reply:
        wait = self.limits.wait(key.id)
        if wait:
            said = "Too many requests."
            reply = self._refusal(ApiError(429, "RATE_LIMIT_EXCEEDED", said), request_id)
            reply.headers["retry-after"] = str(wait)
            return reply
        query = request.read_query(operation, self.switches)
        body = request.read_body(operation) if operation.body is not None else {}
        heard = self.faults.hear(dict(values), operation.id, self.world) or values
        asked = Asked(operation, key, heard, query, body, request, request_id)
        return self._operations.answer(asked)

    def _refusal(self, error: ApiError, request_id: str) -> Reply:
        payload: dict[str, Any] = {"error": {"code": error.code, "message": error.message}}
        if self.switches.request_id_in_errors:
            payload["requestId"] = request_id
        return Reply(error.status, payload)

    def _in_own_words(self, reply: Reply, request_id: str) -> Reply:
        """Give a fault's JSON in the words of this API; what is no JSON stays as it is."""
        said = reply.payload
        if reply.text is not None or not isinstance(said, dict) or "message" not in said:
            return reply
        code = said.get("code") or _CODES.get(reply.status, "UNEXPECTED_ERROR")
        refusal = self._refusal(ApiError(reply.status, code, said["message"]), request_id)
        reply.payload = refusal.payload
        return reply


def _text(status: int, text: str) -> Reply:
    return Reply(status, headers={"content-type": "text/plain; charset=utf-8"}, text=text)
