"""Pages into tables: what to ask for next, and when it is complete.

A sync decides first (:mod:`seqdata.sync.plan` is pure functions of state and clock), then acts.
What it takes in goes into the record together with how far the reading came, so that it can stop
at any moment and the next one goes on from what is safely on disk.
"""

from __future__ import annotations

from seqdata.sync.options import SyncOptions
from seqdata.sync.plan import Plan, count_open, decide
from seqdata.sync.report import (
    Certificate,
    Cost,
    OnProgress,
    Progress,
    SyncReport,
    certify,
    combine,
    combine_certificates,
)
from seqdata.sync.run import sync, wanted_details

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
