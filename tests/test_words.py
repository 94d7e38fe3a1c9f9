"""Our words for what the service says: made at the border, compared everywhere else."""

from __future__ import annotations

import ast
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trust import PARTIES

from seqdata import Ledger
from seqdata import exceptions as ex
from seqdata.analysis import settle
from seqdata.sources.schemas import LEGS, TRANSFERS
from seqdata.sources.vocabulary import Kind, Party, State
from seqdata.sources.webapp import words
from seqdata.types import ActivityType, TransferStatus

PACKAGE = Path(__file__).parent.parent / "seqdata"
NOW = "2026-11-01"

#: Rooms that may know the service's words, and the enumerations that the contract names.
BORDER = {"sources", "sandbox", "types.py"}

RAW = {*TransferStatus, *ActivityType, *words.PARTIES}


#: Calls that compare.
CALLS = {"isin", "is_in", "equal", "not_equal", "eq", "ne", "get", "map", "replace"}

#: Literals that hold several values, or one.
LITERALS = (ast.Tuple, ast.Set, ast.List, ast.Constant)


def compared(tree: ast.AST) -> set[str]:
    """Return the texts that code compares with, looks for, or has as constants, keys, patterns."""
    parts: list[ast.AST | None] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            parts += [node.left, *node.comparators]
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in CALLS:
            parts += [*node.args, *(keyword.value for keyword in node.keywords)]
        elif isinstance(node, ast.Dict):
            parts += node.keys
        elif isinstance(node, ast.MatchValue) or (
            isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, LITERALS)
        ):
            parts.append(node.value)
    constants = [
        one.value
        for part in parts
        if part is not None
        for one in ast.walk(part)
        if isinstance(one, ast.Constant)
    ]
    return {value for value in constants if isinstance(value, str)}


