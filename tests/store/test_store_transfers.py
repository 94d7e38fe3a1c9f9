"""Transfers on disk: upsert, months, history, removal, reading."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seqdata.exceptions import CorruptFile, InvalidFilter, UnexpectedAnswer
from seqdata.sources.schemas import READ_TRANSFERS
from seqdata.store import TRANSFER_ROWS, Store
from seqdata.store import transfers as transfers_module
from seqdata.store.months import month_path

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
URL = "https://app.example.com"


def open_store(folder: Path) -> Store:
    return Store.open(folder, "org_1", app_url=URL)


def row(id: str, day: str | None = "2026-10-05", **values: Any) -> dict[str, Any]:
    created = None if day is None else datetime.fromisoformat(day).replace(tzinfo=UTC)
    return {"organization_id": "org_1", "id": id, "created_at": created, **values}


def table(*rows: dict[str, Any]) -> pa.Table:
    whole = [{name: given.get(name) for name in TRANSFER_ROWS.names} for given in rows]
    return pa.Table.from_pylist(whole, schema=TRANSFER_ROWS)


def ids(found: pa.Table) -> list[str]:
    return found["id"].to_pylist()


def months(store: Store) -> list[str]:
    return sorted(path.name for path in (store.folder / "transfers").glob("month=*"))


def test_opening_a_store_creates_nothing(tmp_path: Path) -> None:
    """Looking at a cache leaves no trace on the disk."""
    store = open_store(tmp_path / "cache")
    assert not store.exists
    assert store.read_transfers().schema == READ_TRANSFERS
    assert store.read_history().num_rows == store.read_accounts().num_rows == store.size() == 0
    assert list(tmp_path.iterdir()) == []


def test_rows_are_filed_by_utc_month(tmp_path: Path) -> None:
    """A transfer lies in the UTC month of its created_at, and in month=unknown without one."""
    store = open_store(tmp_path)
    store.upsert_transfers(
        table(row("a", "2026-10-31T23:59:59"), row("b", "2026-11-01"), row("c", None)),
        seen_at=NOON,
    )
    assert months(store) == ["month=2026-10", "month=2026-11", "month=unknown"]
    assert ids(store.read_transfers()) == ["b", "a", "c"]


def test_rows_come_newest_first_with_ties_by_id(tmp_path: Path) -> None:
    """Reading gives the newest first, and equal moments in the order of their ids."""
    store = open_store(tmp_path)
    given = [row("b"), row("a"), row("z", "2026-10-06"), row("c", "2026-09-06")]
    store.upsert_transfers(table(*given), seen_at=NOON)
    assert ids(store.read_transfers()) == ["z", "a", "b", "c"]


def test_what_is_delivered_comes_back(tmp_path: Path) -> None:
    """Every delivered value is read back, missing ones as missing and empty text as empty."""
    full = row("a", type="TRANSFER", status="NEW_STATUS", amount_cents=0, description="")
    full |= {"source_name": '=Épargne 🐷, "x"\n', "error_reason": "NA"}
    store = open_store(tmp_path)
    store.upsert_transfers(table(full), seen_at=NOON)
    found = store.read_transfers().to_pylist()[0]
    assert {name: found[name] for name in full} == full
    assert found["updated_at"] is None
    assert found["first_seen_at"] == found["last_seen_at"] == NOON


def test_an_unchanged_row_is_only_noted_as_seen(tmp_path: Path) -> None:
    """A row seen again unchanged moves last_seen_at alone and leaves no version."""
    store = open_store(tmp_path)
    store.upsert_transfers(table(row("a")), seen_at=NOON)
    report = store.upsert_transfers(table(row("a")), seen_at=NOON + timedelta(days=1))
    assert (report.added, report.updated, report.unchanged) == (0, 0, 1)
    found = store.read_transfers().to_pylist()[0]
    assert found["first_seen_at"] == NOON
    assert found["last_seen_at"] == NOON + timedelta(days=1)
    assert store.read_history().num_rows == 0


def test_a_changed_row_leaves_its_earlier_version(tmp_path: Path) -> None:
    """A change is reported value by value, and the version before it stays in the history."""
    store = open_store(tmp_path)
    store.upsert_transfers(table(row("a", status="PENDING", amount_cents=5)), seen_at=NOON)
    later = NOON + timedelta(hours=1)
    report = store.upsert_transfers(
        table(row("a", status="COMPLETE", amount_cents=None)), seen_at=later
    )
    assert report.updated == 1
    assert report.changes.to_pylist() == [
        {"id": "a", "column": "status", "before": "PENDING", "after": "COMPLETE"},
        {"id": "a", "column": "amount_cents", "before": "5", "after": None},
    ]
    version = store.read_history().to_pylist()[0]
    assert (version["status"], version["replaced_at"]) == ("PENDING", later)


def test_versions_of_one_moment_keep_their_order(tmp_path: Path) -> None:
    """Two changes at one moment leave two versions, whose replaced_at differ."""
    store = open_store(tmp_path)
    for status in ("PENDING", "PROCESSING", "COMPLETE"):
        store.upsert_transfers(table(row("a", status=status)), seen_at=NOON)
    history = store.read_history()
    assert history["status"].to_pylist() == ["PENDING", "PROCESSING"]
    assert len(set(history["replaced_at"].to_pylist())) == 2


def test_a_row_whose_created_at_moves_leaves_its_month(tmp_path: Path) -> None:
    """A moved row is reported, lies in its new month alone, and an empty month disappears."""
    store = open_store(tmp_path)
    store.upsert_transfers(table(row("a"), row("b", "2026-09-02")), seen_at=NOON)
    report = store.upsert_transfers(table(row("b", None), row("a", "2026-09-09")), seen_at=NOON)
    assert sorted(report.moved) == ["a", "b"]
    assert ids(store.read_transfers()) == ["a", "b"]
    assert [p.name for p in (store.folder / "transfers").glob("month=*/data.parquet")] != []
    assert not month_path(store.folder / "transfers", 12 * 2026 + 9).exists()


def test_rows_that_swap_months_are_both_kept(tmp_path: Path) -> None:
    """Two rows that change places between two months are both there afterwards."""
    store = open_store(tmp_path)
    store.upsert_transfers(table(row("a", "2026-09-01"), row("b", "2026-10-01")), seen_at=NOON)
    store.upsert_transfers(table(row("a", "2026-10-02"), row("b", "2026-09-02")), seen_at=NOON)
    found = {each["id"]: each["created_at"].month for each in store.read_transfers().to_pylist()}
    assert found == {"a": 10, "b": 9}


def test_an_interrupted_move_is_healed(tmp_path: Path) -> None:
    """A row left in two months is read once, in its later version, and the next write tidies."""
    store = open_store(tmp_path)
    store.upsert_transfers(table(row("a", "2026-09-01"), row("c", "2026-09-03")), seen_at=NOON)
    old = month_path(store.folder / "transfers", 12 * 2026 + 8)
    before = old.read_bytes()
    store.upsert_transfers(table(row("a", "2026-10-02")), seen_at=NOON)
    old.write_bytes(before)
    (store.folder / "transfers" / transfers_module._MOVING).touch()
    assert ids(store.read_transfers()) == ["a", "c"]
    store.upsert_transfers(table(row("z", "2026-01-01")), seen_at=NOON)
    assert not (store.folder / "transfers" / transfers_module._MOVING).exists()
    assert ids(transfers_module.read_month(store.folder / "transfers", 12 * 2026 + 8)) == ["c"]
    assert ids(store.read_transfers()) == ["a", "c", "z"]


@pytest.mark.parametrize("damage", ["gone", "torn", "garbage"])
def test_a_lost_index_is_made_anew(tmp_path: Path, damage: str) -> None:
    """The index is derived: without it, or with a torn one, a moving row is still found."""
    store = open_store(tmp_path)
    store.upsert_transfers(table(row("a", "2026-09-01"), row("b", "2026-08-01")), seen_at=NOON)
    for path in (store.folder / "index").iterdir():
        if damage == "gone":
            path.unlink()
        else:
            path.write_bytes(path.read_bytes()[:-5] if damage == "torn" else b"garbage" * 9)
    report = store.upsert_transfers(table(row("a", "2026-10-01")), seen_at=NOON)
    assert (report.updated, report.moved) == (1, ("a",))
    assert ids(store.read_transfers()) == ["a", "b"]


def test_another_writer_is_noticed(tmp_path: Path) -> None:
    """Two stores that write in turn know each other's rows."""
    one, two = open_store(tmp_path), open_store(tmp_path)
    one.upsert_transfers(table(row("a")), seen_at=NOON)
    two.upsert_transfers(table(row("b")), seen_at=NOON)
    assert two.upsert_transfers(table(row("a", "2026-01-01")), seen_at=NOON).moved == ("a",)
    assert one.upsert_transfers(table(row("b", "2026-01-02")), seen_at=NOON).moved == ("b",)
    assert ids(one.read_transfers()) == ["b", "a"]


