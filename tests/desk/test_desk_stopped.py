"""A program that is stopped in the middle of a transfer, and goes on when others have been there.

It is stopped where a function of the desk has just returned: each such place of a confirm, found
by counting. What the others do needs its turn, so that they take its lock away first.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from desk_helper import NOON, Clock, arrived, limits_file, open_desk, story

from seqdata import exceptions as ex
from seqdata.safeguards import StagedTransfer, TransferDesk
from seqdata.safeguards import desk as desk_module
from seqdata.sandbox import Sandbox

LIMIT, CENTS, RIVAL = 1_000, 600, 500

#: One in so many places is tried; all of them with `make soak`.
STEP = 1 if os.environ.get("SEQDATA_SOAK") else 11
LOCK, LOG, HEAD = ".transfers.lock", ".audit.jsonl", ".audit.head.json"

#: Functions inside of which the limits file is held: nobody else gets past them.
HOLDING = {"_reserve", "_why_not_now", "_left_after", "limits"}


@contextmanager
def stopped_at(place: int, act: Callable[[], None]) -> Iterator[list[str]]:
    """Do something where the desk's function of this number returns; list those that did."""
    returned: list[str] = []

    def profile(frame: FrameType, event: str, _: Any) -> None:
        if event != "return" or frame.f_code.co_filename != desk_module.__file__:
            return
        above, names = frame.f_back, []
        while above is not None:
            names.append(above.f_code.co_name)
            above = above.f_back
        if HOLDING.isdisjoint(names):
            returned.append(frame.f_code.co_name)
            if len(returned) == place:
                sys.setprofile(None)
                act()

    sys.setprofile(profile)
    try:
        yield returned
    finally:
        sys.setprofile(None)


class World:
    """A staged transfer, another program with one of its own, and what can happen meanwhile."""

    def __init__(self, box: Sandbox, folder: Path) -> None:
        self.box, self.folder, self.clock = box, folder, Clock(NOON)
        box.clear_faults()
        self.before = len(arrived(box))
        self.one, self.other = self.opened(), self.opened()
        self.staged = self.one.stage("Bills", "Groceries", amount_cents=CENTS, note="one")
        self.rival = self.other.stage(
            "Emergency Fund", "Groceries", amount_cents=RIVAL, note="other"
        )
        self.copies = {name: (folder / name).read_bytes() for name in (LOG, HEAD)}

    def opened(self) -> TransferDesk:
        return open_desk(
            self.box, self.folder, clock=self.clock, max_daily_transfer_cents=LIMIT,
            stage_seconds=3600,
        )  # fmt: skip

    def paid(self) -> list[tuple[str, int]]:
        new = [one["variables"] for one in arrived(self.box)[self.before :]]
        return [(one["achDescription"], one["amount"]) for one in new]

    # -- what others do -----------------------------------------------------------------------

    @contextmanager
    def lock_away(self) -> Iterator[None]:
        lock, away = self.folder / LOCK, self.folder / "away"
        if lock.exists():
            lock.rename(away)
        with suppress(ex.SequenceError):
            yield
        if away.exists():
            away.replace(lock)

    def cancel(self) -> None:
        with self.lock_away():
            self.other.cancel(self.staged)

    def pay(self) -> None:
        with self.lock_away():
            self.other.confirm(self.rival)

    def pay_the_same(self) -> None:
        with self.lock_away():
            self.other.confirm(self.staged)

    def pay_for_good(self) -> None:
        (self.folder / LOCK).unlink(missing_ok=True)
        with suppress(ex.SequenceError):
            self.other.confirm(self.rival)

    def hours(self) -> None:
        self.clock.now += timedelta(hours=8)

    def put_back(self) -> None:
        for name, data in self.copies.items():
            (self.folder / name).write_bytes(data)

    def forget_limits(self) -> None:
        (self.folder / ".daily_limits.json").unlink(missing_ok=True)


ACTS = ("cancel", "pay", "pay_the_same", "pay_for_good", "hours", "put_back", "forget_limits")


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(months=1, now="2026-11-01") as running:
        yield running


def confirmed(desk: TransferDesk, staged: StagedTransfer) -> str:
    try:
        return desk.confirm(staged).status
    except ex.SequenceError as error:
        return type(error).__name__


@pytest.mark.parametrize("act", ACTS)
def test_whoever_was_stopped_pays_once_within_the_limit_and_counted(
    box: Sandbox, tmp_path: Path, act: str
) -> None:
    """Wherever a confirm is stopped, what others did meanwhile makes it no second payment."""
    places = counted(box, tmp_path)
    for place in range(1, places + 1, STEP):
        folder = tmp_path / str(place)
        world = World(box, folder)
        with stopped_at(place, getattr(world, act)) as returned:
            said = confirmed(world.one, world.staged)
        where = f"{act} at {place}, behind {returned[-1:]}: {said}, {story(folder)}"
        confirmed(world.opened(), world.staged)  # a second time: it is used, whatever became of it
        paid = world.paid()
        assert len(paid) == len(set(paid)), where
        assert sum(cents for _, cents in paid) <= LIMIT, where
        used = LIMIT - world.opened().limits().daily_left_cents
        assert used >= sum(cents for _, cents in paid), (where, limits_file(folder))
        shutil.rmtree(folder)
    assert places > 10


def counted(box: Sandbox, tmp_path: Path) -> int:
    """Count the places of an undisturbed confirm."""
    world = World(box, tmp_path / "counted")
    with stopped_at(0, lambda: None) as returned:
        assert confirmed(world.one, world.staged) == "completed"
    shutil.rmtree(world.folder)
    return len(returned)
