"""The login as a flow of steps: look at the page, decide which step it asks for, take it.

Nothing here knows a browser: the flow works on a :class:`LoginPage`, and
:mod:`seqdata.auth.login.browser` makes one of a tab of Chromium. ``LoginFlow.run`` reads::

    open_application → next_step → take(step) → next_step → … → read_token

The steps are button, e-mail, password, code, return and token. What is typed is typed like a
person types, on the configured login origin and nowhere else.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol
from urllib.parse import parse_qs, urlsplit

from seqdata.auth.totp import Codes
from seqdata.core.logs import logger
from seqdata.core.origins import web_origin
from seqdata.core.secret import Secret
from seqdata.exceptions import (
    AccountLocked,
    BrowserClosed,
    ForeignPage,
    LoginFailed,
    LoginTimeout,
    LoginUnreachable,
    PageChanged,
    PersonNeeded,
    WrongCode,
    WrongEmail,
    WrongPassword,
)

log = logger(__name__)

STEPS = ("button", "e-mail", "password", "code", "return", "token")

#: The button of the application's page, and the fields of the login's (two kinds of tenants).
BUTTON = 'role=button[name="Log in"i]'
FIELDS = {
    "code": 'input[name="code"], input[inputmode="numeric"]',
    "password": 'input[name="password"]',
    "e-mail": 'input[name="username"], input[type="email"]',
}

#: Where a page says what is wrong.
ERRORS = (
    '[role="alert"], [aria-live="assertive"], [id^="error-element"], [data-error-code], '
    '[class*="error-message"], [class*="input-error"], [class*="alert-danger"]'
)
_CAPTCHA = 'iframe[src*="captcha" i], [class*="captcha" i], [id*="captcha" i]'
_LOCKED = re.compile(
    r"\b(locked|blocked|suspended|disabled|deactivated|too many|temporarily)\b", re.IGNORECASE
)
_PERSON = re.compile(
    r"captcha|robot|human|(your|this|new) device|push|approve|notification|check your (phone|mail)",
    re.IGNORECASE,
)

#: Seconds between two looks at the page, and until a page counts as settled.
GLANCE, SETTLED = 0.1, 2.0


@dataclass(frozen=True)
class Tempo:
    """How a person types: the least and the most seconds of each kind of pause.

    ``scale`` multiplies all of them; tests make it small, a login leaves it at 1.
    """

    character: tuple[float, float] = (0.05, 0.15)
    before_field: tuple[float, float] = (0.4, 1.2)
    before_submit: tuple[float, float] = (0.2, 0.6)
    scale: float = 1.0

    def seconds(self, span: tuple[float, float]) -> float:
        """Draw the length of a pause."""
        return self.scale * random.uniform(*span)  # noqa: S311 - no secret hangs on it


@dataclass(frozen=True)
class Patience:
    """How many seconds a step may take, and how many a person has where there is a window."""

    step: float = 20.0
    person: float = 300.0


@dataclass
class Seen:
    """What the browser's addresses and answers showed so far."""

    client_id: str | None = None
    states: list[str] = field(default_factory=list, repr=False)
    returned: dict[str, str] = field(default_factory=dict, repr=False)
    exchange: dict[str, Any] = field(default_factory=dict, repr=False)
    #: The origin of a page that was not opened, since it is neither of the two.
    blocked: str | None = None
    #: Why the last page did not load: an origin and a reason.
    failure: tuple[str, str] | None = None

    def note_address(self, address: str, *, app_url: str, auth_url: str) -> None:
        """Take from an address of the tab what concerns the login."""
        parts = urlsplit(address)
        query = _single(parts.query)
        if web_origin(address) == auth_url and parts.path == "/authorize":
            self.client_id = query.get("client_id", self.client_id)
            self.states += [query["state"]] if "state" in query else []
        elif web_origin(address) == app_url:
            answer = query | _single(parts.fragment)
            if answer.keys() & {"access_token", "code", "error"}:
                self.returned = answer


class LoginPage(Protocol):
    """What the flow needs of a browser's tab. Every method may raise :class:`PageError`."""

    seen: Seen

    def open(self, url: str) -> None:
        """Go to an address."""

    def address(self) -> str:
        """Give the address of the tab."""

    def loads(self) -> int:
        """How many documents the tab has loaded."""

    def is_loading(self) -> bool:
        """Whether the document is still being loaded."""

    def shows(self, selector: str) -> bool:
        """Whether such an element can be seen and used."""

    def click(self, selector: str) -> None:
        """Click an element."""

    def clear(self, selector: str) -> None:
        """Empty a field."""

    def press(self, selector: str, character: str) -> None:
        """Type one character into a field."""

    def value(self, selector: str) -> Secret:
        """Give the content of a field."""

    def submit(self, selector: str) -> None:
        """Click the submit button of a field's form."""

    def texts(self, selector: str) -> list[str]:
        """Give the visible texts of elements."""

    def text(self) -> str:
        """Give the visible text of the page."""

    def stored(self, key: str) -> Secret | None:
        """Give what the page keeps in its session storage."""

    def wait(self, seconds: float) -> None:
        """Let time pass in the tab."""


