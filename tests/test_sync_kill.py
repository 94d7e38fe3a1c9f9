"""A sync that is killed again and again ends where an undisturbed one does."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from trust import NOW, SOAK, Desk, held, leftovers, tables, truth
from waiting import LONG, until

from seqdata.sandbox import Sandbox

KILLS = 100 if SOAK else 10
HELPER = Path(__file__).with_name("sync_helper.py")
WISHES: dict[str, Any] = {"details": "new", "details_per_request": 25}


class Children:
    """Syncs in processes of their own, each of which may be killed."""

    def __init__(self, box: Sandbox, folder: Path, *, archive: bool) -> None:
        settings = {
            **box.environment(),
            "SEQUENCE_DATA_DIR": str(folder),
            "SEQUENCE_CACHE_DIR": str(folder / "cache"),
            "SEQUENCE_ARCHIVE": "1" if archive else "0",
        }
        self._helper = subprocess.Popen(
            [sys.executable, HELPER],
            env={**os.environ, **settings},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._line() == "ready"

    def _line(self) -> str:
        assert self._helper.stdout is not None
        return self._helper.stdout.readline().strip()

    def _say(self, line: str) -> None:
        assert self._helper.stdin is not None
        self._helper.stdin.write(line + "\n")
        self._helper.stdin.flush()

    def begin(self, die_at: int = 0) -> int:
        """Begin a sync; return its pid."""
        self._say(json.dumps({**WISHES, "die_at": die_at}))
        return int(self._line())

    def end(self) -> int:
        """Wait for the sync to end; return its exit status."""
        self._say("wait")
        return int(self._line())

    def close(self) -> None:
        """Let the helper end."""
        self._helper.communicate()


#: What every sync has at least, one that finds nothing new too: requests, and file events.
REQUESTS, EVENTS = 5, 40


def killed(children: Children, chance: random.Random, box: Sandbox) -> int:
    """Kill a sync at a file event or at any instant between two requests; its exit status."""
    if chance.random() < 0.5:
        event = chance.randint(1, EVENTS + 20)
        children.begin(die_at=event)
        status = children.end()
        assert status == -signal.SIGKILL or event > EVENTS
        return status
    passing = chance.randrange(REQUESTS)
    box.fail("slow", after=passing, seconds=LONG)  # it cannot end before it is killed
    before = len(box.requests())
    pid = children.begin()
    until(lambda: len(box.requests()) >= before + passing, why=f"request {passing} of a sync")
    time.sleep(chance.uniform(0, 0.1))
    os.kill(pid, signal.SIGKILL)
    status = children.end()
    box.clear_faults()
    assert status == -signal.SIGKILL
    return status


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(months=3, now=NOW, page_cap=50) as box:
        yield box


@pytest.mark.parametrize(
    "archive", [True, pytest.param(False, marks=pytest.mark.soak)], ids=["archive", "no archive"]
)
def test_a_sync_killed_at_any_instant_ends_like_an_undisturbed_one(
    box: Sandbox, tmp_path: Path, archive: bool
) -> None:
    """Killed by SIGKILL at random instants, a sync leaves the same tables, row by row."""
    chance = random.Random(7)
    calm, wild = Desk(box, tmp_path / "calm"), Desk(box, tmp_path / "wild")
    died = 0
    with closing(Children(box, tmp_path / "wild", archive=archive)) as children:
        for _ in range(2):  # a first sync, and a daily one with changes and a removal
            calm.sync(keep_answers=archive, **WISHES)
            for _ in range(KILLS // 2):
                died += killed(children, chance, box) != 0
            children.begin()
            assert children.end() == 0
            assert held(wild.store) == truth(box)
            assert tables(wild.store) == tables(calm.store)
            assert leftovers(tmp_path) == []
            box.advance(days=10)
            box.remove_transfers([box.transfers()[9]["id"]])
    assert died > KILLS * 0.6
    if archive:
        before = tables(wild.store)
        wild.store.rebuild(wild.source())
        assert tables(wild.store) == before
    calm.close()
    wild.close()


def test_a_sync_killed_at_each_of_its_first_file_events_leaves_nothing_behind(
    box: Sandbox, tmp_path: Path
) -> None:
    """Killed while it takes the lock or notes who holds it, a sync leaves no temporary file."""
    desk = Desk(box, tmp_path)
    desk.sync()
    with closing(Children(box, tmp_path, archive=True)) as children:
        children.begin()  # the cache folder's marker, which is made once
        assert children.end() == 0
        for event in range(1, 9):
            children.begin(die_at=event)
            assert children.end() == -signal.SIGKILL
            desk.sync()
            assert leftovers(tmp_path) == []
    desk.close()
