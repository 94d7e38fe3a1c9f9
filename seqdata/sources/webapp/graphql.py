"""One document and its answer: GraphQL over requests as the web application sends them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Self

from seqdata.auth import reject_token
from seqdata.config import get_settings
from seqdata.core.json import parse_json
from seqdata.core.origins import is_loopback
from seqdata.core.secret import Secret, SomebodysSecret, sealed
from seqdata.exceptions import (
    AuthenticationError,
    GraphQLError,
    ReadOnlyMode,
    Unauthorized,
    UnexpectedAnswer,
)
from seqdata.http.messages import Answer, Exchange, Request, accepted
from seqdata.http.transport import Transport, open_transport
from seqdata.sources.webapp.documents import Node, contains_mutation, document

if TYPE_CHECKING:
    from seqdata.config.settings import Settings
    from seqdata.core.secret import Secret

_ACCEPT = (
    "application/graphql-response+json, application/graphql+json, application/json, "
    "text/event-stream, multipart/mixed"
)


@dataclass(frozen=True)
class GraphQLAnswer:
    """The `data` of an answer, with its raw bytes and the service's clock (UTC).

    `world` is which world a sandbox shows.
    """

    data: Node = field(repr=False)
    body: bytes = field(repr=False)
    served_at: datetime | None
    is_sandbox: bool
    world: str | None = None


class GraphQLClient:
    """Sends documents to the service's GraphQL API as its web application does.

    Parameters
    ----------
    access_token
        Sent as it is where there is no `token_provider`.
    token_provider
        Called before every request; returns a token that is valid now, such as
        :func:`seqdata.get_access_token`.
    settings, transport
        By default as the environment says.
    """

    def __init__(
        self,
        access_token: str | SomebodysSecret,
        token_provider: Callable[[], str] | None = None,
        *,
        settings: Settings | None = None,
        transport: Transport | None = None,
    ) -> None:
        self._token = sealed(access_token)
        self._token_provider = token_provider
        self._given_settings = settings
        self._app_url = self._settings.app_url
        self._transport = transport or open_transport(self._settings)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(app_url={self._app_url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; may be called again."""
        self._transport.close()

    @property
    def requests(self) -> int:
        """Requests sent so far, repeats included."""
        return self._transport.sent

    @property
    def _settings(self) -> Settings:
        return self._given_settings or get_settings()

    # -- asking -------------------------------------------------------------------------------

    def execute(
        self, query: str, variables: Node | None = None, operation_name: str | None = None
    ) -> Node:
        """Send a document; return the ``data`` of the answer as sent.

        Raises
        ------
        GraphQLError
            The answer carries errors, with or without data beside them.
        HTTPError, ConnectionFailed
            No usable answer. Documents with a mutation are sent once, others retried.
        UnexpectedAnswer
            The answer is no GraphQL answer.
        ReadOnlyMode
            The document contains a mutation and SEQUENCE_READ_ONLY is 1. Nothing was sent.
        """
        return self.ask(query, variables, operation_name).data

    def ask(
        self, query: str, variables: Node | None = None, operation_name: str | None = None
    ) -> GraphQLAnswer:
        """Like :meth:`execute`; return the raw bytes and the service's clock too."""
        body, operation = body_of(query, variables, operation_name), operation_name or ""
        read = partial(data_of, query=query, operation=operation_name or "the document")
        if contains_mutation(query):
            request, exchange = self._send_once(body, operation)
            answer = accepted(exchange, request)
            data = read(answer)
        else:
            answer, data = self._send(body, operation, read)
        return GraphQLAnswer(
            data=data,
            body=answer.body,
            served_at=answer.served_at,
            is_sandbox=is_loopback(self._app_url) and answer.headers.get(SANDBOX_HEADER) == "1",
            world=answer.headers.get(WORLD_HEADER) if is_loopback(self._app_url) else None,
        )

    def send_once(
        self, name: str, variables: Node, operation: str, why_not_now: Callable[[], str]
    ) -> Exchange:
        """Send a mutation of ours, a single time; say what left and what came.

        Raises
        ------
        ReadOnlyMode
            SEQUENCE_READ_ONLY is 1. Nothing was sent.
        """
        body = body_of(document(name), variables, operation)
        return self._send_once(body, operation, why_not_now)[1]

    def _send(
        self, body: bytes, operation: str, read: Callable[[Answer], Node]
    ) -> tuple[Answer, Node]:
        def both(answer: Answer) -> tuple[Answer, Node]:
            return answer, read(answer)

        token = self._current_token()
        try:
            return self._transport.send(self._request(token, body, operation), both)
        except (Unauthorized, GraphQLError) as error:
            if isinstance(error, GraphQLError) and error.codes != {_LOGIN_EXPIRED}:
                raise
            reject_token(token, self._settings)
            other = self._current_token()
            if other == token:
                raise
        return self._transport.send(self._request(other, body, operation), both)

    def _send_once(
        self, body: bytes, operation: str, why_not_now: Callable[[], str] | None = None
    ) -> tuple[Request, Exchange]:
        # Read again: in a notebook the switch is often thrown after the client was made.
        opened = self._settings
        known = None if self._given_settings is None else opened.data_dir
        if opened.read_only or get_settings(known).read_only:
            raise ReadOnlyMode(operation)
        token = self._current_token()
        request = replace(self._request(token, body, operation, once=True), why_not_now=why_not_now)
        return request, self._transport.send_once(request)

    def _current_token(self) -> Secret:
        token = self._token if self._token_provider is None else sealed(self._token_provider())
        if not _is_sendable(token):
            raise AuthenticationError("The access token holds characters that no token has.")
        return token

    def _request(
        self, token: Secret, body: bytes, operation: str, *, once: bool = False
    ) -> Request:
        headers = {
            "accept": _ACCEPT,
            "content-type": "application/json",
            "origin": self._app_url,
            "referer": f"{self._app_url}/",
            "sec-fetch-dest": "empty",
            "sec-fetch-mode": "cors",
            "sec-fetch-site": "same-origin",
            "x-request-id": f"webapp-{uuid.uuid4()}",
        }
        return Request(f"{self._app_url}/api/graphql", headers, body, operation, once, token)


