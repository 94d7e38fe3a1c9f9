"""Pages into tables: what to ask for next, and when it is complete.

A sync decides first (:func:`decide` is a pure function of the state and the request), then
acts. Data goes to disk before the state that speaks of it, so that a sync can stop at any
moment and the next one goes on from what is safely there.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pyarrow as pa

from seqdata.arrow import Column, pc
from seqdata.exceptions import PagingError, UnexpectedAnswer, UnknownTransfer
from seqdata.schemas import MOMENT
from seqdata.source import Page, PageSizeRefused, Source, Window
from seqdata.store import FirstSync, State, Store, Upsert
from seqdata.types import FINAL_STATUSES

log = logging.getLogger("seqdata")

#: Page sizes asked for, until the service takes one.
PAGE_SIZES = (100, 50, 25, 10)

EVERYTHING = Window()


@dataclass(frozen=True)
class Plan:
    """What a sync reads. ``kind``: "first", "resumed", "recent" or "full"."""

    kind: str
    window: Window
    cursor: str = ""


@dataclass(frozen=True)
class Progress:
    """How far a running sync is: transfers read, and how many there are, where known."""

    read: int
    expected: int | None
    pages: int
    requests: int


OnProgress = Callable[[Progress], None]


@dataclass
class SyncReport:
    """What a sync did, and whether the table is complete.

    Attributes
    ----------
    kind
        "first" (all pages), "resumed" (the rest of a first one), "recent" (the window that can
        have changed) or "full" (all pages again).
    pages, requests
        Pages of transfers read; requests sent, repeats included.
    added, updated, moved
        Transfers new here, changed, and of these the ids whose created_at moved to another
        month.
    open
        Transfers that are not final, whose status can still change.
    rows, expected_rows
        Transfers here and in the service; None where the service does not count.
    unknown_values
        Values the service sent that this version does not know, with how often; each is
        reported by the first sync that meets it.
    """

    organization_id: str
    kind: str
    window: Window
    pages: int = 0
    requests: int = 0
    added: int = 0
    updated: int = 0
    moved: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    open: int = 0
    rows: int = 0
    expected_rows: int | None = None
    accounts: int = 0
    balances: int = 0
    page_size: int | None = None
    seconds: float = 0.0
    synced_at: datetime | None = None
    unknown_values: dict[str, int] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool | None:
        """Whether every transfer of the service is here; None where it does not count."""
        return None if self.expected_rows is None else self.rows == self.expected_rows

    def __str__(self) -> str:
        lines = [
            f"{self._kind_words()}: {self.added:,} new, {self.updated:,} changed, "
            f"{self.open:,} open",
            f"{self._completeness()}; {self.accounts} accounts, {self.balances} balances",
            f"{self.pages} pages, {self.requests} requests, {self.seconds:.1f} seconds",
        ]
        if self.moved:
            lines.append(f"moved to another month: {', '.join(self.moved)}")
        if self.gone:
            lines.append(f"open here, but not in the service any more: {', '.join(self.gone)}")
        if self.unknown_values:
            lines.append(f"not seen before: {', '.join(sorted(self.unknown_values))}")
        return "\n".join(lines)

    def _kind_words(self) -> str:
        if self.kind == "recent" and self.window.since is not None:
            return f"Synced what can have changed since {self.window.since:%Y-%m-%d}"
        words = {"first": "First sync", "resumed": "First sync, resumed", "full": "Full sync"}
        return words.get(self.kind, "Synced")

    def _completeness(self) -> str:
        if self.expected_rows is None:
            return f"{self.rows:,} transfers (the service does not count, so no check)"
        if self.is_complete:
            return f"{self.rows:,} transfers, complete"
        return f"{self.rows:,} transfers of {self.expected_rows:,}: INCOMPLETE"


def decide(state: State, *, overlap: timedelta, full: bool = False) -> Plan:
    """Decide what to read, from how far the last sync came.

    Parameters
    ----------
    overlap
        How far before the newest known transfer a row can still appear or change.
    full
        Read everything again.
    """
    if state.last_full_at is None:
        if state.first_sync is not None and state.first_sync.cursor and not full:
            return Plan("resumed", EVERYTHING, state.first_sync.cursor)
        return Plan("first", EVERYTHING)
    if full or state.newest_created_at is None:
        return Plan("full", EVERYTHING)
    return Plan("recent", Window(since=state.newest_created_at - overlap))


def sync(
    source: Source,
    store: Store,
    *,
    overlap: timedelta = timedelta(days=30),
    full: bool = False,
    wait: float = 0.0,
    on_progress: OnProgress | None = None,
    timer: Callable[[], float] = time.monotonic,
) -> SyncReport:
    """Bring the tables of an organization up to date with the service.

    Parameters
    ----------
    overlap
        A later sync reads from the newest known transfer back over this span.
    full
        Read all pages again instead of the window that can have changed.
    wait
        Seconds to wait for another process that syncs the same cache; 0 refuses at once.
    on_progress
        Called after each page.

    Raises
    ------
    CacheLocked
        Another process syncs this cache.
    PagingError
        The service's pages do not follow each other. What was read is kept.
    ServiceError, UnexpectedAnswer
        The service could not be asked, or was not understood. What was read is kept.
    """
    started = timer()
    with store.lock(wait):
        run = _Run(source, store, overlap, on_progress)
        report = run.to_the_end(full=full)
    report.seconds = timer() - started
    log.info(
        "synced: kind=%s pages=%d requests=%d added=%d updated=%d rows=%d expected=%s",
        report.kind, report.pages, report.requests, report.added, report.updated,
        report.rows, report.expected_rows,
    )  # fmt: skip
    return report


class _Run:
    """One sync, under the lock of its cache."""

    def __init__(
        self, source: Source, store: Store, overlap: timedelta, on_progress: OnProgress | None
    ) -> None:
        self._source, self._store, self._overlap = source, store, overlap
        self._on_progress = on_progress
        self._state = store.read_state()
        self._first_request = source.requests
        self._read = 0

    def to_the_end(self, *, full: bool) -> SyncReport:
        plan = decide(self._state, overlap=self._overlap, full=full)
        self._report = SyncReport(self._source.organization_id, plan.kind, plan.window)
        if plan.kind in ("first", "full"):
            self._state = replace(self._state, page_size=None)  # the service may take more now
        self._take_accounts()
        self._walk(plan)
        if plan.kind == "resumed":  # what happened at the top meanwhile
            newest = _bounds(self._store.read_transfers(columns=["created_at"]))[0]
            since = None if newest is None else newest - self._overlap
            self._walk(Plan("recent", Window(since=since)))
        self._take_open_transfers()
        return self._finish(plan)

    # -- steps --------------------------------------------------------------------------------

    def _take_accounts(self) -> None:
        snapshot = self._source.fetch_accounts()
        if snapshot.accounts.num_rows == 0 and self._store.read_accounts().num_rows:
            raise UnexpectedAnswer("the list of accounts", "the accounts known so far", "none")
        self._started_at = self._report.synced_at = snapshot.served_at
        self._store.upsert_accounts(snapshot.accounts, seen_at=snapshot.served_at)
        self._store.append_balances(snapshot.balances)
        self._report.accounts = snapshot.accounts.num_rows
        self._report.balances = snapshot.balances.num_rows

    def _walk(self, plan: Plan) -> None:
        for page in self._pages(plan):
            self._count(self._store.upsert_transfers(page.rows, seen_at=page.served_at))
            self._read += page.rows.num_rows
            self._report.pages += 1
            self._note_page(plan, page)
            self._tell()

    def _take_open_transfers(self) -> None:
        """Read open transfers of any age that no page of this sync brought, one by one."""
        rows = self._store.read_transfers(columns=["id", "status", "last_seen_at"])
        unseen = pc.less(rows["last_seen_at"], pa.scalar(self._started_at, MOMENT))
        for transfer_id in map(str, rows.filter(pc.and_(_is_open(rows), unseen))["id"].to_pylist()):
            try:
                detail = self._source.fetch_transfer(transfer_id)
            except UnknownTransfer:
                self._report.gone.append(transfer_id)
                continue
            self._count(self._store.upsert_transfers(detail.row, seen_at=detail.served_at))
            self._store.upsert_details(detail.details, detail.legs)

    def _finish(self, plan: Plan) -> SyncReport:
        report = self._report
        known = set(self._state.reported)
        report.unknown_values = {
            what: count for what, count in self._source.drift.seen.items() if what not in known
        }
        rows = self._store.read_transfers(columns=["status", "created_at"])
        self._state = replace(
            self._state,
            first_sync=None,
            last_sync_at=report.synced_at,
            last_full_at=self._state.last_full_at if plan.kind == "recent" else report.synced_at,
            newest_created_at=_bounds(rows)[0],
            service_count=report.expected_rows,
            reported=tuple(sorted({*self._state.reported, *self._source.drift.seen})),
        )
        self._store.write_state(self._state)
        report.rows = rows.num_rows
        report.open = pc.sum(_is_open(rows)).as_py() or 0
        report.requests = self._source.requests - self._first_request
        report.page_size = self._state.page_size
        return report

    # -- pages --------------------------------------------------------------------------------

    def _pages(self, plan: Plan) -> Iterator[Page]:
        """Yield the pages of a window, newest first, until it is complete."""
        cursor, with_count = plan.cursor, True
        asked = {cursor}
        is_descending, oldest = True, None
        while True:
            page = self._page(plan.window, cursor, with_count=with_count)
            with_count = False
            self._check(page, asked)
            yield page
            newest_here, oldest_here = _bounds(page.rows)
            is_descending = is_descending and not _is_after(newest_here, oldest)
            oldest = oldest_here or oldest
            if not page.has_next_page:
                return
            # A service that ignores the filter would go on to the beginning of time.
            if is_descending and _is_before(oldest, plan.window.since):
                return
            cursor = page.cursor
            asked.add(cursor)

    def _page(self, window: Window, cursor: str, *, with_count: bool) -> Page:
        """Fetch a page of the largest size that the service takes, and remember that size."""
        sizes = [self._state.page_size] if self._state.page_size else list(PAGE_SIZES)
        for size in sizes:
            try:
                page = self._source.fetch_page(window, cursor, size, with_count=with_count)
            except PageSizeRefused:
                smaller = [other for other in PAGE_SIZES if other < size]
                if not smaller:
                    raise
                sizes.extend(other for other in smaller if other not in sizes)
                continue
            is_clamped = page.has_next_page and 0 < page.rows.num_rows < size
            found = page.rows.num_rows if is_clamped and with_count else size
            self._state = replace(self._state, page_size=found)
            return page
        raise AssertionError("a size is taken or refused")

    def _check(self, page: Page, asked: set[str]) -> None:
        """Stop where the pages do not lead on; what was read is on disk."""
        if not page.has_next_page:
            return
        if page.rows.num_rows == 0:
            raise self._paging_error("transfers in a page that has a next one", "an empty page")
        if not page.cursor:
            raise self._paging_error("a cursor for the next page", "none")
        if page.cursor in asked:
            raise self._paging_error("a new cursor for the next page", "one that was used before")

    def _paging_error(self, expected: str, got: str) -> PagingError:
        return PagingError("a page of transfers", expected, got, self._report.pages)

    def _note_page(self, plan: Plan, page: Page) -> None:
        """Write how far a first sync came, after its rows are on disk."""
        report = self._report
        report.synced_at = page.served_at
        if page.count is not None:
            report.expected_rows = page.count
        if plan.kind not in ("first", "resumed") or not page.has_next_page:
            return
        before = self._state.first_sync or FirstSync(started_at=page.served_at)
        newest, oldest = _bounds(page.rows)
        progress = replace(
            before,
            cursor=page.cursor,
            newest=max(filter(None, (before.newest, newest)), default=None),
            oldest=oldest or before.oldest,
            pages=before.pages + 1,
        )
        self._state = replace(self._state, first_sync=progress)
        self._store.write_state(self._state)

    # -- figures ------------------------------------------------------------------------------

    def _count(self, upsert: Upsert) -> None:
        self._report.added += upsert.added
        self._report.updated += upsert.updated
        self._report.moved.extend(upsert.moved)

    def _tell(self) -> None:
        if self._on_progress is not None:
            requests = self._source.requests - self._first_request
            expected = self._report.expected_rows if self._report.kind != "recent" else None
            self._on_progress(Progress(self._read, expected, self._report.pages, requests))


def _is_open(rows: pa.Table) -> Column:
    final = pa.array(sorted(FINAL_STATUSES))
    return pc.invert(pc.is_in(rows["status"], value_set=final))


def _bounds(rows: pa.Table) -> tuple[datetime | None, datetime | None]:
    """Return the newest and the oldest created_at."""
    bounds = pc.min_max(rows["created_at"]).as_py()
    return bounds["max"], bounds["min"]


def _is_after(moment: datetime | None, other: datetime | None) -> bool:
    return moment is not None and other is not None and moment > other


def _is_before(moment: datetime | None, other: datetime | None) -> bool:
    return moment is not None and other is not None and moment < other
