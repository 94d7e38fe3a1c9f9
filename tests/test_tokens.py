from __future__ import annotations

import base64
import hashlib
import json
import logging
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from exchanges import came
from waiting import LONG

from seqdata.auth import AuthTokens, get_access_token, reject_token
from seqdata.auth.refresh import USUAL_LIFETIME, expiry, refresh_tokens
from seqdata.auth.tokens import TokenStore
from seqdata.config import get_settings
from seqdata.core.secret import Secret
from seqdata.exceptions import (
    AuthenticationError,
    HTTPError,
    TokenExpiredError,
    UnexpectedAnswer,
)
from seqdata.http.messages import Exchange, Request
from seqdata.http.transport import Transport
from seqdata.sandbox import Sandbox

APP, ELSEWHERE = "http://127.0.0.1:1", "http://127.0.0.1:2"


class Login(ThreadingHTTPServer):
    """A loopback token endpoint that rotates: each refresh token is taken once."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Endpoint)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.grants: list[dict[str, Any]] = []
        self.valid = "refresh-0"
        #: A token of this login that another program has written.
        self.token = jwt({"iss": f"{self.url}/"})


class Endpoint(BaseHTTPRequestHandler):
    server: Login

    def do_POST(self) -> None:
        grant = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.grants.append({"path": self.path, **grant})
        if grant["refresh_token"] != self.server.valid:
            said = {"error": "invalid_grant", "error_description": "Unknown or invalid token."}
            return self.answer(403, said)
        number = len(self.server.grants)
        self.server.valid = f"refresh-{number}"
        return self.answer(
            200,
            {
                "access_token": f"access-{number}",
                "refresh_token": self.server.valid,
                "expires_in": 86_400,
                "token_type": "Bearer",
            },
        )

    def answer(self, status: int, body: dict[str, Any]) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def login(monkeypatch: pytest.MonkeyPatch) -> Iterator[Login]:
    """Run a token endpoint and point the settings at it, without pauses."""
    with Login() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        monkeypatch.setenv("SEQUENCE_APP_URL", APP)
        monkeypatch.setenv("SEQUENCE_AUTH_URL", server.url)
        monkeypatch.setenv("SEQUENCE_AUTH0_CLIENT_ID", "client-1")
        monkeypatch.setenv("SEQUENCE_MIN_DELAY", "0")
        monkeypatch.setenv("SEQUENCE_MAX_JITTER", "0")
        yield server
        server.shutdown()
        thread.join()


def store() -> TokenStore:
    """Open the token files of the settings as they are now."""
    return TokenStore(get_settings())


def jwt(claims: dict[str, Any]) -> str:
    """Make an unsigned token that carries `claims`."""
    return f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.sig"


def write_file(folder: Path, **changed: Any) -> Path:
    """Write a token file as another program would."""
    tokens = {"access_token": "access-0", "refresh_token": "refresh-0", "expires_at": 4e9}
    file = folder / ".tokens.json"
    file.write_text(json.dumps({**tokens, **changed}))
    return file


# -- the files --------------------------------------------------------------------------------


def test_the_token_file_has_exactly_three_keys(tmp_path: Path) -> None:
    """.tokens.json holds what other readers know and no more; the rest stands beside it."""
    tokens = AuthTokens("access-0", None, 4e9)
    store().write(tokens, client_id="client-1")
    content = json.loads((tmp_path / ".tokens.json").read_text())
    assert content == {"access_token": "access-0", "refresh_token": None, "expires_at": 4e9}
    meta = json.loads((tmp_path / ".tokens.meta.json").read_text())
    assert meta["app_url"] == "https://app.getsequence.io"
    assert meta["auth_url"] == "https://auth.getsequence.io"
    assert meta["client_id"] == "client-1"
    assert "access-0" not in json.dumps(meta)
    assert store().read() == tokens


def test_token_files_are_private_and_whole(tmp_path: Path) -> None:
    """Both files are 0600, also over an open older one, and no temporary file stays."""
    write_file(tmp_path).chmod(0o644)
    store().write(AuthTokens("a", "r", 4e9), client_id=None)
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == [".tokens.json", ".tokens.meta.json"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"access_token": "plant-1"}',
        '{"access_token": "plant-1", "refresh_token": null, "expires_at": "soon"}',
        '{"access_token": "plant-1", "refresh_token": 5, "expires_at": 4e9}',
        '{"access_token": "", "refresh_token": null, "expires_at": 4e9}',
        '{"access_token": "plant-1", "refresh_token": null, "expires_at": NaN}',
        '{"access_token": "plant-1", "refresh_token": null, "expires_at": 1, "more": 1}',
    ],
)
def test_a_corrupt_file_is_kept_aside(
    content: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A corrupt token file counts as none; it is moved aside, 0600, and a warning says where."""
    (tmp_path / ".tokens.json").write_text(content)
    with caplog.at_level(logging.WARNING, "seqdata"):
        assert store().read() is None
    (aside,) = tmp_path.glob(".tokens.json.corrupt-*")
    assert aside.read_text() == content
    assert stat.S_IMODE(aside.stat().st_mode) == 0o600
    assert aside.name in caplog.text
    assert "plant-1" not in caplog.text
    assert not (tmp_path / ".tokens.json").exists()


