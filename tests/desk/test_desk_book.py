"""The book: the log is the authority, and what is used of a day is the union of log and limits."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from desk_helper import NOON, Clock, Shell, arrived, events, limits_file, open_desk
from exchanges import without_mark

from seqdata import exceptions as ex
from seqdata.core.files import holding
from seqdata.core.origins import server_of
from seqdata.http.curl import CurlSend
from seqdata.http.messages import Exchange, Request
from seqdata.http.transport import Transport
from seqdata.safeguards import AuditLog, StagedTransfer, TransferDesk
from seqdata.safeguards.audit import EVENTS
from seqdata.safeguards.chain import MARK, digest, mark_of
from seqdata.sandbox import Sandbox

LIMIT = 1_000


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(months=1, now="2026-11-01") as running:
        yield running


def desk_of(box: Sandbox, folder: Path, **more: Any) -> TransferDesk:
    return open_desk(box, folder, **{"max_daily_transfer_cents": LIMIT, **more})


# -- forgeries --------------------------------------------------------------------------------

LOG, HEAD, FILE = ".audit.jsonl", ".audit.head.json", ".daily_limits.json"


def by_api(folder: Path, event: str, intent_id: str) -> None:
    """Another program appends a chained line through the public method."""
    AuditLog(folder / LOG).log(event, intent_id=intent_id, transfer_id="tr-1", amount_cents=500)


def by_file(folder: Path, event: str, intent_id: str) -> None:
    """Another program appends a line that is not chained."""
    line = {"timestamp": "2026-11-26T12:00:00+00:00", "event_type": event, "intent_id": intent_id}
    with (folder / LOG).open("a") as stream:
        stream.write(json.dumps(line) + "\n")


def by_file_chained(folder: Path, event: str, intent_id: str) -> None:
    """Another program appends a line with the right number and hash, as a crash leaves one."""
    data = (folder / LOG).read_bytes()
    last = data.splitlines(keepends=True)[-1]
    entry = {"event_type": event, "intent_id": intent_id, "timestamp": "2026-11-26T12:00:00+00:00"}
    entry |= {"seq": json.loads(last)["seq"] + 1, "previous": digest(last)}
    (folder / LOG).write_bytes(data + json.dumps(entry).encode() + b"\n")


def by_copy(folder: Path, event: str, intent_id: str) -> None:
    """A line of the desk, mark and all, is copied with another event and chained again."""
    data = (folder / LOG).read_bytes()
    lines = data.splitlines(keepends=True)
    entry = next(e for e in map(json.loads, lines) if e.get("intent_id") == intent_id and MARK in e)
    last = lines[-1]
    entry |= {"event_type": event, "seq": json.loads(last)["seq"] + 1, "previous": digest(last)}
    (folder / LOG).write_bytes(data + json.dumps(entry).encode() + b"\n")


FORGERIES = (by_api, by_file, by_file_chained, by_copy)


def staged_only(desk: TransferDesk, box: Sandbox) -> StagedTransfer:
    return desk.stage("Bills", "Groceries", "5")


def open_one(desk: TransferDesk, box: Sandbox) -> StagedTransfer:
    staged = staged_only(desk, box)
    box.fail("cut_after", operation="CreatePayment")
    assert desk.confirm(staged).status == "unknown"
    return staged


def completed_one(desk: TransferDesk, box: Sandbox) -> StagedTransfer:
    staged = staged_only(desk, box)
    assert desk.confirm(staged).status == "completed"
    return staged


def failed_one(desk: TransferDesk, box: Sandbox) -> StagedTransfer:
    staged = staged_only(desk, box)
    box.fail("unauthorized", operation="CreatePayment")
    assert desk.confirm(staged).status == "failed"
    return staged


STATES: dict[str, Callable[[TransferDesk, Sandbox], StagedTransfer]] = {
    "staged": staged_only, "open": open_one, "completed": completed_one, "failed": failed_one,
}  # fmt: skip


def standing(desk: TransferDesk, staged: StagedTransfer) -> tuple[Any, ...]:
    """What a desk knows of a transfer and of the day."""
    outcome = desk.outcome_of(staged.id)
    known = None if outcome is None else (outcome.status, outcome.accepted)
    return known, [one.id for one in desk.open_intents()], desk.limits().daily_left_cents


@pytest.mark.parametrize("state", STATES)
def test_no_forged_line_moves_a_transfer(box: Sandbox, tmp_path: Path, state: str) -> None:
    """Whatever event another program writes, in whatever way, the desk knows what it knew."""
    folders = []
    (tmp_path / "true").mkdir()
    staged = STATES[state](desk_of(box, tmp_path / "true"), box)
    known = standing(desk_of(box, tmp_path / "true"), staged)
    for forge in FORGERIES:
        for event in EVENTS:
            folder = tmp_path / f"{forge.__name__}-{event}"
            shutil.copytree(tmp_path / "true", folder)
            forge(folder, event, staged.id)
            folders.append(folder)
    for folder in folders:
        desk = desk_of(box, folder)
        if not desk.audit.verify().is_intact:
            with pytest.raises(ex.AuditChainBroken):
                desk.open_intents()
            desk.audit.acknowledge(note="a person looked")
        assert standing(desk, staged) == known, folder.name
    if state == "staged":  # and it is still good for one payment
        assert desk_of(box, folders[0]).confirm(staged).status == "completed"


def test_a_mark_is_of_its_own_line(box: Sandbox, tmp_path: Path) -> None:
    """Each line of the desk is marked for what it says and where it stands; log() cannot mark."""
    desk = desk_of(box, tmp_path)
    completed_one(desk, box)
    for entry in events(tmp_path):
        assert entry[MARK] == mark_of(entry)
        assert mark_of({**entry, "seq": entry["seq"] + 1}) != entry[MARK]
    with pytest.raises(ex.InvalidEvent, match=MARK):
        desk.audit.log("transfer_failed", **{MARK: "x"})


# -- the union --------------------------------------------------------------------------------


def drop(*names: str) -> Callable[[Path, Path], None]:
    return lambda folder, _: [(folder / name).unlink(missing_ok=True) for name in names] and None


def empty(folder: Path, _: Path) -> None:
    (folder / FILE).write_text("{}")


def restore(*names: str) -> Callable[[Path, Path], None]:
    def put_back(folder: Path, backup: Path) -> None:
        for name in names:
            (folder / name).unlink(missing_ok=True)
            if (backup / name).exists():
                shutil.copy(backup / name, folder / name)

    return put_back


LOSSES = {
    "the limits file is deleted": drop(FILE),
    "the limits file is emptied": empty,
    "the limits file of before is put back": restore(FILE),
    "log and head are deleted": drop(LOG, HEAD),
    "log and head of before are put back": restore(LOG, HEAD),
}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("state", ["open", "completed"])
def test_no_lost_file_gives_anything_back(
    box: Sandbox, tmp_path: Path, state: str, loss: str
) -> None:
    """Whichever of the files is lost or put back, the day counts, and an open transfer blocks."""
    folder, backup = tmp_path / "data", tmp_path / "backup"
    folder.mkdir()
    desk = desk_of(box, folder)
    staged = staged_only(desk, box)
    shutil.copytree(folder, backup)
    if state == "open":
        box.fail("cut_after", operation="CreatePayment")
    desk.confirm(staged)
    LOSSES[loss](folder, backup)
    again = desk_of(box, folder)
    assert again.limits().daily_left_cents == LIMIT - 500
    with pytest.raises(ex.DailyLimitExceeded):
        again.stage("Bills", "Taxes", "6")
    with pytest.raises(ex.SafeguardError):
        again.confirm(staged)
    assert len(arrived(box)) == 1
    if state == "open":
        assert [one.id for one in again.open_intents()] == [staged.id]
        with pytest.raises(ex.OutcomeOpen):
            again.stage("Bills", "Groceries", "1")
        (settled,) = again.settle()
        assert settled.outcome.status == "completed"
        assert again.open_intents() == []
        assert again.limits().daily_left_cents == LIMIT - 500
    assert desk_of(box, folder).limits().daily_left_cents == LIMIT - 500


#: Confirms a transfer in a process that dies when it asks its clock for the sixth time: what it
#: counts to the day is on the disk then, and its intent is not.
DYING = """
import os, pickle, sys
from datetime import UTC, datetime
from seqdata.config import get_settings
from seqdata.safeguards import TransferDesk
asked = iter(range(5))
def clock():
    return datetime.now(UTC) if next(asked, None) is not None else os._exit(9)
