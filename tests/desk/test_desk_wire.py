"""The wire of a payment: sent once, and failed only on proof."""

from __future__ import annotations

import json
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from desk_helper import arrived, charged, events, settings_of
from front import PROTOCOLS, Front, Play
from hypothesis import given
from hypothesis import strategies as st
from shapes import CLEAR, NEW, PAGE, SHAPES, Shape, page_with_table, whole

from seqdata.http.curl import CurlSend
from seqdata.http.messages import Answer, Exchange, Request
from seqdata.http.transport import Transport
from seqdata.safeguards import AuditLog, TransferDesk
from seqdata.sandbox import Sandbox
from seqdata.sources.webapp.judging import judge


def cases() -> Iterator[tuple[Shape, str]]:
    """Every shape over one of its protocols, the clear and the long ones over all of them."""
    for number, shape in enumerate(SHAPES):
        is_of_all = os.environ.get("SEQDATA_SOAK") or shape in (*CLEAR, *NEW)
        over = shape.over if is_of_all else [shape.over[number % len(shape.over)]]
        yield from ((shape, protocol) for protocol in over)


CASES = list(cases())


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(months=1, now="2026-11-01") as running:
        yield running


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def front_of(box: Sandbox, protocol: str, authority: trustme.CA, folder: Path) -> Front:
    front = Front(box.app_url, protocol)
    if protocol != "HTTP/1.1":
        front.trust(authority, folder)
    return front


@pytest.fixture(scope="module")
def fronts(
    box: Sandbox, authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Front]]:
    """One server for each protocol, for all that leave it as it was."""
    folder = tmp_path_factory.mktemp("fronts")
    running = {name: front_of(box, name, authority, folder) for name in PROTOCOLS}
    yield running
    for front in running.values():
        front.close()


def desk_at(box: Sandbox, front: Front, folder: Path, shape: Shape | None = None) -> TransferDesk:
    """Open a desk at a front; a payment of a shape that hangs is given up soon."""
    settings = settings_of(box, folder, app_url=front.url, ca_bundle=front.ca_bundle)
    read = CurlSend(front.ca_bundle)
    patience = 3.0 if shape is not None and shape.hangs else 60.0
    pay = CurlSend(front.ca_bundle, largest_answer=500_000, whole_timeout=patience)

    def send(request: Request) -> Exchange:
        return pay(request) if request.once else read(request)

    return TransferDesk(
        settings,
        box.organization_id,
        transport=Transport(send),
        token_provider=box.issue_token,
    )


@pytest.mark.parametrize(("shape", "protocol"), CASES, ids=[f"{p}: {s.name}" for s, p in CASES])
def test_every_shape_of_an_answer_is_judged_right(
    box: Sandbox,
    fronts: dict[str, Front],
    authority: trustme.CA,
    tmp_path: Path,
    shape: Shape,
    protocol: str,
) -> None:
    """At most one body arrives, its verdict is true, and the limit is charged where money may be.

    The front stands for the service and all that lies before it: what it lets the sandbox do is
    what happened to the money.
    """
    front = fronts[protocol]
    if shape.closes_door:
        front = front_of(box, protocol, authority, tmp_path)
    front.script, front.acts = shape.make, shape.acts
    front.closes_door = shape.closes_door
    front.bodies.clear()
    before = len(arrived(box))
    with desk_at(box, front, tmp_path, shape) as desk:
        outcome = desk.confirm(desk.stage("Emergency Fund", "Groceries", "1"))
        moved = len(arrived(box)) - before
        assert len(front.bodies) == 1
        assert moved == shape.acts
        assert (outcome.status, outcome.accepted) == (
            shape.verdict,
            {"completed": True, "failed": False, "unknown": None}[shape.verdict],
        )
        assert charged(tmp_path) == (0 if shape.verdict == "failed" else 100)
        assert bool(desk.open_intents()) is (shape.verdict == "unknown")
    assert AuditLog(tmp_path / ".audit.jsonl").verify().is_intact
    assert events(tmp_path)[-1]["event_type"] == f"transfer_{shape.verdict}"
    if shape.closes_door:
        front.close()


def test_there_are_shapes_enough() -> None:
    """The matrix has at least 40 shapes, of each verdict, over each protocol."""
    assert len({shape.name for shape in SHAPES}) == len(SHAPES) > 40
    assert {shape.verdict for shape in SHAPES} == {"completed", "failed", "unknown"}
    assert {protocol for _, protocol in CASES} == set(PROTOCOLS)


