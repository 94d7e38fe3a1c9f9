from __future__ import annotations

import json
import logging
import re
import traceback
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from exchanges import came

from seqdata import models
from seqdata.auth import AuthTokens, get_access_token
from seqdata.auth.tokens import TokenStore
from seqdata.client import SequenceClient
from seqdata.config import get_settings
from seqdata.core.moments import EASTERN, to_eastern
from seqdata.core.text import format_cents, one_line
from seqdata.exceptions import (
    ConnectionFailed,
    GraphQLError,
    HTTPError,
    InvalidAmount,
    RateLimited,
    ReadOnlyMode,
    SequenceError,
    TransferRejected,
    Unauthorized,
    UnexpectedAnswer,
    UnknownAccount,
    UnknownOrganization,
    UnknownTransfer,
)
from seqdata.http.curl import CurlSend
from seqdata.http.messages import Exchange, Request
from seqdata.http.transport import Transport
from seqdata.sandbox import Sandbox

Node = dict[str, Any]
NOWHERE = "00000000-0000-4000-8000-000000000000"


def connect(box: Sandbox, **options: Any) -> SequenceClient:
    """Make a client of a sandbox that retries without waiting."""
    transport = Transport(sleep=lambda _: None)
    return SequenceClient(box.access_token, transport=transport, **options)


@pytest.fixture
def shared(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Take the shared sandbox, for tests that only read it or meet its faults."""
    for name, value in box.environment().items():
        monkeypatch.setenv(name, value)
    box.clear_requests()
    yield box
    box.clear_faults()


@pytest.fixture
def client(shared: Sandbox) -> Iterator[SequenceClient]:
    """Connect to the shared sandbox."""
    with connect(shared) as opened:
        yield opened


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Run a sandbox of one test, which may change it."""
    with Sandbox(seed=7, months=1, now="2026-11-01") as running:
        for name, value in running.environment().items():
            monkeypatch.setenv(name, value)
        yield running


def operations(box: Sandbox) -> list[str]:
    """List the operations that arrived."""
    return [request["operation"] for request in box.requests()]


def without_icons(party: Node | None) -> Node | None:
    """Give a party as the sandbox's list of transfers has it."""
    if party is None:
        return None
    return {"kind": party["__typename"], "id": party.get("id"), "name": party["name"]}


def is_part_of(part: object, whole: object) -> bool:
    """Tell whether a model's values are those of the answer, which may have more keys."""
    if isinstance(part, dict):
        assert isinstance(whole, dict)
        return all(is_part_of(value, whole[key]) for key, value in part.items())
    if isinstance(part, list):
        assert isinstance(whole, list)
        return all(is_part_of(*pair) for pair in zip(part, whole, strict=True))
    return part == whole


# -- the methods ------------------------------------------------------------------------------


CALLS: list[tuple[str, type[Any], Callable[[SequenceClient, Sandbox], Any]]] = [
    ("get_pods", list[models.Pod], lambda c, _: c.get_pods()),
    ("get_total_balance", models.TotalBalance, lambda c, _: c.get_total_balance()),
    ("get_pod_balance", models.Pod, lambda c, _: c.get_pod_balance("Bills")),
    ("get_activity_summary", models.ActivitySummary, lambda c, _: c.get_activity_summary()),
    (
        "get_activity",
        models.ActivityPage,
        lambda c, box: c.get_activity(box.organization_id, first=100),
    ),
    (
        "get_transfer_detail",
        models.Transfer,
        lambda c, box: c.get_transfer_detail(box.organization_id, box.transfers()[0]["id"]),
    ),
    ("get_all_accounts", models.AllAccounts, lambda c, _: c.get_all_accounts()),
]


@pytest.mark.parametrize(("name", "model", "call"), CALLS, ids=[name for name, _, _ in CALLS])
def test_a_model_validates_the_answer_of_its_method(
    name: str,
    model: type[Any],
    call: Callable[[SequenceClient, Sandbox], Any],
    client: SequenceClient,
    box: Sandbox,
) -> None:
    """Each model takes the real answer of its method, and keeps its values as they are."""
    from pydantic import TypeAdapter

    answered = call(client, box)
    read = TypeAdapter(model).validate_python(answered)
    assert json.loads(json.dumps(answered)) == answered  # plain values only
    dumped = TypeAdapter(model).dump_python(read)
    assert dumped
    assert is_part_of(dumped, answered)


def test_pods_have_their_balances(client: SequenceClient, box: Sandbox) -> None:
    """get_pods gives the five documented keys, and the balances of the sandbox's own books."""
    pods = client.get_pods()
    truth = {account: list(days.values())[-1] for account, days in box.balances().items() if days}
    assert len(pods) > 10
    assert [list(pod) for pod in pods] == [
        ["id", "name", "organization_id", "balance_cents", "balance"]
    ] * len(pods)
    assert {pod["id"]: pod["balance_cents"] for pod in pods} == {
        pod["id"]: truth[pod["id"]] for pod in pods
    }
    assert {pod["organization_id"] for pod in pods} == {box.organization_id}
    assert [pod["balance"] for pod in pods] == [format_cents(pod["balance_cents"]) for pod in pods]


def test_the_total_is_the_sum_of_the_pods(client: SequenceClient) -> None:
    """get_total_balance adds up the pods, in cents and as text."""
    pods = client.get_pods()
    total = sum(pod["balance_cents"] for pod in pods)
    assert client.get_total_balance() == {
        "total_balance_cents": total,
        "total_balance": format_cents(total),
        "pod_count": len(pods),
    }


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("Kids", "Kids"),
        ("KIDS", "KIDS"),
        ("groceries", "Groceries"),
        ("BUFFER", "=Buffer"),
        ("málaga", "Vacaciones en Málaga"),
        ("s", None),
        ("no such pod", None),
    ],
)
def test_a_pod_is_found_by_name(asked: str, found: str | None, client: SequenceClient) -> None:
    """The exact name wins, then any case, then the only pod that contains the text."""
    pod = client.get_pod_balance(asked)
    assert (pod and pod["name"]) == found


