from __future__ import annotations

import logging
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from exchanges import came
from hypothesis import given
from hypothesis import strategies as st
from waiting import LONG, PATIENCE

from seqdata.exceptions import (
    ConnectionFailed,
    HTTPError,
    RateLimited,
    Unauthorized,
)
from seqdata.http.curl import CurlSend
from seqdata.http.messages import Exchange, Request, accepted
from seqdata.http.transport import ATTEMPTS, Transport

URL = "https://app.example.org/api/graphql"
READ = Request(URL, {"authorization": "Bearer plant-1"}, b'{"query": "plant-2"}', "Pods")
PAYMENT = Request(URL, {"authorization": "Bearer plant-1"}, b"{}", "CreatePayment", once=True)


class Service:
    """Stands in for the network: gives its answers in order, and counts what was sent."""

    def __init__(self, *answers: Exchange) -> None:
        self.answers = list(answers)
        self.sent: list[Request] = []

    def __call__(self, request: Request) -> Exchange:
        self.sent.append(request)
        return self.answers.pop(0)


def transport(service: Service, slept: list[float], *, chance: float = 1.0) -> Transport:
    """Make a transport that notes its waits instead of waiting, and draws `chance` of a range."""
    return Transport(
        service,
        sleep=slept.append,
        uniform=lambda low, high: low + chance * (high - low),
    )


LOST = Exchange(left=True, fault="(56) Connection reset by peer")


# -- reads are retried ------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", [came(500), came(503), came(429), LOST])
def test_a_read_is_tried_again(trouble: Exchange) -> None:
    """Connection faults, 429 and 5xx are tried again, and the answer that comes is returned."""
    service, slept = Service(trouble, trouble, came(body=b"here")), list[float]()
    assert transport(service, slept).send(READ).body == b"here"
    assert service.sent == [READ] * 3
    assert slept == [1.0, 2.0]


@pytest.mark.parametrize("trouble", [came(500, b"no"), came(429), LOST])
def test_a_read_is_given_up_after_some_attempts(trouble: Exchange) -> None:
    """After the last attempt the service's own refusal is raised."""
    service = Service(*[trouble] * ATTEMPTS)
    with pytest.raises((HTTPError, ConnectionFailed)):
        transport(service, []).send(READ)
    assert len(service.sent) == ATTEMPTS


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 403, 404, 422])
def test_other_refusals_are_final(status: int) -> None:
    """What another attempt cannot mend is raised at once, and its text starts with the status."""
    service = Service(came(status, b"why"))
    with pytest.raises(HTTPError, match=f"^HTTP {status} .*Pods.*: why") as refused:
        transport(service, []).send(READ)
    assert isinstance(refused.value, RuntimeError)
    assert refused.value.status == status
    assert isinstance(refused.value, Unauthorized) is (status == 401)
    assert len(service.sent) == 1


@given(st.floats(min_value=0, max_value=1))
def test_the_backoff_doubles_within_bounds(chance: float) -> None:
    """Whatever chance draws, each wait lies between half and whole of 1, 2, 4 and 8 seconds."""
    slept: list[float] = []
    service = Service(*[came(500)] * (ATTEMPTS - 1), came())
    transport(service, slept, chance=chance).send(READ)
    bounds = [2.0**attempt for attempt in range(ATTEMPTS - 1)]
    assert len(slept) == len(bounds)
    assert all(bound / 2 <= wait <= bound for wait, bound in zip(slept, bounds, strict=True))


# -- Retry-After ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("0", 0.0),
        ("7", 7.0),
        (" 120 ", 120.0),
        ("-5", 0.0),
        ("Mon, 23 Nov 2026 12:01:30 GMT", 90.0),
        ("Mon, 23 Nov 2026 12:01:30 -0000", 90.0),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0.0),
        ("soon", 1.0),
        ("", 1.0),
    ],
)
def test_a_wait_that_is_asked_for_is_kept(header: str, wait: float) -> None:
    """Retry-After is obeyed: seconds, or a date against the service's own clock."""
    busy = came(429, retry_after=header, date="Mon, 23 Nov 2026 12:00:00 GMT")
    slept: list[float] = []
    transport(Service(busy, came()), slept).send(READ)
    assert slept == [wait]


