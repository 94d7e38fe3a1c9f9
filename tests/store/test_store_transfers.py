"""Transfers on disk: upsert, months, history, removal, reading."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_kit import (
    HOUR,
    LAWS,
    NOON,
    deliver,
    files,
    ids,
    months,
    open_store,
    row,
    table,
    values,
)

from seqdata.exceptions import InvalidFilter, UnexpectedAnswer
from seqdata.sources.schemas import READ_TRANSFERS, TRANSFER_ROWS, TRANSFERS
from seqdata.store import Store
from seqdata.store.months import month_path


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path)


def test_opening_a_store_creates_nothing(tmp_path: Path) -> None:
    """Looking at what is not there leaves no trace on the disk, and shows empty tables."""
    store = open_store(tmp_path / "data")
    assert not store.exists
    assert store.read_transfers().schema == READ_TRANSFERS
    assert store.read_history().num_rows == store.read_accounts().num_rows == store.size() == 0
    assert store.count_transfers() == store.count_open() == 0
    assert list(tmp_path.iterdir()) == []


def test_rows_are_filed_by_utc_month(tmp_path: Path, store: Store) -> None:
    """A transfer lies in the UTC month of its created_at, and in month=unknown without one."""
    deliver(
        store,
        table(row("a", "2026-10-31T23:59:59.999999"), row("b", "2026-11-01"), row("c", None)),
        at=NOON,
    )
    folder = tmp_path / "cache" / "org_1" / "transfers"
    lying = {month: pq.ParquetFile(month_path(folder, month)).read() for month in
             ("2026-10", "2026-11", "unknown")}  # fmt: skip
    assert {month: ids(found) for month, found in lying.items()} == {
        "2026-10": ["a"],
        "2026-11": ["b"],
        "unknown": ["c"],
    }
    assert {found.schema.remove_metadata() for found in lying.values()} == {TRANSFERS}
    assert months(store) == ["month=2026-10", "month=2026-11", "month=unknown"]
    assert ids(store.read_transfers()) == ["b", "a", "c"]


def test_moments_at_the_ends_of_time_have_their_months(store: Store) -> None:
    """Transfers made before 1970, or in the last month there is, are filed and read like others."""
    days = ["1969-12-31T23:59:59.999999", "1970-01-01", "9999-12-31T23:59:59.999999"]
    deliver(store, table(*(row(day, day) for day in days)), at=NOON)
    assert months(store) == ["month=1969-12", "month=1970-01", "month=9999-12"]
    assert ids(store.read_transfers()) == days[::-1]
    assert ids(store.read_transfers(until=datetime(1970, 1, 1, tzinfo=UTC))) == days[:1]


def test_rows_come_newest_first_with_ties_by_id(store: Store) -> None:
    """Reading gives the newest first, and equal moments in the order of their ids."""
    given = [row("b"), row("a"), row("z", "2026-10-06"), row("c", "2026-09-06")]
    deliver(store, table(*given), at=NOON)
    assert ids(store.read_transfers()) == ["z", "a", "b", "c"]


def test_what_is_delivered_comes_back(store: Store) -> None:
    """Every delivered value is read back, missing ones as missing and empty text as empty."""
    full = row("a", type="TRANSFER", status="NEW_STATUS", amount_cents=0, description="")
    full |= {"state": "open", "kind": "by_hand", "direction": "out", "source_party": "pod"}
    full |= {"source_name": '=Épargne 🐷, "x"\n\0', "error_reason": "NA"}
    deliver(store, table(full), at=NOON)
    found = store.read_transfers().to_pylist()[0]
    assert {name: found[name] for name in full} == full
    assert found["updated_at"] is found["removed_at"] is None
    assert found["first_seen_at"] == found["changed_at"] == found["confirmed_at"] == NOON


def marks(store: Store) -> dict[str, tuple[int, int]]:
    """What tells each file from one that was written anew."""
    paths = [*files(store), store.folder / ".published.json"]
    return {str(path): (path.stat().st_ino, path.stat().st_mtime_ns) for path in paths}


def test_an_unchanged_row_changes_nothing(store: Store) -> None:
    """A row seen again unchanged leaves no version, and no file is written."""
    deliver(store, table(row("a", state="open"), row("b", None)), at=NOON)
    before, rows = marks(store), store.read_transfers()
    report = deliver(
        store, table(row("b", None), row("a", state="open")), at=NOON + timedelta(days=1)
    )
    assert (report.added, report.updated, report.unchanged, report.changes) == (0, 0, 2, ())
    assert store.read_history().num_rows == 0
    assert store.read_transfers().equals(rows)
    assert marks(store) == before


def test_a_changed_row_leaves_its_earlier_version(store: Store) -> None:
    """A change is reported value by value, and the version before it stays in the history."""
    was = row("a", status="PENDING", state="open", amount_cents=5)
    deliver(store, table(was), at=NOON)
    later = NOON + HOUR
    now_is = {**was, "status": "COMPLETE", "state": "settled", "amount_cents": None}
    report = deliver(store, table({**now_is, "updated_at": later}), at=later)
    assert (report.added, report.updated, report.unchanged) == (0, 1, 0)
    assert report.changes == (
        ("a", "status", "PENDING", "COMPLETE"),
        ("a", "updated_at", None, "2026-11-01T13:00:00.000000+00:00"),
        ("a", "amount_cents", "5", None),
    )
    names = ("state", "amount_cents", "first_seen_at", "changed_at", "valid_from", "valid_until")
    assert values(store.read_history(), *names) == [("open", 5, NOON, NOON, NOON, later)]
    now = values(store.read_transfers(), "state", "first_seen_at", "changed_at")
    assert now == [("settled", NOON, later)]


@pytest.mark.parametrize(
    "odd", ["\0", "a\0b", "a\0c", " ", "'", '"', "é", "e\u0301", "🐷", "%", "a" * 2_000]
)
def test_any_id_is_told_from_others(store: Store, odd: str) -> None:
    """Whatever stands in an id, a row of it is written again as itself, beside those like it."""
    for cents in (1, 2):
        rows = [row(id, amount_cents=cents) for id in (odd, "a", "")]
        deliver(store, table(*rows), at=NOON + cents * HOUR)
    assert set(values(store.read_transfers(), "id", "amount_cents")) == {
        (odd, 2), ("a", 2), ("", 2)
    }  # fmt: skip
    assert store.read_history().num_rows == 3
    assert [each["amount_cents"] for each in store.rows_of([odd])] == [2]
    assert store.mark_removed([odd], NOON + 3 * HOUR).updated == 1


def test_only_the_months_that_changed_are_written(store: Store) -> None:
    """A change writes the month it lies in, the history, and no other month."""
    deliver(store, table(row("a"), row("b", "2026-09-01")), at=NOON)
    before = marks(store)
    deliver(store, table(row("a", state="settled")), at=NOON + HOUR)
    after = marks(store)
    changed = {path for path in after if after[path] != before.get(path)}
    assert changed == {
        str(month_path(store.folder / "transfers", "2026-10")),
        str(month_path(store.folder / "transfer_history", "2026-11")),
        str(store.folder / ".published.json"),
    }


def test_versions_of_one_moment_keep_their_order(store: Store) -> None:
    """Changes at one moment leave versions in their order, none of which ends where it began."""
    for state in ("unknown", "open", "settled"):
        deliver(store, table(row("a", state=state)), at=NOON)
    history = store.read_history().to_pylist()
    assert [version["state"] for version in history] == ["unknown", "open"]
    assert history[0]["valid_until"] == history[1]["valid_from"]
    assert all(version["valid_from"] < version["valid_until"] for version in history)


def test_a_clock_that_went_back_mixes_up_no_versions(store: Store) -> None:
    """Read at an earlier moment than the one before, a change still comes after it."""
    deliver(store, table(row("a", state="open")), at=NOON)
    deliver(store, table(row("a", state="settled")), at=NOON - HOUR)
    found = store.history_of("a")
    assert found["state"].to_pylist() == ["open", "settled"]
    first, second = found.to_pylist()
    assert first["valid_from"] < first["valid_until"] == second["valid_from"]


def test_of_rows_with_one_id_the_last_counts(store: Store) -> None:
    """Delivered twice in one batch, a transfer is what it was said to be last."""
    batch = table(row("a", state="open"), row("b"), row("a", "2026-09-01", state="settled"))
    report = deliver(store, batch, at=NOON)
    assert (report.added, report.updated) == (2, 0)
    assert values(store.read_transfers(), "id", "state") == [("b", None), ("a", "settled")]
    assert store.read_history().num_rows == 0


def test_a_row_whose_created_at_moves_leaves_its_month(store: Store) -> None:
    """A moved row is reported, lies in its new month alone, and an empty month disappears."""
    deliver(store, table(row("a"), row("b", "2026-09-02")), at=NOON)
    report = deliver(store, table(row("b", None), row("a", "2026-09-09")), at=NOON)
    assert sorted(report.moved) == ["a", "b"]
    assert months(store) == ["month=2026-09", "month=unknown"]
    assert ids(pq.ParquetFile(month_path(store.folder / "transfers", "2026-09")).read()) == ["a"]
    assert ids(store.read_transfers()) == ["a", "b"]


def test_rows_that_swap_months_are_both_kept(store: Store) -> None:
    """Two rows that change places between two months are both there afterwards."""
    deliver(store, table(row("a", "2026-09-01"), row("b", "2026-10-01")), at=NOON)
    deliver(store, table(row("a", "2026-10-02"), row("b", "2026-09-02")), at=NOON)
    found = {each["id"]: each["created_at"].month for each in store.read_transfers().to_pylist()}
    assert found == {"a": 10, "b": 9}
    assert months(store) == ["month=2026-09", "month=2026-10"]


def test_another_writer_is_noticed(tmp_path: Path) -> None:
    """Two stores that write in turn know each other's rows."""
    one, two = open_store(tmp_path), open_store(tmp_path)
    deliver(one, table(row("a")), at=NOON)
    deliver(two, table(row("b")), at=NOON)
    assert deliver(two, table(row("a", "2026-01-01")), at=NOON).moved == ("a",)
    assert deliver(one, table(row("b", "2026-01-02")), at=NOON).moved == ("b",)
    assert ids(one.read_transfers()) == ids(two.read_transfers()) == ["b", "a"]


