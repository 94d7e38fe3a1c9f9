"""Rules: what they mean by the service's documents, with numbers that were reckoned by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from rules_kit import (
    Household,
    Readings,
    Scheduled,
    action,
    at,
    balance_share,
    by_hand,
    cap,
    fixed,
    incoming_share,
    moves,
    on_pod,
    rows,
    step,
    top_up,
)

from seqdata.sandbox.rules.execution import TriggerDetails
from seqdata.sandbox.rules.model import All, AnyOf, Condition, OnFundsTransferred
from seqdata.sandbox.rules.schedule import cron, due_at
from seqdata.sandbox.world.rulebook import NotTriggered

ALWAYS = Condition("DATE", "GREATER_THAN", 0)
NEVER = Condition("DATE", "LESS_THAN", 0)


def test_the_first_step_runs_whose_conditions_hold() -> None:
    """Steps are tried in order; the first that holds runs alone; one without conditions holds."""
    home = Household(pod=100, other=0)
    steps = (
        step(fixed(dollars=1), conditions=NEVER),
        step(fixed(dollars=2)),
        step(fixed(dollars=4)),
    )
    done = home.run(*steps)
    assert (done.step, moves(done), done.conditions_not_met) == (1, [2.0], False)


def test_no_step_is_a_run_that_moves_nothing() -> None:
    """Where no step holds, the run is executed, says so, and has tried nothing."""
    home = Household(pod=100, other=0)
    done = home.run(step(fixed(dollars=1), conditions=NEVER))
    assert (done.status, done.conditions_not_met, done.step) == ("EXECUTED", True, None)
    assert (done.attempted, done.transfers) == (0, [])


@pytest.mark.parametrize(
    ("tree", "holds"),
    [
        (All((ALWAYS, ALWAYS)), True),
        (All((ALWAYS, NEVER)), False),
        (AnyOf((NEVER, ALWAYS)), True),
        (AnyOf((NEVER, NEVER)), False),
        (All((AnyOf((NEVER, ALWAYS)), ALWAYS)), True),
        (AnyOf((All((ALWAYS, NEVER)), All((NEVER,)))), False),
    ],
)
def test_all_and_any_nest(tree: Any, holds: bool) -> None:
    """All needs every one of its conditions, any needs one, and they nest."""
    done = Household(pod=100, other=0).run(step(fixed(dollars=1), conditions=tree))
    assert done.conditions_not_met is not holds


@pytest.mark.parametrize(
    ("operator", "holding"),
    [
        ("EQUALS", {100}),
        ("NOT_EQUALS", {99, 101}),
        ("GREATER_THAN", {99}),
        ("LESS_THAN", {101}),
        ("GREATER_THAN_OR_EQUAL", {99, 100}),
        ("LESS_THAN_OR_EQUAL", {100, 101}),
    ],
)
def test_operators_compare_the_fact_with_the_value(operator: str, holding: set[int]) -> None:
    """A balance of $100 is compared with $99, $100 and $101 as each operator says."""
    for dollars in (99, 100, 101):
        given = Condition("BALANCE", operator, dollars * 100)
        done = Household(pod=100, other=0).run(step(fixed(dollars=1), conditions=given))
        assert (not done.conditions_not_met) is (dollars in holding)


def test_balance_is_of_the_named_account_else_of_the_trigger() -> None:
    """BALANCE is what the account that is named can spend, or the trigger's."""
    home = Household(pod=100, other=7)
    own = Condition("BALANCE", "EQUALS", 100_00)
    named = Condition("BALANCE", "EQUALS", 7_00, account_id="other")
    assert moves(home.run(step(fixed(dollars=1), conditions=All((own, named))))) == [1.0]


