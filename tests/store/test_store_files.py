"""What lies on the disk: rights, wholeness, lock, state, and other programs that read it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from waiting import PATIENCE

import seqdata
from seqdata.core.files import (
    make_private_folder,
    read_json,
    remove_leftovers,
    replacing,
    write_bytes,
    write_json,
)
from seqdata.exceptions import (
    CacheLocked,
    CacheVersionMismatch,
    CorruptFile,
    FolderNotWritable,
    ForeignCache,
)
from seqdata.store import BALANCES, TRANSFER_ROWS, FirstSync, Store, SyncState
from seqdata.store.forget import forget_organization

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
URL = "https://app.example.com"


def open_store(folder: Path, organization_id: str = "org_1", url: str = URL) -> Store:
    return Store.open(folder, organization_id, app_url=url)


def transfers(*ids: str, day: int = 5) -> pa.Table:
    created = datetime(2026, 10, day, tzinfo=UTC)
    return pa.Table.from_pylist(
        [{"organization_id": "org_1", "id": id, "created_at": created} for id in ids],
        schema=TRANSFER_ROWS,
    )


@contextmanager
def child(script: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Run a script that imports seqdata, until the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(seqdata.__file__).parents[1])},
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            assert stream is not None
            stream.close()


# -- files ----------------------------------------------------------------------------------


def test_every_file_is_private(tmp_path: Path) -> None:
    """Files are 0600 in folders of 0700, whatever the umask, and git is told to ignore them."""
    old = os.umask(0)
    try:
        store = open_store(tmp_path / "cache")
        store.upsert_transfers(transfers("a"), seen_at=NOON)
        store.mark_removed(["a"], NOON)
        store.append_balances(balances(("p", 1)))
    finally:
        os.umask(old)
    paths = list((tmp_path / "cache").rglob("*"))
    assert len(paths) > 10
    for path in paths:
        expected = 0o700 if path.is_dir() else 0o600
        assert path.stat().st_mode & 0o777 == expected, path
    assert (store.folder / ".gitignore").read_text() == "*\n"


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
        open_store(tmp_path / "file").upsert_transfers(transfers("a"), seen_at=NOON)


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


WRITER = """
    import sys
    from datetime import UTC, datetime, timedelta
    from pathlib import Path
    import pyarrow as pa
    from seqdata.store import TRANSFER_ROWS, Store

    store = Store.open(Path(sys.argv[1]), "org_1", app_url="https://app.example.com")
    noon = datetime(2026, 11, 1, tzinfo=UTC)
    with store.lock():
        for number in range(100_000):
            rows = [
                {"organization_id": "org_1", "id": f"t{i}", "amount_cents": number,
                 "created_at": noon - timedelta(days=31 * ((number + i) % 3))}
                for i in range(60)
            ]
            store.upsert_transfers(
                pa.Table.from_pylist(rows, schema=TRANSFER_ROWS),
                seen_at=noon + timedelta(seconds=number),
            )
            print(number, flush=True)
