"""What a saved notebook can hold of a panel: no secret ever, nothing of an unattended account."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from exchanges import without_mark
from ipywidgets import Widget
from nbclient import NotebookClient
from panel_helper import fill, open_desk, open_panel, press
from waiting import LONG

from seqdata.http.curl import CurlSend
from seqdata.http.messages import Exchange, Request
from seqdata.http.transport import Transport
from seqdata.sandbox import Sandbox


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(months=1, now="2026-11-01") as running:
        yield running


def saved() -> str:
    """Everything that a front end could save with a notebook."""
    return json.dumps(Widget.get_manager_state(), ensure_ascii=False)


class Tape:
    """Sends as usual and keeps every answer; `is_real`: as if it were no sandbox."""

    def __init__(self, *, is_real: bool = False) -> None:
        self.bodies: list[str] = []
        self._curl, self._is_real = CurlSend(), is_real

    def __call__(self, request: Request) -> Exchange:
        exchange = self._curl(request)
        assert exchange.answer is not None
        self.bodies.append(exchange.answer.text)
        return without_mark(exchange) if self._is_real else exchange


def numbers(node: object) -> set[str]:
    """All account and routing numbers in an answer."""
    if isinstance(node, list):
        return set().union(*map(numbers, node))
    if not isinstance(node, dict):
        return set()
    own = {
        str(value)
        for key, value in node.items()
        if key in ("bankAccountNumber", "routingNumber") and value
    }
    return own.union(*map(numbers, node.values()))


def test_no_secret_is_in_any_state_of_a_widget(box: Sandbox, tmp_path: Path) -> None:
    """Through a whole transfer, a lost one and a refusal no widget ever holds a secret."""
    tape, tokens = Tape(), list[str]()

    def provider() -> str:
        tokens.append(box.issue_token())
        return tokens[-1]

    desk = open_desk(
        box, tmp_path, transport=Transport(tape), email=box.email, password=box.password,
        totp=box.totp_secret, token_provider=provider,
    )  # fmt: skip
    panel = open_panel(desk)
    states = [saved()]
    for fault in (None, "cut_after", "unauthorized"):
        fill(panel, "Bills", "Groceries", "12.34")
        press(panel, "review_button", "despite")
        states.append(saved())
        if fault:
            box.fail(fault, operation="CreatePayment")
        press(panel, "confirm")
        states.append(saved())
    found = set().union(*(numbers(json.loads(body)) for body in tape.bodies))
    assert len(found) > 3
    assert tokens
    planted = {*found, *tokens, box.email, box.password, box.totp_secret, box.kyc_id,
               box.refresh_token, box.client_id}  # fmt: skip
    assert "Bills" in states[0]
    assert not [one for one in planted for state in states if one in state]
    panel.close()


def test_the_plain_text_of_a_panel_holds_no_figure(box: Sandbox, tmp_path: Path) -> None:
    """What the output of a cell keeps of a panel is its name and the server, and nothing more."""
    panel = open_panel(open_desk(box, tmp_path))
    bundle = panel._repr_mimebundle_()
    assert bundle["text/plain"] == f"TransferPanel({box.app_url!r})"
    assert set(bundle) == {"text/plain", "application/vnd.jupyter.widget-view+json"}
    panel.close()


def test_a_real_account_is_not_in_what_a_runner_saves(box: Sandbox, tmp_path: Path) -> None:
    """Where nobody is there no name, balance or event of a real account is in any widget."""
    is_there = False
    desk = open_desk(box, tmp_path, transport=Transport(Tape(is_real=True)))
    desk.audit.log("transfer_failed", source="Bills", destination="Groceries", error="no")
    panel = open_panel(desk, somebody_there=lambda: is_there)
    press(panel, "refresh")
    assert "Nobody is there to look" in saved()
    words = [one.name for one in panel.state.accounts if len(one.name) > 4]
    words += [one.balance for one in panel.state.accounts if one.balance_cents]
    assert len(words) > 10
    assert not [word for word in [*words, "kim"] if word in saved()]
    is_there = True
    press(panel, "refresh")
    assert all(word in saved() for word in ("Bills", "Real account", "kim"))
    panel.close()
    assert "Bills" not in saved()


CELL = """
import sys, tempfile
from pathlib import Path
sys.path[:0] = {here!r}
from panel_helper import open_desk, open_panel
from test_panel_private import Tape
from seqdata.sandbox import Sandbox
from seqdata.http.transport import Transport
box = Sandbox(months=1, now="2026-11-01").start()
send = Tape(is_real={is_real})
desk = open_desk(box, Path(tempfile.mkdtemp()), transport=Transport(send))
panel = open_panel(desk)
assert any(one.name == "Bills" for one in panel.state.accounts)
panel
"""


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::RuntimeWarning")
@pytest.mark.parametrize("is_real", [True, False])
def test_an_executed_notebook_holds_nothing_of_a_real_account(is_real: bool) -> None:
    """A notebook that a runner executed holds a sandbox's accounts, and no name of a real one."""
    source = CELL.format(
        here=[str(Path(__file__).parent), str(Path(__file__).parent.parent)], is_real=is_real
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    NotebookClient(notebook, timeout=LONG, startup_timeout=LONG, kernel_name="python3").execute()
    kept = json.dumps([notebook.metadata, notebook.cells[0].outputs], ensure_ascii=False)
    assert "TransferPanel(" in kept
    assert ("Nobody is there to look" in kept) == is_real
    assert ("Bills" in kept) == (not is_real)
    assert ("kim" in kept) == (not is_real)
