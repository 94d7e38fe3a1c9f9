"""`seqdata payees` and `seqdata categories --explain`, on a real ledger of a sandbox."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner, Result

from seqdata import Ledger
from seqdata.cli import cli
from seqdata.exceptions import CorruptFile, InvalidSetting, MissingExtra, UnknownTransfer

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """A synced demo in a folder that commands can be pointed at."""
    folder = tmp_path_factory.mktemp("data")
    with Ledger.demo(months=3, now="2026-11-01", folder=folder) as ledger:
        ledger.sync(progress=False)
        yield ledger


@pytest.fixture
def run(ledger: Ledger) -> Iterator[Run]:
    """Run a command over the demo's data, which has no rules of its own before and after."""
    assert ledger.sandbox is not None
    folder = {"SEQUENCE_DATA_DIR": str(ledger.categories_path.parent), "COLUMNS": "200"}
    runner = CliRunner(env={**ledger.sandbox.environment(), **folder})
    yield lambda *words: runner.invoke(cli, words)
    ledger.categories_path.unlink(missing_ok=True)


def rows(done: Result) -> list[dict[str, object]]:
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_payees_are_listed(run: Run, ledger: Ledger) -> None:
    """All payees are there, as JSON too, and --limit shows the first of them."""
    known = ledger.payees()
    assert [row["payee"] for row in rows(run("payees", "--json", "--limit", "0"))] == (
        known["payee"].tolist()
    )
    assert len(rows(run("payees", "--json", "--limit", "2"))) == 2
    assert f"{len(known):,} payees" in run("payees", "--limit", "2").output


def test_suggested_pairs_are_not_merged(run: Run, ledger: Ledger) -> None:
    """--suggest shows pairs, in a sentence where there are none, and writes nothing."""
    assert run("payees", "--suggest").stdout == "No two payees look alike.\n"
    assert rows(run("payees", "--suggest", "--json")) == []
    assert not ledger.categories_path.exists()
    run("payees", "--name", "Citty Fuel", "Café Zoë")
    before = ledger.categories_path.read_bytes()
    (pair,) = rows(run("payees", "--suggest", "--json", "--limit", "0"))
    assert {pair["payee"], pair["other"]} == {"City Fuel", "Citty Fuel"}
    assert "1 pair that may be one payee" in run("payees", "--suggest").output
    assert ledger.categories_path.read_bytes() == before


