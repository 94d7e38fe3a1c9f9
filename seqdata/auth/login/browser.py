"""The login in a real browser: Chromium at the edge of the flow.

The browser runs in a thread of its own, whoever calls: a script, a cell of a notebook (where an
event loop runs), a widget's callback. Its context is fresh and leaves nothing behind.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqdata.auth.login.chromium import find_browser, in_own_thread, starting
from seqdata.auth.login.evidence import keep_evidence
from seqdata.auth.login.flow import (
    Credentials,
    Login,
    LoginFlow,
    PageError,
    Patience,
    Seen,
    Tempo,
)
from seqdata.auth.refresh import expiry
from seqdata.auth.tokens import AuthTokens
from seqdata.auth.totp import UsedCodes, read_codes
from seqdata.config import missing
from seqdata.config.settings import Settings
from seqdata.core.logs import logger
from seqdata.core.origins import is_loopback, web_origin
from seqdata.core.secret import Secret, opened
from seqdata.exceptions import LoginFailed

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, CDPSession, Locator, Response
    from playwright.sync_api import Page as Tab

log = logger(__name__)

#: Milliseconds until a page must have answered, and until an element must be usable.
LOAD_TIMEOUT, ACT_TIMEOUT = 20_000, 5_000


def browser_login(
    settings: Settings,
    *,
    headless: bool = True,
    pace: Tempo | None = None,
    patience: Patience | None = None,
) -> tuple[AuthTokens, str | None]:
    """Log in with a browser; return the tokens and the client id that was seen on the way.

    Parameters
    ----------
    settings
        Who logs in and where; SEQUENCE_BROWSER names the browser, SEQUENCE_DEBUG keeps what a
        failed login showed.
    headless
        False shows the window, and waits for the person where the page asks for one.
    pace, patience
        Of the typing, and of the waiting; a test makes them small.

    Raises
    ------
    LoginFailed
        The step that failed, what the page said, and what to check.
    NoBrowser
        There is none, or it does not start.
    InvalidSetting, MissingSetting
        SEQUENCE_EMAIL, SEQUENCE_PASSWORD or SEQUENCE_TOTP cannot be used.
    """
    return in_own_thread(partial(_log_in, settings, headless, pace, patience))


def _log_in(
    settings: Settings,
    headless: bool,
    pace: Tempo | None,
    patience: Patience | None,
    cancelled: threading.Event,
) -> tuple[AuthTokens, str | None]:
    credentials = read_credentials(settings)
    browser = find_browser(settings.browser)
    log.info("login browser: path=%s source=%s", browser.path, browser.source)
    with (
        starting(browser, headless=headless, trusted=trusted_authority(settings)) as running,
        fresh_context(running) as context,
    ):
        page = ChromiumPage(context, settings.app_url, settings.auth_url, cancelled)
        flow = LoginFlow(
            page,
            credentials,
            app_url=settings.app_url,
            auth_url=settings.auth_url,
            pace=pace,
            patience=patience,
            person=not headless,
        )
        try:
            return _tokens(flow.run())
        except LoginFailed as error:
            if settings.debug:
                secrets = [*flow.secrets, settings.totp or Secret("")]
                folder = settings.data_dir / "login-debug"
                error.kept = keep_evidence(page.tab, folder, error, secrets)
            raise


def trusted_authority(settings: Settings) -> Path | None:
    """Give the file of the authority that the browser trusts beside the public ones.

    It is SEQUENCE_CA_BUNDLE, where both servers are on loopback and in TLS; else there is none.
    """
    servers = (settings.app_url, settings.auth_url)
    if all(url.startswith("https:") and is_loopback(url) for url in servers):
        return settings.ca_bundle
    return None


def read_credentials(settings: Settings) -> Credentials:
    """Read who logs in, and with what, before a browser is started.

    Raises
    ------
    MissingSetting, InvalidSetting
        One of the three variables is not set, or SEQUENCE_TOTP is nothing that gives a code.
    """
    for name in ("email", "password", "totp"):
        if not getattr(settings, name):
            raise missing(f"SEQUENCE_{name.upper()}")
    used = UsedCodes(settings.data_dir / ".login_codes.json")
    return Credentials(
        email=Secret((opened(settings.email) or "").strip()),
        password=settings.password or Secret(""),
        codes=read_codes(settings.totp or Secret(""), used),
    )


def _tokens(login: Login) -> tuple[AuthTokens, str | None]:
    refresh = login.refresh_token
    tokens = AuthTokens(
        access_token=login.access_token.get_secret_value(),
        refresh_token=opened(refresh),
        expires_at=expiry(login.access_token.get_secret_value(), login.expires_in, now=time.time()),
    )
    left = tokens.expires_at - time.time()
    log.info("logged in: seconds_left=%.0f can_refresh=%s", left, refresh is not None)
    return tokens, login.client_id


@contextmanager
def fresh_context(running: Browser) -> Iterator[BrowserContext]:
    """Open a context that keeps nothing and does not say that it is headless."""
    with running.new_context() as first:
        agent = first.new_page().evaluate("navigator.userAgent")
    with running.new_context(user_agent=agent.replace("Headless", "")) as context:
        context.set_default_timeout(ACT_TIMEOUT)
        context.set_default_navigation_timeout(LOAD_TIMEOUT)
        yield context


@contextmanager
def _translated() -> Iterator[None]:
    """Say what a browser's error means; its own text, which may quote an address, is dropped."""
    from playwright.sync_api import Error

    try:
        yield
    except Error as error:
        raise _page_error(error.message) from None


