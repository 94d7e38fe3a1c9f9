"""`seqdata transfer`: review, ask, send; and settle what has no known outcome."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING

import click

from seqdata.cli import output
from seqdata.exceptions import SequenceError, UnknownAccount

if TYPE_CHECKING:
    from seqdata.safeguards import Settlement, StagedTransfer, TransferDesk
    from seqdata.safeguards.outcomes import ConfirmOutcome
    from seqdata.sources.base import Account

#: What a command ends with, by the status of the outcome.
EXIT_CODES = {"completed": 0, "dry run": 0, "failed": 4, "unknown": 7}

#: The service accepted a transfer, and it failed there.
RETURNED = 8

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
    """Show what a transfer will do, ask, and send it once.

    At a terminal, without --yes, a name that comes near others brings a list to pick from.
    """
    from seqdata.safeguards import TransferDesk

    with TransferDesk.open(organization) as desk:
        stage = partial(
            desk.stage, amount=amount, note=note, instant=instant, despite_unknown=despite_unknown
        )
        try:
            staged = stage(source, destination)
        except UnknownAccount as error:
            if yes or not _can_pick(error):
                raise
            accounts, once = desk.look().accounts, desk.once_known()
            staged = stage(
                _picked("FROM", source, accounts, once), _picked("TO", destination, accounts, once)
            )
        if not _shown(staged, err=as_json):
            desk.cancel(staged)
            return 1
        if not (yes or dry_run) and not _is_wanted():
            desk.cancel(staged)
            output.say("Cancelled. Nothing was sent.", err=True)
            return NOT_DONE
        return _confirmed(desk, staged, dry_run=dry_run, as_json=as_json)


def _can_pick(error: UnknownAccount) -> bool:
    """Whether a person is at a terminal, and there is something to pick from."""
    return (error.near or error.ambiguous) and sys.stdin is not None and sys.stdin.isatty()


def _picked(end: str, wanted: str, accounts: Sequence[Account], once_known: Collection[str]) -> str:
    """Return what a person means by a name: the id of the account that they picked, if any."""
    from seqdata.safeguards.accounts import find_account, near_accounts

    try:
        return find_account(wanted, accounts, once_known).id
    except UnknownAccount as error:
        if not (error.near or error.ambiguous):
            raise
        found = near_accounts(wanted, accounts, once_known)
        output.echo(f"{end}: {wanted!r} is not the name of one account. Did you mean", err=True)
        for number, one in enumerate(found, 1):
            output.echo(f"  {number}  {one.label}, {one.balance}", err=True)
        picked = _number(len(found))
        if picked is None:
            raise
        return found[picked - 1].id


def _number(most: int) -> int | None:
    try:
        typed = output.ask(f"Which one (1 to {most}; Enter for none)?")
    except click.Abort:
        return None
    return int(typed) if typed.isdecimal() and 1 <= int(typed) <= most else None


def _is_wanted() -> bool:
    try:
        return output.confirm("Send it?", err=True)
    except click.Abort:
        return False


def _shown(staged: StagedTransfer, *, err: bool) -> bool:
    """Show the review; where it cannot be shown, nothing is sent."""
    try:
        output.print_facts(staged.review(), "Transfer", err=err)
    except (OSError, ValueError) as error:
        output.say(f"Error: The review could not be shown ({error}). Nothing was sent.", err=True)
        return False
    return True


class _Ending:
    """What may end the program, while a transfer is sent and told: the first such signal counts.

    It raises until the outcome is known; from then on there is only one thing left to do, to say
    it and to end with its code, and nothing stops that.
    """

    def __init__(self) -> None:
        self.is_deaf = False
        if threading.current_thread() is threading.main_thread():
            for name in ("SIGINT", "SIGTERM", "SIGHUP"):
                if hasattr(signal, name):
                    signal.signal(getattr(signal, name), self._end)

    def _end(self, number: int, _: FrameType | None) -> None:
        if not self.is_deaf:
            self.is_deaf = True
            raise SystemExit(128 + number)


def _confirmed(desk: TransferDesk, staged: StagedTransfer, *, dry_run: bool, as_json: bool) -> int:
    ending = _Ending()
    try:
        outcome: ConfirmOutcome | None = desk.confirm(staged, dry_run=dry_run)
        ending.is_deaf = True
    except (SystemExit, KeyboardInterrupt):
        # "Run it again" is no advice here: the money may have moved.
        outcome = _after_interrupt(desk, staged)
    finally:
        ending.is_deaf = True
    if outcome is None:
        output.say("Interrupted before it was sent. Nothing was moved.", err=True)
        return NOT_DONE
    output.say(_json(outcome) if as_json else str(outcome))
    return exit_code(outcome)


def _after_interrupt(desk: TransferDesk, staged: StagedTransfer) -> ConfirmOutcome | None:
    """Return what the log says of a transfer that was interrupted; None where none was sent."""
    from seqdata.safeguards import Unknown

    try:
        return desk.outcome_of(staged.id)
    except SequenceError as error:
        return Unknown(f"it was interrupted, and the log cannot be read: {error}", staged.id)


def exit_code(outcome: ConfirmOutcome) -> int:
    """Return what a command ends with after an outcome."""
    if outcome.accepted and outcome.status == "failed":
        return RETURNED
    return EXIT_CODES[outcome.status]


def _json(outcome: ConfirmOutcome) -> str:
    words = ("status", "accepted", "arrived", "service_status")
    said = {word: getattr(outcome, word) for word in words}
    return output.json_text({**said, **asdict(outcome)})


@transfer.command()
@click.option("--choose", multiple=True, metavar="INTENT=TRANSFER",
              help="Which of several candidates a transfer is; may be given again.")  # fmt: skip
@click.option("--none-of", multiple=True, metavar="INTENT",
              help="No candidate is the one; they are not offered again.")  # fmt: skip
@click.option("--assume-failed", multiple=True, metavar="INTENT",
              help="Give one up that was not found for 24 hours; may be given again.")  # fmt: skip
@click.option("--organization", metavar="ID", help="Where the login has several.")
def settle(
    choose: tuple[str, ...],
    none_of: tuple[str, ...],
    assume_failed: tuple[str, ...],
    organization: str | None,
) -> int:
    """Find out what became of transfers whose outcome is not known."""
    from seqdata.config import get_settings
    from seqdata.safeguards import TransferDesk

    chosen = dict(_pair(one) for one in choose)
    refused: SequenceError | None = None
    with TransferDesk(get_settings(), organization) as desk:
        try:
            settlements: Sequence[Settlement] = desk.settle(
                choose=chosen, none_of=none_of, assume_failed=assume_failed
            )
        except SequenceError as error:
            settlements, refused = error.settled, error
        _Ending().is_deaf = True  # what was found is written down: it is told now
    lines = [line for settlement in settlements for line in _lines(settlement)]
    if refused is None and not lines:
        lines = ["Every transfer has a known outcome."]
    if lines:
        output.say("\n".join(lines))
    if refused is not None:
        output.say(f"Error: {refused}", err=True)
        return refused.exit_code
    codes = {exit_code(one.outcome) for one in settlements}
    return next((code for code in (EXIT_CODES["unknown"], RETURNED) if code in codes), 0)


def _pair(text: str) -> tuple[str, str]:
    intent, equals, transfer_id = text.partition("=")
    if not equals:
        raise click.UsageError(f"--choose {text}: expected INTENT=TRANSFER.")
    return intent, transfer_id


def _lines(settlement: Settlement) -> Iterator[str]:
    intent = settlement.intent.id
    yield str(settlement)
    for transfer_id, created_at in settlement.candidates:
        yield f"  if it is the one of {created_at}: --choose {intent}={transfer_id}"
    if settlement.candidates:
        yield f"  if you know that it is none of these: --none-of {intent}"
    if settlement.may_be_assumed_failed:
        yield f"  if you are sure that it never happened: --assume-failed {intent}"
