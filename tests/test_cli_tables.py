"""The commands of the analysis and the charts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from inspect import signature
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from seqdata import Ledger
from seqdata.cli import cli, tables
from seqdata.core.text import format_cents
from seqdata.exceptions import InvalidFilter, SequenceError, UnknownAccount
from seqdata.ledger.plots import CHARTS, LedgerPlots


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """A synced demo in a folder that commands can be pointed at."""
    folder = tmp_path_factory.mktemp("data")
    with Ledger.demo(months=3, now="2026-11-01", folder=folder) as ledger:
        ledger.sync(details="all", details_per_request=25, progress=False)
        yield ledger


@pytest.fixture
def run(ledger: Ledger, monkeypatch: pytest.MonkeyPatch):
    """Run a command over the demo's data."""
    assert ledger.sandbox is not None
    settings = {
        **ledger.sandbox.environment(),
        "SEQUENCE_DATA_DIR": str(ledger.categories_path.parent),
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    def command(*words: str) -> Result:
        return CliRunner(env={"COLUMNS": "160"}).invoke(cli, words)

    return command


@pytest.mark.parametrize("table", sorted(tables.TABLES))
def test_a_command_has_the_words_of_its_method(table: str) -> None:
    """Each table's command has exactly the options that its method of the ledger has."""
    words = [name for name in signature(getattr(Ledger, table)).parameters if name != "self"]
    assert sorted(tables.TABLES[table][0].split()) == sorted(words)


@pytest.mark.parametrize("table", sorted(tables.TABLES))
def test_a_command_prints_what_the_method_returns(run, ledger: Ledger, table: str) -> None:
    """As JSON each command gives all rows and columns of the method's table."""
    found = run(table.replace("_", "-"), "--json", "--limit", "0")
    assert found.exit_code == 0, found.output
    frame = getattr(ledger, table)()
    rows = json.loads(found.stdout)
    assert len(rows) == len(frame)
    assert not rows or list(rows[0]) == list(frame.columns)


def test_how_good_is_the_backtest(run) -> None:
    """`upcoming --how-good` prints what `backtest` does."""
    assert (
        run("upcoming", "--how-good", "--days", "7").stdout == run("backtest", "--days", "7").stdout
    )


@pytest.mark.parametrize("table", sorted(tables.TABLES))
def test_a_command_prints_a_table_or_says_why_not(run, ledger: Ledger, table: str) -> None:
    """For people each command prints amounts in dollars, or a sentence where there is nothing."""
    is_empty = getattr(ledger, table)().empty
    found = run(table.replace("_", "-"), "--limit", "3")
    assert found.exit_code == 0, found.output
    if is_empty:
        assert found.stdout.strip().endswith(".")
    else:
        assert "row" in found.stdout.splitlines()[0]
        assert "<NA>" not in found.stdout


def test_words_are_passed_on(run, ledger: Ledger) -> None:
    """Options that may be repeated, dates and flags reach the method as they were said."""
    found = run(
        "spending", "--freq", "month", "--by", "payee", "--by", "pod", "--since", "2026-10",
        "--account", "Bills", "--account", "Groceries", "--json", "--limit", "0",
    )  # fmt: skip
    both = ["Bills", "Groceries"]
    expected = ledger.spending(["payee", "pod"], freq="month", since="2026-10", account=both)
    rows = json.loads(found.stdout)
    assert [row["spent_cents"] for row in rows] == expected["spent_cents"].tolist()
    found = run("compare", "2026-10", "--previous", "mean", "--by", "payee", "--json")
    expected = ledger.compare("2026-10", "mean", "payee")
    rows = json.loads(found.stdout)
    assert [row["change_cents"] for row in rows] == expected["change_cents"].tolist()


SUMMED = {"spending": "spent_cents", "cash_flow": "money_out_cents", "rules": "moved_cents"}


@pytest.mark.parametrize("table", SUMMED)
def test_sums_stand_below_and_say_of_which_time(run, ledger: Ledger, table: str) -> None:
    """Below what sums stand the sums of all rows, shown or not, and above it the time."""
    said = run(table.replace("_", "-"), "--since", "last month", "--limit", "1").stdout
    found = getattr(ledger, table)(since="last month")
    assert found.attrs["seqdata"]["filters"]["since"] in said.splitlines()[0]
    assert "as of 2026-10-31" in said.splitlines()[0]
    below = said.splitlines()[-1]
    assert below.split()[:2] == ["in", "all"]
    assert format_cents(int(found[SUMMED[table]].sum())) in below


def test_words_of_time_are_said_by_the_clock_of_the_service(run, ledger: Ledger) -> None:
    """Last month is that of the sandbox's world, the same in Python and as a command, and what
    comes back says which it was."""
    assert ledger.sandbox is not None
    assert ledger.sandbox.now.isoformat() == "2026-11-01T00:00:00+00:00"  # October in New York
    found = ledger.spending(since="last month", until="this month")
    pd.testing.assert_frame_equal(found, ledger.spending(since="2026-09", until="2026-10"))
    assert found.attrs["seqdata"]["filters"]["since"] == "2026-09"
    assert ledger.compare("last month", "August").attrs["seqdata"]["filters"]["period"] == "2026-09"
    rows = json.loads(run("transfers", "--since", "yesterday", "--json", "--limit", "0").stdout)
    assert [row["id"] for row in rows] == ledger.transfers_where(since="2026-10-30")["id"].tolist()


def test_a_person_s_rules_come_before_the_starter_set(run, ledger: Ledger, tmp_path: Path) -> None:
    """The file that categories --write makes changes nothing until it is edited."""
    before = ledger.spending()
    path = ledger.categories_path
    try:
        assert "edit it" in run("categories", "--write").stdout
        pd.testing.assert_frame_equal(ledger.spending(), before)
        path.write_text('[[rule]]\ncategory = "Roof"\npayee = "maple street"\n')
        assert "Roof" in set(ledger.spending()["category"])
        assert "your own in" in run("categories").stdout
        again = run("categories", "--write")
        assert isinstance(again.exception, FileExistsError), again.output
        path.write_text('[[rule]]\ncategory = "Roof"\npayee = 7\n')
        with pytest.raises(SequenceError, match="rule 1, payee"):
            ledger.spending()
    finally:
        path.unlink()


def test_charts_of_the_command_line_are_those_of_the_ledger() -> None:
    """Each chart of the ledger can be drawn by the command line, and the reverse."""
    assert sorted(tables.CHARTS) == sorted(CHARTS)
    assert all(callable(getattr(LedgerPlots, name)) for name in CHARTS)


@pytest.mark.parametrize("chart", sorted(tables.CHARTS))
def test_each_chart_becomes_a_picture(run, tmp_path: Path, chart: str) -> None:
    """Each chart is written as a PNG that its owner alone can read."""
    picture = tmp_path / f"{chart}.png"
    found = run("plot", chart.replace("_", "-"), "-o", str(picture), "--theme", "dark")
    assert found.exit_code == 0, (found.output, found.exception)
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["x.svg", "x.pdf"])
def test_a_chart_can_be_a_drawing(run, tmp_path: Path, name: str) -> None:
    """A name that ends in svg or pdf makes a file of that kind."""
    found = run(
        "plot", "spending", "-o", str(tmp_path / name), "--since", "2026-10", "--share-safe"
    )
    assert found.exit_code == 0, found.output
    start = (tmp_path / name).read_bytes()[:100]
    assert b"%PDF" in start or b"<?xml" in start


def test_wrong_words_of_a_chart_are_refused(run, tmp_path: Path) -> None:
    """A word that the chart does not have, a file type and an account are refused with choices."""
    wrong = run("plot", "spending", "-o", str(tmp_path / "x.png"), "--days", "5")
    assert isinstance(wrong.exception, InvalidFilter)
    assert "by, freq, since, until" in str(wrong.exception)
    wrong = run("plot", "spending", "-o", str(tmp_path / "x.gif"))
    assert "*.png" in str(wrong.exception)
    wrong = run("plot", "balances", "-o", str(tmp_path / "x.png"), "--account", "Yacht")
    assert isinstance(wrong.exception, UnknownAccount)
    assert not list(tmp_path.glob("x.*"))


def test_an_export_can_be_disguised(run, tmp_path: Path) -> None:
    """With --share-safe the file has made-up names, and a column that says so."""
    path = tmp_path / "shown.parquet"
    found = run("export", str(path), "--table", "cash-flow", "--by", "account", "--share-safe")
    assert found.exit_code == 0, (found.output, found.exception)
    assert "disguised" in found.stdout
    frame = pd.read_parquet(path)
    assert frame["disguised"].all()
    assert set(frame["name"].str.split().str[0]) == {"Pod", "Port"}
