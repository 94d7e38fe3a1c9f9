"""The controls: the truth over HTTP, the clock, faults, who may use them; starting and ending."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
from typing import Any

import pytest
from waiting import PATIENCE

from seqdata.sandbox import Sandbox

ME = "query Me { me { id } }"


def test_the_truth_over_http_is_the_truth_in_python(web: Any, box: Sandbox) -> None:
    """Transfers, balances and payments are the same over HTTP and from Python."""
    assert web.request("GET", "/sandbox/transfers").json == box.transfers()
    assert web.request("GET", "/sandbox/balances").json == box.balances()
    assert web.request("GET", "/sandbox/payments").json == box.payments() == []
    assert web.request("GET", "/sandbox").json["now"] == "2026-11-01T00:00:00Z"


def test_the_clock_is_advanced_over_http(web: Any, box: Sandbox) -> None:
    """Advancing by days and hours gives the new time; nonsense is refused and changes nothing."""
    answer = web.request("POST", "/sandbox/advance", {"days": 2, "hours": 3})
    assert answer.json == {"now": "2026-11-03T03:00:00Z"}
    for nonsense in ({"days": -1}, {"weeks": 1}, {"days": "2"}, [1]):
        assert web.request("POST", "/sandbox/advance", nonsense).status == 400
    assert box.now.isoformat() == "2026-11-03T03:00:00+00:00"


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "127.0.0.1.evil.example"},
        {"origin": "http://evil.example"},
    ],
)
def test_the_controls_answer_to_loopback_alone(web: Any, headers: dict[str, str]) -> None:
    """A request under a foreign Host, or from a page of a foreign origin, is refused."""
    answer = web.request("GET", "/sandbox/transfers", headers=headers)
    assert answer.status == 403
    assert answer.headers["x-seqdata-sandbox"] == "1"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:80", "[::1]:1"])
def test_every_name_of_loopback_is_welcome(web: Any, host: str) -> None:
    """The names of this machine's loopback are let in."""
    assert web.request("GET", "/sandbox", headers={"host": host}).status == 200


def test_requests_are_remembered_as_they_arrived(web: Any, box: Sandbox) -> None:
    """Each request is remembered with its headers in order, operation and variables."""
    box.clear_requests()
    web.request("POST", "/api/graphql", {"query": ME}, headers={"x-b": "1", "x-a": "2"})
    seen = box.requests()[-1]
    assert (seen["method"], seen["path"], seen["operation"]) == ("POST", "/api/graphql", "Me")
    names = [name for name, _ in seen["headers"]]
    assert names.index("x-b") < names.index("x-a")
    assert seen["variables"] is None


@pytest.mark.parametrize(
    ("kind", "status"), [("unauthorized", 401), ("rate_limit", 429), ("server_error", 500)]
)
def test_a_fault_replaces_the_answer_as_often_as_asked(
    web: Any, box: Sandbox, kind: str, status: int
) -> None:
    """A fault acts after the requests it lets pass, as often as asked, then is over."""
    box.fail(kind, times=2, after=1)
    assert [web.graphql(ME).status for _ in range(4)] == [200, status, status, 200]


def test_a_rate_limit_says_when_to_come_back(web: Any, box: Sandbox) -> None:
    """A 429 carries Retry-After."""
    box.fail("rate_limit", retry_after=17)
    assert web.graphql(ME).headers["retry-after"] == "17"


def test_errors_come_with_and_without_data(web: Any, box: Sandbox) -> None:
    """Errors stand in an answer of status 200, beside data or instead of it."""
    box.fail("errors_without_data")
    box.fail("errors_with_data", message="half")
    without = web.graphql(ME)
    assert without.status == 200
    assert without.json["data"] is None
    assert without.json["errors"]
    beside = web.graphql(ME).json
    assert beside["data"]["me"]["id"]
    assert beside["errors"][0]["message"] == "half"


def test_a_repeated_cursor_is_the_one_that_was_sent(web: Any, box: Sandbox) -> None:
    """The fault waits for a page asked for by a cursor, and gives that cursor back."""
    box.fail("repeated_cursor")
    first = web.page(first=5)["transferReferences"]["pageInfo"]["endCursor"]
    second = web.page(first=5, after=first)["transferReferences"]
    assert second["pageInfo"] == {"endCursor": first, "hasNextPage": True}
    assert len(second["edges"]) == 5


@pytest.mark.parametrize("is_first_page", [True, False])
def test_an_empty_page_loses_no_row(web: Any, box: Sandbox, is_first_page: bool) -> None:
    """An empty page claims a successor; its new cursor goes on where the old one stood."""
    after = (
        "" if is_first_page else web.page(first=5)["transferReferences"]["pageInfo"]["endCursor"]
    )
    expected = web.page(first=5, after=after)["transferReferences"]
    box.fail("empty_page")
    empty = web.page(first=5, after=after)["transferReferences"]
    assert empty["edges"] == []
    assert empty["pageInfo"]["hasNextPage"]
    assert empty["pageInfo"]["endCursor"] not in ("", after)
    cursor = empty["pageInfo"]["endCursor"]
    assert web.page(first=5, after=cursor)["transferReferences"]["edges"] == expected["edges"]


