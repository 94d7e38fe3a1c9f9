"""The sandbox in TLS, over HTTP/1.1 and HTTP/2, judged by clients that others wrote."""

from __future__ import annotations

import asyncio
import json
import signal
import ssl
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from curl_cffi import CurlHttpVersion
from curl_cffi.requests import Session
from h2.errors import ErrorCodes
from h2.events import ConnectionTerminated, StreamEnded
from sandbox_http import NOW, PAGE
from tls_kit import ME, Http2Client, call, client, connected, data_of, is_last, trusting

from seqdata.sandbox import Sandbox

both = pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])


# -- who it is ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offered", "agreed"),
    [(["http/1.1", "h2"], "h2"), (["http/1.1"], "http/1.1"), (["spdy/3"], None)],
)
def test_a_client_gets_the_best_protocol_that_it_offers(
    secure: Sandbox, offered: list[str], agreed: str | None
) -> None:
    """HTTP/2 is agreed on where the client speaks it, on both origins, and else HTTP/1.1."""
    for url in (secure.app_url, secure.auth_url):
        assert url.startswith("https://")
        with connected(secure, *offered, url=url) as connection:
            assert isinstance(connection, ssl.SSLSocket)
            assert connection.selected_alpn_protocol() == agreed


def test_only_who_knows_the_authority_trusts_the_sandbox(secure: Sandbox) -> None:
    """A client that trusts the public authorities alone refuses the certificate."""
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(f"{secure.app_url}/sandbox")


def test_the_authority_is_private_and_goes_with_the_sandbox() -> None:
    """The file is its owner's alone, is told of by every name, differs at each start, and ends."""
    box = Sandbox(now=NOW, months=1, tls=True)
    assert box.ca_bundle is None
    seen = set()
    for _ in range(2):
        with box:
            path = box.ca_bundle
            assert path is not None
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
            assert box.connection()["ca_bundle"] == str(path)
            assert box.environment()["SEQUENCE_CA_BUNDLE"] == str(path)
            assert "PRIVATE KEY" not in path.read_text()
            seen.add(path.read_bytes())
        assert not path.parent.exists()
        assert box.ca_bundle is None
    assert len(seen) == 2


def test_without_tls_nothing_of_it_is_there() -> None:
    """A plain sandbox names no authority, and loads nothing that TLS needs."""
    script = """if True:
        import json, sys
        from seqdata.sandbox import Sandbox
        with Sandbox(now="2026-11-01", months=1) as box:
            assert box.app_url.startswith("http://") and box.ca_bundle is None
            assert not [n for n in [*box.connection(), *box.environment()] if "bundle" in n.lower()]
            print(*{"trustme", "cryptography", "h2"} & set(sys.modules))"""
    done = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("\n", "")


