"""From what the transfer panel knows to what its controls show: pure functions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from seqdata.core.moments import parse_timestamp
from seqdata.core.text import format_cents
from seqdata.safeguards.outcomes import Settlement, Unknown
from seqdata.widgets.panel import html
from seqdata.widgets.panel.state import DOING, PanelState, Said

Options = tuple[tuple[str, str], ...]

#: The first choice of a list in which nothing is chosen by accident.
NOT_CHOSEN = ""


@dataclass(frozen=True)
class Shown:
    """What each part of the panel shows: HTML, texts of buttons, and what can be used now."""

    banner: str
    options: tuple[str, ...]
    limits: str
    busy: str
    messages: str
    review: str
    countdown: str
    outcome: str
    open_transfers: str
    events: str
    again_text: str
    confirm_text: str
    is_form_on: bool
    is_reviewing: bool
    is_review_on: bool
    is_refresh_on: bool
    has_open: bool
    needs_despite: bool


def show(state: PanelState, now: datetime, zone: tzinfo) -> Shown:
    """Say what the panel shows in a state at a moment, with times of day of a zone."""
    if state.is_hidden:
        state = _bare(state)
    staged, is_idle = state.staged, state.is_idle
    notice = html.hidden_notice() if state.is_hidden and not state.is_busy else ""
    again = "" if staged is not None else again_text(state)
    return Shown(
        banner=html.banner(state),
        options=tuple(html.labels(state.accounts)),
        limits="" if state.is_hidden else html.limits_bar(state.limits),
        busy=busy_line(state),
        messages=notice + html.messages(state.said, state.troubles),
        review="" if staged is None else html.review(staged, state.accounts),
        countdown="" if staged is None else html.countdown(staged, now),
        outcome=_cards(state),
        open_transfers=html.open_transfers(state.open_intents, state.settlements, zone),
        events="" if state.is_hidden else html.events_list(state.events, zone),
        again_text=again,
        confirm_text="" if staged is None else confirm_text(state),
        is_form_on=is_idle and staged is None,
        is_reviewing=staged is not None,
        is_review_on=is_idle and staged is not None,
        is_refresh_on=is_idle,
        has_open=bool(state.open_intents),
        needs_despite=state.needs_despite and is_idle and staged is None,
    )


def _cards(state: PanelState) -> str:
    """Show a card for each outcome; what is open has its own, with the button that settles it."""
    still_open = {one.id for one in state.open_intents}
    told = {one.intent.id for one in state.settlements} | still_open
    found = state.outcome
    if found is not None:
        told.add(found.intent_id)
    is_told_below = isinstance(found, Unknown) and found.intent_id in still_open
    cards = "" if is_told_below else html.outcome(found, state.sent)
    settled = [one for one in state.settlements if one.intent.id not in still_open]
    others = [one for one in state.returned if one.intent.id not in told]
    return cards + "".join(map(html.settlement, (*settled, *others)))


def _bare(state: PanelState) -> PanelState:
    """Leave out everything that says something about the account; errors by their kind alone."""
    said = tuple(Said(f"The desk said no ({_kind(one)}).", one.is_alert) for one in state.said)
    return replace(
        state, user="", accounts=(), limits=None, staged=None, sent=None, outcome=None,
        open_intents=(), settlements=(), returned=(), events=(), last=None, said=said,
        troubles=(),
    )  # fmt: skip


def _kind(said: Said) -> str:
    return said.kind or "no reason that can be shown"


def confirm_text(state: PanelState) -> str:
    """Say on the button what it does, so that nobody presses it for another."""
    staged = state.staged
    real = "" if state.is_sandbox else " of real money"
    cents, name = (0, "") if staged is None else (staged.amount_cents, staged.destination.name)
    return f"Confirm: send {format_cents(cents)}{real} to {html.plain(name)}"


def again_text(state: PanelState) -> str:
    """Say which transfer can be taken again; "" where its ends are not there any more."""
    names = {one.id: html.plain(one.name) for one in state.accounts}
    last = state.last
    if last is None or last.source_id not in names or last.destination_id not in names:
        return ""
    return f"Take the last one again: {names[last.source_id]} → {names[last.destination_id]}"


def busy_line(state: PanelState) -> str:
    """Say what is under way."""
    return f'<span role="status">{DOING[state.doing]}</span>' if state.is_busy else ""


# -- settling ---------------------------------------------------------------------------------


def intent_options(state: PanelState) -> Options:
    """List the open transfers, to choose one that a person decides on."""
    if state.is_hidden:
        return ()
    return tuple(
        (f"{format_cents(one.amount_cents)} {html.plain(one.source)} → "
         f"{html.plain(one.destination)} ({one.id[:8]})", one.id)
        for one in state.open_intents
    )  # fmt: skip


def candidate_options(state: PanelState, intent_id: str | None, zone: tzinfo) -> Options:
    """List the transfers that an open one can be, as the desk found them."""
    found = _settlement(state, intent_id)
    if found is None or not found.candidates:
        return ()
    choices = tuple((f"{_when(at, zone)} · {one}", one) for one, at in found.candidates)
    return (("Choose the transfer that it is…", NOT_CHOSEN), *choices)


def _when(text: str, zone: tzinfo) -> str:
    moment = parse_timestamp(text)
    return html.moment_text(moment, zone) if moment else text


def may_give_up(state: PanelState, intent_id: str | None) -> bool:
    """Whether the desk offers that a person calls an open transfer failed."""
    found = _settlement(state, intent_id)
    return found is not None and found.may_be_assumed_failed


def _settlement(state: PanelState, intent_id: str | None) -> Settlement | None:
    is_open = any(one.id == intent_id for one in state.open_intents)
    if state.is_hidden or not is_open:
        return None
    return next((one for one in state.settlements if one.intent.id == intent_id), None)