def test_a_large_index_is_folded(tmp_path: Path) -> None:
    """An index grown past its log still finds every id."""
    store = open_store(tmp_path)
    many = [row(f"t{number}") for number in range(70_000)]
    store.upsert_transfers(table(*many), seen_at=NOON)
    assert (store.folder / "index" / "months.npy").stat().st_size > 1_000_000
    report = store.upsert_transfers(table(row("t7", "2026-01-01"), row("new")), seen_at=NOON)
    assert (report.added, report.moved) == (1, ("t7",))


def test_removed_rows_are_marked_and_left_out(tmp_path: Path) -> None:
    """A removed row stays with removed_at, is left out by default, and was a version before."""
    store = open_store(tmp_path)
    store.upsert_transfers(table(row("a"), row("b")), seen_at=NOON)
    at = NOON + timedelta(days=1)
    report = store.mark_removed(["a", "unheard"], at)
    assert (report.updated, store.mark_removed(["a"], at).unchanged) == (1, 1)
    assert ids(store.read_transfers()) == ["b"]
    everything = store.read_transfers(include_removed=True, columns=["id", "removed_at"])
    assert everything["removed_at"].to_pylist() == [at, None]
    assert store.read_history()["removed_at"].to_pylist() == [None]


def test_a_removed_row_seen_again_is_back(tmp_path: Path) -> None:
    """A row marked removed loses the mark when the service delivers it again."""
    store = open_store(tmp_path)
    store.upsert_transfers(table(row("a")), seen_at=NOON)
    store.mark_removed(["a"], NOON + timedelta(days=1))
    report = store.upsert_transfers(table(row("a")), seen_at=NOON + timedelta(days=2))
    assert report.changes["column"].to_pylist() == ["removed_at"]
    assert ids(store.read_transfers()) == ["a"]
    assert store.read_history().num_rows == 2


