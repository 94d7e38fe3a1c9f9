"""What lies on the disk: rights, wholeness, lock, state, and other programs that read it."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from store_kit import (
    HOUR,
    NOON,
    URL,
    check_tables,
    child,
    deliver,
    deliver_details,
    detail,
    files,
    ids,
    line,
    open_store,
    row,
    table,
    values,
)
from trust import SOAK, leftovers
from waiting import PATIENCE

from seqdata.core.files import (
    make_private_folder,
    read_json,
    remove_leftovers,
    replacing,
    write_bytes,
    write_json,
)
from seqdata.exceptions import CacheLocked, CorruptFile, FolderNotWritable, ForeignCache
from seqdata.store import SyncState, Unfinished
from seqdata.store.known import forget_organization, known_organizations

# -- files ----------------------------------------------------------------------------------


def test_every_file_is_private(tmp_path: Path) -> None:
    """Files are 0600 in folders of 0700, whatever the umask, and git is told to ignore them."""
    data = tmp_path / "data"
    old = os.umask(0)
    try:
        store = open_store(data)
        deliver(store, table(row("a")), at=NOON)
        deliver_details(store, table(row("a")), *detail("a", "pull"))
        store.annotate("a", note="mine")
        with store.lock(), store.record.kept_open():
            store.mark_removed(["a"], NOON)
            paths = {*data.rglob("*")}
        paths |= {*data.rglob("*")}
    finally:
        os.umask(old)
    names = {path.name for path in paths}
    assert names >= {"ledger.db", "ledger.db-wal", "data.parquet", ".published.json"}
    for path in paths:
        if path.exists():
            expected = 0o700 if path.is_dir() else 0o600
            assert path.stat().st_mode & 0o777 == expected, path
    for folder in (store.folder, store.ledger_folder):
        assert (folder / ".gitignore").read_text() == "*\n"


def test_files_that_are_there_while_one_writes_are_private(tmp_path: Path) -> None:
    """What SQLite leaves beside the record while it is at work is its owner's alone."""
    old = os.umask(0)
    try:
        store = open_store(tmp_path)
        with store.lock():
            deliver(store, table(row("a")), at=NOON)
            beside = [path for path in store.record.beside() if path.exists()]
            assert beside
            assert {path.stat().st_mode & 0o777 for path in beside} == {0o600}
    finally:
        os.umask(old)


