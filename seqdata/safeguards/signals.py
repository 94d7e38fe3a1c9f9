"""Signals while money moves: what was done is written down before the program ends."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def terminable() -> Iterator[None]:
    """Let SIGTERM raise while a transfer is being sent, so that its outcome is written down."""
    is_ours = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    )
    if not is_ours:
        yield
        return
    signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _terminate(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let an interrupt wait until the block has ended: an outcome is being written down."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    caught: list[int] = []
    both = (signal.SIGINT, signal.SIGTERM)
    before = {one: signal.signal(one, lambda given, _: caught.append(given)) for one in both}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, signal.SIG_DFL if handler is None else handler)
        for number in caught:
            signal.raise_signal(number)
