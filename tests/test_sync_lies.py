"""Every lie of the sandbox meets every kind of sync: nothing is lost, and nothing is believed long.

By default each lie meets one or two kinds of sync; with SEQDATA_SOAK=1 all of them.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Set
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from trust import COLUMNS, NOW, SOAK, Desk, Row, tables, truth

from seqdata.exceptions import SequenceError
from seqdata.sandbox import Sandbox
from seqdata.sandbox.faults.lies import ACCOUNTS, DETAILS, LIES, PAGES, Lie
from seqdata.sources.webapp.documents import document
from seqdata.store import Store
from seqdata.sync import SyncReport

#: The kinds of sync: their options, and how many answers pass before a page lies.
SYNCS: dict[str, tuple[dict[str, Any], int]] = {
    "first": ({}, 1),
    "daily": ({"overlap": timedelta(days=10)}, 0),
    "full": ({"full": True}, 1),
    "since": ({"since": timedelta(days=20)}, 0),
    "details": ({"overlap": timedelta(days=10), "details": "new", "max_requests": 4}, 0),
}

#: Which kinds of sync each operation's lies meet by default: each lie the next ones in turn.
DEFAULT = {PAGES: ("first", "daily", "full", "since"), ACCOUNTS: ("daily",), DETAILS: ("details",)}

#: The columns of a transfer that a lie about a field can touch.
TOUCHED = {
    "amount": ("amount_cents",),
    "amount.cents": ("amount_cents",),
    "createdAt": ("created_at",),
    "updatedAt": ("updated_at",),
    "description": ("description",),
    "status": ("status",),
    "source": ("source_id", "source_name", "source_party"),
    "destination": ("destination_id", "destination_name", "destination_party"),
    "id": ("id",),
    "stale": ("status", "updated_at", "error_reason"),
}


def cases() -> Iterator[tuple[Lie, str]]:
    """Every lie with the kinds of sync that it meets."""
    for number, lie in enumerate(LIES.values()):
        chosen = DEFAULT[lie.operation]
        yield from ((lie, one) for one in (SYNCS if SOAK else {chosen[number % len(chosen)]}))


class World:
    """A sandbox, a ledger of two days ago, and every version of a transfer that was true."""

    def __init__(self, box: Sandbox, folder: Path) -> None:
        self.box, self.before = box, folder
        self.versions: dict[str, list[Row]] = {}
        self.note()
        desk = Desk(box, folder)
        desk.sync(details="new", max_requests=2)
        desk.close()
        self.advance(days=2)

    def note(self) -> dict[str, Row]:
        """Remember what is true now."""
        known = truth(self.box)
        for id, row in known.items():
            versions = self.versions.setdefault(id, [])
            if row not in versions:
                versions.append(row)
        return known

    def advance(self, **time: float) -> dict[str, Row]:
        self.box.advance(**time)
        return self.note()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with Sandbox(months=1, now=NOW, organizations=2) as box:
        yield World(box, tmp_path_factory.mktemp("before"))


@pytest.fixture
def desk(world: World, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Desk]:
    """A desk whose last sync was two days ago, or that has never synced."""
    if request.getfixturevalue("kind") != "first":
        shutil.copytree(world.before, tmp_path, dirs_exist_ok=True)
    desk = Desk(world.box, tmp_path)
    yield desk
    world.box.clear_faults()
    desk.close()


def lied_to(desk: Desk, lie: Lie, kind: str) -> SyncReport | None:
    """Sync while a lie is told; None where that ended in an error of ours."""
    options, after = SYNCS[kind]
    since = {"since": desk.box.now - options["since"]} if "since" in options else {}
    is_count = lie.options.get("field") == "numberOfTransfers.count"
    passes = after if lie.operation == PAGES and not is_count else 0
    desk.box.fail(**{"after": passes, **lie.fault})
    try:
        return desk.sync(**{**options, **since})
    except SequenceError:
        return None
    finally:
        desk.box.clear_faults()


def read(store: Store) -> list[Row]:
    """Every transfer of a store, removed ones too."""
    found = store.read_transfers(columns=[*COLUMNS, "removed_at"], include_removed=True)
    rows: list[Row] = found.to_pylist()
    assert len({row["id"] for row in rows}) == len(rows)
    return rows


def here(rows: list[Row]) -> dict[str, Row]:
    """The transfers that were not removed, by id."""
    return {row["id"]: {name: row[name] for name in COLUMNS} for row in rows
            if not row["removed_at"]}  # fmt: skip


def nothing_is_lost(store: Store, rows: list[Row], before: set[str], known: Set[str]) -> None:
    """What was here is here, and nothing that is true is called removed or closed."""
    assert before <= {row["id"] for row in rows}
    assert [row for row in rows if row["removed_at"] and row["id"] in known] == []
    assert [row for row in store.read_accounts().to_pylist() if row["closed_at"]] == []


def touched_by(lie: Lie) -> tuple[str, ...]:
    """The columns of a transfer that a lie can change."""
    if lie.options.get("of") == "account":  # a transfer shows what its accounts are called
        return ("source_name", "destination_name")
    usual = {"changed_type": "amount.cents", "wrong_value": "amount.cents", "stale": "stale"}
    return TOUCHED.get(lie.options.get("field", usual.get(lie.kind)), ())


def every_version_was_told(rows: list[Row], store: Store, world: World, lie: Lie) -> None:
    """Each version of each transfer was true at some time, but for what the lie changed."""
    touched = touched_by(lie)
    for row in [*store.read_history().select(COLUMNS).to_pylist(), *rows]:
        known = world.versions.get(row["id"], [])
        if "id" in touched:
            known = [row for rows in world.versions.values() for row in rows]
        assert any(agree(row, one, touched) for one in known), row


def agree(row: Row, known: Row, touched: tuple[str, ...]) -> bool:
    return all(row[name] == known[name] for name in COLUMNS if name not in touched)


def is_complete_but_for(touched: tuple[str, ...], rows: list[Row], known: dict[str, Row]) -> None:
    """Every transfer is here, and nothing is wrong of it but what the lie itself said."""
    assert here(rows).keys() == known.keys()
    if "id" not in touched:
        wrong = [row for row in rows if not row["removed_at"]
                 and not agree(row, known[row["id"]], touched)]  # fmt: skip
        assert wrong == []


def reaching(lie: Lie) -> dict[str, Any]:
    """Reach as far back as a lie about values: one of an older row stands until all is read."""
    return {"overlap": timedelta(days=60)} if touched_by(lie) else {}


def accounts_now(desk: Desk) -> dict[str, tuple[str, int | None]]:
    """Name and cents of each account, as the service says now."""
    data = desk.client.execute(document(ACCOUNTS), None, ACCOUNTS)
    found = {}
    for member in data["me"]["memberships"]:
        if member["organization"]["id"] == desk.box.organization_id:
            for list_of in ("ports", "pods", "accounts"):
                for node in member["organization"][list_of]:
                    balance = (node["metadata"] or {}).get("balance") or {}
                    found[node["id"]] = (node["name"], balance.get("cents"))
    return found


def accounts_held(store: Store) -> dict[str, tuple[str, int | None]]:
    """Name and newest cents of each account that is open."""
    rows = store.read_balances().sort_by("as_of").to_pylist()
    cents = {row["account_id"]: row["balance_cents"] for row in rows}
    open_ones = [row for row in store.read_accounts().to_pylist() if row["closed_at"] is None]
    return {row["id"]: (row["name"], cents.get(row["id"])) for row in open_ones}


@pytest.mark.parametrize(
    ("lie", "kind"), list(cases()), ids=lambda one: one.name if isinstance(one, Lie) else one
)
def test_a_lie_is_survived(world: World, desk: Desk, lie: Lie, kind: str) -> None:
    """Under a lie nothing is lost or called complete that is not, and a calm sync heals it."""
    store, known = desk.store, truth(desk.box)
    before = set() if kind == "first" else {row["id"] for row in read(store)}
    report = lied_to(desk, lie, kind)
    if store.exists:
        rows = read(store)
        nothing_is_lost(store, rows, before, known.keys())
        every_version_was_told(rows, store, world, lie)
        # A whole world of before, its count with it, cannot be told from the present one.
        if report is not None and report.is_complete is True and lie.kind != "stale":
            is_complete_but_for(touched_by(lie), rows, known)
    for _ in range(2 if lie.operation == ACCOUNTS else 1):
        if lie.operation == ACCOUNTS:
            known = world.advance(hours=2)
        report = desk.sync(**reaching(lie))
    rows = read(store)
    assert here(rows) == known
    assert accounts_held(store) == accounts_now(desk)
    nothing_is_lost(store, rows, before, known.keys())
    every_version_was_told(rows, store, world, lie)
    assert report is not None
    assert report.is_complete is True
    if SOAK:  # what is read again from the record is what the tables say
        said = tables(store)
        store.rebuild(desk.source())
        assert tables(store) == said
