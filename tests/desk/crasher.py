"""Runs an operation of the desk again and again, and lets it die or fail at every file operation.

A program of its own (``python crasher.py``): it loads all once, and then forks a child for each
line on its standard input. The child counts the calls into C that touch files, and at the one
that it is told it ends, or the call fails. So a new file operation is found the day it is written.
"""

from __future__ import annotations

import errno
import fcntl
import io
import json
import os
import pickle
import posix
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

#: Calls of the modules below that touch no file.
NO_FILES = frozenset({
    "_exit", "_path_normpath", "cpu_count", "fspath", "getcwd", "geteuid", "getpid", "getppid",
    "get_terminal_size", "getuid",
    "sched_getaffinity", "umask", "uname", "urandom", "register_at_fork", "fork",
})  # fmt: skip

#: What does not fail on a full or a broken disk: locks, and letting go of a file.
NEVER_FAIL = frozenset({"flock", "lockf", "fcntl", "close", "fileno", "isatty", "get_inheritable"})

#: What changes nothing on a disk: a death there is one at the change before or after it.
READS = frozenset({
    "stat", "lstat", "fstat", "access", "readlink", "listdir", "scandir", "read", "readline",
    "readall", "readinto", "seek", "lseek", "tell", "fileno", "isatty", "get_inheritable",
})  # fmt: skip

DIED = 77


def touches_files(function: Any) -> bool:
    """Tell whether a call into C touches a file: what it is bound to decides."""
    owner = getattr(function, "__self__", None)
    is_call = owner in (posix, fcntl) and function.__name__ not in NO_FILES
    return is_call or function is open or isinstance(owner, io.IOBase | io.TextIOBase)


class Fate:
    """What befalls a program at its file operation number `at`: it dies there, or that fails."""

    def __init__(self, how: str, at: int) -> None:
        self.how, self.at, self.count = how, at, 0
        self.names: list[str] = []

    def __call__(self, _: FrameType, event: str, function: Any) -> None:
        if event not in ("c_call", "c_return") or not touches_files(function):
            return
        if event == "c_call":
            self.count += 1
            self.names.append(function.__name__)
        if self.count != self.at:
            return
        if (self.how, event) in (("before", "c_call"), ("after", "c_return")):
            os._exit(DIED)
        if self.how == "error" and event == "c_call" and function.__name__ not in NEVER_FAIL:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def stage(desk: Any, given: dict[str, Any], folder: Path) -> Callable[[], Any]:
    return lambda: desk.stage(given["source"], given["destination"], amount_cents=given["cents"])


def confirm(desk: Any, given: dict[str, Any], folder: Path) -> Callable[[], Any]:
    staged = desk.stage(given["source"], given["destination"], amount_cents=given["cents"])
    (folder / "staged.pickle").write_bytes(pickle.dumps(staged))
    return lambda: desk.confirm(staged)


def settle(desk: Any, given: dict[str, Any], folder: Path) -> Callable[[], Any]:
    return lambda: desk.settle(assume_failed=given["given_up"])


OPERATIONS = {"stage": stage, "confirm": confirm, "settle": settle}


def run(given: dict[str, Any]) -> dict[str, Any]:
    """Do one operation, prepared in calm, under its fate; say what came of it."""
    from seqdata.config import get_settings
    from seqdata.exceptions import SequenceError
    from seqdata.safeguards import TransferDesk

    folder = Path(given["folder"])
    settings = get_settings().model_copy(update={"data_dir": folder})
    desk = TransferDesk(settings, token_provider=lambda: given["token"])
    act = OPERATIONS[given["operation"]](desk, given, folder)
    fate = Fate(given["how"], given["at"])
    try:
        sys.setprofile(None if given["how"] == "warm" else fate)
        try:
            found = act()
        finally:
            sys.setprofile(None)
    except SequenceError as error:
        said: dict[str, Any] = {"error": type(error).__name__, "typed": True, "text": str(error)}
    except BaseException as error:  # noqa: BLE001 - which one it is, is what is asked
        where = " < ".join(one.name for one in traceback.extract_tb(error.__traceback__)[::-1])
        said = {"error": type(error).__name__, "typed": False, "text": f"{error!r} in {where}"}
    else:
        said = {"outcome": getattr(found, "status", None)}
    return {**said, "names": fate.names}


def main() -> None:
    """Answer each line of standard input with one of standard output."""
    for line in sys.stdin:
        given = json.loads(line)
        if given["how"] == "warm":
            print(json.dumps(run(given)), flush=True)
            continue
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            signal.alarm(120)  # a guard: a child that hangs fails its point
            os.write(writing, json.dumps(run(given)).encode())
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as stream:
            data = stream.read()
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        print(json.dumps({"code": code, **json.loads(data or b"{}")}), flush=True)


if __name__ == "__main__":
    main()
