"""Accepted is not arrived: what the service took and then failed is said, and stays counted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from desk_helper import charged, events, limits_file, open_desk, story

from seqdata import Ledger
from seqdata.auth.tokens import AuthTokens, TokenStore
from seqdata.ledger.ledger import demo_settings
from seqdata.safeguards import Completed, Returned, TransferDesk
from seqdata.sandbox import Sandbox
from seqdata.sources.vocabulary import is_reversal

STATUSES = ("FAILED", "CANCELLED", "ERROR", "INCOMPLETE")


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(months=1, now="2026-11-01") as running:
        yield running


@pytest.fixture
def desk(box: Sandbox, tmp_path: Path) -> TransferDesk:
    return open_desk(box, tmp_path)


def send(desk: TransferDesk, destination: str = "Everyday Checking", **more: Any) -> Any:
    return desk.confirm(desk.stage("Bills", destination, "5", **more))


def test_between_pods_the_money_has_arrived(desk: TransferDesk) -> None:
    """What the service shows as complete in its answer has arrived, and the words say so."""
    outcome = send(desk, "Groceries")
    assert (outcome.status, outcome.arrived, outcome.service_status) == (
        "completed", True, "COMPLETE",
    )  # fmt: skip
    assert "The money has arrived." in str(outcome)


def test_to_an_outside_account_it_is_on_its_way(desk: TransferDesk, box: Sandbox) -> None:
    """Accepted and pending is completed, but not arrived; once it is there nothing is said."""
    outcome = send(desk)
    assert (outcome.status, outcome.accepted, outcome.arrived) == ("completed", True, False)
    assert outcome.service_status == "PENDING"
    assert "has not arrived yet" in str(outcome)
    assert "Do not send it again" in str(outcome)
    box.advance(days=5)
    assert desk.settle() == []


@pytest.mark.parametrize("status", STATUSES)
def test_a_failure_in_the_answer_itself(
    box: Sandbox, desk: TransferDesk, tmp_path: Path, status: str
) -> None:
    """What the answer accepts and shows as failed is failed and accepted, logged and counted."""
    box.fail("payment_fails", status=status, reason="R01: no")
    outcome = send(desk, "Groceries")
    assert isinstance(outcome, Returned)
    assert (outcome.status, outcome.accepted, outcome.arrived) == ("failed", True, False)
    assert (outcome.service_status, outcome.reason) == (status, "R01: no")
    assert story(tmp_path)[-2:] == ["completed", "returned"]
    assert charged(tmp_path) == 500
    assert [one["state"] for one in limits_file(tmp_path)] == ["returned"]
    assert desk.open_intents() == []


@pytest.mark.parametrize("status", STATUSES)
def test_a_failure_days_later_is_found_by_settle(
    box: Sandbox, desk: TransferDesk, tmp_path: Path, status: str
) -> None:
    """Settle finds what failed since, once in the log, and says it each time it is asked."""
    box.fail("payment_fails", status=status, seconds=2 * 86_400)
    assert send(desk).status == "completed"
    assert desk.settle() == []
    box.advance(days=3)
    for _ in range(2):
        (found,) = desk.settle()
        assert isinstance(found.outcome, Returned)
        assert found.outcome.service_status == status
    assert story(tmp_path).count("returned") == 1
    assert charged(tmp_path) == 500
    assert [one.outcome for one in desk.returned()] == [found.outcome]


def test_a_lost_answer_whose_payment_then_failed(
    box: Sandbox, desk: TransferDesk, tmp_path: Path
) -> None:
    """Settle gives a lost transfer its id and says that it failed at the service."""
    box.fail("payment_fails", seconds=60)
    box.fail("cut_after", operation="CreatePayment")
    assert send(desk).status == "unknown"
    box.advance(hours=1)
    (found,) = desk.settle()
    assert isinstance(found.outcome, Returned)
    assert story(tmp_path)[-2:] == ["completed", "returned"]
    assert charged(tmp_path) == 500
    assert desk.open_intents() == []


def test_a_reversal_of_what_was_complete(box: Sandbox, tmp_path: Path) -> None:
    """A payment between outside accounts that is complete and then paid back has failed."""
    desk = open_desk(box, tmp_path)
    names = {one.name for one in desk.look().accounts if one.is_outside and one.can_be_source}
    source, destination = sorted(names)[:2]
    box.fail("payment_fails", reversed=True, seconds=86_400)
    assert desk.confirm(desk.stage(source, destination, "5")).status == "completed"
    box.advance(hours=1)
    assert desk.settle() == []
    box.advance(days=2)
    (found,) = desk.settle()
    assert isinstance(found.outcome, Returned)
    assert "reversed" in str(found.outcome)


def test_after_ten_days_it_is_not_asked_for(box: Sandbox, desk: TransferDesk) -> None:
    """An accepted transfer is followed for ten days of the service's clock, and no longer."""
    box.fail("payment_fails", seconds=11 * 86_400)
    assert send(desk).status == "completed"
    box.advance(days=12)
    assert desk.settle() == []


