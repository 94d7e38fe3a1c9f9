"""The official API: what is read, in which order, and under each switch."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from platform_http import Official, code_of
from sandbox_http import Http

from seqdata.sandbox import Sandbox

NOBODY = "00000000-0000-4000-a000-000000000000"


@pytest.fixture(scope="module")
def world() -> Iterator[Sandbox]:
    """Serve one world for the tests of this file: they read it."""
    with Sandbox(months=4, now="2026-11-01") as box:
        yield box


@pytest.fixture
def official(world: Sandbox) -> Iterator[Official]:
    """Make a client without a limit, and set every switch back after the test."""
    world.platform_variant(limit="off")
    yield Official(world)
    world.platform_variant()


def switch(official: Official, **changes: Any) -> None:
    official.box.platform_variant(limit="off", **changes)


def test_transfers_come_newest_first_page_by_page(official: Official) -> None:
    """Pages of any size have every row once, falling by creation and id."""
    ids = official.ids()
    rows = official.walk("/transfers", accountIds=ids)
    for size in (1, 7, 100):
        paged = official.data("/transfers", accountIds=ids, pageSize=size, page=3)["items"]
        assert paged == rows[2 * size : 3 * size]
    keys = [(one["createdAt"][:19], one["id"]) for one in rows]
    assert all(one[0] >= other[0] for one, other in pairwise(keys))
    assert len({one["id"] for one in rows}) == len(rows)


def test_an_account_s_transfers_are_its_own(official: Official) -> None:
    """By account and side, the lists are the parts of the whole list."""
    ids = official.ids()
    every = official.walk("/transfers", accountIds=ids)
    for own_id in ids:
        sides = [
            {one["id"] for one in official.walk(f"/accounts/{own_id}/transfers", accountRole=role)}
            for role in ("source", "destination", "either")
        ]
        assert sides[0] | sides[1] <= sides[2]
        mine = {
            one["id"]
            for one in every
            if own_id in [(one[side] or {}).get("id") for side in ("source", "destination")]
        }
        assert mine <= sides[2]
        some = official.walk("/transfers", accountIds=[own_id, ids[0]], pageSize=13)
        both = official.walk(f"/accounts/{ids[0]}/transfers")
        assert {one["id"] for one in some} == sides[2] | {one["id"] for one in both}
        assert len({one["id"] for one in some}) == len(some)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("direction", ["MONEY_IN", "MONEY_OUT", "INTERNAL"]),
        ("status", ["PENDING", "COMPLETE", "INCOMPLETE", "ERROR", "CANCELLED", "PENDING_APPROVAL"]),
        ("origin", ["DIRECT_DEPOSIT", "CHECK_DEPOSIT", "CASHBACK", "USER_PULL", "RULE", "USER",
                    "EXTERNAL_PULL"]),
    ],
)  # fmt: skip
def test_filters_divide_the_whole(official: Official, name: str, values: list[str]) -> None:
    """The rows of each value together are all rows, and each has that value."""
    ids = official.ids()
    parts = {
        value: official.walk("/transfers", accountIds=ids, **{name: value}) for value in values
    }
    for value, rows in parts.items():
        assert {one[name] for one in rows} <= {value}
    found = sorted(one["id"] for rows in parts.values() for one in rows)
    assert found == sorted(one["id"] for one in official.walk("/transfers", accountIds=ids))


def test_bounds_belong_to_the_range(official: Official) -> None:
    """`from` and `to` include their moments, in any offset; without one they are refused."""
    ids = official.ids()
    rows = official.walk("/transfers", accountIds=ids)
    first, last = rows[20]["createdAt"], rows[10]["createdAt"]
    found = official.walk("/transfers", accountIds=ids, from_=first, to=last)
    assert {one["id"] for one in rows[10:21]} <= {one["id"] for one in found}
    assert all(first <= one["createdAt"] <= last or len(one["createdAt"]) != len(first)
               for one in found)  # fmt: skip
    shifted = first.replace("Z", "+00:00")
    again = official.walk("/transfers", accountIds=ids, from_=shifted, to=last)
    assert again == found
    for wrong in ("2026-10-01", "2026-10-01T00:00:00", "yesterday", "2026-13-01T00:00:00Z", ""):
        answer = official.get("/transfers", accountIds=ids, from_=wrong)
        assert code_of(answer) == (400, "INVALID_PARAMETERS")


@pytest.mark.parametrize(
    "query",
    [
        {"page": "0"}, {"page": "x"}, {"pageSize": "101"}, {"pageSize": "0"}, {"status": "DONE"},
        {"direction": "INCOMING"}, {"origin": "UNKNOWN"}, {"executionMode": "TEST"},
        {"accountIds": ["no-uuid"]}, {"page": ["1", "2"]},
    ],
)  # fmt: skip
def test_queries_are_checked(official: Official, query: dict[str, Any]) -> None:
    """A value out of its words or bounds is refused, whatever else is asked."""
    asked = {"accountIds": official.ids()} | query
    assert code_of(official.get("/transfers", **asked)) == (400, "INVALID_PARAMETERS")


def test_what_is_unknown_is_ignored(official: Official) -> None:
    """A parameter of no known name changes nothing, and a page beyond the end is empty."""
    ids = official.ids()
    plain = official.data("/transfers", accountIds=ids)
    assert official.data("/transfers", accountIds=ids, created_at="x") == plain
    for page in (10**6, 10**40):
        beyond = official.data("/transfers", accountIds=ids, page=page)
        assert (beyond["items"], beyond["pagination"]["hasNextPage"]) == ([], False)


def test_ids_are_needed_and_may_be_plain(official: Official) -> None:
    """Without ids it is 400; plain names are taken unless the switch wants brackets."""
    assert code_of(official.get("/transfers")) == (400, "INVALID_PARAMETERS")
    own_id = official.ids()[0]
    plain = official.http.get("/transfers", params={"accountIds": own_id})
    assert plain.json()["data"] == official.data("/transfers", accountIds=[own_id])
    switch(official, strict_brackets=True)
    strict = official.http.get("/transfers", params={"accountIds": own_id})
    assert code_of(strict) == (400, "INVALID_PARAMETERS")
    switch(official, max_ids=2)
    assert code_of(official.get("/transfers", accountIds=official.ids()))[0] == 400


@pytest.mark.parametrize("ids", ["equal", "none", "some"])
def test_transfers_have_the_same_ids_or_not(official: Official, ids: str) -> None:
    """All, none or some of the ids are those of the other API, and each id finds its transfer."""
    switch(official, transfer_ids=ids)
    known = {row["id"] for row in official.box.transfers()}
    rows = official.walk("/transfers", accountIds=official.ids())
    equal = sum(one["id"] in known for one in rows)
    assert {"equal": equal == len(rows), "none": equal == 0, "some": 0 < equal < len(rows)}[ids]
    assert len({one["id"] for one in rows}) == len(rows)
    for one in rows[::25]:
        assert official.data(f"/transfers/{one['id']}") == one
        other = next(row for row in official.box.transfers()
                     if row["amount_cents"] == one["amountInCents"]
                     and row["created_at"] == one["createdAt"])  # fmt: skip
        assert official.get(f"/transfers/{other['id']}").status_code in (200, 404)


def test_unknown_and_deleted_accounts(official: Official) -> None:
    """Deleted accounts are listed on request; in a list of ids they and unknown ones may refuse."""
    gone = official.account("Old Car Fund")
    assert gone["deletedAt"] is not None
    assert gone["id"] not in official.ids(state="ACTIVE")
    assert official.walk("/transfers", accountIds=[gone["id"]])
    party = official.data("/transfers", accountIds=[gone["id"]])["items"][0]
    assert True in [(party[side] or {}).get("isDeleted") for side in ("source", "destination")]
    assert official.get("/transfers", accountIds=[NOBODY]).status_code == 403
    for how, status in (("403", 403), ("404", 404)):
        switch(official, deleted_ids=how, unknown_ids=how)
        assert official.get("/transfers", accountIds=[gone["id"]]).status_code == status
        assert official.get("/transfers", accountIds=[NOBODY]).status_code == status
    switch(official, unknown_ids="empty")
    assert official.data("/transfers", accountIds=[NOBODY])["items"] == []


def test_card_transactions_may_not_be_offered(official: Official) -> None:
    """They may be plain text, denied or not implemented; and a card's are its own."""
    pod = official.account("Groceries")["id"]
    rows = official.walk("/card-transactions", accountId=pod)
    assert {one["subtype"] for one in rows} == {"PURCHASE", "REFUND"}
    (card,) = {one["cardId"] for one in rows}
    assert official.walk("/card-transactions", accountId=pod, cardId=card) == rows
    assert official.walk("/card-transactions", accountId=pod, cardId=NOBODY) == []
    for offered, status in (("text", 404), ("403", 403), ("501", 501)):
        switch(official, card_transactions=offered)
        answer = official.get("/card-transactions", accountId=pod)
        assert answer.status_code == status
        assert ("error" in answer.text) == (offered != "text")


