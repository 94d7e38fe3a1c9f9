"""Origins of servers: ``scheme://host[:port]``, and which of them are this machine."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from seqdata.core.secret import Secret

PRODUCTION_APP = "https://app.getsequence.io"
PRODUCTION_AUTH = "https://auth.getsequence.io"


def origin_of(url: str) -> str:
    """Return what names a URL's server: ``"https://app.example.com"``."""
    parts = urlsplit(url.strip())
    return f"{parts.scheme}://{parts.netloc}".lower()


def web_origin(address: str) -> str | None:
    """Return ``scheme://host[:port]`` of an http(s) address; None for any other."""
    parts = urlsplit(address)
    return origin_of(address) if parts.scheme in ("http", "https") and parts.hostname else None


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


#: A host as it is in DNS, or an IPv6 address in brackets; perhaps a port.
_HOST = re.compile(
    r"(\[[0-9a-f:.]+\]|(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_-]+\.?)(:\d+)?"
)

#: The end of a host that libcurl reads as an IPv4 address, in one of its old forms too.
_NUMBER = re.compile(r"(\d+|0x[0-9a-f]*)\.?")


def _is_plain(netloc: str) -> bool:
    """Tell whether a host is written in the one way that everybody reads alike.

    Percent signs, other alphabets and the old forms of IPv4 (127.1, 0x7f.1) name a server a
    second time, under which its open transfers would not be found.
    """
    match = _HOST.fullmatch(netloc.lower())
    if match is None:
        return False
    host = match[1].strip("[]").rstrip(".")
    if not match[1].startswith("[") and not _NUMBER.fullmatch(host.rpartition(".")[2]):
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def why_no_origin(url: Secret) -> str:
    """Say what is expected instead of a URL that names no server to talk to; "" where it does.

    A URL that is refused may hold a password: it is shown by nothing.
    """
    try:
        parts = urlsplit(url.get_secret_value().strip())
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        return f"an http(s) URL ({str(error)[:40]})"
    if not is_url:
        return "an http(s) URL"
    if parts.username or parts.password:
        return "a URL without a user name or password"
    if not _is_plain(parts.netloc):
        return (
            "a host of plain letters, digits, points and hyphens, or an address as usually written"
        )
    if parts.scheme == "http" and not _is_own_name(parts.hostname or ""):
        return "https (plain http is for loopback servers)"
    return ""
