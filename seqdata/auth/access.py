"""An access token: from the token file, the refresh grant, or a login in a browser."""

from __future__ import annotations

import time

from seqdata.auth.refresh import refresh_tokens
from seqdata.auth.tokens import AuthTokens, TokenStore, refresh_token_of
from seqdata.config import get_settings
from seqdata.config.settings import Settings
from seqdata.core.files import holding
from seqdata.core.logs import logger
from seqdata.core.secret import SomebodysSecret, opened, sealed
from seqdata.exceptions import AuthenticationError, FolderNotWritable, TokenExpiredError
from seqdata.http.transport import open_transport

log = logger(__name__)


def get_access_token(*, headless: bool = True, force: bool = False) -> str:
    """Return an access token that has more than 60 seconds left, or half of its life.

    From the token file without any network; else by the refresh grant; else by a login in a
    browser. Processes that share a data folder do this one at a time: one gets the token, the
    others use it.

    Parameters
    ----------
    headless
        False shows the browser's window, for a login that needs a person.
    force
        True ignores the token file and logs in anew.

    Raises
    ------
    TokenExpiredError
        There is neither a valid token, nor a refresh token or credentials to get one with.
    AuthenticationError
        The login refused.
    """
    return access_token_for(get_settings(), headless=headless, force=force)


def access_token_for(settings: Settings, *, headless: bool = True, force: bool = False) -> str:
    """Like :func:`get_access_token`, for settings that are not the environment's."""
    store = TokenStore(settings)
    if not force and (cached := _fresh(store, keep_aside=False)):
        return cached.access_token
    with holding(store.lock_path):
        # Another process may have got one while this one waited for the lock.
        if not force and (cached := _fresh(store)):
            return cached.access_token
        old = None if force else store.read()
        tokens = _refreshed(settings, store, old) or _logged_in(settings, store, old, headless)
        return tokens.access_token


def reject_token(access_token: str | SomebodysSecret, settings: Settings) -> None:
    """Remember that the service refused this token (HTTP 401): it is not offered again."""
    store = TokenStore(settings)
    if not store.path.exists():
        return
    try:
        with holding(store.lock_path):
            store.reject(sealed(access_token))
    except FolderNotWritable as error:  # the refusal matters more than the note of it
        log.warning("rejected token could not be noted: %s", error)


def _fresh(store: TokenStore, *, keep_aside: bool = True) -> AuthTokens | None:
    tokens = store.read(keep_aside=keep_aside)
    if tokens is None or not tokens.is_fresh(time.time(), store.leeway(tokens)):
        return None
    return tokens


def _refreshed(settings: Settings, store: TokenStore, old: AuthTokens | None) -> AuthTokens | None:
    client_id = opened(settings.auth0_client_id) or store.client_id()
    refresh_token = None if old is None else refresh_token_of(old)
    if refresh_token is None or client_id is None:
        return None
    transport = open_transport(settings)
    try:
        tokens = refresh_tokens(
            transport, settings.auth_url, client_id=client_id, refresh_token=refresh_token
        )
    except AuthenticationError as error:
        log.warning("refresh refused, a full login follows: %s", error)
        return None
    finally:
        transport.close()
    store.write(tokens, client_id=client_id)
    log.info("token refreshed: seconds_left=%.0f", tokens.expires_at - time.time())
    return tokens


def _logged_in(
    settings: Settings, store: TokenStore, old: AuthTokens | None, headless: bool
) -> AuthTokens:
    if not (settings.email and settings.password and settings.totp):
        raise TokenExpiredError(_nothing_to_log_in_with(settings, store, old))
    from seqdata.auth.login.browser import browser_login

    tokens, client_id = browser_login(settings, headless=headless)
    # A login that showed no client keeps the one that an earlier login showed.
    store.write(tokens, client_id=client_id or store.client_id())
    return tokens


def _nothing_to_log_in_with(settings: Settings, store: TokenStore, old: AuthTokens | None) -> str:
    wanted = ("email", "password", "totp")
    unset = [f"SEQUENCE_{name.upper()}" for name in wanted if not getattr(settings, name)]
    state = "There is no access token" if old is None else "The access token has expired"
    return (
        f"{state} for {settings.app_url} in {store.path.resolve()}, it could not be refreshed, "
        f"and there is nothing to log in with: {', '.join(unset)} not set. "
        "Set them in the environment or in the .env file of the data folder."
    )