def test_removed_rows_are_marked_and_left_out(store: Store) -> None:
    """A removed row stays with removed_at, is left out by default, and was a version before."""
    deliver(store, table(row("a"), row("b")), at=NOON)
    at = NOON + timedelta(days=1)
    report = store.mark_removed(["a", "unheard"], at)
    assert (report.updated, store.mark_removed(["a"], at).unchanged) == (1, 1)
    assert ids(store.read_transfers()) == ["b"]
    everything = store.read_transfers(include_removed=True, columns=["id", "removed_at"])
    assert values(everything, "id", "removed_at") == [("a", at), ("b", None)]
    assert values(store.read_history(), "removed_at", "valid_until") == [(None, at)]


def test_a_removed_row_seen_again_is_back(store: Store) -> None:
    """A row marked removed loses the mark when the service delivers it again."""
    deliver(store, table(row("a")), at=NOON)
    store.mark_removed(["a"], NOON + HOUR)
    report = deliver(store, table(row("a")), at=NOON + 2 * HOUR)
    assert report.changes == (("a", "removed_at", "2026-11-01T13:00:00.000000+00:00", None),)
    assert ids(store.read_transfers()) == ["a"]
    assert values(store.read_history(), "removed_at") == [(None,), (NOON + HOUR,)]


def test_reading_a_time_reads_its_months_alone(store: Store) -> None:
    """A reading with bounds opens no other months, so that a damaged one outside stays as it is."""
    days = ["2026-08-31", "2026-09-01", "2026-09-30", "2026-11-01"]
    deliver(store, table(row("n", None), *(row(d, d) for d in days)), at=NOON)
    outside = [month_path(store.folder / "transfers", month) for month in
               ("2026-08", "2026-11", "unknown")]  # fmt: skip
    for path in outside:
        path.write_bytes(b"PAR1 not really")
    since, until = datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC)
    assert ids(store.read_transfers(since=since, until=until)) == ["2026-09-30", "2026-09-01"]
    assert {path.read_bytes() for path in outside} == {b"PAR1 not really"}
    assert ids(store.read_transfers()) == [*days[::-1], "n"]