def test_a_reader_without_the_lock_moves_nothing(tmp_path: Path) -> None:
    """Who does not hold the lock may not move a file that may have been mended meanwhile."""
    (tmp_path / ".tokens.json").write_text("{")
    assert store().read(keep_aside=False) is None
    assert (tmp_path / ".tokens.json").read_text() == "{"


# -- what binds a token to its server ---------------------------------------------------------


def test_a_file_without_meta_is_of_the_configured_server(tmp_path: Path) -> None:
    """A token file that another program wrote is taken for production's, and works as it is."""
    write_file(tmp_path)
    assert get_access_token() == "access-0"


PRODUCTION = ("https://app.getsequence.io", "https://auth.getsequence.io")
SANDBOX = ("http://127.0.0.1:1", "http://127.0.0.1:2")
THIRD = ("https://app.example.org", "https://login.example.org")
SERVERS = {
    "production": PRODUCTION,
    "sandbox": SANDBOX,
    "third": THIRD,
    "half": (SANDBOX[0], PRODUCTION[1]),
}

#: Tokens by what their `iss` says. What no program writes for production goes nowhere.
ISSUED = {
    "none": jwt({"sub": "kim"}),
    "no jwt": "opaque",
    "two dots": "a.b.c",
    "no object": jwt([1]),  # type: ignore[arg-type]
    "production": jwt({"iss": f"{PRODUCTION[1]}/"}),
    "production, bare": jwt({"iss": PRODUCTION[1].upper()}),
    "sandbox": jwt({"iss": f"{SANDBOX[1]}/"}),
    "third": jwt({"iss": f"{THIRD[1]}/tenant"}),
    "another": jwt({"iss": "https://login.example.com/"}),
    "like production": jwt({"iss": f"{PRODUCTION[1]}.example.org/"}),
    "inside": jwt({"iss": f"https://elsewhere.example/{PRODUCTION[1]}"}),
    "user": jwt({"iss": "https://auth.getsequence.io@elsewhere.example/"}),
    "garbage": jwt({"iss": "garbage"}),
    "number": jwt({"iss": 5}),
    "list": jwt({"iss": [PRODUCTION[1]]}),
    "bracket": jwt({"iss": "http://[::1"}),
    "empty": jwt({"iss": ""}),
}
WITHOUT_ISSUER = {"none", "no jwt", "two dots", "no object"}


