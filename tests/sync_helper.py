"""A process that syncs when it is told to, in children that may die; run by tests.

Each line on standard input is JSON: the options of `Ledger.sync`, and ``die_at``: the number of
the file event (a file opened to be written, renamed, removed, a folder made) at which the child
kills itself, 0 for none. The child's pid is the answer; a second line asks to wait for its end,
and its exit status answers that.
Everything is imported before the first line, so that a child begins at once.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
from typing import Any

EVENTS = ("os.rename", "os.remove", "os.mkdir", "os.truncate", "os.rmdir")
WRITES = os.O_WRONLY | os.O_RDWR


def die_at(number: int) -> None:
    """Die at a file event, before it happens."""
    left = number

    def count(event: str, args: tuple[Any, ...]) -> None:
        nonlocal left
        is_write = event == "open" and isinstance(args[2], int) and bool(args[2] & WRITES)
        if event in EVENTS or is_write:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)


def child(order: dict[str, Any]) -> None:
    """Sync, as told."""
    from seqdata.ledger import Ledger

    number = order.pop("die_at")
    if number:
        die_at(number)
    with Ledger.open() as ledger:
        ledger.sync(progress=False, **order)


def main() -> None:
    for name in ("seqdata.ledger", "curl_cffi.requests", "pyarrow.parquet", "filelock", "pandas"):
        importlib.import_module(name)
    print("ready", flush=True)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            try:
                child(json.loads(line))
            except BaseException as error:  # noqa: BLE001  # whatever it is, it is reported
                print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
                os._exit(1)
            os._exit(0)
        print(pid, flush=True)
        sys.stdin.readline()  # until then it can be killed by its id, whether it ended or not
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
