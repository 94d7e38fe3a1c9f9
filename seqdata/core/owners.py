"""Whose a file is: one that was merely found counts only where it is the user's own.

Found means: not named by the user. A folder above the working directory may be somebody else's,
and so may a file in it; whoever can write it can say where passwords go.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def why_not_own(path: Path) -> str:
    """Say why a file or folder is not the user's alone; "" where it is.

    It is where the user owns it and no write bit is set for group or others; of a link, what it
    leads to counts. Windows has no such bits: there everything counts as own.
    """
    if os.name == "nt":
        return ""
    try:
        facts = path.stat()
    except OSError as error:
        return f"it cannot be looked at: {error.strerror}"
    if facts.st_uid != os.geteuid():
        return f"it belongs to the user with the number {facts.st_uid}"
    if facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"others may write it (mode {stat.S_IMODE(facts.st_mode):04o}; chmod go-w it)"
    return ""


def folders_upward(here: Path) -> Iterator[Path]:
    """Yield a folder and those above it in which files may be looked for, the nearest first.

    Inside of the home folder they end with it; outside, before the first one of another user.
    """
    home = _home()
    is_inside = home is not None and here.is_relative_to(home)
    for folder in (here, *here.parents):
        if not is_inside and not is_owned(folder):
            return
        yield folder
        if folder == home:
            return


def _home() -> Path | None:
    with suppress(RuntimeError, OSError):
        return Path.home().resolve()
    return None


def is_owned(path: Path) -> bool:
    """Tell whether a file or folder belongs to the user; of a link, what it leads to."""
    if os.name == "nt":
        return True
    try:
        return path.stat().st_uid == os.geteuid()
    except OSError:
        return False
