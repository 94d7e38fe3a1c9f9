"""Each way a login in real Chromium can fail, and what must not be typed or followed."""

from __future__ import annotations

import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from login_kit import (
    PATIENT,
    QUICK,
    Leaping,
    ListedCodes,
    button_to,
    codes_around,
    flow_in,
    log_in,
    settings_for,
    tab_of,
    web,
)
from waiting import LONG

from seqdata.auth.login.browser import ChromiumPage, browser_login, read_credentials
from seqdata.auth.login.flow import Credentials
from seqdata.core.secret import Secret
from seqdata.exceptions import (
    AccountLocked,
    ForeignPage,
    LoginTimeout,
    LoginUnreachable,
    NoBrowser,
    PageChanged,
    PersonNeeded,
    WrongCode,
    WrongEmail,
    WrongPassword,
)
from seqdata.sandbox import Sandbox

PERIOD = 600

#: So long that no period ends while a test runs.
AGES = 1_000_000_000

#: What the flow's own tests promise without a browser is looked at in one by `make soak`.
soak = partial(pytest.param, marks=pytest.mark.soak)

#: An origin where nobody listens.
NOBODY = "http://127.0.0.1:4"


@pytest.mark.parametrize(
    ("changes", "variant", "kind", "said"),
    [
        soak({"email": "nobody"}, {}, WrongEmail, "valid email"),
        ({"password": "not-this"}, {}, WrongPassword, "Wrong email or password"),
        soak({"password": "not-this"}, {"tries": 1}, AccountLocked, "blocked"),
        soak({"totp": "000000"}, {}, WrongCode, "invalid"),
        soak({}, {"device_check": True}, PersonNeeded, "device"),
        soak({}, {"wrong_state": True}, ForeignPage, "another state"),
        ({"app_url": NOBODY}, {}, LoginUnreachable, "ERR_"),
        ({"browser": Path("/nowhere/chrome")}, {}, NoBrowser, "/nowhere/chrome"),
        ({"browser": Path("/bin/false")}, {}, NoBrowser, "/bin/false"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_each_failure_has_its_own_sentence(
    box: Sandbox,
    tmp_path: Path,
    changes: dict[str, Any],
    variant: dict[str, Any],
    kind: type[Exception],
    said: str,
) -> None:
    """Each way to fail raises its own error, with what the page said, and no login happens."""
    box.login_variant(period=PERIOD, **variant)
    with pytest.raises(kind, match=said):
        log_in(settings_for(box, tmp_path, **changes))
    assert not (tmp_path / ".tokens.json").exists()


@pytest.mark.parametrize(
    ("variant", "kind", "said"),
    [
        ({"selectors": "unknown"}, PageChanged, "Welcome"),
        soak({"token_delay": LONG}, LoginTimeout, "Logging in"),
    ],
)
def test_a_page_that_does_not_go_on_is_given_up(
    box: Sandbox, tmp_path: Path, variant: dict[str, Any], kind: type[Exception], said: str
) -> None:
    """A page that shows nothing to go on with, for as long as a step may take, is an error."""
    clock = Leaping()

    class Watched(ChromiumPage):
        def wait(self, seconds: float) -> None:
            super().wait(seconds)
            if said in self.text() and not self.is_loading():
                clock.ahead = 2 * PATIENT.step

    box.login_variant(period=PERIOD, **variant)
    credentials = read_credentials(settings_for(box, tmp_path))
    with tab_of(box, Watched) as page, pytest.raises(kind, match=said):
        flow_in(page, box, credentials, clock=clock).run()
    assert clock.ahead


def test_a_wrong_password_reaches_the_service_once(box: Sandbox, tmp_path: Path) -> None:
    """One wrong password is one try of the account's, and leaves nothing unless asked to."""
    with pytest.raises(WrongPassword) as error:
        log_in(settings_for(box, tmp_path, password="not-this"))
    assert (error.value.step, error.value.kept) == ("password", None)
    assert list(tmp_path.iterdir()) == []
    posts = [r["path"] for r in box.requests() if r["method"] == "POST"]
    assert posts.count("/u/login/password") == 1


@pytest.mark.soak
def test_a_refused_code_is_followed_by_the_next(box: Sandbox, tmp_path: Path) -> None:
    """A code that was spent elsewhere is refused, and the next one completes the login."""
    box.login_variant(period=AGES)
    earlier, now, _ = codes_around(box, time.time(), AGES)  # both are taken
    for codes in ([earlier], [earlier, now]):
        listed = ListedCodes(codes)
        credentials = Credentials(Secret(box.email), Secret(box.password), listed)
        with tab_of(box) as page:
            flow_in(page, box, credentials).run()
        assert listed.codes == []
    assert box.logins() == 2


@pytest.mark.soak
def test_a_login_without_an_answer_names_the_origin(box: Sandbox, tmp_path: Path) -> None:
    """A login server that is down, or has trouble of its own, is named with the reason."""
    for status, reason in ((503, "HTTP 503"), (0, "ERR_CONNECTION_REFUSED")):
        with web(lambda _: (503, {}, "<h1>Sorry</h1>")) as (auth, _):
            login = auth if status else NOBODY
            home = (200, {}, button_to(f"{login}/authorize?client_id=c&state=s"))
            with web(lambda _, home=home: home) as (app, _):
                settings = settings_for(box, tmp_path, app_url=app, auth_url=login)
                with pytest.raises(LoginUnreachable, match=reason) as error:
                    log_in(settings)
        assert error.value.origin == login


def test_a_window_without_a_display_is_refused(
    box: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no window can be shown, `headless=False` says so."""
    if sys.platform != "linux":
        pytest.skip("every desktop has a display")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(NoBrowser, match="no display"):
        browser_login(settings_for(box, tmp_path), headless=False, pace=QUICK, patience=PATIENT)
