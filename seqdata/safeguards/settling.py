"""One run of settle: what the activity says about each open transfer, written down as it goes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seqdata.exceptions import SettleRefused
from seqdata.safeguards import settle
from seqdata.safeguards.journal import SEARCHED, Life, OpenIntent, claimed_ids, intent_of
from seqdata.safeguards.outcomes import Completed, Failed, Unknown
from seqdata.safeguards.settle import Settlement

if TYPE_CHECKING:
    from seqdata.safeguards.desk import TransferDesk

Node = dict[str, Any]
Lives = dict[str, Life]


@dataclass
class Settling:
    """One run of settle over one reading; it writes down what it finds as it goes."""

    desk: TransferDesk
    lives: Lives
    intents: list[OpenIntent]
    reading: settle.Reading
    chosen: dict[str, str]
    given_up: set[str]

    def run(self) -> list[Settlement]:
        """Settle each intent; raise SettleRefused once all others are done."""
        refusals: list[SettleRefused] = []
        done: dict[str, Settlement] = {}
        # A person's choice claims its transfer before anything else is told from what is left.
        for intent in sorted(self.intents, key=lambda one: one.id not in self.chosen):
            try:
                done[intent.id] = self._settled(intent)
            except SettleRefused as error:
                refusals.append(error)
        if refusals:
            raise refusals[0]
        return [done[intent.id] for intent in self.intents]

    def _settled(self, intent: OpenIntent) -> Settlement:
        rows, claimed = self.reading.rows, claimed_ids(self.lives)
        found = settle.assign(rows, self._rivals(intent), claimed)
        own, doubt = found[intent.id], settle.doubtful(rows, intent, claimed)
        if intent.id in self.chosen:
            return self._chosen(intent, [*settle.matches(rows, intent, claimed), *doubt])
        if intent.id in self.given_up and (own or doubt):
            raise SettleRefused(intent.id, f"it may be {_ids([*own, *doubt])}")
        if settle.is_sure(found, intent.id):
            return self._completed(intent, own[0]["id"])
        if own or doubt:
            why = f"it may be one of {len(own) + len(doubt)} transfers, or none"
            return Settlement(intent, Unknown(why, intent.id), settle.listed([*own, *doubt]))
        return self._not_found(intent)

    def _rivals(self, intent: OpenIntent) -> list[OpenIntent]:
        """List whom a transfer could belong to: open intents, and those completed without id."""
        lives = [
            life
            for life in self.lives.values()
            if life.is_open or (life.state == "completed" and life.transfer_id is None)
        ]
        others = [intent_of(life) for life in lives if life.requested is not None]
        return [one for one in others if one.key == intent.key]

    def _chosen(self, intent: OpenIntent, candidates: list[Node]) -> Settlement:
        transfer_id = self.chosen[intent.id]
        if transfer_id not in {row["id"] for row in candidates}:
            choices = _ids(candidates) or "none"
            raise SettleRefused(
                intent.id, f"{transfer_id!r} is not one of its candidates: {choices}"
            )
        return self._completed(intent, transfer_id)

    def _not_found(self, intent: OpenIntent) -> Settlement:
        served_at = self.reading.served_at
        self._write(SEARCHED, intent, served_at=served_at.isoformat(), found=0)
        readings = intent.readings + 1
        is_old = served_at - intent.sent_at >= settle.PATIENCE
        may_fail = is_old and readings >= settle.READINGS
        if intent.id in self.given_up:
            if not may_fail:
                raise SettleRefused(intent.id, _not_yet(readings, is_old=is_old))
            return self._failed(intent)
        why = f"not found in {readings} complete readings of the activity"
        return Settlement(intent, Unknown(why, intent.id), may_be_assumed_failed=may_fail)

    def _completed(self, intent: OpenIntent, transfer_id: str) -> Settlement:
        self._end(intent, "completed", transfer_id=transfer_id)
        return Settlement(intent, Completed(transfer_id, intent_id=intent.id))

    def _failed(self, intent: OpenIntent) -> Settlement:
        reason = "it was not found after 24 hours, and a person gave it up"
        self._end(intent, "failed", error=reason)
        return Settlement(intent, Failed(reason, intent.id))

    def _end(self, intent: OpenIntent, state: str, **facts: Any) -> None:
        self._write(f"transfer_{state}", intent, settled=True, **facts)
        life, transfer_id = self.lives[intent.id], facts.get("transfer_id")
        life.state, life.transfer_id = state, transfer_id
        self.desk.follow_or_warn(intent.id, state, transfer_id)

    def _write(self, event: str, intent: OpenIntent, **facts: Any) -> None:
        request = self.lives[intent.id].requested or {}
        words = ("amount_cents", "source", "destination", "note", "source_id", "destination_id",
                 "organization_id", "app_url")  # fmt: skip
        kept = {word: request[word] for word in words if word in request}
        user = self.desk.user
        self.desk.audit.log(event, user_id=user, intent_id=intent.id, **kept, **facts)


def _not_yet(readings: int, *, is_old: bool) -> str:
    if not is_old:
        return "it is younger than 24 hours, and may still appear"
    return f"{readings} complete reading did not find it, and {settle.READINGS} are needed"


def _ids(rows: Iterable[Node]) -> str:
    return ", ".join(str(row["id"]) for row in rows)
