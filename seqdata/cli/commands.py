"""The commands; each does what the method of the same name does."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from seqdata.cli import output, tables
from seqdata.cli.audit import audit
from seqdata.cli.login import browser, login, logout, who
from seqdata.cli.notebooks import notebooks
from seqdata.cli.setup import setup
from seqdata.cli.transfer import transfer
from seqdata.cli.words import OneOf, given
from seqdata.exceptions import SafeguardError, SyncsFailed

if TYPE_CHECKING:
    from seqdata.ledger.standing import Brief
    from seqdata.sync.report import SyncReport

#: Lines of a screen that a sync leaves for its report and the prompt.
_AROUND = 9

F = TypeVar("F", bound=Callable[..., Any])

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
organization = click.option("--organization", metavar="ID", help="Where the login has several.")


def filters(function: F) -> F:
    """Add the options of the filters, which are the same everywhere."""
    options = [
        click.option(
            "--since", metavar="DATE", help="From here on: 2026-11-01, October, last month ..."
        ),
        click.option(
            "--until", metavar="DATE", help="Before this date or time, in the same words."
        ),
        click.option(
            "--account",
            multiple=True,
            metavar="NAME",
            help="At either end: an account's id or name; repeatable.",
        ),
        click.option("--direction", multiple=True, help="incoming, outgoing or internal."),
        click.option(
            "--state",
            multiple=True,
            help="open, settled, failed, cancelled or unknown; repeatable.",
        ),
        click.option("--status", multiple=True, help="The service's own word, such as complete."),
        click.option(
            "--text", multiple=True, help="In names, descriptions, reasons or ids; repeatable."
        ),
    ]
    for option in reversed(options):
        function = option(function)
    return function


@click.command()
@organization
@click.option("--full", is_flag=True, help="Read everything again, not only what can have changed.")
@click.option("--since", metavar="DATE", help="Read from this date on.")
@click.option("--details", type=OneOf(["open", "new", "all"]),
              help="Whose payment legs and rules are fetched too, a request each.")  # fmt: skip
@click.option("--max-requests", type=click.IntRange(0), metavar="N",
              help="At most so many requests for details; the next sync goes on.")  # fmt: skip
@click.option("--max-minutes", type=click.FloatRange(0), metavar="MINUTES",
              help="Stop fetching details after this long; the next sync goes on.")  # fmt: skip
@click.option("--details-per-request", type=click.IntRange(1, 100), default=1, show_default=True,
              help="More than 1 is quicker, and unlike the web application.")  # fmt: skip
@click.option("--accept-removals", is_flag=True, help="Believe that many transfers are gone.")
@click.option("--wait", type=click.FloatRange(0), default=0.0, metavar="SECONDS",
              help="Wait for another process that syncs the same data.")  # fmt: skip
@as_json
def sync(organization: str | None, as_json: bool, **asked: Any) -> int:
    """Bring the tables on this disk up to date with the service.

    With --organization all, every organization of the login is synced, one after the other.
    """
    from seqdata.config import get_settings
    from seqdata.core.arrow import leave_out_pandas
    from seqdata.ledger.syncing import Syncing
    from seqdata.sync.report import combine

    leave_out_pandas()
    ledger = Syncing(get_settings(), organization)
    try:
        report = ledger.sync(progress=not as_json, **asked)
    except SyncsFailed as failed:
        if failed.reports:
            _say_synced(combine(failed.reports), ledger.folder, as_json=as_json)
        raise
    _say_synced(report, ledger.folder, as_json=as_json)
    if not as_json and _has_news(report):
        _say_new(organization)
    return 0 if report.certificate and report.certificate.is_as_asked else 5


def _say_synced(report: SyncReport, folder: Path, *, as_json: bool) -> None:
    if as_json:
        output.print_json(report.to_json())
    else:
        output.echo(f"{report}\nTables are in {folder}")


def _has_news(report: SyncReport) -> bool:
    return report.kind != "first" and bool(report.added or report.updated or report.removed)


def _say_new(organization: str | None) -> None:
    """Tell what is new since the last look: in a terminal as much as a screen holds."""
    if not sys.stdout.isatty() or organization == "all":
        output.echo("What is new, a sentence each: seqdata changes")
        return
    from seqdata.ledger import Ledger

    room = max(shutil.get_terminal_size().lines - _AROUND, 5)
    with Ledger.open(organization) as ledger:
        found = ledger.changes()
        shown = found.head(room)
        tables.print_changes(shown, f"\nNew since the last look: {len(found):,}")
        if len(shown) == len(found):
            ledger.note_look()
        else:
            output.echo(f"and {len(found) - len(shown):,} more: seqdata changes")


@click.command()
@organization
@as_json
def status(organization: str | None, as_json: bool) -> None:
    """Say what is here, how fresh it is, and where."""
    from seqdata.auth.tokens import TokenStore
    from seqdata.config import get_settings
    from seqdata.ledger.standing import Brief

    settings = get_settings()
    ledger = Brief(settings, organization)
    facts = {
        "data folder": str(settings.data_dir.resolve()),
        "service": settings.app_url,
        "login": who(settings.email),
        "access token": TokenStore(settings).describe(settings.zone),
    }
    if as_json:
        named = {name.replace(" ", "_"): text for name, text in facts.items()}
        output.print_json({**named, "organizations": ledger.certificates(), "sent": _sent(ledger)})
    else:
        output.print_facts({**facts, **ledger.summary(), **_sent_facts(_sent(ledger))})


def _sent(ledger: Brief) -> dict[str, list[str]]:
    """Say what the transfers that were sent wait for, or why that cannot be said."""
    try:
        return ledger.sent()
    except SafeguardError as error:
        return {"error": [str(error)]}


def _sent_facts(sent: dict[str, list[str]]) -> dict[str, str]:
    heads = {
        "unknown": "OUTCOME NOT KNOWN: run seqdata transfer settle; do not send again",
        "returned": "ACCEPTED, AND THEN FAILED at the service: the money did not arrive",
        "on_their_way": "accepted, and not arrived yet",
        "error": "what was sent cannot be said",
    }
    lines = [line for name, head in heads.items() if sent.get(name) for line in (head, *sent[name])]
    return {"transfers sent": "\n".join(lines)} if lines else {}


@click.command()
@organization
@click.option("--wait", type=click.FloatRange(0), default=0.0, metavar="SECONDS",
              help="Wait for another process that syncs the same data.")  # fmt: skip
@as_json
def rebuild(organization: str | None, wait: float, as_json: bool) -> None:
    """Read the kept answers again, as this version understands them; no network."""
    from seqdata.config import get_settings
    from seqdata.core.arrow import leave_out_pandas
    from seqdata.ledger.syncing import Syncing

    leave_out_pandas()
    ledger = Syncing(get_settings(), organization)
    found, folder = ledger.rebuild(wait=wait), ledger.folder
    if as_json:
        output.print_json({**found, "folder": str(folder)})
    else:
        output.echo(
            f"Read {found['read']:,} kept answers again: {found['changed']:,} read otherwise than "
            f"before, {found['unread']:,} were not kept and stay as they are ({folder})"
        )


@click.command()
@as_json
def doctor(as_json: bool) -> int:
    """Find what is not as it should be on this disk; change nothing."""
    from seqdata.cli.doctor import examine
    from seqdata.config import get_settings

    findings = list(examine(get_settings()))
    if as_json:
        output.print_json([vars(finding) for finding in findings])
    else:
        for finding in findings:
            output.print_finding(finding.level, finding.subject, finding.text)
    return 1 if any(finding.level == "problem" for finding in findings) else 0


@click.command()
@organization
@as_json
def accounts(organization: str | None, as_json: bool) -> None:
    """List pods, ports and outside accounts with their balances."""
    from seqdata.config import get_settings
    from seqdata.ledger.standing import Brief

    rows = Brief(get_settings(), organization).accounts()
    if as_json:
        output.print_json(rows)
    else:
        output.print_accounts(rows, f"{len(rows)} accounts")


@click.command()
@organization
@filters
@click.option("--limit", type=click.IntRange(0), default=20, show_default=True,
              help="Show at most this many; 0 shows all.")  # fmt: skip
@as_json
def transfers(organization: str | None, limit: int, as_json: bool, **chosen: Any) -> None:
    """List transfers, newest first."""
    from seqdata.ledger import Ledger

    with Ledger.open(organization) as ledger:
        found = ledger.transfers_where(**given(chosen))
        output.warn_if_incomplete(ledger)
    shown = found.head(limit) if limit else found
    if as_json:
        output.print_frame_json(shown)
        return
    of = f" of {len(found):,}" if len(shown) < len(found) else ""
    output.print_transfers(shown, f"{len(shown):,}{of} transfers, newest first")


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@organization
@click.option("--table", default="transfers", show_default=True,
              help="transfers, balances, accounts, spending, balance_history, ...")  # fmt: skip
@filters
@click.option("--category", multiple=True, metavar="NAME", help="Such as Groceries; repeatable.")
@click.option("--freq", help="The length of a period: day, week, month, quarter or year.")
@click.option(
    "--by", multiple=True, help="Of spending: category, payee, pod or account; repeatable."
)
@click.option("--share-safe", is_flag=True, help="With names and amounts disguised.")
@click.option("--raw-text", is_flag=True, help="Leave text that a spreadsheet takes for a formula.")
@click.option("--bom", is_flag=True, help="Begin a CSV as Excel needs it, with a byte-order mark.")
@as_json
def export(
    file: Path,
    organization: str | None,
    table: str,
    share_safe: bool,
    raw_text: bool,
    bom: bool,
    as_json: bool,
    **chosen: Any,
) -> None:
    """Write a table to FILE: .csv, .parquet or .xlsx."""
    from seqdata.ledger import Ledger

    with Ledger.open(organization) as ledger:
        shown = ledger.share_safe() if share_safe else ledger
        path = shown.export(
            file, table.replace("-", "_"), raw_text=raw_text, bom=bom, **given(chosen)
        )
        output.warn_if_incomplete(ledger)
    if as_json:
        output.print_json({"file": str(path), "table": table, "bytes": path.stat().st_size})
    else:
        disguised = " with names and amounts disguised" if share_safe else ""
        output.echo(f"Wrote {table}{disguised} to {path} ({path.stat().st_size:,} bytes)")


@click.command()
@click.argument("organization", required=False)
@click.option("--all", "everything", is_flag=True, help="All organizations.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def forget(organization: str | None, everything: bool, yes: bool) -> int:
    """Remove record and tables of an organization from this disk.

    Those of ORGANIZATION, or --all.

    The service keeps everything, but what only this disk knows is gone: balances observed in
    the past, earlier versions of transfers, and what you noted. The audit log, the used limits and
    exported files stay.
    """
    from seqdata.config import get_settings
    from seqdata.store.known import forget_organization, known_organizations

    settings = get_settings()
    here = known_organizations(settings.data_dir, settings.cache_path)
    known = {one.organization_id: one for one in here}
    if not everything and organization is None:
        raise click.UsageError(f"Name an organization, or --all. Here are: {_listed(known)}.")
    if not everything and organization not in known:
        raise click.UsageError(f"{organization} is not here. Here are: {_listed(known)}.")
    chosen = known if everything else {str(organization): known[str(organization)]}
    question = f"Remove all that is here of {_listed(chosen)}?"
    if chosen and not yes and not _confirmed(question):
        output.echo("Nothing was removed (--yes removes without asking).", err=True)
        return 1
    for name, one in chosen.items():
        forget_organization(one)
        output.echo(f"Removed {name} ({', '.join(map(str, one.folders))})")
    if not chosen:
        output.echo(f"Nothing to remove in {settings.data_dir}.")
    return 0


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default="a free one")
@click.option("--seed", type=int, default=7, show_default=True, help="Which household.")
@click.option("--months", type=click.IntRange(1), default=24, show_default=True)
@click.option("--now", metavar="DATE", help="The world's time at the start; by default today.")
@click.option("--scale", type=click.IntRange(1), default=1, show_default=True,
              help="How busy the household is.")  # fmt: skip
@click.option("--organizations", type=click.IntRange(1), default=1, show_default=True)
@click.option("--tls", is_flag=True,
              help="Serve https and HTTP/2, vouched for by an authority of its own.")  # fmt: skip
@click.option("--env", "env_file", type=click.Path(dir_okay=False, path_type=Path),
              help="Write the settings that point seqdata at it to this file.")  # fmt: skip
def sandbox(env_file: Path | None, **world: Any) -> None:
    """Serve a local Sequence to practise on, until interrupted.

    The first line on stdout is a JSON object with its addresses and credentials, and with --tls
    the file of its authority's certificate (ca_bundle), which is removed at the end.
    """
    from seqdata.sandbox import serve

    serve(**world, out=sys.stdout, env_file=env_file)


@click.command()
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), default=Path("demo"),
              show_default=True, help="Where the exported files go.")  # fmt: skip
@click.option("--seed", type=int, default=7, show_default=True, help="Which household.")
@click.option("--months", type=click.IntRange(1), default=24, show_default=True)
def demo(folder: Path, seed: int, months: int) -> None:
    """Sync a made-up household from a sandbox, export and draw it. Needs no account."""
    from seqdata.cli.demo import run_demo

    run_demo(folder, seed=seed, months=months)


ALL = [
    setup, sync, status, accounts, transfers, export, rebuild, audit, doctor, forget, login, logout,
    browser, transfer, sandbox, demo, notebooks, *tables.ALL,
]  # fmt: skip


def _confirmed(question: str) -> bool:
    try:
        return output.confirm(question)
    except click.Abort:  # nobody can answer
        output.echo("", err=True)
        return False


def _listed(known: Iterable[str]) -> str:
    return ", ".join(sorted(known)) or "none"