def test_nothing_sent_asks_for_nothing(box: Sandbox, desk: TransferDesk) -> None:
    """Where nothing was sent, settling makes no request."""
    assert desk.settle() == []
    assert box.requests() == []


def test_a_returned_transfer_is_final(box: Sandbox, desk: TransferDesk, tmp_path: Path) -> None:
    """What has failed at the service releases nothing, and the log says it once."""
    box.fail("payment_fails")
    send(desk, "Groceries")
    box.advance(days=1)
    assert [type(one.outcome) for one in desk.settle()] == [Returned]
    assert len(events(tmp_path, "transfer_returned")) == 1
    assert desk.limits().daily_left_cents == 2_500_000 - 500


def test_a_sync_finds_it_too(
    box: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A sync that reads the failed row writes it down and warns; status and the desk tell it."""
    settings = demo_settings(box, tmp_path)
    tokens = AuthTokens(box.issue_token(), None, 4e9)
    TokenStore(settings).write(tokens, client_id=box.client_id)
    with Ledger(settings) as ledger:
        box.fail("payment_fails", status="CANCELLED", seconds=86_400)
        assert isinstance(send(ledger.desk), Completed)
        assert len(ledger.sent()["on_their_way"]) == 1  # said before a sync has seen it, too
        ledger.sync(progress=False)
        assert len(ledger.sent()["on_their_way"]) == 1
        assert ledger.sent()["returned"] == []
        box.advance(days=2)
        ledger.sync(progress=False)
        assert "accepted, and then failed at the service" in caplog.text
        assert ledger.sent()["on_their_way"] == []
        (said,) = ledger.sent()["returned"]
        assert "CANCELLED" in said
    caplog.clear()
    with Ledger(settings) as ledger:
        assert ledger.desk is not None
        assert "accepted, and then failed at the service" in caplog.text
    assert [one["event_type"] for one in events(tmp_path, "transfer_returned")] == [
        "transfer_returned"
    ]
    assert json.loads((tmp_path / ".daily_limits.json").read_text())


def test_a_reversal_that_failed_is_none(box: Sandbox, tmp_path: Path) -> None:
    """A payment leg that is called a reversal and did not happen gives no money back."""
    assert not is_reversal({"leg": "reversal", "state": "failed"})
    assert not is_reversal({"leg": "reversal", "state": "unknown"})
    assert not is_reversal({"leg": "push", "state": "settled"})
    assert is_reversal({"leg": "reversal", "state": "open"})


@pytest.mark.parametrize("destination", ["Groceries", "Everyday Checking"])
def test_the_log_keeps_what_was_told(box: Sandbox, desk: TransferDesk, destination: str) -> None:
    """What became of a transfer reads the same from the log as it was told by confirm."""
    staged = desk.stage("Bills", destination, "5")
    told = desk.confirm(staged)
    kept = desk.outcome_of(staged.id)
    assert kept == told
    assert str(kept) == str(told)
