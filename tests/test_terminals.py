"""Every command, on every kind of terminal that a person or a script may have."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import click
import commands
import pytest

from seqdata.cli import cli
from seqdata.cli.examples import EXAMPLES, leaves
from seqdata.sandbox import Sandbox

#: Every command there is, found from the parser: a new one is walked the day it is written.
COMMANDS = dict(leaves(cli))

#: What serves until it is stopped, plays for a minute, or asks: tests of their own run these.
LASTING = {"sandbox", "demo", "setup"}

#: What ends otherwise than with 0 in its example: nobody is there to say yes; a household that
#: made transfers elsewhere.
ENDS = {"forget": 1, "audit reconcile": 1, "setup": 2}

#: Terminals: encoding, width, and what else is set.
TERMINALS = {
    "plain": {"PYTHONIOENCODING": "utf-8"},
    "ascii": {"PYTHONIOENCODING": "ascii:strict", "COLUMNS": "40", "NO_COLOR": "1"},
    "latin-1": {"PYTHONIOENCODING": "latin-1:strict", "COLUMNS": "60", "TERM": "dumb"},
    "cp1252": {"PYTHONIOENCODING": "cp1252:strict", "COLUMNS": "80"},
    "wide": {"PYTHONIOENCODING": "utf-8", "COLUMNS": "400"},
}

AMOUNT = re.compile(r"-?\$[\d,]+\.\d\d")
COLOUR = re.compile(r"\x1b\[[\d;]*m")


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, str]]]:
    """A data folder that was synced, and the environment that points at it."""
    folder = tmp_path_factory.mktemp("account")
    with Sandbox(months=2, now="2026-11-01") as box:
        token = {"access_token": box.issue_token(), "refresh_token": None, "expires_at": 4e9}
        (folder / ".tokens.json").touch(mode=0o600)
        (folder / ".tokens.json").write_text(json.dumps(token))
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("SEQUENCE_", "COLUMNS"))}
        environment = {**kept, **box.environment(), "SEQUENCE_DATA_DIR": "."}
        done = commands.run(["sync", "--details", "new"], environment, folder)
        assert done.returncode == 0, done.stderr
        yield folder, environment


def words(called: str) -> list[str]:
    import shlex

    return shlex.split(EXAMPLES[called])


@pytest.mark.parametrize("called", sorted(COMMANDS))
def test_every_command_explains_itself(called: str) -> None:
    """The help of each command has a sentence, each option a word, and it ends in an example."""
    command = COMMANDS[called]
    with click.Context(command, info_name=f"seqdata {called}") as context:
        said = command.get_help(context)
    assert (command.help or "").splitlines()[0].endswith(".")
    assert said.endswith(f"Example:\n    seqdata {EXAMPLES[called]}")
    assert said.isascii()
    assert words(called)[: len(called.split())] == called.split() or called == "transfer send"
    options = [one for one in command.params if isinstance(one, click.Option)]
    assert [one.name for one in options if not one.help and not one.show_default] == []


@pytest.mark.parametrize("called", sorted(set(COMMANDS) - LASTING))
def test_every_command_can_be_read_on_every_terminal(
    called: str, account: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    """Whatever its encoding and width, a terminal shows each command's amounts whole, in letters
    that it has, without colour where none is wanted, and with the same exit code."""
    data, environment = account
    amounts = {}
    for name, settings in TERMINALS.items():
        shutil.copytree(data, tmp_path / name)
        done = commands.run(words(called), {**environment, **settings}, tmp_path / name)
        said = done.stdout + done.stderr
        assert done.returncode == ENDS.get(called, 0), (name, said)
        assert "Traceback" not in said
        assert "should not happen" not in said
        assert "\x1b" not in said
        assert not re.search(r"\\u20[12]", said), (name, said)
        amounts[name] = sorted(AMOUNT.findall(said))
    assert all(found == amounts["plain"] for found in amounts.values()), amounts


@pytest.mark.parametrize("called", sorted(set(COMMANDS) - LASTING))
def test_every_command_ends_quietly_where_its_reader_has_gone(
    called: str, account: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    """Into a pipe that nobody reads a command ends as other tools do, by the signal or its code."""
    shutil.copytree(account[0], tmp_path / "data")
    reader, writer = os.pipe()
    os.close(reader)
    try:
        code = commands.run_on(writer, words(called), account[1], tmp_path / "data")
    finally:
        os.close(writer)
    unseen = 1 if called == "transfer send" else 0  # what cannot be reviewed is not sent
    assert code in (-13, ENDS.get(called, unseen))


class Terminal:
    """A terminal of a width: what is written on it is kept."""

    def __init__(self, columns: int) -> None:
        self._ours, self.end = pty.openpty()
        termios.tcsetwinsize(self.end, (24, columns))
        self._read = bytearray()
        self._reader = Thread(target=self._keep)
        self._reader.start()

    def _keep(self) -> None:
        while True:
            try:
                found = os.read(self._ours, 65536)
            except OSError:  # its last writer has gone
                return
            self._read += found

    def said(self) -> str:
        os.close(self.end)
        self._reader.join(commands.LONG)
        os.close(self._ours)
        return self._read.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("columns", [40, 72, 400])
def test_a_table_is_no_wider_than_its_terminal(
    columns: int, account: tuple[Path, dict[str, str]]
) -> None:
    """On a real terminal of any width no line of a table is broken, and colour is as wanted."""
    for settings, is_plain in (({}, False), ({"NO_COLOR": "1"}, True), ({"TERM": "dumb"}, True)):
        terminal = Terminal(columns)
        environment = {**account[1], "TERM": "xterm", **settings}
        code = commands.run_on(terminal.end, ["transfers", "--limit", "9"], environment, account[0])
        said = terminal.said()
        assert code == 0, said
        assert (COLOUR.search(said) is None) == is_plain
        lines = COLOUR.sub("", said).split("\n")
        assert max(map(len, lines)) <= columns
        assert len(AMOUNT.findall(said)) == 9


def test_a_sync_in_a_terminal_ends_in_what_is_new(tmp_path: Path) -> None:
    """A later sync shows on one screen what is new; a pipe is told the command."""
    with Sandbox(months=1, now="2026-11-01") as box:
        token = {"access_token": box.issue_token(), "refresh_token": None, "expires_at": 4e9}
        (tmp_path / ".tokens.json").touch(mode=0o600)
        (tmp_path / ".tokens.json").write_text(json.dumps(token))
        env = {**os.environ, **box.environment(), "SEQUENCE_DATA_DIR": str(tmp_path)}
        in_terminal(env, "sync")
        command = [sys.executable, "-m", "seqdata"]
        subprocess.run([*command, "changes"], env=env, check=True, capture_output=True)
        box.advance(hours=8)
        few = in_terminal(env, "sync")
        box.advance(days=20)
        many = in_terminal(env, "sync")
        box.advance(days=2)
        piped = subprocess.run(
            [*command, "sync"], env=env, check=True, capture_output=True, text=True
        )
    assert "New since the last look: " in few
    assert "more: seqdata changes" not in few
    _, _, news = many.partition("New since the last look: ")
    assert "more: seqdata changes" in news
    assert len(news.splitlines()) < 24
    assert piped.stdout.splitlines()[-1] == "What is new, a sentence each: seqdata changes"


def in_terminal(env: dict[str, str], *words: str) -> str:
    """Run a command in a terminal of 80 columns and 24 lines; return what it shows."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    command = [sys.executable, "-m", "seqdata", *words]
    sized = {name: value for name, value in env.items() if name not in ("COLUMNS", "LINES")}
    with subprocess.Popen(command, env=sized, stdin=theirs, stdout=theirs, stderr=theirs):
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 65536):
                shown += part
        except OSError:  # its other end is closed
            pass
    os.close(ours)
    return shown.decode()
