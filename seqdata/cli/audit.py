"""``seqdata audit``: look at the log of transfers, and compare it with the service's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from seqdata.cli import output

if TYPE_CHECKING:
    from seqdata.safeguards.chain import AuditReport

#: What a person types to accept a broken chain.
CONFIRMATION = "accept"

#: Breaks and findings that are printed one by one.
SHOWN = 20

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


@click.group()
def audit() -> None:
    """Verify, show, reconcile or acknowledge the log of transfers (.audit.jsonl).

    It shows accidents and careless edits. Whoever may write both the log and its head can make
    them say anything.
    """


@audit.command()
@as_json
def verify(as_json: bool) -> int:
    """Look at every line: whether one was changed, removed, moved, inserted or cut off.

    Ends with 6 where the chain is broken and nobody acknowledged that.
    """
    from seqdata.safeguards import AuditLog

    log = AuditLog()
    report = log.verify()
    if as_json:
        output.print_json({"file": str(log.path), **report.to_json()})
        return 0 if report.is_intact else 6
    output.echo(f"{log.path.resolve()}: {report}")
    said = _said(report)
    for level, subject, text in said[:SHOWN]:
        output.print_finding(level, subject, text)
    if len(said) > SHOWN:
        output.echo(f"and {len(said) - SHOWN} more: --json prints all of them")
    if not report.is_intact:
        output.echo("Transfers are stopped. To accept the log as it is: seqdata audit acknowledge")
    return 0 if report.is_intact else 6


@audit.command()
@click.option("--limit", type=click.IntRange(0), default=20, show_default=True,
              help="How many, counted from the newest; 0 for all.")  # fmt: skip
@as_json
def show(limit: int, as_json: bool) -> None:
    """List the events, newest first."""
    from seqdata.safeguards import AuditLog

    found = AuditLog().entries()[::-1]
    shown = found[:limit] if limit else found
    if as_json:
        output.print_json(shown)
        return
    of = f" of {len(found):,}" if len(shown) < len(found) else ""
    heads = [">number", "time (UTC)", "event", ">amount", "~from", "~to", "~note"]
    rows = [_cells(entry) for entry in shown]
    output.print_table(f"{len(shown):,}{of} events, newest first", heads, rows)


@audit.command()
@click.option("--organization", metavar="ID", help="Where the login has several.")
@click.option("--since", metavar="DATE",
              help="Each one-time transfer from here on should be logged; else from the first "
                   "entry on.")  # fmt: skip
@as_json
def reconcile(organization: str | None, since: str | None, as_json: bool) -> int:
    """Compare the log with the transfers on this disk, both ways. Sync first.

    Ends with 1 where they differ. A transfer made in the web application is one that the log
    does not know.
    """
    from seqdata.ledger import Ledger

    with Ledger.open(organization) as ledger:
        found = ledger.reconcile_audit(since=since)
    if as_json:
        output.print_json(found.to_json())
    else:
        output.echo(str(found))
        for one in found.findings:
            when = "" if one.at is None else f"{one.at:%Y-%m-%d %H:%M}, "
            output.echo(f"  {when}{one}")
        _explain({one.kind for one in found.findings})
    return 1 if found.findings else 0


@audit.command()
@click.option("--note", default=None, help="Why, in your words; it is logged.")
def acknowledge(note: str | None) -> None:
    """Accept a broken chain as it is, so that transfers can be made again.

    Nothing is removed: a new line says what was found and by whom it was accepted. It asks for
    a typed word.
    """
    from seqdata.config import get_settings
    from seqdata.safeguards import AuditLog

    log = AuditLog()
    report = log.verify()
    if report.is_intact:
        output.echo(f"{log.path.resolve()}: {report} There is nothing to acknowledge.")
        return
    for one in report.open_breaks[:SHOWN]:
        output.print_finding("problem", f"line {one.line}", one.what)
    output.echo(f"{len(report.open_breaks)} in all. Compare the log with the service first: "
               "seqdata audit reconcile")  # fmt: skip
    if output.ask(f"Type {CONFIRMATION!r} to accept the log as it is:") != CONFIRMATION:
        raise click.Abort
    entry = log.acknowledge(user_id=get_settings().user, note=note)
    if entry is None:
        output.echo("The chain is intact by now; nothing was written.")
    else:
        output.echo(f"Accepted, and logged as number {entry['seq']}.")


def _said(report: AuditReport) -> list[tuple[str, str, str]]:
    """Say what a report found: level, subject and text, the worst first."""
    said = [("problem", f"line {one.line}", one.what) for one in report.open_breaks]
    for text in report.leftovers:
        line, _, what = text.partition(": ")
        said.append(("note", line, f"{what}; a crash leaves this, and the next event mends it"))
    accepted = [one for one in report.breaks if one.is_acknowledged]
    said += [("note", f"line {one.line}", f"{one.what} (acknowledged)") for one in accepted]
    if report.prefix_lines:
        lines = f"lines 1 to {report.prefix_lines:,}"
        said.append(("note", lines, "not verified: they were here before the chain began"))
    said += [("note", f"line {n}", "of another program, or added by hand") for n in report.foreign]
    said += [("note", f"line {n}", "cannot be read") for n in report.unreadable]
    return said


def _cells(entry: dict[str, Any]) -> tuple[str, ...]:
    from seqdata.core.text import format_cents

    cents = entry.get("amount_cents")
    amount = format_cents(cents) if type(cents) is int else ""
    return (
        str(entry.get("seq", "-")),
        str(entry.get("timestamp", ""))[:19].replace("T", " "),
        str(entry.get("event_type", "")),
        amount,
        str(entry.get("source", "")),
        str(entry.get("destination", "")),
        str(entry.get("error") or entry.get("note") or ""),
    )


def _explain(kinds: set[str]) -> None:
    from seqdata.safeguards.audit_comparison import KINDS

    for kind, meaning in KINDS.items():
        if kind in kinds:
            output.echo(f"{kind}: {meaning}")
