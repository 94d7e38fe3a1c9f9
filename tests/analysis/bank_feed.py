"""Made-up payees in the style of bank feeds, with what each one is, and how many are got right.

``bank_feed_seen.csv`` was there to look at while the starter rules were written;
``bank_feed_kept_aside.csv`` was not, and tells how they do on names that nobody thought of. A
direction is "out", "in" or "refund"; of several categories with a | between, each is right.
"""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from purchases import Paid, categorized

_SILENT = ("Uncategorized", "Other income")


class Line(NamedTuple):
    """A line of a feed, and the categories that are right for it."""

    direction: str
    payee: str
    categories: tuple[str, ...]

    def paid(self) -> Paid:
        """Return the line as a transfer."""
        if self.direction == "out":
            return Paid("Pod: Buffer", f"Merchant: {self.payee}", 12_34)
        party = "Merchant" if self.direction == "refund" else "ExternalEntity"
        return Paid(f"{party}: {self.payee}", "Pod: Buffer", 12_34)


def feed(half: str) -> list[Line]:
    """Read one half: "seen" or "kept_aside"."""
    path = Path(__file__).with_name(f"bank_feed_{half}.csv")
    with path.open(encoding="utf-8", newline="") as stream:
        rows = csv.DictReader(stream)
        return [
            Line(row["direction"], row["payee"], tuple(row["category"].split("|"))) for row in rows
        ]


def judged(half: str) -> list[tuple[Line, str, str]]:
    """Tell of each line what the starter rules say, and whether it is right, wrong or silent."""
    lines = feed(half)
    found = categorized(*[line.paid() for line in lines])["category"].tolist()
    return [(line, name, _verdict(line, name)) for line, name in zip(lines, found, strict=True)]


def figures(half: str) -> dict[str, float]:
    """Return the percentages that are right, wrong and silent."""
    verdicts = Counter(verdict for _, _, verdict in judged(half))
    return {name: 100 * verdicts[name] / verdicts.total() for name in ("right", "wrong", "silent")}


def _verdict(line: Line, name: str) -> str:
    if name in line.categories:
        return "right"
    return "silent" if name in _SILENT else "wrong"
