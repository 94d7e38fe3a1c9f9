"""The accounts that money can move between, and which one a person means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from seqdata.exceptions import UnknownAccount, UnknownOrganization
from seqdata.graphql import expect
from seqdata.money import format_cents

Node = dict[str, Any]

#: Under which key of an organization the accounts of a kind stand.
KINDS = {"pod": "pods", "port": "ports", "account": "accounts"}


@dataclass(frozen=True)
class Account:
    """A pod, a port or an outside account (`kind`: pod, port, account) as it is now.

    `balance_cents` is None where the service does not say it, which is not zero.
    """

    id: str
    name: str
    kind: str
    balance_cents: int | None
    can_be_source: bool

    def __str__(self) -> str:
        return f"{self.kind} {self.name!r}"

    @property
    def is_outside(self) -> bool:
        """Whether its money is not held by Sequence."""
        return self.kind == "account"

    def after(self, change_cents: int) -> int | None:
        """Return the balance after a change, in cents; None where it is not known."""
        return None if self.balance_cents is None else self.balance_cents + change_cents

    @property
    def label(self) -> str:
        """Its kind, name and id, as a list of choices shows it."""
        return f"{self} ({self.id})"

    @property
    def balance(self) -> str:
        """The balance in dollars, or that it is not known."""
        return "unknown" if self.balance_cents is None else format_cents(self.balance_cents)


def read_accounts(data: Node, organization_id: str | None) -> tuple[str, list[Account]]:
    """Read the answer to SelectSourceAndDestination: an organization's id and its accounts.

    Raises
    ------
    UnknownOrganization
        It is not there, or none was chosen and there are several.
    UnexpectedAnswer
        The answer is not of the documented form.
    """
    memberships = expect(expect(data, "me", dict), "memberships", list)
    nodes = [expect(one, "organization", dict) for one in memberships]
    known = {expect(node, "id", str): node for node in nodes}
    chosen = organization_id or (next(iter(known)) if len(known) == 1 else None)
    if chosen is None or chosen not in known:
        raise UnknownOrganization(chosen, known)
    return chosen, [
        _account(kind, node)
        for kind, key in KINDS.items()
        for node in expect(known[chosen], key, list)
    ]


def find_account(wanted: str, accounts: Sequence[Account]) -> Account:
    """Return the one account that a person means.

    An id; else the exact name; else the name in another case; else the only one whose name
    contains the text. ``pod:``, ``port:`` or ``account:`` before a name asks for that kind.

    Raises
    ------
    UnknownAccount
        None is meant, or several: the candidates are listed with kind and id.
    """
    if not isinstance(wanted, str):
        raise UnknownAccount(repr(wanted), sorted(one.label for one in accounts))
    if found := _found(wanted, accounts):
        return _only(wanted, found)
    kind, colon, name = wanted.partition(":")
    if colon and kind.strip().casefold() in KINDS:
        of_kind = [one for one in accounts if one.kind == kind.strip().casefold()]
        if found := _found(name.strip(), of_kind):
            return _only(wanted, found)
    raise UnknownAccount(wanted, sorted(one.label for one in accounts))


def _found(wanted: str, accounts: Sequence[Account]) -> list[Account]:
    folded = wanted.strip().casefold()
    if not folded:
        return []
    for meant in (
        [one for one in accounts if one.id == wanted.strip()],
        [one for one in accounts if one.name == wanted],
        [one for one in accounts if one.name.casefold() == folded],
        [one for one in accounts if folded in one.name.casefold()],
    ):
        if meant:
            return meant
    return []


def _only(wanted: str, found: Sequence[Account]) -> Account:
    if len(found) > 1:
        raise UnknownAccount(wanted, sorted(one.label for one in found), ambiguous=True)
    return found[0]


def _account(kind: str, node: Node) -> Account:
    return Account(
        id=expect(node, "id", str),
        name=expect(node, "name", str),
        kind=kind,
        balance_cents=_balance(node),
        can_be_source=kind != "account" or node.get("canBeSourceOfTransfer") is True,
    )


def _balance(node: Node) -> int | None:
    found: Any = node
    for key in ("metadata", "balance", "cents"):
        found = found.get(key) if isinstance(found, dict) else None
    return found if type(found) is int else None
