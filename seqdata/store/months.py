"""The months transfers are filed under: UTC months of created_at, such as ``"2026-11"``."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path

from seqdata.core.moments import micros, moment_of

#: Of transfers without created_at.
UNKNOWN = "unknown"

_FOLDER = re.compile(r"month=(\d{4}-\d{2}|unknown)")
_FILE = "data.parquet"


def name_of_month(moment: int | None) -> str:
    """Name the month of a moment, in microseconds since 1970."""
    found = moment_of(moment)
    return UNKNOWN if found is None else f"{found.year:04d}-{found.month:02d}"


def month_bounds(name: str) -> tuple[int, int]:
    """Tell where a month begins and ends, in microseconds since 1970; the end is not of it."""
    year, month = int(name[:4]), int(name[5:])
    start = datetime(year, month, 1, tzinfo=UTC)
    if (year, month) == (9999, 12):
        return micros(start), micros(datetime.max.replace(tzinfo=UTC)) + 1
    following = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    return micros(start), micros(following)


def month_path(folder: Path, month: str) -> Path:
    """Name the file of a month: ``folder/month=2026-11/data.parquet``; ``""``: of no month."""
    return (folder / f"month={month}" if month else folder) / _FILE


def months_in(folder: Path) -> list[str]:
    """List the months that have a folder, newest first and the unknown one last."""
    try:
        names = os.listdir(folder)  # noqa: PTH208  # Path.iterdir makes an object a month
    except (FileNotFoundError, NotADirectoryError):
        return []
    return newest_month_first([match[1] for name in names if (match := _FOLDER.fullmatch(name))])


def newest_month_first(months: list[str]) -> list[str]:
    """Sort months, the newest first and the unknown one last."""
    return sorted(months, key=lambda month: (month != UNKNOWN, month), reverse=True)


def months_between(months: list[str], since: datetime | None, until: datetime | None) -> list[str]:
    """Leave the months that a span of created_at can touch."""
    if since is None and until is None:
        return months
    first = "" if since is None else name_of_month(micros(since))
    last = "9999-12" if until is None else name_of_month(micros(until))
    return [month for month in months if month != UNKNOWN and first <= month <= last]
