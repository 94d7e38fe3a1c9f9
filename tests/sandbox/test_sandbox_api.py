"""The API over HTTP: documents, tokens, pages, filters, payments."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sandbox_http import PAGE, PAY, Http

from seqdata.core.text import format_cents
from seqdata.sandbox import Sandbox

Find = Callable[[str], str]


def leg(payment: dict[str, Any] | None) -> dict[str, Any] | None:
    """Write a leg as the truth does."""
    return payment and {
        "status": payment["status"],
        "created_at": payment["createdAt"],
        "completed_at": payment["completedAt"],
        "expected_on": payment["expectedCompletionDate"],
    }


def as_truth(node: dict[str, Any]) -> dict[str, Any]:
    """Write a node of the API in the words of the truth."""
    details = node["details"]
    if "status" in details:
        legs = {"kind": "simple", "status": leg(details["status"])}
    else:
        names = ("pull", "push", "reversal")
        legs = {"kind": "compound"} | {n: leg(details[f"{n}PaymentStatus"]) for n in names}
    parties = {
        side: node[side]
        and {
            "kind": node[side]["__typename"],
            "id": node[side].get("id"),
            "name": node[side]["name"],
        }
        for side in ("source", "destination")
    }
    rule = node["ruleDetails"]
    return {
        "id": node["id"],
        "type": node["type"],
        "status": node["status"],
        "error_reason": node["errorReason"],
        "created_at": node["createdAt"],
        "updated_at": node["updatedAt"],
        "amount_cents": node["amount"]["cents"],
        "direction": node["direction"],
        "activity_type": node["activityType"],
        "description": node["description"],
        "details": legs,
        "rule": rule and {"trigger_type": rule["triggerType"], "trigger_cron": rule["triggerCron"]},
        **parties,
    }


def test_all_pages_together_are_the_truth(household: Sandbox, reading: Any) -> None:
    """Walking every page yields each transfer once, newest first, as the truth has it."""
    walked = [as_truth(node) for node in reading.walk()]
    skipped = {"organization_id", "postings"}
    truth = [
        {key: value for key, value in row.items() if key not in skipped}
        for row in household.transfers()
    ]
    assert walked == truth
    assert reading.page(first=1)["numberOfTransfers"]["count"] == len(truth)


@settings(max_examples=8, deadline=None)
@given(first=st.integers(1, 100), moves=st.lists(st.integers(0, 40), max_size=6))
def test_paging_stays_right_while_rows_are_added(first: int, moves: list[int]) -> None:
    """A walk that began before new rows came yields each old row exactly once."""
    with Sandbox(now="2026-11-01", months=1) as box:
        web, seen, after = Http(box), [], ""
        old = {row["id"] for row in box.transfers()}
        while True:
            page = web.page(first=first, after=after)["transferReferences"]
            seen += [edge["node"]["id"] for edge in page["edges"]]
            box.advance(hours=moves.pop() if moves else 0)
            if not page["pageInfo"]["hasNextPage"]:
                break
            after = page["pageInfo"]["endCursor"]
    assert len(seen) == len(set(seen))
    assert old <= set(seen)


@pytest.mark.parametrize(
    ("wanted", "keep"),
    [
        ({"statuses": ["PENDING", "FAILED"]}, lambda r: r["status"] in ("PENDING", "FAILED")),
        ({"directions": ["INCOMING"]}, lambda r: r["direction"] == "INCOMING"),
        ({"activityTypes": ["CASHBACK"]}, lambda r: r["activity_type"] == "CASHBACK"),
        ({"hideInternalTransfers": True}, lambda r: r["direction"] != "INTERNAL"),
        ({"createdAt": {"start": "2026-10-05"}}, lambda r: r["created_at"] >= "2026-10-05"),
        ({"createdAt": {"end": "2026-09-20"}}, lambda r: r["created_at"] < "2026-09-21"),
        (
            {"createdAt": {"start": "2026-09-20T10:00:00Z", "end": "2026-10-02T00:00:00.5Z"}},
            lambda r: "2026-09-20T10" <= r["created_at"] <= "2026-10-02T00:00:00.500Z",
        ),
        (
            {"name": "CAFÉ"},
            lambda r: any("café" in (r[s] or {"name": ""})["name"].lower() for s in SIDES),
        ),
        ({"statuses": ["COMPLETE"], "directions": ["OUTGOING"], "name": "metro"}, None),
        ({"statuses": None, "createdAt": None}, lambda r: True),
    ],
)
def test_filters_keep_what_they_name(
    web: Any, box: Sandbox, wanted: dict[str, Any], keep: Callable[[Any], bool] | None
) -> None:
    """Each filter keeps exactly the rows it names, and the count agrees."""
    found = [node["id"] for node in web.walk(filter=wanted)]
    assert found
    assert web.page(filter=wanted)["numberOfTransfers"]["count"] == len(found)
    if keep is not None:
        assert found == [row["id"] for row in box.transfers() if keep(row)]


SIDES = ("source", "destination")


def test_an_exact_instant_is_within_both_bounds(web: Any, box: Sandbox) -> None:
    """Both ends of a date range are inclusive."""
    at = box.transfers()[40]["created_at"]
    found = web.walk(filter={"createdAt": {"start": at, "end": at}})
    assert {node["createdAt"] for node in found} == {at}


def test_ten_are_shown_where_no_size_is_asked(web: Any) -> None:
    """A page holds ten transfers by default, and an empty `after` is the first page."""
    page = web.page(after="")["transferReferences"]
    assert len(page["edges"]) == 10
    assert page == web.page(after=None)["transferReferences"]


def test_formatted_amounts_say_the_cents(web: Any) -> None:
    """The formatted amount is the amount in cents, written as dollars."""
    for node in web.walk():
        assert node["amount"]["formatted"] == format_cents(node["amount"]["cents"])


@pytest.mark.parametrize(
    ("variables", "word"),
    [
        ({"after": "nonsense"}, "cursor"),
        ({"after": "8J+YgA"}, "cursor"),
        ({"first": 101}, "at most 100"),
        ({"first": 0}, "at least 1"),
        ({"filter": {"createdAt": {"start": "yesterday"}}}, "yesterday"),
        ({"id": "nobody"}, "not found"),
    ],
)
def test_what_cannot_be_answered_is_an_error(
    web: Any, box: Sandbox, variables: dict[str, Any], word: str
) -> None:
    """A bad cursor, size, date or organization is an error beside null data."""
    answer = web.graphql(PAGE, {"id": box.organization_id, **variables})
    assert answer.status == 200
    assert word in answer.json["errors"][0]["message"]
    assert answer.json["errors"][0]["extensions"]["code"] in ("BAD_USER_INPUT", "NOT_FOUND")
    assert answer.json["data"]["organization"] is None


def test_a_smaller_cap_is_refused_or_clamped() -> None:
    """With a cap of 25 a page of 100 is refused, or silently made one of 25."""
    with Sandbox(now="2026-11-01", months=1, page_cap=25) as strict:
        answer = Http(strict).graphql(
            "query ($id: ID!) { organization(id: $id) { transferReferences(first: 26)"
            " { edges { cursor } } } }",
            {"id": strict.organization_id},
        )
        assert "at most 25" in answer.json["errors"][0]["message"]
    with Sandbox(now="2026-11-01", months=1, page_cap=25, page_cap_mode="clamp") as clamping:
        page = Http(clamping).page(first=100)["transferReferences"]
        assert len(page["edges"]) == 25
        assert page["pageInfo"]["hasNextPage"]


@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        ("{ me {", None, "GRAPHQL_PARSE_FAILED"),
        ("{ me { id nickname } }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("query ($x: Int!) { me { id } }", {"x": 1}, "GRAPHQL_VALIDATION_FAILED"),
        ("query ($x: ID!) { organization(id: $x) { id } }", {}, "BAD_USER_INPUT"),
        ("query ($x: ID!) { organization(id: $x) { id } }", {"x": [1]}, "BAD_USER_INPUT"),
        (
            "query ($x: ID!, $f: TransferReferenceFilter) { organization(id: $x)"
            " { numberOfTransfers(filter: $f) { count } } }",
            {"x": "1", "f": {"colour": "red"}},
            "BAD_USER_INPUT",
        ),
    ],
)
def test_a_mistaken_document_is_refused(
    reading: Any, query: str, variables: dict[str, Any] | None, code: str
) -> None:
    """A document or variable that does not fit the schema is a 400 that says where."""
    answer = reading.graphql(query, variables)
    assert answer.status == 400
    error = answer.json["errors"][0]
    assert error["extensions"]["code"] == code
    assert error["message"]
    assert error["locations"]


@pytest.mark.parametrize("given", [[], {}, {"query": 1}, {"query": "{me{id}}", "variables": 3}])
def test_a_body_that_is_no_call_is_refused(reading: Any, given: Any) -> None:
    """A body that is no GraphQL call is a 400."""
    assert reading.request("POST", "/api/graphql", given).status == 400


def test_without_a_good_token_nothing_is_answered(web: Any, box: Sandbox) -> None:
    """No token, an unknown one and an expired one are each a 401."""
    assert web.request("POST", "/api/graphql", {"query": "{ me { id } }"}).status == 401
    assert web.graphql("{ me { id } }", token="a.b.c").status == 401
    assert web.graphql("{ me { id } }", token=box.issue_token(0)).status == 401
    assert web.graphql("{ me { id } }").status == 200
    box.expire_tokens()
    assert web.graphql("{ me { id } }").status == 401
    assert web.graphql("{ me { id } }", token=box.issue_token()).status == 200


def refresh(web: Any, **changes: str) -> Any:
    """Ask the token endpoint."""
    box = web.box
    grant = {
        "grant_type": "refresh_token",
        "client_id": box.client_id,
        "refresh_token": box.refresh_token,
    }
    return web.request("POST", "/oauth/token", grant | changes, origin=box.auth_url)


def test_a_refresh_token_works_once(web: Any, box: Sandbox) -> None:
    """The refresh grant gives a token that works and a new refresh token; the old one is void."""
    first = refresh(web)
    assert first.status == 200
    assert first.json["expires_in"] == 86_400
    assert web.graphql("{ me { id } }", token=first.json["access_token"]).status == 200
    again = refresh(web)
    assert again.status == 403
    assert again.json["error"] == "invalid_grant"
    assert again.json["error_description"]
    assert refresh(web, refresh_token=first.json["refresh_token"]).status == 200


def test_without_rotation_a_refresh_token_stays(web: Any, box: Sandbox) -> None:
    """Without rotation no new refresh token comes, and the old one works again."""
    box.rotates_refresh_tokens = False
    assert "refresh_token" not in refresh(web).json
    assert refresh(web).status == 200


def test_only_the_known_client_is_answered(web: Any) -> None:
    """Another client and another grant are refused with an error code."""
    assert refresh(web, client_id="other").json["error"] == "invalid_client"
    assert refresh(web, grant_type="password").json["error"] == "unsupported_grant_type"


def test_access_tokens_say_when_they_expire(box: Sandbox) -> None:
    """An access token has three parts, and its payload says from when until when it lives."""
    parts = box.access_token.split(".")
    payload = json.loads(base64.urlsafe_b64decode(parts[1] + "=="))
    assert len(parts) == 3
    assert payload["exp"] - payload["iat"] == 86_400
    assert payload["sub"]


def test_every_answer_is_marked_and_dated(web: Any, box: Sandbox) -> None:
    """Answers, errors, controls and unknown pages carry the mark and the world's Date once."""
    box.advance(hours=1)
    answers = [
        web.graphql("{ me { id } }"),
        web.graphql("{ nothing }"),
        web.graphql("{ me { id } }", token="x"),
        web.request("GET", "/sandbox/payments"),
        web.request("GET", "/nowhere"),
        web.request("GET", "/api/graphql"),
        web.request("GET", "/", origin=box.auth_url),
        refresh(web, client_id="other"),
    ]
    for answer in answers:
        assert answer.headers.get_all("x-seqdata-sandbox") == ["1"]
        assert answer.headers.get_all("date") == ["Sun, 01 Nov 2026 01:00:00 GMT"]
        assert "server" not in answer.headers


