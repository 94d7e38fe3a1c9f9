"""Whether somebody is there: a terminal, a person at a notebook, a runner, a script."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest
from waiting import PATIENCE

ASK = "from seqdata.safeguards.attendance import is_attended\nprint(is_attended())"


def test_a_script_without_a_terminal_is_alone() -> None:
    """Without a terminal on standard input, or without any, nobody can answer."""
    for command in (
        ASK,
        f"import sys; sys.stdin.close()\n{ASK}",
        f"import sys; sys.stdin = None\n{ASK}",
    ):
        done = subprocess.run(
            [sys.executable, "-c", command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            text=True,
        )
        assert done.stdout == "False\n", done.stderr


def test_a_terminal_is_somebody() -> None:
    """With a terminal on standard input somebody can answer."""
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-c", ASK], stdin=theirs, capture_output=True, text=True, check=False
        )
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.stdout == "True\n", done.stderr


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::RuntimeWarning")
def test_a_kernel_says_what_its_last_request_allowed() -> None:
    """A kernel has somebody where the last request may ask, and nobody where a runner sent it."""
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="python3", startup_timeout=PATIENCE)
    try:
        said: list[str] = []

        def hear(message: dict[str, dict[str, str]]) -> None:
            said.append(message["content"].get("text", ""))

        for allow in (True, False, True):
            client.execute_interactive(ASK, allow_stdin=allow, output_hook=hear, timeout=PATIENCE)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert [one for one in said if one.strip()] == ["True\n", "False\n", "True\n"]
