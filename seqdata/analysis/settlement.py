"""When a transfer settled: from its payment legs where they are known, else estimated.

A transfer settles when its money has arrived: between pods and ports at once, to and from the
outside when its payment (of a compound one: the push) completes. The legs say when. Where
they were not fetched, the moment is estimated from ``updated_at``, and marked as not known.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from seqdata.analysis.columns import require
from seqdata.core.arrow import Column, pc
from seqdata.sources.vocabulary import FINAL, State

#: The longest a payment of the service was seen to take. (A row can be edited much later,
#: and its ``updated_at`` with it.)
LONGEST_SETTLEMENT = pd.Timedelta(days=7)

_TRANSFER_FACTS = (
    "id", "created_at", "updated_at", "amount_cents", "direction", "state", "source_id",
    "source_party", "destination_id",
)  # fmt: skip
_LEG_FACTS = ("id", "leg", "state", "completed_at")


def settle(transfers: pd.DataFrame, legs: pd.DataFrame) -> pd.DataFrame:
    """Return the transfers with three more columns: when each settled, and whether it was undone.

    Parameters
    ----------
    transfers, legs
        As :attr:`Ledger.transfers` and :attr:`Ledger.legs` give them; `legs` may lack any.

    Returns
    -------
    DataFrame
        The rows of `transfers` in their order, and ``settled_at`` (NaT where not settled, or
        where neither a leg nor a moment of the row is known), ``settled_at_known`` (bool: it
        is no estimate) and ``reversed_at`` (when a completed reversal gave the money back, NaT
        else); moments in the zone of ``created_at``. Transfers that have these columns
        already come back as they are.

    Raises
    ------
    MissingColumns
        One of the frames is another one.
    """
    if "settled_at" in transfers:
        return transfers
    require(transfers, "transfers", _TRANSFER_FACTS, "Ledger.transfers")
    require(legs, "legs", _LEG_FACTS, "Ledger.legs")
    completed = completions(transfers["id"], legs, ("payment", "push"))
    created, updated = utc(transfers["created_at"]), utc(transfers["updated_at"])
    is_inside = (transfers["direction"] == "INTERNAL").to_numpy()
    is_complete = (transfers["state"] == State.SETTLED).to_numpy()
    estimate = np.where(is_inside, created, estimates(created, updated))
    settled = np.where(np.isnat(completed), estimate, completed)
    settled[~is_complete] = np.datetime64("NaT")
    zone = transfers["created_at"].dt.tz
    return transfers.assign(
        settled_at=moments(settled, zone, transfers.index),
        settled_at_known=is_complete & (is_inside | ~np.isnat(completed)),
        reversed_at=moments(
            completions(transfers["id"], legs, ("reversal",)), zone, transfers.index
        ),
    )


def is_open(transfers: pd.DataFrame) -> pd.Series[Any]:
    """Tell which transfers can still change: open ones, and those whose state is not known."""
    return ~transfers["state"].isin(FINAL)


def estimates(created: Any, updated: Any) -> Any:
    """Estimate when payments completed: at the last change, at most a week after the creation."""
    latest = np.minimum(updated, created + LONGEST_SETTLEMENT.to_timedelta64())
    return np.where(np.isnat(latest), created, np.fmax(created, latest))


def completions(ids: pd.Series[Any], legs: pd.DataFrame, kinds: tuple[str, ...]) -> Any:
    """Return when the leg of one of these kinds completed: UTC ``datetime64[us]``, NaT if not."""
    is_settled = legs["state"] == State.SETTLED
    wanted = legs["leg"].isin(kinds) & is_settled & legs["completed_at"].notna()
    chosen = legs[wanted.to_numpy()]
    places = places_of(ids, chosen["id"])
    found = np.append(utc(chosen["completed_at"]), np.datetime64("NaT", "us"))
    return found[places]


def places_of(ids: pd.Series[Any], known: pd.Series[Any]) -> Any:
    """Return where each id stands in `known`, as int64; -1 where it does not."""
    places = pc.index_in(arrow(ids), value_set=arrow(known))
    return pc.fill_null(places, -1).to_numpy(zero_copy_only=False).astype(np.int64)


def arrow(texts: pd.Series[Any]) -> Column:
    """Return a column of text as one Arrow array."""
    column: Column = pa.array(texts, pa.large_string(), from_pandas=True)
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def utc(moments: pd.Series[Any]) -> Any:
    """Return tz-aware moments as UTC ``datetime64[us]``."""
    return moments.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[us]")


def moments(values: Any, zone: Any, index: pd.Index[Any] | None = None) -> pd.Series[Any]:
    """Return UTC ``datetime64[us]`` as tz-aware moments."""
    column = pd.Series(values.astype("datetime64[us]"), index=index)
    return column.dt.tz_localize("UTC").dt.tz_convert(zone)
