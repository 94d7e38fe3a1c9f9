"""Staging, confirming, cancelling: what is shown, checked, refused and written down."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from desk_helper import (
    NOON,
    Clock,
    arrived,
    charged,
    events,
    limits_file,
    open_desk,
    story,
)

from seqdata import exceptions as ex
from seqdata.safeguards import AuditLog, Completed, DailyLimitTracker, Failed, TransferDesk
from seqdata.sandbox import Sandbox


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(months=1, now="2026-11-01") as running:
        yield running


@pytest.fixture
def desk(box: Sandbox, tmp_path: Path) -> TransferDesk:
    return open_desk(box, tmp_path)


def test_a_transfer_goes_from_review_to_the_service(
    desk: TransferDesk, box: Sandbox, tmp_path: Path
) -> None:
    """Stage shows, confirm sends once, and limits and audit log carry the service's new id."""
    staged = desk.stage("Bills", "groceries", "$12.34", note="for bread")
    shown = repr(staged)
    for part in ("$12.34", "pod 'Groceries'", "at once"):
        assert part in shown
    assert "<table>" in staged._repr_html_()
    assert arrived(box) == []
    outcome = desk.confirm(staged)
    (paid,) = arrived(box)
    assert outcome == Completed(paid["transfer_id"], intent_id=staged.id)
    assert outcome.status == "completed"
    assert paid["variables"]["amount"] == 1234
    assert paid["variables"]["achDescription"] == "for bread"
    assert story(tmp_path) == ["staged", "confirmed", "requested", "completed"]
    assert AuditLog(tmp_path / ".audit.jsonl").verify().is_intact
    (entry,) = limits_file(tmp_path)
    assert (entry["transfer_id"], entry["state"]) == (paid["transfer_id"], "completed")
    assert charged(tmp_path) == 1234
    assert desk.open_intents() == []


@pytest.mark.parametrize(
    ("given", "cents"),
    [
        ({"amount": "12.34"}, 1234),
        ({"amount": Decimal("12.3")}, 1230),
        ({"amount_cents": 100}, 100),
    ],
)
def test_amounts_are_text_decimals_or_cents(
    desk: TransferDesk, given: dict[str, Any], cents: int
) -> None:
    """An amount is text, a Decimal or whole cents, and means exactly that."""
    assert desk.stage("Bills", "Groceries", **given).amount_cents == cents


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("Bills", "Groceries", 12.34), ex.InvalidAmount),
        (("Bills", "Groceries", "1.234"), ex.InvalidAmount),
        (("Bills", "Groceries", None), ex.UsageError),
        (("Bills", "Groceries", "9" * 5000), ex.UsageError),
        (("Bills", "Groceries", "0.99"), ex.AmountTooSmall),
        (("Bills", "Groceries", "-5"), ex.AmountTooSmall),
        (("Bills", "Groceries", "10000.01"), ex.TransferLimitExceeded),
        (("Bills", "Groceries", "9000"), ex.InsufficientBalance),
        (("Bills", "Bills", "5"), ex.SameAccount),
        (("Travel Card", "Bills", "5"), ex.SourceNotAllowed),
        (("Bills", "Nowhere", "5"), ex.UnknownAccount),
        (("Bills", "", "5"), ex.UnknownAccount),
        (("Bills", "Groceries", "5", "x" * 81), ex.NoteNotAllowed),
        (("Bills", "Groceries", "5", "two\nlines"), ex.NoteNotAllowed),
    ],
)
def test_each_refusal_is_its_own_error(
    desk: TransferDesk, box: Sandbox, tmp_path: Path, arguments: Any, error: type[Exception]
) -> None:
    """What may not be sent is refused by name, safeguards' refusals are logged, nothing moves."""
    with pytest.raises(error) as caught:
        desk.stage(*arguments)
    assert arrived(box) == []
    if isinstance(caught.value, ex.SafeguardError):
        assert events(tmp_path, "transfer_refused")[0]["error"] == str(caught.value)


def test_an_ambiguous_name_lists_its_candidates(desk: TransferDesk) -> None:
    """A part of names is refused with the candidates, and so is a name that two accounts have."""
    with pytest.raises(ex.UnknownAccount, match=r"Did you mean .*Partner's Paycheck.*Main Payc"):
        desk.stage("Bills", "paycheck", "5")
    for name in ("KIDS", "kids", "pod:Kids"):
        with pytest.raises(ex.UnknownAccount, match="more than one"):
            desk.stage("Bills", name, "5")
    assert desk.stage("Bills", "port:main  paycheck", "5").destination.kind == "port"


