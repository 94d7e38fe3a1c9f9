"""Made-up transfers by the million: 4,000 a month, newest first, the same ones each time."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seqdata.core.arrow import Column
from seqdata.sources.rows import Row, rows_of
from seqdata.sources.schemas import MOMENT
from seqdata.sources.webapp.words import transfer_in_our_words

ORGANIZATION = "made-up"
#: Where the caches say they come from.
APP_URL = "http://127.0.0.1:1"
A_MONTH = 4_000
NOW = datetime(2026, 11, 1, tzinfo=UTC)

_NEWEST = np.datetime64("2026-10-31T23:00", "us")
_APART = np.timedelta64(int(30.44 * 86_400e6 / A_MONTH), "us")
_SOON = np.timedelta64(3_600, "s").astype("timedelta64[us]")

_OWN = [
    f"{name} {number}" for name in ("Rent", "Groceries", "Savings", "Taxes") for number in "123"
]
_OTHERS = [f"Merchant {number:03d} of the High Street" for number in range(150)]
_STATUSES = ("COMPLETE", "PENDING", "FAILED", "CANCELLED")
_KINDS = ("RULE", "ONE_TIME_TRANSFER", "MONEY_IN", "ACH")
_DIRECTIONS = ("INTERNAL", "OUTGOING", "INCOMING")

Numbers = NDArray[np.int64]


def transfer_rows(start: int, count: int) -> list[Row]:
    """Transfers (TRANSFER_ROWS) from the `start`-th newest on; any slice of the same history."""
    first, last = start // A_MONTH, (start + count - 1) // A_MONTH
    rows = [row for number in range(first, last + 1) for row in _block(number)]
    return rows[start - first * A_MONTH :][:count]


@lru_cache(maxsize=2)
def _block(number: int) -> list[Row]:
    """Make about a month: A_MONTH transfers, from `number` times as many on."""
    random = np.random.default_rng(number)
    places = np.arange(number * A_MONTH, (number + 1) * A_MONTH, dtype=np.int64)
    created = _NEWEST - places * _APART
    kind = random.choice(len(_KINDS), A_MONTH, p=[0.7, 0.1, 0.1, 0.1])
    # Only the newest are still open.
    status = random.choice(len(_STATUSES), A_MONTH, p=[0.97, 0.0, 0.02, 0.01])
    status[(places < 300) & (random.random(A_MONTH) < 0.2)] = 1
    source, destination = random.integers(len(_OWN), size=A_MONTH), random.integers(
        len(_OTHERS), size=A_MONTH
    )  # fmt: skip
    columns = {
        "id": pa.array(_ids(random)),
        "type": _chosen(("TRANSFER", "ONE_TIME_TRANSFER"), (kind == 1).astype(np.int64)),
        "status": _chosen(_STATUSES, status),
        "error_reason": _chosen(("Insufficient funds", None), np.where(status == 2, 0, 1)),
        "created_at": pa.array(created).cast(MOMENT),
        "updated_at": pa.array(created + _SOON).cast(MOMENT),
        "amount_cents": pa.array(random.lognormal(8, 1.5, A_MONTH).astype(np.int64) + 1),
        "source_id": _chosen(_uuids(_OWN), source),
        "source_name": _chosen(_OWN, source),
        "source_kind": _chosen(("Pod", "Port"), (source == 0).astype(np.int64)),
        "destination_id": _chosen(_uuids(_OTHERS), destination),
        "destination_name": _chosen(_OTHERS, destination),
        "destination_kind": _chosen(("Merchant",), np.zeros(A_MONTH, np.int64)),
        "direction": _chosen(_DIRECTIONS, random.choice(3, A_MONTH, p=[0.6, 0.3, 0.1])),
        "activity_type": _chosen(_KINDS, kind),
        "description": _chosen(
            ("Monthly share", "Invoice", None), random.integers(3, size=A_MONTH)
        ),
    }
    return [transfer_in_our_words(row) for row in rows_of(pa.table(columns))]


def _ids(random: np.random.Generator) -> list[str]:
    text = random.bytes(A_MONTH * 16).hex()
    return [_dashed(text[at : at + 32]) for at in range(0, len(text), 32)]


def _uuids(names: list[str]) -> list[str]:
    return [_dashed(f"{number:032x}") for number in range(len(names))]


def _dashed(digits: str) -> str:
    cuts = (0, 8, 12, 16, 20, 32)
    return "-".join(digits[start:end] for start, end in pairwise(cuts))


def _chosen(values: list[str] | tuple[str | None, ...], places: Numbers) -> Column:
    return pa.array(values, pa.string()).take(pa.array(places, pa.int64()))
