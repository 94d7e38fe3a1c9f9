"""Money: whole cents inside, dollars as text at the edges.

An amount is an ``int`` of cents everywhere in the package. Text from a person is parsed
through :class:`decimal.Decimal`, never through a float.
"""

from __future__ import annotations

import re
from decimal import Context, Decimal, Inexact, InvalidOperation

from seqdata.exceptions import InvalidAmount

#: The service's GraphQL ``Int`` has 32 bits: the largest amount it can carry, in cents.
MAX_CENTS = 2**31 - 1

# The usual context would round what has more than 28 digits, and say nothing.
_CENT, _EXACT = Decimal("0.01"), Context(prec=60, traps=[Inexact, InvalidOperation])

_DOLLARS = re.compile(
    r"""
    (?P<sign>[-+]?) \s* \$? \s*
    (?P<whole> \d{1,3}(?:,\d{3})+ | \d+ )?
    (?: \. (?P<fraction>\d{1,2}) )?
    """,
    re.VERBOSE | re.ASCII,
)


def parse_cents(amount: str | Decimal) -> int:
    """Read an amount of dollars exactly, as whole cents.

    Parameters
    ----------
    amount
        Text such as ``"12.34"``, ``"$1,234.56"``, ``"-$5"`` or ``".50"``; or a ``Decimal``.

    Returns
    -------
    int
        The amount in cents.

    Raises
    ------
    InvalidAmount
        The text is no amount, has fractions of a cent, misplaced thousands separators, or
        is a float (whose binary value is not the number that was typed).
    """
    if isinstance(amount, Decimal):
        return _decimal_cents(amount)
    if not isinstance(amount, str):
        raise InvalidAmount(amount)
    match = _DOLLARS.fullmatch(amount.strip())
    if match is None or (match["whole"] is None and match["fraction"] is None):
        raise InvalidAmount(amount)
    whole = int((match["whole"] or "0").replace(",", ""))
    cents = whole * 100 + int((match["fraction"] or "").ljust(2, "0"))
    return -cents if match["sign"] == "-" else cents


def _decimal_cents(amount: Decimal) -> int:
    try:
        return int(amount.quantize(_CENT, context=_EXACT).scaleb(2, context=_EXACT))
    except (Inexact, InvalidOperation, ValueError):
        raise InvalidAmount(amount) from None
