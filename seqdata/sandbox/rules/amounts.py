"""How much each action of a group moves, decided at once on the balances of that moment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from itertools import groupby

from seqdata.sandbox.rules.facts import Facts, LimitKey, Occasion, period_start
from seqdata.sandbox.rules.model import Action, Limit
from seqdata.sandbox.rules.readings import Readings

DOLLAR = 100


@dataclass(frozen=True, slots=True)
class Decision:
    """What an action moves, or the code of the reason for which it fails.

    Of one that fails `cents` is what it was to move, and 0 where that is not known.
    """

    action: Action
    cents: int
    refusal: str | None = None


@dataclass(slots=True)
class Purse:
    """What a run may take from each account, and what it is told to take for its balance.

    `assumed` holds the amount with which a rule was triggered by hand: the base of
    percentages, round-downs and top-ups from that account. A simulation takes it for what is
    there (`is_simulated`); a live run moves no more than there is.
    """

    facts: Facts
    assumed: dict[str, int]
    is_simulated: bool = False

    def base(self, account_id: str) -> int | None:
        """Give the balance that an amount is reckoned from."""
        assumed = self.assumed.get(account_id)
        return self.facts.available(account_id) if assumed is None else assumed

    def left(self, action: Action) -> int | None:
        """Give how much an action can take."""
        there = self.facts.available(action.source)
        assumed = self.assumed.get(action.source)
        if assumed is None or action.type not in ("PERCENTAGE", "ROUND_DOWN", "TOP_UP"):
            return there
        return assumed if self.is_simulated or there is None else min(assumed, there)

    def spend(self, account_id: str, cents: int) -> None:
        """Take what has moved off what was assumed."""
        if account_id in self.assumed:
            self.assumed[account_id] -= cents


def in_order(actions: Iterable[Action]) -> list[Action]:
    """Give actions as they run: by group, within a group from top to bottom."""
    return sorted(actions, key=_group)


def in_groups(actions: Iterable[Action]) -> Iterator[list[Action]]:
    """Yield the actions of each group, in the order of the groups."""
    return (list(group) for _, group in groupby(in_order(actions), _group))


def _group(action: Action) -> int:
    return action.group_index


def decide(
    group: list[Action],
    place: tuple[str, int],
    purse: Purse,
    occasion: Occasion,
    readings: Readings,
) -> list[Decision]:
    """Decide the actions of one group. After one that fails, none is decided.

    `place` is the rule and the number of its step: what counts for a limit.
    """
    decisions = _percentages(group, purse, occasion, readings)
    decisions = _limited(decisions, place, purse.facts, occasion, readings)
    return list(_paid(decisions, purse, readings))


def _percentages(
    group: list[Action], purse: Purse, occasion: Occasion, readings: Readings
) -> list[Decision]:
    """Reckon what each action asks for; percentages of one base together."""
    asked = [_asked(action, purse, readings) for action in group]
    bases: dict[tuple[str | None, str], list[int]] = {}
    for place, action in enumerate(group):
        if action.type == "PERCENTAGE" and asked[place].refusal is None:
            bases.setdefault((action.target, action.source), []).append(place)
    for (target, source), places in bases.items():
        base = occasion.amount_cents if target == "INCOMING_AMOUNT" else purse.base(source)
        shares = [_share(group[place].percent) for place in places]
        amounts = divide(max(base or 0, 0), shares, readings)
        for place, cents in zip(places, amounts, strict=True):
            asked[place] = Decision(group[place], cents)
    return asked


@lru_cache(maxsize=1024)
def _share(percent: float | None) -> Fraction:
    """Give the share that a percentage says in decimal."""
    return Fraction(str(percent)) / 100


def divide(base: int, shares: list[Fraction], readings: Readings) -> list[int]:
    """Give each share of a sum in whole cents. Shares of up to 1 never exceed the sum."""
    amounts = [_part(base, share, readings) for share in shares]
    if readings.odd_cent == "nobody":
        over = max(sum(amounts) - base, 0)
        over = over if over and sum(shares) <= 1 else 0
        for place in reversed(range(len(amounts))):
            cut = min(over, amounts[place])
            amounts[place], over = amounts[place] - cut, over - cut
        return amounts
    odd = _part(base, sum(shares, Fraction(0)), readings) - sum(amounts)
    order = list(range(len(amounts)))
    for place in order if readings.odd_cent == "first" else reversed(order):
        given = max(odd, -amounts[place])
        amounts[place], odd = amounts[place] + given, odd - given
    return amounts


def _part(base: int, share: Fraction, readings: Readings) -> int:
    if readings.percent_rounding == "half_even":
        return round(base * share)
    half = share.denominator if readings.percent_rounding == "half_up" else 0
    return (2 * base * share.numerator + half) // (2 * share.denominator)


def _asked(action: Action, purse: Purse, readings: Readings) -> Decision:
    """Give what an action asks for, whether or not it is there. Percentages come later."""
    facts = purse.facts
    if not (facts.is_there(action.source) and facts.is_there(action.destination)):
        return Decision(action, 0, "RESOURCE_DELETED")
    if action.type == "PERCENTAGE":
        return Decision(action, 0)
    if action.type == "FIXED":
        return Decision(action, action.amount_cents or 0)
    if action.type == "ROUND_DOWN":
        return _over(action, purse, readings)
    if action.type == "TOP_UP":
        return _lacking(action, facts, readings)
    return _due(action, facts, readings)


def _known(action: Action, cents: int | None, code: str) -> Decision:
    return Decision(action, 0, code) if cents is None else Decision(action, max(cents, 0))


def _over(action: Action, purse: Purse, readings: Readings) -> Decision:
    balance, step = purse.base(action.source), action.amount_cents or 0
    if balance is None:
        return Decision(action, 0, "NULL_BALANCE")
    if readings.round_down == "keep":
        return _known(action, balance - step, "NULL_BALANCE")
    return Decision(action, balance % step if step else 0)


_NUMBERS: dict[str, tuple[Callable[[Facts, str], int | None], str]] = {
    "minimum": (lambda facts, own: facts.minimum(own), "ACCOUNT_NO_MINIMUM_PAYMENT_AMOUNT"),
    "statement": (
        lambda facts, own: facts.last_statement(own),
        "ACCOUNT_NO_LAST_STATEMENT_BALANCE",
    ),
    "owed": (lambda facts, own: facts.owed(own), "NULL_BALANCE"),
    "balance": (lambda facts, own: facts.available(own), "NULL_BALANCE"),
}


def _lacking(action: Action, facts: Facts, readings: Readings) -> Decision:
    target = action.amount_cents
    for number, account in (
        ("minimum", action.next_payment_minimum_account),
        ("balance", action.current_balance_account),
        ("statement", action.last_statement_balance_account),
    ):
        if account is not None:
            read, code = _NUMBERS[number]
            target = read(facts, account)
            if target is None:
                return Decision(action, 0, code)
    there = facts.available(action.destination)
    if target is None or there is None:
        return Decision(action, 0, "NULL_BALANCE")
    if readings.top_up_counts_pending:
        there += facts.on_the_way(action.destination)
    return Decision(action, max(target - there, 0))


def _due(action: Action, facts: Facts, readings: Readings) -> Decision:
    number = {"NEXT_PAYMENT_MINIMUM": "minimum", "LAST_STATEMENT_BALANCE": "statement"}
    read, code = _NUMBERS[number.get(action.type, "owed")]
    cents = read(facts, action.destination)
    if action.type == "PERCENTAGE_LIABILITY_BALANCE" and cents is not None:
        cents = _part(cents, _share(action.percent), readings)
    return _known(action, cents, code)


def _limited(
    asked: list[Decision],
    place: tuple[str, int],
    facts: Facts,
    occasion: Occasion,
    readings: Readings,
) -> list[Decision]:
    """Keep each limit; the actions of the group that have the same one share it."""
    given = list(asked)
    for limit in dict.fromkeys(one.action.limit for one in asked):
        if limit is None:
            continue
        places = [n for n, one in enumerate(asked) if one.action.limit == limit]
        key = (*place, asked[places[0]].action.group_index)
        room = _room(limit, key, facts, occasion, readings)
        is_cut = limit.period == "PER_TRANSFER" or readings.limit_remainder == "cut"
        wanted = [asked[n].cents for n in places]
        share = _in_order if readings.limit_sharing == "in_order" else _in_proportion
        for n, cents in zip(places, share(wanted, room, is_cut), strict=True):
            given[n] = replace(asked[n], cents=cents)
    return given


def _room(limit: Limit, key: LimitKey, facts: Facts, occasion: Occasion, readings: Readings) -> int:
    if limit.period == "PER_TRANSFER":
        return limit.amount_cents
    since = period_start(limit, occasion.at, readings.limit_zone)
    return max(limit.amount_cents - facts.used(key, since), 0)


def within_limit(
    decision: Decision, place: tuple[str, int], facts: Facts, occasion: Occasion, readings: Readings
) -> Decision:
    """Keep the limit of a period once more, where another run has used it up since."""
    limit = decision.action.limit
    if limit is None or limit.period == "PER_TRANSFER":
        return decision
    room = _room(limit, (*place, decision.action.group_index), facts, occasion, readings)
    if decision.cents <= room:
        return decision
    is_cut = readings.limit_remainder == "cut" and room >= DOLLAR
    return replace(decision, cents=room if is_cut else 0)


def _in_order(wanted: list[int], room: int, is_cut: bool) -> list[int]:
    given = []
    for cents in wanted:
        given.append(min(cents, room) if is_cut or cents <= room else 0)
        room -= given[-1]
    return given


def _in_proportion(wanted: list[int], room: int, is_cut: bool) -> list[int]:
    total = sum(wanted)
    if total <= room:
        return wanted
    if not is_cut:
        return [0] * len(wanted)
    given = [cents * room // total for cents in wanted]
    odd = room - sum(given)
    return [cents + (n < odd) for n, cents in enumerate(given)]


def _paid(asked: list[Decision], purse: Purse, readings: Readings) -> Iterator[Decision]:
    """Take what is there, from top to bottom, until one cannot be paid."""
    taken: dict[str, int] = {}
    for one in asked:
        decision = one if one.refusal else _payable(one, purse, taken, readings)
        yield decision
        if decision.refusal:
            return
        source = decision.action.source
        taken[source] = taken.get(source, 0) + decision.cents


def _payable(one: Decision, purse: Purse, taken: dict[str, int], readings: Readings) -> Decision:
    action, cents = one.action, one.cents
    if cents == 0:
        return one
    left = purse.left(action)
    if left is None:
        return replace(one, refusal="NULL_BALANCE")
    left = max(left - taken.get(action.source, 0), 0)
    if cents > left:
        if not takes_part(action, readings):
            return replace(one, refusal="INSUFFICIENT_FUNDS")
        cents = left
    if 0 < cents < DOLLAR:
        if readings.under_a_dollar == "stops":
            return Decision(action, cents, "TRANSFER_AMOUNT_LESS_THAN_ONE_DOLLAR")
        cents = 0
    return Decision(action, cents)


def takes_part(action: Action, readings: Readings) -> bool:
    """Whether an action sends what there is where its source is short."""
    is_always = action.type == "TOP_UP" and readings.top_up_short == "partial"
    return action.up_to_enabled or is_always
