"""Whatever happens around the desk, in whatever order: a payment arrives once, and counts."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from desk_helper import Clock, Shell, arrived, settings_of
from full_disk import full_disk
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from waiting import until

from seqdata import exceptions as ex
from seqdata.safeguards import AuditLog, StagedTransfer, TransferDesk
from seqdata.sandbox import Sandbox

SOAK = bool(os.environ.get("SEQDATA_SOAK"))
LIMIT = 1_200
LOG, HEAD, LIMITS = ".audit.jsonl", ".audit.head.json", ".daily_limits.json"
ZONES = ("America/New_York", "Asia/Tokyo")
PAIRS = (("Bills", "Groceries"), ("Groceries", "Bills"), ("Emergency Fund", "Groceries"))

#: What a service does to a payment, and with which options.
FAULTS: dict[str, tuple[str, dict[str, Any]] | None] = {
    "nothing": None,
    "cut before it acts": ("cut", {"operation": "CreatePayment"}),
    "cut after it acted": ("cut_after", {"operation": "CreatePayment"}),
    "refused": ("unauthorized", {"operation": "CreatePayment"}),
    "yes and no": ("contradiction", {"operation": "CreatePayment"}),
    "garbage": ("wire", {"operation": "CreatePayment", "variant": "stray_lines"}),
    "fails at once": ("payment_fails", {}),
    "fails later": ("payment_fails", {"seconds": 7200}),
}

which = st.integers(0, 100)

#: What confirms came to, over all lives: a machine that does nothing proves nothing.
SEEN: Counter[str] = Counter()


@dataclass
class Sent:
    """A transfer as it was confirmed; `at` and `zone` say to which days it counts."""

    cents: int
    at: datetime
    zone: str

    def is_of_today(self, now: datetime, zone: str) -> bool:
        zones = (ZoneInfo(zone), ZoneInfo(self.zone))
        return any(self.at.astimezone(one).date() == now.astimezone(one).date() for one in zones)


class MoneyMachine(RuleBasedStateMachine):
    """A desk, its service, its disk, other programs and a person, each acting when it likes."""

    @initialize(victim=st.sampled_from(["none", "limits", "log"]))
    def begin(self, victim: str) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name)
        self.box = Sandbox(months=1, now="2026-11-01").start()
        now = datetime.now(UTC) if SOAK else datetime(2026, 11, 23, 17, tzinfo=UTC)
        self.clock, self.zone = Clock(now), ZONES[0]  # another process has no clock but the real
        #: Which of the two files may be lost: what is said of both together is not promised.
        self.victim, self.is_damaged = victim, False
        self.copies: list[Path] = []
        self.staged: list[StagedTransfer] = []
        self.sent: dict[str, Sent] = {}  # by note, which the service is told
        self.notes: dict[str, str] = {}  # intent to note
        self.failed: set[str] = set()
        self.processes = 0
        self.settings = settings_of(
            self.box, self.path, max_daily_transfer_cents=LIMIT, stage_seconds=3600
        )
        self.desk = self.opened()

    def opened(self, user: str = "kim") -> TransferDesk:
        changes = {"user": user, "timezone": self.zone}
        return TransferDesk(
            replace(self.settings, **changes), self.box.organization_id,
            token_provider=self.box.issue_token, clock=self.clock,
        )  # fmt: skip

    def teardown(self) -> None:
        if hasattr(self, "box"):
            self.box.stop()
            self.folder.cleanup()

    # -- what the service knows ---------------------------------------------------------------

    def paid(self) -> dict[str, str]:
        """The notes of the payments that arrived, each with the service's id; each once."""
        found = arrived(self.box)
        notes = [one["variables"]["achDescription"] for one in found]
        assert len(notes) == len(set(notes)), f"paid twice: {notes}"
        return dict(zip(notes, [one["transfer_id"] for one in found], strict=True))

    def paid_today(self) -> int:
        now = self.clock()
        sent = [self.sent[note] for note in self.paid()]
        return sum(one.cents for one in sent if one.is_of_today(now, self.zone))

    # -- a person at the desk -----------------------------------------------------------------

    def trying(self, act: Callable[[], Any]) -> Any:
        """Do what a person does; a broken log is looked at and accepted first."""
        try:
            return act()
        except ex.AuditChainBroken:
            self.desk.audit.acknowledge(note="a person looked")
            self.staged.clear()  # what was staged before is not good any more
        except ex.SequenceError as error:
            return error
        return None

    @rule(pair=st.sampled_from(PAIRS), cents=st.sampled_from([300, 500]), despite=st.booleans(),
          user=st.sampled_from(["kim", "kim", "lee"]))  # fmt: skip
    def stage(self, pair: tuple[str, str], cents: int, despite: bool, user: str) -> None:
        desk = self.desk if user == "kim" else self.opened(user)
        note = f"n{len(self.notes)}"
        with suppress(ex.AuditChainBroken):
            ends = {(one.source, one.destination) for one in self.desk.open_intents()}
            is_blocked = bool(ends & {pair, pair[::-1]}) and not despite
            found = self.trying(lambda: desk.stage(
                *pair, amount_cents=cents, note=note, despite_unknown=despite
            ))  # fmt: skip
            if isinstance(found, StagedTransfer):
                assert not is_blocked
                self.staged.append(found)
                self.notes[found.id] = note

    @rule(number=which, fault=st.sampled_from(sorted(FAULTS)), is_full=st.booleans(),
          room=st.integers(0, 6000))  # fmt: skip
    def confirm(self, number: int, fault: str, is_full: bool, room: int) -> None:
        if not self.staged:
            return
        staged = self.staged[number % len(self.staged)]
        note = self.notes[staged.id]
        self.sent.setdefault(note, Sent(staged.amount_cents, self.clock(), self.zone))
        before = note in self.paid()
        if (asked := FAULTS[fault]) is not None:
            self.box.fail(asked[0], **asked[1])
        desk = self.desk if staged.user == "kim" else self.opened(staged.user)
        with full_disk(room) if is_full and number % 3 == 0 else nullcontext():
            found = self.trying(lambda: desk.confirm(staged))
        self.box.clear_faults()
        is_paid = note in self.paid()
        SEEN[getattr(found, "status", type(found).__name__)] += 1
        if isinstance(found, ex.OutcomeNotRecorded | None):
            return
        if isinstance(found, ex.SequenceError):
            assert is_paid == before, found
        elif found.status == "completed" or found.accepted:
            assert is_paid
        elif found.status == "failed":
            assert not is_paid
            self.failed.add(staged.id)

    @rule(pair=st.sampled_from(PAIRS), cents=st.sampled_from([300, 500]), despite=st.booleans(),
          user=st.sampled_from(["kim", "lee"]),
          fault=st.sampled_from(["nothing"] * 4 + sorted(FAULTS)))  # fmt: skip
    def pay(self, pair: tuple[str, str], cents: int, despite: bool, user: str, fault: str) -> None:
        count = len(self.staged)
        self.stage(pair, cents, despite, user)
        if len(self.staged) > count:
            self.confirm(count, fault, False, 0)

    @rule(number=which)
    def cancel(self, number: int) -> None:
        if not self.staged:
            return
        staged = self.staged.pop(number % len(self.staged))
        desk = self.desk if staged.user == "kim" else self.opened(staged.user)
        if self.trying(lambda: desk.cancel(staged)) is None and staged.id not in self.failed:
            assert not isinstance(self.trying(lambda: desk.confirm(staged)), str)

    @rule(gives_up=st.booleans())
    def settle(self, gives_up: bool) -> None:
        found = self.trying(self.desk.settle)
        if not isinstance(found, list):
            return
        paid, choose, none_of = self.paid(), {}, []
        for one in found:
            note = self.notes.get(one.intent.id)
            if one.outcome.status == "completed":
                assert note is None or note in paid
            if one.candidates and note is not None:
                if note in paid and paid[note] in dict(one.candidates):
                    choose[one.intent.id] = paid[note]
                else:
                    none_of.append(one.intent.id)
        if choose or none_of:
            self.trying(lambda: self.desk.settle(choose=choose, none_of=none_of))
        if gives_up:
            lost = [one.intent.id for one in found if one.may_be_assumed_failed]
            missing = [one for one in lost if self.notes.get(one) not in paid]
            self.trying(lambda: self.desk.settle(assume_failed=missing))

    # -- time, and other eyes -----------------------------------------------------------------

    @rule(minutes=st.sampled_from([1, 10, 300, 1500]))
    def wait(self, minutes: int) -> None:
        self.clock.now += timedelta(minutes=minutes)
        self.box.advance(minutes=minutes)

    @rule(zone=st.sampled_from(ZONES))
    def reopen(self, zone: str) -> None:
        self.zone = zone
        self.desk = self.opened()

    # -- other programs -----------------------------------------------------------------------

    @rule(number=which, event=st.sampled_from(["failed", "completed", "returned", "cancelled"]),
          way=st.sampled_from(["log", "line", "copy"]))  # fmt: skip
    def forge(self, number: int, event: str, way: str) -> None:
        if not self.notes:
            return
        intent_id = [*self.notes][number % len(self.notes)]
        log = self.path / LOG
        if way == "log":
            self.trying(lambda: AuditLog(log).log(f"transfer_{event}", intent_id=intent_id))
            return
        data = log.read_bytes() if log.exists() else b""
        lines = [line for line in data.splitlines(keepends=True) if intent_id.encode() in line]
        made = json.dumps({"event_type": f"transfer_{event}", "intent_id": intent_id}).encode()
        log.write_bytes(data + (lines[-1] if way == "copy" and lines else made + b"\n"))

    @precondition(lambda self: SOAK and self.processes < 2)
    @rule(is_killed=st.booleans(), pair=st.sampled_from(PAIRS))
    def another_process_pays(self, is_killed: bool, pair: tuple[str, str]) -> None:
        """A payment from the command line, which may be killed once the service has it."""
        self.processes += 1
        note = f"n{len(self.notes)}"
        self.notes[note] = note
        self.sent[note] = Sent(300, datetime.now(UTC), self.zone)
        shell = Shell(self.box, self.path)
        limits = {"SEQUENCE_MAX_DAILY_TRANSFER_CENTS": str(LIMIT), "SEQUENCE_TIMEZONE": self.zone}
        if is_killed:
            self.box.fail("slow", operation="CreatePayment", seconds=5)
        asked = len(self.box.requests())
        process = subprocess.Popen(
            [sys.executable, "-m", "seqdata", "transfer", *pair, "3", "--yes", "--note", note],
            env={**shell.environment, **limits}, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        if is_killed:
            until(
                lambda: (
                    process.poll() is not None
                    or any(
                        one["operation"] == "CreatePaymentWithTransfers"
                        for one in self.box.requests()[asked:]
                    )
                ),
                why="the service has the payment, or none came",
            )
            process.send_signal(signal.SIGKILL)
        process.wait()
        self.box.clear_faults()

    # -- the disk -----------------------------------------------------------------------------

    @rule()
    def back_up(self) -> None:
        copy = self.path / "copies" / str(len(self.copies))
        copy.mkdir(parents=True)
        for name in (LOG, HEAD, LIMITS):
            if (self.path / name).exists():
                shutil.copy(self.path / name, copy / name)
        self.copies.append(copy)

    @precondition(lambda self: self.victim == "limits")
    @rule(number=which, how=st.sampled_from(["gone", "empty", "older"]))
    def lose_the_limits(self, number: int, how: str) -> None:
        self.is_damaged = True
        self.put_back(number, how, LIMITS)

    @precondition(lambda self: self.victim == "log")
    @rule(number=which, how=st.sampled_from(["gone", "older", "older log alone"]))
    def lose_the_log(self, number: int, how: str) -> None:
        self.is_damaged = True
        names = (LOG,) if how.endswith("alone") else (LOG, HEAD)
        self.put_back(number, how, *names)

    def put_back(self, number: int, how: str, *names: str) -> None:
        for name in names:
            (self.path / name).unlink(missing_ok=True)
            if how.startswith("older") and self.copies:
                copy = self.copies[number % len(self.copies)] / name
                if copy.exists():
                    shutil.copy(copy, self.path / name)
            elif how == "empty":
                (self.path / name).write_text("{}")

    # -- the laws -----------------------------------------------------------------------------

    @invariant()
    def the_day_is_bounded_and_what_arrived_counts(self) -> None:
        paid = self.paid_today()
        assert paid <= LIMIT
        limits = self.trying(self.opened().limits)
        if limits is None or isinstance(limits, ex.SequenceError):
            return
        left = limits.daily_left_cents
        assert left <= LIMIT - paid, f"{paid} arrived today, and {left} of {LIMIT} are left"
        intents = self.trying(self.opened().open_intents)
        if intents == [] and not self.is_damaged:
            assert left == LIMIT - paid, "something is charged that never left"


def test_money_arrives_once_and_counts() -> None:
    """Whatever comes in between, each intent arrives at most once, and a day keeps its limit."""
    chosen = settings(
        max_examples=400 if SOAK else 30, stateful_step_count=40 if SOAK else 30, deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
    )  # fmt: skip
    run_state_machine_as_test(MoneyMachine, settings=chosen)
    assert {"completed", "failed", "unknown"} <= SEEN.keys()
