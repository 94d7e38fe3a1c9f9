"""Which browser logs in: found, started, and where there is none, installed.

SEQUENCE_BROWSER, else an installed Chrome, Chromium or Edge, else Playwright's own Chromium.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from seqdata.core.logs import logger
from seqdata.exceptions import InvalidSetting, MissingExtra, NoBrowser

if TYPE_CHECKING:
    from playwright.sync_api import Browser as Running

log = logger(__name__)

T = TypeVar("T")

#: Commands, and places outside of the search path, of the browsers that can be used.
COMMANDS = (
    "google-chrome-stable", "google-chrome", "chrome", "chromium", "chromium-browser",
    "microsoft-edge-stable", "microsoft-edge",
)  # fmt: skip
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "~/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "~/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/opt/google/chrome/chrome",
    "/usr/lib/chromium/chromium",
    "/snap/bin/chromium",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)


@dataclass(frozen=True)
class Browser:
    """A browser's program, and why it is the one: SEQUENCE_BROWSER, installed, Playwright's."""

    path: Path
    source: str


def find_browser(
    named: Path | None,
    *,
    which: Callable[[str], str | None] = shutil.which,
    places: Sequence[str] = PLACES,
    own: Callable[[], Path | None] | None = None,
) -> Browser:
    """Say which browser is used.

    Parameters
    ----------
    named
        SEQUENCE_BROWSER: a path, or the name of a command.
    which, places, own
        How commands are found, where else to look, and Playwright's own browser.

    Raises
    ------
    NoBrowser
        The named one is not there, or there is none at all.
    """
    if named is not None:
        found = named.expanduser() if named.parent != Path() else Path(which(str(named)) or named)
        if not found.is_file():
            raise NoBrowser(found, "there is no such file")
        return Browser(found, "SEQUENCE_BROWSER")
    commands = (which(command) for command in COMMANDS)
    for place in (*commands, *places):
        if place and (path := Path(place).expanduser()).is_file():
            return Browser(path, "installed")
    if path_of_own := (own or own_browser)():
        return Browser(path_of_own, "Playwright's own")
    raise NoBrowser


def require_playwright() -> None:
    """Raise MissingExtra where what drives a browser is not installed."""
    if find_spec("playwright") is None:
        raise MissingExtra("The login in a browser", "login")


def own_browser() -> Path | None:
    """Give the path of the Chromium that Playwright has downloaded, if it has."""
    require_playwright()
    from playwright.sync_api import sync_playwright

    def ask(_: threading.Event) -> Path:
        with sync_playwright() as playwright:
            return Path(playwright.chromium.executable_path)

    path = in_own_thread(ask)
    return path if path.is_file() else None


@contextmanager
def starting(browser: Browser, *, headless: bool, trusted: Path | None = None) -> Iterator[Running]:
    """Start a browser, and end it with the block.

    It writes no TLS keys down, and gets none of our settings.

    Parameters
    ----------
    browser, headless
        Which one, and whether its window is hidden.
    trusted
        A PEM file: servers that show one of its certificates in their chain are trusted.

    Raises
    ------
    NoBrowser
        It does not start.
    InvalidSetting, MissingExtra
        `trusted` cannot be read.
    """
    require_playwright()
    from playwright.sync_api import Error, sync_playwright

    trusting = [] if trusted is None else [_trusting(trusted)]
    with sync_playwright() as playwright:
        try:
            running = playwright.chromium.launch(
                executable_path=browser.path,
                headless=headless,
                chromium_sandbox=not _is_root(),
                ignore_default_args=["--enable-automation"],
                args=["--disable-blink-features=AutomationControlled", *trusting],
                env=_environment(),
                handle_sigint=False,
            )
        except Error as error:
            raise NoBrowser(browser.path, _reason(error.message)) from None
        try:
            yield running
        finally:
            running.close()


def _environment() -> dict[str, str | float | bool]:
    """Return the environment of a browser: all but our settings, a password among them."""
    return {
        name: value
        for name, value in os.environ.items()
        if name != "SSLKEYLOGFILE" and not name.upper().startswith("SEQUENCE_")
    }


def _trusting(bundle: Path) -> str:
    """Write the option that trusts the keys of a PEM file, and no other.

    Chromium reads no bundle. It compares the SHA-256 of each SubjectPublicKeyInfo that a server
    shows with this list, and takes the chain as it is where one is on it.
    """
    hashes = [base64.b64encode(hashlib.sha256(key).digest()).decode() for key in _keys(bundle)]
    return f"--ignore-certificate-errors-spki-list={','.join(hashes)}"


def _keys(bundle: Path) -> list[bytes]:
    try:
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
        from cryptography.x509 import load_pem_x509_certificates
    except ImportError:
        raise MissingExtra("A login through TLS on loopback", "sandbox") from None
    try:
        certificates = load_pem_x509_certificates(bundle.expanduser().read_bytes())
    except (OSError, ValueError):
        expected = "a PEM file with certificates"
        raise InvalidSetting("SEQUENCE_CA_BUNDLE", expected, str(bundle)) from None
    keys = [one.public_key() for one in certificates]
    return [key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) for key in keys]


def check_browser(named: Path | None) -> tuple[Browser, str]:
    """Say which browser is used, start it once, and give its version.

    Raises
    ------
    NoBrowser
        There is none, or it does not start.
    """
    browser = find_browser(named)

    def ask(_: threading.Event) -> str:
        with starting(browser, headless=True) as running:
            return running.version

    return browser, in_own_thread(ask)


def install_browser(
    *,
    run: Callable[[Sequence[str]], int] = subprocess.call,
    ask: Callable[[str], bool],
    has_apt: bool | None = None,
    is_root: bool | None = None,
) -> bool:
    """Get a browser: Playwright's download, else the distribution's ``chromium``.

    Parameters
    ----------
    run
        Runs a command; its exit code.
    ask
        Asks a person about a command that changes the system.
    has_apt, is_root
        Whether the system is Debian-like, and whether this is its administrator.

    Returns
    -------
    bool
        Whether one of the two worked.
    """
    if run([sys.executable, "-m", "playwright", "install", "chromium"]) == 0:
        return True
    log.warning("the download of a browser by Playwright failed")
    if not (_has_apt() if has_apt is None else has_apt):
        return False
    sudo = [] if (_is_root() if is_root is None else is_root) else ["sudo"]
    update = [*sudo, "apt-get", "update"]
    install = [*sudo, "apt-get", "install", "-y", "chromium"]
    if not ask(f"{' '.join(update)} && {' '.join(install)}"):
        return False
    run(update)  # a new machine has no lists of packages; one list that fails may not matter
    return run(install) == 0


def in_own_thread(work: Callable[[threading.Event], T]) -> T:
    """Do work in a thread of its own, and wait for it.

    Playwright's sync API refuses to run where an event loop runs, as in a notebook's kernel.
    An interrupt sets the event that `work` is given, so that it can end what it began.
    """
    cancelled, done = threading.Event(), Future[T]()

    def run() -> None:
        try:
            done.set_result(work(cancelled))
        except BaseException as error:  # noqa: BLE001 - it is raised where the caller waits
            done.set_exception(error)

    thread = threading.Thread(target=run, name="seqdata-browser", daemon=True)
    thread.start()
    try:
        return done.result()
    except BaseException:
        cancelled.set()
        raise
    finally:
        thread.join(timeout=15)


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _has_apt() -> bool:
    return Path("/etc/debian_version").exists() and shutil.which("apt-get") is not None


def _reason(message: str) -> str:
    if "sandbox" in message.lower() and "usable" in message.lower():
        return "its own sandbox cannot start on this system"
    if "DISPLAY" in message or "XServer" in message:
        return "there is no display to show its window on"
    line = next((line for line in message.splitlines() if line.strip()), "")
    return re.sub(r"^\S+:\s*", "", line.strip()).rstrip(".:")[:200] or "it does not start"
