"""What was known when, what a person noted, details one by one, counts, and tables made anew."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seqdata.exceptions import CorruptFile
from seqdata.sources.schemas import READ_VERSIONS
from seqdata.store import ANNOTATIONS, BALANCES, DETAILS, LEGS, TRANSFER_ROWS, Store
from seqdata.store import rebuild as rebuild_module
from seqdata.store.months import month_path

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
URL = "https://app.example.com"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path)


def open_store(folder: Path) -> Store:
    return Store.open(folder, "org_1", app_url=URL)


def row(id: str, day: str | None = "2026-10-05", **values: Any) -> dict[str, Any]:
    created = None if day is None else datetime.fromisoformat(day).replace(tzinfo=UTC)
    return {"id": id, "created_at": created, **values}


def table(*rows: dict[str, Any], schema: pa.Schema = TRANSFER_ROWS) -> pa.Table:
    return pa.Table.from_pylist([{"organization_id": "org_1", **each} for each in rows], schema)


def values(found: pa.Table, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(each[name] for name in names) for each in found.to_pylist()]


# -- history --------------------------------------------------------------------------------


def test_all_versions_of_a_transfer_are_lined_up(store: Store) -> None:
    """The history of a transfer tells each version and when it held, the present one last."""
    store.upsert_transfers(table(row("a", status="PENDING"), row("b")), seen_at=NOON)
    store.upsert_transfers(table(row("a", "2026-09-05", status="DONE")), seen_at=NOON + HOUR)
    store.mark_removed(["a"], NOON + 2 * HOUR)
    found = store.history_of("a")
    assert found.schema == READ_VERSIONS
    assert values(found, "status", "removed_at", "valid_from", "valid_until") == [
        ("PENDING", None, NOON, NOON + HOUR),
        ("DONE", None, NOON + HOUR, NOON + 2 * HOUR),
        ("DONE", NOON + 2 * HOUR, NOON + 2 * HOUR, None),
    ]
    assert values(store.history_of("b"), "valid_from", "valid_until") == [(NOON, None)]
    assert store.history_of("unheard").num_rows == 0


def test_a_version_cut_short_is_no_version(store: Store) -> None:
    """A write that stopped between history and table leaves one version, the present one."""
    store.upsert_transfers(table(row("a", status="PENDING")), seen_at=NOON)
    path = month_path(store.folder / "transfers", 12 * 2026 + 9)
    before = path.read_bytes()
    store.upsert_transfers(table(row("a", status="DONE")), seen_at=NOON + HOUR)
    path.write_bytes(before)
    assert values(store.history_of("a"), "status", "valid_until") == [("PENDING", None)]
    assert values(store.transfers_as_of(NOON), "status") == [("PENDING",)]


def test_transfers_are_read_as_they_were_known(store: Store) -> None:
    """At a moment, rows seen later are absent, changed ones are as they were, removed ones are
    there until they were missed."""
    store.upsert_transfers(table(row("a", status="PENDING"), row("b")), seen_at=NOON)
    store.upsert_transfers(table(row("a", status="DONE"), row("c")), seen_at=NOON + HOUR)
    store.mark_removed(["b"], NOON + 2 * HOUR)

    def known(moment: datetime, **options: bool) -> list[tuple[Any, ...]]:
        return values(store.transfers_as_of(moment, **options), "id", "status", "last_seen_at")

    assert known(NOON - HOUR) == []
    assert known(NOON) == [("a", "PENDING", NOON), ("b", None, NOON)]
    assert known(NOON + HOUR) == [
        ("a", "DONE", NOON + HOUR),
        ("b", None, NOON),
        ("c", None, NOON + HOUR),
    ]
    assert [id for id, *_ in known(NOON + 2 * HOUR)] == ["a", "c"]
    assert [id for id, *_ in known(NOON + 2 * HOUR, include_removed=True)] == ["a", "b", "c"]


def test_when_a_row_was_seen_before_is_not_made_up(store: Store) -> None:
    """A row seen again later has no last_seen_at in what was known before."""
    for hours in (0, 2):
        store.upsert_transfers(table(row("a")), seen_at=NOON + hours * HOUR)
    assert values(store.transfers_as_of(NOON + HOUR), "last_seen_at") == [(None,)]


def test_versions_of_one_moment_stay_in_order(store: Store) -> None:
    """Removed and seen again at one moment, a row has its versions in the order they came."""
    store.upsert_transfers(table(row("a")), seen_at=NOON)
    store.mark_removed(["a"], NOON)
    store.upsert_transfers(table(row("a")), seen_at=NOON)
    found = store.history_of("a")
    assert [removed is not None for (removed,) in values(found, "removed_at")] == [0, 1, 0]
    assert store.read_transfers().num_rows == 1
    assert found["valid_from"].to_pylist() == sorted(set(found["valid_from"].to_pylist()))


DAYS = st.sampled_from([None, "2026-08-15", "2026-09-01"])
ROWS = st.builds(
    row, st.sampled_from("abcd"), DAYS, status=st.sampled_from(["PENDING", "COMPLETE", None])
)
STEPS = st.lists(
    st.one_of(st.lists(ROWS, max_size=4), st.sets(st.sampled_from("abcd"), max_size=2)),
    min_size=1,
    max_size=6,
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(steps=STEPS)
def test_what_was_known_is_what_was_read(
    tmp_path_factory: pytest.TempPathFactory, steps: Any
) -> None:
    """Whatever changes, moves, vanishes and returns: as of each step, the table is what a reading
    gave then (but for last_seen_at), and as of now it is what a reading gives."""
    store = open_store(tmp_path_factory.mktemp("cache"))
    read = []
    for number, step in enumerate(steps):
        at = NOON + number * HOUR
        if isinstance(step, set):
            store.mark_removed(step, at)
        else:
            store.upsert_transfers(table(*step), seen_at=at)
        read.append((at, store.read_transfers(), store.read_transfers(include_removed=True)))
    for at, present, everything in read:
        for then, removed in ((present, False), (everything, True)):
            known = store.transfers_as_of(at, include_removed=removed)
            assert known.drop_columns("last_seen_at").equals(then.drop_columns("last_seen_at"))
    assert store.transfers_as_of(at).equals(store.read_transfers())
    for id in "abcd":
        versions = store.history_of(id).to_pylist()
        bounds = [(each["valid_from"], each["valid_until"]) for each in versions]
        assert all(one[1] == two[0] for one, two in pairwise(bounds))


# -- counts and selections ------------------------------------------------------------------


def test_counting_reads_no_rows(store: Store) -> None:
    """Transfers are counted by the files' metadata, removed ones too, moved ones once."""
    assert store.count_transfers() == 0
    rows = [row("a"), row("b", "2026-08-01"), row("c", None)]
    store.upsert_transfers(table(*rows), seen_at=NOON)
    store.mark_removed(["a"], NOON)
    assert (store.count_transfers(), store.count_transfers(include_removed=True)) == (2, 3)
    (store.folder / "transfers" / ".moving").touch()
    assert store.count_transfers() == 2
    path = month_path(store.folder / "transfers", 12 * 2026 + 7)
    pq.write_table(pq.ParquetFile(path).read(), path, write_statistics=False)
    (store.folder / "transfers" / ".moving").unlink()
    assert store.count_transfers() == 2
    path.write_bytes(b"no Parquet")
    with pytest.raises(CorruptFile):
        store.count_transfers()


