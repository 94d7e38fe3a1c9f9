from __future__ import annotations

import json
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from waiting import LONG

from seqdata.exceptions import (
    FolderNotWritable,
    InvalidAmount,
    InvalidSetting,
    LimitsUnreadable,
)
from seqdata.safeguards import AuditLog, DailyLimitTracker
from seqdata.safeguards.audit import EVENTS
from seqdata.safeguards.chain import CHAIN_KEYS

NOON = datetime(2026, 11, 23, 17, tzinfo=UTC)  # noon in New York


def at(moment: datetime) -> Callable[[], datetime]:
    """Return a clock that stands."""
    return lambda: moment


def lines(path: Path) -> list[dict[str, Any]]:
    """Parse a file of JSON lines; the keys of the chain are left out."""
    found = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [{name: line[name] for name in line if name not in CHAIN_KEYS} for line in found]


def entry(amount_cents: int, **more: Any) -> dict[str, Any]:
    """Make an entry of the limits file."""
    stamp = "2026-11-23T15:00:00+00:00"
    return {"transfer_id": "tr-1", "amount_cents": amount_cents, "timestamp": stamp, **more}


def run_together(script: str, folder: Path, count: int) -> None:
    """Run a script in `count` processes at the same time, in one working directory."""
    started = [
        subprocess.Popen([sys.executable, "-c", script, str(number)], cwd=folder)
        for number in range(count)
    ]
    assert [process.wait(timeout=LONG) for process in started] == [0] * count


# -- the audit log ----------------------------------------------------------------------------


def test_an_event_is_one_line(tmp_path: Path) -> None:
    """An event is one JSON line with its time in UTC and the fields that were given."""
    eastern = NOON.astimezone(tz=None)
    log = AuditLog(tmp_path / "log.jsonl", now=at(eastern))
    log.log("transfer_staged", user_id="kim", amount_cents=12_34, source="Rent")
    log.log("my_own_event")
    assert lines(tmp_path / "log.jsonl") == [
        {
            "timestamp": "2026-11-23T17:00:00+00:00",
            "event_type": "transfer_staged",
            "user_id": "kim",
            "amount_cents": 1_234,
            "source": "Rent",
        },
        {"timestamp": "2026-11-23T17:00:00+00:00", "event_type": "my_own_event"},
    ]


def test_every_documented_field_is_kept(tmp_path: Path) -> None:
    """All eight optional fields arrive under their own names; 0 and "" are values, not absences."""
    fields: dict[str, Any] = {
        "user_id": 0,
        "user_name": "",
        "transfer_id": "tr-1",
        "amount_cents": 0,
        "source": "Rent",
        "destination": "Landlord",
        "note": "a note",
        "error": "Insufficient funds",
    }
    log = AuditLog(tmp_path / "log.jsonl", now=at(NOON))
    for event in EVENTS:
        log.log(event, **fields)
    stamp = "2026-11-23T17:00:00+00:00"
    assert lines(log.path) == [{"timestamp": stamp, "event_type": e, **fields} for e in EVENTS]


