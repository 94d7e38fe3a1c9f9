"""Names of payees, without what a card terminal adds: one shop, one name.

Bank statements write ``SQ *BLUE BOTTLE #0042 OAKLAND CA`` one day and ``Blue Bottle`` the
next. What is left out here is what never belongs to a name; a city stays unless a store number
stands before it, and so do numbers of one or two digits ("Motel 6", "Studio 54"), and those that
tell one loan, card, check or unit from another.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from seqdata.core.text import normal

_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec"
_REFERENCES = "ref|reference|txn|trn|trace|auth|conf|confirmation|inv|invoice|order|id"
_STATES = (
    "AL|AK|AZ|AR|CA|CO|CT|DC|DE|FL|GA|HI|IA|ID|IL|IN|KS|KY|LA|MA|MD|ME|MI|MN|MO|MS|MT|NC|ND|NE|NH"
    "|NJ|NM|NV|NY|OH|OK|OR|PA|PR|RI|SC|SD|TN|TX|UT|VA|VT|WA|WI|WV|WY"
)
#: A state in capitals, as a statement writes it, mostly with a city before it.
_PLACE = (
    rf"(?:(?:\s+[^\W\d_][^\W\d_ .'-]*(?:[ .'-][^\W\d_]+){{0,3}},?)?\s+(?-i:{_STATES})(?:\s+USA?)?)?"
)
#: What tells one from another by the number behind it: two loans are two.
_COUNTED = re.compile(
    r"\b(?:loans?|ln|cards?|checks?|chk|ck|cheque|units?|apt|apartment|suite|acct|account|policy"
    r"|lot|room|lease|mortgage|mtg|contract|plan|claim|member)"
    r"\W*(?:\b(?:no|nr|num|number|ref|id|payment|pmt|pymt|ending|in|x+)\b\W*)*$",
    re.IGNORECASE,
)

#: What may stand at the beginning: who processed the payment, or how it was made.
_BEFORE = [
    r"(?:sq|sqc|gosq\.com|tst|paypal|pypl|pp|sp|in|cke|eb|fs|wpy|bt|par|zsk|clv|spo|py|ic|dd|ady"
    r"|amz|apl|bb|bmx|spi|iz|zettle|sumup|stripe|fsp|gum|wix|payu|cko|wl|olo|ezc)\s?\*\s*",
    r"(?:pos|debit card|checkcard|check card|card)\s+(?:purchase|debit)\s+(?:\d{2}/?\d{2}\s+)?",
    r"(?:recurring\s+)?(?:purchase|payment)\s+authorized\s+on\s+\d{1,2}/\d{1,2}\s+",
]

#: What may stand at the end.
_AFTER = [
    # With a # it can be a name: "Corner Store #7".
    rf"\s+store\s+(?:-\s*)?\d{{3,}}{_PLACE}",
    rf"\s*#\s*\d[\d-]*{_PLACE}",
    rf"\s+(?:no|nr)\.\s*\d+{_PLACE}",
    r"\s*\*\s*(?=[a-z]*\d)[a-z0-9]{4,}",
    r"\s+o\*\s*\d[\d-]+",
    # The rest of a web address behind a name.
    r"\s+(?:https?(?::?//)?)?[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|net|org)(?:/\S*)?(?:\s+[A-Z]{2})?",
    # A code of letters and digits: an order, a terminal, a store such as T-1234 and F12345.
    r"\s+(?-i:(?=[A-Z]*\d)(?=\d*[A-Z])(?=(?:[A-Z]*\d){2})[A-Z0-9]{8,})",
    rf"\s+(?-i:[A-Z]{{1,2}})-?\d{{4,}}{_PLACE}",
    r"\s+(?:mon|tue|wed|thu|fri|sat|sun)\s+\d{1,2}(?::\d\d)?\s?[ap]m",
    rf"\s+(?:{_REFERENCES})\b\.?\s*(?:no\.?|[#:])?\s*(?=[a-z-]*\d)[a-z0-9-]+",
    r"\s+(?:ending in\s+|x{2,}|\*{2,})\d{2,4}",
    r"\s+(?:on\s+)?(?:\d{1,2}/\d{1,2}(?:/\d{2,4})?|\d{4}-\d{2}-\d{2}|\d{1,2}-\d{1,2}-\d{2,4})",
    rf"\s+(?:\d{{1,2}}\s+)?(?:{_MONTHS})[a-z]*\.?\s+(?:\d{{1,2}},?\s+)?20\d\d",
    rf"\s+\(?\d{{3}}\)?[-. ]\d{{3}}[-. ]\d{{4}}(?:\s+(?-i:{_STATES}))?",
    # Last: what stands above ends in such digits too.
    rf"\s+(?:\d{{3,}}|0\d){_PLACE}",
]
_PATTERNS = [re.compile(f"^{part}", re.IGNORECASE) for part in _BEFORE] + [
    re.compile(f"{part}$", re.IGNORECASE) for part in _AFTER
]
_LOOSE_ENDS = " ,;:*#-/"
#: What a name must hold for anything to be left out: most names are done after one look.
_NOISE = re.compile(r"[\d*]|\.(?:com|net|org)\b", re.IGNORECASE)


class PayeeName(NamedTuple):
    """A name that a person gave to a payee, and the spellings of it; ``*`` stands for anything."""

    name: str
    spellings: tuple[str, ...]


def normalize_payees(
    names: pd.Series[Any], counts: Any = None, given: Sequence[PayeeName] = ()
) -> pd.Series[Any]:
    """Return one name for all spellings of a payee, so that they can be summed.

    Left out are processors' prefixes (``SQ *``), store numbers (``#0042``, ``No. 12``, three
    digits or more), a city and state behind one, references (``*AB12CD``, ``REF 99887``), dates,
    phone numbers, web addresses behind a name, line ends and doubled spaces. The number of a
    loan, a card, a check or a unit stays. Spellings that then differ in case, apostrophes,
    hyphens, a full stop, a "the" before or an "Inc." behind alone become the one that occurs
    most often. A name of which nothing would be left stays as it is.

    Parameters
    ----------
    names
        Text; missing ones stay missing.
    counts
        How many times each row occurs, as whole numbers; once, unless given.
    given
        Names that a person gave (``[[payee]]`` of categories.toml); the first that fits wins.

    Returns
    -------
    Series
        ``str``, with the index of `names`. Normalizing it again changes nothing.
    """
    codes, known = pd.factorize(names)
    times = np.zeros(len(known) + 1, np.int64)
    np.add.at(times, codes, 1 if counts is None else counts)
    spelled = [str(name) for name in known]
    shown: list[str | None] = [*merge_spellings(spelled, times[:-1].tolist(), given), None]
    # The last one is that of the code -1: missing.
    values = pd.array(shown, dtype="str").take(codes)
    return pd.Series(values, index=names.index, name=names.name)


def merge_spellings(
    names: list[str], counts: list[int], given: Sequence[PayeeName] = ()
) -> list[str]:
    """Return the normalized name of each of these different names, given how often each occurs."""
    shortened = [clean_payee(name) for name in names]
    keys = [payee_key(name) for name in shortened]
    spellings: dict[str, Counter[str]] = {}
    for key, name, count in zip(keys, shortened, counts, strict=True):
        spellings.setdefault(key, Counter())[name] += count
    chosen = {key: _most_common(found) for key, found in spellings.items()}
    merged = [chosen[key] for key in keys]
    if not given:
        return merged
    named = _Given(given)
    # Each key is a payee: what a person said of one spelling holds for all that are the same.
    said: dict[str, str] = {}
    for key, name, raw in zip(keys, merged, names, strict=True):
        if (found := named.find(key, normal(name), normal(raw))) is not None:
            said.setdefault(key, found)
    return [said.get(key, name) for key, name in zip(keys, merged, strict=True)]


class _Given:
    """Names that a person gave, quick to look up."""

    def __init__(self, given: Sequence[PayeeName]) -> None:
        self._exact: dict[str, str] = {}
        self._patterns: list[tuple[re.Pattern[str], str]] = []
        for name, spellings in given:
            for spelling in (name, *spellings):
                if "*" in spelling:
                    parts = map(re.escape, normal(spelling).split("*"))
                    self._patterns.append((re.compile(".*".join(parts)), name))
                else:
                    self._exact.setdefault(payee_key(clean_payee(spelling)), name)

    def find(self, key: str, *texts: str) -> str | None:
        """Return the name that was given to a payee, by its key, else by a pattern."""
        if key in self._exact:
            return self._exact[key]
        fitting = (
            name
            for pattern, name in self._patterns
            if any(pattern.fullmatch(text) for text in texts)
        )
        return next(fitting, None)


def payee_key(name: str) -> str:
    """Return what the spellings of one payee share, of a name without a terminal's additions."""
    key = normal(name)
    if key.isascii() and key.replace(" ", "").isalnum() and not _AROUND.search(key):
        return key
    plain = _INSIDE.sub("", _DOMAIN.sub("", key).replace("*", " ").replace("&", " and "))
    bare = " ".join(_AROUND.sub("", " ".join(plain.split())).split())
    return bare if any(map(str.isalnum, bare)) else key


