"""The login in real Chromium, through the sandbox's pages."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from login_kit import QUICK, calls, log_in, settings_for

from seqdata.auth import access_token_for
from seqdata.auth.browser import ChromiumPage, fresh_context, read_credentials
from seqdata.auth.chromium import find_browser, starting
from seqdata.auth.flow import LoginFlow, Patience
from seqdata.auth.tokens import TokenStore
from seqdata.sandbox import Sandbox

PERIOD = 600


# -- the good path and its variants -----------------------------------------------------------


def test_a_login_ends_with_a_token_that_the_service_takes(tmp_path: Path) -> None:
    """The whole way gives a working token, its end as the answer says, and the client id."""
    with Sandbox(months=1, now="2026-11-01", token_lifetime=7_200) as box:
        box.login_variant(period=PERIOD)
        tokens, client_id = log_in(settings_for(box, tmp_path))
        assert calls(box, tokens.access_token) == 200
    assert tokens.expires_at == pytest.approx(time.time() + 7_200, abs=30)
    assert tokens.refresh_token is None
    assert client_id == box.client_id
    assert box.logins() == 1


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


def test_a_person_can_confirm_the_device(box: Sandbox, tmp_path: Path) -> None:
    """A page that needs a person's click is waited out, and the login goes on by itself."""

    class Attended(ChromiumPage):
        def wait(self, seconds: float) -> None:
            super().wait(seconds)
            if "Is this your device?" in self.text() and time.monotonic() > self.arrival:
                self.tab.get_by_role("button", name="Yes, this is my device").click()

        arrival = time.monotonic() + 6

    box.login_variant(period=PERIOD, device_check=True)
    settings = settings_for(box, tmp_path)
    with starting(find_browser(None), headless=True) as running, running.new_context() as context:
        page = Attended(context, box.app_url, box.auth_url, threading.Event())
        flow = LoginFlow(
            page,
            read_credentials(settings),
            app_url=box.app_url,
            auth_url=box.auth_url,
            pace=QUICK,
            patience=Patience(step=3, person=20),
            person=True,
        )
        login = flow.run()
    assert calls(box, login.access_token.get_secret_value()) == 200