def test_reading_a_time_reads_its_months_alone(tmp_path: Path) -> None:
    """A reading with bounds does not open other months: until is exclusive, a corrupt month
    outside does not matter, one inside is named."""
    store = open_store(tmp_path)
    days = ["2026-08-31", "2026-09-01", "2026-09-30", "2026-10-01"]
    store.upsert_transfers(table(row("n", None), *(row(d, d) for d in days)), seen_at=NOON)
    corrupt = month_path(store.folder / "transfers", 12 * 2026 + 7)
    corrupt.write_bytes(b"PAR1 not really")
    since, until = datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC)
    assert ids(store.read_transfers(since=since, until=until)) == ["2026-09-30", "2026-09-01"]
    with pytest.raises(CorruptFile) as caught:
        store.read_transfers()
    assert caught.value.path == corrupt
    assert "seqdata sync --full" in str(caught.value)


def test_a_corrupt_month_refuses_the_write(tmp_path: Path) -> None:
    """An upsert into a month that cannot be read changes nothing."""
    store = open_store(tmp_path)
    store.upsert_transfers(table(row("a"), row("b", "2026-09-01")), seen_at=NOON)
    path = month_path(store.folder / "transfers", 12 * 2026 + 9)
    content = bytearray(path.read_bytes())
    content[20] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(CorruptFile):
        store.upsert_transfers(table(row("c"), row("d", "2026-09-01")), seen_at=NOON)
    assert path.read_bytes() == content
    assert ids(store.read_transfers(until=datetime(2026, 9, 20, tzinfo=UTC))) == ["b"]


@pytest.mark.parametrize("change", ["missing", "type"])
def test_a_month_of_other_columns_is_refused(tmp_path: Path, change: str) -> None:
    """A Parquet file without a column, or with another type for it, is named with the reason."""
    import pyarrow.parquet as pq

    store = open_store(tmp_path)
    store.upsert_transfers(table(row("a")), seen_at=NOON)
    path = month_path(store.folder / "transfers", 12 * 2026 + 9)
    found = pq.ParquetFile(path).read()
    place = found.schema.get_field_index("amount_cents")
    other = found.remove_column(place)
    if change == "type":
        other = found.set_column(place, "amount_cents", pa.array([1.5]))
    pq.write_table(other, path)
    with pytest.raises(CorruptFile, match="amount_cents"):
        store.read_transfers()


def test_an_extra_column_is_passed_over(tmp_path: Path) -> None:
    """A column that someone added does not hinder reading."""
    import pyarrow.parquet as pq

    store = open_store(tmp_path)
    store.upsert_transfers(table(row("a")), seen_at=NOON)
    path = month_path(store.folder / "transfers", 12 * 2026 + 9)
    pq.write_table(pq.ParquetFile(path).read().append_column("mine", pa.array([1])), path)
    assert store.read_transfers().column_names == READ_TRANSFERS.names


def test_columns_can_be_chosen(tmp_path: Path) -> None:
    """Only the columns asked for come, in that order; an unknown one lists the choices."""
    store = open_store(tmp_path)
    store.upsert_transfers(table(row("a")), seen_at=NOON)
    assert store.read_transfers(columns=["status", "id"]).column_names == ["status", "id"]
    with pytest.raises(InvalidFilter, match="amount_cents"):
        store.read_transfers(columns=["amount"])


