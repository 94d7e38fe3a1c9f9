"""What the environment does to a connection: a proxy, an authority, a log of keys."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from seqdata.config.settings import read_settings
from seqdata.exceptions import InvalidSetting
from seqdata.http.curl import CurlSend
from seqdata.http.messages import Exchange, Request
from seqdata.http.surroundings import proxy_of
from seqdata.http.transport import Transport

NAMES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "SSLKEYLOGFILE",
         "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")  # fmt: skip
TOKEN = b"plant-token"


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the machine's own environment reaches a connection."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


class Listener:
    """A loopback server whose connections a function serves; it keeps all bytes that came."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.came: list[bytes] = []
        self.threads = [threading.Thread(target=self._accept)]
        self.threads[0].start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                connection.settimeout(60)
                thread = threading.Thread(target=self._run, args=(connection,))
                self.threads.append(thread)
                thread.start()

    def _run(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            self.serve(connection)

    def serve(self, connection: socket.socket) -> None:
        raise NotImplementedError

    def close(self) -> None:
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for thread in self.threads:
            thread.join(timeout=60)


def read_head(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data and (chunk := connection.recv(65_536)):
        data += chunk
    return data


class Service(Listener):
    """Answers each request over TLS."""

    def __init__(self, authority: trustme.CA) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1", "service.test").configure_cert(self.context)
        super().__init__()

    def serve(self, connection: socket.socket) -> None:
        with self.context.wrap_socket(connection, server_side=True) as secured:
            if not (head := read_head(secured)):
                return  # the client did not like the certificate
            self.came.append(head)
            secured.sendall(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}")


class Proxy(Listener):
    """Tunnels every CONNECT to one service, or refuses it."""

    def __init__(self, service: Service, *, refuses: bool = False) -> None:
        self.service, self.refuses = service, refuses
        super().__init__()

    def serve(self, connection: socket.socket) -> None:
        self.came.append(read_head(connection))
        if self.refuses:
            connection.sendall(b"HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n")
            return
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        with socket.create_connection(("127.0.0.1", self.service.port)) as behind:
            back = threading.Thread(target=self._pass, args=(behind, connection))
            back.start()
            self._pass(connection, behind)
            back.join(timeout=60)

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                self.came.append(data)
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def bundle(authority: trustme.CA, tmp_path: Path) -> Path:
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    return tmp_path / "authority.pem"


@pytest.fixture
def service(authority: trustme.CA) -> Iterator[Service]:
    running = Service(authority)
    yield running
    running.close()


def post(url: str, bundle: Path | None, *, once: bool) -> Exchange:
    headers = {"authorization": f"Bearer {TOKEN.decode()}"}
    send = CurlSend(bundle)
    try:
        return send(Request(url, headers, b"{}", "Test", once))
    finally:
        send.close()


def status_of(exchange: Exchange) -> int | None:
    return exchange.answer.status if exchange.answer else None


BOTH = pytest.mark.parametrize("once", [False, True], ids=["read", "payment"])


@BOTH
def test_an_authority_of_ones_own_is_trusted(service: Service, bundle: Path, once: bool) -> None:
    """With SEQUENCE_CA_BUNDLE a server that its authority vouches for is talked to; else none."""
    url = f"https://127.0.0.1:{service.port}/"
    assert status_of(post(url, bundle, once=once)) == 200
    assert post(url, None, once=once).answer is None
    assert len(service.came) == 1


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_other_programs_authorities_are_not_taken(
    service: Service, bundle: Path, name: str
) -> None:
    """An authority that only another program's variable names vouches for nobody."""
    code = (
        "import sys\nfrom seqdata.http.curl import CurlSend\n"
        "from seqdata.http.messages import Request\n"
        "for once in (False, True):\n"
        "    print(CurlSend()(Request(sys.argv[1], {}, b'{}', once=once)).answer)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, f"https://127.0.0.1:{service.port}/"],
        env={**os.environ, name: str(bundle)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["None", "None"]
    assert service.came == []


@BOTH
@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_proxy_is_a_tunnel(
    service: Service, bundle: Path, monkeypatch: pytest.MonkeyPatch, name: str, once: bool
) -> None:
    """Through a proxy a request reaches the service whole, and the proxy sees nothing of it."""
    proxy = Proxy(service)
    monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    assert status_of(post("https://service.test/", bundle, once=once)) == 200
    proxy.close()
    assert proxy.came[0].startswith(b"CONNECT service.test:443 ")
    assert TOKEN not in b"".join(proxy.came)
    assert len(service.came) == 1
    assert TOKEN in service.came[0]


def test_a_proxy_that_refuses_leaves_nothing_sent(
    service: Service, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the proxy gives no tunnel the body of a payment was never asked for."""
    proxy = Proxy(service, refuses=True)
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
    exchange = post("https://service.test/", bundle, once=True)
    proxy.close()
    assert (exchange.left, exchange.answer) == (False, None)
    assert service.came == []


@BOTH
def test_no_proxy_is_obeyed(
    service: Service, bundle: Path, monkeypatch: pytest.MonkeyPatch, once: bool
) -> None:
    """What NO_PROXY names is not asked for through the proxy."""
    proxy = Proxy(service)
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
    monkeypatch.setenv("NO_PROXY", "service.test")
    assert post("https://service.test/", bundle, once=once).answer is None
    proxy.close()
    assert proxy.came == []


@BOTH
def test_nothing_stands_between_a_program_and_its_own_machine(
    service: Service, bundle: Path, monkeypatch: pytest.MonkeyPatch, once: bool
) -> None:
    """No proxy of the environment is asked for an address of this machine, by http or https."""
    proxy = Proxy(service)
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    assert status_of(post(f"https://127.0.0.1:{service.port}/", bundle, once=once)) == 200
    with socket.create_server(("127.0.0.1", 0)) as free:
        nobody = free.getsockname()[1]
    assert post(f"http://127.0.0.1:{nobody}/", bundle, once=once).answer is None
    proxy.close()
    assert proxy.came == []


def test_plain_http_takes_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTP_PROXY is obeyed for nothing."""
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example.org:3128")
    assert not proxy_of("http://service.test/")
    assert not proxy_of("https://service.test/")


def test_a_log_of_keys_is_warned_of(service: Service, bundle: Path, tmp_path: Path) -> None:
    """Where SSLKEYLOGFILE is set a warning names the file, once."""
    code = (
        "import sys, logging\nlogging.basicConfig()\nfrom pathlib import Path\n"
        "from seqdata.http.curl import CurlSend\nfrom seqdata.http.messages import Request\n"
        "for once in (False, True):\n"
        "    CurlSend(Path(sys.argv[2]))(Request(sys.argv[1], {}, b'{}', once=once))\n"
    )
    keys = tmp_path / "keys.log"
    done = subprocess.run(
        [sys.executable, "-c", code, f"https://127.0.0.1:{service.port}/", str(bundle)],
        env={**os.environ, "SSLKEYLOGFILE": str(keys)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stderr.count("SSLKEYLOGFILE is set") == 1
    assert str(keys) in done.stderr


@pytest.mark.parametrize(
    "proxy", ["ftp://kim:s3cret@proxy:1", "http://kim:s3cret@[::1", "http://kim:s3cret@proxy:99999",
              "http://kim:s3cret@pro xy:1"],
)  # fmt: skip
def test_a_proxy_that_is_none_is_refused_without_its_password(
    monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    """An address that is no proxy's is an error of ours that names the variable, and no secret."""
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    asked = Request("https://service.test/", {}, b"{}", "Test")
    with pytest.raises(InvalidSetting, match="HTTPS_PROXY") as refused:
        Transport(CurlSend()).send(asked)
    assert "s3cret" not in str(refused.value)
    exchange = Transport(CurlSend()).send_once(replace(asked, once=True))
    assert (exchange.left, exchange.answer) == (False, None)
    assert "s3cret" not in exchange.fault


def test_a_proxy_with_a_password_is_not_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    """What libcurl says of a proxy that is not there does not show how one logs in to it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("HTTPS_PROXY", f"http://kim:s3cret@127.0.0.1:{port}")
    exchange = post("https://service.test/", None, once=True)
    assert (exchange.left, exchange.answer) == (False, None)
    assert "s3cret" not in exchange.fault


# -- where SEQUENCE_CA_BUNDLE comes from ------------------------------------------------------


def test_a_bundle_that_is_not_there_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A file that cannot be read is refused by name, before anything is sent."""
    monkeypatch.setenv("SEQUENCE_CA_BUNDLE", str(tmp_path / "none.pem"))
    with pytest.raises(InvalidSetting, match=r"SEQUENCE_CA_BUNDLE.*a file that can be read"):
        read_settings(tmp_path)


def test_a_found_env_file_names_no_authority(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, bundle: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """An authority counts from the environment or a named folder, not from a found file."""
    (tmp_path / ".env").write_text(f"SEQUENCE_CA_BUNDLE={json.dumps(str(bundle))}\n")
    assert read_settings(tmp_path).ca_bundle is None
    assert "not taken from a .env file that was merely found" in caplog.text
    monkeypatch.setenv("SEQUENCE_DATA_DIR", str(tmp_path))
    assert read_settings(tmp_path).ca_bundle == bundle
    monkeypatch.delenv("SEQUENCE_DATA_DIR")
    monkeypatch.setenv("SEQUENCE_CA_BUNDLE", str(bundle))
    assert read_settings(tmp_path).ca_bundle == bundle