def test_the_end_of_a_time_is_no_part_of_it(store: Store) -> None:
    """A reading holds what was made at its beginning, and nothing made at its end."""
    days = ["2026-09-01", "2026-09-15", "2026-09-30T23:59:59.999999", "2026-10-01"]
    deliver(store, table(row("n", None), *(row(d, d) for d in days)), at=NOON)
    first, middle, last, end = (datetime.fromisoformat(d).replace(tzinfo=UTC) for d in days)
    assert ids(store.read_transfers(since=middle)) == [*days[:0:-1]]
    assert ids(store.read_transfers(until=end)) == [*days[2::-1]]
    assert ids(store.read_transfers(since=first, until=last)) == [*days[1::-1]]
    assert ids(store.read_transfers(since=end, until=first)) == []


@pytest.mark.parametrize("change", ["missing", "type"])
def test_a_month_of_other_columns_is_made_again(store: Store, change: str) -> None:
    """A Parquet file without a column, or with another type for it, is written anew."""
    deliver(store, table(row("a", amount_cents=7)), at=NOON)
    path = month_path(store.folder / "transfers", "2026-10")
    found = pq.ParquetFile(path).read()
    place = found.schema.get_field_index("amount_cents")
    other = found.remove_column(place)
    if change == "type":
        other = found.set_column(place, "amount_cents", pa.array([1.5]))
    pq.write_table(other, path)
    assert store.read_transfers()["amount_cents"].to_pylist() == [7]
    assert pq.ParquetFile(path).read().equals(found)


