from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from threading import Thread

import pytest
from waiting import LONG

from seqdata.exceptions import FolderNotWritable
from seqdata.http.pace import Pacer

DELAY = 0.05
ROUNDING = 0.002  # the file holds milliseconds

SCRIPT = f"""
import json, sys, time
from pathlib import Path
from seqdata.http.pace import Pacer
turns = []
for _ in range(4):
    with Pacer(Path(".pace"), {DELAY}, 0.0).turn():
        start = time.time()
        time.sleep(0.01)
        turns.append([start, time.time()])
print(json.dumps(turns))
"""


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self, now: float = 1_000.0) -> None:
        self.now = now
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))
        self.now += seconds


def pacer(file: Path, clock: Clock, *, jitter: float = 0.0) -> Pacer:
    """Make a pacer of 1.5 s that draws `jitter` of 2 s."""
    return Pacer(file, 1.5, 2.0, clock=clock, sleep=clock.sleep, uniform=lambda low, high: jitter)


def are_apart(turns: list[list[float]]) -> bool:
    """Tell whether each turn starts at least DELAY after the end of the one before it."""
    turns = sorted(turns)
    gaps = [later[0] - earlier[1] for earlier, later in pairwise(turns)]
    return all(gap >= DELAY - ROUNDING for gap in gaps)


def test_the_first_turn_waits_for_nothing(tmp_path: Path) -> None:
    """Where no request was made yet, the first is made at once."""
    clock = Clock()
    with pacer(tmp_path / ".pace", clock).turn():
        pass
    assert clock.slept == []


def test_a_turn_waits_for_delay_and_jitter(tmp_path: Path) -> None:
    """From the end of a request to the start of the next lie the delay and the drawn jitter."""
    clock = Clock()
    with pacer(tmp_path / ".pace", clock).turn():
        clock.now += 10  # a slow answer: the pause is counted from its end
    with pacer(tmp_path / ".pace", clock, jitter=0.7).turn():
        pass
    assert clock.slept == [2.2]


def test_time_that_has_passed_anyway_counts(tmp_path: Path) -> None:
    """Who comes later waits for the rest only, and who comes much later not at all."""
    clock = Clock()
    one = pacer(tmp_path / ".pace", clock)
    for pause in (0.0, 1.0, 1.5, 60.0):
        clock.now += pause
        with one.turn():
            pass
    assert clock.slept == [0.5]


def test_the_jitter_is_drawn_between_0_and_its_maximum(tmp_path: Path) -> None:
    """Chance is asked for a number from 0 to max_jitter, once a turn."""
    asked = []

    def uniform(low: float, high: float) -> float:
        asked.append((low, high))
        return high

    clock = Clock()
    one = Pacer(tmp_path / ".pace", 1.5, 2.0, clock=clock, sleep=clock.sleep, uniform=uniform)
    for _ in range(2):
        with one.turn():
            pass
    assert asked == [(0, 2.0), (0, 2.0)]
    assert clock.slept == [3.5]


@pytest.mark.parametrize("content", ["", "soon", "99999.0"])
def test_an_unusable_time_is_no_reason_to_wait_for_ever(content: str, tmp_path: Path) -> None:
    """A broken file, and a time in the future (the clock was set back), cost no wait."""
    (tmp_path / ".pace").write_text(content)
    clock = Clock()
    with pacer(tmp_path / ".pace", clock).turn():
        pass
    assert clock.slept == []


def test_a_failed_request_takes_its_turn_too(tmp_path: Path) -> None:
    """After a request that raised, the next one waits all the same."""
    clock = Clock()
    one = pacer(tmp_path / ".pace", clock)
    with pytest.raises(ConnectionError), one.turn():
        raise ConnectionError
    with one.turn():
        pass
    assert clock.slept == [1.5]


def test_an_unwritable_pace_file_does_not_take_an_answer_away(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """When the time of a request cannot be noted, its answer stays and a warning is logged."""
    (tmp_path / ".pace").mkdir()
    with caplog.at_level(logging.WARNING, "seqdata"), pacer(tmp_path / ".pace", Clock()).turn():
        answer = "moved"
    assert answer == "moved"
    assert "pace file cannot be written" in caplog.text


def test_a_turn_that_cannot_be_had_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    """Without a lock there is no turn: the block does not run, and the folder is named."""
    (tmp_path / ".pace.lock").mkdir()
    ran = []
    with pytest.raises(FolderNotWritable, match=str(tmp_path)):  # noqa: SIM117
        with pacer(tmp_path / ".pace", Clock()).turn():
            ran.append(True)
    assert ran == []


def test_threads_are_kept_apart(tmp_path: Path) -> None:
    """Threads, each with a pacer of its own, take their turns one after the other."""
    turns: list[list[float]] = []

    def work() -> None:
        for _ in range(3):
            with Pacer(tmp_path / ".pace", DELAY, 0.0).turn():
                start = time.time()
                time.sleep(0.01)
                turns.append([start, time.time()])

    threads = [Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(turns) == 9
    assert are_apart(turns)


def test_processes_are_kept_apart(tmp_path: Path) -> None:
    """Two processes that share a data folder take their turns one after the other."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT], cwd=tmp_path, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    turns = [turn for one in started for turn in json.loads(one.communicate(timeout=LONG)[0])]
    assert len(turns) == 8
    assert are_apart(turns)
