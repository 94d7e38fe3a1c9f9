"""Names are no keys: a ledger whose pods were renamed, and what is categorized once."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import pytest

from seqdata import Ledger
from seqdata.analysis.accounts import known_names, shown_names, with_former_names
from seqdata.analysis.filters import find_account, words_of
from seqdata.exceptions import InvalidFilter, UnknownAccount
from seqdata.plots import table_of
from seqdata.sandbox import Sandbox

OLD, NEW = "Groceries", "Food & kitchen"


@pytest.fixture(scope="module")
def renamed() -> Iterator[Ledger]:
    """A household that called its pod otherwise between two syncs."""
    with Ledger.demo(months=3, now="2026-11-01") as ledger:
        assert ledger.sandbox is not None
        ledger.sync(progress=False)
        pods = ledger.pods.set_index("name")
        ledger.sandbox.rename(pods.loc[OLD, "id"], NEW)
        ledger.sandbox.advance(days=12)
        ledger.sync(progress=False)
        yield ledger


def test_a_renamed_pod_keeps_its_history(renamed: Ledger) -> None:
    """One row under the newest name, and the old name asks for the same money everywhere."""
    spent = renamed.spending("pod")
    assert OLD not in set(spent["pod"])
    assert (spent["pod"] == NEW).sum() == 1
    flows = renamed.money_flow()
    pods = set(flows.loc[flows["to_kind"] == "pod", "to_name"])
    assert NEW in pods
    assert OLD not in pods
    tables = [
        renamed.spending, renamed.cash_flow, renamed.transfers_where, renamed.balances_where,
        renamed.balance_history, renamed.categorized, renamed.recurring, renamed.rules,
        renamed.upcoming, renamed.projected_balances, renamed.reconcile,
    ]  # fmt: skip
    for table in tables:
        pd.testing.assert_frame_equal(table(account=OLD), table(account=NEW))
        assert set(table(account=[OLD, "Bills"])) == set(table(account=[NEW, "Bills"]))


def test_a_rule_by_the_old_name_still_finds_the_pod(renamed: Ledger) -> None:
    """A rule that was written before a pod was renamed decides what it did before."""
    renamed.categories_path.write_text(f'[[rule]]\ncategory = "Larder"\npod = "{OLD}"\n')
    try:
        rows = renamed.categorized(account=NEW, direction="outgoing")
        assert set(rows["category"]) == {"Larder"}
        found = renamed.explain_category(rows["id"].iloc[0])
        assert (found.loc[0, "category"], found.loc[0, "decides"]) == ("Larder", True)
        assert OLD in found.loc[0, "why"]
    finally:
        renamed.categories_path.unlink()
    assert "Larder" not in set(renamed.spending()["category"])


def test_what_is_kept_is_never_stale(renamed: Ledger) -> None:
    """A note, a rule or a sync shows in the next table, also one of another ledger of the disk."""
    bought = renamed.categorized(direction="outgoing", state="settled").iloc[0]
    other = Ledger(renamed._settings, renamed.organization_id)
    before = renamed.spending()
    pd.testing.assert_frame_equal(renamed.spending(), before)
    other.annotate(bought["id"], category="Hobby")
    assert renamed.spending(category="Hobby")["spent_cents"].tolist() == [bought["amount_cents"]]
    shown = renamed.categorized()
    shown["category"] = "changed by the caller"
    assert renamed.spending(category="Hobby")["spent_cents"].tolist() == [bought["amount_cents"]]
    other.annotate(bought["id"], category="")
    pd.testing.assert_frame_equal(renamed.spending(), before)


def known(*rows: tuple[str, str, bool]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["id", "name", "is_former"])


def test_a_present_name_comes_before_one_of_before() -> None:
    """A name that an account has now is asked for first; a former one where none has it."""
    names = known(
        ("a", "Food", False), ("b", "Fun", False), ("b", "Food", True), ("b", "Old", True)
    )
    assert find_account("Food", names) == ["a"]
    assert find_account("food", names) == ["a"]
    assert find_account("Old", names) == ["b"]
    assert find_account(["Old", "Food", "b"], names) == ["b", "a"]
    with pytest.raises(UnknownAccount, match="Food"):
        find_account("Savings", names)


def test_names_of_before_come_from_table_and_transfers() -> None:
    """Of each account the newest name is first; the table's is newer than any transfer's."""
    rows = pd.DataFrame(
        {
            "source_id": ["a", "a", "c"], "source_name": ["One", "Two", "Cash"],
            "source_party": "pod", "destination_id": None, "destination_name": None,
            "destination_party": "merchant",
            "created_at": pd.to_datetime(["2026-01-01", "2026-02-01", "2026-01-01"], utc=True),
        }
    )  # fmt: skip
    names = pd.DataFrame({"id": ["a", "b"], "name": ["Zero", "B before"]})
    accounts = with_former_names(pd.DataFrame({"id": ["a", "b"], "name": ["Three", "B"]}), names)
    found = known_names(rows, accounts)
    assert found[~found["is_former"]].set_index("id")["name"].to_dict() == {
        "a": "Three", "b": "B", "c": "Cash",
    }  # fmt: skip
    assert set(found.loc[found["is_former"], "name"]) == {"Two", "One", "Zero", "B before"}
    assert shown_names(found, accounts).to_dict() == {"a": "Three", "b": "B", "c": "Cash"}
    alone = known_names(rows, None)
    assert alone.set_index("id").loc["a", "name"].tolist() == ["Two", "One"]


@pytest.mark.parametrize("wrong", [5, None, b"x", 2.5, {"a": 1}, ["a", None], [["a"]]])
def test_a_filter_of_another_type_is_refused_in_a_sentence(wrong: object) -> None:
    """What is neither a text nor several says which filter it was and what it takes."""
    with pytest.raises(InvalidFilter, match="account=.* a text, or a list of texts"):
        words_of("account", wrong)


def test_every_filter_takes_one_or_several(renamed: Ledger) -> None:
    """Each filter gives with several words what each gives alone, and refuses what is no text."""
    rows = renamed.transfers
    words = {
        "account": [NEW, "Bills"], "direction": ["incoming", "internal"], "text": ["rent", "pay"],
        "state": ["settled", "failed"], "status": ["complete", "pending"],
    }  # fmt: skip
    for name, several in words.items():
        alone = {own for one in several for own in renamed.transfers_where(**{name: one})["id"]}
        both = renamed.transfers_where(**{name: tuple(several)})
        assert both["id"].tolist() == [own for own in rows["id"] if own in alone]
        with pytest.raises(InvalidFilter, match=f"{name}=7"):
            renamed.transfers_where(**{name: 7})


def test_twins_have_one_name_in_all_tables_and_charts() -> None:
    """Pods whose names look alike are told apart alike, wherever either of them is shown."""
    with Sandbox(months=3, now="2026-11-01") as box, Ledger.demo(sandbox=box) as ledger:
        ledger.sync(progress=False)
        ids = ledger.pods.set_index("name")["id"]
        for name in ("Groceries", "Bills"):
            box.rename(ids[name], {"Groceries": "Twins", "Bills": "TWINS"}[name])
        ledger.sync(progress=False)
        both = [ids["Groceries"], ids["Bills"]]
        tables = {
            "balance_history": ledger.balance_history(account=both[0]),
            "projected_balances": ledger.projected_balances(),
            "cash_flow": ledger.cash_flow(by="account"),
            "recurring": ledger.recurring().rename(columns={"account": "name"}),
            "upcoming": ledger.upcoming().rename(columns={"account": "name"}),
            "spending": ledger.spending("pod").rename(
                columns={"pod": "name", "pod_id": "account_id"}
            ),
            "drawn": table_of(ledger.plot.balances(account=both)),
        }
        seen = {
            (row.account_id, str(row.name_))
            for table in tables.values()
            for row in table.rename(columns={"name": "name_"}).itertuples()
            if row.account_id in both
        }
        assert len(seen) == 2, seen
        assert {name.partition(" (")[0] for _, name in seen} == {"Twins", "TWINS"}
        said = " ".join(one.get_text() for one in ledger.plot.balances(account=both[0]).texts)
        assert dict(seen)[both[0]] in said