def test_at_rest_a_record_is_one_file(tmp_path: Path) -> None:
    """When nobody is at work, all of the record is in its one file, and nothing is left over."""
    store = open_store(tmp_path)
    with store.lock():
        deliver(store, table(row("a")), at=NOON)
    store.annotate("a", note="mine")
    store.read_transfers()
    there = {path.name for path in store.ledger_folder.iterdir()}
    assert there == {"ledger.db", ".gitignore", ".lock"}
    assert leftovers(tmp_path) == []


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    """A write that fails half-way leaves the old content and no temporary file."""
    path = tmp_path / "file.json"
    write_bytes(path, b"old")

    def fail() -> None:
        with replacing(path) as stream:
            stream.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """Where a file stands in the way, the error names the folder and the reason."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FolderNotWritable) as caught:
        write_bytes(tmp_path / "file" / "data.bin", b"")
    assert caught.value.folder == tmp_path / "file"
    with pytest.raises(FolderNotWritable):
        deliver(open_store(tmp_path / "file"), table(row("a")), at=NOON)


def test_an_existing_folder_is_left_as_it_is(tmp_path: Path) -> None:
    """A folder that was there before keeps its rights and gets no .gitignore."""
    (tmp_path / "mine").mkdir(mode=0o755)
    make_private_folder(tmp_path / "mine")
    assert (tmp_path / "mine").stat().st_mode & 0o777 == 0o755
    assert list((tmp_path / "mine").iterdir()) == []


def test_long_names_can_be_written(tmp_path: Path) -> None:
    """A file name as long as the file system allows is no trouble for the temporary one."""
    path = tmp_path / ("🐷" * 63)
    write_bytes(path, b"x")
    assert path.read_bytes() == b"x"


def test_json_survives(tmp_path: Path) -> None:
    """JSON comes back as it was written, and what is no JSON says so with the remedy."""
    write_json(tmp_path / "a.json", {"name": "Épargne 🐷", "n": [1, None]})
    assert read_json(tmp_path / "a.json", remedy="") == {"name": "Épargne 🐷", "n": [1, None]}
    write_bytes(tmp_path / "b.json", b'{"half": ')
    with pytest.raises(CorruptFile, match="Do this"):
        read_json(tmp_path / "b.json", remedy="Do this.")


# -- a writer that dies, and one that is at work ------------------------------------------------

#: Children that write until their time is over, which kills them wherever they are. Each tells
#: the number of what it wrote; rows change with each, and move from month to month.
WRITERS = """
    import json, os, signal, sys
    from contextlib import nullcontext
    from datetime import UTC, datetime, timedelta
    from pathlib import Path
    import filelock
    import pandas  # pyarrow needs it, and what is killed is a writing, no import
    from seqdata.core.moments import micros
    from seqdata.sources.base import Page
    from seqdata.store import Store

    NOON = datetime(2026, 11, 1, tzinfo=UTC)

    def write(number, is_sync, seconds):
        if seconds:
            signal.setitimer(signal.ITIMER_REAL, seconds)
        store = Store.open(Path(sys.argv[1]), "org_1", app_url="https://app.example.com")
        with store.lock() if is_sync else nullcontext():
            while True:
                rows = [
                    {"id": f"t{i}", "amount_cents": number,
                     "created_at": micros(NOON - timedelta(days=31 * ((number + i) % 3)))}
                    for i in range(12)
                ]
                store.take(Page(rows, "", False, served_at=NOON + timedelta(seconds=number)))
                os.write(1, b"%d\\n" % number)  # whole, or not at all
                number += 1
                if is_sync and number % 3 == 0:
                    store.publish(wait=60.0)

    for line in sys.stdin:
        if (pid := os.fork()) == 0:
            write(*json.loads(line))
        print("died", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""

IDS = sorted(f"t{i}" for i in range(12))


def test_a_killed_writer_leaves_whole_tables_and_a_whole_record(tmp_path: Path) -> None:
    """Killed at any instant, a writer leaves each row once, in the version it told of or the one
    after, with all versions before it, and tables that are what the record says."""
    chance = random.Random(7)
    told, killed, longest = -1, 0, 0.25
    with child(WRITERS, tmp_path) as process:
        assert process.stdin is not None
        while killed < (100 if SOAK else 10) or told <= 10:
            is_sync, before = "true" if killed % 2 else "false", told
            process.stdin.write(f"[{told + 1}, {is_sync}, {chance.uniform(0.001, longest)}]\n")
            process.stdin.flush()
            while (said := line(process)).isdigit():
                told = int(said)
            assert said == "died -14"
            store = open_store(tmp_path)
            found = values(store.read_transfers(), "id", "amount_cents")
            assert sorted(id for id, _ in found) == (IDS if found or told >= 0 else [])
            amounts = {cents for _, cents in found}
            assert amounts <= {told, told + 1}
            assert len(amounts) <= 1
            told = max(amounts, default=told)
            assert store.read_history().num_rows == max(told, 0) * len(IDS)
            if store.exists:
                check_tables(store)
                assert store.record.check() is None
            with store.lock():
                pass
            assert leftovers(tmp_path) == []
            killed += 1
            if told == before:  # on a busy machine a writer gets nowhere so soon
                longest *= 1.5


@pytest.mark.parametrize("is_sync", ["true", "false"], ids=["in a sync", "one by one"])
def test_a_reader_sees_whole_tables_while_rows_move(tmp_path: Path, is_sync: str) -> None:
    """Someone who reads during a write sees each row exactly once, all of one moment."""
    with child(WRITERS, tmp_path) as process:
        assert process.stdin is not None
        process.stdin.write(f"[0, {is_sync}, 0]\n")
        process.stdin.flush()
        assert line(process) == "0"
        store = open_store(tmp_path)
        seen: set[int] = set()
        reads = 0
        while reads < 25 or len(seen) < 2:  # on a busy machine a writer gets nowhere so soon
            reads += 1
            found = store.read_transfers(columns=["id", "amount_cents"])
            assert sorted(ids(found)) == IDS
            amounts = set(found["amount_cents"].to_pylist())
            assert len(amounts) == 1
            seen |= amounts
        assert process.poll() is None
        process.stdin.close()


def test_what_a_writer_left_that_died_at_the_beginning_is_cleared(tmp_path: Path) -> None:
    """Killed while it made the record, a writer leaves half of one, which the next removes."""
    store = open_store(tmp_path)
    deliver(store, table(row("a")), at=NOON)
    for end in ("", "-wal", "-shm", "-journal"):
        write_bytes(store.ledger_folder / f".ledger.db.4000000.tmp{end}", b"half")
    write_json(store.ledger_folder / ".lock-holder.json", {"pid": 4_000_000})
    with store.lock():
        pass
    there = {path.name for path in store.ledger_folder.iterdir()}
    assert there == {"ledger.db", ".gitignore", ".lock"}


# -- other programs -------------------------------------------------------------------------


def test_other_programs_read_the_folder_as_it_is(tmp_path: Path) -> None:
    """pandas and DuckDB read the months of a folder, also while a temporary file lies there."""
    store = open_store(tmp_path)
    deliver(store, table(row("a"), row("b"), row("c", "2026-09-01")), at=NOON)
    store.annotate("a", note="mine")
    folder = store.folder / "transfers"
    (folder / "month=2026-10" / ".data.parquet.1.aa.tmp").write_bytes(b"half a fi")
    frame = pd.read_parquet(folder).sort_values("id")
    assert frame["id"].tolist() == ["a", "b", "c"]
    assert frame["month"].astype(str).tolist() == ["2026-10", "2026-10", "2026-09"]
    query = f"select count(*), max(epoch_us(created_at)) from '{folder}/*/*.parquet'"
    count, newest = duckdb.execute(query).fetchall()[0]
    assert (count, newest) == (3, datetime(2026, 10, 5, tzinfo=UTC).timestamp() * 1e6)
    joined = (
        f"select n.note from '{folder}/*/*.parquet' t "
        f"join '{store.folder}/annotations/data.parquet' n using (organization_id, id)"
    )
    assert duckdb.execute(joined).fetchall() == [("mine",)]
    assert store.read_transfers().num_rows == 3


def test_leftovers_of_a_dead_writer_are_cleared(tmp_path: Path) -> None:
    """Temporary files are found at any depth, and other files are left alone."""
    write_bytes(tmp_path / "a" / "b" / "data.parquet", b"whole")
    (tmp_path / "a" / "b" / ".data.parquet.123.beef.tmp").write_bytes(b"half")
    assert remove_leftovers(tmp_path) == 1
    assert (tmp_path / "a" / "b" / "data.parquet").exists()


# -- lock -----------------------------------------------------------------------------------

HOLDER = """
    import sys
    from pathlib import Path
    from seqdata.store import Store
    with Store.open(Path(sys.argv[1]), "org_1", app_url="https://app.example.com").lock():
        print("held", flush=True)
        sys.stdin.readline()
"""


@contextmanager
def holder(folder: Path) -> Iterator[int]:
    """Let another process hold the lock of a sync; gives its number."""
    with child(HOLDER, folder) as process:
        assert line(process) == "held"
        yield process.pid


def test_a_second_sync_is_told_who_is_at_it(tmp_path: Path) -> None:
    """While one process holds the lock, another is refused with its number; reading goes on."""
    store = open_store(tmp_path)
    deliver(store, table(row("a")), at=NOON)
    with holder(tmp_path) as pid:
        with pytest.raises(CacheLocked, match=f"process {pid} on "), store.lock():
            pass
        with pytest.raises(CacheLocked, match=f"process {pid} on "), store.lock(wait=0.1):
            pass
        assert ids(store.read_transfers()) == ["a"]
    with store.lock():
        deliver(store, table(row("b")), at=NOON)
    assert ids(store.read_transfers()) == ["a", "b"]


def test_what_a_person_notes_waits_for_no_sync(tmp_path: Path) -> None:
    """While another process holds the lock, notes and statements are taken, and read at once."""
    store = open_store(tmp_path)
    with holder(tmp_path):
        store.annotate("a", note="mine", at=NOON)
        store.add_statement("p", NOON, 5)
        for each in (store, open_store(tmp_path)):
            assert values(each.read_annotations(), "id", "note") == [("a", "mine")]
            assert values(each.read_balances(), "balance_cents", "origin") == [(5, "statement")]
        check_tables(store)
    assert values(store.read_annotations(), "id", "note") == [("a", "mine")]


def test_a_sync_keeps_what_was_noted_meanwhile(tmp_path: Path) -> None:
    """What one notes while a sync of this process runs is there, as is what the sync read."""
    store = open_store(tmp_path)
    with store.lock():
        deliver(store, table(row("a")), at=NOON)
        other = open_store(tmp_path)
        other.annotate("a", note="mine")
        assert ids(other.read_transfers()) == ["a"]
        deliver(store, table(row("b")), at=NOON)
    assert ids(store.read_transfers()) == ["a", "b"]
    assert values(store.read_annotations(), "id", "note") == [("a", "mine")]
    check_tables(store)


def test_a_writer_can_wait(tmp_path: Path) -> None:
    """With a time to wait, the lock is taken when the other lets go."""
    store = open_store(tmp_path)
    with child(HOLDER, tmp_path) as process:
        assert process.stdin is not None
        assert line(process) == "held"
        with pytest.raises(CacheLocked), store.lock():
            pass
        letting_go = threading.Timer(0.2, process.stdin.close)
        letting_go.start()
        with store.lock(wait=PATIENCE):
            letting_go.join()


def test_the_lock_can_be_taken_inside_itself(tmp_path: Path) -> None:
    """A block that holds the lock may hold it again; the last to leave lets go."""
    store = open_store(tmp_path)
    with store.lock(), store.lock():
        deliver(store, table(row("a")), at=NOON)
    with open_store(tmp_path).lock():
        pass


def test_a_sync_that_fails_lets_go_and_leaves_what_it_read(tmp_path: Path) -> None:
    """An interrupt inside the lock ends it, and what was read until then is shown."""
    store = open_store(tmp_path)
    with pytest.raises(KeyboardInterrupt), store.lock():
        deliver(store, table(row("a")), at=NOON)
        raise KeyboardInterrupt
    check_tables(store)
    with open_store(tmp_path).lock():
        pass
    assert ids(store.read_transfers()) == ["a"]


# -- state ----------------------------------------------------------------------------------


def test_state_comes_back_as_written(tmp_path: Path) -> None:
    """Everything a sync notes is read back, by this store and by the next one."""
    store = open_store(tmp_path)
    state = SyncState(
        unfinished=Unfinished(cursor="abc", newest=NOON, oldest=NOON, started_at=NOON, pages=3),
        last_sync_at=NOON,
        last_full_at=NOON + HOUR,
        finished_at=NOON + 2 * HOUR,
        newest_created_at=NOON,
        service_count=7,
        history_since=NOON - HOUR,
        reported={"status=NEW": "t1", "é": ""},
    )
    store.write_state(state)
    assert store.read_state() == open_store(tmp_path).read_state() == state
    store.write_state(replace(state, unfinished=None))
    assert open_store(tmp_path).read_state() == replace(state, unfinished=None)


def test_a_fresh_store_has_a_fresh_state(tmp_path: Path) -> None:
    """Without a record, nothing was synced."""
    assert open_store(tmp_path).read_state() == SyncState()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("lost", ["nothing", "tables", "record"])
def test_a_ledger_of_another_server_is_refused(tmp_path: Path, lost: str) -> None:
    """The first write notes the server; from then on another one is refused, its path aside."""
    store = open_store(tmp_path)
    deliver(store, table(row("a")), at=NOON)
    for path in {"nothing": [], "tables": files(store), "record": [store.record.path]}[lost]:
        path.unlink()
    with pytest.raises(ForeignCache, match=URL):
        open_store(tmp_path, url="http://127.0.0.1:99")
    assert ids(open_store(tmp_path, url=URL.upper() + "/path").read_transfers()) == ["a"]


def test_odd_organization_ids_get_a_hashed_folder(tmp_path: Path) -> None:
    """An id that is no plain name never becomes a path, and comes back as it was."""
    odd = ("../evil", "a/b", "", ".", "é")
    for number, id in enumerate(odd):
        store = open_store(tmp_path, id)
        store.annotate("a", note="mine")
        assert store.folder.parent == tmp_path / "cache"
        assert store.ledger_folder.parent == tmp_path / "ledgers"
        assert store.folder.name == store.ledger_folder.name
        assert store.folder.name.startswith("org-")
        assert len(list((tmp_path / "cache").iterdir())) == number + 1
        assert len([one for one in (tmp_path / "ledgers").iterdir() if one.is_dir()]) == number + 1
    assert {path.name for path in tmp_path.iterdir()} == {"cache", "ledgers"}
    known = known_organizations(tmp_path, tmp_path / "cache")
    assert {one.organization_id for one in known} >= {*odd} - {""}


# -- forgetting -----------------------------------------------------------------------------


def test_forget_removes_everything(tmp_path: Path) -> None:
    """After forgetting, nothing of the organization is left, and others are untouched."""
    store, other = open_store(tmp_path), open_store(tmp_path, "org_2")
    for each in (store, other):
        deliver(each, table(row("a")), at=NOON)
    assert store.size() > 0
    known = known_organizations(tmp_path, tmp_path / "cache")
    assert [(one.organization_id, one.app_url) for one in known] == [("org_1", URL), ("org_2", URL)]
    forget_organization(known[0])
    for name in ("ledgers", "cache"):
        assert [one.name for one in (tmp_path / name).iterdir() if one.is_dir()] == ["org_2"]
    assert not store.exists
    assert not open_store(tmp_path).exists
    assert ids(other.read_transfers()) == ["a"]
    assert [one.organization_id for one in known_organizations(tmp_path, tmp_path / "cache")] == [
        "org_2"
    ]


@pytest.mark.parametrize("what", ["record", "tables", "unreadable record"])
def test_what_is_left_of_an_organization_can_be_forgotten(tmp_path: Path, what: str) -> None:
    """With its record alone, its tables alone, or a record nobody can read, one is forgotten."""
    store = open_store(tmp_path)
    deliver(store, table(row("a")), at=NOON)
    if what == "record":
        for path in [*files(store), store.folder / ".published.json"]:
            path.unlink()
    elif what == "tables":
        store.record.path.unlink()
    else:
        store.record.path.write_bytes(b"no record")
    (known,) = known_organizations(tmp_path, tmp_path / "cache")
    assert known.organization_id == "org_1"
    forget_organization(known)
    assert [*tmp_path.glob("ledgers/*/"), *tmp_path.glob("cache/*/")] == []
    assert known_organizations(tmp_path, tmp_path / "cache") == []


def test_what_is_being_synced_is_not_forgotten(tmp_path: Path) -> None:
    """While another process syncs an organization, forgetting it is refused, and all stays."""
    store = open_store(tmp_path)
    deliver(store, table(row("a")), at=NOON)
    (known,) = known_organizations(tmp_path, tmp_path / "cache")
    with holder(tmp_path) as pid, pytest.raises(CacheLocked, match=f"process {pid} on "):
        forget_organization(known)
    assert ids(open_store(tmp_path).read_transfers()) == ["a"]
    check_tables(store)
