"""A sync that dies, or is refused by the disk, at every kind of statement of the record.

The points are counted while a calm sync runs, not listed: a new statement is covered the day it
is written. Death is a connection that does nothing any more; what was not committed is gone.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import apsw
import pytest
from trust import NOW, SOAK, Desk, held, leftovers, tables, truth

from seqdata.exceptions import FolderNotWritable
from seqdata.sandbox import Sandbox
from seqdata.store import Store
from seqdata.store.publishing import project
from seqdata.store.record import Connect, connect

WISHES: dict[str, Any] = {"details": "new", "details_per_request": 25}

#: Of the points, one in so many is tried; all of them with `make soak`.
STEP = 1 if SOAK else 17


class Died(BaseException):
    """The process ended here."""


class Counted:
    """A connection that counts its statements, and dies before or after one of them."""

    def __init__(self, path: Path, log: list[str], die_at: int | None) -> None:
        self._db = connect(path)
        self._log, self._die_at = log, die_at

    def _run(self, sql: str, work: Callable[[], Any]) -> Any:
        number = len(self._log)  # each statement is two points: before and after it
        if self._die_at is not None and number > self._die_at:
            raise Died
        self._log.append(f"before {sql}")
        if number == self._die_at:
            raise Died
        done = work()
        self._log.append(f"after {sql}")
        if number + 1 == self._die_at:
            raise Died
        return done

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[Any]:
        return iter(self._run(sql, lambda: list(self._db.execute(sql, parameters))))

    def executemany(self, sql: str, parameters: Any) -> object:
        return self._run(sql, lambda: self._db.executemany(sql, parameters))

    def close(self) -> None:
        self._db.close()


def kinds(log: list[str]) -> list[int]:
    """Return the first and the last place of each kind of point, and each commit."""
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for place, point in enumerate(log):
        first.setdefault(point, place)
        last[point] = place
    commits = [place for place, point in enumerate(log) if point.endswith("COMMIT")]
    return sorted({*first.values(), *last.values(), *commits})


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(months=1, now=NOW, page_cap=50) as box:
        yield box


def with_connect(desk: Desk, connect: Connect) -> None:
    """Let a desk write through another connection."""
    store = desk.store
    desk.store = Store.open(
        desk.folder, store.organization_id, app_url=store.app_url, connect=connect
    )


def agrees(store: Store) -> None:
    """The tables say what the record says."""
    with store.record.reading() as db:
        for name in ("transfers", "transfer_history", "accounts", "details", "balances", "runs"):
            made = project(db, name, store.organization_id)
            read = store._read(name, made.schema)
            order = [(column, "ascending") for column in made.column_names]
            assert read.sort_by(order).equals(made.sort_by(order)), name


@pytest.fixture(scope="module")
def calm(
    box: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Desk, list[str]]]:
    """A first sync that nothing disturbs, and its points."""
    log: list[str] = []
    desk = Desk(box, tmp_path_factory.mktemp("calm"))
    with_connect(desk, partial(Counted, log=log, die_at=None))
    desk.sync(**WISHES)
    yield desk, log
    desk.close()


def test_a_sync_that_dies_at_any_statement_ends_like_a_calm_one(
    box: Sandbox, calm: tuple[Desk, list[str]], tmp_path: Path
) -> None:
    """Dead before or after any kind of statement or commit, the next sync has the same tables."""
    undisturbed, log = calm
    points = kinds(log)
    assert len(points) > 80
    for point in points[::STEP]:
        desk = Desk(box, tmp_path / str(point))
        with_connect(desk, partial(Counted, log=[], die_at=point))
        with pytest.raises(Died):
            desk.sync(**WISHES)
        with_connect(desk, connect)
        assert desk.sync(**WISHES).is_complete, log[point]
        assert tables(desk.store) == tables(undisturbed.store), log[point]
        agrees(desk.store)
        assert leftovers(desk.folder) == [], log[point]
        desk.close()


def test_a_later_sync_that_dies_at_any_statement_loses_nothing(tmp_path: Path) -> None:
    """Dead while rows change, move and vanish, no row is lost, doubled or half of two syncs."""
    with Sandbox(months=1, now=NOW, page_cap=50) as world:
        desks = [Desk(world, tmp_path / name) for name in ("calm", "wild")]
        for desk in desks:
            desk.sync(**WISHES)
        died = 0
        for round_ in range(3 if not SOAK else 40):
            world.advance(days=2)
            world.remove_transfers([world.transfers()[round_ + 3]["id"]])
            calm_desk, wild = desks
            log: list[str] = []
            with_connect(calm_desk, partial(Counted, log=log, die_at=None))
            calm_desk.sync(**WISHES)
            for point in kinds(log)[round_ :: STEP * 5]:
                try:  # an earlier one got so far that less is left to do
                    with_connect(wild, partial(Counted, log=[], die_at=point))
                    wild.sync(**WISHES)
                except Died:
                    died += 1
                with_connect(wild, connect)
                agrees(wild.store)
            wild.sync(**WISHES)
            assert held(wild.store) == truth(world)
            same = ("transfers", "accounts", "details", "legs")
            wild_tables, calm_tables = tables(wild.store), tables(calm_desk.store)
            assert [wild_tables[name] for name in same] == [calm_tables[name] for name in same]
        assert died > 3
        for desk in desks:
            desk.close()


# -- a disk that refuses ----------------------------------------------------------------------


class Refusing(apsw.VFS):
    """A file system of which the n-th write, sync or truncation fails, and all after it."""

    _numbers = itertools.count()

    def __init__(self, fails_at: int | None) -> None:
        self.name = f"refusing-{next(self._numbers)}"
        self.fails_at, self.done = fails_at, 0
        super().__init__(self.name, "")

    def xOpen(self, name: Any, flags: list[int]) -> Any:  # noqa: N802  # SQLite's name
        return RefusingFile(self, name, flags)

    def step(self) -> None:
        self.done += 1
        if self.fails_at is not None and self.done > self.fails_at:
            raise apsw.IOError("the disk refuses")


class RefusingFile(apsw.VFSFile):
    def __init__(self, vfs: Refusing, name: Any, flags: list[int]) -> None:
        self._vfs = vfs
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802  # SQLite's name
        self._vfs.step()
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802  # SQLite's name
        self._vfs.step()
        super().xSync(flags)

    def xTruncate(self, size: int) -> None:  # noqa: N802  # SQLite's name
        self._vfs.step()
        super().xTruncate(size)


class Other:
    """A connection of apsw, with the errors of the standard library's."""

    def __init__(self, path: Path, vfs: Refusing) -> None:
        self._db = self._told(lambda: apsw.Connection(str(path), vfs=vfs.name))

    def _told(self, work: Callable[[], Any]) -> Any:
        try:
            return work()
        except apsw.Error as error:
            raise sqlite3.OperationalError(str(error)) from error

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[Any]:
        return iter(self._told(lambda: list(self._db.execute(sql, tuple(parameters)))))

    def executemany(self, sql: str, parameters: Any) -> object:
        return self._told(lambda: list(self._db.executemany(sql, list(parameters))))

    def close(self) -> None:
        self._told(self._db.close)


