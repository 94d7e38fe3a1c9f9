"""What each transfer was for: a person's own word, else a rule's, else what its ends say.

Rules are about transfers with somebody else at the other end. Moves between one's own accounts
have categories of their own, unless an annotation, or a rule with the field ``account``, says
what they are for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from seqdata.analysis.accounts import is_owed, known_names
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
from seqdata.analysis.spend.splits import adds_up, read_splits, take_apart
from seqdata.core.arrow import Column, pc
from seqdata.core.text import format_cents, normal, quoted
from seqdata.sources.vocabulary import INSIDE, OWN, Party

__all__ = ["Rule", "Rules", "categorize", "explain", "read_rules", "rule_matches"]

#: Categories that need no rule.
MOVED, DEBT, INTERNAL = "Moved to own accounts", "Debt payments", "Internal"
OTHER_INCOME, UNCATEGORIZED = "Other income", "Uncategorized"
FALLBACKS = (MOVED, DEBT, INTERNAL, OTHER_INCOME, UNCATEGORIZED)

#: Where a category is from.
SOURCES = pd.Index(["annotation", "none", "own account", "rule"])
_ANNOTATION, _NONE, _OWN, _RULE = range(4)

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
    places, combinations = _combinations(transfers, accounts, rules)
    counts = np.bincount(places, minlength=len(combinations))
    parties = _parties(combinations, counts, rules)
    splits = read_splits(annotations)
    largest = pd.Series(
        [next(iter(splits.get(id_, ())), None) for id_ in annotations["id"]],
        index=annotations.index,
        dtype="str",
    )
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


def explain(
    transfers: pd.DataFrame,
    accounts: pd.DataFrame,
    annotations: pd.DataFrame,
    rules: Rules,
) -> pd.DataFrame:
    """Tell of one transfer what named its category, and which rules would have.

    Parameters
    ----------
    transfers
        One row, as the ledger gives it.
    accounts, annotations, rules
        As for :func:`categorize`.

    Returns
    -------
    DataFrame
        A row for each that fits, in the order in which they are asked: ``category``, ``source``
        (annotation, rule, own account, none), ``where`` (the file and line of a rule),
        ``decides`` (bool: true of one, and of each part of what was split), ``why`` (str: what was
        found in which text).
    """
    (row,) = categorize(transfers, accounts, annotations, rules, whole=True).itertuples()
    places, seen = _combinations(transfers, accounts, rules)
    parties = _parties(seen, np.bincount(places), rules)
    texts = _texts(parties)
    found: list[tuple[str, str, str, str]] = []
    if row.category_source == "annotation":
        found += _said(row, read_splits(annotations).get(str(row.id), {}))
    deciding = max(len(found), 1)
    found += [
        (rule.category, "rule", rule.where, _reason(rule, parties.iloc[0]))
        for rule in rules.rules
        if _rows_that_fit(rule, parties, texts, places, transfers["amount_cents"]).all()
    ]
    if not found:
        ends = "no rule fits; its two ends say so"
        found.append((str(row.category), str(row.category_source), "", ends))
    table = pd.DataFrame(found, columns=["category", "source", "where", "why"]).astype("str")
    table.insert(3, "decides", np.arange(len(table)) < deciding)
    return table


def _said(row: Any, parts: Mapping[str, int]) -> list[tuple[str, str, str, str]]:
    """Tell what a person said of a transfer: a category, or one for each part of it."""
    if not parts:
        return [(str(row.category), "annotation", "", "you said so")]
    whole = "unknown" if pd.isna(row.amount_cents) else format_cents(int(row.amount_cents))
    if adds_up(parts, row.amount_cents):
        return [
            (name, "annotation", "", f"you split it: {format_cents(cents)} of {whole}")
            for name, cents in parts.items()
        ]
    told = format_cents(sum(parts.values()))
    why = f"the parts of your split are {told}, and it is {whole}: it counts whole"
    return [(str(row.category), "annotation", "", why)]


def rule_matches(
    transfers: pd.DataFrame,
    accounts: pd.DataFrame,
    annotations: pd.DataFrame,
    rules: Rules,
) -> pd.DataFrame:
    """Count for each rule of a person the transfers that it fits, and those that it decides.

    Parameters
    ----------
    transfers, accounts, annotations, rules
        As for :func:`categorize`.

    Returns
    -------
    DataFrame
        A row a rule, in their order, without the starter set: ``where``, ``category`` (str),
        ``fits`` (int64: also where something earlier decides), ``decides`` (int64).
    """
    places, seen = _combinations(transfers, accounts, rules)
    parties = _parties(seen, np.bincount(places, minlength=len(seen)), rules)
    texts = _texts(parties)
    chosen = _first_rules(rules.rules, parties, places, transfers["amount_cents"])
    said = annotations["category"].fillna("").str.strip() != ""
    by_hand = places_of(transfers["id"], annotations.loc[said, "id"]) >= 0
    counts = np.bincount(chosen[(chosen >= 0) & ~by_hand], minlength=len(rules.rules))
    found = []
    for number, rule in enumerate(rules.rules):
        if rule.is_own:
            fits = _rows_that_fit(rule, parties, texts, places, transfers["amount_cents"])
            found.append((rule.where, rule.category, int(fits.sum()), int(counts[number])))
    columns = {"where": "str", "category": "str", "fits": "int64", "decides": "int64"}
    return pd.DataFrame(found, columns=list(columns)).astype(columns)


def _rows_that_fit(
    rule: Rule,
    parties: pd.DataFrame,
    texts: dict[str, list[_Texts]],
    places: Any,
    cents: pd.Series[Any],
) -> Any:
    """Tell which rows a rule fits, their amounts included, whatever decides."""
    everything = np.ones(len(parties), bool)
    return _fitting(rule, parties, texts, everything)[places] & _in_range(rule, cents)


def _reason(rule: Rule, party: pd.Series[Any]) -> str:
    """Tell what of a rule was found where, as one line."""
    found = []
    columns = {"payee": ["original"], "note": ["note"], "pod": ["pod", "pod_id", "pod_once"],
        "account": [
            "source_account", "destination_account", "source_account_id", "destination_account_id",
            "source_account_once", "destination_account_once",
        ]}  # fmt: skip
    for name in TEXTS:
        for pattern in getattr(rule, name):
            texts = [str(party[column]) for column in columns[name] if pd.notna(party[column])]
            for text in texts:
                same = folded_texts(pa.array([text], pa.large_string()))
                by_id = text == pattern and text
                if by_id or pc.match_substring_regex(same, pattern_regex((pattern,)))[0].as_py():
                    found.append(f"{name} {quoted(pattern)} in {quoted(text)}")
    if rule.min_cents is not None:
        found.append(f"at least {format_cents(rule.min_cents)}")
    if rule.max_cents is not None:
        found.append(f"at most {format_cents(rule.max_cents)}")
    if rule.direction is not None:
        found.append(rule.direction)
    if rule.refund is not None:
        found.append("a refund" if rule.refund else "no refund")
    return ", ".join(found)


class _Names:
    """Names of categories, sorted; of spellings that differ in case the first one counts."""

    def __init__(self, spellings: Iterable[str]) -> None:
        self._first: dict[str, str] = {}
        for name in spellings:
            self._first.setdefault(normal(name), name)
        self.known = pd.Index(sorted(self._first.values()))

    def codes(self, names: Iterable[str]) -> Any:
        first = [self._first[normal(name)] for name in names]
        return self.known.get_indexer(pd.Index(first, dtype="str"))


#: Ids at both ends that a rule asks for; "" where none does.
_WANTED = ("source_wanted", "destination_wanted")


def _combinations(
    transfers: pd.DataFrame, accounts: pd.DataFrame, rules: Rules
) -> tuple[Any, pd.DataFrame]:
    """Return each row's place in the frame of what rows look like, and that frame.

    A million transfers are a few thousand combinations of names, kinds and notes.
    """
    owed = accounts.loc[is_owed(accounts), "id"]
    former = _former_names(transfers, accounts, rules)
    looked_at = transfers[_LOOKED_AT].assign(
        source_is_owed=places_of(transfers["source_id"], owed) >= 0,
        destination_is_owed=places_of(transfers["destination_id"], owed) >= 0,
        **_named_ids(transfers, accounts, rules, former),
    )
    joint, count = np.zeros(len(transfers), np.int64), 1
    for name in looked_at:
        codes, known = pd.factorize(looked_at[name])
        if count * (len(known) + 1) >= 2**62:  # Numbered anew, so that the numbers stay small.
            joint, count = pd.factorize(joint)[0], len(transfers)
        joint, count = joint * (len(known) + 1) + codes + 1, count * (len(known) + 1)
    joint = pd.factorize(joint)[0]
    first = np.zeros(joint.max(initial=-1) + 1, np.int64)
    first[joint[::-1]] = np.arange(len(joint))[::-1]
    words = dict.fromkeys(["source_party", "destination_party", "direction"], "str")
    seen = looked_at.iloc[first].astype(words).reset_index(drop=True)
    seen = seen.assign(**{name: "" for name in _WANTED if name not in seen})
    once = {f"{name.removesuffix('_wanted')}_once": seen[name].map(former) for name in _WANTED}
    return joint, seen.assign(**{name: texts.astype("str") for name, texts in once.items()})


def _former_names(transfers: pd.DataFrame, accounts: pd.DataFrame, rules: Rules) -> dict[str, str]:
    """Return the names that accounts had before, a line each, where an own rule asks for one."""
    if not any(rule.is_own and (rule.pod or rule.account) for rule in rules.rules):
        return {}
    known = known_names(transfers, accounts)
    former = known[known["is_former"] & known["name"].notna()]
    return {str(own_id): "\n".join(names) for own_id, names in former.groupby("id")["name"]}


def _named_ids(
    transfers: pd.DataFrame, accounts: pd.DataFrame, rules: Rules, former: dict[str, str]
) -> dict[str, pd.Series[Any]]:
    """Return the ids at both ends that a rule can ask for; others would part what is the same."""
    patterns = {pattern for rule in rules.rules for pattern in (*rule.pod, *rule.account)}
    ids = [id_ for id_ in accounts["id"].unique() if id_ in patterns]
    wanted = pd.Series([*dict.fromkeys([*ids, *former])], dtype="str")
    if wanted.empty:
        return {}
    known = np.append(wanted.to_numpy(dtype=object), "")
    return {
        f"{end}_wanted": pd.Series(
            known[places_of(transfers[f"{end}_id"], wanted)], transfers.index, dtype="str"
        )
        for end in ("source", "destination")
    }


def _parties(seen: pd.DataFrame, counts: Any, rules: Rules) -> pd.DataFrame:
    """Tell who is at the other end and which pod is at ours."""
    incoming = seen["direction"] == "INCOMING"
    theirs, their_party, is_owed = (
        seen[f"source_{name}"].where(incoming, seen[f"destination_{name}"])
        for name in ("name", "party", "is_owed")
    )
    ours, our_party, our_id, once = (
        seen[f"destination_{name}"].where(incoming, seen[f"source_{name}"])
        for name in ("name", "party", "wanted", "once")
    )
    is_internal = (seen["direction"] == "INTERNAL") | (
        their_party.isin(INSIDE) & our_party.isin(INSIDE)
    )
    is_own = is_internal | their_party.isin(OWN)
    payees = normalize_payees(theirs.mask(is_own), counts, rules.payees)
    return pd.DataFrame(
        {
            "payee": payees.where(~is_own, theirs),
            "original": theirs,
            "note": seen["description"],
            "pod": ours.where(our_party.isin(INSIDE)),
            "pod_id": our_id.where(our_party.isin(INSIDE), ""),
            "pod_once": once.where(our_party.isin(INSIDE)),
            "source_account": seen["source_name"].where(seen["source_party"] == Party.ACCOUNT),
            "destination_account": seen["destination_name"].where(
                seen["destination_party"] == Party.ACCOUNT
            ),
            **{
                f"{end}_account_id": seen[f"{end}_wanted"].where(
                    seen[f"{end}_party"] == Party.ACCOUNT, ""
                )
                for end in ("source", "destination")
            },
            **{
                f"{end}_account_once": seen[f"{end}_once"].where(
                    seen[f"{end}_party"] == Party.ACCOUNT
                )
                for end in ("source", "destination")
            },
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
    texts = _texts(parties)
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


def _texts(parties: pd.DataFrame) -> dict[str, list[_Texts]]:
    """Return the columns that each field of a rule is compared with."""
    columns = {
        "payee": ["original"], "note": ["note"], "pod": ["pod", "pod_once"],
        "account": [
            "source_account", "destination_account", "source_account_once",
            "destination_account_once",
        ],
    }  # fmt: skip
    return {field: [_Texts.of(parties[name]) for name in names] for field, names in columns.items()}


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
            if not fits.any():
                break
            regex = pattern_regex(patterns)
            found = [text.matches(regex, fits) for text in texts[name]]
            ids = [parties[column].isin(patterns).to_numpy() & fits for column in _IDS[name]]
            fits = np.logical_or.reduce([*found, *ids])
    return fits


#: Where the ids stand that a pattern can be instead of a name.
_IDS: dict[str, tuple[str, ...]] = {
    "payee": (), "note": (), "pod": ("pod_id",),
    "account": ("source_account_id", "destination_account_id"),
}  # fmt: skip


def _in_range(rule: Rule, cents: pd.Series[Any]) -> Any:
    if rule.min_cents is None and rule.max_cents is None:
        return np.ones(len(cents), bool)
    fits = cents.notna().to_numpy()
    values = cents.to_numpy(np.int64, na_value=0)
    if rule.min_cents is not None:
        fits = fits & (values >= rule.min_cents)
    if rule.max_cents is not None:
        fits = fits & (values <= rule.max_cents)
    return fits
