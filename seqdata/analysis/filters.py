"""The filters, which are the same words everywhere.

``since`` and ``until`` (exclusive) bound a moment, ``account`` is an id or a name,
``direction`` and ``state`` are our words, ``status`` the service's own, ``text`` is looked for in
names, descriptions, reasons and ids; each is one or several. Names are compared by
:func:`seqdata.core.text.normal`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from seqdata.analysis.accounts import known_names
from seqdata.core.moments import Moment, parse_moment
from seqdata.core.text import normal
from seqdata.exceptions import InvalidFilter, UnknownAccount
from seqdata.sources.schemas import CATEGORIES
from seqdata.sources.vocabulary import State
from seqdata.types import Direction, TransferStatus

Words: TypeAlias = str | Sequence[str]

_SEARCHED = ("description", "source_name", "destination_name", "error_reason", "id")


def filter_transfers(
    transfers: pd.DataFrame,
    *,
    since: Moment | None = None,
    until: Moment | None = None,
    account: Words | None = None,
    direction: Words | None = None,
    state: Words | None = None,
    status: Words | None = None,
    text: Words | None = None,
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
        Id or name of an account at either end, or several: the exact name, else the name in any
        case, else the only one whose name contains the text. A name of before still finds it.
    direction, state, status
        One word or several, in any case: INCOMING, OUTGOING, INTERNAL; open, settled, failed,
        cancelled, unknown; and the service's own.
    text
        Looked for, in any case, in description, both names, error_reason and id; of several
        texts, any.
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
        ids = find_account(account, known_names(transfers, accounts))
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
    account: Words | None = None,
) -> pd.DataFrame:
    """Return the observed balances that pass; the words are those of filter_transfers."""
    keep = between(balances["as_of"], since, until)
    if account is not None:
        keep &= balances["account_id"].isin(find_account(account, known_names(None, accounts)))
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
    asked = words_of("category", words)
    for word in asked:
        if normal(word) not in known:
            raise InvalidFilter("category", word, sorted(known.values()))
    return [known[normal(word)] for word in asked]


def words_of(name: str, value: Any) -> list[str]:
    """Return the words that a filter was given, one or several.

    Raises
    ------
    InvalidFilter
        The value is neither a text nor several of them.
    """
    if isinstance(value, str):
        return [value]
    if isinstance(value, Iterable) and not isinstance(value, bytes | Mapping):
        words = list(value)
        if all(isinstance(word, str) for word in words):
            return words
    raise InvalidFilter(name, value, ["a text, or a list of texts"])


def find_account(account: Words, known: pd.DataFrame) -> list[str]:
    """Return the ids of the account that an id or a name means, or of several.

    Parameters
    ----------
    account
        An id, or a name: as it is, in any case, or a part that only one has; of one name that
        several accounts have, all their ids. Or a list of these.
    known
        ``id`` and ``name``, and ``is_former`` of a name that an account had before: it is asked
        for where no account has it now.

    Raises
    ------
    InvalidFilter
        What is asked for is no text, or an empty one.
    UnknownAccount
        None is meant, or several with different names.
    """
    found = (own_id for one in words_of("account", account) for own_id in _ids_of(one, known))
    return list(dict.fromkeys(found))


def _ids_of(account: str, known: pd.DataFrame) -> list[str]:
    if not account.strip():
        raise InvalidFilter("account", account, ["an id or a name"])
    if (known["id"] == account).any():
        return [account]
    is_former = known.get("is_former", pd.Series(False, known.index)).to_numpy(bool)
    names = known["name"].fillna("").astype("str")
    folded, wanted = names.map(normal).astype("str"), normal(account)
    containing = folded.str.contains(wanted, regex=False)
    for matches in (names == account, folded == wanted, containing):
        for is_asked in (~is_former, is_former):
            found = known[matches.to_numpy() & is_asked]
            if found["name"].nunique() == 1 or found["id"].nunique() == 1:
                return list(found["id"].unique())
            if len(found):
                raise UnknownAccount(account, _labels(found), ambiguous=True)
    raise UnknownAccount(account, sorted(set(names[~is_former]) - {""}))


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
    chosen = []
    for word in words_of(name, words):
        if word.casefold() not in present and not _is_documented(name, word):
            choices = present.values() if name == "status" else map(str.lower, _DOCUMENTED[name])
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


def _contains(transfers: pd.DataFrame, text: Words) -> pd.Series[Any]:
    wanted = [normal(word) for word in words_of("text", text)]
    keep = pd.Series(False, index=transfers.index)
    for name in _SEARCHED:
        codes, known = pd.factorize(transfers[name])
        folded = [normal(str(value)) for value in known]
        found = [any(word in value for word in wanted) for value in folded]
        # The last one is that of the code -1: missing.
        keep |= np.append(np.array(found, dtype=bool), False)[codes]
    return keep