def test_a_name_that_differs_in_case_only_is_still_exact(client: SequenceClient) -> None:
    """With two pods whose names differ only in case, a third spelling finds one of them."""
    pod = client.get_pod_balance("kids")
    assert pod is not None
    assert pod["name"].casefold() == "kids"


def test_all_accounts_have_the_documented_keys(client: SequenceClient, box: Sandbox) -> None:
    """Pods, ports and outside accounts carry their keys, and an unknown balance reads 0."""
    found = client.get_all_accounts()
    assert {kind: sorted({key for one in rows for key in one}) for kind, rows in found.items()} == {
        "pods": ["balance", "balance_cents", "id", "name", "organization_id", "type"],
        "ports": ["balance", "balance_cents", "id", "name", "organization_id"],
        "accounts": [
            "balance", "balance_cents", "id", "institution", "name", "organization_id",
            "provider_type", "type",
        ],
    }  # fmt: skip
    unknown = {account for account, days in box.balances().items() if not days}
    manual = [one for one in found["accounts"] if one["id"] in unknown]
    assert [(one["balance_cents"], one["balance"]) for one in manual] == [(0, "$0.00")]
    assert client.get_all_accounts(box.organization_id) == found
    assert client.get_all_accounts(NOWHERE) == {"pods": [], "ports": [], "accounts": []}


def test_numbers_of_a_pod_are_masked(client: SequenceClient, box: Sandbox) -> None:
    """A pod's node comes as sent, with four digits of its numbers, and whole ones on request."""
    pod = client.get_pods()[0]
    masked = client.get_pod_detail(box.organization_id, pod["id"])
    whole = client.get_pod_detail(box.organization_id, pod["id"], show_account_numbers=True)
    for field in ("bankAccountNumber", "routingNumber"):
        number = whole[field]
        assert number.isdigit()
        assert masked[field] == "*" * (len(number) - 4) + number[-4:]
    assert masked["name"] == pod["name"]
    assert masked["metadata"]["balance"]["cents"] == pod["balance_cents"]


def test_recent_transfers_of_a_pod_are_in_eastern_time(
    client: SequenceClient, box: Sandbox
) -> None:
    """The five newest transfers of a pod stand in its node, their createdAt in Eastern time."""
    pod = client.get_pods()[0]["id"]
    detail = client.get_pod_detail(box.organization_id, pod)
    shown = [edge["node"] for edge in detail["transferReferences"]["edges"]]
    truth = [
        one
        for one in box.transfers()
        if pod in [(one[end] or {}).get("id") for end in ("source", "destination")]
    ][:5]
    assert [(one["id"], one["createdAt"]) for one in shown] == [
        (one["id"], to_eastern(one["created_at"])) for one in truth
    ]


