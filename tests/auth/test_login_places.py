"""Logins from threads, processes and a notebook's kernel."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import nbformat
import pytest
from login_kit import calls, log_in, settings_for
from nbclient import NotebookClient
from waiting import LONG, PATIENCE, until

from seqdata.sandbox import Sandbox


@pytest.mark.soak
def test_a_running_loop_on_another_thread_is_no_hindrance(box: Sandbox, tmp_path: Path) -> None:
    """A coroutine may log in, as in a notebook's cell, and on a thread, as of a widget's click."""

    async def click() -> str:
        return log_in(settings_for(box, tmp_path))[0].access_token

    with ThreadPoolExecutor(1) as pool:
        assert calls(box, pool.submit(asyncio.run, click()).result()) == 200


@pytest.mark.soak
def test_two_processes_make_one_login(box: Sandbox, tmp_path: Path) -> None:
    """Of a script and `seqdata login` at once one logs in, and the other uses the same token."""
    script = "from seqdata import get_access_token; print(get_access_token())"
    environment = {
        **box.environment(),
        "SEQUENCE_TOTP": box.totp_uri,
        "SEQUENCE_DATA_DIR": str(tmp_path / "shared"),
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
    }
    both = [
        subprocess.Popen(
            [sys.executable, *arguments],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for arguments in (("-c", script), ("-m", "seqdata", "-vv", "login"))
    ]
    token, said = (process.communicate(timeout=LONG)[0].strip() for process in both)
    assert [process.returncode for process in both] == [0, 0], said
    kept = json.loads((tmp_path / "shared" / ".tokens.json").read_text())
    assert token == kept["access_token"]
    assert box.logins() == 1
    assert "as h***@example.com" in said
    secrets = [token, box.email, box.password, box.totp_secret]
    assert [secret for secret in secrets if secret in said] == []


def test_an_interrupt_ends_the_browser(box: Sandbox, tmp_path: Path) -> None:
    """An interrupted login leaves no browser behind and no token."""
    script = "from seqdata import get_access_token; get_access_token()"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        environment = {
            **box.environment(),
            "SEQUENCE_DATA_DIR": str(tmp_path / "own"),
            "PATH": "/usr/bin:/bin",
            "HOME": folder,
            "TMPDIR": folder,  # short: a browser's sockets stand in it
        }
        with subprocess.Popen(
            [sys.executable, "-c", script], env=environment, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                until(
                    lambda: _browsers_in(folder) and "/authorize" in _paths(box),
                    why="a browser that was led to the login",
                )
            finally:
                process.send_signal(signal.SIGINT)
                _, complaint = process.communicate(timeout=PATIENCE)
        assert "KeyboardInterrupt" in complaint
        assert box.password not in complaint
        assert not (tmp_path / "own" / ".tokens.json").exists()
        until(lambda: not _browsers_in(folder), why="the end of the browser")


def _paths(box: Sandbox) -> list[str]:
    return [request["path"] for request in box.requests()]


def _browsers_in(folder: str) -> list[str]:
    """Find processes that name a folder in their command line (on Linux)."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            command = entry.read_bytes().decode(errors="replace")
            found += [command] if f"--user-data-dir={folder}" in command else []
    return found


def test_a_cell_of_a_notebook_logs_in(box: Sandbox, tmp_path: Path) -> None:
    """A cell executed in a running kernel gets a token, and the notebook holds no secret."""
    cells = [
        "import logging; logging.basicConfig(level=logging.DEBUG)",
        "from seqdata import get_access_token, get_credentials\n"
        "from seqdata.config import get_settings\n"
        "token = get_access_token()\n"
        "print(len(token), get_settings())\n"
        "get_credentials()",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(one) for one in cells])
    environment = {
        **os.environ,
        **box.environment(),
        "SEQUENCE_TOTP": box.totp_uri,
        "SEQUENCE_DATA_DIR": str(tmp_path / "data"),
    }
    client = NotebookClient(notebook, timeout=LONG, startup_timeout=LONG, kernel_name="python3")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the libraries that run kernels
        client.execute(env=environment)
    text = nbformat.writes(notebook)
    assert "logged in: seconds_left=" in text
    assert box.logins() == 1
    kept = json.loads((tmp_path / "data" / ".tokens.json").read_text())
    secrets = [box.email, box.password, box.totp_secret, kept["access_token"]]
    assert [secret for secret in secrets if secret in text] == []
