"""Small tables for each chart, as the analysis makes them, and questions to ask a chart."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.text import Text

from seqdata import plots

FACTS = {
    "app_url": "http://127.0.0.1:4000",
    "is_sandbox": True,
    "timezone": "America/New_York",
    "is_complete": True,
    "gaps": [],
    "last_sync_at": "2026-11-01T00:00:00+00:00",
    "filters": {},
}

#: Names that are hard to draw: an emoji, mathematics, a newline, nothing at all.
HARD = ["Dining Out 🍜", "Gym of $teel $", "a_b^c {x} \\frac", "two\nlines", "🍜🍜", "a & b < c %"]


def told(table: pd.DataFrame, **facts: Any) -> pd.DataFrame:
    """Give a table the facts that a ledger gives."""
    table.attrs["seqdata"] = {**FACTS, **facts}
    return table


def with_dollars(table: pd.DataFrame) -> pd.DataFrame:
    for name in [name for name in table.columns if name.endswith("_cents")]:
        table[name] = table[name].astype("Int64")
        table[name.removesuffix("_cents")] = table[name].astype("float64") / 100
    return table


def history(
    series: dict[str, list[int]], provenance: str = "o" + "d" * 99, start: str = "2026-10-01"
) -> pd.DataFrame:
    """Make a daily history: cents by name; o, d and c of `provenance` are the days'."""
    words = {"o": "observed", "d": "derived", "c": "carried"}
    rows = [
        (f"id-{name}", name, "pod", day, cents, words[how])
        for name, all_cents in series.items()
        for day, cents, how in zip(
            pd.date_range(start, periods=len(all_cents)), all_cents, provenance, strict=False
        )
    ]
    columns = ["account_id", "name", "kind", "date", "balance_cents", "provenance"]
    table = pd.DataFrame(rows, columns=columns).astype({"date": "datetime64[us]"})
    table = table.astype(dict.fromkeys(("name", "kind", "provenance"), "category"))
    return told(with_dollars(table.assign(settled_at_known=True)))


def cash_flow(*rows: tuple[str, int, int], **more: Any) -> pd.DataFrame:
    """Make a cash flow of periods, cents in and cents out."""
    table = pd.DataFrame(rows, columns=["period", "money_in_cents", "money_out_cents"])
    table["period"] = pd.to_datetime(table["period"]).astype("datetime64[us]")
    table["net_cents"] = table["money_in_cents"] - table["money_out_cents"]
    return told(with_dollars(table.assign(**more)))


def spending(by: dict[str, list[Any]], cents: list[int]) -> pd.DataFrame:
    """Make a spending table of its grouping columns and cents."""
    table = pd.DataFrame({**by, "spent_cents": cents})
    if "period" in table:
        table["period"] = pd.to_datetime(table["period"]).astype("datetime64[us]")
    table = with_dollars(table)
    total = table["spent"].sum()
    share = table["spent"] / total if total else np.nan
    return told(table.assign(transfers=1, share=share))


def money_flow(*rows: tuple[str, str, str, str, int]) -> pd.DataFrame:
    columns = ["from_name", "from_kind", "to_name", "to_kind", "moved_cents"]
    return told(with_dollars(pd.DataFrame(rows, columns=columns)).assign(transfers=1))


def recurring(*rows: dict[str, Any]) -> pd.DataFrame:
    usual = {
        "payee": "Rent", "direction": "OUTGOING", "account": "Bills", "kind": "bill",
        "cadence": "monthly", "usual_cents": 200_000, "first_date": "2025-01-01",
        "last_date": "2026-10-01", "next_date": "2026-11-01", "previous_cents": None,
        "changed_on": None, "is_active": True,
    }  # fmt: skip
    table = pd.DataFrame([{**usual, **row} for row in rows], columns=list(usual))
    for name in ("first_date", "last_date", "next_date", "changed_on"):
        table[name] = pd.to_datetime(table[name]).astype("datetime64[us]")
    return told(with_dollars(table))


def projected(series: dict[str, list[int]], band: int = 5_000) -> pd.DataFrame:
    """Make projected balances: cents by name, day by day, with a band around them."""
    table = history(series, start="2026-11-01")[["account_id", "name", "kind", "date"]]
    cents = [one for all_cents in series.values() for one in all_cents]
    table["balance_cents"] = cents
    table["low_cents"] = [one - band for one in cents]
    table["high_cents"] = [one + band for one in cents]
    table["is_short"] = table["balance_cents"] < 0
    table["may_run_short"] = table["low_cents"] < 0
    table["method"] = "expected"
    return told(with_dollars(table))


def _months(count: int) -> list[str]:
    return [f"{day:%Y-%m-%d}" for day in pd.date_range("2024-11-01", periods=count, freq="MS")]


_DAYS = [f"{day:%Y-%m-%d}" for day in pd.date_range("2025-11-01", "2026-10-31", freq="3D")]
_KINDS = ["Housing", "Dining", "$ave $", *HARD]


def compared(by: dict[str, list[Any]], now: list[int], before: list[int]) -> pd.DataFrame:
    """Make a comparison of cents now and before."""
    table = pd.DataFrame({**by, "spent_cents": now, "before_cents": before})
    table["change_cents"] = table["spent_cents"] - table["before_cents"]
    table = with_dollars(table).assign(change_share=0.5, days=14, before_days=14, before_periods=1)
    return told(table, in_words="2026-11-01 to 2026-11-14 against 2026-10-01 to 2026-10-14")


