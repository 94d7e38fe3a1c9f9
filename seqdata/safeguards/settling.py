"""One run of settle: what the activity says about each transfer, written down as it goes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from seqdata.core.text import one_line
from seqdata.exceptions import SettleRefused
from seqdata.safeguards import matching
from seqdata.safeguards.journal import SEARCHED, Life, OpenIntent, Searched, claimed_ids, intent_of
from seqdata.safeguards.outcomes import Completed, Failed, Outcome, Returned, Settlement, Unknown
from seqdata.sources.base import FOLLOWED, Reading, Row

Lives = dict[str, Life]

#: How old an intent is, how many complete readings missed it, and how far apart these lie, all
#: by the service's clock, before it may be given up.
PATIENCE, READINGS, APART = timedelta(hours=24), 2, timedelta(minutes=5)


class Book(Protocol):
    """Where what was found is written: the desk's audit log and limits."""

    def note_found(self, event: str, life: Life, **facts: Any) -> None:
        """Write an event about an intent durably; a final one changes its reservation too."""


@dataclass
class Settling:
    """One run over one complete reading of the activity."""

    book: Book
    lives: Lives
    reading: Reading
    chosen: dict[str, str]
    given_up: set[str]

    def run(self, opened: Iterable[OpenIntent], refusals: list[SettleRefused]) -> list[Settlement]:
        """Settle each open intent; what cannot be settled as asked goes to the refusals."""
        done: dict[str, Settlement] = {}
        intents = list(opened)
        # A person's choice claims its transfer before anything else is told from what is left.
        for intent in sorted(intents, key=lambda one: one.id not in self.chosen):
            try:
                done[intent.id] = self._settled(intent)
            except SettleRefused as error:
                refusals.append(error)
        return [done[intent.id] for intent in intents if intent.id in done]

    def _settled(self, intent: OpenIntent) -> Settlement:
        rows, claimed = self.reading.rows, claimed_ids(self.lives)
        found = matching.assign(rows, self._rivals(intent), claimed)
        own, doubt = found[intent.id], matching.doubtful(rows, intent, claimed)
        if intent.id in self.chosen:
            return self._chosen(intent, [*matching.matches(rows, intent, claimed), *doubt])
        if intent.id in self.given_up and (own or doubt):
            raise SettleRefused(intent.id, f"it may be {_ids([*own, *doubt])}")
        if matching.is_sure(found, intent, doubt):
            return self._taken(intent, own[0])
        if own or doubt:
            why = f"it may be one of {len(own) + len(doubt)} transfers, or none"
            return Settlement(intent, Unknown(why, intent.id), matching.listed([*own, *doubt]))
        return self._not_found(intent)

    def _rivals(self, intent: OpenIntent) -> list[OpenIntent]:
        """List whom a transfer could belong to: open intents, and those accepted without id."""
        lives = [
            life
            for life in self.lives.values()
            if life.is_open or (life.state == "completed" and life.transfer_id is None)
        ]
        others = [intent_of(life) for life in lives if life.requested is not None]
        return [one for one in others if one.key == intent.key]

    def _chosen(self, intent: OpenIntent, candidates: list[Row]) -> Settlement:
        transfer_id = self.chosen[intent.id]
        row = next((one for one in candidates if one["id"] == transfer_id), None)
        if row is None:
            choices = _ids(candidates) or "none"
            raise SettleRefused(
                intent.id, f"{transfer_id!r} is not one of its candidates: {choices}"
            )
        return self._taken(intent, row)

    def _not_found(self, intent: OpenIntent) -> Settlement:
        served_at = self.reading.served_at
        self._write(SEARCHED, intent.id, served_at=served_at.isoformat(), found=0)
        moments = self.lives[intent.id].readings  # this one included
        missing = _not_yet(intent, moments)
        if intent.id in self.given_up:
            if missing:
                raise SettleRefused(intent.id, missing)
            return self._failed(intent)
        noun = "complete reading" if len(moments) == 1 else "complete readings"
        why = f"not found in {len(moments)} {noun} of the activity"
        return Settlement(intent, Unknown(why, intent.id), may_be_assumed_failed=not missing)

    def _taken(self, intent: OpenIntent, row: Row) -> Settlement:
        """Take a transfer for the intent's: it was accepted, and may have failed since."""
        outcome = outcome_of(row, intent.id)
        facts = {
            "transfer_id": row["id"],
            "service_status": row["status"],
            "arrived": outcome.arrived,
        }
        self._write("transfer_completed", intent.id, settled=True, **facts)
        if isinstance(outcome, Returned):
            write_returned(self.book, self.lives[intent.id], outcome)
        return Settlement(intent, outcome)

    def _failed(self, intent: OpenIntent) -> Settlement:
        reason = "it was not found after 24 hours, and a person gave it up"
        self._write("transfer_failed", intent.id, settled=True, error=reason)
        return Settlement(intent, Failed(reason, intent.id))

    def _write(self, event: str, intent_id: str, **facts: Any) -> None:
        self.book.note_found(event, self.lives[intent_id], **facts)


