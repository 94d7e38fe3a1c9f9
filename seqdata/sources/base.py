"""What is asked of a service, whichever it is: what a sync reads, and what the desk moves.

A source answers in our words, in rows (:mod:`seqdata.sources.rows`) with the columns of
:mod:`seqdata.sources.schemas`. What only it can say (which of its answers is a refusal, what its
statuses mean) is decided behind this border.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeAlias

from seqdata.core.logs import logger
from seqdata.core.text import format_cents, printable, quoted
from seqdata.exceptions import ServiceError, UnknownAccount
from seqdata.sources.vocabulary import OWN

log = logger(__name__)

# -- what a sync reads -------------------------------------------------------------------------


@dataclass
class Drift:
    """What the service sent that this version does not know, each once.

    Holds texts such as ``status=UNDER_REVIEW`` (kept as it is), ``amount_cents: str`` (read all
    the same), ``amount_cents: list, unreadable`` and ``status: missing`` (null in the tables), with
    how often; ``where`` has the id of the first thing that each was met in.
    """

    seen: dict[str, int] = field(default_factory=dict)
    where: dict[str, str] = field(default_factory=dict)

    def note(self, what: str, where: object) -> None:
        """Count a finding in a thing of this id; log its first appearance."""
        if what not in self.seen:
            log.info("new to seqdata, kept as sent: %s, in %s", what, where)
            self.where[what] = str(where)
        self.seen[what] = self.seen.get(what, 0) + 1


class Refused(Exception):  # it says what happened
    """A page was refused, and perhaps for its size or its cursor: only a trial can tell.

    Never seen outside: where the trial is refused too, ``error`` is raised.
    """

    def __init__(self, error: ServiceError) -> None:
        super().__init__(str(error))
        self.error = error


#: How much wider than a window a service is asked for.
MARGIN = timedelta(days=1)


@dataclass(frozen=True)
class Window:
    """A span of created_at, in UTC: from `since` on, before `until`; None is unbounded."""

    since: datetime | None = None
    until: datetime | None = None

    @property
    def asked(self) -> Window:
        """A day more at both ends: what a service is asked for, whose rounding is not known."""
        return Window(
            None if self.since is None else self.since - MARGIN,
            None if self.until is None else self.until + MARGIN,
        )


#: What the service said about the rows at these places: a list in JSON, without full
#: account numbers. It is kept as evidence, and made when it is asked for.
Bodies = Callable[[Sequence[int]], bytes]


@dataclass(frozen=True)
class Snapshot:
    """The accounts as they are (ACCOUNT_ROWS), with the balances that are known (BALANCES).

    `world` is which world it is of, where a sandbox says so.
    """

    accounts: Sequence[Row]
    balances: Sequence[Row]
    served_at: datetime
    world: str | None = None
    bodies: Bodies | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Page:
    """A page of transfers (TRANSFER_ROWS), newest first, and where the next one begins.

    `count` is the number of all transfers of the organization, where it was asked for and the
    service answers it; `count_refused` that it does not know that question.
    """

    rows: Sequence[Row]
    cursor: str
    has_next_page: bool
    served_at: datetime
    count: int | None = None
    count_refused: bool = False
    bodies: Bodies | None = field(default=None, repr=False)

    @property
    def moments(self) -> list[int]:
        """When its transfers were made, in their order, where that is known."""
        return [row["created_at"] for row in self.rows if "created_at" in row]


@dataclass(frozen=True)
class TransferDetails:
    """Transfers (TRANSFER_ROWS), and of each what made it (DETAILS, with its LEGS inside).

    `missing` are the ids that the service does not know (any more).
    """

    rows: Sequence[Row]
    details: Sequence[Row]
    served_at: datetime
    missing: tuple[str, ...] = ()
    bodies: Bodies | None = field(default=None, repr=False)


Delivery: TypeAlias = Snapshot | Page | TransferDetails


def lasting(stream: str, row: dict[str, Any]) -> dict[str, Any]:
    """Return a row without what may change while the thing itself does not, whoever says it.

    An own account's name inside a transfer is what it is called now, and is shown from the
    accounts; when details were fetched is no part of them.
    """
    left = {"fetched_at"} if stream == "details" else set()
    if stream == "transfers":
        ends = ("source", "destination")
        left = {f"{end}_name" for end in ends if row.get(f"{end}_party") in OWN}
    return {name: value for name, value in row.items() if name not in left}


class Reader(Protocol):
    """Reads again what was kept of answers, with today's understanding. Needs no network.

    `name` is the source's, as `read_from` says it.
    """

    name: str

    def read_again(self, stream: str, said: Sequence[Any]) -> list[dict[str, Any]]:
        """Read what was said of a stream into rows, as :mod:`seqdata.sources.rows` has them."""


class Source(Reader, Protocol):
    """What a sync asks for.

    `drift` is what was not expected; `page_sizes` are asked for in their order, the largest
    first, until the service takes one.
    """

    organization_id: str
    drift: Drift
    page_sizes: tuple[int, ...]

    @property
    def requests(self) -> int:
        """Requests sent so far, repeats included."""

    def fetch_accounts(self) -> Snapshot:
        """Fetch all accounts and their balances now."""

    def fetch_page(self, window: Window, cursor: str, size: int, *, with_count: bool) -> Page:
        """Fetch one page; :class:`Refused` where its size or its cursor may be why not."""

    def fetch_details(self, transfer_ids: Sequence[str]) -> TransferDetails:
        """Fetch transfers with their details, in one request."""


# -- what the desk moves -----------------------------------------------------------------------

Row = dict[str, Any]


@dataclass(frozen=True)
class Account:
    """A pod, a port or an outside account (`kind`: pod, port, account) as it is now.

    `balance_cents` is None where the service does not say it, which is not zero; `institution`
    is where an outside account is held. `tail` is how many of the id's last letters tell it from
    all others, see :func:`told_apart`.
    """

    id: str
    name: str
    kind: str
    balance_cents: int | None
    can_be_source: bool
    institution: str | None = None
    tail: int = 4

    def __str__(self) -> str:
        return f"{self.kind} {quoted(self.name)}"

    @property
    def is_outside(self) -> bool:
        """Whether its money is not held by Sequence."""
        return self.kind == "account"

    def after(self, change_cents: int) -> int | None:
        """Return the balance after a change, in cents; None where it is not known."""
        return None if self.balance_cents is None else self.balance_cents + change_cents

    @property
    def label(self) -> str:
        """Its kind, name, institution and id, as a list of choices shows it."""
        return f"{self} ({self._at}{printable(self.id)})"

    @property
    def mark(self) -> str:
        """What tells it apart from one that looks like it: institution, the id's last letters."""
        return f"{self._at}…{printable(self.id[-self.tail :])}"

    @property
    def _at(self) -> str:
        return f"{printable(self.institution)}, " if self.institution else ""

    @property
    def balance(self) -> str:
        """The balance in dollars, or that it is not known."""
        return "unknown" if self.balance_cents is None else format_cents(self.balance_cents)


