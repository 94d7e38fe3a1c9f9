"""Nonsense at the controls: refused with 400 and a reason, never a fault of the sandbox."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sandbox_http import Http

from seqdata.sandbox import Sandbox
from seqdata.sandbox.faults.kinds import KINDS

PATHS = (
    "", "/transfers", "/balances", "/payments", "/requests", "/advance", "/remove", "/restore",
    "/edit", "/faults", "/tokens", "/login",
)  # fmt: skip

#: What each control understands, one right value each.
WORDS: dict[str, dict[str, Any]] = {
    "/advance": {"days": 0, "hours": 0, "minutes": 0, "seconds": 0},
    "/remove": {"ids": []},
    "/restore": {"ids": []},
    "/edit": {"id": "?", "silently": True, "created_at": "2026-10-01T00:00:00Z",
              "description": "d", "error_reason": "R01", "activity_type": "ACH"},
    "/faults": {"kind": "slow", "times": 1, "after": 0, "operation": "Me"},
    "/tokens": {"expire": False, "rotate": True, "lifetime": 5},
    "/login": {"selectors": "usual", "device_check": False, "token_delay": 0.1, "flow": "code",
               "period": 30, "tries": 3, "wrong_state": False},
}  # fmt: skip

HUGE = 10**400
WRONG = [[], [1], {}, {"a": 1}, "\u0000", "text", "\ud800", HUGE, -HUGE, 1e308, -1, 2**63, 0.5]


@pytest.fixture(scope="module")
def one() -> Iterator[Sandbox]:
    """Serve a sandbox of a month."""
    with Sandbox(months=1, now="2026-11-01") as running:
        yield running


def send(box: Sandbox, method: str, path: str, body: bytes | None, **headers: str) -> int:
    """Send bytes to a control; the status."""
    connection = http.client.HTTPConnection(urlsplit(box.app_url).netloc)
    try:
        connection.request(method, f"/sandbox{path}", body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def is_sound(box: Sandbox) -> bool:
    """Whether the sandbox answers as before, once its faults are cleared."""
    box.clear_faults()
    web = Http(box)
    statuses = [send(box, "GET", path, None) for path in ("/transfers", "/balances", "/login")]
    page = web.graphql("{ me { id } }", token=box.issue_token())
    return [*statuses, page.status] == [200] * 4 and "errors" not in page.json


# -- who may ask ------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "HEAD"])
def test_a_page_of_another_origin_is_refused(method: str, path: str, one: Sandbox) -> None:
    """A page of another origin gets 403, of this machine too; the own one and scripts do not."""
    port = urlsplit(one.app_url).port
    strangers = [
        one.auth_url, "null", "http://127.0.0.1", f"https://127.0.0.1:{port}",
        f"http://localhost:{port}", "http://evil.example", f"{one.app_url}.evil.example",
        f"{one.app_url}/", "", "file://",
    ]  # fmt: skip
    own = send(one, method, path, b"[1]", Origin=one.app_url)
    assert own != 403
    assert own == send(one, method, path, b"[1]")
    if own != 405:
        assert {send(one, method, path, b"[1]", Origin=origin) for origin in strangers} == {403}


# -- what is asked ----------------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "body",
    [b"{", b"\xff", b"nul", b"[" * 100_000, b'{"a": NaN}', b'{"days": Infinity}', b'"\\ud800"',
     b"9" * 5_000, b"\x00"],
    ids=range(9),
)  # fmt: skip
def test_what_is_no_json_is_refused(path: str, body: bytes, one: Sandbox) -> None:
    """A body that is no JSON gets 400 (405 where nothing is posted), and changes nothing."""
    assert send(one, "POST", path, body) in (400, 405)


@pytest.mark.parametrize("path", WORDS)
def test_a_word_of_the_wrong_type_is_refused(path: str, one: Sandbox) -> None:
    """Each word of each control, and the whole, is refused in every type it does not have."""
    for wrong in (None, True, 0, *WRONG):
        if not (path == "/faults" and wrong == []) and not isinstance(wrong, dict):
            assert send(one, "POST", path, json.dumps(wrong).encode()) == 400, wrong
    for name, right in WORDS[path].items():
        for wrong in (None, True, "", *WRONG):
            asked = json.dumps(WORDS[path] | {name: wrong}).encode()
            status = send(one, "POST", path, asked)
            assert status in (200, 400), (name, wrong)
            numbers = {type(wrong), type(right)} <= {int, float}
            if wrong is not None and type(wrong) is not type(right) and not numbers:
                assert status == 400, (name, wrong)
    assert is_sound(one)


@pytest.mark.parametrize("kind", KINDS)
def test_an_option_of_the_wrong_type_is_refused(kind: str, one: Sandbox) -> None:
    """No option of a fault is taken in a type that would only fail in an answer of the API."""
    for option in [*KINDS[kind].options, "unknown"]:
        for wrong in (None, True, "", *WRONG):
            asked = json.dumps({"kind": kind, option: wrong}).encode()
            status = send(one, "POST", "/faults", asked)
            assert status in (200, 400), (option, wrong)
            if isinstance(wrong, list | dict) and option != "value":
                assert status == 400
    assert is_sound(one)


def test_of_several_faults_all_are_taken_or_none(one: Sandbox) -> None:
    """A list with one fault that cannot be leaves none of the others behind."""
    faults = [{"kind": "slow"}, {"kind": "slow", "seconds": "x"}]
    assert send(one, "POST", "/faults", json.dumps(faults).encode()) == 400
    assert Http(one).request("GET", "/sandbox/faults").json["waiting"] == []


@pytest.mark.parametrize("days", [3_654, 1e9, 1e300, HUGE, -1, -HUGE, 1e-9])
def test_the_clock_goes_no_further_than_it_can(days: float, one: Sandbox) -> None:
    """An advance beyond ten years, backwards, or by no whole second is refused at once."""
    before = one.now
    assert send(one, "POST", "/advance", json.dumps({"days": days}).encode()) == 400
    assert one.now == before


@pytest.mark.parametrize(
    "query",
    ["limit=x", "limit=-1", "offset=-1", f"limit={2**63}", f"offset={HUGE}", "limit=1e3",
     "limit=", f"offset={'9' * 5_000}"],
    ids=range(8),
)  # fmt: skip
def test_a_nonsense_page_of_the_truth_is_refused(query: str, one: Sandbox) -> None:
    """Limits and offsets that are no whole numbers from 0 up, or huge, get 400."""
    assert send(one, "GET", f"/transfers?{query}", None) == 400


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00",
                                    "1969-12-31T23:59:59Z", "2026-10-01", "soon", ""])  # fmt: skip
def test_no_row_moves_out_of_time(moment: str, one: Sandbox) -> None:
    """A row is moved to no moment before 1970, in the future, without a zone, or that is none."""
    asked = {"id": one.transfers(limit=1)[0]["id"], "created_at": moment}
    assert send(one, "POST", "/edit", json.dumps(asked).encode()) == 400
    assert is_sound(one)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.just("slow"),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)  # fmt: skip
words = st.sampled_from(sorted({name for known in WORDS.values() for name in known}))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(PATHS),
    method=st.sampled_from(["GET", "POST", "DELETE"]),
    asked=values | st.dictionaries(words, values, max_size=4),
)
@example(path="/faults", method="POST", asked={"kind": ["slow"]})
def test_nonsense_never_fails_the_sandbox(one: Sandbox, path: str, method: str, asked: Any) -> None:
    """Whatever JSON comes to whatever control, the answer is 200, 400 or 405."""
    assert send(one, method, path, json.dumps(asked).encode()) in (200, 400, 405)
    assert send(one, "GET", "", None) == 200
