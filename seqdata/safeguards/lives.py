"""The life of each transfer of the desk, from staged to an outcome, and what it uses of a day.

The audit log is the authority: a life moves by entries that the desk's own writer marked, in an
order that a transfer can have, and by nothing else. The limits file follows it. What only the
limits file knows (the log was lost, or an old one was put back) was sent, as far as anybody knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from seqdata.core.moments import parse_timestamp
from seqdata.core.shown import Shown
from seqdata.core.text import format_cents, printable
from seqdata.safeguards.audit import ACKNOWLEDGED, Entry
from seqdata.safeguards.chain import OUT_OF_PLACE
from seqdata.safeguards.limits import DailyRecords

#: Events that say where a transfer stands.
STATES = {
    "transfer_confirmed": "confirmed",
    "transfer_staged": "staged",
    "transfer_cancelled": "cancelled",
    "transfer_expired": "expired",
    "transfer_requested": "requested",
    "transfer_unknown": "unknown",
    "transfer_completed": "completed",
    "transfer_failed": "failed",
    "transfer_returned": "returned",
}

#: When something was written of which no moment is known.
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)

#: A complete reading of the activity that did not find the transfer.
SEARCHED = "transfer_searched"

#: A person said that none of certain transfers of the service is the one.
DENIED = "transfer_denied"

#: A dry run, from its request to its end, stands under keys of its own: it is no intent.
DRY_RUN = "dry_run"

_OPEN = ("requested", "unknown")

#: From which states an event moves a transfer. That it was sent, or arrived, counts wherever it
#: stands: a line before it may be lost, and a program that was stopped may have gone on. That it
#: was given up counts only where nothing says more.
_ANY_BUT_THERE = {"", *STATES.values()} - {"completed", "returned"}
_FROM = {
    "staged": {""},
    "confirmed": {"staged", "confirmed"},
    "cancelled": {"staged", "confirmed"},
    "expired": {"staged", "confirmed"},
    "requested": _ANY_BUT_THERE - {"requested", "unknown"},
    "unknown": _ANY_BUT_THERE,
    "completed": _ANY_BUT_THERE,
    "failed": {"", "staged", "confirmed", "requested", "unknown"},
    "returned": {"completed", "unknown"},
}

#: What a line that stands out of its place in the chain (a copied one, or one of another log) can
#: still tell: that money may have moved.
_TELLS_OUT_OF_PLACE = {"transfer_requested", "transfer_unknown", "transfer_completed",
                       "transfer_returned"}  # fmt: skip


@dataclass(frozen=True)
class Searched:
    """When a complete reading did not find a transfer: by the service's clock, and by ours."""

    served_at: datetime
    read_at: datetime

    @classmethod
    def of(cls, entry: Entry) -> Searched:
        """Read it from the entry of the reading."""
        ours = _moment(entry.get("timestamp")) or LONG_AGO
        return cls(_moment(entry.get("served_at")) or ours, ours)


def _ended_at(entry: Entry) -> datetime | None:
    """Return when a sending ended, of the entry that says so."""
    is_end = entry.get("event_type") == "transfer_unknown"
    return _moment(entry.get("timestamp")) if is_end else None


@dataclass
class Life:
    """What the log says about one staged transfer; `line` numbers count entries."""

    intent_id: str
    staged: Entry | None = None
    staged_line: int = -1
    requested: Entry | None = None
    requested_line: int = -1
    confirmed_seq: Any = None
    state: str = ""
    transfer_id: str | None = None
    why: str = ""
    why_no_id: str = ""
    service_status: str | None = None
    arrived: bool = False
    ended_at: datetime | None = None
    readings: list[Searched] = field(default_factory=list)
    not_its_own: set[str] = field(default_factory=set)

    @property
    def is_open(self) -> bool:
        """Whether it was sent, and its outcome is not known."""
        return self.requested is not None and self.state in _OPEN

    def expire(self) -> None:
        """Take note that what is not sent yet cannot be sent any more."""
        if self.state in ("staged", "confirmed"):
            self.state = "expired"

    def take(self, entry: Entry, line: int) -> None:
        """Take the next entry about it into account; one that cannot come now changes nothing."""
        event = str(entry.get("event_type"))
        if event == SEARCHED:
            self.readings.append(Searched.of(entry))
        if event == DENIED:
            self.not_its_own |= {str(one) for one in entry.get("transfer_ids") or ()}
        state = STATES.get(event)
        if state is None or self.state not in _FROM[state]:
            return
        if state == "staged":
            self.staged, self.staged_line = entry, line
        elif state == "confirmed":
            self.confirmed_seq = entry.get("seq")
        elif state in ("completed", "returned", "unknown") and self.requested is None:
            # Its request is lost: it counts, for the day on which it was sent.
            sent_at = entry.get("requested_at") or entry.get("timestamp")
            self.requested, self.requested_line = {**entry, "timestamp": sent_at}, line
        elif state == "requested":
            self.requested, self.requested_line = entry, line
        self.state = state
        self.transfer_id = entry.get("transfer_id") or self.transfer_id
        self.why = str(entry.get("error") or "")
        self.why_no_id = str(entry.get("why_no_id") or "")
        self.arrived = entry.get("arrived") is True
        self.ended_at = self.ended_at or _ended_at(entry)
        self.service_status = entry.get("service_status") or self.service_status


