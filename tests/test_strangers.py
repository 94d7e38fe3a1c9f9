"""What was merely found: it counts only where it is the user's own, and never for everything."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core import ultratb

from seqdata import config
from seqdata import exceptions as ex
from seqdata.auth import AuthTokens
from seqdata.auth.tokens import TokenStore
from seqdata.config import SequenceCredentials, get_settings
from seqdata.config.envfile import read_env_file
from seqdata.config.settings import NEVER_FOUND, Settings
from seqdata.core.files import write_json
from seqdata.core.origins import PRODUCTION_APP, server_of
from seqdata.exceptions import InvalidSetting
from seqdata.http.surroundings import proxy_of

NOBODY = 65534

needs_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files to others"
)


# -- whose it is ------------------------------------------------------------------------------


def make(folder: Path, name: str = ".env") -> Path:
    """Make a file that marks a data folder."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("SEQUENCE_USER=stranger\nSEQUENCE_PASSWORD=planted\n")
    path.chmod(0o600)
    return path


@needs_root
@pytest.mark.parametrize("theirs", ["the file", "the folder", "both"])
@pytest.mark.parametrize("where", ["here", "above"])
@pytest.mark.parametrize("name", [".env", ".tokens.json", ".audit.jsonl", "cache/.seqdata"])
def test_what_another_user_owns_is_not_obeyed(
    theirs: str, where: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stranger's file, or a file in a stranger's folder, gives no setting and no data folder."""
    folder = tmp_path / "top"
    mark = make(folder, name)
    here = folder if where == "here" else folder / "deep" / "er"
    here.mkdir(parents=True, exist_ok=True)
    for path, word in ((mark, "the file"), (folder, "the folder")):
        if theirs in (word, "both"):
            os.chown(path, NOBODY, NOBODY)
    monkeypatch.chdir(here)
    assert Path() == config.DATA_DIR
    assert get_settings().user != "stranger"
    assert get_settings().password is None


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such bits")
@pytest.mark.parametrize("mode", [0o020, 0o002, 0o022])
@pytest.mark.parametrize("wide", ["the file", "the folder"])
@pytest.mark.parametrize("where", ["here", "above"])
def test_what_others_may_write_is_not_obeyed(
    mode: int,
    wide: str,
    where: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A write bit for group or others is enough, and one warning says which and what to do."""
    mark = make(tmp_path / "top")
    path = mark if wide == "the file" else mark.parent
    path.chmod(path.stat().st_mode | mode)
    here = mark.parent if where == "here" else mark.parent / "deep"
    here.mkdir(exist_ok=True)
    monkeypatch.chdir(here)
    for _ in range(3):
        assert Path() == config.DATA_DIR
        assert get_settings().user != "stranger"
    said = [one.getMessage() for one in caplog.records if str(path) in one.getMessage()]
    assert len(set(said)) == len(said) >= 1
    assert all("chmod go-w" in one and "SEQUENCE_DATA_DIR" in one for one in said)
    monkeypatch.setenv("SEQUENCE_DATA_DIR", str(mark.parent))
    assert get_settings().user == "stranger"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such bits")
@pytest.mark.parametrize("wide", ["the file", "the folder"])
@pytest.mark.parametrize("name", [".audit.jsonl", ".daily_limits.json"])
def test_own_limits_above_are_never_left_behind(
    name: str, wide: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where others may write the user's own log or limits above, that is said, and nothing done."""
    mark = make(tmp_path / "top", name)
    path = mark if wide == "the file" else mark.parent
    mode = path.stat().st_mode
    here = mark.parent / "deep"
    here.mkdir()
    monkeypatch.chdir(here)
    path.chmod(mode | 0o020)
    with pytest.raises(ex.FolderNotOwn, match=f"{path} is not yours alone.*chmod go-w"):
        get_settings()
    path.chmod(mode)
    assert mark.parent == config.DATA_DIR


def test_a_setting_that_was_passed_over_is_not_just_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who wrote a setting into a file that others may write is told that and the way out."""
    monkeypatch.chdir(tmp_path)
    make(tmp_path).chmod(0o664)
    with pytest.raises(ex.MissingSetting, match="passed over.*chmod go-w"):
        config.get_credentials()


def test_the_search_ends_with_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The home folder itself can be the data folder; what stands above it cannot."""
    home = tmp_path / "home"
    here = home / "project"
    here.mkdir(parents=True)
    make(tmp_path, ".audit.jsonl")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.chdir(here)
    assert Path() == config.DATA_DIR
    make(home, ".audit.jsonl")
    assert home == config.DATA_DIR


@needs_root
@pytest.mark.parametrize(("in_home", "found"), [(True, True), (False, False)])
def test_a_strangers_folder_ends_the_search_outside_of_home(
    in_home: bool, found: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between here and the data folder no folder may be another user's, but below the home."""
    make(tmp_path, ".audit.jsonl")
    here = tmp_path / "theirs" / "here"
    here.mkdir(parents=True)
    os.chown(here.parent, NOBODY, NOBODY)
    monkeypatch.setenv("HOME", str(tmp_path if in_home else tmp_path / "elsewhere"))
    monkeypatch.chdir(here)
    assert (tmp_path if found else Path()) == config.DATA_DIR


@needs_root
def test_an_own_file_does_not_lead_into_a_strangers_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A SEQUENCE_DATA_DIR of a found file may name a folder of the user's own, or a new one."""
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (tmp_path / ".env").write_text(f"SEQUENCE_DATA_DIR={theirs}\n")
    assert theirs == config.DATA_DIR
    os.chown(theirs, NOBODY, NOBODY)
    assert tmp_path == config.DATA_DIR


# -- what is never taken ----------------------------------------------------------------------

#: A value of each setting that differs from its default, and whether a found file may say it.
SAID = {
    "email": ("kim@example.org", True),
    "password": ("planted", True),
    "totp": ("123456", True),
    "org_id": ("org", True),
    "kyc_id": ("kyc", True),
    "auth0_client_id": ("client", True),
    "cache_dir": ("tables", True),
    "app_url": ("https://elsewhere.example", False),
    "auth_url": ("https://elsewhere.example", False),
    "min_delay": ("9.5", True),
    "max_jitter": ("9.5", True),
    "timezone": ("Europe/Berlin", True),
    "max_transfer_cents": ("5", True),
    "max_daily_transfer_cents": ("5", True),
    "stage_seconds": ("5", True),
    "user": ("somebody", True),
    "read_only": ("1", True),
    "allow_unattended_transfers": ("1", False),
    "overlap_days": ("5", True),
    "rescan_days": ("5", True),
    "archive": ("0", True),
    "browser": ("/elsewhere/browser", False),
    "ca_bundle": ("", False),
    "debug": ("1", True),
    "theme": ("dark", True),
}


def test_every_setting_is_decided() -> None:
    """Of each setting it is written down whether a file that was merely found may say it."""
    assert set(SAID) == set(Settings.names()) - {"data_dir"}
    assert {name for name, (_, may) in SAID.items() if not may} == NEVER_FOUND


@pytest.mark.parametrize("name", SAID)
@pytest.mark.parametrize("where", ["here", "above", "moved"])
def test_a_found_file_says_only_what_it_may(
    name: str,
    where: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Server, browser, authority and unattended rules count from the environment's word alone."""
    value, may = SAID[name]
    bundle = tmp_path / "bundle.pem"
    bundle.touch()
    top = tmp_path / "top"
    moved = top / "moved"
    (top / "deep").mkdir(parents=True)
    moved.mkdir()
    line = f"SEQUENCE_{name.upper()}={value or bundle}\n"
    (top / ".env").write_text("SEQUENCE_DATA_DIR=moved\n" if where == "moved" else line)
    (moved / ".env").write_text(line)
    monkeypatch.chdir(top / "deep" if where == "above" else top)
    default = getattr(Settings(), name)
    found = [getattr(get_settings(), name) for _ in range(3)]
    assert all((one != default) == may for one in found)
    warnings = [one.getMessage() for one in caplog.records if "not taken" in one.getMessage()]
    assert [f"SEQUENCE_{name.upper()} is" in one for one in warnings] == ([] if may else [True])
    monkeypatch.setenv("SEQUENCE_DATA_DIR", str(moved))
    assert getattr(get_settings(), name) != default
    monkeypatch.delenv("SEQUENCE_DATA_DIR")
    monkeypatch.setenv(f"SEQUENCE_{name.upper()}", value or str(bundle))
    assert getattr(get_settings(), name) != default


@pytest.mark.parametrize(
    ("url", "is_taken"),
    [
        ("http://127.0.0.1:8080", True),
        ("https://localhost:8080", True),
        ("http://[::1]:8080", True),
        ("https://localhost.example.org", False),
        ("https://127.0.0.1.example.org", False),
        ("https://getsequence.io", False),
    ],
)
@pytest.mark.parametrize("name", ["app_url", "auth_url"])
def test_a_found_file_may_name_a_sandbox(
    name: str, url: str, is_taken: bool, tmp_path: Path
) -> None:
    """A server of this machine is taken from a found file; any other is not."""
    (tmp_path / ".env").write_text(f"SEQUENCE_{name.upper()}={url}\n")
    assert (getattr(get_settings(), name) == url) == is_taken


def test_an_empty_variable_names_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty variable of the environment counts as none: it neither trusts nor hides a file."""
    (tmp_path / ".env").write_text("SEQUENCE_BROWSER=/elsewhere\nSEQUENCE_USER=kim\n")
    for name in ("SEQUENCE_DATA_DIR", "SEQUENCE_BROWSER", "SEQUENCE_USER"):
        monkeypatch.setenv(name, "")
    assert (get_settings().browser, get_settings().user) == (None, "kim")


@needs_root
@pytest.mark.parametrize("whose", [0, NOBODY], ids=["own", "strangers"])
def test_a_found_file_runs_no_program(whose: int, tmp_path: Path) -> None:
    """`seqdata browser check` starts no program that a found file names."""
    ran = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\nenv > {ran}\n")
    program.chmod(0o755)
    env = tmp_path / "top" / ".env"
    env.parent.mkdir()
    env.write_text(f"SEQUENCE_BROWSER={program}\n")
    os.chown(env, whose, whose)
    here = env.parent / "deep"
    here.mkdir()
    _run_check(here, {"SEQUENCE_PASSWORD": "planted"})
    assert not ran.exists()
    _run_check(here, {"SEQUENCE_PASSWORD": "planted", "SEQUENCE_BROWSER": str(program)})
    assert "PATH=" in ran.read_text()
    assert "SEQUENCE_" not in ran.read_text()
    assert "planted" not in ran.read_text()


def _run_check(folder: Path, settings: dict[str, str]) -> None:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder / "home"), **settings}
    subprocess.run(
        [sys.executable, "-m", "seqdata", "browser", "check"],
        cwd=folder, env=environment, capture_output=True, check=False, timeout=120,
    )  # fmt: skip


# -- how a value is written -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("plain", "plain"),
        ("two words", "two words"),
        ("  blanks around  ", "blanks around"),
        ("pa#word", "pa#word"),
        ("#word", "#word"),
        ("a\\tb", "a\\tb"),
        ("it's", "it's"),
        ("cost$", "cost$"),
        ("$1", "$1"),
        ("a=b", "a=b"),
        ("'pa$$word#1'", "pa$$word#1"),
        ("'${X}'", "${X}"),
        ("'$X'", "$X"),
        ("'a #b'", "a #b"),
        ("'a' # a comment", "a"),
        ("'a\\tb'", "a\\tb"),
        ("'it\\'s'", "it's"),
        ("' a '", " a "),
        ('"it\'s #1"', "it's #1"),
        ('"a\\qb"', "a\\qb"),
    ],
)
def test_a_value_is_taken_as_it_stands(written: str, value: str, tmp_path: Path) -> None:
    """What is written is what is read, without its quotes."""
    (tmp_path / ".env").write_text(f"A=1\nSEQUENCE_PASSWORD={written}\nB=2\n")
    assert read_env_file(tmp_path / ".env")["SEQUENCE_PASSWORD"].get_secret_value() == value


@pytest.mark.parametrize(
    ("written", "remedy"),
    [
        ("pl4nted #b", "='value'"),
        (" #pl4nted", "='value'"),
        ("pl4nted\t# b", "='value'"),
        ("pl4nted$NAME", "='value'"),
        ("pl4nted$$word#1", "='value'"),
        ("${pl4nted}", "='value'"),
        ('"pl4nted$NAME"', "='value'"),
        ('"pl4nted\\tb"', "=value without quotes"),
        ('"pl4nted\\\\b"', "=value without quotes"),
        ('"pl4nted\\"b"', "=value without quotes"),
        ("'pl4nted\\\\b'", "=value without quotes"),
        ('"pl4nted', "='value'"),
        ("'pl4nted", "='value'"),
        ("'pl4nted'b", "='value'"),
        ("'pl4nted\nB='", "='value'"),
    ],
)
def test_a_value_that_would_change_is_refused(written: str, remedy: str, tmp_path: Path) -> None:
    """A value that a reader would cut or change is refused by name, and never shown."""
    (tmp_path / ".env").write_text(f"A=1\nSEQUENCE_PASSWORD={written}\nB=2\n")
    with pytest.raises(InvalidSetting) as refused:
        get_settings()
    said = str(refused.value)
    assert said.startswith("SEQUENCE_PASSWORD cannot be used")
    assert f"SEQUENCE_PASSWORD{remedy}" in said
    assert str(tmp_path / ".env") in said or ".env" in said
    assert "pl4nted" not in f"{said}{refused.value!r}"


@pytest.mark.parametrize("quote", ['"', "'"])
def test_a_quote_of_another_line_swallows_no_setting(quote: str, tmp_path: Path) -> None:
    """A setting that stands inside another line's open quote is not lost in silence."""
    (tmp_path / ".env").write_text(f"OTHER={quote}a\nSEQUENCE_PASSWORD=b\nMORE={quote}\n")
    with pytest.raises(InvalidSetting, match="SEQUENCE_PASSWORD.*quote is not closed"):
        get_settings()


def test_lines_of_others_are_passed_over(tmp_path: Path) -> None:
    """What other programs, comments and an editor's mark of UTF-8 say is no trouble."""
    text = "\ufeffSEQUENCE_USER=kim\nA=${B} #c\n# SEQUENCE_PASSWORD=${X}\nC='\n"
    text += "export sequence_debug=1\n"
    (tmp_path / ".env").write_text(text, encoding="utf-8")
    assert (get_settings().user, get_settings().debug) == ("kim", True)
    assert get_settings().password is None


@pytest.mark.parametrize(
    "before", ["A=1\n" * 40_000, "A=" + "1" * 5_000 + "\n", "A=1\n" * 2_000_000]
)
def test_a_setting_is_lost_in_no_large_file(before: str, tmp_path: Path) -> None:
    """Where a file is too large to be taken apart, a setting far down in it is no silent loss."""
    (tmp_path / ".env").write_text(before)
    assert get_settings().password is None
    (tmp_path / ".env").write_text(f"{before}sequence_password=pl4nted\n")
    with pytest.raises(InvalidSetting, match="of at most 65,536 bytes, in lines of at most 4,096"):
        get_settings()


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=12))
def test_a_value_comes_back_or_is_refused(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    """However a value is quoted, it is read as it stands between its quotes, or refused."""
    file = tmp_path_factory.mktemp("quoted") / ".env"
    for quote in ("", "'", '"'):
        file.write_text(f"SEQUENCE_PASSWORD={quote}{text}{quote}\n", encoding="utf-8")
        try:
            read = read_env_file(file)
        except InvalidSetting:
            continue
        expected = text if quote else text.strip()
        if quote == "'":
            expected = expected.replace("\\'", "'")
        if not quote and expected[:1] in ("'", '"'):
            continue  # it brings its own quotes
        got = read["SEQUENCE_PASSWORD"].get_secret_value() if read else ""
        assert got == expected


def test_the_file_is_in_no_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Reading a file at DEBUG says nothing of its values."""
    (tmp_path / ".env").write_text("SEQUENCE_PASSWORD=pl4nted\nOTHER='pl4nted\n")
    with caplog.at_level(logging.DEBUG):
        get_settings()
    assert "pl4nted" not in caplog.text


# -- the working directory itself -------------------------------------------------------------


@needs_root
def test_a_strangers_working_directory_holds_nothing_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where one merely stands in another user's folder, it is not taken; root is warned of it."""
    tmp_path.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    os.seteuid(NOBODY)
    try:
        with pytest.raises(ex.FolderNotOwn, match="is not taken as one.*DATA_DIR"):
            get_settings()
    finally:
        os.seteuid(0)
    os.chown(tmp_path, NOBODY, NOBODY)
    assert Path() == config.DATA_DIR
    assert "name a folder of your own" in caplog.text


@needs_root
def test_a_strangers_token_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token file that another user put there counts as none, wherever it lies."""
    monkeypatch.setenv("SEQUENCE_DATA_DIR", str(tmp_path))
    file = tmp_path / ".tokens.json"
    file.write_text(json.dumps({"access_token": "t", "refresh_token": None, "expires_at": 4e9}))
    store = TokenStore(get_settings())
    assert store.read() is not None
    os.chown(file, NOBODY, NOBODY)
    assert store.read() is None


def test_a_working_directory_that_is_gone_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who stands in a removed folder is told so, by every command, in a sentence."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(ex.FolderNotOwn, match="cannot be looked at"):
        get_settings()


ODD_HOSTS = [
    "127.1", "0x7f.1", "2130706433", "127%2e0.0.1", "l%6fcalhost", "app%2egetsequence.io",
    "app\u3002getsequence.io", "\uff41pp.getsequence.io", "app.get\u00adsequence.io",
    "[::1].evil.example", "[::1]evil.example", "0177.0.0.1", "127.0.0.1.", "1.2.3.4.5", "a..b",
]  # fmt: skip


@pytest.mark.parametrize("host", ODD_HOSTS)
def test_a_server_has_one_name(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that libcurl would read as another one's name is refused, wherever it is said."""
    monkeypatch.setenv("SEQUENCE_APP_URL", f"https://{host}")
    if host == "127.0.0.1.":  # a trailing dot says nothing
        assert server_of(get_settings().app_url) == server_of("https://127.0.0.1")
        return
    with pytest.raises(InvalidSetting, match="SEQUENCE_APP_URL"):
        get_settings()
    monkeypatch.delenv("SEQUENCE_APP_URL")
    Path(".env").write_text(f"SEQUENCE_APP_URL='https://{host}'\n", encoding="utf-8")
    Path(".env").chmod(0o600)
    with contextlib.suppress(InvalidSetting):  # or it is passed over, for it is no sandbox's
        assert get_settings().app_url == PRODUCTION_APP


@pytest.mark.parametrize(
    "host",
    [
        "app.example",
        "a-b.example:8443",
        "localhost:1",
        "[::1]:2",
        "127.0.0.1",
        "xn--bcher-kva.example",
        "my_host.lan",
        "host.",
    ],
)
def test_a_usual_host_is_taken(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of DNS and addresses as they are usually written are servers."""
    monkeypatch.setenv("SEQUENCE_APP_URL", f"https://{host}")
    assert get_settings().app_url == f"https://{host}"


@pytest.mark.parametrize("name", ["SEQUENCE_DATA_DIR", "SEQUENCE_CACHE_DIR", "SEQUENCE_CA_BUNDLE"])
def test_the_home_of_nobody_is_no_path(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path of a user that there is not is refused by the name of its setting."""
    monkeypatch.setenv(name, "~no-such-user/x")
    with pytest.raises(InvalidSetting, match=name):
        _ = get_settings().cache_path


# -- a server of a found file -----------------------------------------------------------------


def test_a_found_server_gets_no_password_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a login types goes to servers of a found file only if it stands in that file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEQUENCE_PASSWORD", "plant-7")
    monkeypatch.setenv("SEQUENCE_EMAIL", "kim@example.org")
    env = tmp_path / ".env"
    env.write_text("SEQUENCE_AUTH_URL=http://127.0.0.1:4444\nSEQUENCE_EMAIL=sandbox@example.org\n")
    found = get_settings()
    assert found.password is None
    assert found.email is not None
    assert found.email.get_secret_value() == "sandbox@example.org"
    env.write_text("SEQUENCE_USER=kim\n")
    assert get_settings().password is not None


# -- what is refused is not shown -------------------------------------------------------------


REFUSED = {
    "SEQUENCE_APP_URL": "https://me:plant-9@example.org",
    "SEQUENCE_AUTH_URL": "gopher://me:plant-9@example.org",
    "HTTPS_PROXY": "http://me:plant-9@proxy example.org",
    "ALL_PROXY": "gopher://me:plant-9@proxy.example.org",
}


@pytest.mark.parametrize("name", [*REFUSED, "a file", "a file that is no text", "a long line"])
def test_a_refused_password_is_in_no_traceback(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much a traceback shows, a setting that is refused shows no password."""
    monkeypatch.setenv("SEQUENCE_DATA_DIR", str(tmp_path))
    env = tmp_path / ".env"
    if name in REFUSED:
        monkeypatch.setenv(name, REFUSED[name])
    elif name == "a file":
        env.write_text('SEQUENCE_PASSWORD="plant-9" # and $more\nSEQUENCE_TOTP=plant-9 #x\n')
    elif name == "a long line":
        env.write_text(f"SEQUENCE_PASSWORD=plant-9{'x' * 5000}\n")
    else:
        env.write_bytes(b"SEQUENCE_PASSWORD=plant-9\xff\n")
    formatter = ultratb.VerboseTB()
    with pytest.raises(ex.InvalidSetting) as refused:
        if name.endswith("PROXY"):
            proxy_of("https://service.test/")
        get_settings()
    assert refused.value.__traceback__
    ours = refused.value.__traceback__.tb_next  # not the frame of the test, which knows it
    shown = formatter.text(type(refused.value), refused.value, ours)
    assert "plant-9" not in shown
    assert "plant-9" not in str(refused.value)


@pytest.mark.parametrize("form", ["{}secret", "secret{}", "{0}secret{0}", "two{0} words{0}"])
@pytest.mark.parametrize("blank", ["\u00a0", "\u2003", "\u3000", "\u0085", "\x0b"])
def test_an_odd_blank_is_not_cut_silently(
    form: str, blank: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A value that a reader would shorten by blanks that are no plain ones is refused by name."""
    monkeypatch.setenv("SEQUENCE_DATA_DIR", str(tmp_path))
    line = f"SEQUENCE_PASSWORD={form.format(blank)}\n"
    (tmp_path / ".env").write_text(line, encoding="utf-8")
    with pytest.raises(ex.InvalidSetting, match="SEQUENCE_PASSWORD"):
        get_settings()


HOLDERS: tuple[Callable[[], Any], ...] = (
    lambda: AuthTokens("plant-9", "plant-9", 4e9),
    lambda: SequenceCredentials("a", "plant-9", "plant-9"),
)


@pytest.mark.parametrize("made", HOLDERS)
def test_what_holds_secrets_is_not_written_down_by_accident(made: Callable[[], Any]) -> None:
    """vars() and pickle give no secret away, and neither does a repr."""
    with pytest.raises(TypeError):
        vars(made())
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(made())
    assert "plant-9" not in repr(made())


@pytest.mark.parametrize("made", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_an_exclude_file_that_is_none_stops_nothing(
    made: Callable[[Path], None], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A pipe or a device in the place of git's file is not read; that is said, and all goes on."""
    (tmp_path / ".git" / "info").mkdir(parents=True)
    (tmp_path / ".git" / "HEAD").touch()
    made(tmp_path / ".git" / "info" / "exclude")
    write_json(tmp_path / ".tokens.json", {})
    assert (tmp_path / ".tokens.json").exists()
    assert "git may see the private files" in caplog.text


def test_links_of_git_are_not_followed(tmp_path: Path) -> None:
    """An exclude file that is a link stays as it is, and what it leads to as well."""
    (tmp_path / ".git" / "info").mkdir(parents=True)
    (tmp_path / ".git" / "HEAD").touch()
    victim = tmp_path / "victim"
    victim.write_text("mine\n")
    (tmp_path / ".git" / "info" / "exclude").symlink_to(victim)
    write_json(tmp_path / ".tokens.json", {})
    assert victim.read_text() == "mine\n"
