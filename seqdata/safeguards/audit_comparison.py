"""The audit log against the transfers of the service, both ways. Tables in, findings out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from seqdata.core.text import format_cents, printable
from seqdata.safeguards.lives import Life, read_lives
from seqdata.sources.vocabulary import Kind

Row = Mapping[str, Any]

#: How far the clock of the service may be behind the one of this machine.
CLOCK_SLACK = timedelta(minutes=2)

#: Kinds of findings, and what each means.
KINDS = {
    "unlogged": "a one-time transfer that the log does not know: made elsewhere, or a lost line",
    "missing": "logged as completed, and the service has no such transfer",
    "removed": "logged as completed, and the service does not show it any more",
    "differs": "the service has it with another amount than was logged",
    "open": "sent, and it is not known what became of it: seqdata transfer settle",
}


@dataclass(frozen=True)
class Finding:
    """One difference between the log and the service; `kind` is a key of :data:`KINDS`."""

    kind: str
    at: datetime | None
    amount_cents: int | None = None
    source: str | None = None
    destination: str | None = None
    transfer_id: str | None = None
    intent_id: str | None = None
    detail: str = ""

    def __str__(self) -> str:
        amount = "an unknown amount" if self.amount_cents is None else format_cents(
            self.amount_cents
        )  # fmt: skip
        parties = f"from {self.source or 'unknown'} to {self.destination or 'unknown'}"
        which = self.transfer_id or self.intent_id or "no id"
        detail = f" ({self.detail})" if self.detail else ""
        return printable(f"{self.kind}: {amount} {parties}, {which}{detail}")


@dataclass(frozen=True)
class Reconciliation:
    """How the log and the service agree.

    Parameters
    ----------
    since
        One-time transfers from here on should stand in the log; None where it is empty.
    agreed
        How many logged transfers the service has just so.
    waiting
        How many are newer than the last sync, so that nothing can be said of them.
    """

    since: datetime | None
    agreed: int = 0
    waiting: int = 0
    findings: tuple[Finding, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values; moments are ISO."""
        found = [{**asdict(one), "at": one.at and one.at.isoformat()} for one in self.findings]
        since = self.since and self.since.isoformat()
        return {"since": since, "agreed": self.agreed, "waiting": self.waiting, "findings": found}

    def __str__(self) -> str:
        waiting = f", {self.waiting} wait for the next sync" if self.waiting else ""
        noun = "transfer agrees" if self.agreed == 1 else "transfers agree"
        return f"{self.agreed} logged {noun}, {len(self.findings)} do not{waiting}."


@dataclass
class Intent:
    """What the log says of one transfer: its facts, and "open", "completed" or "failed"."""

    asked_at: datetime | None
    state: str = "open"
    facts: dict[str, Any] = field(default_factory=dict)

    def get(self, name: str) -> Any:
        """Return a fact, or None."""
        return self.facts.get(name)


def read_intents(entries: Iterable[Row], foreign: Iterable[Row] = ()) -> list[Intent]:
    """Gather the entries of each transfer that was sent.

    All move by the rules of :func:`seqdata.safeguards.lives.read_lives`; what other programs
    wrote (`foreign`) says nothing of the desk's own. Those that log no ``intent_id``, or no
    request, are taken by their ``transfer_completed`` alone. ``served_at``, the time of the
    service, counts before this machine's.
    """
    own = [dict(entry) for entry in entries]
    lives = read_lives(own)
    theirs = [dict(entry) for entry in foreign if entry.get("intent_id") not in lives]
    lives |= read_lives(theirs)
    sent = {key: life for key, life in lives.items() if life.requested is not None}
    others: dict[Any, Intent] = {}
    for number, entry in enumerate([*own, *theirs]):
        named = entry.get("intent_id")
        if entry.get("event_type") == "transfer_completed" and named not in sent:
            key = named if isinstance(named, str) else number
            others[key] = Intent(_asked_at(entry), "completed", entry)
    return [*map(_intent, sent.values()), *others.values()]


def _intent(life: Life) -> Intent:
    facts = {name: value for name, value in (life.requested or {}).items() if value is not None}
    if life.transfer_id is not None:
        facts["transfer_id"] = life.transfer_id
    state = "open" if life.is_open else "failed" if life.state == "failed" else "completed"
    return Intent(_asked_at(facts), state, facts)


def _asked_at(entry: Row) -> datetime | None:
    return _moment(entry.get("served_at")) or _moment(entry.get("timestamp"))


