"""The official API: rules as they are, runs as they were, and setting one off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from platform_http import Official, code_of

from seqdata.sandbox import Sandbox

NOBODY = "00000000-0000-4000-a000-000000000000"


@pytest.fixture
def box() -> Iterator[Sandbox]:
    """Serve a world that has every kind of rule."""
    with Sandbox(seed=6, months=2, now="2026-11-01") as box:
        yield box


@pytest.fixture
def official(box: Sandbox) -> Official:
    """Make a client with the key that also moves, without a limit."""
    box.platform_variant(limit="off")
    return Official(box)


def in_force(box: Sandbox) -> dict[str, dict[str, Any]]:
    """The newest version of each rule."""
    return {one["id"]: one for one in box.rules()}


def find(box: Sandbox, **wanted: Any) -> str:
    """The first rule in force that is supported, there and enabled, unless asked otherwise."""
    usual = {"is_supported": True, "deleted_at": None, "status": "ENABLED"}
    kind = wanted.pop("trigger", None)
    return next(
        own_id
        for own_id, one in in_force(box).items()
        if all(one[name] == value for name, value in (usual | wanted).items())
        and kind in (None, one["trigger"]["type"])
    )


def test_rules_are_listed_without_bodies(box: Sandbox, official: Official) -> None:
    """Deleted ones are listed where the switch says so, and a source selects its rules."""
    known = in_force(box)
    rows = official.walk("/rules")
    assert [one["id"] for one in rows] == [
        own_id for own_id, one in known.items() if one["deleted_at"] is None
    ]
    assert {one["isSupported"] for one in rows} == {True, False}
    assert {one["status"] for one in rows} == {"ENABLED", "DISABLED"}
    box.platform_variant(limit="off", deleted_rules=True)
    assert {one["id"] for one in official.walk("/rules")} == set(known)
    port = official.account("Main Paycheck")["id"]
    some = {one["id"] for one in official.walk("/rules", sourceId=port)}
    assert 0 < len(some) < len(rows)
    assert official.walk("/rules", sourceId="nobody") == []


def test_a_rule_is_written_as_it_is() -> None:
    """Triggers, conditions, actions and caps of every kind are those of the world."""
    kinds: set[str] = set()
    trees: set[str] = set()
    for seed in (6, 9, 10, 12, 14):
        with Sandbox(seed=seed, months=1, now="2026-11-01") as box:
            box.platform_variant(limit="off")
            for own_id, known in in_force(box).items():
                rule = check_body(Official(box), own_id, known)
                kinds |= {one["type"] for step in rule["steps"] for one in step["actions"]}
                trees |= {word for step in rule["steps"] for word in step["conditions"] or {}}
    assert kinds >= {
        "FIXED", "PERCENTAGE", "ROUND_DOWN", "NEXT_PAYMENT_MINIMUM", "TOTAL_AMOUNT_DUE",
        "LAST_STATEMENT_BALANCE", "PERCENTAGE_LIABILITY_BALANCE",
    }  # fmt: skip
    assert trees >= {"condition", "all"}


def check_body(official: Official, own_id: str, known: dict[str, Any]) -> dict[str, Any]:
    """Compare what is read of a rule with what is known; nothing where it cannot be read."""
    if not known["is_supported"]:
        assert code_of(official.get(f"/rules/{own_id}")) == (403, "INVALID_RULE")
        return {"steps": []}
    rule: dict[str, Any] = official.data(f"/rules/{own_id}")
    assert (rule["name"], rule["trigger"]["type"]) == (known["name"], known["trigger"]["type"])
    assert rule["trigger"]["accountId"] == known["trigger"]["account_id"]
    for step, own in zip(rule["steps"], known["steps"], strict=True):
        assert (step["conditions"] is None) == (own["conditions"] is None)
        for action, one in zip(step["actions"], own["actions"], strict=True):
            assert action["type"] == one["type"]
            assert action["source"]["id"] == one["source"]
            assert action["destination"]["name"]
            assert action.get("amountInCents") == one["amount_cents"]
            assert action.get("percentageValue") == one["percent"]
            limit = action["limit"] and action["limit"]["amountInCents"]
            assert limit == (one["limit"] and one["limit"]["amount_cents"])
            targets = ("nextPaymentMinimumAccount", "currentBalanceAccount")
            assert all((name in action) == (one["type"] == "TOP_UP") for name in targets)
    return rule


def test_transfers_name_their_rule_and_run(box: Sandbox, official: Official) -> None:
    """Each transfer of a rule leads to its rule and its run, and the run to its transfers."""
    ids = official.ids()
    rows = official.walk("/transfers", accountIds=ids, origin="RULE")
    assert all(one["ruleId"] and one["ruleExecutionId"] for one in rows)
    for one in rows[::40]:
        path = f"/rules/{one['ruleId']}/executions/{one['ruleExecutionId']}"
        execution = official.data(path)
        assert one["id"] in execution["transferIds"]
        mine = official.walk("/transfers", accountIds=ids, rule_execution_id=one["ruleExecutionId"])
        assert {own["id"] for own in mine} == set(execution["transferIds"])
    others = official.walk("/transfers", accountIds=ids, origin="USER")
    assert {one["ruleId"] for one in others} == {None}
    assert official.walk("/transfers", accountIds=ids, rule_execution_id=NOBODY) == []


@pytest.mark.parametrize("origin", ["RULE", "USER_PULL", "UNKNOWN"])
def test_a_pull_by_rule_has_an_origin(box: Sandbox, official: Official, origin: str) -> None:
    """Where a rule pulls from outside into a pod, the origin is as the switch says."""
    box.platform_variant(limit="off", rule_pull_origin=origin)
    outside = set(official.ids(type="EXTERNAL_ACCOUNT"))
    pulls = [
        one
        for one in official.walk("/transfers", accountIds=official.ids())
        if one["ruleId"] and one["direction"] == "MONEY_IN" and one["source"]["id"] in outside
    ]
    assert {one["origin"] for one in pulls} <= {origin}


def test_runs_are_listed_newest_first(box: Sandbox, official: Official) -> None:
    """The runs of a rule are those of the world, and filters divide them."""
    known = box.executions()
    for own_id in in_force(box):
        runs = official.walk(f"/rules/{own_id}/executions", executionMode="ALL")
        wanted = [one["id"] for one in known if one["rule_id"] == own_id]
        assert [one["id"] for one in runs] == wanted[::-1]
        live = official.walk(f"/rules/{own_id}/executions")
        assert {one["executionMode"] for one in live} <= {"LIVE"}
        parts = [
            official.walk(f"/rules/{own_id}/executions", status=status)
            for status in ("EXECUTED", "PARTIAL", "FAILED", "IN_PROGRESS")
        ]
        assert sum(map(len, parts)) == len(live)
        if live:
            newest = official.walk(f"/rules/{own_id}/executions", from_=live[0]["createdAt"])
            assert live[0] in newest


def test_a_run_says_what_it_did(box: Sandbox, official: Official) -> None:
    """What set it off, which step matched and its counts are those of the world."""
    for known in box.executions()[::7]:
        path = f"/rules/{known['rule_id']}/executions/{known['id']}"
        read = official.data(path)
        assert (read["status"], read["stepIndexMatched"], read["conditionsNotMet"]) == (
            known["status"], known["step"], known["conditions_not_met"],
        )  # fmt: skip
        counts = [read[f"transfers{word}"] for word in ("Attempted", "Completed", "Failed",
                                                        "Pending")]  # fmt: skip
        assert counts == [known[n] for n in ("attempted", "completed", "failed", "pending")]
        assert read["triggerDetails"]["type"] == known["trigger"]["type"]
    own_id = find(box)
    answer = official.get(f"/rules/{own_id}/executions/{NOBODY}")
    assert code_of(answer) == (404, "RULE_EXECUTION_NOT_FOUND")


def test_a_rule_is_set_off_once(box: Sandbox, official: Official) -> None:
    """A run is accepted, in progress, and ends while one looks; its key gives it again."""
    own_id = find(box, trigger="MANUAL")
    path = f"/rules/{own_id}/trigger"
    accepted = official.post(path, {"executeAmount": 5_000}, "k")
    assert accepted.status_code == 202
    run = f"/rules/{own_id}/executions/{accepted.json()['data']['executionId']}"
    seen = [official.data(run)["status"] for _ in range(40)]
    assert seen[0] == "IN_PROGRESS"
    assert seen[-1] != "IN_PROGRESS" or official.data(run)["transfersPending"]
    details = official.data(run)["triggerDetails"]
    assert details == {"type": "SEQUENCE_API", "amountInCents": 5_000}
    again = official.post(path, {"executeAmount": 5_000}, "k")
    assert again.json() == accepted.json()
    other = official.post(path, {"executeAmount": 5_001}, "k")
    assert code_of(other) == (400, "IDEMPOTENCY_KEY_MISMATCH")


def test_a_rule_that_runs_is_busy(box: Sandbox, official: Official) -> None:
    """While a run of it is under way, a rule is not set off again."""
    path = f"/rules/{find(box, trigger='MANUAL')}/trigger"
    assert official.post(path, {}).status_code == 202
    assert code_of(official.post(path, {})) == (409, "RULE_EXECUTION_IN_PROGRESS")


def test_a_dry_run_of_a_rule_moves_nothing(box: Sandbox, official: Official) -> None:
    """Its run and its transfers are marked and hidden, and the books are as before."""
    ids, own_id = official.ids(), find(box, trigger="ON_FUNDS_TRANSFERRED")
    before = box.balances(), len(box.transfers())
    body = {"simulation": True, "executeAmount": 100_000}
    found = official.post(f"/rules/{own_id}/trigger", body).json()["data"]["executionId"]
    run = official.data(f"/rules/{own_id}/executions/{found}")
    assert (run["executionMode"], run["status"]) == ("SIMULATION", "EXECUTED")
    assert run["transferIds"]
    query = {"accountIds": ids, "rule_execution_id": found}
    assert official.walk("/transfers", **query) == []
    rows = official.walk("/transfers", **query, executionMode="ALL")
    assert {one["id"] for one in rows} == set(run["transferIds"])
    assert {one["executionMode"] for one in rows} == {"SIMULATION"}
    assert official.data(f"/transfers/{rows[0]['id']}") == rows[0]
    live = official.walk(f"/rules/{own_id}/executions")
    assert found not in {one["id"] for one in live}
    assert (box.balances(), len(box.transfers())) == before


def test_some_rules_are_not_set_off(box: Sandbox, official: Official) -> None:
    """Unknown, disabled, deleted and unsupported rules are refused, each with its code."""
    for own_id, expected in (
        (NOBODY, (404, "RULE_NOT_FOUND")),
        (find(box, status="DISABLED"), (403, "RULE_DEACTIVATED")),
        (find(box, is_supported=False), (403, "INVALID_RULE")),
        (next(one["id"] for one in box.rules() if one["deleted_at"]), (403, "INVALID_RULE")),
    ):
        assert code_of(official.post(f"/rules/{own_id}/trigger", {})) == expected
    box.platform_variant(limit="off", triggers_any_rule=False)
    scheduled = official.post(f"/rules/{find(box, trigger='SCHEDULED')}/trigger", {})
    assert code_of(scheduled) == (403, "INVALID_RULE")
    some = {"READ_RULES": "all", "TRIGGER_RULES": []}
    key = Official(box, box.make_key("Reads rules", some))
    assert code_of(key.post(f"/rules/{find(box)}/trigger", {})) == (403, "ACCESS_DENIED")


def test_the_calls_of_rules_have_actions(official: Official) -> None:
    """The log names the actions of rules."""
    own_id = official.walk("/rules")[0]["id"]
    official.get(f"/rules/{own_id}")
    official.walk(f"/rules/{own_id}/executions")
    official.post(f"/rules/{own_id}/trigger", {"simulation": True})
    actions = [one["action"] for one in official.walk("/audit-logs")]
    assert actions == ["TRIGGER_RULE", "LIST_RULE_EXECUTIONS", "GET_RULE", "LIST_RULES"]
