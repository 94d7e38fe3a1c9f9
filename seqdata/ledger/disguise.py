"""Made-up names and amounts for a picture: consistent, and exact in every ratio.

What is replaced: every text that is not one of the service's words or ours, and every amount,
which is multiplied by one secret whole number. What stays: dates, counts, shares, statuses,
and the names of the starter set's categories. So this is a disguise for a picture, and no
anonymity: who knows one true amount knows them all, and a rhythm can be recognized.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from seqdata.analysis import normalize_payees, read_rules
from seqdata.analysis.accounts import known_names, shown_names
from seqdata.analysis.spend.categories import FALLBACKS
from seqdata.core.text import normal
from seqdata.exceptions import InvalidFilter
from seqdata.sources.vocabulary import OWN

#: Columns of words that say nothing of a person.
_KEPT = frozenset(
    {
        "direction", "state", "status", "activity_type", "type", "kind", "source_party",
        "destination_party", "provider_type", "origin", "leg", "rule_trigger_type",
        "rule_trigger_cron", "trigger_type", "trigger_cron", "provenance", "category_source",
        "cadence", "rule", "basis", "method", "from_kind", "to_kind",
    }
)  # fmt: skip

#: Stands for a normalized name of somebody outside.
_PAYEE = "payee"


class Disguise:
    """Replaces names, notes, ids and amounts, the same one always by the same one.

    Parameters
    ----------
    accounts, categorized
        Of the ledger: the names that occur.
    """

    def __init__(self, accounts: pd.DataFrame, categorized: pd.DataFrame) -> None:
        self._factor = 3 + secrets.randbelow(48)
        self._key = secrets.token_bytes(16)
        self._plain_categories = {*FALLBACKS, *read_rules().categories}
        self._labels: dict[str, dict[str, str]] = {}
        for category in sorted(categorized["category"].cat.categories, key=self._id):
            self._category(category)
        parties = _parties(accounts, categorized)
        own = self._account_names(parties)
        own |= _twin_names(own, accounts, categorized)
        self._names = self._payee_names(parties, own, _payees_of(categorized)) | own
        seen = pd.concat([accounts["id"], categorized["source_id"], categorized["destination_id"]])
        self._true_ids = {self._id(own_id): own_id for own_id in seen.dropna().unique()}
        self._true_names = {label: name for name, label in reversed(self._names.items())}

    # -- true to made up ----------------------------------------------------------------------

    def frame(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return a frame of a ledger with everything that a person would not share replaced.

        Columns, dtypes and the order of rows stay; a column ``disguised`` (bool, True) is added,
        so that a file made of it says so too.
        """
        columns = {name: self._column(frame, str(name)) for name in frame.columns}
        made = pd.DataFrame(columns, index=frame.index).assign(disguised=True)
        made.attrs["seqdata"] = {
            name: value
            for name, value in frame.attrs.get("seqdata", {}).items()
            if name not in ("organization_id", "filters")
        } | {"share_safe": True}
        return made

    def _column(self, frame: pd.DataFrame, name: str) -> pd.Series[Any]:
        column = frame[name]
        if name.endswith("_cents"):
            return column * self._factor
        if f"{name}_cents" in frame:
            cents = frame[f"{name}_cents"] * self._factor
            return pd.Series(cents.to_numpy(np.float64, na_value=np.nan) / 100, index=frame.index)
        if name in _KEPT or not _is_text(column):
            return column
        if name in ("from_name", "to_name"):
            kinds = frame[f"{name.removesuffix('_name')}_kind"].astype("str")
            texts = column.astype("str")
            return texts.map(self._category).where(kinds == "category", texts.map(self._name))
        return self._replaced(column, self._replacer(name))

    def _replacer(self, name: str) -> Any:
        if name == "category":
            return self._category
        if name == "id" or name.endswith("_id"):
            return self._id
        if name in ("name", "payee", "account", "pod", "source_name", "destination_name"):
            return self._name
        return self._note

    @staticmethod
    def _replaced(column: pd.Series[Any], replace: Any) -> pd.Series[Any]:
        """Replace each value; two values that become one category are one."""
        made = column.astype("str").map(replace, na_action="ignore")
        return made.astype("category" if column.dtype == "category" else "str")

    def _name(self, name: str) -> str:
        return self._names.get(name) or self._label("Name", name)

    def _category(self, name: str) -> str:
        return name if name in self._plain_categories else self._label("Category", name)

    def _note(self, text: str) -> str:
        return self._label("Note", text)

    def _id(self, own_id: str) -> str:
        digest = hmac.new(self._key, own_id.encode(), hashlib.sha256).hexdigest()
        return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"

    def _label(self, word: str, text: str) -> str:
        known = self._labels.setdefault(word, {})
        return known.setdefault(text, f"{word} {len(known) + 1}")

    # -- made up to true ----------------------------------------------------------------------

    def true_account(self, account: str) -> str:
        """Return the true id or name of a made-up one; another text as it is."""
        return self._true_ids.get(account) or self._true_names.get(account, account)

    def true_category(self, category: str) -> str:
        """Return the true name of a made-up category, or one of the starter set's, in any case.

        Raises
        ------
        InvalidFilter
            Another text: a true name of the person's own would stand in the picture.
        """
        plain = {name: name for name in self._plain_categories}
        known = plain | {label: name for name, label in self._labels.get("Category", {}).items()}
        for label, name in known.items():
            if normal(label) == normal(category):
                return name
        raise InvalidFilter("category", category, [])

    # -- which names there are ----------------------------------------------------------------

    @staticmethod
    def _account_names(parties: pd.DataFrame) -> dict[str, str]:
        """Give numbers to pods, ports and accounts, in a secret order that tells nothing."""
        names: dict[str, str] = {}
        for party in OWN:
            found = parties.loc[parties["party"] == party, "name"].unique().tolist()
            secrets.SystemRandom().shuffle(found)
            word = party.capitalize()
            names |= {name: f"{word} {place}" for place, name in enumerate(found, start=1)}
        return names

    @staticmethod
    def _payee_names(
        parties: pd.DataFrame, own: dict[str, str], known: dict[str, str]
    ) -> dict[str, str]:
        """Give numbers to the others; all spellings of a payee have one number."""
        others = parties[~parties["name"].isin(own.keys())]
        spellings = others["name"]
        payees = spellings.map(known).fillna(normalize_payees(spellings))
        order = list({*payees, *others.loc[others["party"] == _PAYEE, "name"]})
        secrets.SystemRandom().shuffle(order)
        numbers = {payee: f"Payee {place}" for place, payee in enumerate(order, start=1)}
        # A payee may be called like a pod: it is shown like one, in every column.
        return dict(zip(spellings, payees.map(numbers | own), strict=True)) | numbers


