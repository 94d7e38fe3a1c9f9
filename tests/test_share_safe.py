"""A ledger to show around."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import seqdata
from seqdata import Ledger
from seqdata.analysis import read_rules
from seqdata.exceptions import DisguisedLedger, InvalidFilter, UnknownAccount
from seqdata.ledger.query import TABLES
from seqdata.ledger.share_safe import ShareSafeLedger
from seqdata.plots import table_of


@pytest.fixture(scope="module")
def ledger() -> Iterator[Ledger]:
    """A synced demo with details, a category and a note of a person's own."""
    with Ledger.demo(months=4, now="2026-11-01") as ledger:
        ledger.sync(details="all", details_per_request=25, progress=False)
        rent = ledger.transfers_where(text="Maple Street")["id"].iloc[0]
        ledger.annotate(rent, category="Dr. Roth, therapy", note="do not tell Sam")
        yield ledger


@pytest.fixture(scope="module")
def safe(ledger: Ledger) -> ShareSafeLedger:
    return ledger.share_safe()


def cents_of(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[[name for name in frame.columns if name.endswith("_cents")]].dropna()


@pytest.fixture(scope="module")
def factor(ledger: Ledger, safe: ShareSafeLedger) -> int:
    ours, theirs = ledger.transfers["amount_cents"], safe.transfers["amount_cents"]
    factors = set((theirs // ours).tolist())
    assert len(factors) == 1
    return factors.pop()


@pytest.fixture(scope="module", params=sorted(TABLES))
def table(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def shown(safe: ShareSafeLedger, table: str) -> pd.DataFrame:
    return safe.table(table)


@pytest.fixture(scope="module")
def secrets(ledger: Ledger) -> set[str]:
    """Each name, note, id and category that is a person's own."""
    transfers, accounts = ledger.transfers, ledger.accounts
    own = pd.concat(
        [
            *(transfers[name] for name in ("source_name", "destination_name", "description", "id")),
            *(accounts[name] for name in ("name", "id", "institution", "organization_id")),
            ledger.categorized()["payee"],
        ]
    )
    found = {*own.dropna().astype("str"), "Dr. Roth, therapy", "do not tell Sam"}
    return found - set(read_rules().categories)  # some pods are called like what everybody has


def test_every_ratio_stays_exact(
    ledger: Ledger, shown: pd.DataFrame, table: str, factor: int
) -> None:
    """All amounts of each table are the true ones times one whole number, row by row."""
    true = ledger.table(table)
    assert len(true) == len(shown)
    pd.testing.assert_frame_equal(cents_of(true) * factor, cents_of(shown), check_like=True)


def test_no_name_note_or_id_is_left(shown: pd.DataFrame, secrets: set[str]) -> None:
    """No cell of a disguised table holds a name, note, id or category that is a person's own."""
    assert len(secrets) > 100
    cells = {
        str(value)
        for name in shown.columns
        if not pd.api.types.is_numeric_dtype(shown[name].dtype)
        for value in shown[name].dropna().unique()
    }
    assert not cells & secrets
    assert not any("Dr. Roth" in cell or "Maple" in cell for cell in cells)
    assert not secrets & set(map(str, _leaves(shown.attrs)))


def _leaves(value: object) -> Iterator[object]:
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _leaves(one)
    else:
        yield value


def test_the_same_name_is_the_same_everywhere(ledger: Ledger, safe: ShareSafeLedger) -> None:
    """A made-up name or id means the same account in transfers, accounts and histories."""
    accounts = safe.accounts.set_index("id")["name"]
    transfers = safe.transfers
    ours = transfers[transfers["source_party"] == "pod"]
    named = ours["source_id"].map(accounts).dropna()
    assert len(named) > 100
    assert (named == ours.loc[named.index, "source_name"]).all()
    history = safe.balance_history()
    assert (history["account_id"].map(accounts) == history["name"].astype("str")).all()


def test_payees_stay_apart_and_together(ledger: Ledger, safe: ShareSafeLedger) -> None:
    """Two payees are never merged by the disguise, and one is never split."""
    true, shown = ledger.spending("payee"), safe.spending("payee")
    assert shown["payee"].nunique() == true["payee"].nunique()
    assert shown["transfers"].tolist() == true["transfers"].tolist()
    np.testing.assert_allclose(shown["share"], true["share"])


def test_an_account_is_asked_for_by_its_made_up_name(ledger: Ledger, safe: ShareSafeLedger) -> None:
    """Filters take the names that are shown, and a true name is unknown without being listed."""
    name = safe.pods["name"].iloc[0]
    found = safe.transfers_where(account=name)
    assert 0 < len(found) < len(safe.transfers)
    assert ((found["source_name"] == name) | (found["destination_name"] == name)).all()
    assert len(safe.transfers_where(account=safe.pods["id"].iloc[0])) == len(found)
    with pytest.raises(UnknownAccount) as refused:
        safe.transfers_where(account="Emergency Fund")
    assert "Groceries" not in str(refused.value)


def test_text_is_looked_for_in_what_is_shown(ledger: Ledger, safe: ShareSafeLedger) -> None:
    """A search finds made-up names and nothing by a true one."""
    assert len(safe.transfers_where(text="Maple Street")) == 0
    payee = safe.spending("payee")["payee"].iloc[0]
    assert len(safe.transfers_where(text=payee)) > 0


def test_a_wrong_category_is_refused_without_telling_the_own_ones(safe: ShareSafeLedger) -> None:
    """The error about a category lists none of a person's own."""
    with pytest.raises(InvalidFilter) as refused:
        safe.spending(category="Yachts")
    assert "Roth" not in str(refused.value)


def test_own_categories_are_disguised_and_common_ones_are_not(safe: ShareSafeLedger) -> None:
    """The starter set's categories keep their names; a person's own become numbered ones."""
    found = set(safe.spending()["category"])
    assert "Groceries" in found
    assert any(name.startswith("Category ") for name in found)
    own = next(name for name in found if name.startswith("Category "))
    assert len(safe.categorized(category=own)) == 1


def test_a_chart_of_it_says_so(safe: ShareSafeLedger) -> None:
    """Each chart of a share-safe ledger carries the note that it is disguised."""
    axes = safe.plot.spending()
    texts = [
        text.get_text() for text in axes.get_figure().findobj(lambda one: hasattr(one, "get_text"))
    ]
    assert any("disguised" in text for text in texts)
    assert table_of(axes)["spent_cents"].sum() > 0
    assert axes.get_title(loc="left").startswith("Spending by category,")


@pytest.mark.parametrize("name", ["shown.csv", "shown.parquet"])
def test_an_export_of_it_says_so(safe: ShareSafeLedger, tmp_path: Path, name: str) -> None:
    """A file made of it has a column that says it is disguised, in every row."""
    path = safe.export(tmp_path / name)
    read = seqdata.read_csv(path) if name.endswith("csv") else pd.read_parquet(path)
    assert read["disguised"].all()


def test_it_can_be_asked_in_sql(safe: ShareSafeLedger) -> None:
    """SQL sees the disguised tables and sums them exactly."""
    found = safe.sql("SELECT sum(amount_cents) AS total FROM transfers WHERE disguised")
    assert found["total"].iloc[0] == safe.transfers["amount_cents"].sum()


@pytest.mark.parametrize("method", ["sync", "desk", "annotate", "add_balance", "rebuild", "folder"])
def test_it_only_shows(safe: ShareSafeLedger, method: str) -> None:
    """What would change something, or tell of files, is refused in a sentence."""
    with pytest.raises(DisguisedLedger, match=f"{method} cannot be used on a share-safe ledger"):
        getattr(safe, method)


def test_two_disguises_differ(ledger: Ledger) -> None:
    """Each disguise has a secret of its own, so that two pictures cannot be laid together."""
    first, second = ledger.share_safe(), ledger.share_safe()
    assert set(first.accounts["id"]).isdisjoint(second.accounts["id"])
