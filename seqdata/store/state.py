"""``state.json``: how far a sync came, and which server the tables are of."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from seqdata.core.files import read_json, write_json
from seqdata.exceptions import CacheVersionMismatch, CorruptFile
from seqdata.sources.schemas import SCHEMA_VERSION

REMEDY = "Move it away and run: seqdata sync --full"


@dataclass(frozen=True)
class FirstSync:
    """A first sync that is not done: where it goes on.

    ``cursor`` follows the last page on disk; ``newest`` and ``oldest`` are the created_at
    of the newest and oldest transfer on disk so far.
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
    tells these apart: when all transfers were last read to the end. ``windows`` are open
    windows, in whatever JSON words the sync keeps them. ``applied_seq`` is the number of the last
    record of the archive that is in the tables. ``reported`` are the values unknown to
    this version that a report has named already. ``finished_at`` is when the last sync ended on
    this machine's clock; the others are the service's. ``archive_gap``: a sync ran without
    archive.
    ``history_since`` is where the history begins that was asked for; None is the beginning.
    ``extra`` holds keys of the file that this version does not know; they are written back.
    """

    app_url: str
    organization_id: str = ""
    schema_version: int = SCHEMA_VERSION
    page_size: int | None = None
    first_sync: FirstSync | None = None
    last_sync_at: datetime | None = None
    last_full_at: datetime | None = None
    finished_at: datetime | None = None
    newest_created_at: datetime | None = None
    service_count: int | None = None
    applied_seq: int = 0
    archive_gap: bool = False
    history_since: datetime | None = None
    windows: tuple[dict[str, Any], ...] = ()
    reported: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)


def read_state(path: Path) -> SyncState | None:
    """Read the state of a cache; None where there is none yet.

    Raises
    ------
    CorruptFile
        The file is not JSON, or a value has another type than it should.
    CacheVersionMismatch
        The tables are of another version.
    """
    try:
        document = read_json(path, remedy=REMEDY)
    except FileNotFoundError:
        return None
    if not isinstance(document, dict):
        raise CorruptFile(path, "it is not a JSON object", REMEDY)
    if document.get("schema_version") != SCHEMA_VERSION:
        raise CacheVersionMismatch(path.parent, document.get("schema_version"), SCHEMA_VERSION)
    try:
        return _from_document(document)
    except (TypeError, ValueError) as error:
        raise CorruptFile(path, str(error), REMEDY) from error


def write_state(path: Path, state: SyncState) -> None:
    """Write the state in one step.

    Raises
    ------
    FolderNotWritable
        The file system refused; the old state is unchanged.
    """
    write_json(path, _to_document(state))


_TEXT = {"app_url", "organization_id"}
_NUMBERS = {"schema_version", "page_size", "service_count", "applied_seq"}
_MOMENTS = {"last_sync_at", "last_full_at", "newest_created_at", "history_since", "finished_at"}
_KNOWN = {item.name for item in fields(SyncState)} - {"extra"}


def _from_document(document: dict[str, Any]) -> SyncState:
    known: dict[str, Any] = {}
    for name in _KNOWN & document.keys():
        known[name] = _parsed(name, document[name])
    if not isinstance(known.get("app_url"), str):
        raise ValueError("app_url is missing")
    extra = {name: value for name, value in document.items() if name not in _KNOWN}
    return SyncState(**known, extra=extra)


def _parsed(name: str, value: Any) -> Any:
    if name in _MOMENTS:
        return _moment(value)
    if name == "first_sync":
        return _first_sync(value)
    if name == "windows":
        return tuple(dict(window) for window in value)
    if name == "reported":
        return tuple(str(what) for what in value)
    if name == "archive_gap":
        return bool(value)
    kind: type = str if name in _TEXT else int
    if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
        raise ValueError(f"{name} is {value!r}, not {kind.__name__}")
    return value


def _first_sync(value: Any) -> FirstSync | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise ValueError(f"first_sync is {value!r}, not an object")
    return FirstSync(
        cursor=value.get("cursor"),
        newest=_moment(value.get("newest")),
        oldest=_moment(value.get("oldest")),
        started_at=_moment(value.get("started_at")),
        pages=int(value.get("pages", 0)),
    )


def _moment(value: Any) -> datetime | None:
    if value is None:
        return None
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError(f"{value!r} has no zone")
    return moment.astimezone(UTC)


def _to_document(state: SyncState) -> dict[str, Any]:
    document = {item.name: getattr(state, item.name) for item in fields(SyncState)}
    extra = document.pop("extra")
    document["windows"] = list(state.windows)
    if state.first_sync is not None:
        document["first_sync"] = vars(state.first_sync)
    return {**_plain(document), **{k: v for k, v in extra.items() if k not in _KNOWN}}


def _plain(value: Any) -> Any:
    """Make moments text, at any depth."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
