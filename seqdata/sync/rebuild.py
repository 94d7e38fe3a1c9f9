"""Making all tables again from the archive, without the network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from seqdata.exceptions import ArchiveIncomplete
from seqdata.store import Store
from seqdata.sync.journal import Reader, apply_record


@dataclass(frozen=True)
class RebuildReport:
    """What a rebuild did: records of the archive applied, and transfers in the new tables."""

    records: int
    rows: int

    def __str__(self) -> str:
        return f"Rebuilt {self.rows:,} transfers from {self.records:,} archived answers."


def rebuild(
    reader: Reader,
    store: Store,
    *,
    wait: float = 0.0,
    on_progress: Callable[[int], None] | None = None,
) -> RebuildReport:
    """Make all tables again from the archive; they equal those they replace, row by row.

    Parameters
    ----------
    reader
        Reads the kept answers.
    on_progress
        Called with the number of records applied so far.

    Raises
    ------
    ArchiveIncomplete
        A sync ran without the archive (SEQUENCE_ARCHIVE=0), or it is not there.
    CacheLocked
        Another process writes this cache.
    CorruptFile
        A record cannot be read. The old tables are unchanged.
    """
    records = 0
    with store.lock(wait):
        state = store.read_state()
        if state.archive_gap:
            raise ArchiveIncomplete(store.folder, "a sync ran with SEQUENCE_ARCHIVE=0")
        if not state.applied_seq:
            raise ArchiveIncomplete(store.folder, "nothing was archived yet")
        with store.rebuild_into() as fresh:
            for record in store.archive.records():
                if record.seq > state.applied_seq:
                    break
                apply_record(fresh, reader, record)
                records += 1
                if on_progress is not None:
                    on_progress(records)
            if records < state.applied_seq:
                reason = f"it ends after record {records} of {state.applied_seq}"
                raise ArchiveIncomplete(store.folder, reason)
            fresh.write_state(state)
        return RebuildReport(records, store.count_transfers())
