"""The controls of the transfer panel, and how what is to be shown gets into them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ipywidgets as ipw  # type: ignore[import-untyped]

from seqdata.safeguards.checks import LONGEST_NOTE
from seqdata.widgets.panel.html import SETTLE_COMMAND
from seqdata.widgets.panel.style import CSS
from seqdata.widgets.panel.typed import Typed
from seqdata.widgets.panel.view import Options, Shown

#: Every control carries this and its name as a class of CSS: seqdata-panel-confirm.
PREFIX = "seqdata-panel"

#: What carries this class as well is not shown.
HIDDEN = f"{PREFIX}-hidden"


class Controls:
    """The widgets of a panel. None is made or thrown away later; what is not needed is hidden.

    How they look and where they stand is in the stylesheet alone: a layout of ipywidgets would
    become an inline style, which no rule reaches.
    """

    def __init__(self, title: str) -> None:
        self.style = _named(ipw.HTML(f"<style>{CSS}</style>"), "style")
        self.title = _html("title")
        self.title.value = title
        self.banner = _html("banner")
        self.source = _end("from", "From", "The account that the money leaves")
        self.destination = _end("to", "To", "The account that the money goes to")
        self.amount = _field("amount", "Amount", "Dollars and cents, such as 12.34 or $1,234.56")
        self.note = _field(
            "note", "Note (optional)", f"One line, at most {LONGEST_NOTE} characters"
        )
        self.source_hint, self.destination_hint = _hint("from-hint"), _hint("to-hint")
        self.amount_hint = _hint("amount-hint")
        self.instant = _tick("instant", "Instant, where the service offers it")
        self.limits = _html("limits")
        self.review_button = _button("review", "Review", "Check it and show it; nothing is sent")
        self.review_button.button_style = "primary"
        self.refresh = _button("refresh", "Refresh", "Read the balances again")
        self.again = _button(
            "again", "", "Fill in the accounts of the last transfer; the amount stays empty"
        )
        self.busy, self.messages = _html("busy"), _html("messages")
        self.despite = _button(
            "despite", "It is another transfer: review it all the same",
            "Review it although it is not known whether the earlier one moved money",
        )  # fmt: skip
        self.review, self.countdown = _html("review-text"), _html("countdown")
        # Cancel comes first, and gets the focus: Enter, pressed once too often, sends nothing.
        self.cancel = _button("cancel", "Cancel", "Give it up; nothing is sent")
        self.rehearse = _button("rehearse", "Try without sending", "Everything but the sending")
        self.confirm = _button("confirm", "Confirm", "Send it, once")
        self.confirm.button_style = "danger"
        self.outcome, self.open_transfers = _html("outcome"), _html("open")
        self.settle = _button("settle", "Settle", "Read the activity to find out what happened")
        self.settle_command = _html("settle-command")
        self.settle_command.value = SETTLE_COMMAND
        self.intent = _choice("intent", "Transfer", "An open transfer, for you to decide on")
        self.candidate = _choice("candidate", "It is", "The transfer of the service that it is")
        self.choose = _button("choose", "It is this one", "Say that it is the chosen transfer")
        self.deny = _button("deny", "None of these", "Say that these transfers are all others")
        self.never = _tick("never", "I have looked: this transfer never happened")
        self.give_up = _button("give-up", "Call it failed", "Give it up, and release its amount")
        self.events = _html("events")
        self.typed = _named(
            Typed(
                source=self.source, destination=self.destination, amount=self.amount,
                note=self.note, instant=self.instant, intent=self.intent,
                candidate=self.candidate, never=self.never,
            ),
            "typed",
        )  # fmt: skip
        self.layout_boxes()

    def layout_boxes(self) -> None:
        """Put the controls into boxes; their order is the order of the Tab key."""
        self.staged = _box("staged", self.review, self.countdown,
                           _box("deciding", self.cancel, self.rehearse, self.confirm))  # fmt: skip
        self.choosing = _box("choosing", self.candidate, self.choose, self.deny)
        self.giving_up = _box("giving-up", self.never, self.give_up)
        self.settling = _box(
            "settling", self.open_transfers, _box("finding", self.settle, self.settle_command),
            self.intent, self.choosing, self.giving_up,
        )  # fmt: skip
        self.form = _box(
            "form", self.again, self.source, self.source_hint, self.destination,
            self.destination_hint, self.amount, self.amount_hint, self.note, self.instant,
            self.limits, _box("begin", self.review_button, self.refresh),
        )  # fmt: skip
        self.refusal = _box("refusal", self.messages, self.despite)
        self.children = (
            self.style, self.typed, self.title, self.banner, self.form, self.busy, self.refusal,
            self.staged, self.outcome, self.settling, self.events,
        )  # fmt: skip

    def apply(self, shown: Shown) -> None:
        """Show it; what is the same already is not sent again."""
        for part in ("banner", "limits", "busy", "messages", "review", "countdown", "outcome",
                     "open_transfers", "events"):  # fmt: skip
            getattr(self, part).value = getattr(shown, part)
        for end in (self.source, self.destination):
            end.options = shown.options
        self.confirm.description = shown.confirm_text
        self.again.description = shown.again_text
        for control in self.fields:
            control.disabled = not shown.is_form_on
        for control in (self.confirm, self.rehearse, self.cancel):
            control.disabled = not shown.is_review_on
        for control in (self.refresh, self.settle, self.choose, self.deny):
            control.disabled = not shown.is_refresh_on
        self.give_up.disabled = not (shown.is_refresh_on and self.never.value)
        _show_only(self.staged, shown.is_reviewing)
        _show_only(self.form, not shown.is_reviewing)
        _show_only(self.settling, shown.has_open)
        _show_only(self.despite, shown.needs_despite)
        _show_only(self.again, bool(shown.again_text))

    def offer_intents(self, intents: Options) -> None:
        """Offer the open transfers; there is something to choose from two on."""
        _set_options(self.intent, intents)
        _show_only(self.intent, len(intents) > 1)

    def offer(self, candidates: Options, *, may_give_up: bool) -> None:
        """Offer what the desk offers for the chosen open transfer."""
        _set_options(self.candidate, candidates)
        if not may_give_up:
            self.never.value = False
        _show_only(self.choosing, bool(candidates))
        _show_only(self.giving_up, may_give_up)

    @property
    def fields(self) -> tuple[Any, ...]:
        """What a person fills in, and the button that comes after it."""
        return (self.again, self.source, self.destination, self.amount, self.note, self.instant,
                self.review_button)  # fmt: skip

    def all(self) -> Iterator[Any]:
        """Yield every widget, those inside the boxes too, and their layouts and styles."""
        waiting = list(self.children)
        while waiting:
            one = waiting.pop()
            waiting.extend(getattr(one, "children", ()))
            yield one
            for part in ("layout", "style"):
                if isinstance(found := getattr(one, part, None), ipw.Widget):
                    yield found

    def clear_amount(self) -> None:
        """Empty what must not be sent a second time by habit."""
        self.amount.value = self.note.value = ""

    def clear_form(self) -> None:
        """Empty all that was filled in."""
        self.source.value = self.destination.value = ""
        self.instant.value = False
        self.clear_amount()

    def clear(self) -> None:
        """Leave no text anywhere."""
        for one in self.all():
            if isinstance(one, ipw.Combobox):
                one.options = ()
            if isinstance(one, ipw.Dropdown):
                one.options = ()
            elif isinstance(one, ipw.HTML | ipw.Text):
                one.value = ""


def _named(widget: Any, name: str) -> Any:
    return widget.add_class(f"{PREFIX}-{name}")


def _html(name: str) -> Any:
    return _named(ipw.HTML(), name)


def _hint(name: str) -> Any:
    return _html(name).add_class(f"{PREFIX}-hint")


def _end(name: str, label: str, tooltip: str) -> Any:
    return _named(ipw.Combobox(description=label, tooltip=tooltip, ensure_option=False), name)


def _field(name: str, label: str, tooltip: str) -> Any:
    return _named(ipw.Text(description=label, tooltip=tooltip), name)


def _tick(name: str, label: str) -> Any:
    return _named(ipw.Checkbox(description=label, tooltip=label, indent=False), name)


def _choice(name: str, label: str, tooltip: str) -> Any:
    return _named(ipw.Dropdown(description=label, tooltip=tooltip), name)


def _button(name: str, text: str, tooltip: str) -> Any:
    return _named(ipw.Button(description=text, tooltip=tooltip), name)


def _box(name: str, *children: Any) -> Any:
    return _named(ipw.Box(children), name)


def _set_options(field: Any, options: Options) -> None:
    """Offer options, and keep what is chosen, else choose the first; one without any has None."""
    if field.options == options:
        return
    values, chosen = [value for _, value in options], field.value
    field.options = options
    if values:
        field.value = chosen if chosen in values else values[0]


def _show_only(widget: Any, is_shown: bool) -> None:
    (widget.remove_class if is_shown else widget.add_class)(HIDDEN)
