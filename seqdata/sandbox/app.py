"""The two origins as ASGI applications.

The application origin serves GraphQL and the control endpoints, the login origin the token
endpoint. The pages of the login come from `seqdata.sandbox.pages`, which is not there yet.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from seqdata.sandbox.api import Api, BadCall, read_call
from seqdata.sandbox.clock import http_date
from seqdata.sandbox.faults import TOKEN_OPERATION, Faults, Reply
from seqdata.sandbox.tokens import Denied, Tokens
from seqdata.sandbox.world import World

MARK = b"x-seqdata-sandbox"
#: How many requests are remembered.
REMEMBERED = 10_000

Handler = Callable[[Request], Awaitable[Response]]
Log = deque[dict[str, Any]]


class Envelope:
    """The outermost layer: marks and dates every answer, remembers every request."""

    def __init__(self, inner: ASGIApp, world: World, origin: str, log: Log) -> None:
        self.inner, self.world, self.origin, self.log = inner, world, origin, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and send its answer back with our headers."""
        if scope["type"] != "http":
            return
        record = self._record(scope)
        state: MutableMapping[str, Any] = scope.setdefault("state", {})
        state["record"], state["send"] = record, send
        self.log.append(record)

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = http_date(self.world.now).encode()
                message["headers"] = [*message["headers"], (MARK, b"1"), (b"date", date)]
            await send(message)

        await self.inner(scope, receive, send_marked)

    def _record(self, scope: Scope) -> dict[str, Any]:
        return {
            "method": scope["method"],
            "path": scope["path"],
            "origin": self.origin,
            "headers": [[n.decode("latin-1"), v.decode("latin-1")] for n, v in scope["headers"]],
            "operation": None,
            "variables": None,
        }


def _abort(send: Send) -> None:
    """Close the connection under a request of uvicorn, with nothing sent."""
    send.__self__.transport.abort()  # type: ignore[attr-defined]


class CutResponse(Response):
    """No answer: the connection is closed."""

    async def __call__(self, scope: Scope, receive: Receive, _: Send) -> None:
        """Abort, and wait until the server has noticed: it would answer 500 otherwise."""
        _abort(scope["state"]["send"])
        while (await receive())["type"] != "http.disconnect":
            await asyncio.sleep(0)


def respond(reply: Reply) -> Response:
    """Give the response of a reply."""
    if reply.is_cut:
        return CutResponse()
    if reply.text is not None:
        return HTMLResponse(reply.text, reply.status, reply.headers)
    body = json.dumps(reply.payload, ensure_ascii=False, separators=(",", ":"))
    return Response(body, reply.status, reply.headers, "application/json; charset=utf-8")


async def not_found(_: Request, error: Exception) -> Response:
    """There is nothing at this address, or not for this method."""
    status = getattr(error, "status_code", 404)
    return respond(Reply(status, {"message": "Not Found" if status == 404 else "Not Allowed"}))


async def failed(_: Request, error: Exception) -> Response:
    """Say that the sandbox itself has a fault, rather than hide it."""
    return respond(Reply(500, {"message": f"sandbox failure: {type(error).__name__}: {error}"}))


HANDLERS: dict[Any, Any] = {404: not_found, 405: not_found, 500: failed}


def application(api: Api, tokens: Tokens, control: list[Route], world: World, log: Log) -> ASGIApp:
    """Make the origin that serves the application, the API and the control endpoints."""

    async def graphql(request: Request) -> Response:
        try:
            call = read_call(await request.body())
        except BadCall as error:
            reason = {"message": str(error), "extensions": {"code": "BAD_REQUEST"}}
            return respond(Reply(400, {"errors": [reason]}))
        operation = api.operation_of(call)
        request.state.record.update(operation=operation, variables=call.variables)
        reply = api.faults.replace(operation)
        if reply is None and not tokens.accepts(_bearer(request)):
            reply = Reply(401, {"message": "Unauthorized"})
        if reply is None:
            reply = api.faults.alter(api.answer(call), operation)
        return respond(reply)

    routes = [Route("/api/graphql", graphql, methods=["POST"]), *control]
    app = Starlette(routes=routes, exception_handlers=HANDLERS)
    return Envelope(app, world, "app", log)


def _bearer(request: Request) -> str:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def login(tokens: Tokens, faults: Faults, world: World, log: Log) -> ASGIApp:
    """Make the origin that serves the login and the token endpoint."""

    async def token(request: Request) -> Response:
        given = _read_grant(request, await request.body())
        request.state.record["operation"] = TOKEN_OPERATION
        reply = faults.replace(TOKEN_OPERATION)
        return respond(reply or _granted(tokens, given))

    routes = [Route("/oauth/token", token, methods=["POST"])]
    return Envelope(Starlette(routes=routes, exception_handlers=HANDLERS), world, "auth", log)


def _read_grant(request: Request, body: bytes) -> dict[str, Any]:
    """Read a grant: JSON, or a form, which other clients of Auth0 send."""
    if "form" in request.headers.get("content-type", ""):
        return dict(parse_qsl(body.decode("utf-8", "replace")))
    try:
        given = json.loads(body)
    except ValueError:
        return {}
    return given if isinstance(given, dict) else {}


def _granted(tokens: Tokens, given: dict[str, Any]) -> Reply:
    try:
        return Reply(200, tokens.grant(given), {"cache-control": "no-store"})
    except Denied as denial:
        payload = {"error": denial.error, "error_description": denial.description}
        return Reply(denial.status, payload)


def is_loopback(request: Request) -> bool:
    """Whether a request comes from this machine and was meant for it.

    A page of the web can make a browser send requests here, under a name of its own that
    resolves to loopback: hence the look at Host and Origin beside the address.
    """
    client = request.client.host if request.client else ""
    origin = request.headers.get("origin")
    host = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    named = [client, host]
    if origin is not None:
        named.append(urlsplit(origin).hostname or "")
    return all(_is_loopback_name(name) for name in named)


def _is_loopback_name(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
