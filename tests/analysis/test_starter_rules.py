"""The rules that come with seqdata, on names as bank feeds write them."""

from __future__ import annotations

import pytest
from bank_feed import feed, figures
from purchases import Paid, categorized

from seqdata.analysis.spend.rulesfile import TEXTS, Rule, read_rules


@pytest.mark.parametrize(("half", "right", "wrong"), [("seen", 99, 0.5), ("kept_aside", 95, 2)])
def test_names_of_bank_feeds_are_known(half: str, right: float, wrong: float) -> None:
    """Of names as banks write them nearly all are right, also of those kept aside."""
    found = figures(half)
    assert found["right"] >= right
    assert found["wrong"] <= wrong


def test_the_halves_have_nothing_in_common() -> None:
    """Both halves hold some two hundred names, and no name is in both."""
    seen, aside = ({line.payee for line in feed(half)} for half in ("seen", "kept_aside"))
    assert not seen & aside
    assert min(len(seen), len(aside)) >= 200


def _alone(pattern: str) -> str:
    """Write a pattern as the shortest name that it finds."""
    return (f"{pattern}qwx" if pattern.endswith(" *") else pattern).replace("*", "")


def _paid(rule: Rule, field: str, name: str) -> Paid:
    is_income = rule.direction == "INCOMING"
    payee, note, pod = (name if field == one else None for one in ("payee", "note", "pod"))
    ours, theirs = f"Pod: {pod or 'Qwx'}", payee or "Qwx"
    if is_income:
        return Paid(f"ExternalEntity: {theirs}", ours, 5, note=note)
    return Paid(ours, f"Merchant: {theirs}", 5, note=note)


def test_no_pattern_is_taken_by_an_earlier_rule() -> None:
    """Each pattern of the starter set decides where nothing but itself stands in a name."""
    patterns = [
        (rule, field, pattern)
        for rule in read_rules().rules
        for field in TEXTS
        for pattern in getattr(rule, field)
        if [bool(getattr(rule, one)) for one in TEXTS].count(True) == 1
    ]
    rows = [_paid(rule, field, _alone(pattern)) for rule, field, pattern in patterns]
    found = categorized(*rows)["category"]
    wrong = [
        (rule.category, pattern, name)
        for (rule, _, pattern), name in zip(patterns, found, strict=True)
        if rule.category != name
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("name", "category"),
    [
        ("REGAL NAILS", "Personal care"),
        ("REGAL CINEMAS", "Entertainment"),
        ("CAPITAL ONE MOBILE PMT", "Debt payments"),
        ("UBER* EATS", "Dining"),
        ("UBER* TRIP", "Transport"),
        ("COMEDY CELLAR", "Entertainment"),
        ("HERSHEY PARK GIFTS", "Gifts and donations"),
        ("SHELL BEACH GRILL", "Dining"),
        ("SPECTRUM HEALTH CLINIC", "Health"),
        ("SIXTH STREET TACOS", "Dining"),
        ("LAZY DOG RESTAURANT", "Dining"),
        ("CHECK CARD STARBUCKS", "Dining"),
        ("ATM FEE 7-ELEVEN", "Fees"),
        ("ATM 7-ELEVEN", "Cash"),
        ("TARGET CARD SRVC", "Debt payments"),
        ("SAFEWAY FUEL", "Transport"),
        ("POWER YOGA", "Health"),
        ("BALTIMORE MD QWX", "Uncategorized"),
    ],
)
def test_a_brand_comes_before_a_common_word(name: str, category: str) -> None:
    """A name that holds the words of two categories gets that of what the shop is."""
    assert categorized(Paid("Pod: B", f"Merchant: {name}", 5))["category"].tolist() == [category]


def test_direction_tells_pay_from_rides() -> None:
    """What a driver is paid is a paycheck, what a rider pays is not, and a refund is no income."""
    rows = categorized(
        Paid("Pod: B", "Merchant: UBER", 5),
        Paid("ExternalEntity: UBER", "Pod: B", 5),
        Paid("Merchant: UBER", "Pod: B", 5),
        Paid("ExternalEntity: UBER TRIP REFUND", "Pod: B", 5),
    )
    assert rows["category"].tolist() == ["Transport", "Paycheck", "Transport", "Transport"]


@pytest.mark.parametrize(
    "name", ["Trader Joe's", "TRADER JOES", "TRADER JOE S", "Trader Joe\u2019s"]
)
def test_an_apostrophe_may_be_left_out(name: str) -> None:
    """A shop is known however its apostrophe is written."""
    assert categorized(Paid("Pod: B", f"Merchant: {name} 552", 5))["category"][0] == "Groceries"
