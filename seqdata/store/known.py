"""Which organizations are on this disk, readable or not, and the removal of one."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from seqdata.core.files import writing_in
from seqdata.exceptions import SequenceError
from seqdata.store.lock import CacheLock
from seqdata.store.record import Record
from seqdata.store.takeup import facts_beside

RECORD = "ledger.db"


@dataclass(frozen=True)
class Known:
    """An organization that is on this disk; of an unreadable one the id is its folder's name."""

    organization_id: str
    app_url: str
    folders: tuple[Path, ...]


def known_organizations(data_dir: Path, cache_dir: Path) -> list[Known]:
    """Find the organizations that are here, by their folders' names."""
    ledgers, tables = Path(data_dir) / "ledgers", Path(cache_dir)
    names = {path.parent.name for path in ledgers.glob(f"*/{RECORD}")}
    names |= {path.parent.name for path in tables.glob("*/state.json")}
    names |= {path.parent.name for path in tables.glob("*/.published.json")}
    return [_known(ledgers / name, tables / name) for name in sorted(names)]


def forget_organization(known: Known) -> None:
    """Remove all that is here of an organization; it need not be readable.

    Raises
    ------
    CacheLocked
        Another process is syncing it.
    FolderNotWritable
        The file system refused.
    """
    for folder in known.folders:
        with CacheLock(folder).held(), writing_in(folder):
            shutil.rmtree(folder)


def _known(ledger: Path, tables: Path) -> Known:
    folders = tuple(folder for folder in (ledger, tables) if folder.is_dir())
    facts = {}
    with suppress(SequenceError):
        record = Record(ledger / RECORD)
        facts = record.facts() if record.exists else facts_beside(tables) or {}
    return Known(
        str(facts.get("organization_id") or ledger.name), str(facts.get("app_url") or ""), folders
    )
