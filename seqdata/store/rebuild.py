"""Tables made anew beside the old ones, and put in their place in one step.

They grow in ``.rebuild/``. Its renaming to ``.rebuilt`` is the step: before it the old tables
count, after it the new ones. What follows, one renaming a table, is done again from the
beginning by whoever next opens a cache that has a ``.rebuilt``.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from seqdata.core.files import make_private_folder, sync_folder, writing_in

#: What a rebuild replaces. The archive and what was noted by hand stay.
TABLES = ("transfers", "transfer_history", "details", "legs", "accounts", "balances", "index")
_STATE = "state.json"

_GROWING, _DONE, _OLD = ".rebuild", ".rebuilt", ".replaced"


def growing(folder: Path) -> Path:
    """Name the folder new tables of `folder` grow in."""
    return folder / _GROWING


def begin(folder: Path) -> Path:
    """Make the folder new tables grow in; what an earlier rebuild left there goes."""
    drop(folder)
    make_private_folder(growing(folder), gitignore=False)
    return growing(folder)


def drop(folder: Path) -> None:
    """Remove tables that did not become whole."""
    if growing(folder).exists():
        with writing_in(folder):
            shutil.rmtree(growing(folder))


def commit(folder: Path) -> None:
    """Let the new tables count, and put them in their place."""
    for name in TABLES:  # a table without rows replaces one that has some
        make_private_folder(growing(folder) / name, gitignore=False)
    with writing_in(folder):
        growing(folder).rename(folder / _DONE)
        sync_folder(folder)
    finish(folder)


def is_unfinished(folder: Path) -> bool:
    """Whether new tables count that are not all in their place."""
    return (folder / _DONE).exists()


def finish(folder: Path) -> None:
    """Put new tables in their place, or those that are not yet; for the holder of the lock."""
    done, old = folder / _DONE, folder / _OLD
    make_private_folder(old, gitignore=False)
    with writing_in(folder):
        for name in TABLES:
            if (done / name).exists():
                if (folder / name).exists():
                    (folder / name).rename(old / name)
                (done / name).rename(folder / name)
        if (done / _STATE).exists():
            (done / _STATE).replace(folder / _STATE)
        sync_folder(folder)
        shutil.rmtree(old)
        shutil.rmtree(done)
