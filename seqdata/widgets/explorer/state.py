"""What an explorer is asked for: the filters and the order, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any

from seqdata.analysis.filters import Words
from seqdata.core.moments import Moment
from seqdata.exceptions import InvalidFilter, InvalidMoment, NotFound


@dataclass(frozen=True)
class Filters:
    """The words of :meth:`Ledger.categorized`; None filters nothing."""

    since: Moment | None = None
    until: Moment | None = None
    account: str | None = None
    direction: Words | None = None
    state: Words | None = None
    status: Words | None = None
    category: Words | None = None
    text: str | None = None

    def changed(self, changes: Mapping[str, Any]) -> Filters:
        """Return these filters with some changed; a blank text takes a filter away.

        Raises
        ------
        InvalidFilter
            There is no such filter.
        """
        for name in changes:
            if name not in FILTERS:
                raise InvalidFilter("filter", name, list(FILTERS))
        return replace(self, **{name: _plain(value) for name, value in changes.items()})

    def given(self) -> dict[str, Any]:
        """Return the filters that filter something, by name."""
        found = {name: getattr(self, name) for name in FILTERS}
        return {name: value for name, value in found.items() if value is not None}

    def shown(self) -> dict[str, str]:
        """Return each filter as the text of its control; "" where there is none."""
        given = self.given()
        return {name: _shown(given.get(name)) for name in FILTERS}


#: The names of all filters.
FILTERS = tuple(field.name for field in fields(Filters))


@dataclass(frozen=True)
class Column:
    """A column of the table: `key` is what it is sorted by, `label` what stands above it."""

    key: str
    label: str


COLUMNS = (
    Column("created_at", "Date"),
    Column("source_name", "From"),
    Column("destination_name", "To"),
    Column("amount", "Amount"),
    Column("state", "State"),
    Column("category", "Category"),
    Column("description", "Note"),
)


@dataclass(frozen=True)
class Sort:
    """The column that the rows are sorted by, and which way; what is missing comes last.

    Raises
    ------
    InvalidFilter
        The table has no such column.
    """

    column: str = "created_at"
    descending: bool = True

    def __post_init__(self) -> None:
        keys = [column.key for column in COLUMNS]
        if self.column not in keys:
            raise InvalidFilter("column", self.column, keys)


@dataclass(frozen=True)
class Asked:
    """All that a person asked for; the version counts the changes.

    `mark` is what a browser called the newest filters that came from one: its controls follow
    an answer with its newest mark, and not the answers to what was asked before that.
    """

    filters: Filters = Filters()
    sort: Sort = Sort()
    version: int = 0
    mark: str = ""


def field_of(error: Exception, filters: Filters) -> str:
    """Name the filter that an error is about; "" where it is about none."""
    if isinstance(error, InvalidFilter) and error.name in FILTERS:
        return error.name
    if isinstance(error, NotFound) and filters.account is not None:
        return "account"
    if isinstance(error, InvalidMoment):
        bounds = [name for name in ("since", "until") if getattr(filters, name) is not None]
        return next((n for n in bounds if getattr(filters, n) == error.value), bounds[0])
    return ""


def pretty(word: str) -> str:
    """Write a word of the service for reading: ``"UNDER_REVIEW"`` is "Under review"."""
    return word.replace("_", " ").capitalize()


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value.strip() or None
    if value is None or isinstance(value, date):
        return value
    return tuple(value) or None


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return ", ".join(value) if isinstance(value, tuple) else str(value)
