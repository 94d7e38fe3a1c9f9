"""Commands of `seqdata`, each in a process of its own that need not import everything again.

Starting an interpreter and importing pandas costs more than most commands do. So one process
imports everything once, and forks for each command: what runs there is ``python -m seqdata``, with
arguments, folder, environment, input and output of its own, and it ends as an interpreter does.
`make soak` starts an interpreter for each, as a person does.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import runpy
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import IO, Any

from waiting import LONG

SOAK = bool(os.environ.get("SEQDATA_SOAK"))

IMPORTED = (
    "seqdata.cli", "seqdata.ledger", "seqdata.safeguards", "seqdata.sandbox", "seqdata.plots",
    "pandas", "pyarrow.parquet", "matplotlib.figure", "curl_cffi.requests", "filelock", "sqlite3",
)  # fmt: skip


def run(
    arguments: list[str], environment: dict[str, str], folder: Path | None = None, typed: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run ``seqdata`` with arguments, in an environment and a folder; return how it ended.

    What it said is read in the encoding that PYTHONIOENCODING names.
    """
    encoding = environment.get("PYTHONIOENCODING", "utf-8").partition(":")[0]
    folder = Path.cwd() if folder is None else folder
    if SOAK:
        return subprocess.run(
            [sys.executable, "-m", "seqdata", *arguments],
            cwd=folder, env=environment, input=typed, capture_output=True, encoding=encoding,
            timeout=LONG, check=False,
        )  # fmt: skip
    order = {"arguments": arguments, "environment": environment, "folder": str(folder)}
    with ExitStack() as opened:
        given, out, err, told = (
            opened.enter_context(tempfile.TemporaryFile("w+", encoding=encoding)) for _ in range(4)
        )
        for stream, text in ((given, typed), (told, json.dumps(order))):
            stream.write(text)
            stream.seek(0)
        code = _forked([stream.fileno() for stream in (given, out, err, told)])
        return subprocess.CompletedProcess(arguments, code, _said(out), _said(err))


def run_on(stream: int, arguments: list[str], environment: dict[str, str], folder: Path) -> int:
    """Run ``seqdata`` on a terminal, or on the end of a pipe; return its exit code."""
    if SOAK:
        return subprocess.run(
            [sys.executable, "-m", "seqdata", *arguments],
            cwd=folder, env=environment, stdin=stream, stdout=stream, stderr=stream,
            timeout=LONG, check=False,
        ).returncode  # fmt: skip
    with tempfile.TemporaryFile("w+", encoding="utf-8") as told:
        order = {"arguments": arguments, "environment": environment, "folder": str(folder)}
        told.write(json.dumps(order))
        told.seek(0)
        return _forked([stream, stream, stream, told.fileno()])


def _said(stream: IO[str]) -> str:
    stream.seek(0)
    return stream.read()


def _forked(streams: list[int]) -> int:
    server = _server()
    socket.send_fds(server, [b"!"], streams)
    answer = server.recv(64)
    assert answer, "the process that forks has ended"
    return int(answer)


@cache
def _server() -> socket.socket:
    """Start the process that forks, once; it ends with this one."""
    ours, theirs = socket.socketpair()
    ours.settimeout(LONG)
    process = subprocess.Popen(
        [sys.executable, __file__, str(theirs.fileno())],
        pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    theirs.close()

    def end() -> None:
        ours.close()
        process.wait(LONG)

    atexit.register(end)
    return ours


def serve(orders: socket.socket) -> None:
    """Fork for each order; in a child, return once it is to run the command."""
    while True:
        asked, streams, _, _ = socket.recv_fds(orders, 1, 4)
        if not asked:
            sys.exit(0)
        if (pid := os.fork()) == 0:
            orders.close()
            with os.fdopen(streams.pop()) as told:
                return _become(json.load(told), streams)
        for stream in streams:
            os.close(stream)
        _, status = os.waitpid(pid, 0)
        orders.send(str(os.waitstatus_to_exitcode(status)).encode())


def _become(order: dict[str, Any], streams: list[int]) -> None:
    """Make this process the one that the order is about."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    encoding, _, errors = os.environ.get("PYTHONIOENCODING", "utf-8").partition(":")
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        said = errors or ("backslashreplace" if name == "stderr" else "strict")
        mode = "w" if number else "r"
        stream = open(number, mode, encoding=encoding, errors=said, closefd=False)  # noqa: SIM115
        setattr(sys, name, stream)
    time.tzset()
    sys.argv = ["seqdata", *order["arguments"]]
    sys.path[0] = str(Path.cwd())


if __name__ == "__main__":
    for name in IMPORTED:
        importlib.import_module(name)
    gc.freeze()
    serve(socket.socket(fileno=int(sys.argv[1])))
    runpy.run_module("seqdata", run_name="__main__", alter_sys=True)
