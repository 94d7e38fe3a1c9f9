"""The transfers that an explorer looks through, with what makes looking quick.

The words and their meaning are those of :mod:`seqdata.analysis.filters`. A million texts would
take seconds to search anew at each key, so that each column is taken apart once, into its
different values and where they stand, and only the values are searched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from seqdata.analysis.accounts import known_names
from seqdata.analysis.filters import (
    Words,
    filter_categories,
    filter_transfers,
    find_account,
)
from seqdata.core.text import normal
from seqdata.sources.vocabulary import RETURNED
from seqdata.widgets.explorer.state import Filters, Sort

Positions: TypeAlias = npt.NDArray[np.intp]
Mask: TypeAlias = npt.NDArray[np.bool_]
Cents: TypeAlias = npt.NDArray[np.int64]

#: Where `text` is looked for, as in :func:`seqdata.analysis.filter_transfers`.
_SEARCHED = ("description", "source_name", "destination_name", "error_reason", "id")

_NOWHERE = np.iinfo(np.int64).max

#: More cents than any transfer has.
_APART = 2**60


@dataclass(frozen=True)
class _Texts:
    """A column of text, taken apart: its values, and which of them each row has (-1: none)."""

    codes: npt.NDArray[np.int64]
    values: pd.Series[Any]
    folded: pd.Series[Any]

    @classmethod
    def of(cls, column: pd.Series[Any]) -> _Texts:
        codes, found = pd.factorize(column)
        values = pd.Series(np.asarray(found, dtype=object), dtype="str")
        folded = pd.Series([normal(value) for value in values], dtype="str")
        return cls(codes.astype(np.int64), values, folded)

    def where(self, chosen: Any) -> Mask:
        """Spread what is true of values over the rows; a row without a value has it not."""
        return np.append(np.asarray(chosen, dtype=bool), False)[self.codes]

    @cached_property
    def ranks(self) -> npt.NDArray[np.int64]:
        """The place of each row's text in the alphabet; :data:`_NOWHERE` where it has none."""
        order = self.folded.to_numpy(dtype=object).argsort(kind="stable")
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
        places = np.arange(len(frame))
        self._facts = frame[["created_at", "direction", "state", "status"]].assign(place=places)
        self._categories = frame[["category"]].assign(place=places)

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
        found = filter_transfers(
            self._facts,
            since=filters.since,
            until=filters.until,
            direction=filters.direction,
            state=filters.state,
            status=filters.status,
        )
        keep = self._only(found)
        if filters.account is not None:
            keep &= self._at_either_end(self.account_ids(filters.account))
        if filters.text is not None:
            keep &= self._containing(filters.text)
        if filters.category is not None:
            keep &= self._only(filter_categories(self._categories, filters.category))
        return np.flatnonzero(keep)

    def ordered(self, places: Positions, sort: Sort, signed: Cents) -> Positions:
        """Return the order of `places` by a column; what is equal stays newest first.

        Parameters
        ----------
        signed
            The amounts at `places`, in cents, as they are shown.
        """
        keys, is_missing = self._keys(places, sort.column, signed)
        if sort.descending:
            keys = -keys
        keys = np.where(is_missing, _NOWHERE, keys)
        return places[np.argsort(keys, kind="stable")]

    def signed_cents(self, places: Positions, account_ids: Sequence[str] = ()) -> Cents:
        """Return the amounts with their sign: what comes in is above zero, what goes out below.

        What moves inside is below zero where it leaves the accounts of `account_ids`, above
        zero where it reaches them, and else without a sign: 0 (see :meth:`cents`).
        """
        sign = self._is("INCOMING")[places].astype(np.int64) - self._is("OUTGOING")[places]
        if account_ids:
            ours = list(account_ids)
            arriving = self._among("destination_id", ours)[places]
            leaving = self._among("source_id", ours)[places]
            sign += self._is("INTERNAL")[places] * (arriving.astype(np.int64) - leaving)
        return sign * self.cents(places)

    def cents(self, places: Positions) -> Cents:
        """Return the amounts in cents, without a sign; 0 where the amount is not known."""
        return self._cents[places]

    def is_counted(self, places: Positions) -> Mask:
        """Tell whose money moved or is on its way: not what failed, was cancelled or reversed."""
        return self._counted[places]

    def is_failed(self, places: Positions) -> Mask:
        """Tell whose state says that it did not go through: failed or cancelled."""
        return self._failed[places]

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

    @cached_property
    def _failed(self) -> Mask:
        return self.frame["state"].isin(RETURNED).to_numpy(dtype=bool)

    def _is(self, direction: str) -> Mask:
        return self._among("direction", [direction])

    def _only(self, found: pd.DataFrame) -> Mask:
        keep = np.zeros(len(self), bool)
        keep[found["place"].to_numpy()] = True
        return keep

    def _at_either_end(self, ids: Sequence[str]) -> Mask:
        return self._among("source_id", list(ids)) | self._among("destination_id", list(ids))

    def _among(self, column: str, values: list[str]) -> Mask:
        texts = self._text(column)
        return texts.where(texts.values.isin(values))

    def _containing(self, text: str) -> Mask:
        keep, wanted = np.zeros(len(self), bool), normal(text)
        for name in _SEARCHED:
            texts = self._text(name)
            keep |= texts.where(texts.folded.str.contains(wanted, regex=False))
        return keep

    def _keys(self, places: Positions, column: str, signed: Cents) -> tuple[Any, Mask]:
        if column == "amount":
            # What has no sign stands between what came in and what went out, by its size.
            keys = np.sign(signed) * _APART + np.where(signed == 0, self.cents(places), signed)
            return keys, self.frame["amount_cents"].isna().to_numpy(dtype=bool)[places]
        if column == "created_at":
            moments = self.frame["created_at"]
            keys = moments.dt.tz_convert(None).to_numpy().astype(np.int64)[places]
            return keys, moments.isna().to_numpy(dtype=bool)[places]
        keys = self._text(column).ranks[places]
        return keys, keys == _NOWHERE

    def _text(self, column: str) -> _Texts:
        if column not in self._texts:
            self._texts[column] = _Texts.of(self.frame[column])
        return self._texts[column]
