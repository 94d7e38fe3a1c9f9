"""A single request over curl_cffi, which looks like Chrome down to the TLS handshake.

What may be asked again goes over connections that stay open, and libcurl may repeat it by itself.
What is sent once goes over a connection of its own, from a function that hands its body out once
and cannot be rewound: libcurl, which repeats a request over HTTP/2 after REFUSED_STREAM or GOAWAY
and over a reused connection that died, has then nothing to repeat. Whether libcurl asked that
function for the body is the one proof of whether anything left.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from seqdata.core.origins import is_loopback
from seqdata.core.text import one_line
from seqdata.http.messages import Answer, Exchange, Request
from seqdata.http.surroundings import surroundings

if TYPE_CHECKING:
    from curl_cffi import Curl

#: Seconds to wait for a connection, and for a whole exchange.
CONNECT_TIMEOUT, WHOLE_TIMEOUT = 10.0, 40.0

#: The most bytes of an answer, unpacked, that are taken.
LARGEST_ANSWER = 64 * 1024 * 1024

#: What a write function of libcurl returns to end the exchange, and a read function.
_REFUSE, _ABORT = 0xFFFFFFFF, 0x10000000

#: The impersonation adds these two, which Chrome sends when a person opens a page; a call of the
#: web application to its API has neither. libcurl's own Expect would wait for a second answer.
_TAKEN_OUT = ("Upgrade-Insecure-Requests:", "Sec-Fetch-User:", "Expect:")


_USER_INFO = re.compile(r"//[^/\s]*@")

_STATUS_LINE = re.compile(rb"HTTP/(1\.[01]|2|3) [1-5][0-9]{2}( |\r|\n|$)")


class CurlSend:
    """Sends requests, each once or from a connection that stays open.

    Parameters
    ----------
    ca_bundle
        SEQUENCE_CA_BUNDLE; None takes the system's authorities.
    largest_answer
        The most bytes of an answer that are taken.
    whole_timeout
        Seconds until an exchange must have ended.
    """

    def __init__(
        self,
        ca_bundle: Path | None = None,
        *,
        largest_answer: int = LARGEST_ANSWER,
        whole_timeout: float = WHOLE_TIMEOUT,
    ) -> None:
        self._ca_bundle, self._largest_answer = ca_bundle, largest_answer
        self._whole_timeout = whole_timeout
        self._of_thread = threading.local()  # a handle of libcurl belongs to one thread at a time
        self._guard = threading.Lock()
        self._all: list[_Kept] = []

    def __call__(self, request: Request) -> Exchange:
        """Send one request; what left and what came, whatever happened."""
        from curl_cffi import Curl

        if request.once:
            with closing(Curl()) as handle:
                return self._exchange(handle, request)
        with self._kept_handle() as handle:
            return self._exchange(handle, request)

    def close(self) -> None:
        """Close the connections; may be called again.

        One that another thread is using is closed by it, at the end of its request: libcurl would
        go on in memory that is no longer there.
        """
        with self._guard:
            for kept in self._all:
                if kept.is_used:
                    kept.is_left = True
                else:
                    kept.handle.close()
            self._all.clear()
            self._of_thread = threading.local()

    @contextmanager
    def _kept_handle(self) -> Iterator[Curl]:
        from curl_cffi import Curl

        with self._guard:
            if not hasattr(self._of_thread, "kept"):
                self._of_thread.kept = _Kept(Curl())
                self._all.append(self._of_thread.kept)
            kept: _Kept = self._of_thread.kept
            kept.is_used = True
        try:
            yield kept.handle
        finally:
            with self._guard:
                kept.is_used = False
                if kept.is_left:
                    kept.handle.close()
                else:
                    kept.handle.reset()  # connections and cookies stay

    def _exchange(self, handle: Curl, request: Request) -> Exchange:
        from curl_cffi import CurlError, CurlInfo

        outgoing = _Outgoing(request.payload, request.why_not_now)
        incoming = _Incoming(self._largest_answer)
        try:
            _prepare(handle, request, self._ca_bundle, self._whole_timeout)
            _attach(handle, outgoing, incoming, once=request.once)
            handle.perform()
        except CurlError as error:
            left = outgoing.was_asked or not request.once  # of a read it is not known
            fault = outgoing.why_not or incoming.fault or _reason(error)
            return Exchange(left, None, fault, is_too_large=incoming.is_too_large)
        if incoming.fault:
            return Exchange(True, None, incoming.fault)
        status = int(handle.getinfo(CurlInfo.RESPONSE_CODE))  # type: ignore[arg-type]
        return Exchange(True, Answer(status, incoming.fields, bytes(incoming.body)))


@dataclass
class _Kept:
    """A handle of libcurl that stays open; `is_left`: whoever uses it closes it."""

    handle: Curl
    is_used: bool = False
    is_left: bool = False


def _prepare(handle: Curl, request: Request, ca_bundle: Path | None, whole_timeout: float) -> None:
    """Say where a request goes, as whom, and what it may not do."""
    from curl_cffi import CurlHttpVersion, CurlOpt
    from curl_cffi._wrapper import ffi  # type: ignore[import-not-found]

    around = surroundings(request.url, ca_bundle, once=request.once)
    is_plain = request.url.startswith("http:")
    options: dict[CurlOpt, object] = {
        CurlOpt.URL: request.url.encode(),
        CurlOpt.PROTOCOLS_STR: b"http,https",
        CurlOpt.FOLLOWLOCATION: 0,  # a redirect would carry the token elsewhere
        CurlOpt.CONNECTTIMEOUT_MS: int(CONNECT_TIMEOUT * 1000),
        CurlOpt.TIMEOUT_MS: int(whole_timeout * 1000),
        CurlOpt.COOKIEFILE: b"",  # keeps cookies, in memory
        CurlOpt.ACCEPT_ENCODING: b"gzip, deflate, br, zstd",
        CurlOpt.CAINFO: around.ca_bundle,
        CurlOpt.PROXY_CAINFO: around.ca_bundle,
        CurlOpt.SUPPRESS_CONNECT_HEADERS: 1,
    }
    if ca_bundle is not None:  # alone: libcurl looks into the system's folder too
        options |= {CurlOpt.CAPATH: ffi.NULL, CurlOpt.PROXY_CAPATH: ffi.NULL}
    if is_loopback(request.url):
        options[CurlOpt.NOPROXY] = b"*"
    if is_plain:  # else libcurl would ask for an upgrade to h2c, which Chrome never does
        options[CurlOpt.HTTP_VERSION] = CurlHttpVersion.V1_1
    if request.once:
        options |= {CurlOpt.FRESH_CONNECT: 1, CurlOpt.FORBID_REUSE: 1}
    for option, value in options.items():
        handle.setopt(option, value)
    # No variable here holds the token, or the password of a proxy.
    handle.setopt(CurlOpt.HTTPHEADER, _head(request))
    # An empty one keeps libcurl from looking for its own.
    handle.setopt(CurlOpt.PROXY, around.proxy.get_secret_value())
    if handle.impersonate(_chrome()) != 0:
        raise RuntimeError(f"curl_cffi cannot look like {_chrome()}")


def _head(request: Request) -> list[bytes]:
    """Write the lines of a request's head, the token among them, in the order of their names."""
    lines = [f"{name}: {value}" for name, value in request.headers.items()]
    if request.token is not None:
        lines = sorted([*lines, f"authorization: Bearer {request.token.get_secret_value()}"])
    return [line.encode() for line in (*lines, *_TAKEN_OUT)]


