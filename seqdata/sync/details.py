"""Deciding whose details are fetched: pure functions of what is known and the clock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from seqdata.core.moments import micros
from seqdata.sources.vocabulary import FINAL
from seqdata.store.shelf import Wanted

#: Compound transfers can be reversed after they are COMPLETE; looked at again until this old.
REVERSAL_SPAN = timedelta(days=60)


def details_wanted(
    which: str, transfers: Sequence[Wanted], *, now: datetime, recent: timedelta
) -> list[str]:
    """List the transfers whose details are to be fetched, in the order given.

    Parameters
    ----------
    which
        "open": those not final, and compound ones young enough to be reversed. "new": these,
        and those created in the span `recent` before the newest one that lack details. "all":
        these, and every one that lacks them or changed since they were fetched.
    transfers
        All that are here, newest first.
    now
        When this sync began, on the service's clock: what was fetched since is not wanted again.
    """
    newest = max((row.created_at for row in transfers if row.created_at is not None), default=None)
    recently = (micros(now) if newest is None else newest) - recent // timedelta(microseconds=1)
    young, began = micros(now - REVERSAL_SPAN), micros(now)
    future = micros(now + timedelta(days=1))  # a moment after it is of a clock that was wrong

    def is_wanted(row: Wanted) -> bool:
        created, fetched = row.created_at, row.fetched_at
        if fetched is not None and began <= fetched <= future:
            return False
        if row.state not in FINAL:
            return True
        if row.kind == "compound" and created is not None and created > young:
            return True
        lacks = fetched is None or fetched > future
        if which == "new":
            return lacks and created is not None and created >= recently
        return which == "all" and (lacks or (row.updated_at or 0) > (fetched or 0))

    return [row.id for row in transfers if is_wanted(row)]
