"""The two origins as ASGI applications.

The application origin serves its page, both APIs and the control endpoints, the login origin its
pages and the token endpoint. The pages come from `seqdata.sandbox.login.pages`.
"""

from __future__ import annotations

import ipaddress
import json
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from seqdata.sandbox.faults.queue import TOKEN_OPERATION, Faults, Reply
from seqdata.sandbox.login.logins import Logins
from seqdata.sandbox.login.tokens import Denied, Tokens
from seqdata.sandbox.platform.api import Platform
from seqdata.sandbox.platform.description import PREFIXES
from seqdata.sandbox.platform.request import Request as Asked
from seqdata.sandbox.serving.responses import Delivery
from seqdata.sandbox.webapp.api import Api, BadCall, read_call, with_own_headers
from seqdata.sandbox.world.world import World

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
                given = {name.decode(): value.decode() for name, value in message["headers"]}
                own = with_own_headers(given, self.world).items()
                message["headers"] = [(name.encode(), value.encode()) for name, value in own]
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


def respond(reply: Reply) -> Response:
    """Give the response of a reply."""
    return Delivery(reply)


async def not_found(_: Request, error: Exception) -> Response:
    """There is nothing at this address, or not for this method."""
    status = getattr(error, "status_code", 404)
    return respond(Reply(status, {"message": "Not Found" if status == 404 else "Not Allowed"}))


async def failed(_: Request, error: Exception) -> Response:
    """Say that the sandbox itself has a fault, rather than hide it."""
    return respond(Reply(500, {"message": f"sandbox failure: {type(error).__name__}: {error}"}))


HANDLERS: dict[Any, Any] = {404: not_found, 405: not_found, 500: failed}


def application(
    api: Api,
    platform: Platform,
    tokens: Tokens,
    others: list[Route],
    world: World,
    log: Log,
) -> ASGIApp:
    """Make the origin that serves both APIs, and `others`: the page and the control endpoints."""

    async def graphql(request: Request) -> Response:
        try:
            call = read_call(await request.body())
        except BadCall as error:
            reason = {"message": str(error), "extensions": {"code": "BAD_REQUEST"}}
            return respond(Reply(400, {"errors": [reason]}))
        operation = api.operation_of(call)
        request.state.record.update(operation=operation, variables=call.variables)
        return respond(api.serve(call, is_authorized=tokens.accepts(_bearer(request))))

    apis: list[BaseRoute] = [Route("/api/graphql", graphql, methods=["POST"])]
    for prefix in PREFIXES:
        official = Official(platform, prefix)
        apis += [Route(prefix, official), Mount(prefix, official)]
    routes = [*apis, *others]
    app = Starlette(routes=routes, exception_handlers=HANDLERS)
    return Envelope(app, world, "app", log)


class Official:
    """Serves the official API under a prefix, whatever the method."""

    def __init__(self, platform: Platform, prefix: str) -> None:
        self.platform, self.prefix = platform, prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; it is remembered without its key."""
        request = Request(scope, receive)
        raw: bytes = scope["raw_path"]
        path = raw.decode("latin-1").partition("?")[0].removeprefix(self.prefix)
        query = scope["query_string"].decode("latin-1")
        asked = Asked(request.method, path, query, dict(request.headers), await request.body())
        record = request.state.record
        record["headers"] = [[name, _hidden(name, value)] for name, value in record["headers"]]
        await respond(self.platform.serve(asked, record))(scope, receive, send)


def _hidden(name: str, value: str) -> str:
    """Keep no key of the official API: who asked is remembered by the key's id."""
    return "Bearer sk_…" if name.lower() == "authorization" else value


def _bearer(request: Request) -> str:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def login(
    tokens: Tokens, logins: Logins, faults: Faults, pages: list[Route], world: World, log: Log
) -> ASGIApp:
    """Make the origin that serves the login's pages and the token endpoint.

    Any page may read the token endpoint's answers, as Auth0 allows: what they need is in the
    request.
    """

    async def token(request: Request) -> Response:
        given = _read_grant(request, await request.body())
        request.state.record["operation"] = TOKEN_OPERATION
        reply = faults.replace(TOKEN_OPERATION)
        if reply is None:
            reply = faults.alter(_granted(tokens, logins, given), TOKEN_OPERATION)
        response = respond(faults.delay(reply, TOKEN_OPERATION))
        response.headers["access-control-allow-origin"] = "*"
        return response

    routes = [Route("/oauth/token", token, methods=["POST"]), *pages]
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


def _granted(tokens: Tokens, logins: Logins, given: dict[str, Any]) -> Reply:
    is_exchange = given.get("grant_type") == "authorization_code"
    try:
        answer = logins.exchange(given) if is_exchange else tokens.grant(given)
        return Reply(200, answer, {"cache-control": "no-store"})
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
