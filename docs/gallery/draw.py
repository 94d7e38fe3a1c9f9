"""Draw all charts of the gallery from the sandbox: ``python docs/gallery/draw.py``.

The same household is drawn each time, light and dark, at the size of a notebook.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from seqdata import Ledger, plots

SEED, MONTHS, NOW = 7, 24, "2026-11-01"
YEAR = "2025-11-01"
THEMES = ("light", "dark")

#: Dots per inch: 660 pixels for the 6 inches of a chart.
DPI = 110

#: Colours in a file: enough for smooth letters.
COLORS = 160


def charts(ledger: Ledger) -> dict[str, Callable[..., Any]]:
    """Return what draws each chart of the gallery, by the file's name: call it with a theme."""
    accounts = ledger.accounts
    colors = plots.account_colors(accounts)
    history = ledger.balance_history(since=YEAR)
    pods = history[history["kind"] == "pod"].reset_index(drop=True)
    pods.attrs = history.attrs
    drawn: dict[str, tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = {
        "balances": (plots.balances, (pods, accounts), {"colors": colors, "most": 6}),
        "balances-stacked": (plots.balances, (pods,), {"colors": colors, "kind": "stacked"}),
        "calendar": (plots.calendar, (ledger.spending(None, freq="day", since=YEAR),), {}),
        "cash-flow": (plots.cash_flow, (ledger.cash_flow(since=YEAR),), {}),
        "money-flow": (plots.money_flow, (ledger.money_flow(since=YEAR),), {"colors": colors}),
        "compare": (plots.compare, (ledger.compare("2026-10", "mean"),), {}),
        "pods": (
            plots.pods,
            (pods[pods["date"] >= "2026-05-01"], ledger.projected_balances(), accounts),
            {"colors": colors, "most": 12},
        ),
        "recurring": (plots.recurring, (ledger.recurring(),), {}),
        "spending": (plots.spending, (ledger.spending(since=YEAR),), {}),
        "spending-by-month": (
            plots.spending_by_month,
            (ledger.spending(freq="month", since=YEAR),),
            {"colors": ledger.plot.colors("category")},
        ),
        "upcoming": (plots.upcoming, (ledger.projected_balances(),), {"colors": colors}),
    }

    def drawer(name: str) -> Callable[..., Any]:
        function, tables, options = drawn[name]
        return lambda theme: function(*tables, theme=theme, **options)

    return {name: drawer(name) for name in drawn}


def draw(folder: Path) -> Iterator[Path]:
    """Draw each chart in each theme into a folder; yield the files."""
    with Ledger.demo(seed=SEED, months=MONTHS, now=NOW) as ledger:
        ledger.sync(details="all", details_per_request=25, progress=False)
        for name, chart in charts(ledger).items():
            for theme in THEMES:
                path = folder / f"{name}-{theme}.png"
                write_small(chart(theme).figure, path)
                yield path


def write_small(figure: Any, path: Path) -> None:
    """Write a figure as a PNG with a palette of its own: a third of the bytes."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=DPI)
    picture = Image.open(stream).convert("RGB")
    picture.quantize(COLORS, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    for path in draw(Path(__file__).parent if len(sys.argv) < 2 else Path(sys.argv[1])):
        sys.stdout.write(f"{path.name} {path.stat().st_size / 1024:.0f} kB\n")
