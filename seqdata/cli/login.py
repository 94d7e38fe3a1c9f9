"""The commands around the login: in, out, and the browser it needs."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from seqdata.cli import output

if TYPE_CHECKING:
    from seqdata.core.secret import Secret


@click.command()
@click.option(
    "--headed", is_flag=True, help="Show the browser's window, for a captcha or the like."
)
@click.option("--force", is_flag=True, help="Log in anew, even with a token that is still good.")
def login(headed: bool, force: bool) -> None:
    """Get an access token, in a browser where needed.

    One that is still valid is used; else the refresh grant, else the browser, which needs
    SEQUENCE_EMAIL, SEQUENCE_PASSWORD and SEQUENCE_TOTP.
    """
    from seqdata.auth import access_token_for
    from seqdata.auth.tokens import TokenStore
    from seqdata.config import get_settings

    settings = get_settings()
    begun = time.monotonic()
    with _telling_steps():
        access_token_for(settings, headless=not headed, force=force)
    seconds = time.monotonic() - begun
    token = TokenStore(settings).describe(settings.zone)
    output.echo(f"Logged in to {settings.app_url} as {who(settings.email)} ({seconds:.1f} s)")
    output.echo(f"Access token: {token}, in {settings.data_dir.resolve()}")


@contextmanager
def _telling_steps() -> Iterator[None]:
    """Say on stderr what a login is at, while it takes its seconds."""
    source = logging.getLogger("seqdata.auth.login.flow")
    level, teller = source.level, _Teller(source.getEffectiveLevel())
    source.addFilter(teller)
    source.setLevel(min(teller.level, logging.INFO))
    try:
        yield
    finally:
        source.removeFilter(teller)
        source.setLevel(level)


class _Teller(logging.Filter):
    """Prints the step that a record of the login names, and lets through what passed before."""

    def __init__(self, level: int) -> None:
        super().__init__()
        self.level = level

    def filter(self, record: logging.LogRecord) -> bool:
        """Print the step, and nothing else of the record."""
        what, _, step = record.getMessage().partition(": ")
        if what == "login begins":
            output.echo("Logging in with a browser: some twenty seconds", err=True)
        elif what == "login step":
            output.echo(f"  {step.removeprefix('step=')} ...", err=True)
        return record.levelno >= self.level


@click.command()
def logout() -> None:
    """Remove the tokens from this disk.

    The service is not told: a token that someone copied stays good until it ends.
    """
    from seqdata.auth.tokens import TokenStore
    from seqdata.config import get_settings
    from seqdata.core.files import holding

    settings = get_settings()
    store = TokenStore(settings)
    if not store.path.exists():
        output.echo(f"There are no tokens in {settings.data_dir.resolve()}.")
        return
    with holding(store.lock_path):
        store.forget()
    output.echo(f"Removed the tokens from {settings.data_dir.resolve()}.")


@click.group()
def browser() -> None:
    """Find or get the browser that logs in."""


@browser.command()
def check() -> None:
    """Say which browser would be used, and start it once."""
    from seqdata.auth.login.chromium import check_browser
    from seqdata.config import get_settings

    found, version = check_browser(get_settings().browser)
    output.echo(f"{found.path} ({found.source}), version {version}")


@browser.command()
@click.option("--yes", is_flag=True, help="Do not ask before the system's packages are changed.")
def install(yes: bool) -> int:
    """Get a browser where there is none: Playwright's, else the distribution's chromium."""
    from seqdata.auth.login.chromium import find_browser, install_browser
    from seqdata.config import get_settings
    from seqdata.exceptions import NoBrowser

    named = get_settings().browser
    try:
        found = find_browser(named)
    except NoBrowser:
        done = install_browser(ask=lambda command: yes or output.confirm(f"Run {command!r}?"))
        if not done:
            output.echo("No browser was installed. Install Chrome or Chromium by hand, or name "
                       "one in SEQUENCE_BROWSER.", err=True)  # fmt: skip
            return 1
        found = find_browser(named)
    output.echo(f"The browser is {found.path} ({found.source}).")
    return 0


def who(email: str | Secret | None) -> str:
    """Name the account as far as another person may see it: ``a***@example.test``."""
    if not email:
        return "SEQUENCE_EMAIL is not set"
    from seqdata.core.secret import sealed

    name, at, domain = sealed(email).get_secret_value().strip().partition("@")
    return f"{name[:1]}***{at}{domain}" if at else "***"