def test_the_pages_of_the_activity_are_all_of_it(client: SequenceClient, box: Sandbox) -> None:
    """Page by page, get_activity gives every transfer of the sandbox, field by field."""
    found: list[Node] = []
    cursor, has_next_page = "", True
    while has_next_page:
        page = client.get_activity(box.organization_id, first=100, after=cursor)
        found += page["transfers"]
        cursor, has_next_page = page["page_info"]["end_cursor"], page["page_info"]["has_next_page"]
    assert len(found) > 400
    assert [
        one | {end: without_icons(one[end]) for end in ("source", "destination")} for one in found
    ] == [
        {
            "id": one["id"],
            "type": one["type"],
            "status": one["status"],
            "error_reason": one["error_reason"],
            "created_at": to_eastern(one["created_at"]),
            "updated_at": to_eastern(one["updated_at"]),
            "amount_cents": one["amount_cents"],
            "amount": format_cents(one["amount_cents"]),
            "source": one["source"],
            "destination": one["destination"],
            "direction": one["direction"],
            "activity_type": one["activity_type"],
        }
        for one in box.transfers()
    ]


def test_filters_reach_the_service(client: SequenceClient, box: Sandbox) -> None:
    """Every filter arrives under the service's name for it, and its answer fits."""
    page = client.get_activity(
        box.organization_id,
        first=50,
        date_start="2026-09-01",
        date_end="2026-09-30",
        statuses=["COMPLETE"],
        directions=["OUTGOING"],
        activity_types=["CARD_PURCHASE"],
        hide_internal=True,
        name="market",
    )
    assert page["transfers"]
    for one in page["transfers"]:
        assert (one["status"], one["direction"]) == ("COMPLETE", "OUTGOING")
        assert one["created_at"] >= "2026-08-31"
        assert one["created_at"] < "2026-10-01"
    (request,) = box.requests()
    assert request["variables"]["transferFilter"] == {
        "createdAt": {"start": "2026-09-01", "end": "2026-09-30"},
        "statuses": ["COMPLETE"],
        "directions": ["OUTGOING"],
        "activityTypes": ["CARD_PURCHASE"],
        "hideInternalTransfers": True,
        "name": "market",
    }


def test_a_filter_that_is_off_is_left_out(client: SequenceClient, box: Sandbox) -> None:
    """Without filters the variables hold the organization, the page, and an empty filter."""
    assert len(client.get_activity(box.organization_id)["transfers"]) == 10
    (request,) = box.requests()
    assert request["variables"] == {
        "organizationId": box.organization_id,
        "transferFilter": {},
        "first": 10,
        "after": "",
    }


def leg(payment: Node | None) -> Node | None:
    """Give a payment of the sandbox's list as the client's leg has it."""
    if payment is None:
        return None
    return {
        "__typename": "PaymentStatus",
        "status": payment["status"],
        "createdAt": to_eastern(payment["created_at"]),
        "completedAt": to_eastern(payment["completed_at"]),
        "expectedCompletionDate": payment["expected_on"],
    }


@pytest.mark.parametrize("kind", ["simple", "compound"])
@pytest.mark.parametrize("by_rule", [True, False])
def test_a_detail_has_its_legs_and_its_rule(
    kind: str, by_rule: bool, client: SequenceClient, box: Sandbox
) -> None:
    """A detail is the transfer with its payments, and a rule only where one made it."""
    fitting = [
        one
        for one in box.transfers()
        if one["details"]["kind"] == kind and bool(one["rule"]) is by_rule
    ]
    assert fitting
    for one in fitting[:3]:
        detail = client.get_transfer_detail(box.organization_id, one["id"])
        assert detail["amount_cents"] == one["amount_cents"]
        assert detail["created_at"] == to_eastern(one["created_at"])
        assert detail.get("rule") == one["rule"]
        assert ("rule" in detail) is by_rule
        truth = one["details"]
        if kind == "simple":
            assert detail["details"] == {
                "type": "simple",
                "status": truth["status"]["status"],
                "created_at": to_eastern(truth["status"]["created_at"]),
                "completed_at": to_eastern(truth["status"]["completed_at"]),
                "expected_completion": truth["status"]["expected_on"],
            }
        else:
            legs = {name: leg(truth[name]) for name in ("pull", "push", "reversal")}
            assert detail["details"] == {"type": "compound", **legs}


