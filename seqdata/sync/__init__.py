"""Pages into tables: what to ask for next, and when it is complete.

A sync decides first (:mod:`seqdata.sync.plan` is pure functions of state and clock), then acts.
What it takes in goes into the record together with how far the reading came, so that it can stop
at any moment and the next one goes on from what is safely on disk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqdata.core.lazy import lazy_names

if TYPE_CHECKING:
    from seqdata.sync.certificate import Certificate
    from seqdata.sync.options import SyncOptions
    from seqdata.sync.report import Cost, SyncReport
    from seqdata.sync.run import sync

__all__ = ["Certificate", "Cost", "SyncOptions", "SyncReport", "sync"]

_HOMES = {
    "Certificate": "certificate",
    "Cost": "report",
    "SyncOptions": "options",
    "SyncReport": "report",
    "sync": "run",
}

__getattr__ = lazy_names(__name__, _HOMES)
