"""The wire between a client and a sandbox in one process: no socket, and time that is counted."""

from __future__ import annotations

from collections.abc import Callable

from seqdata.core.secret import opened
from seqdata.http.curl import WHOLE_TIMEOUT
from seqdata.http.messages import Answer, Exchange, Request
from seqdata.sandbox import Sandbox
from seqdata.sandbox.faults import wire
from seqdata.sandbox.webapp.reply import Reply

#: What happens to the wire itself: nothing goes out, or what came back is lost.
DROPS = ("network down", "answer lost")


class Clock:
    """Seconds that pass because somebody says so."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class Network:
    """Sends requests to a sandbox, as :data:`seqdata.http.transport.Send`."""

    def __init__(self, box: Sandbox, clock: Clock, tell: Callable[[str], None]) -> None:
        self._box, self._clock, self._tell = box, clock, tell
        self.calm()

    def calm(self) -> None:
        """Let every request through, in a tenth of a second."""
        self._kind, self._after, self._times = "", 0, 0
        self.latency = 0.1

    def drop(self, kind: str, *, after: int, times: int) -> None:
        """Let so many requests pass, and then so many fail."""
        self._kind, self._after, self._times = kind, after, times

    def __call__(self, request: Request) -> Exchange:
        """Send one request; what left and what came."""
        self._clock.sleep(self.latency)
        drop = self._next_drop()
        if drop:
            self._tell(f"{drop} {request.operation}")
        if drop == "network down":
            return Exchange(left=not request.once, fault="Connection refused")
        before = self._box.faults_met
        reply = self._box.answer(request.payload, opened(request.token) or "")
        for kind, times in self._box.faults_met.items():
            if times > before.get(kind, 0):
                self._tell(f"{kind} {request.operation}")
        return Exchange(True, fault="Connection reset") if drop else self._delivered(reply)

    def _next_drop(self) -> str:
        if self._after > 0 or self._times == 0:
            self._after -= 1
            return ""
        self._times -= 1
        return self._kind

    def _delivered(self, reply: Reply) -> Exchange:
        """Say what libcurl would of a reply, had it come over HTTP/1.1."""
        self._clock.sleep(min(reply.delay, WHOLE_TIMEOUT))
        if reply.delay > WHOLE_TIMEOUT or reply.wire == "never_ends":
            return Exchange(True, fault="Operation timed out")
        if reply.wire in ("bomb", "huge"):
            return Exchange(True, fault="more than an answer has", is_too_large=True)
        body = reply.body
        if reply.wire == "nested":
            body = b'{"data":' + b"[" * wire.DEPTH + b"]" * wire.DEPTH + b"}"
        elif reply.wire == "duplicate_key":
            body = wire.with_key_twice(body)
        elif reply.is_cut or reply.is_cut_midway or reply.wire not in (None, "stray_lines"):
            return Exchange(True, fault="Connection reset")
        return Exchange(True, Answer(reply.status, reply.headers, body))
