"""Races for one limit, deaths at random instants, midnights: never a cent more than allowed."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from desk_helper import Clock, arrived, charged, events, limits_file, open_desk
from waiting import LONG, PATIENCE, until

from seqdata import exceptions as ex
from seqdata.safeguards import AuditLog
from seqdata.sandbox import Sandbox

SOAK = bool(os.environ.get("SEQDATA_SOAK"))

#: Stages and confirms $10 transfers until the count is reached or the limit is.
RACER = """
import sys
from seqdata import SequenceError
from seqdata.exceptions import BalanceFell
from seqdata.safeguards import TransferDesk
desk = TransferDesk.open()
print("ready", flush=True)
sys.stdin.readline()
pairs = [("Emergency Fund", "Groceries"), ("Emergency Fund", "Bills")]
for number in range(int(sys.argv[1])):
    word = "BalanceFell"
    while word == "BalanceFell":  # a rival took from the same pod meanwhile: look again
        try:
            staged = desk.stage(*pairs[number % 2], amount_cents=1000, despite_unknown=True)
            word = desk.confirm(staged).status
        except SequenceError as error:
            word = type(error).__name__
    print(word, flush=True)
"""


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(months=1, now="2026-11-01") as running:
        yield running


def environment(box: Sandbox, folder: Path, limit_cents: int) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("SEQUENCE_")}
    (folder / ".tokens.json").touch(mode=0o600)
    token = {"access_token": box.issue_token(), "refresh_token": None, "expires_at": 4e9}
    (folder / ".tokens.json").write_text(json.dumps(token))
    return {
        **kept,
        **box.environment(),
        "SEQUENCE_DATA_DIR": str(folder),
        "SEQUENCE_MAX_DAILY_TRANSFER_CENTS": str(limit_cents),
    }


def start(box: Sandbox, folder: Path, processes: int, each: int, limit_cents: int):  # type: ignore[no-untyped-def]
    """Start racers of different users, and let them go at the same moment."""
    shared = environment(box, folder, limit_cents)
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(each)],
            env={**shared, "SEQUENCE_USER": f"user-{number % 3}"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(processes)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    return racers


def test_processes_race_for_one_limit(box: Sandbox, tmp_path: Path) -> None:
    """The sum that arrives is exactly the greatest that fits, whoever sends it."""
    processes, each = (16, 50) if SOAK else (4, 6)
    limit = processes * each * 500 + 550  # half of what they want, and no multiple of $10
    racers = start(box, tmp_path, processes, each, limit)
    said = [word for racer in racers for word in racer.communicate(timeout=LONG)[0].split()]
    fits = limit // 1000
    assert len(arrived(box)) == fits
    assert charged(tmp_path) == fits * 1000
    assert said.count("completed") == fits
    assert set(said) <= {"completed", "DailyLimitExceeded"}
    assert AuditLog(tmp_path / ".audit.jsonl").verify().is_intact


def test_threads_race_for_one_limit(box: Sandbox, tmp_path: Path) -> None:
    """Threads over one desk and over desks of their own share the limit to the cent."""
    limit, refused = 10_999, []
    shared = open_desk(box, tmp_path, max_daily_transfer_cents=limit)

    def race(number: int) -> None:
        desk = shared
        if number % 2:
            desk = open_desk(
                box, tmp_path, max_daily_transfer_cents=limit, user=f"user-{number % 3}"
            )
        for _ in range(5):
            try:
                desk.confirm(desk.stage("Emergency Fund", "Groceries", "10"))
            except (ex.DailyLimitExceeded, ex.BalanceFell) as error:
                refused.append(type(error))

    threads = [threading.Thread(target=race, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # A rival's transfer makes a balance fall; what was refused for that is asked for again.
    while charged(tmp_path) + 1000 <= limit:
        shared.confirm(shared.stage("Emergency Fund", "Groceries", "10"))
    assert len(arrived(box)) == 10
    assert charged(tmp_path) == 10_000


@pytest.mark.parametrize("seed", range(20 if SOAK else 2))
def test_a_death_at_any_instant_leaves_nothing_unaccounted(
    box: Sandbox, tmp_path: Path, seed: int
) -> None:
    """After SIGKILL no more than the limit arrived, and settle accounts for every payment."""
    chance = random.Random(seed)
    limit = 12_500
    racers = start(box, tmp_path, 2, 30, limit)
    until(lambda: events(tmp_path, "transfer_staged"), why="the first transfer to be staged")
    for racer in racers:
        time.sleep(chance.uniform(0.02, 0.5))
        racer.kill()
        racer.wait(PATIENCE)
        racer.communicate()
    for _ in range(3):  # requests are served as they come: what it had got, it has done by then
        open_desk(box, tmp_path).look()
    desk = open_desk(box, tmp_path, max_daily_transfer_cents=limit)
    assert len(arrived(box)) * 1000 <= charged(tmp_path) <= limit
    desk.settle()
    box.advance(hours=25)
    # Two that died with the same transfer on its way: a person says whose it is.
    for _ in range(3):
        for found in desk.settle():
            if found.candidates:
                desk.settle(choose={found.intent.id: found.candidates[0][0]})
                break
            if found.may_be_assumed_failed:
                desk.settle(assume_failed=[found.intent.id])
    assert desk.open_intents() == []
    completed = events(tmp_path, "transfer_completed")
    known = [one["transfer_id"] for one in completed if "transfer_id" in one]
    assert len({one["intent_id"] for one in completed}) == len(completed) == len(arrived(box))
    assert len(known) == len(set(known))
    assert set(known) <= {one["transfer_id"] for one in arrived(box)}
    last = desk.stage("Emergency Fund", "Groceries", "5")
    assert desk.confirm(last).status == "completed"  # it also mends what was reserved in vain
    assert charged(tmp_path) == sum(one["variables"]["amount"] for one in arrived(box))
    assert {one["state"] for one in limits_file(tmp_path)} == {"completed"}
    assert AuditLog(tmp_path / ".audit.jsonl").verify().is_intact


EASTERN = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("midnight", "hours"),
    [
        (datetime(2026, 11, 24, tzinfo=EASTERN), 24),
        (datetime(2026, 3, 9, tzinfo=EASTERN), 23),  # after the day that lost an hour
        (datetime(2026, 11, 2, tzinfo=EASTERN), 25),  # after the day that has 25
    ],
)
def test_a_limit_is_of_a_day_however_long(
    box: Sandbox, tmp_path: Path, midnight: datetime, hours: int
) -> None:
    """A day's limit holds from midnight to midnight of the zone, 23, 24 or 25 hours, no longer."""
    end = midnight.astimezone(UTC)
    clock = Clock(end - timedelta(hours=hours))
    desk = open_desk(box, tmp_path, clock=clock, max_daily_transfer_cents=1000)
    assert desk.confirm(desk.stage("Emergency Fund", "Groceries", "10")).status == "completed"
    for hour in range(hours):
        clock.now = end - timedelta(hours=hours - hour) + timedelta(minutes=59)
        with pytest.raises(ex.DailyLimitExceeded):
            desk.stage("Emergency Fund", "Groceries", "1")
    clock.now = end
    assert desk.confirm(desk.stage("Emergency Fund", "Groceries", "10")).status == "completed"
    with pytest.raises(ex.DailyLimitExceeded):
        desk.stage("Emergency Fund", "Groceries", "1")
    assert len(arrived(box)) == 2