def test_an_extra_column_is_passed_over(store: Store) -> None:
    """A column that someone added does not hinder reading."""
    deliver(store, table(row("a")), at=NOON)
    path = month_path(store.folder / "transfers", "2026-10")
    pq.write_table(pq.ParquetFile(path).read().append_column("mine", pa.array([1])), path)
    assert store.read_transfers().column_names == READ_TRANSFERS.names
    assert "mine" in pq.ParquetFile(path).schema_arrow.names


def test_columns_can_be_chosen(store: Store) -> None:
    """Only the columns asked for come, in that order; an unknown one lists the choices."""
    deliver(store, table(row("a")), at=NOON)
    for names in (["status", "id"], ["confirmed_at", "amount_cents"], ["removed_at"], []):
        assert store.read_transfers(columns=names).column_names == names
    with pytest.raises(InvalidFilter, match="amount_cents"):
        store.read_transfers(columns=["amount"])
    with pytest.raises(InvalidFilter, match="source_party"):
        store.read_transfers(columns=["source_kind"])


def test_a_row_without_id_is_refused(store: Store) -> None:
    """Where one row has no key, none of its batch is written."""
    deliver(store, table(row("a", state="open")), at=NOON)
    before = marks(store)
    batch = table(row("a", state="settled"), row("b"), {"amount_cents": 1})
    with pytest.raises(UnexpectedAnswer, match="id"):
        deliver(store, batch, at=NOON + HOUR)
    assert values(store.read_transfers(), "id", "state") == [("a", "open")]
    assert store.read_history().num_rows == 0
    assert marks(store) == before


def test_every_version_is_kept(store: Store) -> None:
    """However often a row changes, the history has every version, filed by when it ended."""
    with store.lock():
        for number in range(40):
            at = NOON + timedelta(days=number)
            deliver(store, table(row("a", amount_cents=number)), at=at)
    assert store.read_history()["amount_cents"].to_pylist() == list(range(39))
    assert months(store, "transfer_history") == ["month=2026-11", "month=2026-12"]
    path = month_path(store.folder / "transfer_history", "2026-12")
    assert pq.ParquetFile(path).read(["amount_cents"])["amount_cents"].to_pylist() == [
        *range(29, 39)
    ]


# -- laws -----------------------------------------------------------------------------------

DAYS = st.sampled_from([None, "2026-08-15", "2026-09-01", "2026-09-30T23:59:59.999999"])
ROWS = st.builds(
    row,
    st.sampled_from(list("abcdefgh")),
    DAYS,
    state=st.sampled_from(["open", "settled", None]),
    amount_cents=st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
    description=st.one_of(st.none(), st.text(max_size=5)),
)
BATCHES = st.lists(st.lists(ROWS, max_size=6), min_size=1, max_size=5)


