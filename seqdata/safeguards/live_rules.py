"""Which settings of the desk are read when.

Fixed when the desk is opened: the server, the user, the data folder, the zone of a day, and the
organization. Read again each time something is asked for: read-only mode, the two limits, and
whether transfers may go out where nobody is there. What is read again can only tighten what the
desk was opened with: a switch that is thrown in a notebook counts at once, and a wider limit
needs a new desk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqdata.config import get_settings

if TYPE_CHECKING:
    from seqdata.config.settings import Settings


class LiveRules:
    """What the settings allow, at the moment it is asked for."""

    def __init__(self, settings: Settings) -> None:
        self._opened = settings

    @property
    def read_only(self) -> bool:
        """Whether nothing may be sent (SEQUENCE_READ_ONLY)."""
        return self._opened.read_only or get_settings(self._opened.data_dir).read_only

    @property
    def transfer_cents(self) -> int:
        """The most that one transfer may move (SEQUENCE_MAX_TRANSFER_CENTS)."""
        return self._lower("max_transfer_cents")

    @property
    def daily_cents(self) -> int:
        """The most that a day may move, over all users (SEQUENCE_MAX_DAILY_TRANSFER_CENTS)."""
        return self._lower("max_daily_transfer_cents")

    @property
    def allow_unattended(self) -> bool:
        """Whether a real account gets transfers where nobody is there to answer."""
        now = get_settings(self._opened.data_dir)
        is_withdrawn = "allow_unattended_transfers" in now.given
        allowed = now.allow_unattended_transfers if is_withdrawn else True
        return self._opened.allow_unattended_transfers and allowed

    def _lower(self, name: str) -> int:
        now = get_settings(self._opened.data_dir)
        opened: int = getattr(self._opened, name)
        return min(opened, getattr(now, name)) if name in now.given else opened
