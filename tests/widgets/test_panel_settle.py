"""Unknown outcomes in the panel: found, chosen by a person, given up by a person."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from panel_helper import accepted, fill, is_shown, open_desk, open_panel, press, text

from seqdata.sandbox import Sandbox
from seqdata.widgets import TransferPanel


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(months=1, now="2026-11-01") as running:
        yield running


@pytest.fixture
def panel(box: Sandbox, tmp_path: Path) -> Iterator[TransferPanel]:
    opened = open_panel(open_desk(box, tmp_path))
    yield opened
    opened.close()


def lose(box: Sandbox, panel: TransferPanel, kind: str, amount: str = "12.34") -> None:
    """Confirm a transfer whose answer is lost, before or after the service acts."""
    fill(panel, "Bills", "Groceries", amount)
    press(panel, "review_button")
    box.fail(kind, operation="CreatePayment")
    press(panel, "confirm")


def test_an_unknown_outcome_is_settled_by_a_button(box: Sandbox, panel: TransferPanel) -> None:
    """A lost answer is shown as unknown with its reason, and Settle finds the transfer's id."""
    controls = panel.controls
    assert not is_shown(controls.settling)
    lose(box, panel, "cut_after")
    assert controls.outcome.value == ""
    assert 'role="alert"' in controls.open_transfers.value
    assert is_shown(controls.settling)
    assert "Not known whether the money moved" in text(controls.open_transfers)
    assert "$24,987.66 of" in text(controls.limits)
    filled = (controls.source, controls.destination, controls.amount, controls.note)
    assert [field.value for field in filled] == [""] * 4
    press(panel, "settle")
    (payment,) = accepted(box)
    assert payment["transfer_id"] in text(controls.outcome)
    assert not is_shown(controls.settling)


def test_another_one_needs_an_explicit_yes(box: Sandbox, panel: TransferPanel) -> None:
    """While one is open, its refusal of another has a button for that, and the review says so."""
    lose(box, panel, "cut_after")
    assert not is_shown(panel.controls.despite)
    press(panel, "despite")
    assert panel.state.staged is None
    fill(panel, "Bills", "Groceries", "5")
    press(panel, "review_button")
    assert "It is not known whether $12.34 moved" in text(panel.controls.messages)
    assert is_shown(panel.controls.despite)
    press(panel, "despite")
    assert not is_shown(panel.controls.despite)
    assert "whose outcome is unknown" in text(panel.controls.review)
    press(panel, "confirm")
    assert [one["variables"]["amount"] for one in accepted(box)] == [1234, 500]
    assert not is_shown(panel.controls.despite)


def test_what_never_happened_is_given_up_by_a_person(box: Sandbox, panel: TransferPanel) -> None:
    """Giving up is offered when the desk offers it, and needs a tick beside the button."""
    controls = panel.controls
    lose(box, panel, "cut")
    press(panel, "settle")
    assert "not found in 1 complete reading of" in text(controls.open_transfers)
    assert not is_shown(controls.giving_up)
    press(panel, "give_up")
    assert is_shown(controls.settling)
    box.advance(hours=25)
    press(panel, "settle")
    assert is_shown(controls.giving_up)
    assert controls.give_up.disabled
    press(panel, "give_up")
    assert is_shown(controls.settling)
    controls.never.value = True
    assert not controls.give_up.disabled
    press(panel, "give_up")
    assert "Failed, nothing was moved" in text(controls.outcome)
    assert not is_shown(controls.settling)
    assert controls.never.value is False
    assert "$25,000.00 of $25,000.00" in text(controls.limits)
    assert accepted(box) == []


def test_one_of_several_is_chosen_by_a_person(
    box: Sandbox, panel: TransferPanel, tmp_path: Path
) -> None:
    """Where several transfers could be it, a person chooses, and nothing is chosen by accident."""
    controls = panel.controls
    lose(box, panel, "cut_after")
    (ours,) = accepted(box)
    other = tmp_path / "web"
    other.mkdir()
    web = open_desk(box, other)
    web.confirm(web.stage("Bills", "Groceries", "12.34"))
    press(panel, "settle")
    assert "it may be one of 2 transfers, or none" in text(controls.open_transfers)
    assert is_shown(controls.choosing)
    press(panel, "choose")
    assert is_shown(controls.settling)
    values = [value for _, value in controls.candidate.options]
    assert values[0] == ""
    assert set(values[1:]) == {one["transfer_id"] for one in accepted(box)}
    controls.candidate.value = ours["transfer_id"]
    press(panel, "choose")
    assert ours["transfer_id"] in text(controls.outcome)
    assert not is_shown(controls.settling)


