"""What the tests of the login share: quick settings, and a page without a browser."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from waiting import PATIENCE

from seqdata.auth import AuthTokens
from seqdata.auth.login.browser import ChromiumPage, browser_login
from seqdata.auth.login.chromium import find_browser, starting
from seqdata.auth.login.flow import BUTTON, FIELDS, Credentials, LoginFlow, Patience, Seen, Tempo
from seqdata.auth.totp import Setup
from seqdata.config.settings import Settings
from seqdata.core.secret import Secret, SecretBody
from seqdata.sandbox import Sandbox

QUICK = Tempo(scale=0.01)

#: What fails here is seen to fail; no test waits until this is over.
PATIENT = Patience(step=PATIENCE, person=2 * PATIENCE)

APP, AUTH = "https://app.example", "https://auth.example"


def settings_for(box: Sandbox, folder: Path, **changes: Any) -> Settings:
    """Build settings for a sandbox's login."""
    values = {
        name.removeprefix("SEQUENCE_").lower(): value for name, value in box.environment().items()
    }
    return Settings.of({**values, "totp": box.totp_uri, "data_dir": folder, **changes})


def codes_around(box: Sandbox, now: float, period: int) -> list[str]:
    """Give the sandbox's one-time codes of now, before and after."""
    from base64 import b32decode

    setup = Setup(SecretBody(b32decode(box.totp_secret)), period=period)
    return [setup.code(int(now // period) + n).get_secret_value() for n in (-1, 0, 1)]


def log_in(settings: Settings) -> tuple[AuthTokens, str | None]:
    return browser_login(settings, pace=QUICK, patience=PATIENT)


class Leaping:
    """A clock whose seconds pass as they do, and that a test can put forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


def flow_in(page: ChromiumPage, box: Sandbox, credentials: Credentials, **more: Any) -> LoginFlow:
    """Make the flow of a sandbox's login in a tab of Chromium."""
    return LoginFlow(
        page,
        credentials,
        app_url=box.app_url,
        auth_url=box.auth_url,
        **{"pace": QUICK, "patience": PATIENT, **more},
    )


@contextmanager
def tab_of(box: Sandbox, kind: type[ChromiumPage] = ChromiumPage) -> Iterator[ChromiumPage]:
    """Open a tab in a Chromium of its own."""
    with starting(find_browser(None), headless=True) as running, running.new_context() as context:
        yield kind(context, box.app_url, box.auth_url, threading.Event())


def calls(box: Sandbox, token: str) -> int:
    """Ask the sandbox's API with a token; the HTTP status."""
    request = urllib.request.Request(
        f"{box.app_url}/api/graphql",
        json.dumps({"query": "{ me { id } }"}).encode(),
        {"authorization": f"Bearer {token}", "content-type": "application/json"},
    )
    try:
        return int(urllib.request.urlopen(request).status)
    except urllib.error.HTTPError as error:
        return error.code


@contextmanager
def web(
    answer: Callable[[str], tuple[int, dict[str, str], str]],
) -> Iterator[tuple[str, list[str]]]:
    """Serve pages on loopback: `answer` gives status, headers and HTML for a path."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            status, headers, html = answer(self.path)
            self.send_response(status)
            for name, value in {"content-type": "text/html", **headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(html)))
            self.end_headers()
            self.wfile.write(html.encode())

        do_POST = do_GET  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def button_to(url: str) -> str:
    """Write an application page whose button leads to an address."""
    return f"<button onclick=\"location.href = '{url}'\">Log in</button>"


@dataclass
class Screen:
    """What a page shows at one moment."""

    url: str
    shows: tuple[str, ...] = ()
    text: str = ""
    errors: tuple[str, ...] = ()
    stored: str | None = None
    loading: bool = False


LANDING = Screen(f"{APP}/", (BUTTON,))
EMAIL = Screen(f"{AUTH}/u/login/identifier?state=v", (FIELDS["e-mail"],), "Welcome")
PASSWORD = Screen(f"{AUTH}/u/login/password?state=v", (FIELDS["password"],), "Password")
CODE = Screen(f"{AUTH}/u/mfa-otp-challenge?state=v", (FIELDS["code"],), "Code")
RETURNED = Screen(f"{APP}/#access_token=t0ken&expires_in=86400&state=s", text="Logging in")
INSIDE = replace(RETURNED, url=f"{APP}/", stored="t0ken")
GOOD = [LANDING, EMAIL, PASSWORD, CODE, INSIDE]


@dataclass
class FakePage:
    """A page that turns to the next screen at each click; its time passes only in `wait`."""

    screens: list[Screen]
    seen: Seen = field(default_factory=Seen)
    now: float = 0.0
    at: int = 0
    typed: list[tuple[str, str]] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    @property
    def screen(self) -> Screen:
        return self.screens[self.at]

    def turn(self) -> None:
        self.at = min(self.at + 1, len(self.screens) - 1)
        self.seen.note_address(self.screen.url, app_url=APP, auth_url=AUTH)

    def open(self, url: str) -> None:
        assert url == f"{APP}/"

    def address(self) -> str:
        return self.screen.url

    def loads(self) -> int:
        return self.at

    def is_loading(self) -> bool:
        return self.screen.loading

    def shows(self, selector: str) -> bool:
        return selector in self.screen.shows

    def click(self, selector: str) -> None:
        self.turn()

    def clear(self, selector: str) -> None:
        self.typed.append((self.screen.url, ""))

    def press(self, selector: str, character: str) -> None:
        url, text = self.typed[-1]
        self.typed[-1] = (url, text + character)

    def value(self, selector: str) -> Secret:
        return Secret(self.typed[-1][1])

    def submit(self, selector: str) -> None:
        self.turn()

    def texts(self, selector: str) -> list[str]:
        return list(self.screen.errors)

    def text(self) -> str:
        return self.screen.text

    def stored(self, key: str) -> Secret | None:
        return Secret(self.screen.stored) if self.screen.stored else None

    def wait(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@dataclass
class ListedCodes:
    """Gives codes from a list."""

    codes: list[str]
    has_next: bool = True

    def next_code(self, sleep: Callable[[float], None]) -> Secret:
        return Secret(self.codes.pop(0))


def flow_on(page: FakePage, *, codes: ListedCodes | None = None, person: bool = False) -> LoginFlow:
    """Make the flow of a person named kim on a page."""
    credentials = Credentials(
        Secret("kim@example.test"),
        Secret("pl4nted"),
        codes or ListedCodes(["111111", "222222"]),
    )
    return LoginFlow(
        page, credentials, app_url=APP, auth_url=AUTH, person=person, clock=lambda: page.now
    )
