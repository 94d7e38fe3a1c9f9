"""`seqdata transfer`: review, ask, send; and settle what has no known outcome."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from seqdata.cli import output

if TYPE_CHECKING:
    from seqdata.safeguards import Settlement, StagedTransfer, TransferDesk

#: What a command ends with, by the status of the outcome.
EXIT_CODES = {"completed": 0, "dry run": 0, "failed": 4, "unknown": 7}

#: The service refused nothing and nothing was sent: a person said no, or was interrupted.
NOT_DONE = 130


class _SendByDefault(click.Group):
    """``seqdata transfer FROM TO AMOUNT`` is ``seqdata transfer send FROM TO AMOUNT``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the word ``send`` before anything that is no command of the group."""
        if args and args[0] not in {*self.commands, *ctx.help_option_names}:
            args = ["send", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_SendByDefault, invoke_without_command=False)
def transfer() -> None:
    """Move money: seqdata transfer FROM TO AMOUNT, and seqdata transfer settle.

    FROM and TO are ids or names (pod:NAME, port:NAME and account:NAME ask for that kind), AMOUNT
    is in dollars. What will happen is shown before anything is sent. See: seqdata transfer send -h
    """


@transfer.command()
@click.argument("source", metavar="FROM")
@click.argument("destination", metavar="TO")
@click.argument("amount")
@click.option("--note", default="", metavar="TEXT", help="One line that goes with it.")
@click.option("--instant", is_flag=True, help="Ask for an instant transfer.")
@click.option("--dry-run", is_flag=True, help="Do everything but the sending.")
@click.option("--yes", is_flag=True, help="Do not ask; somebody must be there all the same, "
              "unless SEQUENCE_ALLOW_UNATTENDED_TRANSFERS is 1.")  # fmt: skip
@click.option("--despite-unknown", is_flag=True,
              help="Although an earlier transfer here has no known outcome.")  # fmt: skip
@click.option("--organization", metavar="ID", help="Where the login has several.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON for programs.")
def send(
    source: str, destination: str, amount: str, note: str, instant: bool, dry_run: bool,
    yes: bool, despite_unknown: bool, organization: str | None, as_json: bool,
) -> int:  # fmt: skip
    """Show what a transfer will do, ask, and send it once."""
    from seqdata.safeguards import TransferDesk

    with TransferDesk.open(organization) as desk:
        staged = desk.stage(
            source, destination, amount, note, instant, despite_unknown=despite_unknown
        )
        output.print_facts(staged.review(), "Transfer", err=as_json)
        if not (yes or dry_run) and not _is_wanted():
            desk.cancel(staged)
            click.echo("Cancelled. Nothing was sent.", err=True)
            return NOT_DONE
        return _confirmed(desk, staged, dry_run=dry_run, as_json=as_json)


def _is_wanted() -> bool:
    try:
        return click.confirm("Send it?", default=False, err=True)
    except click.Abort:
        return False


def _confirmed(desk: TransferDesk, staged: StagedTransfer, *, dry_run: bool, as_json: bool) -> int:
    try:
        outcome = desk.confirm(staged, dry_run=dry_run)
    except KeyboardInterrupt:
        # "Run it again" is no advice here: the money may have moved.
        if all(intent.id != staged.id for intent in desk.open_intents()):
            click.echo("Interrupted before it was sent. Nothing was moved.", err=True)
            return NOT_DONE
        click.echo(
            "Interrupted while it was sent: the money may have moved. Do not send it again; "
            "find out with: seqdata transfer settle",
            err=True,
        )
        return EXIT_CODES["unknown"]
    if as_json:
        output.print_json({"status": outcome.status, **asdict(outcome)})
    else:
        click.echo(str(outcome))
    return EXIT_CODES[outcome.status]


@transfer.command()
@click.option("--choose", multiple=True, metavar="INTENT=TRANSFER",
              help="Which of several candidates a transfer is; may be given again.")  # fmt: skip
@click.option("--assume-failed", multiple=True, metavar="INTENT",
              help="Give one up that was not found for 24 hours; may be given again.")  # fmt: skip
@click.option("--organization", metavar="ID", help="Where the login has several.")
def settle(
    choose: tuple[str, ...], assume_failed: tuple[str, ...], organization: str | None
) -> int:
    """Find out what became of transfers whose outcome is not known."""
    from seqdata.config import get_settings
    from seqdata.safeguards import TransferDesk

    chosen = dict(_pair(one) for one in choose)
    with TransferDesk(get_settings(), organization) as desk:
        settlements = desk.settle(choose=chosen, assume_failed=assume_failed)
    for settlement in settlements:
        _print(settlement)
    if not settlements:
        click.echo("Every transfer has a known outcome.")
    return 7 if any(one.outcome.status == "unknown" for one in settlements) else 0


def _pair(text: str) -> tuple[str, str]:
    intent, equals, transfer_id = text.partition("=")
    if not equals:
        raise click.UsageError(f"--choose {text}: expected INTENT=TRANSFER.")
    return intent, transfer_id


def _print(settlement: Settlement) -> None:
    click.echo(str(settlement))
    intent = settlement.intent.id
    for transfer_id, created_at in settlement.candidates:
        click.echo(f"  if it is the one of {created_at}: --choose {intent}={transfer_id}")
    if settlement.may_be_assumed_failed:
        click.echo(f"  if you are sure that it never happened: --assume-failed {intent}")
