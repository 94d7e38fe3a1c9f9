"""Faults on demand: the queue of those asked for. :mod:`.kinds` has what they do."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from typing import Any

from seqdata.sandbox.faults.answers import Asked, Told
from seqdata.sandbox.faults.kinds import KINDS, VARIANTS, Options, check_options
from seqdata.sandbox.faults.pages import Begun, Numbered, Shown, Sought
from seqdata.sandbox.platform.description import OPERATION_IDS
from seqdata.sandbox.webapp.paging import Cursors
from seqdata.sandbox.webapp.payments import Fate
from seqdata.sandbox.webapp.reply import Reply
from seqdata.sandbox.world.clock import utc_text
from seqdata.sandbox.world.records import Key
from seqdata.sandbox.world.world import World

__all__ = ["KINDS", "TOKEN_OPERATION", "Fault", "Faults", "Reply"]

#: The operation name that stands for every operation of the official API.
PLATFORM = "platform"

#: Faults that only answers of GraphQL can have.
_OF_GRAPHQL = frozenset({
    "contradiction", "create_error", "empty_page", "errors_with_data", "errors_without_data",
    "expired_cursor", "no_count", "repeated_cursor",
})  # fmt: skip
_VARIANTS_OF_GRAPHQL = {"wrong_page": ("back", "ahead"), "misheard": ("organization",)}

#: The operation name under which faults of the token endpoint are asked for.
TOKEN_OPERATION = "oauth/token"  # noqa: S105 - the name of an address


@dataclass(slots=True)
class Fault:
    """A fault that was asked for: it passes `after` matches by, then acts `times` times.

    It acts from `since` on and before `until`, by the world's clock.
    """

    kind: str
    times: int = 1
    operation: str | None = None
    after: int = 0
    since: int | None = None
    until: int | None = None
    options: Options = field(default_factory=dict)

    def matches(self, place: str, operation: str | None, subject: Any, now: int) -> bool:
        """Whether it can act on this. An unnamed operation means any of GraphQL."""
        kind = KINDS[self.kind]
        if kind.acts_at(self.options) != place or self.times <= 0 or not self._is_due(now):
            return False
        if not self._is_aimed_at(operation):
            return False
        return kind.applies(subject, self.options_at(now))

    def _is_aimed_at(self, operation: str | None) -> bool:
        if operation in OPERATION_IDS:
            return self.operation in (operation, PLATFORM)
        is_other = bool(self.operation) or operation == TOKEN_OPERATION
        return operation == self.operation or not is_other

    def _is_due(self, now: int) -> bool:
        has_begun = self.since is None or self.since <= now
        return has_begun and (self.until is None or now < self.until)

    def options_at(self, now: int) -> Options:
        """Give its options, and the time at which it acts."""
        return self.options | {"now": now}

    def described(self) -> dict[str, Any]:
        """Give what was asked for, as JSON values."""
        bounds = {name: getattr(self, name) for name in ("since", "until")}
        return asdict(self) | {name: at and utc_text(at) for name, at in bounds.items()}


class Faults:
    """The faults that are waiting, first come, first served; one for each place of an answer."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self.cursors = Cursors()
        self._clock = clock
        self._told = Told()
        #: How often each kind has acted.
        self.acted: Counter[str] = Counter()
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, *faults: Fault) -> None:
        """Ask for faults: for all of them, or where one cannot be, for none."""
        for fault in faults:
            if fault.kind not in KINDS:
                known = ", ".join(sorted(KINDS))
                raise ValueError(f"unknown fault {fault.kind!r}; there are {known}")
            check_options(fault.kind, fault.options)
            _check_aim(fault)
        with self._lock:
            self._waiting += faults

    def clear(self) -> None:
        """Forget all that are waiting."""
        with self._lock:
            self._waiting.clear()

    def waiting(self) -> list[dict[str, Any]]:
        """Those that have not acted as often as asked."""
        with self._lock:
            return [fault.described() for fault in self._waiting]

    def _take(self, place: str, operation: str | None, subject: Any, now: int) -> Fault | None:
        with self._lock:
            for fault in self._waiting:
                if not fault.matches(place, operation, subject, now):
                    continue
                if fault.after > 0:
                    fault.after -= 1
                    continue
                fault.times -= 1
                self.acted[fault.kind] += 1
                if fault.times == 0:
                    self._waiting.remove(fault)
                return fault
        return None

    def _act(self, place: str, operation: str | None, subject: Any, otherwise: Any) -> Any:
        now = self._clock()
        fault = self._take(place, operation, subject, now)
        return otherwise if fault is None else KINDS[fault.kind].act(subject, fault.options_at(now))

    def replace(self, operation: str | None) -> Reply | None:
        """Give the answer to give instead of acting, or None."""
        reply: Reply | None = self._act("replace", operation, None, None)
        return reply

    def alter(self, reply: Reply, operation: str | None) -> Reply:
        """Give the answer of a service that acted, after the faults of its JSON and its way."""
        payload = reply.payload
        if isinstance(payload, dict) and payload.get("data") is not None:
            told = self._act("recall", operation, self._told.of(operation), payload)
            self._told.note(operation, payload)
            copy = deepcopy(told) if self._waiting else told
            reply.payload = self._act("alter", operation, copy, copy)
        finished: Reply = self._act("finish", operation, reply, reply)
        return finished

    def delay(self, reply: Reply, operation: str | None) -> Reply:
        """Give any answer after the faults that make it late."""
        late: Reply = self._act("delay", operation, reply, reply)
        return late

    def hear(
        self, variables: dict[str, Any] | None, operation: str | None, world: World
    ) -> dict[str, Any] | None:
        """Give the variables of a call as the service understands them."""
        asked = Asked(variables, world)
        heard: dict[str, Any] | None = self._act("ask", operation, asked, variables)
        return heard

    def find(self, cursor: str | None, operation: str | None, keys: list[Key]) -> Key | None:
        """Give the key a page begins below, or raise `BadInput`. None: it is the first page."""
        if not cursor:
            return None
        key = self.cursors.read(cursor)
        found: Key = self._act("cursor", operation, Sought(key, self.cursors, keys), key)
        return found

    def change_page(
        self, page: dict[str, Any], after: str | None, operation: str | None
    ) -> dict[str, Any]:
        """Give a page of transfers after its faults.

        A first page came from no cursor, so there is none to repeat.
        """
        shown = Shown(page, after or "", self.cursors)
        changed: dict[str, Any] | None = None
        if after:
            changed = self._act("later page", operation, shown, None)
        return changed or self._act("page", operation, shown, page)

    def find_start(self, start: int, operation: str | None) -> int:
        """Give the number of the row that a page begins with."""
        found: int = self._act("cursor", operation, Begun(start), start)
        return found

    def change_rows(self, shown: Numbered, operation: str | None) -> Numbered:
        """Give a page that has a number after its faults."""
        changed: Numbered = self._act("page", operation, shown, shown)
        return changed

    def ignored_filter(self, given: dict[str, Any], operation: str | None) -> str | None:
        """Give the key of a filter that is not listened to, or None."""
        name: str | None = self._act("filter", operation, given, None)
        return name

    def count(self, operation: str | None) -> str | None:
        """Give how counting fails, or None: "error", or "unknown" to the schema."""
        variant: str | None = self._act("count", operation, None, None)
        return variant

    def fate(self, operation: str | None) -> Fate | None:
        """Give how a payment that is accepted is to fail, or None."""
        fate: Fate | None = self._act("fate", operation, None, None)
        return fate

    def change_payment(self, result: dict[str, Any], operation: str | None) -> Any:
        """Give the result of an accepted payment, or the GraphQLError or Reply instead."""
        return self._act("payment", operation, result, result)


def _check_aim(fault: Fault) -> None:
    """Refuse a fault that no answer of its operation can have."""
    if fault.operation != PLATFORM and fault.operation not in OPERATION_IDS:
        return
    variant = fault.options.get("variant", VARIANTS.get(fault.kind, ("",))[0])
    if fault.kind in _OF_GRAPHQL or variant in _VARIANTS_OF_GRAPHQL.get(fault.kind, ()):
        raise ValueError(f"{fault.kind} is a fault of GraphQL, not of {fault.operation}")
