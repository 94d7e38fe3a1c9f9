"""The faults of the official API: the same queue as for GraphQL, aimed by operationId."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from platform_http import Official, code_of
from sandbox_http import Http

from seqdata.sandbox import Sandbox


@pytest.fixture
def official(box: Sandbox) -> Official:
    """Make a client with the key that also moves, without a limit."""
    box.platform_variant(limit="off")
    return Official(box)


def test_faults_are_aimed_at_one_api(box: Sandbox, official: Official, web: Http) -> None:
    """An unnamed fault is of GraphQL, "platform" means this API, and an operationId one of it."""
    box.fail("rate_limit")
    box.fail("unauthorized", operation="listRules")
    box.fail("server_error", operation="platform")
    assert official.get("/accounts").status_code == 500
    assert official.get("/accounts").status_code == 200
    assert code_of(official.get("/rules")) == (401, "UNAUTHORIZED")
    assert official.get("/rules").status_code == 200
    assert web.graphql("{ me { id } }").status == 429


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"kind": "rate_limit", "retry_after": 7}, (429, "RATE_LIMIT_EXCEEDED", "7")),
        ({"kind": "rate_limit", "retry_after": None}, (429, "RATE_LIMIT_EXCEEDED", None)),
        ({"kind": "unauthorized"}, (401, "UNAUTHORIZED", None)),
        ({"kind": "refused", "before": True}, (500, "UNEXPECTED_ERROR", None)),
        ({"kind": "refused", "status": 403, "code": "ACCESS_DENIED"}, (403, "ACCESS_DENIED", None)),
    ],
)
def test_refusals_speak_the_words_of_this_api(
    box: Sandbox, official: Official, fault: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    """A fault that refuses does so with a code, and a 429 with or without Retry-After."""
    box.fail(**fault, operation="listAccounts")
    answer = official.get("/accounts")
    assert (*code_of(answer), answer.headers.get("retry-after")) == expected
    assert answer.json()["requestId"]


def test_walls_and_gateways_speak_html(box: Sandbox, official: Official) -> None:
    """A 502 and the 403 of a wall are pages of HTML, as is any body that is none of the API."""
    for kind, status in (("bad_gateway", 502), ("forbidden", 403)):
        box.fail(kind, operation="listAccounts")
        answer = official.get("/accounts")
        assert (answer.status_code, answer.headers["content-type"][:9]) == (status, "text/html")


@pytest.mark.parametrize("kind", ["cut", "cut_after", "cut_midway", "refused", "truncated_json"])
def test_a_post_whose_answer_is_lost(box: Sandbox, official: Official, kind: str) -> None:
    """Cut before: nothing moved; after: money moved, and the same key gives the first answer."""
    official.account("Bills")
    box.fail(kind, operation="createTransfer")
    try:
        answer = official.move("Bills", "Groceries", 500, "intent")
        assert answer.status_code in (201, 500)
    except httpx.HTTPError:
        pass
    assert len(box.payments()) == (0 if kind == "cut" else 1)
    box.advance(seconds=2)
    again = official.move("Bills", "Groceries", 500, "intent")
    assert again.status_code == 201
    assert len(box.payments()) == 1
    assert again.json()["data"]["id"] == box.payments()[0]["transfer_id"]


def test_a_busy_intent_is_told_to_wait(box: Sandbox, official: Official) -> None:
    """A 409 before the effect is followed by a success that moves once."""
    box.fail("refused", operation="createTransfer", status=409, code="TRANSFER_IN_PROGRESS",
             before=True)  # fmt: skip
    first = official.move("Bills", "Groceries", 500, "a")
    assert code_of(first) == (409, "TRANSFER_IN_PROGRESS")
    assert official.move("Bills", "Groceries", 500, "a").status_code == 201
    assert len(box.payments()) == 1


def test_a_trigger_and_a_payment_can_be_told_to_fail(box: Sandbox, official: Official) -> None:
    """A payment that is to fail is accepted, and ends as asked with its code."""
    box.fail("payment_fails", operation="createTransfer", status="ERROR", reason="NAME_MISMATCH")
    own_id = official.move("Bills", "Everyday Checking", 500).json()["data"]["id"]
    box.advance(seconds=10)
    found = official.data(f"/transfers/{own_id}")
    assert (found["status"], found["errorCode"]) == ("ERROR", "NAME_MISMATCH")


def rows_of(official: Official, page: int) -> list[str]:
    """The ids of a page of five transfers."""
    ids = official.ids()
    rows = official.data("/transfers", accountIds=ids, pageSize=5, page=page)["items"]
    return [one["id"] for one in rows]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"kind": "shifted_page", "by": 1}, slice(6, 11)),
        ({"kind": "shifted_page", "by": -1}, slice(4, 9)),
        ({"kind": "shifted_page", "by": -5}, slice(0, 5)),
        ({"kind": "duplicate_row"}, slice(4, 9)),
        ({"kind": "short_page"}, slice(5, 7)),
        ({"kind": "wrong_page", "variant": "empty"}, slice(0, 0)),
        ({"kind": "wrong_page", "variant": "missing"}, slice(6, 10)),
        ({"kind": "wrong_page", "variant": "reversed"}, slice(9, 4, -1)),
        ({"kind": "cached_answer"}, slice(0, 5)),
    ],
)
def test_pages_lie(
    box: Sandbox, official: Official, fault: dict[str, Any], expected: slice
) -> None:
    """A row that came or went between pages, a page again, a page with gaps: rows shift."""
    rows = rows_of(official, 1) + rows_of(official, 2) + rows_of(official, 3)
    assert rows_of(official, 1) == rows[:5]
    box.fail(**fault, operation="listTransfers")
    assert rows_of(official, 2) == rows[expected]
    assert rows_of(official, 2) == rows[5:10]


@pytest.mark.parametrize("said", [True, False])
def test_the_end_of_a_list_lies(box: Sandbox, official: Official, said: bool) -> None:
    """A page says that one follows where none does, and the other way round."""
    box.fail("unknown_value", operation="listAccounts", of="page", field="pagination.hasNextPage",
             value=said)  # fmt: skip
    size = 100 if said else 5
    lied, true = (official.data("/accounts", pageSize=size)["pagination"] for _ in range(2))
    assert (lied["hasNextPage"], true["hasNextPage"]) == (said, not said)


@pytest.mark.parametrize(
    ("fault", "path"),
    [
        ({"kind": "missing_field", "field": "status"}, "status"),
        ({"kind": "missing_field", "field": "status", "null": True}, "status"),
        ({"kind": "renamed_field", "field": "amountInCents", "name": "amount"}, "amountInCents"),
        ({"kind": "changed_type"}, "amountInCents"),
        ({"kind": "wrong_value", "variant": "negative"}, "amountInCents"),
        ({"kind": "wrong_value", "field": "createdAt", "variant": "year_1"}, "createdAt"),
        ({"kind": "wrong_value", "field": "id", "variant": "swapped"}, "id"),
        ({"kind": "unknown_value", "field": "source", "value": None}, "source"),
        ({"kind": "unknown_value", "of": "execution", "field": "status"}, None),
    ],
)
def test_fields_lie(
    box: Sandbox, official: Official, fault: dict[str, Any], path: str | None
) -> None:
    """A field of a row is missing, null, of another type or wrong, once."""
    ids = official.ids()
    before = official.data("/transfers", accountIds=ids)["items"]
    box.fail(**fault, operation="listTransfers")
    lied = official.data("/transfers", accountIds=ids)["items"]
    if path is None:  # there is nothing of the kind in the answer
        assert lied == before
        return
    assert lied[0].get(path) != before[0][path]
    assert official.data("/transfers", accountIds=ids)["items"] == before


def test_a_balance_is_not_known(box: Sandbox, official: Official) -> None:
    """A balance has an error in its place."""
    own_id = official.account("Everyday Checking")["id"]
    box.fail("balance_error", operation="getAccount", code="ITEM_LOGIN_REQUIRED")
    balance = official.data(f"/accounts/{own_id}")["balance"]
    assert (balance["balanceInCents"], balance["error"]) == (None, "ITEM_LOGIN_REQUIRED")
    assert official.data(f"/accounts/{own_id}")["balance"]["error"] is None


def test_an_older_state_is_shown(box: Sandbox, official: Official) -> None:
    """A database that lags lacks the newest rows and knows no newer end of others."""
    ids = official.ids()
    rows = official.data("/transfers", accountIds=ids, pageSize=50)["items"]
    box.fail("stale", operation="listTransfers", hours=96)
    old = official.data("/transfers", accountIds=ids, pageSize=50)["items"]
    assert {one["id"] for one in old} < {one["id"] for one in rows}
    assert all((one["completedAt"] or "") < "2026-10-28T00" for one in old)


def test_another_transfer_is_told_of(box: Sandbox, official: Official) -> None:
    """The answer is about another transfer than the one that was asked for."""
    asked = rows_of(official, 1)[0]
    box.fail("misheard", operation="getTransfer", variant="transfer")
    answer = official.get(f"/transfers/{asked}")
    assert answer.status_code == 404 or answer.json()["data"]["id"] != asked


def test_a_filter_is_not_listened_to(box: Sandbox, official: Official) -> None:
    """Rows outside of the filter come."""
    query = {"accountIds": official.ids(), "direction": "MONEY_IN"}
    box.fail("ignored_filter", operation="listTransfers", field="direction")
    assert {one["direction"] for one in official.data("/transfers", **query)["items"]} != {
        "MONEY_IN"
    }
    assert {one["direction"] for one in official.data("/transfers", **query)["items"]} == {
        "MONEY_IN"
    }


def test_clocks_and_forms_are_wrong(box: Sandbox, official: Official) -> None:
    """The date of an answer is off, its status another, its body none of the API, its bytes odd."""
    box.fail("wrong_header", operation="listAccounts", days=400)
    assert "2027" in official.get("/accounts").headers["date"]
    box.fail("wrong_status", operation="listAccounts", status=500)
    assert "data" in official.get("/accounts").json()
    box.fail("wrong_body", operation="listAccounts", variant="html")
    assert official.get("/accounts").headers["content-type"] == "text/html; charset=utf-8"
    box.fail("wire", operation="listAccounts", variant="http09")
    with pytest.raises(httpx.HTTPError):
        official.get("/accounts")
    box.fail("slow", operation="listAccounts", seconds=0.01)
    assert official.get("/accounts").status_code == 200
    assert set(box.faults_met) == {"wrong_header", "wrong_status", "wrong_body", "wire", "slow"}


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "no_count"}, {"kind": "create_error"}, {"kind": "expired_cursor"},
        {"kind": "empty_page"}, {"kind": "repeated_cursor"}, {"kind": "contradiction"},
        {"kind": "errors_with_data"}, {"kind": "errors_without_data"},
        {"kind": "wrong_page", "variant": "back"}, {"kind": "misheard"},
    ],
)  # fmt: skip
def test_faults_of_graphql_are_refused(box: Sandbox, fault: dict[str, Any]) -> None:
    """A fault that no answer of this API can have is not waited for in vain."""
    for operation in ("platform", "listTransfers"):
        with pytest.raises(ValueError, match="of GraphQL"):
            box.fail(**fault, operation=operation)