def last_of(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The last row of each id, but that none is open where one before it was final."""
    found: dict[str, dict[str, Any]] = {}
    for each in rows:
        before = found.get(each["id"])
        if before is None or before["state"] != "settled" or each["state"] == "settled":
            found[each["id"]] = each
    return found


def delivered(store: Store) -> dict[str, dict[str, Any]]:
    found = store.read_transfers(columns=TRANSFER_ROWS.names).to_pylist()
    assert len(found) == len({each["id"] for each in found})
    return {each["id"]: each for each in found}


DATED = st.builds(
    lambda id, hour, cents: row(id, updated_at=NOON + hour * HOUR, amount_cents=cents),
    st.sampled_from("ab"),
    st.integers(0, 4),
    st.integers(0, 9),
)


@LAWS
@given(batches=st.lists(st.lists(DATED, max_size=4), min_size=1, max_size=5))
def test_an_older_answer_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, batches: Any
) -> None:
    """Of answers that say when they changed, the newest one stays, in whatever order they come, and
    the others are named; no version in the history is older than the one before it."""
    store = open_store(tmp_path_factory.mktemp("data"))
    newest: dict[str, dict[str, Any]] = {}
    for number, batch in enumerate(batches):
        older, took = set(), set()
        for each in batch:
            known = newest.get(each["id"])
            if known is not None and each["updated_at"] < known["updated_at"]:
                older.add(each["id"])
            else:
                newest[each["id"]] = each
                took.add(each["id"])
        report = deliver(store, table(*batch), at=NOON + timedelta(minutes=number))
        assert older - took <= set(report.stale) <= older
    found = values(store.read_transfers(), "id", "updated_at", "amount_cents")
    assert sorted(found) == sorted(
        (id, each["updated_at"], each["amount_cents"]) for id, each in newest.items()
    )
    for id in newest:
        changes = store.history_of(id)["updated_at"].to_pylist()
        assert changes == sorted(changes)


@LAWS
@given(batches=BATCHES)
def test_reading_equals_a_dict(tmp_path_factory: pytest.TempPathFactory, batches: Any) -> None:
    """Whatever is written in whatever order, moves included, the table is the last of each id,
    and the history has as many versions as there were changes."""
    store = open_store(tmp_path_factory.mktemp("data"))
    model: dict[str, dict[str, Any]] = {}
    changes = 0
    for number, batch in enumerate(batches):
        rows = table(*batch)
        report = deliver(store, rows, at=NOON + timedelta(minutes=number))
        last = last_of(rows.to_pylist())
        changed = sum(model[id] != each for id, each in last.items() if id in model)
        assert report.added == len(last.keys() - model.keys())
        assert report.updated == changed
        assert report.unchanged == len(last) - report.added - changed
        changes += changed
        model.update(last)
    assert delivered(store) == model
    assert store.read_history().num_rows == changes
    assert store.count_transfers() == len(model)


@LAWS
@given(batch=st.lists(ROWS, max_size=8))
def test_an_upsert_twice_is_once(tmp_path_factory: pytest.TempPathFactory, batch: Any) -> None:
    """The same rows change nothing the second time, at the same moment or later."""
    store = open_store(tmp_path_factory.mktemp("data"))
    deliver(store, table(*batch), at=NOON)
    once = store.read_transfers()
    for later in (NOON, NOON + HOUR):
        report = deliver(store, table(*batch), at=later)
        assert (report.added, report.updated) == (0, 0)
    assert store.read_transfers().equals(once)
    assert store.read_history().num_rows == 0


@LAWS
@given(batch=st.lists(ROWS, max_size=8, unique_by=lambda each: each["id"]), cut=st.integers(0, 8))
def test_the_order_of_disjoint_batches_does_not_matter(
    tmp_path_factory: pytest.TempPathFactory, batch: Any, cut: int
) -> None:
    """Two batches without a common id give one table, whichever comes first."""
    folder = tmp_path_factory.mktemp("data")
    halves = table(*batch[:cut]), table(*batch[cut:])
    stores = [open_store(folder / name) for name in ("forth", "back")]
    for store, order in zip(stores, (halves, halves[::-1]), strict=True):
        for rows in order:
            deliver(store, rows, at=NOON)
    assert stores[0].read_transfers().equals(stores[1].read_transfers())