def test_wire_variants(official: Official) -> None:
    """Answers of before lack fields; moments, numbers, parties and request ids vary."""
    ids, own_id = official.ids(), official.account("Everyday Checking")["id"]

    def rows(**query: Any) -> list[dict[str, Any]]:
        return official.walk("/transfers", accountIds=ids, **query)

    usual = rows()
    switch(official, has_next_page=False, newer_fields=False)
    page = official.data("/transfers", accountIds=ids)
    assert "hasNextPage" not in page["pagination"]
    assert "executionMode" not in page["items"][0]
    assert "canBeDestination" not in official.data(f"/accounts/{own_id}")
    for moments, length in (("seconds", 20), ("micros", 32)):
        switch(official, moments=moments)
        assert {len(one["createdAt"]) for one in rows()} == {length}
    for numbers, digits in (("full", 10), ("masked", 4), ("null", 0)):
        switch(official, account_numbers=numbers)
        number = official.data(f"/accounts/{own_id}")["bankAccountNumber"] or ""
        assert sum(sign.isdigit() for sign in number) == digits
    pulled = [one for one in usual if one["origin"] == "EXTERNAL_PULL"]
    deposits = [one for one in usual if one["origin"] in ("DIRECT_DEPOSIT", "CASHBACK")]
    assert {one["destination"] for one in pulled} == {one["source"] for one in deposits} == {None}
    switch(official, pulled_destination="named", deposit_source="named")
    assert all(" | " in one["destination"]["name"] for one in rows(origin="EXTERNAL_PULL"))
    named = [one["source"] for one in rows(origin="DIRECT_DEPOSIT") if one["source"]]
    assert {(one["id"], one["type"]) for one in named} == {(None, "EXTERNAL_ENTITY")}
    switch(official, request_id_in_errors=False, request_id_header=True)
    error = official.get(f"/accounts/{NOBODY}")
    assert "requestId" not in error.json()
    assert error.headers["x-request-id"].startswith("req-")