def test_a_confirm_after_midnight_counts_to_the_new_day(box: Sandbox, tmp_path: Path) -> None:
    """What is staged before midnight and confirmed after it is of the day of its reservation."""
    midnight = datetime(2026, 11, 24, 5, tzinfo=UTC)
    clock = Clock(midnight - timedelta(seconds=10))
    desk = open_desk(box, tmp_path, clock=clock, max_daily_transfer_cents=1000)
    staged = desk.stage("Emergency Fund", "Groceries", "10")
    clock.now = midnight + timedelta(seconds=10)
    assert desk.confirm(staged).status == "completed"
    days = json.loads((tmp_path / ".daily_limits.json").read_text())
    assert list(days) == ["2026-11-24"]
    box.fail("cut_after", operation="CreatePayment")
    clock.now = midnight + timedelta(hours=23, minutes=59, seconds=50)
    other = open_desk(box, tmp_path, clock=clock, max_daily_transfer_cents=2000)
    lost = other.stage("Emergency Fund", "Groceries", "10")
    assert other.confirm(lost).status == "unknown"
    clock.now += timedelta(minutes=1)
    assert other.settle()[0].outcome.status == "completed"
    days = json.loads((tmp_path / ".daily_limits.json").read_text())
    assert {day: len(keys["kim"]) for day, keys in days.items()} == {"2026-11-24": 2}
