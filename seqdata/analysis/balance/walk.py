"""Observed balances, and the walk from one to another over the movements between."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from seqdata.analysis.balance.movements import Movements, movements
from seqdata.analysis.columns import require
from seqdata.analysis.settlement import utc


@dataclass(frozen=True)
class Observations:
    """Observed balances of one account, oldest first: UTC moments and cents."""

    at: Any
    cents: Any
    #: The least moment that is possible: the service's clock is told in whole seconds.
    early: Any


_ACCOUNT_FACTS = ("id", "name", "kind", "created_at", "closed_at")
_BALANCE_FACTS = ("account_id", "as_of", "balance_cents", "origin")


class Known:
    """The movements and observations of all accounts, and from when to when they reach."""

    def __init__(
        self,
        settled: pd.DataFrame,
        accounts: pd.DataFrame,
        balances: pd.DataFrame,
        complete_since: datetime | None,
        until: datetime | None,
    ) -> None:
        require(accounts, "accounts", _ACCOUNT_FACTS, "Ledger.accounts")
        require(balances, "balances", _BALANCE_FACTS, "Ledger.balances")
        self.accounts = accounts
        self.zone = settled["created_at"].dt.tz
        self.is_walked = (accounts["kind"] != "account").to_numpy()
        self.movements = movements(settled, accounts["id"]).in_order()
        self._observations = _observations(balances)
        created = utc(settled["created_at"])
        first = np.nanmin(created) if (~np.isnat(created)).any() else None
        self.complete_since = first if complete_since is None else _utc(complete_since)
        newest = max((one.at[-1] for one in self._observations.values()), default=None)
        self.until = newest if until is None else _utc(until)
        self.created = utc(accounts["created_at"])
        self.closed = utc(accounts["closed_at"])

    def observed(self, account: int) -> Observations | None:
        """Return what was observed of an account; None if its balance never was."""
        return self._observations.get(self.accounts["id"].iloc[account])

    def complete_from(self, account: int) -> Any:
        """Say from when on all movements of an account are known; None: never."""
        return self.complete_since if self.is_walked[account] else None


def both_ends(balances: pd.DataFrame) -> pd.DataFrame:
    """Return each balance at the moment at which it was first seen so, and the last one, in order.

    A frame without ``confirmed_at`` (an export of before) has one moment each.
    """
    if "confirmed_at" not in balances:
        return balances
    last = balances[balances["confirmed_at"] > balances["as_of"]]
    both = pd.concat([balances, last.assign(as_of=last["confirmed_at"])])
    ordered = both.sort_values(["as_of", "account_id"], kind="stable", ignore_index=True)
    return ordered.drop(columns="confirmed_at")


def _observations(balances: pd.DataFrame) -> dict[str, Observations]:
    balances = both_ends(balances)
    known = balances[balances["balance_cents"].notna()]
    at = utc(known["as_of"])
    # What was seen was so by the end of its second, or before its beginning: see Walk.
    whole = (at.astype(np.int64) % 1_000_000 == 0) & (known["origin"] == "sync").to_numpy()
    rows = pd.DataFrame(
        {
            "id": known["account_id"].to_numpy(),
            "at": at + np.where(whole, 999_999, 0).astype("timedelta64[us]"),
            "cents": known["balance_cents"].to_numpy(np.int64),
            "early": at - whole.astype("timedelta64[us]"),
        }
    ).sort_values("at", kind="stable")
    return {
        str(own_id): Observations(*(part[name].to_numpy() for name in ("at", "cents", "early")))
        for own_id, part in rows.groupby("id", sort=False)
    }


def _utc(moment: datetime) -> Any:
    return pd.Timestamp(moment).tz_convert("UTC").tz_localize(None).to_datetime64()


class Walk:
    """One account's running sum of movements, pinned to its observations.

    A movement in the very second of an observation may have come before or after it. It is
    taken for before, unless only after agrees with the observation next to it.
    """

    def __init__(self, own: Movements, observed: Observations) -> None:
        self._at = own.at
        self._sums = np.concatenate([[0], np.cumsum(own.cents)])
        self.observed, self._pins = self._pinned(observed)
        unsure = ~np.isnat(own.earliest)
        self._earliest = np.sort(own.earliest[unsure])
        self._latest = np.sort(own.latest[unsure])

    def _pinned(self, observed: Observations) -> tuple[Observations, Any]:
        """Place each observation in its second; return them, and what each has beyond the sum."""
        at = observed.at.copy()
        late, early = (observed.cents - self._sum(one) for one in (observed.at, observed.early))
        pins = late.copy()
        for place in np.flatnonzero(late != early):
            before, after = slice(max(place - 1, 0), place), slice(place + 1, place + 2)
            beside = {*pins[before].tolist(), *late[after].tolist(), *early[after].tolist()}
            if late[place] not in beside and early[place] in beside:
                at[place], pins[place] = observed.early[place], early[place]
        return replace(observed, at=at), pins

    def _count(self, moments: Any) -> Any:
        return np.searchsorted(self._at, moments, side="right")

    def _sum(self, moments: Any) -> Any:
        return self._sums[self._count(moments)]

    def anchor(self, moments: Any) -> tuple[Any, Any]:
        """Return which observation each moment is walked from, and whether it is an earlier one.

        It is the last one so far; before the first one, the first.
        """
        place = np.searchsorted(self.observed.at, moments, side="right") - 1
        return np.maximum(place, 0), place >= 0

    def balance(self, moments: Any, anchor: Any) -> Any:
        """Return the cents at each moment, walked from its anchor."""
        return self._sum(moments) + self._pins[anchor]

    def is_unmoved(self, since: Any, until: Any) -> Any:
        """Tell between which moments nothing moved."""
        return self._count(since) == self._count(until)

    def is_unsure(self, moments: Any) -> Any:
        """Tell whether a movement with an estimated moment may be on either side of each."""
        begun = np.searchsorted(self._earliest, moments, side="right")
        return begun > np.searchsorted(self._latest, moments, side="right")

    def gaps(self) -> Any:
        """Return what each observation has more than the walk from the one before it."""
        return np.diff(self._pins)
