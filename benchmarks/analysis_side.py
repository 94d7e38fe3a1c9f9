"""Measured in a child: ``analysis_side SIZE``, the functions of the analysis."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.harness import NOW
from benchmarks.meter import Meter, answer
from seqdata import Ledger, analysis
from seqdata.analysis.recur.recurring import find_series
from seqdata.sources.vocabulary import OWN

_REPEATS = 3
#: Copies of each account, so that there are some fifty.
_COPIES = 3
_APART = np.timedelta64(30 * 86_400_000_000, "us")


@dataclass
class Tables:
    """What the functions take, as a ledger would give it."""

    transfers: pd.DataFrame
    legs: pd.DataFrame
    details: pd.DataFrame
    accounts: pd.DataFrame
    balances: pd.DataFrame
    annotations: pd.DataFrame
    now: pd.Timestamp


def tables(size: int, months: int = 24) -> Tables:
    """Sync a demo, and lay copies of its household one before the other."""
    with Ledger.demo(months=months, now=NOW) as ledger:
        ledger.sync(details="all", details_per_request=25, progress=False)
        transfers, now = ledger.transfers, ledger.certificate().last_sync_at
        count = -(-size // len(transfers))
        return Tables(
            transfers=_transfers(transfers, count).iloc[:size],
            legs=_earlier(ledger.legs, count, ("created_at", "completed_at")),
            details=_earlier(ledger.details, count, ()),
            accounts=_numbered(ledger.accounts, "id"),
            balances=_numbered(ledger.balances, "account_id"),
            annotations=ledger.annotations,
            now=pd.Timestamp(now),
        )


def _transfers(rows: pd.DataFrame, count: int) -> pd.DataFrame:
    """Make copies, each a month earlier, of accounts in three copies and payees of its own."""
    made = _earlier(rows, count, ("created_at", "updated_at"))
    copy = pd.Series(np.repeat(np.arange(count), len(rows)).astype(str), dtype="str")
    account = pd.Series((np.arange(len(made)) % _COPIES).astype(str), dtype="str")
    for end in ("source", "destination"):
        is_own = made[f"{end}_party"].isin(OWN)
        made[f"{end}_id"] = (made[f"{end}_id"] + "-" + account).where(is_own, made[f"{end}_id"])
        named = made[f"{end}_name"] + " of " + copy.str.translate(_LETTERS)
        made[f"{end}_name"] = made[f"{end}_name"].where(is_own, named)
    return made.sort_values("created_at", ascending=False, ignore_index=True)


#: Digits at the end of a name are a store's number: copies are told apart by letters.
_LETTERS = str.maketrans("0123456789", "abcdefghij")


def _earlier(rows: pd.DataFrame, count: int, moments: tuple[str, ...]) -> pd.DataFrame:
    made = pd.concat([rows] * count, ignore_index=True)
    copy = np.repeat(np.arange(count), len(rows))
    made["id"] = made["id"] + "-" + pd.Series(copy.astype(str), dtype="str")
    for name in moments:
        made[name] = made[name] - copy * _APART
    return made


def _numbered(rows: pd.DataFrame, key: str) -> pd.DataFrame:
    made = pd.concat([rows] * _COPIES, ignore_index=True)
    made[key] = made[key] + "-" + np.repeat(np.arange(_COPIES), len(rows)).astype(str)
    return made


def functions(here: Tables) -> dict[str, Callable[[], pd.DataFrame]]:
    """Return what is measured, by name."""
    moved, legs, accounts = here.transfers, here.legs, here.accounts
    starter = analysis.read_rules()
    settled = analysis.settle(moved, legs)
    rows = analysis.categorize(settled, accounts, here.annotations, starter)
    known = {"rows": rows, "now": here.now, "series": find_series(rows, here.now)}

    def spending() -> pd.DataFrame:
        fresh = analysis.settle(moved, legs)
        categorized = analysis.categorize(fresh, accounts, here.annotations, starter)
        return analysis.spending(categorized)

    return {
        "balance_history": lambda: analysis.balance_history(moved, legs, accounts, here.balances),
        "reconcile": lambda: analysis.reconcile(moved, legs, accounts, here.balances),
        "cash_flow": lambda: analysis.cash_flow(moved, legs, accounts),
        "settle": lambda: analysis.settle(moved, legs),
        "categorize": lambda: analysis.categorize(settled, accounts, here.annotations, starter),
        "spending": spending,
        "compare": lambda: analysis.compare(rows, "2026-10", "mean"),
        "money_flow": lambda: analysis.money_flow(rows),
        "recurring": lambda: analysis.recurring(rows, now=here.now, include_internal=True),
        "upcoming": lambda: analysis.upcoming(**known, legs=legs),
        "projected_balances": lambda: analysis.projected_balances(accounts, **known, legs=legs),
        "rules": lambda: analysis.rules(settled, here.details),
    }


def measured(function: Callable[[], pd.DataFrame]) -> dict[str, float]:
    """Run a function some times; return the medians."""
    seconds, cpu, rows = [], [], 0
    for _ in range(_REPEATS):
        with Meter() as meter:
            rows = len(function())
        seconds.append(meter.seconds)
        cpu.append(meter.cpu_seconds)
    return {
        "seconds": statistics.median(seconds), "cpu_seconds": statistics.median(cpu), "rows": rows,
    }  # fmt: skip


def main() -> None:
    """Measure all of them."""
    here = tables(int(sys.argv[1]))
    years = (here.transfers["created_at"].max() - here.transfers["created_at"].min()).days / 365.25
    answer({
        "functions": {name: measured(function) for name, function in functions(here).items()},
        "accounts": len(here.accounts), "years": round(years),
    })  # fmt: skip


if __name__ == "__main__":
    main()
