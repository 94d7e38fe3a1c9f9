"""A desk over a real sandbox, in a data folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import commands

from seqdata.config.settings import Settings
from seqdata.ledger.ledger import demo_settings
from seqdata.safeguards import TransferDesk
from seqdata.sandbox import Sandbox


class Clock:
    """A wall clock that a test moves."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def fixed(token: str) -> Callable[[], str]:
    return lambda: token


def settings_of(box: Sandbox, folder: Path, **changes: Any) -> Settings:
    """Settings for a sandbox: user kim, no pace, a data folder under `folder`."""
    made = demo_settings(box, folder)
    return replace(made, **{"user": "kim", **changes})


def open_desk(box: Sandbox, folder: Path, **more: Any) -> TransferDesk:
    """Open a desk of kim; words that are settings go there, the others to the desk."""
    names = set(Settings.names())
    settings = settings_of(box, folder, **{k: v for k, v in more.items() if k in names})
    given = {k: v for k, v in more.items() if k not in names}
    given.setdefault("token_provider", box.issue_token)
    return TransferDesk(settings, box.organization_id, **given)


def arrived(box: Sandbox) -> list[dict[str, Any]]:
    """The payments that the service accepted: where money moved."""
    return [one for one in box.payments() if one["result"] == "ok"]


def limits_file(folder: Path) -> list[dict[str, Any]]:
    """All entries of the limits file."""
    path = folder / ".daily_limits.json"
    days = json.loads(path.read_text()) if path.exists() else {}
    return [entry for keys in days.values() for entries in keys.values() for entry in entries]


def charged(folder: Path) -> int:
    """Cents that the limits file counts, over all days."""
    return sum(entry["amount_cents"] for entry in limits_file(folder))


def events(folder: Path, *names: str) -> list[dict[str, Any]]:
    """The entries of the audit log with these events; without names, all."""
    text = (folder / ".audit.jsonl").read_text("utf-8")
    found = [json.loads(line) for line in text.splitlines()]
    return [one for one in found if not names or one["event_type"] in names]


def story(folder: Path) -> list[str]:
    """The events of the audit log in their order, without `transfer_`."""
    return [one["event_type"].removeprefix("transfer_") for one in events(folder)]


class Shell:
    """The command line over a sandbox, in a data folder of its own."""

    def __init__(self, box: Sandbox, folder: Path) -> None:
        self.folder = folder
        (folder / ".tokens.json").touch(mode=0o600)
        token = {"access_token": box.issue_token(), "refresh_token": None, "expires_at": 4e9}
        (folder / ".tokens.json").write_text(json.dumps(token))
        kept = {k: v for k, v in os.environ.items() if not k.startswith("SEQUENCE_")}
        own = {"SEQUENCE_DATA_DIR": str(folder), "SEQUENCE_USER": "kim", "COLUMNS": "120"}
        self.environment = {**kept, **box.environment(), **own}

    def run(self, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        return commands.run(["transfer", *arguments], self.environment, typed=typed)


NOON = datetime(2026, 11, 23, 17, tzinfo=UTC)  # noon in New York
