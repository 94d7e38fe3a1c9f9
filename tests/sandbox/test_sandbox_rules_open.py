"""Rules: what the documents leave open, read in each way, with numbers reckoned by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from rules_kit import (
    Household,
    Readings,
    Scheduled,
    at,
    balance_share,
    by_hand,
    cap,
    fixed,
    moves,
    on_pod,
    round_down,
    rows,
    step,
    top_up,
)

from seqdata.sandbox.rules.execution import TriggerDetails
from seqdata.sandbox.rules.model import Condition
from seqdata.sandbox.rules.readings import SWITCHES
from seqdata.sandbox.rules.schedule import due_at


def run_with(readings: Readings, *actions: Any, **more: Any) -> list[float]:
    """Give what a rule on a schedule moves, by these readings."""
    home = Household(readings=readings, **more)
    return moves(home.run(step(*actions)))


def _round_down(readings: Readings) -> Any:
    return run_with(readings, round_down(dollars=1_000), pod=2_234.56, other=0)


def _percent_rounding(readings: Readings) -> Any:
    # 12.5 % of $10.12 and of $10.04 are 126.5 and 125.5 cents.
    share = balance_share(percent=12.5)
    return [run_with(readings, share, pod=amount, other=0)[0] for amount in (10.12, 10.04)]


def _odd_cent(readings: Readings) -> Any:
    half = balance_share(percent=50), balance_share(destination="third", percent=50)
    return run_with(readings, *half, pod=10.01, other=0, third=0)


def _limit_remainder(readings: Readings) -> Any:
    home = Household(readings=readings, pod=500, other=0)
    home.add(by_hand, step(fixed(dollars=80, limit=cap("PER_MONTH", 100))))
    runs = [home.rulebook.run("rule", TriggerDetails("SCHEDULED")) for _ in range(2)]
    return [moves(run) for run in runs]


def _limit_sharing(readings: Readings) -> Any:
    limit = cap("PER_MONTH", 50)
    both = fixed(dollars=60, limit=limit), fixed(destination="third", dollars=40, limit=limit)
    return run_with(readings, *both, pod=500, other=0, third=0)


def _limit_counts(readings: Readings, status: str) -> Any:
    home = Household(readings=readings, pod=500)
    home.add(by_hand, step(fixed(destination="bank", dollars=80, limit=cap("PER_MONTH", 100))))
    runs = []
    for _ in range(2):
        runs.append(home.rulebook.run("rule", TriggerDetails("SCHEDULED")))
        rows(runs[0])[0].status = status
    return moves(runs[1])


def _limit_counts_pending(readings: Readings) -> Any:
    return _limit_counts(readings, "PENDING")


def _limit_counts_failed(readings: Readings) -> Any:
    return _limit_counts(readings, "FAILED")


def _limit_zone(readings: Readings) -> Any:
    # In New York the second run is on 31 October.
    home = Household("2026-10-31T20:00:00Z", readings=readings, pod=500, other=0)
    home.add(by_hand, step(fixed(dollars=80, limit=cap("PER_MONTH", 80))))
    home.rulebook.run("rule", TriggerDetails("SCHEDULED"))
    home.book.run_until(at("2026-11-01T02:00:00Z"))
    return moves(home.rulebook.run("rule", TriggerDetails("SCHEDULED")))


def _date_zone(readings: Readings) -> Any:
    home = Household("2026-11-01T02:00:00Z", readings=readings, pod=500, other=0)
    first = Condition("DATE", "EQUALS", 1)
    return moves(home.run(step(fixed(dollars=1), conditions=first)))


def _top_up_short(readings: Readings) -> Any:
    return run_with(readings, top_up(dollars=300), pod=90, other=50)


def _top_up_counts_pending(readings: Readings) -> Any:
    home = Household(readings=readings, pod=500, other=50)
    home.announce("other", 100)
    return moves(home.run(step(top_up(dollars=300))))


def _condition_balance(readings: Readings) -> Any:
    home = Household(readings=readings, pod=100, other=0)
    rich = Condition("BALANCE", "GREATER_THAN", 150_00)
    home.add(on_pod, step(fixed(dollars=1), conditions=rich))
    home.deposit("pod", 80)
    return [moves(run) for run in home.rulebook.executions.values()]


def _under_a_dollar(readings: Readings) -> Any:
    home = Household(readings=readings, pod=100, other=0)
    done = home.run(step(fixed(dollars=0.40), fixed(dollars=2, group_index=1)))
    return moves(done), done.status


def _due_days(readings: Readings, kind: str, start: str, month: int) -> list[int]:
    trigger = Scheduled(kind, at(f"{start}T12:00:00Z"))
    days = range(1, 29 if month == 2 else 32)
    return [day for day in days if due_at(trigger, date(2027, month, day), readings)]


def _short_month(readings: Readings) -> Any:
    return _due_days(readings, "MONTHLY", "2026-12-31", 2)


def _bi_weekly(readings: Readings) -> Any:
    return _due_days(readings, "BI_WEEKLY", "2026-12-25", 1)


def _due_order(readings: Readings) -> Any:
    home = Household(readings=readings, pod=10, other=0)
    daily = Scheduled("DAILY", home.book.now, "pod")
    for name, age in (("b", 3), ("c", 2), ("a", 1)):
        home.add(daily, step(fixed(dollars=1)), id=name, created_at=home.book.now - age)
    return home.rulebook.due(["a", "b", "c"])


def _execute_zero(readings: Readings) -> Any:
    home = Household(readings=readings, pod=100, other=0)
    home.add(by_hand, step(balance_share(percent=10)))
    return moves(home.rulebook.trigger("rule", 0, simulation=True))


def _retry_hours(readings: Readings) -> Any:
    home = Household(readings=readings, pod=10, other=0)
    rule = step(fixed(dollars=4), fixed(dollars=40, group_index=1), fixed(dollars=2, group_index=2))
    done = home.run(rule)
    was = done.status
    home.deposit("pod", 50)
    home.pass_time(24 * 3600)
    return was, moves(done), done.status


#: Each switch with its values, and what comes of a small scene under each, reckoned by hand.
SCENES: dict[str, tuple[Callable[[Readings], Any], dict[Any, Any]]] = {
    "round_down": (_round_down, {"keep": [1_234.56], "multiple": [234.56]}),
    "percent_rounding": (
        _percent_rounding,
        {"down": [1.26, 1.25], "half_up": [1.27, 1.26], "half_even": [1.26, 1.26]},
    ),
    "odd_cent": (
        _odd_cent, {"nobody": [5.0, 5.0], "first": [5.01, 5.0], "last": [5.0, 5.01]},
    ),
    "limit_remainder": (_limit_remainder, {"cut": [[80.0], [20.0]], "skipped": [[80.0], []]}),
    "limit_sharing": (_limit_sharing, {"in_order": [50.0], "in_proportion": [30.0, 20.0]}),
    "limit_counts_pending": (_limit_counts_pending, {True: [20.0], False: [80.0]}),
    "limit_counts_failed": (_limit_counts_failed, {True: [20.0], False: [80.0]}),
    "limit_zone": (_limit_zone, {"UTC": [80.0], "America/New_York": []}),
    "date_zone": (_date_zone, {"UTC": [1.0], "America/New_York": []}),
    "top_up_short": (_top_up_short, {"up_to": [], "partial": [90.0]}),
    "top_up_counts_pending": (_top_up_counts_pending, {True: [150.0], False: [250.0]}),
    "condition_balance": (_condition_balance, {"after": [[1.0]], "before": [[]]}),
    "under_a_dollar": (
        _under_a_dollar, {"skips": ([2.0], "EXECUTED"), "stops": ([], "FAILED")},
    ),
    "short_month": (_short_month, {"clamp": [28], "skip": []}),
    "bi_weekly": (_bi_weekly, {"1st_and_15th": [1, 15], "14_days": [8, 22]}),
    "due_order": (
        _due_order, {"oldest": ["b", "c", "a"], "newest": ["a", "c", "b"], "name": ["a", "b", "c"]},
    ),
    "execute_zero": (_execute_zero, {"amount": [], "none": [10.0]}),
    "retry_hours": (
        _retry_hours,
        {0: ("PARTIAL", [4.0], "PARTIAL"), 24: ("IN_PROGRESS", [4.0, 40.0, 2.0], "PARTIAL")},
    ),
}  # fmt: skip


def test_every_switch_has_its_scene() -> None:
    """No reading is left without an example."""
    assert tuple(SCENES) == SWITCHES


@pytest.mark.parametrize("switch", SCENES)
def test_each_reading_gives_its_own_numbers(switch: str) -> None:
    """What the documents leave open is read as the switch says."""
    scene, expected = SCENES[switch]
    found = {value: scene(Readings(**{switch: value})) for value in expected}
    assert found == expected
    assert getattr(Readings(), switch) in expected
    assert scene(Readings()) == expected[getattr(Readings(), switch)]


def test_the_odd_cent_is_not_taken_from_nowhere() -> None:
    """Halves of an odd sum, both rounded up, are cut to what there is."""
    half = balance_share(percent=50), balance_share(destination="third", percent=50)
    up = Readings(percent_rounding="half_up")
    assert run_with(up, *half, pod=10.01, other=0, third=0) == [5.01, 5.0]


def test_an_unknown_reading_is_refused() -> None:
    """A switch that is set to no word of its own says which words there are."""
    with pytest.raises(ValueError, match="round_down is one of keep, multiple, not 'kept'"):
        Readings(round_down="kept")  # type: ignore[arg-type]
