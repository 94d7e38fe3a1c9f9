"""Reading the pages of a window, newest first, until it is complete or cannot go on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from seqdata.core.logs import logger
from seqdata.core.moments import moment_of
from seqdata.exceptions import PagingError, ServiceError
from seqdata.sources.base import Page, Refused, Source, Window

log = logger(__name__)

#: So many pages in a row without a new transfer are a list that does not end.
MOST_IDLE = 5


class Walk:
    """One reading of a window.

    Parameters
    ----------
    cursor
        Where it goes on; "" is the beginning.
    size
        The page size to ask for, where one is known; else the largest that passes is found.
    oldest
        The created_at of the oldest transfer that was read up to the cursor.

    Attributes
    ----------
    seen
        The ids of all transfers that it showed.
    count
        The pages that it read.
    size
        The page size that the service takes.
    oldest
        Down to this created_at everything was shown.
    """

    def __init__(
        self,
        source: Source,
        window: Window,
        *,
        cursor: str = "",
        size: int | None = None,
        oldest: datetime | None = None,
    ) -> None:
        self._source, self._window, self._cursor = source, window, cursor
        self._asked: set[str] = set()
        self._is_descending = True
        self._lowest: int | None = None
        self.count = self._idle = 0
        self.seen: set[str] = set()
        self.size, self.oldest = size, oldest

    def pages(self, *, with_count: bool) -> Iterator[Page]:
        """Yield the pages; the number of all transfers is asked for with the first one.

        Raises
        ------
        PagingError
            A page does not lead to the next one.
        ServiceError, UnexpectedAnswer
            A page could not be had in any size, by its cursor or by date.
        """
        window, cursor = self._window, self._cursor
        why: ServiceError | None = None
        while True:
            self._asked.add(cursor)
            try:
                page = self._fetch(window, cursor, with_count=with_count)
            except Refused as refused:
                if not cursor:  # not the cursor either: what was said first is what is wrong
                    raise why or refused.error from refused
                window, cursor, why = self._by_date(window, refused.error), "", refused.error
                continue
            with_count, why = False, None
            self._note(page)
            if page.has_next_page:
                self._check(page)
            yield page
            if not page.has_next_page or self._is_past(page, window.since):
                return
            cursor = page.cursor

    def first_again(self) -> Page:
        """Fetch the first page once more, at the end: what came meanwhile is on it."""
        page = self._fetch(self._window, "", with_count=False)
        self._note(page)
        return replace(page, has_next_page=False)

    def _fetch(self, window: Window, cursor: str, *, with_count: bool) -> Page:
        """Fetch a page, the first one of the largest size that the service takes in this sync."""
        first: Refused | None = None
        for size in (self.size,) if self.size else self._source.page_sizes:
            try:
                page = self._source.fetch_page(window, cursor, size, with_count=with_count)
            except Refused as refused:
                first = first or refused
                if cursor:
                    break
                continue
            self.size = size
            return page
        assert first is not None
        raise first

    def _by_date(self, window: Window, error: ServiceError) -> Window:
        """Go on below the oldest transfer that was read, with a day of overlap."""
        until = None if self.oldest is None else self.oldest + timedelta(days=1)
        if until is None or (window.until is not None and until >= window.until):
            raise error  # it came no further since the last cursor that was refused
        log.warning("a page was refused, trying by date: until=%s error=%s", until, error)
        self._asked.clear()  # a page of the new window may end where one of the old did
        self._lowest = None
        return Window(window.since, until)

    def _note(self, page: Page) -> None:
        before = len(self.seen)
        self.seen.update(row["id"] for row in page.rows)
        self.count += 1
        self._idle = 0 if len(self.seen) > before else self._idle + 1
        moments = page.moments
        if not moments:
            return
        before_it = [] if self._lowest is None else [self._lowest]
        self._is_descending &= all(one >= other for one, other in pairwise(before_it + moments))
        self._lowest = min(moments)
        # Of a page that is out of order, one moment may be wrong: less is skipped by its newest.
        self.oldest = moment_of(self._lowest if self._is_descending else max(moments))

    def _check(self, page: Page) -> None:
        """Stop where a page does not lead on; what was read is on disk."""
        if not page.rows:
            raise self._error("transfers in a page that has a next one", "an empty page")
        if not page.cursor:
            raise self._error("a cursor for the next page", "none")
        if page.cursor in self._asked:
            raise self._error("a new cursor for the next page", "one that was used before")
        if self._idle > MOST_IDLE:
            raise self._error("new transfers", f"{self._idle} pages without any")

    def _is_past(self, page: Page, since: datetime | None) -> bool:
        """Whether it went below the window: a service that ignores the filter reads on."""
        newest = moment_of(max(page.moments, default=None))
        is_below = since is not None and newest is not None and newest < since
        return self._is_descending and is_below

    def _error(self, expected: str, got: str) -> PagingError:
        return PagingError("a page of transfers", expected, got, self.count)
