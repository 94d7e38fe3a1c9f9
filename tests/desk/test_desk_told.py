"""Once it was sent, nothing hides what came of it: not a full disk, a closed pipe, a poor terminal.

The command line runs as a program, over the sandbox; its exit code is the outcome's.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from desk_helper import Shell, arrived, charged, events, open_desk, story

from seqdata.sandbox import Sandbox

#: An outcome, the fault that makes it, the exit code, and a word that it is told by.
OUTCOMES: dict[str, tuple[str, dict[str, Any], int, str]] = {
    "completed": ("", {}, 0, "Completed"),
    "failed": ("unauthorized", {}, 4, "nothing was moved"),
    "unknown": ("cut_after", {}, 7, "Do not send it again"),
    "returned": ("payment_fails", {}, 8, "did not arrive"),
}

FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(months=1, now="2026-11-01") as running:
        yield running


@pytest.fixture
def shell(box: Sandbox, tmp_path: Path) -> Shell:
    box.clear_faults()
    return Shell(box, tmp_path)


def expect(box: Sandbox, outcome: str) -> tuple[int, str]:
    """Let the next payment end so; give the exit code and a word that tells it."""
    kind, options, code, word = OUTCOMES[outcome]
    if kind:
        box.fail(kind, operation="CreatePayment", **options)
    return code, word


def run(shell: Shell, *arguments: str, **streams: Any) -> subprocess.CompletedProcess[bytes]:
    environment = {**shell.environment, **streams.pop("environment", {})}
    return subprocess.run(
        [sys.executable, "-m", "seqdata", "transfer", *arguments],
        env=environment, stdin=subprocess.DEVNULL, check=False,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams},
    )  # fmt: skip


PAY = ("Bills", "Groceries", "5", "--yes")


@needs_full
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_full_disk_under_the_output(shell: Shell, box: Sandbox, outcome: str) -> None:
    """Where standard output takes nothing the words go to standard error; the code stays."""
    code, _ = expect(box, outcome)
    before = len(arrived(box))
    with FULL.open("wb") as full:
        done = run(shell, *PAY, "--json", stdout=full)
    assert done.returncode == code
    said = done.stderr.decode()
    assert json.loads(said[said.index("{") :])["status"] in (outcome, "failed")
    assert len(arrived(box)) - before == (outcome != "failed")


@needs_full
def test_both_streams_full(shell: Shell, box: Sandbox, tmp_path: Path) -> None:
    """Where nothing can be said at all the exit code says it, and the log holds it."""
    code, _ = expect(box, "returned")
    with FULL.open("wb") as full:
        done = run(shell, *PAY, "--json", stdout=full, stderr=full)
        # With the review on the same stream, it is not sent: nobody could have read it.
        unseen = run(shell, *PAY, stdout=full, stderr=full)
    assert done.returncode in (code, 1)
    assert unseen.returncode == 1
    sent = done.returncode == code
    assert ("returned" in story(tmp_path)) is sent
    assert charged(tmp_path) == 500 * sent


def test_a_reader_that_has_gone(shell: Shell, box: Sandbox) -> None:
    """A closed pipe under standard output hides no outcome."""
    code, _ = expect(box, "unknown")
    reading, writing = os.pipe()
    os.close(reading)
    done = run(shell, *PAY, "--json", stdout=writing)
    os.close(writing)
    assert done.returncode == code
    assert '"status": "unknown"' in done.stderr.decode()


def test_streams_that_are_closed(shell: Shell, box: Sandbox, tmp_path: Path) -> None:
    """A program whose standard output was closed before it began still ends with the outcome."""
    code, _ = expect(box, "unknown")
    command = f'"{sys.executable}" -m seqdata transfer {" ".join(PAY)} --json >&-'
    done = subprocess.run(
        command, shell=True, env=shell.environment, capture_output=True, check=False
    )
    assert done.returncode == code
    assert story(tmp_path)[-1] == "unknown"


def test_a_review_that_cannot_be_shown_sends_nothing(
    shell: Shell, box: Sandbox, tmp_path: Path
) -> None:
    """Where the review goes into a closed pipe nothing is sent, and that is an error."""
    before = len(arrived(box))
    reading, writing = os.pipe()
    os.close(reading)
    done = run(shell, *PAY, stdout=writing)
    os.close(writing)
    assert done.returncode == 1
    assert b"Nothing was sent" in done.stderr
    assert len(arrived(box)) == before
    assert story(tmp_path)[-1] == "cancelled"


def test_a_terminal_that_knows_ascii_alone(shell: Shell, box: Sandbox) -> None:
    """A name that the terminal cannot print stops nothing, and the outcome is told."""
    poor = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = run(shell, "Bills", "Dining Out 🍜", "5", "--yes", environment=poor)
    assert done.returncode == 0, done.stderr
    assert b"Completed" in done.stdout


@needs_full
def test_settling_is_told_all_the_same(shell: Shell, box: Sandbox, tmp_path: Path) -> None:
    """What settle found goes to standard error where it must, with its own exit code."""
    box.fail("cut_after", operation="CreatePayment")
    box.fail("payment_fails", operation="CreatePayment")
    assert run(shell, *PAY).returncode == 7
    with FULL.open("wb") as full:
        done = run(shell, "settle", stdout=full)
    assert done.returncode == 8
    assert b"did not arrive" in done.stderr
    assert events(tmp_path)[-1]["event_type"] == "transfer_returned"


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGINT,
        *(pytest.param(one, marks=pytest.mark.soak) for one in (signal.SIGTERM, signal.SIGHUP)),
    ],
)
def test_an_interrupt_tells_what_the_log_holds(
    shell: Shell, box: Sandbox, tmp_path: Path, number: signal.Signals
) -> None:
    """Ended while it is sent, the command says that the money may have moved, and ends so."""
    box.fail("slow", operation="CreatePayment", seconds=4.0)
    box.clear_requests()
    program = subprocess.Popen(
        [sys.executable, "-m", "seqdata", "transfer", *PAY],
        env=shell.environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    while not any(one["operation"] == "CreatePayment" for one in box.requests()):
        assert program.poll() is None
    program.send_signal(number)
    told, trouble = program.communicate()
    assert program.returncode == 7, trouble
    assert b"Do not send it again" in told
    assert b"run the command again" not in told + trouble
    (settled,) = open_desk(box, tmp_path).settle()
    assert settled.outcome.status == "completed"


def test_a_refused_choice_hides_no_other(shell: Shell, box: Sandbox, tmp_path: Path) -> None:
    """Where one choice does not hold, what was found out about the others is told."""
    box.fail("cut_after", operation="CreatePayment", times=2)
    assert run(shell, *PAY).returncode == 7
    assert run(shell, "Bills", "Taxes", "6", "--yes").returncode == 7
    first = open_desk(box, tmp_path).open_intents()[0]
    done = run(shell, "settle", "--choose", f"{first.id}=tr-9")
    assert done.returncode == 6
    assert b"$6.00 from Bills to Taxes" in done.stdout
    assert b"not one of its candidates" in done.stderr
