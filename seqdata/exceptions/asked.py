"""You asked wrongly: settings, arguments; and what was asked for is not there."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from seqdata.exceptions.base import SequenceError, choices_of, told


class ConfigurationError(SequenceError):
    """A setting is missing or cannot be used."""

    exit_code = 2


@told
class MissingSetting(ConfigurationError):
    """A setting that is needed now was not set."""

    name: str
    purpose: str
    hint: str = ""
    sentence = (
        "{name} is not set; it is needed for {purpose}. Set it in the environment or in the .env "
        "file of the data folder.{_hint}"
    )

    @property
    def _hint(self) -> str:
        return f" {self.hint}" if self.hint else ""


@told
class InvalidSetting(ConfigurationError):
    """A setting has a value that cannot be used. The value of a secret is not shown."""

    name: str
    expected: str
    got: str | None = None
    sentence = "{name} cannot be used: expected {expected}{_got}."

    @property
    def _got(self) -> str:
        return "" if self.got is None else f", got {self.got!r}"


@told
class FolderNotOwn(ConfigurationError):
    """What would be the data folder is not the user's alone, and none is named."""

    folder: Path
    reason: str
    is_above: bool = False
    sentence = (
        "{_what}: {reason}. Nothing was read or written. {_remedy}, or name a folder in "
        "SEQUENCE_DATA_DIR."
    )

    @property
    def _what(self) -> str:
        if self.is_above:
            return f"Your audit log and limits lie above, and {self.folder} is not yours alone"
        return f"No data folder was found, and {self.folder}, where you are, is not taken as one"

    @property
    def _remedy(self) -> str:
        return "Mend that" if self.is_above else "Go to a folder of your own"


class UsageError(SequenceError, ValueError):
    """An argument cannot be used."""

    exit_code = 2


@told
class InvalidAmount(UsageError):
    """An amount of money that is no exact number of cents."""

    amount: object
    sentence = "{amount!r} {_why}"

    @property
    def _why(self) -> str:
        if isinstance(self.amount, float):
            is_money = math.isfinite(self.amount) and abs(self.amount) < 1e12
            example = f"{self.amount:.2f}" if is_money else "12.34"
            return (
                "is a float, and floats cannot hold cents exactly. "
                f'Give the amount as text ("{example}"), as a Decimal, or in whole cents.'
            )
        if isinstance(self.amount, int):
            return (
                "cannot be used as an amount. Where cents are asked for, give "
                'a positive whole number; where dollars are, text ("12.34") or a Decimal.'
            )
        return (
            "is not an amount of dollars. Expected text such as "
            '"12.34" or "$1,234.56", with at most two decimals.'
        )


@told
class InvalidSplit(UsageError):
    """A transfer cannot be taken apart in this way."""

    transfer_id: str
    why: str
    sentence = (
        "{transfer_id} cannot be split: {why}. Expected two categories or more, each with an "
        "amount above zero, that add up to the transfer. Nothing was noted."
    )


@told
class InvalidMoment(UsageError):
    """A date or time that cannot be read."""

    value: object
    sentence = (
        "{value!r} is not a date. Expected a date or datetime, or text such as "
        '"2026-11", "2026-11-23", "2026-11-23T09:30", "2026-Q3", "last month", "October" or '
        '"12 months".'
    )


@told
class InvalidFilter(UsageError):
    """A filter names something that does not exist; the choices are listed."""

    name: str
    value: object
    choices: Sequence[str] = ()
    sentence = "{name}={value!r} cannot be used.{_choices}"

    @property
    def _choices(self) -> str:
        return choices_of(self.choices, self.value)


@told
class MissingColumns(UsageError):
    """A DataFrame lacks columns that a function works with."""

    table: str
    missing: Sequence[str]
    found: Sequence[str]
    source: str = ""
    sentence = "The table {table} lacks {_missing}; it has {_found}.{_source}"

    @property
    def _missing(self) -> str:
        return ", ".join(self.missing)

    @property
    def _found(self) -> str:
        return ", ".join(self.found) or "no columns"

    @property
    def _source(self) -> str:
        return f" {self.source} makes one that has them." if self.source else ""


@told
class DisguisedLedger(UsageError):
    """A share-safe ledger only shows; names and amounts in it are made up."""

    method: str
    sentence = (
        "{method} cannot be used on a share-safe ledger: its names, ids and amounts are disguised. "
        "Nothing was done. Use the ledger that it was made from."
    )


@told
class LedgerClosed(UsageError):
    """A ledger, or the transfer desk of one, is asked for something after it was closed."""

    what: str = "ledger"
    sentence = (
        "This {what} is closed, so nothing was read or sent. What was made of it stays; open "
        "another one for more (in a notebook: run the cells again)."
    )


@told
class InvalidEvent(UsageError):
    """An event has a key that the audit log cannot write."""

    key: str
    reason: str
    sentence = (
        "The key {key!r} cannot be written to the audit log: {reason}. Nothing was written. Use "
        "another name, and values that JSON knows."
    )


@told
class InvalidQuery(UsageError):
    """SQL that cannot be answered."""

    query: str
    reason: str
    sentence = (
        "The query cannot be answered: {_reason}. The tables are transfers, accounts, balances, "
        "details, legs, annotations and transfer_history."
    )

    @property
    def _reason(self) -> str:
        return self.reason.rstrip(".")


@told
class MissingExtra(UsageError):
    """An optional part of the package was asked for and is not installed."""

    what: str
    extra: str
    sentence = (
        "{what} needs the extra {extra!r}, which is not installed. Install it with: "
        "pip install 'seqdata[{extra}]'."
    )


# -- not there --------------------------------------------------------------------------------


class NotFound(SequenceError, LookupError):
    """What was asked for does not exist."""


@told
class UnknownOrganization(NotFound):
    """No such organization in this login, or several and none was chosen."""

    organization_id: str | None
    known: Iterable[str] = ()
    exit_code = 2
    sentence = "{_what}"

    @property
    def _what(self) -> str:
        if self.organization_id:
            start = f"This login has no organization {self.organization_id!r}."
        elif self.known:
            start = "This login has several organizations, and none was chosen."
        else:
            return "This login has no organization: the service listed none."
        if not self.known:
            return f"{start} Check SEQUENCE_ORG_ID and whose login this is."
        return (
            f"{start} It has: {', '.join(self.known)}. Set SEQUENCE_ORG_ID to one of them, or "
            'name it (--organization ID; "all" takes all of them).'
        )


@told
class UnknownAccount(NotFound):
    """No account of that name or id, or several.

    ``candidates`` are the choices: those that it can be (``ambiguous``), those whose name
    comes near (``near``), else all.
    """

    account: str
    candidates: Sequence[str] = ()
    ambiguous: bool = False
    near: bool = False
    exit_code = 2
    sentence = "{_what}"

    @property
    def _what(self) -> str:
        if self.ambiguous:
            return (
                f"{self.account!r} can mean more than one account. "
                f"Use an id instead.{choices_of(self.candidates)}"
            )
        if self.near:
            return (
                f"There is no account {self.account!r}. Did you mean "
                f"{' or '.join(self.candidates)}? A part of a name is not taken for it: give the "
                "whole name, or the id."
            )
        return f"There is no account {self.account!r}.{choices_of(self.candidates, self.account)}"


@told
class UnknownTransfer(NotFound):
    """No transfer with that id."""

    transfer_id: str
    sentence = "There is no transfer {transfer_id!r}. Check the id and the organization."
