"""Every fault at every step: one payment at most, a true log, a limit charged where it must be."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from desk_helper import Clock, arrived, charged, events, limits_file, open_desk, story
from exchanges import without_mark
from full_disk import full_disk

from seqdata import exceptions as ex
from seqdata.http.curl import CurlSend
from seqdata.http.messages import Exchange, Request
from seqdata.http.transport import Transport
from seqdata.safeguards import AuditLog, Completed, Failed, TransferDesk, Unknown
from seqdata.sandbox import Sandbox


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(months=1, now="2026-11-01") as running:
        yield running


MOVED = "completed by settle"
LOST = "given up by a person"

FAULTS: list[tuple[str, dict[str, Any], str]] = [
    ("unauthorized", {}, "failed"),
    ("forbidden", {}, LOST),  # a wall in between answers in HTML, which proves nothing
    ("rate_limit", {"retry_after": 1}, "failed"),
    ("rate_limit", {"retry_after": 600}, "failed"),
    ("server_error", {"status": 404}, LOST),
    ("server_error", {"status": 400}, LOST),
    ("server_error", {"status": 500}, LOST),
    ("server_error", {"status": 422}, LOST),
    ("bad_gateway", {}, LOST),
    ("cut", {}, LOST),
    ("errors_without_data", {}, LOST),
    ("errors_with_data", {}, MOVED),
    ("cut_after", {}, MOVED),
    ("cut_midway", {}, MOVED),
    ("truncated_json", {"share": 0.2}, MOVED),
    ("truncated_json", {"share": 0.9}, MOVED),
    ("create_error", {"variant": "errors"}, MOVED),
    ("create_error", {"variant": "both"}, MOVED),
    ("create_error", {"variant": "neither"}, MOVED),
    ("create_error", {"variant": "bad_gateway"}, MOVED),
    ("slow", {"seconds": 0.3}, "completed"),
    ("missing_field", {"field": "amount.cents", "row": 0}, "completed"),
    ("missing_field", {"field": "id", "row": 0}, "completed"),
    ("missing_field", {"field": "createdAt", "row": 0}, "completed"),
    ("changed_type", {"field": "amount.cents", "row": 0, "to": "text"}, "completed"),
    ("unknown_value", {"field": "status", "row": 0}, "completed"),
]


@pytest.mark.parametrize(("kind", "options", "end"), FAULTS)
def test_every_fault_of_the_payment_ends_right(
    box: Sandbox, tmp_path: Path, kind: str, options: dict[str, Any], end: str
) -> None:
    """Whatever the answer, one payment at most, and the log and the limit know it in the end."""
    desk = open_desk(box, tmp_path)
    # A neighbour of the same amount and accounts, before the margin, claimed by nobody.
    other = tmp_path / "other"
    other.mkdir()
    web = open_desk(box, other)
    web.confirm(web.stage("Bills", "Groceries", "12.34"))
    box.advance(minutes=5)
    staged = desk.stage("Bills", "Groceries", "12.34")
    box.fail(kind, operation="CreatePayment", **options)
    outcome = desk.confirm(staged)
    ours = arrived(box)[1:]
    assert AuditLog(tmp_path / ".audit.jsonl").verify().is_intact
    assert story(tmp_path)[-1] == outcome.status
    if end in ("failed", "completed"):
        assert outcome.status == end
        assert len(ours) == (end == "completed")
        assert charged(tmp_path) == 1234 * len(ours)
        assert desk.open_intents() == []
        if isinstance(outcome, Completed):
            assert outcome.transfer_id in (None, ours[0]["transfer_id"])
        return
    assert outcome.status == "unknown"
    assert charged(tmp_path) == 1234
    assert [one.id for one in desk.open_intents()] == [staged.id]
    _settle_to_its_end(box, desk, staged.id, end)
    ours = arrived(box)[1:]
    assert len(ours) == (end == MOVED)
    assert charged(tmp_path) == 1234 * len(ours)
    assert desk.open_intents() == []
    last = events(tmp_path)[-1]
    assert last["event_type"] == ("transfer_completed" if ours else "transfer_failed")
    assert last.get("transfer_id") == (ours[0]["transfer_id"] if ours else None)


def _settle_to_its_end(box: Sandbox, desk: TransferDesk, intent_id: str, end: str) -> None:
    (settled,) = desk.settle()
    if end == MOVED:
        assert settled.outcome.status == "completed"
        return
    assert settled.outcome.status == "unknown"
    with pytest.raises(ex.SettleRefused, match="younger than 24 hours"):
        desk.settle(assume_failed=[intent_id])
    box.advance(hours=25)
    (settled,) = desk.settle()
    assert settled.may_be_assumed_failed
    (settled,) = desk.settle(assume_failed=[intent_id])
    assert settled.outcome.status == "failed"


READS: list[tuple[str, dict[str, Any]]] = [
    ("forbidden", {}),
    ("unauthorized", {"times": 2}),
    ("rate_limit", {"retry_after": 600}),
    ("errors_without_data", {"code": "FORBIDDEN"}),
    ("errors_with_data", {"code": "FORBIDDEN"}),
    ("truncated_json", {}),
    ("missing_field", {"of": "account", "field": "id"}),
    ("missing_field", {"of": "account", "field": "metadata.balance", "row": None}),
]


@pytest.mark.parametrize(("kind", "options"), READS)
def test_a_fault_while_looking_again_sends_nothing(
    box: Sandbox, tmp_path: Path, kind: str, options: dict[str, Any]
) -> None:
    """Where the balances cannot be read again nothing is sent or counted, and it can go on."""
    desk = open_desk(box, tmp_path)
    staged = desk.stage("Bills", "Groceries", "12.34")
    box.fail(kind, operation="SelectSourceAndDestination", **options)
    with pytest.raises(ex.SequenceError):
        desk.confirm(staged)
    assert (arrived(box), charged(tmp_path), desk.open_intents()) == ([], 0, [])
    assert desk.confirm(staged).status == "completed"
    assert len(arrived(box)) == 1


def test_a_passing_fault_while_looking_is_retried(box: Sandbox, tmp_path: Path) -> None:
    """A read that fails once is asked again, and the payment is still sent once."""
    desk = open_desk(box, tmp_path)
    staged = desk.stage("Bills", "Groceries", "12.34")
    box.fail("bad_gateway", operation="SelectSourceAndDestination")
    box.fail("errors_without_data", operation="SelectSourceAndDestination")
    assert desk.confirm(staged).status == "completed"
    assert len(arrived(box)) == 1


def test_no_connection_is_failed_and_released(box: Sandbox, tmp_path: Path) -> None:
    """A payment that provably never left this machine is Failed, and nothing is counted."""
    curl = CurlSend()

    def send(request: Request) -> Exchange:
        if request.once:
            return Exchange(left=False, fault="could not connect")
        return curl(request)

    desk = open_desk(box, tmp_path, transport=Transport(send))
    assert isinstance(desk.confirm(desk.stage("Bills", "Groceries", "5")), Failed)
    assert (arrived(box), charged(tmp_path), desk.open_intents()) == ([], 0, [])


@pytest.mark.parametrize("raised", [KeyboardInterrupt, SystemExit, MemoryError])
def test_an_interrupt_while_sending_is_unknown(
    box: Sandbox, tmp_path: Path, raised: type[BaseException]
) -> None:
    """An interrupt after the service acted passes on once the log says unknown; settle finds it."""
    curl = CurlSend()

    def send(request: Request) -> Exchange:
        answer = curl(request)
        if request.once:
            raise raised
        return answer

    desk = open_desk(box, tmp_path, transport=Transport(send))
    staged = desk.stage("Bills", "Groceries", "5")
    if raised is MemoryError:  # no reason to end the program, and no error of ours either
        assert isinstance(desk.confirm(staged), Unknown)
    else:
        with pytest.raises(raised):
            desk.confirm(staged)
    assert story(tmp_path)[-1] == "unknown"
    assert charged(tmp_path) == 500
    (settled,) = open_desk(box, tmp_path).settle()
    assert settled.outcome == Completed(arrived(box)[0]["transfer_id"], intent_id=staged.id)
    assert limits_file(tmp_path)[0]["state"] == "completed"


def test_a_termination_while_sending_is_written_down(box: Sandbox, tmp_path: Path) -> None:
    """SIGTERM in the middle of a sending ends the program after the log says unknown."""
    curl = CurlSend()

    def send(request: Request) -> Exchange:
        if request.once:
            signal.raise_signal(signal.SIGTERM)
        return curl(request)

    desk = open_desk(box, tmp_path, transport=Transport(send))
    with pytest.raises(SystemExit) as ended:
        desk.confirm(desk.stage("Bills", "Groceries", "5"))
    assert ended.value.code == 143
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert story(tmp_path)[-1] == "unknown"


def test_the_token_is_there_before_the_intent(box: Sandbox, tmp_path: Path) -> None:
    """A login that fails stops a confirm before the intent, and the payment asks for no token."""
    asked: list[str] = []
    calls = {"count": 0}

    def provider() -> str:
        calls["count"] += 1
        asked.append(story(tmp_path)[-1] if (tmp_path / ".audit.jsonl").exists() else "")
        if calls["count"] == 3:
            raise ex.TokenExpiredError("no token")
        return box.issue_token()

    desk = open_desk(box, tmp_path, token_provider=provider)
    staged = desk.stage("Bills", "Groceries", "5")
    with pytest.raises(ex.TokenExpiredError):
        desk.confirm(staged)
    assert (arrived(box), charged(tmp_path)) == ([], 0)
    assert desk.confirm(staged).status == "completed"
    assert "requested" not in asked


def test_a_full_disk_stops_before_the_money(box: Sandbox, tmp_path: Path) -> None:
    """Where reservation or intent cannot be written nothing is sent."""
    desk = open_desk(box, tmp_path)
    staged = desk.stage("Bills", "Groceries", "5")
    with full_disk(), pytest.raises(ex.SequenceError):
        desk.confirm(staged)
    assert (arrived(box), charged(tmp_path)) == ([], 0)
    assert desk.confirm(staged).status == "completed"


def test_an_outcome_that_cannot_be_written_is_said(box: Sandbox, tmp_path: Path) -> None:
    """Where the disk is full after the sending the error says what happened; settle mends it."""
    curl, disks = CurlSend(), []

    def send(request: Request) -> Exchange:
        answer = curl(request)
        if request.once:
            disks.append(full_disk())
            disks[0].__enter__()
        return answer

    desk = open_desk(box, tmp_path, transport=Transport(send))
    staged = desk.stage("Bills", "Groceries", "5")
    try:
        with pytest.raises(ex.OutcomeNotRecorded) as caught:
            desk.confirm(staged)
    finally:
        disks[0].__exit__(None, None, None)
    assert caught.value.status == "completed"
    assert charged(tmp_path) == 500
    assert desk.settle()[0].outcome.status == "completed"
    assert limits_file(tmp_path)[0]["state"] == "completed"


# -- open intents -----------------------------------------------------------------------------


def lose(box: Sandbox, desk: TransferDesk, amount: str, **more: Any) -> str:
    """Send a transfer whose answer is lost after the service acted."""
    staged = desk.stage("Bills", "Groceries", amount, **more)
    box.fail("cut_after", operation="CreatePayment")
    assert desk.confirm(staged).status == "unknown"
    return staged.id


def test_an_open_intent_blocks_its_accounts(
    box: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While an outcome is unknown, the same two accounts need an explicit despite_unknown."""
    desk = open_desk(box, tmp_path)
    waiting = desk.stage("Groceries", "Bills", "7")
    lose(box, desk, "5")
    with pytest.raises(ex.OutcomeOpen):
        desk.stage("Bills", "Groceries", "6")
    with pytest.raises(ex.OutcomeOpen):
        desk.confirm(waiting)
    assert desk.confirm(desk.stage("Bills", "Taxes", "6")).status == "completed"
    going_on = desk.stage("Bills", "Groceries", "6", despite_unknown=True)
    assert desk.confirm(going_on).status == "completed"
    for name, value in {**box.environment(), "SEQUENCE_DATA_DIR": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    TransferDesk.open()
    assert "outcome unknown" in caplog.text


def test_two_identical_unknowns_share_what_is_found(box: Sandbox, tmp_path: Path) -> None:
    """Two lost transfers that both arrived are both found; no transfer is claimed twice."""
    desk = open_desk(box, tmp_path)
    lose(box, desk, "5")
    lose(box, desk, "5", despite_unknown=True)
    ids = [one.outcome.transfer_id for one in desk.settle()]  # type: ignore[union-attr]
    assert sorted(ids) == sorted(one["transfer_id"] for one in arrived(box))


def test_a_lost_transfer_is_not_taken_for_the_next(box: Sandbox, tmp_path: Path) -> None:
    """A transfer sent despite an unknown one gets its own id, and settle gives the lost one its."""
    desk = open_desk(box, tmp_path)
    lost = lose(box, desk, "5")
    box.advance(seconds=20)
    outcome = desk.confirm(desk.stage("Bills", "Groceries", "5", despite_unknown=True))
    first, second = (one["transfer_id"] for one in arrived(box))
    assert isinstance(outcome, Completed)
    assert outcome.transfer_id == second
    assert desk.settle()[0].outcome == Completed(first, intent_id=lost)


def test_a_person_chooses_among_several(box: Sandbox, tmp_path: Path) -> None:
    """Where several transfers match, settle lists them and takes only one of them as an answer."""
    desk = open_desk(box, tmp_path)
    intent_id = lose(box, desk, "5")
    other = tmp_path / "other"
    other.mkdir()
    web = open_desk(box, other)
    web.confirm(web.stage("Bills", "Groceries", "5"))
    (settled,) = desk.settle()
    assert settled.outcome.status == "unknown"
    assert len(settled.candidates) == 2
    with pytest.raises(ex.SettleRefused, match="not one of its candidates"):
        desk.settle(choose={intent_id: "tr-9"})
    with pytest.raises(ex.SettleRefused, match="may be"):
        desk.settle(assume_failed=[intent_id])
    mine = arrived(box)[0]["transfer_id"]
    (settled,) = desk.settle(choose={intent_id: mine})
    assert settled.outcome == Completed(mine, intent_id=intent_id)
    with pytest.raises(ex.SettleRefused, match="no transfer with this id is open"):
        desk.settle(assume_failed=[intent_id])


def test_a_rules_transfer_is_not_taken_for_ours(box: Sandbox, tmp_path: Path) -> None:
    """A rule's transfer of the same amount between the same accounts settles nothing."""
    desk = open_desk(box, tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    web = open_desk(box, other)
    made = web.confirm(web.stage("Bills", "Groceries", "5"))
    assert isinstance(made, Completed)
    box.edit_transfer(str(made.transfer_id), activity_type="RULE")
    staged = desk.stage("Bills", "Groceries", "5")
    box.fail("cut", operation="CreatePayment")
    assert desk.confirm(staged).status == "unknown"
    (settled,) = desk.settle()
    assert (settled.outcome.status, settled.candidates) == ("unknown", ())
    lost = desk.stage("Bills", "Groceries", "5", despite_unknown=True)
    outcome = desk.confirm(lost)
    assert outcome == Completed(arrived(box)[1]["transfer_id"], intent_id=lost.id)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("repeated_cursor", {}),
        ("empty_page", {}),
        ("expired_cursor", {}),
        ("truncated_json", {}),
        ("errors_with_data", {}),
        ("short_page", {"rows": 1}),
        ("duplicate_row", {}),
        ("ignored_filter", {}),
        ("missing_field", {"field": "activityType", "row": None}),
        ("missing_field", {"field": "amount", "row": None}),
    ],
)
def test_a_bad_reading_never_gives_a_transfer_up(
    box: Sandbox, tmp_path: Path, kind: str, options: dict[str, Any]
) -> None:
    """A reading that is not whole settles nothing wrongly; the next good one finds it."""
    desk = open_desk(box, tmp_path)
    lose(box, desk, "5")
    box.advance(hours=30)
    box.fail(kind, operation="ActivityLogV2Transfers", **options)
    try:
        (settled,) = desk.settle()
        assert not settled.may_be_assumed_failed
        assert settled.intent.readings == 0
    except ex.SequenceError:
        pass
    box.clear_faults()
    for settled in desk.settle():
        assert settled.outcome.status == "completed"
    assert desk.open_intents() == []
    assert charged(tmp_path) == 500


# -- who is there -----------------------------------------------------------------------------


def test_a_real_service_needs_somebody(box: Sandbox, tmp_path: Path) -> None:
    """Without the sandbox's header nothing is sent unattended, unless the setting allows it."""
    curl = CurlSend()

    def send(request: Request) -> Exchange:
        return without_mark(curl(request))

    def desk(**more: Any) -> TransferDesk:
        clock = Clock(box.now)  # of a real service the clocks have to agree
        return open_desk(box, tmp_path, transport=Transport(send), clock=clock, **more)

    alone = desk(somebody_there=lambda: False)
    staged = alone.stage("Bills", "Groceries", "5")
    assert "a real account" in repr(staged)
    with pytest.raises(ex.NobodyThere):
        alone.confirm(staged)
    assert (arrived(box), charged(tmp_path)) == ([], 0)
    assert desk(somebody_there=lambda: True).confirm(staged).status == "completed"
    allowed = desk(somebody_there=lambda: False, allow_unattended_transfers=True)
    assert allowed.confirm(allowed.stage("Bills", "Groceries", "5")).status == "completed"