def test_the_summary_is_of_the_current_month(client: SequenceClient, box: Sandbox) -> None:
    """get_activity_summary counts the transfers of the month that the service lives in."""
    summary = client.get_activity_summary()
    assert list(summary) == [
        "transfer_count", "rule_executions", "total_incoming_cents", "total_incoming",
    ]  # fmt: skip
    month = box.now.astimezone(EASTERN).strftime("%Y-%m")
    rows = [
        one
        for one in box.transfers()
        if datetime.fromisoformat(one["created_at"]).astimezone(EASTERN).strftime("%Y-%m") == month
    ]
    assert summary["transfer_count"] == len(rows)
    assert summary["rule_executions"] > 0
    assert summary["total_incoming"] == format_cents(summary["total_incoming_cents"])


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda c, box: c.get_pod_detail(box.organization_id, NOWHERE), UnknownAccount),
        (lambda c, box: c.get_transfer_detail(box.organization_id, NOWHERE), UnknownTransfer),
    ],
)
def test_what_is_not_there_is_said(
    call: Callable[[SequenceClient, Sandbox], Any],
    error: type[SequenceError],
    client: SequenceClient,
    box: Sandbox,
) -> None:
    """An unknown pod or transfer is an error that names the id."""
    with pytest.raises(error, match=NOWHERE):
        call(client, box)


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.get_activity(NOWHERE),
        lambda client: client.get_pod_detail(NOWHERE, NOWHERE),
        lambda client: client.get_transfer_detail(NOWHERE, NOWHERE),
    ],
)
def test_an_unknown_organization_is_said(
    call: Callable[[SequenceClient], Any], client: SequenceClient, box: Sandbox
) -> None:
    """Whether the service answers an error or just nothing, an organization unknown to it shows."""
    with pytest.raises(GraphQLError, match="Organization not found") as refused:
        call(client)
    assert refused.value.query.startswith("query ")
    nothing = Transport(lambda _: came(200, b'{"data": {"organization": null}}'))
    with pytest.raises(UnknownOrganization, match=NOWHERE):
        call(SequenceClient(box.access_token, transport=nothing))


def test_execute_gives_the_data_as_sent(client: SequenceClient) -> None:
    """execute returns the data part; an invalid document is refused in the service's words."""
    assert client.execute("{ __typename }") == {"__typename": "Query"}
    with pytest.raises(HTTPError, match=r"^HTTP 400.*nonsense"):
        client.execute("{ nonsense }")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<html>", "expected JSON, got 6 bytes: '<html>'"),
        (b'{"data": {"me"', "expected JSON, got 14 bytes"),
        (b"[]", "expected a JSON object, got list"),
        (b"{}", "expected data, got none"),
        (b'{"data": null}', "expected data, got none"),
    ],
)
def test_an_answer_that_is_none_is_not_understood(body: bytes, said: str) -> None:
    """A page, a cut answer and an answer without data are said to be no answer, and what came."""
    client = SequenceClient("token", transport=Transport(lambda _: came(200, body)))
    with pytest.raises(UnexpectedAnswer, match=re.escape(said)):
        client.get_pods()


# -- what arrives -----------------------------------------------------------------------------


#: What curl_cffi's impersonation of Chrome and HTTP itself add; their values are Chrome's.
CHROMES = {
    "accept-encoding", "accept-language", "connection", "content-length", "host", "sec-ch-ua",
    "sec-ch-ua-mobile", "sec-ch-ua-platform", "user-agent",
}  # fmt: skip


@pytest.mark.parametrize("once", [False, True])
def test_headers_are_those_of_the_web_application(own: Sandbox, once: bool) -> None:
    """Header by header a read and a payment look like the web application's, and no more."""
    with connect(own) as client:
        for _ in range(2):
            if once:
                with pytest.raises(TransferRejected):
                    client.transfer(own.kyc_id, NOWHERE, NOWHERE, 100)
            else:
                client.get_pods()
    first, second = (request["headers"] for request in own.requests())
    assert len(first) == len(dict(first)), "a header came twice"
    request_id = dict(first)["x-request-id"]
    assert {name: value for name, value in first if name not in CHROMES} == {
        "accept": (
            "application/graphql-response+json, application/graphql+json, application/json, "
            "text/event-stream, multipart/mixed"
        ),
        "authorization": f"Bearer {own.access_token}",
        "content-type": "application/json",
        "origin": own.app_url,
        "referer": f"{own.app_url}/",
        "sec-fetch-dest": "empty",
        "sec-fetch-mode": "cors",
        "sec-fetch-site": "same-origin",
        "x-request-id": request_id,
    }
    assert re.fullmatch(r"webapp-.*", request_id)
    assert uuid.UUID(request_id.removeprefix("webapp-")).version == 4
    assert dict(second)["x-request-id"] != request_id
    assert "Chrome/" in dict(first)["user-agent"]