def test_a_payment_between_pods_moves_at_once(web: Any, box: Sandbox, accounts: Find) -> None:
    """A payment between pods is COMPLETE, first in the list, and both balances moved."""
    source, destination = accounts("Bills"), accounts("Groceries")
    before = {key: list(days.values())[-1] for key, days in box.balances().items() if days}
    paid = web.pay(source, destination, 1_00, achDescription="lunch")
    organization = paid["ok"]["organization"]
    newest = organization["transferReferences"]["edges"][0]["node"]
    assert (newest["status"], newest["direction"]) == ("COMPLETE", "INTERNAL")
    assert (newest["activityType"], newest["description"]) == ("ONE_TIME_TRANSFER", "lunch")
    after = {pod["id"]: pod["metadata"]["balance"]["cents"] for pod in organization["pods"]}
    assert after[source[4:]] == before[source[4:]] - 100
    assert after[destination[4:]] == before[destination[4:]] + 100
    assert box.payments()[0]["transfer_id"] == newest["id"] == box.transfers()[0]["id"]


@pytest.mark.parametrize(
    ("source", "destination", "kind", "direction"),
    [
        ("Emergency Fund", "Everyday Checking", "Simple", "OUTGOING"),
        ("Emergency Fund", "Travel Card", "Simple", "OUTGOING"),
        ("Everyday Checking", "Bills", "Simple", "INCOMING"),
        ("Everyday Checking", "High-Yield Savings", "Compound", "OUTGOING"),
    ],
)
def test_a_payment_to_or_from_outside_settles_later(
    web: Any, box: Sandbox, accounts: Find, source: str, destination: str, kind: str, direction: str
) -> None:
    """A payment that touches an outside account is pending first and complete days later."""
    paid = web.pay(accounts(source), accounts(destination), 20_00)
    newest = paid["ok"]["organization"]["transferReferences"]["edges"][0]["node"]
    assert (newest["status"], newest["direction"]) == ("PENDING", direction)
    assert newest["details"]["__typename"] == f"{kind}TransferDetails"
    box.advance(days=16)
    assert {r["id"]: r["status"] for r in box.transfers()}[newest["id"]] == "COMPLETE"


