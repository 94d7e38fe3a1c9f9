"""The official API: keys, what they may do, how often, and in which order it is checked."""

from __future__ import annotations

from typing import Any

import pytest
from platform_http import Official, code_of
from sandbox_http import Http

from seqdata.sandbox import Sandbox

NOBODY = "00000000-0000-4000-a000-000000000000"


@pytest.fixture
def official(box: Sandbox) -> Official:
    """Make a client with the key that also moves, without a limit."""
    box.platform_variant(limit="off")
    return Official(box)


def test_the_order_of_checks(box: Sandbox) -> None:
    """Address, key, limit, form, permission, existence: what comes first is refused first."""
    box.platform_variant(limit_requests=1, limit_clock="world")
    none, poor = Official(box, "sk_none"), Official(box, box.make_key("Poor", {}))
    unknown = none.http.delete("/accounts?page=0")
    assert (unknown.status_code, unknown.text) == (404, "Cannot DELETE /accounts")
    assert unknown.headers["content-type"] == "text/plain; charset=utf-8"
    assert code_of(none.get("/accounts", page=0)) == (401, "UNAUTHORIZED")
    assert code_of(poor.get("/accounts", page=0)) == (400, "INVALID_PARAMETERS")
    assert code_of(poor.get("/accounts", page=0)) == (429, "RATE_LIMIT_EXCEEDED")
    box.advance(minutes=1)
    assert code_of(poor.get(f"/accounts/{NOBODY}")) == (403, "ACCESS_DENIED")
    assert code_of(Official(box).get(f"/accounts/{NOBODY}")) == (404, "ACCOUNT_NOT_FOUND")


def test_a_legacy_token_is_no_key(box: Sandbox) -> None:
    """A token of the web application opens nothing here, nor a key the web application."""
    assert code_of(Official(box, box.access_token).get("/accounts")) == (401, "UNAUTHORIZED")
    assert Http(box).graphql("{ me { id } }", token=box.api_key).status == 401


def test_a_bucket_refills_and_a_window_ends(box: Sandbox) -> None:
    """On the world's clock a bucket gives a request each 0.6 seconds, a window all at its end."""
    official = Official(box)
    for kind, seconds in (("bucket", 1), ("window", 60)):
        box.platform_variant(limit=kind, limit_clock="world")
        box.advance(minutes=2)
        box.advance(seconds=0)
        statuses = [official.get("/accounts", pageSize=1) for _ in range(101)]
        assert [one.status_code for one in statuses[:100]] == [200] * 100
        assert statuses[100].headers["retry-after"] == str(seconds)
        box.advance(seconds=seconds)
        assert official.get("/accounts", pageSize=1).status_code == 200


def test_each_key_has_its_own_bucket(box: Sandbox) -> None:
    """What one key has used is no use of another."""
    box.platform_variant(limit_requests=2, limit_clock="world")
    first, second = Official(box), Official(box, box.api_key)
    assert [first.get("/accounts").status_code for _ in range(3)] == [200, 200, 429]
    assert second.get("/accounts").status_code == 200


def test_a_client_that_waits_is_let_in_again(box: Sandbox) -> None:
    """Though the world stands still, seconds of the wall clock fill the bucket."""
    box.platform_variant(limit_requests=6_000)
    official = Official(box)
    answers = [official.get("/accounts", pageSize=1).status_code for _ in range(200)]
    assert set(answers) == {200}


def test_permissions_limit_what_is_seen(box: Sandbox, official: Official) -> None:
    """A key for some accounts lists and reads those, and one unreadable id refuses the whole."""
    bills, groceries = official.account("Bills")["id"], official.account("Groceries")["id"]
    some = {"READ_ACCOUNTS": [bills], "READ_TRANSFERS": [groceries]}
    key = Official(box, box.make_key("Some", some))
    assert [one["id"] for one in key.walk("/accounts")] == [bills]
    assert key.get(f"/accounts/{groceries}").status_code == 403
    assert key.get("/transfers", accountIds=[groceries]).status_code == 200
    assert key.get("/transfers", accountIds=[groceries, bills]).status_code == 403
    assert key.get(f"/accounts/{bills}/transfers").status_code == 403
    rows = official.walk("/transfers", accountIds=official.ids())
    mine = {one["id"] for one in key.walk("/transfers", accountIds=[groceries])}
    other = next(one["id"] for one in rows if one["id"] not in mine)
    assert key.get(f"/transfers/{min(mine)}").status_code == 200
    assert code_of(key.get(f"/transfers/{other}")) == (404, "TRANSFER_NOT_FOUND")
    for path in ("/rules", "/audit-logs"):
        assert code_of(key.get(path)) == (403, "ACCESS_DENIED")