#: What an expired login is called where it comes inside of a good answer.
_LOGIN_EXPIRED = "UNAUTHENTICATED"

#: Present on every answer of the local sandbox.
SANDBOX_HEADER, WORLD_HEADER = "x-seqdata-sandbox", "x-seqdata-world"


def body_of(query: str, variables: Node | None, operation_name: str | None) -> bytes:
    """Return the body of a request."""
    body: Node = {"query": query}
    if variables:
        body["variables"] = variables
    if operation_name:
        body["operationName"] = operation_name
    return json.dumps(body).encode()


def data_of(answer: Answer, query: str, operation: str) -> Node:
    """Return the data of an answer; its errors, and what is no GraphQL answer, raise."""
    try:
        body = parse_json(answer.body)
    except ValueError:
        start = answer.text[:60]
        raise UnexpectedAnswer(operation, "JSON", f"{len(answer.body)} bytes: {start!r}") from None
    if not isinstance(body, dict):
        raise UnexpectedAnswer(operation, "a JSON object", type(body).__name__)
    if errors := body.get("errors"):
        if not isinstance(errors, list):
            raise UnexpectedAnswer(operation, "errors in a list", type(errors).__name__)
        raise GraphQLError(errors, query)
    if not isinstance(body.get("data"), dict):
        raise UnexpectedAnswer(operation, "data", "none")
    data: Node = body["data"]
    return data


def _is_sendable(token: Secret) -> bool:
    value = token.get_secret_value()
    return value.isascii() and (value.isprintable() or not value)