def test_a_choice_that_does_not_hold_is_refused(
    box: Sandbox, panel: TransferPanel, tmp_path: Path
) -> None:
    """A candidate that vanished meanwhile is refused by the desk in a sentence, and stays open."""
    lose(box, panel, "cut_after")
    other = tmp_path / "web"
    other.mkdir()
    web = open_desk(box, other)
    web.confirm(web.stage("Bills", "Groceries", "12.34"))
    press(panel, "settle")
    gone = panel.controls.candidate.options[1][1]
    panel.controls.candidate.value = gone
    box.remove_transfers([gone])
    press(panel, "choose")
    assert "cannot be settled like that" in text(panel.controls.messages)
    assert is_shown(panel.controls.settling)


def test_the_activity_cannot_be_read(box: Sandbox, panel: TransferPanel) -> None:
    """Where the activity cannot be read nothing is settled, and the panel says why."""
    lose(box, panel, "cut_after")
    box.fail("forbidden", operation="ActivityLogV2Transfers", times=5)
    press(panel, "settle")
    assert 'role="alert"' in panel.controls.messages.value
    assert is_shown(panel.controls.settling)


def test_one_of_several_open_ones_is_picked(box: Sandbox, panel: TransferPanel) -> None:
    """With several open transfers each is listed, and what is offered is that of the picked one."""
    controls = panel.controls
    lose(box, panel, "cut", "5")
    assert not is_shown(controls.intent)
    fill(panel, "Rainy Day", "Bills", "6")
    press(panel, "review_button")
    if panel.state.staged is None:  # the household has no such pod
        source = next(
            one for one in panel.state.accounts
            if one.kind == "pod" and (one.balance_cents or 0) > 600
            and one.name not in ("Bills", "Groceries")
        )  # fmt: skip
        fill(panel, source.id, "Bills", "6")
        press(panel, "review_button")
    box.fail("cut", operation="CreatePayment")
    press(panel, "confirm")
    assert "the money moved (2 transfers)" in text(controls.open_transfers)
    assert is_shown(controls.intent)
    press(panel, "settle")
    box.advance(hours=25)
    press(panel, "settle")
    for _, intent_id in controls.intent.options:
        controls.intent.value = intent_id
        assert is_shown(controls.giving_up)
    last = controls.intent.value
    controls.never.value = True
    press(panel, "give_up")
    assert [one.id for one in panel.state.open_intents] != []
    assert last not in [one.id for one in panel.state.open_intents]


def test_a_new_panel_finds_what_an_old_one_left(
    box: Sandbox, panel: TransferPanel, tmp_path: Path
) -> None:
    """A panel that is opened later shows the open transfers of before, and settles them."""
    lose(box, panel, "cut_after")
    later = open_panel(open_desk(box, tmp_path))
    assert "Not known whether the money moved" in text(later.controls.open_transfers)
    press(later, "settle")
    assert accepted(box)[0]["transfer_id"] in text(later.controls.outcome)
    press(panel, "settle")
    assert "Every transfer has a known outcome." in text(panel.controls.messages)
    later.close()


def test_none_of_several_is_said_by_a_person(
    box: Sandbox, panel: TransferPanel, tmp_path: Path
) -> None:
    """Where no candidate is the one, a button says so, and they are not offered again."""
    controls = panel.controls
    lose(box, panel, "cut")
    other = tmp_path / "web"
    other.mkdir()
    web = open_desk(box, other)
    box.advance(minutes=10)
    web.confirm(web.stage("Bills", "Groceries", "12.34"))
    press(panel, "settle")
    assert is_shown(controls.choosing)
    press(panel, "deny")
    assert "not found in 1 complete reading" in text(controls.open_transfers)
    assert is_shown(controls.settling)
    assert not is_shown(controls.choosing)
