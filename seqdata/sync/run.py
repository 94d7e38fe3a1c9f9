"""One sync: decide what to read, read its pages, and say what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from seqdata.core.logs import logger
from seqdata.core.moments import moment_of
from seqdata.exceptions import UnexpectedAnswer
from seqdata.sources.base import Page, Snapshot, Source, Window
from seqdata.store import Store, Unfinished
from seqdata.sync.certificate import certify
from seqdata.sync.clock import ServiceClock, at
from seqdata.sync.inquiry import Inquiry
from seqdata.sync.intake import Intake
from seqdata.sync.options import SyncOptions
from seqdata.sync.plan import OpenTransfer, Plan, decide, recent, widen
from seqdata.sync.report import OnProgress, SyncReport
from seqdata.sync.walk import Walk

log = logger(__name__)

#: A service that refused to count is asked again after this long.
ASK_AGAIN = timedelta(days=7)


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
    ServiceError, UnexpectedAnswer
        The service could not be asked, or was not understood. What was read is kept.
    """
    started = timer()
    with store.lock(wait):
        report = _Run(source, store, options or SyncOptions(), on_progress, timer).to_the_end()
    report.seconds = timer() - started
    log.info(
        "synced: kind=%s pages=%d requests=%d added=%d updated=%d removed=%d in_doubt=%d rows=%d "
        "expected=%s",
        report.kind, report.pages, report.requests, report.added, report.updated,
        len(report.removed), len(report.in_doubt), report.rows, report.expected_rows,
    )  # fmt: skip
    return report


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
        self._timer = timer
        self._clock = ServiceClock(timer)
        self._intake = Intake(source, store, options, on_progress)
        self._report = self._intake.report
        self._inquiry = Inquiry(source, store, self._intake, options, self._clock)
        self._shown, self._to_show = 0, 0
        self._begun: Unfinished | None = None
        self._expected: int | None = None
        self._size: int | None = None

    def to_the_end(self) -> SyncReport:
        self._rows_before = self._store.count_transfers()
        self._had_rows = self._store.newest_created_at() is not None
        self._fetch_accounts()
        plan = self._plan()
        self._report.kind, self._report.window = plan.kind, plan.window
        last = self._read(plan)
        if self._has_to_recount(plan):
            log.warning("the count differs from what is here: everything is read again")
            plan = last = Plan("full", Window(self._intake.state.history_since))
            self._report.kind, self._report.window = plan.kind, plan.window
            self._intake.update(recounts=self._intake.state.recounts + 1)
            self._read(plan)
        self._inquiry.ask_one_by_one(last.one_by_one)
        self._inquiry.ask_about_slips()
        self._older = self._inquiry.ask_about_older()
        self._finish(plan)
        self._inquiry.fetch_details(self._now, self._timer)
        return self._completed()

    # -- accounts and the clock ---------------------------------------------------------------

    def _fetch_accounts(self) -> None:
        """Fetch the accounts; they are taken in with the first page, when two answers agree."""
        self._held: Snapshot | None = self._source.fetch_accounts()
        if not self._held.accounts and self._store.account_ids():
            raise UnexpectedAnswer("the list of accounts", "the accounts known so far", "none")
        self._voice = self._clock.heard(self._held.served_at)
        self._now = self._held.served_at

    def _take_accounts(self) -> None:
        if self._held is None:
            return
        moment = self._clock.moment(self._voice)
        snapshot, self._held = at(self._held, moment), None
        self._now = self._report.synced_at = moment
        self._intake.begin(moment)
        self._intake.take(snapshot)
        self._report.accounts = len(snapshot.accounts)
        self._report.balances = len(snapshot.balances)
        self._report.accounts_in_doubt = self._store.doubted("accounts")

    # -- what to read -------------------------------------------------------------------------

    def _plan(self) -> Plan:
        options, state = self._options, self._intake.state
        plan = decide(
            state,
            overlap=options.overlap,
            rescan=options.rescan,
            now=self._now,
            full=options.full,
            since=options.since,
            doubted_since=self._store.doubted_since(),
        )
        if plan.kind == "first":
            self._intake.update(history_since=plan.window.since, unfinished=None)
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

    def _has_to_recount(self, plan: Plan) -> bool:
        """Tell whether everything is read again: the count differed last time, and does still."""
        state = self._intake.state
        is_known = state.differs and state.can_recount and state.history_since is None
        return plan.kind == "recent" and is_known and (self._differs() or self._agrees_by_chance())

    def _differs(self) -> bool:
        """Tell whether what is here cannot be what the service counts."""
        return self._expected is not None and not self._store.counts().can_be(self._expected)

    def _agrees_by_chance(self) -> bool:
        """Tell whether the count agrees though what it said is missing has not come.

        Something has vanished from the service then, which a reading of a window cannot see.
        """
        state, store = self._intake.state, self._store
        missing = (state.service_count or 0) - self._rows_before
        since = store.count_transfers() + len(self._report.removed) - self._rows_before
        came = since - len(store.ids_since(state.last_sync_at))
        return came < missing

    # -- reading ------------------------------------------------------------------------------

    def _read(self, plan: Plan) -> Plan:
        """Read a plan's window, and what it cannot have seen; return the plan read last."""
        begun = self._begun = self._intake.state.unfinished if plan.cursor else None
        self._shown = begun.rows if begun else 0
        self._to_show = len(self._store.ids_since(plan.window.since))
        below = begun.oldest if begun else None
        walk = Walk(self._source, plan.window, cursor=plan.cursor, size=self._size, oldest=below)
        try:
            for page in walk.pages(with_count=self._asks_count(plan)):
                self._take_page(plan, page)
            if plan.is_whole and self._expected is None and walk.count > 1:
                self._take_page(plan, walk.first_again())  # what nothing counts may have shifted
        finally:
            self._size = walk.size
            self._take_accounts()
        if begun is None:
            self._intake.note(kind=plan.kind, since=plan.window.since, read_at=self._now)
        if self._had_rows:
            window = Window(plan.window.since, below)
            self._inquiry.settle_absence(window, walk.seen, self._now, self._expected)
        if begun is None:
            return plan
        newest = self._store.newest_created_at()
        meanwhile = recent(newest, overlap=self._options.overlap, now=self._now)
        return replace(self._read(self._reaching_open(meanwhile)), kind=plan.kind)

    def _asks_count(self, plan: Plan) -> bool:
        refused_at = self._intake.state.count_refused_at
        return plan.is_whole or refused_at is None or self._now - refused_at > ASK_AGAIN

    def _take_page(self, plan: Plan, page: Page) -> None:
        voice = self._clock.heard(page.served_at)
        if self._held is not None and self._clock.is_torn:
            self._held = self._source.fetch_accounts()
            self._voice = self._clock.heard(self._held.served_at)
        self._take_accounts()
        page = at(page, self._clock.moment(voice))
        self._intake.take(page, **self._progress(plan, page))
        self._shown += len(page.rows)
        self._report.pages += 1
        self._report.synced_at = page.served_at
        if page.count is not None or page.count_refused:
            self._expected = page.count
            self._intake.update(count_refused_at=self._now if page.count_refused else None)
        to_show = self._expected if plan.is_whole else max(self._shown, self._to_show)
        self._intake.tell("transfers", self._shown, to_show)

    def _progress(self, plan: Plan, page: Page) -> dict[str, Any]:
        """Say how far a reading of everything came, for the state that is written with a page."""
        if not plan.is_whole or not page.has_next_page:
            return {}
        kind = "full" if plan.kind == "full" else "first"
        begun = self._begun or Unfinished(kind, plan.window.since, started_at=page.served_at)
        newest, oldest = (moment_of(find(page.moments, default=None)) for find in (max, min))
        self._begun = replace(
            begun,
            cursor=page.cursor,
            newest=max(filter(None, (begun.newest, newest)), default=None),
            oldest=min(filter(None, (begun.oldest, oldest)), default=None),
            pages=begun.pages + 1,
            rows=begun.rows + len(page.rows),
        )
        return {"unfinished": self._begun}

    # -- the end ------------------------------------------------------------------------------

    def _finish(self, plan: Plan) -> None:
        before, differs = self._intake.state, self._differs()
        by = self._inquiry.contradicted_by
        state = replace(
            before,
            last_sync_at=self._report.synced_at,
            finished_at=datetime.now(UTC),
            service_count=self._expected,
            history_since=_earlier(before.history_since, plan),
            differs=differs,
            recounts=before.recounts if differs else 0,
            contradicted=(
                0 if by is None else 1 + before.contradicted * (by == before.contradicted_by)
            ),
            contradicted_by=by,
            read_again_since=plan.window.since,
            older=self._older,
        )
        if plan.is_whole:
            begun = before.unfinished if plan.cursor else None
            state = replace(state, unfinished=None)
            if not state.is_contradicted or plan.kind != "full":
                read_at = (begun.started_at if begun else None) or self._report.synced_at
                state = replace(state, last_full_at=read_at)
        lacks = differs and (self._expected or 0) > self._store.count_transfers()
        meets = not state.is_contradicted and not (lacks and before.can_recount)
        if meets or before.newest_created_at is None:
            state = replace(state, newest_created_at=self._store.newest_created_at())
        self._intake.update(**vars(state))
        self._intake.note(ended_at=self._report.synced_at)

    def _completed(self) -> SyncReport:
        report, state = self._report, self._intake.state
        known, drift = state.reported, self._source.drift
        # A new value is news once; a field that is missing or unreadable is trouble every time.
        report.unknown_values = {
            what: n for what, n in drift.seen.items() if what not in known or "=" not in what
        }
        report.unknown_in = {what: drift.where[what] for what in report.unknown_values}
        if report.unknown_values:
            self._intake.update(reported=dict(sorted({**drift.where, **known}.items())))
        report.in_doubt = self._store.doubted("transfers")
        report.certificate = certify(state, report.organization_id, self._store.counts())
        report.requests = self._intake.requests
        report.page_size = self._size
        return report


def _earlier(history_since: datetime | None, plan: Plan) -> datetime | None:
    """Tell where the history begins after a plan was read."""
    if plan.kind in ("first", "resumed") or history_since is None:
        return history_since
    return None if plan.window.since is None else min(history_since, plan.window.since)