def reconcile(
    entries: Sequence[Row],
    transfers: Iterable[Row],
    *,
    foreign: Sequence[Row] = (),
    since: datetime | None = None,
    synced_at: datetime | None = None,
    organization_id: str | None = None,
) -> Reconciliation:
    """Compare what was logged with what the service has.

    Parameters
    ----------
    entries
        Of the audit log, oldest first: the desk's own.
    foreign
        Those of other programs.
    transfers
        Rows of the transfers' table, removed ones too: id, created_at (with a zone),
        amount_cents, source_id, source_name, destination_id, destination_name, kind, removed_at.
    since
        From when on each one-time transfer should be logged; by default the first entry.
    synced_at
        When the rows were read. What was logged later waits; without it, all does.
    organization_id
        Whose rows they are; entries that name another organization are passed over.
    """
    mine = [one for one in entries if _is_of(one, organization_id)]
    theirs = [one for one in foreign if _is_of(one, organization_id)]
    begun = since or _first_moment([*mine, *theirs])
    work = _Work(list(transfers), synced_at)
    intents = sorted(read_intents(mine, theirs), key=lambda one: one.get("transfer_id") is None)
    for intent in intents:  # those with an id claim theirs before the others look for one
        work.judge(intent)
    work.find_unlogged(begun)
    found = sorted(work.findings, key=lambda one: one.at or datetime.min.replace(tzinfo=UTC))
    return Reconciliation(begun, work.agreed, work.waiting, tuple(found))


class _Work:
    def __init__(self, rows: list[Row], synced_at: datetime | None) -> None:
        self.rows = {row["id"]: row for row in rows}
        self.one_time = [row for row in rows if row.get("kind") == Kind.BY_HAND]
        self.synced_at = synced_at
        self.claimed: set[Any] = set()
        self.findings: list[Finding] = []
        self.agreed = self.waiting = 0

    def judge(self, intent: Intent) -> None:
        if intent.state == "failed":
            return
        row = self._row_of(intent)
        if row is not None:
            self.claimed.add(row["id"])
        if intent.state == "open":
            like = f"one like it is there: {row['id']}" if row else "none like it is there"
            self._find("open", intent, like)
        elif row is None:
            self._judge_absent(intent)
        elif row.get("removed_at") is not None:
            self._find("removed", intent)
        elif row["amount_cents"] != intent.get("amount_cents"):
            self._find("differs", intent, _other_amount(row))
        else:
            self.agreed += 1

    def _row_of(self, intent: Intent) -> Row | None:
        if intent.get("transfer_id") is not None:
            return self.rows.get(intent.get("transfer_id"))
        fitting = (row for row in self.one_time if row["id"] not in self.claimed
                   and _is_like(intent, row))  # fmt: skip
        return min(fitting, key=lambda row: row["created_at"], default=None)

    def _judge_absent(self, intent: Intent) -> None:
        asked_at = intent.asked_at
        if self.synced_at is None or asked_at is None or asked_at > self.synced_at - CLOCK_SLACK:
            self.waiting += 1
        else:
            self._find("missing", intent)

    def _find(self, kind: str, intent: Intent, detail: str = "") -> None:
        names = ("amount_cents", "source", "destination", "transfer_id", "intent_id")
        facts = {name: intent.get(name) for name in names}
        self.findings.append(Finding(kind, intent.asked_at, detail=detail, **facts))

    def find_unlogged(self, begun: datetime | None) -> None:
        """List the one-time transfers that no intent has claimed."""
        for row in self.one_time:
            at = row["created_at"]
            is_due = begun is not None and at is not None and at >= begun
            if is_due and row["id"] not in self.claimed and row.get("removed_at") is None:
                parties = row.get("source_name"), row.get("destination_name")
                self.findings.append(
                    Finding("unlogged", at, row["amount_cents"], *parties, row["id"])
                )


def _is_of(entry: Row, organization_id: str | None) -> bool:
    named = entry.get("organization_id")
    return named is None or organization_id is None or named == organization_id


def _is_like(intent: Intent, row: Row) -> bool:
    at = row["created_at"]
    if at is None or intent.asked_at is None or at < intent.asked_at - CLOCK_SLACK:
        return False
    parties = all(_is_party(intent, row, end) for end in ("source", "destination"))
    return parties and row["amount_cents"] == intent.get("amount_cents")


def _is_party(intent: Intent, row: Row, end: str) -> bool:
    logged_id, row_id = intent.get(f"{end}_id"), row.get(f"{end}_id")
    if logged_id is not None and row_id is not None:
        return bool(logged_id == row_id)
    return bool(intent.get(end) == row.get(f"{end}_name"))


def _other_amount(row: Row) -> str:
    cents = row["amount_cents"]
    return "the service says no amount" if cents is None else f"there: {format_cents(cents)}"


def _first_moment(entries: Iterable[Row]) -> datetime | None:
    moments = (_moment(entry.get("timestamp")) for entry in entries)
    return min((moment for moment in moments if moment is not None), default=None)


def _moment(text: object) -> datetime | None:
    """Read the timestamp of an entry; another program's may be anything."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