TransferDesk(get_settings(), clock=clock).confirm(pickle.loads(open(sys.argv[1], "rb").read()))
"""


def test_what_a_dead_program_reserved_can_be_cancelled(box: Sandbox, tmp_path: Path) -> None:
    """A transfer whose program died before it was sent is cancelled, and nothing is open then."""
    desk = desk_of(box, tmp_path)
    staged = staged_only(desk, box)
    (tmp_path / "staged").write_bytes(pickle.dumps(staged))
    environment = Shell(box, tmp_path).environment
    given = [sys.executable, "-c", DYING, str(tmp_path / "staged")]
    assert subprocess.run(given, env=environment, check=False).returncode == 9
    assert [one["state"] for one in limits_file(tmp_path)] == ["reserved"]
    desk.cancel(staged)
    assert desk.open_intents() == []
    assert desk.limits().daily_left_cents == LIMIT
    assert desk.confirm(desk.stage("Bills", "Groceries", "5")).status == "completed"


def test_what_is_settled_later_counts_for_its_own_day(box: Sandbox, tmp_path: Path) -> None:
    """With its log lost, a transfer settled on the next day uses nothing of that day's limit."""
    clock = Clock(NOON)
    desk = desk_of(box, tmp_path, clock=clock)
    open_one(desk, box)
    assert desk.limits().daily_left_cents == LIMIT - 500
    drop(LOG, HEAD)(tmp_path, tmp_path)
    clock.now += timedelta(days=1)
    box.advance(days=1)
    assert [one.outcome.status for one in desk_of(box, tmp_path, clock=clock).settle()] == [
        "completed"
    ]
    assert desk_of(box, tmp_path, clock=clock).limits().daily_left_cents == LIMIT
    clock.now -= timedelta(days=1)
    assert desk_of(box, tmp_path, clock=clock).limits().daily_left_cents == LIMIT - 500


