"""Two processes and one cache: one syncs, the other is refused by name, waits, or reads."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from trust import NOW, Desk, held, truth
from waiting import PATIENCE

from seqdata.exceptions import CacheLocked
from seqdata.sandbox import Sandbox

HOLDER = """
import sys
from pathlib import Path
from seqdata.store import Store
store = Store.open(Path(sys.argv[1]), sys.argv[2], app_url=sys.argv[3])
with store.lock():
    print("held", flush=True)
    sys.stdin.readline()
"""

READER = """
import sys, pandas, duckdb, pyarrow.parquet
from pathlib import Path
folder = Path(sys.argv[1])
rounds = 0
while not (folder / "over").exists():
    files = sorted(folder.glob("cache/*/transfers/*/*.parquet"))
    for path in files:
        try:
            with path.open("rb") as file:  # by its name pandas would open it twice
                rows = pandas.read_parquet(file)
        except FileNotFoundError:
            continue
        assert rows["id"].is_unique and rows["id"].notna().all()
    if files:
        pattern = str(folder / "cache/*/transfers/*/*.parquet")
        for left in reversed(range(9)):
            try:
                duckdb.sql(f"SELECT count(*), sum(amount_cents) FROM '{pattern}'").fetchall()
                break
            except duckdb.Error:  # it opens a file twice, and this one was replaced in between
                if not left:
                    raise
        rounds += 1
        print("ready" if rounds == 1 else rounds, flush=True)
"""


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(months=2, now=NOW, page_cap=25) as box:
        yield box


@pytest.fixture
def desk(box: Sandbox, tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(box, tmp_path)
    yield desk
    desk.close()


def start(script: str, *arguments: str | Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() in ("held", "ready")
    return process


@contextmanager
def heard(process: subprocess.Popen[str]) -> Iterator[list[str]]:
    """Give the lines that a process says, as they come, until it ends."""
    assert process.stdout is not None
    stream, lines = process.stdout, list[str]()

    def hear() -> None:
        for line in stream:
            lines.append(line)

    thread = threading.Thread(target=hear)
    thread.start()
    try:
        yield lines
    finally:
        thread.join()


def holder(desk: Desk) -> subprocess.Popen[str]:
    box = desk.box
    return start(HOLDER, desk.folder, box.organization_id, box.app_url)


def test_a_second_sync_is_refused_by_name(desk: Desk) -> None:
    """Who holds the cache is named with its process, its host and since when."""
    desk.sync()
    desk.box.advance(days=3)
    before = held(desk.store)
    other = holder(desk)
    with pytest.raises(CacheLocked) as refused:
        desk.sync()
    said = str(refused.value)
    assert f"process {other.pid} on {socket.gethostname()} since 20" in said
    assert held(desk.store) == before
    other.communicate("let go\n")
    assert desk.sync().is_complete
    assert held(desk.store) == truth(desk.box)


def test_a_second_sync_waits_as_long_as_it_was_told(desk: Desk) -> None:
    """With wait= a sync begins when the other process lets go, and ends complete."""
    other = holder(desk)
    letting_go = threading.Timer(0.5, lambda: other.communicate("let go\n"))
    letting_go.start()
    assert desk.sync(wait=PATIENCE).is_complete
    letting_go.join()
    assert held(desk.store) == truth(desk.box)


def test_a_holder_that_was_killed_holds_nothing(desk: Desk) -> None:
    """A process that died with the lock does not keep the next one out."""
    other = holder(desk)
    other.kill()
    other.communicate()
    assert desk.sync().is_complete


def test_readers_see_whole_files_throughout(desk: Desk) -> None:
    """While syncs write, pandas and DuckDB in another process never meet half a file."""
    desk.sync()
    with start(READER, desk.folder) as reader, heard(reader) as rounds:
        try:
            syncs = 0
            while syncs < 4 or len(rounds) < 2:  # rounds that ended while syncs wrote
                assert reader.poll() is None
                desk.box.advance(days=2)
                desk.sync(full=True)
                syncs += 1
        finally:
            (desk.folder / "over").write_bytes(b"")
    assert reader.returncode == 0
    assert held(desk.store) == truth(desk.box)
