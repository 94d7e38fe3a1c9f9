from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdata.core.money import MAX_CENTS, parse_cents
from seqdata.core.text import decimal_text, format_cents
from seqdata.exceptions import InvalidAmount

CENTS = st.integers(min_value=-(10**14), max_value=10**14)


@pytest.mark.parametrize(
    ("cents", "formatted", "plain"),
    [
        (0, "$0.00", "0.00"),
        (5, "$0.05", "0.05"),
        (-5, "-$0.05", "-0.05"),
        (99_999, "$999.99", "999.99"),
        (123_456, "$1,234.56", "1234.56"),
        (-123_456, "-$1,234.56", "-1234.56"),
        (MAX_CENTS, "$21,474,836.47", "21474836.47"),
    ],
)
def test_cents_are_written(cents: int, formatted: str, plain: str) -> None:
    """Cents are written the way the service writes dollars, or as a plain decimal number."""
    assert format_cents(cents) == formatted
    assert decimal_text(cents) == plain


@given(CENTS)
def test_written_cents_come_back(cents: int) -> None:
    """Every amount survives being written in either form, or as a Decimal, and read again."""
    assert parse_cents(format_cents(cents)) == cents
    assert parse_cents(decimal_text(cents)) == cents
    assert parse_cents(Decimal(cents).scaleb(-2)) == cents


@pytest.mark.parametrize(
    ("typed", "cents"),
    [
        ("12.34", 1_234),
        (" $1,234.56 ", 123_456),
        ("-$5", -500),
        ("- $5.5", -550),
        ("+7", 700),
        (".50", 50),
        ("0001", 100),
        (Decimal("12.340"), 1_234),
        (Decimal("1E+2"), 10_000),
    ],
)
def test_typed_amounts_are_read(typed: str | Decimal, cents: int) -> None:
    """The ways a person types dollars are read exactly."""
    assert parse_cents(typed) == cents


@pytest.mark.parametrize(
    "typed",
    [
        *("", " ", "$", ".", "-", "5.", "1.234", "1,23.45", "1,2345", "1 000", "1e3", "12,34"),
        *("٣", "NaN", "$-5", "--5", 12.34, 12, True, None, Decimal("0.001"), Decimal("NaN")),
        *(Decimal("sNaN"), Decimal("Infinity"), Decimal("1E+999999"), Decimal("1E-999999")),
    ],
)
def test_other_amounts_are_refused(typed: object) -> None:
    """What is no exact number of cents, or is a float, is refused with the value in the words."""
    with pytest.raises(InvalidAmount) as refused:
        parse_cents(typed)  # type: ignore[arg-type]
    assert repr(typed) in str(refused.value)


@given(CENTS, st.integers(min_value=1, max_value=9), st.integers(min_value=3, max_value=50))
def test_no_fraction_of_a_cent_is_rounded_away(cents: int, digit: int, place: int) -> None:
    """A Decimal with a fraction of a cent is refused, however small the fraction is."""
    exact = Decimal(f"{abs(cents)}.{'0' * (place - 1)}{digit}")
    with pytest.raises(InvalidAmount):
        parse_cents(exact)
