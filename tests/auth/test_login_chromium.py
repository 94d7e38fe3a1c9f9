"""Which browser is used, and how one is got."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from seqdata.auth.login.chromium import find_browser, in_own_thread, install_browser
from seqdata.exceptions import NoBrowser


@pytest.fixture
def chrome(tmp_path: Path) -> Path:
    """A file that stands for a browser's program."""
    path = tmp_path / "chrome"
    path.touch()
    return path


def nothing(_: str) -> None:
    """Find no command."""


def test_the_named_browser_comes_first(chrome: Path) -> None:
    """SEQUENCE_BROWSER wins over an installed one, as a path or as a command's name."""
    found = find_browser(chrome, which=lambda _: "/usr/bin/chromium")
    assert (found.path, found.source) == (chrome, "SEQUENCE_BROWSER")
    assert find_browser(Path("brave"), which=lambda _: str(chrome)).path == chrome


def test_a_named_browser_that_is_not_there_is_refused(tmp_path: Path, chrome: Path) -> None:
    """A wrong SEQUENCE_BROWSER is named, and no other browser takes its place."""
    with pytest.raises(NoBrowser, match="nowhere"):
        find_browser(tmp_path / "nowhere", which=lambda _: str(chrome))
    with pytest.raises(NoBrowser, match="nowhere"):
        find_browser(Path("nowhere"), which=nothing)


def test_an_installed_browser_comes_before_playwrights(chrome: Path, tmp_path: Path) -> None:
    """Chrome comes before Chromium and Edge, then the usual places, then Playwright's own."""

    def own() -> Path:
        return tmp_path / "own"

    commands = {"google-chrome": str(chrome), "chromium": "/usr/bin/env"}
    assert find_browser(None, which=commands.get, places=(), own=own).path == chrome
    assert find_browser(None, which=nothing, places=[str(chrome)], own=own).source == "installed"
    assert find_browser(None, which=nothing, places=(), own=own).source == "Playwright's own"


def test_no_browser_at_all_says_how_to_get_one() -> None:
    """Where there is none, the error names the command that gets one."""
    with pytest.raises(NoBrowser, match="seqdata browser install"):
        find_browser(None, which=nothing, places=(), own=lambda: None)


class Shell:
    """Remembers commands and answers with given exit codes."""

    def __init__(self, *codes: int) -> None:
        self.codes = list(codes)
        self.commands: list[str] = []
        self.questions: list[str] = []

    def run(self, command: Sequence[str]) -> int:
        self.commands.append(" ".join(command))
        return self.codes.pop(0)

    def yes(self, question: str) -> bool:
        self.questions.append(question)
        return True

    def no(self, question: str) -> bool:
        self.questions.append(question)
        return False


DOWNLOAD = f"{sys.executable} -m playwright install chromium"
UPDATE, APT = "apt-get update", "apt-get install -y chromium"


@pytest.mark.parametrize(
    ("codes", "has_apt", "is_root", "commands", "done"),
    [
        ([0], True, True, [DOWNLOAD], True),
        ([1, 0, 0], True, True, [DOWNLOAD, UPDATE, APT], True),
        ([1, 100, 0], True, True, [DOWNLOAD, UPDATE, APT], True),
        ([1, 0, 0], True, False, [DOWNLOAD, f"sudo {UPDATE}", f"sudo {APT}"], True),
        ([1, 0, 100], True, True, [DOWNLOAD, UPDATE, APT], False),
        ([1], False, True, [DOWNLOAD], False),
    ],
)
def test_the_download_comes_first_then_the_distribution(
    codes: list[int], has_apt: bool, is_root: bool, commands: list[str], done: bool
) -> None:
    """Playwright's download is tried, then on Debian-like systems the chromium package."""
    shell = Shell(*codes)
    result = install_browser(run=shell.run, ask=shell.yes, has_apt=has_apt, is_root=is_root)
    assert (shell.commands, result) == (commands, done)
    assert shell.questions == ([" && ".join(commands[1:])] if commands[1:] else [])


def test_nothing_is_installed_without_a_yes() -> None:
    """The system's packages are not touched where the person says no."""
    shell = Shell(1)
    assert not install_browser(run=shell.run, ask=shell.no, has_apt=True, is_root=True)
    assert shell.commands == [DOWNLOAD]
    assert shell.questions == [f"{UPDATE} && {APT}"]


def test_an_error_of_the_own_thread_is_the_callers() -> None:
    """What is raised in the browser's thread arrives where the login was asked for."""
    with pytest.raises(NoBrowser):
        in_own_thread(lambda _: find_browser(None, which=nothing, places=(), own=lambda: None))
