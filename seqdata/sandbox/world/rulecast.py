"""The rules of a household: those that every one has, and a set that only some have.

What the first ones move is what a household is. `QUIET` seeds have no others; each other seed
has one set of `SETS`, whose rules move small sums.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from seqdata.sandbox.rules.model import (
    DISABLED,
    Action,
    All,
    AnyOf,
    Condition,
    Limit,
    Manual,
    OnFundsTransferred,
    Rule,
    Scheduled,
    Step,
    Trigger,
)
from seqdata.sandbox.world.book import Book, make_id
from seqdata.sandbox.world.cast import Cast
from seqdata.sandbox.world.clock import HOUR, SECOND, micros, moment, months_before
from seqdata.sandbox.world.rulebook import Rulebook

_DAY = 24 * HOUR
#: Seeds whose household has the rules of all households alone.
QUIET = frozenset({0, 1, 2, 3, 4, 5, 7, 11})

#: Percent of a paycheck, by pod; the buffer takes the rest.
_SPLITS = [
    ("bills", 31.2),
    ("groceries", 9.5),
    ("dining", 7.0),
    ("kids", 3.0),
    ("subscriptions", 1.5),
    ("card", 10.5),
    ("emergency", 8.0),
    ("vacation", 3.5),
    ("kids_upper", 2.5),
]


@dataclass(frozen=True, slots=True)
class Founding:
    """What it takes to write rules for a household."""

    rulebook: Rulebook
    cast: Cast
    scale: int

    @property
    def book(self) -> Book:
        """The book that the rules work on."""
        return self.rulebook.book

    def account(self, key: str) -> str:
        """Give the id of a pod, of a port, or of an account as "outside:key"."""
        kind, _, own = key.rpartition(":")
        known = self.cast.accounts if kind else self.cast.pods | self.cast.ports
        return known[own].id or ""

    def dollars(self, amount: float) -> int:
        """Give dollars of this household in cents."""
        return round(amount * 100) * self.scale

    def action(self, type_: str, source: str, destination: str, **more: object) -> Action:
        """Write an action between accounts by key."""
        ends = self.account(source), self.account(destination)
        return Action(type=type_, source=ends[0], destination=ends[1], **more)  # type: ignore[arg-type]

    def on_money(self, key: str) -> Trigger:
        """Trigger on money that comes to an account."""
        return OnFundsTransferred(self.account(key))

    def manual(self, key: str) -> Trigger:
        """Trigger when somebody asks."""
        return Manual(self.account(key))

    def schedule(self, kind: str, key: str | None, days: float, hour: float = 15) -> Scheduled:
        """Trigger at an hour of UTC, from so many days after the world's first midnight on."""
        first = self.book.start - self.book.start % _DAY
        at = first + int(days * _DAY) + int(hour * HOUR)
        return Scheduled(kind, at, None if key is None else self.account(key))

    def monthly(self, key: str, day: int, hour: float = 15) -> Scheduled:
        """Trigger on a day of each month, since three months before the world began."""
        first = months_before(moment(self.book.start).date().replace(day=day), 3)
        at = micros(datetime(first.year, first.month, first.day, tzinfo=UTC))
        return Scheduled("MONTHLY", at + int(hour * HOUR), self.account(key))

    def rule(
        self, key: str, name: str | None, trigger: Trigger, *steps: Step, **more: object
    ) -> str:
        """Write a rule that is older than the world, and give its id."""
        own_id = make_id(self.book.name, "Rule", key)
        age = 90 - len(self.rulebook.versions)
        created = self.book.start - age * _DAY + 17 * HOUR + 12 * SECOND
        pace, cron = more.pop("pace", None), more.pop("cron", None)
        rule = Rule(
            id=own_id,
            name=name,
            trigger=trigger,
            steps=steps,
            created_at=created,
            updated_at=created,
            **more,  # type: ignore[arg-type]
        )
        self.rulebook.add(rule, cron_text=cron, pace=pace)  # type: ignore[arg-type]
        return own_id

    def later(self, days: float, event: Callable[[], object]) -> None:
        """Let something be done to the rules so many days after the world began."""

        def run() -> None:
            event()

        self.book.plan(self.book.start + int(days * _DAY) + 16 * HOUR, run)

    def edit(self, days: float, rule_id: str, **changes: object) -> None:
        """Let a rule be edited, so many days after the world began."""
        self.later(days, partial(self.rulebook.edit, rule_id, **changes))


