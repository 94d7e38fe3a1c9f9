"""The charts of the gallery: drawn from the sandbox, and true to it."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from matplotlib.colors import to_hex
from PIL import Image

from seqdata import Ledger, plots
from seqdata.exceptions import InvalidFilter, UsageError
from seqdata.ledger.plots import CHARTS, LedgerPlots
from seqdata.plots.theme import DARK, LIGHT

GALLERY = Path(__file__).parent.parent.parent / "docs" / "gallery"
SCRIPT = runpy.run_path(str(GALLERY / "draw.py"))


@pytest.fixture(scope="module")
def ledger() -> Iterator[Ledger]:
    """A synced demo of four months; tests only read it."""
    with Ledger.demo(months=4, now="2026-11-01") as ledger:
        ledger.sync(details="all", details_per_request=25, progress=False)
        yield ledger


@pytest.fixture(scope="module")
def charts(ledger: Ledger) -> dict[str, Any]:
    """What draws each chart of the gallery, of that ledger."""
    found: dict[str, Any] = SCRIPT["charts"](ledger)
    return found


def test_every_chart_is_drawn_from_the_sandbox(charts: dict[str, Any], tmp_path: Path) -> None:
    """Each chart of the gallery has rows, says that its data is made up, and is a small PNG."""
    for name, chart in charts.items():
        ax = chart(theme="light")
        assert len(plots.table_of(ax)) > 0, name
        assert "Made-up data of a sandbox." in ax.get_xlabel().replace("\n", " "), name
        SCRIPT["write_small"](ax.get_figure(), tmp_path / f"{name}.png")
        assert (tmp_path / f"{name}.png").stat().st_size < 60 * 1024, name


def test_the_gallery_is_whole(charts: dict[str, Any]) -> None:
    """There is a picture of each chart, light and dark, six inches wide, and no other one."""
    wanted = {f"{name}-{theme}.png" for name in charts for theme in SCRIPT["THEMES"]}
    assert {path.name for path in GALLERY.glob("*.png")} == wanted
    for name in wanted:
        with Image.open(GALLERY / name) as picture:
            assert picture.width == 6 * SCRIPT["DPI"]
        assert (GALLERY / name).stat().st_size < 60 * 1024


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ({"figsize": (3, 3)}, "Did you mean ax=?"),
        ({"acount": "Bills"}, "Did you mean account=?"),
        ({"frequency": "day"}, "Did you mean freq=?"),
        ({"xyzzy": 1}, "has no word 'xyzzy'. Its words are"),
    ],
)
def test_a_wrong_word_of_a_chart_names_the_right_one(
    ledger: Ledger, words: dict[str, Any], meant: str
) -> None:
    """A word that a chart does not have is refused with the nearest one and all others."""
    with pytest.raises(UsageError, match="plot.balances") as refused:
        ledger.plot.balances(**words)
    assert meant in str(refused.value)
    assert "freq, since, until, account, kind" in str(refused.value)


def test_words_are_given_by_name(ledger: Ledger) -> None:
    """A value without its word is refused with the word that it was meant for."""
    wrong: Any = ledger.plot.balances
    with pytest.raises(UsageError, match="Did you mean account='Groceries'?"):
        wrong("Groceries")
    with pytest.raises(InvalidFilter, match="lines, stacked"):
        wrong(kind="pie")


def test_the_charts_are_listed_with_a_sentence_each(ledger: Ledger) -> None:
    """A last line that is ledger.plot lists each chart with what it draws."""
    for text in (repr(ledger.plot), ledger.plot._repr_html_()):
        for name in CHARTS:
            assert f".{name}()" in text
        assert "Draw money in, money out and the net." in text


def test_the_examples_of_the_charts_run(ledger: Ledger) -> None:
    """Each line of the docstrings' examples draws something or says why there is nothing."""
    docs = [LedgerPlots.__doc__, *(getattr(LedgerPlots, name).__doc__ for name in CHARTS)]
    lines = [line.strip()[4:] for doc in docs for line in doc.splitlines() if ">>> " in line]
    assert len(lines) > len(CHARTS)
    for line in lines:
        assert plots.table_of(eval(line, {"ledger": ledger})) is not None, line


def test_one_theme_for_all_charts_of_a_ledger(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger's theme is that of its charts, also disguised, unless a call says another one."""
    monkeypatch.setattr(ledger, "theme", "dark")
    for plot in (ledger.plot, ledger.share_safe().plot):
        assert to_hex(plot.spending().get_figure().get_facecolor()) == DARK.face.lower()
    light = ledger.plot.spending(theme="light").get_figure()
    assert to_hex(light.get_facecolor()) == LIGHT.face.lower()


def test_a_category_has_one_colour_in_all_charts_of_a_ledger(ledger: Ledger) -> None:
    """Whatever else a chart of months shows, a category is painted alike."""
    painted: dict[str, set[str]] = {}
    for words in ({}, {"most": 4}, {"category": ["Dining", "Groceries"]}, {"since": "2026-10"}):
        for bars in ledger.plot.spending_by_month(**words).containers:
            name = str(bars.get_label())
            painted.setdefault(name, set()).add(to_hex(bars.patches[0].get_facecolor()))
    assert len(painted) > 4
    assert {name: len(colors) for name, colors in painted.items()} == dict.fromkeys(painted, 1)


def test_each_chart_says_by_which_day_it_counts(charts: dict[str, Any]) -> None:
    """Spending counts when paid, cash flow when settled; out of a balance money goes when paid."""
    said = {
        "spending": "Payments count on the day they were made.",
        "cash-flow": "Payments count on the day they settled.",
        "money-flow": "Payments count on the day they settled.",
        "balances": "Money leaves a balance the day it is paid, and joins it the day it settles.",
        "pods": "Money leaves a balance the day it is paid, and joins it the day it settles.",
    }
    for name, sentence in said.items():
        assert sentence in " ".join(charts[name](theme="light").get_xlabel().split()), name


def test_a_drawn_balance_ends_at_what_the_pod_holds(ledger: Ledger, charts: dict[str, Any]) -> None:
    """The last point of each pod's line is its balance in the sandbox."""
    assert ledger.sandbox is not None
    truth = ledger.sandbox.balances()
    drawn = plots.table_of(charts["balances"](theme="dark"))
    last = drawn.groupby("account_id")["balance_cents"].last()
    assert {own_id: truth[own_id]["2026-10-31"] for own_id in last.index} == last.to_dict()
