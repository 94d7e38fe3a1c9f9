"""Rules: laws that hold for whatever rule on whatever books, in each reading."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from rules_kit import Household, Readings, Scheduled, at, by_hand, moves, rows

from seqdata.sandbox.rules.execution import TriggerDetails
from seqdata.sandbox.rules.facts import period_start
from seqdata.sandbox.rules.model import ACTIONS, PERIODS, TOP_UP_TARGETS, Action, Limit, Step
from seqdata.sandbox.world.records import Holding, Outside

PODS = ("pod", "other", "third")
CENTS = st.integers(0, 3_000_00)
CHOICES = {name: st.booleans() for name in ("limit_counts_pending", "top_up_counts_pending")}
READINGS = st.builds(
    Readings,
    round_down=st.sampled_from(["keep", "multiple"]),
    percent_rounding=st.sampled_from(["down", "half_up", "half_even"]),
    odd_cent=st.sampled_from(["nobody", "first", "last"]),
    limit_remainder=st.sampled_from(["cut", "skipped"]),
    limit_sharing=st.sampled_from(["in_order", "in_proportion"]),
    top_up_short=st.sampled_from(["up_to", "partial"]),
    under_a_dollar=st.sampled_from(["skips", "stops"]),
    **CHOICES,
)
LIMITS = st.none() | st.builds(Limit, st.sampled_from(PERIODS), CENTS)


@st.composite
def any_action(draw: st.DrawFn) -> Action:
    """Draw an action between pods and accounts, of any kind."""
    kind = draw(st.sampled_from(sorted(ACTIONS)))
    more: dict[str, Any] = {}
    if "amount_cents" in ACTIONS[kind]:
        more["amount_cents"] = draw(CENTS)
    if "percent" in ACTIONS[kind]:
        more["percent"] = draw(st.decimals(0, 100, places=2).map(float))
    if "target" in ACTIONS[kind]:
        more["target"] = draw(st.sampled_from(["INCOMING_AMOUNT", "SOURCE_ACCOUNT"]))
    if kind == "TOP_UP":
        target = draw(st.sampled_from(TOP_UP_TARGETS))
        more[target] = draw(CENTS) if target == "amount_cents" else "card"
    return Action(
        type=kind,
        source=draw(st.sampled_from([*PODS, "bank"])),
        destination=draw(st.sampled_from([*PODS, "card", "bank"])),
        group_index=draw(st.integers(0, 2)),
        up_to_enabled=draw(st.booleans()),
        limit=draw(LIMITS),
        **more,
    )


BALANCES = st.fixed_dictionaries({name: CENTS.map(lambda cents: cents / 100) for name in PODS})


@settings(max_examples=200, deadline=None)
@given(actions=st.lists(any_action(), min_size=1, max_size=6), readings=READINGS, pods=BALANCES,
       amount=st.none() | CENTS)  # fmt: skip
def test_nothing_moves_more_than_there_is(
    actions: list[Action], readings: Readings, pods: dict[str, float], amount: int | None
) -> None:
    """Whatever a rule asks for, no balance falls below zero, and no money goes missing."""
    home = Household(readings=readings, **pods)
    home.add(by_hand, Step(tuple(actions)))
    before = sum(pod.balance for pod in home.book.holdings.values())
    run = home.rulebook.trigger("rule", amount)
    home.pass_time(60)
    assert run.is_over
    assert run.attempted <= len(actions)
    assert run.failed <= 1
    moved = [one for one in rows(run) if one.status != "FAILED"]
    assert all(one.cents >= 100 for one in moved)
    out = sum(
        one.cents
        for one in moved
        if isinstance(one.source, Holding) and isinstance(one.destination, Outside)
    )
    assert sum(pod.balance for pod in home.book.holdings.values()) == before - out
    assert min(pod.balance for pod in home.book.holdings.values()) >= 0
    assert sum(one.cents for one in moved if one.source is home.book.outside["bank"]) <= 1_000_00


@settings(max_examples=200, deadline=None)
@given(actions=st.lists(any_action(), min_size=1, max_size=6), readings=READINGS, pods=BALANCES,
       amount=st.none() | CENTS)  # fmt: skip
def test_a_simulation_says_what_a_run_would_do(
    actions: list[Action], readings: Readings, pods: dict[str, float], amount: int | None
) -> None:
    """A simulation moves nothing; without an amount, it names what a live run then moves."""
    home = Household(readings=readings, **pods)
    home.add(by_hand, Step(tuple(actions)))
    before = home.balances
    dry = home.rulebook.trigger("rule", amount, simulation=True)
    assert (home.balances, home.book.transfers) == (before, {})
    if amount is None:
        run = home.rulebook.trigger("rule")
        home.pass_time(60)
        assert moves(run) == moves(dry)
        assert (run.attempted, run.error_code) == (dry.attempted, dry.error_code)


@settings(max_examples=200, deadline=None)
@given(base=CENTS, percents=st.lists(st.integers(0, 10_000), min_size=1, max_size=6),
       readings=READINGS)  # fmt: skip
def test_percentages_of_a_group_never_exceed_their_base(
    base: int, percents: list[int], readings: Readings
) -> None:
    """Shares of up to 100 % together are together no more than what they are shares of."""
    total = max(sum(percents), 10_000)
    shares = tuple(
        Action(type="PERCENTAGE", source="pod", destination="other", target="INCOMING_AMOUNT",
               percent=part * 10_000 // total / 100)
        for part in percents
    )  # fmt: skip
    home = Household(readings=readings, pod=100_000, other=0)
    home.add(by_hand, Step(shares))
    done = home.rulebook.run("rule", TriggerDetails("ON_FUNDS_TRANSFERRED", base))
    home.pass_time(60)
    assert sum(one.cents for one in rows(done) if one.status != "FAILED") <= base


@settings(max_examples=100, deadline=None)
@given(
    days=st.lists(st.integers(0, 400), min_size=1, max_size=25).map(sorted),
    amounts=st.lists(st.integers(1_00, 90_00), min_size=1, max_size=3),
    limit=st.builds(Limit, st.sampled_from(PERIODS), st.integers(0, 200_00)),
    readings=READINGS.filter(lambda one: one.limit_counts_pending),
)
def test_a_cap_is_never_exceeded(
    days: list[int], amounts: list[int], limit: Limit, readings: Readings
) -> None:
    """However often a rule runs, a group moves no more than its cap in a week, month or year."""
    home = Household(readings=readings, pod=100_000, other=0)
    asked = [
        Action(type="FIXED", source="pod", destination="other", amount_cents=cents, limit=limit)
        for cents in amounts
    ]
    home.add(Scheduled("DAILY", home.book.now, "pod"), Step(tuple(asked)))
    sums: Counter[int] = Counter()
    for number, day in enumerate(days):
        home.book.run_until(max(home.book.now, at("2026-10-14T15:00:00Z") + day * 86_400_000_000))
        run = home.rulebook.run("rule", TriggerDetails("SCHEDULED"))
        key = (
            number if limit.period == "PER_TRANSFER" else period_start(limit, home.book.now, "UTC")
        )
        sums[key] += sum(one.cents for one in rows(run) if one.status != "FAILED")
    assert max(sums.values()) <= limit.amount_cents
