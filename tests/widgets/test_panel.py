"""The transfer panel over the desk and a real sandbox, driven without a browser."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from exchanges import without_mark
from panel_helper import accepted, fill, is_shown, open_desk, open_panel, press, text
from waiting import PATIENCE

from seqdata import exceptions as ex
from seqdata.http.curl import CurlSend
from seqdata.http.messages import Exchange, Request
from seqdata.http.transport import Transport
from seqdata.safeguards.audit import utc_now
from seqdata.sandbox import Sandbox
from seqdata.widgets import TransferPanel

BUTTONS = ("review_button", "confirm", "rehearse", "cancel", "settle", "refresh", "choose",
           "give_up")  # fmt: skip


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(months=1, now="2026-11-01") as running:
        yield running


@pytest.fixture
def panel(box: Sandbox, tmp_path: Path) -> Iterator[TransferPanel]:
    opened = open_panel(open_desk(box, tmp_path))
    yield opened
    opened.close()


def operations(box: Sandbox) -> list[str]:
    return [str(one["operation"]) for one in box.requests()]


def clocks() -> set[threading.Thread]:
    return {one for one in threading.enumerate() if one.name.startswith("seqdata-panel")}


class Gate:
    """Lets a request wait until a test says so."""

    def __init__(self, *, at: Callable[[Request], bool]) -> None:
        self.is_there, self.may_go = threading.Event(), threading.Event()
        self._at, self._curl = at, CurlSend()

    def __call__(self, request: Request) -> Exchange:
        if self._at(request):
            self.is_there.set()
            assert self.may_go.wait(PATIENCE)
        return self._curl(request)


# -- opening ----------------------------------------------------------------------------------


def test_opening_asks_the_service_once(box: Sandbox, panel: TransferPanel) -> None:
    """An opened panel has made one request, and typing makes none."""
    assert operations(box) == ["SelectSourceAndDestination"]
    for typed in ("B", "Bi", "Bills"):
        fill(panel, typed, typed, typed)
    assert operations(box) == ["SelectSourceAndDestination"]
    assert text(panel.controls.source_hint).startswith("✓ Pod Bills")


def test_it_is_being_read_until_the_service_answers(box: Sandbox, tmp_path: Path) -> None:
    """Until the service answers it says that it reads, and takes the account for a real one."""
    gate = Gate(at=lambda request: True)
    panel = TransferPanel(open_desk(box, tmp_path, transport=Transport(gate)))
    assert gate.is_there.wait(PATIENCE)
    assert "Reading" in text(panel.controls.busy)
    assert "take it for a real account" in text(panel.controls.banner)
    assert panel.controls.review_button.disabled
    gate.may_go.set()
    assert panel.wait(PATIENCE)
    assert text(panel.controls.busy) == ""
    assert "Sandbox" in text(panel.controls.banner)
    assert not panel.controls.review_button.disabled
    panel.close()


def test_a_failed_reading_is_said_and_can_be_repeated(box: Sandbox, tmp_path: Path) -> None:
    """Where the accounts cannot be read the panel says why, and Refresh reads them."""
    box.fail("forbidden", operation="SelectSourceAndDestination")
    panel = open_panel(open_desk(box, tmp_path), somebody_there=lambda: True)
    assert 'role="alert"' in panel.controls.messages.value
    assert panel.controls.source.options == ()
    press(panel, "refresh")
    assert panel.controls.messages.value == ""
    assert len(panel.controls.source.options) > 5
    panel.close()


def test_every_control_has_a_name(panel: TransferPanel) -> None:
    """Every field and button says by a label and a tooltip what it is for."""
    press(panel, "refresh")
    fields = [*panel.controls.fields, panel.controls.intent, panel.controls.candidate]
    unnamed = (panel.controls.confirm, panel.controls.again)  # hidden until they have a name
    for control in [*fields, *(getattr(panel.controls, name) for name in BUTTONS)]:
        assert control.tooltip
        assert control.description or control in unnamed
        assert any(one.startswith("seqdata-panel-") for one in control._dom_classes)


# -- the whole way ----------------------------------------------------------------------------


def test_a_transfer_from_review_to_its_id(
    box: Sandbox, panel: TransferPanel, tmp_path: Path
) -> None:
    """Review shows what will happen, Confirm does it once, and the panel shows what is then."""
    controls = panel.controls
    bills = next(one for one in controls.source.options if "Bills" in one)
    fill(panel, bills, "Groceries", "12.34", "for milk")
    press(panel, "review_button")
    assert accepted(box) == []
    assert is_shown(controls.staged)
    assert controls.amount.disabled
    assert controls.confirm.description == "Confirm: send $12.34 to Groceries"
    review = text(controls.review)
    for words in ("nothing is sent yet", "Bills Pod", "Groceries Pod", "$12.34", "for milk",
                  "$24,987.66 of $25,000.00"):  # fmt: skip
        assert words in review
    assert "left to confirm it" in text(controls.countdown)
    press(panel, "confirm")
    (payment,) = accepted(box)
    assert payment["transfer_id"] in text(controls.outcome)
    assert "Completed" in text(controls.outcome)
    assert not is_shown(controls.staged)
    assert "$24,987.66 of $25,000.00 left today" in text(controls.limits)
    assert [controls.amount.value, controls.note.value] == ["", ""]
    assert controls.source.value == next(one for one in controls.source.options if "Bills" in one)
    assert controls.source.value != bills
    assert "Arrived $12.34 Bills → Groceries" in text(controls.events)


def test_a_name_is_enough(box: Sandbox, panel: TransferPanel) -> None:
    """What is typed goes to the desk as it is, which knows names and their parts."""
    fill(panel, "pod:bills", "groceries", "$1,000.00")
    press(panel, "review_button")
    staged = panel.state.staged
    assert staged is not None
    assert (staged.source.name, staged.destination.name) == ("Bills", "Groceries")
    assert staged.amount_cents == 100_000


def test_a_click_brings_what_the_fields_say(box: Sandbox, panel: TransferPanel) -> None:
    """What the page says at a click is what is reviewed; what is no field's changes nothing."""
    fill(panel, "B", "Groceries", "1")
    controls = panel.controls
    for typed in (
        {"source": "Bills", "amount": "12.34", "instant": False},
        {"amount": 99, "note": None, "confirm": "x", "candidate": "not offered"},
        None,
    ):
        controls.typed._handle_custom_msg({"typed": typed}, [])
    press(panel, "review_button")
    staged = panel.state.staged
    assert staged is not None
    assert (staged.source.name, staged.amount_cents, staged.note) == ("Bills", 1234, "")
    assert controls.candidate.value is None
    held = str(controls.typed.get_state())
    assert "Bills" not in held
    assert "12.34" not in held


