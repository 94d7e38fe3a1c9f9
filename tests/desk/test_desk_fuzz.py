"""Whatever is typed: a right amount or an error of the tree."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from desk_helper import arrived, open_desk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seqdata.exceptions import SequenceError
from seqdata.safeguards import TransferDesk
from seqdata.sandbox import Sandbox


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(months=1, now="2026-11-01") as running:
        yield running


@pytest.fixture(scope="module")
def desk(box: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> TransferDesk:
    folder = tmp_path_factory.mktemp("fuzz")
    return open_desk(box, folder, max_daily_transfer_cents=10**9)


NUMBERS = st.decimals(min_value=-10, max_value=500, places=2, allow_nan=False)
AMOUNTS = (
    NUMBERS
    | NUMBERS.map(str)
    | NUMBERS.map("${:,}".format)
    | st.decimals()
    | st.text(st.sampled_from("0123456789.,$-+ eE٣½"), max_size=12)
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.none()
)
NAMES = st.sampled_from(["Bills", "Groceries", "Taxes", "kids", "KIDS", "paycheck", "=Buffer"]) | (
    st.text(max_size=8)
)
NOTES = st.text(st.characters(), max_size=90)


@given(amount=AMOUNTS, source=NAMES, destination=NAMES, note=NOTES, instant=st.booleans())
@settings(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_whatever_is_typed_moves_that_or_nothing(
    desk: TransferDesk,
    box: Sandbox,
    amount: Any,
    source: str,
    destination: str,
    note: str,
    instant: bool,
) -> None:
    """Any amount, name and note either moves exactly what was typed, or is an error of the tree."""
    before = len(arrived(box))
    try:
        staged = desk.stage(source, destination, amount, note, instant)
        str(staged), staged._repr_html_()
        desk.confirm(staged)
    except SequenceError:
        assert len(arrived(box)) == before
        return
    (paid,) = arrived(box)[before:]
    dollars = str(amount).replace("$", "").replace(",", "").replace(" ", "")
    assert paid["variables"]["amount"] == Decimal(dollars) * 100
    assert paid["variables"]["achDescription"] == note
    assert paid["variables"]["source"]["id"] == staged.source.id
    assert paid["variables"]["destination"]["id"] == staged.destination.id


@given(cents=st.integers() | st.floats() | st.booleans() | st.integers(90, 10_000))
@settings(
    max_examples=settings().max_examples // 2,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_cents_are_whole_numbers(desk: TransferDesk, box: Sandbox, cents: Any) -> None:
    """`amount_cents` moves exactly that many cents, or is refused."""
    before = len(arrived(box))
    try:
        desk.confirm(desk.stage("Emergency Fund", "Groceries", amount_cents=cents))
    except SequenceError:
        assert len(arrived(box)) == before
        return
    assert type(cents) is int
    assert arrived(box)[before]["variables"]["amount"] == cents
