"""Which month an id is filed under, without reading the months.

A derived file: hashes of all ids, sorted, with their months, memory-mapped; and a log of what
came after it, folded in when it grows. The cost of a look-up or an addition does not grow with
the cache. The log also notes the stamp (mtime, size) of each month's file as the index knows
it: a month with another stamp was written by someone who died before telling the index, or by
hand, and is read again. Losing the files costs one reading of all ids, nothing else.

Two ids with one 64-bit hash would lead to the wrong month; among a million ids the chance is
three in a hundred million.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from seqdata.core.arrow import Column
from seqdata.core.files import make_private_folder, remove_file, replacing, writing_in

#: The month of an id that is not in the index.
NOWHERE = -2

_FOLD_AT = 65_536
_ID = -1  # third value of a log record: an id; otherwise it is the size of a month's file

Hashes = NDArray[np.uint64]
Months = NDArray[np.int32]


def hash_ids(ids: Column) -> Hashes:
    """Hash each id to 64 bits, the same in every process."""
    words = np.asarray(ids.to_numpy(zero_copy_only=False), dtype=object)
    return pd.util.hash_array(words, categorize=False)


# In every index: an index of another hash function does not find it, and is made anew.
_PROBE = hash_ids(pa.array(["an id that no transfer has"]))


class MonthIndex:
    """The index of one folder; for the holder of the cache's lock."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._base_path = folder / "months.npy"
        self._log_path = folder / "months.log"
        self.stamps: dict[int, tuple[int, int]] = {}
        self._load()

    def lookup(self, hashes: Hashes) -> Months:
        """Tell the month of each hash; NOWHERE where it is not known."""
        months = _search(self._base[0], self._base[1], hashes)
        recent = _search(self._recent_hashes, self._recent_months, hashes)
        return np.where(recent == NOWHERE, months, recent).astype(np.int32)

    def note(
        self, hashes: Hashes, months: Months, stamps: dict[int, tuple[int, int] | None]
    ) -> None:
        """Add ids and the stamps of the months' files (None: the file is gone)."""
        records = [_id_records(hashes, months), _stamp_records(stamps)]
        self._append(np.concatenate(records))
        self._add_recent(hashes, months)
        self._take_stamps(stamps)
        if len(self._recent_hashes) > _FOLD_AT:
            self._fold()

    def clear(self) -> None:
        """Forget everything."""
        remove_file(self._log_path)
        self.stamps = {}
        self._set_recent(np.empty(0, np.uint64), np.empty(0, np.int32))
        self._write_base(_PROBE, np.array([NOWHERE], np.int32))

    def _load(self) -> None:
        base, log = _read_base(self._base_path), _read_log(self._log_path)
        if base is None or log is None:
            self.clear()
            return
        self._base = base
        ids = log[log[:, 2] == _ID]
        self._set_recent(np.empty(0, np.uint64), np.empty(0, np.int32))
        self._add_recent(ids[:, 0].view(np.uint64), ids[:, 1].astype(np.int32))
        files = log[log[:, 2] != _ID].tolist()
        self._take_stamps({month: (mtime, size) for mtime, month, size in files})

    def _take_stamps(self, stamps: dict[int, tuple[int, int] | None]) -> None:
        for month, stamp in stamps.items():
            if stamp is None or not any(stamp):
                self.stamps.pop(month, None)
            else:
                self.stamps[month] = stamp

    def _set_recent(self, hashes: Hashes, months: Months) -> None:
        self._recent_hashes, self._recent_months = hashes, months

    def _add_recent(self, hashes: Hashes, months: Months) -> None:
        merged = _latest(self._recent_hashes, self._recent_months, hashes, months)
        self._set_recent(*merged)

    def _fold(self) -> None:
        # Base before log: a log replayed over a base that has it already changes nothing.
        self._write_base(
            *_latest(
                self._base[0],
                self._base[1].astype(np.int32),
                self._recent_hashes,
                self._recent_months,
            )
        )
        with replacing(self._log_path, gitignore=False) as stream:
            stream.write(_stamp_records(dict(self.stamps)).tobytes())
        self._set_recent(np.empty(0, np.uint64), np.empty(0, np.int32))

    def _write_base(self, hashes: Hashes, months: Months) -> None:
        both = np.vstack([hashes, months.astype(np.int64).view(np.uint64)])
        with replacing(self._base_path, gitignore=False) as stream:
            np.save(stream, both)
        base = _read_base(self._base_path)
        assert base is not None
        self._base = base

    def _append(self, records: NDArray[np.int64]) -> None:
        # Not flushed to the disk: a lost tail shows as a month with another stamp.
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        with writing_in(self._folder):
            make_private_folder(self._folder, gitignore=False)
            with os.fdopen(os.open(self._log_path, flags, 0o600), "ab") as stream:
                stream.write(records.tobytes())


def _read_base(path: Path) -> tuple[Hashes, NDArray[np.int64]] | None:
    try:
        both = np.load(path, mmap_mode="r")
    except (OSError, ValueError, EOFError):
        return None
    if both.ndim != 2 or both.shape[0] != 2 or both.dtype != np.uint64:
        return None
    base = both[0], both[1].view(np.int64)
    found = np.searchsorted(base[0], _PROBE)[0]
    return base if found < both.shape[1] and base[0][found] == _PROBE[0] else None


def _read_log(path: Path) -> NDArray[np.int64] | None:
    """Read the records in the order written: none for no file, None where it is torn."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        content = b""
    except OSError:
        return None
    if len(content) % 24:
        return None
    log = np.frombuffer(content, np.int64).reshape(-1, 3)
    return None if (log == 0).all(axis=1).any() else log


def _search(sorted_hashes: Hashes, months: NDArray[np.signedinteger], hashes: Hashes) -> Months:
    place = np.searchsorted(sorted_hashes, hashes)
    inside = np.minimum(place, max(len(sorted_hashes) - 1, 0))
    if not len(sorted_hashes):
        return np.full(len(hashes), NOWHERE, np.int32)
    return np.where(sorted_hashes[inside] == hashes, months[inside], NOWHERE).astype(np.int32)


def _latest(
    hashes: Hashes, months: Months, later_hashes: Hashes, later_months: Months
) -> tuple[Hashes, Months]:
    """Merge two lists of ids, sorted by hash; the later month of an id stays."""
    both = np.concatenate([later_hashes[::-1], hashes])
    unique, first = np.unique(both, return_index=True)
    return unique, np.concatenate([later_months[::-1], months])[first].astype(np.int32)


def _id_records(hashes: Hashes, months: Months) -> NDArray[np.int64]:
    kind = np.full(len(hashes), _ID, np.int64)
    return np.column_stack([hashes.view(np.int64), months.astype(np.int64), kind])


def _stamp_records(stamps: dict[int, tuple[int, int] | None]) -> NDArray[np.int64]:
    rows = [
        (stamp[0], month, stamp[1]) if stamp else (0, month, 0) for month, stamp in stamps.items()
    ]
    return np.array(rows, np.int64).reshape(-1, 3)