def test_a_request_goes_where_the_web_application_sends_it(
    client: SequenceClient, box: Sandbox
) -> None:
    """Every operation is a POST to /api/graphql under its own name."""
    client.get_pods()
    client.get_activity_summary()
    assert [(one["method"], one["path"], one["operation"]) for one in box.requests()] == [
        ("POST", "/api/graphql", "SelectSourceAndDestination"),
        ("POST", "/api/graphql", "ActivitySummary"),
    ]


# -- tokens -----------------------------------------------------------------------------------


def test_the_provider_is_asked_before_every_request(shared: Sandbox) -> None:
    """The provider's token is the one that is sent, and it is asked each time."""
    given: list[str] = []

    def provide() -> str:
        given.append(shared.issue_token())
        return given[-1]

    with connect(shared, token_provider=provide) as client:
        client.get_pods()
        client.get_activity_summary()
    sent = [dict(request["headers"])["authorization"] for request in shared.requests()]
    assert sent == [f"Bearer {token}" for token in given]
    assert len(given) == 2


def test_after_a_401_the_provider_is_asked_once_more(shared: Sandbox) -> None:
    """A read whose token was refused is sent again with another token of the provider."""
    tokens = [shared.access_token, shared.issue_token(), shared.issue_token()]
    waiting = iter(tokens)
    shared.fail("unauthorized", times=1)
    with connect(shared, token_provider=lambda: next(waiting)) as client:
        assert client.get_pods()
    sent = [dict(request["headers"])["authorization"] for request in shared.requests()]
    assert sent == [f"Bearer {token}" for token in tokens[:2]]


@pytest.mark.parametrize("provider", [True, False])
def test_a_401_is_raised_if_the_same_token_comes_back(own: Sandbox, provider: bool) -> None:
    """Without another token the refusal is raised, after one request."""
    asked: list[int] = []

    def provide() -> str:
        asked.append(1)
        return own.access_token

    own.expire_tokens()
    with (
        connect(own, token_provider=provide if provider else None) as client,
        pytest.raises(Unauthorized, match=r"^HTTP 401"),
    ):
        client.get_pods()
    assert len(own.requests()) == 1
    assert len(asked) == (2 if provider else 0)


def test_a_second_refusal_is_raised(shared: Sandbox) -> None:
    """A fresh token that is refused too ends it: two requests, no loop."""
    shared.fail("unauthorized", times=5)
    with (
        connect(shared, token_provider=shared.issue_token) as client,
        pytest.raises(Unauthorized),
    ):
        client.get_pods()
    assert len(shared.requests()) == 2


def test_only_the_refused_token_is_rejected(tmp_path: Path) -> None:
    """A token that another request of the client fetched meanwhile is not the one refused."""
    tokens = iter(["first", "second", "third"])
    store = TokenStore(get_settings())
    store.write(AuthTokens("second", None, 4e9), client_id=None)
    sent: list[str] = []

    def send(request: Request) -> Exchange:
        sent.append(request.token.get_secret_value() if request.token else "")
        if len(sent) == 1:
            client.execute("{ me { id } }")
            return came(401, b"")
        return came(200, b'{"data": {}}')

    client = SequenceClient("unused", lambda: next(tokens), transport=Transport(send))
    assert client.execute("{ me { id } }") == {}
    assert sent == ["first", "second", "third"]
    saved = store.read()
    assert saved is not None
    assert saved.expires_at == 4e9


def test_an_expired_token_is_refreshed_over_the_real_endpoint(own: Sandbox) -> None:
    """With get_access_token as provider a refused token is refreshed once, saved and used."""
    store = TokenStore(get_settings())
    store.write(AuthTokens(own.access_token, own.refresh_token, 4e9), client_id=None)
    own.expire_tokens()
    with connect(own, token_provider=get_access_token) as client:
        assert client.get_pods()
        assert client.get_pods()
    paths = [request["path"] for request in own.requests()]
    assert paths == ["/api/graphql", "/oauth/token", "/api/graphql", "/api/graphql"]
    saved = store.read()
    assert saved is not None
    assert saved.access_token != own.access_token
    assert saved.refresh_token not in (None, own.refresh_token)