def test_date_is_the_day_of_the_month() -> None:
    """DATE is the day of the month, and can be compared with the month's last day."""
    last = Condition("DATE", "EQUALS", value_fact="LAST_DAY_OF_MONTH")
    rule = step(fixed(dollars=1), conditions=last)
    assert moves(Household("2026-09-30T12:00:00Z", pod=9, other=0).run(rule)) == [1.0]
    assert moves(Household("2026-10-30T12:00:00Z", pod=9, other=0).run(rule)) == []
    fifteenth = step(fixed(dollars=1), conditions=Condition("DATE", "EQUALS", 15))
    assert moves(Household("2026-09-15T12:00:00Z", pod=9, other=0).run(fifteenth)) == [1.0]


def test_conditions_know_the_numbers_of_a_debt() -> None:
    """A balance can be compared with the least payment ($35) and the last statement ($400)."""
    for fact, amount in (("NEXT_PAYMENT_MINIMUM_AMOUNT", 35), ("LAST_STATEMENT_BALANCE", 400)):
        equal = Condition("BALANCE", "EQUALS", value_fact=fact, account_id="pod")
        for dollars, count in ((amount, 1), (amount + 1, 0)):
            home = Household(pod=dollars, other=0)
            home.book.holdings["pod"].linked = home.book.outside["card"]
            assert len(moves(home.run(step(fixed(dollars=1), conditions=equal)))) == count


def test_transfer_amount_is_what_came_in() -> None:
    """TRANSFER_AMOUNT is the amount that set the rule off, and unknown on a schedule."""
    big = Condition("TRANSFER_AMOUNT", "GREATER_THAN", 50_00)
    rule = step(fixed(dollars=1), conditions=big)
    home = Household(pod=0, other=0)
    home.add(on_pod, rule)
    home.deposit("pod", 50)
    home.deposit("pod", 51)
    assert [one.conditions_not_met for one in home.rulebook.executions_of("rule")] == [True, False]
    assert home.run(rule).conditions_not_met


def test_a_failure_stops_the_rule() -> None:
    """Actions run from top to bottom; the first that fails ends the run, and stays in the list."""
    home = Household(pod=10, other=0)
    done = home.run(
        step(
            fixed(dollars=4),
            fixed(dollars=40, group_index=1),
            fixed(dollars=2, group_index=2),
        )
    )
    assert [(one.cents, one.status) for one in rows(done)] == [
        (4_00, "COMPLETE"),
        (40_00, "FAILED"),
    ]
    assert (done.status, done.attempted, done.completed, done.failed) == ("PARTIAL", 2, 1, 1)
    assert (done.error_code, done.error_message) == ("INSUFFICIENT_FUNDS", "Insufficient funds")
    assert home.balances == {"pod": 6.0, "other": 4.0}


def test_percentages_of_a_group_have_one_base() -> None:
    """Percentages of one group are of one base in any order, and need not sum to 100."""
    shares = [balance_share(percent=50), balance_share(destination="third", percent=30)]
    for order in (shares, shares[::-1]):
        home = Household(pod=200, other=0, third=0)
        home.run(step(*order))
        assert home.balances == {"pod": 40.0, "other": 100.0, "third": 60.0}


def test_incoming_amount_is_of_the_transfer_not_of_the_balance() -> None:
    """10 % of the incoming amount of $200 are $20, whatever else is in the pod."""
    home = Household(pod=1_000, other=0)
    home.add(on_pod, step(incoming_share(percent=10)))
    home.deposit("pod", 200)
    assert home.balances == {"pod": 1_180.0, "other": 20.0}


def test_source_account_is_the_balance_when_the_action_runs() -> None:
    """$2,000 in, a top-up to $500 that takes $500, then 100 % of the source: $1,500 are swept."""
    home = Household(pod=0, other=0, rest=0)
    sweep = balance_share(destination="rest", percent=100, group_index=1)
    home.add(on_pod, step(top_up(dollars=500), sweep))
    home.deposit("pod", 2_000)
    assert home.balances == {"pod": 0.0, "other": 500.0, "rest": 1_500.0}


def test_groups_run_in_the_order_of_their_index() -> None:
    """The group of a lower index goes first, wherever its actions stand."""
    home = Household(pod=100, other=0, third=0)
    late = balance_share(destination="third", percent=100, group_index=5)
    done = home.run(step(late, fixed(dollars=30, group_index=2)))
    assert moves(done) == [30.0, 70.0]


