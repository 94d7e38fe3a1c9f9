"""Which organizations are on this disk, readable or not, and the removal of one."""

from __future__ import annotations

import hashlib
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from seqdata.core.files import writing_in
from seqdata.core.logs import logger
from seqdata.exceptions import SequenceError
from seqdata.store.beside import facts_beside
from seqdata.store.lock import CacheLock
from seqdata.store.record import Record

log = logger(__name__)

RECORD = "ledger.db"

_SAFE_NAME = re.compile(r"[A-Za-z0-9_-]+")


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
    found = [_known(ledgers / name, tables / name) for name in sorted(names)]
    return [one for one in found if not _is_copy(one)]


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


def _is_copy(known: Known) -> bool:
    """Whether its folder is not called as its organization's is: somebody's copy."""
    own = {folder.name for folder in known.folders}
    if own <= {folder_name(known.organization_id), known.organization_id}:
        return False
    log.warning("a copy is passed over: %s", ", ".join(map(str, known.folders)))
    return True


def folder_name(organization_id: str) -> str:
    """Name the folder of an organization: its id, or a hash of one that is no plain name."""
    if _SAFE_NAME.fullmatch(organization_id):
        return organization_id
    sha256 = hashlib.sha256(organization_id.encode("utf-8", "surrogatepass"))
    return f"org-{sha256.hexdigest()[:16]}"


def _known(ledger: Path, tables: Path) -> Known:
    folders = tuple(folder for folder in (ledger, tables) if folder.is_dir())
    facts = {}
    with suppress(SequenceError):
        record = Record(ledger / RECORD)
        facts = record.facts() if record.exists else facts_beside(tables) or {}
    return Known(
        str(facts.get("organization_id") or ledger.name), str(facts.get("app_url") or ""), folders
    )