def test_an_unrotated_refresh_token_is_kept(own: Sandbox) -> None:
    """Where the login does not rotate, the refresh token of the file stays."""
    own.rotates_refresh_tokens = False
    store = TokenStore(get_settings())
    store.write(AuthTokens("ended", own.refresh_token, 1.0), client_id=None)
    with connect(own, token_provider=get_access_token) as client:
        assert client.get_pods()
    saved = store.read()
    assert saved is not None
    assert saved.refresh_token == own.refresh_token


# -- faults -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["server_error", "rate_limit", "cut"])
def test_a_read_survives_a_passing_fault(kind: str, shared: Sandbox) -> None:
    """A read gets its answer after a 500, a 429 and a cut connection."""
    shared.fail(kind, times=2)
    with connect(shared) as client:
        assert client.get_pods()
    assert len(shared.requests()) >= 3


def test_a_long_wait_is_raised_with_its_time(shared: Sandbox) -> None:
    """A Retry-After over 120 s is not sat out: the error says how long."""
    shared.fail("rate_limit", retry_after=600)
    with connect(shared) as client, pytest.raises(RateLimited, match="wait 600 seconds"):
        client.get_pods()
    assert len(shared.requests()) == 1


@pytest.mark.parametrize("kind", ["errors_with_data", "errors_without_data"])
def test_errors_are_errors_with_data_beside_them_too(kind: str, shared: Sandbox) -> None:
    """An answer that carries errors raises them, and is not asked for again."""
    shared.fail(kind, message="Something broke", code="FORBIDDEN")
    with connect(shared) as client, pytest.raises(GraphQLError, match="Something broke") as refused:
        client.get_pods()
    assert isinstance(refused.value, RuntimeError)
    assert len(shared.requests()) == 1


def test_nobody_there_is_one_sentence(own: Sandbox) -> None:
    """When the server is gone, the error names its address."""
    with connect(own) as client:
        own.stop()
        with pytest.raises(ConnectionFailed, match=f"^No answer from {own.app_url}: "):
            client.get_pods()


# -- moving money -----------------------------------------------------------------------------


def two_pods(client: SequenceClient) -> tuple[str, str]:
    """Give the ids of two pods that hold money."""
    rich = [pod["id"] for pod in client.get_pods() if pod["balance_cents"] > 10_000]
    return rich[0], rich[1]


def test_a_transfer_moves_money(own: Sandbox) -> None:
    """A transfer's answer is the ok part, with the pods' new balances."""
    with connect(own) as client:
        source, destination = two_pods(client)
        before = {pod["id"]: pod["balance_cents"] for pod in client.get_pods()}
        ok = client.transfer(own.kyc_id, source, destination, 1_234, description="for lunch")
        after = {pod["id"]: pod["balance_cents"] for pod in client.get_pods()}
    assert after == before | {
        source: before[source] - 1_234,
        destination: before[destination] + 1_234,
    }
    pods = ok["organization"]["pods"]
    assert {pod["id"]: pod["metadata"]["balance"]["cents"] for pod in pods} == after
    (payment,) = own.payments()
    assert payment["result"] == "ok"
    assert payment["variables"] == {
        "source": {"id": source, "type": "POD"},
        "destination": {"id": destination, "type": "POD"},
        "amount": 1_234,
        "isInstantTransfer": False,
        "achDescription": "for lunch",
    }


def test_a_refused_transfer_says_why(own: Sandbox) -> None:
    """The service's refusal is a RuntimeError in its own words."""
    with connect(own) as client:
        source, destination = two_pods(client)
        with pytest.raises(RuntimeError, match=r"^Transfer failed: Insufficient funds$"):
            client.transfer(own.kyc_id, source, destination, 2_000_000_000)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("unauthorized", Unauthorized),
        ("server_error", HTTPError),
        ("rate_limit", RateLimited),
        ("cut", ConnectionFailed),
        ("errors_without_data", GraphQLError),
    ],
)
@pytest.mark.parametrize("door", ["transfer", "execute"])
def test_a_transfer_is_sent_once(
    kind: str, error: type[SequenceError], door: str, own: Sandbox
) -> None:
    """After any fault, a 401 and a cut reused connection included, nothing is sent again."""
    from seqdata.sources.webapp.documents import document

    with connect(own, token_provider=own.issue_token) as client:
        source, destination = two_pods(client)
        own.fail(kind, times=1, operation="CreatePayment")
        with pytest.raises(error):
            if door == "transfer":
                client.transfer(own.kyc_id, source, destination, 100)
            else:
                variables = {
                    "id": own.kyc_id,
                    "source": {"id": source, "type": "POD"},
                    "destination": {"id": destination, "type": "POD"},
                    "amount": 100,
                }
                client.execute(document("CreatePayment"), variables, "CreatePayment")
    assert Counter(operations(own))["CreatePayment"] == 1
    assert own.payments() == []


