"""Origins of servers: ``scheme://host[:port]``, and which of them are this machine."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from seqdata.exceptions import InvalidSetting

PRODUCTION_APP = "https://app.getsequence.io"
PRODUCTION_AUTH = "https://auth.getsequence.io"


def origin_of(url: str) -> str:
    """Return what names a URL's server: ``"https://app.example.com"``."""
    parts = urlsplit(url.strip())
    return f"{parts.scheme}://{parts.netloc}".lower()


def server_of(url: str) -> tuple[str, str, int]:
    """Return what tells a URL's server from others: its scheme, host and port.

    This machine's names for itself are one host; a default port and a trailing dot say nothing.
    """
    try:
        parts = urlsplit(url.strip().lower())
        host = (parts.hostname or "").rstrip(".")
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    except ValueError:  # it is no URL, and so no server's
        return "", url, 0
    return parts.scheme, "loopback" if _is_own_name(host) else host, port


def is_loopback(url: str) -> bool:
    """Tell whether a URL's host is this machine's loopback interface."""
    return _is_own_name(urlsplit(url).hostname or "")


def _is_own_name(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def checked_origin(setting: str, url: str) -> str:
    """Return the origin of a URL that a setting gives.

    Raises
    ------
    InvalidSetting
        It is no http(s) URL, or plain http to a machine that is not this one.
    """
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidSetting(setting, "an http(s) URL", url)
    if parts.username or parts.password:
        raise InvalidSetting(setting, "a URL without a user name or password")
    if parts.scheme == "http" and not is_loopback(url):
        raise InvalidSetting(setting, "https (plain http is for loopback servers)", url)
    return origin_of(url)