def test_a_fixed_amount_heeds_no_amount_of_the_trigger() -> None:
    """FIXED moves its amount, whatever amount the rule is triggered with; a percentage does not."""
    home = Household(pod=100, other=0)
    home.add(by_hand, step(fixed(dollars=20), balance_share(percent=10, group_index=1)))
    home.rulebook.trigger("rule", 60_00)
    home.pass_time(60)
    # 10 % of the $40 that are left of the assumed $60.
    assert home.balances == {"pod": 76.0, "other": 24.0}


def test_a_top_up_fills_to_its_target() -> None:
    """A top-up from $50 to $300 sends $250, and nothing once the target is met."""
    home = Household(pod=1_000, other=50)
    assert moves(home.run(step(top_up(dollars=300)))) == [250.0]
    met = home.run(step(top_up(dollars=300)))
    assert (moves(met), met.attempted, met.status) == ([], 1, "EXECUTED")


def test_a_top_up_counts_what_is_on_its_way() -> None:
    """Of a target of $300 with $50 there and $100 on their way, $150 are sent."""
    home = Household(pod=1_000, other=50)
    home.announce("other", 100)
    assert moves(home.run(step(top_up(dollars=300)))) == [150.0]


@pytest.mark.parametrize(
    ("target", "sent"),
    [
        ({"next_payment_minimum_account": "card"}, 25.0),
        ({"current_balance_account": "card"}, 490.0),
        ({"last_statement_balance_account": "card"}, 390.0),
        ({"current_balance_account": "third"}, 60.0),
    ],
)
def test_a_top_up_knows_four_targets(target: dict[str, str], sent: float) -> None:
    """A pod of $10 is filled to a debt's $35, $500 or $400, or to another pod's $70."""
    home = Household(pod=1_000, other=10, third=70)
    assert moves(home.run(step(top_up(**target)))) == [sent]


def test_up_to_sends_what_there_is() -> None:
    """$50 of a pod with $30: with up-to $30 go, without it the action fails."""
    assert moves(Household(pod=30, other=0).run(step(fixed(dollars=50, up_to_enabled=True)))) == [
        30.0
    ]
    short = Household(pod=30, other=0).run(step(fixed(dollars=50)))
    assert (short.status, moves(short), short.failed) == ("FAILED", [], 1)


def test_a_cap_per_transfer_cuts() -> None:
    """$80 under a cap of $50 per transfer are $50, each time."""
    home = Household(pod=500, other=0)
    capped = step(fixed(dollars=80, limit=cap("PER_TRANSFER", 50)))
    assert [moves(home.run(capped)), moves(home.run(capped))] == [[50.0], [50.0]]


@pytest.mark.parametrize(
    ("period", "times", "moved"),
    [
        # Sunday, Monday, Wednesday; the week begins on Monday.
        ("PER_WEEK", ["2026-10-11", "2026-10-12", "2026-10-14"], [30, 30, 20]),
        ("PER_MONTH", ["2026-09-30", "2026-10-01", "2026-10-31"], [30, 30, 20]),
        ("PER_YEAR", ["2026-12-31", "2027-01-01", "2027-12-31"], [30, 30, 20]),
    ],
)
def test_caps_by_calendar_period_add_up(period: str, times: list[str], moved: list[int]) -> None:
    """$30 under a cap of $50 by week, month or year: whole, whole in the next period, the rest."""
    home = Household(f"{times[0]}T12:00:00Z", pod=500, other=0)
    home.add(by_hand, step(fixed(dollars=30, limit=cap(period, 50))))
    for day in times:
        home.book.run_until(at(f"{day}T12:00:00Z"))
        home.rulebook.run("rule", TriggerDetails("SCHEDULED"))
    assert [one for run in home.rulebook.executions_of("rule") for one in moves(run)] == moved


