"""The refresh grant: a new access token for a refresh token, without a browser."""

from __future__ import annotations

import json
import time
from typing import Any

from seqdata.auth.tokens import AuthTokens, claims_of
from seqdata.core.json import parse_json
from seqdata.core.secret import Secret, SecretBody
from seqdata.exceptions import AuthenticationError, HTTPError, UnexpectedAnswer
from seqdata.http.messages import Answer, Request, accepted
from seqdata.http.transport import Transport

#: Lifetime of an access token in seconds, where neither answer nor token says it.
USUAL_LIFETIME = 86_400.0

#: Seconds that no moment of a token reaches: a number beyond is a mistake.
_FOREVER = 1e11


def refresh_tokens(
    transport: Transport, auth_url: str, *, client_id: str, refresh_token: Secret
) -> AuthTokens:
    """Ask the login for new tokens. A refresh token that is not rotated is kept.

    Raises
    ------
    AuthenticationError
        The login refused (HTTP 4xx); its own words are in the message.
    ConnectionFailed, HTTPError
        The login could not be asked.
    UnexpectedAnswer
        The answer carries no access token.
    """
    request = Request(
        url=f"{auth_url}/oauth/token",
        headers={"accept": "application/json", "content-type": "application/json"},
        body=_grant(client_id, refresh_token),
        operation="refresh",
        once=True,  # a rotated token that is offered twice can end the whole login
    )
    try:
        answer = accepted(transport.send_once(request), request)
    except HTTPError as error:
        if error.status == 429 or error.status >= 500:
            raise
        raise AuthenticationError(f"The refresh grant was refused: {_said(error)}") from None
    return _tokens(_body(answer), refresh_token)


def _grant(client_id: str, refresh_token: Secret) -> SecretBody:
    grant = {
        "grant_type": "refresh_token",
        "client_id": client_id,
        "refresh_token": refresh_token.get_secret_value(),
    }
    return SecretBody(json.dumps(grant).encode())


def _tokens(body: dict[str, Any], old: Secret) -> AuthTokens:
    return AuthTokens(
        access_token=body["access_token"],
        refresh_token=body.get("refresh_token") or old.get_secret_value(),
        expires_at=expiry(body["access_token"], body.get("expires_in"), now=time.time()),
    )


def expiry(access_token: str, expires_in: object, *, now: float) -> float:
    """Return when a token ends (epoch seconds): as the answer says, else as the token says.

    A token that is a JWT carries ``exp``. Where neither says it, it is taken to live
    :data:`USUAL_LIFETIME` seconds.
    """
    said = None if isinstance(expires_in, bool) else _seconds(expires_in)
    return now + said if said is not None else _jwt_expiry(access_token) or now + USUAL_LIFETIME


def _seconds(value: object) -> float | None:
    """Read a number of seconds; None for what is none, or beyond any lifetime."""
    if not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return None
    return seconds if 0 <= seconds < _FOREVER else None


def _jwt_expiry(token: str) -> float | None:
    try:
        return _seconds(claims_of(Secret(token))["exp"])
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError):
        return None


def _body(answer: Answer) -> dict[str, Any]:
    try:
        body = parse_json(answer.body)
    except ValueError:
        body = None
    if not isinstance(body, dict) or not isinstance(body.get("access_token"), str):
        raise UnexpectedAnswer("the refresh grant", "JSON with an access_token", "something else")
    return body


def _said(error: HTTPError) -> str:
    try:
        body = parse_json(error.text.encode())
        return f"{body['error']}: {body['error_description']} (HTTP {error.status})"
    except (KeyError, TypeError, ValueError):
        return f"HTTP {error.status}"
