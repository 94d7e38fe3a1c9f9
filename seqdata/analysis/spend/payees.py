"""Names of payees, without what a card terminal adds: one shop, one name.

Bank statements write ``SQ *BLUE BOTTLE #0042 OAKLAND CA`` one day and ``Blue Bottle`` the
next. What is left out here is what never belongs to a name; a city stays unless a store number
stands before it, and so do numbers of one or two digits ("Motel 6", "Studio 54").
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec"
_REFERENCES = "ref|reference|txn|trn|trace|auth|conf|confirmation|inv|invoice|order|check|ck|acct"
_STATES = (
    "AL|AK|AZ|AR|CA|CO|CT|DC|DE|FL|GA|HI|IA|ID|IL|IN|KS|KY|LA|MA|MD|ME|MI|MN|MO|MS|MT|NC|ND|NE|NH"
    "|NJ|NM|NV|NY|OH|OK|OR|PA|PR|RI|SC|SD|TN|TX|UT|VA|VT|WA|WI|WV|WY"
)
#: A city and a state in capitals, as a statement writes them.
_PLACE = rf"(?:\s+[^\W\d_][^\W\d_ .'-]*(?:[ .'-][^\W\d_]+){{0,3}},?\s+(?-i:{_STATES})(?:\s+USA?)?)?"

#: What may stand at the beginning: who processed the payment, or how it was made.
_BEFORE = [
    r"(?:sq|sqc|gosq\.com|tst|paypal|pypl|pp|sp|in|cke|eb|fs|wpy|bt|par|zsk|clv|spo|py)\s?\*\s*",
    r"(?:pos|debit card|checkcard|check card|card)\s+(?:purchase|debit)\s+(?:\d{2}/?\d{2}\s+)?",
    r"(?:recurring\s+)?(?:purchase|payment)\s+authorized\s+on\s+\d{1,2}/\d{1,2}\s+",
]

#: What may stand at the end.
_AFTER = [
    rf"\s*#\s*\d[\d-]*{_PLACE}",
    rf"\s+(?:no|nr)\.\s*\d+{_PLACE}",
    r"\s*\*\s*(?=[a-z]*\d)[a-z0-9]{4,}",
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


def normalize_payees(names: pd.Series[Any], counts: Any = None) -> pd.Series[Any]:
    """Return one name for all spellings of a payee, so that they can be summed.

    Left out are processors' prefixes (``SQ *``), store numbers (``#0042``, ``No. 12``, three
    digits or more), a city and state behind one, references (``*AB12CD``, ``REF 99887``), dates,
    phone numbers, line ends and doubled spaces. Spellings that then differ in case alone become
    the one that occurs most often. A name of which nothing would be left stays as it is.

    Parameters
    ----------
    names
        Text; missing ones stay missing.
    counts
        How many times each row occurs, as whole numbers; once, unless given.

    Returns
    -------
    Series
        ``str``, with the index of `names`. Normalizing it again changes nothing.
    """
    codes, known = pd.factorize(names)
    times = np.zeros(len(known) + 1, np.int64)
    np.add.at(times, codes, 1 if counts is None else counts)
    normal = [*merge_spellings([str(name) for name in known], times[:-1].tolist()), None]
    # The last one is that of the code -1: missing.
    values = pd.array(normal, dtype="str").take(codes)
    return pd.Series(values, index=names.index, name=names.name)


def merge_spellings(names: list[str], counts: list[int]) -> list[str]:
    """Return the normalized name of each of these different names, given how often each occurs."""
    shortened = [clean_payee(name) for name in names]
    folded = [unicodedata.normalize("NFKC", name).casefold() for name in shortened]
    spellings: dict[str, Counter[str]] = {}
    for key, name, count in zip(folded, shortened, counts, strict=True):
        spellings.setdefault(key, Counter())[name] += count
    chosen = {key: _most_common(found) for key, found in spellings.items()}
    return [chosen[key] for key in folded]


def clean_payee(name: str) -> str:
    """Return a name without what a terminal, a bank or a processor added to it."""
    collapsed = " ".join(name.split()) or name
    while (shorter := _shortened(collapsed)) != collapsed:
        collapsed = shorter
    return collapsed


def _shortened(name: str) -> str:
    if name.isalpha():
        return name
    for pattern in _PATTERNS:
        rest = pattern.sub("", name).strip(" ").rstrip(_LOOSE_ENDS) if pattern.search(name) else ""
        if any(character.isalpha() or ord(character) > 0x2000 for character in rest):
            return rest
    return name


def _most_common(spellings: Counter[str]) -> str:
    """Return the spelling seen most; of several, one that is not all in capitals."""
    return min(spellings, key=lambda name: (-spellings[name], name.isupper(), name))
