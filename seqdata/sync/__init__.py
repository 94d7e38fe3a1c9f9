"""Pages into tables: what to ask for next, and when it is complete.

A sync decides first (:mod:`seqdata.sync.plan` is pure functions of state and clock), then acts.
What it takes in goes into the record together with how far the reading came, so that it can stop
at any moment and the next one goes on from what is safely on disk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqdata.core.lazy import lazy_names

if TYPE_CHECKING:
    from seqdata.sync.certificate import Certificate, certify, combine_certificates
    from seqdata.sync.options import SyncOptions
    from seqdata.sync.plan import Plan, count_open, decide
    from seqdata.sync.report import Cost, OnProgress, Progress, SyncReport, combine
    from seqdata.sync.run import sync, wanted_details

_HOMES = {
    "Certificate": "certificate",
    "Cost": "report",
    "OnProgress": "report",
    "Plan": "plan",
    "Progress": "report",
    "SyncOptions": "options",
    "SyncReport": "report",
    "certify": "certificate",
    "combine": "report",
    "combine_certificates": "certificate",
    "count_open": "plan",
    "decide": "plan",
    "sync": "run",
    "wanted_details": "run",
}

__all__ = [
    "Certificate",
    "Cost",
    "OnProgress",
    "Plan",
    "Progress",
    "SyncOptions",
    "SyncReport",
    "certify",
    "combine",
    "combine_certificates",
    "count_open",
    "decide",
    "sync",
    "wanted_details",
]

__getattr__ = lazy_names(__name__, _HOMES)
