"""The analysis, by the same names, on a ledger's own tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from seqdata import analysis
from seqdata.analysis.accounts import account_names, known_names, with_former_names
from seqdata.analysis.columns import widened
from seqdata.analysis.filters import Words
from seqdata.analysis.periods import Freq, day_begins
from seqdata.analysis.recur.recurring import LastSeries
from seqdata.analysis.settlement import moments
from seqdata.analysis.spend.categories import Rules, explain, rule_matches
from seqdata.analysis.spend.rulesfile import add_payee
from seqdata.analysis.spend.similar import payee_table, similar_payees
from seqdata.analysis.spend.spending import By
from seqdata.config.settings import Settings
from seqdata.core.moments import Moment
from seqdata.exceptions import UnknownTransfer
from seqdata.ledger.tables import Tables
from seqdata.sources.schemas import READ_TRANSFERS
from seqdata.store import Store
from seqdata.store.frames import frame, transfers_frame
from seqdata.sync.certificate import Certificate

#: Before everything.
_BEGINNING = datetime(1, 1, 2, tzinfo=UTC)


class Analyses(Tables):
    """The methods of a :class:`Ledger` that compute something from its tables.

    Each does what the function of :mod:`seqdata.analysis` of the same name does; there the
    columns of each result are described. Everything is computed from what is on the disk;
    transfers are categorized once for each state of it, and the series of recurring payments
    found once for each state of these.
    """

    _kept: dict[bool, pd.DataFrame]
    _kept_state: tuple[Any, ...] | None = None

    def __init__(self, settings: Settings, organization_id: str | None = None) -> None:
        super().__init__(settings, organization_id)
        self._last_series = LastSeries()

    # -- balances -----------------------------------------------------------------------------

    def balance_history(
        self,
        *,
        freq: Freq = "day",
        boundary: Literal["sequence", "own"] = "sequence",
        since: Moment | None = None,
        until: Moment | None = None,
        account: Words | None = None,
        wide: bool = False,
    ) -> pd.DataFrame:
        """Return each account's balance at the end of each period, back to the first transfer.

        By default of pods and ports, whose balances add up to what Sequence holds.

        Parameters
        ----------
        freq
            "day", "week", "month", "quarter" or "year".
        boundary
            "sequence": pods and ports. "own": your accounts outside too, each from the day on which
            it was first seen; of a debt (``is_owed``) the balance is what is owed.
        since, until
            Bounds of the date; `until` is exclusive.
        account
            Id or name, or several: these, wherever they are.
        wide
            Return dollars in a column for each account, with the dates as index.

        Returns
        -------
        DataFrame
            See :func:`seqdata.analysis.balance_history`: observed, derived or carried.

        Raises
        ------
        InvalidFilter, InvalidMoment, UnknownAccount
            A value that cannot be used; the message lists the choices.

        Examples
        --------
        >>> ledger.balance_history(freq="month", account="Groceries", since="3 months")
        """
        since, until = self._said(since), self._said(until)
        accounts, transfers = self._known_accounts(), self._transfers()
        certificate = self.certificate()
        history = analysis.balance_history(
            transfers,
            self._read(Store.read_legs),
            accounts,
            self._read_balances(),
            freq=freq,
            boundary=boundary if account is None else "own",
            complete_since=self.complete_since,
            until=certificate.last_sync_at,
        )
        zone = transfers["created_at"].dt.tz
        begins = moments(day_begins(history["date"].to_numpy(), zone), zone, history.index)
        keep = analysis.between(begins, since, until)
        if account is not None:
            keep &= history["account_id"].isin(_ids(account, accounts))
        found = history[keep].reset_index(drop=True)
        filters = {
            "freq": freq, "boundary": boundary if account is None else None, "since": since,
            "until": until, "account": account,
        }  # fmt: skip
        made = self._marked(found, filters, certificate=certificate)
        return widened(made, "date", ["name"], "balance") if wide else made

    def reconcile(
        self,
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        account: Words | None = None,
    ) -> pd.DataFrame:
        """List where observed balances disagree with the movements between; empty where all agree.

        ``since`` and ``until`` bound the later of the two observations. See
        :func:`seqdata.analysis.reconcile`. (The audit log is compared with the transfers by
        :meth:`reconcile_audit`.)

        Returns
        -------
        DataFrame
            account_id, name, kind, since, until, observed_cents, observed, moved_cents, moved,
            difference_cents, difference, candidates, candidate_ids, explanation.

        Examples
        --------
        >>> ledger.reconcile()
        """
        since, until = self._said(since), self._said(until)
        accounts = self._read_accounts()
        found = analysis.reconcile(
            self._transfers(include_removed=True),
            self._read(Store.read_legs),
            accounts,
            self._read_balances(),
            complete_since=self.complete_since,
        )
        keep = analysis.between(found["until"], since, until)
        if account is not None:
            keep &= found["account_id"].isin(_ids(account, self._known_accounts()))
        filters = {"since": since, "until": until, "account": account}
        return self._marked(found[keep].reset_index(drop=True), filters)

    # -- money in and out ---------------------------------------------------------------------

    def cash_flow(
        self,
        *,
        freq: Freq = "month",
        by: Literal["account", "category"] | None = None,
        boundary: Literal["sequence", "own"] = "sequence",
        since: Moment | None = None,
        until: Moment | None = None,
        account: Words | None = None,
        category: Words | None = None,
        wide: bool = False,
    ) -> pd.DataFrame:
        """Return money in, money out and the difference, a row a period, by account or category.

        See :func:`seqdata.analysis.cash_flow`. `category` counts transfers of it alone. It counts
        by the day of settlement; :meth:`spending` by that on which one paid.

        Returns
        -------
        DataFrame
            period, money_in_cents, money_in, money_out_cents, money_out, net_cents, net,
            in_transit_cents, in_transit, pending_in_cents, pending_in, pending_out_cents,
            pending_out.

        Examples
        --------
        >>> ledger.cash_flow(freq="month")[["period", "money_in", "money_out", "net"]]
        """
        since, until = self._said(since), self._said(until)
        is_whole = category is None and by != "category"
        found = analysis.cash_flow(
            self._transfers() if is_whole else self._categorize(category),
            self._read(Store.read_legs),
            self._known_accounts(),
            freq=freq,
            by=by,
            boundary=boundary,
            since=since,
            until=until,
            account=account,
            wide=wide,
        )
        filters = {
            "freq": freq, "by": by, "boundary": boundary, "since": since, "until": until,
            "account": account, "category": category,
        }  # fmt: skip
        return self._marked(found, filters)

    def categorized(
        self,
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        account: Words | None = None,
        direction: Words | None = None,
        state: Words | None = None,
        status: Words | None = None,
        text: Words | None = None,
        category: Words | None = None,
    ) -> pd.DataFrame:
        """Return the transfers with payee, category and when they settled.

        The filters are those of :meth:`Ledger.transfers_where`, and the category. See
        :func:`seqdata.analysis.categorize` and :func:`seqdata.analysis.settle`; the rules are
        those of ``categories.toml`` in the data folder, then the starter set.

        Returns
        -------
        DataFrame
            created_at, amount_cents, amount, direction, source_name, destination_name, state,
            kind, description, error_reason, updated_at, settled_at, returned_at, source_party,
            destination_party, status, activity_type, type, id, source_id, destination_id,
            organization_id, read_from, first_seen_at, changed_at, confirmed_at, missing_since,
            effective_at, effective_basis, payee, category, category_source, whole_cents, whole.

        Examples
        --------
        >>> ledger.categorized(since="last month", category="Dining")
        """
        since, until = self._said(since), self._said(until)
        filters: dict[str, Any] = {
            "since": since, "until": until, "account": account, "direction": direction,
            "state": state, "status": status, "text": text,
        }  # fmt: skip
        rows = self._categorize(category, **filters)
        return self._marked(rows, {**filters, "category": category})

    def spending(
        self,
        by: By | None = "category",
        *,
        freq: Freq | None = None,
        since: Moment | None = None,
        until: Moment | None = None,
        account: Words | None = None,
        category: Words | None = None,
        include_moves: bool = False,
        by_day: Literal["paid", "settled"] = "paid",
        wide: bool = False,
    ) -> pd.DataFrame:
        """Return what was spent by category, payee, pod or account, and by periods with `freq`.

        It counts on the day on which one paid, with what is open beside it (``open_cents``);
        ``by_day="settled"`` counts on the day the money had arrived. See
        :func:`seqdata.analysis.spending`.

        Returns
        -------
        DataFrame
            category, spent_cents, spent, open_cents, open, transfers, share.

        Examples
        --------
        >>> ledger.spending("payee", freq="month", category="Groceries")
        >>> ledger.spending(since="last month")
        """
        since, until = self._said(since), self._said(until)
        words: dict[str, Any] = {
            "freq": freq, "since": since, "until": until, "account": account, "category": category,
            "by_day": by_day,
        }  # fmt: skip
        found = analysis.spending(
            self._categorize(),
            by,
            include_moves=include_moves,
            wide=wide,
            accounts=self._known_accounts(),
            **words,
        )
        return self._marked(found, {"by": by, "include_moves": include_moves or None, **words})

    def uncategorized(self) -> pd.DataFrame:
        """Return the payees that no rule and no annotation names, the largest first.

        Returns
        -------
        DataFrame
            payee, spent_cents, spent, open_cents, open, transfers.

        Examples
        --------
        >>> ledger.uncategorized()
        """
        return self._marked(analysis.uncategorized(self._categorize()))

    def explain_category(self, transfer_id: str) -> pd.DataFrame:
        """Return what named a transfer's category, and which rules would have, and why.

        Returns
        -------
        DataFrame
            In the order in which they are asked: category, source (annotation, rule, own
            account, none), where (file and line of a rule), decides (bool: true of the first,
            and of each part of what was split), why (what was found in which text).

        Raises
        ------
        UnknownTransfer
            There is no such transfer here.

        Examples
        --------
        >>> ledger.explain_category(ledger.transfers["id"].iloc[0])
        """
        transfers = self._rows()
        rows = transfers[transfers["id"] == transfer_id].reset_index(drop=True)
        if rows.empty:
            raise UnknownTransfer(transfer_id)
        return self._marked(explain(rows, *self._category_words()), {"transfer_id": transfer_id})

    def category_rules(self) -> pd.DataFrame:
        """Return your own rules, each with how many transfers it fits and decides.

        Returns
        -------
        DataFrame
            where (file and line), category, fits (also where something earlier decides),
            decides. A rule that fits nothing was never used.

        Examples
        --------
        >>> ledger.category_rules()
        """
        return self._marked(rule_matches(self._rows(), *self._category_words()))

    def payees(self, *, suggest: bool = False) -> pd.DataFrame:
        """Return the payees, or pairs of them that may be one.

        Parameters
        ----------
        suggest
            Return pairs that look alike instead. Nothing is merged: :meth:`name_payee` does.

        Returns
        -------
        DataFrame
            payee, transfers, spellings (how many the service wrote), last_at; the most frequent
            first. With `suggest`: payee, other, similarity (0 to 100), transfers; see
            :func:`seqdata.analysis.spend.similar.similar_payees`.

        Raises
        ------
        MissingExtra
            `suggest` needs ``seqdata[suggest]``.

        Examples
        --------
        >>> ledger.payees()
        """
        found = payee_table(self._categorize(whole=True))
        shown = similar_payees(found) if suggest else found
        return self._marked(shown, {"suggest": suggest} if suggest else None)

    def name_payee(self, name: str, spellings: Sequence[str]) -> Path:
        """Give payees one name, in ``categories.toml`` of the data folder.

        Parameters
        ----------
        name
            What the column ``payee`` shows from now on.
        spellings
            Payees as they are shown or written by the service; ``*`` stands for anything.

        Returns
        -------
        Path
            The file, to which a ``[[payee]]`` table was added; the rest of it stays as it is.

        Raises
        ------
        CorruptFile, InvalidSetting
            The file, the name or a spelling cannot be used.

        Examples
        --------
        >>> ledger.name_payee("Corner Store", ["Corner Store", "CORNER STORE 0042"])
        """
        return add_payee(self.categories_path, name, spellings)

    def compare(
        self,
        period: str,
        previous: str = "previous",
        by: By | None = "category",
        *,
        whole: bool = False,
        account: Words | None = None,
        category: Words | None = None,
        include_moves: bool = False,
        by_day: Literal["paid", "settled"] = "paid",
    ) -> pd.DataFrame:
        """Return how the spending of a period differs from that of another one.

        Of a period that is not over, the same days of both are compared; `whole` compares all of
        the other one. See :func:`seqdata.analysis.compare`.

        Parameters
        ----------
        period
            "2026-10", "2026-Q3", "2026", "2026-W40", "2026-10-05", "last month" or "October".
        previous
            "previous", "year ago", "mean" (of the periods before), or a period.

        Returns
        -------
        DataFrame
            category, spent_cents, spent, before_cents, before, change_cents, change,
            change_share, days, before_days, before_periods.

        Examples
        --------
        >>> ledger.compare("last month", "mean")
        """
        period, previous = str(self._said(period)), str(self._said(previous))
        certificate = self.certificate()
        found = analysis.compare(
            self._categorize(),
            period,
            previous,
            by,
            whole=whole,
            account=account,
            category=category,
            include_moves=include_moves,
            by_day=by_day,
            accounts=self._known_accounts(),
            known_since=self.complete_since,
            known_until=certificate.last_sync_at,
        )
        filters = {
            "period": period, "previous": previous, "by": by, "whole": whole or None,
            "account": account, "category": category, "by_day": by_day,
        }  # fmt: skip
        return self._marked(found, filters, certificate=certificate)

    def money_flow(
        self, *, since: Moment | None = None, until: Moment | None = None
    ) -> pd.DataFrame:
        """Return what flowed from income through ports and pods to categories.

        It counts by the day of settlement. See :func:`seqdata.analysis.money_flow`.

        Returns
        -------
        DataFrame
            from_name, from_kind, to_name, to_kind, from_id, to_id, moved_cents, moved, transfers.

        Examples
        --------
        >>> ledger.money_flow(since="last month")
        """
        since, until = self._said(since), self._said(until)
        found = analysis.money_flow(
            self._categorize(), since=since, until=until, accounts=self._known_accounts()
        )
        return self._marked(found, {"since": since, "until": until})

    def changes(self, *, since: Moment | None = None) -> pd.DataFrame:
        """Return what is new or different, in words, newest first.

        Parameters
        ----------
        since
            After this moment, by the service's clock: ``certificate().last_sync_at`` before a sync
            gives what that sync found. By default what came after the last look
            (:meth:`note_look`); at first, everything.

        Returns
        -------
        DataFrame
            See :func:`seqdata.analysis.changes`: at, what, thing, id, sentence.

        Examples
        --------
        >>> ledger.changes(since="yesterday")
        """
        since = self._said(since)
        asked = None if since is None else self._moment(since)
        parts = [self._changes(store, asked) for store in self._stores]
        found = pd.concat(parts).sort_values("at", ascending=False, kind="stable")
        return self._marked(found.reset_index(drop=True), {"since": since})

    def _changes(self, store: Store, asked: datetime | None) -> pd.DataFrame:
        names = [name for name in READ_TRANSFERS.names if name != "confirmed_at"]
        rows = store.read_transfers(columns=names, include_removed=True)
        return analysis.changes(
            transfers_frame(rows, self._zone, include_removed=True),
            transfers_frame(store.read_history(), self._zone, include_removed=True),
            frame(store.read_accounts(), self._zone),
            frame(store.read_account_names(), self._zone),
            since=asked or store.looked_at() or _BEGINNING,
        )

    def note_look(self) -> None:
        """Note that all :meth:`changes` so far were looked at; `seqdata changes` does it.

        Examples
        --------
        >>> ledger.note_look()
        """
        for store in self._stores:
            until = store.read_state().last_sync_at
            if until is not None:
                store.note_look(until)

    # -- what comes again ---------------------------------------------------------------------

    def recurring(
        self,
        *,
        account: Words | None = None,
        category: Words | None = None,
        include_internal: bool = False,
    ) -> pd.DataFrame:
        """Return subscriptions, bills and paychecks: cadence, amount, next date, price changes.

        See :func:`seqdata.analysis.recurring`.

        Returns
        -------
        DataFrame
            payee, direction, account_id, account, category, kind, cadence, rule, usual_cents,
            usual, spread_cents, spread, times, first_date, last_date, next_date, previous_cents,
            previous, changed_on, is_active, note, other_id.

        Examples
        --------
        >>> ledger.recurring()[["payee", "cadence", "usual", "next_date"]]
        """
        certificate = self.certificate()
        known = self._repeating(certificate)
        found = analysis.recurring(**known, include_internal=include_internal)
        found = self._named(found, "account", known["rows"])
        found = analysis.filter_categories(found, category)
        filters = {"account": account, "category": category}
        return self._marked(
            _of_account(found, account, self._known_accounts()), filters, certificate=certificate
        )

    def upcoming(
        self, *, days: int = 30, account: Words | None = None, include_internal: bool = False
    ) -> pd.DataFrame:
        """Return what is expected to come in and go out: pending, overdue, and what recurs.

        See :func:`seqdata.analysis.upcoming`.

        Returns
        -------
        DataFrame
            date, account_id, account, payee, direction, expected_cents, expected, low_cents, low,
            high_cents, high, basis, id, split_into.

        Examples
        --------
        >>> ledger.upcoming(days=14)
        """
        certificate = self.certificate()
        known = self._repeating(certificate)
        found = analysis.upcoming(
            **known, days=days, legs=self._read(Store.read_legs), include_internal=include_internal
        )
        found = self._named(found, "account", known["rows"])
        filters = {"days": days, "account": account, "include_internal": include_internal}
        return self._marked(
            _of_account(found, account, self._known_accounts()), filters, certificate=certificate
        )

    def projected_balances(self, *, days: int = 30, account: Words | None = None) -> pd.DataFrame:
        """Return the balance of each pod and port on each of the next days, with a band.

        See :func:`seqdata.analysis.projected_balances`; :meth:`running_short` names the pods
        that would run short.

        Returns
        -------
        DataFrame
            account_id, name, kind, date, balance_cents, balance, low_cents, low, high_cents,
            high, is_short, may_run_short, method.

        Examples
        --------
        >>> ledger.projected_balances(days=14, account="Bills")
        """
        accounts, certificate = self._read_accounts(), self.certificate()
        found = self._project(accounts, certificate, days)
        filters = {"days": days, "account": account}
        return self._marked(
            _of_account(found, account, self._known_accounts()), filters, certificate=certificate
        )

    def running_short(self, *, days: int = 30) -> pd.DataFrame:
        """Return the pods that would run short: when, and by how much.

        See :func:`seqdata.analysis.running_short`, also for how often that comes true.

        Returns
        -------
        DataFrame
            account_id, name, date, short_cents, short.

        Examples
        --------
        >>> ledger.running_short(days=30)
        """
        certificate = self.certificate()
        projected = self._project(self._read_accounts(), certificate, days)
        found = analysis.running_short(projected)
        return self._marked(found, {"days": days}, certificate=certificate)

    def backtest(self, *, days: int = 30, account: Words | None = None) -> pd.DataFrame:
        """Return how right the projected balances would have been, with one's own money.

        See :func:`seqdata.analysis.backtest`: by account and days ahead, how far off the
        forecast was, how far off it would have been to expect no change, and how often what came
        was inside, below and above the band.

        Returns
        -------
        DataFrame
            account_id, name, kind, days, times, error_cents, error, unchanged_error_cents,
            unchanged_error, inside, below, above, method.

        Examples
        --------
        >>> ledger.backtest(days=30)[["name", "days", "error", "inside"]]
        """
        accounts, certificate = self._read_accounts(), self.certificate()
        rows = self._categorize(whole=True)
        chosen = accounts[accounts["closed_at"].isna()]
        found = analysis.backtest(chosen, rows, now=self._seen_at(certificate), days=days)
        found = self._named(found, "name", rows)
        filters = {"days": days, "account": account}
        return self._marked(
            _of_account(found, account, self._known_accounts()), filters, certificate=certificate
        )

    def rules(
        self,
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        account: Words | None = None,
    ) -> pd.DataFrame:
        """Return which rule moved how much where, and how often it failed.

        See :func:`seqdata.analysis.rules`. Triggers are known of transfers whose details were
        fetched (``sync(details="all")``).

        Returns
        -------
        DataFrame
            trigger_type, trigger_cron, source_name, destination_name, transfers, moved_cents,
            moved, failed_transfers, failed_cents, failed, success, first_date, last_date,
            source_id, destination_id.

        Examples
        --------
        >>> ledger.rules()
        """
        since, until = self._said(since), self._said(until)
        filters: dict[str, Any] = {"since": since, "until": until, "account": account}
        settled = analysis.settle(self._rows(), self._read(Store.read_legs))
        rows = analysis.filter_transfers(settled, accounts=self._known_accounts(), **filters)
        return self._marked(analysis.rules(rows, self._read(Store.read_details)), filters)

    # -- inside -------------------------------------------------------------------------------

    def _seen_at(self, certificate: Certificate) -> datetime:
        """Say up to when the tables tell what happened, on the service's clock."""
        seen = certificate.last_sync_at or self._transfers()["created_at"].max()
        return pd.Timestamp(seen).to_pydatetime()

    def _categorize(
        self, category: Words | None = None, *, whole: bool = False, **filters: Any
    ) -> pd.DataFrame:
        """Return the transfers with when each settled and what it was for, filtered."""
        rows = self._categorized(whole=whole)
        if category is None and not any(value is not None for value in filters.values()):
            return rows
        found = analysis.filter_categories(rows, category)
        return analysis.filter_transfers(found, accounts=self._known_accounts(), **filters)

    def _rows(self) -> pd.DataFrame:
        """Return all transfers, each whole: the categorized ones where these are kept."""
        self._forget_stale()
        return self._kept[True].copy() if True in self._kept else self._transfers()

    def _forget_stale(self) -> Rules:
        """Forget what is kept of another state of the record or of the rules; return these."""
        rules = analysis.read_rules(self.categories_path)
        state = (rules, *(store.revision() for store in self._stores))
        if self._kept_state != state:
            self._kept, self._kept_state = {}, state
        return rules

    def _categorized(self, *, whole: bool) -> pd.DataFrame:
        """Categorize all transfers, once for each state of the record and of the rules."""
        rules = self._forget_stale()
        if whole not in self._kept:
            rows = analysis.categorize(
                analysis.settle(
                    self._transfers(), self._read(Store.read_legs), self._read(Store.read_history)
                ),
                self._known_accounts(),
                self._read(Store.read_annotations),
                rules,
                whole=whole,
            )
            self._kept[whole] = rows.reset_index(drop=True)
        # What the caller does with its frame, or says in its attrs, is none of ours.
        return self._kept[whole].copy()

    def _known_accounts(self) -> pd.DataFrame:
        """Read the accounts, with the names that each had before."""
        return with_former_names(self._read_accounts(), self._read(Store.read_account_names))

    def _category_words(self) -> tuple[pd.DataFrame, pd.DataFrame, Rules]:
        """Return what names categories: accounts, annotations and rules."""
        annotations = self._read(Store.read_annotations)
        return self._known_accounts(), annotations, analysis.read_rules(self.categories_path)

    def _repeating(self, certificate: Certificate) -> dict[str, Any]:
        """Return all categorized transfers, the moment, and what repeats in them."""
        rows, now = self._categorize(whole=True), self._seen_at(certificate)
        return {"rows": rows, "now": now, "series": self._last_series.of(rows, now)}

    def _project(self, accounts: pd.DataFrame, certificate: Certificate, days: int) -> pd.DataFrame:
        known, legs = self._repeating(certificate), self._read(Store.read_legs)
        found = analysis.projected_balances(
            accounts[accounts["closed_at"].isna()], **known, days=days, legs=legs
        )
        return self._named(found, "name", known["rows"])

    def _named(self, found: pd.DataFrame, column: str, rows: pd.DataFrame) -> pd.DataFrame:
        """Give accounts the names that they have in all tables; see shown_names."""
        names = found["account_id"].map(account_names(self._known_accounts(), rows))
        shown = names.astype("str").fillna(found[column].astype("str"))
        return found.assign(**{column: shown.astype(found[column].dtype)})


def _ids(account: Words, accounts: pd.DataFrame) -> list[str]:
    """Return the ids that are asked for, by a name of before too."""
    return analysis.find_account(account, known_names(None, accounts))


def _of_account(rows: pd.DataFrame, account: Words | None, accounts: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of one account; all where none is asked for."""
    if account is None:
        return rows
    ids = _ids(account, accounts)
    keep = rows["account_id"].isin(ids)
    if "other_id" in rows:
        keep |= rows["other_id"].isin(ids)
    return rows[keep].reset_index(drop=True)