def _attach(handle: Curl, outgoing: _Outgoing, incoming: _Incoming, *, once: bool) -> None:
    """Give a handle the body, and what takes the answer."""
    from curl_cffi import CurlOpt

    handle.setopt(CurlOpt.POST, 1)
    handle.setopt(CurlOpt.POSTFIELDSIZE_LARGE, len(outgoing.body))
    if once:
        handle.setopt(CurlOpt.READFUNCTION, outgoing.read)
    else:
        handle.setopt(CurlOpt.POSTFIELDS, outgoing.body)
    handle.setopt(CurlOpt.WRITEFUNCTION, incoming.take)
    handle.setopt(CurlOpt.HEADERFUNCTION, incoming.take_line)


class _Outgoing:
    """A body that is handed out once, if at all, and knows whether it was."""

    def __init__(self, body: bytes, why_not_now: Callable[[], str] | None = None) -> None:
        self.body = body
        self.was_asked = False
        self.why_not = ""
        self._why_not_now = why_not_now
        self._left = memoryview(body)

    def read(self, most: int) -> bytes | int:
        if not self.was_asked:
            self.why_not = self._looked()
        if self.why_not or (self.was_asked and not self._left):
            return _ABORT
        self.was_asked = True
        chunk, self._left = self._left[:most], self._left[most:]
        return bytes(chunk)

    def _looked(self) -> str:
        try:
            return "" if self._why_not_now is None else self._why_not_now()
        except BaseException as error:  # noqa: BLE001 - libcurl calls this: it lets nothing through
            return f"the last look at it failed ({str(error) or type(error).__name__})"


class _Incoming:
    """An answer as it comes: the fields of its last head, and its body up to a size.

    Interim heads (1xx) come before the last one, and what stands behind a body is not its head.
    """

    def __init__(self, largest: int) -> None:
        self.fields: dict[str, str] = {}
        self.body = bytearray()
        self.is_too_large = False
        self.fault = ""
        self._largest = largest

    def take(self, chunk: bytes) -> int:
        if len(self.body) + len(chunk) > self._largest:
            self.is_too_large, self.fault = True, f"more than {self._largest:,} bytes"
            self.body.clear()
            return _REFUSE
        self.body += chunk
        return len(chunk)

    def take_line(self, line: bytes) -> int:
        if line.startswith(b"HTTP/"):
            self.fields = {}
            if not _STATUS_LINE.match(line):  # libcurl reads 20000 as 200
                self.fault = "an answer whose first line is not of HTTP"
        name, colon, value = line.decode("latin-1").partition(":")
        if colon and name == name.strip() and not self.body:
            name, value = name.lower(), value.strip()
            self.fields[name] = f"{self.fields[name]}, {value}" if name in self.fields else value
        return len(line)


@cache
def _chrome() -> str:
    from curl_cffi.requests.impersonate import resolve_latest_browser_type

    return str(resolve_latest_browser_type("chrome"))  # type: ignore[no-untyped-call]


def _reason(error: Exception) -> str:
    """Return what libcurl says, without its advice, and without a password in an address."""
    said = str(error).split(" See ", maxsplit=1)[0].rstrip(". ")
    return one_line(_USER_INFO.sub("//***@", said.removeprefix("Failed to perform, ")))
