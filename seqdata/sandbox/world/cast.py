"""Who takes part in a household: its pods, ports, outside accounts, merchants and payers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from seqdata.sandbox.world.book import Book, make_id
from seqdata.sandbox.world.clock import midnight, moment, utc_text
from seqdata.sandbox.world.records import Holding, Node, Outside, Party, Statement

#: key, name, icon, opening dollars, goal dollars (times the scale).
PODS = [
    ("bills", "Bills", "🏠", 3_400, None),
    ("groceries", "Groceries", "🛒", 620, None),
    ("dining", "Dining Out 🍜", "🍜", 480, None),
    ("subscriptions", 'Subscriptions, "streaming" & apps', "📺", 160, None),
    ("emergency", "Emergency Fund", "🛟", 4_200, 15_000),
    ("vacation", "Vacaciones en Málaga", "🌴", 350, 4_000),
    ("kids", "Kids", "🧸", 420, None),
    ("kids_upper", "KIDS", "🎓", 900, 10_000),
    ("buffer", "=Buffer", "⚖️", 2_600, None),
    ("taxes", "Taxes", "🧾", 700, None),
    ("card", "Card Payoff", "💳", 800, None),
    ("loan", "Student Loan", "🎓", 320, None),
    ("closing", "Old Car Fund", "🚗", 975, None),
]

#: key, name, what it is fed by.
PORTS = [
    ("paycheck", "Main Paycheck", "Northwind Payroll"),
    ("partner", "Partner's Paycheck", "Bright & Söhne, Inc."),
    ("freelance", "Freelance", "Studio Ágora"),
]

#: key, name, type, provider, institution, dollars, may be a source, is a liability.
ACCOUNTS = [
    (
        "checking",
        "Everyday Checking",
        "CHECKING",
        "PLAID",
        "First Example Bank",
        3_100,
        True,
        False,
    ),
    (
        "savings",
        "High-Yield Savings",
        "SAVINGS",
        "PLAID",
        "Example Online Bank",
        8_000,
        True,
        False,
    ),
    ("card", "Travel Card", "CREDIT_CARD", "PLAID", "Example Card Co.", 1_150, False, True),
    ("loan", "Student Loan Servicer", "STUDENT_LOAN", "METHOD", "EduLoan", 21_400, False, True),
    ("manual", "Grandma's Credit Union", "CHECKING", "MANUAL", None, 0, False, False),
]

#: name, pod, least and most dollars, weight.
MERCHANTS = [
    ("Green Basket Market", "groceries", 12, 48, 10),
    ("Café Zoë", "dining", 4, 14, 12),
    ('Joe\'s "Famous" Pizza', "dining", 14, 42, 6),
    ("🌮 Taco Cart", "dining", 8, 22, 7),
    ("Noodle House", "dining", 18, 46, 5),
    ("Müller & Töchter, Bakery", "dining", 4, 16, 6),
    ("Corner Store\n#0042", "groceries", 3, 18, 6),
    ("Little Steps Shoes", "kids", 15, 55, 2),
    ("Smith, Jones & Co. Toys", "kids", 9, 38, 3),
    ("NA", "buffer", 8, 32, 2),
    ("=SUM Coffee Bar", "dining", 4, 9, 4),
    ("+Plus Fitness Gear", "buffer", 15, 60, 1),
    ("-10° Ice Cream", "kids", 4, 13, 3),
    ("@Home Decor", "buffer", 14, 70, 2),
    ("City Fuel", "buffer", 24, 52, 5),
    ("Old Town Pharmacy", "buffer", 6, 34, 4),
    ("Metro Transit", "buffer", 3, 6, 6),
    ("Book Nook", "kids_upper", 9, 30, 1),
]
BIG_GROCER = "Harvest Supermarket"
AIRLINE = "Aerolíneas Ejemplo"

#: A year's shape of the dollars of heating and of electricity, January first.
HEATING = [165, 150, 118, 80, 48, 32, 30, 30, 36, 62, 104, 148]
ELECTRICITY = [96, 90, 84, 80, 92, 128, 164, 168, 132, 92, 84, 94]

#: key, name, day of the month, dollars. Zero: by season.
BILLS = [
    ("rent", "Maple Street Apartments", 1, 2_150),
    ("internet", "FiberLine Internet", 12, 70),
    ("electricity", "Metro Electric", 18, 0),
    ("heating", "Northern Gas", 20, 0),
    ("phone", "Mobile One", 22, 85),
    ("insurance", "Harbor Insurance", 25, 118),
]

#: name, day of the month, cents, cents after the change, day of the world of the change.
#: None after the change: it stops.
SUBSCRIPTIONS = [
    ("Streamly", 5, 1549, 1799, 150),
    ("CloudBox 2TB", 9, 999, 999, 0),
    ("GymBox", 3, 3900, None, 270),
    ("Daily Gazette", 16, 1200, 1200, 0),
    ("Tune★Wave", 21, 1099, 1099, 0),
]


@dataclass(slots=True)
class Cast:
    """The parties of one household, by key or by name."""

    pods: dict[str, Holding]
    ports: dict[str, Holding]
    accounts: dict[str, Outside]
    merchants: dict[str, Party]
    payers: dict[str, Party]

    def payer(self, name: str) -> Party:
        """Give a counterparty with a name and no id."""
        if name not in self.payers:
            self.payers[name] = Party("ExternalEntity", name)
        return self.payers[name]

    def merchant(self, name: str) -> Party:
        """Give the merchant of a name."""
        return self.merchants[name]


def _digits(rng: Random, count: int) -> str:
    return "".join(rng.choice("0123456789") for _ in range(count))


def _holding(
    book: Book, kind: str, key: str, name: str, icon: str, opening: int, goal: int | None
) -> Holding:
    own_id = make_id(book.name, kind, key)
    rng = Random(own_id)
    node: Node = {
        "icon": icon,
        "description": None,
        "externalAccountId": make_id(book.name, "external", kind, key),
        "beneficiaryName": "Casey Example",
        "bankAccountNumber": _digits(rng, 12),
        "routingNumber": "0" + _digits(rng, 8),
        "createdAt": utc_text(book.start - rng.randrange(20, 400) * 86_400_000_000 + 512_000),
    }
    if kind == "Pod":
        node |= {
            "type": "REGULAR",
            "showSequenceBalance": True,
            "showManualLiabilityNotification": False,
            "showManualLiabilityFundsArrivedNotification": False,
            "goalAmountInCents": goal,
        }
    holding = Holding(kind, name, own_id, node, opening=opening, balance=opening)
    book.holdings[own_id] = holding
    return holding


def _account(
    book: Book, row: tuple[str, str, str, str, str | None, int, bool, bool], scale: int
) -> Outside:
    key, name, type_, provider, institution, dollars, can_be_source, is_liability = row
    own_id = make_id(book.name, "Account", key)
    rng = Random(own_id)
    node: Node = {
        "icon": "🏦",
        "type": type_,
        "providerType": provider,
        "description": None,
        "canBeSourceOfTransfer": can_be_source,
        "pendingDisconnectCode": None,
        "routingNumber": "0" + _digits(rng, 8),
        "bankAccountNumber": _digits(rng, 10),
        "institutionName": institution,
        "beneficiaryName": "Casey Example",
        "createdAt": utc_text(book.start - rng.randrange(20, 400) * 86_400_000_000),
        "capabilities": ["RECEIVE", "SEND"] if can_be_source else ["RECEIVE"],
        "liabilityLinkedWithPlaid": is_liability and provider == "PLAID",
        "isPendingKyc": False,
    }
    cents = dollars * 100 * scale
    account = Outside(
        "Account",
        name,
        own_id,
        node,
        provider=provider,
        can_be_source=can_be_source,
        is_liability=is_liability,
        balance=cents,
        opening=cents,
        shown=None if provider == "MANUAL" else cents,
        refreshed_at=midnight(moment(book.start).date() - timedelta(days=1)),
    )
    if is_liability:
        account.statement = next_statement(account, key, moment(book.start).date(), scale)
    book.outside[own_id] = account
    return account


#: The day of the month on which a debt's statement is made, and the days until it is due.
STATEMENTS = {"card": (20, 25), "loan": (1, 24)}


def next_statement(account: Outside, key: str, day: date, scale: int) -> Statement | None:
    """Give the statement that is in force on a day: a new one where today is the day for it.

    The least payment is 2 % or $35 of a card, and an instalment of $320 times the scale of a
    loan; never more than is owed.
    """
    on, days = STATEMENTS[key]
    if day.day != on and account.statement is not None:
        return account.statement
    owed = max(account.balance, 0)
    least = 320_00 * scale if key == "loan" else max(35_00, owed // 50)
    return Statement(day, owed, min(least, owed), day + timedelta(days=days))


def _merchant(book: Book, name: str) -> Party:
    return Party("Merchant", name, make_id(book.name, "Merchant", name), {"icon": None})


def make_cast(book: Book, scale: int) -> Cast:
    """Make all parties of a household and give its pods their opening balances."""
    pods = {
        key: _holding(
            book, "Pod", key, name, icon, dollars * 100 * scale, goal and goal * 100 * scale
        )
        for key, name, icon, dollars, goal in PODS
    }
    ports = {key: _holding(book, "Port", key, name, "💼", 0, None) for key, name, _ in PORTS}
    accounts = {row[0]: _account(book, row, scale) for row in ACCOUNTS}
    pods["card"].linked = accounts["card"]
    pods["loan"].linked = accounts["loan"]
    pods["loan"].is_unreadable_liability = True
    names = [row[0] for row in MERCHANTS] + [row[0] for row in SUBSCRIPTIONS]
    names += [BIG_GROCER, AIRLINE]
    return Cast(pods, ports, accounts, {name: _merchant(book, name) for name in names}, {})
