"""Which readings' clocks can be believed: a service's clock that was wrong once must not stay so.

Readings are ordered by when they were made, and their moments should be too. Nothing is deleted
where they are not: what is not believed now is believed again once later readings agree with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from seqdata.store.record import Connection

#: A balance as it was observed: account_id, as_of, confirmed_at, cents, origin.
Observed = tuple[str, int, int, int | None, str]


def overtaken(moments: Sequence[int]) -> dict[int, int | None]:
    """Find the moments that are out of order, and not believed.

    Where the newest reading is earlier than some before it, either these were ahead or it is
    behind: the wrong clock is the one that made the larger step.

    Parameters
    ----------
    moments
        When each reading was made by the service's clock, in the order of the readings.

    Returns
    -------
    dict
        Of each such moment the one of the last reading before it that is believed; None: there
        is none.
    """
    if all(one <= other for one, other in pairwise(moments)):
        return {}
    believed = _longest_chain(moments)
    if _is_behind(moments, believed):
        believed = _longest_chain(moments[:-1])
    kept = {moments[place] for place in believed}
    found: dict[int, int | None] = {}
    before: int | None = None
    for place, moment in enumerate(moments):
        if place in believed:
            before = moment
        elif moment not in kept:
            found[moment] = before
    return found


def _is_behind(moments: Sequence[int], believed: set[int]) -> bool:
    """Tell whether it is the newest reading whose clock is wrong, and not those later than it."""
    later = [place for place, moment in enumerate(moments) if moment > moments[-1]]
    if not later:
        return False
    before = [moments[place] for place in believed if place < later[0]]
    if not before:
        return len(later) > 1
    step_up = moments[later[0]] - max(before)
    return moments[later[-1]] - moments[-1] > step_up


def _longest_chain(moments: Sequence[int]) -> set[int]:
    """Return the places of the longest chain that never goes back and ends with the last one.

    Of several the one that spans the least time: it makes the smallest steps.
    """
    ranks = {moment: rank for rank, moment in enumerate(sorted(set(moments)), start=1)}
    best: list[tuple[int, int, int]] = [_NONE] * (len(ranks) + 1)  # a Fenwick tree of maxima
    before: list[int] = []
    for place, moment in enumerate(moments):
        rank = ranks[moment]
        length, first, parent = max(best[at] for at in _down(rank))
        before.append(parent)
        found = length + 1, first if length else moment, place
        for at in _up(rank, len(ranks)):
            best[at] = max(best[at], found)
    chain: set[int] = set()
    at = len(moments) - 1
    while at >= 0:
        chain.add(at)
        at = before[at]
    return chain


#: No chain: its length, its first moment, the place of its last one.
_NONE = (0, 0, -1)


def _down(rank: int) -> Iterator[int]:
    while rank:
        yield rank
        rank -= rank & -rank


def _up(rank: int, size: int) -> Iterator[int]:
    while rank <= size:
        yield rank
        rank += rank & -rank


def observed_balances(db: Connection) -> Iterator[Observed]:
    """Read the observed balances, oldest first, without moments of clocks that were wrong."""
    wrong = wrong_moments(db)
    for account_id, as_of, confirmed_at, cents, origin in db.execute(
        "SELECT account_id, as_of, confirmed_at, cents, origin FROM balances "
        "ORDER BY as_of, account_id"
    ):
        if origin != "sync":
            yield account_id, as_of, confirmed_at, cents, origin
        elif as_of not in wrong:
            last = wrong.get(confirmed_at, confirmed_at)
            yield account_id, as_of, max(as_of, last or as_of), cents, origin


def wrong_moments(db: Connection) -> dict[int, int | None]:
    """Find the moments of syncs whose clock is not believed; see :func:`overtaken`."""
    found = db.execute("SELECT json_extract(row, '$.began_at') FROM runs ORDER BY run")
    return overtaken([moment for (moment,) in found if moment is not None])
