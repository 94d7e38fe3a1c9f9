"""A ledger brought up to date, and what became of what its desk has sent."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Literal

from seqdata.auth import access_token_for
from seqdata.config import CACHE_MARKER
from seqdata.core.files import make_private_folder, write_bytes
from seqdata.core.logs import logger
from seqdata.core.moments import Moment
from seqdata.exceptions import (
    AuthenticationError,
    SequenceError,
    SyncsFailed,
    Unauthorized,
    UnknownOrganization,
)
from seqdata.ledger.progress import progress_bar
from seqdata.ledger.standing import ALL, Stored
from seqdata.sources.webapp.client import SequenceClient
from seqdata.sources.webapp.source import AnswerReader, GraphQLSource, fetch_organization_ids
from seqdata.sync import SyncOptions, SyncReport, sync
from seqdata.sync.details import details_wanted
from seqdata.sync.report import Cost, combine

log = logger(__name__)


class Syncing(Stored):
    """What asks the service, or reads its answers again; it loads no pandas."""

    def sync(
        self,
        *,
        full: bool = False,
        since: Moment | None = None,
        details: Literal["open", "new", "all"] | None = None,
        max_requests: int | None = None,
        max_minutes: float | None = None,
        details_per_request: int = 1,
        accept_removals: bool = False,
        wait: float = 0.0,
        progress: bool = True,
    ) -> SyncReport:
        """Bring the tables up to date with the service.

        The first sync reads all pages; a later one the window that can have changed
        (SEQUENCE_OVERLAP_DAYS before the newest known transfer) and each transfer that is
        still open. Everything is read again when that was SEQUENCE_RESCAN_DAYS ago. It can be
        interrupted at any moment and goes on the next time.

        Parameters
        ----------
        full
            Read all pages again.
        since
            Read from here on: the beginning of a first sync (what is older is then a known
            gap), or a window to read again.
        details
            Whose details (payment legs, rules) are fetched, a request each: "open" (not final,
            or young enough to be reversed), "new" (these, and what lacks them among the newest
            SEQUENCE_OVERLAP_DAYS) or "all" (these, and every one that lacks them).
            :meth:`details_cost` says what that costs.
        max_requests, max_minutes
            Budget of the details; the next sync goes on with the rest.
        details_per_request
            More than 1 asks for many details in one request, with GraphQL aliases. That is
            quicker, and unlike anything the web application sends.
        accept_removals
            Believe a reading that many transfers are gone: of those that it did not show, 25 are
            asked for by their ids; where none of these is known, all are marked as removed. Without
            it the others stay in doubt, and later syncs ask for 25 each.
        wait
            Seconds to wait for another process that syncs this cache; 0 refuses at once.
        progress
            Show a bar with the time left (in a terminal or a notebook).

        Raises
        ------
        CacheLocked, PagingError, ServiceError, UnexpectedAnswer
            See :func:`seqdata.sync.sync`. What was read before is kept.
        SyncsFailed
            Of several organizations some could not be synced; all were tried.

        Examples
        --------
        >>> ledger.sync(progress=False)
        """
        options = self._options(
            full=full,
            since=None if since is None else self._moment(since),
            details=details,
            max_requests=max_requests,
            max_minutes=max_minutes,
            details_per_request=details_per_request,
            accept_removals=accept_removals,
        )
        self._mark_cache()
        with self._client() as client, progress_bar(enabled=progress) as on_progress:
            ids = self._ids_to_sync(client)
            reports, failed = list[SyncReport](), list[tuple[str, SequenceError]]()
            for organization_id in ids:
                source = GraphQLSource(client, organization_id)
                store = self._store_of(organization_id)
                try:
                    reports.append(sync(source, store, options, wait=wait, on_progress=on_progress))
                except SequenceError as error:
                    if len(ids) == 1 or isinstance(error, AuthenticationError | Unauthorized):
                        raise  # without a login no other organization can be asked either
                    failed.append((organization_id, error))
        self._follow_sent()
        if failed:
            said = [(organization_id, str(error)) for organization_id, error in failed]
            worst = min(error.exit_code for _, error in failed)  # 1 is the worst
            raise SyncsFailed(said, reports, worst)
        made = combine(reports)
        for report in (made, *made.parts):
            report.timezone = self._settings.timezone
        return made

    def details_cost(
        self, which: Literal["open", "new", "all"] = "all", *, details_per_request: int = 1
    ) -> Cost:
        """Estimate what fetching details costs, in requests and minutes; asks nothing.

        Examples
        --------
        >>> ledger.details_cost("new")
        """
        options = self._options(details=which, details_per_request=details_per_request)
        now = datetime.now(UTC)
        wanted = sum(
            len(details_wanted(which, store.wanted(), now=now, recent=options.overlap))
            for store in self._stores
        )
        return options.cost(wanted)

    def rebuild(self, *, wait: float = 0.0) -> dict[str, int]:
        """Read all kept answers again, as this version understands them, without the network.

        Versions and their moments stay; what was read from each answer may differ. Where an
        answer was not kept, what was read then stays.

        Returns
        -------
        dict
            ``read``: versions read again; ``changed``: those that read otherwise than before;
            ``unread``: versions whose answer was not kept.

        Raises
        ------
        CacheLocked
            Another process is syncing.

        Examples
        --------
        >>> ledger.rebuild()
        """
        totals = Counter[str]()
        for store in self._stores:
            totals.update(store.rebuild(AnswerReader(store.organization_id), wait=wait))
        return {name: totals[name] for name in ("read", "changed", "unread")}

    def _follow_sent(self) -> None:
        """Say which transfers of the desk failed at the service after it had accepted them."""
        if not self._has_sent:
            return
        desk = self._own_desk()
        try:
            found = desk.compare(self._rows_of(desk.watched_ids()))
        except SequenceError as error:  # what was synced is on the disk
            log.warning("the transfers that were sent could not be looked at: %s", error)
            return
        for settlement in found:
            log.warning("accepted, and then failed at the service: %s", settlement.sentence)

    def _ids_to_sync(self, client: SequenceClient) -> list[str]:
        if self._chosen not in (None, ALL) and self._store_of(str(self._chosen)).exists:
            return [str(self._chosen)]
        known = fetch_organization_ids(client)
        if self._chosen == ALL:
            return known
        if self._chosen is None:
            self._chosen = _only(known)
        elif self._chosen not in known:  # before anything of it is written
            raise UnknownOrganization(self._chosen, known)
        return [self._chosen]

    def _options(self, **asked: Any) -> SyncOptions:
        settings = self._settings
        return SyncOptions(
            overlap=timedelta(days=settings.overlap_days),
            rescan=timedelta(days=settings.rescan_days),
            keep_answers=settings.archive,
            seconds_per_request=settings.pace.min_delay + settings.pace.max_jitter / 2,
            **asked,
        )

    def _client(self) -> SequenceClient:
        provider = partial(access_token_for, self._settings)
        return SequenceClient("", provider, settings=self._settings)

    def _mark_cache(self) -> None:
        """Mark the cache folder as ours, so that notebooks in sub-folders find it."""
        make_private_folder(self._settings.cache_path)
        marker = self._settings.cache_path / CACHE_MARKER
        if not marker.exists():
            write_bytes(marker, b"Synced data of seqdata stands in this folder.\n")


def _only(organization_ids: list[str]) -> str:
    if len(organization_ids) != 1:
        raise UnknownOrganization(None, organization_ids)
    return organization_ids[0]
