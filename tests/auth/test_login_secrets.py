"""What is planted as a secret is found nowhere but where it belongs."""

from __future__ import annotations

import logging
import time
import traceback
from pathlib import Path
from typing import Any

import pytest
from login_kit import codes_around, flow_in, log_in, settings_for, tab_of

from seqdata.auth.login.browser import read_credentials
from seqdata.auth.login.evidence import keep_evidence
from seqdata.auth.tokens import TokenStore
from seqdata.exceptions import LoginFailed
from seqdata.sandbox import Sandbox

PERIOD = 600


def planted(box: Sandbox) -> list[str]:
    """List what must not be found: e-mail, password, secret, and the codes of these minutes."""
    return [box.email, box.password, box.totp_secret, *codes_around(box, time.time(), PERIOD)]


def found(secrets: list[str], *texts: str) -> list[str]:
    return [secret for secret in secrets if any(secret.lower() in text.lower() for text in texts)]


def files_below(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.name: path.read_bytes().decode("latin-1") for path in files}


def test_a_good_login_leaves_no_secret(
    box: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Logs at DEBUG, reprs and the data folder hold no secret, the token file aside."""
    caplog.set_level(logging.DEBUG)
    settings = settings_for(box, tmp_path, debug=True)
    tokens, client_id = log_in(settings)
    TokenStore(settings).write(tokens, client_id=client_id)
    files = files_below(tmp_path)
    assert tokens.access_token in files.pop(".tokens.json")
    shown = [caplog.text, repr(settings), repr(tokens), *files.values()]
    assert "login step: step=code" in caplog.text
    assert found([*planted(box), tokens.access_token], *shown) == []


def locals_in(error: BaseException) -> str:
    """Show the local variables of each function an error came through, but the test's own."""
    trace = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "\n".join(str(frame.locals) for frame in trace.stack if frame.filename != __file__)


@pytest.mark.parametrize(
    ("changes", "variant"),
    [
        ({"password": "pl4nted-wr0ng"}, {}),
        pytest.param({"totp": "918273"}, {}, marks=pytest.mark.soak),
        pytest.param({}, {"wrong_state": True}, marks=pytest.mark.soak),
    ],
    ids=["password", "code", "return"],
)
def test_a_failed_login_leaves_no_secret(
    box: Sandbox,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    changes: dict[str, Any],
    variant: dict[str, Any],
) -> None:
    """Neither logs, nor tracebacks with all local variables, nor the kept page hold a secret."""
    caplog.set_level(logging.DEBUG)
    box.login_variant(period=PERIOD, **variant)
    settings = settings_for(box, tmp_path, debug=True, **changes)
    with pytest.raises(LoginFailed) as error:
        log_in(settings)
    trace = "".join(traceback.format_exception(error.value)) + locals_in(error.value)
    files = files_below(tmp_path)
    assert {"page.png", "page.txt"} <= set(files)
    secrets = [*planted(box), *(str(value) for value in changes.values())]
    assert found(secrets, caplog.text, trace, *files.values()) == []
    assert "eyJ" not in "".join([caplog.text, trace, *files.values()])


def test_what_is_kept_is_private_and_covered(box: Sandbox, tmp_path: Path) -> None:
    """The picture is taken of a page whose fields are empty and whose secrets are covered."""
    settings = settings_for(box, tmp_path, password="not-this")
    with tab_of(box) as page:
        flow = flow_in(page, box, read_credentials(settings))
        with pytest.raises(LoginFailed) as error:
            flow.run()
        page.tab.locator("input").fill(box.password)
        assert box.email in page.text()
        kept = keep_evidence(page.tab, tmp_path / "login-debug", error.value, flow.secrets)
        assert page.tab.locator("input").input_value() == ""
        assert box.email not in page.text()
    assert kept is not None
    assert {path.stat().st_mode & 0o777 for path in kept.iterdir() if path.suffix} == {0o600}
    text = (kept / "page.txt").read_text()
    assert "Wrong email or password" in text
    assert "/u/login/password\n" in text
