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
class CacheVersionMismatch(CacheError):
    """The cache was written with another version of the tables."""

    folder: Path
    found: object
    expected: int
    sentence = (
        "The cache in {folder} has tables of version {found}; this seqdata reads version "
        "{expected}. Nothing was changed. Use the seqdata that wrote it, or make the cache anew: "
        "seqdata forget, then seqdata sync."
    )


@told
class ForeignCache(CacheError):
    """The cache holds data of another server than the configured one."""

    folder: Path
    found: str
    configured: str
    sentence = (
        "The cache in {folder} holds data of {found}, but SEQUENCE_APP_URL is {configured}. "
        "Nothing was changed. Set SEQUENCE_CACHE_DIR (or SEQUENCE_DATA_DIR) to another folder for "
        "another server."
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
class ArchiveIncomplete(CacheError):
    """The archive does not hold everything that the tables were made of."""

    folder: Path
    reason: str
    sentence = (
        "The tables in {folder} cannot be made again from the archive: {reason}. Nothing was "
        "changed. Read everything from the service instead: seqdata sync --full."
    )


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