def test_a_cap_that_is_used_up_skips_the_action() -> None:
    """Once the cap of the week is reached the action is skipped, and the rule goes on."""
    home = Household(pod=500, other=0)
    home.add(
        by_hand, step(fixed(dollars=50, limit=cap("PER_WEEK", 50)), fixed(dollars=3, group_index=1))
    )
    runs = [home.rulebook.run("rule", TriggerDetails("SCHEDULED")) for _ in range(2)]
    assert [moves(run) for run in runs] == [[50.0, 3.0], [3.0]]
    assert (runs[1].attempted, runs[1].completed, runs[1].failed) == (2, 1, 0)


def test_actions_of_a_group_share_their_cap() -> None:
    """Two times $40 of one group under one cap of $50 are $50 together."""
    home = Household(pod=500, other=0, third=0)
    share = cap("PER_MONTH", 50)
    done = home.run(
        step(fixed(dollars=40, limit=share), fixed(destination="third", dollars=40, limit=share))
    )
    assert moves(done) == [40.0, 10.0]


def test_runs_that_overlap_keep_one_cap() -> None:
    """Two deposits in one second, each with two times $40 under $100 a month, move $100."""
    home = Household(pod=1_000, other=0, third=0)
    limit = cap("PER_MONTH", 100)
    both = fixed(dollars=40, limit=limit), fixed(destination="third", dollars=40, limit=limit)
    home.add(on_pod, step(*both))
    for _ in range(2):
        home.rulebook.run("rule", TriggerDetails("ON_FUNDS_TRANSFERRED", 5_00))
        home.pass_time(1)
    home.pass_time(60)
    # One by one, in turns: 40 of the first, 40 of the second, the 20 that are left, none.
    assert home.balances == {"pod": 900.0, "other": 80.0, "third": 20.0}


@pytest.mark.parametrize(
    ("kind", "more", "paid"),
    [
        ("NEXT_PAYMENT_MINIMUM", {}, 35.0),
        ("TOTAL_AMOUNT_DUE", {}, 500.0),
        ("LAST_STATEMENT_BALANCE", {}, 400.0),
        ("PERCENTAGE_LIABILITY_BALANCE", {"percent": 12.5}, 62.5),
    ],
)
def test_a_debt_is_paid_by_its_numbers(kind: str, more: dict[str, Any], paid: float) -> None:
    """A debt of $500 is paid by its least payment, all of it, its statement, or a share of it."""
    done = Household(pod=1_000).run(step(action(kind, destination="card", **more)))
    assert moves(done) == [paid]
    assert (done.status, done.pending) == ("IN_PROGRESS", 1)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("NEXT_PAYMENT_MINIMUM", "ACCOUNT_NO_MINIMUM_PAYMENT_AMOUNT"),
        ("LAST_STATEMENT_BALANCE", "ACCOUNT_NO_LAST_STATEMENT_BALANCE"),
        ("TOTAL_AMOUNT_DUE", "NULL_BALANCE"),
    ],
)
def test_an_account_without_the_number_fails(kind: str, code: str) -> None:
    """An account that has no such number fails the run by its reason, and makes no transfer."""
    done = Household(pod=1_000).run(step(action(kind, destination="bank")))
    assert (done.status, done.error_code, done.transfers) == ("FAILED", code, [])


def test_a_deleted_account_fails_the_run() -> None:
    """An action that names a deleted pod fails, and says that the account is gone."""
    home = Household(pod=10, other=0)
    home.book.holdings["other"].deleted_at = home.book.now
    done = home.run(step(fixed(dollars=1)))
    assert (done.status, done.error_code) == ("FAILED", "RESOURCE_DELETED")


def test_a_run_sees_the_balance_of_its_moment() -> None:
    """A run is preceded by a refresh: of a debt shown as $450 it pays the $500 that are owed."""
    home = Household(pod=1_000)
    assert home.book.outside["card"].shown == 450_00
    assert moves(home.run(step(action("TOTAL_AMOUNT_DUE", destination="card")))) == [500.0]