def test_a_cap_is_the_key_s(box: Sandbox, official: Official) -> None:
    """A pair without permission is denied, and more than its cap is its own refusal."""
    ids = [official.account(name)["id"] for name in ("Bills", "Groceries")]
    pair = {"source": ids[0], "target": ids[1], "max_amount": 500}
    wide = {"source": ids[1], "target": NOBODY}
    key = Official(box, box.make_key("Capped", {"MANUAL_TRANSFER": [pair, wide]}))

    def asked(source: str, target: str, cents: int) -> Any:
        body = {"sourceAccountId": source, "destinationAccountId": target}
        return key.post("/transfers", body | {"amountInCents": cents})

    assert asked(*ids, 500).status_code == 201
    assert code_of(asked(*ids, 501)) == (403, "MAXIMUM_AMOUNT_EXCEEDED")
    assert code_of(asked(*ids[::-1], 500)) == (403, "ACCESS_DENIED")
    assert code_of(asked(ids[1], NOBODY, 500)) == (400, "TRANSFER_DESTINATION_NOT_FOUND")
    assert code_of(asked(*ids, 99)) == (400, "INVALID_PARAMETERS")


def test_keys_are_changed_and_revoked(box: Sandbox, official: Official) -> None:
    """A key can lose a permission midway, and then itself."""
    secret = box.make_key("Short-lived")
    key = Official(box, secret)
    assert key.get("/accounts").status_code == 200
    box.change_key(secret, {"READ_RULES": "all"})
    assert (key.get("/accounts").status_code, key.get("/rules").status_code) == (403, 200)
    box.revoke_key(secret)
    assert code_of(key.get("/rules")) == (401, "UNAUTHORIZED")
    with pytest.raises(ValueError, match="revoked"):
        box.revoke_key(secret)


def test_keys_are_made_over_http(box: Sandbox, web: Http) -> None:
    """The controls make, list, change and revoke keys, and show none of them."""
    asked = {"name": "From afar", "permissions": {"READ_ACCOUNTS": "all"}}
    made = web.request("POST", "/sandbox/keys", asked).json
    assert Official(box, made["api_key"]).get("/accounts").status_code == 200
    listed = web.request("GET", "/sandbox/keys")
    assert [one["name"] for one in listed.json] == ["Reading", "Moving", "From afar"]
    for secret in (box.api_key, box.api_key_transfers, made["api_key"]):
        assert secret.encode() not in listed.body
        assert secret not in repr(box)
        assert secret not in repr(box.requests())
    web.request("PATCH", "/sandbox/keys", {"id": made["id"], "permissions": {}})
    assert Official(box, made["api_key"]).get("/accounts").status_code == 403
    web.request("DELETE", "/sandbox/keys", {"id": made["id"]})
    assert Official(box, made["api_key"]).get("/accounts").status_code == 401


@pytest.mark.parametrize(
    "wrong",
    [
        {"permissions": {"READ_EVERYTHING": "all"}},
        {"permissions": {"READ_ACCOUNTS": "some"}},
        {"permissions": {"MANUAL_TRANSFER": "all"}},
        {"permissions": {"MANUAL_TRANSFER": [{"source": "a"}]}},
        {"organization_id": "nobody"},
        {"name": 7},
        {"id": "no"},
    ],
)
def test_nonsense_makes_no_key(web: Http, wrong: dict[str, Any]) -> None:
    """What is no permission is refused with a sentence, and no key is made."""
    assert web.request("POST", "/sandbox/keys", wrong).status == 400
    assert len(web.request("GET", "/sandbox/keys").json) == 2


def test_a_key_belongs_to_one_organization() -> None:
    """A key reads its organization and no other."""
    with Sandbox(months=1, now="2026-11-01", organizations=2) as box:
        first = set(Official(box, box.api_key).ids())
        key = box.make_key("Second", organization_id=box.organization_ids[1])
        second = set(Official(box, key).ids())
        assert len(first) == len(second)
        assert not first & second
        other = Official(box, key).get(f"/accounts/{min(first)}")
        assert code_of(other) == (404, "ACCOUNT_NOT_FOUND")


def test_calls_are_logged_for_90_days(box: Sandbox, official: Official) -> None:
    """The audit has each call with a key and its outcome, and forgets after 90 days."""
    official.get("/accounts", page=0)
    official.get("/external-transactions", accountIds=official.ids())
    Official(box, "sk_none").get("/accounts")
    rows = official.walk("/audit-logs")
    assert [(one["action"], one["outcome"], one["errorCode"]) for one in rows] == [
        (None, "SUCCESS", None),
        ("LIST_ACCOUNTS", "SUCCESS", None),
        ("LIST_ACCOUNTS", "FAILURE", "INVALID_PARAMETERS"),
    ]
    assert {one["apiKeyName"] for one in rows} == {"Moving"}
    assert rows[0]["path"] == "/platform/v1/external-transactions"
    assert official.walk("/audit-logs", action="GET_RULE") == []
    assert code_of(official.get("/audit-logs", from_="2026-07-01T00:00:00Z"))[0] == 400
    box.advance(days=91)
    assert official.walk("/audit-logs") == []
