"""Deciding what to read: pure functions of what is known and the clock."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from seqdata.core.moments import micros
from seqdata.sources.base import MARGIN, Window
from seqdata.store import SyncState

#: Open transfers are asked for in every sync until they are this old; later by the rescan alone.
OPEN_SPAN = timedelta(days=60)

#: A moment that is further in the future than this is of a clock that was wrong.
_SLACK = timedelta(days=1)

#: So many old open transfers are always asked for.
FEW = 25


@dataclass(frozen=True)
class Plan:
    """What a sync reads. ``kind``: "first", "resumed", "recent" or "full".

    With a `cursor` a first ("resumed") or full reading goes on. `one_by_one` are open transfers
    outside of the window, asked for by their ids; so many others were `passed_over`, and wait for
    the rescan.
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
    doubted_since: datetime | None = None,
) -> Plan:
    """Decide which window to read, from how far the last sync came.

    A window always meets what was read before it, so that nothing lies between. A moment that is
    later than `now` is not known: a clock was wrong.

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
    doubted_since
        The created_at of the oldest transfer in doubt: it is looked for again.
    """
    if state.last_full_at is None:
        progress = state.unfinished
        goes_on = since is None or since == state.history_since
        if progress is not None and progress.cursor and goes_on and not full:
            return Plan("resumed", Window(since=state.history_since), progress.cursor)
        return Plan("first", Window(since=since))
    is_due = not -_SLACK <= now - state.last_full_at <= rescan
    begins = [one for one in (since, doubted_since) if one is not None]
    if state.is_contradicted:
        if state.read_again_since is None:
            is_due = True
        else:
            begins.append(state.read_again_since)
    if full or state.newest_created_at is None or (is_due and since is None):
        return _everything(state, None if full else state.history_since, now, overlap)
    return recent(state.newest_created_at, *begins, overlap=overlap, now=now)


def recent(newest: datetime | None, *begins: datetime, overlap: timedelta, now: datetime) -> Plan:
    """Plan what can have changed up to the newest transfer, and what lies after other moments."""
    if newest is None:
        return Plan("recent", Window())
    # A created_at in the future must not move the window past what happens until then.
    return Plan("recent", Window(since=min([min(newest, now) - overlap, *begins])))


def _everything(
    state: SyncState, since: datetime | None, now: datetime, overlap: timedelta
) -> Plan:
    """Read all pages; where that was begun a short while ago, go on."""
    begun = state.unfinished
    if (
        begun is not None
        and begun.kind == "full"
        and begun.since == since
        and begun.cursor
        and begun.started_at is not None
        and -_SLACK <= now - begun.started_at <= overlap
    ):
        return Plan("full", Window(since), begun.cursor)
    return Plan("full", Window(since))


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
    rows = len(created) - bisect_left(created, micros(since - MARGIN))
    return max(1, math.ceil(rows / page_size))
