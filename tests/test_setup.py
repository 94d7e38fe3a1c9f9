"""``seqdata setup`` in a real terminal, against a sandbox; and what it writes."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
from hypothesis import given
from hypothesis import strategies as st
from waiting import PATIENCE

from seqdata.config.envfile import read_env_file, write_env_file
from seqdata.core.secret import Secret
from seqdata.exceptions import InvalidSetting
from seqdata.sandbox import Sandbox


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(months=1, now="2026-11-01", organizations=2) as running:
        yield running


class Terminal:
    """The command in a terminal of its own: what it says, and what is typed."""

    def __init__(self, box: Sandbox, folder: Path, **more: str) -> None:
        servers = {k: v for k, v in box.environment().items() if k.endswith("_URL")}
        kept = {k: v for k, v in os.environ.items() if not k.startswith("SEQUENCE_")}
        self.child = pexpect.spawn(
            sys.executable, ["-m", "seqdata", "setup"], cwd=str(folder), timeout=PATIENCE,
            env={**kept, **servers, **more, "COLUMNS": "100", "NO_COLOR": "1"}, encoding="utf-8",
            dimensions=(40, 100),
        )  # fmt: skip
        self.said = ""

    def answer(self, question: str, typed: str) -> None:
        self.child.expect_exact(question)
        self.said += str(self.child.before) + question
        self.child.sendline(typed)

    def ends(self) -> int:
        self.child.expect(pexpect.EOF)
        self.said += str(self.child.before)
        self.child.close()
        return int(self.child.exitstatus or 0)


def test_from_an_empty_folder_to_the_first_sync(box: Sandbox, tmp_path: Path) -> None:
    """Answers are tried as they are typed, secrets never shown, and a sync ends it; run again,
    Enter keeps everything."""
    tmp_path.chmod(0o700)
    shell = Terminal(box, tmp_path)
    shell.answer("Use this folder? [Y/n]:", "")
    shell.answer("E-mail:", "nobody")
    shell.answer("E-mail:", box.email)
    shell.answer("Password:", box.password)
    shell.answer("authenticator app:", "not a key")
    shell.answer("authenticator app:", box.totp_secret)
    shell.answer("Does your app show the same? [Y/n]:", "")
    shell.answer("May seqdata move money, where you confirm it, within its limits? [y/N]:", "")
    shell.answer("now? [Y/n]:", "")
    shell.answer("(its number):", "9")
    shell.answer("(its number):", "1")
    shell.answer("Sync now?", "")
    assert shell.ends() == 0
    assert "That is no e-mail address." in shell.said
    assert "Complete: " in shell.said
    assert "Next: seqdata status" in shell.said
    for secret in (box.password, box.totp_secret):
        assert secret not in shell.said
    file = tmp_path / ".env"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    first = read_env_file(file)
    assert first["SEQUENCE_READ_ONLY"] == Secret("1")

    again = Terminal(box, tmp_path)
    again.answer("Use this folder? [Y/n]:", "")
    again.answer("Enter keeps it]:", "")
    again.answer("Enter keeps it]:", "")
    again.answer("Enter keeps it]:", "")
    again.answer("[y/N]:", "y")
    again.answer("now? [Y/n]:", "n")
    assert again.ends() == 0
    assert read_env_file(file) == {**first, "SEQUENCE_READ_ONLY": Secret("0")}


def test_what_the_environment_says_is_not_asked(box: Sandbox, tmp_path: Path) -> None:
    """A variable that is set already is named and left as it is."""
    tmp_path.chmod(0o700)
    shell = Terminal(
        box, tmp_path, SEQUENCE_EMAIL=box.email, SEQUENCE_PASSWORD=box.password,
        SEQUENCE_TOTP=box.totp_secret, SEQUENCE_READ_ONLY="1",
    )  # fmt: skip
    shell.answer("Use this folder? [Y/n]:", "")
    shell.answer("now? [Y/n]:", "n")
    assert shell.ends() == 0
    assert shell.said.count("from the environment") == 3
    assert not (tmp_path / ".env").exists()


def test_without_a_terminal_it_says_what_to_set_instead(tmp_path: Path) -> None:
    """Where nobody can answer, nothing is asked: the variables are named."""
    command = [sys.executable, "-m", "seqdata", "setup"]
    done = subprocess.run(
        command, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "SEQUENCE_TOTP" in done.stderr


TEXTS = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FF, blacklist_categories=("Cc", "Cs", "Zs")),
    min_size=1, max_size=40,
)  # fmt: skip


@given(value=TEXTS, other=TEXTS)
def test_what_is_written_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, value: str, other: str
) -> None:
    """Any password comes back as it was typed, other lines stay, or it is refused and nothing is
    written."""
    file = tmp_path_factory.mktemp("env") / ".env"
    file.write_text("# mine\nOTHER=1\nSEQUENCE_EMAIL=a@b.example\n")
    try:
        write_env_file(file, {"SEQUENCE_PASSWORD": Secret(value)})
    except InvalidSetting:
        assert file.read_text() == "# mine\nOTHER=1\nSEQUENCE_EMAIL=a@b.example\n"
        assert set(value) & set("'\"#$\\")
        return
    assert read_env_file(file)["SEQUENCE_PASSWORD"] == Secret(value)
    assert file.read_text().startswith("# mine\nOTHER=1\nSEQUENCE_EMAIL=a@b.example\n")
    write_env_file(file, {"SEQUENCE_EMAIL": Secret("c@d.example")})
    assert read_env_file(file) == {
        "SEQUENCE_EMAIL": Secret("c@d.example"), "SEQUENCE_PASSWORD": Secret(value),
    }  # fmt: skip
