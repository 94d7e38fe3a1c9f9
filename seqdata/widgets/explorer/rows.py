"""The transfers that an explorer looks through, with what makes looking quick.

The words and their meaning are those of :mod:`seqdata.analysis.filters`. A million texts would
take seconds to search anew at each key, so that each column is taken apart once, into its
different values and where they stand, and only the values are searched. What the totals and an
order need of a row is kept too, so that a filter only chooses among it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from seqdata.analysis.accounts import known_names
from seqdata.analysis.filters import (
    Words,
    between,
    filter_transfers,
    find_account,
    known_categories,
)
from seqdata.core.text import normal
from seqdata.sources.vocabulary import RETURNED
from seqdata.widgets.explorer.state import Filters, Sort

K = TypeVar("K")
V = TypeVar("V")
Positions: TypeAlias = npt.NDArray[np.intp]
Mask: TypeAlias = npt.NDArray[np.bool_]
Cents: TypeAlias = npt.NDArray[np.int64]
Ids: TypeAlias = tuple[str, ...]

#: Where `text` is looked for, as in :func:`seqdata.analysis.filter_transfers`.
_SEARCHED = ("description", "source_name", "destination_name", "error_reason", "id")

_NOWHERE = np.iinfo(np.int64).max

#: More cents than any transfer has.
_APART = 2**60

#: What a row counts as: what moved, and what did not go through or cannot be counted.
GROUPS = ("in", "out", "inside", "failed", "left out")

#: How many orders, and how many accounts' signs, are kept: eight bytes a row each.
_KEPT = 6


#: What begins a text's way through :func:`normal`, where small letters alone are not enough.
_TO_FOLD = r"[\t-\r\x1c-\x1f`]|  |^ | $"

#: How many values a text is looked for in one after the other; where more have it, in all at once.
_FEW = 2_000


@dataclass(frozen=True)
class _Texts:
    """A column of text, taken apart: its values, and which of them each row has (-1: none)."""

    codes: npt.NDArray[np.int32]
    values: pd.Series[Any]
    folded: pa.LargeStringArray
    data: bytes
    ends: npt.NDArray[np.int64]

    @classmethod
    def of(cls, column: pd.Series[Any], *, is_key: bool = False) -> _Texts:
        """Take a column apart; of a key, each row has a value of its own."""
        codes, found = (np.arange(len(column)), column) if is_key else pd.factorize(column)
        values = pd.Series(found).astype("str").reset_index(drop=True)
        folded = folded_all(values)
        _, offsets, data = folded.buffers()
        ends = np.frombuffer(memoryview(offsets or b"\0" * 8), np.int64)[1 : len(folded) + 1]
        return cls(codes.astype(np.int32), values, folded, bytes(data or b""), ends)

    def containing(self, wanted: str) -> Mask:
        """Tell which rows contain a text."""
        found = self._few_containing(wanted)
        if found is None:
            return self.where(pc.match_substring(self.folded, wanted))
        chosen = np.zeros(len(self.values), bool)
        chosen[found] = True
        return self.where(chosen)

    def _few_containing(self, wanted: str) -> Positions | None:
        """Return which values contain a text; None where they may be many."""
        sought, at = wanted.encode(), -1
        places: list[int] = []
        while (at := self.data.find(sought, at + 1)) >= 0:
            places.append(at)
            if len(places) > _FEW:
                return None
        begins = np.asarray(places, np.int64)
        found = np.searchsorted(self.ends, begins, side="right")
        # What begins in one value and ends in the next is in neither.
        return found[begins + len(sought) <= self.ends[found]]

    def where(self, chosen: Any) -> Mask:
        """Spread what is true of values over the rows; a row without a value has it not."""
        return np.append(np.asarray(chosen, dtype=bool), False)[self.codes]

    @cached_property
    def ranks(self) -> npt.NDArray[np.int64]:
        """The place of each row's text in the alphabet; :data:`_NOWHERE` where it has none."""
        order = np.argsort(np.asarray(self.folded.to_pylist(), dtype=object), kind="stable")
        ranks = np.empty(len(order) + 1, np.int64)
        ranks[order], ranks[-1] = np.arange(len(order)), _NOWHERE
        return ranks[self.codes]