def test_cancel_sends_nothing(box: Sandbox, panel: TransferPanel) -> None:
    """After Cancel the form is back with what was typed, and nothing was sent."""
    fill(panel, "Bills", "Groceries", "12.34")
    press(panel, "review_button", "cancel", "confirm")
    assert "Cancelled. Nothing was sent." in text(panel.controls.messages)
    assert panel.controls.amount.value == "12.34"
    assert not panel.controls.amount.disabled
    assert not is_shown(panel.controls.staged)
    assert accepted(box) == []
    assert "Cancelled" in text(panel.controls.events)


def test_a_rehearsal_sends_nothing_and_leaves_the_review(
    box: Sandbox, panel: TransferPanel
) -> None:
    """A rehearsal says that it was one, sends nothing, and Confirm still works after it."""
    fill(panel, "Bills", "Groceries", "12.34")
    press(panel, "review_button", "rehearse")
    assert "Tried: every check passed, and nothing was sent" in text(panel.controls.outcome)
    assert accepted(box) == []
    assert is_shown(panel.controls.staged)
    press(panel, "confirm")
    assert len(accepted(box)) == 1


REFUSALS: list[tuple[tuple[str, str, str], str]] = [
    (("Bills", "Groceries", ""), "No amount was given"),
    (("Bills", "Groceries", "12.345"), "is not an amount of dollars"),
    (("Bills", "Groceries", "-5"), "the least that the service moves"),
    (("Bills", "Groceries", "10000.01"), "more than one transfer may move"),
    (("Bills", "Groceries", "9999"), "which is less than"),
    (("Bills", "Bills", "5"), "both source and destination"),
    (("Nowhere", "Bills", "5"), "No account is called “Nowhere”"),
    (("", "Bills", "5"), "No account was chosen"),
]


@pytest.mark.parametrize(("given", "words"), REFUSALS)
def test_what_the_desk_refuses_is_said(
    panel: TransferPanel, box: Sandbox, given: tuple[str, str, str], words: str
) -> None:
    """The sentence of a refusal stands in the panel as an alert, and the form stays open."""
    fill(panel, *given)
    press(panel, "review_button")
    assert words in text(panel.controls.messages)
    assert 'role="alert"' in panel.controls.messages.value
    assert not panel.controls.review_button.disabled
    assert not is_shown(panel.controls.staged)
    press(panel, "confirm")
    assert accepted(box) == []


