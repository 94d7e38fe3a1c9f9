"""What an explorer reads of a ledger, at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import pandas as pd

from seqdata.exceptions import SequenceError
from seqdata.widgets.explorer.details import describe
from seqdata.widgets.explorer.rows import Rows
from seqdata.widgets.explorer.view import View


class Readable(Protocol):
    """What an explorer asks of a ledger, be it one's own or a share-safe one."""

    @property
    def accounts(self) -> pd.DataFrame:
        """All accounts, a row each."""

    @property
    def details(self) -> pd.DataFrame:
        """What made the transfers, by id."""

    @property
    def legs(self) -> pd.DataFrame:
        """The steps of compound transfers, by id."""

    @property
    def annotations(self) -> pd.DataFrame:
        """What a person noted, by id."""

    def categorized(self) -> pd.DataFrame:
        """All transfers with their categories."""

    def history(self, transfer_id: str) -> pd.DataFrame:
        """All versions of a transfer."""

    def annotate(
        self,
        transfer_id: str,
        *,
        category: str | None = None,
        split: Mapping[str, str] | None = None,
    ) -> None:
        """Note a category of one's own, or the parts of a purchase of several."""


@dataclass(frozen=True)
class Snapshot:
    """What was read at one moment; what only details need is read when the first are asked for."""

    ledger: Readable
    rows: Rows

    @classmethod
    def of(cls, ledger: Readable) -> Snapshot:
        """Read the transfers and the accounts.

        Raises
        ------
        CacheMissing
            Nothing was synced yet.
        """
        return cls(ledger, Rows(ledger.categorized(), ledger.accounts))

    @property
    def is_disguised(self) -> bool:
        """Whether it is a ledger to show around, in which nothing can be noted."""
        return bool(self.rows.frame.attrs.get("seqdata", {}).get("share_safe"))

    def describe(self, view: View, place: int) -> dict[str, Any]:
        """Say everything about the transfer in a row of the view; see :func:`describe`."""
        where = view.places[place : place + 1]
        row = view.rows.frame.iloc[where].iloc[0]
        own_id = str(row["id"])
        told = describe(
            {str(name): row[name] for name in row.index},
            int(view.rows.signed_cents(where, view.account_ids)[0]),
            details=_of(self._details, own_id),
            legs=_of(self._legs, own_id),
            annotations=_of(self._annotations, own_id),
            history=self._history(own_id),
        )
        return {**told, "own": None if self.is_disguised else _own(row)}

    @cached_property
    def _details(self) -> pd.DataFrame:
        return self.ledger.details

    @cached_property
    def _legs(self) -> pd.DataFrame:
        return self.ledger.legs

    @cached_property
    def _annotations(self) -> pd.DataFrame:
        return self.ledger.annotations

    def _history(self, transfer_id: str) -> pd.DataFrame:
        try:
            return self.ledger.history(transfer_id)
        except SequenceError:  # it vanished, or the ledger is a disguised one
            return pd.DataFrame()


def _own(row: pd.Series[Any]) -> dict[str, Any]:
    """Return what the form for a category of one's own begins with; the whole amount in cents."""
    whole = row.get("whole_cents")
    cents = row["amount_cents"] if whole is None or pd.isna(whole) else whole
    category = row["category"]
    return {
        "category": "" if pd.isna(category) else str(category),
        "is_own": row["category_source"] == "annotation",
        "whole": None if pd.isna(cents) else int(cents),
    }


def _of(frame: pd.DataFrame, transfer_id: str) -> pd.DataFrame:
    return frame[frame["id"] == transfer_id]
