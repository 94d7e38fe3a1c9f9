"""Nothing is typed, followed or offered at an origin that is not the configured one."""

from __future__ import annotations

from pathlib import Path

import pytest
from login_kit import button_to, log_in, settings_for, web

from seqdata.auth import AuthTokens, access_token_for
from seqdata.auth.tokens import TokenStore
from seqdata.config.settings import Settings
from seqdata.exceptions import (
    ForeignPage,
    TokenExpiredError,
)
from seqdata.sandbox import Sandbox

PERIOD = 600

#: An origin where nobody listens.
NOBODY = "http://127.0.0.1:4"


def test_a_login_of_another_origin_is_not_opened(box: Sandbox, tmp_path: Path) -> None:
    """An application that leads to another login than the configured one is left at once."""
    settings = settings_for(box, tmp_path, auth_url=NOBODY)
    with pytest.raises(ForeignPage, match="it led to"):
        log_in(settings)
    assert not [r for r in box.requests() if r["origin"] == "auth"]


def test_a_redirect_to_another_origin_is_not_followed(box: Sandbox, tmp_path: Path) -> None:
    """A login that redirects elsewhere is left before elsewhere is asked."""
    with web(lambda _: (200, {}, '<input name="username">')) as (elsewhere, asked):
        turned = (302, {"location": f"{elsewhere}/u/login"}, "")
        with web(lambda _: turned) as (auth, _):
            home = (200, {}, button_to(f"{auth}/authorize?client_id=c&state=s"))
            with web(lambda _: home) as (app, _), pytest.raises(ForeignPage, match=elsewhere):
                log_in(settings_for(box, tmp_path, app_url=app, auth_url=auth))
        assert asked == []


def test_a_sandboxs_token_is_never_offered_elsewhere(box: Sandbox, tmp_path: Path) -> None:
    """A token counts as none for another sandbox and for the real service, and the other way."""
    settings = settings_for(box, tmp_path)
    tokens, client_id = log_in(settings)
    TokenStore(settings).write(tokens, client_id=client_id)
    with Sandbox(months=1, now="2026-11-01") as other:
        theirs = settings_for(other, tmp_path, password=None)
        assert TokenStore(theirs).read() is None
        with pytest.raises(TokenExpiredError):
            access_token_for(theirs)
        assert other.requests() == []
    real = Settings.of({"data_dir": tmp_path})
    assert TokenStore(real).read() is None
    TokenStore(real).write(AuthTokens("real-token", "real-refresh", 4e9), client_id=None)
    box.clear_requests()
    with pytest.raises(TokenExpiredError):
        access_token_for(settings_for(box, tmp_path, password=None))
    assert box.requests() == []
