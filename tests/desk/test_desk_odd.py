"""What no honest program does: changed stages, copied lines, odd values, another folder."""

from __future__ import annotations

import dataclasses
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from desk_helper import Clock, arrived, events, open_desk, settings_of, story
from waiting import PATIENCE, until

from seqdata import exceptions as ex
from seqdata.auth.tokens import AuthTokens, TokenStore
from seqdata.client import SequenceClient
from seqdata.config import get_settings
from seqdata.safeguards import AuditLog, DailyLimitTracker, StagedTransfer, TransferDesk
from seqdata.safeguards.accounts import find_account
from seqdata.sandbox import Sandbox
from seqdata.sources.base import Account

LOG = ".audit.jsonl"


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(months=1, now="2026-11-01") as running:
        yield running


def changed(staged: StagedTransfer, **facts: Any) -> StagedTransfer:
    return dataclasses.replace(staged, **facts)


@pytest.mark.parametrize(
    "change",
    [
        lambda one: changed(one, source=changed(one.source, balance_cents=None)),
        lambda one: changed(one, source=None),
        lambda one: changed(one, instant=None),
        lambda one: changed(one, instant=0),
        lambda one: changed(one, amount_cents=500.0),
        lambda one: changed(one, amount_cents=None),
        lambda one: changed(one, amount_cents=501),
        lambda one: changed(one, staged_at=None),
        lambda one: changed(one, app_url=5),
        lambda one: changed(one, note=None),
        lambda one: changed(one, id=[]),
        lambda one: one.facts(),
        lambda one: None,
    ],
)
def test_a_stage_that_was_changed_is_none(
    box: Sandbox, tmp_path: Path, change: Callable[[StagedTransfer], Any]
) -> None:
    """Nothing of what was reviewed can be changed, left out, or of another type."""
    desk = open_desk(box, tmp_path)
    staged = desk.stage("Bills", "Groceries", amount_cents=500)
    for act in (desk.confirm, desk.cancel):
        with pytest.raises(ex.StageUnknown):
            act(change(staged))
    assert arrived(box) == []
    assert desk.confirm(staged).status == "completed"


@pytest.mark.parametrize("lines", [1, 2, 9])
def test_a_line_of_a_copy_closes_nothing(box: Sandbox, tmp_path: Path, lines: int) -> None:
    """Lines of a copied folder, laid behind the log and accepted by a person, give nothing back."""
    folder, copy = tmp_path / "one", tmp_path / "two"
    desk = open_desk(box, folder)
    staged = desk.stage("Bills", "Groceries", amount_cents=500)
    box.fail("cut_after", operation="CreatePayment")
    assert desk.confirm(staged).status == "unknown"
    transfer_id = arrived(box)[0]["transfer_id"]
    shutil.copytree(folder, copy)
    other = open_desk(box, copy)
    box.remove_transfers([transfer_id])
    box.advance(hours=25)
    other.settle()
    box.advance(minutes=6)
    (given_up,) = other.settle(assume_failed=[staged.id])
    assert given_up.outcome.status == "failed"
    added = (copy / LOG).read_bytes().splitlines(keepends=True)[-lines:]
    with (folder / LOG).open("ab") as log:
        log.write(b"".join(added))
    desk.audit.acknowledge()
    assert [one.id for one in desk.open_intents()] == [staged.id], story(folder)


