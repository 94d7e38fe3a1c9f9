"""Measured in a child: a sync of ours and its DataFrame. Connection and folder on stdin."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

# Imported before the measurement, though seqdata imports them when it needs them.
import curl_cffi.requests  # noqa: F401
import filelock  # noqa: F401
import pandas as pd  # noqa: F401
import pyarrow.dataset  # noqa: F401
import pyarrow.parquet as pq  # noqa: F401

from benchmarks.meter import Meter, answer
from seqdata.auth.tokens import AuthTokens, TokenStore
from seqdata.config.settings import Settings
from seqdata.core.secret import Secret
from seqdata.ledger import Ledger


def ledger_of(connection: dict[str, str], folder: Path) -> Ledger:
    """Open a ledger of a sandbox, without pace and without anything of the environment."""
    settings = Settings(
        app_url=connection["app_url"],
        auth_url=connection["auth_url"],
        org_id=connection["organization_id"],
        auth0_client_id=Secret(connection["client_id"]),
        data_dir=folder,
        min_delay=0,
        max_jitter=0,
    )
    tokens = AuthTokens(
        connection["access_token"], connection["refresh_token"], time.time() + 86_400
    )
    TokenStore(settings).write(tokens, client_id=connection["client_id"])
    return Ledger(settings)


def main() -> None:
    """Sync, then load the DataFrame: what a person waits for."""
    given = json.load(sys.stdin)
    ledger = ledger_of(given["connection"], Path(given["folder"]))
    with Meter() as meter:
        report = ledger.sync(progress=False, full=given.get("full", False))
        frame = ledger.transfers
    statuses = dict(zip(frame["id"], frame["status"].astype("str"), strict=True))
    answer({
        **meter.facts(),
        "rows": len(frame),
        "reported_requests": report.requests,
        "page_size": report.page_size,
        "is_complete": report.is_complete,
        "open": report.open,
        "since": report.window.since and report.window.since.isoformat(),
        "statuses": statuses,
    })  # fmt: skip


if __name__ == "__main__":
    main()
