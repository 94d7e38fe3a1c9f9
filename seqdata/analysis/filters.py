"""The filters, which are the same words everywhere.

``since`` and ``until`` (exclusive) bound a moment, ``account`` is an id or a name,
``direction`` and ``state`` are one of our words or several, ``status`` the same of the service's
own, ``text`` is looked for in names, descriptions, reasons and ids. Names are compared by
:func:`seqdata.core.text.normal`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import tzinfo
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from seqdata.core.moments import Moment, parse_moment
from seqdata.core.text import normal
from seqdata.exceptions import InvalidFilter, UnknownAccount
from seqdata.sources.schemas import CATEGORIES
from seqdata.sources.vocabulary import OWN, State
from seqdata.types import Direction, TransferStatus

Words: TypeAlias = str | Sequence[str]

_SEARCHED = ("description", "source_name", "destination_name", "error_reason", "id")


def filter_transfers(
    transfers: pd.DataFrame,
    *,
    since: Moment | None = None,
    until: Moment | None = None,
    account: str | None = None,
    direction: Words | None = None,
    state: Words | None = None,
    status: Words | None = None,
    text: str | None = None,
    accounts: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the transfers that pass all filters that are given.

    Parameters
    ----------
    transfers
        As :attr:`Ledger.transfers` gives them.
    since, until
        Bounds of created_at; `until` is exclusive. Dates are of the column's zone. A transfer
        without created_at passes neither.
    account
        Id or name of an account at either end: the exact name, else the name in any case,
        else the only one whose name contains the text.
    direction, state, status
        One word or several, in any case: INCOMING, OUTGOING, INTERNAL; open, settled, failed,
        cancelled, unknown; and the service's own.
    text
        Looked for, in any case, in description, both names, error_reason and id.
    accounts
        The accounts table, so that one without transfers is known too.

    Raises
    ------
    InvalidMoment, InvalidFilter, UnknownAccount
        A value that cannot be used; the message lists the choices.
    """
    keep = between(transfers["created_at"], since, until)
    for name, words in (("direction", direction), ("state", state), ("status", status)):
        if words is not None:
            keep &= transfers[name].isin(_chosen(name, words, transfers[name]))
    if account is not None:
        ids = find_account(account, known_accounts(transfers, accounts))
        keep &= transfers["source_id"].isin(ids) | transfers["destination_id"].isin(ids)
    if text is not None:
        keep &= _contains(transfers, text)
    return with_own_words(transfers[keep].reset_index(drop=True))


