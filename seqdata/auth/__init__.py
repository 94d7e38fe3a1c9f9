"""Access tokens: from the token file, the refresh grant, or a login in a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqdata.core.lazy import lazy_names

if TYPE_CHECKING:
    from seqdata.auth.access import access_token_for, get_access_token, reject_token
    from seqdata.auth.tokens import AuthTokens

__all__ = ["AuthTokens", "access_token_for", "get_access_token", "reject_token"]

_HOMES = {
    "AuthTokens": "tokens",
    "access_token_for": "access",
    "get_access_token": "access",
    "reject_token": "access",
}

__getattr__ = lazy_names(__name__, _HOMES)
