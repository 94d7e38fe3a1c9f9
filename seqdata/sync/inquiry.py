"""Asking for transfers by their ids: what a list lacked, what is old and open, and details."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import takewhile

from seqdata.core.logs import logger
from seqdata.core.moments import moment_of
from seqdata.exceptions import GraphQLError, HTTPError, UnexpectedAnswer
from seqdata.sources.base import Source, TransferDetails, Window
from seqdata.store import Store
from seqdata.sync.absence import LAG, MOST_ASKED, MOST_SLIPS, MOST_UNANSWERED, contradicts
from seqdata.sync.clock import ServiceClock, at
from seqdata.sync.details import details_wanted
from seqdata.sync.intake import Intake
from seqdata.sync.options import SyncOptions

log = logger(__name__)


class Inquiry:
    """What one sync asks for by id.

    ``contradicted_by`` is the transfer that answered though a list lacked it: the list is wrong.
    """

    def __init__(
        self,
        source: Source,
        store: Store,
        intake: Intake,
        options: SyncOptions,
        clock: ServiceClock,
    ) -> None:
        self._source, self._store, self._intake = source, store, intake
        self._options, self._clock = options, clock
        self.contradicted_by: str | None = None

    # -- what was not shown -------------------------------------------------------------------

    def settle_absence(
        self, window: Window, shown: set[str], now: datetime, counted: int | None
    ) -> None:
        """Put in doubt what is here, in a window that was read whole, and was not shown.

        Some of it is asked for by its id. What answers contradicts the list, and then nothing that
        it lacked is in doubt for it; what the service does not know is gone: two operations agree.
        Not so what is newer than all that was shown: both may be of a time before it was made.
        Where the service counts more than would be left, it is asked a second time.
        """
        here = self._store.ids_since(window.since, window.until)
        lacked = [id_ for id_ in here if id_ not in shown]
        if not lacked:
            return
        asked = self._to_ask(lacked, now)
        gone = self._not_known(asked, window)
        if counted is not None and counted > self._store.count_transfers() - len(gone):
            gone = self._not_known(gone, window)
        if self.contradicted_by is not None:
            return
        if self._options.accept_removals and gone and gone == asked:
            gone = lacked
        else:
            newest = set(takewhile(lambda id_: id_ not in shown, here))
            newest -= set(self._store.ids_since(now + LAG))  # which say a time that is not yet
            gone = [id_ for id_ in gone if id_ not in newest]
        known = set(gone)
        self._store.doubt([id_ for id_ in lacked if id_ not in known], now)
        if gone:
            self._intake.remove(gone, now)

    def _to_ask(self, lacked: Sequence[str], now: datetime) -> list[str]:
        """Choose what is asked for by its id.

        What was made within LAG is not there yet for a database that lags, in any operation. Where
        the service showed older answers than before, all of it may lag: then only what a sync has
        missed a while ago.
        """
        young = set(self._store.ids_since(now - LAG, now + LAG))  # and not of another year
        chosen = [id_ for id_ in lacked if id_ not in young]
        if self._intake.is_lagging:
            before = set(self._store.doubted("transfers", before=now - LAG))
            chosen = [id_ for id_ in chosen if id_ in before]
        return chosen[:MOST_ASKED]

    def _not_known(self, ids: Sequence[str], window: Window) -> list[str]:
        """Ask for transfers that a list lacked; return those that the service does not know."""
        unknown: list[str] = []
        unanswered = 0
        for id_ in ids:
            found = self._ask(id_)
            if found is None:
                unanswered += 1
                if unanswered == MOST_UNANSWERED:
                    break
            elif id_ in found.missing:
                unknown.append(id_)
            elif contradicts(moment_of(found.rows[0].get("created_at")), window):
                log.warning("a list left out what the service has, so it proves nothing: %s", id_)
                self._source.drift.note("a list without a transfer that the service has", id_)
                self.contradicted_by = id_
                break
        return unknown

    # -- one by one ---------------------------------------------------------------------------

    def ask_one_by_one(self, ids: Sequence[str]) -> None:
        """Read the open transfers that are older than the window, each by its id.

        That one is not known says nothing: no list that should have it lacked it.
        """
        asked = [id_ for id_ in ids if (found := self._ask(id_)) and not found.missing]
        if asked:
            self._intake.note(asked=json.dumps(asked))

    def ask_about_older(self) -> int:
        """Ask for what was shown as of before; return of how many it is not known what they are.

        Either what is here is newer than a list that lags, or the list is new and its
        ``updatedAt`` wrong: another operation tells.
        """
        older, self._intake.older = list(self._intake.older), {}
        for id_ in older[:MOST_ASKED]:
            if self._ask(id_) is None:
                self._intake.older[id_] = None
        return len(self._intake.older) + len(older[MOST_ASKED:])

    def ask_about_slips(self) -> None:
        """Ask again for what changed without saying so: a slip of one answer goes no further."""
        slips, self._intake.slips = self._intake.slips, {}
        if len(slips) <= MOST_SLIPS:
            for id_ in slips:
                self._ask(id_, overrules=True)

    def _ask(self, id_: str, *, overrules: bool = False) -> TransferDetails | None:
        """Read a transfer by its id; None where no answer can be had that says anything."""
        try:
            found = self._source.fetch_details([id_])
        except (GraphQLError, HTTPError, UnexpectedAnswer) as error:
            if isinstance(error, HTTPError) and error.status not in (400, 404, 422):
                raise
            if isinstance(error, GraphQLError) and error.is_passing:
                raise
            log.warning("a transfer could not be asked for: id=%s error=%s", id_, error)
            return None
        self._take(found, overrules=overrules)
        return found

    def _take(self, found: TransferDetails, *, overrules: bool = False) -> None:
        moment = self._clock.moment(self._clock.heard(found.served_at))
        self._intake.take(at(found, moment), overrules=overrules)

    # -- details ------------------------------------------------------------------------------

    def fetch_details(self, now: datetime, timer: Callable[[], float]) -> None:
        """Fetch the details that are wanted, newest first, as far as the budget goes."""
        options, intake = self._options, self._intake
        if options.details is None:
            return
        known = self._store.wanted()
        wanted = details_wanted(options.details, known, now=now, recent=options.overlap)
        cost = options.cost(len(wanted))
        log.info("%s", cost)
        intake.tell("details", 0, cost.now, cost)
        started = timer()
        step = options.details_per_request
        batches = (wanted[start : start + step] for start in range(0, len(wanted), step))
        for requests, ids in enumerate(batches):
            if options.is_spent(requests, timer() - started):
                break
            self._take(self._source.fetch_details(ids))
            intake.report.details += len(ids)
            intake.tell("details", intake.report.details, cost.now)
        intake.report.details_missing = len(wanted) - intake.report.details
        self.ask_about_slips()
