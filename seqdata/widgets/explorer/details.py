"""What an explorer says about one transfer: its parties, payments, rule and earlier versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import pandas as pd

from seqdata.analysis.settlement import EXACT
from seqdata.widgets.explorer.state import pretty
from seqdata.widgets.explorer.view import money

#: A title, the names of the columns and the cells; or, without rows, why there are none.
Table: TypeAlias = dict[str, Any]

#: What a version of a transfer can change, with what it is called.
_CHANGING = {
    "status": "Status", "amount_cents": "Amount", "source_name": "From",
    "destination_name": "To", "description": "Note", "error_reason": "Reason",
    "created_at": "Created", "updated_at": "Updated", "type": "Type",
    "activity_type": "Activity", "removed_at": "Removed",
}  # fmt: skip


def describe(
    transfer: Mapping[str, Any],
    signed: int,
    details: pd.DataFrame,
    legs: pd.DataFrame,
    annotations: pd.DataFrame,
    history: pd.DataFrame,
) -> dict[str, Any]:
    """Say everything about one transfer, as JSON values that hold nothing but text.

    Parameters
    ----------
    transfer
        Its row, as :meth:`Ledger.categorized` gives it.
    signed
        The amount as it is shown, in cents with a sign; 0 where it has none.
    details, legs, annotations
        The rows of this transfer, as the ledger's tables of these names have them.
    history
        As :meth:`Ledger.history` gives it; empty where it is not known.

    Returns
    -------
    dict
        ``title``, ``amount``, ``lines`` (label and text) and ``tables`` (title, columns, rows
        and note).
    """
    note = _first(annotations, "note")
    lines = [
        ("State", pretty(_text(transfer["state"]))),
        ("Status", pretty(_text(transfer["status"]))),
        ("Reason", _text(transfer["error_reason"])),
        ("Direction", pretty(_text(transfer["direction"]))),
        ("From", _party(transfer, "source")),
        ("To", _party(transfer, "destination")),
        ("Created", _text(transfer["created_at"])),
        ("Updated", _text(transfer["updated_at"])),
        ("Settled", _settled(transfer)),
        ("Reversed", _text(transfer["returned_at"])),
        ("Payee", _text(transfer["payee"])),
        ("Category", _category(transfer)),
        ("Note", _text(transfer["description"])),
        ("Your note", note),
        ("Activity", pretty(_text(transfer["activity_type"]))),
        ("Rule", _rule(details)),
        ("Transfer id", _text(transfer["id"])),
        ("From id", _text(transfer["source_id"])),
        ("To id", _text(transfer["destination_id"])),
    ]
    return {
        "title": f"{_text(transfer['source_name'])} → {_text(transfer['destination_name'])}",
        "amount": money(transfer["amount_cents"], signed),
        "lines": [[label, text] for label, text in lines if text],
        "tables": [_payments(legs, is_fetched=len(details) > 0), _versions(history)],
    }


def _payments(legs: pd.DataFrame, *, is_fetched: bool) -> Table:
    wanted = {
        "leg": "Payment", "status": "Status", "created_at": "Created",
        "completed_at": "Completed", "expected_on": "Expected",
    }  # fmt: skip
    nothing = (
        "This transfer has no payments."
        if is_fetched
        else 'Not fetched. ledger.sync(details="all") fetches what every transfer is made of.'
    )
    rows = [
        [_words(leg[name], name) for name in wanted]
        for leg in legs.sort_values("created_at").to_dict("records")
    ]
    return _table("Payments", list(wanted.values()), rows, nothing)


def _versions(history: pd.DataFrame) -> Table:
    """Show of each version what it changed; of the first one, where it stood."""
    rows = []
    before: dict[str, str] = {}
    for version in history.to_dict("records"):
        now = {name: _words(version.get(name), name) for name in _CHANGING}
        changed = [
            f"{label}: {before[name] or 'nothing'} → {now[name] or 'nothing'}"
            for name, label in _CHANGING.items()
            if before and before[name] != now[name]
        ]
        first = f"First seen, {now['status'] or 'without a status'}"
        rows.append([_text(version["valid_from"]), "; ".join(changed) or first])
        before = now
    return _table("History", ["Seen", "What changed"], rows, "Its history is not shown here.")


def _table(title: str, columns: list[str], rows: list[list[str]], nothing: str) -> Table:
    return {"title": title, "columns": columns, "rows": rows, "note": "" if rows else nothing}


def _party(transfer: Mapping[str, Any], end: str) -> str:
    party = _text(transfer[f"{end}_party"])
    name = _text(transfer[f"{end}_name"]) or "unnamed"
    return f"{name} ({party})" if party else name


def _settled(transfer: Mapping[str, Any]) -> str:
    text = _text(transfer["effective_at"])
    return text if not text or transfer["effective_basis"] in EXACT else f"{text} (estimated)"


def _category(transfer: Mapping[str, Any]) -> str:
    name, source = _text(transfer["category"]), _text(transfer["category_source"])
    return f"{name} (by {source})" if name and source not in ("", "none") else name


def _rule(details: pd.DataFrame) -> str:
    trigger, cron = _first(details, "rule_trigger_type"), _first(details, "rule_trigger_cron")
    return " ".join(filter(None, [pretty(trigger), f"({cron})" if cron else ""]))


def _first(frame: pd.DataFrame, column: str) -> str:
    return _text(frame[column].iloc[0]) if len(frame) else ""


def _words(value: Any, name: str) -> str:
    if name.endswith("_cents"):
        return money(value, 0)
    text = _text(value)
    return pretty(text) if name in ("status", "leg", "type", "activity_type") else text


def _text(value: Any) -> str:
    """Write a value for reading; a moment with its zone, what is missing as ""."""
    if value is None or pd.isna(value):
        return ""
    if isinstance(value, pd.Timestamp):
        return value.strftime("%Y-%m-%d %H:%M:%S %Z").strip()
    return str(value)
