"""What is private stays out of a git repository that the data folder stands in.

``git add .`` would take a token or the list of one's transfers along. The names of our files are
written into ``.git/info/exclude``, which belongs to this clone alone and is in no commit.
"""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cache
from pathlib import Path

from seqdata.core.logs import logger

log = logger(__name__)

#: The files and folders of a data folder that nobody else should see.
PRIVATE = (
    ".tokens.json", ".tokens.json.corrupt-*", ".tokens.meta.json", ".tokens.lock", ".audit.jsonl",
    ".audit.head.json", ".daily_limits.json", ".*.lock", ".*.lock.holder", ".pace",
    ".login_codes.json", "login-debug/", ".env", "cache/",
    "ledgers/", ".*.tmp",
)  # fmt: skip


def keep_out_of_git(path: Path) -> None:
    """Let git pass over our files in the folder of a private file, where it is in a work tree.

    Only what is missing is added, once for each folder. That it cannot be written is said, and
    stops nothing.
    """
    if is_private(path.name):
        _exclude(path.parent.absolute())


def is_private(name: str) -> bool:
    """Tell whether a file of this name, in a data folder, is one of ours."""
    starts = (".tokens.", ".audit.", ".daily_limits.", ".transfers.", ".pace", ".login_codes.")
    return name.startswith(starts)


def exclude_file(folder: Path) -> tuple[Path, Path] | None:
    """Return the top of the work tree a folder is in, and its file of exclusions; None outside."""
    for top in (folder, *folder.parents):
        if (top / ".git").exists():
            found = _common_folder(top / ".git")
            return None if found is None else (top, found / "info" / "exclude")
    return None


def missing_lines(folder: Path, top: Path, exclude: Path) -> list[str]:
    """Return the lines that our files of a folder still need in the file of exclusions.

    OSError where that is no file to be read, such as a pipe, which never ends.
    """
    if exclude.exists() and not exclude.is_file():
        raise OSError(f"{exclude} is a pipe or a device")
    here = "/".join(("", *(_escaped(part) for part in folder.relative_to(top).parts)))
    known: set[str] = set()
    with suppress(FileNotFoundError):
        known = set(exclude.read_text(encoding="utf-8", errors="surrogateescape").splitlines())
    lines = [f"{here.rstrip('/')}/{name}" for name in PRIVATE]
    return [line for line in lines if line not in known]


def seen_by_git(folder: Path) -> list[str]:
    """List the private files of a folder that git has, or would take; asks git, where it is."""
    import subprocess  # which takes a moment, and nothing else here needs it

    command = ["git", "-C", str(folder), "-c", "core.fsmonitor=false", "ls-files", "-z",
               "--cached", "--others", "--exclude-standard", "--", *PRIVATE]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, check=True, timeout=20)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return []
    return sorted(os.fsdecode(name) for name in done.stdout.split(b"\0") if name)


@cache
def _exclude(folder: Path) -> None:
    try:
        found = exclude_file(folder.resolve())
        if found is None:
            return
        top, exclude = found
        if lines := missing_lines(folder.resolve(), top, exclude):
            _append(exclude, lines)
            log.info("git passes over the private files of %s: written_to=%s", folder, exclude)
    except (OSError, ValueError) as error:
        log.warning("git may see the private files of %s: %s", folder, error)


def _append(exclude: Path, lines: list[str]) -> None:
    exclude.parent.mkdir(exist_ok=True)
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    with os.fdopen(os.open(exclude, flags, 0o644), "ab+") as stream:  # a link is not followed
        stream.seek(0)
        text = stream.read()
        lead = "" if not text or text.endswith(b"\n") else "\n"
        words = "\n".join(["# Private files of seqdata", *lines])
        stream.write(os.fsencode(f"{lead}{words}\n"))


def _common_folder(git: Path) -> Path | None:
    """Follow the ``.git`` of a work tree or a submodule to the folder that all of them share."""
    folder = git
    if git.is_file():
        kind, _, where = git.read_text(encoding="utf-8").strip().partition("gitdir:")
        if kind or not where:
            return None
        folder = git.parent / where.strip()
    common = folder / "commondir"
    if common.is_file():
        folder = folder / common.read_text(encoding="utf-8").strip()
    return folder.resolve() if (folder / "HEAD").exists() else None


def _escaped(name: str) -> str:
    return "".join(f"\\{one}" if one in "\\*?[!# " else one for one in name)
