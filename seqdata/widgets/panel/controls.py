"""The controls of the transfer panel, and how what is to be shown gets into them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ipywidgets as ipw  # type: ignore[import-untyped]

from seqdata.safeguards.checks import LONGEST_NOTE
from seqdata.widgets.panel.style import CSS
from seqdata.widgets.panel.view import Options, Shown

#: Every control carries this and its name as a class of CSS: seqdata-panel-confirm.
PREFIX = "seqdata-panel"

_LABEL = {"description_width": "76px"}
_FIELD, _INDENT = {"width": "440px", "max_width": "98%"}, "86px"


class Controls:
    """The widgets of a panel. None is made or thrown away later; what is not needed is hidden."""

    def __init__(self, title: str) -> None:
        self.style = ipw.HTML(f"<style>{CSS}</style>", layout={"display": "none"})
        self.title = _html("title")
        self.title.value = title
        self.banner = _html("banner")
        self.source = _end("from", "From", "The account that the money leaves")
        self.destination = _end("to", "To", "The account that the money goes to")
        self.amount = _field(
            "amount", "Amount", "12.34", "Dollars and cents, such as 12.34 or $1,234.56"
        )
        self.note = _field(
            "note", "Note", "may stay empty", f"One line, at most {LONGEST_NOTE} characters"
        )
        self.source_hint, self.destination_hint = _hint("from-hint"), _hint("to-hint")
        self.amount_hint = _hint("amount-hint")
        self.instant = _tick("instant", "Instant, where the service offers it")
        self.despite = _tick(
            "despite", "Although an earlier transfer here has no known outcome (despite_unknown)"
        )
        self.limits = _html("limits", f"4px 2px 6px {_INDENT}")
        self.review_button = _button("review", "Review", "Check it and show it; nothing is sent")
        self.review_button.button_style = "primary"
        self.refresh = _button("refresh", "Refresh", "Read the balances again")
        self.busy, self.messages = _hint("busy"), _html("messages")
        self.review, self.countdown = _html("review-text"), _html("countdown")
        # Cancel comes first, and gets the focus: Enter, pressed once too often, sends nothing.
        self.cancel = _button("cancel", "Cancel", "Give it up; nothing is sent")
        self.rehearse = _button("rehearse", "Rehearse", "Everything but the sending")
        self.confirm = _button("confirm", "Confirm", "Send it, once")
        self.confirm.button_style = "danger"
        self.outcome, self.open_transfers = _html("outcome"), _html("open")
        self.settle = _button("settle", "Settle", "Read the activity to find out what happened")
        self.intent = _choice("intent", "Transfer", "An open transfer, for you to decide on")
        self.candidate = _choice("candidate", "It is", "The transfer of the service that it is")
        self.choose = _button("choose", "It is this one", "Say that it is the chosen transfer")
        self.deny = _button("deny", "None of these", "Say that these transfers are all others")
        self.never = _tick("never", "I have looked: this transfer never happened", "2px")
        self.give_up = _button("give-up", "Call it failed", "Give it up, and release its amount")
        self.events = _html("events")
        self.layout_boxes()

    def layout_boxes(self) -> None:
        """Put the controls into boxes; their order is the order of the Tab key."""
        self.staged = _column("staged", self.review, self.countdown,
                              _row(self.cancel, self.rehearse, self.confirm))  # fmt: skip
        self.choosing = _row(self.candidate, self.choose, self.deny)
        self.giving_up = _row(self.never, self.give_up)
        self.settling = _column(
            "settling", self.open_transfers, _row(self.settle), self.intent, self.choosing,
            self.giving_up,
        )  # fmt: skip
        self.form = _column(
            "form",
            _row(self.source, self.source_hint),
            _row(self.destination, self.destination_hint),
            _row(self.amount, self.amount_hint),
            self.note, self.instant, self.despite, self.limits,
            _named(_row(self.review_button, self.refresh, self.busy), "begin"),
        )  # fmt: skip
        self.children = (
            self.style, self.title, self.banner, self.form, self.messages, self.staged,
            self.outcome, self.settling, self.events,
        )  # fmt: skip

    def apply(self, shown: Shown) -> None:
        """Show it; what is the same already is not sent again."""
        for part in ("banner", "limits", "busy", "messages", "review", "countdown", "outcome",
                     "open_transfers", "events"):  # fmt: skip
            getattr(self, part).value = getattr(shown, part)
        for end in (self.source, self.destination):
            end.options = shown.options
        self.confirm.description = shown.confirm_text
        for control in self.fields:
            control.disabled = not shown.is_form_on
        for control in (self.confirm, self.rehearse, self.cancel):
            control.disabled = not shown.is_review_on
        for control in (self.refresh, self.settle, self.choose, self.deny):
            control.disabled = not shown.is_refresh_on
        self.give_up.disabled = not (shown.is_refresh_on and self.never.value)
        _show_only(self.staged, shown.is_reviewing)
        for control in (self.settling, self.despite):
            _show_only(control, shown.has_open)

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
        return (self.source, self.destination, self.amount, self.note, self.instant,
                self.despite, self.review_button)  # fmt: skip

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
        self.despite.value = False

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


def _html(name: str, margin: str = "0 2px") -> Any:
    return _named(ipw.HTML(layout={"margin": margin}), name)


def _hint(name: str) -> Any:
    return _named(ipw.HTML(layout={"flex": "1 1 180px", "margin": "0 6px"}), name)


def _end(name: str, label: str, tooltip: str) -> Any:
    field = ipw.Combobox(
        description=label, placeholder="Type part of a name, or pod, port, outside",
        tooltip=tooltip, ensure_option=False, style=_LABEL,
        layout=dict(_FIELD),
    )  # fmt: skip
    return _named(field, name)


def _field(name: str, label: str, placeholder: str, tooltip: str) -> Any:
    field = ipw.Text(
        description=label, placeholder=placeholder, tooltip=tooltip, style=_LABEL,
        layout=dict(_FIELD),
    )  # fmt: skip
    return _named(field, name)


def _tick(name: str, label: str, left: str = _INDENT) -> Any:
    box = ipw.Checkbox(
        description=label, tooltip=label, indent=False,
        layout={"width": "auto", "margin": f"2px 10px 2px {left}"},
    )  # fmt: skip
    return _named(box, name)


def _choice(name: str, label: str, tooltip: str) -> Any:
    field = ipw.Dropdown(
        description=label,
        tooltip=tooltip,
        style=_LABEL,
        layout=dict(_FIELD),
    )
    return _named(field, name)


def _button(name: str, text: str, tooltip: str) -> Any:
    layout = {"width": "auto", "min_width": "88px"}
    return _named(ipw.Button(description=text, tooltip=tooltip, layout=layout), name)


def _row(*children: Any) -> Any:
    return ipw.HBox(children, layout={"flex_flow": "row wrap", "align_items": "center"})


def _column(name: str, *children: Any) -> Any:
    return _named(ipw.VBox(children, layout={"margin": "4px 0"}), name)


def _set_options(field: Any, options: Options) -> None:
    """Offer options, and keep what is chosen, else choose the first; one without any has None."""
    if field.options == options:
        return
    values, chosen = [value for _, value in options], field.value
    field.options = options
    if values:
        field.value = chosen if chosen in values else values[0]


def _show_only(widget: Any, is_shown: bool) -> None:
    widget.layout.display = None if is_shown else "none"
