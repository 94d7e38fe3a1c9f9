"""The record: what is published from it, what it outlasts, and how it is taken up from tables."""

from __future__ import annotations

import json
import logging
import shutil
import sqlite3
import zlib
from collections.abc import Callable
from contextlib import closing, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from full_disk import full_disk
from hypothesis import given
from hypothesis import strategies as st
from store_kit import (
    HOUR,
    LAWS,
    NOON,
    READ,
    TABLES,
    URL,
    check_tables,
    deliver,
    detail,
    details_of,
    everything,
    files,
    ids,
    kept,
    open_store,
    page_of,
    recorded,
    row,
    shown,
    table,
    values,
)
from trust import leftovers

from seqdata.exceptions import (
    CorruptFile,
    FolderNotWritable,
    ForeignTables,
    RecordTooNew,
    TablesNotWritten,
)
from seqdata.sources.base import Bodies, Page, Snapshot, TransferDetails
from seqdata.sources.rows import rows_of
from seqdata.sources.schemas import ACCOUNT_ROWS, ANNOTATIONS, BALANCES
from seqdata.store import Store, SyncState, Unfinished
from seqdata.store.known import known_organizations
from seqdata.store.months import month_path
from seqdata.store.publishing import waiting_tables
from seqdata.store.record import Connection, connect, mark_changed, write_facts


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with something in every table."""
    folder = tmp_path_factory.mktemp("original")
    fill(open_store(folder))
    return folder


@pytest.fixture
def filled(original: Path, tmp_path: Path) -> Store:
    shutil.copytree(original, tmp_path, dirs_exist_ok=True)
    return open_store(tmp_path)


def said(*rows: dict[str, Any]) -> Bodies:
    return kept(*({"said": each["id"]} for each in rows))


def snapshot(number: int, *accounts: tuple[str, str]) -> Snapshot:
    """Accounts by id and name, with their balances, at an hour."""
    at = NOON + number * HOUR
    listed = [{"id": id, "name": name, "kind": "pod", "goal_cents": 5} for id, name in accounts]
    balances = [
        {"account_id": id, "as_of": at, "balance_cents": number // 2, "origin": "sync"}
        for id, _ in accounts
    ]
    rows, seen = table(*listed, schema=ACCOUNT_ROWS), table(*balances, schema=BALANCES)
    return Snapshot(rows_of(rows), rows_of(seen), served_at=at, bodies=said(*listed))


def page(number: int, *rows: dict[str, Any]) -> Page:
    at = NOON + number * HOUR
    return page_of(table(*rows), at=at, bodies=said(*rows))


def learned(number: int, given: dict[str, Any], *legs: str) -> TransferDetails:
    at = NOON + number * HOUR
    return details_of(table(given), *detail(given["id"], *legs, at=at), bodies=said(given))


PAID = {"source_id": "p", "source_party": "pod", "source_name": "Rent"}
FIRST = [row("a", state="open", **PAID), row("b", "2026-09-01"), row("c", None, state="open")]
COMPOUND = row("d", "2026-08-31T23:59:59.999999", state="open")


def fill(store: Store) -> None:
    """Put something into every table: changes, moves, removals, notes, and a sync cut short."""
    with store.lock():
        run = store.begin_run(source="webapp", at=NOON)
        store.take(snapshot(0, ("p", "Rent"), ("q", "Car")), run=run)
        store.take(page(0, *FIRST), run=run)
        store.take(learned(0, COMPOUND, "payment"))
        store.note_run(run, kind="first", read_at=NOON, ended_at=NOON, asked=json.dumps(["d"]))
    with store.lock():
        store.begin_run(source="webapp", at=NOON + HOUR)
        store.take(snapshot(1, ("p", "Home")))
        moved = {**FIRST[0], "created_at": FIRST[1]["created_at"], "state": "settled"}
        store.take(page(1, moved, row("e")))
        store.take(learned(1, {**COMPOUND, "state": "settled"}, "pull", "push"))
        store.take(learned(1, row("e"), "push"))
        store.mark_removed(["b"], NOON + HOUR)
        first = Unfinished(cursor="next", newest=NOON, oldest=NOON, started_at=NOON, pages=2)
        store.take(page(2, row("f", amount_cents=-5)), SyncState(unfinished=first))
    store.take(snapshot(4, ("p", "Home")))
    store.take(learned(4, row("e"), "push"))
    store.annotate("a", category="home", note="Épargne 🐷", at=NOON)
    store.add_statement("p", NOON + 5 * HOUR, 7)


# -- a column that came later ---------------------------------------------------------------


@pytest.mark.parametrize("is_lost", [False, True], ids=["with its record", "record lost"])
def test_tables_of_before_a_column_are_read(tmp_path: Path, is_lost: bool) -> None:
    """Files without a column that came later are published anew, or taken up without it."""
    store = open_store(tmp_path)
    store.annotate("a", note="mine", at=NOON)
    path = store.folder / "annotations" / "data.parquet"
    kept = pq.read_table(path)
    pq.write_table(kept.drop_columns(["split"]), path)
    if is_lost:
        store.record.path.unlink()
    found = open_store(tmp_path).read_annotations()
    assert values(found, "id", "note", "split") == [("a", "mine", None)]
    assert pq.read_table(path).schema.names == ANNOTATIONS.names


# -- publishing -----------------------------------------------------------------------------

ACCOUNTS = st.dictionaries(st.sampled_from("pq"), st.sampled_from(["Rent", "Home"]), max_size=2)
TRANSFERS = st.builds(
    row,
    st.sampled_from("abc"),
    st.sampled_from([None, "2026-08-15", "2026-09-01"]),
    state=st.sampled_from(["open", "settled"]),
    source_id=st.sampled_from("pq"),
    source_party=st.sampled_from(["pod", "merchant"]),
    source_name=st.sampled_from(["Rent", "Home", None]),
)
LEGS = st.lists(st.sampled_from(["pull", "push"]), unique=True)
STEPS = st.lists(
    st.one_of(
        ACCOUNTS,
        st.lists(TRANSFERS, max_size=3),
        st.tuples(TRANSFERS, LEGS),
        st.sampled_from("abc"),
        st.none(),
    ),
    min_size=1,
    max_size=6,
)


def do(store: Store, number: int, step: Any) -> None:
    if isinstance(step, dict):
        store.take(snapshot(number, *step.items()))
    elif isinstance(step, list):
        store.take(page(number, *step))
    elif isinstance(step, tuple):
        store.take(learned(number, step[0], *step[1]))
    elif isinstance(step, str):
        store.mark_removed([step], NOON + number * HOUR)
    else:
        store.publish()


@LAWS
@given(steps=STEPS)
def test_the_tables_are_what_the_record_says(
    tmp_path_factory: pytest.TempPathFactory, steps: Any
) -> None:
    """Whatever is taken in, in whatever order, and published whenever, the files that lie there
    hold what the record would give anew, and no file is left beside them."""
    store = open_store(tmp_path_factory.mktemp("data"))
    store.write_state(SyncState())
    for number, step in enumerate(steps):
        do(store, number, step)
    store.publish()
    published = shown(store)
    check_tables(store)
    assert not store.publish()
    shutil.rmtree(store.folder)
    store.publish()
    assert shown(store) == published


@LAWS
@given(steps=STEPS)
def test_a_lost_record_is_taken_up_whatever_was_in_it(
    tmp_path_factory: pytest.TempPathFactory, steps: Any
) -> None:
    """Whatever was taken in, a record that is taken up from its tables tells the same."""
    folder = tmp_path_factory.mktemp("data")
    store = open_store(folder)
    store.write_state(SyncState())
    for number, step in enumerate(steps):
        do(store, number, step)
    before = everything(store)
    shutil.rmtree(store.ledger_folder)
    assert everything(open_store(folder)) == before


def test_removed_tables_cost_one_publishing(filled: Store) -> None:
    """When the tables' folder was removed, the next reader makes all of it again, the same."""
    before, lying, names = everything(filled), shown(filled), files(filled)
    assert {name for name, rows in lying.items() if rows} == {*TABLES}
    shutil.rmtree(filled.folder)
    assert everything(filled) == before
    assert shown(filled) == lying
    assert files(filled) == names


