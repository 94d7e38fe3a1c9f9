"""One shop, one name."""

from __future__ import annotations

import unicodedata

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdata.analysis.spend.payees import PayeeName, normalize_payees

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
        ("LOAN 0042", "LOAN 0042"),
        ("Navient Loan #1187", "Navient Loan #1187"),
        ("CHASE CARD ENDING IN 4412", "CHASE CARD ENDING IN 4412"),
        ("CHECK #1042", "CHECK #1042"),
        ("Oak Apts UNIT 301", "Oak Apts UNIT 301"),
        ("CAR LOAN PAYMENT 20441 10/12", "CAR LOAN PAYMENT 20441"),
        ("7-ELEVEN 33012", "7-ELEVEN"),
        ("STARBUCKS STORE 08812 SEATTLE WA", "STARBUCKS"),
        ("TARGET T-1234", "TARGET"),
        ("MCDONALD'S F12345 DENVER CO", "MCDONALD'S"),
        ("EBAY O*12-03412-55881", "EBAY"),
        ("UBER *TRIP HELP.UBER.COM CA", "UBER *TRIP"),
        ("SPOTIFY P5D4E9B1D1", "SPOTIFY"),
        ("AIRBNB * HMT3X4Q2WE 4158005959", "AIRBNB"),
        ("LYFT *RIDE SUN 8PM", "LYFT *RIDE"),
        ("IC* INSTACART*162", "INSTACART*162"),
        ("DD *DOORDASH 8559731040 CA", "DOORDASH"),
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


GROUPS = [
    [
        "Joe's Pizza",
        "JOES PIZZA",
        "Joe\u2019s Pizza #12",
        "SQ *JOE'S PIZZA",
        "TST* Joes Pizza 0042",
    ],
    ["7-Eleven", "7-ELEVEN 33012", "7-ELEVEN #221 TAMPA FL"],
    ["Wal-Mart", "WALMART", "WAL-MART #2231 PLANO TX", "Walmart.com"],
    ["Netflix", "NETFLIX.COM", "NETFLIX.COM 866-579-7172 CA", "Netflix, Inc."],
    ["The Home Depot", "HOME DEPOT #6512", "THE HOME DEPOT 0412 RENO NV"],
    ["Uber Eats", "UBER *EATS", "UBER* EATS 8005928996 CA", "UBER   *EATS HELP.UBER.COM"],
    ["Spotify", "PAYPAL *SPOTIFY", "Spotify P0A1B2C3D4"],
    ["Barnes & Noble", "BARNES AND NOBLE #2231"],
    ["Allbirds", "SP * ALLBIRDS", "SP *ALLBIRDS"],
    ["Mama Linda", "PY *MAMA LINDA", "Mama Linda Order #4412-AB"],
]
APART = [
    ["Navient Loan 0042", "Navient Loan 0043"],
    ["CHASE CARD 4412", "CHASE CARD 4413", "CHASE CARD"],
    ["CHECK 1042", "CHECK #1043"],
    ["Oak Apartments Unit 301", "Oak Apartments Unit 302"],
    ["Motel 6", "Motel 8"],
    ["Route 1-2", "Route 12"],
    ["Target", "Target Optical"],
]


@pytest.mark.parametrize("spellings", GROUPS)
def test_spellings_of_one_payee_are_one(spellings: list[str]) -> None:
    """Store and order numbers, processors, apostrophes and company forms make no other payee."""
    assert len(set(normal(*spellings))) == 1


@pytest.mark.parametrize("names", APART)
def test_what_a_number_tells_apart_stays_apart(names: list[str]) -> None:
    """Two loans, cards, checks or units are two payees."""
    assert len(set(normal(*names))) == len(names)


def test_a_name_that_a_person_gave_counts() -> None:
    """A given name is that of its spellings, exact ones and patterns, and of what they share."""
    names = pd.Series(["BLUE BTL COF", "Blue Btl Cof #12", "BTLS 9", "Bottle"], dtype="str")
    given = [PayeeName("Blue Bottle", ("Blue Btl Cof",)), PayeeName("Bottles", ("btl*", "BLUE*"))]
    assert normalize_payees(names, given=given).tolist() == [
        "Blue Bottle", "Blue Bottle", "Bottles", "Bottle",
    ]  # fmt: skip


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
