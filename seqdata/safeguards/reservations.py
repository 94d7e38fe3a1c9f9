"""What a transfer counts to a day: its reservation in the limits file, and the sum of a day.

The limits file follows the audit log. What the log does not know and the limits file does counts
all the same.
"""

from __future__ import annotations

from collections.abc import Mapping

from seqdata.safeguards.audit import Entry
from seqdata.safeguards.limits import DailyRecords, key_of
from seqdata.safeguards.lives import Life

#: What a reservation repeats of its intent.
RESERVED = ("source", "destination", "source_id", "destination_id", "source_kind",
            "destination_kind", "organization_id", "app_url", "served_at",
            "is_sandbox", "zone", "confirmed_seq")  # fmt: skip


def reserve(records: DailyRecords, facts: Entry, user: str) -> None:
    """Count an amount to today before it is sent, as an entry that older readers count too.

    It carries what tells whose money it is, so that it can be settled where the log is lost.
    """
    intent_id = facts["intent_id"]
    kept = {word: facts[word] for word in RESERVED if facts.get(word) is not None}
    records.add(
        key_of(user),
        f"staged:{intent_id}",
        facts["amount_cents"],
        state="reserved",
        intent_id=intent_id,
        **kept,
    )


def update(
    records: DailyRecords, intent_id: str, state: str, transfer_id: str | None = None
) -> None:
    """Let a reservation follow its outcome, on the day it was made: "failed" releases it."""
    for keys in records.days.values():
        for entries in keys.values():
            for entry in [one for one in entries if one.get("intent_id") == intent_id]:
                if state == "failed":
                    entries.remove(entry)
                    continue
                entry["state"] = state
                if transfer_id is not None:
                    entry["transfer_id"] = transfer_id


def stands(records: DailyRecords, intent_id: str) -> bool:
    """Tell whether a reservation that was marked as requested is there, and counts to today."""
    return any(
        entry.get("intent_id") == intent_id and entry.get("state") == "requested"
        for entry in records.of_today()
    )


def align(records: DailyRecords, lives: Mapping[str, Life]) -> None:
    """Mend the reservations of a process that died: the log says what became of each.

    Only for the holder of the desk's turn. What was confirmed and never requested was not sent.
    """
    reserved = {
        str(entry["intent_id"])
        for _, entry in records.entries()
        if entry.get("state") in ("reserved", "requested") and "intent_id" in entry
    }
    for life in (lives[one] for one in reserved if one in lives):
        is_spent = life.requested is not None and life.state != "failed"
        state = ("unknown" if life.is_open else life.state) if is_spent else "failed"
        update(records, life.intent_id, state, life.transfer_id)


def used_cents(records: DailyRecords, lives: Mapping[str, Life]) -> int:
    """Sum what counts to today: the union of limits file and log, by intent.

    An entry without an intent counts for itself. Where both know an intent, one that says today
    is enough, and the greater amount counts. What the log closed as failed counts nothing.
    """
    known: dict[str, int] = {}
    total = 0
    for entry in records.of_today():
        intent_id = entry.get("intent_id")
        if isinstance(intent_id, str):
            known[intent_id] = max(known.get(intent_id, 0), entry["amount_cents"])
        else:
            total += entry["amount_cents"]
    for life in lives.values():
        if life.requested is None or life.state == "failed":
            known.pop(life.intent_id, None)
        elif life.intent_id in known or records.is_of_today(life.requested):
            said = life.requested.get("amount_cents")
            cents = said if type(said) is int else 0
            known[life.intent_id] = max(known.get(life.intent_id, 0), cents)
    return total + sum(known.values())
