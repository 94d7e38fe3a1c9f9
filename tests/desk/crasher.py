"""Runs an operation of the desk again and again, and lets it die or fail at every file operation.

A program of its own (``python crasher.py``): it loads all once, and then forks a child for each
line on its standard input. The child counts the calls into C that touch files, and at the one
that it is told its fate befalls it. So a new file operation is found the day it is written.

======  =====================================================================================
fate    what befalls
======  =====================================================================================
before  the program dies, and the call is not made
after   the program dies, and the call is made
error   this one call fails: what reads, with an error of the disk; else for want of space
full    the disk is full from this write on: no file can grow any more
======  =====================================================================================
"""

from __future__ import annotations

import errno
import fcntl
import io
import json
import os
import pickle
import posix
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import seqdata

#: Where the package is.
PACKAGE = f"{Path(seqdata.__file__).parent}{os.sep}"

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
    if isinstance(owner, io.StringIO | io.BytesIO):  # they are in memory
        return False
    is_call = owner in (posix, fcntl) and function.__name__ not in NO_FILES
    return is_call or function is open or isinstance(owner, io.IOBase | io.TextIOBase)


def place_of(frame: FrameType | None) -> str:
    """Say where in the package a call was made, or led to."""
    while frame is not None and not frame.f_code.co_filename.startswith(PACKAGE):
        frame = frame.f_back
    return "" if frame is None else f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"


class Fate:
    """What befalls a program at its file operation number `at`; see above.

    `calls` are the operations so far, each with its place; `befell` tells whether it did.
    """

    def __init__(self, how: str, at: int) -> None:
        self.how, self.at = how, at
        self.calls: list[tuple[str, str]] = []
        self.befell = False

    def __call__(self, frame: FrameType, event: str, function: Any) -> None:
        if not event.startswith("c_") or not touches_files(function):
            return
        name = function.__name__
        if event == "c_call":
            self.calls.append((name, place_of(frame) if self.how == "calm" else ""))
        if len(self.calls) != self.at:
            return
        is_made = event != "c_call"  # it returned or, as mkdir of what is there, raised
        if self.how == ("after" if is_made else "before"):
            os._exit(DIED)
        if self.how == "full" and not is_made:
            self.befell = True
            hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
        if self.how == "error" and not is_made:
            self.befell = True
            code = errno.EIO if name in READS else errno.ENOSPC
            raise OSError(code, os.strerror(code))


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
    from seqdata.safeguards import TransferDesk

    folder = Path(given["folder"])
    settings = replace(get_settings(), data_dir=folder)
    with TransferDesk(settings, token_provider=lambda: given["token"]) as desk:
        return befallen(desk, given, folder)


def befallen(desk: Any, given: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Do the operation; say what it said."""
    from seqdata.exceptions import SequenceError

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
    return {**said, "calls": fate.calls, "befell": fate.befell}


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