def test_words_that_nobody_documents(official: Official) -> None:
    """Directions between outside accounts, and what was paid back, are as the switch says."""
    ids = official.ids()
    outside = {one["id"] for one in official.walk("/accounts", type="EXTERNAL_ACCOUNT")}

    def between() -> set[str]:
        return {
            one["direction"]
            for one in official.walk("/transfers", accountIds=ids)
            if {(one[side] or {}).get("id") for side in ("source", "destination")} <= outside
        }

    for direction in ("MONEY_OUT", "MONEY_IN", "INTERNAL"):
        switch(official, between_outside=direction)
        assert between() == {direction}

    def errors() -> int:
        return len(official.walk("/transfers", accountIds=ids, status="ERROR"))

    switch(official, reversed_status="COMPLETE")
    usual = errors()
    switch(official, reversed_status="ERROR")
    assert errors() > usual


def test_balances_that_nobody_documents(official: Official) -> None:
    """What an income source holds, and whether a balance moves `updatedAt`, are switches."""
    port, card = official.account("Main Paycheck"), official.account("Travel Card")
    held = official.data(f"/accounts/{port['id']}")["balance"]["balanceInCents"]
    switch(official, income_balance="received", balance_moves_updated_at=True)
    received = official.data(f"/accounts/{port['id']}")["balance"]["balanceInCents"]
    assert received > held
    account = official.data(f"/accounts/{card['id']}")
    assert account["updatedAt"] == account["balance"]["balanceLastUpdatedAt"] > card["updatedAt"]


def test_ties_have_an_order(official: Official) -> None:
    """Rows of one moment fall or rise by id, as the switch says."""
    ids = official.ids()
    for ties, is_falling in (("falling", True), ("rising", False)):
        switch(official, ties=ties)
        rows = official.walk("/transfers", accountIds=ids)
        tied = [(one["id"], other["id"]) for one, other in pairwise(rows)
                if one["createdAt"] == other["createdAt"]]  # fmt: skip
        assert tied
        assert all((one > other) == is_falling for one, other in tied)


def test_a_look_back_can_be_short(official: Official) -> None:
    """Where transfers reach back so many days, older ones are not listed."""
    switch(official, look_back_days=30)
    rows = official.walk("/transfers", accountIds=official.ids())
    assert min(one["createdAt"] for one in rows) >= "2026-10-02"