@pytest.mark.parametrize("header", ["121", "86400", "Tue, 24 Nov 2026 12:00:00 GMT"])
def test_a_long_wait_is_raised_with_its_time(header: str) -> None:
    """Beyond 120 seconds nothing is waited for: the error says how long the service asks."""
    busy = came(429, retry_after=header, date="Mon, 23 Nov 2026 12:00:00 GMT")
    service, slept = Service(busy), list[float]()
    with pytest.raises(RateLimited, match=r"^HTTP 429 .*wait \d+ seconds") as refused:
        transport(service, slept).send(READ)
    assert refused.value.retry_after is not None
    assert refused.value.retry_after > 120
    assert (len(service.sent), slept) == (1, [])


@pytest.mark.parametrize(
    ("header", "moment"),
    [
        ("Mon, 23 Nov 2026 12:00:00 GMT", datetime(2026, 11, 23, 12, tzinfo=UTC)),
        ("Mon, 23 Nov 2026 12:00:00 -0000", datetime(2026, 11, 23, 12, tzinfo=UTC)),
        ("Mon, 23 Nov 2026 12:00:00", datetime(2026, 11, 23, 12, tzinfo=UTC)),
        ("yesterday", None),
        ("", None),
    ],
)
def test_the_service_has_a_clock(header: str, moment: datetime | None) -> None:
    """The Date header is read as UTC; one that cannot be read is no moment."""
    answered = came(date=header).answer
    assert answered is not None
    assert answered.served_at == moment


# -- what may be sent only once ---------------------------------------------------------------


@pytest.mark.parametrize("trouble", [came(500), came(429, retry_after="0"), came(401), LOST])
def test_once_is_sent_once(trouble: Exchange) -> None:
    """A request that changes something is never sent again, whatever came back."""
    service, slept = Service(trouble), list[float]()
    assert transport(service, slept).send_once(PAYMENT) is trouble
    with pytest.raises((HTTPError, ConnectionFailed)):
        accepted(trouble, PAYMENT)
    assert (service.sent, slept) == ([PAYMENT], [])


def test_once_never_goes_the_way_of_what_is_asked_again() -> None:
    """The seam of the reads takes nothing that may be sent only once."""
    service = Service()
    with pytest.raises(ValueError, match="send_once"):
        transport(service, []).send(PAYMENT)
    assert service.sent == []


def test_requests_and_logs_keep_secrets(caplog: pytest.LogCaptureFixture) -> None:
    """Neither the repr of a request or an answer nor any log line shows a header or a body."""
    got = came(body=b"plant-3", set_cookie="plant-4")
    with caplog.at_level(logging.DEBUG, "seqdata"):
        transport(Service(came(500, b"plant-5"), LOST, got), []).send(READ)
    assert "operation=Pods" in caplog.text
    assert "attempt=2" in caplog.text
    assert "plant" not in f"{caplog.text} {READ!r} {got!r}"


# -- over a real connection -------------------------------------------------------------------


class Server:
    """A loopback server that answers each connection's first request and cuts the second.

    A request whose body holds ``cut`` is cut in any place; one with ``moved`` is redirected.
    """

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/api/graphql"
        self.arrived: list[tuple[int, bytes]] = []
        self.threads = [threading.Thread(target=self.accept)]
        self.threads[0].start()

    def accept(self) -> None:
        number = 0
        with suppress(OSError):
            while True:
                connection = self.listener.accept()[0]
                number += 1
                thread = threading.Thread(target=self.serve, args=(connection, number))
                self.threads.append(thread)
                thread.start()

    def serve(self, connection: socket.socket, number: int) -> None:
        with connection, connection.makefile("rb") as stream, suppress(OSError):
            connection.settimeout(PATIENCE)
            for place in (1, 2):
                body = self.read(stream.readline, stream.read)
                if body is None:
                    return
                self.arrived.append((number, body))
                if place == 2 or b"cut" in body:
                    return
                status = b"302 Found\r\nLocation: /elsewhere" if b"moved" in body else b"200 OK"
                connection.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\n{}")

    @staticmethod
    def read(line: Callable[[], bytes], read: Callable[[int], bytes]) -> bytes | None:
        head = list(iter(line, b"\r\n" if (first := line()) else b""))
        if not first:
            return None
        lengths = [one for one in head if one.lower().startswith(b"content-length:")]
        return read(int(lengths[0].split(b":")[1]))

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for thread in self.threads:
            thread.join(timeout=PATIENCE)


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.close()


