"""Whatever words a person plants in a ledger, none comes out of a share-safe one."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from inspect import signature
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner

from seqdata import Ledger
from seqdata.cli import cli
from seqdata.exceptions import InvalidFilter, InvalidSetting, SequenceError
from seqdata.ledger.plots import CHARTS
from seqdata.ledger.share_safe import DISGUISED, ShareSafeLedger

#: In each word that is planted, and in nothing else.
MARK = "zwq"

RULES = f"""
[[rule]]
category = "{MARK} clinic"
payee = "Riverside*"

[[rule]]
category = "{MARK} never used"
payee = "{MARK} pattern"

[[rule]]
category = "{MARK} larder"
pod = "{MARK} old pod"

[[payee]]
name = "{MARK} dealer"
spellings = ["Maple Street Apartments", "*Market*"]
"""


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """A demo with planted names, rules, payees, goals, statements, categories, notes and splits."""
    folder = tmp_path_factory.mktemp("planted")
    with Ledger.demo(months=4, now="2026-11-01", folder=folder) as ledger:
        box = ledger.sandbox
        assert box is not None
        ledger.sync(progress=False)
        pods, others = ledger.pods, ledger.accounts[ledger.accounts["kind"] == "account"]
        for place, name in enumerate(["old pod", "twin", "twin"]):
            box.rename(pods["id"].iloc[place], f"{MARK} {name}")
        box.rename(others["id"].iloc[0], f"{MARK} bank")
        box.rename_payee("Northwind Payroll", f"{MARK} employer")
        ledger.sync(progress=False)
        box.rename(pods["id"].iloc[0], f"{MARK} new pod")
        rows = ledger.transfers_where(direction="outgoing", state="settled")
        box.edit_transfer(rows["id"].iloc[5], description=f"{MARK} description")
        box.edit_transfer(rows["id"].iloc[6], error_reason=f"{MARK} reason")
        box.advance(days=1)
        ledger.sync(details="all", details_per_request=100, full=True, progress=False)
        ledger.annotate(rows["id"].iloc[0], category=f"{MARK} therapy", note=f"{MARK} note")
        cents = rows["amount_cents"].iloc[1]
        parts = {f"{MARK} half": "0.01", f"{MARK} other half": f"{(cents - 1) / 100:.2f}"}
        ledger.annotate(rows["id"].iloc[1], split=parts)
        ledger.add_balance(f"{MARK} bank", "2026-10-15", 1_234_50)
        ledger.categories_path.write_text(RULES, encoding="utf-8")
        yield ledger


@pytest.fixture(scope="module")
def safe(ledger: Ledger) -> ShareSafeLedger:
    return ledger.share_safe()


def told(frame: pd.DataFrame) -> str:
    """Write all that a frame tells: cells, columns, index, categories without rows, attrs."""
    parts: list[Any] = [list(frame.columns), list(frame.index), frame.attrs]
    for place in range(frame.shape[1]):
        column = frame.iloc[:, place]
        parts.append(column.tolist())
        if column.dtype == "category":
            parts.append(column.cat.categories.tolist())
    return repr(parts)


def asked(table: Any) -> Iterator[Callable[[], pd.DataFrame]]:
    """Yield each way in which a table can be asked for."""
    if isinstance(table, pd.DataFrame):
        yield lambda: table
        return
    words = signature(table).parameters
    given: list[dict[str, Any]] = [{}]
    given += [{"include_internal": True}] if "include_internal" in words else []
    by = {"spending": ("payee", "pod", "account", None), "cash_flow": ("account", "category")}
    for one in by.get(table.__name__, ()):
        given += [{"by": one, "freq": "month"}, {"by": one, "freq": "month", "wide": True}]
    given += [{"wide": True, "freq": "month"}] if "wide" in words else []
    if table.__name__ == "compare":
        given = [{"period": "2026-10", "by": one} for one in ("category", "payee", "pod")]
    for one in given:
        yield lambda one=one: table(**one)


def test_the_words_are_there(ledger: Ledger) -> None:
    """What is looked for can be found: the true tables hold each planted word."""
    text = "".join(
        told(ledger.table(name))
        for name in ("transfers", "categorized", "annotations", "accounts", "balances")
    )
    planted = ["dealer", "clinic", "never used", "new pod", "twin", "bank", "employer",
               "description", "reason", "therapy", "note", "half", "other half"]  # fmt: skip
    assert [word for word in planted if f"{MARK} {word}" not in text] == []


@pytest.mark.parametrize("name", sorted(DISGUISED))
def test_no_table_tells_a_planted_word(safe: ShareSafeLedger, name: str) -> None:
    """No cell, column, category or fact of any table holds a word that a person planted."""
    for make in asked(getattr(safe, name)):
        assert MARK not in told(make())


@pytest.mark.parametrize("chart", CHARTS)
def test_no_chart_tells_a_planted_word(safe: ShareSafeLedger, chart: str) -> None:
    """No text of a chart holds one, nor what describes the picture, nor the picture's file."""
    axes = getattr(safe.plot, chart)()
    figure = axes.get_figure(root=True)
    texts = [one.get_text() for one in figure.findobj(lambda one: hasattr(one, "get_text"))]
    file = io.BytesIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    assert texts
    assert MARK not in repr(texts) + repr(vars(axes)) + file.getvalue().decode()


@pytest.mark.parametrize("name", ["shown.csv", "shown.parquet"])
@pytest.mark.parametrize("table", ["transfers", "categorized", "annotations", "money_flow"])
def test_no_export_tells_a_planted_word(
    safe: ShareSafeLedger, tmp_path: Path, table: str, name: str
) -> None:
    """No file holds one, in what it says of itself either."""
    file = safe.export(tmp_path / name, table)
    if name.endswith("parquet"):
        frame = pd.read_parquet(file)
        assert MARK not in told(frame)
    assert MARK.encode() not in file.read_bytes()


