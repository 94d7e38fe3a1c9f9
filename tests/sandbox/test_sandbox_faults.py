"""The faults a trustworthy sync is tested with, each over real HTTP."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from sandbox_http import NOW, PAGE, PAY, Answer, Http
from waiting import LONG, PATIENCE, until

from seqdata.sandbox import Sandbox
from seqdata.sandbox.faults.queue import KINDS

ME = "query Me { me { id } }"
Find = Callable[[str], str]
Payments = Callable[[], list[str]]
Edges = list[dict[str, Any]]


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    """Serve one small world to all tests of faults."""
    with Sandbox(now=NOW, months=2) as box:
        yield box


@pytest.fixture
def box(shared: Sandbox) -> Iterator[Sandbox]:
    """Give the shared world to one test, and let no fault outlive it."""
    yield shared
    shared.clear_faults()


@pytest.fixture
def new_payments(box: Sandbox) -> Callable[[], list[str]]:
    """Give the results of the payments made since."""
    before = len(box.payments())
    return lambda: [one["result"] for one in box.payments()[before:]]


def edges(web: Http, first: int = 5, **variables: Any) -> tuple[Edges, dict[str, Any]]:
    """One page: its edges and its page info."""
    page = web.page(first=first, **variables)["transferReferences"]
    return page["edges"], page["pageInfo"]


def ids(rows: Edges) -> list[str]:
    return [row["node"]["id"] for row in rows]


def walk(web: Http, first: int = 20) -> list[str]:
    """Every id the API gives, page by page, repeated ones too."""
    return [node["id"] for node in web.walk(first)]


def truth(box: Sandbox) -> list[str]:
    return [row["id"] for row in box.transfers(box.organization_id)]


@pytest.mark.parametrize(
    ("kind", "status", "words"),
    [("forbidden", 403, "you have been blocked"), ("bad_gateway", 502, "502 Bad Gateway")],
)
def test_walls_and_gateways_answer_in_html(
    web: Http, box: Sandbox, kind: str, status: int, words: str
) -> None:
    """A wall of the CDN and a broken gateway answer with a page of HTML, once."""
    box.fail(kind)
    answer = web.graphql(ME)
    assert answer.status == status
    assert answer.headers["content-type"].startswith("text/html")
    assert words in answer.body.decode()
    assert web.graphql(ME).status == 200


def test_a_connection_cut_afterwards_hides_a_payment_that_was_made(
    web: Http, box: Sandbox, accounts: Find
) -> None:
    """After `cut_after` no answer comes, and the money has moved."""
    source, destination = accounts("Bills"), accounts("Groceries")
    box.fail("cut_after", operation="CreatePayment")
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        web.pay(source, destination, 1234)
    assert box.payments()[-1]["result"] == "ok"
    assert box.transfers(limit=1)[0]["id"] == box.payments()[-1]["transfer_id"]
    assert web.graphql(ME).status == 200


def test_a_cut_grant_has_spent_the_refresh_token(web: Http, box: Sandbox) -> None:
    """After `cut_after` at the token endpoint the old refresh token is void."""
    grant = {
        "grant_type": "refresh_token",
        "client_id": box.client_id,
        "refresh_token": box.refresh_token,
    }
    box.fail("cut_after", operation="oauth/token")
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        web.request("POST", "/oauth/token", grant, origin=box.auth_url)
    assert web.request("POST", "/oauth/token", grant, origin=box.auth_url).status == 403


@pytest.mark.parametrize("first", [1, 100])
def test_a_cut_midway_leaves_half_of_the_body(web: Http, box: Sandbox, first: int) -> None:
    """Headers and half of the announced body arrive, then the connection ends."""
    box.fail("cut_midway")
    connection = http.client.HTTPConnection(urlsplit(box.app_url).netloc)
    variables = {"id": box.organization_id, "first": first}
    headers = {"authorization": f"Bearer {box.access_token}"}
    call = json.dumps({"query": PAGE, "variables": variables})
    connection.request("POST", "/api/graphql", call, headers)
    response = connection.getresponse()
    announced = int(response.headers["content-length"])
    with pytest.raises(http.client.IncompleteRead) as caught:
        response.read()
    connection.close()
    assert response.status == 200
    assert len(caught.value.partial) == announced // 2
    assert len(web.page(first=first)["transferReferences"]["edges"]) == first


def test_truncated_json_is_valid_http(web: Http, box: Sandbox) -> None:
    """The body has its announced length, its type is JSON, and JSON it is not."""
    box.fail("truncated_json", share=0.9)
    answer = web.graphql(PAGE, {"id": box.organization_id})
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("application/json")
    assert int(answer.headers["content-length"]) == len(answer.body) > 1000
    with pytest.raises(json.JSONDecodeError):
        _ = answer.json


def test_a_slow_answer_is_late_and_whole(web: Http, box: Sandbox) -> None:
    """A slow answer comes after its seconds, and can be of another fault."""
    box.fail("slow", seconds=0.3, times=2)
    box.fail("bad_gateway", after=1)
    for status in (200, 502):
        begun = time.monotonic()
        assert web.graphql(ME).status == status
        assert time.monotonic() - begun >= 0.3


def test_who_does_not_wait_for_a_slow_answer_has_still_acted(
    web: Http, box: Sandbox, accounts: Find, new_payments: Callable[[], list[str]]
) -> None:
    """A client that gives up on a slow answer leaves a payment behind, and the server serves."""
    source, destination = accounts("Bills"), accounts("Groceries")
    sides = [
        dict(zip(("type", "id"), side.split(":"), strict=True)) for side in (source, destination)
    ]
    fields = {"source": sides[0], "destination": sides[1], "amount": 500}
    call = {"query": PAY, "variables": {"id": box.kyc_id, "fields": fields}}
    box.fail("slow", seconds=LONG)
    connection = http.client.HTTPConnection(urlsplit(box.app_url).netloc, timeout=PATIENCE)
    headers = {"authorization": f"Bearer {box.access_token}"}
    connection.request("POST", "/api/graphql", json.dumps(call), headers)
    until(new_payments, why="the payment that is not waited for")
    connection.sock.settimeout(0.1)
    with pytest.raises(TimeoutError):
        connection.getresponse()
    connection.close()
    assert new_payments() == ["ok"]
    assert web.graphql(ME).status == 200


def test_a_sandbox_stops_while_an_answer_is_late() -> None:
    """Stopping ends a late answer: the client is cut off instead of waiting for it."""
    box = Sandbox(now=NOW, months=1).start()
    box.fail("slow", seconds=LONG)
    connection = http.client.HTTPConnection(urlsplit(box.app_url).netloc, timeout=PATIENCE)
    connection.request("POST", "/api/graphql", json.dumps({"query": ME}))
    until(box.requests, why="the request to arrive")
    box.stop()
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        connection.getresponse()
    connection.close()


def test_an_expired_cursor_is_an_error_that_names_it(web: Http, box: Sandbox) -> None:
    """A request with a cursor gets a GraphQL error and null data; the cursor is good again."""
    cursor = edges(web)[1]["endCursor"]
    box.fail("expired_cursor")
    assert edges(web)[0]
    answer = web.graphql(PAGE, {"id": box.organization_id, "after": cursor})
    assert answer.status == 200
    assert answer.json["data"]["organization"] is None
    assert answer.json["errors"][0]["message"] == "Cursor has expired."
    assert edges(web, after=cursor)[0]


def test_all_cursors_can_expire_at_once(web: Http, box: Sandbox) -> None:
    """With `all` no cursor issued before is good again, and new ones are."""
    old = [edges(web, first=n)[1]["endCursor"] for n in (5, 7)]
    box.fail("expired_cursor", all=True)
    for cursor in [*old, old[0]]:
        answer = web.graphql(PAGE, {"id": box.organization_id, "after": cursor})
        assert answer.json["errors"][0]["message"] == "Cursor has expired."
    assert walk(web) == truth(box)


def test_counting_can_fail(web: Http, box: Sandbox) -> None:
    """A call that asks for the count gets an error and null data; others pass by."""
    box.fail("no_count")
    assert web.graphql(ME).status == 200
    answer = web.graphql(PAGE, {"id": box.organization_id})
    assert answer.status == 200
    assert answer.json["data"]["organization"] is None
    assert answer.json["errors"][0]["path"] == ["organization", "numberOfTransfers"]
    assert web.page()["numberOfTransfers"]["count"] == len(truth(box))


def test_counting_can_be_unknown_to_the_schema(web: Http, box: Sandbox) -> None:
    """With the variant `unknown` the document is refused, as by a schema without the field."""
    box.fail("no_count", variant="unknown")
    answer = web.graphql(PAGE, {"id": box.organization_id})
    assert answer.status == 400
    error = answer.json["errors"][0]
    assert error["message"].startswith("Cannot query field 'numberOfTransfers'")
    assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert web.page()["numberOfTransfers"]["count"] == len(truth(box))


@pytest.mark.parametrize("options", [{}, {"rows": 3}])
def test_a_short_page_loses_no_row(web: Http, box: Sandbox, options: dict[str, Any]) -> None:
    """Short pages say there are more, and a walk over them finds every row once."""
    box.fail("short_page", times=3, **options)
    rows, info = edges(web, first=20)
    assert len(rows) == options.get("rows", 10)
    assert info["hasNextPage"]
    assert walk(web) == truth(box)


def test_a_short_last_page_still_has_all_rows(web: Http, box: Sandbox) -> None:
    """A last page that is cut short is followed by its other rows, and by nothing more."""
    some = {"createdAt": {"start": truth_row(box, 9)["created_at"]}}
    box.fail("short_page")
    rows, info = edges(web, first=100, filter=some)
    rest, end = edges(web, first=100, filter=some, after=info["endCursor"])
    assert ids(rows) + ids(rest) == truth(box)[:10]
    assert not end["hasNextPage"]


def truth_row(box: Sandbox, number: int) -> dict[str, Any]:
    return box.transfers(limit=1, offset=number)[0]


def test_a_filter_can_be_ignored(web: Http, box: Sandbox) -> None:
    """The filter's dates are not listened to, in rows and count alike; other filters are."""
    empty = {"createdAt": {"start": "2001-01-01", "end": "2001-01-02"}}
    box.fail("ignored_filter")
    assert edges(web)[0]
    page = web.page(filter=empty)
    assert page["numberOfTransfers"]["count"] == len(truth(box))
    assert len(page["transferReferences"]["edges"]) == 10
    assert edges(web, filter=empty)[0] == []
    box.fail("ignored_filter", field="statuses")
    assert edges(web, filter=empty)[0] == []
    assert edges(web, filter={"statuses": ["NONE"]})[0]