#: Each chart, with a table that is full: many series, long spans, hard names.
TABLES: dict[str, Callable[[], tuple[pd.DataFrame, dict[str, Any]]]] = {
    "balances": lambda: (
        history({n: [50_000 * (i + 1) + 700 * d for d in range(90)] for i, n in enumerate(HARD)}),
        {"goals": {f"id-{HARD[0]}": 90_000}},
    ),
    "stacked": lambda: (
        history({n: [50_000 * (i + 1) + 700 * d for d in range(90)] for i, n in enumerate(HARD)}),
        {"kind": "stacked"},
    ),
    "pods": lambda: (
        history({n: [50_000 * (i + 1) + 700 * d for d in range(90)] for i, n in enumerate(HARD)}),
        {"goals": {f"id-{HARD[0]}": 90_000}},
    ),
    "compare": lambda: (
        compared({"category": _KINDS}, [90_000 - 9_000 * i for i in range(9)], [40_000] * 9),
        {},
    ),
    "cash_flow": lambda: (
        cash_flow(
            *((month, 900_000 + 9_000 * i, 850_000) for i, month in enumerate(_months(24))),
            pending_in_cents=0,
            pending_out_cents=30_000,
        ),
        {},
    ),
    "spending": lambda: (
        spending({"category": _KINDS}, [90_000 - 9_000 * i for i in range(9)]),
        {},
    ),
    "spending_by_month": lambda: (
        spending(
            {"period": _months(24) * 9, "category": [one for one in _KINDS for _ in range(24)]},
            [10_000 + 100 * i for i in range(216)],
        ),
        {},
    ),
    "calendar": lambda: (spending({"period": _DAYS}, [100 * i for i in range(len(_DAYS))]), {}),
    "money_flow": lambda: (
        money_flow(
            ("Payroll", "income", "Paycheck", "port", 500_000),
            *(("Paycheck", "port", name, "pod", 80_000) for name in HARD),
            *((name, "pod", "Housing", "category", 60_000) for name in HARD),
            (HARD[0], "pod", HARD[1], "pod", 10_000),
            (HARD[1], "pod", "Savings", "account", 9_000),
        ),
        {},
    ),
    "recurring": lambda: (
        recurring(
            *({"payee": name} for name in HARD),
            {"payee": "Pay", "direction": "INCOMING", "cadence": "biweekly"},
            {"payee": "Raised", "previous_cents": 190_000, "changed_on": "2026-01-01"},
            {"payee": "Stopped", "is_active": False, "next_date": None},
        ),
        {},
    ),
    "upcoming": lambda: (
        projected({n: [9_000 * i - 400 * d for d in range(30)] for i, n in enumerate(HARD)}),
        {},
    ),
}  # fmt: skip

#: Each chart without rows, and a part of what it says then.
NOTHING = {
    "balances": "No known balance",
    "stacked": "No known balance",
    "pods": "No known balance",
    "compare": "No spending",
    "cash_flow": "No cash flow",
    "spending": "No spending",
    "spending_by_month": "No spending",
    "calendar": "No spending",
    "money_flow": "No money flow",
    "recurring": "No repeating payments",
    "upcoming": "No balance to project",
}


def function(name: str) -> Callable[..., Axes]:
    found: Callable[..., Axes] = getattr(plots, {"stacked": "balances"}.get(name, name))
    return found


def draw(name: str, **options: Any) -> Axes:
    """Draw a chart's full table."""
    table, own = TABLES[name]()
    return function(name)(table, **own, **options)


@cache
def drawn(name: str) -> Axes:
    """Draw a chart's full table once, for tests that only look at it."""
    return draw(name)


# -- questions ---------------------------------------------------------------------------------


def texts(ax: Axes) -> list[Text]:
    """Return all texts that are shown, after a layout."""
    figure: Any = ax.get_figure()
    figure.draw_without_rendering()
    low, high = sorted(ax.get_xlim())
    bottom, top = sorted(ax.get_ylim())
    ticks = [
        label
        for axis, (least, most) in ((ax.xaxis, (low, high)), (ax.yaxis, (bottom, top)))
        for tick, label in zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=True)
        if least <= tick <= most
    ]
    legend = ax.get_legend()
    named = [] if legend is None else list(legend.get_texts())
    labels = [ax.xaxis.label, ax.title, ax._left_title]
    small = [text for child in ax.child_axes for text in child.texts]
    return [one for one in [*ticks, *ax.texts, *small, *named, *labels] if one.get_text().strip()]


def words(ax: Axes) -> set[str]:
    return {one.get_text() for one in texts(ax)}


def title(ax: Axes) -> str:
    return str(ax.get_title(loc="left"))


def overlaps(shown: Iterable[Text]) -> list[tuple[str, str]]:
    """Return the pairs of texts that cover one another."""
    boxes = [(one.get_text(), one.get_window_extent()) for one in shown]
    found = []
    for (one, a), (other, b) in combinations(boxes, 2):
        wide = min(a.x1, b.x1) - max(a.x0, b.x0)
        high = min(a.y1, b.y1) - max(a.y0, b.y0)
        # Boxes have leading that letters do not fill.
        if wide > 1 and high > 2:
            found.append((one, other))
    return found


def line(ax: Axes, gid: str) -> Any:
    """Return the line of that gid."""
    (found,) = [one for one in ax.lines if one.get_gid() == gid]
    return found


def bars(ax: Axes, label: str) -> list[float]:
    """Return the heights of the bars of that label."""
    (found,) = [one for one in ax.containers if one.get_label() == label]
    return [round(patch.get_height(), 2) for patch in found.patches]
