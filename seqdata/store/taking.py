"""Taking in: what a source delivered, what was observed, and what a person noted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from seqdata.core.moments import micros
from seqdata.sources.base import Bodies, Delivery, Page, Snapshot
from seqdata.sources.rows import Row, dumped
from seqdata.store import versions
from seqdata.store.record import Connection, mark_changed
from seqdata.store.versions import Said, Upsert


def absorb(db: Connection, delivery: Delivery, said: Said, *, overrules: bool = False) -> Upsert:
    """Take in a delivery of a source; see :meth:`Store.take`."""
    if isinstance(delivery, Snapshot):
        observe(db, delivery.balances)
        return absorb_accounts(db, delivery.accounts, said, delivery.bodies)
    rows = delivery.rows
    found = versions.upsert(
        db, versions.TRANSFERS, rows, said, delivery.bodies, overrules=overrules
    )
    if not isinstance(delivery, Page):
        stale = set(found.stale)  # what is told of an older answer is older too
        fresh = [place for place, row in enumerate(rows) if row["id"] not in stale]
        details = [delivery.details[place] for place in fresh]
        versions.upsert(db, versions.DETAILS, details, said, _chosen(delivery.bodies, fresh))
    return found


def _chosen(bodies: Bodies | None, places: list[int]) -> Bodies | None:
    if bodies is None:
        return None
    every = bodies
    return lambda chosen: every([places[place] for place in chosen])


def absorb_accounts(
    db: Connection, rows: Sequence[Row], said: Said, bodies: Bodies | None = None
) -> Upsert:
    """Take in a complete list of accounts: those that are not in it are closed."""
    found = versions.upsert(db, versions.ACCOUNTS, rows, said, bodies)
    gone = versions.close_unlisted(db, [row["id"] for row in rows], said)
    return replace(
        found, updated=found.updated + gone.updated, changes=(*found.changes, *gone.changes)
    )


def observe(db: Connection, rows: Iterable[Row]) -> None:
    """Add observed balances; one that is as before only lengthens the time of that."""
    for row in rows:
        key = row["account_id"], row["as_of"]
        cents, origin = row.get("balance_cents"), row["origin"]
        same = next(db.execute(f"{_BALANCE} AND as_of = ?", key), None)
        if same is not None and same[3] == "statement" and origin != "statement":
            continue
        if same is not None and same[2:] == (cents, origin):
            continue
        if same is not None and same[1] > same[0]:  # of its stretch, what is later stays
            stays = (row["account_id"], same[0] + 1, *same[1:])
            db.execute("INSERT OR IGNORE INTO balances VALUES (?, ?, ?, ?, ?)", stays)
        last = next(db.execute(_LATEST_BALANCE, (*key, origin)), None)
        is_as_before = last is not None and last[2] == cents and last[1] <= row["as_of"]
        if last is not None and is_as_before and same is None and origin != "statement":
            db.execute(
                "UPDATE balances SET confirmed_at = ? WHERE account_id = ? AND as_of = ?",
                (row["as_of"], row["account_id"], last[0]),
            )
        else:
            confirmed = row.get("confirmed_at", row["as_of"])
            values = (*key, confirmed, cents, origin)
            db.execute("INSERT OR REPLACE INTO balances VALUES (?, ?, ?, ?, ?)", values)
    mark_changed(db, ["balances"])


_BALANCE = "SELECT as_of, confirmed_at, cents, origin FROM balances WHERE account_id = ?"
_LATEST_BALANCE = f"{_BALANCE} AND as_of <= ? AND origin = ? ORDER BY as_of DESC LIMIT 1"


def annotated(
    db: Connection,
    id_: str,
    at: datetime,
    *,
    category: str | None = None,
    note: str | None = None,
    split: Mapping[str, int] | None = None,
) -> None:
    """Note something about a transfer; None leaves what is there, what is empty removes it.

    Of category and split the later one counts.
    """
    found = next(db.execute("SELECT row FROM annotations WHERE id = ?", (id_,)), None)
    before = json.loads(found[0]) if found else {}
    said = {
        "category": None if category is None else _storable(category),
        "note": None if note is None else _storable(note),
        "split": None if split is None else _parts(split),
    }
    given = {name: before.get(name) if value is None else value for name, value in said.items()}
    if said["category"]:
        given["split"] = None
    if said["split"]:
        given["category"] = None
    kept_words = {name: value for name, value in given.items() if value}
    if kept_words:
        row = {"id": id_, **kept_words, "annotated_at": micros(at)}
        db.execute("INSERT OR REPLACE INTO annotations VALUES (?, ?)", (id_, dumped(row)))
    else:
        db.execute("DELETE FROM annotations WHERE id = ?", (id_,))
    mark_changed(db, ["annotations"])


def _parts(split: Mapping[str, int]) -> str:
    return dumped({_storable(name): cents for name, cents in split.items()}) if split else ""


def _storable(text: str) -> str:
    """Return a text that every file can hold: half of a surrogate pair is no letter."""
    return text.encode("utf-8", "replace").decode()
