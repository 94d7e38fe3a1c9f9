"""The transfer panel: the transfer desk in a notebook, with buttons."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from html import escape
from typing import Any

import ipywidgets as ipw  # type: ignore[import-untyped]

from seqdata.core.logs import logger
from seqdata.safeguards import TransferDesk
from seqdata.safeguards.attendance import is_attended
from seqdata.safeguards.audit import utc_now
from seqdata.safeguards.outcomes import Completed, ConfirmOutcome, Returned, Unknown
from seqdata.widgets.closed import CLOSED
from seqdata.widgets.panel import html as panel_html
from seqdata.widgets.panel import state as panel_state
from seqdata.widgets.panel import view as panel_view
from seqdata.widgets.panel import work as panel_work
from seqdata.widgets.panel.clock import Ticker
from seqdata.widgets.panel.controls import PREFIX, Controls
from seqdata.widgets.panel.state import PanelState
from seqdata.widgets.panel.work import Change, Work

log = logger(__name__)


class TransferPanel(ipw.VBox):  # type: ignore[misc]
    """Review, confirm and settle transfers with buttons; the desk decides everything.

    Opening it asks the service once, for the accounts. What a button starts runs on a thread of
    its own, one at a time, so the kernel stays free; :meth:`wait` waits for it.

    What is shown is in the state of widgets. JupyterLab and Notebook save that only where "Save
    Widget State Automatically" was turned on (it is off as installed); runners such as nbclient
    always do, so a real account shows nothing where nobody is there to look.

    Parameters
    ----------
    desk
        The desk; it stays open when the panel is closed.
    title
        What stands above it.
    clock
        The wall clock of the countdown; returns a moment with a zone. The desk has its own.
    somebody_there
        Tells whether a person can look.
    tick_seconds
        How often the countdown moves.
    """

    def __init__(
        self,
        desk: TransferDesk,
        *,
        title: str = "Move money",
        clock: Callable[[], datetime] = utc_now,
        somebody_there: Callable[[], bool] = is_attended,
        tick_seconds: float = 1.0,
    ) -> None:
        self._desk, self._clock, self._somebody_there = desk, clock, somebody_there
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None
        self._ticker: Ticker | None = None
        self._tick_seconds = tick_seconds
        self._labels: dict[str, str] = {}
        self._state = PanelState(desk.app_url, desk.user, is_attended=somebody_there())
        self._controls = Controls(f'<div class="sqp-head">{escape(title)}</div>')
        super().__init__(children=self._controls.children)
        self.add_class(PREFIX)
        self._connect()
        self.refresh()

    def __repr__(self) -> str:
        if self._state.is_closed:
            return CLOSED
        # It goes into the saved notebook, and ipywidgets' own would take the figures along.
        return f"TransferPanel({self._desk.app_url!r})"

    @property
    def state(self) -> PanelState:
        """All that the panel knows now; its `staged` is what Confirm would send."""
        return self._state

    @property
    def controls(self) -> Controls:
        """The widgets, by name: ``panel.controls.amount.value = "5"``."""
        return self._controls

    # -- what a person does -------------------------------------------------------------------

    def refresh(self) -> None:
        """Read the accounts, the limits and the audit log again."""
        self._start("read", partial(panel_work.read, self._desk))

    def review(self, *, despite: bool = False) -> None:
        """Stage what the form says."""
        form, accounts = self._controls, self._state.accounts
        given = (
            panel_html.wanted(form.source.value, accounts),
            panel_html.wanted(form.destination.value, accounts),
            form.amount.value,
            form.note.value,
            form.instant.value,
        )
        work = partial(panel_work.stage, self._desk, given, despite_unknown=despite)
        self._start("stage", work)

    def review_despite(self) -> None:
        """Stage what the form says, although the outcome of an earlier transfer is not known."""
        if self._state.needs_despite:
            self.review(despite=True)

    def take_again(self) -> None:
        """Fill in the accounts and the note of the last transfer; the amount is for a person."""
        with self._lock:
            last, by_id = self._state.last, {one: label for label, one in self._labels.items()}
            if last is None or not self._state.is_idle or self._state.staged is not None:
                return
            form = self._controls
            form.clear_form()
            form.source.value = by_id.get(last.source_id, "")
            form.destination.value = by_id.get(last.destination_id, "")
            form.note.value = last.note
            form.amount.focus()

    def confirm(self) -> None:
        """Send what is staged, once."""
        self._with_staged("confirm", partial(panel_work.confirm, dry_run=False))

    def rehearse(self) -> None:
        """Do everything of a confirm but the sending."""
        self._with_staged("rehearse", partial(panel_work.confirm, dry_run=True))

    def cancel(self) -> None:
        """Give up what is staged."""
        self._with_staged("cancel", panel_work.cancel)

    def settle(self) -> None:
        """Find out what became of the open transfers."""
        self._start("settle", partial(panel_work.settle, self._desk))

    def choose(self) -> None:
        """Say which transfer the chosen open one is."""
        intent, transfer = self._controls.intent.value, self._controls.candidate.value
        if intent and transfer:
            choose = {intent: transfer}
            self._start("settle", partial(panel_work.settle, self._desk, choose=choose))

    def deny(self) -> None:
        """Say that the chosen open transfer is none of those that it could be."""
        if intent := self._controls.intent.value:
            self._start("settle", partial(panel_work.settle, self._desk, none_of=[intent]))

    def give_up(self) -> None:
        """Say that the chosen open transfer never happened, where the box for it is ticked."""
        intent = self._controls.intent.value
        if intent and self._controls.never.value:
            self._start("settle", partial(panel_work.settle, self._desk, assume_failed=[intent]))

    def wait(self, timeout: float = 60.0) -> bool:
        """Wait for what is under way, for `timeout` seconds at most; tell whether all is done."""
        until = time.monotonic() + timeout
        thread = self._thread
        if thread is not None:
            thread.join(max(0.0, until - time.monotonic()))
        return thread is None or not thread.is_alive()

    def close(self, said: str = CLOSED) -> None:
        """Empty every part, so that no later save holds it; what is left says that it is closed.

        May be called again.
        """
        if not hasattr(self, "_controls"):  # it was never made
            return
        with self._lock:
            if self._state.is_closed:
                return
            self._state, self._labels = panel_state.closed(self._state), {}
            self._stop_clock()
            parts = list(self._controls.all())
            self._controls.clear()
            self.children = (ipw.HTML(f'<div role="status">{escape(said)}</div>'),)
            for part in parts:
                part.close()

    # -- the work, on a thread of its own -----------------------------------------------------

    def _with_staged(self, action: str, work: Callable[..., Change]) -> None:
        staged = self._state.staged
        if staged is not None:
            self._start(action, partial(work, self._desk, staged))

    def _start(self, action: str, work: Work) -> None:
        """Begin an action, unless one is under way: of two clicks, one counts."""
        with self._lock:
            begun = panel_state.begin(self._state, action)
            if begun is None:
                return
            # No daemon: a program that ends waits until the outcome of a sending is written.
            self._thread = threading.Thread(
                target=self._run, args=(action, work), name=f"seqdata-panel-{action}"
            )
            self._thread.start()
            # After the start, which may fail; the thread waits for the lock to change the state.
            self._state = begun
            self._render()

    def _run(self, action: str, work: Work) -> None:
        try:
            change = panel_work.result(work)
            self._update(lambda state: panel_state.done(change(state)))
            self._update(panel_work.note(self._desk, is_attended=self._somebody_there()))
            if self._state.is_reading_again:
                self._update(panel_work.result(partial(panel_work.read, self._desk)))
        finally:
            self._update(panel_state.ended)
            self._focus(action)

    # -- showing it ---------------------------------------------------------------------------

    def _update(self, change: Change) -> None:
        with self._lock:
            if self._state.is_closed:
                return
            before, self._state = self._state, change(self._state)
            self._render()
            if self._state.outcome is not before.outcome:
                self._empty(self._state.outcome)

    def _empty(self, found: ConfirmOutcome | None) -> None:
        """Empty what must not be sent a second time by habit."""
        if isinstance(found, Unknown):
            self._controls.clear_form()
        elif isinstance(found, Completed | Returned):
            self._controls.clear_amount()

    def _render(self) -> None:
        """Bring the controls in line with the state; the caller holds the lock."""
        try:
            self._draw()
        except Exception as error:  # noqa: BLE001 - else the panel stands still, and says nothing
            self._say(error)

    def _say(self, error: Exception) -> None:
        log.exception("transfer panel: %s", type(error).__name__)
        said = panel_state.sentence(error, self._state.doing)
        self._controls.messages.value = panel_html.messages((said,), ())

    def _draw(self) -> None:
        state, controls = self._state, self._controls
        self._relabel()
        controls.apply(panel_view.show(state, self._clock(), self._desk.zone))
        controls.offer_intents(panel_view.intent_options(state))
        self._offer()
        if state.staged is None:
            self._stop_clock()
        elif self._ticker is None:
            self._ticker = Ticker(self._tick, self._tick_seconds)
            self._ticker.start()

    def _relabel(self) -> None:
        """Keep what was chosen, where a new balance makes it another label."""
        new = panel_html.labels(() if self._state.is_hidden else self._state.accounts)
        if new == self._labels:
            return
        old, self._labels = self._labels, new
        by_id = {account_id: label for label, account_id in new.items()}
        for end in (self._controls.source, self._controls.destination):
            if end.value in old:
                end.value = by_id.get(old[end.value], "")
        self._hint()

    def _offer(self, *_: object) -> None:
        """Offer what can be decided on about the chosen open transfer."""
        with self._lock:
            state, chosen = self._state, self._controls.intent.value
            self._controls.offer(
                panel_view.candidate_options(state, chosen, self._desk.zone),
                may_give_up=panel_view.may_give_up(state, chosen),
            )

    def _hint(self, *_: object) -> None:
        """Say beside each field what it means; asks the service nothing."""
        with self._lock:
            form, accounts = self._controls, self._state.accounts
            if self._state.is_hidden:
                accounts = ()
            hint = partial(
                panel_html.account_hint, accounts=accounts, once_known=self._state.once_known
            )
            form.source_hint.value = hint(form.source.value)
            form.destination_hint.value = hint(form.destination.value)
            form.amount_hint.value = panel_html.amount_hint(form.amount.value)

    def _tick(self) -> bool:
        with self._lock:
            staged = self._state.staged
            if staged is None or self._state.is_hidden:
                return False
            now = self._clock()
            self._controls.countdown.value = panel_html.countdown(staged, now)
            return now < staged.expires_at

    def _stop_clock(self) -> None:
        if self._ticker is not None:
            self._ticker.stop()
            self._ticker = None

    def _focus(self, action: str) -> None:
        """Leave the keyboard where Enter sends nothing: at Cancel, at Settle, or at Review."""
        with self._lock:
            if self._state.is_closed:
                return
            if self._state.staged is not None:
                self._controls.cancel.focus()
            elif isinstance(self._state.outcome, Unknown) or (
                self._state.needs_despite and action == "stage"
            ):
                self._controls.settle.focus()
            elif action in ("confirm", "cancel", "stage"):
                self._controls.review_button.focus()

    # -- what the controls do -----------------------------------------------------------------

    def _connect(self) -> None:
        controls = self._controls
        for button, act in (
            (controls.review_button, self.review), (controls.refresh, self.refresh),
            (controls.confirm, self.confirm), (controls.rehearse, self.rehearse),
            (controls.cancel, self.cancel), (controls.settle, self.settle),
            (controls.choose, self.choose), (controls.deny, self.deny),
            (controls.give_up, self.give_up), (controls.despite, self.review_despite),
            (controls.again, self.take_again),
        ):  # fmt: skip
            button.on_click(partial(self._clicked, act))
        for field in (controls.source, controls.destination, controls.amount):
            field.observe(self._hint, "value")
        controls.intent.observe(self._offer, "value")
        controls.never.observe(self._ticked, "value")

    def _ticked(self, change: dict[str, Any]) -> None:
        with self._lock:
            self._controls.give_up.disabled = not (self._state.is_idle and change["new"])

    def _clicked(self, act: Callable[[], None], _: object) -> None:
        try:
            act()
        except Exception as error:  # noqa: BLE001 - ipywidgets writes it where nobody looks
            self._say(error)
