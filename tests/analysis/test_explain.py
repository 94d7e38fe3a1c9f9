"""What decided, what else fits, and what never did."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from purchases import Paid, accounts_of, annotations, settled

from seqdata.analysis.spend.categories import categorize, explain, read_rules, rule_matches
from seqdata.analysis.spend.similar import similar_payees

FILE = """
[[rule]]
category = "Never"
payee = "zzz"

[[rule]]
category = "Feast"
payee = "pizza"
min = 100

[[rule]]
category = "Shadowed"
payee = "pizza"
min = 100
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "categories.toml"
    path.write_text(FILE)
    return path


def test_what_decides_stands_first(own: Path) -> None:
    """Of the rules that fit, in their order, the first decides; each says what it found."""
    rows = settled(Paid("Pod: B", "Merchant: Joe's Pizza", 100_00))
    found = explain(rows, accounts_of(rows), annotations(), read_rules(own))
    assert found["category"].tolist() == ["Feast", "Shadowed", "Dining"]
    assert found["decides"].tolist() == [True, False, False]
    assert found["where"].tolist() == [
        "categories.toml, line 6", "categories.toml, line 11", "the starter set",
    ]  # fmt: skip
    assert found["why"][0] == "payee 'pizza' in \"Joe's Pizza\", at least $100.00"


def test_each_part_of_a_split_is_told(own: Path) -> None:
    """Of what was split, each part is told and decides; of one that does not add up, why not."""
    rows = settled(Paid("Pod: B", "Merchant: Joe's Pizza", 10_00))
    parts = {"Dates": 7_00, "Feast": 3_00}
    said = annotations(t0=None).assign(split=[json.dumps(parts)])
    found = explain(rows, accounts_of(rows), said, read_rules(own))
    assert found[["category", "source", "decides", "why"]].values.tolist() == [
        ["Dates", "annotation", True, "you split it: $7.00 of $10.00"],
        ["Feast", "annotation", True, "you split it: $3.00 of $10.00"],
        ["Dining", "rule", False, found["why"][2]],
    ]
    rows["amount_cents"] += 1
    (first, *_) = explain(rows, accounts_of(rows), said, read_rules(own)).itertuples()
    assert (first.category, first.decides) == ("Dates", True)
    assert first.why == ("the parts of your split are $10.00, and it is $10.01: it counts whole")


def test_a_word_of_a_person_and_the_ends_are_told_too(own: Path) -> None:
    """An annotation stands before the rules; where nothing fits, the ends decided."""
    pizza = settled(Paid("Pod: B", "Merchant: Joe's Pizza", 5))
    found = explain(pizza, accounts_of(pizza), annotations(t0="Dates"), read_rules(own))
    assert found["source"].tolist() == ["annotation", "rule"]
    moved = settled(Paid("Pod: B", "Account: Savings", 5))
    found = explain(moved, accounts_of(moved), annotations(), read_rules(own))
    assert found[["category", "source"]].values.tolist() == [
        ["Moved to own accounts", "own account"]
    ]


def test_a_rule_without_amounts_fits_a_transfer_without_one(own: Path) -> None:
    """Where the service said no amount, what decides the category is what explains it."""
    rows = settled(Paid("Pod: B", "Merchant: Joe's Pizza", 5))
    rows["amount_cents"] = pd.array([None], dtype="Int64")
    rules = read_rules(own)
    found = explain(rows, accounts_of(rows), annotations(), rules)
    decided = categorize(rows, accounts_of(rows), annotations(), rules)["category"][0]
    assert found[["category", "source", "where"]].values.tolist() == [
        [decided, "rule", "the starter set"]
    ]
    assert found["why"][0] == "payee 'pizza*' in \"Joe's Pizza\""


def test_rules_that_decide_nothing_are_counted(own: Path) -> None:
    """A rule that never fits, and one that something earlier takes all from, decide nothing."""
    rows = settled(
        Paid("Pod: B", "Merchant: Joe's Pizza", 100_00),
        Paid("Pod: B", "Merchant: Joe's Pizza", 200_00),
        Paid("Pod: B", "Merchant: Joe's Pizza", 1_00),
    )
    found = rule_matches(rows, accounts_of(rows), annotations(t1="Dates"), read_rules(own))
    assert found["category"].tolist() == ["Never", "Feast", "Shadowed"]
    assert found["fits"].tolist() == [0, 2, 2]
    assert found["decides"].tolist() == [0, 1, 0]


def test_payees_that_look_alike_are_suggested() -> None:
    """Pairs that differ in a few letters are suggested, and never those with other numbers."""
    names = ["Blue Bottle Coffee", "BLUE BOTLE COFFEE", "Loan 12", "Loan 13", "Zed"]
    payees = pd.DataFrame({"payee": pd.array(names, "str"), "transfers": [9, 2, 1, 1, 1]})
    found = similar_payees(payees)
    assert found[["payee", "other"]].values.tolist() == [names[:2]]
    assert found["similarity"].between(88, 100).all()
    assert similar_payees(payees[:0]).empty
