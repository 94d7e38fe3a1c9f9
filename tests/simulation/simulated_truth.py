"""What must hold of a ledger, whatever happened: the promises, in one place.

A promise that is broken raises an AssertionError whose words say which one, and for what.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from trust import COLUMNS, Row, leftovers, row_of

from seqdata.sandbox import Sandbox
from seqdata.sources.base import Source
from seqdata.sources.rows import table_of_rows
from seqdata.sources.schemas import ACCOUNT_ROWS
from seqdata.sources.vocabulary import FINAL, OWN
from seqdata.sources.webapp.words import STATES
from seqdata.store import Store
from seqdata.store.publishing import project
from seqdata.sync import SyncReport
from seqdata.sync.plan import OPEN_SPAN

FINAL_STATUSES = {word for word, state in STATES.items() if state in FINAL}

ENDS = ("source", "destination")

#: What is compared of an account.
ACCOUNT_COLUMNS = [name for name in ACCOUNT_ROWS.names if name != "organization_id"]

PUBLISHED = (
    "transfers", "transfer_history", "accounts", "details", "legs", "balances", "earlier", "runs"
)  # fmt: skip


class Truth:
    """What was so in a world, as far as a sync could see it, and what a ledger may say of it."""

    def __init__(self, box: Sandbox, honest: Source) -> None:
        self._box, self._honest = box, honest
        self._book = box._world.organizations[0].book
        self._version, self._asked = -1, None
        self._shown = Shown()
        self._now: dict[str, Row] = {}
        #: Every version of a transfer that was true when a sync could see it.
        self._versions: dict[str, list[Row]] = {}
        #: Transfers whose past was changed since everything was last read: a window may miss it.
        self.touched: set[str] = set()
        #: Columns about which answers may have lied since everything was last read; ``*`` is any.
        self.doubted: set[str] = set()

    # -- what is so -------------------------------------------------------------------------

    def transfers(self) -> dict[str, Row]:
        """The transfers, by id, in the columns of a ledger."""
        if self._version != self._book.version:
            self._version = self._book.version
            self._now = {row["id"]: row_of(row) for row in self._box.transfers()}
        return self._now

    def accounts(self) -> dict[str, Row]:
        """The open accounts, by id."""
        moment = (self._box.now, self._book.version)
        if moment != self._asked:
            self._asked = moment
            listed = table_of_rows(self._honest.fetch_accounts().accounts, ACCOUNT_ROWS)
            rows = listed.select(ACCOUNT_COLUMNS).to_pylist()
            self._accounts = {row["id"]: row for row in rows}
        return self._accounts

    def look(self) -> None:
        """Remember what is so, before a sync begins."""
        for id, row in self.transfers().items():
            known = self._versions.setdefault(id, [])
            if not known or (row is not known[-1] and row != known[-1]):
                known.append(row)

    # -- what must hold ---------------------------------------------------------------------

    def check(self, store: Store, report: SyncReport | None, *, of_before: bool = False) -> None:
        """Check a ledger after a sync, however it ended; `report` where it succeeded.

        `of_before`: an answer was of an earlier time. Where its count is of then too, it cannot be
        told from a true one.
        """
        before, self._shown = self._shown, Shown.of(store)
        self.nothing_false()
        self.nothing_lost(before)
        if report is not None:
            if not of_before:
                self.complete_means_complete(report)
            if not self.doubted:
                self.what_was_read_is_true(report)
                self.accounts_are_true()

    def nothing_false(self) -> None:
        """Each row was so at some time, but for the columns that somebody lied about."""
        for id, row in self._shown.here.items():
            known = self._versions.get(id)
            if known is None and "*" in self.doubted:  # its id may be what was lied about
                continue
            assert known, f"a row that never was: {row}"
            is_so = any(self._agree(row, one) for one in reversed(known))
            assert is_so, f"a row that was never so: {difference(row, known[-1])}"

    def nothing_lost(self, before: Shown) -> None:
        """What is newly called gone or closed is so."""
        wrongly = sorted((self._shown.gone - before.gone) & self.transfers().keys())
        assert not wrongly, f"removed, though it is there: {wrongly[:3]} of {len(wrongly)}"
        wrongly = sorted((self._shown.closed - before.closed) & self.accounts().keys())
        assert not wrongly, f"closed, though it is open: {wrongly}"

    def complete_means_complete(self, report: SyncReport) -> None:
        """A report says complete only where every transfer is here, and no other."""
        if report.is_complete is not True:
            return
        here, now = self._shown.here.keys(), self.transfers().keys()
        assert len(here) == len(now), f"complete, with {len(here)} of {len(now)} transfers"
        other = sorted((here ^ now) - self.touched)
        assert not other, f"complete, but not the same: {other[:3]} of {len(other)}"

    def what_was_read_is_true(self, report: SyncReport) -> None:
        """All is as it is now; what was touched below the window, or waits too long, may differ."""
        now, here = self.transfers(), self._shown.here
        for id in sorted(now.keys() | here.keys()):
            was, is_now = here.get(id), now.get(id)
            if was == is_now or self._may_differ(was, is_now, report):
                continue
            words = f"after a {report.kind} sync: {difference(was, is_now)}"
            assert report.kind in ("recent", "resumed"), words
            assert id in self.touched, words
            since = report.window.since
            if report.kind == "recent" and since is not None:
                assert is_now is None or _is_before(is_now["created_at"], since), words
                assert was is None or _is_before(was["created_at"], since), words
                assert was is None or was["status"] in FINAL_STATUSES, words

    def _may_differ(self, was: Row | None, is_now: Row | None, report: SyncReport) -> bool:
        """Whether a row was left out by choice, or open so long that only a full sync asks."""
        if is_now is None and was is not None and was["id"] in self._shown.in_doubt:
            return True  # which is said; in calm it is settled
        if was is None:
            since = report.certificate.since if report.certificate else None
            return since is not None and _is_before((is_now or {})["created_at"], since)
        is_old = _is_before(was["created_at"], self._box.now - OPEN_SPAN)
        return report.kind == "recent" and was["status"] not in FINAL_STATUSES and is_old

    def _may_come_yet(self, was: Row | None, is_now: Row | None) -> bool:
        """Whether a row is in doubt because nothing newer was shown: its time may come yet."""
        if was is None or is_now is not None or was["id"] not in self._shown.in_doubt:
            return False
        return not any(_is_before(was["created_at"], row["created_at"])
                       for row in self.transfers().values())  # fmt: skip

    def accounts_are_true(self) -> None:
        """The open accounts are those of the service."""
        here, now = self._shown.accounts, self.accounts()
        other = [id for id in sorted(here.keys() | now.keys()) if here.get(id) != now.get(id)]
        words = [difference(here.get(id), now.get(id)) for id in other[:1]]
        assert not other, f"accounts that are not as they are: {words}"

    def all_is_true(self, store: Store, report: SyncReport) -> None:
        """After calm syncs the ledger is the world."""
        now, here = self.transfers(), self._shown.here
        waiting = {id for id, row in here.items() if self._may_come_yet(row, now.get(id))}
        for id in sorted((now.keys() | here.keys()) - waiting):
            assert now.get(id) == here.get(id), difference(here.get(id), now.get(id))
        expected = None if waiting else True
        assert report.is_complete is expected, f"not complete: {report.certificate}"
        self.accounts_are_true()
        self.tables_say_the_record(store)
        assert store.record.check() is None

    def tables_say_the_record(self, store: Store) -> None:
        """Each published table is what the record makes of it."""
        with store.record.reading() as db:
            for name in PUBLISHED:
                made = project(db, name, store.organization_id)
                read = store._read(name, made.schema)
                order = [(column, "ascending") for column in made.column_names]
                assert read.sort_by(order).equals(made.sort_by(order)), f"{name} is another"

    def nothing_is_left(self, store: Store, data_dir: Any) -> None:
        """No temporary file is left, and nothing beside the record."""
        found = leftovers(data_dir)
        assert not found, f"left behind: {len(found)} files"

    def is_calm(self, hidden: set[str]) -> None:
        """Everything was read from a service that works."""
        self.touched, self.doubted = set(hidden), set()

    def _agree(self, row: Row, known: Row) -> bool:
        """Tell whether a row is a version; own accounts are called as they are called now."""
        if "*" in self.doubted:
            return True
        passed = self.doubted | {f"{end}_name" for end in ENDS if row[f"{end}_party"] in OWN}
        return all(row[name] == known[name] or name in passed for name in row)


@dataclass(frozen=True)
class Shown:
    """What a ledger shows: transfers by id, those gone, open accounts by id, those closed."""

    here: dict[str, Row] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()
    accounts: dict[str, Row] = field(default_factory=dict)
    closed: frozenset[str] = frozenset()
    in_doubt: frozenset[str] = frozenset()

    @classmethod
    def of(cls, store: Store) -> Shown:
        columns = [*COLUMNS, "removed_at", "missing_since"]
        rows = store.read_transfers(columns=columns, include_removed=True).to_pylist()
        ids = [row["id"] for row in rows]
        assert len(ids) == len(set(ids)), "a transfer that is there twice"
        removed = {row["id"] for row in rows if row.pop("removed_at") is not None}
        doubted = {row["id"] for row in rows if row.pop("missing_since") is not None}
        accounts = store.read_accounts().select([*ACCOUNT_COLUMNS, "closed_at"]).to_pylist()
        closed = {row["id"] for row in accounts if row.pop("closed_at") is not None}
        return cls(
            {row["id"]: row for row in rows if row["id"] not in removed},
            frozenset(removed),
            {row["id"]: row for row in accounts if row["id"] not in closed},
            frozenset(closed),
            frozenset(doubted),
        )


def difference(here: Row | None, now: Row | None) -> str:
    """Say in which columns two rows differ."""
    if here is None or now is None:
        return f"here {here}, in truth {now}"
    names = [name for name in here if here[name] != now[name]]
    told = (f"{name} here {here[name]!s}, in truth {now[name]!s}" for name in names)
    return f"{here['id']}: {'; '.join(told)}"


def _is_before(moment: datetime | None, since: datetime) -> bool:
    return moment is not None and moment < since