def found_rules(rulebook: Rulebook, cast: Cast, scale: int, seed: int) -> None:
    """Write the rules of a household."""
    own = Founding(rulebook, cast, scale)
    _everybody(own)
    if seed not in QUIET:
        SETS[seed % len(SETS)](own)


def _everybody(own: Founding) -> None:
    """Divide paychecks, save, pay debts; and have rules that move nothing."""
    pace = partial(_minutes, own.book)
    for port, name in (("paycheck", "Split my paycheck"), ("partner", "Split partner's paycheck")):
        rule_id = own.rule(port, name, own.on_money(port), _split(own, port), pace=pace)
    own.edit(45, rule_id, name="Split Sam's paycheck")
    own.rule("freelance", None, own.on_money("freelance"), _gig(own), pace=pace)
    _debts_and_savings(own)
    _idle(own)


def _split(own: Founding, port: str) -> Step:
    share = partial(own.action, "PERCENTAGE", port)
    shares = [share(pod, percent=part, target="INCOMING_AMOUNT") for pod, part in _SPLITS]
    saved = share("outside:savings", percent=3.0, target="INCOMING_AMOUNT")
    return Step((*shares, saved, _rest(own, port)))


def _rest(own: Founding, port: str) -> Action:
    return own.action(
        "PERCENTAGE", port, "buffer", percent=100.0, target="SOURCE_ACCOUNT", group_index=1
    )


def _gig(own: Founding) -> Step:
    taxes = own.action("PERCENTAGE", "freelance", "taxes", percent=22.0, target="INCOMING_AMOUNT")
    return Step((taxes, _rest(own, "freelance")))


def _minutes(book: Book, actions: list[Action]) -> list[int]:
    """Let shares to pods go seconds apart, and what is left, or leaves, 15 seconds later."""
    at, times = book.now, []
    for action in actions:
        if action.group_index == 0 and action.destination in book.holdings:
            at += book.rng.randrange(300, 20_000) * 1000
            times.append(at)
        else:
            times.append(at + 15 * SECOND)
    return times


def _debts_and_savings(own: Founding) -> None:
    instalment = own.dollars(320)
    own.rule(
        "feed_loan",
        "Feed the student loan",
        own.monthly("bills", 2, 13),
        Step(
            (own.action("FIXED", "bills", "loan", amount_cents=instalment),),
            Condition("BALANCE", "GREATER_THAN_OR_EQUAL", instalment),
        ),
        cron="0 9 2 * *",
    )
    saving = own.action(
        "FIXED", "outside:checking", "outside:savings", amount_cents=own.dollars(250)
    )
    own.rule(
        "save_outside",
        "Save outside",
        own.monthly("outside:checking", 5, 14),
        Step((saving,)),
        description="Monthly saving",
        cron="0 10 5 * *",
    )
    card = own.action("TOTAL_AMOUNT_DUE", "card", "outside:card", up_to_enabled=True)
    own.rule(
        "pay_card",
        "Pay the card",
        own.monthly("card", 14, 13),
        Step((card,)),
        description="Liability payment",
        cron="0 9 14 * *",
    )
    loan = own.action("NEXT_PAYMENT_MINIMUM", "loan", "outside:loan", up_to_enabled=True)
    own.rule(
        "pay_loan",
        "Pay the student loan",
        own.monthly("loan", 17, 13),
        Step((loan,)),
        description="Liability payment",
        cron="0 9 17 * *",
    )


