"""Every state of the transfer panel, drawn by its own view, for a notebook to show them all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import ipywidgets as ipw

from seqdata import exceptions as ex
from seqdata.safeguards.bounds import Limits
from seqdata.safeguards.lives import OpenIntent
from seqdata.safeguards.outcomes import (
    Completed,
    Failed,
    Rehearsed,
    Returned,
    Settlement,
    Unknown,
)
from seqdata.safeguards.staged import StagedTransfer
from seqdata.sources.base import Account
from seqdata.widgets.panel import html, view
from seqdata.widgets.panel import state as panel_state
from seqdata.widgets.panel.controls import PREFIX, Controls
from seqdata.widgets.panel.state import Last, PanelState

NOW = datetime(2026, 11, 23, 17, tzinfo=UTC)
ZONE = ZoneInfo("America/New_York")
LONG = "Rainy day fund for the house, the car and whatever else may happen next year"
UNBROKEN = "Wohnungsgenossenschaftsmitgliedschaftsbeitrag" * 2

BILLS = Account("3f2a0001", LONG, "pod", 123_456_789, can_be_source=True)
TWIN = Account("3f2a0002", LONG, "pod", 123_456_789, can_be_source=True)
RENT = Account(
    "77aa0003", UNBROKEN, "account", None, can_be_source=True, institution="First Savings Bank"
)
FOOD = Account("9b1c0004", "Food", "pod", 987_654_321, can_be_source=True)
ID = "7f3a2c1e-5b1d-4a7e-9c55-0d2f6b8e1a90"


def staged(destination: Account = RENT, *, despite: bool = False) -> StagedTransfer:
    return StagedTransfer(
        ID, "kim", BILLS, destination, 123_456_700, "for the year, as agreed in October", True,
        NOW, NOW + timedelta(seconds=300), 200_000_000, 250_000_000, 126_543_300, "org",
        "https://app.getsequence.io", False, despite_unknown=despite,
        expected="the same day before 15:00 Eastern, else in 1 to 3 business days",
    )  # fmt: skip


def intent(own_id: str = ID) -> OpenIntent:
    return OpenIntent(
        own_id, "kim", 123_456_700, LONG, UNBROKEN, "3f2a0001", "77aa0003", "", NOW, "org",
        "https://app.getsequence.io", "no whole answer came: curl: (52) Empty reply from server",
        1, written_at=NOW,
    )  # fmt: skip


def event(kind: str, **more: Any) -> dict[str, Any]:
    return {
        "timestamp": NOW.isoformat(), "event_type": f"transfer_{kind}", "amount_cents": 123_456_700,
        "source": LONG, "destination": UNBROKEN, **more,
    }  # fmt: skip


EVENTS = (
    event("completed", intent_id="i3", transfer_id=ID, arrived=True),
    event("requested", intent_id="i3"),
    event("staged", intent_id="i3"),
    event("unknown", intent_id="i2", error="no whole answer came: curl: (52) Empty reply"),
    event("refused", refusal="DailyLimitExceeded", error="…"),
)
READY = PanelState(
    "https://app.getsequence.io", "kim", is_sandbox=False, accounts=(BILLS, TWIN, RENT, FOOD),
    limits=Limits(200_000_000, 250_000_000, 126_543_300, "2026-11-23"), events=EVENTS,
    last=Last(BILLS.id, RENT.id, "for the year"),
)  # fmt: skip
OPEN = replace(READY, open_intents=(intent(),))
FOUND = Settlement(
    intent(), Unknown("it may be one of 2 transfers, or none: choose", ID),
    ((ID, NOW.isoformat()), (ID[::-1], NOW.isoformat())),
)  # fmt: skip
GONE = Settlement(
    intent(), Unknown("not found in 2 complete readings of the activity", ID), (), True
)


def ended(outcome: Any) -> PanelState:
    return replace(READY, outcome=outcome, sent=staged())


def said(error: BaseException, state: PanelState = READY) -> PanelState:
    return panel_state.refused(state, error)


STATES: dict[str, PanelState] = {
    "reading": replace(PanelState("https://app.getsequence.io", "kim"), doing="read", accounts=()),
    "form": READY,
    "sandbox": replace(READY, is_sandbox=True, last=None, events=()),
    "read-only": replace(READY, is_read_only=True),
    "hidden": replace(READY, is_attended=False),
    "filled": READY,
    "wrong": READY,
    "review": replace(READY, staged=staged()),
    "sending": replace(READY, staged=staged(), doing="confirm"),
    "time up": replace(READY, staged=replace(staged(FOOD), expires_at=NOW)),
    "despite": replace(OPEN, staged=staged(despite=True)),
    "tried": replace(ended(Rehearsed(ID)), staged=staged()),
    "arrived": ended(Completed(ID, arrived=True)),
    "reading again": replace(ended(Completed(ID, arrived=True)), doing="again"),
    "accepted": ended(Completed(ID, service_status="PENDING")),
    "failed": ended(Failed("the service said no: the account is closed", ID)),
    "returned": ended(Returned(ID, "FAILED", "account closed", ID)),
    "unknown": replace(OPEN, outcome=Unknown("curl: (52)", ID), sent=staged()),
    "refused for it": said(
        ex.OutcomeOpen(123_456_700, f"pod '{LONG}'", f"account '{UNBROKEN}'", "x"), OPEN
    ),
    "refused": said(ex.InsufficientBalance(f"pod '{LONG}'", 1_234, 5)),
    "two open": replace(OPEN, open_intents=(intent(), intent("i9"))),
    "to choose": replace(OPEN, settlements=(FOUND,)),
    "to give up": replace(OPEN, settlements=(GONE,)),
    "trouble": replace(READY, limits=None, troubles=(f"The file /home/kim/{UNBROKEN} is broken.",)),
}


def drawn(name: str) -> Any:
    """Return a panel in a state, as the panel itself draws it."""
    state, controls = STATES[name], Controls(f'<div class="sqp-head">{name}</div>')
    hint = partial(html.account_hint, accounts=state.accounts)
    labels = list(html.labels(READY.accounts))
    typed = {
        "filled": (labels[0], labels[-1], "1,234,567.00"),
        "wrong": (LONG, "nobody at all", "12.345"),
    }.get(name, ("", "", ""))
    fields = (controls.source, controls.destination, controls.amount)
    for field, text in zip(fields, typed, strict=True):
        field.value = text
    controls.apply(view.show(state, NOW, ZONE))
    controls.source_hint.value, controls.destination_hint.value = map(hint, typed[:2])
    controls.amount_hint.value = html.amount_hint(typed[2])
    controls.offer_intents(view.intent_options(state))
    controls.offer(view.candidate_options(state, ID, ZONE), may_give_up=view.may_give_up(state, ID))
    return ipw.VBox(controls.children).add_class(PREFIX).add_class(name.replace(" ", "-"))
