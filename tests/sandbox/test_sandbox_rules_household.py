"""Rules in the household: which there are, what they move, and the laws they keep."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from rules_kit import Readings
from test_sandbox_books import assert_books_balance

from seqdata.sandbox import Sandbox
from seqdata.sandbox.rules.model import (
    ACTIONS,
    FACTS,
    OPERATORS,
    PERIODS,
    SCHEDULES,
    TOP_UP_TARGETS,
    VALUE_FACTS,
)
from seqdata.sandbox.world.movements import Ending, Words, incoming
from seqdata.sandbox.world.rulecast import QUIET, SETS

Rows = list[dict[str, Any]]
#: The first seed of each set of rules, and one that has none.
SEEDS = {seed % len(SETS): seed for seed in range(20, 0, -1) if seed not in QUIET}


@pytest.fixture(scope="module")
def boxes() -> list[Sandbox]:
    """Seeds 1 to 20, with eight months each."""
    return [Sandbox(seed, 8, "2026-11-01") for seed in range(1, 21)]


def actions_of(boxes: list[Sandbox]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield each action of each rule that has run, with its rule."""
    for box in boxes:
        ran = {(one["rule_id"], one["version"]) for one in box.executions()}
        for rule in box.rules():
            if (rule["id"], rule["version"]) in ran:
                yield from ((rule, one) for step in rule["steps"] for one in step["actions"])


def leaves(tree: dict[str, Any] | None) -> Iterator[dict[str, Any]]:
    """Yield the comparisons in a tree of conditions."""
    if tree is not None:
        if "condition" in tree:
            yield tree["condition"]
        for one in [*tree.get("any", []), *tree.get("all", [])]:
            yield from leaves(one)


def test_every_kind_of_rule_runs_in_some_seed(boxes: list[Sandbox]) -> None:
    """In seeds 1 to 20 run all actions, targets, caps, triggers and schedules that there are."""
    found = list(actions_of(boxes))
    assert {one["type"] for _, one in found} == set(ACTIONS)
    assert {one["target"] for _, one in found} >= {"INCOMING_AMOUNT", "SOURCE_ACCOUNT"}
    assert {one["limit"] and one["limit"]["period"] for _, one in found} == {None, *PERIODS}
    assert {one["up_to_enabled"] for _, one in found} == {True, False}
    assert max(one["group_index"] for _, one in found) > 0
    targets = {
        name for _, one in found if one["type"] == "TOP_UP" for name in TOP_UP_TARGETS if one[name]
    }
    assert targets == set(TOP_UP_TARGETS)
    triggers = {
        (rule["trigger"]["type"], rule["trigger"].get("schedule_type")) for rule, _ in found
    }
    assert triggers == {
        ("ON_FUNDS_TRANSFERRED", None), ("MANUAL", None), *(("SCHEDULED", one) for one in SCHEDULES)
    }  # fmt: skip


def test_every_kind_of_condition_is_decided_in_some_seed(boxes: list[Sandbox]) -> None:
    """In seeds 1 to 20 stand all facts, and most of what they can be compared with, and how."""
    steps = [step for box in boxes for rule in box.rules() for step in rule["steps"]]
    trees = [step["conditions"] for step in steps if step["conditions"]]
    found = [leaf for tree in trees for leaf in leaves(tree)]
    assert {one["fact"] for one in found} == set(FACTS)
    assert {one["value_fact"] for one in found} - {None} == set(VALUE_FACTS) - set(FACTS)
    assert len({one["operator"] for one in found}) == len(OPERATORS)
    assert any("any" in one for tree in trees for one in tree.get("all", []))
    runs = [run for box in boxes for run in box.executions()]
    assert {run["step"] for run in runs} == {None, 0, 1, 2}
    assert {run["conditions_not_met"] for run in runs} == {True, False}


def test_every_fate_of_a_run_is_there(boxes: list[Sandbox]) -> None:
    """Runs are executed, partly executed, failed and under way, by several reasons."""
    runs = [run for box in boxes for run in box.executions()]
    assert {run["status"] for run in runs} == {"EXECUTED", "PARTIAL", "FAILED"}
    codes = {run["error_code"] for run in runs}
    assert codes >= {"INSUFFICIENT_FUNDS", "RESOURCE_DELETED", "ACCOUNT_NO_LAST_STATEMENT_BALANCE"}
    assert any(run["attempted"] > run["completed"] + run["failed"] for run in runs)
    boxes[6].advance(days=14)
    assert "IN_PROGRESS" in {run["status"] for run in boxes[6].executions()}


def test_every_fate_of_a_rule_is_there(boxes: list[Sandbox]) -> None:
    """Each household has rules that are off, deleted, unsupported, nameless; one is edited."""
    for box in boxes:
        rules = box.rules()
        assert "DISABLED" in {rule["status"] for rule in rules}
        assert any(rule["deleted_at"] for rule in rules)
        assert any(rule["name"] is None for rule in rules)
        assert {rule["is_supported"] for rule in rules} == {True, False}
        ran = {run["rule_id"] for run in box.executions()}
        idle = [one for one in rules if one["status"] == "DISABLED" or not one["is_supported"]]
        assert all(one["id"] not in ran or one["version"] > 1 for one in idle)
    most = max(Counter(rule["id"] for rule in boxes[5].rules()).values())
    assert most == 7


