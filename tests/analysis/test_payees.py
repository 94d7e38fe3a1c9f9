"""One shop, one name."""

from __future__ import annotations

import unicodedata

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdata.analysis.spend.payees import normalize_payees

PIECES = st.sampled_from(
    ["SQ *", "TST* ", "PAYPAL *", "Blue Bottle", "café", "#0042", " No. 12", " 00123", "*AB12CD",
     " REF 99887", " 10/12", " OAKLAND CA", "🌮", "\n", "  ", "=", "-", "x", " Oct 2026", "7"]
)  # fmt: skip
NAMES = st.one_of(st.text(max_size=20), st.lists(PIECES, max_size=6).map("".join))


def normal(*names: str | None) -> list:
    return normalize_payees(pd.Series(names, dtype="str")).tolist()


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("Corner Store\n#0042", "Corner Store"),
        ("SQ *BLUE BOTTLE #0042 OAKLAND CA", "BLUE BOTTLE"),
        ("TST* The Noodle House", "The Noodle House"),
        ("PAYPAL *SPOTIFYUSA", "SPOTIFYUSA"),
        ("AMZN Mktp US*2K4AB1CD3", "AMZN Mktp US"),
        ("TRADER JOE'S 552 PORTLAND OR", "TRADER JOE'S"),
        ("NETFLIX.COM 866-579-7172 CA", "NETFLIX.COM"),
        ("POS PURCHASE 10/12 WALMART 10/13", "WALMART"),
        ("Comcast REF 99887", "Comcast"),
        ("Diner No. 12", "Diner"),
        ("7-ELEVEN 33012", "7-ELEVEN"),
    ],
)
def test_what_a_terminal_adds_is_left_out(raw: str, name: str) -> None:
    """Prefixes, store numbers with their city, references and dates are no part of a name."""
    assert normal(raw) == [name]


@pytest.mark.parametrize(
    "name",
    ["NA", "=SUM Coffee Bar", "-10° Ice Cream", "+Plus Fitness Gear", "@Home Decor", "🌮 Taco Cart",
     "🌮", "Tune★Wave", "Motel 6", "Studio 54", "CloudBox 2TB", "U.S. Treasury", "UBER *TRIP",
     "STARBUCKS SEATTLE WA", "SQ *", "#0042", "12345", "Smith, Jones & Co. Toys", "nan", "None"],
)  # fmt: skip
def test_what_may_belong_to_a_name_stays(name: str) -> None:
    """A name that is strange, or a number and nothing else, comes back as it is."""
    assert normal(name) == [name]


def test_spellings_become_the_most_common_one() -> None:
    """Spellings that differ in case or spaces are one payee, in the spelling seen most."""
    found = normal("BLUE  BOTTLE", "Blue Bottle", "SQ *Blue Bottle", None, "Zed")
    assert found[:3] == ["Blue Bottle"] * 3
    assert pd.isna(found[3])
    assert found[4] == "Zed"


def test_counts_weigh_the_spellings() -> None:
    """A spelling that stands for more rows than another one wins."""
    names = pd.Series(["ACME", "Acme"], dtype="str")
    assert normalize_payees(names, [5, 2]).tolist() == ["ACME", "ACME"]
    assert normalize_payees(names, [2, 5]).tolist() == ["Acme", "Acme"]


def test_the_frame_keeps_index_type_and_name() -> None:
    """The result is text with the index and the name of what was given, empty or not."""
    names = pd.Series(["Acme #12"], index=[7], name="source_name", dtype="str")
    expected = pd.Series(["Acme"], index=[7], name="source_name", dtype="str")
    pd.testing.assert_series_equal(normalize_payees(names), expected)
    pd.testing.assert_series_equal(normalize_payees(names[:0]), expected[:0])


@given(st.lists(NAMES, max_size=12))
def test_normalizing_again_changes_nothing(names: list[str]) -> None:
    """What is normal already stays so."""
    once = normalize_payees(pd.Series(names, dtype="str"))
    pd.testing.assert_series_equal(normalize_payees(once), once)


@given(NAMES.filter(bool))
def test_no_name_vanishes(name: str) -> None:
    """Something is left of each name, and nothing is in it that was not there before."""
    (short,) = normal(name)
    assert short
    assert " ".join(short.split()) in " ".join(name.split())


@given(st.lists(NAMES, min_size=1, max_size=12))
def test_case_never_tells_payees_apart(names: list[str]) -> None:
    """No two payees differ in case alone."""
    found = set(normal(*names))
    folded = {unicodedata.normalize("NFKC", name).casefold() for name in found}
    assert len(folded) == len(found)