def test_a_disk_that_refuses_at_any_write_loses_nothing(
    box: Sandbox, calm: tuple[Desk, list[str]], tmp_path: Path
) -> None:
    """Where a write or a sync of SQLite fails, the sync says so, and the next one is whole."""
    counted = Refusing(None)
    desk = Desk(box, tmp_path / "counted")
    with_connect(desk, lambda path: Other(path, counted))
    desk.sync(**WISHES)
    assert tables(desk.store) == tables(calm[0].store)
    desk.close()
    step = 1 if SOAK else max(1, counted.done // 7)
    refused = 0
    for place in range(0, counted.done, step):
        vfs = Refusing(place)
        desk = Desk(box, tmp_path / str(place))
        with_connect(desk, lambda path, vfs=vfs: Other(path, vfs))  # type: ignore[misc]
        try:
            desk.sync(**WISHES)
        except FolderNotWritable:
            refused += 1
        with_connect(desk, connect)
        assert desk.sync(**WISHES).is_complete
        assert tables(desk.store) == tables(calm[0].store), place
        agrees(desk.store)
        desk.close()
    assert refused > 3


@pytest.mark.parametrize("pages", [30, 40, 60])
def test_a_record_that_may_not_grow_is_named(box: Sandbox, tmp_path: Path, pages: int) -> None:
    """A record for which there is no room is named, and with room again the sync goes on."""

    def bounded(path: Path) -> Any:
        db = connect(path)
        db.execute(f"PRAGMA max_page_count = {pages}")
        return db

    desk = Desk(box, tmp_path)
    with_connect(desk, bounded)
    with pytest.raises(FolderNotWritable, match="full"):
        desk.sync(**WISHES)
    with_connect(desk, connect)
    assert desk.sync(**WISHES).is_complete
    assert held(desk.store) == truth(box)
    desk.close()
