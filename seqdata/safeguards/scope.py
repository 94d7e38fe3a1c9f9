"""Whose transfers a desk speaks of: of one user, server and organization of the data folder."""

from __future__ import annotations

from dataclasses import dataclass

from seqdata.core.origins import server_of
from seqdata.safeguards.lives import Life


@dataclass
class Scope:
    """A user at a server; `organization_id` is None until it is known which one it is."""

    user: str
    app_url: str
    organization_id: str | None = None

    def has(self, life: Life) -> bool:
        """Tell whether a transfer that was sent is of this server and organization.

        What a life does not say is taken as said: it may be of here.
        """
        request = life.requested or {}
        known = request.get("organization_id")
        is_ours = known is None or known == (self.organization_id or known)
        return is_ours and self.is_server(str(request.get("app_url") or self.app_url))

    def has_open(self, life: Life) -> bool:
        """Tell whether a transfer of here was sent and has no known outcome."""
        return life.is_open and self.has(life)

    def is_server(self, app_url: str) -> bool:
        """Tell whether an address is of this server, however it is written."""
        return server_of(app_url) == server_of(self.app_url)