def _parties(accounts: pd.DataFrame, categorized: pd.DataFrame) -> pd.DataFrame:
    """List who there is: name and party (pod, port, account, payee for a normalized one ...)."""
    found = [accounts[["name"]].assign(party=accounts["kind"].astype("str"))]
    for end in ("source", "destination"):
        ends = categorized[[f"{end}_name", f"{end}_party"]].astype("str")
        found.append(ends.set_axis(["name", "party"], axis="columns"))
    found.append(categorized[["payee"]].assign(party=_PAYEE).rename(columns={"payee": "name"}))
    return pd.concat(found).dropna(subset="name").drop_duplicates(ignore_index=True)


def _twin_names(
    own: dict[str, str], accounts: pd.DataFrame, categorized: pd.DataFrame
) -> dict[str, str]:
    """Give the names that tell accounts of one name apart: "Pod 3 (1)" and "Pod 3 (2)".

    Names that only look alike are different ones here, and need no number.
    """
    known = known_names(categorized, accounts)
    now = known[~known["is_former"]]
    named = dict(zip(now["id"], now["name"], strict=True))
    told: dict[str, str] = {}
    shared = Counter(named.values())
    counts: Counter[str] = Counter()
    for own_id, label in shown_names(known, accounts).dropna().items():
        if label != (name := named[str(own_id)]):
            counts[name] += 1
            number = f" ({counts[name]})" if shared[name] > 1 else ""
            told[label] = f"{own[name]}{number}"
    return told


def _payees_of(categorized: pd.DataFrame) -> dict[str, str]:
    """Return which payee each spelling is, by the person's own names for payees too."""
    comes_in = categorized["direction"] == "INCOMING"
    spelling = categorized["source_name"].where(comes_in, categorized["destination_name"])
    pairs = pd.DataFrame({"spelling": spelling, "payee": categorized["payee"]}).dropna()
    return dict(zip(pairs["spelling"], pairs["payee"], strict=True))


def _is_text(column: pd.Series[Any]) -> bool:
    return column.dtype == "str" or isinstance(column.dtype, pd.CategoricalDtype)
