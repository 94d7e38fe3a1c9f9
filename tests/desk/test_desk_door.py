"""The one door: nothing but the desk moves money, and the command line goes through it."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from desk_helper import Shell, arrived, events, open_desk

from seqdata import Ledger
from seqdata.sandbox import Sandbox

PACKAGE = Path(__file__).parent.parent.parent / "seqdata"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "sandbox" not in path.parts)


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(months=1, now="2026-11-01") as running:
        yield running


def calls(path: Path) -> list[ast.Call]:
    return [
        one for one in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(one, ast.Call)
    ]


def test_only_the_desk_sends_a_payment() -> None:
    """Nothing in the package but the mover behind the desk (and the client) names the mutation."""
    naming = {
        str(path.relative_to(PACKAGE))
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(r"CreatePayment\w*", node.value)
    }
    assert naming == {"sources/webapp/client.py", "safeguards/desk.py", "sources/webapp/mover.py"}


def test_nothing_calls_the_bare_transfer() -> None:
    """No module calls a method named `transfer`, and no document in code is a mutation."""
    for path in MODULES:
        for call in calls(path):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
            assert name != "transfer", f"{path} calls .transfer()"
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not re.search(r"\bmutation\b[^.]*\{", node.value), path


def test_the_ledger_has_its_desk(tmp_path: Path) -> None:
    """`ledger.desk` is one desk with the ledger's settings, and it moves money in the demo."""
    with Ledger.demo(months=1, now="2026-11-01", folder=tmp_path) as ledger:
        desk = ledger.desk
        assert ledger.desk is desk
        assert ledger.sandbox is not None
        assert desk.confirm(desk.stage("Bills", "Groceries", "5")).status == "completed"
        assert len(arrived(ledger.sandbox)) == 1


# -- the command line -------------------------------------------------------------------------


@pytest.fixture
def shell(box: Sandbox, tmp_path: Path) -> Shell:
    return Shell(box, tmp_path)


def test_the_command_shows_asks_and_sends(shell: Shell, box: Sandbox, tmp_path: Path) -> None:
    """`transfer` shows the review and sends after a yes only; no is cancelled and 130."""
    done = shell.run("Bills", "groceries", "12.34", "--note", "bread", typed="y\n")
    assert done.returncode == 0, done.stderr
    assert "pod 'Groceries'" in done.stdout
    assert "Completed" in done.stdout
    assert [one["variables"]["amount"] for one in arrived(box)] == [1234]
    assert shell.run("Bills", "groceries", "5", typed="n\n").returncode == 130
    assert shell.run("Bills", "groceries", "5", "--dry-run").returncode == 0
    assert len(arrived(box)) == 1
    assert len(events(tmp_path, "transfer_cancelled")) == 1


def test_the_command_ends_with_the_documented_codes(
    shell: Shell, box: Sandbox, tmp_path: Path
) -> None:
    """A safeguard's refusal is 6, the service's 4, an unknown outcome 7 until it is settled."""
    assert shell.run("Bills", "Groceries", "99999", "--yes").returncode == 6
    assert shell.run("Bills", "Nowhere", "5", "--yes").returncode == 2
    box.fail("rate_limit", operation="CreatePayment")
    assert shell.run("Bills", "Groceries", "5", "--yes").returncode == 4
    box.fail("cut", operation="CreatePayment")
    done = shell.run("Bills", "Groceries", "5", "--yes")
    assert (done.returncode, "settle" in done.stdout) == (7, True)
    assert shell.run("Bills", "Groceries", "5", "--yes").returncode == 6
    assert shell.run("settle").returncode == 7
    (intent,) = open_desk(box, tmp_path).open_intents()
    box.advance(hours=25)
    assert f"--assume-failed {intent.id}" in shell.run("settle").stdout
    assert shell.run("settle", "--assume-failed", intent.id).returncode == 0
    assert "known outcome" in shell.run("settle").stdout
    assert arrived(box) == []


def test_the_command_tells_programs_the_outcome(shell: Shell, box: Sandbox) -> None:
    """With --json stdout holds the outcome alone, with the ids to look it up by."""
    done = shell.run("Bills", "groceries", "12.34", "--yes", "--json")
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["status"] == "completed"
    assert outcome["transfer_id"] in {row["id"] for row in box.transfers()}
    assert "pod 'Groceries'" in done.stderr
