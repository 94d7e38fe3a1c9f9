"""Private files of a data folder in a git work tree: git does not see them."""

from __future__ import annotations

import logging
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from seqdata.auth import AuthTokens
from seqdata.auth.tokens import TokenStore
from seqdata.cli.doctor import examine
from seqdata.config import get_settings
from seqdata.core.files import holding, write_bytes, write_json
from seqdata.core.git import PRIVATE
from seqdata.safeguards import AuditLog

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git here")


def git(folder: Path, *words: str) -> str:
    """Run git in a folder; what it says."""
    own = ["-c", "user.name=kim", "-c", "user.email=kim@example.org", "-C", str(folder)]
    done = subprocess.run(["git", *own, *words], capture_output=True, text=True, check=True)
    return done.stdout


def in_repository(folder: Path) -> Path:
    git(folder, "init", "-q", "top")
    return folder / "top"


def in_subfolder(folder: Path) -> Path:
    (in_repository(folder) / "my [data] #1" / "deep").mkdir(parents=True)
    return folder / "top" / "my [data] #1" / "deep"


def in_work_tree(folder: Path) -> Path:
    top = in_repository(folder)
    git(top, "commit", "-q", "--allow-empty", "-m", "first")
    git(top, "worktree", "add", "-q", str(folder / "other"))
    return folder / "other"


def in_submodule(folder: Path) -> Path:
    in_work_tree(folder)
    git(folder, "init", "-q", "outer")
    git(folder / "outer", "-c", "protocol.file.allow=always", "submodule", "--quiet", "add",
        str(folder / "top"), "inner")  # fmt: skip
    return folder / "outer" / "inner"


PLACES = [in_repository, in_subfolder, in_work_tree, in_submodule]


def fill(folder: Path) -> None:
    """Put every private file there, as programs of all kinds do."""
    for name in PRIVATE:
        path = folder / name.replace("*", "x")
        if name.endswith("/"):
            path.mkdir()
            path = path / "file"
        path.touch()


@pytest.mark.parametrize("place", PLACES)
def test_git_sees_no_private_file(place: Callable[[Path], Path], tmp_path: Path) -> None:
    """In a repository, its folders, a further work tree and a submodule git sees none of them."""
    folder = place(tmp_path)
    before = git(folder, "status", "--porcelain", "-uall")
    write_json(folder / ".tokens.json", {})
    fill(folder)
    (folder / "notebook.ipynb").touch()
    seen = set(git(folder, "status", "--porcelain", "-uall").splitlines())
    new = seen - set(before.splitlines())
    assert len(new) == 1
    assert "notebook.ipynb" in new.pop()


@pytest.mark.parametrize("first", ["tokens", "audit log", "lock"])
def test_whatever_is_written_first_does_it(
    first: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever private file comes first, all are excluded, and the words of others stay."""
    folder = in_repository(tmp_path)
    monkeypatch.setenv("SEQUENCE_DATA_DIR", str(folder))
    exclude = folder / ".git" / "info" / "exclude"
    exclude.write_text("/mine")
    if first == "tokens":
        TokenStore(get_settings()).write(AuthTokens("a", None, 4e9), client_id=None)
    elif first == "audit log":
        AuditLog().log("note", user_id="kim")
    else:
        with holding(folder / ".pace.lock"):
            pass
    lines = exclude.read_text().splitlines()
    assert lines[0] == "/mine"
    assert {f"/{name}" for name in PRIVATE} <= set(lines)
    assert len(lines) == len(set(lines))


def test_only_what_is_missing_is_added(tmp_path: Path) -> None:
    """Lines that are there are not written again, by a second folder's neither."""
    folder = in_repository(tmp_path)
    exclude = folder / ".git" / "info" / "exclude"
    exclude.write_text("/.env\n/cache/\n")
    write_json(folder / ".tokens.json", {})
    text = exclude.read_text()
    assert [text.count(f"{line}\n") for line in ("/.env", "/cache/", "/.pace")] == [1, 1, 1]
    again = folder / "again"
    again.mkdir()
    write_json(again / ".tokens.json", {})
    write_json(folder / ".tokens.meta.json", {})
    lines = exclude.read_text().splitlines()
    assert lines.count("/.tokens.json") == lines.count("/again/.tokens.json") == 1


def test_other_files_of_ours_exclude_nothing(tmp_path: Path) -> None:
    """An export, or a notebook that is copied, is no private file of a data folder."""
    folder = in_repository(tmp_path)
    before = (folder / ".git" / "info" / "exclude").read_text()
    write_bytes(folder / "transfers.csv", b"")
    assert (folder / ".git" / "info" / "exclude").read_text() == before


@pytest.mark.parametrize(
    "broken", ["info is a file", "a .git of no repository", "gitdir to nowhere"]
)
def test_what_cannot_be_excluded_stops_nothing(
    broken: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Where the exclusions cannot be written, the private file is written all the same."""
    folder = in_repository(tmp_path)
    if broken == "info is a file":
        shutil.rmtree(folder / ".git" / "info")
        (folder / ".git" / "info").touch()
    else:
        shutil.rmtree(folder / ".git")
        said = "gitdir: /nowhere\n" if "gitdir" in broken else "\x00"
        (folder / ".git").write_text(said)
    with caplog.at_level(logging.INFO, "seqdata"):
        write_json(folder / ".tokens.json", {})
    assert (folder / ".tokens.json").read_text() == "{}\n"
    assert ("git may see the private files" in caplog.text) == (broken == "info is a file")


def test_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says it once, and the doctor says it before and after."""
    folder = in_repository(tmp_path)
    monkeypatch.setenv("SEQUENCE_DATA_DIR", str(folder))
    found = [one for one in examine(get_settings()) if one.subject == "git"]
    assert [one.level for one in found] == ["note"]
    with caplog.at_level(logging.INFO, "seqdata"):
        for name in (".tokens.json", ".audit.head.json"):
            write_json(folder / name, {})
    assert caplog.text.count("git passes over the private files") == 1
    found = [one for one in examine(get_settings()) if one.subject == "git"]
    assert [(one.level, str(folder) in one.text) for one in found] == [("ok", True)]
