"""A disk that counts what is done to it, and fails or ends the process at one of these steps.

A step is a statement of the record's, or a file of the folder that is opened to be written,
renamed or removed, or a folder made or removed. Where the process ends, the folder is copied as
it is at that instant: whatever the dying code still does goes into a folder that nobody sees.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from seqdata.store.record import connect


class Died(BaseException):
    """The process ended here."""


#: What the disk may do at a step: its words for SQLite, and its number for files.
REFUSALS = {
    "disk full": ("database or disk is full", errno.ENOSPC),
    "disk broken": ("disk I/O error", errno.EIO),
}
DEATH = "death"

#: What an application asks to be written in any case; a simulated disk forgets nothing.
_SAFETY = ("PRAGMA synchronous", "PRAGMA fullfsync", "PRAGMA checkpoint_fullfsync")

#: Statements that no disk refuses: they write nothing.
_HARMLESS = ("SELECT", "PRAGMA", "BEGIN", "ROLLBACK")

_MAKING = ("os.rename", "os.mkdir", "os.truncate")
_REMOVING = ("os.remove", "os.rmdir")
_WRITES = os.O_WRONLY | os.O_RDWR


class Disk:
    """The disk under one folder."""

    def __init__(self, folder: Path, tell: Callable[[str], None]) -> None:
        self.folder, self._tell = folder, tell
        self.steps = 0
        self.calm()

    def calm(self) -> None:
        """Let it work."""
        self._kind, self._at, self._until = "", 0, 0
        self._is_dead = False

    def arm(self, kind: str, after: int, times: int) -> None:
        """Let it do something after so many steps, and refuse so many of them."""
        self._kind, self._at = kind, self.steps + after
        self._until = self._at + times

    def connect(self, path: Path) -> Counted:
        """Open a database on it."""
        return Counted(connect(path), self)

    def step(self, what: str, *, writes: bool = True) -> str:
        """Count a step; return what the disk does to it: "" where it works."""
        if self._is_dead:
            raise Died
        self.steps += 1
        if not self._kind or not self._at < self.steps <= self._until:
            return ""
        if self._kind == DEATH:
            self._tell(f"{DEATH} at {what}")
            self._die()
        if not writes:
            return ""
        self._tell(f"{self._kind} at {what}")
        return self._kind

    def _die(self) -> None:
        self._is_dead = True
        shutil.copytree(self.folder, self._as_it_was, symlinks=True)
        raise Died

    @property
    def _as_it_was(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}.dead")

    def revive(self) -> None:
        """Give the folder of the instant at which the process ended to the next one."""
        self.calm()
        shutil.rmtree(self.folder)
        self._as_it_was.rename(self.folder)

    def __enter__(self) -> Disk:
        _watched.append(self)
        if not _hooked:
            _hooked.append(True)
            sys.addaudithook(_watch)  # it cannot be taken away; it does nothing without a disk
        return self

    def __exit__(self, *_: object) -> None:
        _watched.remove(self)

    def watch(self, event: str, args: tuple[Any, ...]) -> None:
        """Look at a file event of this process."""
        path = args[0]
        is_write = event == "open" and isinstance(args[2], int) and bool(args[2] & _WRITES)
        if not (is_write or event in _MAKING or event in _REMOVING):
            return
        if self._is_dead or not isinstance(path, str | os.PathLike):
            return
        if not os.fspath(path).startswith(f"{self.folder}/"):
            return
        refused = self.step(f"{event} {_kind_of(path)}", writes=event not in _REMOVING)
        if refused:
            number = REFUSALS[refused][1]
            raise OSError(number, os.strerror(number), os.fspath(path))


_watched: list[Disk] = []
_hooked: list[bool] = []


def _watch(event: str, args: tuple[Any, ...]) -> None:
    if _watched and (event == "open" or event in _MAKING or event in _REMOVING):
        _watched[-1].watch(event, args)


def _kind_of(path: Any) -> str:
    """Name a file by its end alone: temporary names are made by chance."""
    return Path(path).suffix or Path(path).name


class Counted:
    """A connection whose statements are steps of a disk, before them and after."""

    def __init__(self, db: Any, disk: Disk) -> None:
        self._db, self._disk = db, disk

    def _run(self, sql: str, work: Callable[[], Any]) -> Any:
        word = sql.split(maxsplit=1)[0]
        refused = self._disk.step(f"before {word}", writes=not sql.startswith(_HARMLESS))
        if refused:
            raise sqlite3.OperationalError(REFUSALS[refused][0])
        done = work()
        self._disk.step(f"after {word}", writes=False)
        return done

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[Any]:
        if sql.startswith(_SAFETY):
            return iter(self._db.execute("PRAGMA synchronous = OFF"))
        return iter(self._run(sql, lambda: self._db.execute(sql, parameters).fetchall()))

    def executemany(self, sql: str, parameters: Any) -> object:
        return self._run(sql, lambda: self._db.executemany(sql, parameters))

    def close(self) -> None:
        self._db.close()