def test_the_token_is_the_desks_own(
    box: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After os.chdir a desk of a relative data folder pays, logs and counts as before."""
    monkeypatch.setenv("SEQUENCE_DATA_DIR", "data")
    for name, value in box.environment().items():
        monkeypatch.setenv(name, value)
    tokens = {}
    for name in ("one", "two"):
        (tmp_path / name / "data").mkdir(parents=True)
        monkeypatch.chdir(tmp_path / name)
        tokens[name] = box.issue_token()
        TokenStore(get_settings()).write(AuthTokens(tokens[name], None, 4e9), client_id=None)
    (tmp_path / "two" / "data" / ".env").write_text("SEQUENCE_STAGE_SECONDS=no number\n")
    monkeypatch.chdir(tmp_path / "one")
    desk, log = TransferDesk.open(), AuditLog()
    staged = desk.stage("Bills", "Groceries", "5")
    monkeypatch.chdir(tmp_path / "two")
    box.clear_requests()
    assert desk.confirm(staged).status == "completed"
    assert desk.limits().daily_left_cents == 2_500_000 - 500
    sent = json.dumps(box.requests(), default=str)
    assert tokens["two"] not in sent
    log.log("note")
    assert [one.parent.parent.name for one in tmp_path.rglob(LOG)] == ["one"]


def test_a_tracker_whose_lock_was_taken_away_writes_nothing(tmp_path: Path) -> None:
    """Of two programs in one turn, the one whose lock is gone loses no entry of the other."""
    tracker = DailyLimitTracker(tmp_path / "limits.json", 1_000)
    with pytest.raises(ex.TurnLost), tracker.locked() as records:
        (tmp_path / "limits.json.lock").unlink()
        DailyLimitTracker(tmp_path / "limits.json", 1_000).record(900, "other")
        records.add("kim", "mine", 10)
    assert tracker.check(101) == (False, 100)


CLOSED = "11111111-2222-3333-4444-555555555555"


@pytest.mark.parametrize(
    ("wanted", "named", "once_known"),
    [
        (CLOSED.replace("1", "\uff11"), CLOSED, {CLOSED}),
        (CLOSED, CLOSED, set()),
        (CLOSED.upper(), CLOSED, set()),
        ("ABCDEFGH", "abcdefgh", {"abcdefgh"}),
    ],
)
def test_a_closed_id_is_no_name_in_any_writing(
    wanted: str, named: str, once_known: set[str]
) -> None:
    """An id that is gone finds no account that is named like it."""
    accounts = [Account("acc_1", "Kids", "pod", 1, True), Account("acc_2", named, "pod", 1, True)]
    with pytest.raises(ex.UnknownAccount):
        find_account(wanted, accounts, once_known)


def test_names_cannot_steer_a_terminal_from_an_open_transfer(box: Sandbox, tmp_path: Path) -> None:
    """What an open transfer says of itself can be printed as it is."""
    desk = open_desk(box, tmp_path)
    pods = [one for one in desk.look().accounts if one.kind == "pod"]
    box.rename(pods[0].id, "Ki\x1b[2J\u202eds\nX")
    box.fail("cut_after", operation="CreatePayment")
    desk.confirm(desk.stage(pods[0].id, pods[1].id, amount_cents=500))
    (intent,) = desk.open_intents()
    assert f"{intent}{intent.what}".isprintable()


@pytest.mark.parametrize(
    "call",
    [
        lambda desk, path: desk.settle(none_of=None),
        lambda desk, path: desk.settle(assume_failed=5),
        lambda desk, path: desk.settle(choose=["x"]),
        lambda desk, path: TransferDesk.open(["x"]),
        lambda desk, path: desk.compare([{}]),
        lambda desk, path: desk.compare(None),
        lambda desk, path: desk.underway([{}]),
        lambda desk, path: AuditLog("a\0b"),
        lambda desk, path: AuditLog(5),
        lambda desk, path: AuditLog(path / "log").log(b"x"),
        lambda desk, path: DailyLimitTracker("a\0b"),
        lambda desk, path: DailyLimitTracker(path / "l").record(1, b"x"),
        lambda desk, path: DailyLimitTracker(path / "l").record(10**5000, "x"),
        lambda desk, path: DailyLimitTracker(path / "l", "5"),
        lambda desk, path: DailyLimitTracker(path / "l", zone="America/New_York"),
        lambda desk, path: (
            (path / "loop").symlink_to(path / "loop") or DailyLimitTracker(path / "loop").check(1)
        ),
        lambda desk, path: desk.stage("Bills", "Groceries", amount_cents=10**30),
        lambda desk, path: desk.stage(None, b"Groceries", "5"),
        lambda desk, path: desk.stage("Bills", "Groceries", "5", note=5),
    ],
)
def test_what_cannot_be_meant_is_said_in_a_sentence(
    box: Sandbox, tmp_path: Path, call: Callable[[TransferDesk, Path], Any]
) -> None:
    """An argument of another kind is an error of the package, not one of Python."""
    with pytest.raises(ex.SequenceError) as refused:
        call(open_desk(box, tmp_path), tmp_path)
    assert len(str(refused.value).split()) > 4


# -- clocks, waiting and what is said ---------------------------------------------------------


def test_a_clock_that_was_set_right_gives_no_second_day(tmp_path: Path) -> None:
    """What was sent on the service's day counts for it, whatever this machine's clock said."""
    day = datetime(2026, 11, 24, 4, 30, tzinfo=UTC)  # 23:30 on the 23rd in New York
    with Sandbox(months=1, now=day.isoformat()) as box:
        clock = Clock(day + timedelta(minutes=59))
        desk = open_desk(box, tmp_path, clock=clock, max_daily_transfer_cents=2000)
        assert desk.confirm(desk.stage("Bills", "Groceries", amount_cents=2000)).arrived is not None
        clock.now = day + timedelta(minutes=1)
        assert desk.limits().daily_left_cents == 0
        with pytest.raises(ex.DailyLimitExceeded):
            desk.confirm(desk.stage("Bills", "Groceries", amount_cents=100))
        assert len(arrived(box)) == 1


@pytest.mark.parametrize("loses", ["the review", "the turn"])
def test_what_happens_while_a_confirm_waits_for_the_limits_counts(
    box: Sandbox, tmp_path: Path, loses: str
) -> None:
    """A review that ends, or a turn that is taken away, during the last wait sends nothing."""
    clock = Clock(datetime.now(UTC))
    desk = open_desk(box, tmp_path, clock=clock)
    staged = desk.stage("Bills", "Groceries", amount_cents=700)
    let_go = threading.Event()
    requested = partial(events, tmp_path, "transfer_requested")

    def hold() -> None:
        with DailyLimitTracker(tmp_path / ".daily_limits.json").locked():
            let_go.wait(PATIENCE)

    def disturb() -> None:
        until(requested, why="an intent on the disk")
        holder = threading.Thread(target=hold)
        holder.start()
        until((tmp_path / ".daily_limits.json.lock").exists, why="the lock of the limits")
        if loses == "the turn":
            (tmp_path / ".transfers.lock").unlink()
        else:
            clock.now = staged.expires_at
        let_go.set()
        holder.join()

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        status = desk.confirm(staged).status
    except ex.TurnLost:  # which says that nothing was sent
        status = "failed"
    thread.join()
    assert len(arrived(box)) == (0 if status == "failed" else 1)


def test_files_that_are_put_back_together_pay_nothing_again(box: Sandbox, tmp_path: Path) -> None:
    """With log, head and limits put back at once, the program that sent it sends it no more."""
    desk = open_desk(box, tmp_path)
    staged = desk.stage("Bills", "Groceries", amount_cents=700)
    names = (LOG, ".audit.head.json", ".daily_limits.json")
    kept = {one: (tmp_path / one).read_bytes() for one in names if (tmp_path / one).exists()}
    assert desk.confirm(staged).status == "completed"
    for name in names:
        (tmp_path / name).unlink(missing_ok=True)
    for name, content in kept.items():
        (tmp_path / name).write_bytes(content)
    for again in (desk, open_desk(box, tmp_path)):
        with pytest.raises(ex.StageUsed, match="this very program"):
            again.confirm(staged)
    assert len(arrived(box)) == 1


def test_a_reservation_counts_for_the_day_it_was_made(box: Sandbox, tmp_path: Path) -> None:
    """Staged before midnight and sent after it, with a lost log, a transfer counts for its day."""
    clock = Clock(datetime(2026, 11, 24, 4, 59, tzinfo=UTC))
    desk = open_desk(box, tmp_path, clock=clock, max_daily_transfer_cents=2000)
    staged = desk.stage("Bills", "Groceries", amount_cents=1500)
    kept = {name: (tmp_path / name).read_bytes() for name in (LOG, ".audit.head.json")}
    clock.now = datetime(2026, 11, 24, 5, 1, tzinfo=UTC)
    box.fail("create_error", variant="bad_gateway")
    assert desk.confirm(staged).status == "unknown"
    for name, content in kept.items():
        (tmp_path / name).write_bytes(content)
    desk.settle()
    (tmp_path / ".daily_limits.json").unlink()
    assert desk.limits().daily_left_cents == 500


def test_a_payment_repeated_by_hand_is_not_taken_for_the_first(
    box: Sandbox, tmp_path: Path
) -> None:
    """What was made after the sending had ended is for a person to decide."""
    desk = open_desk(box, tmp_path)
    staged = desk.stage("Bills", "Groceries", amount_cents=1500)
    box.fail("bad_gateway", operation="CreatePayment")
    assert desk.confirm(staged).status == "unknown"
    box.advance(seconds=100)
    settings = settings_of(box, tmp_path / "other")
    with SequenceClient("", box.issue_token, settings=settings) as client:
        client.transfer(box.kyc_id, staged.source.id, staged.destination.id, 1500)
    desk.settle()
    assert [one.id for one in desk.open_intents()] == [staged.id]


def test_a_head_that_became_a_link_to_itself_hides_no_outcome(box: Sandbox, tmp_path: Path) -> None:
    """A file of ours that leads to itself is a typed error, never a bare one."""
    desk = open_desk(box, tmp_path)
    staged = desk.stage("Bills", "Groceries", amount_cents=700)
    head = tmp_path / ".audit.head.json"
    head.unlink()
    head.symlink_to(head)
    with pytest.raises(ex.SequenceError):
        desk.confirm(staged)
    assert not arrived(box)


def test_a_token_that_is_none_is_not_shown(box: Sandbox, tmp_path: Path) -> None:
    """A provider's text that cannot be sent is refused, and is in no error."""
    for token in ("SECRET\ud83dTOKEN", "SECRET\r\nTOKEN", "SECR\u00e9T"):
        desk = open_desk(box, tmp_path, token_provider=lambda token=token: token)
        with pytest.raises(ex.AuthenticationError) as caught:
            desk.look()
        assert "SECR" not in str(caught.value)