def told_apart(accounts: Iterable[Account]) -> list[Account]:
    """Let the mark of each account show so much of its id that no other one ends like it."""
    every = list(accounts)
    return [replace(one, tail=_tail(one.id, [other.id for other in every])) for one in every]


def _tail(own: str, ids: Sequence[str]) -> int:
    others = [other for other in ids if other != own]
    lengths = range(Account.tail, len(own))
    return next(
        (n for n in lengths if not any(other.endswith(own[-n:]) for other in others)), len(own)
    )


@dataclass(frozen=True)
class View:
    """The accounts as they are now, and the service's clock: None where it does not say."""

    organization_id: str
    accounts: list[Account]
    served_at: datetime | None
    is_sandbox: bool

    def account(self, account_id: str) -> Account:
        """Return an account by its id; UnknownAccount where it is gone."""
        for one in self.accounts:
            if one.id == account_id:
                return one
        raise UnknownAccount(account_id, sorted(one.label for one in self.accounts))


@dataclass(frozen=True)
class Payment:
    """What is to be moved: whole cents between two accounts."""

    source: Account
    destination: Account
    amount_cents: int
    note: str = ""
    instant: bool = False


@dataclass(frozen=True)
class Verdict:
    """What a service's answer to a payment proves.

    Parameters
    ----------
    kind
        "accepted"; "failed", which only the judging of a source may say: the payment never
        left, or was refused; "unknown" is everything else.
    why
        The reason of a failure, or why nothing is known.
    rows
        Transfers that the answer of an accepted payment showed, as :meth:`Mover.find` gives
        them.
    document
        The answer of an accepted payment, parsed.
    """

    kind: str
    why: str = ""
    rows: tuple[Row, ...] = field(default=(), repr=False)
    document: dict[str, Any] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Reading:
    """All transfers that the service shows since a moment, and when it showed them.

    A row has id, source_id, source_party, destination_id, destination_party, amount_cents,
    created_at, status, error_reason, ``state`` (open, settled, failed, cancelled,
    unknown) and ``by_hand`` (whether a person's program made it: True, False, or None where the
    service does not say).
    """

    rows: tuple[Row, ...]
    served_at: datetime


class Prepared(Protocol):
    """A payment of which all is there that sending it needs: nothing is asked for any more."""

    def send(self, why_not_now: Callable[[], str]) -> Verdict:
        """Send it, a single time, and judge what left and what came. Raises nothing.

        `why_not_now` is asked right before it leaves: what it says is why it does not.
        """


class Mover(Protocol):
    """A service that money can be moved through."""

    def accounts(self, organization_id: str | None) -> View:
        """Read the accounts with their balances."""

    def check(self, organization_id: str) -> None:
        """Raise where no payment can be prepared: something is not configured."""

    def prepare(self, payment: Payment, organization_id: str) -> Prepared:
        """Get ready what sending needs (a token, ids), before anything is written down."""

    def find(self, organization_id: str, since: datetime) -> Reading:
        """Read all transfers since a moment, completely, or raise."""

    def look_up(self, organization_id: str, transfer_ids: Sequence[str]) -> list[Row]:
        """Read transfers by their ids, reversals included; what is not there is left out."""

    def close(self) -> None:
        """Close the connections; may be called again."""


#: How long after a payment was accepted it is still asked what became of it.
WATCHED = timedelta(days=10)