def _idle(own: Founding) -> None:
    """Write what the API cannot express, what is off or deleted, what waits to be asked for."""
    own.rule(
        "snowball",
        "Debt snowball 🎿",
        own.monthly("buffer", 16),
        description="",
        is_supported=False,
    )
    boost = own.action("FIXED", "buffer", "vacation", amount_cents=own.dollars(75))
    own.rule(
        "boost", "Málaga boost (paused)", own.monthly("buffer", 10), Step((boost,)), status=DISABLED
    )
    tithe = own.action(
        "PERCENTAGE",
        "buffer",
        "emergency",
        percent=10.0,
        target="SOURCE_ACCOUNT",
        up_to_enabled=True,
    )
    own.rule("tithe", "A tenth, when I say so", own.manual("buffer"), Step((tithe,)))
    is_full = Condition("BALANCE", "GREATER_THAN", own.dollars(30_000))
    surplus = own.action("FIXED", "emergency", "outside:savings", amount_cents=own.dollars(500))
    own.rule("full", "Twice full", own.monthly("emergency", 28), Step((surplus,), is_full))
    car = own.action("FIXED", "buffer", "closing", amount_cents=own.dollars(60))
    car_id = own.rule("car", "Old car", own.manual("buffer"), Step((car,)))
    own.later(21, partial(own.rulebook.delete, car_id))


def _conditions(own: Founding) -> None:
    """Choose steps by date, balance and amount; "any" inside "all", facts on both sides."""
    early = All(
        (
            Condition("DATE", "LESS_THAN_OR_EQUAL", 7),
            AnyOf(
                (
                    Condition("BALANCE", "GREATER_THAN", own.dollars(900)),
                    Condition(
                        "BALANCE", "LESS_THAN", own.dollars(100), account_id=own.account("dining")
                    ),
                )
            ),
        )
    )
    last = Condition("DATE", "EQUALS", value_fact="LAST_DAY_OF_MONTH")
    covers = Condition(
        "BALANCE",
        "GREATER_THAN",
        value_fact="NEXT_PAYMENT_MINIMUM_AMOUNT",
        account_id=own.account("card"),
    )
    fixed = partial(own.action, "FIXED", "buffer")
    own.rule(
        "dates",
        "By the day of the month",
        own.schedule("DAILY", "buffer", 0, 15.5),
        Step((fixed("dining", amount_cents=own.dollars(5)),), early),
        Step((fixed("vacation", amount_cents=own.dollars(20)),), last),
        Step(
            (fixed("kids", amount_cents=own.dollars(8)),),
            All((Condition("DATE", "EQUALS", 12), covers)),
        ),
    )
    tenth = own.action(
        "PERCENTAGE", "emergency", "kids_upper", percent=10.0, target="INCOMING_AMOUNT"
    )
    big = own.action("FIXED", "emergency", "kids_upper", amount_cents=own.dollars(25))
    own.rule(
        "by_amount",
        "By what comes in",
        own.on_money("emergency"),
        Step((big,), Condition("TRANSFER_AMOUNT", "GREATER_THAN_OR_EQUAL", own.dollars(190))),
        Step((tenth,), Condition("TRANSFER_AMOUNT", "NOT_EQUALS", own.dollars(100))),
    )


def _limits(own: Founding) -> None:
    """Cap by transfer, week, month and year, and a group by one cap."""
    for period, pod, most, on in (
        ("PER_WEEK", "dining", 30, 15.25),
        ("PER_MONTH", "kids", 60, 15.5),
        ("PER_YEAR", "vacation", 150, 15.75),
    ):
        capped = own.action(
            "FIXED",
            "buffer",
            pod,
            amount_cents=own.dollars(8),
            limit=Limit(period, own.dollars(most)),
        )
        own.rule(
            period,
            f"Never more {period.lower()}",
            own.schedule("DAILY", "buffer", 2, on),
            Step((capped,)),
        )
    shared = Limit("PER_MONTH", own.dollars(50))
    share = partial(
        own.action, "PERCENTAGE", "emergency", percent=10.0, target="INCOMING_AMOUNT", limit=shared
    )
    own.rule(
        "shared",
        "Both of them",
        own.on_money("emergency"),
        Step((share("kids"), share("kids_upper"))),
    )
    once = own.action(
        "ROUND_DOWN",
        "kids_upper",
        "vacation",
        amount_cents=own.dollars(880),
        limit=Limit("PER_TRANSFER", own.dollars(15)),
    )
    own.rule("once", "At most 15", own.schedule("WEEKLY", "kids_upper", 3), Step((once,)))