def is_allowed(meta: str, issued: str, server: str) -> bool:
    """Whether a token may go to a server, by the rule as it is written down."""
    if meta in SERVERS:
        return meta == server
    if issued in WITHOUT_ISSUER | {"production", "production, bare"}:
        return server == "production"
    return issued == server and issued in ("sandbox", "third")


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("issued", ISSUED)
@pytest.mark.parametrize("meta", ["no meta", "another token's", *SERVERS])
def test_a_token_goes_to_its_own_server_only(
    meta: str, issued: str, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The meta file binds the token it is of; else the token's own word does, or production."""
    app_url, auth_url = SERVERS[server]
    monkeypatch.setenv("SEQUENCE_APP_URL", app_url)
    monkeypatch.setenv("SEQUENCE_AUTH_URL", auth_url)
    of = SERVERS.get(meta, SERVERS[server])
    digest = hashlib.sha256(("x" if meta not in SERVERS else ISSUED[issued]).encode()).hexdigest()
    if meta != "no meta":
        facts = {"app_url": of[0], "auth_url": of[1], "access_token_sha256": digest}
        (tmp_path / ".tokens.meta.json").write_text(json.dumps(facts))
    write_file(tmp_path, access_token=ISSUED[issued])
    assert (store().read() is not None) == is_allowed(meta, issued, server)


def test_a_sandboxs_token_says_whose_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that was copied from a sandbox works there without meta, and nowhere else."""
    with Sandbox(months=1, now="2026-11-01") as one, Sandbox(months=1, now="2026-11-01") as other:
        for token in (one.access_token, one.issue_token()):
            write_file(tmp_path, access_token=token)
            for box, is_its in ((one, True), (other, False)):
                for name, value in box.environment().items():
                    monkeypatch.setenv(name, value)
                assert (store().read() is not None) == is_its
    for name in ("SEQUENCE_APP_URL", "SEQUENCE_AUTH_URL"):
        monkeypatch.delenv(name)
    assert store().read() is None


def test_a_client_of_another_login_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """The login client that another server showed is not offered to this one."""
    store().write(AuthTokens("access-0", None, 4e9), client_id="client-1")
    assert store().client_id() == "client-1"
    monkeypatch.setenv("SEQUENCE_AUTH_URL", ELSEWHERE)
    assert store().client_id() is None


@pytest.mark.parametrize("moved", ["SEQUENCE_APP_URL", "SEQUENCE_AUTH_URL"])
def test_a_token_of_another_server_counts_as_none(
    moved: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token is never given out for another application or login than the one it is of."""
    store().write(AuthTokens("access-0", "refresh-0", 4e9), client_id="client-1")
    monkeypatch.setenv(moved, ELSEWHERE)
    assert store().read() is None
    with pytest.raises(TokenExpiredError, match="There is no access token"):
        get_access_token()
    monkeypatch.delenv(moved)
    assert get_access_token() == "access-0"


def test_a_write_that_dies_leaves_no_token_to_another_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where a write for a new server ends half-way, the old server's token is not taken for it."""
    store().write(AuthTokens("access-0", None, 4e9), client_id=None)
    monkeypatch.setenv("SEQUENCE_APP_URL", ELSEWHERE)
    unwritable: Any = object()
    with pytest.raises(TypeError):
        store().write(AuthTokens("access-1", unwritable, 4e9), client_id=None)
    assert store().read() is None


def test_an_unreadable_meta_file_binds_to_no_server(tmp_path: Path) -> None:
    """A meta file that cannot be read may have named any server, so the token is not sent."""
    write_file(tmp_path)
    (tmp_path / ".tokens.meta.json").write_text("{")
    assert store().read() is None
    store().write(AuthTokens("access-1", None, 4e9), client_id=None)
    assert get_access_token() == "access-1"


def test_a_rejected_token_is_not_offered_again(tmp_path: Path) -> None:
    """A token that the service refused counts as ended, until there is another one."""
    store().write(AuthTokens("access-0", None, 4e9), client_id=None)
    reject_token("another", get_settings())
    assert get_access_token() == "access-0"
    reject_token("access-0", get_settings())
    with pytest.raises(TokenExpiredError, match="The access token has expired"):
        get_access_token()
    store().write(AuthTokens("access-1", None, 4e9), client_id=None)
    assert get_access_token() == "access-1"


def test_a_rejected_token_without_meta_is_remembered_too(tmp_path: Path) -> None:
    """Rejecting a token that another program wrote works without a meta file."""
    write_file(tmp_path, refresh_token=None)
    reject_token("access-0", get_settings())
    with pytest.raises(TokenExpiredError):
        get_access_token()


# -- how long a token is used -----------------------------------------------------------------


def test_a_token_is_used_up_to_a_minute_before_its_end() -> None:
    """More than 60 seconds left is fresh; exactly 60 is not."""
    tokens = AuthTokens("a", None, 1_000.0)
    assert tokens.is_fresh(939.9)
    assert not tokens.is_fresh(940.0)
    assert not tokens.is_fresh(2_000.0)


@pytest.mark.parametrize("lifetime", [10.0, 60.0, 119.0])
def test_a_token_that_lives_shortly_is_used_for_half_of_its_life(
    lifetime: float, tmp_path: Path
) -> None:
    """A token of a minute is not refreshed before each request."""
    tokens = AuthTokens("a", None, time.time() + lifetime)
    store().write(tokens, client_id=None)
    leeway = store().leeway(tokens)
    assert leeway == pytest.approx(lifetime / 2, abs=1)
    assert tokens.is_fresh(time.time(), leeway)
    other = AuthTokens("of another program", None, time.time() + lifetime)
    assert store().leeway(other) == 60.0


@pytest.mark.parametrize(
    ("token", "expires_in", "end"),
    [
        ("opaque", 600, 1_600.0),
        ("opaque", "600", 1_600.0),
        (jwt({"exp": 5_000}), 600, 1_600.0),
        (jwt({"exp": 5_000}), None, 5_000.0),
        (jwt({}), None, 1_000.0 + USUAL_LIFETIME),
        ("opaque", None, 1_000.0 + USUAL_LIFETIME),
        ("a.b.c", "soon", 1_000.0 + USUAL_LIFETIME),
        ("opaque", "²", 1_000.0 + USUAL_LIFETIME),
        ("opaque", 10**400, 1_000.0 + USUAL_LIFETIME),
        ("opaque", float("nan"), 1_000.0 + USUAL_LIFETIME),
        ("opaque", -5, 1_000.0 + USUAL_LIFETIME),
        (jwt({"exp": 1e300}), None, 1_000.0 + USUAL_LIFETIME),
    ],
)
def test_the_end_of_a_token(token: str, expires_in: object, end: float) -> None:
    """The answer says when a token ends, else the token, else it lives as long as usual."""
    assert expiry(token, expires_in, now=1_000.0) == end


# -- the refresh grant ------------------------------------------------------------------------


def refresh(status: int, body: Any, sent: list[Request]) -> AuthTokens:
    """Send the refresh grant to a function that answers `body`."""

    def send(request: Request) -> Exchange:
        sent.append(request)
        return came(status, json.dumps(body).encode())

    return refresh_tokens(
        Transport(send),
        "https://auth.example.org",
        client_id="client-1",
        refresh_token=Secret("refresh-0"),
    )


def test_the_refresh_grant_is_the_documented_one() -> None:
    """The grant is a JSON body to /oauth/token, sent once, and its rotated tokens come back."""
    sent: list[Request] = []
    before = time.time()
    answered = {"access_token": "access-1", "refresh_token": "refresh-1", "expires_in": 600}
    tokens = refresh(200, answered, sent)
    (request,) = sent
    assert request.url == "https://auth.example.org/oauth/token"
    assert request.once
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.payload) == {
        "grant_type": "refresh_token",
        "client_id": "client-1",
        "refresh_token": "refresh-0",
    }
    assert (tokens.access_token, tokens.refresh_token) == ("access-1", "refresh-1")
    assert before + 600 <= tokens.expires_at <= time.time() + 600


