"""Death before and after, and an error in, every file operation of stage, confirm and settle."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from crasher import DIED, NEVER_FAIL, READS
from desk_helper import arrived, open_desk

from seqdata import exceptions as ex
from seqdata.safeguards import TransferDesk
from seqdata.sandbox import Sandbox

ENDS = ("Bills", "Groceries")

#: Each operation moves an amount of its own, so that it is known what arrived of which.
CENTS = count(1000)

SOAK = bool(os.environ.get("SEQDATA_SOAK"))

#: An operation meets its fates at the first point of each place in the code, and at further ones,
#: which do the same later or to another file: one in so many of deaths, errors and full disks.
DEATHS, ERRORS, FULL = (1, 1, 1) if SOAK else (9, 36, 2)

#: Of all these points, one in so many is tried: only soak is sure to reach a new operation.
SHARE = 1 if SOAK else 11

FATES = ("before", "after", "error", "full")


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(months=1, now="2026-11-01") as running:
        yield running


class Crasher:
    """A program that does operations of the desk, and dies or fails where it is told to."""

    def __init__(self, box: Sandbox, folder: Path) -> None:
        self._token = box.issue_token()
        self._folder = folder
        self.befell: Counter[str] = Counter()
        kept = {k: v for k, v in os.environ.items() if not k.startswith("SEQUENCE_")}
        own = {"SEQUENCE_DATA_DIR": str(folder), "SEQUENCE_USER": "kim",
               "SEQUENCE_MIN_DELAY": "0", "SEQUENCE_MAX_JITTER": "0",
               "SEQUENCE_MAX_DAILY_TRANSFER_CENTS": "100000000"}  # fmt: skip
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("crasher.py"))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**kept, **box.environment(), **own},
        )  # fmt: skip

    def close(self) -> None:
        self._process.communicate()

    def run(self, operation: str, how: str, at: int, **more: Any) -> dict[str, Any]:
        """Do an operation in a folder of its own; in turns to and fro, with cents of its own."""
        cents = next(CENTS)
        source, destination = ENDS if cents % 2 else ENDS[::-1]
        folder = more.pop("folder", None) or self._folder / f"{operation}-{how}-{at}"
        folder.mkdir(exist_ok=True)
        given = {"operation": operation, "how": how, "at": at, "token": self._token,
                 "folder": str(folder), "source": source, "destination": destination,
                 "cents": cents, **more}  # fmt: skip
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(given) + "\n")
        self._process.stdin.flush()
        done = {**given, "folder": folder, **json.loads(self._process.stdout.readline())}
        if how in FATES:
            check_what_was_said(done)
            self.befell[how] += 1
        return done

    def points(self, operation: str, **more: Any) -> Iterator[tuple[str, int]]:
        """Count the file operations of an operation in calm; then name all fates at each."""
        for _ in range(2):  # what is loaded or made once only is so now
            self.run(operation, "warm", 0, **self._fresh(more))
        calm = self.run(operation, "calm", 0, **self._fresh(more))
        assert calm["code"] == 0, calm
        calls = list(enumerate(calm["calls"], 1))
        changes = [(at, call) for at, call in calls if call[0] not in READS]
        fallible = [(at, call) for at, call in calls if call[0] not in NEVER_FAIL]
        writes = [(at, call) for at, call in changes if call[0] == "write"]
        kinds = Counter(name for _, (name, _) in calls)
        assert min(kinds[name] for name in ("open", "write", "fsync", "replace")) > 0
        for at in chosen(changes, DEATHS):
            yield "before", at
            yield "after", at
        yield from (("error", at) for at in chosen(fallible, ERRORS))
        yield from (("full", at) for at in chosen(writes, FULL))
        print(f"{operation}: {len(calls)} file operations, {len(changes)} of them changes")
        print(f"tried: {dict(self.befell)}")
        assert min(self.befell[how] for how in FATES) > 0

    def _fresh(self, more: dict[str, Any]) -> dict[str, Any]:
        return {key: value() if callable(value) else value for key, value in more.items()}


def chosen(calls: list[tuple[int, Any]], apart: int) -> list[int]:
    """Choose the points to try: the first of each place in the code, and more, so many apart."""
    first = {(name, place): at for at, (name, place) in reversed(calls)}
    more = [at for at, _ in calls if at not in first.values()]
    return sorted([*first.values(), *more[::apart]])[::SHARE]


@pytest.fixture
def crasher(box: Sandbox, tmp_path: Path) -> Iterator[Crasher]:
    made = Crasher(box, tmp_path)
    yield made
    made.close()


def paid(box: Sandbox, cents: int) -> int:
    return sum(one["variables"]["amount"] == cents for one in arrived(box))


def used(desk: TransferDesk) -> int:
    limits = desk.limits()
    return limits.daily_cents - limits.daily_left_cents


def check_what_was_said(done: dict[str, Any]) -> None:
    """A program died where it had to, or met its error and ended with an outcome or one of ours."""
    if done["how"] in ("before", "after"):
        assert done["code"] == DIED, done
    else:
        assert done["code"] == 0, done
        assert done["befell"], done
        assert done.get("typed", True), done


def test_no_crash_of_a_confirm_pays_twice_or_hides_a_payment(
    box: Sandbox, crasher: Crasher
) -> None:
    """Wherever a confirm ends, what arrived counts or is open, and what is open blocks."""
    left: list[dict[str, Any]] = []
    for how, at in crasher.points("confirm"):
        done = crasher.run("confirm", how, at)
        desk = open_desk(box, done["folder"])
        assert desk.audit.verify().is_intact, done
        is_paid, is_open = paid(box, done["cents"]) > 0, bool(desk.open_intents())
        if done.get("error") not in (None, "OutcomeNotRecorded"):
            assert not is_paid, done
        if is_paid:
            assert used(desk) == done["cents"] or is_open, done
        if is_open:
            assert used(desk) == done["cents"], done
            with pytest.raises(ex.OutcomeOpen):
                desk.stage(done["source"], done["destination"], amount_cents=done["cents"])
            left.append(done)
        staged = pickle.loads((done["folder"] / "staged.pickle").read_bytes())
        if is_open or is_paid:
            with pytest.raises(ex.StageUsed):
                desk.confirm(staged)
        else:
            try:  # it was not used, or is known to have failed
                assert desk.confirm(staged).status == "completed", done
            except ex.StageUsed:
                assert done["how"] in ("error", "full"), done
                assert used(desk) == 0, done
        assert paid(box, done["cents"]) <= 1, done
    assert left
    settle_all(box, left)


def settle_all(box: Sandbox, left: list[dict[str, Any]]) -> None:
    """What is open is found, or given up by a person a day later; then nothing is held back."""
    for hours in (0, 25):
        box.advance(hours=hours)
        for done in left:
            desk = open_desk(box, done["folder"])
            given_up = [one.id for one in desk.open_intents()] if hours else []
            found = desk.settle(assume_failed=given_up)
            if paid(box, done["cents"]):
                assert [one.outcome.status for one in found] in (["completed"], []), done
            elif hours:
                assert [one.outcome.status for one in found] == ["failed"], done
                assert used(desk) == 0, done


def test_no_crash_of_a_stage_moves_or_blocks_anything(box: Sandbox, crasher: Crasher) -> None:
    """Wherever staging ends, nothing was sent, nothing counts, and it can be staged again."""
    for how, at in crasher.points("stage"):
        done = crasher.run("stage", how, at)
        desk = open_desk(box, done["folder"])
        assert used(desk) == 0, done
        assert paid(box, done["cents"]) == 0, done
        staged = desk.stage(done["source"], done["destination"], amount_cents=done["cents"])
        assert desk.confirm(staged).status == "completed", done
        assert desk.audit.verify().is_intact, done


def test_a_crash_of_a_settle_loses_and_invents_nothing(
    box: Sandbox, crasher: Crasher, tmp_path: Path
) -> None:
    """Wherever a settle ends, the next one finds what a calm one finds."""
    ids = template_of(box, tmp_path)
    calm: tuple[Any, ...] | None = None

    def fresh() -> Path:
        folder = tmp_path / "copy"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(tmp_path / "template", folder)
        return folder

    given_up = {"given_up": [ids["cut"]]}
    for how, at in crasher.points("settle", folder=fresh, **given_up):
        folder = fresh()
        if calm is None:
            open_desk(box, folder).settle(assume_failed=[ids["cut"]])
            calm = known(box, folder, ids)
            assert [status for status, _ in calm[0]] == ["failed", "completed", "failed"]
            folder = fresh()
        done = crasher.run("settle", how, at, folder=folder, **given_up)
        desk = open_desk(box, folder)
        is_given_up = [one.id for one in desk.open_intents() if one.id == ids["cut"]]
        desk.settle(assume_failed=is_given_up)
        assert known(box, folder, ids) == calm, done
        assert desk.audit.verify().is_intact, done


def template_of(box: Sandbox, folder: Path) -> dict[str, str]:
    """A data folder with a payment that arrived unseen, one that never did, one that fails late."""
    (folder / "template").mkdir()
    desk = open_desk(box, folder / "template")
    ids = {}
    for fault, cents in (("cut", 901), ("cut_after", 902), ("payment_fails", 903)):
        staged = desk.stage(*ENDS, amount_cents=cents, despite_unknown=True)
        late = {"seconds": 3600} if fault == "payment_fails" else {"operation": "CreatePayment"}
        box.fail(fault, **late)
        desk.confirm(staged)
        ids[fault] = staged.id
        if fault == "cut":  # one reading misses it already
            assert desk.settle()[0].outcome.status == "unknown"
    box.advance(hours=25)
    return ids


def known(box: Sandbox, folder: Path, ids: dict[str, str]) -> tuple[Any, ...]:
    """What a desk knows of the three, and what they use of the day."""
    desk = open_desk(box, folder)
    outcomes = [desk.outcome_of(one) for one in ids.values()]
    said = [(one.status, one.accepted) for one in outcomes if one is not None]
    return said, [one.id for one in desk.open_intents()], used(desk)