"""


def test_a_killed_writer_leaves_whole_tables(tmp_path: Path) -> None:
    """A writer killed while rows change and move between months leaves every row readable, once,
    with all its versions, and the next writer goes on and clears up."""
    for pause in (0.0, 0.004, 0.009, 0.013, 0.02):
        with child(WRITER, tmp_path) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "0\n"
            time.sleep(0.05 + pause)
            process.send_signal(signal.SIGKILL)
            process.wait()
        store = open_store(tmp_path)
        found = store.read_transfers()
        assert sorted(found["id"].to_pylist()) == sorted(f"t{i}" for i in range(60))
        store.read_history()
        store.upsert_transfers(transfers("other"), seen_at=NOON)
        assert list(store.folder.rglob(".*.tmp")) == []
        assert store.read_transfers().num_rows == 61
        store.mark_removed(["other"], NOON)


def test_a_reader_sees_whole_tables_while_rows_move(tmp_path: Path) -> None:
    """Someone who reads during a write sees each row exactly once."""
    with child(WRITER, tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "0\n"
        store = open_store(tmp_path)
        for _ in range(25):
            assert store.read_transfers(columns=["id"])["id"].length() == 60
        assert process.poll() is None


# -- other programs -------------------------------------------------------------------------


def test_other_programs_read_the_folder_as_it_is(tmp_path: Path) -> None:
    """pandas and DuckDB read the months of a folder, also while a temporary file lies there."""
    duckdb = pytest.importorskip("duckdb")
    store = open_store(tmp_path)
    store.upsert_transfers(transfers("a", "b"), seen_at=NOON)
    folder = store.folder / "transfers"
    (folder / "month=2026-10" / ".data.parquet.1.aa.tmp").write_bytes(b"half a fi")
    (folder / ".moving").touch()
    frame = pd.read_parquet(folder)
    assert frame["id"].tolist() == ["a", "b"]
    assert frame["month"].astype(str).tolist() == ["2026-10", "2026-10"]
    query = f"select count(*), max(epoch_us(created_at)) from '{folder}/*/*.parquet'"
    count, newest = duckdb.sql(query).fetchall()[0]
    assert (count, newest) == (2, datetime(2026, 10, 5, tzinfo=UTC).timestamp() * 1e6)
    assert store.read_transfers().num_rows == 2


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


def test_a_second_writer_is_told_who_writes(tmp_path: Path) -> None:
    """While one process holds the lock, another is refused with its number; reading goes on."""
    store = open_store(tmp_path)
    store.upsert_transfers(transfers("a"), seen_at=NOON)
    with child(HOLDER, tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(CacheLocked, match=f"process {process.pid} on "):
            store.upsert_transfers(transfers("b"), seen_at=NOON)
        assert store.read_transfers().num_rows == 1
    store.upsert_transfers(transfers("b"), seen_at=NOON)


def test_a_writer_can_wait(tmp_path: Path) -> None:
    """With a time to wait, the lock is taken when the other lets go."""
    store = open_store(tmp_path)
    with child(HOLDER, tmp_path) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
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
        store.upsert_transfers(transfers("a"), seen_at=NOON)
    with open_store(tmp_path).lock():
        pass


# -- state ----------------------------------------------------------------------------------


def test_state_comes_back_as_written(tmp_path: Path) -> None:
    """Everything a sync notes is read back, and what this version does not know stays."""
    store = open_store(tmp_path)
    state = SyncState(
        app_url=URL,
        organization_id="org_1",
        page_size=50,
        first_sync=FirstSync(cursor="abc", newest=NOON, pages=3),
        last_sync_at=NOON,
        windows=({"since": "2026-10-01"},),
        service_count=7,
        extra={"later": [1]},
    )
    store.write_state(state)
    assert store.read_state() == state
    store.write_state(replace(store.read_state(), first_sync=None))
    assert json.loads((store.folder / "state.json").read_text())["later"] == [1]


def test_a_fresh_store_has_a_fresh_state(tmp_path: Path) -> None:
    """Without a file, the state says that nothing was synced from this server."""
    assert open_store(tmp_path).read_state() == SyncState(app_url=URL, organization_id="org_1")


def test_a_cache_of_another_server_is_refused(tmp_path: Path) -> None:
    """The first write notes the server; from then on another one is refused, its path aside."""
    open_store(tmp_path).upsert_transfers(transfers("a"), seen_at=NOON)
    open_store(tmp_path, url=URL.upper() + "/path")
    with pytest.raises(ForeignCache, match=URL):
        open_store(tmp_path, url="http://127.0.0.1:99")


def test_a_cache_of_another_version_is_refused(tmp_path: Path) -> None:
    """Tables of another version are not touched."""
    store = open_store(tmp_path)
    store.write_state(store.read_state())
    path = store.folder / "state.json"
    path.write_text(path.read_text().replace('"schema_version": 1', '"schema_version": 99'))
    with pytest.raises(CacheVersionMismatch, match="99"):
        open_store(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{",
        '{"schema_version": 1}',
        '{"schema_version": 1, "app_url": "u", "page_size": "many"}',
        '{"schema_version": 1, "app_url": "u", "first_sync": 5}',
        '{"schema_version": 1, "app_url": "u", "last_sync_at": "yesterday"}',
        '{"schema_version": 1, "app_url": "u", "windows": 1}',
    ],
)
def test_a_corrupt_state_says_what_to_do(tmp_path: Path, content: str) -> None:
    """A state file that cannot be understood is named, with the command that mends it."""
    write_bytes(tmp_path / "org_1" / "state.json", content.encode())
    with pytest.raises(CorruptFile, match="seqdata sync --full"):
        open_store(tmp_path)


def test_odd_organization_ids_get_a_hashed_folder(tmp_path: Path) -> None:
    """An id that is no plain name never becomes a path."""
    for odd in ("../evil", "a/b", "", "."):
        store = open_store(tmp_path, odd)
        store.upsert_transfers(transfers("a"), seen_at=NOON)
        assert store.folder.parent == tmp_path
        assert store.folder.name.startswith("org-")
    assert len(list(tmp_path.iterdir())) == 4


def test_forget_removes_everything(tmp_path: Path) -> None:
    """After forgetting, nothing of the organization is left, and others are untouched."""
    store, other = open_store(tmp_path), open_store(tmp_path, "org_2")
    for each in (store, other):
        each.upsert_transfers(transfers("a"), seen_at=NOON)
    assert store.size() > 0
    forget_organization(store.folder)
    assert [path.name for path in tmp_path.iterdir()] == ["org_2"]
    assert not store.exists
    assert other.read_transfers().num_rows == 1


# -- balances -------------------------------------------------------------------------------


def balances(*pairs: tuple[str, int | None], at: datetime = NOON) -> pa.Table:
    rows: list[dict[str, Any]] = [
        {"organization_id": "org_1", "account_id": id, "as_of": at, "balance_cents": cents}
        for id, cents in pairs
    ]
    return pa.Table.from_pylist([{**row, "origin": "sync"} for row in rows], schema=BALANCES)


def test_a_balance_of_one_moment_is_replaced(tmp_path: Path) -> None:
    """Balances are added; a second one of the same account and moment takes its place."""
    store = open_store(tmp_path)
    store.append_balances(balances(("p", 1), ("q", None)))
    store.append_balances(balances(("p", 5), at=datetime(2026, 10, 1, tzinfo=UTC)))
    store.append_balances(balances(("p", 2)))
    found = store.read_balances()
    assert found["account_id"].to_pylist() == ["p", "p", "q"]
    assert found["balance_cents"].to_pylist() == [5, 2, None]
