"""Which step of a rule runs: the first one whose conditions hold."""

from __future__ import annotations

import operator
from calendar import monthrange
from collections.abc import Callable

from seqdata.sandbox.rules.facts import Facts, Occasion, local_day
from seqdata.sandbox.rules.model import All, AnyOf, Condition, Conditions, Rule
from seqdata.sandbox.rules.readings import Readings

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "EQUALS": operator.eq,
    "NOT_EQUALS": operator.ne,
    "GREATER_THAN": operator.gt,
    "LESS_THAN": operator.lt,
    "GREATER_THAN_OR_EQUAL": operator.ge,
    "LESS_THAN_OR_EQUAL": operator.le,
}


def matching_step(rule: Rule, facts: Facts, occasion: Occasion, readings: Readings) -> int | None:
    """Give the number of the first step whose conditions hold, from 0; None: of none."""
    for number, step in enumerate(rule.steps):
        if step.conditions is None or holds(step.conditions, facts, occasion, readings):
            return number
    return None


def holds(tree: Conditions, facts: Facts, occasion: Occasion, readings: Readings) -> bool:
    """Whether conditions hold. A comparison with what is not known does not."""
    if isinstance(tree, All):
        return all(holds(one, facts, occasion, readings) for one in tree.of)
    if isinstance(tree, AnyOf):
        return any(holds(one, facts, occasion, readings) for one in tree.of)
    left = _value(tree.fact, tree, facts, occasion, readings)
    right = tree.value
    if tree.value_fact is not None:
        right = _value(tree.value_fact, tree, facts, occasion, readings)
    if left is None or right is None:
        return False
    return _COMPARE[tree.operator](left, right)


def _value(
    fact: str, condition: Condition, facts: Facts, occasion: Occasion, readings: Readings
) -> int | None:
    if fact == "TRANSFER_AMOUNT":
        return occasion.amount_cents
    day = local_day(occasion.at, readings.date_zone)
    if fact in ("DATE", "LAST_DAY_OF_MONTH"):
        return day.day if fact == "DATE" else monthrange(day.year, day.month)[1]
    account = condition.account_id or occasion.account_id
    return None if account is None else _number(fact, account, facts, occasion, readings)


def _number(
    fact: str, account_id: str, facts: Facts, occasion: Occasion, readings: Readings
) -> int | None:
    if fact == "NEXT_PAYMENT_MINIMUM_AMOUNT":
        return facts.minimum(account_id)
    if fact == "LAST_STATEMENT_BALANCE":
        return facts.last_statement(account_id)
    balance = facts.available(account_id)
    is_early = readings.condition_balance == "before" and account_id == occasion.account_id
    if balance is not None and is_early and occasion.has_arrived:
        balance -= occasion.amount_cents or 0
    return balance
