"""Deciding what to read: pure functions of what is known and the clock."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import pyarrow as pa

from seqdata.core.arrow import Column, pc
from seqdata.core.moments import micros
from seqdata.sources.base import Window
from seqdata.sources.vocabulary import FINAL
from seqdata.store import SyncState

#: Compound transfers can be reversed after they are COMPLETE; looked at again until this old.
REVERSAL_SPAN = timedelta(days=60)

#: Open transfers are asked for in every sync until they are this old; later by the rescan alone.
OPEN_SPAN = timedelta(days=60)

#: So many old open transfers are always asked for.
FEW = 25

#: A removal of more rows than this, and of more than this share of a window, is not believed.
MOST_REMOVALS, MOST_REMOVED_SHARE = 25, 0.10


@dataclass(frozen=True)
class Plan:
    """What a sync reads. ``kind``: "first", "resumed", "recent" or "full".

    `one_by_one` are open transfers outside of the window, asked for by their ids; so many others
    were `passed_over`, and wait for the rescan.
    """

    kind: str
    window: Window
    cursor: str = ""
    one_by_one: tuple[str, ...] = ()
    passed_over: int = 0

    @property
    def is_whole(self) -> bool:
        """Tell whether it reads all that a first sync reads."""
        return self.kind != "recent"


@dataclass(frozen=True)
class OpenTransfer:
    """A transfer that is not final: its id, and when it was created."""

    id: str
    created_at: datetime | None


def decide(
    state: SyncState,
    *,
    overlap: timedelta,
    rescan: timedelta,
    now: datetime,
    full: bool = False,
    since: datetime | None = None,
) -> Plan:
    """Decide which window to read, from how far the last sync came.

    Parameters
    ----------
    overlap
        How far before the newest known transfer a row can still appear or change.
    rescan
        Everything is read again when the last time is longer ago than this.
    now
        The service's clock.
    full
        Read everything again.
    since
        Read from here on: the beginning of a first sync, or a window to read again.
    """
    if state.last_full_at is None:
        progress = state.first_sync
        goes_on = since is None or since == state.history_since
        if progress is not None and progress.cursor and goes_on and not full:
            return Plan("resumed", Window(since=state.history_since), progress.cursor)
        return Plan("first", Window(since=since))
    if since is not None:
        return Plan("recent", Window(since=since))
    if full or state.newest_created_at is None or now - state.last_full_at > rescan:
        return Plan("full", Window(since=None if full else state.history_since))
    # A created_at in the future must not move the window past what happens until then.
    return Plan("recent", Window(since=min(state.newest_created_at, now) - overlap))


def widen(
    plan: Plan,
    open_transfers: Sequence[OpenTransfer],
    created: Sequence[int],
    page_size: int,
    now: datetime,
) -> Plan:
    """Reach open transfers outside of the window in as few requests as possible.

    Either the window begins earlier, which costs pages, or a transfer is asked for by its id,
    which costs a request; or some of both. Those older than OPEN_SPAN wait for the rescan. More
    than FEW at once are no payments that take their time, but a word that is new: then at most a
    quarter more requests than without them reach the newest, and the others wait.

    Parameters
    ----------
    created
        When each transfer that is here was made: microseconds since 1970, in their order.
    now
        The service's clock.
    """
    since = plan.window.since
    if since is None:
        return plan
    outside = [one for one in open_transfers if one.created_at is None
               or now - OPEN_SPAN <= one.created_at < since]  # fmt: skip
    dated = sorted(
        (one for one in outside if one.created_at is not None),
        key=lambda one: one.created_at or since,
        reverse=True,
    )
    calm = _pages_since(created, since, page_size)
    most = len(outside) if len(outside) <= FEW else (calm + 1) // 4
    begin, asked = since, min(len(outside), most)
    best = (-asked, asked)  # as many as possible, and then as few requests
    for place, one in enumerate(dated, start=1):
        assert one.created_at is not None
        pages = _pages_since(created, one.created_at, page_size) - calm
        if pages > most:
            break
        singly = min(len(outside) - place, most - pages)
        if (-place - singly, pages + singly) < best:
            best, begin, asked = (-place - singly, pages + singly), one.created_at, singly
    rest = [one for one in outside if one.created_at is None or one.created_at < begin]
    rest.sort(key=lambda one: (one.created_at is None, -micros(one.created_at or now)))
    return replace(
        plan,
        window=Window(begin, plan.window.until),
        one_by_one=tuple(one.id for one in rest[:asked]),
        passed_over=len(rest) - min(asked, len(rest)),
    )


def _pages_since(created: Sequence[int], since: datetime, page_size: int) -> int:
    rows = len(created) - bisect_left(created, micros(since))
    return max(1, math.ceil(rows / page_size))


def is_open(rows: pa.Table) -> Column:
    """Tell of each row whether its state can still change; one that is not known can."""
    return pc.invert(pc.is_in(rows["state"], value_set=pa.array(sorted(FINAL))))


def count_open(rows: pa.Table) -> int:
    """Count the rows whose state can still change."""
    return int(pc.sum(is_open(rows)).as_py() or 0)


def is_mass_removal(removed: int, rows: int) -> bool:
    """Tell whether so many of a window's rows vanished that a person has to say yes."""
    return removed > MOST_REMOVALS and removed > rows * MOST_REMOVED_SHARE


class Wanted(NamedTuple):
    """What decides whether the details of a transfer are fetched; moments in microseconds."""

    id: str
    state: str | None
    created_at: int | None
    updated_at: int | None
    fetched_at: int | None
    kind: str | None


def details_wanted(
    which: str, transfers: Iterable[tuple[Any, ...]], *, now: datetime, recent: timedelta
) -> list[str]:
    """List the transfers whose details are to be fetched, in the order given.

    Parameters
    ----------
    which
        "open": those not final, and compound ones young enough to be reversed. "new": these,
        and those created in the span `recent` before the newest one that lack details. "all":
        these, and every one that lacks them or changed since they were fetched.
    transfers
        Rows as :class:`Wanted` has them, newest first.
    now
        When this sync began, on the service's clock: what was fetched since is not wanted again.
    """
    rows = [Wanted(*row) for row in transfers]
    newest = max((row.created_at for row in rows if row.created_at is not None), default=None)
    recently = (micros(now) if newest is None else newest) - recent // timedelta(microseconds=1)
    young, began = micros(now - REVERSAL_SPAN), micros(now)

    def is_wanted(row: Wanted) -> bool:
        created = row.created_at
        if row.fetched_at is not None and row.fetched_at >= began:
            return False
        if row.state not in FINAL:
            return True
        if row.kind == "compound" and created is not None and created > young:
            return True
        lacks = row.fetched_at is None
        if which == "new":
            return lacks and created is not None and created >= recently
        return which == "all" and (lacks or (row.updated_at or 0) > (row.fetched_at or 0))

    return [row.id for row in rows if is_wanted(row)]