def with_own_words(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with the words that occur in them as categories, as unfiltered ones have."""
    words = [name for name in rows.columns if name in CATEGORIES]
    return rows.assign(**{name: _used(rows[name]) for name in words})


def _used(column: pd.Series[Any]) -> pd.Series[Any]:
    found = column.cat.remove_unused_categories()
    # pandas makes objects of an empty list of categories when it reads Parquet.
    nothing = pd.Index([], dtype="object")
    return found if len(found.cat.categories) else found.cat.set_categories(nothing)


def filter_balances(
    balances: pd.DataFrame,
    accounts: pd.DataFrame,
    *,
    since: Moment | None = None,
    until: Moment | None = None,
    account: str | None = None,
) -> pd.DataFrame:
    """Return the observed balances that pass; the words are those of filter_transfers."""
    keep = between(balances["as_of"], since, until)
    if account is not None:
        keep &= balances["account_id"].isin(find_account(account, accounts[["id", "name"]]))
    return balances[keep].reset_index(drop=True)


def filter_categories(categorized: pd.DataFrame, category: Words | None) -> pd.DataFrame:
    """Return the categorized transfers of one category or several, in any case.

    Raises
    ------
    InvalidFilter
        No rule and no annotation knows such a category; the message lists the choices.
    """
    if category is None:
        return categorized
    chosen = known_categories(category, categorized["category"])
    return categorized[categorized["category"].isin(chosen)].reset_index(drop=True)


def known_categories(words: Words, column: pd.Series[Any]) -> list[str]:
    """Return the categories that the words mean, whatever their case; a rule's without rows too."""
    known = {normal(str(name)): str(name) for name in column.cat.categories}
    asked = [words] if isinstance(words, str) else list(words)
    for word in asked:
        if normal(word) not in known:
            raise InvalidFilter("category", word, sorted(known.values()))
    return [known[normal(word)] for word in asked]


def known_accounts(transfers: pd.DataFrame, accounts: pd.DataFrame | None) -> pd.DataFrame:
    """List id and name of each account that the accounts table or a transfer names."""
    found = [] if accounts is None else [accounts[["id", "name"]]]
    for end in ("source", "destination"):
        ours = transfers[f"{end}_party"].isin(OWN)
        parties = transfers.loc[ours, [f"{end}_id", f"{end}_name"]]
        found.append(parties.set_axis(["id", "name"], axis="columns"))
    return pd.concat(found).dropna(subset="id").drop_duplicates("id").reset_index(drop=True)


def find_account(account: str, known: pd.DataFrame) -> list[str]:
    """Return the ids of the account that an id or a name means (of one name: all its ids).

    Raises
    ------
    UnknownAccount
        None is meant, or several with different names.
    """
    if not account.strip():
        raise InvalidFilter("account", account, ["an id or a name"])
    if (known["id"] == account).any():
        return [account]
    names = known["name"].fillna("")
    folded, wanted = names.map(normal).astype("str"), normal(account)
    containing = folded.str.contains(wanted, regex=False)
    for matches in (names == account, folded == wanted, containing):
        found = known[matches]
        if found["name"].nunique() == 1:
            return list(found["id"])
        if len(found):
            raise UnknownAccount(account, _labels(found), ambiguous=True)
    raise UnknownAccount(account, sorted(set(names) - {""}))


def _labels(found: pd.DataFrame) -> list[str]:
    return sorted(
        f"{row.name_!r} ({row.id})" for row in found.rename(columns={"name": "name_"}).itertuples()
    )


def between(moments: pd.Series[Any], since: Moment | None, until: Moment | None) -> pd.Series[Any]:
    """Tell which moments are not before `since`, and before `until`; a missing one passes neither.

    Raises
    ------
    InvalidMoment, InvalidFilter
        A bound that cannot be read, or `until` before `since`.
    """
    keep = pd.Series(True, index=moments.index)
    zone: tzinfo = moments.dt.tz
    start = None if since is None else parse_moment(since, zone)
    end = None if until is None else parse_moment(until, zone)
    if start is not None and end is not None and end < start:
        raise InvalidFilter("until", until, [f"{since} or later, which is since"])
    if start is not None:
        keep &= moments >= start
    if end is not None:
        keep &= moments < end
    return keep


def _chosen(name: str, words: Words, column: pd.Series[Any]) -> list[str]:
    """Return the column's values that the words mean, whatever their case."""
    present = {str(value).casefold(): str(value) for value in column.dropna().unique()}
    asked: Iterable[str] = [words] if isinstance(words, str) else words
    chosen = []
    for word in asked:
        if word.casefold() not in present and not _is_documented(name, word):
            choices = State if name == "state" else present.values()
            raise InvalidFilter(name, word, [*sorted(choices), *_meant(name, word)])
        chosen.append(present.get(word.casefold(), word))
    return chosen


def _meant(name: str, word: str) -> list[str]:
    """Offer the other filter where a state was asked for by the service's word, or the reverse."""
    other = {"state": "status", "status": "state"}.get(name, name)
    return [f"or {other}={word!r}"] if other != name and _is_documented(other, word) else []


#: Words that are never refused, though no transfer here has them.
_DOCUMENTED: dict[str, type[StrEnum]] = {
    "direction": Direction,
    "state": State,
    "status": TransferStatus,
}


def _is_documented(name: str, word: str) -> bool:
    return word.casefold() in {one.casefold() for one in _DOCUMENTED[name]}


def _contains(transfers: pd.DataFrame, text: str) -> pd.Series[Any]:
    wanted = normal(text)
    keep = pd.Series(False, index=transfers.index)
    for name in _SEARCHED:
        codes, known = pd.factorize(transfers[name])
        found = [wanted in normal(str(value)) for value in known]
        # The last one is that of the code -1: missing.
        keep |= np.append(np.array(found, dtype=bool), False)[codes]
    return keep