@pytest.mark.parametrize("is_null", [False, True])
def test_a_field_can_be_missing(web: Http, box: Sandbox, is_null: bool) -> None:
    """One node lacks a field, or has null in it, as often as asked; the others have it."""
    box.fail("missing_field", field="amount.cents", row=2, null=is_null)
    nodes = [row["node"] for row in edges(web)[0]]
    assert nodes[2]["amount"].get("cents", "none") == (None if is_null else "none")
    assert all(nodes[n]["amount"]["cents"] > 0 for n in (0, 1, 3, 4))
    assert all(row["node"]["amount"]["cents"] > 0 for row in edges(web)[0])


def test_an_alteration_waits_for_an_answer_it_can_change(web: Http, box: Sandbox) -> None:
    """A fault of a field passes answers by that have no such field."""
    box.fail("missing_field", field="description", row=None)
    assert web.graphql(ME).status == 200
    assert not any("description" in row["node"] for row in edges(web)[0])


def test_accounts_can_lack_a_field_too(web: Http, box: Sandbox) -> None:
    """With `of="account"` the pods, ports and accounts of an answer are meant."""
    query = """query Pods($id: ID!) { organization(id: $id) {
        pods { id metadata { balance { cents } } } } }"""
    box.fail("changed_type", of="account", field="metadata.balance.cents", row=1)
    pods = web.graphql(query, {"id": box.organization_id}).json["data"]["organization"]["pods"]
    kinds = [type(pod["metadata"]["balance"]["cents"]) for pod in pods[:3]]
    assert kinds == [int, str, int]