def test_the_service_says_no(box: Sandbox, panel: TransferPanel) -> None:
    """A payment that the service refuses is Failed, and the limit is as it was."""
    fill(panel, "Bills", "Groceries", "12.34")
    press(panel, "review_button")
    box.fail("unauthorized", operation="CreatePayment")
    press(panel, "confirm")
    assert "Failed, nothing was moved" in text(panel.controls.outcome)
    assert "$25,000.00 of $25,000.00" in text(panel.controls.limits)
    assert panel.controls.amount.value == "12.34"
    assert accepted(box) == []


# -- marks ------------------------------------------------------------------------------------


def test_read_only_is_marked_and_nothing_is_sent(box: Sandbox, tmp_path: Path) -> None:
    """A read-only panel says so at its top, and Review gets the desk's refusal."""
    panel = open_panel(open_desk(box, tmp_path, read_only=True))
    assert "Read-only" in text(panel.controls.banner)
    fill(panel, "Bills", "Groceries", "5")
    press(panel, "review_button")
    assert "Read-only is on, so nothing is sent from here." in text(panel.controls.messages)
    panel.close()


def real_send() -> Callable[[Request], Exchange]:
    """Send as usual; the answers do not say that they are a sandbox's."""
    curl = CurlSend()

    def send(request: Request) -> Exchange:
        return without_mark(curl(request))

    return send


def test_a_real_account_is_marked(box: Sandbox, tmp_path: Path) -> None:
    """At a service that is no sandbox the banner and the button speak of real money."""
    desk = open_desk(box, tmp_path, transport=Transport(real_send()), clock=lambda: box.now)
    panel = open_panel(desk, somebody_there=lambda: True)
    assert "Real account" in text(panel.controls.banner)
    fill(panel, "Bills", "Groceries", "5")
    press(panel, "review_button")
    assert panel.controls.confirm.description == "Confirm: send $5.00 of real money to Groceries"
    press(panel, "confirm")
    assert "Nobody can answer here" in text(panel.controls.messages)
    assert accepted(box) == []
    panel.close()


# -- twice and late ---------------------------------------------------------------------------