def test_a_command_tells_no_planted_word(ledger: Ledger, tmp_path: Path) -> None:
    """Neither do the commands that show a share-safe ledger."""
    assert ledger.sandbox is not None
    settings = {"SEQUENCE_DATA_DIR": str(ledger.categories_path.parent)}
    runner = CliRunner(env={**ledger.sandbox.environment(), **settings})
    table, picture = tmp_path / "shown.csv", tmp_path / "shown.svg"
    for words in (
        ["export", str(table), "--table", "categorized", "--share-safe"],
        ["plot", "spending", "-o", str(picture), "--share-safe"],
    ):
        done = runner.invoke(cli, words)
        assert done.exit_code == 0, done.output
        assert MARK not in done.output
    assert MARK not in table.read_text() + picture.read_text()


@pytest.mark.parametrize("words", [{"category": "clinic"}, {"account": "new pod"}])
def test_a_true_name_is_no_question(safe: ShareSafeLedger, words: dict[str, str]) -> None:
    """A true name of one's own is refused, so that it stands in no title; no other one is told."""
    [(name, word)] = words.items()
    for ask in (safe.categorized, safe.spending, safe.plot.spending):
        with pytest.raises(SequenceError) as refused:
            ask(**{name: f"{MARK} {word}"})
        assert str(refused.value).count(MARK) == 1


def test_a_payee_has_one_number(ledger: Ledger, safe: ShareSafeLedger) -> None:
    """The spellings that a person gave one name have one made-up name, in every table."""
    true, shown = ledger.categorized(), safe.categorized()
    is_paid = true["direction"] == "OUTGOING"
    ours = (is_paid & (true["payee"] == f"{MARK} dealer")).to_numpy()
    names = shown[ours]["destination_name"]
    assert true[ours]["destination_name"].nunique() > 1
    assert {*names} == {*shown[ours]["payee"]} == {names.iloc[0]}
    assert names.iloc[0] in set(safe.spending("payee")["payee"])


def test_a_category_is_asked_for_as_it_is_shown(safe: ShareSafeLedger) -> None:
    """Starter categories and made-up ones are found in any case; others are refused."""
    own = next(one for one in safe.spending()["category"] if one.startswith("Category "))
    assert len(safe.categorized(category=own.upper())) == len(safe.categorized(category=own)) > 0
    assert len(safe.categorized(category="dining")) > 0
    with pytest.raises(InvalidFilter):
        safe.spending(category="Yachts")


def test_a_category_is_known_before_it_was_shown(ledger: Ledger, safe: ShareSafeLedger) -> None:
    """The first question of a picture may be for a made-up category; what is no text is refused."""
    own = [one for one in safe.spending()["category"] if one.startswith("Category ")]
    # Those of rules that fit nothing have a number too.
    named = [one for one in ledger.categorized()["category"].cat.categories if MARK in one]
    asked = [f"Category {number}" for number in range(1, len(named) + 1)]
    assert len(ledger.share_safe().spending(category=asked)) == len(own) > 2
    with pytest.raises(InvalidFilter):
        safe.spending(category=5)  # type: ignore[arg-type]


@pytest.mark.parametrize("broken", [f"{MARK}", f"[[rule]]\ncategory = 'A'\n{MARK} = 1\n"])
def test_a_file_that_cannot_be_read_is_not_quoted(
    ledger: Ledger, safe: ShareSafeLedger, broken: str
) -> None:
    """Where rules cannot be read, neither they nor their folder are told; the ledger tells both."""
    path = ledger.categories_path
    before = path.read_text(encoding="utf-8")
    path.write_text(broken, encoding="utf-8")
    try:
        for show in (safe.spending, safe.plot.spending, ledger.share_safe):
            with pytest.raises(InvalidSetting) as refused:
                show()
            assert MARK not in str(refused.value)
            assert str(path.parent) not in str(refused.value)
        with pytest.raises(SequenceError, match=path.name):
            ledger.spending()
    finally:
        path.write_text(before, encoding="utf-8")


def test_twins_are_told_apart_by_what_they_are_called(safe: ShareSafeLedger) -> None:
    """Two pods of one name have one made-up name, with a number where the ledger adds a word."""
    pods = safe.pods
    twins = pods[pods["name"].duplicated(keep=False)]
    (name,) = set(twins["name"])
    assert len(twins) == 2
    flows = safe.money_flow().set_index("to_id")["to_name"]
    told = set(flows[flows.index.isin(twins["id"])])
    assert told
    assert told <= {f"{name} (1)", f"{name} (2)"}
    spent = safe.spending("pod")["pod"].dropna()
    assert spent.is_unique
    assert set(spent.str.split().str[0]) <= {"Pod", "Port"}


def test_a_payee_called_like_a_pod_is_shown_like_it(ledger: Ledger) -> None:
    """A name that a person gave is one made-up name in every column, though a pod has it too."""
    path, pod = ledger.categories_path, ledger.pods["name"].iloc[-1]
    before = path.read_text(encoding="utf-8")
    path.write_text(f'[[payee]]\nname = "{pod}"\nspellings = ["City Fuel"]\n', encoding="utf-8")
    try:
        true, shown = ledger.categorized(), ledger.share_safe().categorized()
        ours = (true["destination_name"] == "City Fuel").to_numpy()
        assert ours.any()
        assert (shown[ours]["destination_name"] == shown[ours]["payee"]).all()
    finally:
        path.write_text(before, encoding="utf-8")