def _top_ups(own: Founding) -> None:
    """Fill up to each of the four targets, with money enough and without."""
    fill = partial(own.action, "TOP_UP", "buffer", up_to_enabled=True)
    most = Limit("PER_TRANSFER", own.dollars(40))
    own.rule(
        "dinners",
        "Fill up for dinner",
        own.schedule("WEEKLY", "buffer", 4),
        Step((fill("dining", amount_cents=own.dollars(400), limit=most),)),
    )
    debts = Step(
        (
            fill("card", next_payment_minimum_account=own.account("outside:card")),
            fill(
                "card",
                last_statement_balance_account=own.account("outside:card"),
                limit=most,
                group_index=1,
            ),
            fill(
                "loan",
                current_balance_account=own.account("outside:loan"),
                limit=Limit("PER_TRANSFER", own.dollars(20)),
                group_index=2,
            ),
        )
    )
    own.rule("debts", "Ready for what is owed", own.monthly("buffer", 11), debts)
    vast = own.action("TOP_UP", "subscriptions", "kids", amount_cents=own.dollars(90_000))
    own.rule("vast", "Too much", own.schedule("ONE_TIME", "subscriptions", 20), Step((vast,)))


def _debts(own: Founding) -> None:
    """Pay a debt by each of its numbers."""
    pay = partial(own.action, source="buffer", destination="outside:card")
    small = Limit("PER_TRANSFER", own.dollars(30))
    own.rule(
        "percent",
        "Three percent of the card",
        own.monthly("buffer", 3),
        Step((pay("PERCENTAGE_LIABILITY_BALANCE", percent=3.0, up_to_enabled=True),)),
    )
    own.rule(
        "statement",
        "Off the statement",
        own.monthly("buffer", 21),
        Step((pay("LAST_STATEMENT_BALANCE", limit=small, up_to_enabled=True),)),
    )
    covers = Condition(
        "BALANCE",
        "GREATER_THAN",
        value_fact="LAST_STATEMENT_BALANCE",
        account_id=own.account("card"),
    )
    own.rule(
        "covered",
        "When the card is covered",
        own.monthly("card", 22),
        Step((own.action("NEXT_PAYMENT_MINIMUM", "card", "outside:card"),), covers),
    )
    extra = own.action("TOTAL_AMOUNT_DUE", "buffer", "outside:loan", limit=small)
    own.rule("extra", "A little more off the loan", own.monthly("buffer", 25), Step((extra,)))


def _rounding(own: Founding) -> None:
    """Keep round numbers, and share by percentages that do not come out even."""
    sweep = own.action(
        "ROUND_DOWN", "dining", "buffer", amount_cents=own.dollars(300), up_to_enabled=True
    )
    own.rule("round", "Keep three hundred", own.schedule("WEEKLY", "dining", 5), Step((sweep,)))
    third = partial(own.action, "PERCENTAGE", "kids_upper", target="SOURCE_ACCOUNT", limit=None)
    own.rule(
        "thirds",
        "A little to everybody",
        own.schedule("BI_WEEKLY", "kids_upper", 0),
        Step((third("kids", percent=1.33), third("vacation", percent=0.67))),
    )
    emptied = own.action("ROUND_DOWN", "subscriptions", "buffer", amount_cents=0)
    own.rule("empty", "Empty it", own.schedule("ONE_TIME", "subscriptions", 26), Step((emptied,)))


