"""Answers under idempotency keys, kept for 24 hours of the world's clock: one intent, one act."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from seqdata.sandbox.platform.errors import ApiError
from seqdata.sandbox.platform.switches import Switches
from seqdata.sandbox.world.clock import HOUR

KEPT = 24 * HOUR

#: What an answer is kept under.
Name = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """What was asked first, and how it was answered."""

    at: int
    #: Until then the first request counts as unfinished.
    busy_until: int
    body: Any
    status: int
    payload: dict[str, Any]


class Idempotency:
    """Finds the first answer under a key, or says why there is none."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self._kept: dict[Name, Kept] = {}

    def name(self, text: str, operation: str, key_id: str, organization_id: str) -> Name:
        """Say within what an idempotency key is unique."""
        within = {
            "operation": (key_id, operation), "key": (key_id,), "organization": (organization_id,)
        }  # fmt: skip
        return (*within[self._switches.idempotency_scope], text)

    def find(self, name: Name, body: Any, now: int, busy_code: str) -> Kept | None:
        """Give the first answer, or None where there was none within 24 hours.

        Raises
        ------
        ApiError
            The first request is unfinished, or asked for something else.
        """
        kept = self._kept.get(name)
        if kept is None or now - kept.at >= KEPT:
            return None
        if kept.body != body:
            said = "This idempotency key was used with another body."
            raise ApiError(400, "IDEMPOTENCY_KEY_MISMATCH", said)
        if now < kept.busy_until:
            raise ApiError(409, busy_code, "The first request with this key is being processed.")
        return kept

    def keep(self, name: Name, kept: Kept) -> None:
        """Keep an answer."""
        self._kept[name] = kept