@pytest.mark.parametrize("amount", [0, -100, 1.5, "100", True])
def test_an_amount_is_positive_whole_cents(amount: Any, shared: Sandbox) -> None:
    """What is no positive whole number of cents is refused before anything is sent."""
    with connect(shared) as client, pytest.raises(InvalidAmount):
        client.transfer(shared.kyc_id, NOWHERE, NOWHERE, amount)
    assert shared.requests() == []


@pytest.mark.parametrize("when", ["before the client", "after the client", "beside its settings"])
def test_read_only_mode_lets_no_mutation_out(
    when: str, shared: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With SEQUENCE_READ_ONLY=1 nothing that changes anything is sent, from any door."""
    if when == "before the client":
        monkeypatch.setenv("SEQUENCE_READ_ONLY", "1")
    given = get_settings() if when == "beside its settings" else None
    with connect(shared, settings=given) as client:
        monkeypatch.setenv("SEQUENCE_READ_ONLY", "1")
        with pytest.raises(ReadOnlyMode, match="^CreatePayment .*Nothing was sent"):
            client.transfer(shared.kyc_id, NOWHERE, NOWHERE, 100)
        with pytest.raises(ReadOnlyMode):
            client.execute("query Q { __typename } mutation M { __typename }", None, "Q")
        assert shared.requests() == []
        assert client.get_pods()


# -- secrets and closing ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["unauthorized", "server_error", "cut", "errors_without_data"])
def test_no_token_in_logs_or_tracebacks(
    kind: str, shared: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever goes wrong, neither logs, errors, tracebacks nor reprs show the token."""
    shared.fail(kind, times=10)
    with caplog.at_level(logging.DEBUG), connect(shared) as client:
        with pytest.raises(SequenceError) as failed:
            client.get_pods()
        shown = "".join(traceback.format_exception(failed.value)) + repr(client) + caplog.text
    assert "SelectSourceAndDestination" in shown
    signature = shared.access_token.split(".")[-1]
    assert signature not in shown


def test_a_client_may_be_closed_twice(shared: Sandbox) -> None:
    """close may be called again, also after the with block has closed."""
    with connect(shared) as client:
        client.get_pods()
    client.close()
    client.close()
    assert operations(shared) == ["SelectSourceAndDestination"]


def test_a_client_of_the_environment_needs_no_parameters(own: Sandbox) -> None:
    """A script's two lines work: a token, and a client made of it."""
    with SequenceClient(own.access_token, get_access_token_of(own)) as client:
        assert client.get_total_balance()["pod_count"] > 0


def get_access_token_of(box: Sandbox) -> Callable[[], str]:
    """Save a sandbox's token and return the real provider."""
    tokens = AuthTokens(box.access_token, box.refresh_token, 4e9)
    TokenStore(get_settings()).write(tokens, client_id=None)
    return get_access_token


# -- answers that nobody should send ----------------------------------------------------------


@pytest.mark.parametrize(("sent", "told"), [(None, None), ("", ""), ("abc", "abc")])
def test_an_end_cursor_is_given_back_as_sent(sent: str | None, told: str | None) -> None:
    """A null endCursor is None, and not an empty text; the models read it as one."""
    connection = {"edges": [], "pageInfo": {"endCursor": sent, "hasNextPage": False}}
    body = {"data": {"organization": {"id": "o", "transferReferences": connection}}}
    transport = Transport(lambda _: came(200, json.dumps(body).encode()))
    page = SequenceClient("token", transport=transport).get_activity("o")
    assert page["page_info"] == {"end_cursor": told, "has_next_page": False}
    assert models.ActivityPage.model_validate(page).page_info.end_cursor == (told or "")


@pytest.mark.parametrize(
    ("variant", "said"),
    [
        ("bomb", "more than 1,000,000 bytes"),
        ("huge", "more than 1,000,000 bytes"),
        ("nested", "expected JSON"),
        ("huge_headers", "No answer"),
        ("bad_length", "No answer"),
        ("stray_lines", "No answer"),
        ("other_protocol", "No answer"),
    ],
)
def test_a_pathological_answer_to_a_read_is_a_typed_error(
    shared: Sandbox, variant: str, said: str
) -> None:
    """What is huge, packed too well, too deep or garbage is bounded, and an error of ours."""
    transport = Transport(CurlSend(largest_answer=1_000_000), sleep=lambda _: None)
    shared.fail("wire", variant=variant, times=9)
    with (
        SequenceClient(shared.access_token, transport=transport) as client,
        pytest.raises(SequenceError, match=said),
    ):
        client.get_pods()


def test_an_answer_that_never_ends_is_asked_for_again(shared: Sandbox) -> None:
    """An answer that does not end is given up in time, and the next attempt is taken."""
    transport = Transport(CurlSend(whole_timeout=3.0), sleep=lambda _: None)
    shared.fail("wire", variant="never_ends")
    with SequenceClient(shared.access_token, transport=transport) as client:
        assert client.get_pods()


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"[" * 5_000, UnexpectedAnswer),
        (b'{"data": ' + b"[" * 400 + b"]" * 400 + b"}", UnexpectedAnswer),
        (b'{"data": {}, "errors": "no"}', UnexpectedAnswer),
        (b'{"data": {}, "errors": {"message": "no"}}', UnexpectedAnswer),
        (b'{"data": {}, "errors": 7}', UnexpectedAnswer),
        (b'{"data": {}, "errors": [1, null, "no"]}', GraphQLError),
        (b"1" * 5_000, UnexpectedAnswer),
        (b"\xff\xfe", UnexpectedAnswer),
    ],
)
def test_an_odd_document_is_a_typed_error(body: bytes, error: type[SequenceError]) -> None:
    """Nesting without end, errors that are no list, endless numbers: typed, and sayable."""
    client = SequenceClient("token", transport=Transport(lambda _: came(200, body)))
    with pytest.raises(error) as raised:
        client.execute("query Q { me { id } }")
    assert str(raised.value)