@pytest.mark.parametrize(
    "path",
    [
        one
        for one in sorted(PACKAGE.rglob("*.py"))
        if one.relative_to(PACKAGE).parts[0] not in BORDER
    ],
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_no_room_behind_the_border_compares_a_raw_word(path: Path) -> None:
    """What a source calls a status, an activity or a party, sources and sandbox alone know."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert compared(tree) & RAW == set()
    raw = {*TransferStatus.__members__, *ActivityType.__members__}
    raw -= {*State.__members__, *Kind.__members__}
    assert raw & {one.attr for one in ast.walk(tree) if isinstance(one, ast.Attribute)} == set()


def test_every_word_of_the_contract_is_translated() -> None:
    """Each status and each activity type that `seqdata.types` names has a word of ours."""
    assert set(words.STATES) == set(TransferStatus)
    assert set(words.KINDS) == set(ActivityType)
    assert set(words.STATES.values()) == set(State) - {State.UNKNOWN}
    assert set(words.PARTIES.values()) == set(Party)
    kinds = {*words.KINDS.values(), *words.KINDS_OF_PARTIES.values()}
    assert kinds == set(Kind) - {Kind.UNKNOWN}


TEXTS = st.one_of(st.none(), st.text(max_size=3), st.sampled_from(sorted(map(str, RAW))))
RAW_COLUMNS = ("status", "source_kind", "destination_kind", "activity_type")


@given(st.tuples(TEXTS, TEXTS, TEXTS, TEXTS))
def test_a_row_says_in_our_words_what_its_raw_ones_mean(raw: tuple[str | None, ...]) -> None:
    """Whatever the words, a row has ours beside them, and no party where none is named."""
    pairs = zip(RAW_COLUMNS, raw, strict=True)
    status, source, destination, activity = raw
    parties = words.party_of(source or None), words.party_of(destination or None)
    found = words.transfer_in_our_words({"id": "a"} | {name: word for name, word in pairs if word})
    assert found["state"] == words.state_of(status)
    assert found["kind"] == words.kind_of(*parties, activity)
    assert (found.get("source_party"), found.get("destination_party")) == parties
    assert found.get("status") == (status or None)
    assert not {"source_kind", "destination_kind"} & found.keys()
    assert {type(value) for value in found.values()} == {str}


@pytest.fixture(scope="module")
def ledger():
    """Open a synced household, with its details."""
    with Ledger.demo(months=4, now=NOW) as opened:
        opened.sync(details="all", details_per_request=25, progress=False)
        yield opened


def test_a_household_is_told_in_our_words(ledger: Ledger) -> None:
    """Purchases and refunds are cards', paychecks deposits, whatever their activity is called."""
    assert ledger.sandbox is not None
    rows = ledger.transfers.set_index("id")
    for row in ledger.sandbox.transfers():
        here = rows.loc[row["id"]]
        parties = [PARTIES[(row[end] or {}).get("kind")] for end in ("source", "destination")]
        for party, end in zip(parties, ("source", "destination"), strict=True):
            assert here[f"{end}_party"] == party if party else pd.isna(here[f"{end}_party"])
        assert here["status"] == row["status"]
        assert here["activity_type"] == row["activity_type"]
        assert (here["kind"] == "card") == ("merchant" in parties)
        assert (here["state"] == "settled") == (row["status"] == "COMPLETE")
        if row["rule"] is not None:
            assert here["kind"] == "rule"
        if parties == ["entity", "port"]:
            assert here["kind"] == "deposit"
    assert set(ledger.legs["state"]) <= set(State)


def test_no_sum_depends_on_the_kind(ledger: Ledger) -> None:
    """Where every activity is called another name, spending, flow and balances are the same."""
    with Ledger.demo(months=4, now=NOW) as other:
        assert other.sandbox is not None
        for place, row in enumerate(other.sandbox.transfers()):
            name = f"ACTIVITY_{place % 7}"
            other.sandbox.edit_transfer(row["id"], silently=True, activity_type=name)
        other.sync(details="all", details_per_request=25, progress=False)
        assert set(other.transfers["kind"]) == {"unknown", "card", "deposit"}
        for make in (
            lambda one: one.spending(freq="month"),
            lambda one: one.spending("payee", include_moves=True),
            lambda one: one.cash_flow(),
            lambda one: one.cash_flow(by="account", boundary="own"),
            lambda one: one.balance_history(),
            lambda one: one.money_flow(),
            lambda one: one.reconcile(),
        ):
            pd.testing.assert_frame_equal(make(other), make(ledger))


def test_states_filter_like_the_words_they_stand_for(ledger: Ledger) -> None:
    """`state=` finds what the service's own words find, in any case, one or several."""
    settled = ledger.transfers_where(status="COMPLETE")
    pd.testing.assert_frame_equal(ledger.transfers_where(state="Settled"), settled)
    both = ledger.transfers_where(state=["open", "failed", "cancelled", "unknown"])
    assert len(both) + len(settled) == len(ledger.transfers)
    assert ledger.table("categorized", state="settled")["id"].tolist() == settled["id"].tolist()


@pytest.mark.parametrize(
    ("ask", "choices"),
    [
        (lambda one: one.transfers_where(state="COMPLETE"), "settled.*or status='COMPLETE'"),
        (lambda one: one.transfers_where(status="settled"), "COMPLETE.*or state='settled'"),
        (lambda one: one.table("transfers", source_kind="Pod"), "account"),
        (lambda one: one._stores[0].read_transfers(columns=["source_kind"]), "source_party"),
    ],
)
def test_an_old_word_is_refused_with_the_new_ones(ledger: Ledger, ask, choices: str) -> None:
    """A word or a column that is not ours any more is named, with what to write instead."""
    with pytest.raises(ex.InvalidFilter, match=choices):
        ask(ledger)


def test_an_old_column_in_a_query_is_refused_with_the_new_one(ledger: Ledger) -> None:
    """SQL that names a column of before is told its new name."""
    with pytest.raises(ex.InvalidQuery, match="source_party"):
        ledger.sql("SELECT source_kind FROM transfers")


def test_a_frame_of_before_is_refused_by_its_missing_columns(ledger: Ledger) -> None:
    """An export of an earlier version lacks our words, and the error names them."""
    old = ledger.transfers.drop(columns=["state", "kind"]).rename(
        columns={"source_party": "source_kind", "destination_party": "destination_kind"}
    )
    with pytest.raises(ex.MissingColumns, match="state"):
        settle(old, ledger.legs)


def test_what_is_on_the_disk_is_in_our_words(ledger: Ledger) -> None:
    """Whoever reads the files without us finds our words beside the service's."""
    (file, *_) = sorted(ledger.folder.glob("transfers/*/data.parquet"))
    rows = pq.read_table(file)
    assert rows.schema.names == TRANSFERS.names
    assert set(rows["state"].to_pylist()) <= set(State)
    assert set(rows["source_party"].to_pylist()) <= {*Party, None}
    assert "state" in LEGS.names
