"""``seqdata doctor``: look at everything on this disk, and say what is not as it should be."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from seqdata.auth.tokens import UNUSABLE, TokenStore
from seqdata.config.envfile import read_env_file
from seqdata.config.settings import Settings
from seqdata.core.git import exclude_file, missing_lines, seen_by_git
from seqdata.exceptions import SequenceError
from seqdata.safeguards import AuditLog
from seqdata.store import Store
from seqdata.store.known import Known, known_organizations
from seqdata.sync.certificate import certify

#: A table that was synced longer ago than this is called old.
STALE = timedelta(days=3)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: ``level`` is "ok", "note" or "problem"."""

    level: str
    subject: str
    text: str


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at data folder, token, rights, tables, record and drift; change nothing."""
    yield from _folder(settings)
    token = TokenStore(settings).describe(settings.zone)
    yield Finding("problem" if token == UNUSABLE else "ok", "access token", token)
    yield from _unknown_settings(settings)
    yield from _git(settings)
    yield from _rights(settings)
    yield from _audit_log(settings.data_dir / ".audit.jsonl")
    yield from _json_file(settings.data_dir / ".daily_limits.json")
    organizations = known_organizations(settings.data_dir, settings.cache_path)
    if not organizations:
        yield Finding("note", "tables", "nothing was synced yet: seqdata sync")
    for one in organizations:
        yield from _organization(settings, one)


def _folder(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir.resolve()
    writable = os.access(folder, os.W_OK)
    level = "ok" if writable else "problem"
    yield Finding(level, "data folder", f"{folder}{'' if writable else ' cannot be written'}")


def _git(settings: Settings) -> Iterator[Finding]:
    """Say whether git passes over the private files, where the data folder is in a work tree."""
    folder = settings.data_dir.resolve()
    try:
        found = exclude_file(folder)
        lines = [] if found is None else missing_lines(folder, *found)
    except (OSError, ValueError) as error:
        yield Finding("note", "git", f"it cannot be told whether git passes over {folder}: {error}")
        return
    if found is not None and lines:
        text = f"may see {', '.join(lines)}: the next command that writes adds them to {found[1]}"
        yield Finding("note", "git", text)
    elif found is not None and (seen := seen_by_git(folder)):
        text = f"takes {', '.join(seen)} all the same: git rm --cached, or mend its rules"
        yield Finding("problem", "git", text)
    elif found is not None:
        yield Finding("ok", "git", f"passes over the private files here, by {found[1]}")


def _unknown_settings(settings: Settings) -> Iterator[Finding]:
    """Find variables that look like settings and are none: a typing mistake, mostly."""
    named = {*os.environ, *read_env_file(settings.data_dir / ".env")}
    known = {f"SEQUENCE_{name.upper()}" for name in settings.names()}
    for name in sorted(name for name in named - known if name.startswith("SEQUENCE_")):
        yield Finding("note", "settings", f"{name} is set, and there is no such setting")


def _rights(settings: Settings) -> Iterator[Finding]:
    """Find files that someone else can read."""
    if os.name == "nt":
        return
    ours = [*settings.data_dir.glob(".tokens*"), *settings.data_dir.glob(".audit*")]
    ours += [*settings.data_dir.glob(".daily_limits*"), *settings.data_dir.glob(".env")]
    ours += [*settings.data_dir.glob(".login*"), *settings.data_dir.glob("login-debug/**/*")]
    ours += settings.cache_path.glob("*/**/*")
    ours += (settings.data_dir / "ledgers").glob("*/**/*")
    wide = [path for path in ours if _is_wide(path)]
    if not wide:
        yield Finding("ok", "rights", "what holds your data is readable by you only")
    for path in wide:
        yield Finding("problem", "rights", f"others can read {path}: chmod go-rwx it")


def _is_wide(path: Path) -> bool:
    try:
        return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)
    except OSError:  # a link that leads nowhere, or it went meanwhile
        return False


def _audit_log(path: Path) -> Iterator[Finding]:
    try:
        report = AuditLog(path).verify()
    except SequenceError as error:
        yield Finding("problem", path.name, str(error))
        return
    if not report.is_intact:
        text = f"{report.open_breaks[0]}; transfers are stopped: seqdata audit verify"
        yield Finding("problem", path.name, text)
    elif report.lines:
        yield Finding("ok", path.name, str(report))


def _json_file(path: Path) -> Iterator[Finding]:
    if not path.exists():
        return
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        yield Finding("problem", path.name, f"{path} cannot be read: {error}")
    else:
        yield Finding("ok", path.name, "readable")


def _organization(settings: Settings, known: Known) -> Iterator[Finding]:
    name = known.organization_id
    subject = f"tables of {name}"
    try:
        store = Store.open(
            settings.data_dir, name, app_url=settings.app_url, cache_dir=settings.cache_path
        )
        rows = store.read_transfers().num_rows
        for read in _READERS:
            read(store)
    except SequenceError as error:
        yield Finding("problem", subject, str(error))
        return
    yield Finding(
        "ok", subject, f"{rows:,} transfers, {store.size() / 1e6:.1f} MB in {store.folder}"
    )
    yield from _freshness(store, name)
    yield from _record(store, name)
    for what, where in store.read_state().reported.items():
        shown = f"; ledger.evidence({where!r}) shows it" if where else ""
        yield Finding("note", f"drift of {name}", f"the service sent {what}, unknown here{shown}")


_READERS: tuple[Callable[[Store], object], ...] = (
    Store.read_accounts,
    Store.read_balances,
    Store.read_history,
    Store.read_details,
    Store.read_legs,
    Store.read_annotations,
    Store.read_runs,
)


def _freshness(store: Store, name: str) -> Iterator[Finding]:
    state = store.read_state()
    certificate = certify(state, name, store.counts())
    level = "problem" if certificate.is_complete is False else "ok"
    yield Finding(level, f"completeness of {name}", str(certificate))
    if state.finished_at and datetime.now(UTC) - state.finished_at > STALE:
        text = f"last synced {state.finished_at:%Y-%m-%d}: seqdata sync"
        yield Finding("note", f"freshness of {name}", text)


def _record(store: Store, name: str) -> Iterator[Finding]:
    wrong = store.record.check()
    if wrong is None:
        yield Finding("ok", f"record of {name}", f"{store.record.path} is whole")
    else:
        yield Finding("problem", f"record of {name}", f"{store.record.path}: {wrong}")
