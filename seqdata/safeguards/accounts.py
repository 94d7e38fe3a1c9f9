"""Which account a person means."""

from __future__ import annotations

from collections.abc import Sequence

from seqdata.exceptions import UnknownAccount
from seqdata.sources.base import Account

#: The kinds of accounts, which may stand before a name.
KINDS = ("pod", "port", "account")


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
