"""The login's commands, as a person runs them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import commands
import pytest

from seqdata.cli.login import who
from seqdata.sandbox import Sandbox


def run(folder: Path, environment: dict[str, str], *arguments: str) -> tuple[int, str]:
    """Run a command; its exit code and all that it printed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SEQUENCE_")}
    done = commands.run([*arguments], {**kept, **environment}, folder)
    return done.returncode, done.stdout + done.stderr


def test_login_status_and_logout_tell_who_and_until_when(box: Sandbox, tmp_path: Path) -> None:
    """`login` and `status` say who and until when, `logout` removes the token, shown nowhere."""
    data = tmp_path / "data"
    data.mkdir()
    token = {"access_token": box.issue_token(), "refresh_token": None, "expires_at": 4e9}
    (data / ".tokens.json").write_text(json.dumps(token))
    environment = {**box.environment(), "SEQUENCE_DATA_DIR": str(data)}
    shown = ""
    for command, words in (
        ("login", f"as {who(box.email)}"),
        ("status", "valid until"),
        ("status", str(data)),
        ("logout", "Removed the tokens"),
        ("logout", "There are no tokens"),
    ):
        code, said = run(tmp_path, environment, "-vv", command)
        assert code == 0, said
        assert words in said
        shown += said
    assert not (data / ".tokens.json").exists()
    secrets = [token["access_token"], box.email, box.password, box.totp_secret]
    assert [secret for secret in secrets if str(secret) in shown] == []


def test_a_login_says_its_steps(box: Sandbox, tmp_path: Path) -> None:
    """While a browser logs in, each step is said once, and nothing of the log beside it."""
    _, said = run(tmp_path, {**box.environment(), "SEQUENCE_DATA_DIR": "."}, "login", "--force")
    steps = [line.strip() for line in said.splitlines() if line.endswith("...")]
    assert steps[:4] == ["button ...", "e-mail ...", "password ...", "code ..."], said
    assert "INFO" not in said


def test_a_refused_login_ends_with_3(box: Sandbox, tmp_path: Path) -> None:
    """A login that fails ends with the documented code and one sentence."""
    environment = {**box.environment(), "SEQUENCE_BROWSER": "/nowhere/chrome"}
    code, said = run(tmp_path, environment, "login", "--force")
    assert code == 3
    assert "The browser /nowhere/chrome cannot be used" in said
    assert "Traceback" not in said


def test_the_browser_is_named_with_its_version(tmp_path: Path) -> None:
    """`browser check` starts the browser and names it; `browser install` leaves it as it is."""
    code, said = run(tmp_path, {}, "browser", "check")
    assert code == 0, said
    assert "version" in said
    code, said = run(tmp_path, {}, "browser", "install", "--yes")
    assert code == 0
    assert "The browser is" in said


@pytest.mark.parametrize(
    ("email", "shown"),
    [
        ("alex@example.test", "a***@example.test"),
        ("a@example.test", "a***@example.test"),
        ("no-address", "***"),
        (None, "SEQUENCE_EMAIL is not set"),
    ],
)
def test_who_is_told_as_far_as_others_may_see(email: str | None, shown: str) -> None:
    """Of an e-mail address the first letter and the domain are shown."""
    assert who(email) == shown


@pytest.mark.soak
def test_a_demo_without_a_browser_says_so(tmp_path: Path) -> None:
    """Without a browser the demo says that its token comes by the refresh grant."""
    _, said = run(tmp_path, {"SEQUENCE_BROWSER": "/nowhere/chrome"}, "demo", "--months", "1")
    assert "So the token comes by the refresh grant" in said


def test_a_demo_leaves_the_users_folders_alone(tmp_path: Path) -> None:
    """Neither the data folder nor the cache folder of the settings gets anything of a demo's."""
    folders = {"SEQUENCE_DATA_DIR": tmp_path / "data", "SEQUENCE_CACHE_DIR": tmp_path / "cache"}
    environment = {name: str(folder) for name, folder in folders.items()}
    run(tmp_path, {**environment, "SEQUENCE_BROWSER": "/nowhere/chrome"}, "demo", "--months", "1")
    assert not any(folder.exists() for folder in folders.values())