@pytest.mark.parametrize(
    ("field", "to", "kind"),
    [
        ("amount.cents", None, str),
        ("amount.cents", "float", float),
        ("createdAt", None, int),
        ("status", None, list),
        ("description", "object", dict),
    ],
)
def test_a_type_can_change(web: Http, box: Sandbox, field: str, to: str | None, kind: type) -> None:
    """Amounts come as text or dollars, times as numbers, words as lists or objects."""
    box.fail("changed_type", field=field, to=to, row=None)
    for row in edges(web)[0]:
        value: Any = row["node"]
        for name in field.split("."):
            value = value[name]
        assert type(value) is kind


@pytest.mark.parametrize("field", ["status", "activityType", "source.__typename"])
def test_a_value_can_be_unknown(web: Http, box: Sandbox, field: str) -> None:
    """A status, an activity or a kind of party comes that nobody has seen."""
    box.fail("unknown_value", field=field, value="WORMHOLE")
    body = web.graphql(PAGE, {"id": box.organization_id}).body.decode()
    assert body.count("WORMHOLE") == 1


def test_details_are_altered_like_pages(web: Http, box: Sandbox) -> None:
    """A transfer asked for alone, under any alias, is altered as well."""
    query = """query One($id: ID!, $t: ID!) { organization(id: $id) {
        mine: transferReference(id: $t) { id status createdAt amount { cents } } } }"""
    box.fail("unknown_value", field="status")
    variables = {"id": box.organization_id, "t": truth(box)[0]}
    answer = web.graphql(query, variables).json["data"]["organization"]["mine"]
    assert answer["status"] == "TELEPORTED"


