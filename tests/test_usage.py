"""A call that a method cannot take is refused in a sentence, whichever method it is."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

from seqdata import Ledger
from seqdata.exceptions import InvalidAmount, UsageError
from seqdata.ledger.plots import LedgerPlots

METHODS = [
    pytest.param(instance, name, id=f"{instance}.{name}")
    for instance, kind in (("ledger", Ledger), ("plot", LedgerPlots))
    for name, _ in inspect.getmembers(kind, inspect.isfunction)
    if not name.startswith("_")
]


@pytest.fixture(scope="module")
def ledger() -> Iterator[Ledger]:
    """Open a household of two months, which was synced."""
    with Ledger.demo(months=2, now="2026-11-01") as opened:
        opened.sync(progress=False)
        yield opened


@pytest.mark.parametrize(("instance", "name"), METHODS)
def test_a_word_that_no_method_has_is_refused_in_a_sentence(
    ledger: Ledger, instance: str, name: str
) -> None:
    """Each public method refuses what it cannot take, names itself and what it takes."""
    method = getattr(ledger if instance == "ledger" else ledger.plot, name)
    for args, words in (((), {"xyzzy": 1}), (tuple(object() for _ in range(20)), {})):
        takes_all = {one.kind for one in inspect.signature(method).parameters.values()}
        if words and inspect.Parameter.VAR_KEYWORD in takes_all:
            continue
        with pytest.raises(UsageError, match=rf"^{instance}\.{name} ") as refused:
            method(*args, **words)
        assert "Its words are " in str(refused.value) or "It takes no words" in str(refused.value)


@pytest.mark.parametrize(
    ("call", "meant"),
    [
        (lambda one: one.cash_flow("month"), "Did you mean freq='month'?"),
        (lambda one: one.cash_flow("last month"), "Did you mean since='last month'?"),
        (lambda one: one.cash_flow("Bills"), "Did you mean account='Bills'?"),
        (lambda one: one.upcoming(14), "Did you mean days=14?"),
        (lambda one: one.cash_flow(one.pods), "got DataFrame alone. Its words are"),
        (lambda one: one.spending(month=one.pods), "no word 'month'. Its words are"),
        (lambda one: one.sync("full"), "Did you mean full=True?"),
        (lambda one: one.spending(month="2026-10"), "Did you mean since=?"),
        (lambda one: one.spending(period="month"), "Did you mean freq=?"),
        (lambda one: one.spending(categories=["Rent"]), "Did you mean category=?"),
        (lambda one: one.plot.spending(kind="pie"), "no word 'kind'. Its words are"),
        (lambda one: one.export(), "ledger.export needs path="),
        (lambda one: one.export("s.csv", one.pods), "frame.to_csv"),
    ],
)
def test_what_was_meant_is_named(ledger: Ledger, call: Any, meant: str) -> None:
    """A value without its word, and a word of another library, are answered with ours."""
    with pytest.raises(UsageError) as refused:
        call(ledger)
    assert meant in str(refused.value)


def test_a_float_of_money_is_answered_with_its_own_figure(ledger: Ledger) -> None:
    """Whoever types dollars as a float reads how to write that very amount."""
    with pytest.raises(InvalidAmount, match=r'"25\.50"'):
        ledger.desk.stage("Bills", "Groceries", amount=25.5)
    for odd in (float("nan"), float("inf"), 1e300):
        with pytest.raises(InvalidAmount, match=r'"12\.34"'):
            ledger.desk.stage("Bills", "Groceries", amount=odd)


def test_a_table_for_reading(ledger: Ledger) -> None:
    """`show` gives text alone: dollars with their sign, days and minutes, and no ids."""
    shown = ledger.show(ledger.transfers)
    assert len(shown) == len(ledger.transfers)
    assert {str(kind) for kind in shown.dtypes} == {"str"}
    assert not [name for name in shown if name.endswith(("id", "_cents"))]
    first, row = shown.iloc[0], ledger.transfers.iloc[0]
    assert first["amount"] == f"${row['amount']:,.2f}"
    assert first["created_at"] == f"{row['created_at']:%Y-%m-%d %H:%M}"
    assert shown.attrs == ledger.transfers.attrs
    spent = ledger.show(ledger.spending(freq="month"))
    assert spent["period"].str.fullmatch(r"\d{4}-\d\d-\d\d").all()
    assert spent["share"].str.fullmatch(r"(\d+%)?").all()
    for name in ("upcoming", "recurring", "reconcile", "backtest", "accounts"):
        made: pd.DataFrame = ledger.table(name) if name != "backtest" else ledger.backtest()
        assert len(ledger.show(made)) == len(made)


def test_ports_are_where_income_arrives(ledger: Ledger) -> None:
    """`ports` has the open ports with their balances, as `pods` has the pods."""
    accounts = ledger.accounts
    assert list(ledger.ports["id"]) == list(accounts["id"][accounts["kind"] == "port"])
    assert set(ledger.ports) == set(ledger.pods) - {"goal", "goal_cents"}
