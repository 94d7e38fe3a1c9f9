"""The log of the calls with keys, for 90 days."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

from seqdata.sandbox.world.book import make_id
from seqdata.sandbox.world.clock import HOUR
from seqdata.sandbox.world.records import Node

REACH = 90 * 24 * HOUR

#: The action of each operation, where it has one.
ACTIONS = {
    "getAccount": "GET_ACCOUNT", "listAccounts": "LIST_ACCOUNTS",
    "listTransfers": "LIST_TRANSFERS", "listAccountTransfers": "LIST_TRANSFERS",
    "getTransfer": "GET_TRANSFER", "createTransfer": "CREATE_TRANSFER",
    "triggerRule": "TRIGGER_RULE", "listRules": "LIST_RULES", "getRule": "GET_RULE",
    "listRuleExecutions": "LIST_RULE_EXECUTIONS", "getRuleExecution": "GET_RULE_EXECUTION",
    "listAuditLog": "LIST_AUDIT_LOGS",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Call:
    """One call with a key that is known."""

    at: int
    organization_id: str
    key_id: str
    key_name: str
    path: str
    action: str | None
    request_id: str
    error_code: str | None


class Audit:
    """What was called, oldest first."""

    def __init__(self) -> None:
        self._calls: list[Call] = []

    def note(self, call: Call) -> None:
        """Remember a call."""
        self._calls.append(call)

    def between(self, since: int, until: int) -> list[Call]:
        """Give the calls between two moments, which belong to it; the newest first."""
        low = bisect_left(self._calls, since, key=_at)
        return self._calls[low : bisect_right(self._calls, until, key=_at)][::-1]


def _at(call: Call) -> int:
    return call.at


def node(call: Call, created_at: str | None) -> Node:
    """Give a call as the API lists it."""
    return {
        "id": make_id(call.organization_id, "audit", call.request_id),
        "createdAt": created_at,
        "apiKeyId": call.key_id,
        "apiKeyName": call.key_name,
        "path": call.path,
        "action": call.action,
        "requestId": call.request_id,
        "outcome": "SUCCESS" if call.error_code is None else "FAILURE",
        "errorCode": call.error_code,
    }