def test_versions_of_a_rule_follow_each_other(boxes: list[Sandbox]) -> None:
    """A version is valid until the next one, and a run names the one that was in force."""
    for box in boxes:
        versions: dict[str, Rows] = defaultdict(list)
        for rule in box.rules():
            versions[rule["id"]].append(rule)
        for rules in versions.values():
            assert [rule["version"] for rule in rules] == list(range(1, len(rules) + 1))
            assert all(a["valid_until"] == b["valid_from"] for a, b in pairwise(rules))
            assert rules[-1]["valid_until"] is None
        for run in box.executions():
            rule = versions[run["rule_id"]][run["version"] - 1]
            assert rule["valid_from"] <= run["created_at"]
            assert run["created_at"] <= (rule["valid_until"] or "9")


def test_every_transfer_of_a_rule_belongs_to_one_run(boxes: list[Sandbox]) -> None:
    """The transfers of the activity RULE are those of the runs, each of one, and no others."""
    for box in boxes:
        ruled = {row["id"]: row for row in box.transfers() if row["activity_type"] == "RULE"}
        ids = [own_id for run in box.executions() for own_id in run["transfer_ids"]]
        assert sorted(ids) == sorted(ruled)
        for run in box.executions():
            made = [ruled[own_id] for own_id in run["transfer_ids"]]
            assert run["completed"] == sum(row["status"] == "COMPLETE" for row in made)
            assert all(run["created_at"][:19] <= row["created_at"][:19] for row in made)
            on_funds = run["trigger"]["type"] == "ON_FUNDS_TRANSFERRED"
            word = "ON_MONEY_IN" if on_funds else run["trigger"]["type"]
            assert {row["rule"]["trigger_type"] for row in made} <= {word}


def test_scheduled_runs_come_on_every_due_day(boxes: list[Sandbox]) -> None:
    """A daily rule has run on each day, and says for which moment it was planned."""
    limits = next(box for seed, box in enumerate(boxes, 1) if seed == SEEDS[1])
    rule = next(one for one in limits.rules() if one["name"] == "Never more per_week")
    runs = [one for one in limits.executions() if one["rule_id"] == rule["id"]]
    days = [one["trigger"]["scheduled_at"] for one in runs]
    assert len(days) == len(set(days)) > 230
    assert {one[10:] for one in days} == {"T15:15:00Z"}


@pytest.mark.parametrize("number", sorted(SEEDS))
def test_the_books_of_each_set_of_rules_balance(number: int) -> None:
    """Whatever rules a household has, and however they are read, its books balance."""
    other = Readings(
        round_down="multiple",
        percent_rounding="half_up",
        odd_cent="last",
        limit_remainder="skipped",
        limit_sharing="in_proportion",
        top_up_short="partial",
        condition_balance="before",
        under_a_dollar="stops",
        retry_hours=20,
    )
    for readings in (Readings(), other):
        box = Sandbox(SEEDS[number], 4, "2026-11-01", readings=readings)
        assert_books_balance(box)
        box.advance(days=20)
        assert_books_balance(box)


@pytest.mark.parametrize("number", sorted(SEEDS))
def test_rules_heed_no_steps_of_time(number: int) -> None:
    """However time is cut into steps, the same runs and the same transfers come out."""
    stepped, at_once = (Sandbox(SEEDS[number], 1, "2026-03-01") for _ in range(2))
    for seconds in (1, 86_399, 40_000, 500_000, 3, 700_000):
        stepped.advance(seconds=seconds)
    at_once.advance(seconds=1_326_403)
    assert stepped.now == at_once.now
    assert stepped.executions() == at_once.executions()
    assert stepped.transfers() == at_once.transfers()


def test_a_simulation_leaves_the_world_as_it_is() -> None:
    """After the simulation of each rule the world is the one without, then and later."""
    asked, left = (Sandbox(10, 2, "2026-11-01") for _ in range(2))
    before = asked.transfers(), asked.balances()
    rulebook = asked._world.organizations[0].rulebook
    for rule in rulebook.current:
        if rule.runs and rule.is_supported:
            run = rulebook.trigger(rule.id, 250_00, simulation=True)
            assert run.mode == "SIMULATION"
    assert (asked.transfers(), asked.balances()) == before
    asked.advance(days=10)
    left.advance(days=10)
    assert (asked.transfers(), asked.balances()) == (left.transfers(), left.balances())


def test_money_that_is_paid_to_a_port_is_divided_and_changes_no_plan() -> None:
    """A payment to a port sets its rule off; what the household itself does stays as it is."""
    asked, left = (Sandbox(7, 2, "2026-11-01") for _ in range(2))
    book = asked._world.organizations[0].book
    port = next(one for one in book.holdings.values() if one.name == "Main Paycheck")
    words = Words("ONE_TIME_TRANSFER", series="payment")
    incoming(book, None, port, 1_000_00, words, Ending(book.now))
    for box in (asked, left):
        box.advance(days=1)
    planned = {row["id"] for row in left.transfers()}
    added = [row for row in asked.transfers() if row["id"] not in planned]
    assert len(added) == 12
    assert sum(row["amount_cents"] for row in added) == 2 * 1_000_00
    assert planned <= {row["id"] for row in asked.transfers()}
    assert port.balance == 0


def test_asking_for_a_run_changes_no_plan() -> None:
    """A run by request adds its own transfers; all others stay what they are."""
    asked, left = (Sandbox(7, 2, "2026-11-01") for _ in range(2))
    rulebook = asked._world.organizations[0].rulebook
    tithe = next(rule for rule in rulebook.current if rule.name == "A tenth, when I say so")
    run = rulebook.trigger(tithe.id, 50_00)
    for box in (asked, left):
        box.advance(days=2)
    added = {row["id"] for row in asked.transfers()} - {row["id"] for row in left.transfers()}
    assert added == set(run.transfer_ids)
    assert len(added) == 1