class Rows:
    """What an explorer has read: the categorized transfers, newest first, and the accounts.

    Parameters
    ----------
    frame
        As :meth:`Ledger.categorized` gives it. It is not changed.
    accounts
        As :attr:`Ledger.accounts`, so that one without transfers is known too.
    """

    def __init__(self, frame: pd.DataFrame, accounts: pd.DataFrame) -> None:
        self.frame, self._accounts = frame, accounts
        self._texts: dict[str, _Texts] = {}
        self._orders: dict[tuple[Sort, Ids], Positions] = {}
        self._signed: dict[Ids, Cents] = {}
        self._groups: dict[Ids, npt.NDArray[np.int8]] = {}

    def __len__(self) -> int:
        return len(self.frame)

    @cached_property
    def known_accounts(self) -> pd.DataFrame:
        """Id and name of each account that can be asked for."""
        return known_names(self.frame, self._accounts)

    def account_ids(self, account: Words | None) -> tuple[str, ...]:
        """Return the ids that an account's name or id means; none where none is asked for."""
        return () if account is None else tuple(find_account(account, self.known_accounts))

    def matching(self, filters: Filters) -> Positions:
        """Return where the transfers stand that pass, in the order of the frame.

        Raises
        ------
        InvalidMoment, InvalidFilter, UnknownAccount
            A value that cannot be used; the message lists the choices.
        """
        since, until = filters.since, filters.until
        keep = np.ones(len(self), bool)
        if since is not None or until is not None:
            keep &= between(self.frame["created_at"], since, until).to_numpy(bool)
        keep &= self._with_words(filters)
        if filters.account is not None:
            keep &= self._at_either_end(self.account_ids(filters.account))
        if filters.text is not None:
            keep &= self._containing(filters.text)
        if filters.category is not None:
            chosen = known_categories(filters.category, self.frame["category"])
            keep &= self._among("category", chosen)
        return np.flatnonzero(keep)

    def ordered(self, places: Positions, sort: Sort, account_ids: Ids = ()) -> Positions:
        """Return the order of `places` by a column; what is equal stays newest first.

        Amounts are sorted as they are shown: by their sign for the accounts of `account_ids`.
        """
        order = self._order(sort, account_ids)
        if len(places) == len(self):
            return order
        chosen = np.zeros(len(self), bool)
        chosen[places] = True
        return order[chosen[order]]

    def signed_cents(self, places: Positions, account_ids: Ids = ()) -> Cents:
        """Return the amounts with their sign: what comes in is above zero, what goes out below.

        What moves inside is below zero where it leaves the accounts of `account_ids`, above
        zero where it reaches them, and else without a sign: 0.
        """
        return self._signed_for(account_ids)[places]

    def sums(self, places: Positions, account_ids: Ids = ()) -> dict[str, tuple[int, int]]:
        """Return, for each name of :data:`GROUPS`, how many rows it has and their cents."""
        group, cents = self._groups_for(account_ids)[places], self._cents[places]
        found = [group == number for number in range(len(GROUPS))]
        return {
            name: (int(one.sum()), int(cents.sum(where=one)))
            for name, one in zip(GROUPS, found, strict=True)
        }

    def is_counted(self, places: Positions) -> Mask:
        """Tell whose money moved or is on its way: not what failed, was cancelled or reversed."""
        return self._counted[places]

    # -- inside -------------------------------------------------------------------------------

    @cached_property
    def _cents(self) -> Cents:
        return self.frame["amount_cents"].to_numpy(np.int64, na_value=0)

    @cached_property
    def _counted(self) -> Mask:
        frame = self.frame
        back = frame["state"].isin(RETURNED) | frame["returned_at"].notna()
        known = self._among("direction", ["INCOMING", "OUTGOING", "INTERNAL"])
        return known & (~back & frame["amount_cents"].notna()).to_numpy(dtype=bool)

    def _is(self, direction: str) -> Mask:
        return self._among("direction", [direction])

    def _with_words(self, filters: Filters) -> Mask:
        """Tell which rows have the words that are asked for: of each triple of them once."""
        codes, triples = self._triples
        found = filter_transfers(
            triples, direction=filters.direction, state=filters.state, status=filters.status
        )
        keep = np.zeros(len(triples), bool)
        keep[found["place"].to_numpy()] = True
        return keep[codes]

    @cached_property
    def _triples(self) -> tuple[npt.NDArray[np.int32], pd.DataFrame]:
        """Which triple of direction, state and status each row has, and the triples."""
        names = ["direction", "state", "status"]
        groups = self.frame.groupby(names, dropna=False, observed=True, sort=False)
        first = self.frame[["created_at", *names]].drop_duplicates(names)
        codes = groups.ngroup().to_numpy()
        # In the order of their first row, as the groups are numbered.
        return codes.astype(np.int32), first.reset_index(drop=True).assign(
            place=np.arange(len(first))
        )

    def _signed_for(self, account_ids: Ids) -> Cents:
        if account_ids not in self._signed:
            sign = self._is("INCOMING").astype(np.int64) - self._is("OUTGOING")
            if account_ids:
                ours = list(account_ids)
                arriving = self._among("destination_id", ours).astype(np.int64)
                sign += self._is("INTERNAL") * (arriving - self._among("source_id", ours))
            _keep_few(self._signed)[account_ids] = sign * self._cents
        return self._signed[account_ids]

    def _groups_for(self, account_ids: Ids) -> npt.NDArray[np.int8]:
        """Return of each row the number of its group in :data:`GROUPS`."""
        if account_ids not in self._groups:
            signed, failed = self._signed_for(account_ids), self.frame["state"].isin(RETURNED)
            cases = [failed.to_numpy(bool), ~self._counted, signed > 0, signed < 0]
            numbers = [GROUPS.index(name) for name in ("failed", "left out", "in", "out")]
            groups = np.select(cases, numbers, GROUPS.index("inside")).astype(np.int8)
            _keep_few(self._groups)[account_ids] = groups
        return self._groups[account_ids]

    def _order(self, sort: Sort, account_ids: Ids) -> Positions:
        wanted = (sort, account_ids if sort.column == "amount" else ())
        if wanted not in self._orders:
            keys, is_missing = self._keys(sort.column, account_ids)
            keys = np.where(is_missing, _NOWHERE, -keys if sort.descending else keys)
            _keep_few(self._orders)[wanted] = np.argsort(keys, kind="stable")
        return self._orders[wanted]

    def _at_either_end(self, ids: Sequence[str]) -> Mask:
        return self._among("source_id", list(ids)) | self._among("destination_id", list(ids))

    def _among(self, column: str, values: list[str]) -> Mask:
        texts = self._text(column)
        return texts.where(texts.values.isin(values))

    def _containing(self, text: str) -> Mask:
        keep, wanted = np.zeros(len(self), bool), normal(text)
        for name in _SEARCHED:
            keep |= self._text(name).containing(wanted)
        return keep

    def _keys(self, column: str, account_ids: Ids) -> tuple[Any, Mask]:
        if column == "amount":
            # What has no sign stands between what came in and what went out, by its size.
            signed = self._signed_for(account_ids)
            keys = np.sign(signed) * _APART + np.where(signed == 0, self._cents, signed)
            return keys, self.frame["amount_cents"].isna().to_numpy(dtype=bool)
        if column == "created_at":
            moments = self.frame["created_at"]
            keys = moments.dt.tz_convert(None).to_numpy().astype(np.int64)
            return keys, moments.isna().to_numpy(dtype=bool)
        keys = self._text(column).ranks
        return keys, keys == _NOWHERE

    def _text(self, column: str) -> _Texts:
        if column not in self._texts:
            self._texts[column] = _Texts.of(self.frame[column], is_key=column == "id")
        return self._texts[column]


def folded_all(values: pd.Series[Any]) -> pa.LargeStringArray:
    """Return what :func:`normal` returns of each text; plain ones, as most are, all at once."""
    texts = pa.chunked_array([pa.array(values)]).cast(pa.large_string()).combine_chunks()
    odd = pc.or_(pc.invert(pc.string_is_ascii(texts)), pc.match_substring_regex(texts, _TO_FOLD))
    folded = pa.array([normal(str(text)) for text in texts.filter(odd).to_pylist()], texts.type)
    made: pa.LargeStringArray = pc.replace_with_mask(pc.ascii_lower(texts), odd, folded)
    return made


def _keep_few(kept: dict[K, V]) -> dict[K, V]:
    """Make room for one more: the oldest leaves."""
    while len(kept) >= _KEPT:
        del kept[next(iter(kept))]
    return kept
