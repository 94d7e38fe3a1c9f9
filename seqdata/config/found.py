"""What was merely found, and not named by the user: whether it counts, and one warning if not."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from seqdata.core.logs import logger
from seqdata.core.owners import why_not_own

log = logger(__name__)


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


@cache
def _warn_of(path: Path, why: str) -> None:
    log.warning(
        "not taken, since it was merely found and is not yours alone: path=%s reason=%s; to use "
        "it all the same, name its folder in SEQUENCE_DATA_DIR in the environment", path, why,
    )  # fmt: skip