def test_the_audit_log_stands_in_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a path the data folder of the moment of construction is used, and made private."""
    monkeypatch.setenv("SEQUENCE_DATA_DIR", str(tmp_path / "one"))
    log = AuditLog(path=None)
    monkeypatch.setenv("SEQUENCE_DATA_DIR", str(tmp_path / "two"))
    log.log("transfer_staged")
    file = tmp_path / "one" / ".audit.jsonl"
    assert len(lines(file)) == 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert not (tmp_path / "two").exists()


@given(text=st.text(st.characters()), user=st.integers() | st.text())
@settings(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    max_examples=40,
)
def test_any_text_stays_on_its_line(tmp_path: Path, text: str, user: int | str) -> None:
    """Line ends, quotes, emoji and broken characters in a field come back, from one line."""
    file = tmp_path / "log.jsonl"
    file.unlink(missing_ok=True)
    AuditLog(file).head_path.unlink(missing_ok=True)
    AuditLog(file).log("transfer_staged", note=text, user_id=user)
    (found,) = lines(file)
    assert (found["note"], found["user_id"]) == (text, user)


def test_a_torn_line_does_not_swallow_the_next_event(tmp_path: Path) -> None:
    """After a line that a dying process left unfinished, the next event has a line of its own."""
    file = tmp_path / "log.jsonl"
    file.write_bytes(b'{"event_type": "a"}\n{"event_ty')
    AuditLog(file).log("transfer_staged")
    torn = file.read_text("utf-8").splitlines()
    assert torn[:2] == ['{"event_type": "a"}', '{"event_ty']
    events = [json.loads(line)["event_type"] for line in torn[2:]]
    assert events == ["recovered", "transfer_staged"]


def test_events_of_many_processes_all_arrive(tmp_path: Path) -> None:
    """Three processes that log at the same time lose and mix no line."""
    script = (
        "import sys\nfrom seqdata.safeguards import AuditLog\n"
        "for n in range(20):\n"
        "    AuditLog('log.jsonl').log('transfer_staged', note='x' * 5000,"
        " transfer_id=f'{sys.argv[1]}-{n}')\n"
    )
    run_together(script, tmp_path, 3)
    found = [line["transfer_id"] for line in lines(tmp_path / "log.jsonl")]
    assert sorted(found) == sorted(f"{who}-{n}" for who in range(3) for n in range(20))


def test_an_event_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    """Where the log cannot be written, the caller learns it instead of going on."""
    (tmp_path / "file").touch()
    with pytest.raises(FolderNotWritable, match="file"):
        AuditLog(tmp_path / "file" / "log.jsonl").log("transfer_staged")
    (tmp_path / "log.jsonl").mkdir()
    with pytest.raises(FolderNotWritable, match="directory"):
        AuditLog(tmp_path / "log.jsonl").log("transfer_staged")


# -- the daily limits -------------------------------------------------------------------------


def test_exactly_at_the_limit_is_allowed(tmp_path: Path) -> None:
    """The last cent of the limit may be moved, and not one more."""
    tracker = DailyLimitTracker(tmp_path / "limits.json", 1_000, now=at(NOON))
    assert tracker.check(1_000) == (True, 1_000)
    assert tracker.check(1_001) == (False, 1_000)
    tracker.record(400, "tr-1")
    assert tracker.check(600) == (True, 600)
    assert tracker.check(601) == (False, 600)
    tracker.record(700, "tr-2")
    assert tracker.check(0) == (False, 0)
    assert tracker.check(1) == (False, 0)


def test_the_file_has_the_documented_form(tmp_path: Path) -> None:
    """The file is {date: {user or "__global__": [{transfer_id, amount_cents, timestamp}]}}."""
    tracker = DailyLimitTracker(tmp_path / "limits.json", now=at(NOON))
    tracker.record(5, "tr-1")
    tracker.record(6, "tr-2", user_id=7)
    tracker.record(7, "tr-3", user_id="kim")
    stamp = "2026-11-23T17:00:00+00:00"
    assert json.loads(tracker.path.read_text()) == {
        "2026-11-23": {
            "__global__": [{"transfer_id": "tr-1", "amount_cents": 5, "timestamp": stamp}],
            "7": [{"transfer_id": "tr-2", "amount_cents": 6, "timestamp": stamp}],
            "kim": [{"transfer_id": "tr-3", "amount_cents": 7, "timestamp": stamp}],
        }
    }
    assert stat.S_IMODE(tracker.path.stat().st_mode) == 0o600


def test_each_user_has_entries_of_its_own(tmp_path: Path) -> None:
    """check counts its own key: neither another user's entries nor those of no user."""
    tracker = DailyLimitTracker(tmp_path / "limits.json", 100, now=at(NOON))
    tracker.record(10, "tr-1")
    tracker.record(20, "tr-2", user_id=0)
    tracker.record(40, "tr-3", user_id="kim")
    left = [tracker.check(1, user_id=user)[1] for user in (None, 0, "0", "kim", "other")]
    assert left == [90, 80, 80, 60, 100]


def test_the_default_limit_is_the_documented_one(tmp_path: Path) -> None:
    """Without parameters the limit is 25,000 dollars, in the data folder."""
    tracker = DailyLimitTracker()
    assert tracker.check(2_500_000) == (True, 2_500_000)
    tracker.record(1, "tr-1")
    assert (tmp_path / ".daily_limits.json").is_file()


def test_an_entry_with_more_keys_counts(tmp_path: Path) -> None:
    """A reservation, which carries a state, counts like a transfer and keeps its state."""
    file = tmp_path / "limits.json"
    reserved = entry(300, transfer_id="staged:1", state="reserved")
    file.write_text(json.dumps({"2026-11-23": {"__global__": [reserved]}}))
    tracker = DailyLimitTracker(file, 1_000, now=at(NOON))
    assert tracker.check(701) == (False, 700)
    tracker.record(1, "tr-2")
    assert json.loads(file.read_text())["2026-11-23"]["__global__"][0] == reserved


