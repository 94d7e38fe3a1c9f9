"""The demo: from a sandbox over real HTTP into tables and files, with words on the way."""

from __future__ import annotations

from pathlib import Path

import click

from seqdata.cli import output
from seqdata.ledger import Ledger


def run_demo(folder: Path, *, seed: int, months: int) -> None:
    """Start a sandbox, sync it twice (ten days apart), export it, and say what to try next."""
    _say(f"Starting a sandbox: a local Sequence with a household of {months} months (seed {seed})")
    with Ledger.demo(seed=seed, months=months) as ledger:
        box = ledger.sandbox
        assert box is not None
        click.echo(f"It answers at {box.app_url}. The token came by the refresh grant.")
        _say("First sync: all pages, over HTTP")
        click.echo(ledger.sync())
        box.advance(days=10)
        _say("Ten days later: only what can have changed")
        click.echo(ledger.sync())
        _show(ledger)
        _export(ledger, folder)
    _say("What to try next")
    click.echo(_NEXT.format(folder=folder))


def _show(ledger: Ledger) -> None:
    _say("What a notebook sees")
    click.echo(repr(ledger))
    output.print_accounts(ledger.accounts, "ledger.accounts")
    output.print_transfers(ledger.transfers.head(8), "ledger.transfers.head(8)")


def _export(ledger: Ledger, folder: Path) -> None:
    _say("Exports")
    for table in ("transfers", "balances"):
        for suffix in ("csv", "parquet"):
            path = ledger.export(folder / f"{table}.{suffix}", table)
            click.echo(f"{path}  {path.stat().st_size:>9,} bytes")


def _say(heading: str) -> None:
    click.secho(f"\n{heading}", bold=True)


_NEXT = """\
  In Python, without an account:
    from seqdata import Ledger
    ledger = Ledger.demo()
    ledger.sync()
    ledger.transfers_where(text="rent", since="2026")

  The exported files:
    import pandas, seqdata
    seqdata.read_csv("{folder}/transfers.csv")
    pandas.read_parquet("{folder}/transfers.parquet")

  A sandbox that stays, for your own programs:   seqdata sandbox
  Your own account: see the README, "Your own account"."""