@pytest.mark.parametrize(
    ("source", "destination", "cents", "message"),
    [
        ("Bills", "Groceries", 99, "Amount must be at least $1.00"),
        ("Bills", "Groceries", -500, "Amount must be at least $1.00"),
        ("Bills", "Groceries", 900_000_00, "Insufficient funds"),
        ("Bills", "Bills", 500, "Source and destination must be different"),
        ("POD:nobody", "Bills", 500, "Source account not found"),
        ("Bills", "ACCOUNT:nobody", 500, "Destination account not found"),
        ("Travel Card", "Bills", 500, "This account cannot be the source of a transfer"),
        ("Grandma's Credit Union", "Bills", 500, "This account cannot be the source of a transfer"),
    ],
)
def test_a_payment_that_cannot_be_is_refused(
    web: Any, box: Sandbox, accounts: Find, source: str, destination: str, cents: int, message: str
) -> None:
    """A refused payment says why, moves nothing, and is on record."""
    before = box.transfers()
    sides = [name if ":" in name else accounts(name) for name in (source, destination)]
    refused = web.pay(*sides, cents)
    assert refused == {"ok": None, "error": {"message": message}}
    assert box.transfers() == before
    assert box.payments()[0]["result"] == message


def test_a_payment_of_another_type_or_kyc_is_refused(
    web: Any, box: Sandbox, accounts: Find
) -> None:
    """A pod named as an account is refused, and so is the KYC of nobody."""
    pod = accounts("Bills").replace("POD", "ACCOUNT")
    assert "not of type ACCOUNT" in web.pay(pod, accounts("Groceries"), 500)["error"]["message"]
    account = {"id": "x", "type": "POD"}
    fields = {"source": account, "destination": account, "amount": 500}
    answer = web.graphql(PAY, {"id": "nobody", "fields": fields})
    assert answer.json["errors"][0]["message"] == "KYC not found"
    assert box.payments()[1:] == []