def test_open_transfers_are_those_that_may_change(store: Store) -> None:
    """A row is open unless its status is known to be final, or it was removed."""
    rows = [
        row("a", status="COMPLETE"),
        row("b", "2026-09-01", status="PENDING"),
        row("c", "2026-09-02", status=None),
        row("d", "2026-09-02", status="NEVER_HEARD_OF"),
        row("e", "2026-09-03", status="PENDING"),
    ]
    store.upsert_transfers(table(*rows), seen_at=NOON)
    store.mark_removed(["e"], NOON)
    found = store.open_transfers()
    assert found.column_names == ["id", "created_at", "last_seen_at", "status"]
    assert found["id"].to_pylist() == ["c", "d", "b"]
    (store.folder / "transfers" / ".moving").touch()
    assert store.open_transfers().equals(found)


def test_the_newest_transfer_is_found_in_the_newest_month(store: Store) -> None:
    """Older months are not opened for it; removed transfers do not count."""
    assert store.newest_created_at() is None
    rows = [row("a"), row("b", "2026-09-01"), row("c", "2026-08-01"), row("d", None)]
    store.upsert_transfers(table(*rows), seen_at=NOON)
    assert store.newest_created_at() == datetime(2026, 10, 5, tzinfo=UTC)
    store.mark_removed(["a"], NOON)
    month_path(store.folder / "transfers", 12 * 2026 + 7).write_bytes(b"no Parquet")
    assert store.newest_created_at() == datetime(2026, 9, 1, tzinfo=UTC)