def test_suggesting_needs_its_extra(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package that compares names, the extra is named that brings it."""
    monkeypatch.setitem(sys.modules, "rapidfuzz", None)
    refused = run("payees", "--suggest").exception
    assert isinstance(refused, MissingExtra)
    assert "seqdata[suggest]" in str(refused)


@pytest.mark.parametrize("name", ["Blue Bottle", 'The "Quoted" \\ one', "Žofie 🍜", "=SUM(A1)"])
def test_a_name_is_written_and_used(run: Run, ledger: Ledger, name: str) -> None:
    """--name gives the spellings one name, whatever stands in it, and the file keeps the rest."""
    first, second = ledger.payees()["payee"][:2]
    done = run("payees", "--name", name, first, second)
    assert done.exit_code == 0, done.output
    assert name in done.output
    assert str(ledger.categories_path) in done.output.replace("\n", "")
    payees = {row["payee"] for row in rows(run("payees", "--json", "--limit", "0"))}
    assert name in payees
    assert not {first, second} & payees


def test_what_a_name_did_is_told(run: Run, ledger: Ledger) -> None:
    """The transfers that have the name now are counted; a name without effect is no success."""
    before = ledger.payees().set_index("payee")["transfers"]
    count = before["City Fuel"] + before["Corner Store"]
    told = run("payees", "--name", "Petrol", "CITY FUEL", "corner s*").stdout
    assert f"Petrol now stands for 2 spellings in {count} transfers." in told
    assert ledger.payees()["transfers"].sum() == before.sum()
    for spelling in ("Yacht Club", "City Fuel"):  # nobody, and one that a table above names
        told = run("payees", "--name", "Gas", spelling).stdout
        assert "no payee is called Gas yet" in told


def test_writing_rules_stands_alone(run: Run, ledger: Ledger) -> None:
    """A question beside --write is refused, not passed over, and no file is made."""
    for words in (["--explain", ledger.transfers["id"].iloc[0]], ["--json"]):
        assert run("categories", "--write", *words).exit_code == 2
    assert not ledger.categories_path.exists()


def test_what_was_written_is_told_to_programs(run: Run, ledger: Ledger) -> None:
    """With --json, a name that was written is told as JSON."""
    payee = ledger.payees()["payee"][0]
    done = run("payees", "--name", "One", payee, "--json")
    assert json.loads(done.stdout) == {
        "path": str(ledger.categories_path), "name": "One", "spellings": [payee],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--name", "Alone"], "given together"),
        (["Spelling"], "given together"),
        (["--suggest", "--name", "Both", "Spelling"], "without --name"),
        (["--limit", "-1"], "not in the range"),
        (["--name", "", "Spelling"], "payee, name cannot be used"),
        (["--name", "Blank", "  "], "payee, spellings cannot be used"),
        (["--name", "\ud800", "Spelling"], "payee, name cannot be used: expected text in UTF-8"),
        (["--name", "Name", "\udce9"], "payee, spellings cannot be used: expected text in UTF-8"),
    ],
)
def test_an_odd_order_is_refused(run: Run, ledger: Ledger, words: list[str], told: str) -> None:
    """What cannot be done is refused in a sentence, and no file appears."""
    done = run("payees", *words)
    assert done.exit_code != 0
    assert told in (done.output or str(done.exception))
    assert isinstance(done.exception, SystemExit | InvalidSetting)
    assert not ledger.categories_path.exists()


def test_a_broken_file_stays_as_it_is(run: Run, ledger: Ledger) -> None:
    """A name is not added to a file that cannot be read."""
    ledger.categories_path.write_text("[[rule]\n")
    done = run("payees", "--name", "Name", "Spelling")
    assert isinstance(done.exception, CorruptFile)
    assert ledger.categories_path.read_text() == "[[rule]\n"


def test_each_source_of_a_category_is_explained(run: Run, ledger: Ledger) -> None:
    """An annotation, a rule of one's own, a starter rule, own accounts and none say why."""
    categorized = ledger.categorized()
    for source in ("rule", "own account", "none"):
        one = categorized[categorized["category_source"] == source].iloc[0]
        told = rows(run("categories", "--explain", one["id"], "--json"))
        assert (told[0]["category"], told[0]["source"], told[0]["decides"]) == (
            one["category"], source, True,
        )  # fmt: skip
        assert [row["decides"] for row in told].count(True) == 1
        shown = run("categories", "--explain", one["id"])
        assert f"{one['category']}: the first of these decides" in shown.output
    ruled = categorized[categorized["category_source"] == "rule"].iloc[0]
    payee = str(ruled["payee"]).split()[0]
    ledger.categories_path.write_text(
        f"[[rule]]\ncategory = 'Mine'\npayee = {json.dumps(payee + '*')}\n"
    )
    mine, *others = rows(run("categories", "--explain", ruled["id"], "--json"))
    assert (mine["category"], mine["source"]) == ("Mine", "rule")
    assert "categories.toml" in str(mine["where"])
    assert ruled["category"] in {row["category"] for row in others}
    ledger.annotate(ruled["id"], category="By hand")
    by_hand = rows(run("categories", "--explain", ruled["id"], "--json"))
    assert (by_hand[0]["category"], by_hand[0]["source"]) == ("By hand", "annotation")
    assert [row["category"] for row in by_hand[1:2]] == ["Mine"]


@pytest.mark.parametrize("odd", ["", "nothing", "' OR 1=1 --", "🍜", "0" * 10_000])
def test_a_transfer_that_is_not_there_is_refused(run: Run, odd: str) -> None:
    """An id that no transfer has is named, as JSON or not, and nothing is shown."""
    for more in ([], ["--json"]):
        done = run("categories", "--explain", odd, *more)
        assert isinstance(done.exception, UnknownTransfer)
        assert done.stdout == ""
