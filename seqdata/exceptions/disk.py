"""The files on this disk cannot be used as they are."""

from __future__ import annotations

from pathlib import Path

from seqdata.exceptions.base import SequenceError, told


class CacheError(SequenceError):
    """The files on this disk cannot be used as they are."""


@told
class CorruptFile(CacheError):
    """A file of ours cannot be read."""

    path: Path
    reason: str
    remedy: str
    sentence = "{path} cannot be read ({reason}). Nothing was changed. {remedy}"


@told
class RecordTooNew(CacheError):
    """A newer seqdata wrote the record."""

    path: Path
    found: int
    known: int
    sentence = (
        "{path} was written by a newer seqdata (version {found}; this one reads up to version "
        "{known}). Nothing was changed. Use that seqdata, or upgrade this one: "
        "pip install --upgrade seqdata."
    )


@told
class ForeignTables(CacheError):
    """A folder holds the tables of another record."""

    folder: Path
    found: str
    own: str
    sentence = (
        "The tables in {folder} are of another record ({found}, not {own}), so nothing was "
        "written there. Move them away, or set SEQUENCE_CACHE_DIR to another folder."
    )


@told
class ForeignCache(CacheError):
    """A ledger holds data of another server than the configured one."""

    folder: Path
    found: str
    configured: str
    sentence = (
        "{folder} holds data of {found}, but SEQUENCE_APP_URL is {configured}. "
        "Nothing was changed. Set SEQUENCE_DATA_DIR to another folder for another server."
    )


@told
class ForeignWorld(CacheError):
    """A ledger holds data of another world of a sandbox than the one that answers."""

    folder: Path
    found: str
    served: str
    sentence = (
        "{folder} holds data of another sandbox's world ({found}) than the one that answers "
        "({served}): another household, or another length of time. Nothing was changed. Set "
        "SEQUENCE_DATA_DIR to another folder for another world."
    )


@told
class CacheLocked(CacheError):
    """Another process is syncing this cache. ``holder`` says which."""

    folder: Path
    holder: str
    waited: float = 0.0
    sentence = (
        "The cache in {folder} is being synced by {holder}{_waited}. Wait for it to end, or give "
        "a time to wait (wait=60, --wait 60)."
    )

    @property
    def _waited(self) -> str:
        return f" after {self.waited:.0f} seconds of waiting" if self.waited else ""


@told
class CacheMissing(CacheError):
    """Nothing was synced into this folder yet."""

    folder: Path
    sentence = "There is no synced data in {folder} yet. Run a sync first: seqdata sync."


@told
class FolderNotWritable(CacheError):
    """A folder of ours cannot be written."""

    folder: Path
    reason: str
    sentence = (
        "{folder} cannot be written ({reason}). What was on disk is unchanged. Free space, mend "
        "its rights, or choose another folder (SEQUENCE_DATA_DIR and SEQUENCE_CACHE_DIR name those "
        "of seqdata)."
    )


@told
class TablesNotWritten(FolderNotWritable):
    """The record holds everything, and the Parquet tables could not be brought up to it."""

    sentence = (
        "The tables could not be written: {folder} ({reason}). What was read and noted is kept in "
        "the record, and the next command brings the tables up to it. Free space, mend the rights, "
        "or choose another folder for the tables (SEQUENCE_CACHE_DIR)."
    )