def test_the_ids_of_a_time(store: Store) -> None:
    """The ids between two moments come with their times, until being exclusive."""
    store.upsert_transfers(table(row("a", "2026-10-01"), row("b", "2026-10-02")), seen_at=NOON)
    first = datetime(2026, 10, 1, tzinfo=UTC)
    found = store.ids_between(first, first + 24 * HOUR)
    assert values(found, "id", "created_at", "last_seen_at") == [("a", first, NOON)]


# -- details --------------------------------------------------------------------------------


def detail(id: str, *legs: str, cron: str | None = None) -> tuple[pa.Table, pa.Table]:
    kind = "compound" if legs else "simple"
    steps = [{"id": id, "leg": leg, "expected_on": date(2026, 11, 3)} for leg in legs]
    details = table({"id": id, "kind": kind, "rule_trigger_cron": cron}, schema=DETAILS)
    return details, table(*steps, schema=LEGS)


def test_details_lie_in_the_month_of_their_transfer(store: Store) -> None:
    """Details are filed by month, stay there when the transfer moves, and are found by id."""
    store.upsert_transfers(table(row("a"), row("b", "2026-09-01")), seen_at=NOON)
    for id in ("a", "b", "unheard"):
        store.upsert_details(*detail(id, "pull"))
    store.upsert_transfers(table(row("a", "2026-08-01")), seen_at=NOON)
    store.upsert_details(*detail("a", "push", cron="0 0 * * *"))
    for name in ("details", "legs"):
        files = sorted(path.parent.name for path in (store.folder / name).rglob("*.parquet"))
        assert files == ["month=2026-09", "month=2026-10", "month=unknown"]
    assert values(store.read_details(), "id", "rule_trigger_cron") == [
        ("a", "0 0 * * *"),
        ("b", None),
        ("unheard", None),
    ]
    assert values(store.read_legs(["a", "b", "c"]), "id", "leg") == [("a", "push"), ("b", "pull")]
    assert store.read_details(["b"])["id"].to_pylist() == ["b"]
    assert store.read_details([]).num_rows == 0


def test_a_leg_that_vanished_is_gone(store: Store) -> None:
    """A re-fetch replaces all legs of its transfer and of no other, down to none."""
    store.upsert_details(*detail("a", "pull", "push"))
    store.upsert_details(*detail("b", "pull"))
    store.upsert_details(*detail("a", "push", "reversal"))
    assert values(store.read_legs(), "id", "leg") == [
        ("a", "push"),
        ("a", "reversal"),
        ("b", "pull"),
    ]
    store.upsert_details(*detail("a"))
    assert values(store.read_legs(), "id", "leg") == [("b", "pull")]


@pytest.mark.parametrize("lost", ["index", "note"])
def test_details_are_found_without_their_index(store: Store, lost: str) -> None:
    """The index of details is derived: lost, or not told of a write, it is mended."""
    store.upsert_transfers(table(row("a")), seen_at=NOON)
    store.upsert_details(*detail("b"))
    logs = store.folder / "index" / "details" / "months.log"
    before = logs.read_bytes()
    store.upsert_details(*detail("a", "pull"))
    logs.unlink() if lost == "index" else logs.write_bytes(before)
    store.upsert_transfers(table(row("a", "2026-08-01")), seen_at=NOON)
    store.upsert_details(*detail("a", "push"))
    assert store.read_details()["id"].to_pylist() == ["a", "b"]
    assert values(store.read_legs(), "leg") == [("push",)]