def test_the_older_form_is_read_and_migrated(tmp_path: Path) -> None:
    """A flat list of a day counts as the entries of no user; the next record writes it so."""
    file = tmp_path / "limits.json"
    file.write_text(json.dumps({"2026-11-23": [entry(300)], "2026-11-22": {"kim": [entry(9)]}}))
    tracker = DailyLimitTracker(file, 1_000, now=at(NOON))
    assert tracker.check(0) == (True, 700)
    assert tracker.check(0, user_id="kim") == (True, 1_000)
    tracker.record(1, "tr-2", user_id="kim")
    days = json.loads(file.read_text())
    assert days["2026-11-22"] == {"kim": [entry(9)]}
    assert days["2026-11-23"]["__global__"] == [entry(300)]
    assert [one["amount_cents"] for one in days["2026-11-23"]["kim"]] == [1]


def test_days_older_than_two_are_pruned(tmp_path: Path) -> None:
    """Today and the two days before stay in the file, and days ahead of the clock too."""
    file = tmp_path / "limits.json"
    days = ["2026-11-19", "2026-11-20", "2026-11-21", "2026-11-22", "2026-11-24"]
    file.write_text(json.dumps({day: {"__global__": [entry(1)]} for day in days}))
    DailyLimitTracker(file, now=at(NOON)).record(1, "tr-2")
    kept = ["2026-11-21", "2026-11-22", "2026-11-23", "2026-11-24"]
    assert sorted(json.loads(file.read_text())) == kept


@pytest.mark.parametrize(
    ("zone", "moment", "day"),
    [
        ("", datetime(2026, 11, 24, 4, 59, tzinfo=UTC), "2026-11-23"),
        ("", datetime(2026, 11, 24, 5, 0, tzinfo=UTC), "2026-11-24"),
        ("Asia/Tokyo", datetime(2026, 11, 23, 15, 0, tzinfo=UTC), "2026-11-24"),
    ],
)
def test_a_day_is_of_the_reporting_zone(
    zone: str, moment: datetime, day: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The day turns at midnight in SEQUENCE_TIMEZONE, which is New York's by default."""
    monkeypatch.setenv("SEQUENCE_TIMEZONE", zone)
    tracker = DailyLimitTracker(tmp_path / "limits.json", now=at(moment))
    tracker.record(1, "tr-1")
    assert list(json.loads(tracker.path.read_text())) == [day]


def test_a_new_day_has_its_whole_limit(tmp_path: Path) -> None:
    """What was moved yesterday does not count today."""
    clock = [NOON]
    tracker = DailyLimitTracker(tmp_path / "limits.json", 100, now=lambda: clock[0])
    tracker.record(100, "tr-1")
    assert tracker.check(1) == (False, 0)
    clock[0] += timedelta(days=1)
    assert tracker.check(100) == (True, 100)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        '{"2026-11-23": 5}',
        '{"2026-11-23": {"kim": 5}}',
        '{"2026-11-23": {"kim": [5]}}',
        '{"2026-11-23": {"kim": [{"transfer_id": "tr-1"}]}}',
        '{"2026-11-23": {"kim": [{"amount_cents": "5"}]}}',
        '{"2026-11-23": {"kim": [{"amount_cents": 5.5}]}}',
        '{"2026-11-23": {"kim": [{"amount_cents": -5}]}}',
        '{"2026-11-23": [{"amount_cents": true}]}',
        '{"2026-11-23": [{"amount_cents": NaN}]}',
        '{"today": {"kim": []}}',
    ],
)
def test_an_unreadable_file_never_counts_as_empty(content: str, tmp_path: Path) -> None:
    """A file that cannot be understood stops checks and records, and is left as it is."""
    file = tmp_path / "limits.json"
    file.write_text(content)
    tracker = DailyLimitTracker(file, now=at(NOON))
    with pytest.raises(LimitsUnreadable, match="the file is unchanged"):
        tracker.check(1)
    with pytest.raises(LimitsUnreadable, match="limits.json"):
        tracker.record(1, "tr-1")
    assert file.read_text() == content


def test_a_check_changes_nothing(tmp_path: Path) -> None:
    """check leaves the file as it is: old days, the older form, and its absence."""
    file = tmp_path / "limits.json"
    tracker = DailyLimitTracker(file, now=at(NOON))
    tracker.check(1)
    assert not file.exists()
    file.write_text(json.dumps({"2020-01-01": [entry(1)]}))
    tracker.check(1)
    assert json.loads(file.read_text()) == {"2020-01-01": [entry(1)]}


