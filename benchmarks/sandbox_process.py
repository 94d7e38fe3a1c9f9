"""A sandbox in a process of its own, and its controls."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from types import TracebackType
from typing import Any, Self

from benchmarks.harness import HERE, NOW, environment

_COMMAND = [sys.executable, "-m", "seqdata", "sandbox", "--now", NOW]
# No proxy stands between a program and its own machine.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class SandboxProcess:
    """Serves while its ``with`` block runs; the same scale and months make the same world."""

    def __init__(self, scale: int, months: int) -> None:
        self._command = [*_COMMAND, "--scale", str(scale), "--months", str(months)]

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, cwd=HERE.parent, env=environment(), stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("the sandbox did not start; see above")
        #: What a program needs to connect.
        self.connection: dict[str, str] = json.loads(line)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait(timeout=30)

    def transfers(self) -> list[dict[str, Any]]:
        """Every transfer the API would show now, newest first."""
        found: list[dict[str, Any]] = self._control("GET", "transfers")
        return found

    def advance(self, days: int) -> None:
        """Let days pass in the world."""
        self._control("POST", "advance", {"days": days})

    def fail(self, **fault: Any) -> None:
        """Let something go wrong from now on, until it has gone wrong as often as asked."""
        self._control("POST", "faults", fault)

    def take_requests(self) -> int:
        """Count the requests since the last call, but for those of the controls."""
        arrived = self._control("GET", "requests")
        self._control("DELETE", "requests")
        return sum(not each["path"].startswith("/sandbox") for each in arrived)

    def ask(self, document: str, variables: dict[str, Any], operation: str) -> bytes:
        """Send a GraphQL document; return the bytes of the answer."""
        body = {"query": document, "variables": variables, "operationName": operation}
        token = f"Bearer {self.connection['access_token']}"
        return self._send("POST", "/api/graphql", body, {"authorization": token})

    def _control(self, method: str, path: str, body: Any = None) -> Any:
        return json.loads(self._send(method, f"/sandbox/{path}", body, {}))

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> bytes:
        request = urllib.request.Request(
            self.connection["app_url"] + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"content-type": "application/json", **headers},
            method=method,
        )
        with _OPENER.open(request, timeout=120) as answer:
            content: bytes = answer.read()
            return content
