"""``seqdata setup``: from nothing to the first sync, one question after the other."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seqdata.cli import output
from seqdata.cli.login import install, login, who

if TYPE_CHECKING:
    from seqdata.core.secret import Secret

#: What is written where a person has set up an account.
EMAIL, PASSWORD, TOTP, READ_ONLY, ORGANIZATION = (
    "SEQUENCE_EMAIL", "SEQUENCE_PASSWORD", "SEQUENCE_TOTP", "SEQUENCE_READ_ONLY", "SEQUENCE_ORG_ID",
)  # fmt: skip


@click.command()
@click.pass_context
def setup(context: click.Context) -> int | None:
    """Set up your own account: some questions, a login, and the first sync.

    What is typed is tried at once, and stands in the .env file of the data folder, which only you
    can read. Run again, it shows what is set; Enter keeps it.
    """
    from seqdata.config import find_data_dir, get_settings
    from seqdata.config.envfile import read_env_file, write_env_file

    if not sys.stdin.isatty():
        raise click.UsageError(
            "setup asks questions, and nobody can answer here. Set SEQUENCE_EMAIL, "
            "SEQUENCE_PASSWORD and SEQUENCE_TOTP instead, in the environment or a .env file."
        )
    folder = find_data_dir().resolve()
    output.headline(f"Your account, in {folder}")
    output.echo("Settings, tokens, tables and the log of transfers stay there, on this machine.")
    if not _yes("Use this folder?"):
        output.echo("Go to the folder that it is to be, and run seqdata setup there.")
        return None
    file = folder / ".env"
    known = read_env_file(file)
    answers = _answers(known)
    if answers:
        write_env_file(file, answers)
        output.echo(f"Written to {file}, which only you can read.")
    _find_browser(context)
    settings = get_settings()
    if not _yes(f"Log in to {settings.app_url} now?"):
        output.echo("Later: seqdata login, then seqdata sync.")
        return None
    context.invoke(login, headed=False, force=not {EMAIL, PASSWORD, TOTP}.isdisjoint(answers))
    if settings.org_id is None and (chosen := _organization()):
        write_env_file(file, {ORGANIZATION: chosen})
    if not _yes("Sync now? A first sync of 4,000 transfers takes about two minutes."):
        output.echo("Later: seqdata sync")
        return None
    commands = context.find_root().command
    assert isinstance(commands, click.Group)
    done: int = context.invoke(commands.commands["sync"])
    output.echo("Next: seqdata status, seqdata spending, seqdata notebooks my-notebooks")
    return done


def _answers(known: dict[str, Secret]) -> dict[str, Secret]:
    """Ask for what a login needs, and whether money may be moved; return what is new."""
    from seqdata.core.secret import Secret

    email = known.get(EMAIL)
    said = {
        EMAIL: _asked(EMAIL, "E-mail", who(email) if email else "", _check_email),
        PASSWORD: _asked(PASSWORD, "Password", _set(known, PASSWORD), is_hidden=True),
        TOTP: _asked(
            TOTP, "Setup key of your authenticator app", _set(known, TOTP), _check_key,
            is_hidden=True,
        ),
    }  # fmt: skip
    answers = {name: value for name, value in said.items() if value is not None}
    if not os.environ.get(READ_ONLY):
        moves = known[READ_ONLY].get_secret_value() == "0" if READ_ONLY in known else False
        asked = "May seqdata move money, where you confirm it, within its limits?"
        word = "0" if _yes(asked, default=moves) else "1"
        if READ_ONLY not in known or known[READ_ONLY].get_secret_value() != word:
            answers[READ_ONLY] = Secret(word)
    return answers


def _asked(
    name: str,
    words: str,
    known: str,
    check: Callable[[Secret], str] = lambda _: "",
    *,
    is_hidden: bool = False,
) -> Secret | None:
    """Ask until an answer passes its check; None where what is known stays."""
    from seqdata.core.secret import Secret

    if os.environ.get(name):
        output.echo(f"{words}: from the environment ({name}), which is left as it is.")
        return None
    question = f"{words} [{known}; Enter keeps it]" if known else words
    while True:
        answer = Secret(output.ask(f"{question}:", is_hidden=is_hidden))
        if not answer and known:
            return None
        wrong = check(answer) if answer else "It is needed for the login."
        if not wrong:
            return answer
        output.echo(wrong, err=True)


def _check_email(email: Secret) -> str:
    name, at, domain = email.get_secret_value().partition("@")
    return "" if name and at and "." in domain else "That is no e-mail address."


def _check_key(key: Secret) -> str:
    """Say what is wrong with a setup key; show the code of now, so that a person can compare."""
    from seqdata.auth.totp import Authenticator, UsedCodes, read_codes
    from seqdata.exceptions import InvalidSetting

    try:
        codes = read_codes(key, UsedCodes(Path(os.devnull)))
    except InvalidSetting as error:
        return str(error)
    if not isinstance(codes, Authenticator):
        output.echo("A single code works once, for half a minute. The setup key works every day.")
        return ""
    if _yes(f"The code of now is {codes.code_of_now()}. Does your app show the same?"):
        return ""
    return "Then it is another key, or this machine's clock is wrong."


def _find_browser(context: click.Context) -> None:
    from seqdata.auth.login.chromium import find_browser
    from seqdata.config import get_settings
    from seqdata.exceptions import NoBrowser

    try:
        found = find_browser(get_settings().browser)
    except NoBrowser:
        context.invoke(install, yes=False)
    else:
        output.echo(f"The browser that logs in: {found.path} ({found.source})")


def _organization() -> Secret | None:
    """Ask which organization is meant, where a login has several."""
    from seqdata.auth import access_token_for
    from seqdata.config import get_settings
    from seqdata.core.secret import Secret
    from seqdata.sources.webapp.client import SequenceClient
    from seqdata.sources.webapp.source import fetch_organization_ids

    settings = get_settings()
    with SequenceClient("", partial(access_token_for, settings), settings=settings) as client:
        ids = fetch_organization_ids(client)
    if len(ids) < 2:
        return None
    for number, one in enumerate(ids, 1):
        output.echo(f"  {number}  {one}")
    chosen = dict(zip(map(str, range(1, len(ids) + 1)), ids, strict=True))
    while (typed := output.ask("Which organization (its number):")) not in chosen:
        output.echo(f"Choose a number from 1 to {len(ids)}.", err=True)
    return Secret(chosen[typed])


def _set(known: dict[str, Secret], name: str) -> str:
    return "set" if name in known else ""


def _yes(question: str, *, default: bool = True) -> bool:
    return output.confirm(question, err=True, default=default)
