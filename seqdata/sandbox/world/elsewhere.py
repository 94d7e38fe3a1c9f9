"""What happens in outside accounts without Sequence: purchases, salaries, interest, spending.

It is told apart from random numbers of its own, sown by account and day, so that a world is the
same whether somebody looks at it or not.
"""

from __future__ import annotations

from random import Random

from seqdata.sandbox.world.book import Book
from seqdata.sandbox.world.clock import MINUTE
from seqdata.sandbox.world.records import Outside, Seen

_SHOPS = [
    "SQ *CAFE ZOE", "AMZN Mktp US*2K4", "UBER TRIP", "SHELL OIL 5744", "TRADER JOES #142",
    "NETFLIX.COM", "DELTA AIR 0062", "WALGREENS #903", "LYFT *RIDE SUN", "Buchhandlung Müller",
]  # fmt: skip
_IN = ["PAYROLL DEPOSIT", "Zelle from A. NOVAKOVA", "MOBILE CHECK DEPOSIT"]
_OUT = ["DEBIT CARD PURCHASE", "ATM WITHDRAWAL", "CHECK 1042", "WATER UTILITY AUTOPAY"]
_LEAST_PURCHASE = 200
#: A day's life is told of early in the next morning, and lies in this many hours before.
_HOURS_BACK = 20


def note_day(book: Book, account: Outside, change: int) -> None:
    """Say how a day's life has changed a balance: with a credit card, by one to three purchases.

    What happened did so in the hours before.
    """
    cents = -change if account.is_liability else change
    if cents == 0:
        return
    rng = Random(f"{account.id}/{book.now}")
    is_purchase = account.is_liability and cents < 0
    parts = _parts(rng, -cents) if is_purchase else [abs(cents)]
    words = _SHOPS if is_purchase else _IN if cents > 0 else _OUT
    moments = sorted(book.now - rng.randrange(1, _HOURS_BACK * 60) * MINUTE for _ in parts)
    for at, part in zip(moments, parts, strict=True):
        account.seen.append(Seen(at, part if cents > 0 else -part, rng.choice(words)))


def _parts(rng: Random, cents: int) -> list[int]:
    """Divide an amount by up to three purchases."""
    parts = []
    for _ in range(rng.randrange(3)):
        if cents >= 2 * _LEAST_PURCHASE:
            part = rng.randrange(_LEAST_PURCHASE, cents - _LEAST_PURCHASE + 1)
            parts.append(part)
            cents -= part
    return [*parts, cents]
