"""Measured in a child: a sync as ``seqdata sync`` does it, after its imports. Settings as usual."""

from __future__ import annotations

import curl_cffi  # noqa: F401  # what a sync imports when it needs it
import pyarrow.parquet  # noqa: F401

from benchmarks.meter import Meter, answer
from seqdata.config import get_settings
from seqdata.core.arrow import leave_out_pandas
from seqdata.ledger.syncing import Syncing


def main() -> None:
    """Sync; no table is made of what was read."""
    leave_out_pandas()
    ledger = Syncing(get_settings())
    with Meter() as meter:
        report = ledger.sync(progress=False)
    answer({**meter.facts(), "requests": report.requests})


if __name__ == "__main__":
    main()
