"""The demo: from a sandbox over real HTTP into tables and files, with words on the way."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from seqdata.auth import access_token_for
from seqdata.cli import output
from seqdata.config.settings import Settings
from seqdata.exceptions import NoBrowser
from seqdata.export import write_picture
from seqdata.ledger import Ledger, demo_settings


def run_demo(folder: Path, *, seed: int, months: int) -> None:
    """Start a sandbox, sync it twice (ten days apart), export and draw it, and say what next."""
    _say(f"Starting a sandbox: a local Sequence with a household of {months} months (seed {seed})")
    with (
        tempfile.TemporaryDirectory(prefix="seqdata-demo-") as data_dir,
        Ledger.demo(seed=seed, months=months, folder=Path(data_dir)) as ledger,
    ):
        box = ledger.sandbox
        assert box is not None
        output.echo(f"It answers at {box.app_url}.")
        _say("Logging in with a browser, as at the real service")
        output.echo(_log_in(demo_settings(box, Path(data_dir))))
        _say("First sync: all pages, over HTTP")
        output.echo(ledger.sync())
        box.advance(days=10)
        _say("Ten days later: only what can have changed")
        output.echo(ledger.sync())
        _show(ledger)
        _export(ledger, folder)
        _draw(ledger, folder)
    _say("What to try next")
    output.echo(_NEXT.format(folder=folder))


def _log_in(settings: Settings) -> str:
    """Log in through the sandbox's pages; without a browser, the first token is refreshed."""
    begun = time.monotonic()
    try:
        access_token_for(settings, force=True)
    except NoBrowser as error:
        return f"{error}\nSo the token comes by the refresh grant."
    seconds = time.monotonic() - begun
    return (
        f"E-mail, password and one-time code were typed in {seconds:.0f} seconds; "
        "for the next day nothing asks again."
    )


def _show(ledger: Ledger) -> None:
    _say("What a notebook sees")
    output.echo(repr(ledger))
    output.print_accounts(output.records(ledger.accounts), "ledger.accounts")
    output.print_transfers(ledger.transfers.head(8), "ledger.transfers.head(8)")


def _export(ledger: Ledger, folder: Path) -> None:
    _say("Exports")
    for table in ("transfers", "balances"):
        for suffix in ("csv", "parquet"):
            path = ledger.export(folder / f"{table}.{suffix}", table)
            output.echo(f"{path}  {path.stat().st_size:>9,} bytes")


def _draw(ledger: Ledger, folder: Path) -> None:
    _say("Charts")
    for name in ("balances", "cash_flow", "spending"):
        path = folder / f"{name}.png"
        write_picture(getattr(ledger.plot, name)(), path)
        output.echo(f"{path}  {path.stat().st_size:>9,} bytes")


def _say(heading: str) -> None:
    output.headline(f"\n{heading}")


_NEXT = """\
  In Python, without an account:
    from seqdata import Ledger
    ledger = Ledger.demo()
    ledger.sync()
    ledger.transfers_where(text="Maple Street", state="settled")
    ledger.spending(freq="month")

  Seven notebooks on the sandbox, in JupyterLab:  seqdata notebooks

  The exported files:
    import pandas, seqdata
    seqdata.read_csv("{folder}/transfers.csv")
    pandas.read_parquet("{folder}/transfers.parquet")

  The commands, on a sandbox that stays. Its settings are in practice/.env:
    mkdir practice && seqdata sandbox --env practice/.env &
    cd practice && seqdata login && seqdata sync && seqdata spending --since "last month"

  Your own account, by questions:                 seqdata setup"""
