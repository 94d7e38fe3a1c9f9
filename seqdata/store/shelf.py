"""What the record of one organization says in plain values: no Arrow, no pandas, so it is quick.

What a sync decides by is here, and what a status prints.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from seqdata.core.moments import micros, moment_of
from seqdata.core.origins import origin_of
from seqdata.exceptions import CorruptFile, ForeignCache, ForeignTables
from seqdata.store.clocks import observed_balances
from seqdata.store.known import RECORD, folder_name
from seqdata.store.record import Connect, Record, connect, read_facts
from seqdata.store.state import SyncState, state_of


class Shelf:
    """Where an organization stands on this disk, and the questions that its record answers.

    Attributes
    ----------
    folder
        The tables' folder; they can be made again from the record.
    ledger_folder
        The record's folder: what is in it cannot be made again.
    """

    def __init__(
        self,
        data_dir: Path,
        organization_id: str,
        *,
        app_url: str,
        cache_dir: Path | None = None,
        connect: Connect = connect,
    ) -> None:
        name = folder_name(organization_id)
        self.folder = Path(cache_dir or Path(data_dir) / "cache") / name
        self.ledger_folder = Path(data_dir) / "ledgers" / name
        self.organization_id = organization_id
        self.app_url = origin_of(app_url)
        self.record = Record(self.ledger_folder / RECORD, connect=connect)

    @property
    def exists(self) -> bool:
        """Whether anything is here."""
        return self.record.exists

    @property
    def is_sound(self) -> bool:
        """Whether there is a record that can be read; else :meth:`Store.open` may mend it.

        Raises
        ------
        ForeignCache, ForeignTables, RecordTooNew
            It is of another server or organization, or of a newer seqdata.
        """
        if not self.exists or self._damage() is not None:
            return False
        self._check(self.record.facts())
        return True

    def read_state(self) -> SyncState:
        """Tell how far the last sync came; a fresh state where there was none."""
        if not self.exists:
            return SyncState()
        with self.record.reading() as db:
            return state_of(read_facts(db, ["progress"]).get("progress") or {})

    def revision(self) -> tuple[Any, ...]:
        """Tell which state of the record is here: another one whenever anything changed."""
        with self.record.reading() as db:
            facts = read_facts(db, ["id", "generation", "progress"])
        return tuple(json.dumps(facts.get(name), sort_keys=True) for name in facts)

    def looked_at(self) -> datetime | None:
        """Tell up to when a person has looked at what changed."""
        if not self.exists:
            return None
        with self.record.reading() as db:
            return moment_of(read_facts(db, ["looked_at"]).get("looked_at"))

    # -- what a sync decides by ---------------------------------------------------------------

    def count_transfers(self) -> int:
        """Count the transfers that were not removed."""
        return int(self._one(f"SELECT count(*) FROM versions WHERE {_HERE}"))  # noqa: S608

    def has_transfer(self, id: str) -> bool:  # noqa: A002  # the column's name
        """Whether a transfer is here, removed or not."""
        query = f"SELECT count(*) FROM versions WHERE {_PRESENT} AND id = ?"  # noqa: S608
        return bool(self._one(query, id))

    def amount_of(self, id: str) -> int | None:  # noqa: A002  # the column's name
        """Tell the amount of a transfer that is here, in cents; None where it has none."""
        query = f"SELECT json_extract(row, '$.amount_cents') FROM versions WHERE {_PRESENT}"  # noqa: S608
        found = self._one(f"{query} AND id = ?", id)
        return None if found is None else int(found)

    def created_moments(self) -> list[int]:
        """List when the transfers that are here were made, in microseconds, oldest first."""
        query = f"SELECT created FROM versions WHERE {_HERE} AND created NOT NULL ORDER BY created"  # noqa: S608
        return [created for (created,) in self._all(query)]

    def count_open(self) -> int:
        """Count the transfers whose state can still change."""
        return int(self._one(f"SELECT count(*) FROM versions WHERE {_WAITING}"))  # noqa: S608

    def open_transfers(self) -> list[tuple[str, int | None]]:
        """List the transfers whose state can still change: id, created_at in microseconds."""
        return self._all(f"SELECT id, created FROM versions WHERE {_WAITING} ORDER BY id")  # noqa: S608

    def newest_created_at(self) -> datetime | None:
        """Tell the created_at of the newest transfer that was not removed; None: there is none."""
        found = self._one(f"SELECT max(created) FROM versions WHERE {_HERE}")  # noqa: S608
        return moment_of(found)

    def ids_since(self, since: datetime | None, until: datetime | None = None) -> list[str]:
        """List the ids of transfers that were made in a span, newest first; None: unbounded."""
        bounds = [micros(one) for one in (since, until) if one is not None]
        span = ("" if since is None else " AND created >= ?") + (
            "" if until is None else " AND created < ?"
        )
        query = f"SELECT id FROM versions WHERE {_HERE}{span} ORDER BY created DESC, id"  # noqa: S608
        return [id_ for (id_,) in self._all(query, bounds)]

    def counts(self) -> Counts:
        """Count what a certificate says."""
        transfers, accounts = len(self.doubted("transfers")), len(self.doubted("accounts"))
        return Counts(self.count_transfers(), self.count_open(), transfers, accounts)

    def doubted(self, stream: str, before: datetime | None = None) -> list[str]:
        """List the ids of what is in doubt, since before a moment or at all.

        A reading should have shown it, and did not.
        """
        latest = _FOREVER if before is None else micros(before)
        query = "SELECT id FROM doubts WHERE stream = ? AND since <= ? ORDER BY id"
        return [id_ for (id_,) in self._all(query, (stream, latest))]

    def doubted_since(self) -> datetime | None:
        """Tell when the oldest transfer was made that is in doubt and is still looked for."""
        query = (
            "SELECT min(created) FROM versions v JOIN doubts d ON d.stream = v.stream "
            "AND d.id = v.id WHERE v.stream = 'transfers' AND until IS NULL AND tries < ?"
        )
        return moment_of(self._one(query, MOST_MISSES))

    def account_ids(self) -> list[str]:
        """List the ids of the accounts that are open."""
        query = (
            "SELECT id FROM versions WHERE stream = 'accounts' AND until IS NULL "
            "AND removed IS NULL ORDER BY id"
        )
        return [id_ for (id_,) in self._all(query)]

    def wanted(self) -> list[Wanted]:
        """List what decides whose details are fetched, newest first."""
        query = (
            "SELECT t.id, json_extract(t.row, '$.state'), t.created, "
            "json_extract(t.row, '$.updated_at'), json_extract(d.row, '$.fetched_at'), "
            f"json_extract(d.row, '$.kind') {_HERE_WITH_DETAILS} ORDER BY t.created DESC, t.id"
        )
        return [Wanted(*row) for row in self._all(query)]

    def size(self) -> int:
        """Count the bytes of all files on disk, of record and tables."""
        total = 0
        for path in (*self.folder.rglob("*"), *self.ledger_folder.rglob("*")):
            try:
                total += path.stat().st_size if path.is_file() else 0
            except FileNotFoundError:  # a temporary file of a writer at work
                continue
        return total

    # -- what a status prints -----------------------------------------------------------------

    def span(self) -> tuple[datetime, datetime] | None:
        """Tell when the oldest and the newest transfer were made; None: no moment is known."""
        query = f"SELECT min(created), max(created) FROM versions WHERE {_HERE}"  # noqa: S608
        found = [moment_of(one) for one in (self._all(query) or [(None, None)])[0]]
        return (found[0], found[1]) if found[0] and found[1] else None

    def account_rows(self) -> list[dict[str, Any]]:
        """Read the accounts as last seen, each with its newest balance; moments in microseconds.

        Of a sync and a statement of one moment, the statement counts.
        """
        query = (
            "SELECT v.id, v.row, v.source, v.first_seen, v.since, m.since, v.removed "
            "FROM versions v LEFT JOIN doubts m ON m.stream = v.stream AND m.id = v.id "
            "WHERE v.stream = 'accounts' AND v.until IS NULL ORDER BY v.id"
        )
        names = (
            "read_from", "first_seen_at", "changed_at", "missing_since", "closed_at"
        )  # fmt: skip
        newest = self._newest_balances()
        return [
            {**json.loads(row), "organization_id": self.organization_id}
            | dict(zip(names, beside, strict=True))
            | dict(zip(("balance_cents", "as_of"), newest.get(id_, (None, None)), strict=True))
            for id_, row, *beside in self._all(query)
        ]

    def _newest_balances(self) -> dict[str, tuple[int | None, int]]:
        """Return the newest balance of each account, and when it was last seen so."""
        newest: dict[str, tuple[int, bool, int]] = {}
        found: dict[str, tuple[int | None, int]] = {}
        with self.record.reading() as db:
            for account_id, as_of, confirmed_at, cents, origin in observed_balances(db):
                rank = confirmed_at, origin == "statement", as_of
                if account_id not in newest or rank > newest[account_id]:
                    newest[account_id], found[account_id] = rank, (cents, confirmed_at)
        return found

    def rows_of(self, transfer_ids: Sequence[str]) -> list[dict[str, Any]]:
        """Read some transfers, those that are here, as they are now; with the legs of each."""
        marks = ", ".join("?" * len(transfer_ids))
        query = f"SELECT t.row, d.row {_HERE_WITH_DETAILS} AND t.id IN ({marks})"
        return [
            {**json.loads(row), "legs": json.loads(details or "{}").get("legs", [])}
            for row, details in self._all(query, transfer_ids)
        ]

    # -- inside -------------------------------------------------------------------------------

    def _check(self, facts: dict[str, Any]) -> None:
        if origin_of(str(facts.get("app_url"))) != self.app_url:
            raise ForeignCache(self.ledger_folder, str(facts.get("app_url")), self.app_url)
        found = str(facts.get("organization_id"))
        if found != self.organization_id:
            raise ForeignTables(self.ledger_folder, found, self.organization_id)

    def _damage(self) -> str | None:
        """Say why the record cannot be read; None where it can."""
        try:
            wrong = self.record.damage()
            self.record.facts()
        except CorruptFile as error:
            return error.reason
        return wrong

    def _one(self, query: str, *parameters: Any) -> Any:
        found = self._all(query, parameters)
        return found[0][0] if found else None

    def _all(self, query: str, parameters: Sequence[Any] = ()) -> list[Any]:
        if not self.exists:
            return [] if "count(" not in query else [(0,)]
        with self.record.reading() as db:
            return list(db.execute(query, parameters))


class Wanted(NamedTuple):
    """What decides whether the details of a transfer are fetched; moments in microseconds."""

    id: str
    state: str | None
    created_at: int | None
    updated_at: int | None
    fetched_at: int | None  # this and the kind are of the details that are here
    kind: str | None


class Counts(NamedTuple):
    """How many transfers are here, can still change, and are in doubt; and accounts in doubt."""

    rows: int
    open: int
    in_doubt: int = 0
    accounts_in_doubt: int = 0

    def can_be(self, counted: int) -> bool:
        """Tell whether a service that counts so many can have these: of those in doubt, any."""
        return self.rows - self.in_doubt <= counted <= self.rows


_FOREVER = 2**62

#: A transfer that so many syncs have missed and could not settle waits for the rescan.
MOST_MISSES = 5

_PRESENT = "stream = 'transfers' AND until IS NULL"
_HERE = f"{_PRESENT} AND removed IS NULL"
_HERE_WITH_DETAILS = (
    "FROM versions t LEFT JOIN versions d "
    "ON d.stream = 'details' AND d.until IS NULL AND d.id = t.id "
    "WHERE t.stream = 'transfers' AND t.until IS NULL AND t.removed IS NULL"
)
_WAITING = "until IS NULL AND is_open = 1 AND removed IS NULL"
