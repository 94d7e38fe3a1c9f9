"""Removing caches, readable or not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from seqdata.core.files import writing_in
from seqdata.store.lock import CacheLock


def cached_organizations(cache_dir: Path) -> dict[str, Path]:
    """Find the organizations of a cache: id (or the folder's name, where unreadable) to folder."""
    found = {}
    for state in sorted(cache_dir.glob("*/state.json")):
        found[_organization(state) or state.parent.name] = state.parent
    return found


def forget_organization(folder: Path) -> None:
    """Remove all tables of an organization; they need not be readable.

    Raises
    ------
    CacheLocked
        Another process is syncing them.
    FolderNotWritable
        The file system refused.
    """
    with CacheLock(folder).held(), writing_in(folder):
        shutil.rmtree(folder)


def _organization(state: Path) -> str | None:
    try:
        organization_id = json.loads(state.read_bytes()).get("organization_id")
    except (OSError, ValueError, AttributeError):
        return None
    return organization_id if isinstance(organization_id, str) and organization_id else None