def test_a_double_click_on_two_threads_makes_one_transfer(
    box: Sandbox, panel: TransferPanel
) -> None:
    """Confirm pressed on many threads at once moves the money once."""
    fill(panel, "Bills", "Groceries", "12.34")
    press(panel, "review_button")
    barrier = threading.Barrier(8)

    def click() -> None:
        barrier.wait()
        panel.controls.confirm.click()
        panel.controls.confirm.click()

    threads = [threading.Thread(target=click) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert panel.wait(PATIENCE)
    press(panel, "confirm")
    assert len(accepted(box)) == 1
    assert "Completed" in text(panel.controls.outcome)
    assert panel.controls.messages.value == ""


def test_two_clicks_on_review_stage_once(box: Sandbox, tmp_path: Path) -> None:
    """While a transfer is being checked nothing else begins, and the panel says what it does."""
    gate = Gate(at=lambda request: gate.is_armed)
    gate.is_armed = False  # type: ignore[attr-defined]
    panel = open_panel(open_desk(box, tmp_path, transport=Transport(gate)))
    fill(panel, "Bills", "Groceries", "5")
    gate.is_armed = True  # type: ignore[attr-defined]
    panel.controls.review_button.click()
    assert gate.is_there.wait(PATIENCE)
    assert "Checking" in text(panel.controls.busy)
    for name in BUTTONS:
        getattr(panel.controls, name).click()
    assert not panel.wait(0.01)
    gate.may_go.set()
    assert panel.wait(PATIENCE)
    assert operations(box) == ["SelectSourceAndDestination"] * 2 + ["ActivityLogV2Transfers"] * (
        len(operations(box)) - 2
    )
    assert text(panel.controls.events).count("Reviewed") == 1
    panel.close()


def test_what_was_used_elsewhere_is_said_kindly(box: Sandbox, panel: TransferPanel) -> None:
    """A transfer that a cell confirmed already is not sent again, and a notice says so."""
    fill(panel, "Bills", "Groceries", "5")
    press(panel, "review_button")
    staged = panel.state.staged
    assert staged is not None
    panel._desk.confirm(staged)
    press(panel, "confirm")
    assert "was used already (completed)" in text(panel.controls.messages)
    assert 'role="status"' in panel.controls.messages.value
    assert 'role="alert"' not in panel.controls.messages.value
    assert not is_shown(panel.controls.staged)
    assert len(accepted(box)) == 1


class Clock:
    """A wall clock that a test moves on."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return utc_now() + self.ahead


def test_an_expired_review_is_refused_by_the_desk(box: Sandbox, tmp_path: Path) -> None:
    """When the time is up the countdown says so, and the desk refuses a late Confirm."""
    clock = Clock()
    panel = open_panel(open_desk(box, tmp_path, clock=clock), clock=clock, tick_seconds=0.01)
    fill(panel, "Bills", "Groceries", "5")
    others = clocks()  # of panels that were closed, and that may be about to end
    press(panel, "review_button")
    (ticking,) = clocks() - others
    clock.ahead = timedelta(seconds=301)
    ticking.join(PATIENCE)
    assert not ticking.is_alive()
    assert "Its time is up" in text(panel.controls.countdown)
    press(panel, "confirm")
    assert "The time to confirm it is over" in text(panel.controls.messages)
    assert not is_shown(panel.controls.staged)
    assert accepted(box) == []
    fill(panel, "Bills", "Groceries", "5")
    press(panel, "review_button", "confirm")
    assert len(accepted(box)) == 1
    panel.close()


def test_the_countdown_moves_by_itself(box: Sandbox, tmp_path: Path) -> None:
    """The countdown goes down while nothing else happens, and the kernel's thread is free."""
    panel = open_panel(open_desk(box, tmp_path, stage_seconds=60), tick_seconds=0.01)
    moved = threading.Event()
    fill(panel, "Bills", "Groceries", "5")
    press(panel, "review_button")
    panel.controls.countdown.observe(lambda change: moved.set(), "value")
    assert moved.wait(PATIENCE)
    panel.close()


# -- errors that nobody expected --------------------------------------------------------------


class Broken:
    """A desk whose methods a test breaks; everything else is the real one's."""

    def __init__(self, desk: Any, **broken: BaseException) -> None:
        self._real, self._broken = desk, broken

    def __getattr__(self, name: str) -> Any:
        if name in self._broken:
            raise self._broken[name]
        return getattr(self._real, name)


@pytest.mark.parametrize("error", [RuntimeError("secret words"), SystemExit(3)])
def test_an_unexpected_error_is_shown_and_logged(
    box: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    """An error that nobody expected is a sentence in the panel, a traceback in the log, no end."""
    desk: Any = Broken(open_desk(box, tmp_path), confirm=error)
    panel = open_panel(desk)
    fill(panel, "Bills", "Groceries", "5")
    with caplog.at_level(logging.ERROR, "seqdata"):
        press(panel, "review_button", "confirm")
    shown = text(panel.controls.messages)
    assert type(error).__name__ in shown
    assert "recent events below" in shown
    assert "secret words" not in shown
    assert any(record.exc_info for record in caplog.records)
    assert not panel.controls.review_button.disabled
    panel.close()


def test_unreadable_files_are_said(box: Sandbox, tmp_path: Path) -> None:
    """A limits file that cannot be read and a broken audit log each stand in the panel."""
    desk = open_desk(box, tmp_path)
    desk.confirm(desk.stage("Bills", "Groceries", "5"))
    (tmp_path / ".daily_limits.json").write_text("{")
    log = tmp_path / ".audit.jsonl"
    log.write_text(log.read_text().replace("Bills", "Rent", 1))
    panel = open_panel(desk)
    assert "daily limits" in text(panel.controls.messages)
    assert "is not as it was written" in text(panel.controls.messages)
    assert "not known" in text(panel.controls.limits)
    fill(panel, "Bills", "Groceries", "5")
    press(panel, "review_button")
    assert text(panel.controls.messages).count("is not as it was written") == 1
    assert not is_shown(panel.controls.staged)
    panel.close()


def test_an_outcome_that_cannot_be_written_down_is_said(box: Sandbox, tmp_path: Path) -> None:
    """Where the outcome of a sent transfer could not be recorded, the review does not come back."""
    error = ex.OutcomeNotRecorded("completed", "i1", "no space left")
    panel = open_panel(Broken(open_desk(box, tmp_path), confirm=error))  # type: ignore[arg-type]
    fill(panel, "Bills", "Groceries", "5")
    press(panel, "review_button", "confirm")
    assert "no space left" in text(panel.controls.messages)
    assert not is_shown(panel.controls.staged)
    panel.close()


def test_a_panel_that_cannot_show_something_says_so(
    box: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Where even showing goes wrong the panel says that, and can be used again afterwards."""
    is_broken = False

    def clock() -> datetime:
        if is_broken:
            raise OSError("no clock")
        return utc_now()

    panel = open_panel(open_desk(box, tmp_path), clock=clock)
    is_broken = True
    with caplog.at_level(logging.ERROR, "seqdata"):
        press(panel, "refresh")
    assert "did not expect happened (OSError)" in text(panel.controls.messages)
    is_broken = False
    press(panel, "refresh")
    assert panel.controls.messages.value == ""
    panel.close()


# -- closing ----------------------------------------------------------------------------------


def test_closing_leaves_only_words(box: Sandbox, tmp_path: Path) -> None:
    """A closed panel says so, has no thread and no figure left, and its buttons do nothing."""
    from ipywidgets import Widget

    before = set(Widget.get_manager_state()["state"])
    panel = open_panel(open_desk(box, tmp_path), tick_seconds=0.01)
    fill(panel, "Bills", "Groceries", "5")
    others = clocks()
    press(panel, "review_button")
    (ticking,) = clocks() - others
    panel.close("Closed with its ledger.")
    panel.close()
    ticking.join(PATIENCE)
    assert not ticking.is_alive()
    assert clocks() <= others
    state = Widget.get_manager_state()["state"]
    left = {key: one for key, one in state.items() if key not in before}
    assert len(left) <= 8  # the box, the words, and how they look
    assert [text(one) for one in panel.children] == ["Closed with its ledger."]
    assert not any(word in str(left) for word in ("Bills", "$", "kim", "127.0.0.1"))
    press(panel, *BUTTONS)
    assert accepted(box) == []


def test_closing_while_something_is_under_way(box: Sandbox, tmp_path: Path) -> None:
    """A panel that is closed while it sends lets the desk finish, and shows nothing any more."""
    gate = Gate(at=lambda request: request.once)
    desk = open_desk(box, tmp_path, transport=Transport(gate))
    panel = open_panel(desk)
    fill(panel, "Bills", "Groceries", "5")
    press(panel, "review_button")
    panel.controls.confirm.click()
    assert gate.is_there.wait(PATIENCE)
    panel.close()
    gate.may_go.set()
    assert panel.wait(PATIENCE)
    assert len(accepted(box)) == 1
    assert desk.open_intents() == []
    assert panel.controls.outcome.value == ""


def test_the_last_transfer_can_be_taken_again(box: Sandbox, tmp_path: Path) -> None:
    """A new panel offers the accounts of the last transfer, and asks for the amount anew."""
    desk = open_desk(box, tmp_path)
    first = open_panel(desk)
    assert not is_shown(first.controls.again)
    desk.confirm(desk.stage("Bills", "Groceries", "12.34", note="for milk"))
    panel = open_panel(desk)
    controls = panel.controls
    assert controls.again.description == "Take the last one again: Bills → Groceries"
    controls.amount.value = "7"
    press(panel, "again")
    assert [controls.amount.value, controls.note.value] == ["", "for milk"]
    assert [text(controls.source_hint)[:7], "Bills" in controls.source.value] == ["✓ holds", True]
    assert "Groceries" in controls.destination.value
    controls.amount.value = "5"
    press(panel, "review_button", "confirm")
    assert [one["variables"]["amount"] for one in accepted(box)] == [1234, 500]
    for one in (first, panel):
        one.close()


def test_nothing_says_that_it_sends_once_it_is_sent(box: Sandbox, panel: TransferPanel) -> None:
    """While the balances are read after a transfer, the panel says that it reads."""
    controls = panel.controls
    seen: list[str] = []
    beside_outcome: list[str] = []
    controls.busy.observe(lambda _: seen.append(text(controls.busy)), "value")
    controls.outcome.observe(lambda _: beside_outcome.append(text(controls.busy)), "value")
    fill(panel, "Bills", "Groceries", "12.34")
    press(panel, "review_button", "confirm")
    assert "Sending, once. Do not send it elsewhere…" in seen
    assert seen[-2:] == ["Reading the balances again…", ""]
    assert beside_outcome[-1] == "Reading the balances again…"
