"""What is on the disk of one organization, or of all, as DataFrames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from seqdata.analysis.accounts import with_former_names
from seqdata.analysis.filters import (
    Words,
    filter_balances,
    filter_transfers,
)
from seqdata.core.arrow import pc
from seqdata.core.moments import Moment
from seqdata.exceptions import (
    UnknownTransfer,
)
from seqdata.ledger.query import plain_filters
from seqdata.ledger.reading import for_reading
from seqdata.ledger.standing import ACCOUNT_COLUMNS, Stored
from seqdata.sources.rows import table_of_rows
from seqdata.sources.schemas import ACCOUNTS, BALANCES
from seqdata.sources.vocabulary import FINAL
from seqdata.store import Store
from seqdata.store.frames import frame, transfers_frame
from seqdata.store.shelf import Counts
from seqdata.sync.certificate import Certificate, certify, combine_certificates


class Tables(Stored):
    """The tables of an organization as syncs left them; reading needs no network.

    Parameters
    ----------
    settings
        Where the data is and which server it is of.
    organization_id
        By default the configured one, else the only one there is. :data:`ALL` holds all
        organizations of the login side by side.
    """

    @property
    def complete_since(self) -> datetime | None:
        """From when on all transfers are here; None: from the first one on.

        Of a first sync that did not finish, from the oldest transfer it read.

        Examples
        --------
        >>> ledger.complete_since
        """
        starts = [_complete_since(store) for store in self._stores]
        return max(filter(None, starts), default=None)

    @property
    def categories_path(self) -> Path:
        """The file of your own rules for categories; it need not exist.

        Examples
        --------
        >>> ledger.categories_path
        """
        self._check_open()
        return self._settings.data_dir / "categories.toml"

    @property
    def transfers(self) -> pd.DataFrame:
        """All transfers, newest first.

        Moments are tz-aware in the reporting zone; ``amount_cents`` is Int64, ``amount`` the
        same in float dollars, always positive (``direction`` carries the sign). What is
        missing is NA. What a person reads comes first, ids and bookkeeping last. It is the list as
        the service tells it: the web application says when money arrived (``settled_at``,
        ``returned_at``) in a transfer's details alone, so that these are NaT here, and
        :meth:`categorized` has them from :attr:`legs`.

        Returns
        -------
        DataFrame
            created_at, amount_cents, amount, direction, source_name, destination_name, state,
            kind, description, error_reason, updated_at, settled_at, returned_at, source_party,
            destination_party, status, activity_type, type, id, source_id, destination_id,
            organization_id, read_from, first_seen_at, changed_at, confirmed_at, missing_since.

        Examples
        --------
        >>> ledger.transfers.head()
        """
        return self._transfers()

    def transfers_as_of(self, moment: Moment) -> pd.DataFrame:
        """All transfers as they were known at a moment, from the history.

        Returns
        -------
        DataFrame
            created_at, amount_cents, amount, direction, source_name, destination_name, state,
            kind, description, error_reason, updated_at, settled_at, returned_at, source_party,
            destination_party, status, activity_type, type, id, source_id, destination_id,
            organization_id, read_from, first_seen_at, changed_at, missing_since.

        Examples
        --------
        >>> ledger.transfers_as_of("last month")
        """
        at = self._moment(moment)
        columns = [name for name in _READING_ORDER if name != "confirmed_at"]
        table = self._joined(lambda store: store.transfers_as_of(at)).select(columns)
        return self._marked(transfers_frame(_newest_first(table), self._zone), {"as_of": at})

    def history(self, transfer_id: str) -> pd.DataFrame:
        """All versions of a transfer, oldest first, with valid_from and valid_until.

        The last one is the present one. :meth:`evidence` shows what was said.

        Returns
        -------
        DataFrame
            organization_id, id, type, status, state, error_reason, created_at, updated_at,
            settled_at, returned_at, amount_cents, amount, source_id, source_name, source_party,
            destination_id, destination_name, destination_party, direction, activity_type, kind,
            description, read_from, first_seen_at, changed_at, missing_since, removed_at,
            valid_from, valid_until.

        Raises
        ------
        UnknownTransfer
            No such transfer here.

        Examples
        --------
        >>> ledger.history(ledger.transfers["id"].iloc[0])
        """
        table = self._joined(lambda store: store.history_of(transfer_id))
        if table.num_rows == 0:
            raise UnknownTransfer(transfer_id)
        return self._marked(transfers_frame(table, self._zone, include_removed=True))

    def transfers_where(
        self,
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        account: Words | None = None,
        direction: Words | None = None,
        state: Words | None = None,
        status: Words | None = None,
        text: Words | None = None,
        include_removed: bool = False,
    ) -> pd.DataFrame:
        """Return the transfers that pass all filters that are given.

        The words are those of :func:`seqdata.analysis.filter_transfers`. `include_removed`
        adds those that vanished from the service, with ``removed_at``.

        Returns
        -------
        DataFrame
            created_at, amount_cents, amount, direction, source_name, destination_name, state,
            kind, description, error_reason, updated_at, settled_at, returned_at, source_party,
            destination_party, status, activity_type, type, id, source_id, destination_id,
            organization_id, read_from, first_seen_at, changed_at, confirmed_at, missing_since.

        Examples
        --------
        >>> ledger.transfers_where(since="last month", account="Groceries", state="settled")
        """
        since, until = self._said(since), self._said(until)
        found = filter_transfers(
            self._transfers(include_removed=include_removed),
            since=since,
            until=until,
            account=account,
            direction=direction,
            state=state,
            status=status,
            text=text,
            accounts=self._named_accounts,
        )
        filters = {
            "since": since, "until": until, "account": account,
            "direction": direction, "state": state, "status": status, "text": text,
        }  # fmt: skip
        return self._marked(found, filters)

    def evidence(self, thing_id: str) -> pd.DataFrame:
        """Show which answers said what about a transfer or an account, and when, oldest first.

        Returns
        -------
        DataFrame
            ``stream`` (transfers, accounts, details), ``read_from``, ``run`` (the sync, Int64),
            ``valid_from``, ``valid_until``, ``removed_at`` and ``said``: the service's own JSON,
            parsed, without full account numbers; None where it was not kept (the first version,
            SEQUENCE_ARCHIVE=0, tables from which a lost record was taken up again).

        Raises
        ------
        UnknownTransfer
            Nothing here has this id.

        Examples
        --------
        >>> ledger.evidence(ledger.transfers["id"].iloc[0])
        """
        rows = [row for store in self._stores for row in store.evidence(thing_id)]
        if not rows:
            raise UnknownTransfer(thing_id)
        found = pd.DataFrame(rows).astype({"run": "Int64"})
        for name in ("valid_from", "valid_until", "removed_at"):
            moments = pd.to_datetime(found[name], utc=True).dt.as_unit("us")
            found[name] = moments.dt.tz_convert(self._zone)
        return self._marked(found)

    @property
    def runs(self) -> pd.DataFrame:
        """The syncs, oldest first: what each read, and until when it holds.

        ``kind``, ``read_from``, ``began_at``, ``ended_at``; ``since`` and ``read_at``: all
        transfers made since then were read as they were at that moment.

        Returns
        -------
        DataFrame
            run, organization_id, kind, read_from, began_at, ended_at, since, read_at, asked.

        Examples
        --------
        >>> ledger.runs
        """
        return self._marked(self._read(Store.read_runs))

    @property
    def details(self) -> pd.DataFrame:
        """What made the transfers: id, kind, rule_trigger_type, rule_trigger_cron, fetched_at.

        Returns
        -------
        DataFrame
            organization_id, id, kind, rule_trigger_type, rule_trigger_cron, fetched_at.

        Examples
        --------
        >>> ledger.details
        """
        return self._marked(self._read(Store.read_details))

    @property
    def legs(self) -> pd.DataFrame:
        """The payments of the transfers: id, leg, status, state, created_at and the like.

        Returns
        -------
        DataFrame
            organization_id, id, leg, status, state, created_at, completed_at, expected_on.

        Examples
        --------
        >>> ledger.legs
        """
        return self._marked(self._read(Store.read_legs))

    @property
    def annotations(self) -> pd.DataFrame:
        """Categories and notes of your own: id, category, note, annotated_at.

        Returns
        -------
        DataFrame
            organization_id, id, category, note, split, annotated_at.

        Examples
        --------
        >>> ledger.annotations
        """
        return self._marked(self._read(Store.read_annotations))

    @property
    def pods(self) -> pd.DataFrame:
        """The open pods with their newest observed balance and their goal, by name.

        Returns
        -------
        DataFrame
            name, balance_cents, balance, as_of, goal_cents, goal, id.

        Examples
        --------
        >>> ledger.pods[["name", "balance", "goal"]]
        """
        return self._open_ones("pod", "goal_cents", "goal")

    @property
    def ports(self) -> pd.DataFrame:
        """The open ports, where income arrives, with their newest observed balance, by name.

        Returns
        -------
        DataFrame
            name, balance_cents, balance, as_of, id.

        Examples
        --------
        >>> ledger.ports[["name", "balance"]]
        """
        return self._open_ones("port")

    def _open_ones(self, kind: str, *more: str) -> pd.DataFrame:
        accounts = self._read_accounts()
        chosen = accounts[(accounts["kind"] == kind) & accounts["closed_at"].isna()]
        wanted = ["name", "balance_cents", "balance", "as_of", *more, "id"]
        return self._marked(chosen[wanted].reset_index(drop=True))

    def show(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return a table of this ledger for reading: "$1,234.56", short dates, and no ids.

        All columns are text, so sum the table itself.

        Parameters
        ----------
        frame
            Any table that this ledger gave, or some rows and columns of one.

        Examples
        --------
        >>> ledger.show(ledger.transfers.head())
        """
        return for_reading(frame)

    @property
    def accounts(self) -> pd.DataFrame:
        """Pods, ports and outside accounts as last seen, with their newest observed balance.

        Closed ones stay, with ``closed_at``. A balance that the service does not know is NA. Of a
        debt (``is_owed``: a card, a loan) it is what is owed, which lessens what there is.

        Returns
        -------
        DataFrame
            kind, name, balance_cents, balance, is_owed, as_of, goal_cents, goal, type,
            provider_type, institution, created_at, missing_since, closed_at, id,
            linked_account_id, organization_id, read_from, first_seen_at, changed_at.

        Examples
        --------
        >>> ledger.accounts[["kind", "name", "balance", "is_owed"]]
        """
        return self._marked(self._read_accounts())

    @property
    def balances(self) -> pd.DataFrame:
        """Balances as observed by syncs, oldest first: account_id, as_of, cents and dollars.

        A row is a stretch in which the balance was seen the same: from ``as_of`` to
        ``confirmed_at``.

        Returns
        -------
        DataFrame
            organization_id, account_id, as_of, confirmed_at, balance_cents, balance, origin.

        Examples
        --------
        >>> ledger.balances
        """
        return self._marked(self._read_balances())

    def balances_where(
        self,
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        account: Words | None = None,
    ) -> pd.DataFrame:
        """Return the observed balances that pass all filters that are given.

        Returns
        -------
        DataFrame
            organization_id, account_id, as_of, confirmed_at, balance_cents, balance, origin.

        Examples
        --------
        >>> ledger.balances_where(account="Groceries")
        """
        since, until = self._said(since), self._said(until)
        found = filter_balances(
            self._read_balances(), self._named_accounts, since=since, until=until, account=account
        )
        return self._marked(found, {"since": since, "until": until, "account": account})

    # -- inside -------------------------------------------------------------------------------

    @property
    def _zone(self) -> str:
        return self._settings.timezone

    def _joined(self, read: Callable[[Store], pa.Table]) -> pa.Table:
        """Read a table of each organization and put them together."""
        return pa.concat_tables([read(store) for store in self._stores])

    def _read(self, read: Callable[[Store], pa.Table]) -> pd.DataFrame:
        """Read a table of each organization as a frame. It is not marked: that counts rows."""
        return frame(self._joined(read), self._zone)

    def _read_balances(self) -> pd.DataFrame:
        table = self._joined(Store.read_balances)
        ordered = table.sort_by([("as_of", "ascending"), ("account_id", "ascending")])
        return frame(ordered, self._zone)

    def _read_accounts(self) -> pd.DataFrame:
        """Read the accounts with the newest balance of each."""
        rows = self._account_rows()
        made = frame(table_of_rows(rows, _ACCOUNTS_WITH_BALANCES), self._zone)
        made["is_owed"] = np.array([row["is_owed"] for row in rows], bool)
        return made[list(ACCOUNT_COLUMNS)]

    @property
    def _accounts(self) -> pd.DataFrame:
        return self._read(Store.read_accounts)

    @property
    def _named_accounts(self) -> pd.DataFrame:
        """Read the accounts with the names that each had before."""
        return with_former_names(self._accounts, self._read(Store.read_account_names))

    def _transfers(self, *, include_removed: bool = False) -> pd.DataFrame:
        stores = self._stores
        with ExitStack() as records:
            for store in stores:
                records.enter_context(store.record.kept_open())
            return self._transfers_of(stores, include_removed=include_removed)

    def _transfers_of(self, stores: Sequence[Store], *, include_removed: bool) -> pd.DataFrame:
        columns = (*_READING_ORDER, "removed_at") if include_removed else _READING_ORDER
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
            certify(store.read_state(), store.organization_id, _counts(rows, store))
            for store, rows in zip(stores, parts, strict=True)
        ]
        return self._marked(made, certificate=combine_certificates(certificates))

    def _marked(
        self,
        frame: pd.DataFrame,
        filters: dict[str, Any] | None = None,
        *,
        certificate: Certificate | None = None,
    ) -> pd.DataFrame:
        """Say in ``attrs["seqdata"]`` (JSON values only) what a frame was made from."""
        counted = frame.attrs.get("seqdata", {})
        frame.attrs["seqdata"] = {
            **{name: counted[name] for name in _COUNTED if name in counted},
            **(certificate or self.certificate()).to_json(),
            "app_url": self._settings.app_url,
            "is_sandbox": any(store.world is not None for store in self._cached_stores()),
            "timezone": self._zone,
            "filters": plain_filters(filters or {}),
        }
        return frame


