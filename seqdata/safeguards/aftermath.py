"""What becomes of transfers after they were sent: unknown ones, and those that were accepted.

Unknown outcomes are settled from a complete reading of the activity. Accepted transfers are
watched for ten days: until then they can fail at the service.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from seqdata.core.moments import parse_timestamp
from seqdata.exceptions import SequenceError, SettleRefused, UsageError
from seqdata.safeguards import matching
from seqdata.safeguards.book import Book, Lives
from seqdata.safeguards.lives import Life, OpenIntent, claimed_ids, intent_of
from seqdata.safeguards.outcomes import Failed, Outcome, Returned, Settlement
from seqdata.safeguards.scope import Scope
from seqdata.safeguards.settling import (
    Decisions,
    Settling,
    outcome_logged,
    outcome_shown_by,
    write_returned,
)
from seqdata.sources.base import WATCHED, Mover, Reading, Row
from seqdata.sources.vocabulary import FINAL


class Aftermath:
    """Finds out what became of the transfers of a scope, and writes it into the book."""

    def __init__(
        self, book: Book, mover: Mover, scope: Scope, clock: Callable[[], datetime]
    ) -> None:
        self._book, self._mover, self._scope, self._clock = book, mover, scope, clock

    # -- what the log says --------------------------------------------------------------------

    def open_intents(self) -> list[OpenIntent]:
        """Return the transfers that were sent and have no known outcome."""
        lives = self._book.lives_at_rest().values()
        return [intent_of(life) for life in lives if self._scope.has_open(life)]

    def returned(self) -> list[Settlement]:
        """Return the transfers of the last days that failed at the service after it took them."""
        return self._returned(self._book.lives_at_rest())

    def outcome_of(self, intent_id: str) -> Outcome | None:
        """Return what the log says became of a transfer; None where none was sent."""
        lives = self._book.lives_at_rest().values()
        life = next((one for one in lives if one.intent_id == intent_id), None)
        return None if life is None else outcome_logged(life)

    def watched_ids(self) -> list[str]:
        """Return the service's ids of the transfers that it accepted in the last days."""
        accepted = [life for life in self._book.lives().values() if self._is_watched(life)]
        return [life.transfer_id for life in accepted if life.transfer_id is not None]

    def underway(self, rows: Iterable[Row]) -> list[OpenIntent]:
        """Return accepted transfers of the last days that have not arrived, as rows say."""
        ended = {row["id"] for row in _listed_rows(rows) if row["state"] in FINAL}
        accepted = [one for one in self._book.lives_at_rest().values() if self._is_watched(one)]
        return [
            intent_of(life)
            for life in accepted
            if life.transfer_id not in ended and not life.arrived
        ]

    # -- what the service says ----------------------------------------------------------------

    def settle(self, decisions: Decisions) -> list[Settlement]:
        """Find out what became of open and of accepted transfers, from the activity.

        What cannot be read, or settled as asked, keeps nothing else from being settled; the
        error that says so carries what was found, as ``settled``.
        """
        with self._book.turn():
            lives = self._book.mended()
            here = {key: life for key, life in lives.items() if self._scope.has(life)}
            opened = [life for life in here.values() if life.is_open]
            accepted = [life for life in here.values() if self._is_watched(life)]
            _require_open(decisions.intent_ids, opened)
            done: list[Settlement] = []
            refusals: list[SettleRefused] = []
            errors: list[SequenceError] = []
            asked = _by_organization([*opened, *accepted], self._scope.organization_id)
            for organization_id, some in asked.items():
                since = min(matching.earliest(intent_of(life)) for life in some)
                try:
                    reading = self._mover.find(organization_id, since)
                except SequenceError as error:
                    errors.append(error)
                    continue
                run = Settling(self._book, self._scope.user, here, reading, decisions)
                done += run.run([intent_of(one) for one in some if one.is_open], refusals)
                watched = [life for life in some if life in accepted]
                try:
                    self._look_at(watched, organization_id, reading, here)
                except SequenceError as error:
                    errors.append(error)
            now = self._book.lives()  # of who wrote meanwhile, what says more counts
            done = [_as_it_is(one, now) for one in done]
            said = {one.intent.id for one in done}
            done += [one for one in self._returned(lives) if one.intent.id not in said]
        if not refusals and not errors:
            return done
        first: SequenceError = [*refusals, *errors][0]
        first.settled = done
        raise first

    def compare(self, rows: Iterable[Row]) -> list[Settlement]:
        """Return, and write down, which accepted transfers failed by now, as rows say."""
        by_id = {row["id"]: row for row in _listed_rows(rows)}
        with self._book.turn():
            accepted = [life for life in self._book.lives().values() if self._is_watched(life)]
            known = [(life, by_id.get(life.transfer_id)) for life in accepted]
            found = [self._failed_since(life, row) for life, row in known if row is not None]
        return [one for one in found if one is not None]

    def _look_at(
        self, accepted: list[Life], organization_id: str, reading: Reading, here: Lives
    ) -> None:
        """Look at each accepted transfer in a reading; a reversal shows only by its id."""
        by_id = {row["id"]: row for row in reading.rows}
        for life in accepted:
            if reading.served_at - intent_of(life).sent_at > WATCHED:
                continue
            transfer_id = life.transfer_id or self._only_match(life, reading, here)
            if transfer_id is None:
                continue
            row = by_id.get(transfer_id)
            if row is None or _is_compound(life):
                row = next(iter(self._mover.look_up(organization_id, [transfer_id])), None)
            if row is not None:
                self._failed_since(life, row)

    def _failed_since(self, life: Life, row: Row) -> Settlement | None:
        """Write down that an accepted transfer failed at the service; None where it did not."""
        outcome = outcome_shown_by(row, life.intent_id)
        if not isinstance(outcome, Returned):
            return None
        intent = intent_of(life)
        write_returned(self._book, life, self._scope.user, outcome)
        return Settlement(intent, outcome)

    def _only_match(self, life: Life, reading: Reading, here: Lives) -> str | None:
        """Return the id of the transfer that can only be this accepted one's, which has none."""
        intent, claimed = intent_of(life), claimed_ids(here)
        sent = [one for one in here.values() if one.requested is not None]
        rivals = [one for one in map(intent_of, sent) if one.key == intent.key]
        found = matching.assign(reading.rows, rivals, claimed)
        doubt = matching.doubtful(reading.rows, intent, claimed)
        return found[intent.id][0]["id"] if matching.is_sure(found, intent, doubt) else None

    # -- which ones ---------------------------------------------------------------------------

    def _returned(self, lives: Lives) -> list[Settlement]:
        found = [
            life
            for life in lives.values()
            if life.state == "returned" and self._scope.has(life) and self._is_recent(life)
        ]
        return [
            Settlement(intent_of(life), outcome)
            for life in found
            if (outcome := outcome_logged(life)) is not None
        ]

    def _is_watched(self, life: Life) -> bool:
        return life.state == "completed" and self._scope.has(life) and self._is_recent(life)

    def _is_recent(self, life: Life) -> bool:
        """Whether it was sent in the last days, by this machine's clock at both ends."""
        at = parse_timestamp(str((life.requested or {}).get("timestamp")))
        return at is not None and self._clock() - at <= WATCHED