def test_amounts_that_differ_count_by_the_greater(box: Sandbox, tmp_path: Path) -> None:
    """Where log and limits file name other amounts, the greater counts."""
    completed_one(desk_of(box, tmp_path), box)
    text = (tmp_path / FILE).read_text()
    for cents, left in ((300, LIMIT - 500), (700, LIMIT - 700)):
        (tmp_path / FILE).write_text(
            text.replace('"amount_cents": 500', f'"amount_cents": {cents}')
        )
        assert desk_of(box, tmp_path).limits().daily_left_cents == left


def test_what_the_log_closed_as_failed_counts_nothing(box: Sandbox, tmp_path: Path) -> None:
    """A reservation that a crash left counts nothing once the log says that it failed."""
    desk = desk_of(box, tmp_path)
    staged = staged_only(desk, box)
    box.fail("unauthorized", operation="CreatePayment")
    desk.confirm(staged)
    entry = {"transfer_id": f"staged:{staged.id}", "amount_cents": 500, "state": "reserved",
             "timestamp": datetime.now(UTC).isoformat(), "intent_id": staged.id}  # fmt: skip
    today = desk.limits().day
    (tmp_path / FILE).write_text(json.dumps({today: {"kim": [entry]}}))
    assert desk_of(box, tmp_path).limits().daily_left_cents == LIMIT
    assert desk_of(box, tmp_path).open_intents() == []


# -- the day ----------------------------------------------------------------------------------


ZONES = ("America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kolkata")


@pytest.mark.parametrize("lost", [(), (FILE,), (LOG, HEAD)])
@pytest.mark.parametrize("zone", ZONES)
def test_another_zone_gives_no_second_day(
    box: Sandbox, tmp_path: Path, zone: str, lost: tuple[str, ...]
) -> None:
    """What was moved counts until its day is over, both where it was made and where one is now."""
    clock = Clock(datetime(2026, 11, 23, 17, tzinfo=UTC))
    first = desk_of(box, tmp_path, clock=clock)
    assert first.confirm(first.stage("Bills", "Groceries", "10")).status == "completed"
    drop(*lost)(tmp_path, tmp_path)
    other = desk_of(box, tmp_path, clock=clock, timezone=zone)
    made = clock.now
    for hours in range(40):
        clock.now = made + timedelta(hours=hours)
        is_today = any(
            clock.now.astimezone(ZoneInfo(one)).date() == made.astimezone(ZoneInfo(one)).date()
            for one in (zone, "America/New_York")
        )
        assert other.limits().daily_left_cents == (0 if is_today else LIMIT), hours