#: What a function of the analysis says of how its table counts.
_COUNTED = ("by_day", "boundary", "debts", "values", "compared", "in_words")


def _counts(rows: pa.Table, store: Store) -> Counts:
    in_doubt = rows.num_rows - rows["missing_since"].null_count
    states = pc.value_counts(rows["state"]).to_pylist()
    can_change = sum(each["counts"] for each in states if each["values"] not in FINAL)
    return Counts(rows.num_rows, can_change, in_doubt, len(store.doubted("accounts")))


_READING_ORDER = (
    "created_at", "amount_cents", "direction", "source_name", "destination_name", "state", "kind",
    "description", "error_reason", "updated_at", "settled_at", "returned_at", "source_party",
    "destination_party", "status", "activity_type", "type", "id", "source_id", "destination_id",
    "organization_id", "read_from", "first_seen_at", "changed_at", "confirmed_at", "missing_since",
)  # fmt: skip

_ACCOUNTS_WITH_BALANCES = pa.schema(
    [*ACCOUNTS, *(BALANCES.field(name) for name in ("balance_cents", "as_of"))]
)


def _complete_since(store: Store) -> datetime | None:
    state = store.read_state()
    if state.last_full_at is not None or state.history_since is not None:
        return state.history_since
    oldest = pc.min(store.read_transfers(columns=["created_at"])["created_at"]).as_py()
    return None if oldest is None else pd.Timestamp(oldest).to_pydatetime()


def _newest_first(table: pa.Table) -> pa.Table:
    return table.sort_by([("created_at", "descending"), ("id", "ascending")])
