"""A program that dies at each file operation of a publishing.

The operations are counted while they happen, not listed: files opened to be written, renamed,
removed, folders made and removed.
"""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from store_kit import (
    NOON,
    check_tables,
    child,
    deliver,
    deliver_accounts,
    deliver_details,
    detail,
    files,
    line,
    open_store,
    row,
    shown,
    table,
)
from trust import SOAK, leftovers

from seqdata.sources.schemas import ACCOUNT_ROWS

#: Of the operations, one in so many is tried; all of them with `make soak`.
STEP = 1 if SOAK else 4

TESTS = Path(__file__).parents[1]

#: Each line names a folder and an operation: at 0 everything is changed and the program dies before
#: it publishes; else it publishes, and dies before that operation.
PROGRAM = """
    import json, os, signal, sys
    from datetime import timedelta
    sys.path[:0] = [sys.argv[1], sys.argv[1] + "/store"]
    import filelock, pandas, pyarrow.parquet
    from store_kit import (
        HOUR, NOON, deliver, deliver_accounts, deliver_details, detail, open_store, row, table
    )
    from sync_helper import die_at
    from seqdata.sources.schemas import ACCOUNT_ROWS

    def change(store):
        with store.lock():
            moved = row("a", "2026-09-01", amount_cents=7)
            deliver(store, table(moved, row("e", "2026-11-01")), at=NOON + HOUR)
            deliver_details(store, table(row("c", None)), *detail("c", "pull", at=NOON + HOUR))
            deliver_accounts(store, table({"id": "p", "name": "Home"}, schema=ACCOUNT_ROWS),
                             at=NOON + HOUR)
            store.add_statement("p", NOON + HOUR, 7)
            store.annotate("b", note="mine", at=NOON)
            store.mark_removed(["b"], NOON + HOUR)
            os.kill(os.getpid(), signal.SIGKILL)

    def act(folder, number):
        store = open_store(folder)
        if number == 0:
            change(store)
        die_at(number)
        store.publish()
        os._exit(0)

    for line in sys.stdin:
        if (pid := os.fork()) == 0:
            act(*json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


@pytest.fixture(scope="module")
def program() -> Iterator[subprocess.Popen[str]]:
    with child(PROGRAM, TESTS) as process:
        yield process


def ask(program: subprocess.Popen[str], folder: Path, number: int) -> int:
    assert program.stdin is not None
    program.stdin.write(json.dumps([str(folder), number]) + "\n")
    program.stdin.flush()
    return int(line(program))


@pytest.fixture(scope="module")
def changed(program: subprocess.Popen[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose record has changes of every kind that no table shows yet."""
    folder = tmp_path_factory.mktemp("changed")
    store = open_store(folder)
    rows = [row("a"), row("b", "2026-09-01"), row("c", None), row("d", "2026-08-31")]
    deliver(store, table(*rows), at=NOON)
    deliver_details(store, table(row("a")), *detail("a", "payment", at=NOON))
    deliver_accounts(store, table({"id": "p", "name": "Rent"}, schema=ACCOUNT_ROWS), at=NOON)
    before = shown(store)
    assert ask(program, folder, 0) == -9
    assert shown(open_store(folder)) == before
    return folder


def test_a_publishing_that_dies_at_any_file_operation_is_made_up_for(
    changed: Path, program: subprocess.Popen[str], tmp_path: Path
) -> None:
    """Each file is whole at any moment, a reader gets what the record holds, and the next
    publishing leaves the tables of a calm one, and nothing else."""
    calm = tmp_path / "calm"
    shutil.copytree(changed, calm)
    assert open_store(calm).publish()
    wanted = shown(open_store(calm))
    tried = 0
    for number in itertools.count(1, STEP):
        folder = tmp_path / "wild"
        shutil.copytree(changed, folder)
        ended = ask(program, folder, number)
        if ended == 0:
            break
        assert ended == -9
        tried += 1
        store = open_store(folder)
        for path in files(store):
            pq.ParquetFile(path).read()
        found = store.read_transfers(include_removed=True)
        assert sorted(found["id"].to_pylist()) == ["a", "b", "c", "d", "e"]
        check_tables(store)
        with store.lock():
            pass
        assert shown(store) == wanted
        assert leftovers(folder) == []
        assert store.record.check() is None
        shutil.rmtree(folder)
    assert tried >= 40 // STEP, tried
