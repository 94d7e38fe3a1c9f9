"""The transfer panel in JupyterLab and Notebook 7, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from lab_kit import PANEL, Notebook, Panel
from playwright.sync_api import expect
from waiting import until

from seqdata.sandbox import Sandbox

Open = Callable[..., Panel]


@pytest.mark.parametrize(
    "in_notebook7",
    [False, pytest.param(True, marks=pytest.mark.soak)],
    ids=["JupyterLab", "Notebook 7"],
)
def test_a_transfer_from_the_form_to_its_id(open_panel: Open, in_notebook7: bool) -> None:
    """Form, Review and Confirm move the money once, and book, log and limit say so."""
    panel = open_panel(in_notebook7=in_notebook7)
    desk = panel.desk
    bills, groceries = desk.balance("Bills"), desk.balance("Groceries")
    panel.says("Play money: nothing real moves.")
    panel.says(re.compile(r"^\$25,000\.00 of \$25,000\.00 left today"))
    panel.is_ready()
    label = panel.label("Pod · Bills · ")
    panel.stage(label, "Groceries", "12.34", "for milk")
    expect(panel.region).to_contain_text("Review: nothing is sent yet")
    expect(panel.region).to_contain_text(re.compile("From ?Bills"))
    expect(panel.root.get_by_role("timer")).to_contain_text("left to confirm it")
    assert desk.payments == []
    panel.press("Confirm: send $12.34 to Groceries")
    (payment,) = panel.wait_for_payments(1)
    panel.says(re.compile("^Completed: the money has arrived"))
    panel.copies_an_id(payment["transfer_id"])
    panel.says(re.compile(r"^\$24,987\.66 of \$25,000\.00 left today"))
    expect(panel.amount).to_have_value("")
    expect(panel.source).not_to_have_value(label)
    until(
        lambda: panel.source.input_value() == panel.label("Pod · Bills · "),
        why="the field to have the new label of its account",
    )
    assert desk.balance("Bills") == bills - 1234
    assert desk.balance("Groceries") == groceries + 1234
    assert desk.story() == ["staged", "confirmed", "requested", "completed"]
    assert desk.charged() == 1234


def test_the_whole_way_with_the_keyboard(open_panel: Open) -> None:
    """Tab, letters and Enter are enough for a transfer, and Enter pressed again sends nothing."""
    panel = open_panel()
    panel.is_ready()
    keys = panel.page.keyboard
    panel.tab_to(panel.source)
    for typed, following in (
        ("Bills", panel.destination), ("Groceries", panel.amount), ("12.34", panel.note),
    ):  # fmt: skip
        keys.type(typed)
        keys.press("Tab")
        expect(following).to_be_focused()
    keys.type("for milk")
    panel.tab_to(panel.button("Review"))
    keys.press("Enter")
    expect(panel.button("Cancel")).to_be_focused()
    panel.tab_to(panel.confirm)
    keys.press("Enter")
    expect(panel.button("Review")).to_be_focused()
    panel.says(re.compile("^Completed"))
    keys.press("Enter")
    panel.says(re.compile("^No amount was given"))
    (payment,) = panel.desk.payments
    assert payment["variables"]["amount"] == 1234


#: A kernel that is late with everything that is typed, as a busy machine's is.
SLOW = (
    "import time; panel = ledger.transfer_panel()",
    "for one in (panel.controls.source, panel.controls.destination, panel.controls.amount):",
    "    one.observe(lambda change: time.sleep(0.1), 'value')",
    "panel",
)


def test_what_is_reviewed_is_what_was_typed(open_notebook: Callable[..., Notebook]) -> None:
    """A click that overtakes the last letters, in a slow kernel, reviews what the form says."""
    panel = Panel(open_notebook(*PANEL[:-1], *SLOW))
    panel.is_ready()
    keys = panel.page.keyboard
    panel.tab_to(panel.source)
    for typed, following in (
        ("Bills", panel.destination), ("Groceries", panel.amount), ("12.34", panel.note),
    ):  # fmt: skip
        keys.type(typed)
        keys.press("Tab")
        expect(following).to_be_focused()
    keys.type("for milk")
    panel.tab_to(panel.button("Review"))
    keys.press("Enter")
    expect(panel.button("Cancel")).to_be_focused()
    expect(panel.region).to_contain_text("for milk")
    expect(panel.confirm).to_have_text("Confirm: send $12.34 to Groceries")


@pytest.mark.soak
def test_every_control_has_a_name_that_is_read_out(open_panel: Open) -> None:
    """Fields, buttons, meter, table and the marks have their role and their name."""
    panel = open_panel()
    panel.is_ready()
    names = {
        "combobox": ("From", "To"),
        "textbox": ("Amount", "Note (optional)"),
        "checkbox": ("Instant, where the service offers it",),
        "button": ("Review", "Refresh"),
        "meter": ("Used of the daily limit",),
        "list": ("Recent events of the audit log",),
    }
    reviewing = {
        "button": ("Cancel", "Try without sending", "Confirm: send $12.34 to Groceries"),
        "region": ("Review of the transfer",),
    }
    for wanted in (names, reviewing):
        for role, name in ((role, one) for role, all_of in wanted.items() for one in all_of):
            found = panel.root.get_by_role(role, name=name, exact=True)  # type: ignore[arg-type]
            expect(found).to_have_count(1)
        if wanted is names:
            panel.stage("Bills", "Groceries", "12.34")


@pytest.mark.soak
def test_cancel_sends_nothing_and_leaves_the_form(open_panel: Open) -> None:
    """After Cancel nothing was sent, and what was typed is still there."""
    panel = open_panel()
    panel.stage("Bills", "Groceries", "12.34")
    expect(panel.amount).to_be_hidden()
    panel.press("Cancel")
    panel.says("Cancelled. Nothing was sent.")
    expect(panel.region).to_be_hidden()
    expect(panel.amount).to_be_enabled()
    expect(panel.amount).to_have_value("12.34")
    assert panel.desk.story() == ["staged", "cancelled"]
    assert panel.desk.payments == []
    assert panel.desk.charged() == 0


@pytest.mark.soak
def test_what_is_staged_too_long_cannot_be_sent(open_panel: Open) -> None:
    """When the countdown is over the panel says so, and Confirm is refused."""
    panel = open_panel(stage_seconds="1")
    panel.stage("Bills", "Groceries", "12.34")
    panel.says(re.compile("^Its time is up: the desk will refuse it"))
    panel.confirm.click()
    expect(panel.root.get_by_role("alert")).to_contain_text("The time to confirm it is over")
    expect(panel.region).to_be_hidden()
    expect(panel.button("Review")).to_be_enabled()
    assert panel.desk.story()[:2] == ["staged", "expired"]
    assert panel.desk.payments == []


@pytest.mark.soak
def test_what_the_desk_refuses_is_said(open_panel: Open) -> None:
    """Too much for the account, for a transfer or for the day: a sentence each, nothing sent."""
    panel = open_panel(max_transfer_cents="500000", max_daily_transfer_cents="2000")
    for amount, words in (
        ("4999", "which is less than"),
        ("5000.01", "more than one transfer may move"),
        ("20.01", "more than what is left today"),
        ("12.345", "is not an amount of dollars"),
    ):
        panel.review("Bills", "Groceries", amount)
        expect(panel.root.get_by_role("alert")).to_contain_text(words)
        expect(panel.region).to_be_hidden()
    assert set(panel.desk.story()) == {"refused"}
    assert panel.desk.payments == []


@pytest.mark.soak
def test_read_only_is_marked_and_sends_nothing(open_panel: Open) -> None:
    """Read-only stands in the banner, and Review is refused."""
    panel = open_panel(read_only="1")
    panel.says("Nothing is sent from here.")
    panel.review("Bills", "Groceries", "5")
    expect(panel.root.get_by_role("alert")).to_contain_text("Read-only is on")
    assert panel.desk.payments == []


def test_a_double_click_is_one_payment(open_panel: Open, box: Sandbox) -> None:
    """Two double clicks on Confirm, while the service takes its time, move the money once."""
    panel = open_panel()
    panel.stage("Bills", "Groceries", "12.34")
    box.fail("slow", operation="CreatePayment", seconds=0.5)
    button = panel.confirm.element_handle()
    assert button is not None
    button.dblclick()
    # By the page's own script: a button that is hidden by now takes no mouse, and these at least.
    button.evaluate("it => { it.click(); it.click() }")
    panel.says(re.compile("^Completed"))
    assert len(panel.desk.payments) == 1
    assert panel.desk.story().count("requested") == 1
    assert panel.desk.charged() == 1234


def test_from_review_to_settle_with_the_keyboard(open_panel: Open, box: Sandbox) -> None:
    """Tab and Enter lead from Review over a lost answer to its settling; the focus waits there."""
    panel = open_panel()
    panel.is_ready()
    panel.source.fill("Bills")
    panel.destination.fill("Groceries")
    panel.amount.fill("12.34")
    keys = panel.page.keyboard
    panel.tab_to(panel.button("Review"))
    keys.press("Enter")
    expect(panel.button("Cancel")).to_be_focused()
    keys.press("Tab")
    expect(panel.button("Try without sending")).to_be_focused()
    keys.press("Tab")
    expect(panel.confirm).to_be_focused()
    box.fail("cut_after", operation="CreatePayment")
    keys.press("Enter")
    expect(panel.button("Settle")).to_be_focused()
    for field in (panel.source, panel.destination, panel.amount, panel.note):
        expect(field).to_have_value("")
    keys.press("Enter")
    panel.says(re.compile("^Completed"))
    expect(panel.button("Settle")).to_be_hidden()
    assert len(panel.desk.payments) == 1


def test_an_unknown_outcome_is_settled(open_panel: Open, box: Sandbox) -> None:
    """A lost answer is shown as unknown, stays counted, and Settle finds the transfer's id."""
    panel = open_panel()
    bills = panel.desk.balance("Bills")
    panel.stage("Bills", "Groceries", "12.34")
    box.fail("cut_after", operation="CreatePayment")
    panel.confirm.click()
    panel.says(re.compile("Not known whether the money moved"))
    panel.says(re.compile(r"^\$24,987\.66 of \$25,000\.00 left today"))
    panel.review("Bills", "Groceries", "5")
    panel.says(re.compile(r"^It is not known whether \$12\.34 moved"))
    panel.press("Settle")
    (payment,) = panel.desk.payments
    panel.says(re.compile("^Completed"))
    panel.copies_an_id(payment["transfer_id"])
    expect(panel.button("Settle")).to_be_hidden()
    assert panel.desk.balance("Bills") == bills - 1234
    assert panel.desk.story()[-1] == "completed"
    assert panel.desk.charged() == 1234


