"""What moved the balance of a pod or port, when, and by how much.

The service's own rules: money leaves its pod when an outgoing transfer is created, and comes
back at ``updated_at`` if it fails; what waits for a person to agree has not left. It reaches a
pod when an incoming one completes; between pods and ports it moves at once. A reversal that
completed gives back what had moved.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from seqdata.analysis.settlement import is_exact, places_of, utc
from seqdata.sources.vocabulary import RETURNED, WAITING


@dataclass(frozen=True)
class Movements:
    """The movements of some accounts; arrays of equal length.

    ``row`` is a position in the transfers, ``account`` one in the list of accounts that was asked
    for, ``at`` a UTC moment (``datetime64[us]``), ``cents`` signed int64. Of a movement whose
    moment is estimated, ``earliest`` and ``latest`` bound it; else both are NaT.
    """

    row: Any
    account: Any
    at: Any
    cents: Any
    earliest: Any
    latest: Any

    def in_order(self) -> Movements:
        """Return them sorted by account and moment."""
        by_time = np.argsort(self.at, kind="stable")
        # Of small numbers numpy sorts by their digits, in a tenth of the time.
        is_small = len(self.account) == 0 or self.account.max() < 2**15
        account = self.account[by_time].astype(np.int16 if is_small else np.int64)
        return self.take(by_time[np.argsort(account, kind="stable")])

    def of(self, account: int) -> Movements:
        """Return those of one account, of movements in order."""
        first, last = np.searchsorted(self.account, [account, account + 1])
        return self.take(slice(first, last))

    def take(self, chosen: Any) -> Movements:
        """Return those that a mask, a slice or positions choose."""
        return Movements(**{name: values[chosen] for name, values in vars(self).items()})


def movements(settled: pd.DataFrame, account_ids: pd.Series[Any]) -> Movements:
    """List what moved the balances of these pods and ports, of transfers that were settled.

    Transfers without an amount or ``created_at`` move nothing here: they cannot be placed.
    """
    ends = _Ends(settled, account_ids)
    parts = [*_leaving(ends), *_arriving(ends), *_reversed(ends)]
    return Movements(
        **{
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in Movements.__dataclass_fields__
        }
    )


class _Ends:
    """Both ends of each transfer, as positions of accounts (-1: none of ours), and its facts."""

    def __init__(self, settled: pd.DataFrame, account_ids: pd.Series[Any]) -> None:
        known = (settled["amount_cents"].notna() & settled["created_at"].notna()).to_numpy()
        self.source = np.where(known, places_of(settled["source_id"], account_ids), -1)
        self.destination = np.where(known, places_of(settled["destination_id"], account_ids), -1)
        self.cents = settled["amount_cents"].to_numpy(np.int64, na_value=0)
        self.created = utc(settled["created_at"])
        self.updated = utc(settled["updated_at"])
        self.settled = utc(settled["effective_at"])
        self.reversed = utc(settled["returned_at"])
        self.is_estimated = ~is_exact(settled)
        self.is_returned = settled["state"].isin(RETURNED).to_numpy()
        self.waits = is_waiting(settled)

    def part(self, chosen: Any, account: Any, at: Any, sign: int, estimated: Any) -> Movements:
        """Make movements of the chosen transfers."""
        rows = np.flatnonzero(chosen)
        is_estimated = estimated[rows]
        never = np.datetime64("NaT", "us")
        return Movements(
            row=rows,
            account=account[rows],
            at=at[rows],
            cents=sign * self.cents[rows],
            earliest=np.where(is_estimated, self.created[rows], never),
            latest=np.where(is_estimated, np.fmax(self.updated[rows], at[rows]), never),
        )


def is_waiting(transfers: pd.DataFrame) -> Any:
    """Tell which transfers wait for a person to agree; without the raw word nobody knows."""
    if "status" not in transfers:
        return np.zeros(len(transfers), bool)
    return transfers["status"].isin(WAITING).to_numpy()


def _leaving(ends: _Ends) -> list[Movements]:
    """Money that left at the creation, and came back if the transfer failed.

    One that failed the moment it was created never moved.
    """
    ours = ends.source >= 0
    exact = np.zeros(len(ours), bool)
    came_back = ours & ends.is_returned & (ends.updated > ends.created)
    left = ours & ~ends.waits & (~ends.is_returned | came_back)
    return [
        ends.part(left, ends.source, ends.created, -1, exact),
        ends.part(came_back, ends.source, ends.updated, 1, exact),
    ]


def _arriving(ends: _Ends) -> list[Movements]:
    arrived = (ends.destination >= 0) & ~np.isnat(ends.settled)
    return [ends.part(arrived, ends.destination, ends.settled, 1, ends.is_estimated)]


def _reversed(ends: _Ends) -> list[Movements]:
    """Money given back by a completed reversal: to the source, from where it had arrived."""
    exact = np.zeros(len(ends.source), bool)
    undone = ~np.isnat(ends.reversed)
    arrived = undone & ~np.isnat(ends.settled)
    left = undone & ~ends.is_returned
    return [
        ends.part(left & (ends.source >= 0), ends.source, ends.reversed, 1, exact),
        ends.part(arrived & (ends.destination >= 0), ends.destination, ends.reversed, -1, exact),
    ]