def _page_error(message: str) -> PageError:
    if net := re.search(r"net::(ERR_\w+)", message):
        return PageError("unreachable", net[1])
    if "closed" in message or "crashed" in message:
        return PageError("closed")
    if "Timeout" in message and "goto" in message:
        return PageError("unreachable", "no answer in time")
    return PageError("changed", "")


class ChromiumPage:
    """A tab of Chromium as the flow's page.

    A document of another origin than the two is not even asked for, redirects included.
    """

    def __init__(
        self, context: BrowserContext, app_url: str, auth_url: str, cancelled: threading.Event
    ) -> None:
        self.seen = Seen()
        self._origins = {"app_url": app_url, "auth_url": auth_url}
        self._cancelled = cancelled
        self._loads = 0
        self._exchanges: list[Response] = []
        self.tab: Tab = context.new_page()
        self.tab.on("framenavigated", self._note_navigation)
        self.tab.on("response", self._note_response)
        self.tab.on("requestfailed", self._note_failure)
        self._guard(context.new_cdp_session(self.tab))

    # -- what the flow asks for -------------------------------------------------------------

    def open(self, url: str) -> None:
        """Go to an address, until its document is there."""
        with _translated():
            self.tab.goto(url, wait_until="domcontentloaded")

    def address(self) -> str:
        """Give the address of the tab."""
        return self.tab.url

    def loads(self) -> int:
        """How many documents the tab has loaded."""
        return self._loads

    def is_loading(self) -> bool:
        """Whether the document is still being loaded."""
        return bool(self._evaluate("document.readyState", "loading") != "complete")

    def shows(self, selector: str) -> bool:
        """Whether such an element can be seen and used."""
        from playwright.sync_api import Error

        try:
            return self._visible(selector).count() > 0 and self._visible(selector).is_enabled(
                timeout=200
            )
        except Error:  # the document is being replaced under the question
            self._raise_if_closed()
            return False

    def click(self, selector: str) -> None:
        """Click an element."""
        with _translated():
            self._visible(selector).click(no_wait_after=True)

    def clear(self, selector: str) -> None:
        """Empty a field."""
        with _translated():
            self._visible(selector).fill("")

    def press(self, selector: str, character: str) -> None:
        """Type one character into a field."""
        with _translated():
            self._visible(selector).press_sequentially(character)

    def value(self, selector: str) -> Secret:
        """Give the content of a field."""
        with _translated():
            return Secret(self._visible(selector).input_value())

    def submit(self, selector: str) -> None:
        """Click the submit button of a field's own form."""
        submit = 'button[type="submit"] >> visible=true'
        with _translated():
            form = self.tab.locator("form").filter(has=self._visible(selector))
            button = form.locator(submit) if form.count() else self.tab.locator(submit)
            button.first.click(no_wait_after=True)

    def texts(self, selector: str) -> list[str]:
        """Give the visible texts of elements."""
        script = """selector => [...document.querySelectorAll(selector)]
            .filter(one => one.checkVisibility()).map(one => one.innerText)"""
        return [str(text) for text in self._evaluate(script, [], selector)]

    def text(self) -> str:
        """Give the visible text of the page."""
        return str(self._evaluate("document.body ? document.body.innerText : ''", ""))

    def stored(self, key: str) -> Secret | None:
        """Give what the page keeps in its session storage."""
        value = self._evaluate("key => sessionStorage.getItem(key)", None, key)
        if value:
            self._read_exchanges()
        return Secret(value) if value else None

    def wait(self, seconds: float) -> None:
        """Let time pass in the tab, so that what happens there is noticed."""
        if self._cancelled.is_set():
            raise PageError("closed")
        with _translated():
            self.tab.wait_for_timeout(seconds * 1000)

    # -- what the browser tells -------------------------------------------------------------

    def _note_navigation(self, frame: Any) -> None:
        if frame == self.tab.main_frame:
            self._loads += 1
            self.seen.note_address(frame.url, **self._origins)

    def _note_response(self, response: Response) -> None:
        request = response.request
        if self._is_document(request):
            self.seen.note_address(request.url, **self._origins)
            if response.status >= 500:
                self.seen.failure = (web_origin(request.url) or "", f"HTTP {response.status}")
        elif request.method == "POST" and request.url == f"{self._origins['auth_url']}/oauth/token":
            self._exchanges.append(response)

    def _note_failure(self, request: Any) -> None:
        # A document that a newer navigation replaces fails too, as aborted.
        if self._is_document(request) and "ERR_ABORTED" not in (request.failure or ""):
            reason = (request.failure or "no answer").removeprefix("net::")
            self.seen.failure = (web_origin(request.url) or "", reason)

    def _is_document(self, request: Any) -> bool:
        return bool(request.is_navigation_request() and request.frame == self.tab.main_frame)

    def _read_exchanges(self) -> None:
        from playwright.sync_api import Error

        while self._exchanges:
            try:
                answer = self._exchanges.pop().json()
            except (Error, ValueError):  # its body is gone with the page, or is no JSON
                log.debug("answer of the code exchange cannot be read")
                continue
            if isinstance(answer, dict):
                self.seen.exchange = answer

    def _guard(self, session: CDPSession) -> None:
        """Stop every document of the tab that is of a foreign origin, before it is asked for."""
        own = session.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
        allowed = set(self._origins.values())

        def decide(event: dict[str, Any]) -> None:
            there, request = web_origin(event["request"]["url"]), {"requestId": event["requestId"]}
            if event["frameId"] == own and there not in allowed:
                self.seen.blocked = there or "another place"
                session.send("Fetch.failRequest", {**request, "errorReason": "Aborted"})
            else:
                session.send("Fetch.continueRequest", request)

        session.on("Fetch.requestPaused", decide)
        pattern = {"urlPattern": "*", "resourceType": "Document", "requestStage": "Request"}
        session.send("Fetch.enable", {"patterns": [pattern]})

    # -- inside -----------------------------------------------------------------------------

    def _visible(self, selector: str) -> Locator:
        return self.tab.locator(f"{selector} >> visible=true").first

    def _evaluate(self, script: str, otherwise: Any, argument: Any = None) -> Any:
        from playwright.sync_api import Error

        try:
            return self.tab.evaluate(script, argument)
        except Error:  # the document is being replaced under the question
            self._raise_if_closed()
            return otherwise

    def _raise_if_closed(self) -> None:
        if self.tab.is_closed():
            raise PageError("closed")