def test_page_sizes_can_be_clamped(official: Official) -> None:
    """A page size out of bounds is made one within, where the switch says so."""
    switch(official, page_bounds="clamped")
    ids = official.ids()
    assert len(official.data("/transfers", accountIds=ids, pageSize=500)["items"]) == 100
    assert len(official.data("/transfers", accountIds=ids, page=0, pageSize=0)["items"]) == 1


def test_outside_rows_under_each_switch(official: Official) -> None:
    """Pending ids stay or not, dates are of one zone or another, a payment's sign turns."""
    box, ids = official.box, official.ids(type="EXTERNAL_ACCOUNT")

    def rows() -> dict[str, dict[str, Any]]:
        return {one["id"]: one for one in official.walk("/external-transactions", accountIds=ids)}

    usual = rows()
    pending = {own_id for own_id, one in usual.items() if one["status"] == "PENDING"}
    assert pending
    switch(official, pending_ids="kept")
    assert len(rows().keys() & pending) == 0
    assert len(rows()) == len(usual)
    switch(official, transaction_zone="UTC")
    dates = [one["transactionDate"] for one in usual.values()]
    assert sorted(one["transactionDate"] for one in rows().values()) != sorted(dates)
    switch(official, liability_payment="MONEY_OUT")
    card = official.account("Travel Card")["id"]
    turned = [one for one in rows().values() if one["accountId"] == card]
    assert {one["direction"] for one in turned} == {"MONEY_OUT"}
    assert min(dates) >= "2026-08-0"
    newest = max(dates)
    assert newest <= box.now.isoformat()
    status = official.walk("/external-transactions", accountIds=ids, status="COMPLETE")
    assert {one["status"] for one in status} == {"COMPLETE"}


def test_a_pending_row_is_posted_under_a_new_id_or_its_own() -> None:
    """A day later the same movement is COMPLETE, under another id unless the switch keeps it."""
    for kept in ("new", "kept"):
        with Sandbox(months=1, now="2026-11-01") as box:
            official = Official(box)
            ids = official.ids(type="EXTERNAL_ACCOUNT")
            box.platform_variant(limit="off", pending_ids=kept)
            before = official.walk("/external-transactions", accountIds=ids, status="PENDING")
            box.advance(days=1)
            after = official.walk("/external-transactions", accountIds=ids, status="COMPLETE")
            found = {one["id"] for one in before} & {one["id"] for one in after}
            assert len(found) == (len(before) if kept == "kept" else 0)


def test_the_audit_can_name_a_near_action(official: Official) -> None:
    """A call that has no action has none, or a near one."""
    official.get("/external-transactions", accountIds=official.ids())
    assert official.data("/audit-logs")["items"][0]["action"] is None
    switch(official, unlisted_action="LIST_TRANSFERS")
    official.get("/external-transactions", accountIds=official.ids())
    assert official.data("/audit-logs")["items"][0]["action"] == "LIST_TRANSFERS"


def test_every_prefix_serves(world: Sandbox, official: Official) -> None:
    """Both known prefixes serve the same; near them there is nothing."""
    other = world.platform_url.replace("/platform/v1", "/api/platform/v1")
    whole = official.http.get(f"{other}/accounts").json()["data"]
    assert whole == official.data("/accounts")
    for path in ("", "/", "/accounts/", "//accounts", "/Accounts", "/accounts/x/y/z", "/docs"):
        answer = official.http.request("GET", world.platform_url + path)
        assert answer.status_code == 404
        assert answer.headers["content-type"].startswith("text/plain")
    for method in ("PUT", "HEAD", "OPTIONS", "PATCH"):
        assert official.http.request(method, "/accounts").status_code == 404


def test_accounts_are_the_same_in_both_apis(world: Sandbox, official: Official) -> None:
    """Ids, names and kinds of accounts are those of the web application."""
    lists = "pods { id name } ports { id name } accounts { id name }"
    query = f"{{ me {{ memberships {{ organization {{ {lists} }} }} }} }}"
    node = Http(world).graphql(query).json["data"]["me"]["memberships"][0]["organization"]
    kinds = {"pods": "POD", "ports": "INCOME_SOURCE", "accounts": "EXTERNAL_ACCOUNT"}
    graphql = {(one["id"], one["name"], kind) for name, kind in kinds.items() for one in node[name]}
    assert {(one["id"], one["name"], one["type"]) for one in official.walk("/accounts")} == graphql


def test_it_speaks_tls_and_http2(secure: Sandbox) -> None:
    """The official API is served over TLS and HTTP/2 too."""
    official = Official(secure)
    assert official.box.platform_url.startswith("https://")
    assert official.get("/accounts").status_code == 200
