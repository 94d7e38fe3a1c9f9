"""An accountant that nobody here wrote reads the tables: `hledger check --strict`."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest
from ledger_journal import MOVEMENTS, journal, tables_of
from trust import SOAK, Desk

from seqdata.sandbox import Sandbox
from seqdata.sync import SyncOptions, sync

HLEDGER = shutil.which("hledger")
SEEDS = range(1, 11) if SOAK else range(1, 4)

pytestmark = pytest.mark.skipif(
    HLEDGER is None and not os.environ.get("CI"), reason="hledger is not installed"
)


def lived(folder: Path, seed: int) -> Path:
    """Sync a household for two months, every few days, with all details; return its tables."""
    with Sandbox(seed=seed, months=4, now="2026-11-01") as box:
        desk = Desk(box, folder)
        for days in (0, 1, 3, 7, 10, 10, 14, 16):
            box.advance(days=days)
            sync(desk.source(), desk.store, SyncOptions(details="all", details_per_request=100))
        desk.close()
        return desk.store.folder


def refusal(text: str, folder: Path) -> str:
    """What hledger has against a journal; nothing where it has nothing."""
    path = folder / "tables.journal"
    path.write_text(text, encoding="utf-8")
    assert HLEDGER is not None
    done = subprocess.run(
        [HLEDGER, "check", "--strict", "-f", str(path)], capture_output=True, text=True, check=False
    )
    return done.stderr if done.returncode else ""


@pytest.mark.parametrize("seed", SEEDS)
def test_an_accountant_finds_every_observed_balance(seed: int, tmp_path: Path) -> None:
    """Each balance that was observed is what the movements before it come to, and no cent else."""
    db = tables_of(lived(tmp_path, seed))
    text = journal(db)
    assert text.count("observed ") > 60
    assert refusal(text, tmp_path) == ""
    # One cent in a transfer between the first observation and the last is found.
    first, last = db.execute(
        "SELECT epoch_us(min(as_of)), epoch_us(max(confirmed_at)) FROM balances"
    ).fetchall()[0]
    between = sorted(
        {id_ for id_, _, at, _ in db.execute(MOVEMENTS).fetchall() if first < at < last}
    )
    changed = random.Random(seed).choice(between)
    assert "assertion" in refusal(journal(db, wrong=changed), tmp_path)