def test_a_service_without_a_clock_gets_nothing(box: Sandbox, tmp_path: Path) -> None:
    """Where a real service's answers carry no Date, which day it is is not sure: it refuses."""
    curl = CurlSend()

    def send(request: Request) -> Exchange:
        exchange = without_mark(curl(request))
        assert exchange.answer is not None
        kept = {k: v for k, v in exchange.answer.headers.items() if k != "date"}
        return replace(exchange, answer=replace(exchange.answer, headers=kept))

    desk = desk_of(box, tmp_path, transport=Transport(send), somebody_there=lambda: True)
    with pytest.raises(ex.ClockOff, match="the service's nothing"):
        desk.stage("Bills", "Groceries", "5")
    assert arrived(box) == []


# -- what a person accepted -------------------------------------------------------------------


def test_what_two_logs_say_stays_known(box: Sandbox, tmp_path: Path) -> None:
    """Two logs laid behind each other, and accepted as they are, tell of both's transfers."""
    folders = [tmp_path / "one", tmp_path / "two"]
    ids = []
    for folder, amount in zip(folders, ("3", "4"), strict=True):
        folder.mkdir()
        desk = desk_of(box, folder)
        staged = desk.stage("Bills", "Groceries", amount)
        assert desk.confirm(staged).status == "completed"
        ids.append(staged.id)
    for order in (folders, folders[::-1]):
        both = tmp_path / f"both-{order[0].name}"
        both.mkdir()
        (both / LOG).write_bytes(b"".join((one / LOG).read_bytes() for one in order))
        desk = desk_of(box, both)
        assert desk.audit.acknowledge() is not None
        known = [desk.outcome_of(one) for one in ids]
        assert [one.status for one in known if one is not None] == ["completed", "completed"]
        assert desk.limits().daily_left_cents == LIMIT - 700


@pytest.mark.parametrize("gone", ["cancelled", "expired", "confirmed", "staged"])
def test_a_gap_that_was_accepted_revives_nothing(box: Sandbox, tmp_path: Path, gone: str) -> None:
    """What was staged before a person accepted a broken log cannot be confirmed any more."""
    clock = Clock(datetime.now(UTC))
    desk = desk_of(box, tmp_path, clock=clock)
    staged = desk.stage("Bills", "Groceries", "5")
    if gone == "cancelled":
        desk.cancel(staged)
    if gone == "expired":
        clock.now += timedelta(hours=1)
        with pytest.raises(ex.StageExpired):
            desk.confirm(staged)
    if gone == "confirmed":
        desk.confirm(staged, dry_run=True)
    lines = (tmp_path / LOG).read_bytes().splitlines(keepends=True)
    kept = lines[: 0 if gone == "staged" else 1]
    (tmp_path / LOG).write_bytes(b"".join(kept))
    desk = desk_of(box, tmp_path)
    desk.audit.acknowledge()
    with pytest.raises((ex.StageExpired, ex.StageUnknown)):
        desk.confirm(staged)
    assert arrived(box) == []


