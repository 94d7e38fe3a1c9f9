"""Keys of the API and what each may do. Only their hashes are kept."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from seqdata.sandbox.serving import given
from seqdata.sandbox.world.book import make_id

#: Permissions that are given for all accounts or rules, or for some.
BY_ID = ("READ_ACCOUNTS", "READ_TRANSFERS", "READ_RULES", "TRIGGER_RULES")
READING = ("READ_ACCOUNTS", "READ_TRANSFERS", "READ_RULES")
_ALL = "all"


@dataclass(frozen=True, slots=True)
class Permissions:
    """What a key may do. None: nothing of the kind; "all", or the ids it is limited to."""

    by_id: dict[str, str | frozenset[str]] = field(default_factory=dict)
    #: The most cents that may go from one account to another at once, None without a cap.
    transfers: dict[tuple[str, str], int | None] = field(default_factory=dict)
    reads_audit: bool = False

    def allows(self, scope: str, own_id: str | None = None) -> bool:
        """Whether a key may do this at all, or to the account or rule of an id."""
        granted = self.by_id.get(scope)
        if granted is None or granted == _ALL or own_id is None:
            return granted is not None
        return own_id in granted

    def is_for_all(self, scope: str) -> bool:
        """Whether nothing limits a permission."""
        return self.by_id.get(scope) == _ALL

    def described(self) -> dict[str, Any]:
        """Give the permissions as JSON values."""
        known: dict[str, Any] = {
            scope: _ALL if ids == _ALL else sorted(ids) for scope, ids in self.by_id.items()
        }
        if self.transfers:
            known["MANUAL_TRANSFER"] = [
                {"source": source, "target": target}
                | ({} if most is None else {"max_amount": most})
                for (source, target), most in self.transfers.items()
            ]
        return known | ({"READ_AUDIT_LOGS": True} if self.reads_audit else {})


def reading() -> Permissions:
    """Let a key read everything."""
    return Permissions(dict.fromkeys(READING, _ALL), reads_audit=True)


def moving(pairs: Iterable[tuple[str, str]]) -> Permissions:
    """Let a key read everything, run every rule and move money between pairs of accounts."""
    by_id: dict[str, str | frozenset[str]] = dict.fromkeys(BY_ID, _ALL)
    return Permissions(by_id, dict.fromkeys(pairs), reads_audit=True)


_PAIR = {
    "source": given.text,
    "target": given.text,
    "max_amount": given.or_null(given.whole(0, 2**53)),
}


def _all_or_ids(name: str, value: Any) -> None:
    if value != _ALL:
        given.texts(name, value)


def _pairs(name: str, value: Any) -> None:
    if not isinstance(value, list):
        raise ValueError(f"{name} is a list of objects with source, target and perhaps max_amount")
    for one in value:
        given.check(one, _PAIR, needed=("source", "target"))


_PERMISSIONS: dict[str, given.Check] = {
    **dict.fromkeys(BY_ID, _all_or_ids),
    "MANUAL_TRANSFER": _pairs,
    "READ_AUDIT_LOGS": given.yes_or_no,
}


def read_permissions(asked: Any) -> Permissions:
    """Read permissions, as `Permissions.described` writes them; None reads everything.

    Raises
    ------
    ValueError
        What is wrong, and what there is.
    """
    if asked is None:
        return reading()
    given.check(asked, _PERMISSIONS)
    by_id = {
        scope: _ALL if asked[scope] == _ALL else frozenset(asked[scope])
        for scope in BY_ID
        if scope in asked
    }
    rows = asked.get("MANUAL_TRANSFER", [])
    transfers = {(row["source"], row["target"]): row.get("max_amount") for row in rows}
    return Permissions(by_id, transfers, asked.get("READ_AUDIT_LOGS", False))


@dataclass(frozen=True, slots=True)
class Key:
    """A key, without the key itself."""

    id: str
    name: str
    organization_id: str
    permissions: Permissions = field(repr=False)


class Keys:
    """Makes keys, finds them by their hashes, changes what they may do, revokes them."""

    def __init__(self, world_id: str, *, token: Callable[[], str] = secrets.token_urlsafe) -> None:
        self._world_id, self._token = world_id, token
        self._by_hash: dict[str, Key] = {}
        self._made = 0

    def make(self, name: str, organization_id: str, permissions: Permissions) -> tuple[Key, str]:
        """Make a key; its text is given once, and not kept."""
        self._made += 1
        own_id = make_id(self._world_id, "api key", self._made)
        key, text = Key(own_id, name, organization_id, permissions), f"sk_{self._token()}"
        self._by_hash[_hash(text)] = key
        return key, text

    def find(self, text: str) -> Key | None:
        """Give the key of a text, or None."""
        return self._by_hash.get(_hash(text)) if text.startswith("sk_") else None

    def all(self) -> list[Key]:
        """Give the keys that are valid, oldest first."""
        return list(self._by_hash.values())

    def change(self, own_id: str, permissions: Permissions) -> None:
        """Give a key other permissions."""
        hashed = self._hash_of(own_id)
        self._by_hash[hashed] = replace(self._by_hash[hashed], permissions=permissions)

    def revoke(self, own_id: str) -> None:
        """Let a key open nothing any more."""
        del self._by_hash[self._hash_of(own_id)]

    def _hash_of(self, own_id: str) -> str:
        found = [hashed for hashed, key in self._by_hash.items() if key.id == own_id]
        if not found:
            raise ValueError(f"no key has the id {own_id}")
        return found[0]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