def _other_columns(path: Path) -> None:
    pq.write_table(pq.ParquetFile(path).read().drop_columns(["organization_id"]), path)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "gone": Path.unlink,
    "folder gone": lambda path: shutil.rmtree(path.parent),
    "empty": lambda path: path.write_bytes(b""),
    "torn": lambda path: path.write_bytes(path.read_bytes()[:-9]),
    "a bit flipped": lambda path: path.write_bytes(
        path.read_bytes()[:6] + bytes([path.read_bytes()[6] ^ 1]) + path.read_bytes()[7:]
    ),
    "other columns": _other_columns,
}


def test_a_missing_table_is_made_again(filled: Store) -> None:
    """When a whole table was taken away, it is read and lies there as before."""
    before, lying = everything(filled), shown(filled)
    for name in READ:
        shutil.rmtree(filled.folder / name)
        assert everything(filled) == before, name
        assert shown(filled) == lying, name


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_missing_or_damaged_file_is_made_again(filled: Store, damage: str) -> None:
    """A file that was taken away or damaged is read, and lies there, as before."""
    before, lying = everything(filled), shown(filled)
    for name in READ:
        path = sorted((filled.folder / name).rglob("*.parquet"))[0]
        DAMAGE[damage](path)
    assert everything(filled) == before
    assert shown(filled) == lying