def test_a_desk_keeps_its_zone_and_its_folder(
    box: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither SEQUENCE_TIMEZONE nor os.chdir, changed between two transfers, gives a new limit."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    desk = desk_of(box, Path())
    completed_one(desk, box)
    monkeypatch.setenv("SEQUENCE_TIMEZONE", "Pacific/Kiritimati")
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert desk.limits().daily_left_cents == LIMIT - 500
    completed_one(desk, box)
    assert desk.limits().daily_left_cents == 0
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_limits_are_as_live_as_read_only_mode(
    box: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A switch thrown after the desk was opened tightens it at once, and loosens nothing."""
    desk = desk_of(box, tmp_path)
    monkeypatch.setenv("SEQUENCE_MAX_DAILY_TRANSFER_CENTS", "300")
    with pytest.raises(ex.DailyLimitExceeded):
        desk.stage("Bills", "Groceries", "5")
    monkeypatch.setenv("SEQUENCE_MAX_DAILY_TRANSFER_CENTS", "99999999")
    assert desk.limits().daily_cents == LIMIT
    monkeypatch.setenv("SEQUENCE_MAX_TRANSFER_CENTS", "200")
    with pytest.raises(ex.TransferLimitExceeded):
        desk.stage("Bills", "Groceries", "5")


def test_a_real_service_with_another_clock_gets_nothing(box: Sandbox, tmp_path: Path) -> None:
    """With an hour between the clocks of a real service and this machine nothing is sent."""
    curl = CurlSend()
    transport = Transport(lambda request: without_mark(curl(request)))
    clock = Clock(box.now + timedelta(minutes=61))
    desk = desk_of(box, tmp_path, transport=transport, clock=clock, somebody_there=lambda: True)
    with pytest.raises(ex.ClockOff, match="Set the clock"):
        desk.stage("Bills", "Groceries", "5")
    clock.now = box.now + timedelta(minutes=59)
    staged = desk.stage("Bills", "Groceries", "5")
    clock.now = box.now - timedelta(minutes=62)
    with pytest.raises(ex.SafeguardError):
        desk.confirm(staged)
    assert arrived(box) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://localhost:8000", "http://127.0.0.1:8000"),
        ("http://127.0.0.1:8000", "http://[::1]:8000"),
        ("https://app.getsequence.io", "https://app.getsequence.io:443"),
        ("https://app.getsequence.io", "https://APP.getsequence.io."),
    ],
)
def test_one_server_has_several_names(one: str, other: str) -> None:
    """Names of loopback, a default port and a trailing dot are one server for open intents."""
    assert server_of(one) == server_of(other)
    assert server_of(one) != server_of("https://app.example.org")


def test_an_open_transfer_blocks_under_each_name(box: Sandbox, tmp_path: Path) -> None:
    """What was sent to 127.0.0.1 is open for a desk at localhost too."""
    staged = open_one(desk_of(box, tmp_path), box)
    other = desk_of(box, tmp_path, app_url=box.app_url.replace("127.0.0.1", "localhost"))
    assert [one.id for one in other.open_intents()] == [staged.id]
    with pytest.raises(ex.OutcomeOpen):
        other.stage("Bills", "Groceries", "1")


# -- turns ------------------------------------------------------------------------------------


def test_a_lock_that_is_taken_away_sends_nothing(box: Sandbox, tmp_path: Path) -> None:
    """Where the lock file is deleted while it is held, the payment is not sent, nothing counts."""
    curl = CurlSend()

    def send(request: Any) -> Any:
        if not request.once and (tmp_path / ".transfers.lock").exists():
            (tmp_path / ".transfers.lock").unlink()
        return curl(request)

    desk = desk_of(box, tmp_path, transport=Transport(send))
    staged = staged_only(desk, box)
    with pytest.raises(ex.TurnLost):
        desk.confirm(staged)
    assert arrived(box) == []
    plain = desk_of(box, tmp_path)
    assert plain.limits().daily_left_cents == LIMIT
    assert plain.open_intents() == []


def test_a_stopped_holder_is_named_and_not_passed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever waits for a program that stands still says for whom, and gives up."""
    lock = tmp_path / ".transfers.lock"
    code = (
        "import sys\nfrom pathlib import Path\nfrom seqdata.core.files import holding\n"
        "with holding(Path(sys.argv[1]), patience=60):\n"
        "    print('held', flush=True)\n    sys.stdin.read()\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        os.kill(holder.pid, signal.SIGSTOP)
        with pytest.raises(ex.StillHeld, match=f"process {holder.pid}"), holding(lock, patience=3):
            raise AssertionError("it was held by two")
        assert f"process {holder.pid}" in caplog.text
    finally:
        os.kill(holder.pid, signal.SIGCONT)
        holder.communicate()
    with holding(lock, patience=3) as held:
        assert held.is_held


def test_wider_rights_are_narrowed_and_a_link_stays(box: Sandbox, tmp_path: Path) -> None:
    """Files of the book that others could read are narrowed; a limits file that is a link stays."""
    folder, store = tmp_path / "data", tmp_path / "store"
    folder.mkdir()
    store.mkdir()
    (store / "limits.json").write_text("{}")
    (folder / FILE).symlink_to(store / "limits.json")
    desk = desk_of(box, folder)
    completed_one(desk, box)
    for name in (LOG, HEAD):
        (folder / name).chmod(0o644)
    (store / "limits.json").chmod(0o666)
    completed_one(desk, box)
    assert (folder / FILE).is_symlink()
    assert len(json.loads((store / "limits.json").read_text())) == 1
    for path in (folder / LOG, folder / HEAD, store / "limits.json"):
        assert path.stat().st_mode & 0o077 == 0
