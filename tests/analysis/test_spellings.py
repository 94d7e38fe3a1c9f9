"""A name is the same wherever it is asked for, however it is written."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from purchases import Paid, accounts_of, annotations, settled

from seqdata.analysis import categorize, filter_categories, filter_transfers, find_account
from seqdata.analysis.spend.payees import normalize_payees
from seqdata.analysis.spend.rulesfile import read_rules
from seqdata.safeguards.accounts import find_account as find_at_desk
from seqdata.sources.base import Account
from seqdata.widgets.explorer.rows import Rows
from seqdata.widgets.explorer.state import Filters

SPELLINGS = [
    ("Joe's Fund", "joe\u2019s FUND"),
    ("Joe\u2019s Fund", "JOE\u02bcS  fund"),
    ("Caf\u00e9 Fund", "CAFE\u0301\tFUND"),
    ("\uff32\uff45\uff4e\uff54", " rent "),
    ("Stra\u00dfe", "STRASSE"),
]


@pytest.mark.parametrize(("stored", "typed"), SPELLINGS)
def test_every_place_takes_another_writing_of_a_name(
    stored: str, typed: str, tmp_path: Path
) -> None:
    """Filters, rules, categories, payees, the explorer and the desk compare names alike."""
    file = tmp_path / "categories.toml"
    rule = f'[[rule]]\ncategory = "{stored}"\npayee = "{typed.strip()}"'
    file.write_text(f"starter = false\n{rule}", encoding="utf-8")
    transfers = settled(Paid("Pod: " + stored, "Merchant: " + stored, 5)).assign(
        state=pd.Categorical(["settled"]), status=pd.Categorical(["COMPLETE"]), error_reason=""
    )
    rows = categorize(transfers, accounts_of(transfers), annotations(), read_rules(file))
    known = pd.DataFrame({"id": ["pod_1"], "name": [stored]})
    assert rows["category"].tolist() == [stored]
    assert len(filter_categories(rows, typed)) == 1
    assert find_account(typed, known) == ["pod_1"]
    assert len(filter_transfers(rows, account=typed)) == 1
    assert len(filter_transfers(rows, text=typed)) == 1
    explorer = Rows(rows, known)
    assert "pod_1" in explorer.account_ids(typed)
    assert len(explorer.matching(Filters(text=typed))) == 1
    assert find_at_desk(typed, [Account("pod_1", stored, "pod", 1, True)]).id == "pod_1"
    assert normalize_payees(pd.Series([stored, typed], dtype="str")).nunique() == 1


def test_an_accent_counts_as_it_was_typed() -> None:
    """Another letter is another name."""
    known = pd.DataFrame({"id": ["pod_1", "pod_2"], "name": ["Caf\u00e9", "Cafe"]})
    assert find_account("cafe", known) == ["pod_2"]
    assert find_account("CAF\u00c9", known) == ["pod_1"]