@pytest.mark.parametrize("note", ["gone", "half"])
def test_a_lost_note_costs_one_publishing(filled: Store, note: str) -> None:
    """Without the note beside the tables, or with half of one, all is published anew."""
    before, lying = everything(filled), shown(filled)
    path = filled.folder / ".published.json"
    path.unlink() if note == "gone" else path.write_bytes(path.read_bytes()[:20])
    assert everything(filled) == before
    assert shown(filled) == lying
    assert path.exists()


def test_an_older_copy_of_the_tables_is_brought_up(tmp_path: Path, filled: Store) -> None:
    """When the tables' folder is put back as it was some time ago, it is made as the record is."""
    shutil.copytree(filled.folder, tmp_path / "copy")
    deliver(filled, table(row("f", "2026-01-01"), row("new")), at=NOON + 9 * HOUR)
    filled.annotate("a", note="newer", at=NOON)
    before = everything(filled)
    shutil.rmtree(filled.folder)
    shutil.copytree(tmp_path / "copy", filled.folder)
    assert everything(open_store(tmp_path)) == before
    check_tables(filled)


def test_a_table_is_made_whole_as_it_is_made_by_month(filled: Store) -> None:
    """What the record gives of all times at once is what its months give one by one."""
    filled.read_transfers()
    assert recorded(filled, *TABLES) == shown(filled)