class PageError(Exception):
    """The tab cannot do what is asked: ``kind`` is closed, unreachable or changed."""

    def __init__(self, kind: str, reason: str = "") -> None:
        super().__init__(kind, reason)
        self.kind, self.reason = kind, reason


@dataclass(repr=False)
class Login:
    """What a login gave. ``expires_in`` is as it was said: seconds, or None."""

    access_token: Secret
    refresh_token: Secret | None = None
    expires_in: object = None
    client_id: str | None = None


@dataclass(repr=False)
class Credentials:
    """Who logs in, and with what."""

    email: Secret
    password: Secret
    codes: Codes


class LoginFlow:
    """One login on one page.

    Parameters
    ----------
    app_url, auth_url
        The origins of the application and of the login.
    pace
        Of the typing.
    person
        Whether a person sees the window: then what only a person can do is waited for.
    clock
        Gives seconds, to measure how long a step takes.
    """

    def __init__(
        self,
        page: LoginPage,
        credentials: Credentials,
        *,
        app_url: str,
        auth_url: str,
        pace: Tempo | None = None,
        patience: Patience | None = None,
        person: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.page, self.credentials = page, credentials
        self.app_url, self.auth_url = app_url, auth_url
        self.pace, self.patience = pace or Tempo(), patience or Patience()
        self.person, self.clock = person, clock
        #: The steps that were taken.
        self.taken: list[str] = []
        #: What was typed or read and must not be shown.
        self.secrets: list[Secret] = [credentials.email, credentials.password]
        self._code_retried = False
        self._loads_at_submit, self._errors_at_submit = -1, list[str]()

    # -- the steps --------------------------------------------------------------------------

    def run(self) -> Login:
        """Log in.

        Raises
        ------
        LoginFailed
            The step that failed, what the page said, and what to check.
        """
        try:
            self.open_application()
            while (step := self.next_step()) != "token":
                self.take(step)
            return self.read_token()
        except PageError as error:
            raise self._failure(error) from None

    def open_application(self) -> None:
        """Open the application's page."""
        log.info("login begins: app=%s auth=%s", self.app_url, self.auth_url)
        self.page.open(f"{self.app_url}/")

    def next_step(self) -> str:
        """Wait until the page asks for a step that was not taken yet, and name it."""
        begun, patience, asked = self.clock(), self.patience.step, False
        while (step := self._look(self.clock() - begun)) is None:
            waited = self.clock() - begun
            is_persons = waited > SETTLED and not asked and self._asks_for_a_person()
            if waited > patience or is_persons:
                if asked or not self.person:
                    self._give_up(waited, is_persons)
                asked, patience = True, self.patience.person
                self._tell_person()
            self.page.wait(GLANCE)
        return step

    def take(self, step: str) -> None:
        """Take one step: press the button, or type what the page asks for."""
        log.info("login step: step=%s", step)
        if step == "button":
            self._pause(self.pace.before_field)
            self.page.click(BUTTON)
        elif step == "code":
            self.type_code()
        else:
            email_or_password = {
                "e-mail": self.credentials.email,
                "password": self.credentials.password,
            }
            self._type(step, email_or_password[step])
        self.taken.append(step)

    def type_code(self) -> None:
        """Type the one-time code of now; wait for the next where this one is about to end."""
        self._pause(self.pace.before_field)
        code = self.credentials.codes.next_code(self.page.wait)
        self.secrets.append(code)
        self._type("code", code)

    def read_token(self) -> Login:
        """Read the token that the application keeps, and what was said about it."""
        token = self.page.stored("access_token")
        if token is None or not re.fullmatch(r"[!-~]+", token.get_secret_value()):
            raise PageChanged("token", "")
        self.secrets.append(token)
        seen = self.page.seen
        for answer in (seen.exchange, seen.returned):
            if answer.get("access_token") == token.get_secret_value():
                refresh = answer.get("refresh_token")
                return Login(
                    token,
                    Secret(refresh) if isinstance(refresh, str) and refresh else None,
                    answer.get("expires_in"),
                    seen.client_id,
                )
        return Login(token, client_id=seen.client_id)

    # -- looking ----------------------------------------------------------------------------

    def _look(self, waited: float) -> str | None:
        """Name the step the page asks for; None where that is not clear yet."""
        seen = self.page.seen
        if seen.blocked is not None:
            raise ForeignPage(self._expected(), f"it led to {seen.blocked}")
        if seen.failure is not None:
            raise LoginUnreachable(self._expected(), *seen.failure)
        here = web_origin(self.page.address())
        if here == self.app_url:
            return self._look_at_application()
        if here == self.auth_url:
            return self._look_at_login(waited)
        if here is not None:
            raise ForeignPage(self._expected(), f"it led to {here}")
        return None

    def _look_at_application(self) -> str | None:
        seen = self.page.seen
        if "error" in seen.returned:
            answer = seen.returned
            said = f"{answer['error']}: {answer.get('error_description', 'no reason given')}"
            raise LoginFailed("return", self._clean(said))
        state = seen.returned.get("state")
        if seen.returned and seen.states and state not in seen.states:
            raise ForeignPage("return", "it came back with another state than it left with")
        if self.page.stored("access_token") is not None:
            return "token"
        return "button" if not self.taken and self.page.shows(BUTTON) else None

    def _look_at_login(self, waited: float) -> str | None:
        step = next((step for step, shown in FIELDS.items() if self.page.shows(shown)), None)
        if step is None or step not in self.taken:
            return step
        errors = self._errors()
        is_reloaded = self.page.loads() != self._loads_at_submit
        if errors and (is_reloaded or errors != self._errors_at_submit):
            return self._refused(step, errors)
        if is_reloaded and waited > SETTLED:
            return self._refused(step, [self.page.text()])
        return None

    def _errors(self) -> list[str]:
        return list(dict.fromkeys(text for text in self.page.texts(ERRORS) if text.strip()))

    def _refused(self, step: str, errors: Iterable[str]) -> str:
        """Decide what a refusal means: only a code is tried again, with the next one, once."""
        said = self._clean(" ".join(errors))
        if _LOCKED.search(said):
            raise AccountLocked(step, said)
        if step == "code" and self.credentials.codes.has_next and not self._code_retried:
            log.warning("one-time code refused, the next one is tried once: said=%s", said)
            self._code_retried = True
            return step
        refusals = {"e-mail": WrongEmail, "password": WrongPassword, "code": WrongCode}
        raise refusals[step](step, said)

    # -- typing -----------------------------------------------------------------------------

    def _type(self, step: str, secret: Secret) -> None:
        shown = FIELDS[step]
        if step != "code":
            self._pause(self.pace.before_field)
        self._check_origin(step)
        self.page.clear(shown)
        for character in secret.get_secret_value():
            self._check_origin(step)
            self.page.press(shown, character)
            self._pause(self.pace.character)
        if not _is_same(self.page.value(shown), secret):
            raise PageChanged(step, "")
        self._pause(self.pace.before_submit)
        self._check_origin(step)
        self._loads_at_submit, self._errors_at_submit = self.page.loads(), self._errors()
        self.page.submit(shown)

    def _check_origin(self, step: str) -> None:
        here = web_origin(self.page.address())
        if here != self.auth_url:
            raise ForeignPage(step, f"the page turned to {here or 'no address'} while typing")

    def _pause(self, span: tuple[float, float]) -> None:
        self.page.wait(self.pace.seconds(span))

    # -- giving up --------------------------------------------------------------------------

    def _expected(self) -> str:
        """Name the step that should come next."""
        last = max((STEPS.index(step) for step in self.taken), default=-1)
        return STEPS[last + 1]

    def _asks_for_a_person(self) -> bool:
        if web_origin(self.page.address()) != self.auth_url or self.page.is_loading():
            return False
        is_waiting = any(self.page.shows(shown) for shown in FIELDS.values())
        if self.page.shows(_CAPTCHA):
            return True
        return not is_waiting and _PERSON.search(self.page.text()) is not None

    def _tell_person(self) -> None:
        log.warning(
            "login waits for you at the browser's window: step=%s seconds=%.0f said=%s",
            self._expected(),
            self.patience.person,
            self._excerpt(),
        )

    def _give_up(self, waited: float, is_persons: bool) -> NoReturn:
        step, said = self._expected(), self._excerpt()
        if is_persons and not self.person:
            raise PersonNeeded(step, said)
        is_known = any(self.page.shows(shown) for shown in FIELDS.values())
        has_returned = bool(self.taken) and web_origin(self.page.address()) == self.app_url
        if is_known and (errors := self._errors()):
            self._code_retried = True
            self._refused(self.taken[-1], errors)
        if is_known or has_returned or self.page.is_loading():
            raise LoginTimeout(
                "token" if has_returned and len(self.taken) > 1 else step, waited, said
            )
        raise PageChanged(step, said)

    def _failure(self, error: PageError) -> LoginFailed:
        step = self._expected()
        if error.kind == "closed":
            return BrowserClosed(step)
        if error.kind == "unreachable":
            return LoginUnreachable(
                step, self.auth_url if self.taken else self.app_url, error.reason
            )
        return PageChanged(step, self._clean(error.reason))

    def _excerpt(self) -> str:
        return self._clean(self.page.text())

    def _clean(self, text: str) -> str:
        return redact(" ".join(text.split()), self.secrets)[:300]


def redact(text: str, secrets: Iterable[Secret]) -> str:
    """Replace every secret in a text, in whatever case, by a mark."""
    for secret in secrets:
        if value := secret.get_secret_value():
            text = re.sub(re.escape(value), "█████", text, flags=re.IGNORECASE)
    return text


def _single(query: str) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(query).items()}


def _is_same(shown: Secret, typed: Secret) -> bool:
    """Tell whether a field holds what was typed; some fields set spaces or lower the case."""
    both = (re.sub(r"[\s-]", "", one.get_secret_value()).casefold() for one in (shown, typed))
    return len(set(both)) == 1