#: Marks that are written or not: none beside a digit, where they tell numbers apart.
_INSIDE = re.compile(r"'|(?<!\d)[.,](?!\d)|(?<=[^\W\d_])-(?=[^\W\d_])")
_AROUND = re.compile(r"^the (?=\S)|(?<=\w) (?:inc|llc|corp|ltd)$")
_DOMAIN = re.compile(r"(?<=\w) ?\.com$")


def clean_payee(name: str) -> str:
    """Return a name without what a terminal, a bank or a processor added to it."""
    collapsed = " ".join(name.split()) or name
    while (shorter := _shortened(collapsed)) != collapsed:
        collapsed = shorter
    return collapsed


def _shortened(name: str) -> str:
    if not _NOISE.search(name):
        return name
    for pattern in _PATTERNS:
        found = pattern.search(name)
        if found is None or (found.start() and _COUNTED.search(name[: found.start()])):
            continue
        rest = (name[: found.start()] + name[found.end() :]).strip(" ").rstrip(_LOOSE_ENDS)
        if any(character.isalpha() or ord(character) > 0x2000 for character in rest):
            return rest
    return name


def _most_common(spellings: Counter[str]) -> str:
    """Return the spelling seen most; of several, one that is not all in capitals."""
    return min(spellings, key=lambda name: (-spellings[name], name.isupper(), name))