def test_details_of_an_earlier_layout_are_taken_over(store: Store) -> None:
    """What an earlier seqdata kept in one file is read, and filed by month with the next write."""
    store.upsert_transfers(table(row("a"), row("b")), seen_at=NOON)
    for name, rows in zip(("details", "legs"), detail("a", "pull"), strict=True):
        (store.folder / name).mkdir()
        pq.write_table(rows, store.folder / name / "data.parquet")
    assert values(store.read_legs(["a"]), "id", "leg") == [("a", "pull")]
    store.upsert_details(*detail("b", "push"))
    assert values(store.read_legs(), "id", "leg") == [("a", "pull"), ("b", "push")]
    assert store.read_details()["id"].to_pylist() == ["a", "b"]
    assert not (store.folder / "details" / "data.parquet").exists()
    assert not (store.folder / "legs" / "data.parquet").exists()


CHUNKS = st.lists(
    st.dictionaries(
        st.sampled_from("abcdef"),
        st.sets(st.sampled_from(["payment", "pull", "push", "reversal"])),
        max_size=4,
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=20, deadline=None)
@given(chunks=CHUNKS, known=st.sets(st.sampled_from("abcdef")))
def test_legs_equal_a_dict(
    tmp_path_factory: pytest.TempPathFactory, chunks: Any, known: set[str]
) -> None:
    """In whatever portions details come, a transfer has the legs it was last said to have."""
    store = open_store(tmp_path_factory.mktemp("cache"))
    store.upsert_transfers(
        table(*(row(id, f"2026-0{1 + ord(id) % 3}-01") for id in known)), seen_at=NOON
    )
    model: dict[str, set[str]] = {}
    for chunk in chunks:
        parts = [detail(id, *legs) for id, legs in chunk.items()]
        details = pa.concat_tables([DETAILS.empty_table(), *(each[0] for each in parts)])
        store.upsert_details(
            details, pa.concat_tables([LEGS.empty_table(), *(each[1] for each in parts)])
        )
        model.update(chunk)
    assert store.read_details()["id"].to_pylist() == sorted(model)
    expected = sorted((id, leg) for id, legs in model.items() for leg in legs)
    assert values(store.read_legs(), "id", "leg") == expected


# -- by hand --------------------------------------------------------------------------------


def test_notes_are_kept_part_by_part(store: Store) -> None:
    """A note leaves the category as it is and the other way round; an empty text removes."""
    store.annotate("b", note="Dentist")
    store.annotate("a", category="home", note="Rent", at=NOON)
    store.annotate("a", category="housing", at=NOON + HOUR)
    found = store.read_annotations()
    assert found.schema == ANNOTATIONS
    assert values(found, "organization_id", "id", "category", "note") == [
        ("org_1", "a", "housing", "Rent"),
        ("org_1", "b", None, "Dentist"),
    ]
    assert found["annotated_at"].to_pylist()[0] == NOON + HOUR
    store.annotate("a", category="")
    assert values(store.read_annotations(), "category", "note")[0] == (None, "Rent")
    store.annotate("a", note="")
    assert store.read_annotations()["id"].to_pylist() == ["b"]


def balance(cents: int, origin: str) -> dict[str, Any]:
    return {"account_id": "p", "as_of": NOON, "balance_cents": cents, "origin": origin}


def test_a_sync_never_replaces_a_statement(store: Store) -> None:
    """Of one account and moment, a statement stays, whichever came first, until a later one."""
    store.append_balances(table(balance(1, "sync"), schema=BALANCES))
    store.append_balances(table(balance(2, "statement"), balance(3, "sync"), schema=BALANCES))
    store.append_balances(table(balance(4, "sync"), schema=BALANCES))
    assert values(store.read_balances(), "balance_cents", "origin") == [(2, "statement")]
    store.append_balances(table(balance(5, "statement"), schema=BALANCES))
    assert values(store.read_balances(), "balance_cents", "origin") == [(5, "statement")]


# -- made anew ------------------------------------------------------------------------------


def fill(store: Store) -> None:
    """Put something into every table, and into the archive."""
    store.archive.append("page", {}, served_at=NOON)
    store.upsert_transfers(table(row("old", status="PENDING")), seen_at=NOON)
    store.upsert_transfers(table(row("old", status="DONE")), seen_at=NOON + HOUR)
    store.upsert_details(*detail("old", "pull"))
    store.append_balances(table(balance(1, "statement"), schema=BALANCES))
    store.append_balances(
        table({**balance(2, "sync"), "as_of": NOON + HOUR}, schema=BALANCES),
    )
    store.annotate("old", note="mine")


def begin_anew(fresh: Store) -> None:
    assert fresh.read_transfers().num_rows == fresh.read_state().applied_seq == 0
    for record in fresh.archive.records():
        fresh.upsert_transfers(table(row("new")), seen_at=record.served_at)
    state = fresh.read_state()
    fresh.write_state(type(state)(**{**vars(state), "applied_seq": 1}))


def is_old(store: Store) -> bool:
    """Tell old tables from new ones; each must be wholly one or the other."""
    ids = store.read_transfers()["id"].to_pylist()
    facts = (
        ids,
        store.read_history().num_rows,
        store.read_legs().num_rows,
        store.read_balances()["balance_cents"].to_pylist(),
        store.read_state().applied_seq,
    )
    assert facts in ((["old"], 1, 1, [1, 2], 0), (["new"], 0, 0, [1], 1))
    assert store.read_annotations()["note"].to_pylist() == ["mine"]
    assert store.archive.last_seq == 1
    return ids == ["old"]


def tidy(store: Store) -> bool:
    return not [path for path in store.folder.iterdir() if path.name.startswith(".re")]


def test_new_tables_replace_the_old_ones(store: Store) -> None:
    """Until the block ends the old tables are read, then the new ones; archive, notes and
    statements stay, and writing goes on in the new ones."""
    fill(store)
    with store.rebuild_into() as fresh:
        begin_anew(fresh)
        assert is_old(open_store(store.folder.parent))
    assert not is_old(store)
    assert not is_old(open_store(store.folder.parent))
    assert tidy(store)
    report = store.upsert_transfers(table(row("new", "2026-01-01")), seen_at=NOON)
    assert report.moved == ("new",)


def test_new_tables_that_fail_leave_the_old_ones(store: Store) -> None:
    """An interrupt while tables are made anew changes nothing."""
    fill(store)
    with pytest.raises(KeyboardInterrupt), store.rebuild_into() as fresh:
        begin_anew(fresh)
        raise KeyboardInterrupt
    assert is_old(store)
    assert tidy(store)


def test_a_crash_leaves_the_old_tables_or_the_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut off before any of the steps that put new tables in their place, the next to open the
    cache finds wholly the old tables or wholly the new ones, and no rest of the others."""
    fill(open_store(tmp_path / "whole"))
    seen = []
    for cut in range(60):
        shutil.copytree(tmp_path / "whole", tmp_path / str(cut))
        store = open_store(tmp_path / str(cut))
        with monkeypatch.context() as patch:
            whole = _power_until(patch, cut)
            try:
                with store.rebuild_into() as fresh:
                    begin_anew(fresh)
                    whole.begin()
            except SystemError:
                pass
        again = open_store(tmp_path / str(cut))
        seen.append(is_old(again))
        with again.lock():
            assert tidy(again)
        again.upsert_transfers(table(row("later")), seen_at=NOON)
        if whole.left > 0:
            break
    else:
        pytest.fail("more steps than expected")
    assert seen == sorted(seen, reverse=True)
    assert seen[0]
    assert not seen[-1]


class _Power:
    """A power supply that fails before the n-th renaming or removal."""

    def __init__(self, steps: int) -> None:
        self.left, self._on = steps, False

    def begin(self) -> None:
        self._on = True

    def use(self) -> None:
        if self._on:
            self.left -= 1
            if self.left < 0:
                raise SystemError("no power")


def _power_until(patch: pytest.MonkeyPatch, steps: int) -> _Power:
    power = _Power(steps)
    rename, rmtree = Path.rename, rebuild_module.shutil.rmtree

    def failing_rename(path: Path, target: Path) -> Path:
        power.use()
        return rename(path, target)

    def failing_rmtree(path: Path) -> None:
        power.use()
        rmtree(path)

    patch.setattr(Path, "rename", failing_rename)
    patch.setattr(rebuild_module.shutil, "rmtree", failing_rmtree)
    return power
