"""The ledger: what a notebook holds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

import seqdata
from seqdata import Ledger
from seqdata.exceptions import CacheMissing, InvalidFilter, UnknownAccount
from seqdata.ledger.query import TABLES

NOW = "2026-11-01"


@pytest.fixture(scope="module")
def ledger() -> Iterator[Ledger]:
    """A synced demo of four months; tests only read it."""
    with Ledger.demo(months=4, now=NOW) as ledger:
        ledger.sync(progress=False)
        yield ledger


def test_moments_carry_the_reporting_zone_and_money_is_exact(ledger: Ledger) -> None:
    """Transfers have moments of the zone, exact cents, dollars beside them, and categories."""
    dtypes = ledger.transfers.dtypes.astype(str).to_dict()
    expected = {
        "created_at": "datetime64[us, America/New_York]",
        "amount_cents": "Int64",
        "amount": "float64",
        "status": "category",
        "source_name": "str",
    }
    assert {name: dtypes[name] for name in expected} == expected


def test_pods_are_open_and_carry_their_balance(ledger: Ledger) -> None:
    """Pods come with balances as the service shows them, sorted by name."""
    box = ledger.sandbox
    assert box is not None
    truth = box.balances()
    pods = ledger.pods
    today = [truth[pod_id]["2026-10-31"] for pod_id in pods["id"]]
    assert pods["balance_cents"].tolist() == today
    assert pods["name"].tolist() == sorted(pods["name"])


def test_what_is_owed_is_told_from_what_is_held(ledger: Ledger) -> None:
    """Of the accounts, cards and loans are debts, and nothing else is."""
    accounts = ledger.accounts
    assert accounts["is_owed"].dtype == bool
    owed = accounts.loc[accounts["is_owed"], "type"]
    assert {*owed} == {"CREDIT_CARD", "STUDENT_LOAN"}
    assert not accounts.loc[accounts["kind"] != "account", "is_owed"].any()


def test_since_and_until_are_days_of_the_zone(ledger: Ledger) -> None:
    """A date bounds the day in the reporting zone, and `until` is exclusive."""
    october = ledger.transfers_where(since="2026-10-01", until=date(2026, 10, 2))
    assert set(october["created_at"].dt.date) == {date(2026, 10, 1)}
    everything = ledger.transfers
    days = everything["created_at"].dt.date
    assert len(october) == (days == date(2026, 10, 1)).sum()


def test_an_account_is_found_by_exact_name_then_by_part(ledger: Ledger) -> None:
    """Two pods whose names differ in case are told apart, and a part of a name is enough."""
    kids = ledger.pods.set_index("name")["id"]
    found = ledger.transfers_where(account="KIDS")
    ends = set(found["source_id"]) | set(found["destination_id"])
    assert kids["KIDS"] in ends
    by_id = ledger.transfers_where(account=kids["KIDS"])
    pd.testing.assert_frame_equal(found, by_id)
    assert len(ledger.transfers_where(account="Emergency")) > 0


def test_text_is_looked_for_as_it_is(ledger: Ledger) -> None:
    """Text is found in any case and letter for letter, never as a pattern."""
    coffee = ledger.transfers_where(text="=sum coffee")
    assert len(coffee) > 0
    assert set(coffee["destination_name"]) | set(coffee["source_name"]) >= {"=SUM Coffee Bar"}
    assert len(ledger.transfers_where(text=".*")) == 0


def test_status_takes_one_word_or_several_in_any_case(ledger: Ledger) -> None:
    """Status words select their rows, whatever their case; a documented one may match none."""
    assert set(ledger.transfers_where(status=["failed", "PENDING"])["status"]) == {
        "FAILED",
        "PENDING",
    }
    assert ledger.transfers_where(status="processing").empty


def test_unknown_words_name_the_choices(ledger: Ledger) -> None:
    """A word, account or table that does not exist is refused with the choices."""
    with pytest.raises(InvalidFilter, match="Choices: .*COMPLETE"):
        ledger.transfers_where(status="done")
    with pytest.raises(UnknownAccount, match="Choices: .*Groceries"):
        ledger.transfers_where(account="Nowhere")
    with pytest.raises(InvalidFilter, match="transfers, balances, accounts"):
        ledger.table("yachts")
    with pytest.raises(InvalidFilter, match="status"):
        ledger.table("balances", status="failed")


@pytest.mark.parametrize("table", sorted(TABLES))
def test_an_exported_csv_reads_back_equal(ledger: Ledger, tmp_path: Path, table: str) -> None:
    """What was exported as CSV comes back as the same frame, and Parquet with plain pandas."""
    frame = ledger.table(table)
    csv = ledger.export(tmp_path / "x.csv", table)
    # A CSV has no place for categories that do not occur; with one that does, all is equal.
    pd.testing.assert_frame_equal(seqdata.read_csv(csv), frame, check_categorical=False)
    parquet = ledger.export(tmp_path / "x.parquet", table)
    pd.testing.assert_frame_equal(pd.read_parquet(parquet), frame)


def test_a_filtered_table_has_the_words_that_occur_in_it(ledger: Ledger, tmp_path: Path) -> None:
    """What was filtered comes back from a CSV as the same frame, categories included."""
    frame = ledger.transfers_where(since="2026-10-20", direction="internal")
    assert frame["direction"].cat.categories.tolist() == ["INTERNAL"]
    path = ledger.export(tmp_path / "x.csv", since="2026-10-20", direction="internal")
    pd.testing.assert_frame_equal(seqdata.read_csv(path), frame)


def test_the_attrs_are_json_and_say_where_a_frame_is_from(ledger: Ledger) -> None:
    """Each frame says in its attrs, as JSON, its organization, zone, freshness and filters."""
    attrs = ledger.transfers_where(since="2026-10", status="failed").attrs["seqdata"]
    assert json.loads(json.dumps(attrs)) == attrs
    assert attrs["organization_id"] == ledger.organization_id
    assert attrs["filters"] == {"since": "2026-10", "status": "failed"}


def test_sql_sees_the_tables_in_the_zone(ledger: Ledger) -> None:
    """SQL sums equal the frame's, parameters are bound, and moments carry the zone."""
    found = ledger.sql(
        "SELECT sum(amount_cents) AS cents, max(created_at) AS newest"
        " FROM transfers WHERE status = $status",
        status="COMPLETE",
    )
    complete = ledger.transfers_where(status="complete")
    assert found.loc[0, "cents"] == complete["amount_cents"].sum()
    assert found.loc[0, "newest"] == complete["created_at"].max()
    assert str(found["newest"].dt.tz) == "America/New_York"
    assert str(found["cents"].dtype) == "Int64"


