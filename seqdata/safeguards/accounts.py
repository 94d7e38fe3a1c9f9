"""Which account a person means: one that is gone is never another one."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from seqdata.core.text import are_alike, normal
from seqdata.exceptions import UnknownAccount
from seqdata.sources.base import Account

#: The kinds of accounts, which may stand before a name.
KINDS = ("pod", "port", "account")


def find_account(
    wanted: str, accounts: Sequence[Account], once_known: Collection[str] = ()
) -> Account:
    """Return the one account that a person means.

    An id, exactly; else a name: the same one after Unicode's NFKC, in any case, with any
    blanks. ``pod:``, ``port:`` or ``account:`` before a name asks for that kind. What looks
    like an id is one, and never a name.

    Parameters
    ----------
    once_known
        Ids that were an account's before.

    Raises
    ------
    UnknownAccount
        None is meant: what comes near is listed, and not taken. Or several are, since their
        names are the same or look alike. Each is listed with kind, institution and id.
    """
    if not isinstance(wanted, str):
        raise UnknownAccount(repr(wanted), _labels(accounts))
    found = _by_id(wanted, accounts)
    if not found and not _is_id(wanted, accounts, once_known):
        found = _by_name(wanted, accounts)
    if len(found) == 1:
        return found[0]
    if found:
        raise UnknownAccount(wanted, _labels(found), ambiguous=True)
    if near := near_accounts(wanted, accounts, once_known):
        raise UnknownAccount(wanted, _labels(near), near=True)
    raise UnknownAccount(wanted, _labels(accounts))


def near_accounts(
    wanted: str, accounts: Sequence[Account], once_known: Collection[str] = ()
) -> list[Account]:
    """Return the accounts that a person can have meant, to be picked from, by kind and name.

    Their name contains the text, or looks like it. Nothing comes near an id.
    """
    if _is_id(wanted, accounts, once_known):
        return []
    found = []
    for name, of_kind in _readings(wanted, accounts):
        part = normal(name)
        found += [one for one in of_kind if part and part in normal(one.name)]
        found += [one for one in of_kind if part and are_alike(one.name, name)]
    unique = {one.id: one for one in found}.values()
    return sorted(unique, key=lambda one: (KINDS.index(one.kind), normal(one.name), one.id))


def _readings(wanted: str, accounts: Sequence[Account]) -> list[tuple[str, Sequence[Account]]]:
    """Read a text as a name of any kind, and as a kind with a name behind it."""
    kind, colon, name = wanted.partition(":")
    kind = normal(kind)
    if not colon or kind not in KINDS:
        return [(wanted, accounts)]
    return [(wanted, accounts), (name.strip(), [one for one in accounts if one.kind == kind])]


def _by_id(wanted: str, accounts: Sequence[Account]) -> list[Account]:
    readings = _readings(wanted, accounts)
    return [one for text, of_kind in readings for one in of_kind if one.id == text.strip()]


def _by_name(wanted: str, accounts: Sequence[Account]) -> list[Account]:
    """Return the accounts of a name, and those that a person would take for them."""
    found: dict[str, Account] = {}
    for name, of_kind in _readings(wanted, accounts):
        same = [one for one in of_kind if normal(one.name) == normal(name) != ""]
        if same:
            found |= {one.id: one for one in of_kind if are_alike(one.name, name)}
            found |= {one.id: one for one in same}
    return list(found.values())


def _is_id(wanted: str, accounts: Sequence[Account], once_known: Collection[str]) -> bool:
    """Tell whether a text was an id, or is written like those that there are."""
    text = normal(_readings(wanted, accounts)[-1][0])
    shapes = {_shape(normal(one.id)) for one in accounts} - {""}
    is_known = text in map(normal, once_known)
    return is_known or _shape(text) in shapes or _UUID.fullmatch(text) is not None


#: How the service writes ids, whichever ones there are now.
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def _shape(text: str) -> str:
    """Return how an id is written, as the lengths of its parts; "" where it can be a word."""
    if not re.fullmatch(r"[\w-]*\d[\w-]*", text, re.ASCII):
        return ""
    return re.sub(r"[0-9A-Za-z]+", lambda part: str(len(part[0])), text)


def _labels(accounts: Sequence[Account]) -> list[str]:
    return sorted(one.label for one in accounts)
