"""How the widgets look, in light and in dark, and the explorer in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable

import pandas as pd
import pytest
from lab_kit import Notebook, Panel
from look_kit import pale, take_picture
from playwright.sync_api import Locator, expect

from seqdata.sandbox import Sandbox

EXPLORER = [
    "from seqdata import Ledger",
    "ledger = Ledger.open()",
    "report = ledger.sync(details='all', details_per_request=25, progress=False)",
    "ledger.explorer()",
]

#: As wide as a window on a desk, for the pictures.
WIDE = {"width": 1280, "height": 1700}

both_themes = pytest.mark.parametrize(
    "theme", ["light", pytest.param("dark", marks=pytest.mark.soak)]
)


@both_themes
def test_the_panel_can_be_read_in_both_themes(open_panel: Callable[..., Panel], theme: str) -> None:
    """Every text of the panel, with a review open, stands out from what is behind it."""
    panel = open_panel(theme=theme)
    panel.page.set_viewport_size(WIDE)
    panel.stage("Bills", "Groceries", "12.34", "for milk")
    assert pale(panel.root) == []
    take_picture(panel.root, f"panel-{theme}")
    panel.confirm.click()
    panel.says(re.compile("^Completed"))
    assert pale(panel.root) == []
    take_picture(panel.root, f"panel-outcome-{theme}")


@pytest.mark.soak
@both_themes
def test_the_explorer_can_be_read_in_both_themes(
    open_notebook: Callable[..., Notebook], theme: str
) -> None:
    """Every text of the explorer, with a row open, stands out from what is behind it."""
    explorer = Explorer(open_notebook(*EXPLORER, theme=theme))
    explorer.notebook.page.set_viewport_size(WIDE)
    explorer.pick("Groceries")
    assert pale(explorer.root) == []
    take_picture(explorer.root, f"explorer-{theme}")


class Explorer:
    """The explorer in a notebook, by what a person reads on it."""

    def __init__(self, notebook: Notebook) -> None:
        self.notebook = notebook
        self.root = notebook.page.locator(".jp-Notebook .seqdata-explorer").first
        self.status = self.root.locator(".seqdata-explorer-status")
        self.rows = self.root.locator(".seqdata-explorer-row[data-row]")
        expect(self.status).to_contain_text("Showing rows 1")

    def search(self, text: str) -> None:
        """Type into the search field, and wait for the rows."""
        field = self.root.locator(".seqdata-explorer-filter-text")
        field = field if field.evaluate("it => it.tagName") == "INPUT" else field.locator("input")
        field.fill(text)
        # Not "loading…", nor that the kernel is busy: the rows that were found are there.
        expect(self.status).to_have_text(re.compile(r"^Showing rows .* in all\)$"))

    def pick(self, text: str) -> None:
        """Look for a text, and open the first row that has it."""
        self.search(text)
        self.rows.filter(has_text=text, visible=True).first.click()
        expect(self.root.locator(".seqdata-explorer-details")).to_be_visible()

    def total(self, name: str) -> Locator:
        """A figure above the table."""
        return self.root.locator(f".seqdata-explorer-total-{name}")


def test_the_explorer_finds_sums_and_opens_a_transfer(
    open_notebook: Callable[..., Notebook], box: Sandbox
) -> None:
    """A search shows the transfers that have it, their sum, and on a click all about one."""
    explorer = Explorer(open_notebook(*EXPLORER))
    truth = [row for row in box.transfers() if "Maple Street" in str(row["destination"])]
    explorer.pick("Maple Street")
    expect(explorer.rows.filter(visible=True)).to_have_count(len(truth))
    expect(explorer.total("count")).to_contain_text(str(len(truth)))
    complete = sum(row["amount_cents"] for row in truth if row["status"] == "COMPLETE")
    expect(explorer.total("out")).to_contain_text(f"{complete / 100:,.2f}")
    details = explorer.root.locator(".seqdata-explorer-details")
    expect(details).to_contain_text(truth[0]["id"])
    expect(details).to_contain_text("Payments")


def test_the_explorer_scrolls_to_the_last_row(
    open_notebook: Callable[..., Notebook], box: Sandbox
) -> None:
    """The End key leads to the last of all transfers: none is left out."""
    explorer = Explorer(open_notebook(*EXPLORER))
    count = len(box.transfers())
    expect(explorer.status).to_contain_text(f"of {count}")
    explorer.rows.first.click()
    explorer.notebook.page.keyboard.press("End")
    expect(explorer.status).to_contain_text(f"{count} of {count}")
    last = explorer.root.locator(f'.seqdata-explorer-row[data-row="{count - 1}"]')
    expect(last).to_be_visible()


def test_the_explorer_exports_what_it_shows(open_notebook: Callable[..., Notebook]) -> None:
    """The file has the rows that were found, no more and no less."""
    explorer = Explorer(open_notebook(*EXPLORER))
    explorer.search("Groceries")
    name = explorer.root.locator(".seqdata-explorer-export-name")
    name = name if name.evaluate("it => it.tagName") == "INPUT" else name.locator("input")
    name.fill("shown.parquet")
    explorer.root.locator(".seqdata-explorer-export").click()
    expect(explorer.root.locator(".seqdata-explorer-said")).to_contain_text("shown.parquet")
    frame = pd.read_parquet(explorer.notebook.desk.folder / "shown.parquet")
    shown = re.search(r"of ([\d,]+)", explorer.status.text_content() or "")
    assert shown is not None
    assert len(frame) == int(shown[1].replace(",", ""))
    assert (frame["source_name"].eq("Groceries") | frame["destination_name"].eq("Groceries")).any()