def test_an_error_in_a_held_block_writes_nothing(tmp_path: Path) -> None:
    """What a block changed before it failed is not written, and the lock is free again."""
    tracker = DailyLimitTracker(tmp_path / "limits.json", 100, now=at(NOON))
    with pytest.raises(KeyboardInterrupt), tracker.locked() as records:
        records.add("__global__", "staged:1", 60, state="reserved")
        raise KeyboardInterrupt
    assert tracker.check(100) == (True, 100)


def test_the_sum_over_all_users_can_be_asked(tmp_path: Path) -> None:
    """A held file gives the day's sum of one key, and of all keys."""
    tracker = DailyLimitTracker(tmp_path / "limits.json", now=at(NOON))
    tracker.record(1, "tr-1")
    tracker.record(2, "tr-2", user_id="kim")
    with tracker.locked() as records:
        sums = records.used_cents(), records.used_cents("kim"), records.used_cents(day="2026-11-22")
        assert sums == (3, 2, 0)
        assert records.today == "2026-11-23"


@pytest.mark.parametrize("amount", [-1, 1.0, "1", True, None])
def test_an_amount_is_whole_cents(amount: Any, tmp_path: Path) -> None:
    """Negative amounts, which would raise the limit, and other types are refused."""
    tracker = DailyLimitTracker(tmp_path / "limits.json", now=at(NOON))
    with pytest.raises(InvalidAmount):
        tracker.check(amount)
    with pytest.raises(InvalidAmount):
        tracker.record(amount, "tr-1")
    assert not tracker.path.exists()


def test_an_unusable_zone_stops_a_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a usable time zone there is no day, and the error names the variable."""
    monkeypatch.setenv("SEQUENCE_TIMEZONE", "Mars/Olympus")
    with pytest.raises(InvalidSetting, match="^SEQUENCE_TIMEZONE"):
        DailyLimitTracker(tmp_path / "limits.json").check(1)


def test_records_of_many_threads_all_count(tmp_path: Path) -> None:
    """Threads with trackers of their own lose no entry."""
    file = tmp_path / "limits.json"

    def record() -> None:
        for _ in range(5):
            DailyLimitTracker(file, now=at(NOON)).record(1, "tr", user_id="kim")

    threads = [Thread(target=record) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert DailyLimitTracker(file, 100, now=at(NOON)).check(0, user_id="kim") == (True, 80)


def test_records_of_many_processes_all_count(tmp_path: Path) -> None:
    """Processes that share the file lose no entry, and each sees the others' at once."""
    script = (
        "import sys\nfrom seqdata.safeguards import DailyLimitTracker\n"
        "tracker = DailyLimitTracker('limits.json')\n"
        "for n in range(8):\n    tracker.record(1, f'{sys.argv[1]}-{n}')\n"
    )
    run_together(script, tmp_path, 3)
    days = json.loads((tmp_path / "limits.json").read_text())
    found = [one["transfer_id"] for keys in days.values() for one in keys["__global__"]]
    assert sorted(found) == sorted(f"{who}-{n}" for who in range(3) for n in range(8))


AMOUNTS = st.lists(
    st.tuples(st.sampled_from([None, "kim", 7]), st.integers(0, 3_000_000)), max_size=6
)


@given(recorded=AMOUNTS, asked=st.integers(0, 3_000_000))
@settings(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    max_examples=40,
)
def test_a_check_is_the_sum_of_what_was_recorded(
    tmp_path: Path, recorded: list[tuple[int | str | None, int]], asked: int
) -> None:
    """For every series of records, an amount is allowed just where the sum stays in the limit."""
    file = tmp_path / "limits.json"
    file.unlink(missing_ok=True)
    tracker = DailyLimitTracker(file, now=at(NOON))
    for user, amount in recorded:
        tracker.record(amount, "tr", user_id=user)
    for user in (None, "kim", 7):
        used = sum(amount for other, amount in recorded if other == user)
        expected = (used + asked <= 2_500_000, max(0, 2_500_000 - used))
        assert tracker.check(asked, user_id=user) == expected


@pytest.mark.parametrize("state", ["reserved", "unknown"])
def test_what_is_open_is_not_pruned(tmp_path: Path, state: str) -> None:
    """However old a reservation is, it stays as long as no outcome of it is known."""
    file = tmp_path / "limits.json"
    held = {**entry(500), "intent_id": "i-1", "state": state}
    file.write_text(json.dumps({"2026-01-01": {"kim": [held, entry(7)]}}))
    DailyLimitTracker(file, now=lambda: datetime(2026, 11, 23, 17, tzinfo=UTC)).record(1, "tr-1")
    assert json.loads(file.read_text())["2026-01-01"] == {"kim": [held]}