def test_a_refresh_token_that_is_not_rotated_is_kept() -> None:
    """Where no new refresh token comes back, the old one stays."""
    tokens = refresh(200, {"access_token": "access-1", "expires_in": 600}, [])
    assert tokens.refresh_token == "refresh-0"


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refused_refresh_says_why(status: int) -> None:
    """A refusal is an AuthenticationError in the login's own words, without the token."""
    said = {"error": "invalid_grant", "error_description": "Unknown or invalid refresh token."}
    with pytest.raises(AuthenticationError, match=f"invalid_grant: Unknown.*HTTP {status}") as no:
        refresh(status, said, [])
    assert "refresh-0" not in str(no.value)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_login_in_trouble_is_not_a_refusal(status: int) -> None:
    """Too many requests and 5xx are the login's trouble: the refresh token may still be good."""
    with pytest.raises(HTTPError, match=f"^HTTP {status}"):
        refresh(status, {}, [])


@pytest.mark.parametrize("body", [[], {}, {"access_token": 5}, "access-1"])
def test_an_answer_without_a_token_is_not_understood(body: Any) -> None:
    """An answer of success that carries no access token is said to be none."""
    with pytest.raises(UnexpectedAnswer, match="access_token"):
        refresh(200, body, [])


# -- get_access_token -------------------------------------------------------------------------


