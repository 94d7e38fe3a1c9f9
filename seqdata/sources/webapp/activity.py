"""Reading the activity so that what is not in it is evidence, and not a gap.

A reading is of a whole window: pages until the last one, whatever their order, against the
service's own count of the window where it gives one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from seqdata.core.moments import moment_of
from seqdata.exceptions import PagingError
from seqdata.sources.base import Page, Reading, Refused, Row, Window
from seqdata.sources.schemas import MOMENT, TRANSFER_ROWS
from seqdata.sources.webapp.source import GraphQLSource
from seqdata.sources.webapp.words import by_hand

#: How many pages in a row may bring nothing new before a list is taken for an endless one.
_MOST_IDLE = 5

_MOMENTS = [column.name for column in TRANSFER_ROWS if column.type == MOMENT]


def read_activity(source: GraphQLSource, since: datetime) -> Reading:
    """Read all transfers since a moment, completely.

    Raises
    ------
    PagingError
        The pages do not follow each other, or do not hold what the service counts.
    ServiceError, UnexpectedAnswer
        The service could not be asked, or was not understood.
    """
    walked = _walk(source, Window(since=since))
    if not walked.is_whole(since):
        # Some service may count without the window: then the count is of everything.
        walked = _walk(source, Window())
        if not walked.is_whole(None):
            raise PagingError(
                "the activity", f"{walked.count} transfers", f"{len(walked.rows)}", walked.pages
            )
    return Reading(tuple(walked.rows.values()), walked.served_at)


def our_rows(rows: Iterable[Row]) -> list[Row]:
    """Return transfers as a reading has them: all columns, moments, and who made them."""
    return [
        {
            **dict.fromkeys(TRANSFER_ROWS.names),
            **row,
            **{name: moment_of(row.get(name)) for name in _MOMENTS},
            "by_hand": by_hand(row["kind"], row.get("activity_type"), row.get("type")),
        }
        for row in rows
    ]


@dataclass
class _Walk:
    """All pages of a window: its rows by id, and the service's count of it."""

    served_at: datetime
    count: int | None
    rows: dict[str, Row] = field(default_factory=dict)
    pages: int = 0

    def is_whole(self, since: datetime | None) -> bool:
        """Whether as many came as were counted; a list may ignore the window, a count not."""
        if self.count is None:
            return True
        start = Window(since).asked.since
        inside = [one for one in self.rows.values() if _is_since(one["created_at"], start)]
        return self.count in (len(self.rows), len(inside))


def _is_since(moment: datetime | None, start: datetime | None) -> bool:
    return moment is None or start is None or moment >= start


def _walk(source: GraphQLSource, window: Window) -> _Walk:
    first = _fetch(source, window, "", with_count=True)
    walk = _Walk(first.served_at, first.count)
    page, seen, idle = first, {""}, 0
    while True:
        walk.pages += 1
        before = len(walk.rows)
        walk.rows |= {row["id"]: row for row in our_rows(page.rows)}
        if not page.has_next_page:
            break
        idle = idle + 1 if len(walk.rows) == before else 0
        if idle > _MOST_IDLE:
            raise PagingError("the activity", "new transfers", "pages without any", walk.pages)
        if page.cursor in seen:
            got = "one that was read before"
            raise PagingError("the activity", "a new cursor", got, walk.pages)
        seen.add(page.cursor)
        page = _fetch(source, window, page.cursor, with_count=False)
    if walk.count is None and walk.pages > 1:
        _require_same(first.rows, _fetch(source, window, "", with_count=False).rows, walk.pages)
    return walk


def _require_same(before: Sequence[Row], after: Sequence[Row], pages: int) -> None:
    """Without a count, a first page that has changed meanwhile means that pages have shifted."""
    if [row["id"] for row in before] != [row["id"] for row in after]:
        raise PagingError("the activity", "the same first page", "another one at the end", pages)


def _fetch(source: GraphQLSource, window: Window, cursor: str, *, with_count: bool) -> Page:
    for size in source.page_sizes:
        try:
            return source.fetch_page(window, cursor, size, with_count=with_count, count_window=True)
        except Refused as refused:
            if size == source.page_sizes[-1]:
                raise refused.error from refused
    raise AssertionError("unreachable: the smallest size raised")