def test_money_that_a_rule_moves_sets_off_the_next_rule() -> None:
    """A deposit's rule fills a pod, whose own rule sends half of that on."""
    home = Household(pod=0, other=0, third=0)
    home.add(on_pod, step(incoming_share(percent=50)), id="first")
    onward = incoming_share(source="other", destination="third", percent=50)
    home.add(OnFundsTransferred("other"), step(onward), id="second")
    home.deposit("pod", 100)
    assert home.balances == {"pod": 50.0, "other": 25.0, "third": 25.0}
    first, second = home.rulebook.executions.values()
    assert (first.trigger.amount_cents, second.trigger.amount_cents) == (100_00, 50_00)


def test_an_account_has_one_rule_on_incoming_funds() -> None:
    """A second enabled rule on the money of one account is refused; a disabled one is not."""
    home = Household(pod=0, other=0)
    home.add(on_pod, step(fixed(dollars=1)), id="first")
    home.add(on_pod, step(fixed(dollars=1)), id="off", status="DISABLED")
    with pytest.raises(ValueError, match="has a rule on incoming funds already"):
        home.add(on_pod, step(fixed(dollars=1)), id="second")


def test_a_rule_that_is_off_heeds_no_money() -> None:
    """A rule on incoming funds runs while it is enabled, and on the account that it names now."""
    home = Household(pod=0, other=0, third=0)
    home.add(on_pod, step(incoming_share(percent=50)))
    home.rulebook.edit("rule", status="DISABLED")
    home.deposit("pod", 10)
    home.rulebook.edit("rule", status="ENABLED", trigger=OnFundsTransferred("third"))
    home.deposit("pod", 10)
    assert home.rulebook.executions == {}
    home.deposit("third", 10)
    assert home.balances == {"pod": 15.0, "other": 5.0, "third": 10.0}
    home.rulebook.delete("rule")
    home.deposit("third", 10)
    assert len(home.rulebook.executions) == 1


def test_less_than_a_dollar_moves_nothing() -> None:
    """99 cents are not sent, and a dollar is."""
    home = Household(pod=10, other=0)
    done = home.run(step(fixed(dollars=0.99), fixed(dollars=1.00, group_index=1)))
    assert (moves(done), done.attempted) == ([1.0], 2)


@pytest.mark.parametrize(
    ("schedule", "days"),
    [
        ("ONE_TIME", [5]),
        ("DAILY", list(range(5, 32))),
        ("WEEKLY", [5, 12, 19, 26]),
        ("BI_WEEKLY", [15]),
        ("MONTHLY", [5]),
        # 2026-10-05 is in week 41.
        ("EVERY_OTHER_WEEK", [12, 26]),
    ],
)
def test_schedules_are_due_on_days_of_utc(schedule: str, days: list[int]) -> None:
    """From Monday 5 October 2026 on, each schedule is due on its days, at the hour of its start."""
    trigger = Scheduled(schedule, at("2026-10-05T23:30:00Z"))
    found = [due_at(trigger, date(2026, 10, day), Readings()) for day in range(1, 32)]
    assert found == [
        at(f"2026-10-{day:02}T23:30:00Z") if day in days else None for day in range(1, 32)
    ]


def test_a_schedule_is_a_cron_in_the_web_application() -> None:
    """Minute, hour, day, month and day of the week, as the GraphQL side writes them."""
    kinds = ("ONE_TIME", "DAILY", "WEEKLY", "BI_WEEKLY", "MONTHLY", "EVERY_OTHER_WEEK")
    start = at("2026-10-05T23:30:00Z")
    assert [cron(Scheduled(kind, start)) for kind in kinds] == [
        "30 23 5 10 *", "30 23 * * *", "30 23 * * 1", "30 23 1,15 * *", "30 23 5 * *",
        "30 23 * * 1",
    ]  # fmt: skip


