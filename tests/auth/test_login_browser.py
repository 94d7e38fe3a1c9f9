"""The login in real Chromium, through the sandbox's pages."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from login_kit import PATIENT, Leaping, calls, flow_in, log_in, settings_for, tab_of

from seqdata.auth import access_token_for
from seqdata.auth.login.browser import ChromiumPage, fresh_context, read_credentials
from seqdata.auth.login.chromium import find_browser, starting
from seqdata.auth.tokens import TokenStore
from seqdata.sandbox import Sandbox

PERIOD = 600


# -- the good path and its variants -----------------------------------------------------------


def test_a_login_ends_with_a_token_that_the_service_takes(tmp_path: Path) -> None:
    """The whole way gives a working token, its end as the answer says, and the client id."""
    with Sandbox(months=1, now="2026-11-01", token_lifetime=7_200) as box:
        box.login_variant(period=PERIOD)
        before = time.time()
        tokens, client_id = log_in(settings_for(box, tmp_path))
        assert before + 7_200 <= tokens.expires_at <= time.time() + 7_200
        assert calls(box, tokens.access_token) == 200
    assert tokens.refresh_token is None
    assert client_id == box.client_id
    assert box.logins() == 1


@pytest.mark.soak
@pytest.mark.parametrize(
    "variant",
    [{"selectors": "other"}, {"token_delay": 2.0}],
    ids=["other selectors", "slow token"],
)
def test_a_variant_of_the_pages_makes_no_difference(
    box: Sandbox, tmp_path: Path, variant: dict[str, Any]
) -> None:
    """Other selectors and a token that comes late end with a token too."""
    box.login_variant(period=PERIOD, **variant)
    assert calls(box, log_in(settings_for(box, tmp_path))[0].access_token) == 200


def test_a_code_flow_brings_a_refresh_token(box: Sandbox, tmp_path: Path) -> None:
    """Where the page exchanges a code, its refresh token is kept, and refreshes."""
    box.login_variant(period=PERIOD, flow="code")
    settings = settings_for(box, tmp_path, auth0_client_id=None)
    tokens, client_id = log_in(settings)
    assert tokens.refresh_token is not None
    store = TokenStore(settings)
    tokens.expires_at = 0.0
    store.write(tokens, client_id=client_id)
    assert calls(box, access_token_for(settings)) == 200
    assert box.logins() == 1


def test_the_browser_does_not_say_that_it_is_driven(box: Sandbox, tmp_path: Path) -> None:
    """`navigator.webdriver` is false as in a person's browser, and no header says headless."""
    with (
        starting(find_browser(None), headless=True) as running,
        fresh_context(running) as context,
    ):
        page = ChromiumPage(context, box.app_url, box.auth_url, threading.Event())
        page.open(f"{box.app_url}/")
        assert page.tab.evaluate("navigator.webdriver") is False
        assert "Headless" not in page.tab.evaluate("navigator.userAgent")
    agents = [v for r in box.requests() for n, v in r["headers"] if n == "user-agent"]
    assert agents
    assert not any("Headless" in agent for agent in agents)


@pytest.mark.soak
def test_a_person_can_confirm_the_device(
    box: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A page that needs a person's click is waited out, and the login goes on by itself."""
    clock = Leaping()

    class Attended(ChromiumPage):
        def wait(self, seconds: float) -> None:
            super().wait(seconds)
            if "login waits for you" not in caplog.text or "Is this your" not in self.text():
                return
            if clock.ahead:
                self.tab.get_by_role("button", name="Yes, this is my device").click()
            clock.ahead = 1.5 * PATIENT.step  # more than a step may take, less than a person

    box.login_variant(period=PERIOD, device_check=True)
    credentials = read_credentials(settings_for(box, tmp_path))
    with caplog.at_level(logging.WARNING, "seqdata"), tab_of(box, Attended) as page:
        login = flow_in(page, box, credentials, person=True, clock=clock).run()
    assert clock.ahead
    assert calls(box, login.access_token.get_secret_value()) == 200
