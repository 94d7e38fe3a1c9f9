"""The login in real Chromium through TLS, and whom it trusts there."""

from __future__ import annotations

import ssl
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from login_kit import log_in, settings_for

from seqdata import Ledger
from seqdata.auth.login.browser import trusted_authority
from seqdata.auth.login.chromium import Browser, find_browser, starting
from seqdata.auth.tokens import TokenStore
from seqdata.config.settings import Settings
from seqdata.exceptions import InvalidSetting, LoginUnreachable, MissingExtra
from seqdata.sandbox import Sandbox

PERIOD = 600


@pytest.fixture
def box() -> Iterator[Sandbox]:
    """Serve a sandbox in TLS, to each test its own: a code that was used is not waited for."""
    with Sandbox(months=1, now="2026-11-01", tls=True) as running:
        running.login_variant(period=PERIOD)
        yield running


@pytest.mark.soak
def test_a_login_goes_through_tls(
    box: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real browser trusts the sandbox by its authority alone, and writes no TLS keys down."""
    keys = tmp_path / "keys.log"
    monkeypatch.setenv("SSLKEYLOGFILE", str(keys))
    token = log_in(settings_for(box, tmp_path))[0].access_token
    assert not keys.exists()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(box.ca_bundle)
    request = urllib.request.Request(
        f"{box.app_url}/api/graphql",
        b'{"query": "{ me { id } }"}',
        {"authorization": f"Bearer {token}"},
    )
    assert urllib.request.urlopen(request, context=context).status == 200


def test_login_sync_and_a_transfer_go_through_tls(box: Sandbox, tmp_path: Path) -> None:
    """With the authority alone in the settings, all that a person does works over HTTP/2."""
    settings = settings_for(box, tmp_path, user="kim", kyc_id=box.kyc_id)
    tokens, client_id = log_in(settings)
    TokenStore(settings).write(tokens, client_id=client_id)
    with Ledger(settings) as ledger:
        report = ledger.sync(progress=False)
        assert report.rows == len(box.transfers())
        outcome = ledger.desk.confirm(ledger.desk.stage("Bills", "Groceries", "5"))
    assert (outcome.status, outcome.arrived) == ("completed", True)
    assert [one["result"] for one in box.payments()] == ["ok"]


def test_another_authority_is_not_trusted(box: Sandbox, tmp_path: Path) -> None:
    """The browser refuses a server that another authority than the named one vouches for."""
    with Sandbox(months=1, now="2026-11-01", tls=True) as other:
        settings = settings_for(box, tmp_path, ca_bundle=other.ca_bundle)
        with pytest.raises(LoginUnreachable, match="ERR_CERT_AUTHORITY_INVALID"):
            log_in(settings)


@pytest.mark.parametrize(
    ("app_url", "auth_url", "is_trusted"),
    [
        ("https://127.0.0.1:1", "https://localhost:2", True),
        ("https://127.0.0.1:1", "https://auth.example", False),
        ("https://app.example", "https://127.0.0.1:2", False),
        ("https://127.0.0.1:1", "http://127.0.0.1:2", False),
        ("http://127.0.0.1:1", "https://127.0.0.1:2", False),
    ],
)
def test_the_authority_is_for_loopback_alone(
    tmp_path: Path, app_url: str, auth_url: str, is_trusted: bool
) -> None:
    """The browser trusts an authority only where both servers are on loopback and in TLS."""
    bundle = tmp_path / "authority.pem"
    bundle.touch()
    settings = Settings.of({"app_url": app_url, "auth_url": auth_url, "ca_bundle": bundle})
    assert trusted_authority(settings) == (bundle if is_trusted else None)
    assert trusted_authority(replace(settings, ca_bundle=None)) is None


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_a_bundle_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    """A missing file, an empty one, and one without a certificate are refused by the setting."""
    bundle = tmp_path / "authority.pem"
    if content is not None:
        bundle.write_bytes(content)
    browser = Browser(tmp_path / "never started", "installed")
    with (
        pytest.raises(InvalidSetting, match="SEQUENCE_CA_BUNDLE.*authority.pem"),
        starting(browser, headless=True, trusted=bundle),
    ):
        pass


def test_without_the_extra_the_error_names_it(
    box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where `cryptography` is missing, the error says which extra brings it."""
    monkeypatch.setitem(sys.modules, "cryptography.x509", None)
    with (
        pytest.raises(MissingExtra, match="sandbox"),
        starting(find_browser(None), headless=True, trusted=box.ca_bundle),
    ):
        pass
