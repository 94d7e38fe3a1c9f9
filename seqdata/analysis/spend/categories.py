"""What each transfer was for: a person's own word, else a rule's, else what its ends say.

Rules are about transfers with somebody else at the other end. Moves between one's own accounts
have categories of their own, unless an annotation, or a rule with the field ``account``, says
what they are for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from seqdata.analysis.settlement import arrow, places_of
from seqdata.analysis.spend.payees import normalize_payees
from seqdata.analysis.spend.rulesfile import (
    TEXTS,
    Rule,
    Rules,
    folded_texts,
    pattern_regex,
    read_rules,
)
from seqdata.analysis.spend.splits import read_splits, take_apart
from seqdata.core.arrow import Column, pc
from seqdata.sources.vocabulary import INSIDE, OWN, Party

__all__ = ["Rule", "Rules", "categorize", "read_rules"]

#: Categories that need no rule.
MOVED, DEBT, INTERNAL = "Moved to own accounts", "Debt payments", "Internal"
OTHER_INCOME, UNCATEGORIZED = "Other income", "Uncategorized"
FALLBACKS = (MOVED, DEBT, INTERNAL, OTHER_INCOME, UNCATEGORIZED)

#: Where a category is from.
SOURCES = pd.Index(["annotation", "none", "own account", "rule"])
_ANNOTATION, _NONE, _OWN, _RULE = range(4)

#: Parts of an account type (CREDIT_CARD, STUDENT_LOAN ...) that say that it is owed.
LIABILITIES = "CREDIT_CARD|LOAN|MORTGAGE|LINE_OF_CREDIT|LIABILITY"

_LOOKED_AT = [
    "source_name", "source_party", "destination_name", "destination_party", "direction",
    "description",
]  # fmt: skip


def categorize(
    transfers: pd.DataFrame,
    accounts: pd.DataFrame,
    annotations: pd.DataFrame,
    rules: Rules,
    *,
    whole: bool = False,
) -> pd.DataFrame:
    """Return the transfers with their payee and category.

    Parameters
    ----------
    transfers, accounts, annotations
        As the ledger gives them. An annotation without a category says nothing.
    rules
        See :func:`read_rules`.
    whole
        Leave what was split over several categories whole, under that of its largest part.

    Returns
    -------
    DataFrame
        The rows of `transfers` in their order, and ``payee`` (str: who is at the other end, of a
        move between own accounts where the money went; names of others are normalized),
        ``category`` (category; its categories are all that the rules know) and
        ``category_source`` (category: annotation, rule, own account or none). A transfer that
        was split is a row a part, each with its own category and amount, so that every sum is
        right; ``whole_cents`` (Int64) and ``whole`` say what it is together.
    """
    places, combinations = _combinations(transfers, accounts)
    counts = np.bincount(places, minlength=len(combinations))
    parties = _parties(combinations, counts)
    splits = read_splits(annotations)
    largest = annotations["id"].map({id_: next(iter(parts)) for id_, parts in splits.items()})
    own_words = annotations["category"].fillna(largest).fillna("").str.strip()
    annotated, own_words = annotations[own_words != ""], own_words[own_words != ""]
    named = [name for parts in splits.values() for name in parts]
    names = _Names([*FALLBACKS, *(rule.category for rule in rules.rules), *own_words, *named])

    codes = names.codes(_fallbacks(parties))[places]
    sources = np.where(parties["is_own"], _OWN, _NONE).astype(np.int8)[places]
    chosen = _first_rules(rules.rules, parties, places, transfers["amount_cents"])
    ruled = chosen >= 0
    rule_codes = names.codes([rule.category for rule in rules.rules])
    codes[ruled], sources[ruled] = rule_codes[chosen[ruled]], _RULE
    noted = places_of(transfers["id"], annotated["id"])
    by_hand = noted >= 0
    codes[by_hand], sources[by_hand] = names.codes(own_words)[noted[by_hand]], _ANNOTATION
    rows = transfers.assign(
        payee=parties["payee"].array.take(places),
        category=pd.Categorical.from_codes(codes, categories=names.known),
        category_source=pd.Categorical.from_codes(sources, categories=SOURCES),
    )
    return take_apart(rows, {} if whole else splits)


class _Names:
    """Names of categories, sorted; of spellings that differ in case the first one counts."""

    def __init__(self, spellings: Iterable[str]) -> None:
        self._first: dict[str, str] = {}
        for name in spellings:
            self._first.setdefault(name.casefold(), name)
        self.known = pd.Index(sorted(self._first.values()))

    def codes(self, names: Iterable[str]) -> Any:
        first = [self._first[name.casefold()] for name in names]
        return self.known.get_indexer(pd.Index(first, dtype="str"))


def _combinations(transfers: pd.DataFrame, accounts: pd.DataFrame) -> tuple[Any, pd.DataFrame]:
    """Return each row's place in the frame of what rows look like, and that frame.

    A million transfers are a few thousand combinations of names, kinds and notes.
    """
    is_owed = accounts["type"].astype("str").str.contains(LIABILITIES, na=False)
    owed = accounts.loc[is_owed, "id"]
    looked_at = transfers[_LOOKED_AT].assign(
        source_is_owed=places_of(transfers["source_id"], owed) >= 0,
        destination_is_owed=places_of(transfers["destination_id"], owed) >= 0,
    )
    joint = np.zeros(len(transfers), np.int64)
    for name in looked_at:
        codes, known = pd.factorize(looked_at[name])
        # Numbered anew each time, so that the numbers stay small.
        joint = pd.factorize(joint * (len(known) + 1) + codes + 1)[0]
    first = np.zeros(joint.max(initial=-1) + 1, np.int64)
    first[joint[::-1]] = np.arange(len(joint))[::-1]
    words = dict.fromkeys(["source_party", "destination_party", "direction"], "str")
    return joint, looked_at.iloc[first].astype(words).reset_index(drop=True)


def _parties(seen: pd.DataFrame, counts: Any) -> pd.DataFrame:
    """Tell who is at the other end and which pod is at ours."""
    incoming = seen["direction"] == "INCOMING"
    theirs, their_party, is_owed = (
        seen[f"source_{name}"].where(incoming, seen[f"destination_{name}"])
        for name in ("name", "party", "is_owed")
    )
    ours, our_party = (
        seen[f"destination_{name}"].where(incoming, seen[f"source_{name}"])
        for name in ("name", "party")
    )
    is_internal = (seen["direction"] == "INTERNAL") | (
        their_party.isin(INSIDE) & our_party.isin(INSIDE)
    )
    is_own = is_internal | their_party.isin(OWN)
    normal = normalize_payees(theirs.mask(is_own), counts)
    return pd.DataFrame(
        {
            "payee": normal.where(~is_own, theirs),
            "original": theirs,
            "note": seen["description"],
            "pod": ours.where(our_party.isin(INSIDE)),
            "source_account": seen["source_name"].where(seen["source_party"] == Party.ACCOUNT),
            "destination_account": seen["destination_name"].where(
                seen["destination_party"] == Party.ACCOUNT
            ),
            "direction": seen["direction"],
            "is_internal": is_internal,
            "is_own": is_own,
            "is_owed": is_owed,
            "is_income": incoming & (their_party != Party.MERCHANT),
            "is_refund": incoming & (their_party == Party.MERCHANT),
        }
    )


def _fallbacks(parties: pd.DataFrame) -> Any:
    """Return the category of what neither a person nor a rule named."""
    is_own = parties["is_own"]
    return np.select(
        [parties["is_internal"], is_own & parties["is_owed"], is_own, parties["is_income"]],
        [INTERNAL, DEBT, MOVED, OTHER_INCOME],
        UNCATEGORIZED,
    )


def _first_rules(
    rules: tuple[Rule, ...], parties: pd.DataFrame, places: Any, cents: pd.Series[Any]
) -> Any:
    """Return the number of the first rule that fits each row; -1 where none does."""
    texts = {
        "payee": [_Texts.of(parties["original"])],
        "note": [_Texts.of(parties["note"])],
        "pod": [_Texts.of(parties["pod"])],
        "account": [
            _Texts.of(parties["source_account"]),
            _Texts.of(parties["destination_account"]),
        ],
    }
    never = len(rules)
    plain = np.full(len(parties), never)
    by_amount = []
    for number, rule in enumerate(rules):
        fits = _fitting(rule, parties, texts, plain == never)
        if rule.min_cents is None and rule.max_cents is None:
            plain[fits & (plain == never)] = number
        elif fits.any():
            by_amount.append((number, rule, fits))
    chosen = plain[places]
    for number, rule, fits in by_amount:
        rows = np.flatnonzero(fits[places] & (chosen > number))
        chosen[rows[_in_range(rule, cents.iloc[rows])]] = number
    return np.where(chosen == never, -1, chosen)


class _Texts(NamedTuple):
    """A column of text: its different values as they are compared, and where each one stands."""

    codes: Any
    known: Column

    @classmethod
    def of(cls, column: pd.Series[Any]) -> _Texts:
        codes, known = pd.factorize(column)
        return cls(codes, folded_texts(arrow(pd.Series(known, dtype="str"))))

    def matches(self, regex: str, asked: Any) -> Any:
        """Tell which rows match; only those that are asked for are looked at."""
        # The last one is that of the code -1: missing.
        found = np.zeros(len(self.known) + 1, bool)
        found[self.codes[asked]] = True
        places = np.flatnonzero(found[:-1])
        matches = pc.match_substring_regex(self.known.take(pa.array(places)), regex)
        found[:] = False
        found[places] = matches.to_numpy(zero_copy_only=False)
        return asked & found[self.codes]


def _fitting(rule: Rule, parties: pd.DataFrame, texts: dict[str, list[_Texts]], asked: Any) -> Any:
    """Tell which of the combinations that are asked for a rule fits, its amounts aside."""
    fits = asked & ~parties["is_internal"].to_numpy()
    if not rule.account:
        fits = fits & ~parties["is_own"].to_numpy()
    if rule.direction is not None:
        fits = fits & (parties["direction"] == rule.direction).to_numpy()
    elif rule.pod:  # what a pod pays for says nothing of what it is paid
        fits = fits & ~parties["is_income"].to_numpy()
    if rule.refund is not None:
        fits = fits & (parties["is_refund"] == rule.refund).to_numpy()
    for name in TEXTS:
        if patterns := getattr(rule, name):
            regex = pattern_regex(patterns)
            fits = np.logical_or.reduce([text.matches(regex, fits) for text in texts[name]])
    return fits


def _in_range(rule: Rule, cents: pd.Series[Any]) -> Any:
    fits = cents.notna().to_numpy()
    values = cents.to_numpy(np.int64, na_value=0)
    if rule.min_cents is not None:
        fits = fits & (values >= rule.min_cents)
    if rule.max_cents is not None:
        fits = fits & (values <= rule.max_cents)
    return fits
