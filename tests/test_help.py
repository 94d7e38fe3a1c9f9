"""What `help()` and Shift+Tab say of a ledger: each method in a sentence, with words, columns and
an example that runs."""

from __future__ import annotations

import doctest
import inspect
import re
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

from seqdata import Ledger
from seqdata.ledger.plots import LedgerPlots

METHODS = [
    pytest.param(kind, name, id=f"{kind.__name__}.{name}")
    for kind in (Ledger, LedgerPlots)
    for name, _ in inspect.getmembers(kind)
    if not name.startswith("_") and name != "colors"
]

#: They need a configured account, or end the ledger that all examples share.
NOT_RUN = {"open"}


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Return the names that examples may use: a ledger that was synced, with its details."""
    with pytest.MonkeyPatch.context() as here, Ledger.demo(months=3, now="2026-11-01") as ledger:
        here.chdir(tmp_path_factory.mktemp("examples"))
        ledger.sync(details="all", details_per_request=25, progress=False)
        ledger.annotate(ledger.transfers["id"].iloc[-1], note="the first one")
        yield {"ledger": ledger, "Ledger": Ledger, "pd": pd}


def documented(kind: type, name: str) -> str:
    member = inspect.getattr_static(kind, name)
    return inspect.getdoc(member) or ""


def examples(kind: type, name: str) -> list[str]:
    return [one.source for one in doctest.DocTestParser().get_examples(documented(kind, name))]


@pytest.mark.parametrize(("kind", "name"), METHODS)
def test_each_says_what_it_answers_and_shows_how(kind: type, name: str) -> None:
    """All that is public of a ledger and its charts begins with a sentence and has an example."""
    first = documented(kind, name).partition("\n\n")[0]
    assert first[:1].isupper() or first[:1] == ":", first
    assert first.endswith((".", ":")), first
    assert examples(kind, name), name


@pytest.mark.parametrize(("kind", "name"), METHODS)
def test_each_example_runs(names: dict[str, Any], kind: type, name: str) -> None:
    """What help shows can be typed as it stands, and a table has the columns that help names."""
    if name in NOT_RUN:
        pytest.skip("it needs a configured account")
    made: Any = None
    for line in examples(kind, name):
        source = line.strip()
        try:
            made = eval(source, names)
        except SyntaxError:
            exec(source, names)
    columns = re.search(r"^DataFrame\n((?: {4}.*\n?)+)", documented(kind, name), re.MULTILINE)
    is_list = columns is not None and re.fullmatch(r"[a-z_]+(,\s+[a-z_]+)*\.", columns[1].strip())
    if is_list and columns is not None and isinstance(made, pd.DataFrame):
        told = re.split(r",\s+", columns[1].strip().rstrip("."))
        assert set(made.columns) <= set(told)


@pytest.mark.parametrize(
    ("name", "word", "allowed"),
    [
        ("spending", "freq", "'day', 'week', 'month', 'quarter', 'year'"),
        ("spending", "by_day", "'paid', 'settled'"),
        ("cash_flow", "boundary", "'sequence', 'own'"),
        ("sync", "details", "'open', 'new', 'all'"),
    ],
)
def test_a_signature_lists_its_words(name: str, word: str, allowed: str) -> None:
    """Shift+Tab shows which words a parameter takes, and no quoted names of types."""
    signature = inspect.signature(getattr(Ledger, name))
    assert allowed in str(signature.parameters[word])
    assert "'str" not in str(signature)