def test_no_two_payments_share_a_moment(web: Any, box: Sandbox, accounts: Find) -> None:
    """Each accepted payment is created a second after the one before, and the clock shows it."""
    now = box.now
    for _ in range(3):
        web.pay(accounts("Bills"), accounts("Groceries"), 1_00)
    times = [row["created_at"] for row in box.transfers()[:3]]
    assert len(set(times)) == 3
    assert (box.now - now).total_seconds() == 3


def test_pods_tell_of_their_own_transfers_and_debts(reading: Any, household: Sandbox) -> None:
    """A pod lists its newest transfers; linked ones tell what is owed, or why it is unknown."""
    query = """query ($id: ID!) { organization(id: $id) { pods {
        id name linkedAccountId linkedAccount { id }
        liabilityMetadata { __typename ... on LiabilityMetadata { balance { cents } } }
        transferReferences(first: 5) { edges { node { id } } } } } }"""
    answer = reading.graphql(query, {"id": household.organization_id})
    pods = {pod["name"]: pod for pod in answer.json["data"]["organization"]["pods"]}
    for pod in pods.values():
        own = [
            row["id"]
            for row in household.transfers()
            if any((row[side] or {}).get("id") == pod["id"] for side in SIDES)
        ]
        shown = [edge["node"]["id"] for edge in pod["transferReferences"]["edges"]]
        assert shown == own[:5]
    assert pods["Card Payoff"]["liabilityMetadata"]["balance"]["cents"] > 0
    assert pods["Card Payoff"]["linkedAccountId"] == pods["Card Payoff"]["linkedAccount"]["id"]
    assert pods["Student Loan"]["liabilityMetadata"]["__typename"] == "ErrorMetadata"
    assert pods["Bills"]["liabilityMetadata"] is None


def test_the_summary_is_of_the_current_month(reading: Any, household: Sandbox) -> None:
    """The activity summary counts the transfers of the current month of New York."""
    query = "{ activitySummary { transferReferencesCount totalIncomingFundsInCents { cents } } }"
    summary = reading.graphql(query).json["data"]["activitySummary"]
    month = [r for r in household.transfers() if r["created_at"] >= "2026-10-01T04:00:00"]
    assert summary["transferReferencesCount"] == len(month)
    came_in = [r for r in month if r["direction"] == "INCOMING" and r["status"] == "COMPLETE"]
    assert summary["totalIncomingFundsInCents"]["cents"] == sum(r["amount_cents"] for r in came_in)
