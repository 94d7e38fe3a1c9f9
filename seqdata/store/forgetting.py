"""The removal of an organization from this disk."""

from __future__ import annotations

import shutil

from seqdata.core.files import writing_in
from seqdata.store.known import Known
from seqdata.store.lock import CacheLock


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
