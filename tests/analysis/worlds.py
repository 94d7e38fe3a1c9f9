"""A household of the sandbox as tables, made of its own books: quick, for nobody is asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
from tables import legs, moments

from seqdata.analysis import categorize, read_rules
from seqdata.analysis.settlement import settle
from seqdata.sandbox import Sandbox
from seqdata.sources.vocabulary import INSIDE, OWN, State
from seqdata.sources.webapp.words import kind_of, party_of, state_of


@dataclass
class Lived:
    """What a ledger of a household would know: its transfers, its pods and ports, its moment."""

    rows: pd.DataFrame
    held: pd.DataFrame
    now: datetime


def live(seed: int, months: int = 24, now: str = "2026-11-01T16:00:00Z") -> Lived:
    """Return the tables of a household."""
    box = Sandbox(seed=seed, months=months, now=now)
    told = box.transfers()
    rows = settle(_transfers(told), legs("- payment -"))
    comes_in = rows["direction"] == "INCOMING"
    payee = rows["source_name"].where(comes_in, rows["destination_name"])
    rows = rows.assign(payee=payee, category=pd.Categorical(["Any"] * len(rows)))
    return Lived(rows, _held(rows, box.balances()), box.now)


def _transfers(told: list[dict[str, Any]]) -> pd.DataFrame:
    made = pd.DataFrame([_row(one) for one in told])
    for name in ("created_at", "updated_at", "settled_at", "returned_at"):
        made[name] = moments(list(made[name]))
    for name in ("direction", "state", "kind", "source_party", "destination_party"):
        made[name] = made[name].astype("category")
    texts = ["id", *(f"{end}_{fact}" for end in ("source", "destination") for fact in _FACTS)]
    return made.astype({**dict.fromkeys(texts, "str"), "amount_cents": "Int64"})


_FACTS = ("id", "name")


def _row(one: dict[str, Any]) -> dict[str, Any]:
    details = one["details"]
    last = details.get("status") or details.get("push") or {}
    back = details.get("reversal") or {}
    settled = state_of(one["status"]) == State.SETTLED
    row = {
        name: one[name] for name in ("id", "created_at", "updated_at", "amount_cents", "direction")
    }
    row["state"] = state_of(one["status"])
    row["settled_at"] = last.get("completed_at") if settled else None
    row["returned_at"] = back.get("completed_at")
    for end in ("source", "destination"):
        party = one[end] or {}
        row[f"{end}_party"] = party_of(party.get("kind"))
        row |= {f"{end}_{fact}": party.get(fact) for fact in _FACTS}
    row["kind"] = kind_of(row["source_party"], row["destination_party"], one["activity_type"])
    return row


def _held(rows: pd.DataFrame, balances: dict[str, dict[str, int]]) -> pd.DataFrame:
    """Return the pods and ports that have a balance today."""
    ends = [
        rows[[f"{end}_id", f"{end}_name", f"{end}_party"]].set_axis(["id", "name", "kind"], axis=1)
        for end in ("source", "destination")
    ]
    known = pd.concat(ends).drop_duplicates("id")
    known = known[known["kind"].isin(INSIDE)].sort_values("id", ignore_index=True)
    newest = max(max(days) for days in balances.values() if days)
    known = known[[newest in balances.get(one, {}) for one in known["id"]]].reset_index(drop=True)
    cents = [balances[one][newest] for one in known["id"]]
    return known.assign(balance_cents=pd.array(cents, dtype="Int64"))


@dataclass
class Household:
    """A household's categorized transfers, and its accounts of all kinds."""

    rows: pd.DataFrame
    accounts: pd.DataFrame


#: Words in the names of a household's debts, and the service's word for them.
_DEBTS = {"Card": "CREDIT_CARD", "Loan Servicer": "STUDENT_LOAN"}


def household(seed: int, months: int = 6) -> Household:
    """Return a household with its payments on cards and loans."""
    rows = live(seed, months).rows.assign(description=pd.Series(dtype="str"))
    ends = [
        rows[[f"{end}_id", f"{end}_name", f"{end}_party"]].set_axis(["id", "name", "kind"], axis=1)
        for end in ("source", "destination")
    ]
    known = pd.concat(ends).drop_duplicates("id")
    accounts = known[known["kind"].isin(OWN)].reset_index(drop=True)
    types = [
        next((word for part, word in _DEBTS.items() if name.endswith(part)), "CHECKING")
        for name in accounts["name"]
    ]
    accounts["type"] = pd.Series(types, dtype="str").where(accounts["kind"] == "account")
    nothing = pd.DataFrame({"id": pd.Series(dtype="str"), "category": pd.Series(dtype="str")})
    plain = rows.drop(columns=["payee", "category"])
    return Household(categorize(plain, accounts, nothing, read_rules()), accounts)
