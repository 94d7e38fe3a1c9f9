"""A ledger to show around: the same tables and charts, with names and amounts disguised."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from seqdata.analysis.accounts import known_names
from seqdata.analysis.balance.cash_flow import names_by as cash_flow_names
from seqdata.analysis.columns import widened
from seqdata.analysis.filters import filter_transfers, find_account, words_of
from seqdata.analysis.spend.spending import check_by
from seqdata.exceptions import (
    CorruptFile,
    DisguisedLedger,
    InvalidFilter,
    InvalidSetting,
    UnknownAccount,
)
from seqdata.ledger.disguise import Disguise
from seqdata.ledger.query import TABLES, ask, plain_filters, table_of

if TYPE_CHECKING:
    from seqdata.ledger.ledger import Ledger
    from seqdata.ledger.plots import LedgerPlots

#: What a ledger tells that can be disguised: its tables and analyses, by its own names.
DISGUISED = frozenset({*TABLES, *TABLES.values(), "backtest", "compare", "running_short"})

_SQL_TABLES = ("transfers", "accounts", "balances", "details", "legs", "annotations")


class ShareSafeLedger:
    """The tables, the analysis and the charts of a :class:`Ledger`, disguised for a picture.

    Made by :meth:`Ledger.share_safe`. Names, notes and ids are replaced consistently, and all
    amounts are multiplied by one secret whole number, so that shapes, ratios and sums stay exact.
    It has the methods of a ledger that read, by the same names; those that would change
    something, or tell of files and logins, are refused. Accounts are asked for by their
    made-up names ("Pod 3").

    This is a disguise for a picture, and no anonymity: dates, counts and ratios are true, and who
    knows one true amount knows them all.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        with _unquoted():
            self._disguise = Disguise(ledger.accounts, ledger.categorized())

    @property
    def plot(self) -> LedgerPlots:
        """The charts, as :attr:`Ledger.plot` draws them, of disguised tables."""
        from seqdata.ledger.plots import LedgerPlots

        return LedgerPlots(self, self._ledger.theme)

    def table(self, table: str = "transfers", **filters: Any) -> pd.DataFrame:
        """Return a table by its name, disguised; see :meth:`Ledger.table`."""
        return table_of(self, table, filters)

    def export(
        self,
        path: str | Path,
        table: str = "transfers",
        *,
        raw_text: bool = False,
        bom: bool = False,
        **filters: Any,
    ) -> Path:
        """Write a disguised table to a file; see :meth:`Ledger.export`.

        Its column ``disguised`` says what it is.
        """
        from seqdata.export import write_table

        return write_table(self.table(table, **filters), Path(path), raw_text=raw_text, bom=bom)

    def sql(self, query: str, **parameters: Any) -> pd.DataFrame:
        """Ask DuckDB about the disguised tables: transfers, accounts, balances, details, legs."""
        tables = {name: pa.Table.from_pandas(self.table(name)) for name in _SQL_TABLES}
        found = ask(tables, query, parameters, str(self.transfers["created_at"].dt.tz))
        found.attrs["seqdata"] = {"share_safe": True}
        return found

    def __repr__(self) -> str:
        rows = len(self._ledger.transfers)
        return f"Share-safe ledger: {rows:,} transfers, with names and amounts disguised"

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *DISGUISED})

    def __getattr__(self, name: str) -> Any:
        original = None if name.startswith("_") else getattr(type(self._ledger), name, None)
        if original is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        if name not in DISGUISED:
            raise DisguisedLedger(name)
        return self._shown(name, {}) if isinstance(original, property) else self._method(name)

    def _method(self, name: str) -> Callable[..., pd.DataFrame]:
        original: Callable[..., pd.DataFrame] = getattr(self._ledger, name)

        @wraps(original)
        def shown(*args: Any, **words: Any) -> pd.DataFrame:
            return self._shown(name, signature(original).bind(*args, **words).arguments)

        return shown

    # -- inside -------------------------------------------------------------------------------

    def _asked(self, words: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is to be asked of the true ledger for these words."""
        asked = dict(words)
        if asked.get("account") is not None:
            known = self._known()
            names = words_of("account", asked["account"])
            asked["account"] = [self._true_account(name, known) for name in names]
        if asked.get("category") is not None:
            asked["category"] = self._true_categories(asked["category"])
        return asked

    def _known(self) -> pd.DataFrame:
        return self._disguise.frame(known_names(self._ledger.transfers, self._ledger.accounts))

    def _true_account(self, account: str, known: pd.DataFrame) -> str:
        own_id = find_account(account, known)[0]
        name = known.loc[known["id"] == own_id, "name"].iloc[0]
        return self._disguise.true_account(own_id if own_id == account else str(name))

    def _true_categories(self, category: Any) -> list[str]:
        return [self._disguise.true_category(word) for word in words_of("category", category)]

    def _shown(self, method: str, words: Mapping[str, Any]) -> pd.DataFrame:
        asked = self._asked(words)
        text, wide = asked.pop("text", None), asked.pop("wide", False)
        try:
            with _unquoted():
                made = getattr(self._ledger, method)
                frame = self._disguise.frame(made(**asked) if callable(made) else made)
        except UnknownAccount:  # its message would list true names
            raise UnknownAccount(str(words.get("account")), []) from None
        except InvalidFilter as error:
            choices = [] if error.name in ("account", "category") else error.choices
            raise InvalidFilter(error.name, error.value, choices) from None
        if text is not None:
            facts, frame = frame.attrs["seqdata"], filter_transfers(frame, text=text)
            frame.attrs["seqdata"] = facts
        frame.attrs["seqdata"]["filters"] = plain_filters(words)
        return _widened(method, frame, words) if wide else frame


@contextmanager
def _unquoted() -> Iterator[None]:
    """Say of a file that cannot be read neither where it is nor what stands in it."""
    try:
        yield
    except (InvalidSetting, CorruptFile):
        raise InvalidSetting(
            "The ledger that this one is made from",
            "files that can be read; a table of its own says which one is not, and why",
        ) from None


def _widened(method: str, frame: pd.DataFrame, words: Mapping[str, Any]) -> pd.DataFrame:
    """Make a disguised table wide: before, its names would be columns, which are not replaced."""
    index, values, by = {
        "balance_history": ("date", "balance", ["name"]),
        "cash_flow": ("period", "net", cash_flow_names(words.get("by"), words.get("account"))),
        "spending": ("period", "spent", check_by(words.get("by", "category"))),
    }[method]
    return widened(frame, index, by, values)
