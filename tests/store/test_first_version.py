"""A cache that the first version wrote, kept as data: taken over on first use, nothing lost."""

from __future__ import annotations

import json
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from seqdata.exceptions import CorruptFile, ForeignCache
from seqdata.store import Store

DATA = Path(__file__).parent / "first_version"
EXPECTED: dict[str, Any] = json.loads((DATA / "expected.json").read_text(encoding="utf-8"))
ORGANIZATION, APP_URL = EXPECTED["organization_id"], EXPECTED["app_url"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with the first version's cache."""
    shutil.copytree(DATA / "tables", tmp_path / "cache" / ORGANIZATION)
    return tmp_path


def opened(folder: Path) -> Store:
    return Store.open(folder, ORGANIZATION, app_url=APP_URL)


def test_all_that_it_held_is_taken_over(folder: Path) -> None:
    """Transfers, versions, removals, accounts, balances, notes, details and legs are all there."""
    store = opened(folder)
    rows = store.read_transfers(include_removed=True).to_pylist()
    assert {row["id"]: row["amount_cents"] for row in rows} == EXPECTED["amounts"]
    assert [row["id"] for row in rows if row["removed_at"]] == EXPECTED["removed"]
    assert {row["read_from"] for row in rows} == {"first version"}
    assert {row["state"] for row in rows} >= {"open", "settled"}
    assert {row["source_party"] for row in rows} <= {"pod", "port", "account", "entity",
                                                     "merchant", None}  # fmt: skip
    accounts = store.read_accounts().to_pylist()
    assert {row["id"]: row["name"] for row in accounts} == EXPECTED["accounts"]
    notes = store.read_annotations().to_pylist()
    assert [[row["id"], row["category"], row["note"]] for row in notes] == EXPECTED["annotations"]
    assert store.read_details().num_rows == EXPECTED["details"]
    assert store.read_legs().num_rows == EXPECTED["legs"]


def test_every_version_of_a_transfer_is_taken_over(folder: Path) -> None:
    """Each transfer has the versions that it had, in their order and without a gap."""
    store = opened(folder)
    for id_, statuses in EXPECTED["versions"].items():
        found = store.history_of(id_)
        assert found["status"].to_pylist() == statuses
        until = found["valid_until"].to_pylist()
        assert until[:-1] == found["valid_from"].to_pylist()[1:]
        assert until[-1] is None


def test_every_balance_that_was_observed_is_taken_over(folder: Path) -> None:
    """Each observation lies in a stretch of the same balance; statements stand by themselves."""
    stretches = opened(folder).read_balances().to_pylist()
    for account_id, as_of, cents, origin in EXPECTED["balances"]:
        moment = datetime.fromisoformat(as_of)
        assert any(
            one["account_id"] == account_id
            and one["as_of"] <= moment <= one["confirmed_at"]
            and (one["balance_cents"], one["origin"]) == (cents, origin)
            for one in stretches
        ), (account_id, as_of)
    assert len(stretches) < len(EXPECTED["balances"])


def test_what_it_needs_no_more_is_gone_and_its_answers_are_kept(folder: Path) -> None:
    """The first version's bookkeeping goes, its archive stands beside the record."""
    store = opened(folder)
    store.read_transfers()
    left = {path.name for path in store.folder.iterdir()}
    assert not left & {"archive", "state.json", "index"}
    kept = store.ledger_folder / "answers-of-the-first-version" / "2026-11.jsonl.gz"
    old = DATA / "tables" / "archive" / kept.name
    assert kept.read_bytes() == old.read_bytes()
    assert opened(folder).count_transfers() == EXPECTED["rows"]


def test_where_it_stood_the_next_sync_goes_on(folder: Path) -> None:
    """How far the last sync came is taken over: nothing is read again that was read."""
    state = opened(folder).read_state()
    found = json.loads((DATA / "tables" / "state.json").read_text(encoding="utf-8"))
    assert state.last_full_at == datetime.fromisoformat(found["last_full_at"])
    assert state.service_count == found["service_count"]


def test_a_cache_of_another_server_is_left_alone(folder: Path) -> None:
    """Tables of another server are refused by name, and stay as they are."""
    with pytest.raises(ForeignCache, match="holds data of"):
        Store.open(folder, ORGANIZATION, app_url="https://other.test")
    assert (folder / "cache" / ORGANIZATION / "state.json").exists()
    assert not (folder / "ledgers" / ORGANIZATION / "ledger.db").exists()


def test_a_damaged_table_stops_the_taking_over(folder: Path) -> None:
    """A table of the first version that cannot be read is named, and nothing is changed."""
    path = folder / "cache" / ORGANIZATION / "transfers" / "month=2026-10" / "data.parquet"
    path.write_bytes(b"garbage")
    with pytest.raises(CorruptFile, match="month=2026-10"):
        opened(folder)
    assert path.read_bytes() == b"garbage"
    assert not (folder / "ledgers" / ORGANIZATION / "ledger.db").exists()