def test_two_queued_confirms_pay_once(desk: TransferDesk, box: Sandbox) -> None:
    """Of eight threads that confirm one staged transfer, one pays and seven are told."""
    staged = desk.stage("Bills", "Groceries", "5")
    told: list[str] = []

    def confirm() -> None:
        try:
            told.append(desk.confirm(staged).status)
        except ex.StageUsed as error:
            told.append(error.state)

    threads = [threading.Thread(target=confirm) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(arrived(box)) == 1
    assert told == ["completed"] * 8


def test_another_process_cannot_use_it_again(
    desk: TransferDesk, box: Sandbox, tmp_path: Path
) -> None:
    """A copy of a used staged transfer is refused by another desk of the same data folder."""
    staged = desk.stage("Bills", "Groceries", "5")
    copy = pickle.loads(pickle.dumps(staged))
    assert desk.confirm(staged).status == "completed"
    with pytest.raises(ex.StageUsed):
        open_desk(box, tmp_path).confirm(copy)
    assert len(arrived(box)) == 1


def test_a_changed_or_foreign_staged_transfer_is_refused(
    desk: TransferDesk, box: Sandbox, tmp_path: Path
) -> None:
    """A staged transfer is taken unchanged, from its own user, and not after it was cancelled."""
    staged = desk.stage("Bills", "Groceries", "5")
    with pytest.raises(ex.StageUnknown):
        desk.confirm(replace(staged, amount_cents=50_000))
    with pytest.raises(ex.StageUnknown):
        desk.confirm("staged")  # type: ignore[arg-type]
    with pytest.raises(ex.ForeignStage):
        open_desk(box, tmp_path, user="alex").confirm(staged)
    desk.cancel(staged)
    with pytest.raises(ex.StageUsed, match="cancelled"):
        desk.confirm(staged)
    assert arrived(box) == []


def test_a_staged_transfer_expires(box: Sandbox, tmp_path: Path) -> None:
    """After SEQUENCE_STAGE_SECONDS, or where the clock was set back, it is refused and logged."""
    clock = Clock(NOON)
    desk = open_desk(box, tmp_path, clock=clock, stage_seconds=60)
    staged, other = desk.stage("Bills", "Groceries", "5"), desk.stage("Bills", "Groceries", "6")
    clock.now = NOON - timedelta(seconds=1)
    with pytest.raises(ex.StageExpired):
        desk.confirm(other)
    clock.now = NOON + timedelta(seconds=60)
    with pytest.raises(ex.StageExpired):
        desk.confirm(staged)
    assert len(events(tmp_path, "transfer_expired")) == 2
    assert arrived(box) == []


def test_a_balance_that_fell_stops_a_confirm(
    desk: TransferDesk, box: Sandbox, tmp_path: Path
) -> None:
    """What somebody else took stops a confirm; your own later transfers do not."""
    staged = [desk.stage("Emergency Fund", "Groceries", "5") for _ in range(3)]
    assert desk.confirm(staged[0]).status == "completed"
    assert desk.confirm(staged[1]).status == "completed"
    other = tmp_path / "other"
    other.mkdir()
    elsewhere = open_desk(box, other)
    assert elsewhere.confirm(elsewhere.stage("Emergency Fund", "Bills", "7")).status == "completed"
    with pytest.raises(ex.BalanceFell, match=r"\$10\.00 of it were moved by you"):
        desk.confirm(staged[2])
    assert len(arrived(box)) == 3


def test_a_dry_run_does_everything_but_the_sending(
    desk: TransferDesk, box: Sandbox, tmp_path: Path
) -> None:
    """A dry run sends and counts nothing, and the staged transfer can be used after it."""
    staged = desk.stage("Bills", "Groceries", "5")
    assert desk.confirm(staged, dry_run=True).status == "dry run"
    assert (arrived(box), charged(tmp_path), desk.open_intents()) == ([], 0, [])
    assert desk.confirm(staged).status == "completed"
    assert len(arrived(box)) == 1


def test_read_only_refuses_at_stage(
    box: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With SEQUENCE_READ_ONLY nothing is staged, and what was staged before is not sent."""
    with pytest.raises(ex.ReadOnlyMode):
        open_desk(box, tmp_path, read_only=True).stage("Bills", "Groceries", "5")
    desk = open_desk(box, tmp_path)
    staged = desk.stage("Bills", "Groceries", "5")
    monkeypatch.setenv("SEQUENCE_READ_ONLY", "1")
    with pytest.raises(ex.ReadOnlyMode):
        desk.confirm(staged)
    assert arrived(box) == []


def test_the_limit_counts_all_users_and_old_entries(box: Sandbox, tmp_path: Path) -> None:
    """The day's limit is the sum over all keys, reserved at confirm, exact to the cent."""
    tracker = DailyLimitTracker(tmp_path / ".daily_limits.json")
    tracker.record(300, "tr-old")
    tracker.record(200, "tr-alex", user_id="alex")
    desk = open_desk(box, tmp_path, max_daily_transfer_cents=1000)
    with pytest.raises(ex.DailyLimitExceeded, match=r"\$5\.00 of \$10\.00"):
        desk.stage("Bills", "Groceries", "5.01")
    first, second = desk.stage("Bills", "Groceries", "5"), desk.stage("Bills", "Taxes", "1")
    assert desk.confirm(first).status == "completed"
    with pytest.raises(ex.DailyLimitExceeded):
        desk.confirm(second)
    assert charged(tmp_path) == 1000


def test_an_unreadable_limits_file_and_a_broken_chain_stop_transfers(
    desk: TransferDesk, box: Sandbox, tmp_path: Path
) -> None:
    """A limits file or an audit log that cannot be trusted stops a confirm before it is sent."""
    staged = desk.stage("Bills", "Groceries", "5")
    limits = tmp_path / ".daily_limits.json"
    limits.write_text("{")
    with pytest.raises(ex.LimitsUnreadable):
        desk.confirm(staged)
    limits.unlink()
    audit = tmp_path / ".audit.jsonl"
    audit.write_text(audit.read_text().replace('"amount_cents": 500', '"amount_cents": 900'))
    with pytest.raises(ex.AuditChainBroken):
        desk.confirm(staged)
    assert arrived(box) == []


def test_a_service_refusal_fails_and_releases(
    desk: TransferDesk, box: Sandbox, tmp_path: Path
) -> None:
    """What the service refuses is Failed with its own words, and nothing stays counted."""
    staged = desk.stage("Everyday Checking", "Bills", "5")
    box.fail("unauthorized", operation="CreatePayment")
    outcome = desk.confirm(staged)
    assert isinstance(outcome, Failed)
    assert "HTTP 401: Unauthorized" in outcome.reason
    assert charged(tmp_path) == 0
    assert story(tmp_path)[-1] == "failed"
