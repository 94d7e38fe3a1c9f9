"""How far a sync came, as the record keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

#: So often something is read again because the count differs, or a list left out a transfer.
MOST_TRIES = 2


@dataclass(frozen=True)
class Unfinished:
    """A reading of everything that is not done: where it goes on.

    ``kind`` is "first" or "full", ``since`` where it is to end (None: the beginning); ``cursor``
    follows the last page in the record; ``newest`` and ``oldest`` are the created_at of the newest
    and oldest transfer in it so far, ``rows`` how many it showed.
    """

    kind: str = "first"
    since: datetime | None = None
    cursor: str | None = None
    newest: datetime | None = None
    oldest: datetime | None = None
    started_at: datetime | None = None
    pages: int = 0
    rows: int = 0


@dataclass(frozen=True)
class SyncState:
    """What a sync leaves for the next one. All moments are UTC.

    Attributes
    ----------
    unfinished
        A first or full reading that is not done.
    last_sync_at, last_full_at
        When the last sync ended, and when all transfers were last read to the end (None: never).
    finished_at
        When the last sync ended on this machine's clock; the other moments are the service's.
    newest_created_at
        The newest transfer up to which nothing was left out.
    service_count
        How many transfers the service had; None: it did not say.
    count_refused_at
        When it refused to count: it is not asked in every sync.
    history_since
        Where the history begins that was asked for; None is the beginning.
    reported
        The values unknown to this version that a report has named already, each with the id of a
        thing that has it ("": it was not noted).
    recounts
        How many readings of everything were made because the count differed, since it last agreed.
    differs
        Whether the count differed at the end of the last sync.
    contradicted
        How many syncs in a row met a list that left out the same transfer, though it is there.
    contradicted_by
        Its id.
    read_again_since
        Where such a list began; None: with everything. Means nothing while `contradicted` is 0.
    older
        How many transfers the last sync was shown only as of before what is here.
    """

    unfinished: Unfinished | None = None
    last_sync_at: datetime | None = None
    last_full_at: datetime | None = None
    finished_at: datetime | None = None
    newest_created_at: datetime | None = None
    service_count: int | None = None
    count_refused_at: datetime | None = None
    history_since: datetime | None = None
    reported: Mapping[str, str] = field(default_factory=dict)
    recounts: int = 0
    differs: bool = False
    contradicted: int = 0
    contradicted_by: str | None = None
    read_again_since: datetime | None = None
    older: int = 0

    @property
    def can_recount(self) -> bool:
        """Whether everything may be read again because the count differs."""
        return self.recounts < MOST_TRIES

    @property
    def is_contradicted(self) -> bool:
        """Whether the last list is not believed, and read again."""
        return 0 < self.contradicted < MOST_TRIES


def state_of(document: dict[str, Any]) -> SyncState:
    """Read a state from JSON values.

    Raises
    ------
    ValueError, TypeError
        A value has another type than it should.
    """
    known = _known(SyncState, document)
    reported = known.get("reported") or {}
    if not isinstance(reported, dict):  # of before, without ids
        reported = dict.fromkeys(reported, "")
    known["reported"] = {str(what): str(where) for what, where in reported.items()}
    unfinished = known.get("unfinished", document.get("first_sync"))  # what it was called before
    if unfinished is not None:
        known["unfinished"] = Unfinished(**_known(Unfinished, unfinished))
    return SyncState(**known)


def _known(kind: type[SyncState | Unfinished], document: dict[str, Any]) -> dict[str, Any]:
    """Return the values of a document that a class has, moments and whole numbers as such."""
    found = {}
    for item in fields(kind):
        if item.name in document:
            value = document[item.name]
            is_moment = "datetime" in str(item.type)
            found[item.name] = (
                _moment(value) if is_moment else int(value) if item.type == "int" else value
            )
    return found


def document_of(state: SyncState) -> dict[str, Any]:
    """Return a state as JSON values."""
    document = {item.name: getattr(state, item.name) for item in fields(SyncState)}
    if state.unfinished is not None:
        document["unfinished"] = _plain(vars(state.unfinished))
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
