"""Transfers as a person would write them down: who to whom, how much, when it settled."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pandas as pd
from trust import PARTIES

from seqdata.analysis.spend.categories import categorize, read_rules

ZONE = "America/New_York"
_TYPES = {"Card": "CREDIT_CARD", "Loan": "STUDENT_LOAN", "House": "MORTGAGE"}
_INSIDE = ("Pod", "Port")


class Paid(NamedTuple):
    """One transfer. An end is "Kind: Name"; of an end without a name, "Kind:". None: nobody."""

    source: str | None
    destination: str | None
    cents: int | None
    on: str | None = "2026-10-05"
    reversed_on: str | None = None
    note: str | None = None
    #: When it was paid; by default when it settled.
    paid: str | None = None
    state: str = "settled"


def moments(days: list[str | None]) -> pd.Series:
    parsed = pd.to_datetime(pd.Series(days, dtype="object"))
    return parsed.astype("datetime64[us]").dt.tz_localize(ZONE)


def _end(text: str | None) -> tuple[str | None, str | None]:
    if text is None:
        return None, None
    kind, _, name = text.partition(":")
    return kind, name.removeprefix(" ") or None


def _direction(source: str | None, destination: str | None) -> str:
    if source in _INSIDE and destination in _INSIDE:
        return "INTERNAL"
    return "INCOMING" if destination in _INSIDE else "OUTGOING"


def settled(*rows: Paid) -> pd.DataFrame:
    """Make settled transfers, in the given order."""
    columns = {}
    for end in ("source", "destination"):
        ends = [_end(getattr(row, end)) for row in rows]
        parties = [PARTIES[kind] for kind, _ in ends]
        columns[f"{end}_party"] = pd.Series(parties, dtype="category")
        columns[f"{end}_name"] = pd.Series([name for _, name in ends], dtype="str")
        columns[f"{end}_id"] = pd.Series([name and f"{kind}/{name}" for kind, name in ends])
    columns["direction"] = pd.Series(
        [_direction(_end(row.source)[0], _end(row.destination)[0]) for row in rows],
        dtype="category",
    )
    return pd.DataFrame(
        {
            "created_at": moments([row.paid or row.on for row in rows]),
            "amount_cents": pd.Series([row.cents for row in rows], dtype="Int64"),
            "description": pd.Series([row.note for row in rows], dtype="str"),
            "id": pd.Series([f"t{place}" for place in range(len(rows))], dtype="str"),
            "effective_at": moments([row.on for row in rows]),
            "returned_at": moments([row.reversed_on for row in rows]),
            "state": pd.Series([row.state for row in rows], dtype="category"),
            **columns,
        }
    ).astype({"source_id": "str", "destination_id": "str"})


def accounts_of(transfers: pd.DataFrame) -> pd.DataFrame:
    """List the outside accounts of the transfers: the first word of a name is the type."""
    found = {}
    for end in ("source", "destination"):
        ours = transfers[transfers[f"{end}_party"] == "account"]
        found |= dict(zip(ours[f"{end}_id"], ours[f"{end}_name"], strict=True))
    types = [_TYPES.get(str(name).split(" ")[0], "CHECKING") for name in found.values()]
    table = {"id": list(found), "name": list(found.values()), "type": types}
    return pd.DataFrame(table).astype("str")


def annotations(**categories: str | None) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": pd.Series(list(categories), dtype="str"),
            "category": pd.Series(list(categories.values()), dtype="str"),
        }
    )


def categorized(*rows: Paid, rules: Path | None = None, **by_hand: str | None) -> pd.DataFrame:
    """Make settled and categorized transfers, with the starter rules or a file's."""
    transfers = settled(*rows)
    return categorize(transfers, accounts_of(transfers), annotations(**by_hand), read_rules(rules))
