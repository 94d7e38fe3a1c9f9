"""The months transfers are filed under: UTC months of created_at, as whole numbers.

A month is ``12 * year + month - 1`` (int32), so that the next one is one more; ``UNKNOWN``
stands for a transfer without created_at.
"""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seqdata.core.arrow import Column

UNKNOWN = -1

_FOLDER = re.compile(r"month=(?:(\d{4})-(\d{2})|unknown)")
_FILE = "data.parquet"


def months_of(created_at: Column) -> NDArray[np.int32]:
    """Tell the month of each moment (UTC microseconds); UNKNOWN where it is null."""
    moments = created_at.to_numpy(zero_copy_only=False).astype("datetime64[us]")
    counted = moments.astype("datetime64[M]").astype(np.int64) + 1970 * 12
    return np.where(np.isnat(moments), UNKNOWN, counted).astype(np.int32)


def month_of(moment: datetime) -> int:
    """Tell the month of a moment that has a zone."""
    utc = moment.astimezone(UTC)
    return 12 * utc.year + utc.month - 1


def month_path(folder: Path, month: int) -> Path:
    """Name the file of a month: ``folder/month=2026-11/data.parquet``."""
    return folder / _folder_name(month) / _FILE


def month_files(folder: Path) -> dict[int, tuple[int, int]]:
    """Months that have a file, newest first and UNKNOWN last: month → (mtime in ns, bytes)."""
    try:
        names = os.listdir(folder)  # noqa: PTH208  # Path.iterdir makes an object a month
    except (FileNotFoundError, NotADirectoryError):
        return {}
    months = [month for name in names if (month := _month_named(name)) is not None]
    stamps = ((month, month_stamp(folder, month)) for month in sorted(months, reverse=True))
    return {month: stamp for month, stamp in stamps if stamp is not None}


def month_stamp(folder: Path, month: int) -> tuple[int, int] | None:
    """Tell one version of a month's file from another; None where there is none."""
    try:
        status = os.stat(f"{folder}/{_folder_name(month)}/{_FILE}")  # noqa: PTH116  # quick
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status.st_mtime_ns, status.st_size


def _folder_name(month: int) -> str:
    if month == UNKNOWN:
        return "month=unknown"
    year, index = divmod(month, 12)
    return f"month={year:04d}-{index + 1:02d}"


def _month_named(name: str) -> int | None:
    match = _FOLDER.fullmatch(name)
    if match is None:
        return None
    return UNKNOWN if match[1] is None else 12 * int(match[1]) + int(match[2]) - 1