def test_a_row_can_come_twice(web: Http, box: Sandbox) -> None:
    """The last row of a page is the first of the next one, and no row is lost."""
    box.fail("duplicate_row", after=1)
    walked, known = walk(web), truth(box)
    assert walked == known[:40] + known[39:]


def result_of(web: Http, box: Sandbox, accounts: Find, variant: str) -> Any:
    sides = {}
    for side, name in (("source", "Bills"), ("destination", "Groceries")):
        kind, _, own_id = accounts(name).partition(":")
        sides[side] = {"type": kind, "id": own_id}
    box.fail("create_error", variant=variant, message="Try again")
    variables = {"id": box.kyc_id, "fields": {**sides, "amount": 700}}
    answer = web.graphql(PAY, variables)
    if answer.status != 200:
        return answer.status
    data = answer.json["data"]
    payment = data["forKYC"]["createPayment"] if data and data["forKYC"] else None
    return payment and {key: value is not None for key, value in payment.items()}


@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        ("message", {"ok": False, "error": True}),
        ("both", {"ok": True, "error": True}),
        ("neither", {"ok": False, "error": False}),
        ("errors", None),
        ("bad_gateway", 502),
    ],
)
def test_a_payment_that_was_made_can_be_answered_with_an_error(
    web: Http,
    box: Sandbox,
    accounts: Find,
    new_payments: Callable[[], list[str]],
    variant: str,
    expected: Any,
) -> None:
    """Whatever the answer says, the money moved exactly once."""
    assert result_of(web, box, accounts, variant) == expected
    assert new_payments() == ["ok"]
    assert truth_row(box, 0)["amount_cents"] == 700


def paid(web: Http, box: Sandbox, accounts: Find) -> Answer:
    """Ask for a payment between two pods; the whole answer."""
    sides = {}
    for side, name in (("source", "Bills"), ("destination", "Groceries")):
        kind, _, own_id = accounts(name).partition(":")
        sides[side] = {"type": kind, "id": own_id}
    return web.graphql(PAY, {"id": box.kyc_id, "fields": {**sides, "amount": 700}})


@pytest.mark.parametrize("status", [400, 404, 429])
def test_a_payment_that_was_made_can_be_answered_with_a_refusing_status(
    web: Http, box: Sandbox, accounts: Find, new_payments: Payments, status: int
) -> None:
    """The HTTP status says no, the body says ok, and the money moved once."""
    box.fail("contradiction", variant="status", status=status, operation="CreatePayment")
    answer = paid(web, box, accounts)
    assert answer.status == status
    assert answer.json["data"]["forKYC"]["createPayment"]["ok"]
    assert new_payments() == ["ok"]


