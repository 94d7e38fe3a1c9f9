"""The one object a notebook holds."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from seqdata.analysis.filters import find_account
from seqdata.analysis.spend.splits import checked_split
from seqdata.auth.tokens import AuthTokens, TokenStore
from seqdata.config import get_settings
from seqdata.config.settings import Settings
from seqdata.core.moments import Moment
from seqdata.core.shown import table_of_words
from seqdata.core.text import printable
from seqdata.core.usage import told_of
from seqdata.exceptions import (
    InvalidAmount,
    InvalidFilter,
    InvalidSplit,
    LedgerClosed,
    UnknownAccount,
    UnknownTransfer,
    UsageError,
)
from seqdata.export import check_file_type, write_table
from seqdata.ledger.analyses import Analyses
from seqdata.ledger.query import ask, table_of
from seqdata.ledger.standing import ALL
from seqdata.ledger.syncing import Syncing
from seqdata.safeguards import AuditLog
from seqdata.safeguards.audit_comparison import Reconciliation, reconcile
from seqdata.sources.webapp.client import SequenceClient
from seqdata.store import Store

if TYPE_CHECKING:
    from seqdata.ledger.plots import LedgerPlots
    from seqdata.ledger.share_safe import ShareSafeLedger
    from seqdata.plots.theme import Theme
    from seqdata.safeguards import TransferDesk
    from seqdata.sandbox import Sandbox
    from seqdata.widgets import ActivityExplorer, TransferPanel

#: The largest balance that is believed, in cents: beyond it somebody mistyped.
_LARGEST_BALANCE = 10**15


#: Columns of a transfer that the audit log is compared with.
_RECONCILED = [
    "id", "created_at", "amount_cents", "source_id", "source_name", "destination_id",
    "destination_name", "kind", "removed_at",
]  # fmt: skip


@told_of("ledger")
class Ledger(Analyses, Syncing):
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

    Notes
    -----
    In a notebook, pandas is told that frames hold no formulas (``display.html.use_mathjax``):
    JupyterLab would set two dollar signs in one cell as mathematics.
    """

    def __init__(self, settings: Settings, organization_id: str | None = None) -> None:
        super().__init__(settings, organization_id)
        if "ipykernel" in sys.modules:  # else two amounts in one cell of a frame are a formula
            pd.set_option("display.html.use_mathjax", False)
        self._closing = ExitStack()
        self._is_closed = False
        self._desk: TransferDesk | None = None
        #: The theme of all charts, "light" or "dark"; None: what fits matplotlib's settings.
        self.theme: Theme | None = settings.theme
        #: The sandbox behind a demo; None for a ledger of your own account.
        self.sandbox: Sandbox | None = None

    @classmethod
    def open(cls, organization_id: str | None = None) -> Ledger:
        """Open the ledger of the configured account; nothing is asked or written yet.

        Raises
        ------
        InvalidSetting
            A SEQUENCE_ variable has a value that cannot be used.

        Examples
        --------
        >>> ledger = Ledger.open()  # doctest: +SKIP
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

        Examples
        --------
        >>> with Ledger.demo(months=1) as other: other.sync(progress=False)
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
        """Close desk and panel; of a demo, stop the sandbox and remove its temporary folder.

        Tables and charts that were made of it stay; whatever else is asked of it is
        :class:`LedgerClosed`. May be called again.

        Examples
        --------
        >>> with Ledger.demo(months=1) as other: other.summary()
        """
        self._is_closed = True
        self._closing.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

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

        Examples
        --------
        >>> ledger.desk.limits()
        """
        self._check_open()
        if self._desk is None:
            desk = self._own_desk()
            desk.warn()
            self._desk = desk
            self._closing.callback(desk.close)
        return self._desk

    def transfer_panel(self, *, title: str = "Move money") -> TransferPanel:
        """Return a panel for a notebook that moves money, past all checks of the desk only.

        It is closed with the ledger.

        Raises
        ------
        AuditChainBroken
            As for :attr:`desk`.

        Examples
        --------
        >>> ledger.transfer_panel()
        """
        from seqdata.widgets import TransferPanel
        from seqdata.widgets.closed import CLOSED_WITH_LEDGER

        panel = TransferPanel(self.desk, title=title)
        self._closing.callback(panel.close, CLOSED_WITH_LEDGER)
        return panel

    def explorer(self) -> ActivityExplorer:
        """Return an explorer for a notebook: filters, totals, and all transfers to scroll.

        It is closed with the ledger.

        Examples
        --------
        >>> ledger.explorer()
        """
        from seqdata.widgets import ActivityExplorer
        from seqdata.widgets.closed import CLOSED_WITH_LEDGER

        self._check_open()
        explorer = ActivityExplorer(self)
        self._closing.callback(explorer.close, CLOSED_WITH_LEDGER)
        return explorer

    # -- to look at and to show around --------------------------------------------------------

    @property
    def plot(self) -> LedgerPlots:
        """The charts: ``ledger.plot.balances()``, ``.spending()`` and so on.

        Examples
        --------
        >>> ledger.plot.balances(account=["Bills", "Groceries"])
        """
        from seqdata.ledger.plots import LedgerPlots

        return LedgerPlots(self, self.theme)

    def share_safe(self) -> ShareSafeLedger:
        """Return this ledger with names, notes, ids and amounts disguised, to show around.

        The same name is always replaced by the same one, and all amounts are multiplied by one
        secret whole number: shapes, ratios and sums stay exact. A disguise for a picture, and no
        anonymity; see :class:`seqdata.ledger.share_safe.ShareSafeLedger`.

        Examples
        --------
        >>> ledger.share_safe().transfers.head()
        """
        from seqdata.ledger.share_safe import ShareSafeLedger

        return ShareSafeLedger(self)

    # -- by hand ------------------------------------------------------------------------------

    def annotate(
        self,
        transfer_id: str,
        *,
        category: str | None = None,
        note: str | None = None,
        split: Mapping[str, str | Decimal] | None = None,
    ) -> None:
        """Note a category or a note of your own about a transfer; a sync may run meanwhile.

        Parameters
        ----------
        category, note
            None leaves what is there; "" removes it.
        split
            A purchase of several categories, in dollars: ``{"Groceries": "30.00", "Home":
            "12.50"}``. The parts add up to the transfer, and every sum takes them apart. ``{}``
            puts it together again. Of a category and a split the later one counts.

        Raises
        ------
        UnknownTransfer
            No such transfer here.
        InvalidSplit, InvalidAmount
            The parts are not those of the transfer. Nothing was noted.

        Examples
        --------
        >>> bought = ledger.transfers_where(direction="outgoing", state="settled")["id"].iloc[0]
        >>> ledger.annotate(bought, category="Gifts", note="for Ana")
        """
        for store in self._stores:
            if store.has_transfer(transfer_id):
                parts = None
                if split is not None:
                    if category:
                        raise InvalidSplit(transfer_id, "a category is given too")
                    parts = checked_split(transfer_id, split, store.amount_of(transfer_id))
                store.annotate(transfer_id, category=category, note=note, split=parts)
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

        Examples
        --------
        >>> ledger.add_balance("Everyday Checking", "2026-10-15", 2_310_55)
        """
        if type(cents) is not int or abs(cents) > _LARGEST_BALANCE:
            raise InvalidAmount(cents)
        moment = self._moment(as_of)
        known_until = self.certificate().last_sync_at
        if moment > max(filter(None, (known_until, datetime.now(UTC)))):
            raise InvalidFilter("as_of", str(as_of), ["a moment that has been"])
        known = self._accounts
        ids = find_account(account, known[["id", "name"]])
        if len(ids) > 1:
            raise UnknownAccount(account, ids, ambiguous=True)
        owner = known.loc[known["id"] == ids[0], "organization_id"].iloc[0]
        store = self._store_of(str(owner))
        store.add_statement(ids[0], moment, cents)

    # -- taking it elsewhere ------------------------------------------------------------------

    def export(
        self,
        path: str | Path,
        table: str = "transfers",
        *,
        raw_text: bool = False,
        bom: bool = False,
        **filters: Any,
    ) -> Path:
        """Write a table to a CSV file, a Parquet file or a workbook, as the name of the file says.

        Parameters
        ----------
        path
            Ends in ``.csv``, ``.parquet`` or ``.xlsx`` (``seqdata[xlsx]``).
        table
            Its name: one of :data:`TABLES`, such as "transfers", "balances", "accounts",
            "balance_history", "cash_flow", "spending" or "recurring".
        raw_text
            Leave text in CSV as it is. By default text that a spreadsheet would take for a
            formula gets an apostrophe, which :func:`seqdata.read_csv` takes off again.
        bom
            Begin a CSV with a byte-order mark, which Excel needs to know its encoding.
        filters
            The words of the method that makes the table: `since`, `until` and `account` of most,
            `direction`, `state` and `text` of transfers, `by` of spending, `freq` of a history.

        Returns
        -------
        Path
            The file, whole, with rights for its owner only.

        Raises
        ------
        InvalidFilter
            No such table or file type, or a filter that the table does not have.

        Examples
        --------
        >>> ledger.export("spending.csv", "spending", freq="month")
        """
        if isinstance(table, pd.DataFrame):
            raise UsageError(
                "ledger.export takes the name of a table, and got a DataFrame. Name it, with the "
                'words of its method, as in ledger.export("groceries.csv", "spending", '
                'category="Groceries"); or write your frame with pandas: frame.to_csv(...).'
            )
        check_file_type(Path(path))
        return write_table(self.table(table, **filters), Path(path), raw_text=raw_text, bom=bom)

    def table(self, table: str = "transfers", **filters: Any) -> pd.DataFrame:
        """Return a table by its name, with the filters that it has; None filters nothing.

        Raises
        ------
        InvalidFilter
            No such table, or a filter that the table does not have.

        Examples
        --------
        >>> ledger.table("spending", freq="month")
        """
        return table_of(self, table, filters)

    def sql(self, query: str, **parameters: Any) -> pd.DataFrame:
        """Ask DuckDB about the tables: transfers, accounts, balances, details, legs and the others.

        `transfer_history` holds earlier versions of transfers, `annotations` your notes, `runs`
        the syncs.

        Parameters
        ----------
        query
            SQL; values go in as ``$name``.
        parameters
            The values.

        Returns
        -------
        DataFrame
            What the query gives; whole numbers stay whole.

        Raises
        ------
        MissingExtra
            DuckDB is not installed.
        InvalidQuery
            DuckDB does not understand the query, or it gives no rows back.

        Examples
        --------
        >>> ledger.sql("SELECT count(*) AS transfers FROM transfers")
        """
        readers: dict[str, Callable[[Store], pa.Table]] = {
            "transfers": lambda store: store.read_transfers(),
            "accounts": Store.read_accounts,
            "balances": Store.read_balances,
            "details": Store.read_details,
            "legs": Store.read_legs,
            "transfer_history": Store.read_history,
            "annotations": Store.read_annotations,
            "runs": Store.read_runs,
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

        Examples
        --------
        >>> ledger.reconcile_audit()
        """
        rows = self._joined(
            lambda store: store.read_transfers(columns=_RECONCILED, include_removed=True)
        )
        audit = AuditLog(self._settings.data_dir / ".audit.jsonl")
        return reconcile(
            audit.transitions(),
            rows.to_pylist(),
            foreign=audit.foreign_entries(),
            since=None if since is None else self._moment(since),
            synced_at=self.certificate().last_sync_at,
            organization_id=None if self._chosen == ALL else self._chosen,
        )

    # -- what it looks like -------------------------------------------------------------------

    def __repr__(self) -> str:
        lines = [f"  {name:<10} {printable(text)}" for name, text in self.summary().items()]
        return "\n".join([self._title(), *lines])

    def _repr_html_(self) -> str:
        return table_of_words(self._title(), self.summary())

    def summary(self) -> dict[str, str]:
        """Say in a few lines what is here and how fresh it is: words to text.

        Examples
        --------
        >>> ledger.summary()
        """
        if self._is_closed:
            return {"closed": "open another one: what was made of it stays"}
        return super().summary()

    def _store_of(self, organization_id: str) -> Store:
        self._check_open()
        return super()._store_of(organization_id)

    def _client(self) -> SequenceClient:
        self._check_open()
        return super()._client()

    def _check_open(self) -> None:
        if self._is_closed:
            raise LedgerClosed

    def _title(self) -> str:
        where = "the sandbox" if self.sandbox is not None else self._settings.app_url
        return f"Ledger of {self._chosen or 'no organization yet'} ({where})"


def demo_settings(box: Sandbox, data_dir: Path) -> Settings:
    """Build settings for a sandbox: a folder of its own; of the environment, browser and theme.

    A SEQUENCE_CACHE_DIR of the user, for one, must not get the demo's tables.
    """
    values = {
        name.removeprefix("SEQUENCE_").lower(): value for name, value in box.environment().items()
    }
    said = {name: os.environ.get(f"SEQUENCE_{name.upper()}") for name in ("browser", "theme")}
    kept = {name: value for name, value in said.items() if value}
    return Settings.of({**values, "data_dir": data_dir, **kept})