def _as_it_is(settlement: Settlement, lives: Lives) -> Settlement:
    """Tell of a transfer that was given up what the log says of it now."""
    life = lives.get(settlement.intent.id)
    logged = outcome_logged(life) if life is not None else None
    if logged is None or not isinstance(settlement.outcome, Failed):
        return settlement
    return replace(settlement, outcome=logged)


def decisions_of(
    choose: Mapping[str, str] | None, none_of: Iterable[str], assume_failed: Iterable[str]
) -> Decisions:
    """Read what a person decided; UsageError where it cannot be meant."""
    chosen = choose or {}
    if not isinstance(chosen, Mapping):
        raise UsageError("choose= maps the id of a transfer's intent to the service's id of it.")
    denied, given_up = _listed(none_of), _listed(assume_failed)
    if twice := set(chosen) & (denied | given_up):
        raise UsageError(f"Decide one thing about {', '.join(sorted(map(str, twice)))}.")
    return Decisions({str(key): str(one) for key, one in chosen.items()}, denied, given_up)


def _listed(ids: Iterable[str]) -> frozenset[str]:
    if not isinstance(ids, Iterable):
        raise UsageError(f"{ids!r} cannot be used. Expected ids of transfers' intents, in a list.")
    return frozenset([ids] if isinstance(ids, str) else map(str, ids))


def _listed_rows(rows: Iterable[Row]) -> list[Row]:
    """Return rows of the activity, each with what is compared of it."""
    found = list(rows) if isinstance(rows, Iterable) else [{}]
    if not all(isinstance(row, Mapping) and {"id", "state"} <= row.keys() for row in found):
        raise UsageError("Expected rows of the activity, each with id, status, state.")
    return [{"status": None, "error_reason": None, **row} for row in found]


def _require_open(intent_ids: Iterable[str], lives: Iterable[Life]) -> None:
    known = {life.intent_id for life in lives}
    for intent_id in sorted(set(intent_ids) - known):
        raise SettleRefused(intent_id, "no transfer with this id is open here")


def _by_organization(lives: Iterable[Life], own: str | None) -> dict[str, list[Life]]:
    found: dict[str, list[Life]] = {}
    for life in lives:
        found.setdefault(intent_of(life).organization_id or own or "", []).append(life)
    return found


def _is_compound(life: Life) -> bool:
    request = life.requested or {}
    return request.get("source_kind") == request.get("destination_kind") == "account"
