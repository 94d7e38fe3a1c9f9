"""What was merely found, and not named by the user: whether it counts, and one warning if not."""

from __future__ import annotations

import mmap
import os
import re
from functools import cache
from pathlib import Path

from seqdata.core.logs import logger
from seqdata.core.owners import why_not_own
from seqdata.exceptions import InvalidSetting

log = logger(__name__)

#: A name of ours in any writing: in UTF-16 and UTF-32 zeros stand between its letters.
_OURS = re.compile(rb"\0*".join(bytes([letter]) for letter in b"SEQUENCE_"), re.IGNORECASE)


def expanded(path: str | Path, name: str) -> Path:
    """Put the home folder in the place of a ``~``; InvalidSetting where there is no such user."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise InvalidSetting(name, "a path of a user that there is", str(path)) from None


def counts(path: Path) -> bool:
    """Tell whether a found file or folder is the user's alone; where not, warn once."""
    if why := why_not_own(path):
        _warn_of(path.absolute(), why)
    return not why


def why_passed_over(file: Path) -> str:
    """Say why a found file counts for nothing; "" where it counts or is not there."""
    if not file.exists():
        return ""
    return next((f"{p.absolute()}: {w}" for p in (file, file.parent) if (w := why_not_own(p))), "")


def names_ours(path: Path) -> bool:
    """Tell whether a file names a setting of ours anywhere, however large it is.

    Raises
    ------
    OSError
        It cannot be read.
    """
    with path.open("rb") as stream:
        if os.fstat(stream.fileno()).st_size == 0:
            return False
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _OURS.search(data) is not None


@cache
def _warn_of(path: Path, why: str) -> None:
    log.warning(
        "not taken, since it was merely found and is not yours alone: path=%s reason=%s; to use "
        "it all the same, name its folder in SEQUENCE_DATA_DIR in the environment", path, why,
    )  # fmt: skip