def test_the_page_has_the_table_of_the_shapes() -> None:
    """What protects your money lists every shape with its verdict (python tests/desk/shapes.py)."""
    text = PAGE.read_text("utf-8")
    assert page_with_table(text) == text


# -- at every point of an answer --------------------------------------------------------------


def test_an_answer_cut_at_every_point_is_unknown(
    box: Sandbox, fronts: dict[str, Front], tmp_path: Path
) -> None:
    """Wherever a good answer is cut, one body arrived, and the money may have moved."""
    front, good = fronts["HTTP/1.1"], b'{"data":{"forKYC":{"createPayment":{"ok":{}}}}}'
    answer, seen = whole(good), []
    send = CurlSend()
    for end in range(len(answer) + 1):
        front.acts, front.script = False, lambda _, end=end: Play(raw=answer[:end])  # type: ignore[misc]
        front.bodies.clear()
        seen.append(judge(send(payment(front.url))).kind)
        assert len(front.bodies) == 1
    assert seen == ["unknown"] * len(answer) + ["accepted"]


def payment(url: str) -> Request:
    headers = {"content-type": "application/json"}
    return Request(f"{url}/api/graphql", headers, b'{"query": "createPayment"}', "Pay", once=True)


# -- what never left --------------------------------------------------------------------------


def test_a_closed_port_is_failed_and_released(box: Sandbox, tmp_path: Path) -> None:
    """Where nobody listens any more when it is sent, nothing left, and nothing is counted."""
    front = Front(box.app_url, "HTTP/1.1")
    with desk_at(box, front, tmp_path) as desk:
        staged = desk.stage("Emergency Fund", "Groceries", "1")
        before = len(arrived(box))
        curl = CurlSend()

        def send(request: Request) -> Exchange:
            if request.once:
                front.close()
            return curl(request)

        closing = TransferDesk(
            settings_of(box, tmp_path, app_url=front.url),
            box.organization_id,
            transport=Transport(send),
            token_provider=box.issue_token,
        )
        outcome = closing.confirm(staged)
    assert (outcome.status, outcome.accepted) == ("failed", False)
    assert "never left this machine" in str(outcome)
    assert (len(arrived(box)) - before, charged(tmp_path)) == (0, 0)


@pytest.mark.parametrize("trouble", ["no TLS", "ends at once", "strange authority", "wrong name"])
def test_what_ends_before_the_body_never_left(tmp_path: Path, trouble: str) -> None:
    """Without a connection that somebody vouches for, curl asks for no body: it never left."""
    authority, other = trustme.CA(), trustme.CA()
    trusted = tmp_path / "trusted.pem"
    authority.cert_pem.write_to_path(str(trusted))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issuer = other if trouble == "strange authority" else authority
    name = "example.org" if trouble == "wrong name" else "127.0.0.1"
    issuer.issue_cert(name).configure_cert(context)
    got: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            try:
                if trouble == "no TLS":
                    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                elif trouble != "ends at once":
                    with context.wrap_socket(connection, server_side=True) as secured:
                        got.append(secured.recv(9))
            except OSError:
                pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        exchange = CurlSend(trusted)(payment(url))
        thread.join(timeout=60)
    assert (exchange.left, exchange.answer) == (False, None)
    assert judge(exchange).kind == "failed"
    assert b"POST" not in b"".join(got)


# -- one pure function ------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["ok", "error", "errors", "data", "forKYC", "createPayment", "message"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
STATUSES = st.sampled_from([100, 200, 201, 204, 302, 400, 401, 403, 404, 409, 422, 429, 500, 503])


@given(left=st.booleans(), status=STATUSES, body=st.binary(max_size=40) | JSON)
def test_failed_is_said_on_proof_only(left: bool, status: int, body: Any) -> None:
    """Whatever comes, nothing is raised, and failed means: never left, or a refusal without ok."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    verdict = judge(Exchange(left, Answer(status, {}, data)))
    assert verdict.kind in ("accepted", "failed", "unknown")
    if verdict.kind == "accepted":
        assert left
        assert status // 100 == 2
    if verdict.kind == "failed" and left:
        assert status // 100 == 2 or status in (400, 401, 403, 404, 429)
        assert isinstance(json.loads(data), dict)
        assert b'"ok": {' not in data
