"""An example of each command, which its help shows; a test runs them all."""

from __future__ import annotations

from collections.abc import Iterator

import click

#: What stands after ``seqdata``, by the command.
EXAMPLES = {
    "accounts": "accounts",
    "audit acknowledge": 'audit acknowledge --note "restored from a backup"',
    "audit reconcile": "audit reconcile --since 2026-10",
    "audit show": "audit show --limit 5",
    "audit verify": "audit verify",
    "backtest": "backtest --days 14",
    "balance-history": "balance-history --freq month --account Groceries",
    "browser check": "browser check",
    "browser install": "browser install --yes",
    "cash-flow": 'cash-flow --since "last month"',
    "categories": "categories",
    "changes": "changes --since 2026-10-25",
    "compare": "compare October --previous mean",
    "demo": "demo",
    "doctor": "doctor",
    "export": "export october.csv --since October",
    "forget": "forget --all",
    "login": "login",
    "logout": "logout",
    "notebooks": "notebooks --no-open",
    "payees": "payees --limit 10",
    "plot": "plot spending --since 2026-10 -o spending.png",
    "projected-balances": "projected-balances --days 7 --account Groceries",
    "rebuild": "rebuild",
    "reconcile": "reconcile --since 2026-10",
    "recurring": "recurring --account Bills",
    "rules": "rules --since 2026-10",
    "running-short": "running-short --days 14",
    "sandbox": "sandbox --env .env",
    "setup": "setup",
    "spending": 'spending --freq month --since "2 months ago"',
    "status": "status",
    "sync": "sync --details open",
    "transfer send": 'transfer "Emergency Fund" Groceries 25 --dry-run',
    "transfer settle": "transfer settle",
    "transfers": "transfers --text rent --limit 5",
    "uncategorized": "uncategorized --limit 10",
    "upcoming": "upcoming --days 14",
}


def leaves(command: click.Command, *called: str) -> Iterator[tuple[str, click.Command]]:
    """Yield each command that does something, with the words that call it."""
    if not isinstance(command, click.Group):
        yield " ".join(called), command
        return
    for name in command.commands:
        yield from leaves(command.commands[name], *called, name)


def show_examples(group: click.Group) -> None:
    """Let the help of each command end in its example."""
    for called, command in leaves(group):
        if called in EXAMPLES:
            command.epilog = f"\b\nExample:\n  seqdata {EXAMPLES[called]}"
