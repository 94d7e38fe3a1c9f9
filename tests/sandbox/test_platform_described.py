"""The official API: its answers are as described, under each switch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from platform_http import Official

from seqdata.sandbox import Sandbox
from seqdata.sandbox.platform.description import load
from seqdata.sandbox.platform.switches import Switches

#: Under these, answers are of older descriptions, or nobody describes them.
OTHERWISE = {("has_next_page", False), ("newer_fields", False), ("card_transactions", "501")}

#: Every answer of every switch but the usual one.
ANSWERS = [
    (one.name, answer)
    for one in fields(Switches)
    for answer in one.metadata.get("answers", ())[1:]
    if (one.name, answer) not in OTHERWISE
]


@pytest.fixture(scope="module")
def world() -> Iterator[Sandbox]:
    """Serve one world: what moves there is of no matter."""
    with Sandbox(seed=6, months=1, now="2026-11-01") as box:
        yield box


def faults_of(path: str, method: str, answer: Any) -> list[str]:
    """Say how an answer is not as described."""
    described = load()["paths"][path][method]["responses"][str(answer.status_code)]
    if "$ref" in described:
        described = load()["components"]["responses"][described["$ref"].rpartition("/")[2]]
    kind = answer.headers["content-type"].partition(";")[0]
    schema = described["content"][kind]["schema"] | {"components": load()["components"]}
    value = answer.json() if kind == "application/json" else answer.text
    return [error.message for error in Draft202012Validator(schema).iter_errors(value)]


def asked(official: Official) -> Iterator[tuple[str, str, Any]]:
    """Ask for each of the 14 operations."""
    ids = official.ids(state="ACTIVE")
    rules = official.walk("/rules")
    rule = next(
        one["id"]
        for one in official.box.rules()
        if one["trigger"]["type"] == "MANUAL" and one["status"] == "ENABLED" and one["is_supported"]
    )
    newest = official.data("/transfers", accountIds=ids)["items"][0]["id"]
    yield "/accounts", "get", official.get("/accounts", state="ALL", pageSize=100)
    for own_id in (ids[0], ids[-2]):
        yield "/accounts/{id}", "get", official.get(f"/accounts/{own_id}")
    path = f"/accounts/{ids[0]}/transfers"
    yield "/accounts/{accountId}/transfers", "get", official.get(path, pageSize=100)
    every = {"accountIds": ids, "pageSize": 100}
    yield "/transfers", "get", official.get("/transfers", **every, executionMode="ALL")
    yield "/transfers/{id}", "get", official.get(f"/transfers/{newest}")
    yield "/external-transactions", "get", official.get("/external-transactions", **every)
    for own_id in ids[1:2]:
        yield "/card-transactions", "get", official.get("/card-transactions", accountId=own_id)
    yield "/audit-logs", "get", official.get("/audit-logs", pageSize=100)
    yield "/rules", "get", official.get("/rules", pageSize=100)
    for one in [*rules[:3], *rules[-2:]]:
        yield "/rules/{id}", "get", official.get(f"/rules/{one['id']}")
    runs = official.get(f"/rules/{rule}/executions", executionMode="ALL")
    yield "/rules/{ruleId}/executions", "get", runs
    moved = official.move("Bills", "Groceries", 100, simulation=True)
    yield "/transfers", "post", moved
    yield "/transfers", "post", official.move("Bills", "Groceries", 100)
    triggered = official.post(f"/rules/{rule}/trigger", {"simulation": True})
    yield "/rules/{id}/trigger", "post", triggered
    run = triggered.json()["data"]["executionId"]
    yield "/rules/{ruleId}/executions/{id}", "get", official.get(f"/rules/{rule}/executions/{run}")


@pytest.mark.parametrize(("name", "answer"), ANSWERS)
def test_answers_are_as_described(world: Sandbox, name: str, answer: Any) -> None:
    """Under each answer of each switch, what every operation says is as the description has it."""
    world.platform_variant(**{"limit": "off", "limit_requests": 1_000_000, name: answer})
    told = list(asked(Official(world)))
    for path, method, said in told:
        assert faults_of(path, method, said) == [], (path, said.text[:300])
    assert len({one[:2] for one in told}) == 14
