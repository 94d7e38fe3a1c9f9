"""When a transfer took effect: as a source said, else estimated, and on what that rests.

A transfer takes effect when its money has arrived: between pods and ports at once, to and from the
outside when its payment (of a compound one: the push) completes. The source says when, in the row
or in its legs. Where it did not, the moment is estimated from ``updated_at``; where the transfer
was seen open before, it lies between two readings.
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

#: On what the moment of a settled transfer rests: the source said it; between own pods there is no
#: other than its creation; it lies between two readings of ours; it is guessed.
SAID, AT_ONCE, BOUNDED, ESTIMATED = BASES = ("said", "at once", "bounded", "estimated")

#: Those that are no estimate.
EXACT = (SAID, AT_ONCE)

_TRANSFER_FACTS = (
    "id", "created_at", "updated_at", "amount_cents", "direction", "state", "source_id",
    "source_party", "destination_id",
)  # fmt: skip
_LEG_FACTS = ("id", "leg", "state", "completed_at")


def settle(
    transfers: pd.DataFrame, legs: pd.DataFrame, history: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return the transfers with when each took effect, on what that rests, and when it came back.

    Parameters
    ----------
    transfers, legs
        As :attr:`Ledger.transfers` and :attr:`Ledger.legs` give them; `legs` may lack any.
    history
        Earlier versions of the transfers, if any: when each was still open.

    Returns
    -------
    DataFrame
        The rows of `transfers` in their order, and ``settled_at`` and ``returned_at`` (when the
        money had arrived, and when a completed reversal gave it back, as the row or a leg said,
        else NaT), ``effective_at`` (NaT where not settled, or where no moment is known) and
        ``effective_basis`` (category; NA where there is no moment); moments in the zone of
        ``created_at``. Transfers that have these already come back as they are. The basis is
        "said" (by the source), "at once" (between own pods and ports), "bounded" (between two
        readings of ours, and estimated there) or "estimated" (at the last change, at most a week
        after the creation).

    Raises
    ------
    MissingColumns
        One of the frames is another one.
    """
    if {"effective_at", "effective_basis"} <= {*transfers.columns}:
        return transfers
    require(transfers, "transfers", _TRANSFER_FACTS, "Ledger.transfers")
    require(legs, "legs", _LEG_FACTS, "Ledger.legs")
    ids, zone = transfers["id"], transfers["created_at"].dt.tz
    said = _said(transfers, "settled_at", legs, ("payment", "push"))
    created, updated = utc(transfers["created_at"]), utc(transfers["updated_at"])
    is_inside = (transfers["direction"] == "INTERNAL").to_numpy()
    estimate = np.where(is_inside, created, estimates(created, updated))
    seen_open, seen_settled = _readings(ids, history)
    is_bounded = ~np.isnat(seen_open) & ~is_inside
    estimate = np.where(is_bounded, np.clip(estimate, seen_open, seen_settled), estimate)
    effective = np.where(np.isnat(said), estimate, said)
    effective[(transfers["state"] != State.SETTLED).to_numpy()] = np.datetime64("NaT")
    basis = np.select([~np.isnat(said), is_inside, is_bounded], [0, 1, 2], 3)
    basis[np.isnat(effective)] = -1
    returned = _said(transfers, "returned_at", legs, ("reversal",))
    return transfers.assign(
        settled_at=moments(said, zone, transfers.index),
        returned_at=moments(returned, zone, transfers.index),
        effective_at=moments(effective, zone, transfers.index),
        effective_basis=pd.Categorical.from_codes(basis, categories=pd.Index(BASES)),
    )


def is_exact(settled: pd.DataFrame) -> Any:
    """Tell which transfers have a moment that is no estimate."""
    return settled["effective_basis"].isin(EXACT).to_numpy()


def _said(transfers: pd.DataFrame, name: str, legs: pd.DataFrame, kinds: tuple[str, ...]) -> Any:
    """Return what the rows themselves say, where they have such a column, else their legs."""
    if name not in transfers:
        return completions(transfers["id"], legs, kinds)
    said = utc(transfers[name])
    asked = np.flatnonzero(np.isnat(said))
    if len(asked) == len(said):
        return completions(transfers["id"], legs, kinds)
    said = said.copy()
    said[asked] = completions(transfers["id"].iloc[asked], legs, kinds)
    return said


def _readings(ids: pd.Series[Any], history: pd.DataFrame | None) -> tuple[Any, Any]:
    """Return when each was last known to be open, and when it was read as something else."""
    if history is None:
        nothing = np.full(len(ids), np.datetime64("NaT", "us"))
        return nothing, nothing
    was_open = history[is_open(history).to_numpy()]
    last = was_open.sort_values("valid_until").drop_duplicates("id", keep="last")
    places = places_of(ids, last["id"])
    since, until = (
        np.append(utc(last[name]), np.datetime64("NaT", "us"))[places]
        for name in ("valid_from", "valid_until")
    )
    return since, until


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
    wanted = (legs["leg"].isin(kinds) & is_settled & legs["completed_at"].notna()).to_numpy()
    places = places_of(ids, legs["id"][wanted])
    found = np.append(utc(legs["completed_at"])[wanted], np.datetime64("NaT", "us"))
    return found[places]


def places_of(ids: pd.Series[Any], known: pd.Series[Any]) -> Any:
    """Return where each id stands in `known`, as int64; -1 where it does not."""
    asked, there = arrow(ids), arrow(known)
    if len(asked) * 4 < len(there):  # Looking few up is quicker than making a table of many.
        wanted = np.flatnonzero(pc.is_in(there, value_set=asked).to_numpy(zero_copy_only=False))
        found = _index_in(asked, there.take(pa.array(wanted)))
        return np.append(wanted, -1)[found]
    return _index_in(asked, there)


def _index_in(asked: Column, there: Column) -> Any:
    places = pc.index_in(asked, value_set=there)
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
