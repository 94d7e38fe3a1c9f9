"""How far a sync came, as the record keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True)
class FirstSync:
    """A first sync that is not done: where it goes on.

    ``cursor`` follows the last page in the record; ``newest`` and ``oldest`` are the created_at
    of the newest and oldest transfer in it so far.
    """

    cursor: str | None = None
    newest: datetime | None = None
    oldest: datetime | None = None
    started_at: datetime | None = None
    pages: int = 0


@dataclass(frozen=True)
class SyncState:
    """What a sync leaves for the next one. All moments are UTC.

    ``first_sync`` is None before the first sync and after it is complete; ``last_full_at``
    tells these apart: when all transfers were last read to the end. ``reported`` are the values
    unknown to this version that a report has named already, each with the id of a thing that has
    it ("": it was not noted). ``finished_at`` is when the last sync
    ended on this machine's clock; the others are the service's. ``history_since`` is where the
    history begins that was asked for; None is the beginning.
    """

    first_sync: FirstSync | None = None
    last_sync_at: datetime | None = None
    last_full_at: datetime | None = None
    finished_at: datetime | None = None
    newest_created_at: datetime | None = None
    service_count: int | None = None
    history_since: datetime | None = None
    reported: Mapping[str, str] = field(default_factory=dict)


_MOMENTS = frozenset(
    {"last_sync_at", "last_full_at", "newest_created_at", "history_since", "finished_at"}
)


def state_of(document: dict[str, Any]) -> SyncState:
    """Read a state from JSON values.

    Raises
    ------
    ValueError, TypeError
        A value has another type than it should.
    """
    known = {item.name: document[item.name] for item in fields(SyncState) if item.name in document}
    for name in _MOMENTS & known.keys():
        known[name] = _moment(known[name])
    reported = known.get("reported") or {}
    if not isinstance(reported, dict):  # of before, without ids
        reported = dict.fromkeys(reported, "")
    known["reported"] = {str(what): str(where) for what, where in reported.items()}
    first = known.get("first_sync")
    if first is not None:
        moments = {name: _moment(first.get(name)) for name in ("newest", "oldest", "started_at")}
        known["first_sync"] = FirstSync(
            cursor=first.get("cursor"), pages=int(first.get("pages", 0)), **moments
        )
    return SyncState(**known)


def document_of(state: SyncState) -> dict[str, Any]:
    """Return a state as JSON values."""
    document = {item.name: getattr(state, item.name) for item in fields(SyncState)}
    if state.first_sync is not None:
        document["first_sync"] = _plain(vars(state.first_sync))
    return _plain({**document, "reported": dict(state.reported)})


def _moment(value: Any) -> datetime | None:
    if value is None:
        return None
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError(f"{value!r} has no zone")
    return moment.astimezone(UTC)


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
        for name, value in values.items()
    }
