"""One sync: decide, read pages, find what vanished, fetch details."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from seqdata.core.arrow import pc
from seqdata.core.logs import logger
from seqdata.core.moments import moment_of
from seqdata.exceptions import (
    PagingError,
    RemovalsRefused,
    ServiceError,
    UnexpectedAnswer,
)
from seqdata.sources.base import Delivery, Page, Refused, Source, Window
from seqdata.store import FirstSync, Store, Upsert
from seqdata.sync.certificate import certify
from seqdata.sync.options import SyncOptions
from seqdata.sync.plan import (
    MOST_REMOVALS,
    OpenTransfer,
    Plan,
    decide,
    details_wanted,
    is_mass_removal,
    widen,
)
from seqdata.sync.report import Cost, OnProgress, Progress, SyncReport

log = logger(__name__)


def sync(
    source: Source,
    store: Store,
    options: SyncOptions | None = None,
    *,
    wait: float = 0.0,
    on_progress: OnProgress | None = None,
    timer: Callable[[], float] = time.monotonic,
) -> SyncReport:
    """Bring the tables of an organization up to date with the service.

    Parameters
    ----------
    wait
        Seconds to wait for another process that syncs the same cache; 0 refuses at once.
    on_progress
        Called after each page, and after each request for details.

    Raises
    ------
    CacheLocked
        Another process syncs this cache.
    PagingError
        The service's pages do not follow each other. What was read is kept.
    RemovalsRefused
        Too much vanished at once. What was read is kept.
    ServiceError, UnexpectedAnswer
        The service could not be asked, or was not understood. What was read is kept.
    """
    started = timer()
    with store.lock(wait):
        run = _Run(source, store, options or SyncOptions(), on_progress, timer)
        report = run.to_the_end()
    report.seconds = timer() - started
    log.info(
        "synced: kind=%s pages=%d requests=%d added=%d updated=%d removed=%d rows=%d expected=%s",
        report.kind, report.pages, report.requests, report.added, report.updated,
        len(report.removed), report.rows, report.expected_rows,
    )  # fmt: skip
    return report


@dataclass
class _Walk:
    """What a walk through pages saw. `keeps_ids`: there were rows that may have vanished."""

    keeps_ids: bool
    asked: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)
    is_descending: bool = True
    oldest: datetime | None = None

    def note(self, page: Page) -> None:
        if self.keeps_ids:
            self.seen.update(map(str, page.rows["id"].to_pylist()))
        bounds = pc.min_max(page.rows["created_at"]).as_py()
        if bounds["max"] is not None and self.oldest is not None and bounds["max"] > self.oldest:
            self.is_descending = False
        if not page.rows["created_at"].drop_null().equals(_descending(page.rows)):
            self.is_descending = False
        self.oldest = bounds["min"] or self.oldest

    def is_past(self, since: datetime | None) -> bool:
        """Whether it went below the window: a service that ignores the filter reads on."""
        return (
            self.is_descending
            and since is not None
            and self.oldest is not None
            and self.oldest < since
        )


class _Run:
    """One sync, under the lock of its cache."""

    def __init__(
        self,
        source: Source,
        store: Store,
        options: SyncOptions,
        on_progress: OnProgress | None,
        timer: Callable[[], float],
    ) -> None:
        self._source, self._store, self._options = source, store, options
        self._state = store.read_state()
        self._run: int | None = None
        self._on_progress = on_progress
        self._timer = timer
        self._first_request = source.requests
        self._read = 0
        self._expected: int | None = None
        self._total: int | None = None
        self._size: int | None = None

    def to_the_end(self) -> SyncReport:
        self._report = SyncReport(self._source.organization_id, "", Window())
        self._had_rows = self._store.newest_created_at() is not None
        self._take_accounts()
        plan = self._plan()
        self._report.kind, self._report.window = plan.kind, plan.window
        if plan.kind == "resumed":
            self._read = self._store.count_transfers()
        last, walk = plan, self._walk(plan)
        if plan.kind == "resumed":  # what happened meanwhile to what was read before
            last = self._reaching_open(Plan("recent", self._overlap_window()))
            walk = self._walk(last)
        self._take_removals(last, walk)
        self._take_one_by_one(last)
        self._finish(plan)
        self._take_details()
        return self._completed()

    # -- steps --------------------------------------------------------------------------------

    def _take_accounts(self) -> None:
        snapshot = self._source.fetch_accounts()
        if snapshot.accounts.num_rows == 0 and self._store.account_ids():
            raise UnexpectedAnswer("the list of accounts", "the accounts known so far", "none")
        self._now = self._report.synced_at = snapshot.served_at
        self._run = self._store.begin_run(source=self._source.name, at=self._now)
        self._take(snapshot)
        self._report.accounts = snapshot.accounts.num_rows
        self._report.balances = snapshot.balances.num_rows

    def _plan(self) -> Plan:
        options, state = self._options, self._state
        plan = decide(
            state,
            overlap=options.overlap,
            rescan=options.rescan,
            now=self._now,
            full=options.full,
            since=options.since,
        )
        if plan.kind == "first":
            self._update(history_since=plan.window.since, first_sync=None)
        return self._reaching_open(plan) if plan.kind == "recent" else plan

    def _reaching_open(self, plan: Plan) -> Plan:
        waiting = [
            OpenTransfer(id_, moment_of(created)) for id_, created in self._store.open_transfers()
        ]
        size = self._size or self._source.page_sizes[0]
        found = widen(plan, waiting, self._store.created_moments(), size, self._now)
        if found.passed_over:
            log.info("open transfers that wait for the rescan: %d", found.passed_over)
        return found

    def _overlap_window(self) -> Window:
        newest = self._store.newest_created_at()
        since = None if newest is None else min(newest, self._now) - self._options.overlap
        return Window(since)

    def _walk(self, plan: Plan) -> _Walk:
        walk = _Walk(keeps_ids=self._had_rows)
        for page in self._pages(plan, walk):
            self._check(page, walk)
            self._take_page(plan, page)
            walk.note(page)
        if plan.kind != "resumed":  # which began in an earlier sync
            self._note(kind=plan.kind, since=plan.window.since, read_at=self._now)
        return walk

    def _take_page(self, plan: Plan, page: Page) -> None:
        self._count(self._take(page, **self._first_sync_progress(plan, page)))
        self._read += page.rows.num_rows
        self._report.pages += 1
        self._report.synced_at = page.served_at
        if page.count is not None:
            self._expected = page.count
            self._total = page.count if plan.is_whole else self._total
        self._tell("transfers", self._read, self._total)

    def _take_removals(self, plan: Plan, walk: _Walk) -> None:
        """Mark what is here, in a window that was read whole, and was not in it."""
        if not walk.keeps_ids:  # nothing was here before
            return
        here = self._store.ids_since(plan.window.since)
        ids = [one for one in here if one not in walk.seen]
        if plan.window.since is not None and len(ids) <= MOST_REMOVALS:
            ids = self._missing_among(ids)  # one whose created_at moved below the window is not
        self._remove(ids, len(here))

    def _take_one_by_one(self, plan: Plan) -> None:
        """Read the open transfers that are older than the window, each by its id."""
        self._remove(self._missing_among(plan.one_by_one), len(plan.one_by_one))

    def _missing_among(self, transfer_ids: Sequence[str]) -> list[str]:
        """Read transfers, each by its id; return those that the service does not know."""
        missing: list[str] = []
        for transfer_id in transfer_ids:
            found = self._source.fetch_details([transfer_id])
            missing.extend(found.missing)
            self._count(self._take(found))
        if asked := [one for one in transfer_ids if one not in missing]:
            self._note(asked=json.dumps(asked))
        return missing

    def _take_details(self) -> None:
        """Fetch the details that are wanted, newest first, as far as the budget goes."""
        options = self._options
        if options.details is None:
            return
        wanted = wanted_details(self._store, options.details, now=self._now, recent=options.overlap)
        cost = options.cost(len(wanted))
        log.info("%s", cost)
        self._tell("details", 0, cost.now, cost)
        started = self._timer()
        missing: list[str] = []
        step = options.details_per_request
        batches = (wanted[start : start + step] for start in range(0, len(wanted), step))
        for requests, ids in enumerate(batches):
            if self._is_spent(requests, started):
                break
            found = self._source.fetch_details(ids)
            missing.extend(found.missing)
            self._count(self._take(found))
            self._report.details += len(ids)
            self._tell("details", self._report.details, cost.now)
        self._report.details_missing = len(wanted) - self._report.details
        self._remove(missing, len(wanted))

    def _finish(self, plan: Plan) -> None:
        state = self._state
        began_at = state.first_sync.started_at if state.first_sync else None
        read_at = (began_at if plan.kind == "resumed" else None) or self._report.synced_at
        self._update(
            first_sync=None,
            last_sync_at=self._report.synced_at,
            finished_at=datetime.now(UTC),
            last_full_at=read_at if plan.is_whole else state.last_full_at,
            newest_created_at=self._store.newest_created_at(),
            service_count=self._expected,
            history_since=_earlier(state.history_since, plan),
        )
        self._note(ended_at=self._report.synced_at)

    def _completed(self) -> SyncReport:
        report, state = self._report, self._state
        known, drift = state.reported, self._source.drift
        # A new value is news once; a field that is missing or unreadable is trouble every time.
        report.unknown_values = {
            what: n for what, n in drift.seen.items() if what not in known or "=" not in what
        }
        report.unknown_in = {what: drift.where[what] for what in report.unknown_values}
        if report.unknown_values:
            self._update(reported=dict(sorted({**drift.where, **known}.items())))
        rows, waiting = self._store.count_transfers(), self._store.count_open()
        report.certificate = certify(state, report.organization_id, rows, waiting)
        report.requests = self._source.requests - self._first_request
        report.page_size = self._size
        return report

    # -- pages --------------------------------------------------------------------------------

    def _pages(self, plan: Plan, walk: _Walk) -> Iterator[Page]:
        """Yield the pages of a window, newest first, until it is complete."""
        window, cursor, with_count = plan.window, plan.cursor, True
        why: ServiceError | None = None
        while True:
            walk.asked.add(cursor)
            try:
                page = self._page(window, cursor, with_count=with_count)
            except Refused as refused:
                if not cursor:  # not the cursor either: what was said first is what is wrong
                    raise why or refused.error from refused
                window, cursor, why = self._by_date(window, walk, refused.error), "", refused.error
                continue
            with_count, why = False, None
            yield page
            if not page.has_next_page or walk.is_past(window.since):
                return
            cursor = page.cursor

    def _by_date(self, window: Window, walk: _Walk, error: ServiceError) -> Window:
        """Go on below the oldest transfer that was read, with a day of overlap."""
        progress = self._state.first_sync
        oldest = walk.oldest or (progress.oldest if progress else None)
        until = None if oldest is None else oldest + timedelta(days=1)
        if until is None or (window.until is not None and until >= window.until):
            raise error  # it came no further since the last cursor that expired
        log.warning("a page was refused, trying by date: until=%s error=%s", until, error)
        walk.asked.clear()  # a page of the new window may end where one of the old did
        return Window(window.since, until)

    def _page(self, window: Window, cursor: str, *, with_count: bool) -> Page:
        """Fetch a page, the first one of the largest size that the service takes in this sync."""
        offered = self._source.page_sizes
        first: Refused | None = None
        for size in (self._size,) if self._size else offered:
            try:
                page = self._source.fetch_page(window, cursor, size, with_count=with_count)
            except Refused as refused:
                first = first or refused
                if cursor:
                    break
                continue
            self._size = size
            return page
        assert first is not None
        raise first

    def _check(self, page: Page, walk: _Walk) -> None:
        """Stop where the pages do not lead on; what was read is on disk."""
        if not page.has_next_page:
            return
        if page.rows.num_rows == 0:
            raise self._paging_error("transfers in a page that has a next one", "an empty page")
        if not page.cursor:
            raise self._paging_error("a cursor for the next page", "none")
        if page.cursor in walk.asked:
            raise self._paging_error("a new cursor for the next page", "one that was used before")

    def _paging_error(self, expected: str, got: str) -> PagingError:
        return PagingError("a page of transfers", expected, got, self._report.pages)

    def _first_sync_progress(self, plan: Plan, page: Page) -> dict[str, Any]:
        """Say how far a first sync came, for the state that is written after the page."""
        if plan.kind not in ("first", "resumed") or not page.has_next_page:
            return {}
        before = self._state.first_sync or FirstSync(started_at=page.served_at)
        bounds = pc.min_max(page.rows["created_at"]).as_py()
        progress = replace(
            before,
            cursor=page.cursor,
            newest=max(filter(None, (before.newest, bounds["max"])), default=None),
            oldest=min(filter(None, (before.oldest, bounds["min"])), default=None),
            pages=before.pages + 1,
        )
        return {"first_sync": progress}

    # -- what is here -------------------------------------------------------------------------

    def _take(self, delivery: Delivery, **progress: Any) -> Upsert:
        """Take in what the source delivered; `progress` are changes of the state with it."""
        if not self._options.keep_answers:
            delivery = replace(delivery, bodies=None)
        state = replace(self._state, **progress)
        found = self._store.take(delivery, state, source=self._source.name, run=self._run)
        self._state = state
        return found

    def _update(self, **changes: Any) -> None:
        self._state = replace(self._state, **changes)
        self._store.write_state(self._state)

    def _note(self, **facts: Any) -> None:
        assert self._run is not None
        self._store.note_run(self._run, **facts)

    def _remove(self, ids: list[str], rows: int) -> None:
        if not ids:
            return
        if is_mass_removal(len(ids), rows) and not self._options.accept_removals:
            raise RemovalsRefused(ids, rows)
        self._store.mark_removed(ids, self._now, source=self._source.name, run=self._run)
        self._report.removed.extend(ids)

    def _is_spent(self, requests: int, started: float) -> bool:
        options = self._options
        minutes = (self._timer() - started) / 60
        return (options.max_requests is not None and requests >= options.max_requests) or (
            options.max_minutes is not None and minutes >= options.max_minutes
        )

    def _count(self, upsert: Upsert) -> None:
        self._report.added += upsert.added
        self._report.updated += upsert.updated
        self._report.moved.extend(upsert.moved)
        for id_ in upsert.stale:
            self._source.drift.note("updatedAt: older than known, passed over", id_)
        self._report.changed.extend(upsert.changes)

    def _tell(self, stage: str, read: int, expected: int | None, cost: Cost | None = None) -> None:
        if self._on_progress is not None:
            requests = self._source.requests - self._first_request
            self._on_progress(Progress(stage, read, expected, requests, cost))


def wanted_details(store: Store, which: str, *, now: datetime, recent: timedelta) -> list[str]:
    """List the transfers of a store whose details are to be fetched, newest first."""
    return details_wanted(which, store.wanted(), now=now, recent=recent)


def _descending(rows: pa.Table) -> Any:
    moments = rows["created_at"].drop_null()
    return moments.take(pc.sort_indices(moments, sort_keys=[("", "descending")]))


def _earlier(history_since: datetime | None, plan: Plan) -> datetime | None:
    """Tell where the history begins after a plan was read."""
    if plan.kind in ("first", "resumed") or history_since is None:
        return history_since
    return None if plan.window.since is None else min(history_since, plan.window.since)
