"""The charts of the gallery: drawn from the sandbox, and true to it."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from seqdata import Ledger, plots

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


def test_a_drawn_balance_ends_at_what_the_pod_holds(ledger: Ledger, charts: dict[str, Any]) -> None:
    """The last point of each pod's line is its balance in the sandbox."""
    assert ledger.sandbox is not None
    truth = ledger.sandbox.balances()
    drawn = plots.table_of(charts["balances"](theme="dark"))
    last = drawn.groupby("account_id")["balance_cents"].last()
    assert {own_id: truth[own_id]["2026-10-31"] for own_id in last.index} == last.to_dict()