@pytest.fixture
def send() -> Iterator[CurlSend]:
    sender = CurlSend()
    yield sender
    sender.close()


def request(server: Server, body: bytes, *, once: bool = False) -> Request:
    """Make a request to the server."""
    return Request(server.url, {"content-type": "application/json"}, body, "Test", once)


def status_of(exchange: Exchange) -> int | None:
    """Give the status of an exchange's answer, or None."""
    return None if exchange.answer is None else exchange.answer.status


def test_a_reused_connection_is_a_trap(server: Server, send: CurlSend) -> None:
    """libcurl by itself repeats a request when a reused connection dies: a read arrives twice."""
    send(request(server, b"warm"))
    assert status_of(send(request(server, b"read"))) == 200
    assert server.arrived == [(1, b"warm"), (1, b"read"), (2, b"read")]


def test_a_payment_does_not_step_into_it(server: Server, send: CurlSend) -> None:
    """After reads that left a connection open, a payment gets one that was never used."""
    send(request(server, b"warm"))
    assert status_of(send(request(server, b"pay", once=True))) == 200
    assert server.arrived == [(1, b"warm"), (2, b"pay")]


def test_a_payment_whose_connection_is_cut_arrived_once(server: Server, send: CurlSend) -> None:
    """A connection that dies after the body was read: the payment arrived once, and may count."""
    over_curl = Transport(send, sleep=lambda _: None)
    over_curl.send(request(server, b"warm"))
    lost = over_curl.send_once(request(server, b"pay-cut", once=True))
    assert (lost.left, lost.answer) == (True, None)
    with pytest.raises(ConnectionFailed, match=r"^No answer from http://127\.0\.0\.1"):
        accepted(lost, request(server, b"pay-cut", once=True))
    assert server.arrived == [(1, b"warm"), (2, b"pay-cut")]


def test_a_read_whose_connection_is_cut_is_tried_again(server: Server, send: CurlSend) -> None:
    """A read is sent again after a cut, up to the number of attempts."""
    with pytest.raises(ConnectionFailed):
        Transport(send, sleep=lambda _: None).send(request(server, b"read-cut"))
    assert [body for _, body in server.arrived] == [b"read-cut"] * ATTEMPTS


def test_a_redirect_is_not_followed(server: Server, send: CurlSend) -> None:
    """A redirect, which would carry the token elsewhere, is refused."""
    with pytest.raises(HTTPError, match="^HTTP 302 .*Redirects are not followed"):
        Transport(send).send(request(server, b"moved"))
    assert server.arrived == [(1, b"moved")]


def test_a_refused_connection_sent_nothing(send: CurlSend) -> None:
    """Where nobody listens, the error knows that the body never left this machine."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
    asked = Request(url, {}, b"{}", once=True)
    exchange = send(asked)
    assert (exchange.left, exchange.answer) == (False, None)
    with pytest.raises(ConnectionFailed, match="SEQUENCE_APP_URL") as refused:
        accepted(exchange, asked)
    assert refused.value.body_sent is False


def test_closing_twice_is_harmless(server: Server) -> None:
    """close may be called again, and before anything was sent."""
    over_curl = Transport()
    over_curl.close()
    over_curl.send(request(server, b"warm"))
    over_curl.close()
    over_curl.close()
    assert len(server.arrived) == 1


CLOSING = """
    import sys, threading
    from pathlib import Path
    from seqdata import Sandbox, SequenceClient
    from seqdata.ledger import demo_settings

    with Sandbox(months=1) as box:
        client = SequenceClient(box.issue_token(), settings=demo_settings(box, Path(sys.argv[1])))
        for _ in range(5):
            box.fail("slow", seconds=0.5)
            said, before = [], len(box.requests())
            asking = threading.Thread(target=lambda: said.append(len(client.get_pods())))
            asking.start()
            while len(box.requests()) == before:
                pass
            client.close()
            asking.join()
            assert said == [12], said
"""


def test_closing_leaves_a_request_of_another_thread_alone(tmp_path: Path) -> None:
    """A client that is closed while another thread asks lets it finish, and can be used again."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(CLOSING), str(tmp_path)],
        capture_output=True, text=True, check=False, timeout=LONG,
    )  # fmt: skip
    assert done.returncode == 0, (done.returncode, done.stderr)