OK = {"data": {"forKYC": {"createPayment": {"ok": {"organization": {}}, "error": None}}}}


@pytest.mark.parametrize(
    ("status", "body", "error", "said"),
    [
        (200, {**OK, "errors": [{"message": "no"}]}, GraphQLError, "no"),
        (200, {**OK, "errors": "no"}, UnexpectedAnswer, "errors in a list"),
        (200, {**OK, "error": "no"}, UnexpectedAnswer, "a clear yes or no"),
        (400, OK, HTTPError, "^HTTP 400"),
        (404, OK, HTTPError, "^HTTP 404"),
        (429, OK, RateLimited, "^HTTP 429"),
        (200, {"data": {"forKYC": {"createPayment": {"ok": None, "error": {"message": "Low"}}}}},
         TransferRejected, "^Transfer failed: Low$"),
    ],
)  # fmt: skip
def test_the_bare_transfer_is_judged_by_the_same_rules(
    status: int, body: Node, error: type[SequenceError], said: str
) -> None:
    """client.transfer returns where an answer is clear, and raises a RuntimeError elsewhere."""
    sent: list[Request] = []

    def send(request: Request) -> Exchange:
        sent.append(request)
        return came(status, json.dumps(body).encode())

    client = SequenceClient("token", transport=Transport(send))
    with pytest.raises(error, match=said) as raised:
        client.transfer("kyc", "a", "b", 100)
    assert isinstance(raised.value, RuntimeError)
    assert [request.once for request in sent] == [True]


def test_the_bare_transfer_reads_the_answer_once() -> None:
    """An ok that is nested too deeply to be judged is an error of ours, and not a bare one."""
    deep = b'{"data":{"forKYC":{"createPayment":{"ok":{"a":' + b"[" * 300 + b"]" * 300 + b"}}}}}"
    client = SequenceClient("token", transport=Transport(lambda _: came(200, deep)))
    with pytest.raises(UnexpectedAnswer):
        client.transfer("kyc", "a", "b", 100)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Insufficient funds", "Insufficient funds"),
        ("a\x1b[2K\r\nCompleted: yes", "a\\x1b[2K Completed: yes"),
        ("x" * 5_000_000, "x" * 199 + "…"),
        ("\u202e\u200b", "\\u202e\\u200b"),
    ],
)
def test_a_services_sentence_is_one_printable_line(text: str, shown: str) -> None:
    """What a service says is quoted as one line of printable characters, and not without end."""
    assert one_line(text) == shown