def test_the_command_serves_tls(tmp_path: Path) -> None:
    """`seqdata sandbox --tls` tells of the authority in its first line and its file, and ends."""
    command = [sys.executable, "-m", "seqdata", "sandbox", "--tls", "--months", "1"]
    command += ["--env", str(tmp_path / "env")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        bundle = Path(told["ca_bundle"])
        context = ssl.create_default_context(cafile=str(bundle))
        assert httpx.get(f"{told['app_url']}/sandbox", verify=context).status_code == 200
        assert f"SEQUENCE_CA_BUNDLE={bundle}\n" in (tmp_path / "env").read_text()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
    assert not bundle.exists()


# -- what it answers ---------------------------------------------------------------


@pytest.fixture(scope="module")
def untouched() -> Iterator[Sandbox]:
    """Serve a world in TLS in which nothing has happened."""
    with Sandbox(now=NOW, months=2, tls=True) as box:
        yield box


@both
def test_answers_are_those_of_plain_http(untouched: Sandbox, box: Sandbox, http2: bool) -> None:
    """Status, headers and body are the same in TLS, over both protocols, as without it."""
    with client(untouched, http2=http2) as safe, client(box, http2=False) as plain:
        for path in ("/sandbox", "/sandbox/balances", "/nowhere"):
            one, other = safe.get(path), plain.get(path)
            assert one.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
            assert (one.status_code, one.headers) == (other.status_code, other.headers)
        answers = [
            asking.post("/api/graphql", content=call(PAGE, {"id": box.organization_id}))
            for asking in (safe, plain)
        ]
        assert answers[0].json() == answers[1].json()


@both
def test_a_head_has_the_length_and_no_body(secure: Sandbox, http2: bool) -> None:
    """HEAD is answered with the headers of GET, and the connection goes on."""
    with client(secure, http2=http2) as asking:
        head, get = asking.head("/sandbox"), asking.get("/sandbox")
    assert head.content == b""
    assert head.headers["content-length"] == get.headers["content-length"] == str(len(get.content))


@both
def test_large_bodies_pass_both_ways(secure: Sandbox, http2: bool) -> None:
    """Bodies many windows long arrive whole: a call of 3 MB, and all transfers."""
    with client(secure, http2=http2) as asking:
        answer = asking.post("/api/graphql", content=b" " * 3_000_000 + call(ME))
        assert answer.json()["data"]["me"]["id"]
        whole = asking.get("/sandbox/transfers")
    assert len(whole.content) > 200_000
    assert whole.json() == secure.transfers()


def test_many_streams_share_one_connection(secure: Sandbox) -> None:
    """Fifty calls at once on one connection are answered each with its own page."""

    async def ask_all() -> list[int]:
        async with httpx.AsyncClient(
            http1=False,
            http2=True,
            verify=trusting(secure),
            headers={"authorization": f"Bearer {secure.access_token}"},
            limits=httpx.Limits(max_connections=1),
            timeout=30,
        ) as asking:
            bodies = [call(PAGE, {"id": secure.organization_id, "first": n}) for n in sizes]
            url = f"{secure.app_url}/api/graphql"
            answers = await asyncio.gather(*(asking.post(url, content=b) for b in bodies))
        organizations = [answer.json()["data"]["organization"] for answer in answers]
        return [len(one["transferReferences"]["edges"]) for one in organizations]

    sizes = [*range(1, 26)] * 2
    assert asyncio.run(ask_all()) == sizes


def test_an_answer_that_nobody_reads_holds_up_no_other(secure: Sandbox) -> None:
    """While one stream's window is full, the next stream of its connection is answered."""
    secure.fail("wire", variant="huge")
    with connected(secure, "h2") as connection:
        http2 = Http2Client(connection)
        http2.conn.increment_flow_control_window(2**24)
        first = http2.ask(secure, call(ME))
        second = http2.ask(secure, call(ME))
        events = http2.listen(lambda e: isinstance(e, StreamEnded) and e.stream_id == second)
    own = [e for e in events if getattr(e, "stream_id", 0) == second]
    assert json.loads(data_of(own))["data"]["me"]["id"]
    assert len(data_of([e for e in events if getattr(e, "stream_id", 0) == first])) > 0


def test_what_http2_splits_is_joined(secure: Sandbox) -> None:
    """The host is told as HTTP/1.1 has it, and crumbs of cookies are one line."""
    with connected(secure, "h2") as connection:
        http2 = Http2Client(connection)
        http2.ask(secure, call(ME), headers=(("cookie", "a=1"), ("cookie", "b=2")))
        http2.listen(is_last)
    headers = [(name, value) for name, value in secure.requests()[-1]["headers"]]
    assert ("host", urlsplit(secure.app_url).netloc) in headers
    assert [value for name, value in headers if name == "cookie"] == ["a=1; b=2"]
    assert not [name for name, _ in headers if name.startswith(":")]


def test_a_body_that_nobody_reads_does_not_block_the_connection(secure: Sandbox) -> None:
    """Bodies sent to an address that takes none use up no window: the next call is answered."""
    with client(secure, http2=True) as asking:
        for _ in range(4):
            assert asking.post("/nowhere", content=b"x" * 60_000).status_code == 404
        assert asking.post("/api/graphql", content=call(ME)).status_code == 200


def test_a_client_that_breaks_the_protocol_is_told_so(secure: Sandbox) -> None:
    """A frame that means nothing is answered with GOAWAY and the end, and others are served."""
    with connected(secure, "h2") as connection:
        http2 = Http2Client(connection)
        connection.sendall(bytes(9))  # a DATA frame of no stream
        events = http2.listen(is_last)
    (last,) = [event for event in events if isinstance(event, ConnectionTerminated)]
    assert last.error_code == ErrorCodes.PROTOCOL_ERROR
    with client(secure, http2=True) as asking:
        assert asking.get("/sandbox").status_code == 200


def test_a_browser_played_by_curl_is_answered_over_http2(secure: Sandbox) -> None:
    """curl in the part of Chrome speaks HTTP/2, and its headers arrive as it sent them."""
    with Session(impersonate="chrome", verify=str(secure.ca_bundle)) as session:
        answer = session.post(
            f"{secure.app_url}/api/graphql",
            data=call(ME),
            headers={"authorization": f"Bearer {secure.access_token}"},
        )
    assert answer.json()["data"]["me"]["id"]
    sent = dict(secure.requests()[-1]["headers"])
    assert "Chrome" in sent["user-agent"]
    assert "upgrade" not in sent


# -- how it ends -------------------------------------------------------------------


@both
def test_it_stops_though_clients_stay(http2: bool) -> None:
    """A connection that idles does not delay the end, and its client finds it closed."""
    box = Sandbox(now=NOW, months=1, tls=True).start()
    with client(box, http2=http2) as asking:
        assert asking.get("/sandbox").status_code == 200
        begun = time.monotonic()
        box.stop()
        assert time.monotonic() - begun < 1
        with pytest.raises(httpx.TransportError):
            asking.get("/sandbox")


def test_it_stops_while_an_answer_is_late() -> None:
    """Stopping ends a late answer: its client is cut off instead of waiting for it."""
    box = Sandbox(now=NOW, months=1, tls=True).start()
    box.fail("slow", seconds=60)
    with connected(box, "h2") as connection:
        http2 = Http2Client(connection)
        http2.ask(box, call(ME))
        while not box.requests():
            time.sleep(0.01)
        box.stop()
        assert data_of(http2.listen(is_last)) == b""


def test_an_answer_under_way_is_finished_at_the_end() -> None:
    """An answer that is ready soon after the stop still arrives whole."""
    box = Sandbox(now=NOW, months=1, tls=True).start()
    box.fail("slow", seconds=0.4)
    with ThreadPoolExecutor() as aside, Session(verify=str(box.ca_bundle)) as session:
        headers = {"authorization": f"Bearer {box.access_token}"}
        url = f"{box.app_url}/api/graphql"
        answer = aside.submit(session.post, url, data=call(ME), headers=headers)
        while not box.requests():
            time.sleep(0.01)
        box.stop()
        assert answer.result().http_version == CurlHttpVersion.V2_0
        assert answer.result().json()["data"]["me"]["id"]
