"""What several tests of trust share: the sandbox's truth, and the tables, as plain rows."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from seqdata.auth import access_token_for
from seqdata.auth.tokens import AuthTokens, TokenStore
from seqdata.client import SequenceClient
from seqdata.http.transport import Transport
from seqdata.ledger import demo_settings
from seqdata.sandbox import Sandbox
from seqdata.sources.schemas import TRANSFER_ROWS, TRANSFERS
from seqdata.sources.webapp.source import GraphQLSource
from seqdata.store import Store
from seqdata.sync import SyncReport, sync
from seqdata.sync.options import SyncOptions

NOW = "2026-11-01"
SOAK = os.environ.get("SEQDATA_SOAK") == "1"

Row = dict[str, Any]

#: What the sandbox calls who takes part, and what a ledger calls them.
PARTIES = {
    "Pod": "pod",
    "Port": "port",
    "Account": "account",
    "Merchant": "merchant",
    "ExternalEntity": "entity",
    None: None,
}

#: Columns that the sandbox tells in its own words, or that are made of these.
COLUMNS = [name for name in TRANSFER_ROWS.names if name not in ("state", "kind")]


def truth(box: Sandbox) -> dict[str, Row]:
    """The sandbox's transfers, in the columns of a ledger, by id."""
    return {row["id"]: row_of(row) for row in box.transfers(box.organization_id)}


def row_of(transfer: dict[str, Any]) -> Row:
    """Return a transfer of the sandbox as a ledger's row."""
    row: Row = {name: transfer.get(name) for name in COLUMNS}
    for name in ("created_at", "updated_at"):
        row[name] = datetime.fromisoformat(transfer[name]).astimezone(UTC)
    for end in ("source", "destination"):
        party = transfer[end] or {}
        row |= {f"{end}_id": party.get("id"), f"{end}_name": party.get("name")}
        row[f"{end}_party"] = PARTIES[party.get("kind")]
    return row


def held(store: Store) -> dict[str, Row]:
    """The transfers of a store that were not removed, by id; no id is there twice."""
    rows = store.read_transfers(columns=COLUMNS).to_pylist()
    found = {row["id"]: row for row in rows}
    assert len(found) == len(rows)
    return found


def tables(store: Store) -> dict[str, pa.Table]:
    """Every table that comes from the service, each in an order of its own."""
    balances = store.read_balances().sort_by([("as_of", "ascending"), ("account_id", "ascending")])
    return {
        "transfers": store.read_transfers(columns=TRANSFERS.names, include_removed=True),
        "history": store.read_history(),
        "accounts": store.read_accounts(),
        "balances": balances,
        "details": store.read_details(),
        "legs": store.read_legs(),
    }


def leftovers(folder: Path) -> list[str]:
    """Temporary files under a data folder, and what SQLite leaves while it is at work."""
    found = [*folder.rglob("*.tmp"), *folder.rglob("*-wal"), *folder.rglob("*-journal")]
    return sorted(str(path.relative_to(folder)) for path in found)


class Desk:
    """A store of its own for a sandbox, and syncs into it that do not wait before a retry."""

    def __init__(self, box: Sandbox, folder: Path) -> None:
        # No password: where a token cannot be refreshed, no browser starts.
        settings = replace(demo_settings(box, folder), password=None, email=None)
        box.rotates_refresh_tokens = False
        tokens = AuthTokens(box.issue_token(), box.refresh_token, 4e9)
        TokenStore(settings).write(tokens, client_id=box.client_id)
        transport = Transport(sleep=lambda _: None)
        provider = partial(access_token_for, settings)
        self.client = SequenceClient("", provider, settings=settings, transport=transport)
        self.box, self.folder = box, folder
        self.store = Store.open(folder, box.organization_id, app_url=box.app_url)

    def source(self) -> GraphQLSource:
        """A source as each sync gets it: it remembers nothing of another sync."""
        return GraphQLSource(self.client, self.box.organization_id)

    def sync(self, *, on_progress: Any = None, wait: float = 0.0, **options: Any) -> SyncReport:
        """Sync with options of `SyncOptions`."""
        return sync(
            self.source(), self.store, SyncOptions(**options), wait=wait, on_progress=on_progress
        )

    def close(self) -> None:
        """Close the connections."""
        self.client.close()