def test_a_cut_leaves_nothing_behind(web: Any, box: Sandbox) -> None:
    """A cut connection gives no answer, and nothing was done."""
    box.fail("cut", operation="CreatePayment")
    pods = [key for key, days in box.balances().items() if days and list(days.values())[-1] > 500]
    assert web.graphql(ME).status == 200
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        web.pay(f"POD:{pods[0]}", f"POD:{pods[1]}", 100)
    assert box.payments() == []
    assert web.graphql(ME).status == 200


def test_faults_are_asked_for_and_cleared_over_http(web: Any, box: Sandbox) -> None:
    """Faults can be added, listed and cleared over HTTP; an unknown kind is refused."""
    fault = {"kind": "rate_limit", "operation": "Me", "times": 3, "retry_after": 9}
    waiting = web.request("POST", "/sandbox/faults", fault).json["waiting"]
    assert waiting[0]["options"] == {"retry_after": 9}
    assert web.graphql("{ me { id } }").status == 200
    assert web.graphql(ME).status == 429
    assert web.request("GET", "/sandbox/faults").json["waiting"][0]["times"] == 2
    assert web.request("DELETE", "/sandbox/faults").json["waiting"] == []
    assert web.request("POST", "/sandbox/faults", {"kind": "flood"}).status == 400
    assert web.graphql(ME).status == 200
    with pytest.raises(ValueError, match="flood"):
        box.fail("flood")


def test_the_token_endpoint_has_faults_of_its_own(web: Any, box: Sandbox) -> None:
    """A fault for GraphQL leaves the token endpoint alone, and the other way round."""
    grant = {"grant_type": "refresh_token", "client_id": box.client_id, "refresh_token": "x"}
    box.fail("server_error", operation="oauth/token")
    box.fail("rate_limit")
    assert web.request("POST", "/oauth/token", grant, origin=box.auth_url).status == 500
    assert web.request("POST", "/oauth/token", grant, origin=box.auth_url).status == 403
    assert web.graphql(ME).status == 429


def test_tokens_are_expired_over_http(web: Any) -> None:
    """The controls can let every token expire, and hand out a new one."""
    new = web.request("POST", "/sandbox/tokens", {"expire": True}).json["access_token"]
    assert web.graphql(ME).status == 401
    assert web.graphql(ME, token=new).status == 200


def test_connection_and_environment_have_the_promised_keys(box: Sandbox) -> None:
    """The connection has its names, and the environment points the package here."""
    assert list(box.connection()) == [
        "app_url", "auth_url", "organization_id", "kyc_id", "client_id",
        "email", "password", "totp_secret", "access_token", "refresh_token",
        "platform_url", "api_key", "api_key_transfers",
    ]  # fmt: skip
    assert box.environment()["SEQUENCE_APP_URL"] == box.app_url
    assert box.app_url != box.auth_url
    assert box.access_token not in repr(box)


def test_a_sandbox_stops_and_starts_again() -> None:
    """Starting and stopping twice does no harm, and after stopping nobody answers."""
    box = Sandbox(months=1, now="2026-11-01")
    with pytest.raises(RuntimeError, match="start"):
        _ = box.app_url
    box.start()
    box.start()
    url = box.app_url
    box.stop()
    box.stop()
    connection = http.client.HTTPConnection(url.removeprefix("http://"))
    with pytest.raises(ConnectionError):
        connection.request("GET", "/sandbox")


def test_a_port_that_is_taken_is_named(box: Sandbox) -> None:
    """Starting on a port in use says which."""
    port = int(box.app_url.rpartition(":")[2])
    with pytest.raises(OSError, match=str(port)):
        Sandbox(months=1, port=port).start()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_shell_command_serves_until_interrupted(number: signal.Signals) -> None:
    """The first line is the connection as JSON; a signal ends it cleanly with 0."""
    code = "import sys; from seqdata.sandbox import serve; sys.exit(serve(7, 1, '2026-11-01'))"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        connection = json.loads(process.stdout.readline())
        web = http.client.HTTPConnection(connection["app_url"].removeprefix("http://"))
        web.request("GET", "/sandbox")
        assert json.loads(web.getresponse().read())["seed"] == 7
        web.close()
        process.send_signal(number)
        assert process.wait(timeout=PATIENCE) == 0
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@pytest.mark.parametrize(
    "wrong",
    [{"now": "2026-11-01T10:00:00"}, {"months": 0}, {"scale": 0}, {"page_cap_mode": "shrink"}],
)
def test_parameters_that_make_no_world_are_refused(wrong: dict[str, Any]) -> None:
    """A time without zone, no months, no scale, an unknown mode: each is a ValueError."""
    with pytest.raises(ValueError, match=r"zone|from 1 up|page_cap_mode"):
        Sandbox(**({"months": 1} | wrong))