def test_where_tables_cannot_be_written_the_record_is_read(
    tmp_path: Path, filled: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """Where a file stands in the way of the tables' folder, a reader reads the same rows, a note is
    kept, and a sync says that the record has what it read."""
    before = everything(filled)
    (tmp_path / "elsewhere").write_text("in the way")
    other = open_store(tmp_path, cache_dir=tmp_path / "elsewhere")
    assert everything(other) == before
    with pytest.raises(TablesNotWritten, match="is kept in the record"), other.lock():
        deliver(other, table(row("new")), at=NOON)
    with caplog.at_level(logging.WARNING):
        other.annotate("new", note="mine")
    assert "tables could not be written" in caplog.text
    assert "mine" in other.read_annotations()["note"].to_pylist()
    assert other.has_transfer("new")
    assert filled.read_transfers().num_rows == before["transfers"].num_rows  # one is removed


def test_tables_can_lie_elsewhere(tmp_path: Path, filled: Store) -> None:
    """Given another folder for them, the tables are published there, the same."""
    other = open_store(tmp_path, cache_dir=tmp_path / "elsewhere")
    assert everything(other) == everything(filled)
    assert other.folder == tmp_path / "elsewhere" / "org_1"
    assert shown(other) == shown(filled)


# -- whose tables they are ------------------------------------------------------------------


def test_tables_of_another_record_are_refused_by_name(tmp_path: Path) -> None:
    """A folder that holds another record's tables is named, and left as it is."""
    theirs = open_store(tmp_path / "theirs")
    theirs.annotate("a", note="theirs")
    lying = {path: path.read_bytes() for path in files(theirs)}
    open_store(tmp_path / "mine").annotate("a", note="mine")
    mine = open_store(tmp_path / "mine", cache_dir=tmp_path / "theirs" / "cache")
    for use in (mine.read_annotations, mine.publish, lambda: mine.annotate("b", note="mine")):
        with pytest.raises(ForeignTables, match=str(theirs.folder)):
            use()
    assert {path: path.read_bytes() for path in files(theirs)} == lying
    assert theirs.read_annotations()["note"].to_pylist() == ["theirs"]
    own = open_store(tmp_path / "mine")
    assert own.read_annotations()["note"].to_pylist() == ["mine", "mine"]


# -- a record that cannot be used -----------------------------------------------------------


def lose(store: Store) -> None:
    """Lose the record."""
    shutil.rmtree(store.ledger_folder)


def test_a_lost_record_is_taken_up_from_the_tables(tmp_path: Path, filled: Store) -> None:
    """All that the tables tell is in the record again: versions, notes, statements, syncs, how
    far the last came."""
    before, lying = everything(filled), shown(filled)
    lose(filled)
    again = open_store(tmp_path)
    assert again.exists
    assert everything(again) == before
    assert shown(again) == lying
    check_tables(again)
    assert leftovers(tmp_path) == []


def test_a_lost_record_has_its_evidence_but_for_what_was_said(
    tmp_path: Path, filled: Store
) -> None:
    """Of each version of transfers and accounts it is known again who said it and when it held."""
    unasked = {"said", "run"}

    def told(store: Store) -> list[dict[str, Any]]:
        found = [each for id in "abcdefpq" for each in store.evidence(id)]
        found = [each for each in found if each["stream"] != "details"]
        return sorted(
            ({name: each[name] for name in each if name not in unasked} for each in found), key=repr
        )

    before = told(filled)
    filled.read_transfers()
    lose(filled)
    assert told(open_store(tmp_path)) == before


def test_a_lost_record_goes_on_where_it_was(tmp_path: Path, filled: Store) -> None:
    """Delivered once more to a record that was taken up, what is unchanged leaves no version, and
    a new sync has a number of its own."""
    filled.read_transfers()
    lose(filled)
    again = open_store(tmp_path)
    history = again.read_history()
    again.take(snapshot(6, ("p", "Home")))
    again.take(page(6, row("e"), row("f", amount_cents=-5), FIRST[2]))
    again.take(learned(6, {**COMPOUND, "state": "settled"}, "pull", "push"))
    again.take(learned(6, row("e"), "push"))
    assert again.read_history().equals(history)
    assert [len(again.evidence(id)) for id in "cdefp"] == [1, 4, 2, 1, 2]
    assert again.begin_run(source="webapp", at=NOON) == 3
    deliver(again, table(row("f", amount_cents=6)), at=NOON + 7 * HOUR)
    assert again.history_of("f")["amount_cents"].to_pylist() == [-5, 6]


def test_legs_in_any_order_are_the_same_after_taking_up(tmp_path: Path, store: Store) -> None:
    """Details whose legs are said in another order than the alphabet's are no news afterwards."""
    store.take(learned(0, row("a"), "push", "pull"))
    store.read_legs()
    lose(store)
    again = open_store(tmp_path)
    again.take(learned(0, row("a"), "push", "pull"))
    assert [each["stream"] for each in again.evidence("a")] == ["details", "transfers"]


def test_a_record_is_taken_up_from_half_a_publication(tmp_path: Path, store: Store) -> None:
    """Lost while a row lay in two months, because a writer was killed between them, a record has
    the row once again, in its later version."""
    deliver(store, table(row("a", "2026-09-01"), row("b", "2026-09-02")), at=NOON)
    old = month_path(store.folder / "transfers", "2026-09")
    before = old.read_bytes()
    deliver(store, table(row("a", "2026-10-01")), at=NOON + HOUR)
    old.write_bytes(before)
    note = store.folder / ".published.json"
    note.write_text(note.read_text().replace('"going_on": false', '"going_on": true'))
    lose(store)
    again = open_store(tmp_path)
    assert ids(again.read_transfers()) == ["a", "b"]
    assert values(again.history_of("a"), "valid_from") == [(NOON,), (NOON + HOUR,)]
    check_tables(again)


def test_tables_that_cannot_be_read_are_not_taken_up(tmp_path: Path, filled: Store) -> None:
    """Where one of them is damaged, it is named, no record is made, and the others stay."""
    filled.read_transfers()
    path = filled.folder / "balances" / "data.parquet"
    path.write_bytes(b"no Parquet")
    others = {each: each.read_bytes() for each in files(filled) if each != path}
    lose(filled)
    with pytest.raises(CorruptFile) as caught:
        open_store(tmp_path)
    assert caught.value.path == path
    assert not filled.record.exists
    assert {each: each.read_bytes() for each in files(filled) if each != path} == others
    assert leftovers(tmp_path) == []


def _deeply(path: Path) -> None:
    """Damage what is in the record, but not what it says about itself."""
    content = path.read_bytes()
    cut = 5 * 4096
    assert len(content) > 2 * cut
    path.write_bytes(content[:cut] + b"\xee" * (len(content) - cut))


UNREADABLE: dict[str, Callable[[Path], object]] = {
    "no database": lambda path: path.write_bytes(b"no database"),
    "empty": lambda path: path.write_bytes(b""),
    "torn": lambda path: path.write_bytes(path.read_bytes()[:5000]),
}


@pytest.mark.parametrize("damage", UNREADABLE)
def test_an_unreadable_record_is_kept_aside_and_taken_up(
    tmp_path: Path, filled: Store, damage: str
) -> None:
    """A record that cannot be read stays under another name, and its tables make a new one."""
    before = everything(filled)
    UNREADABLE[damage](filled.record.path)
    content = filled.record.path.read_bytes()
    again = open_store(tmp_path)
    assert everything(again) == before
    check_tables(again)
    (aside,) = filled.ledger_folder.glob("ledger.db.unreadable-*")
    assert aside.read_bytes().startswith(content)
    assert everything(open_store(tmp_path)) == before
    assert len([*filled.ledger_folder.glob("ledger.db.unreadable-*")]) == 1


def test_a_record_with_damage_inside_is_taken_up_by_the_next(tmp_path: Path, filled: Store) -> None:
    """Damaged where it holds its versions, a record is named by whoever meets that, and taken up
    when it is opened next."""
    before = everything(filled)
    _deeply(filled.record.path)
    with pytest.raises(CorruptFile, match="next opens it"):
        open_store(tmp_path).evidence("a")
    again = open_store(tmp_path)
    assert everything(again) == before
    assert again.record.check() is None


def test_a_record_of_a_newer_seqdata_is_refused(tmp_path: Path, filled: Store) -> None:
    """A record that a newer seqdata wrote is named with its version, and nothing is changed."""
    filled.read_transfers()
    with filled.record.writing() as db:
        write_facts(db, {"version": 99})
    content, lying = filled.record.path.read_bytes(), shown(filled)
    with pytest.raises(RecordTooNew, match="99"):
        open_store(tmp_path)
    for use in (filled.read_transfers, lambda: filled.annotate("a", note="x"), filled.publish):
        with pytest.raises(RecordTooNew, match="99"):
            use()
    assert filled.record.path.read_bytes() == content
    assert shown(filled) == lying


@pytest.mark.parametrize("may_write", [True, False], ids=["writable", "read only"])
@pytest.mark.parametrize("version", [2, 3])
def test_a_record_of_an_earlier_seqdata_is_read_on(
    tmp_path: Path, filled: Store, version: int, may_write: bool
) -> None:
    """A record of each earlier layout shows the same tables and the same evidence, where it can be
    brought up to today's and where it cannot."""
    before, evidence = everything(filled), filled.evidence("a")
    assert any(each["said"] for each in evidence)
    _as_of_version(filled.record.path, version)
    again = Store.open(tmp_path, "org_1", app_url=URL, connect=connect if may_write else _read_only)
    assert again.evidence("a") == evidence
    assert everything(again) == before
    found = again.record.facts()["version"]
    assert (found > version) == may_write


def _as_of_version(path: Path, version: int) -> None:
    """Bring a record back to the layout of a version."""
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("ALTER TABLE versions ADD COLUMN body BLOB")
        told = "SELECT seq, body, place FROM versions JOIN answers ON number = answer"
        for seq, body, place in db.execute(told.replace("body", "answers.body")).fetchall():
            one = json.dumps(json.loads(zlib.decompress(body))[place]).encode()
            db.execute("UPDATE versions SET body = ? WHERE seq = ?", (zlib.compress(one), seq))
        for column in ("answer", "place"):
            db.execute(f"ALTER TABLE versions DROP COLUMN {column}")
        db.execute("DROP TABLE answers")
        if version < 3:
            db.execute("DROP TABLE doubts")
        db.execute("UPDATE facts SET value = ? WHERE name = 'version'", (version,))


def _read_only(path: Path) -> Connection:
    address = f"{path.absolute().as_uri()}?mode=ro"
    return sqlite3.connect(address, uri=True, isolation_level=None)


# -- all of it or nothing -------------------------------------------------------------------


@pytest.mark.parametrize("is_sync", [False, True], ids=["alone", "in a sync"])
def test_an_error_of_the_caller_leaves_the_record_as_it_was(filled: Store, is_sync: bool) -> None:
    """What one raises while the record is written is raised as it is, and nothing was written."""
    before, facts = everything(filled), filled.record.facts()
    with filled.lock() if is_sync else nullcontext():
        for error in (ValueError("mine"), KeyboardInterrupt(), OSError(5, "mine")):
            with pytest.raises(type(error)) as caught, filled.record.writing() as db:
                db.execute("DELETE FROM versions")
                mark_changed(db, ["accounts"])
                raise error
            assert caught.value is error
            assert filled.record.facts() == facts
    assert everything(filled) == before


def test_a_full_disk_leaves_the_record_as_it_was(tmp_path: Path, filled: Store) -> None:
    """On a full disk a write is refused by the folder's name, nothing of it is there, and it can
    be repeated when there is room."""
    before = everything(filled)
    many = table(*(row(f"n{number}", description="x" * 200) for number in range(500)))
    with full_disk(8192), pytest.raises(FolderNotWritable) as caught:
        deliver(filled, many, at=NOON)
    assert caught.value.folder == filled.ledger_folder
    assert filled.record.check() is None
    assert everything(open_store(tmp_path)) == before
    assert deliver(filled, many, at=NOON).added == 500
    check_tables(filled)


def test_a_full_disk_leaves_no_half_of_a_record(tmp_path: Path, store: Store) -> None:
    """Where a record cannot be made for want of room, none is there, nor a temporary file."""
    with full_disk(8192), pytest.raises(FolderNotWritable):
        store.annotate("a", note="mine")
    assert not store.exists
    assert leftovers(tmp_path) == []
    store.annotate("a", note="mine")
    assert ids(open_store(tmp_path).read_annotations()) == ["a"]


def test_a_long_stretch_of_work_keeps_one_moment(filled: Store) -> None:
    """Whoever reads the record while another writes it sees it as it was at the beginning."""
    later = NOON + timedelta(days=9)
    with filled.record.reading() as db:
        before = next(db.execute("SELECT count(*) FROM versions"))
        deliver(open_store(filled.folder.parents[1]), table(row("new")), at=later)
        assert next(db.execute("SELECT count(*) FROM versions")) == before
    assert filled.has_transfer("new")


@pytest.mark.parametrize(
    ("before", "after"), [("2026-09-05", "2026-10-05"), ("2026-10-05", "2026-09-05")]
)
def test_a_row_comes_to_its_new_month_before_it_leaves_the_old(
    tmp_path: Path, before: str, after: str
) -> None:
    """Whoever reads the files alone while a row moves may meet it twice, and never misses it."""
    store = open_store(tmp_path)
    others = [row("s", "2026-09-01"), row("o", "2026-10-01")]
    deliver(store, table(row("a", before), *others), at=NOON)
    with store.lock():
        store.take(page(1, row("a", after)))
        with store.record.reading() as db:
            waiting = waiting_tables(db)
    came, left = (f"transfers/month={day[:7]}".replace("month=", "") for day in (after, before))
    assert waiting.index(came) < waiting.index(left)
    assert waiting.index("transfer_history/2026-11") < waiting.index(came)


# -- copies and restored backups ------------------------------------------------------------------


def test_an_older_record_that_was_put_back_shows_each_row_once(tmp_path: Path) -> None:
    """With a backup of the record and newer tables, the tables become what the record says."""
    store = open_store(tmp_path)
    deliver(store, table(row("a"), row("b")), at=NOON)
    kept = store.record.path.read_bytes()
    deliver(store, table(row("a", "2026-09-01"), row("c")), at=NOON + HOUR)
    store.record.path.write_bytes(kept)
    again = open_store(tmp_path)
    assert ids(again.read_transfers()) == ["a", "b"]
    check_tables(again)


def test_a_copy_of_a_folder_is_no_organization(tmp_path: Path) -> None:
    """A backup beside the record is neither read with it nor taken for it."""
    store = open_store(tmp_path)
    deliver(store, table(row("a")), at=NOON)
    shutil.copytree(store.ledger_folder, store.ledger_folder.with_name("org_1.bak"))
    (known,) = known_organizations(tmp_path, tmp_path / "cache")
    assert {folder.name for folder in known.folders} == {"org_1"}


def test_a_record_of_another_organization_is_refused(tmp_path: Path) -> None:
    """A file that was copied from another organization's folder is named, and stays."""
    other = open_store(tmp_path, "org_2")
    deliver(other, table(row("x")), at=NOON)
    folder = tmp_path / "ledgers" / "org_1"
    shutil.copytree(other.ledger_folder, folder)
    with pytest.raises(ForeignTables, match="org_2"):
        open_store(tmp_path)
    assert (folder / "ledger.db").exists()


def test_a_log_that_a_dead_program_left_is_not_replayed_into_a_new_record(
    tmp_path: Path, filled: Store
) -> None:
    """Where the record alone was removed, what SQLite left beside it does not spoil the next."""
    filled.read_transfers()
    before = everything(filled)
    for path in filled.record.beside():
        path.write_bytes(b"left by a program that died")
    filled.record.path.unlink()
    again = open_store(tmp_path)
    assert again.record.check() is None
    assert everything(again) == before


def test_tables_that_nobody_took_over_are_not_written_over(tmp_path: Path) -> None:
    """Tables of the first version that appear where a record already is are named, and stay."""
    store = open_store(tmp_path)
    store.annotate("a", note="mine", at=NOON)
    shutil.rmtree(store.folder)
    shutil.copytree(Path(__file__).parent / "first_version" / "tables", store.folder)
    before = {path: path.read_bytes() for path in files(store)}
    with pytest.raises(ForeignTables, match="first version"):
        open_store(tmp_path).read_transfers()
    assert {path: path.read_bytes() for path in files(store)} == before


def test_a_note_with_half_a_letter_stops_nothing(tmp_path: Path) -> None:
    """What no file can hold of a note is replaced, and tables are read on."""
    store = open_store(tmp_path)
    deliver(store, table(row("a")), at=NOON)
    store.annotate("a", note="n\ud83d", category="\ud83dFun", at=NOON)
    (noted,) = open_store(tmp_path).read_annotations().to_pylist()
    assert (noted["note"], noted["category"]) == ("n?", "?Fun")