def test_an_edit_is_a_new_version() -> None:
    """Each run names the version that it ran, and each version says when it held."""
    home = Household(pod=100, other=0)
    home.add(by_hand, step(fixed(dollars=1)))
    first = home.rulebook.run("rule", TriggerDetails("SCHEDULED"))
    began = home.book.now
    home.pass_time(100)
    home.rulebook.edit("rule", steps=(step(fixed(dollars=2)),))
    second = home.rulebook.run("rule", TriggerDetails("SCHEDULED"))
    edited = home.book.now
    home.rulebook.delete("rule")
    assert [(first.version, moves(first)), (second.version, moves(second))] == [
        (1, [1.0]),
        (2, [2.0]),
    ]
    spans = [(one.valid_from, one.valid_until) for one in home.rulebook.versions]
    assert spans == [(began, edited), (edited, edited), (edited, None)]
    assert home.rulebook.current[0].deleted_at == edited


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"status": "DISABLED"}, "RULE_DEACTIVATED"),
        ({"is_supported": False}, "INVALID_RULE"),
        ({"deleted_at": 1}, "RULE_NOT_FOUND"),
    ],
)
def test_a_rule_that_cannot_run_says_why(changes: dict[str, Any], code: str) -> None:
    """A disabled, unsupported, deleted or unknown rule is not triggered, and by which reason."""
    home = Household(pod=100, other=0)
    home.add(by_hand, step(fixed(dollars=1)), **changes)
    for own_id, expected in (("rule", code), ("nobody", "RULE_NOT_FOUND")):
        with pytest.raises(NotTriggered) as refused:
            home.rulebook.trigger(own_id)
        assert refused.value.code == expected
    assert home.rulebook.executions == {}


def test_a_rule_runs_once_at_a_time() -> None:
    """A run by request takes some seconds, and no second one begins until it is over."""
    home = Household(pod=100, other=0)
    home.add(by_hand, step(fixed(dollars=1)))
    run = home.rulebook.trigger("rule")
    assert (run.status, run.transfers, home.balances["pod"]) == ("IN_PROGRESS", [], 100.0)
    with pytest.raises(NotTriggered) as refused:
        home.rulebook.trigger("rule")
    assert refused.value.code == "RULE_EXECUTION_IN_PROGRESS"
    home.pass_time(10)
    assert (run.status, run.trigger, home.balances["pod"]) == (
        "EXECUTED", TriggerDetails("SEQUENCE_API"), 99.0,
    )  # fmt: skip
    home.rulebook.trigger("rule")


def test_a_simulation_moves_nothing() -> None:
    """A simulation names the transfers that would be made, action after action, and moves none."""
    home = Household(pod=2_000, other=0, rest=0)
    sweep = balance_share(destination="rest", percent=100, group_index=1)
    home.add(on_pod, step(top_up(dollars=500), sweep))
    run = home.rulebook.trigger("rule", simulation=True)
    assert (moves(run), run.mode, run.status) == ([500.0, 1_500.0], "SIMULATION", "EXECUTED")
    assert [one.mode for one in rows(run)] == ["SIMULATION"] * 2
    assert set(run.transfer_ids) == set(home.rulebook.simulated)
    assert (home.book.transfers, home.book.keys) == ({}, [])
    assert home.balances == {"pod": 2_000.0, "other": 0.0, "rest": 0.0}


def test_a_simulation_takes_the_amount_for_the_balance() -> None:
    """With an amount, a simulation reckons as if that had come in and were all there is."""
    home = Household(pod=0, other=0, rest=0)
    sweep = balance_share(destination="rest", percent=100, group_index=1)
    home.add(on_pod, step(incoming_share(percent=25), sweep))
    assert moves(home.rulebook.trigger("rule", 800_00, simulation=True)) == [200.0, 600.0]


def test_a_live_run_moves_no_more_than_there_is() -> None:
    """With an amount beyond the balance, a live run fails, or sends what there is with up-to."""
    for up_to, moved in ((True, [100.0]), (False, [])):
        home = Household(pod=100, other=0)
        home.add(by_hand, step(balance_share(percent=50, up_to_enabled=up_to)))
        run = home.rulebook.trigger("rule", 800_00)
        home.pass_time(10)
        assert moves(run) == moved
