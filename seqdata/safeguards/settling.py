"""What the activity says about transfers whose outcome is not known, written down as it goes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from seqdata.core.text import one_line
from seqdata.exceptions import SettleRefused
from seqdata.safeguards import matching
from seqdata.safeguards.book import Book, Lives
from seqdata.safeguards.lives import (
    DENIED,
    SEARCHED,
    Life,
    OpenIntent,
    Searched,
    claimed_ids,
    intent_of,
)
from seqdata.safeguards.outcomes import Completed, Failed, Outcome, Returned, Settlement, Unknown
from seqdata.sources.base import Reading, Row
from seqdata.sources.vocabulary import RETURNED, State

#: How old an intent is, how many complete readings missed it, and how far apart these lie, all
#: by the service's clock, before it may be given up.
PATIENCE, READINGS, APART = timedelta(hours=24), 2, timedelta(minutes=5)


@dataclass(frozen=True)
class Decisions:
    """What a person decided about open transfers, by their intent ids.

    Parameters
    ----------
    chosen
        Which transfer of the service it is.
    denied
        None of those that it could be is the one.
    given_up
        It never happened.
    """

    chosen: dict[str, str] = field(default_factory=dict)
    denied: frozenset[str] = frozenset()
    given_up: frozenset[str] = frozenset()

    @property
    def intent_ids(self) -> set[str]:
        """The intents that something was decided about."""
        return {*self.chosen, *self.denied, *self.given_up}


@dataclass(frozen=True)
class Settling:
    """One run over one complete reading of the activity.

    `lives` are those of the server and organization that were read.
    """

    book: Book
    user: str
    lives: Lives
    reading: Reading
    decisions: Decisions

    def run(self, opened: Iterable[OpenIntent], refusals: list[SettleRefused]) -> list[Settlement]:
        """Settle each open intent; what cannot be settled as asked goes to the refusals."""
        done: dict[str, Settlement] = {}
        intents = list(opened)
        # A person's choice claims its transfer before anything else is told from what is left.
        for intent in sorted(intents, key=lambda one: one.id not in self.decisions.chosen):
            try:
                done[intent.id] = self._settled(intent)
            except SettleRefused as error:
                refusals.append(error)
        return [done[intent.id] for intent in intents if intent.id in done]

    def _settled(self, intent: OpenIntent) -> Settlement:
        rows, claimed = self.reading.rows, claimed_ids(self.lives)
        found = matching.assign(rows, self._rivals(intent), claimed)
        own, doubt = found[intent.id], matching.doubtful(rows, intent, claimed)
        if intent.id in self.decisions.chosen:
            return self._chosen(intent, [*matching.matches(rows, intent, claimed), *doubt])
        if intent.id in self.decisions.denied and (own or doubt):
            return self._denied(intent, [*own, *doubt])
        if intent.id in self.decisions.given_up and (own or doubt):
            raise SettleRefused(intent.id, f"it may be {_ids([*own, *doubt])}")
        if matching.is_sure(found, intent, doubt):
            return self._taken(intent, own[0])
        if own or doubt:
            count = len(own) + len(doubt)
            which = "a transfer that was found" if count == 1 else f"one of {count} transfers"
            why = f"it may be {which}, or none"
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
        transfer_id = self.decisions.chosen[intent.id]
        row = next((one for one in candidates if one["id"] == transfer_id), None)
        if row is None:
            choices = _ids(candidates) or "none"
            raise SettleRefused(
                intent.id, f"{transfer_id!r} is not one of its candidates: {choices}"
            )
        return self._taken(intent, row)

    def _denied(self, intent: OpenIntent, candidates: list[Row]) -> Settlement:
        """Note that a person knows these transfers to be others; then it was not found."""
        ids = [row["id"] for row in candidates]
        self._write(DENIED, intent.id, transfer_ids=ids)
        return self._not_found(intent_of(self.lives[intent.id]))

    def _not_found(self, intent: OpenIntent) -> Settlement:
        served_at = self.reading.served_at
        self._write(SEARCHED, intent.id, served_at=served_at.isoformat(), found=0)
        moments = self.lives[intent.id].readings  # this one included
        missing = _not_yet(intent, moments)
        if intent.id in self.decisions.given_up:
            if missing:
                raise SettleRefused(intent.id, missing)
            return self._failed(intent)
        noun = "complete reading" if len(moments) == 1 else "complete readings"
        next_step = missing or "a person may call it failed now"
        why = f"not found in {len(moments)} {noun} of the activity; {next_step}"
        return Settlement(intent, Unknown(why, intent.id), may_be_assumed_failed=not missing)

    def _taken(self, intent: OpenIntent, row: Row) -> Settlement:
        """Take a transfer for the intent's: it was accepted, and may have failed since."""
        outcome = outcome_shown_by(row, intent.id)
        facts = {
            "transfer_id": row["id"],
            "service_status": row["status"],
            "arrived": outcome.arrived,
        }
        self._write("transfer_completed", intent.id, settled=True, **facts)
        if isinstance(outcome, Returned):
            write_returned(self.book, self.lives[intent.id], self.user, outcome)
        return Settlement(intent, outcome)

    def _failed(self, intent: OpenIntent) -> Settlement:
        reason = "it was not found after 24 hours, and a person gave it up"
        self._write("transfer_failed", intent.id, settled=True, error=reason)
        return Settlement(intent, Failed(reason, intent.id))

    def _write(self, event: str, intent_id: str, **facts: Any) -> None:
        self.book.write_about(self.lives[intent_id], event, self.user, **facts)


def outcome_shown_by(row: Row, intent_id: str) -> Completed | Returned:
    """Tell what an accepted transfer's own row says of it."""
    if row["state"] in RETURNED:
        reason = one_line(str(row["error_reason"] or ""))
        return Returned(row["id"], row["status"], reason, intent_id)
    return Completed(
        row["id"],
        intent_id=intent_id,
        arrived=row["state"] == State.SETTLED,
        service_status=row["status"],
    )


def outcome_logged(life: Life) -> Outcome | None:
    """Tell what the log says of a transfer that was sent; None where none was sent."""
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


def write_returned(book: Book, life: Life, user: str, outcome: Returned) -> None:
    """Write down that an accepted transfer failed at the service. Its amount stays counted."""
    book.write_about(
        life,
        "transfer_returned",
        user,
        transfer_id=outcome.transfer_id,
        service_status=outcome.service_status,
        error=outcome.reason or None,
    )


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