@pytest.mark.parametrize(
    ("variant", "kind"), [("errors", list), ("errors_text", str), ("errors_object", dict)]
)
def test_a_payment_that_was_made_can_be_answered_with_errors_beside_ok(
    web: Http, box: Sandbox, accounts: Find, new_payments: Payments, variant: str, kind: type
) -> None:
    """Errors stand beside ok, as a list or as what no answer may have, and the money moved once."""
    box.fail("contradiction", variant=variant, message="Try again")
    assert "errors" not in web.graphql(ME).json
    answer = paid(web, box, accounts)
    assert answer.status == 200
    assert isinstance(answer.json["errors"], kind)
    assert b"Try again" in answer.body
    assert answer.json["data"]["forKYC"]["createPayment"]["ok"]
    assert new_payments() == ["ok"]


@pytest.mark.parametrize("status", [400, 403, 404, 429])
def test_a_wall_can_refuse_a_payment_with_any_status(
    web: Http, box: Sandbox, accounts: Find, new_payments: Payments, status: int
) -> None:
    """Something in between answers with HTML, and the service hears nothing of it."""
    box.fail("forbidden", status=status, operation="CreatePayment")
    answer = paid(web, box, accounts)
    assert answer.status == status
    assert answer.headers["content-type"].startswith("text/html")
    assert new_payments() == []


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        ("wire", {"variant": "odd"}, "variant is one of"),
        ("contradiction", {"variant": "odd"}, "variant is one of"),
        ("cut", {"before": True}, "no option before"),
        ("rate_limit", {"seconds": 1}, "no option seconds"),
        ("create_error", {"variant": "odd"}, "variant is one of"),
        ("no_count", {"variant": "odd"}, "variant is one of"),
        ("truncated_json", {"share": 1.0}, "between 0 and 1"),
        ("short_page", {"rows": 0}, "from 1 to"),
        ("payment_fails", {"status": 500}, "status is text"),
        ("changed_type", {"to": "roman"}, "to is one of"),
        ("missing_field", {"of": "planet"}, "of is"),
    ],
)
def test_options_that_mean_nothing_are_refused(
    box: Sandbox, web: Http, kind: str, options: dict[str, Any], words: str
) -> None:
    """An option a fault does not have is refused, from Python and over HTTP."""
    with pytest.raises(ValueError, match=words):
        box.fail(kind, **options)
    answer = web.request("POST", "/sandbox/faults", {"kind": kind, **options})
    assert answer.status == 400
    assert words in answer.json["message"]


def test_every_fault_has_a_test() -> None:
    """Each kind is asked for by name in the tests of the sandbox."""
    text = "".join(path.read_text("utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    assert [kind for kind in KINDS if f'"{kind}"' not in text] == []


def held_by(web: Http, name: str) -> int:
    """Give the cents that a pod holds."""
    query = (
        "{ me { memberships { organization { pods { name metadata { balance { cents } } } } } } }"
    )
    (member,) = web.graphql(query).json["data"]["me"]["memberships"]
    (pod,) = [one for one in member["organization"]["pods"] if one["name"] == name]
    cents: int = pod["metadata"]["balance"]["cents"]
    return cents


@pytest.mark.parametrize(
    ("destination", "options", "later"),
    [
        ("Groceries", {}, 0),
        ("Everyday Checking", {"status": "CANCELLED"}, 0),
        ("Everyday Checking", {"status": "ERROR", "seconds": 3600, "reason": "R02"}, 7200),
    ],
)
def test_an_accepted_payment_fails(
    web: Http, box: Sandbox, accounts: Find, destination: str, options: Any, later: int
) -> None:
    """A payment is accepted, and fails at once or later; its money comes back."""
    sides = {}
    for side, name in (("source", "Bills"), ("destination", destination)):
        kind, _, own_id = accounts(name).partition(":")
        sides[side] = {"type": kind, "id": own_id}
    held = held_by(web, "Bills")
    box.fail("payment_fails", **options)
    answer = web.graphql(PAY, {"id": box.kyc_id, "fields": {**sides, "amount": 700}})
    assert answer.json["data"]["forKYC"]["createPayment"]["error"] is None
    payment = box.payments()[-1]
    assert held_by(web, "Bills") == held - (700 if later else 0)
    box.advance(seconds=later)
    (row,) = [one for one in box.transfers() if one["id"] == payment["transfer_id"]]
    assert row["status"] == options.get("status", "FAILED")
    assert row["error_reason"] == options.get("reason", "R01: Insufficient funds")
    assert held_by(web, "Bills") == held
