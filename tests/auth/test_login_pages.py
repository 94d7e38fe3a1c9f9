"""The sandbox's pages, as a program without a browser sees them."""

from __future__ import annotations

import http.client
import json
import time
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from login_kit import codes_around

from seqdata.sandbox import Sandbox

PERIOD = 600


class Visitor:
    """Walks through the pages of one login."""

    def __init__(self, box: Sandbox, kind: str = "token") -> None:
        self.box = box
        query = {
            "client_id": box.client_id,
            "redirect_uri": f"{box.app_url}/",
            "response_type": kind,
            "state": "s1",
        }
        self.at = f"{box.auth_url}/authorize?{urlencode(query)}"
        self.status, self.page = 0, ""
        self.go("GET")

    def go(self, method: str, **fields: str) -> None:
        url = urlsplit(self.at)
        connection = http.client.HTTPConnection(url.netloc)
        connection.request(method, f"{url.path}?{url.query}", urlencode(fields) or None)
        answer = connection.getresponse()
        self.status, self.page = answer.status, answer.read().decode()
        self.at = answer.headers.get("location") or self.at
        if self.at.startswith("/"):
            self.at = f"{self.box.auth_url}{self.at}"
        connection.close()

    def show(self, **fields: str) -> str:
        """Send a form; the path where the login stands then."""
        self.go("POST", **fields)
        return urlsplit(self.at).path

    def come_in(self, code: str) -> None:
        self.show(username=self.box.email)
        self.show(password=self.box.password)
        self.show(code=code)


def now_code(box: Sandbox) -> str:
    return codes_around(box, time.time(), PERIOD)[1]


def test_the_way_leads_over_four_addresses(box: Sandbox) -> None:
    """The redirects of the real flow end at the application with the documented fragment."""
    visitor = Visitor(box)
    assert urlsplit(visitor.at).path == "/u/login/identifier"
    assert visitor.show(username=box.email) == "/u/login/password"
    assert visitor.show(password=box.password) == "/u/mfa-otp-challenge"
    visitor.show(code=now_code(box))
    assert visitor.at.startswith(f"{box.app_url}/#")
    answer = parse_qs(urlsplit(visitor.at).fragment)
    assert set(answer) == {"access_token", "expires_in", "token_type", "state"}
    assert (answer["expires_in"], answer["state"]) == (["86400"], ["s1"])


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": "http://127.0.0.1:1/"},
        {"redirect_uri": ""},
        {"client_id": "another"},
        {"response_type": "id_token"},
    ],
)
def test_a_login_for_someone_else_does_not_begin(box: Sandbox, changes: dict[str, str]) -> None:
    """Another client, or a return to another origin than the application, is refused."""
    visitor = Visitor(box)
    query = {
        "client_id": box.client_id,
        "redirect_uri": f"{box.app_url}/",
        "response_type": "token",
        "state": "s1",
        **changes,
    }
    visitor.at = f"{box.auth_url}/authorize?{urlencode(query)}"
    visitor.go("GET")
    assert visitor.status >= 400


def test_a_page_refuses_on_its_own_address(box: Sandbox) -> None:
    """A wrong password or code stays on its page, with the reason near the field."""
    visitor = Visitor(box)
    visitor.show(username=box.email)
    assert visitor.show(password="not-this") == "/u/login/password"
    assert visitor.status == 400
    assert "Wrong email or password" in visitor.page
    visitor.show(password=box.password)
    assert visitor.show(code="not-it") == "/u/mfa-otp-challenge"
    assert "invalid" in visitor.page


def test_a_code_is_taken_once(box: Sandbox) -> None:
    """A code that completed a login does not complete another."""
    code = now_code(box)
    Visitor(box).come_in(code)
    assert box.logins() == 1
    Visitor(box).come_in(code)
    assert box.logins() == 1


def test_too_many_tries_lock_the_account(box: Sandbox) -> None:
    """After the allowed tries even the right password is refused, until it is unlocked."""
    box.login_variant(period=PERIOD, tries=3)
    visitor = Visitor(box)
    visitor.show(username=box.email)
    for _ in range(3):
        visitor.show(password="not-this")
    assert "blocked" in visitor.page
    assert visitor.show(password=box.password) == "/u/login/password"
    box.login_variant(period=PERIOD)
    assert visitor.show(password=box.password) == "/u/mfa-otp-challenge"


def test_a_code_without_the_password_is_worth_nothing(box: Sandbox) -> None:
    """Going to the code's page directly does not get round the password."""
    visitor = Visitor(box)
    visitor.show(username=box.email)
    visitor.at = visitor.at.replace("/u/login/password", "/u/mfa-otp-challenge")
    visitor.show(code=now_code(box))
    assert visitor.status == 400
    assert box.logins() == 0


def test_the_variants_are_switched_over_http(box: Sandbox) -> None:
    """POST /sandbox/login switches variants as `login_variant` does, and refuses unknown ones."""
    netloc = urlsplit(box.app_url).netloc
    connection = http.client.HTTPConnection(netloc)
    connection.request("POST", "/sandbox/login", json.dumps({"selectors": "other", "tries": 2}))
    facts = json.loads(connection.getresponse().read())
    assert (facts["selectors"], facts["tries"], facts["logins"]) == ("other", 2, 0)
    assert 'type="email"' in _identifier_page(box)
    for wrong in ({"selectors": "odd"}, {"colour": "red"}, {"tries": 0}):
        connection.request("POST", "/sandbox/login", json.dumps(wrong))
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 400
    connection.close()


def _identifier_page(box: Sandbox) -> str:
    visitor = Visitor(box)
    visitor.go("GET")
    return visitor.page
