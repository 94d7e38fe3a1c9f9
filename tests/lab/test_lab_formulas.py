"""Money in a notebook is no mathematics: two dollar signs stay two dollar signs."""

from __future__ import annotations

from collections.abc import Callable

from lab_kit import Notebook
from playwright.sync_api import expect

SHOWN = """
from IPython.display import HTML, display
from seqdata import Ledger
ledger = Ledger.open()
report = ledger.sync(progress=False)
staged = ledger.desk.stage("Bills", "Groceries", "12.34", note="$1 and $2")
frame = ledger.transfers.head(2).assign(description="$1 and $2")
for one in (ledger, report, ledger.certificate(), ledger.desk.limits(), staged):
    display(one)
display(ledger.desk.confirm(staged, dry_run=True), frame, ledger.cash_flow())
display(HTML("<p class='formula'>$x^2$</p>"))
"""


def test_no_output_is_taken_for_a_formula(open_notebook: Callable[..., Notebook]) -> None:
    """Whatever of ours stands last in a cell, JupyterLab sets none of its dollars as a formula."""
    page = open_notebook(*SHOWN.strip().splitlines()).page
    formulas = page.locator(".jp-Notebook mjx-container")
    expect(page.locator(".jp-Notebook .formula mjx-container")).to_have_count(1)
    expect(formulas).to_have_count(1)  # the one that is meant as one
    outputs = page.locator(".jp-OutputArea-output")
    expect(outputs.filter(has_text="nothing is sent yet")).to_contain_text("$1 and $2")
    expect(outputs.filter(has_text="left today after this")).to_contain_text("$25,000.00")
