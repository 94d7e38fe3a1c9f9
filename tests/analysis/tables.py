"""Small tables, written as a person would: what a test is about in sight."""

from __future__ import annotations

import pandas as pd
from hypothesis import settings

#: For laws whose examples are frames of their own, which take a tenth of a second each.
fewer = settings(max_examples=settings().max_examples // 4)

ZONE = "America/New_York"
_PARTIES = {
    "pod": "pod",
    "port": "port",
    "out": "account",
    "shop": "merchant",
    "firm": "entity",
}


def moments(texts: list[str | None]) -> pd.Series:
    return (
        pd.to_datetime(pd.Series(texts, dtype="object"), utc=True, format="ISO8601")
        .astype("datetime64[us, UTC]")
        .dt.tz_convert(ZONE)
    )


def transfers(*rows: str, **columns: list) -> pd.DataFrame:
    """Make transfers of lines ``created updated cents source destination [state]``.

    An end is a name whose letters before the digits are its party: pod1, port1, out1, shop1,
    firm1. A ``-`` is missing.
    """
    words = [(*row.split(), "settled")[:6] for row in rows]
    made = pd.DataFrame(
        words, columns=["created_at", "updated_at", "cents", "source", "destination", "state"]
    )
    ends = {}
    for end in ("source", "destination"):
        ends[f"{end}_id"] = made[end].astype("str")
        ends[f"{end}_name"] = made[end].str.capitalize().astype("str")
        ends[f"{end}_party"] = made[end].str.rstrip("0123456789").map(_PARTIES).astype("category")
    inside = {end: ends[f"{end}_party"].isin(["pod", "port"]) for end in ("source", "destination")}
    direction = pd.Series("OUTGOING", index=made.index)
    direction[inside["destination"]] = "INCOMING"
    direction[inside["source"] & inside["destination"]] = "INTERNAL"
    cents = pd.to_numeric(made["cents"].replace("-", None)).astype("Int64")
    frame = pd.DataFrame(
        {
            "created_at": moments([None if one == "-" else one for one in made["created_at"]]),
            "updated_at": moments([None if one == "-" else one for one in made["updated_at"]]),
            "amount_cents": cents,
            "direction": direction.astype("category"),
            "state": made["state"].astype("category"),
            **ends,
            "id": pd.Series([f"t{place}" for place in range(len(made))], dtype="str"),
        }
    )
    return frame.assign(**columns)


def legs(*rows: str) -> pd.DataFrame:
    """Make legs of lines ``transfer leg completed``; a ``-`` has not completed."""
    words = pd.DataFrame([row.split() for row in rows], columns=["id", "leg", "completed"])
    completed = [None if one == "-" else one for one in words["completed"]]
    return pd.DataFrame(
        {
            "id": words["id"].astype("str"),
            "leg": words["leg"].astype("category"),
            "state": pd.Series(
                ["open" if one is None else "settled" for one in completed], dtype="category"
            ),
            "completed_at": moments(completed),
        }
    )


def accounts(*names: str) -> pd.DataFrame:
    kinds = {"pod": "pod", "port": "port", "out": "account"}
    return pd.DataFrame(
        {
            "id": pd.Series(names, dtype="str"),
            "name": pd.Series([name.capitalize() for name in names], dtype="str"),
            "kind": pd.Series(
                [kinds[name.rstrip("0123456789")] for name in names], dtype="category"
            ),
            "created_at": moments([None] * len(names)),
            "closed_at": moments([None] * len(names)),
        }
    )


def balances(*rows: str) -> pd.DataFrame:
    """Make observations of lines ``account moment cents``."""
    words = pd.DataFrame([row.split() for row in rows], columns=["account_id", "as_of", "cents"])
    return pd.DataFrame(
        {
            "account_id": words["account_id"].astype("str"),
            "as_of": moments(list(words["as_of"])),
            "balance_cents": pd.to_numeric(words["cents"]).astype("Int64"),
            "origin": pd.Series(["sync"] * len(words), dtype="category"),
        }
    )
