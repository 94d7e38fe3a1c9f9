"""The one object a notebook holds."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from seqdata.analysis.filters import (
    Moment,
    Words,
    filter_balances,
    filter_transfers,
    find_account,
)
from seqdata.auth import access_token_for
from seqdata.auth.tokens import AuthTokens, TokenStore
from seqdata.config import CACHE_MARKER, get_settings
from seqdata.config.settings import Settings
from seqdata.core.arrow import pc
from seqdata.core.files import make_private_folder, write_bytes
from seqdata.core.logs import logger
from seqdata.core.moments import parse_moment
from seqdata.core.text import printable
from seqdata.exceptions import (
    CacheMissing,
    ForeignCache,
    InvalidAmount,
    InvalidFilter,
    SequenceError,
    UnknownAccount,
    UnknownOrganization,
    UnknownTransfer,
)
from seqdata.export import check_file_type, write_table
from seqdata.ledger.analyses import Analyses
from seqdata.ledger.progress import progress_bar
from seqdata.ledger.query import ask, plain_filters, table_of
from seqdata.ledger.words import freshness_words, transfers_words
from seqdata.safeguards import AuditLog
from seqdata.safeguards.reconcile import Reconciliation, reconcile
from seqdata.sources.webapp.client import SequenceClient
from seqdata.sources.webapp.source import AnswerReader, GraphQLSource, fetch_organization_ids
from seqdata.store import Store, accounts_frame, balances_frame, transfers_frame
from seqdata.store.frames import frame
from seqdata.store.state import read_state
from seqdata.sync import (
    Certificate,
    Cost,
    SyncOptions,
    SyncReport,
    add_statement,
    certify,
    combine,
    combine_certificates,
    count_open,
    rebuild,
    sync,
    wanted_details,
)
from seqdata.types import is_reversal, state_of

if TYPE_CHECKING:
    from seqdata.ledger.plots import LedgerPlots
    from seqdata.ledger.share_safe import ShareSafeLedger
    from seqdata.safeguards import TransferDesk
    from seqdata.sandbox import Sandbox
    from seqdata.widgets import ActivityExplorer, TransferPanel

log = logger(__name__)

#: The largest balance that is believed, in cents: beyond it somebody mistyped.
_LARGEST_BALANCE = 10**15

#: Stands for all organizations of a login.
ALL = "all"

#: Columns of a transfer that the audit log is compared with.
_RECONCILED = [
    "id", "created_at", "amount_cents", "source_id", "source_name", "destination_id",
    "destination_name", "activity_type", "removed_at",
]  # fmt: skip


class Ledger(Analyses):
    """Everything that is known about one organization, and the way to know more.

    Open it with :meth:`open` (your account, as the environment says) or :meth:`demo` (a
    sandbox of its own). Reading needs no network; :meth:`sync` brings it up to date.

    Parameters
    ----------
    settings
        Where the data is and which server it is of.
    organization_id
        By default the configured one, else the only one there is. :data:`ALL` holds all
        organizations of the login side by side.
    """

    def __init__(self, settings: Settings, organization_id: str | None = None) -> None:
        self._settings = settings
        self._chosen = organization_id or settings.org_id or _only_cached(settings)
        self._closing = ExitStack()
        self._desk: TransferDesk | None = None
        #: The sandbox behind a demo; None for a ledger of your own account.
        self.sandbox: Sandbox | None = None

    @classmethod
    def open(cls, organization_id: str | None = None) -> Ledger:
        """Open the ledger of the configured account; nothing is asked or written yet.

        Raises
        ------
        InvalidSetting
            A SEQUENCE_ variable has a value that cannot be used.
        """
        return cls(get_settings(), organization_id)

    @classmethod
    def demo(
        cls,
        *,
        seed: int = 7,
        months: int = 24,
        now: Moment | None = None,
        folder: Path | None = None,
        sandbox: Sandbox | None = None,
    ) -> Ledger:
        """Start a sandbox and open its ledger: no account, no settings, nothing of yours.

        Its data folder is a temporary one, unless `folder` says otherwise; it never is the
        user's. Close the ledger (or leave its ``with`` block) to stop the sandbox.

        Parameters
        ----------
        seed, months, now
            Of the sandbox's household: the same ones make the same world.
        sandbox
            One that runs already, which stays running; then the three above do not count.

        Raises
        ------
        MissingExtra
            The sandbox's libraries are not installed.
        """
        from seqdata.sandbox import Sandbox

        closing = ExitStack()
        with closing:
            data_dir = folder or Path(
                closing.enter_context(tempfile.TemporaryDirectory(prefix="seqdata-demo-"))
            )
            box = sandbox or closing.enter_context(Sandbox(seed=seed, months=months, now=now))
            settings = demo_settings(box, data_dir)
            TokenStore(settings).write(
                AuthTokens(box.access_token, box.refresh_token, 0.0), client_id=box.client_id
            )
            ledger = cls(settings, box.organization_id)
            ledger.sandbox = box
            ledger._closing = closing.pop_all()
        return ledger

    def close(self) -> None:
        """Stop the sandbox of a demo and remove its temporary folder; else does nothing."""
        self._closing.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- bringing it up to date ---------------------------------------------------------------

    def sync(
        self,
        *,
        full: bool = False,
        since: Moment | None = None,
        details: str | None = None,
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
            Believe that more than 25 transfers and 10 % of the window vanished.
        wait
            Seconds to wait for another process that syncs this cache; 0 refuses at once.
        progress
            Show a bar with the time left (in a terminal or a notebook).

        Raises
        ------
        CacheLocked, PagingError, RemovalsRefused, ServiceError, UnexpectedAnswer
            See :func:`seqdata.sync.sync`. What was read before is kept.
        """
        options = self._options(
            full=full,
            since=None if since is None else parse_moment(since, self._settings.zone),
            details=details,
            max_requests=max_requests,
            max_minutes=max_minutes,
            details_per_request=details_per_request,
            accept_removals=accept_removals,
        )
        self._mark_cache()
        with self._client() as client, progress_bar(enabled=progress) as on_progress:
            reports = [
                sync(
                    GraphQLSource(client, organization_id),
                    self._store_of(organization_id),
                    options,
                    wait=wait,
                    on_progress=on_progress,
                )
                for organization_id in self._ids_to_sync(client)
            ]
        self._follow_sent()
        return combine(reports)

    def _follow_sent(self) -> None:
        """Say which transfers of the desk failed at the service after it had accepted them."""
        if not (self._settings.data_dir / ".audit.jsonl").exists():
            return
        desk = self._own_desk()
        try:
            found = desk.compare(self._rows_of(desk.watched_ids()))
        except SequenceError as error:  # what was synced is on the disk
            log.warning("the transfers that were sent could not be looked at: %s", error)
            return
        for settlement in found:
            log.warning("accepted, and then failed at the service: %s", settlement.sentence)

    def sent(self) -> dict[str, list[str]]:
        """Say what the transfers that the desk sent wait for, each in a sentence.

        Returns
        -------
        dict of list of str
            ``unknown``: whose outcome is not known. ``on_their_way``: accepted in the last ten
            days, and not arrived as of the last sync. ``returned``: accepted in the last ten
            days, and then failed at the service.

        Raises
        ------
        AuditChainBroken
            The audit log was changed by something else, so it cannot be said.
        """
        desk = self._own_desk()
        ids = desk.watched_ids()
        return {
            "unknown": [printable(str(one)) for one in desk.open_intents()],
            "on_their_way": [printable(one.what) for one in desk.underway(self._rows_of(ids))],
            "returned": [str(one) for one in desk.returned()],
        }

    def _rows_of(self, transfer_ids: list[str]) -> list[dict[str, Any]]:
        """Read transfers by id from the tables: id, status, error_reason, and what it means."""
        if not transfer_ids or not self._cached_stores():
            return []
        names = ["id", "status", "error_reason"]
        table = self._joined(lambda store: store.read_transfers(columns=names))
        table = table.filter(pc.is_in(table["id"], pa.array(transfer_ids)))
        legs = self._joined(lambda store: store.read_legs(transfer_ids)).to_pylist()
        reversed_ids = {leg["id"] for leg in legs if is_reversal(leg)}
        return [
            {**row, "state": "failed" if row["id"] in reversed_ids else state_of(row["status"])}
            for row in table.to_pylist()
        ]

    def details_cost(self, which: str = "all", *, details_per_request: int = 1) -> Cost:
        """Estimate what fetching details costs, in requests and minutes; asks nothing."""
        options = self._options(details=which, details_per_request=details_per_request)
        now = datetime.now(UTC)
        wanted = sum(
            len(wanted_details(store, which, now=now, recent=options.overlap))
            for store in self._stores
        )
        return options.cost(wanted)

    def rebuild(self, *, wait: float = 0.0) -> int:
        """Make all tables again from the archive, without the network; return the transfers.

        Raises
        ------
        ArchiveIncomplete, CorruptFile
            The archive does not hold everything. The tables are unchanged.
        """
        return sum(
            rebuild(AnswerReader(store.organization_id), store, wait=wait).rows
            for store in self._stores
        )

    def certificate(self) -> Certificate:
        """Say whether everything that the service has is here, and what is not known."""
        return combine_certificates([self._certificate(store) for store in self._stores])

    def certificates(self) -> list[dict[str, Any]]:
        """Return the certificate of each organization that is here, as JSON values."""
        ids = _cached(self._settings) if self._chosen in (None, ALL) else [str(self._chosen)]
        stores = [store for store in map(self._store_of, ids) if store.exists]
        return [
            {
                **self._certificate(store).to_json(),
                "folder": str(store.folder),
                "bytes": store.size(),
            }
            for store in stores
        ]

    # -- moving money -------------------------------------------------------------------------

    @property
    def desk(self) -> TransferDesk:
        """The transfer desk of this organization: stage, review, confirm.

        When it is first asked for it warns of transfers whose outcome is not known, or that
        failed at the service after it had accepted them.

        Raises
        ------
        AuditChainBroken
            The audit log was changed by something else, so what is open is not known.
        """
        if self._desk is None:
            desk = self._own_desk()
            desk.warn()
            self._desk = desk
            self._closing.callback(desk.close)
        return self._desk

    def _own_desk(self) -> TransferDesk:
        from seqdata.safeguards import TransferDesk

        return TransferDesk(self._settings, None if self._chosen == ALL else self._chosen)

    def transfer_panel(self, *, title: str = "Move money") -> TransferPanel:
        """Return a panel for a notebook that moves money, past all checks of the desk only.

        It is closed with the ledger.

        Raises
        ------
        AuditChainBroken
            As for :attr:`desk`.
        """
        from seqdata.widgets import TransferPanel

        panel = TransferPanel(self.desk, title=title)
        self._closing.callback(panel.close)
        return panel

    def explorer(self) -> ActivityExplorer:
        """Return an explorer for a notebook: filters, totals, and all transfers to scroll."""
        from seqdata.widgets import ActivityExplorer

        return ActivityExplorer(self)

    # -- to look at and to show around --------------------------------------------------------

    @property
    def plot(self) -> LedgerPlots:
        """The charts: ``ledger.plot.balances()``, ``.spending()`` and so on."""
        from seqdata.ledger.plots import LedgerPlots

        return LedgerPlots(self)

    def share_safe(self) -> ShareSafeLedger:
        """Return this ledger with names, notes, ids and amounts disguised, to show around.

        The same name is always replaced by the same one, and all amounts are multiplied by one
        secret whole number: shapes, ratios and sums stay exact. A disguise for a picture, and no
        anonymity; see :class:`seqdata.ledger.share_safe.ShareSafeLedger`.
        """
        from seqdata.ledger.share_safe import ShareSafeLedger

        return ShareSafeLedger(self)

    # -- by hand ------------------------------------------------------------------------------

    def annotate(
        self, transfer_id: str, *, category: str | None = None, note: str | None = None
    ) -> None:
        """Note a category or a note of your own about a transfer; no sync touches it.

        What is None stays as it is; "" removes it.

        Raises
        ------
        UnknownTransfer
            No such transfer here.
        """
        for store in self._stores:
            ids = store.read_transfers(columns=["id"], include_removed=True)["id"]
            if pc.index(ids, transfer_id).as_py() >= 0:
                store.annotate(transfer_id, category=category, note=note)
                return
        raise UnknownTransfer(transfer_id)

    def add_balance(self, account: str, as_of: Moment, cents: int) -> None:
        """Note a balance from a statement, or of a manual account, in whole cents.

        Parameters
        ----------
        account
            Id or name.
        as_of
            When the balance was so; a date is its first instant in the reporting zone.

        Raises
        ------
        UnknownAccount, InvalidMoment, InvalidAmount
            An argument cannot be used.
        """
        if type(cents) is not int or abs(cents) > _LARGEST_BALANCE:
            raise InvalidAmount(cents)
        moment = parse_moment(as_of, self._settings.zone)
        known_until = self.certificate().last_sync_at
        if moment > max(filter(None, (known_until, datetime.now(UTC)))):
            raise InvalidFilter("as_of", str(as_of), ["a moment that has been"])
        known = self._accounts
        ids = find_account(account, known[["id", "name"]])
        if len(ids) > 1:
            raise UnknownAccount(account, ids, ambiguous=True)
        owner = known.loc[known["id"] == ids[0], "organization_id"].iloc[0]
        store = self._store_of(str(owner))
        add_statement(store, ids[0], moment, cents)

    # -- tables -------------------------------------------------------------------------------

    @property
    def organization_id(self) -> str:
        """Id of the organization; "all" for all of them.

        Raises
        ------
        CacheMissing
            It is neither configured nor known from a sync.
        """
        if self._chosen is None:
            raise self._nothing_chosen()
        return self._chosen

    @property
    def complete_since(self) -> datetime | None:
        """From when on all transfers are here; None: from the first one on.

        Of a first sync that did not finish, from the oldest transfer it read.
        """
        starts = [_complete_since(store) for store in self._stores]
        return max(filter(None, starts), default=None)

    @property
    def categories_path(self) -> Path:
        """The file of your own rules for categories; it need not exist."""
        return self._settings.data_dir / "categories.toml"

    @property
    def folder(self) -> Path:
        """Folder of the Parquet tables (of all organizations: the cache folder)."""
        if self._chosen == ALL:
            return self._settings.cache_path
        return self._store_of(self.organization_id).folder

    @property
    def transfers(self) -> pd.DataFrame:
        """All transfers, newest first.

        Moments are tz-aware in the reporting zone; ``amount_cents`` is Int64, ``amount`` the
        same in float dollars, always positive (``direction`` carries the sign). What is
        missing is NA. What a person reads comes first, ids and bookkeeping last.
        """
        return self._transfers()

    def transfers_as_of(self, moment: Moment) -> pd.DataFrame:
        """All transfers as they were known at a moment, from the history."""
        at = parse_moment(moment, self._settings.zone)
        table = self._joined(lambda store: store.transfers_as_of(at)).select(_READING_ORDER)
        return self._marked(transfers_frame(_newest_first(table), self._zone), {"as_of": at})

    def history(self, transfer_id: str) -> pd.DataFrame:
        """All versions of a transfer, oldest first, with valid_from and valid_until.

        Raises
        ------
        UnknownTransfer
            No such transfer here.
        """
        table = self._joined(lambda store: store.history_of(transfer_id))
        if table.num_rows == 0:
            raise UnknownTransfer(transfer_id)
        return self._marked(transfers_frame(table, self._zone, include_removed=True))

    @property
    def details(self) -> pd.DataFrame:
        """What made the transfers: id, kind, rule_trigger_type, rule_trigger_cron, fetched_at."""
        return self._marked(self._read(Store.read_details))

    @property
    def legs(self) -> pd.DataFrame:
        """The payments of the transfers: id, leg, status, created_at, completed_at, expected_on."""
        return self._marked(self._read(Store.read_legs))

    @property
    def annotations(self) -> pd.DataFrame:
        """Categories and notes of your own: id, category, note, annotated_at."""
        return self._marked(self._read(Store.read_annotations))

    def transfers_where(
        self,
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        account: str | None = None,
        direction: Words | None = None,
        status: Words | None = None,
        text: str | None = None,
        include_removed: bool = False,
    ) -> pd.DataFrame:
        """Return the transfers that pass all filters that are given.

        The words are those of :func:`seqdata.analysis.filter_transfers`. `include_removed`
        adds those that vanished from the service, with ``removed_at``.
        """
        found = filter_transfers(
            self._transfers(include_removed=include_removed),
            since=since,
            until=until,
            account=account,
            direction=direction,
            status=status,
            text=text,
            accounts=self._accounts,
        )
        filters = {
            "since": since, "until": until, "account": account,
            "direction": direction, "status": status, "text": text,
        }  # fmt: skip
        return self._marked(found, filters)

    @property
    def pods(self) -> pd.DataFrame:
        """The open pods with their newest observed balance, by name."""
        accounts = self._read_accounts()
        pods = accounts[(accounts["kind"] == "pod") & accounts["closed_at"].isna()]
        wanted = ["name", "balance_cents", "balance", "as_of", "goal_cents", "goal", "id"]
        return self._marked(pods[wanted].reset_index(drop=True))

    @property
    def accounts(self) -> pd.DataFrame:
        """Pods, ports and outside accounts as last seen, with their newest observed balance.

        Closed ones stay, with ``closed_at``. A balance that the service does not know is NA.
        """
        return self._marked(self._read_accounts())

    @property
    def balances(self) -> pd.DataFrame:
        """Balances as observed by syncs, oldest first: account_id, as_of, cents and dollars."""
        return self._marked(self._read_balances())

    def balances_where(
        self,
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        account: str | None = None,
    ) -> pd.DataFrame:
        """Return the observed balances that pass all filters that are given."""
        found = filter_balances(
            self._read_balances(), self._accounts, since=since, until=until, account=account
        )
        return self._marked(found, {"since": since, "until": until, "account": account})

    # -- taking it elsewhere ------------------------------------------------------------------

    def export(
        self,
        path: str | Path,
        table: str = "transfers",
        *,
        raw_text: bool = False,
        **filters: Any,
    ) -> Path:
        """Write a table to a CSV or Parquet file, as the name of the file says.

        Parameters
        ----------
        path
            Ends in ``.csv`` or ``.parquet``.
        table
            Its name: one of :data:`TABLES`, such as "transfers", "balances", "accounts",
            "balance_history", "cash_flow", "spending" or "recurring".
        raw_text
            Leave text in CSV as it is. By default text that a spreadsheet would take for a
            formula gets an apostrophe, which :func:`seqdata.read_csv` takes off again.
        filters
            The words of the method that makes the table: `since`, `until` and `account` of most,
            `direction`, `status` and `text` of transfers, `by` of spending, `freq` of a history.

        Returns
        -------
        Path
            The file, whole, with rights for its owner only.

        Raises
        ------
        InvalidFilter
            No such table or file type, or a filter that the table does not have.
        """
        check_file_type(Path(path))
        return write_table(self.table(table, **filters), Path(path), raw_text=raw_text)

    def table(self, table: str = "transfers", **filters: Any) -> pd.DataFrame:
        """Return a table by its name, with the filters that it has; None filters nothing.

        Raises
        ------
        InvalidFilter
            No such table, or a filter that the table does not have.
        """
        return table_of(self, table, filters)

    def sql(self, query: str, **parameters: Any) -> pd.DataFrame:
        """Ask DuckDB: transfers, accounts, balances, details, legs, annotations, transfer_history.

        Parameters
        ----------
        query
            SQL; values go in as ``$name``.
        parameters
            The values.

        Raises
        ------
        MissingExtra
            DuckDB is not installed.
        InvalidQuery
            DuckDB does not understand the query, or it gives no rows back.
        """
        readers: dict[str, Callable[[Store], pa.Table]] = {
            "transfers": lambda store: store.read_transfers(),
            "accounts": Store.read_accounts,
            "balances": Store.read_balances,
            "details": Store.read_details,
            "legs": Store.read_legs,
            "transfer_history": Store.read_history,
            "annotations": Store.read_annotations,
        }
        tables = {name: self._joined(read) for name, read in readers.items()}
        return self._marked(ask(tables, query, parameters, self._zone))

    def reconcile_audit(self, *, since: Moment | None = None) -> Reconciliation:
        """Compare the audit log with the transfers here, both ways. Sync before.

        (Observed balances are compared with the transfers by :meth:`reconcile`.)

        Parameters
        ----------
        since
            From when on each one-time transfer should stand in the log; by default its first
            entry.

        Raises
        ------
        CacheMissing
            Nothing was synced yet.
        """
        rows = self._joined(
            lambda store: store.read_transfers(columns=_RECONCILED, include_removed=True)
        )
        audit = AuditLog(self._settings.data_dir / ".audit.jsonl")
        return reconcile(
            audit.transitions(),
            rows.to_pylist(),
            foreign=audit.foreign_entries(),
            since=None if since is None else parse_moment(since, self._settings.zone),
            synced_at=self.certificate().last_sync_at,
            organization_id=None if self._chosen == ALL else self._chosen,
        )

    # -- what it looks like -------------------------------------------------------------------

    def summary(self) -> dict[str, str]:
        """Say in a few lines what is here and how fresh it is: words to text."""
        stores = self._cached_stores()
        if not stores:
            several = _cached(self._settings)
            if self._chosen is None and several:
                listed = ", ".join(several)
                return {"transfers": f"of several organizations: choose {listed}, or {ALL}"}
            return {"transfers": "none yet: sync() brings them"}
        rows = self._joined(lambda store: store.read_transfers(columns=["created_at", "status"]))
        kinds = pd.Series(
            self._joined(Store.read_accounts)["kind"].to_pylist(), dtype="str"
        ).value_counts()
        names = {"pod": "pods", "port": "ports", "account": "outside accounts"}
        certificate = self.certificate()
        return {
            "transfers": transfers_words(transfers_frame(rows, self._zone)),
            "accounts": ", ".join(f"{kinds.get(kind, 0)} {name}" for kind, name in names.items()),
            "last sync": freshness_words(certificate, self._settings.zone),
            "coverage": str(certificate),
            "on disk": f"{sum(store.size() for store in stores) / 1e6:.1f} MB in {self.folder}",
        }

    def __repr__(self) -> str:
        lines = [f"  {name:<10} {printable(text)}" for name, text in self.summary().items()]
        return "\n".join([self._title(), *lines])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{escape(name)}</th>"
            f"<td style='text-align:left'>{escape(printable(text))}</td></tr>"
            for name, text in self.summary().items()
        )
        return f"<strong>{escape(self._title())}</strong><table>{rows}</table>"

    def _title(self) -> str:
        where = "the sandbox" if self.sandbox is not None else self._settings.app_url
        return f"Ledger of {self._chosen or 'no organization yet'} ({where})"

    # -- inside -------------------------------------------------------------------------------

    @property
    def _zone(self) -> str:
        return self._settings.timezone

    @property
    def _stores(self) -> list[Store]:
        stores = self._cached_stores()
        if not stores:
            raise CacheMissing(self.folder.resolve())
        return stores

    def _nothing_chosen(self) -> SequenceError:
        """Say why no organization is known: there are several here, none, or another server's."""
        cache = self._settings.cache_path.resolve()
        if several := _cached(self._settings):
            return UnknownOrganization(None, several)
        states = [read_state(path) for path in cache.glob("*/state.json")]
        if states and states[0] is not None:
            return ForeignCache(cache, states[0].app_url, self._settings.app_url)
        return CacheMissing(cache)

    def _cached_stores(self) -> list[Store]:
        """Return the stores of the chosen organizations that hold something."""
        if self._chosen is None:
            return []
        ids = _cached(self._settings) if self._chosen == ALL else [self._chosen]
        return [store for store in map(self._store_of, ids) if store.exists]

    def _joined(self, read: Callable[[Store], pa.Table]) -> pa.Table:
        """Read a table of each organization and put them together."""
        return pa.concat_tables([read(store) for store in self._stores])

    def _read(self, read: Callable[[Store], pa.Table]) -> pd.DataFrame:
        """Read a table of each organization as a frame. It is not marked: that counts rows."""
        return frame(self._joined(read), self._zone)

    def _read_balances(self) -> pd.DataFrame:
        table = self._joined(Store.read_balances)
        ordered = table.sort_by([("as_of", "ascending"), ("account_id", "ascending")])
        return balances_frame(ordered, self._zone)

    def _read_accounts(self) -> pd.DataFrame:
        """Read the accounts with the newest balance of each."""
        newest = self._read_balances().drop_duplicates("account_id", keep="last")
        balances = newest[["account_id", "balance_cents", "balance", "as_of"]]
        joined = self._accounts.merge(
            balances, left_on="id", right_on="account_id", how="left", validate="1:1"
        )
        ordered = joined.sort_values(["kind", "name", "id"], ignore_index=True)
        return ordered[list(_ACCOUNT_ORDER)]

    def _transfers(self, *, include_removed: bool = False) -> pd.DataFrame:
        columns = (*_READING_ORDER, "removed_at") if include_removed else _READING_ORDER
        stores = self._stores
        parts = [
            store.read_transfers(
                columns=columns, dictionaries=True, include_removed=include_removed
            )
            for store in stores
        ]
        table = _newest_first(pa.concat_tables(parts)) if len(parts) > 1 else parts[0]
        made = transfers_frame(table, self._zone, include_removed=include_removed)
        if include_removed:
            return self._marked(made)
        # The rows are here already: no need to count them on disk again.
        certificates = [
            certify(store.read_state(), store.organization_id, rows.num_rows, count_open(rows))
            for store, rows in zip(stores, parts, strict=True)
        ]
        return self._marked(made, certificate=combine_certificates(certificates))

    def _certificate(self, store: Store) -> Certificate:
        rows, waiting = store.count_transfers(), store.open_transfers().num_rows
        return certify(store.read_state(), store.organization_id, rows, waiting)

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
            keep_archive=settings.archive,
            seconds_per_request=settings.pace.min_delay + settings.pace.max_jitter / 2,
            **asked,
        )

    @property
    def _accounts(self) -> pd.DataFrame:
        return accounts_frame(self._joined(Store.read_accounts), self._zone)

    def _store_of(self, organization_id: str) -> Store:
        return Store.open(
            self._settings.cache_path, organization_id, app_url=self._settings.app_url
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

    def _marked(
        self,
        frame: pd.DataFrame,
        filters: dict[str, Any] | None = None,
        *,
        certificate: Certificate | None = None,
    ) -> pd.DataFrame:
        """Say in ``attrs["seqdata"]`` (JSON values only) what a frame was made from."""
        frame.attrs["seqdata"] = {
            **(certificate or self.certificate()).to_json(),
            "app_url": self._settings.app_url,
            "timezone": self._zone,
            "filters": plain_filters(filters or {}),
        }
        return frame


def demo_settings(box: Sandbox, data_dir: Path) -> Settings:
    """Build settings for a sandbox: a data folder of its own, and of the environment the browser.

    A SEQUENCE_CACHE_DIR of the user, for one, must not get the demo's tables.
    """
    defaults = {
        name: field.get_default(call_default_factory=True)
        for name, field in Settings.model_fields.items()
        if name != "browser"
    }
    values = {
        name.removeprefix("SEQUENCE_").lower(): value for name, value in box.environment().items()
    }
    return Settings.model_validate({**defaults, **values, "data_dir": data_dir})


_READING_ORDER = (
    "created_at", "amount_cents", "direction", "source_name", "destination_name", "status",
    "activity_type", "description", "error_reason", "updated_at", "type", "source_kind",
    "destination_kind", "id", "source_id", "destination_id", "organization_id", "first_seen_at",
    "last_seen_at",
)  # fmt: skip

_ACCOUNT_ORDER = (
    "kind", "name", "balance_cents", "balance", "as_of", "goal_cents", "goal", "type",
    "provider_type", "institution", "created_at", "closed_at", "id", "linked_account_id",
    "organization_id", "first_seen_at", "last_seen_at",
)  # fmt: skip


def _complete_since(store: Store) -> datetime | None:
    state = store.read_state()
    if state.last_full_at is not None or state.history_since is not None:
        return state.history_since
    oldest = pc.min(store.read_transfers(columns=["created_at"])["created_at"]).as_py()
    return None if oldest is None else pd.Timestamp(oldest).to_pydatetime()


def _only(organization_ids: list[str]) -> str:
    if len(organization_ids) != 1:
        raise UnknownOrganization(None, organization_ids)
    return organization_ids[0]


def _only_cached(settings: Settings) -> str | None:
    """Return the organization of the cache, where it holds just one of this server."""
    known = _cached(settings)
    return known[0] if len(known) == 1 else None


def _cached(settings: Settings) -> list[str]:
    """List the organizations of this server in the cache."""
    paths = sorted(settings.cache_path.glob("*/state.json"))
    states = [state for path in paths if (state := read_state(path)) is not None]
    return [state.organization_id for state in states if state.app_url == settings.app_url]


def _newest_first(table: pa.Table) -> pa.Table:
    return table.sort_by([("created_at", "descending"), ("id", "ascending")])