# -- what became of the accepted ones ---------------------------------------------------------


def is_followed(life: Life, now: datetime) -> bool:
    """Tell whether an accepted transfer is young enough to fail yet, by the service's clock."""
    return life.state == "completed" and now - intent_of(life).sent_at <= FOLLOWED


def outcome_of(row: Row, intent_id: str) -> Completed | Returned:
    """Tell what an accepted transfer's own row says of it."""
    if row["state"] == "failed":
        reason = one_line(str(row["error_reason"] or ""))
        return Returned(row["id"], row["status"], reason, intent_id)
    return Completed(
        row["id"],
        intent_id=intent_id,
        arrived=row["state"] == "settled",
        service_status=row["status"],
    )


def follow(book: Book, life: Life, row: Row) -> Settlement | None:
    """Write down that an accepted transfer failed at the service; None where it did not."""
    outcome = outcome_of(row, life.intent_id)
    if not isinstance(outcome, Returned):
        return None
    intent = intent_of(life)
    write_returned(book, life, outcome)
    return Settlement(intent, outcome)


def write_returned(book: Book, life: Life, outcome: Returned) -> None:
    """Write down that an accepted transfer failed at the service. Its amount stays counted."""
    book.note_found(
        "transfer_returned",
        life,
        transfer_id=outcome.transfer_id,
        service_status=outcome.service_status,
        error=outcome.reason or None,
    )


def known_outcome(life: Life) -> Outcome | None:
    """Return what the log says became of a transfer that was sent; None where none was sent."""
    if life.requested is None:
        return None
    if life.state == "returned":
        return Returned(life.transfer_id, life.service_status, life.why, life.intent_id)
    if life.state == "failed":
        return Failed(life.why, life.intent_id)
    if life.state == "completed":
        return Completed(
            life.transfer_id,
            life.why_no_id,
            life.intent_id,
            arrived=life.arrived,
            service_status=life.service_status,
        )
    return Unknown(life.why or "it was interrupted", life.intent_id)


def _not_yet(intent: OpenIntent, readings: Sequence[Searched]) -> str:
    """Say what is missing before an intent may be given up; "" where nothing is.

    Of a real service both clocks have to agree that time has passed: its own and ours.
    """
    last = readings[-1]
    ages = [last.served_at - intent.sent_at]
    spans = [_span(one.served_at for one in readings)]
    if not intent.is_sandbox:
        ages.append(last.read_at - intent.written_at)
        spans.append(_span(one.read_at for one in readings))
    if min(ages) < PATIENCE:
        return "it is younger than 24 hours, and may still appear"
    if len(readings) < READINGS:
        return f"{len(readings)} complete reading did not find it, and {READINGS} are needed"
    if min(spans) < APART:
        minutes = APART.seconds // 60
        return f"the readings that did not find it lie less than {minutes} minutes apart"
    return ""


def _span(moments: Iterable[datetime]) -> timedelta:
    known = list(moments)
    return max(known) - min(known)


def _ids(rows: Iterable[Row]) -> str:
    return ", ".join(str(row["id"]) for row in rows)
