"""The one object a notebook holds."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from seqdata._settings import Settings
from seqdata.analysis.filters import Moment, Words, filter_balances, filter_transfers
from seqdata.auth import access_token_for
from seqdata.auth.tokens import AuthTokens, TokenStore
from seqdata.client import SequenceClient
from seqdata.config import CACHE_MARKER, get_settings
from seqdata.exceptions import CacheMissing, InvalidFilter, MissingExtra, UnknownOrganization
from seqdata.export import write_csv, write_parquet
from seqdata.files import make_private_folder, write_bytes
from seqdata.source import GraphQLSource, fetch_organization_ids
from seqdata.store import (
    State,
    Store,
    accounts_frame,
    balances_frame,
    query_frame,
    transfers_frame,
)
from seqdata.sync import Progress, SyncReport, sync
from seqdata.types import is_final

if TYPE_CHECKING:
    from seqdata.sandbox import Sandbox

#: What can be exported, in one file each.
TABLES = ("transfers", "balances", "accounts")


class Ledger:
    """Everything that is known about one organization, and the way to know more.

    Open it with :meth:`open` (your account, as the environment says) or :meth:`demo` (a
    sandbox of its own). Reading needs no network; :meth:`sync` brings it up to date.

    Parameters
    ----------
    settings
        Where the data is and which server it is of.
    organization_id
        By default the configured one, else the only one there is.
    """

    def __init__(self, settings: Settings, organization_id: str | None = None) -> None:
        self._settings = settings
        self._organization_id = organization_id or settings.org_id or _only_cached(settings)
        self._closing = ExitStack()
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

    def sync(self, *, full: bool = False, wait: float = 0.0, progress: bool = True) -> SyncReport:
        """Bring the tables up to date with the service.

        The first sync reads all pages; a later one the window that can have changed
        (SEQUENCE_OVERLAP_DAYS before the newest known transfer) and each transfer that is
        still open. It can be interrupted at any moment and goes on the next time.

        Parameters
        ----------
        full
            Read all pages again.
        wait
            Seconds to wait for another process that syncs this cache; 0 refuses at once.
        progress
            Show a bar with the time left (in a terminal or a notebook).

        Raises
        ------
        CacheLocked, PagingError, ServiceError, UnexpectedAnswer, AuthenticationError
            See :func:`seqdata.sync.sync`. What was read before is kept.
        """
        with self._client() as client:
            organization_id = self._organization_id or _only(fetch_organization_ids(client))
            store = self._store_of(organization_id)
            self._mark_cache()
            source = GraphQLSource(client, organization_id)
            with _bar(enabled=progress) as on_progress:
                report = sync(
                    source,
                    store,
                    overlap=timedelta(days=self._settings.overlap_days),
                    full=full,
                    wait=wait,
                    on_progress=on_progress,
                )
        self._organization_id = organization_id
        return report

    # -- tables -------------------------------------------------------------------------------

    @property
    def organization_id(self) -> str:
        """Id of the organization.

        Raises
        ------
        CacheMissing
            It is neither configured nor known from a sync.
        """
        if self._organization_id is None:
            raise CacheMissing(self._settings.cache_path)
        return self._organization_id

    @property
    def folder(self) -> Path:
        """Folder of the Parquet tables."""
        return self._store_of(self.organization_id).folder

    @property
    def transfers(self) -> pd.DataFrame:
        """All transfers, newest first.

        Moments are tz-aware in the reporting zone; ``amount_cents`` is Int64, ``amount`` the
        same in float dollars, always positive (``direction`` carries the sign). What is
        missing is NA. What a person reads comes first, ids and bookkeeping last.
        """
        table = self._store.read_transfers(columns=_READING_ORDER, dictionaries=True)
        return self._marked(transfers_frame(table, self._zone))

    def transfers_where(
        self,
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        account: str | None = None,
        direction: Words | None = None,
        status: Words | None = None,
        text: str | None = None,
    ) -> pd.DataFrame:
        """Return the transfers that pass all filters that are given.

        The words are those of :func:`seqdata.analysis.filter_transfers`.
        """
        found = filter_transfers(
            self.transfers,
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
        accounts = self.accounts
        pods = accounts[(accounts["kind"] == "pod") & accounts["closed_at"].isna()]
        wanted = ["name", "balance_cents", "balance", "as_of", "goal_cents", "goal", "id"]
        return self._marked(pods[wanted].reset_index(drop=True))

    @property
    def accounts(self) -> pd.DataFrame:
        """Pods, ports and outside accounts as last seen, with their newest observed balance.

        Closed ones stay, with ``closed_at``. A balance that the service does not know is NA.
        """
        newest = self.balances.drop_duplicates("account_id", keep="last")
        balances = newest[["account_id", "balance_cents", "balance", "as_of"]]
        joined = self._accounts.merge(
            balances, left_on="id", right_on="account_id", how="left", validate="1:1"
        )
        ordered = joined.sort_values(["kind", "name", "id"], ignore_index=True)
        return self._marked(ordered[list(_ACCOUNT_ORDER)])

    @property
    def balances(self) -> pd.DataFrame:
        """Balances as observed by syncs, oldest first: account_id, as_of, cents and dollars."""
        return self._marked(balances_frame(self._store.read_balances(), self._zone))

    def balances_where(
        self,
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        account: str | None = None,
    ) -> pd.DataFrame:
        """Return the observed balances that pass all filters that are given."""
        found = filter_balances(
            self.balances, self._accounts, since=since, until=until, account=account
        )
        return self._marked(found, {"since": since, "until": until, "account": account})

    # -- taking it elsewhere ------------------------------------------------------------------

    def export(
        self,
        path: str | Path,
        table: str = "transfers",
        *,
        raw_text: bool = False,
        since: Moment | None = None,
        until: Moment | None = None,
        account: str | None = None,
        direction: Words | None = None,
        status: Words | None = None,
        text: str | None = None,
    ) -> Path:
        """Write a table to a CSV or Parquet file, as the name of the file says.

        Parameters
        ----------
        path
            Ends in ``.csv`` or ``.parquet``.
        table
            "transfers", "balances" or "accounts".
        raw_text
            Leave text in CSV as it is. By default text that a spreadsheet would take for a
            formula gets an apostrophe, which :func:`seqdata.read_csv` takes off again.
        since, until, account, direction, status, text
            The filters; direction, status and text are of transfers only.

        Returns
        -------
        Path
            The file, whole, with rights for its owner only.

        Raises
        ------
        InvalidFilter
            No such table or file type, or a filter that the table does not have.
        """
        path = Path(path)
        filters = {
            "since": since, "until": until, "account": account,
            "direction": direction, "status": status, "text": text,
        }  # fmt: skip
        given = {name: value for name, value in filters.items() if value is not None}
        if path.suffix not in (".csv", ".parquet"):
            raise InvalidFilter("path", str(path), ["*.csv", "*.parquet"])
        frame = self.table(table, **given)
        if path.suffix == ".csv":
            write_csv(frame, path, raw_text=raw_text)
        else:
            write_parquet(frame, path)
        return path

    def table(self, table: str = "transfers", **filters: Any) -> pd.DataFrame:
        """Return a table by its name, with the filters that it has.

        Raises
        ------
        InvalidFilter
            No such table, or a filter that the table does not have.
        """
        if table not in TABLES:
            raise InvalidFilter("table", table, TABLES)
        allowed = _FILTERS[table]
        if unknown := sorted(filters.keys() - allowed):
            raise InvalidFilter(unknown[0], filters[unknown[0]], [f"{table}: {', '.join(allowed)}"])
        if table == "transfers":
            return self.transfers_where(**filters)
        if table == "balances":
            return self.balances_where(**filters)
        return self.accounts

    def sql(self, query: str, **parameters: Any) -> pd.DataFrame:
        """Ask DuckDB: tables transfers, accounts, balances, details, legs, transfer_history.

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
        InvalidFilter
            The query gives no rows back.
        """
        try:
            import duckdb
        except ImportError:
            raise MissingExtra("Ledger.sql", "sql") from None
        store = self._store
        tables = {
            "transfers": store.read_transfers(),
            "accounts": store.read_accounts(),
            "balances": store.read_balances(),
            "details": store.read_details(),
            "legs": store.read_legs(),
            "transfer_history": store.read_history(),
        }
        with duckdb.connect() as connection:
            connection.execute(f"SET TimeZone = '{self._zone}'")
            for name, table in tables.items():
                connection.register(name, table)
            relation = connection.sql(query, params=parameters or None)
            if relation is None:
                raise InvalidFilter("query", query, ["a SELECT"])
            return self._marked(query_frame(relation.to_arrow_table()))

    # -- what it looks like -------------------------------------------------------------------

    def summary(self) -> dict[str, str]:
        """Say in a few lines what is here and how fresh it is: words to text."""
        if self._organization_id is None or not self._store_of(self._organization_id).exists:
            return {"transfers": "none yet: sync() brings them"}
        store, state = self._store, self._store.read_state()
        rows = store.read_transfers(columns=["created_at", "status"])
        kinds = pd.Series(store.read_accounts()["kind"].to_pylist(), dtype="str").value_counts()
        names = {"pod": "pods", "port": "ports", "account": "outside accounts"}
        return {
            "transfers": _transfers_words(transfers_frame(rows, self._zone)),
            "accounts": ", ".join(f"{kinds.get(kind, 0)} {name}" for kind, name in names.items()),
            "last sync": _freshness(state, self._now(), self._settings.zone),
            "complete": _completeness(state, rows.num_rows),
            "on disk": f"{store.size() / 1e6:.1f} MB in {store.folder}",
        }

    def __repr__(self) -> str:
        lines = [f"  {name:<10} {text}" for name, text in self.summary().items()]
        return "\n".join([self._title(), *lines])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{escape(name)}</th>"
            f"<td style='text-align:left'>{escape(text)}</td></tr>"
            for name, text in self.summary().items()
        )
        return f"<strong>{escape(self._title())}</strong><table>{rows}</table>"

    def _title(self) -> str:
        where = "the sandbox" if self.sandbox is not None else self._settings.app_url
        return f"Ledger of {self._organization_id or 'no organization yet'} ({where})"

    # -- inside -------------------------------------------------------------------------------

    @property
    def _zone(self) -> str:
        return self._settings.timezone

    @property
    def _store(self) -> Store:
        store = self._store_of(self.organization_id)
        if not store.exists:
            raise CacheMissing(store.folder)
        return store

    @property
    def _accounts(self) -> pd.DataFrame:
        return accounts_frame(self._store.read_accounts(), self._zone)

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

    def _now(self) -> datetime:
        return self.sandbox.now if self.sandbox is not None else datetime.now(UTC)

    def _marked(self, frame: pd.DataFrame, filters: dict[str, Any] | None = None) -> pd.DataFrame:
        """Say in ``attrs["seqdata"]`` (JSON values only) what a frame was made from."""
        state = self._store.read_state()
        given = {
            name: _plain(value) for name, value in (filters or {}).items() if value is not None
        }
        frame.attrs["seqdata"] = {
            "organization_id": self.organization_id,
            "app_url": self._settings.app_url,
            "timezone": self._zone,
            "last_sync_at": _plain(state.last_sync_at),
            "expected_rows": state.service_count,
            "filters": given,
        }
        return frame


def demo_settings(box: Sandbox, data_dir: Path) -> Settings:
    """Build settings for a sandbox: nothing of the environment, a data folder of its own."""
    values = {
        name.removeprefix("SEQUENCE_").lower(): value for name, value in box.environment().items()
    }
    return Settings.model_validate({**values, "data_dir": data_dir})


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

_FILTERS: dict[str, tuple[str, ...]] = {
    "transfers": ("since", "until", "account", "direction", "status", "text"),
    "balances": ("since", "until", "account"),
    "accounts": (),
}


def _only(organization_ids: list[str]) -> str:
    if len(organization_ids) != 1:
        raise UnknownOrganization(None, organization_ids)
    return organization_ids[0]


def _only_cached(settings: Settings) -> str | None:
    """Return the organization of the cache, where it holds just one of this server."""
    from seqdata.store.state import read_state

    states = [read_state(path) for path in settings.cache_path.glob("*/state.json")]
    known = [state for state in states if state is not None and state.app_url == settings.app_url]
    return known[0].organization_id if len(known) == 1 else None


@contextmanager
def _bar(*, enabled: bool) -> Iterator[Callable[[Progress], None] | None]:
    """Show a bar of transfers read, with the time left where the total is known."""
    if not enabled:
        yield None
        return
    from tqdm.auto import tqdm

    with tqdm(unit=" transfers", desc="Syncing", disable=None, leave=False) as bar:

        def show(progress: Progress) -> None:
            bar.total = progress.expected
            bar.update(progress.read - bar.n)

        yield show


def _transfers_words(rows: pd.DataFrame) -> str:
    if rows.empty:
        return "none"
    open_count = int((~rows["status"].map(is_final).astype(bool)).sum())
    span = f"{rows['created_at'].min():%Y-%m-%d} to {rows['created_at'].max():%Y-%m-%d}"
    return f"{len(rows):,} from {span}, {open_count} open"


def _freshness(state: State, now: datetime, zone: Any) -> str:
    if state.last_sync_at is None:
        return "not finished: sync() goes on where it stopped"
    moment = state.last_sync_at.astimezone(zone)
    return f"{moment:%Y-%m-%d %H:%M %Z} ({_ago(now - state.last_sync_at)})"


def _ago(span: timedelta) -> str:
    minutes = span.total_seconds() / 60
    if minutes < 1.5:
        return "just now"
    if minutes < 90:
        return f"{minutes:.0f} minutes ago"
    if minutes < 48 * 60:
        return f"{minutes / 60:.0f} hours ago"
    return f"{minutes / 1440:.0f} days ago"


def _completeness(state: State, rows: int) -> str:
    if state.last_full_at is None:
        return "no: the first sync is not finished"
    if state.service_count is None:
        return "not known: the service does not count transfers"
    yes = "yes" if rows == state.service_count else "NO"
    return f"{yes}: {rows:,} of {state.service_count:,}"


def _plain(value: Any) -> Any:
    if isinstance(value, date | datetime):
        return value.isoformat()
    return value if value is None or isinstance(value, str) else list(value)