@pytest.mark.soak
def test_what_never_happened_is_given_up(open_panel: Open, box: Sandbox) -> None:
    """What was lost on the way is given up by a person after a day, with a tick and a button."""
    panel = open_panel()
    panel.stage("Bills", "Groceries", "12.34")
    box.fail("cut", operation="CreatePayment")
    panel.confirm.click()
    panel.says(re.compile("Not known whether the money moved"))
    panel.press("Settle")
    panel.says(re.compile("not found in 1 complete reading of"))
    expect(panel.button("Call it failed")).to_be_hidden()
    box.advance(hours=25)
    panel.press("Settle")
    expect(panel.button("Call it failed")).to_be_disabled()
    panel.root.get_by_role("checkbox", name=re.compile("never happened")).check()
    panel.press("Call it failed")
    panel.says(re.compile("^Failed, nothing was moved"))
    expect(panel.button("Settle")).to_be_hidden()
    assert panel.desk.payments == []
    assert panel.desk.charged() == 0


EVIL = """<img src=x onerror="window.owned = 1">'\"</option><b>Kids</b>&amp;"""


@pytest.mark.soak
def test_names_are_text(open_panel: Open, box: Sandbox) -> None:
    """A name, a note and a typed account that look like HTML are shown as they are."""
    pods = box._world.organizations[0].book.holdings.values()
    kids = next(one for one in pods if one.name == "Kids")
    kids.name = kids.node["name"] = EVIL
    panel = open_panel()
    panel.stage("Bills", EVIL, "1", "<i>note</i>")
    expect(panel.region).to_contain_text(EVIL)
    expect(panel.region).to_contain_text("<i>note</i>")
    panel.confirm.click()
    expect(panel.root.locator(".sqp-completed")).to_contain_text(EVIL)
    panel.review("Bills", "<img src=x>", "1")
    expect(panel.root.get_by_role("alert")).to_contain_text("<img src=x>")
    options = panel.root.locator(".seqdata-panel-to option")
    values = options.evaluate_all("all => all.map(one => one.value)")
    assert any(EVIL in value for value in values)
    expect(panel.root.locator("img, i, option > b, bdi b")).to_have_count(0)
    assert panel.page.evaluate("window.owned") is None


@pytest.mark.parametrize(
    "saves_widgets",
    [False, pytest.param(True, marks=pytest.mark.soak)],
    ids=["as installed", "widgets saved"],
)
def test_a_saved_notebook_holds_no_secret(
    open_panel: Open, box: Sandbox, saves_widgets: bool
) -> None:
    """A notebook that was saved after a transfer holds no secret and no account number."""
    panel = open_panel(saves_widgets=saves_widgets)
    panel.stage("Bills", "Groceries", "12.34")
    panel.confirm.click()
    panel.says(re.compile("^Completed"))
    saved = panel.notebook.save()
    secrets = {*panel.desk.secrets(), *panel.desk.account_numbers()}
    assert len(secrets) > 12
    assert not [one for one in secrets if one in saved]
    assert "TransferPanel(" in saved
    # Names and balances are in what only the setting that was turned on saves.
    assert ("Groceries" in saved) == saves_widgets
