"""Access tokens (shaped as JWTs) and refresh tokens. They live on the wall clock."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any


class Denied(Exception):
    """The token endpoint refuses; carries the HTTP status, the error and its description."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status, self.error, self.description = status, error, description


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Tokens:
    """Issues tokens, checks them, and rotates refresh tokens unless told not to."""

    def __init__(
        self,
        subject: str,
        client_id: str,
        lifetime: int,
        *,
        rotate: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.lifetime = lifetime
        self.rotate = rotate
        #: The login that issues, as its tokens name it; "" before it has an address.
        self.issuer = ""
        self._subject, self._client_id, self._clock = subject, client_id, clock
        self._secret = secrets.token_bytes(32)
        self._expires: dict[str, float] = {}
        self._refresh: set[str] = set()
        self._lock = threading.Lock()

    def issue(self, lifetime: int | None = None) -> str:
        """Give a new access token; `lifetime` in seconds."""
        now = int(self._clock())
        expires = now + (self.lifetime if lifetime is None else lifetime)
        payload = {
            **({"iss": self.issuer} if self.issuer else {}),
            "sub": self._subject,
            "azp": self._client_id,
            "iat": now,
            "exp": expires,
            "jti": secrets.token_hex(8),
        }
        token = self._sign({"alg": "HS256", "typ": "JWT"}, payload)
        with self._lock:
            self._expires[token] = expires
        return token

    def _sign(self, header: Mapping[str, Any], payload: Mapping[str, Any]) -> str:
        parts = [_base64url(json.dumps(part).encode()) for part in (header, payload)]
        text = ".".join(parts)
        signature = hmac.new(self._secret, text.encode(), hashlib.sha256).digest()
        return f"{text}.{_base64url(signature)}"

    def issue_refresh(self) -> str:
        """Give a new refresh token."""
        token = f"v1.{secrets.token_urlsafe(32)}"
        with self._lock:
            self._refresh.add(token)
        return token

    def accepts(self, token: str) -> bool:
        """Whether this is an access token of ours that has not expired."""
        with self._lock:
            return self._expires.get(token, 0) > self._clock()

    def expire(self) -> None:
        """Let every access token issued so far have expired."""
        with self._lock:
            self._expires.clear()

    def grant(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a refresh grant."""
        if given.get("grant_type") != "refresh_token":
            raise Denied(403, "unsupported_grant_type", "Unsupported grant type")
        if given.get("client_id") != self._client_id:
            raise Denied(401, "invalid_client", "Unknown client")
        answer: dict[str, Any] = {"token_type": "Bearer", "expires_in": self.lifetime}
        self._use_refresh(str(given.get("refresh_token", "")))
        if self.rotate:
            answer["refresh_token"] = self.issue_refresh()
        return {"access_token": self.issue()} | answer

    def _use_refresh(self, token: str) -> None:
        with self._lock:
            if token not in self._refresh:
                raise Denied(403, "invalid_grant", "Unknown or invalid refresh token.")
            if self.rotate:
                self._refresh.remove(token)
