"""What a reading did not show: no answer proves an absence, two of different kinds do."""

from __future__ import annotations

from datetime import datetime, timedelta

from seqdata.sources.base import Window

#: So many transfers are asked for by their ids in one sync.
MOST_ASKED = 25

#: After so many of them without an answer the others are not asked for.
MOST_UNANSWERED = 3

#: A database that lags does so for less than this, as a rule.
LAG = timedelta(hours=1)

#: A slip of one answer touches few rows; what touches more is meant so, and is not asked about.
MOST_SLIPS = 5


def contradicts(created_at: datetime | None, window: Window) -> bool:
    """Tell whether a transfer that answers for itself should have been in a window's list.

    Then the list is wrong, and nothing that it lacked is in doubt for it. One that has moved out
    of the window meanwhile proves nothing.
    """
    if created_at is None:
        return window == Window()
    is_since = window.since is None or created_at >= window.since
    return is_since and (window.until is None or created_at < window.until)