def read_lives(entries: Iterable[Entry]) -> dict[str, Life]:
    """Read the desk's own entries into the lives of the transfers they speak of.

    Where a person accepted a broken log, lines may be missing before: what was staged there and
    not sent may have been sent, or given up. It cannot be confirmed any more.
    """
    lives: dict[str, Life] = {}
    for line, entry in enumerate(entries):
        if entry.get("event_type") == ACKNOWLEDGED:
            for life in lives.values():
                life.expire()
        intent_id = entry.get("intent_id")
        is_told = not entry.get(OUT_OF_PLACE) or entry.get("event_type") in _TELLS_OUT_OF_PLACE
        if isinstance(intent_id, str) and not entry.get(DRY_RUN) and is_told:
            lives.setdefault(intent_id, Life(intent_id)).take(entry, line)
    return lives


def join_reservations(lives: dict[str, Life], records: DailyRecords) -> None:
    """Add to the lives what the limits file alone knows.

    A reservation whose transfer was never requested, as the log has it, was sent all the same,
    as far as anybody knows: the log may be an older one that was put back. Only where the log
    ends for it with the very confirm that made the reservation, and the reservation was never
    marked as requested, was it never sent: the program died.
    """
    for key, entry in records.entries():
        intent_id = entry.get("intent_id")
        if not isinstance(intent_id, str):
            continue
        life = lives.setdefault(intent_id, Life(intent_id))
        held = str(entry.get("state"))
        if life.requested is not None:
            continue
        died_before = (
            life.state == "confirmed"
            and held == "reserved"
            and entry.get("confirmed_seq") == life.confirmed_seq
        )
        if life.state != "failed" and not died_before:
            known = {"user_id": key, **entry, **(life.staged or {})}
            # The day that counts is the one of the sending.
            sent = {name: entry[name] for name in ("timestamp", "zone") if name in entry}
            life.requested = known | sent
            if life.state not in ("completed", "returned"):
                life.state = held if held in ("unknown", "completed", "returned") else "requested"
            life.transfer_id = life.transfer_id or _own_id(entry)


def _own_id(entry: Entry) -> str | None:
    known = entry.get("transfer_id")
    return known if isinstance(known, str) and not known.startswith("staged:") else None


@dataclass(frozen=True, repr=False)
class OpenIntent(Shown):
    """A transfer that was sent, and of which it is not known whether it moved money.

    `sent_at` is the service's time before it was sent. `readings` is how many complete
    readings of the activity did not find it, `searched` when. `written_at` is this machine's time
    before it was sent, `sending` how long that took, where it is known. `not_its_own` are transfers
    of the service of which a person said that they are others.
    """

    id: str
    user: str
    amount_cents: int
    source: str
    destination: str
    source_id: str
    destination_id: str
    note: str
    sent_at: datetime
    organization_id: str
    app_url: str
    why: str
    readings: int
    searched: tuple[Searched, ...] = ()
    written_at: datetime = LONG_AGO
    sending: timedelta | None = None
    is_sandbox: bool = False
    not_its_own: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"{self.what}: {printable(self.why) or 'interrupted'}"

    @property
    def what(self) -> str:
        """What was sent, when, and under which id."""
        source, destination = printable(self.source), printable(self.destination)
        return (
            f"{format_cents(self.amount_cents)} from {source} to {destination}, sent "
            f"{self.sent_at:%Y-%m-%d %H:%M} UTC ({self.id})"
        )

    @property
    def key(self) -> tuple[str, str, int]:
        """What a transfer of the service has in common with it: the parties and the amount."""
        return (self.source_id, self.destination_id, self.amount_cents)


def intent_of(life: Life) -> OpenIntent:
    """Read what was sent from the entry of its request."""
    entry: Mapping[str, Any] = life.requested or {}
    written_at = _moment(entry.get("timestamp")) or LONG_AGO
    cents = entry.get("amount_cents")
    words = ("source", "destination", "source_id", "destination_id", "organization_id", "app_url")
    return OpenIntent(
        id=life.intent_id,
        user=str(entry.get("user_id", "")),
        amount_cents=cents if type(cents) is int else 0,
        note=str(entry.get("note", "")),
        sent_at=_moment(entry.get("served_at")) or written_at,
        why=life.why,
        readings=len(life.readings),
        searched=tuple(life.readings),
        written_at=written_at,
        sending=None if life.ended_at is None else life.ended_at - written_at,
        is_sandbox=entry.get("is_sandbox") is True,
        not_its_own=frozenset(life.not_its_own),
        **{word: str(entry.get(word, "")) for word in words},
    )


def _moment(text: object) -> datetime | None:
    """Read a moment of an entry; one that no transfer can have is none."""
    moment = parse_timestamp(str(text))
    return moment if moment is not None and 2000 <= moment.year < 2200 else None


def claimed_ids(lives: Mapping[str, Life]) -> list[str]:
    """List the service's transfers that an intent has already."""
    ids = (life.transfer_id for life in lives.values())
    return [transfer_id for transfer_id in ids if transfer_id is not None]


def own_cents_since(lives: Mapping[str, Life], life: Life, user: str, source_id: str) -> int:
    """Sum what a user took from a source after a transfer was staged, or may have taken."""
    return sum(
        int(other.requested["amount_cents"])
        for other in lives.values()
        if other.requested is not None
        and other.requested_line > life.staged_line
        and other.state != "failed"
        and other.requested.get("user_id") == user
        and other.requested.get("source_id") == source_id
    )