def test_the_repr_says_what_is_here_and_how_fresh(ledger: Ledger) -> None:
    """The repr and its HTML twin say the number of transfers, completeness and freshness."""
    rows = f"{len(ledger.transfers):,}"
    for text in (repr(ledger), ledger._repr_html_()):
        assert f"{rows} of {rows}" in text
        assert "the sandbox" in text
        assert re.search(r"\((just now|\d+ minutes ago)\)", text)


def test_a_ledger_without_data_says_how_to_get_it(tmp_path: Path) -> None:
    """Before the first sync the tables raise a sentence that names the command."""
    with Ledger.demo(months=1, now=NOW, folder=tmp_path) as empty:
        assert "none yet" in repr(empty)
        with pytest.raises(CacheMissing, match="seqdata sync"):
            empty.transfers  # noqa: B018


def test_a_demo_leaves_nothing_in_the_users_folder(tmp_path: Path) -> None:
    """A demo writes nothing into the working directory, which is the user's data folder."""
    with Ledger.demo(months=1, now=NOW) as demo:
        demo.sync(progress=False)
        folder = demo.folder
        assert folder.is_dir()
    assert list(tmp_path.iterdir()) == []
    assert not folder.exists()


def test_data_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    """Every file of the data and cache folders is 0600, every folder of ours 0700."""
    with Ledger.demo(months=1, now=NOW, folder=tmp_path / "data") as demo:
        demo.sync(progress=False)
        modes = {
            path: path.stat().st_mode & 0o777
            for path in [tmp_path / "data", *(tmp_path / "data").rglob("*")]
        }
    wrong = {p: oct(m) for p, m in modes.items() if m != (0o700 if p.is_dir() else 0o600)}
    assert not wrong


def test_no_full_account_number_reaches_the_disk(tmp_path: Path) -> None:
    """No account or routing number of the service stands in any file of the data folder."""
    with Ledger.demo(months=1, now=NOW, folder=tmp_path) as demo:
        demo.sync(progress=False)
        with demo._client() as client:
            accounts = client.execute(
                "{ me { memberships { organization { pods { bankAccountNumber routingNumber }"
                " accounts { bankAccountNumber routingNumber } } } } }"
            )
        organization = accounts["me"]["memberships"][0]["organization"]
        numbers = {
            str(number).encode()
            for kind in ("pods", "accounts")
            for node in organization[kind]
            for number in node.values()
            if number
        }
        assert numbers
        written = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
        assert not [number for number in numbers if number in written]
