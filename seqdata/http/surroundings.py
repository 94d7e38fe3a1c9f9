"""What the environment has a say in when a connection is made, and what it has not.

=====================================  ==========================================================
``SEQUENCE_CA_BUNDLE``                 the only authority that is trusted, instead of the system's
``HTTPS_PROXY``, ``ALL_PROXY``,        obeyed for https: a tunnel, through which TLS reaches the
``NO_PROXY`` (and in small letters)    service itself; never for this machine's own addresses
``HTTP_PROXY``                         not obeyed: plain http goes to this machine only
``SSLKEYLOGFILE``                      obeyed by the TLS library; a warning says so
``REQUESTS_CA_BUNDLE``,                not obeyed: who may vouch for the service is said to
``CURL_CA_BUNDLE``, ``SSL_CERT_FILE``  seqdata by its own setting, or is the system's
=====================================  ==========================================================
"""

from __future__ import annotations

import logging
import os
import ssl
import urllib.request
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from seqdata.core.logs import logger
from seqdata.core.origins import is_loopback
from seqdata.core.secret import Secret
from seqdata.exceptions import InvalidSetting

log = logger(__name__)

#: Where systems keep the authorities they trust, the one of Python's own TLS library first.
_SYSTEM_BUNDLES = (
    ssl.get_default_verify_paths().openssl_cafile,
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
)


_PROXY_SCHEMES = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")


@dataclass(frozen=True)
class Surroundings:
    """The authority of a connection (a PEM file), and the proxy it goes through, if any."""

    ca_bundle: str
    proxy: Secret


def surroundings(url: str, ca_bundle: Path | None, *, once: bool = False) -> Surroundings:
    """Decide how a connection to an address is made.

    Parameters
    ----------
    url
        The address.
    ca_bundle
        SEQUENCE_CA_BUNDLE; None takes the system's authorities, or those of certifi.
    once
        It changes something: that it goes through a proxy is worth a warning.

    Raises
    ------
    InvalidSetting
        The environment names a proxy that is no address of one.
    """
    _warn_of_key_log(os.environ.get("SSLKEYLOGFILE", ""))
    proxy = proxy_of(url)
    if proxy:
        _say_proxy(_host_of(proxy), logging.WARNING if once else logging.INFO)
    return Surroundings(str(ca_bundle) if ca_bundle else system_bundle(), proxy)


def proxy_of(url: str) -> Secret:
    """Return the proxy that the environment names for an address; an empty one is none.

    It may hold a password: one that cannot be used is refused without being shown.
    """
    name, proxy = _named(url)
    if proxy and not _is_usable(proxy):
        expected = "the address of a proxy, such as http://proxy:3128"
        raise InvalidSetting(f"{name.upper()}_PROXY", expected)
    return proxy


def _named(url: str) -> tuple[str, Secret]:
    """Return what the environment says of an address: the variable, and the proxy in it."""
    parts = urlsplit(url)
    if parts.scheme != "https" or is_loopback(url):
        return "", Secret("")
    proxies = urllib.request.getproxies_environment()
    if urllib.request.proxy_bypass_environment(parts.netloc, proxies):  # type: ignore[attr-defined]
        return "", Secret("")
    name = next((name for name in ("https", "all") if proxies.get(name)), "")
    proxy = proxies.get(name, "")
    return name, Secret(proxy if "//" in proxy or not proxy else f"http://{proxy}")


def _is_usable(proxy: Secret) -> bool:
    address = proxy.get_secret_value()
    try:
        parts = urlsplit(address)
        is_address = parts.scheme in _PROXY_SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return is_address and not any(letter.isspace() for letter in address)


def _host_of(proxy: Secret) -> str:
    return urlsplit(proxy.get_secret_value()).hostname or ""


@cache
def system_bundle() -> str:
    """Return the file of the authorities that this system trusts, else certifi's."""
    import certifi

    return next((path for path in _SYSTEM_BUNDLES if Path(path).is_file()), certifi.where())


@cache
def _say_proxy(host: str, level: int) -> None:
    log.log(level, "requests go through a proxy, as the environment says: host=%s", host)


@cache
def _warn_of_key_log(path: str) -> None:
    if path:
        log.warning(
            "SSLKEYLOGFILE is set: the keys of encrypted connections, which carry your token, "
            "are written to %s", path,
        )  # fmt: skip
