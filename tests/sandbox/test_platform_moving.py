"""The official API: money moves once, a moment later, and is found out about."""

from __future__ import annotations

from typing import Any

import pytest
from platform_http import Official, code_of
from sandbox_http import Http

from seqdata.sandbox import Sandbox


@pytest.fixture
def official(box: Sandbox) -> Official:
    """Make a client with the key that also moves, without a limit."""
    box.platform_variant(limit="off")
    return Official(box)


def balance(official: Official, name: str) -> int:
    own_id = official.account(name)["id"]
    cents: int = official.data(f"/accounts/{own_id}")["balance"]["balanceInCents"]
    return cents


def test_a_transfer_is_not_found_then_prepared_then_complete(
    box: Sandbox, official: Official
) -> None:
    """Its id is unknown for a moment, then PROCESSING, then COMPLETE, and both pods have moved."""
    before = balance(official, "Bills"), balance(official, "Groceries")
    answer = official.move("Bills", "Groceries", 1_250, description="rent 11")
    assert answer.status_code == 201
    made = answer.json()["data"]
    assert (made["status"], made["completedAt"], made["direction"], made["origin"]) == (
        "PROCESSING", None, "INTERNAL", "USER",
    )  # fmt: skip
    looks = [official.get(f"/transfers/{made['id']}") for _ in range(5)]
    seen = [one.status_code if one.status_code == 404 else one.json()["data"]["status"]
            for one in looks]  # fmt: skip
    assert seen == [404, "PROCESSING", "PROCESSING", "COMPLETE", "COMPLETE"]
    after = balance(official, "Bills"), balance(official, "Groceries")
    assert (before[0] - after[0], after[1] - before[1]) == (1_250, 1_250)
    assert box.transfers(limit=1)[0]["description"] == "rent 11"


def test_money_leaves_for_the_outside_and_arrives_as_banks_do(
    box: Sandbox, official: Official
) -> None:
    """Outward and inward transfers are PENDING until banks have done them, then in both APIs."""
    out = official.move("Bills", "Everyday Checking", 700).json()["data"]["id"]
    into = official.move("Everyday Checking", "Bills", 800).json()["data"]["id"]
    between = official.move("Everyday Checking", "High-Yield Savings", 900).json()["data"]["id"]
    box.advance(seconds=10)
    words = [official.data(f"/transfers/{own_id}") for own_id in (out, into, between)]
    assert [(one["status"], one["direction"], one["origin"]) for one in words] == [
        ("PENDING", "MONEY_OUT", "USER"),
        ("PENDING", "MONEY_IN", "USER_PULL"),
        ("PENDING", "MONEY_OUT", "USER"),
    ]
    box.advance(days=14)
    statuses = [official.data(f"/transfers/{own_id}")["status"] for own_id in (out, into, between)]
    assert statuses == ["COMPLETE"] * 3
    assert {own["id"] for own in box.transfers()} >= {out, into, between}


def test_what_is_not_there_cannot_be_moved(box: Sandbox, official: Official) -> None:
    """A transfer without funds is accepted, and ends INCOMPLETE with nothing moved."""
    before = balance(official, "Bills")
    own_id = official.move("Bills", "Groceries", before + 1).json()["data"]["id"]
    box.advance(seconds=10)
    found = official.data(f"/transfers/{own_id}")
    assert (found["status"], found["errorCode"], found["completedAt"]) == (
        "INCOMPLETE", "INSUFFICIENT_FUNDS", None,
    )  # fmt: skip
    assert balance(official, "Bills") == before


def test_one_key_is_one_transfer(box: Sandbox, official: Official) -> None:
    """The same key and body give the first answer again, whatever order the body is in."""
    first = official.move("Bills", "Groceries", 500, "k", simulation=False)
    box.advance(seconds=3)
    body = dict(reversed(list(dict(box.payments()[0]["variables"]).items())))
    again = official.post("/transfers", body, "k")
    assert (again.status_code, again.json()) == (201, first.json())
    assert len(box.payments()) == 1


def test_a_key_is_busy_then_used_then_forgotten(box: Sandbox, official: Official) -> None:
    """While the first is unfinished it is 409, another body 400, and after 24 hours all is new."""
    first = official.move("Bills", "Groceries", 500, "k").json()["data"]["id"]
    assert code_of(official.move("Bills", "Groceries", 500, "k")) == (409, "TRANSFER_IN_PROGRESS")
    assert code_of(official.move("Bills", "Groceries", 501, "k")) == (
        400, "IDEMPOTENCY_KEY_MISMATCH",
    )  # fmt: skip
    assert official.move("Bills", "Groceries", 500, "k").json()["data"]["id"] == first
    box.advance(hours=24)
    assert official.move("Bills", "Groceries", 500, "k").json()["data"]["id"] != first


@pytest.mark.parametrize("key", ["x" * 37, "white space", "ü", ""])
def test_keys_have_a_form(official: Official, key: str) -> None:
    """An idempotency key of another form is refused."""
    answer = official.http.post("/transfers", json={}, headers={"idempotency-key": key.encode()})
    assert code_of(answer) == (400, "INVALID_PARAMETERS")