def test_a_valid_token_needs_no_network(login: Login, tmp_path: Path) -> None:
    """With more than 60 s left the token of the file is returned, and nobody is asked."""
    write_file(tmp_path, access_token=login.token, expires_at=time.time() + 3_600)
    assert get_access_token() == login.token
    assert login.grants == []


def test_an_ended_token_is_refreshed_and_saved(login: Login, tmp_path: Path) -> None:
    """A token in its last minute is refreshed; the rotated tokens are saved and used next time."""
    write_file(tmp_path, access_token=login.token, expires_at=time.time() + 59)
    assert [get_access_token(), get_access_token()] == ["access-1", "access-1"]
    assert [(one["path"], one["client_id"]) for one in login.grants] == [
        ("/oauth/token", "client-1")
    ]
    saved = store().read()
    assert saved is not None
    assert saved.refresh_token == "refresh-1"


def test_the_client_id_of_the_last_login_is_known(
    login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without SEQUENCE_AUTH0_CLIENT_ID the one that stands beside the token is used."""
    monkeypatch.delenv("SEQUENCE_AUTH0_CLIENT_ID")
    store().write(AuthTokens("access-0", "refresh-0", 0.0), client_id="client-seen")
    assert get_access_token() == "access-1"
    assert login.grants[0]["client_id"] == "client-seen"


def test_a_rejected_token_is_refreshed(login: Login, tmp_path: Path) -> None:
    """A token that the service refused before its time is refreshed like an ended one."""
    write_file(tmp_path, access_token=login.token)
    assert get_access_token() == login.token
    reject_token(login.token, get_settings())
    assert get_access_token() == "access-1"


def test_after_a_refused_refresh_the_missing_login_is_named(
    login: Login, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Refused and without credentials: TokenExpiredError names what to set; nothing is lost."""
    file = write_file(tmp_path, access_token=login.token, refresh_token="plant-1", expires_at=1.0)
    before = file.read_text()
    with (
        caplog.at_level(logging.DEBUG, "seqdata"),
        pytest.raises(TokenExpiredError) as expired,
    ):
        get_access_token()
    said = str(expired.value)
    assert "The access token has expired" in said
    assert "SEQUENCE_EMAIL, SEQUENCE_PASSWORD, SEQUENCE_TOTP" in said
    assert said.endswith(".")
    assert "invalid_grant" in caplog.text
    assert "plant-1" not in f"{said} {expired.value!r} {caplog.text}"
    assert file.read_text() == before


def test_only_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where some credentials are set, the error names the others only."""
    monkeypatch.setenv("SEQUENCE_EMAIL", "kim@example.org")
    with pytest.raises(TokenExpiredError, match=": SEQUENCE_PASSWORD, SEQUENCE_TOTP not set"):
        get_access_token()


def test_processes_refresh_once(login: Login, tmp_path: Path) -> None:
    """Three processes with an ended token at once: one refreshes, all get the same new token."""
    write_file(tmp_path, access_token=login.token, expires_at=1.0)
    script = "from seqdata import get_access_token; print(get_access_token())"
    started = [
        subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    given = [one.communicate(timeout=LONG)[0].strip() for one in started]
    assert given == ["access-1"] * 3
    assert len(login.grants) == 1


def test_a_repr_of_tokens_masks() -> None:
    """Neither token shows in the repr or the text of AuthTokens."""
    shown = f"{AuthTokens('plant-1', 'plant-2', 5.0)!r} {AuthTokens('plant-1', None, 5.0)}"
    assert "plant" not in shown
    assert "expires_at=5.0" in shown


def test_a_refusal_that_cannot_be_noted_stays_the_refusal(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Where a rejected token cannot be noted, a warning is logged and nothing else is raised."""
    write_file(tmp_path)
    (tmp_path / ".tokens.lock").mkdir()
    with caplog.at_level(logging.WARNING, "seqdata"):
        reject_token("access-0", get_settings())
    assert "rejected token could not be noted" in caplog.text