def test_a_row_without_id_is_refused(tmp_path: Path) -> None:
    """Rows without a key are not written."""
    with pytest.raises(UnexpectedAnswer, match="id"):
        open_store(tmp_path).upsert_transfers(table({"organization_id": "o"}), seen_at=NOON)


def test_many_versions_are_joined(tmp_path: Path) -> None:
    """However often a row changes, the history keeps every version in few files."""
    store = open_store(tmp_path)
    with store.lock():
        for number in range(80):
            store.upsert_transfers(
                table(row("a", amount_cents=number)), seen_at=NOON + timedelta(hours=number)
            )
    assert store.read_history()["amount_cents"].to_pylist() == list(range(79))
    assert len(list((store.folder / "transfer_history").glob("*.parquet"))) <= 34


def test_a_version_written_twice_counts_once(tmp_path: Path) -> None:
    """A write cut short between history and table leaves one version when it is repeated."""
    store = open_store(tmp_path)
    store.upsert_transfers(table(row("a", status="PENDING")), seen_at=NOON)
    path = month_path(store.folder / "transfers", 12 * 2026 + 9)
    before = path.read_bytes()
    store.upsert_transfers(table(row("a", status="DONE")), seen_at=NOON + timedelta(hours=1))
    path.write_bytes(before)
    store.upsert_transfers(table(row("a", status="DONE")), seen_at=NOON + timedelta(hours=2))
    assert store.read_history()["status"].to_pylist() == ["PENDING"]


# -- laws -----------------------------------------------------------------------------------

DAYS = st.sampled_from([None, "2026-08-15", "2026-09-01", "2026-09-30T23:59:59.999999"])
ROWS = st.builds(
    row,
    st.sampled_from(list("abcdefgh")),
    DAYS,
    status=st.sampled_from(["PENDING", "COMPLETE", None]),
    amount_cents=st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
    description=st.one_of(st.none(), st.text(max_size=5)),
)
BATCHES = st.lists(st.lists(ROWS, max_size=6), min_size=1, max_size=5)
LAWS = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


#: What is read as it was delivered: all but the parties, which are told in our words.
SAME = [name for name in TRANSFER_ROWS.names if name in READ_TRANSFERS.names]


def delivered(store: Store) -> dict[str, dict[str, Any]]:
    found = store.read_transfers(columns=SAME).to_pylist()
    assert len(found) == len({each["id"] for each in found})
    return {each["id"]: each for each in found}


@LAWS
@given(batches=BATCHES)
def test_reading_equals_a_dict(tmp_path_factory: pytest.TempPathFactory, batches: Any) -> None:
    """Whatever is written in whatever order, moves included, the table is the last of each id,
    and the history has as many versions as there were changes."""
    store = open_store(tmp_path_factory.mktemp("cache"))
    model: dict[str, dict[str, Any]] = {}
    changes = 0
    for number, batch in enumerate(batches):
        rows = table(*batch)
        report = store.upsert_transfers(rows, seen_at=NOON + timedelta(minutes=number))
        last = {each["id"]: each for each in rows.to_pylist()}
        changed = sum(model[id] != each for id, each in last.items() if id in model)
        assert report.added == len(last.keys() - model.keys())
        assert report.updated == changed
        changes += changed
        model.update(last)
    assert delivered(store) == {id: {n: each[n] for n in SAME} for id, each in model.items()}
    assert store.read_history().num_rows == changes


@LAWS
@given(batch=st.lists(ROWS, max_size=8))
def test_an_upsert_twice_is_once(tmp_path_factory: pytest.TempPathFactory, batch: Any) -> None:
    """The same rows at the same moment change nothing the second time."""
    store = open_store(tmp_path_factory.mktemp("cache"))
    store.upsert_transfers(table(*batch), seen_at=NOON)
    once = store.read_transfers()
    report = store.upsert_transfers(table(*batch), seen_at=NOON)
    assert (report.added, report.updated) == (0, 0)
    assert store.read_transfers().equals(once)
    assert store.read_history().num_rows == 0


@LAWS
@given(batch=st.lists(ROWS, max_size=8, unique_by=lambda each: each["id"]), cut=st.integers(0, 8))
def test_the_order_of_disjoint_batches_does_not_matter(
    tmp_path_factory: pytest.TempPathFactory, batch: Any, cut: int
) -> None:
    """Two batches without a common id give one table, whichever comes first."""
    folder = tmp_path_factory.mktemp("cache")
    halves = table(*batch[:cut]), table(*batch[cut:])
    stores = [open_store(folder / name) for name in ("forth", "back")]
    for store, order in zip(stores, (halves, halves[::-1]), strict=True):
        for rows in order:
            store.upsert_transfers(rows, seen_at=NOON)
    assert stores[0].read_transfers().equals(stores[1].read_transfers())