@pytest.mark.parametrize(
    ("scope", "other_key", "new"),
    [("operation", True, True), ("key", True, True), ("organization", True, False)],
)
def test_what_a_key_is_unique_within(
    box: Sandbox, official: Official, scope: str, other_key: bool, new: bool
) -> None:
    """Another API key with the same idempotency key moves again, or gets the first answer."""
    box.platform_variant(limit="off", idempotency_scope=scope, early_404_seconds=0)
    first = official.move("Bills", "Groceries", 500, "k").json()["data"]["id"]
    permissions = {"MANUAL_TRANSFER": [
        {"source": official.account("Bills")["id"], "target": official.account("Groceries")["id"]}
    ], "READ_ACCOUNTS": "all"}  # fmt: skip
    other = Official(box, box.make_key("Other", permissions))
    assert (other.move("Bills", "Groceries", 500, "k").json()["data"]["id"] != first) == new


def test_long_keys_and_bytes_and_refusals(box: Sandbox, official: Official) -> None:
    """Where the switches say so, keys may be long, bodies are bytes, and refusals are repeated."""
    box.platform_variant(
        limit="off", idempotency_length=False, idempotency_compares="bytes",
        remembers_refusals=True, early_404_seconds=0,
    )  # fmt: skip
    key = "dry-00000000-0000-4000-a000-000000000000"
    assert official.move("Bills", "Groceries", 500, key).status_code == 201
    body = dict(reversed(list(box.payments()[0]["variables"].items())))
    assert code_of(official.post("/transfers", body, key))[1] == "IDEMPOTENCY_KEY_MISMATCH"
    secret = box.make_key("None yet", {"READ_ACCOUNTS": "all"})
    poor = Official(box, secret)
    assert code_of(poor.move("Bills", "Groceries", 500, "p")) == (403, "ACCESS_DENIED")
    box.change_key(secret, {"READ_ACCOUNTS": "all", "MANUAL_TRANSFER": [
        {"source": official.account("Bills")["id"], "target": official.account("Groceries")["id"]}
    ]})  # fmt: skip
    assert code_of(poor.move("Bills", "Groceries", 500, "p")) == (403, "ACCESS_DENIED")
    assert poor.move("Bills", "Groceries", 500, "q").status_code == 201


def test_a_dry_run_moves_nothing(box: Sandbox, official: Official) -> None:
    """It is stored, marked and hidden; the other API and the books know nothing of it."""
    ids = official.ids()
    before, known = balance(official, "Bills"), len(box.transfers())
    answer = official.move("Bills", "Groceries", 500, simulation=True).json()["data"]
    assert (answer["executionMode"], answer["status"]) == ("SIMULATION", "PROCESSING")
    box.advance(seconds=5)
    assert official.data(f"/transfers/{answer['id']}")["status"] == "COMPLETE"

    def listed(mode: str) -> bool:
        rows = official.walk("/transfers", accountIds=ids, executionMode=mode)
        return answer["id"] in {one["id"] for one in rows}

    assert [listed(mode) for mode in ("LIVE", "SIMULATION", "ALL")] == [False, True, True]
    assert (balance(official, "Bills"), len(box.transfers())) == (before, known)
    assert box.payments() == []
    box.platform_variant(limit="off", simulated_mode="LIVE")
    lied = official.move("Bills", "Groceries", 500, simulation=True).json()["data"]
    assert lied["executionMode"] == "LIVE"


@pytest.mark.parametrize(
    "wrong",
    [
        {"amountInCents": 99}, {"amountInCents": "500"}, {"amountInCents": True},
        {"amountInCents": 100.5}, {"amountInCents": None}, {"description": "much too long"},
        {"description": "ünï"}, {"simulation": "yes"}, {"sourceAccountId": 7},
    ],
)  # fmt: skip
def test_bodies_are_checked(box: Sandbox, official: Official, wrong: dict[str, Any]) -> None:
    """A body that is not as described is refused, and nothing moves."""
    assert code_of(official.move("Bills", "Groceries", 500, **wrong)) == (
        400, "INVALID_PARAMETERS",
    )  # fmt: skip
    assert box.payments() == []


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b'"\\ud800"', b"[" * 100_000])
def test_what_is_no_body(official: Official, body: bytes) -> None:
    """What is no JSON object is refused."""
    for path in ("/transfers", "/rules/00000000-0000-4000-a000-000000000000/trigger"):
        answer = official.http.post(path, content=body)
        assert code_of(answer) == (400, "INVALID_PARAMETERS")


def test_both_apis_move_in_one_world(box: Sandbox, official: Official, web: Http) -> None:
    """A payment through the web application is read here, and the other way round."""
    one, other = official.account("Bills")["id"], official.account("Groceries")["id"]
    assert web.pay(f"POD:{one}", f"POD:{other}", 333)["ok"]
    newest = official.data(f"/accounts/{one}/transfers", pageSize=1)["items"][0]
    assert (newest["amountInCents"], newest["origin"], newest["status"]) == (
        333, "USER", "COMPLETE",
    )  # fmt: skip
    official.move("Bills", "Groceries", 444)
    box.advance(seconds=5)
    edge = web.page(first=1)["transferReferences"]["edges"][0]["node"]
    assert (edge["amount"]["cents"], edge["activityType"], edge["status"]) == (
        444, "ONE_TIME_TRANSFER", "COMPLETE",
    )  # fmt: skip
