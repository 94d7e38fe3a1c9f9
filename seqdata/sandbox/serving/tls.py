"""TLS for the sandbox: an authority of its own, and what a server presents.

Only imported where TLS is asked for, since `trustme` and `cryptography` take a while to load.
"""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path

import trustme

from seqdata.core.files import write_bytes

#: What the server speaks, the better one first.
PROTOCOLS = ["h2", "http/1.1"]


class Authority:
    """An authority made for one run, which vouches for loopback alone.

    Its key is never on the disk. Its certificate is in a file that only this user can read,
    until `forget` or the end of the process.
    """

    def __init__(self) -> None:
        authority = trustme.CA(organization_name="seqdata sandbox")
        self._folder = tempfile.TemporaryDirectory(prefix="seqdata-sandbox-")
        self.bundle = Path(self._folder.name) / "authority.pem"
        root = authority.cert_pem.bytes()
        write_bytes(self.bundle, root)
        self.context = _context(authority.issue_cert("127.0.0.1", "localhost"), root)

    def forget(self) -> None:
        """Remove the file of the certificate."""
        self._folder.cleanup()


def _context(leaf: trustme.LeafCert, root: bytes) -> ssl.SSLContext:
    """Make the server's side: the leaf first in its chain, and the root last.

    A chain rarely holds its root, but a browser that is told to trust a key looks for it among
    the keys that it is shown.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(PROTOCOLS)
    chain = trustme.Blob(leaf.private_key_and_cert_chain_pem.bytes() + root)
    with chain.tempfile() as path:  # OpenSSL reads keys from files only
        context.load_cert_chain(path)
    return context