def _failing(own: Founding) -> None:
    """Ask for what is not there, for accounts that are gone, for less than a dollar."""
    fixed = partial(own.action, "FIXED")
    own.rule(
        "short",
        "Optimist",
        own.schedule("EVERY_OTHER_WEEK", "subscriptions", 1),
        Step(
            (
                fixed("subscriptions", "kids", amount_cents=own.dollars(6)),
                fixed("subscriptions", "buffer", amount_cents=own.dollars(9_000), group_index=1),
                fixed("subscriptions", "vacation", amount_cents=own.dollars(6), group_index=2),
            )
        ),
    )
    own.rule(
        "gone",
        "For the old car",
        own.monthly("buffer", 6),
        Step((fixed("buffer", "closing", amount_cents=own.dollars(10)),)),
    )
    own.rule(
        "nothing",
        "Nobody's statement",
        own.monthly("buffer", 7),
        Step((own.action("LAST_STATEMENT_BALANCE", "buffer", "outside:savings"),)),
    )
    own.rule(
        "cents",
        "Pennies",
        own.schedule("WEEKLY", "buffer", 2),
        Step((fixed("buffer", "kids", amount_cents=60),)),
    )


def _schedules(own: Founding) -> None:
    """Use every schedule, run several rules at once, edit one over the months."""
    save = partial(own.action, "FIXED", "buffer", "vacation")
    for number, kind in enumerate(("ONE_TIME", "WEEKLY", "BI_WEEKLY", "EVERY_OTHER_WEEK")):
        step = Step((save(amount_cents=own.dollars(4 + number)),))
        own.rule(kind, f"{kind.capitalize()} saving", own.schedule(kind, "buffer", 9), step)
    last = own.schedule("MONTHLY", None, _days_to_the_31st(own.book))
    own.rule("last", "On the 31st", last, Step((save(amount_cents=own.dollars(9)),)))
    step = Step((save(amount_cents=own.dollars(3)),))
    edited = own.rule("edited", "Saving", own.schedule("DAILY", "buffer", 1), step)
    for days, dollars in ((35, 4), (70, 2), (200, 5)):
        own.edit(days, edited, steps=(Step((save(amount_cents=own.dollars(dollars)),)),))
    own.edit(50, edited, status=DISABLED)
    own.edit(60, edited, status="ENABLED")
    own.later(230, partial(own.rulebook.delete, edited))


def _days_to_the_31st(book: Book) -> int:
    day = moment(book.start).date()
    return next(n for n in range(63) if (day + timedelta(days=n)).day == 31)


def _cascade(own: Founding) -> None:
    """Let the money that one rule moves set the next one off."""
    onward = partial(own.action, "PERCENTAGE", percent=5.0, target="INCOMING_AMOUNT")
    own.rule(
        "first", "First fall", own.on_money("emergency"), Step((onward("emergency", "vacation"),))
    )
    own.rule(
        "second",
        "Second fall",
        own.on_money("vacation"),
        Step(
            (
                own.action(
                    "PERCENTAGE", "vacation", "kids_upper", percent=20.0, target="INCOMING_AMOUNT"
                ),
            )
        ),
    )
    pulled = own.action("FIXED", "outside:checking", "emergency", amount_cents=own.dollars(30))
    own.rule("pulled", "From the bank", own.monthly("outside:checking", 9), Step((pulled,)))


def _by_hand(own: Founding) -> None:
    """Ask for runs in the application, of a rule that is edited in between."""
    tenth = own.action(
        "PERCENTAGE", "buffer", "kids", percent=10.0, target="SOURCE_ACCOUNT", up_to_enabled=True
    )
    asked = own.rule("asked", "Pocket money", own.manual("buffer"), Step((tenth,)))
    for days in range(3, 730, 17):
        own.later(days, partial(_ask, own, asked))
    half = own.action(
        "PERCENTAGE", "buffer", "kids", percent=50.0, target="SOURCE_ACCOUNT", up_to_enabled=True
    )
    own.edit(30, asked, steps=(Step((half,)),), description="more of it")


def _ask(own: Founding, rule_id: str) -> None:
    own.rulebook.trigger(rule_id, own.dollars(40), by="MANUAL")


SETS: tuple[Callable[[Founding], None], ...] = (
    _conditions,
    _limits,
    _top_ups,
    _debts,
    _rounding,
    _failing,
    _schedules,
    _cascade,
    _by_hand,
)
