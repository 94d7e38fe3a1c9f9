"""What an explorer shows, as pure functions of a literal table or of a household's transfers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqdata.core.text import normal
from seqdata.exceptions import InvalidFilter, InvalidMoment, SequenceError, UnknownAccount
from seqdata.ledger import Ledger
from seqdata.widgets.explorer.rows import Rows, folded_all
from seqdata.widgets.explorer.state import COLUMNS, FILTERS, Asked, Filters, Sort, field_of
from seqdata.widgets.explorer.view import (
    LARGEST_PAGE,
    View,
    empty_reason,
    look,
    options,
    page,
    totals_shown,
)

ZONE = "America/New_York"

# id, created_at, cents, direction, from, to, status, category, note
TABLE = [
    ("t5", "2026-10-05", 500, "OUTGOING", "Bills", "Power Co", "FAILED", "Housing", None),
    ("t4", "2026-10-04", 2_000, "INTERNAL", "Main", "Bills", "COMPLETE", "Internal", "rule"),
    ("t3", "2026-10-03", 10_001, "INCOMING", "Employer", "Main", "COMPLETE", "Income", "Pay"),
    ("t2", "2026-10-02", 1_250, "OUTGOING", "Bills", "<b>Café</b>", "PENDING", "Dining", "=1+1"),
    ("t1", None, None, "OUTGOING", "Main", None, "COMPLETE", None, "\u202eodd"),
]
PARTIES = {"Bills": "pod", "Main": "port", "Employer": "entity"}
STATES = {"COMPLETE": "settled", "PENDING": "open", "FAILED": "failed", "CANCELLED": "cancelled"}


def frame() -> pd.DataFrame:
    names = ["id", "created_at", "amount_cents", "direction", "source_name", "destination_name",
             "status", "category", "description"]  # fmt: skip
    made = pd.DataFrame(TABLE, columns=names)
    made["created_at"] = pd.to_datetime(made["created_at"]).dt.tz_localize(ZONE).dt.as_unit("us")
    made["amount_cents"] = made["amount_cents"].astype("Int64")
    for end in ("source", "destination"):
        made[f"{end}_id"] = "id-" + made[f"{end}_name"].astype("str")
        parties = made[f"{end}_name"].map(PARTIES).fillna("merchant")
        made[f"{end}_party"] = parties.astype("category")
    made["state"] = made["status"].map(STATES).fillna("unknown")
    for name in ("direction", "state", "status", "category"):
        made[name] = made[name].astype("category")
    made["error_reason"] = pd.Series([None] * len(made), dtype="str")
    made["returned_at"] = pd.Series(pd.NaT, index=made.index, dtype=made["created_at"].dtype)
    return made


def rows() -> Rows:
    accounts = pd.DataFrame({"id": ["id-Bills", "id-Old"], "name": ["Bills", "Old"]})
    return Rows(frame(), accounts)


def shown(sort: Sort | None = None, **filters: Any) -> View:
    return look(rows(), Asked(Filters().changed(filters), sort or Sort()))


def ids(view: View) -> list[str]:
    return list(view.frame["id"])


@pytest.fixture(scope="module")
def ledger() -> Iterator[Ledger]:
    with Ledger.demo(months=4, now="2026-11-01") as made:
        made.sync(progress=False)
        yield made


@pytest.fixture(scope="module")
def household(ledger: Ledger) -> Rows:
    return Rows(ledger.categorized(), ledger.accounts)


def test_without_filters_all_rows_are_shown_newest_first() -> None:
    """An explorer begins with every transfer, newest first, and what has no date last."""
    assert ids(shown()) == ["t5", "t4", "t3", "t2", "t1"]


def test_cells_are_text_as_a_person_reads_it() -> None:
    """Cells carry signs for what came in and went out, and an unknown amount or date is blank."""
    assert page(shown(), 0, 5) == [
        ["2026-10-05 00:00", "Bills", "Power Co", "-$5.00", "Failed", "Housing", "", "out back"],
        ["2026-10-04 00:00", "Main", "Bills", "$20.00", "Settled", "Internal", "rule", "inside"],
        ["2026-10-03 00:00", "Employer", "Main", "+$100.01", "Settled", "Income", "Pay", "in"],
        ["2026-10-02 00:00", "Bills", "<b>Café</b>", "-$12.50", "Open", "Dining", "=1+1",
         "out"],
        ["", "Main", "", "", "Settled", "", "\u202eodd", "inside back"],
    ]  # fmt: skip


def test_what_was_given_back_is_shown_as_reversed() -> None:
    """A reversal that completed is a row of its own kind, and its money is not counted."""
    back = frame()
    back.loc[2, "returned_at"] = back.loc[2, "created_at"]
    view = look(Rows(back, pd.DataFrame({"id": [], "name": []}, dtype="str")), Asked())
    assert page(view, 2, 3)[0][3:5] == ["+$100.01", "Reversed"]
    assert view.totals.moved_in_cents == 0


def test_totals_are_exact_and_leave_out_what_did_not_go_through() -> None:
    """Failed transfers and unknown amounts are counted apart; the rest is summed in cents."""
    totals = shown().totals
    assert totals.count == 5
    assert (totals.moved_in_cents, totals.moved_out_cents, totals.net_cents) == (
        10_001,
        1_250,
        8_751,
    )
    assert (totals.inside_cents, totals.left_out, totals.left_out_cents) == (2_000, 2, 500)
    assert [one["text"] for one in totals_shown(shown())] == [
        "5", "+$100.01", "-$12.50", "+$87.51", "$20.00", "1 · $5.00", "1 · $0.00",
    ]  # fmt: skip


def test_what_moves_inside_has_a_sign_for_a_chosen_account() -> None:
    """With an account chosen, a move between pods came into one and went out of the other."""
    assert [row[3] for row in page(shown(account="Bills"), 0, 9)] == [
        "-$5.00",
        "+$20.00",
        "-$12.50",
    ]
    assert shown(account="Bills").totals.net_cents == 2_000 - 1_250
    assert shown(account="Main").totals.net_cents == 10_001 - 2_000


@pytest.mark.parametrize(
    ("column", "up", "down"),
    [
        ("created_at", "t2 t3 t4 t5 t1", "t5 t4 t3 t2 t1"),
        ("amount", "t2 t5 t4 t3 t1", "t3 t4 t5 t2 t1"),
        ("destination_name", "t2 t4 t3 t5 t1", "t5 t3 t4 t2 t1"),
        ("state", "t5 t2 t4 t3 t1", "t4 t3 t1 t2 t5"),
        ("category", "t2 t5 t3 t4 t1", "t4 t3 t5 t2 t1"),
    ],
)
def test_every_column_sorts_both_ways(column: str, up: str, down: str) -> None:
    """A column sorts up and down; what is equal stays newest first, what is missing comes last."""
    assert ids(shown(Sort(column, descending=False))) == up.split()
    assert ids(shown(Sort(column, descending=True))) == down.split()


def test_blank_filters_filter_nothing() -> None:
    """A control that was emptied takes its filter away, spaces or not."""
    filters = Filters(text="x", status="FAILED").changed({"text": "  ", "status": None})
    assert filters == Filters()
    assert set(filters.shown()) == set(FILTERS)


def test_an_empty_table_says_why_it_is_empty() -> None:
    """Where nothing passes, the filters that are to blame are named; without rows, the sync is."""
    assert empty_reason(shown(text="zzz", status="FAILED")) == (
        "None of the 5 transfers passes: status FAILED, text zzz."
    )
    nothing = Rows(frame().iloc[:0], pd.DataFrame({"id": [], "name": []}, dtype="str"))
    assert "ledger.sync()" in empty_reason(look(nothing, Asked()))
    assert page(look(nothing, Asked()), 0, 9) == []


def test_choices_are_what_occurs() -> None:
    """Months are offered newest first, accounts with and without transfers, words as they read."""
    offered = options(rows())
    assert offered["month"] == [["2026-10", "2026-10"]]
    assert [value for value, _ in offered["account"]] == ["Bills", "Main", "Old"]
    assert ["PENDING", "Pending"] in offered["status"]
    assert ["open", "Open"] in offered["state"]


@pytest.mark.parametrize(
    ("filters", "error", "field"),
    [
        ({"since": "someday"}, InvalidMoment, "since"),
        ({"since": "2026", "until": "2026-13"}, InvalidMoment, "until"),
        ({"since": "2026-10", "until": "2026-09"}, InvalidFilter, "until"),
        ({"account": "Nobody"}, UnknownAccount, "account"),
        ({"direction": "SIDEWAYS"}, InvalidFilter, "direction"),
        ({"status": "LOST"}, InvalidFilter, "status"),
        ({"category": "Yachts"}, InvalidFilter, "category"),
    ],
)
def test_a_filter_that_cannot_be_used_is_named(
    filters: dict[str, str], error: type[SequenceError], field: str
) -> None:
    """An error belongs to the control whose value cannot be used."""
    with pytest.raises(error) as caught:
        shown(**filters)
    assert field_of(caught.value, Filters().changed(filters)) == field


def test_there_is_no_other_filter_and_no_other_column() -> None:
    """A word that is no filter or no column is refused with the choices."""
    with pytest.raises(InvalidFilter, match="since"):
        Filters().changed({"amount": "5"})
    with pytest.raises(InvalidFilter, match="created_at"):
        Sort("id")


WORDS = st.fixed_dictionaries(
    {},
    optional={
        "since": st.sampled_from(["2026-08", "2026-10-05", "2027"]),
        "until": st.sampled_from(["2027", "2027-02"]),
        "account": st.sampled_from(["Groceries", "groc", "Main Paycheck", "Bills"]),
        "direction": st.sampled_from(["OUTGOING", "internal", ("INCOMING", "INTERNAL")]),
        "state": st.sampled_from(["settled", "OPEN", ("failed", "cancelled")]),
        "status": st.sampled_from(["complete", "FAILED", ("PENDING", "CANCELLED")]),
        "category": st.sampled_from(["groceries", ("Paycheck", "Housing")]),
        "text": st.sampled_from(["market", "STORE", "é", "a", "#0042", "no such text"]),
    },
)
SORTS = st.builds(Sort, st.sampled_from([column.key for column in COLUMNS]), st.booleans())


@settings(max_examples=settings().max_examples // 4)  # each reads the tables anew
@given(words=WORDS, sort=SORTS)
def test_filters_mean_what_they_mean_elsewhere(
    ledger: Ledger, household: Rows, words: dict[str, Any], sort: Sort
) -> None:
    """An explorer shows the same transfers as categorized() with the same words."""
    view = look(household, Asked(Filters().changed(words), sort))
    expected = ledger.categorized(**words)
    assert sorted(view.frame["id"]) == sorted(expected["id"])
    if sort == Sort():
        pd.testing.assert_frame_equal(view.frame, expected)


@given(words=WORDS, sort=SORTS, size=st.integers(30, LARGEST_PAGE))
def test_windows_together_are_the_whole_frame_in_order(
    household: Rows, words: dict[str, Any], sort: Sort, size: int
) -> None:
    """No row is lost or told twice between the windows that are scrolled through."""
    view = look(household, Asked(Filters().changed(words), sort))
    told = [row for start in range(0, len(view), size) for row in page(view, start, start + size)]
    names = view.frame["destination_name"].fillna("").tolist()
    moments = view.frame["created_at"].dt.strftime("%Y-%m-%d %H:%M").tolist()
    assert [(row[0], row[2]) for row in told] == list(zip(moments, names, strict=True))


@given(words=WORDS)
def test_totals_are_the_sums_of_the_frame(household: Rows, words: dict[str, Any]) -> None:
    """What came in, went out, moved inside and did not go through adds up to all that is shown."""
    view = look(household, Asked(Filters().changed(words)))
    totals, found = view.totals, view.frame
    parts = (totals.moved_in_cents, totals.moved_out_cents, totals.inside_cents)
    assert sum(parts) + totals.left_out_cents == found["amount_cents"].sum()
    if "account" not in words:
        went = found[found["status"].isin(["COMPLETE", "PENDING", "UNDER_REVIEW"])]
        went = went[went["returned_at"].isna()]
        sums = went.groupby("direction", observed=True)["amount_cents"].sum()
        assert [sums.get(word, 0) for word in ("INCOMING", "OUTGOING", "INTERNAL")] == list(parts)


@given(start=st.integers(-5, 900), stop=st.integers(-5, 3_000))
def test_a_window_is_never_larger_than_it_may_be(household: Rows, start: int, stop: int) -> None:
    """Whatever rows are asked for, few are sent, and only ones that exist."""
    view = look(household, Asked())
    assert len(page(view, start, stop)) <= LARGEST_PAGE
    if stop <= max(0, start):
        assert page(view, start, stop) == []


def test_looking_changes_nothing(household: Rows) -> None:
    """The frame that was read stays as it was, whatever is asked for."""
    before = household.frame.copy()
    look(household, Asked(Filters(text="a", account="Bills"), Sort("amount", descending=False)))
    pd.testing.assert_frame_equal(household.frame, before)
    assert np.array_equal(look(household, Asked()).places, np.arange(len(before)))


@given(st.lists(st.text(st.sampled_from("aB`' \t\x1c\u00a0éÉß\u2019\ufb011")), max_size=20))
def test_texts_are_folded_all_at_once_as_one_by_one(texts: list[str]) -> None:
    """Folding a column gives what folding each of its texts gives."""
    folded = folded_all(pd.Series(texts, dtype="str"))
    assert folded.to_pylist() == [normal(text) for text in texts]


@given(st.integers(0, 3), st.sampled_from(["b", "ab", "ba", "no 2", "no 2999", "o", "é", "aé"]))
def test_a_text_is_found_where_it_is(longer: int, wanted: str) -> None:
    """Whether few or thousands of rows have it, those are found that do, and no two at once."""
    notes = [*(f"No {number}" for number in range(3_000)), "ab", "a", "b", None, "É", "A", "é"]
    table = pd.concat([frame().iloc[:1]] * len(notes), ignore_index=True)
    table["description"] = pd.Series(notes, dtype="str") + "a" * longer
    table["id"] = [f"k{number}" for number in range(len(notes))]
    found = look(Rows(table, pd.DataFrame({"id": [], "name": []})), Asked(Filters(text=wanted)))
    columns = ["description", "source_name", "destination_name", "error_reason", "id"]
    expected = table[columns].apply(
        lambda row: any(wanted in normal(text) for text in row if isinstance(text, str)), axis=1
    )
    assert ids(found) == list(table["id"][expected])
