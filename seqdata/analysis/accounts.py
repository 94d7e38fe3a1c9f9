"""Accounts by their ids: what each is called now, was called before, and whether it is a debt.

A name is no key: a pod can be renamed, and two can have one name. Tables group by the id, show the
newest name, and tell twins apart by what a person knows of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from seqdata.analysis.settlement import places_of
from seqdata.core.text import format_cents, groups_alike
from seqdata.sources.vocabulary import OWN, is_debt

#: Whose money counts as inside: pods and ports, or these and the user's outside accounts.
BOUNDARIES = {"sequence": ("pod", "port"), "own": OWN}

#: A column of an accounts table: the names that the account had before, a tuple.
FORMER = "former_names"


def is_owed(accounts: pd.DataFrame) -> Any:
    """Tell which accounts are debts: their balance is what is owed, and lessens what there is."""
    if "is_owed" in accounts:
        return accounts["is_owed"].to_numpy(bool)
    if "type" not in accounts:
        return np.zeros(len(accounts), bool)
    return np.array([is_debt(one) for one in accounts["type"]], bool)


def with_former_names(accounts: pd.DataFrame, names: pd.DataFrame) -> pd.DataFrame:
    """Return the accounts with what each was called before, of ``id`` and ``name``."""
    known = names.dropna(subset="name").groupby("id", sort=False)["name"].unique()
    former = [tuple(known.get(own_id, ())) for own_id in accounts["id"]]
    return accounts.assign(**{FORMER: pd.Series(former, accounts.index, dtype="object")})


def with_unlisted(accounts: pd.DataFrame, transfers: pd.DataFrame) -> pd.DataFrame:
    """Return the accounts and those that transfers alone name: closed before the first sync."""
    seen = []
    for end in ("source", "destination"):
        is_own = transfers[f"{end}_party"].isin(OWN).to_numpy()
        is_unlisted = places_of(transfers[f"{end}_id"], accounts["id"]) < 0
        columns = [f"{end}_id", f"{end}_name", f"{end}_party", "created_at"]
        named = transfers[columns].iloc[np.flatnonzero(is_own & is_unlisted)]
        named = named.dropna(subset=f"{end}_id")
        seen.append(named.set_axis(["id", "name", "kind", "at"], axis="columns"))
    unlisted: pd.DataFrame = pd.concat(seen).astype({"kind": "str"})
    if unlisted.empty:
        return accounts
    newest = unlisted.sort_values("at", ascending=False, kind="stable").drop_duplicates("id")
    added = newest[["id", "name", "kind"]].sort_values("id")
    both = [accounts.astype({"kind": "str"}), added]
    listed: pd.DataFrame = pd.concat(both, ignore_index=True)
    return listed


def known_names(transfers: pd.DataFrame | None, accounts: pd.DataFrame | None) -> pd.DataFrame:
    """List the names of each account that the accounts table or a transfer names.

    Returns
    -------
    DataFrame
        ``id``, ``name`` and ``is_former`` (bool), each pair once: of an account the newest name,
        then those it had before.
    """
    found = []
    if accounts is not None:
        found.append(accounts[["id", "name"]])
    if transfers is not None:
        found.append(_names_of(transfers))
    if accounts is not None and FORMER in accounts:
        once = accounts[["id", FORMER]].explode(FORMER, ignore_index=True)
        found.append(once.rename(columns={FORMER: "name"}).dropna(subset="name"))
    pairs = pd.concat(found).dropna(subset="id").drop_duplicates(ignore_index=True)
    return pairs.assign(is_former=pairs["id"].duplicated().to_numpy())


def _names_of(transfers: pd.DataFrame) -> pd.DataFrame:
    """List the names that transfers give to own accounts, the newest of each first."""
    seen = []
    for end in ("source", "destination"):
        ours = transfers[transfers[f"{end}_party"].isin(OWN)]
        pairs = ours[[f"{end}_id", f"{end}_name", "created_at"]]
        seen.append(pairs.set_axis(["id", "name", "at"], axis="columns"))
    newest = pd.concat(seen).groupby(["id", "name"], sort=False, dropna=False)["at"].max()
    return newest.reset_index().sort_values("at", ascending=False, kind="stable")[["id", "name"]]


def shown_names(known: pd.DataFrame, accounts: pd.DataFrame | None) -> pd.Series[Any]:
    """Return what each account is shown as: its newest name, told apart from one like it.

    It is so in each table and chart, whichever accounts that shows: "Kids (goal $500.00)" beside
    "KIDS (goal $900.00)".

    Parameters
    ----------
    known
        As :func:`known_names` gives it.
    accounts
        The accounts table, by whose facts those of one name are told apart: institution, type,
        goal; else by the last characters of the id.

    Returns
    -------
    Series
        ``str``, by id. An account without a name is NA.
    """
    now = known[~known["is_former"]].set_index("id")["name"].astype("str")
    named = now.dropna()
    groups = groups_alike(named)
    if not groups:
        return now
    facts = pd.DataFrame(index=now.index) if accounts is None else accounts.set_index("id")
    labels = now.to_dict()
    for places in groups:
        ids = named.index[places]
        words = next(_told_apart(facts.reindex(ids), list(ids)))
        labels |= {
            own_id: f"{labels[own_id]} ({word})" for own_id, word in zip(ids, words, strict=True)
        }
    return pd.Series(labels, dtype="str")


#: Before a name that stands for an id, where a transfer has none.
_NAMED = "\0"


def account_names(accounts: pd.DataFrame, transfers: pd.DataFrame) -> pd.Series[Any]:
    """Return what each account is shown as, by id, of all that the table or a transfer names."""
    known = with_unlisted(accounts, transfers)
    return shown_names(known_names(None, known), known)


def own_keys(ids: pd.Series[Any], names: pd.Series[Any]) -> pd.Series[Any]:
    """Return what own accounts are told apart by: the id, else the name; NA where there is none."""
    return ids.astype("str").fillna(_NAMED + names.astype("str"))


def with_keys(transfers: pd.DataFrame) -> pd.DataFrame:
    """Return the transfers with a key (see own_keys) for each own account that has no id."""
    made = transfers
    for end in ("source", "destination"):
        lacking = transfers[f"{end}_id"].isna() & transfers[f"{end}_party"].isin(OWN)
        if lacking.any():
            ids = transfers[f"{end}_id"].astype("str")
            names = transfers[f"{end}_name"].astype("str").fillna("")
            made = made.assign(**{f"{end}_id": ids.mask(lacking, own_keys(ids, names))})
    return made


def without_keys(ids: pd.Series[Any]) -> pd.Series[Any]:
    """Return ids, and NA for what stands for one."""
    return ids.mask(ids.str.startswith(_NAMED, na=False))


def names_of(keys: pd.Series[Any], shown: pd.Series[Any]) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """Return the names and the ids (NA where there is none) that keys stand for."""
    texts = keys.astype("str")
    is_name = texts.str.startswith(_NAMED, na=False)
    names = texts.map(shown.to_dict()).astype("str")
    return names.mask(is_name, texts.str.removeprefix(_NAMED)), texts.mask(is_name)


def _told_apart(facts: pd.DataFrame, ids: list[str]) -> Iterator[list[str]]:
    """Yield words that tell accounts of one name apart, the best known first."""
    for name in ("kind", "institution", "type", "goal_cents"):
        values = facts[name] if name in facts else pd.Series(dtype="object")
        if len(values) and values.notna().all() and values.is_unique:
            yield [
                f"goal {format_cents(int(value))}" if name == "goal_cents" else _plain(str(value))
                for value in values
            ]
    for length in range(4, max(map(len, ids)) + 1):
        ends = [own_id[-length:] for own_id in ids]
        if len({*ends}) == len(ids):
            yield [f"…{end}" for end in ends]


def _plain(word: str) -> str:
    """Write a service's word as a person would: "CREDIT_CARD" is "credit card"."""
    return word.replace("_", " ").lower() if word.isupper() else word
