"""Settling claims a transfer on evidence only, and calls it gone on more of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from desk_helper import Clock, arrived, charged, open_desk, settings_of, story
from exchanges import without_mark

from seqdata import exceptions as ex
from seqdata.http.curl import CurlSend
from seqdata.http.messages import Exchange, Request
from seqdata.http.transport import Transport
from seqdata.safeguards import Completed, TransferDesk
from seqdata.sandbox import Sandbox

Change = Callable[[dict[str, Any]], None]


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(months=1, now="2026-11-01") as running:
        yield running


class Lens:
    """Sends as usual; what the activity shows passes through `change`, an organization's node."""

    def __init__(self) -> None:
        self.curl = CurlSend()
        self.asked: dict[str, Any] = {}
        self.change: Change = lambda _: None

    def __call__(self, request: Request) -> Exchange:
        exchange = self.curl(request)
        if request.operation != "ActivityLogV2Transfers" or exchange.answer is None:
            return exchange
        body = json.loads(exchange.answer.body)
        organization = (body.get("data") or {}).get("organization")
        if organization is None:
            return exchange
        self.asked = json.loads(request.body)["variables"]
        self.change(organization)
        return replace(exchange, answer=replace(exchange.answer, body=json.dumps(body).encode()))


@pytest.fixture
def lens() -> Lens:
    return Lens()


@pytest.fixture
def desk(box: Sandbox, tmp_path: Path, lens: Lens) -> TransferDesk:
    return open_desk(box, tmp_path, transport=Transport(lens, sleep=lambda _: None))


def lose(box: Sandbox, desk: TransferDesk, fault: str = "cut_after") -> str:
    """Send $5 whose answer is lost, after the service acted or before it did; give its id."""
    staged = desk.stage("Bills", "Groceries", "5")
    box.fail(fault, operation="CreatePayment")
    assert desk.confirm(staged).status == "unknown"
    return staged.id


def by_hand(box: Sandbox, folder: Path) -> None:
    """Make the same transfer elsewhere, as a person does in the web application."""
    (folder / "elsewhere").mkdir(exist_ok=True)
    web = open_desk(box, folder / "elsewhere")
    web.confirm(web.stage("Bills", "Groceries", "5"))


def edges_of(organization: dict[str, Any]) -> list[Any]:
    edges: list[Any] = organization["transferReferences"]["edges"]
    return edges


# -- the whole window -------------------------------------------------------------------------


def test_a_list_that_hides_a_row_settles_nothing(
    box: Sandbox, desk: TransferDesk, lens: Lens, tmp_path: Path
) -> None:
    """Where the service counts more than it lists, nothing is settled, and no reading counts."""
    lose(box, desk)
    ours = arrived(box)[0]["transfer_id"]

    def hide(organization: dict[str, Any]) -> None:
        edges = edges_of(organization)
        edges[:] = [edge for edge in edges if edge["node"]["id"] != ours]

    lens.change = hide
    with pytest.raises(ex.PagingError, match=r"expected \d+ transfers"):
        desk.settle()
    assert [one.readings for one in desk.open_intents()] == [0]
    lens.change = lambda _: None
    assert desk.settle()[0].outcome.status == "completed"
    assert charged(tmp_path) == 500


@pytest.mark.parametrize("order", ["reversed", "by id"])
def test_the_order_of_the_list_does_not_matter(
    box: Sandbox, desk: TransferDesk, lens: Lens, order: str
) -> None:
    """A transfer is found wherever in the list it stands."""
    lose(box, desk)

    def sort(organization: dict[str, Any]) -> None:
        edges = edges_of(organization)
        edges.reverse() if order == "reversed" else edges.sort(key=lambda one: one["node"]["id"])

    lens.change = sort
    assert desk.settle()[0].outcome.status == "completed"


def test_a_count_of_everything_is_not_one_of_the_window(
    box: Sandbox, desk: TransferDesk, lens: Lens
) -> None:
    """Where the service counts without the window, everything is read, and it is settled."""
    lose(box, desk)
    total = len(box.transfers())

    def count_all(organization: dict[str, Any]) -> None:
        if "numberOfTransfers" in organization:
            organization["numberOfTransfers"]["count"] = total

    lens.change = count_all
    assert desk.settle()[0].outcome.status == "completed"


def test_pages_that_shift_without_a_count_settle_nothing(tmp_path: Path, lens: Lens) -> None:
    """Without a count, a first page that is another one at the end makes no complete reading."""
    with Sandbox(months=1, now="2026-11-01", page_cap=10) as box:
        desk = open_desk(box, tmp_path, transport=Transport(lens, sleep=lambda _: None))
        for _ in range(11):
            desk.confirm(desk.stage("Bills", "Taxes", "1"))
        lose(box, desk, "cut")
        box.fail("no_count", times=100)
        firsts: list[int] = []

        def shift(organization: dict[str, Any]) -> None:
            firsts.extend([1] if lens.asked["after"] == "" else [])
            if lens.asked["after"] == "" and len(firsts) > 1:
                edges_of(organization)[:1] = []

        assert desk.settle()[0].outcome.status == "unknown"
        lens.change = shift
        with pytest.raises(ex.PagingError, match="the same first page"):
            desk.settle()


# -- whose it is ------------------------------------------------------------------------------


@pytest.mark.parametrize(("before", "after"), [(60, 0), (110, 0), (0, 600), (0, 86_400)])
def test_what_was_made_by_hand_is_not_taken_for_ours(
    box: Sandbox, desk: TransferDesk, tmp_path: Path, before: int, after: int
) -> None:
    """The same transfer, made elsewhere shortly before or later, is for a person to tell apart."""
    if before:
        by_hand(box, tmp_path)
        box.advance(seconds=before)
    intent_id = lose(box, desk, "cut")
    if after:
        box.advance(seconds=after)
        by_hand(box, tmp_path)
    (settled,) = desk.settle()
    assert settled.outcome.status == "unknown"
    theirs = arrived(box)[0]["transfer_id"]
    assert [one[0] for one in settled.candidates] == [theirs]
    (settled,) = desk.settle(choose={intent_id: theirs})
    assert settled.outcome.status == "completed"


def test_another_intents_transfer_is_not_taken(box: Sandbox, desk: TransferDesk) -> None:
    """A transfer that another intent has already, returned ones too, is nobody else's."""
    box.fail("payment_fails")
    first = desk.confirm(desk.stage("Bills", "Groceries", "5"))
    assert first.service_status == "FAILED"
    lose(box, desk, "cut")
    (settled, _) = desk.settle()
    assert settled.outcome.status == "unknown"
    assert settled.candidates == ()


@pytest.mark.parametrize("stranger", ["nothing but an id", "made before"])
def test_a_strangers_row_in_the_answer_is_not_ours(
    box: Sandbox, tmp_path: Path, stranger: str
) -> None:
    """A failed row that only may be ours says nothing of a payment that the service accepted."""
    curl = CurlSend()

    def send(request: Request) -> Exchange:
        exchange = curl(request)
        if not request.once or exchange.answer is None:
            return exchange
        body = json.loads(exchange.answer.body)
        organization = body["data"]["forKYC"]["createPayment"]["ok"]["organization"]
        node = {**edges_of(organization)[0]["node"], "id": "tr-other", "status": "FAILED"}
        node["createdAt"] = "2026-10-31T23:58:30Z"
        if stranger == "nothing but an id":
            node = {"id": "tr-other", "status": "FAILED"}
        edges_of(organization)[:] = [{"node": node}]
        return replace(exchange, answer=replace(exchange.answer, body=json.dumps(body).encode()))

    desk = open_desk(box, tmp_path, transport=Transport(send))
    outcome = desk.confirm(desk.stage("Bills", "Groceries", "5"))
    assert (outcome.status, outcome.arrived) == ("completed", True)
    assert isinstance(outcome, Completed)
    assert outcome.transfer_id == arrived(box)[0]["transfer_id"]
    assert story(tmp_path)[-1] == "completed"


def test_what_the_service_does_not_say_leaves_nothing_sure(
    box: Sandbox, desk: TransferDesk, lens: Lens, tmp_path: Path
) -> None:
    """Where ours may be one whose kind is not said, the other is not claimed; a person decides."""
    lose(box, desk)
    ours = arrived(box)[0]["transfer_id"]
    by_hand(box, tmp_path)

    def hide_kind(organization: dict[str, Any]) -> None:
        for edge in edges_of(organization):
            if edge["node"]["id"] == ours:
                edge["node"] |= {"type": None, "activityType": None}

    lens.change = hide_kind
    (settled,) = desk.settle()
    assert settled.outcome.status == "unknown"
    assert len(settled.candidates) == 2


def test_a_list_without_end_is_given_up(box: Sandbox, desk: TransferDesk, lens: Lens) -> None:
    """Pages that bring nothing new and never end are an error, not a wait for ever."""
    lose(box, desk)
    cursors = iter(range(1_000_000))

    def go_on(organization: dict[str, Any]) -> None:
        organization["numberOfTransfers"] = None
        page = organization["transferReferences"]
        page["edges"] = []
        page["pageInfo"] = {"hasNextPage": True, "endCursor": f"more-{next(cursors)}"}

    lens.change = go_on
    with pytest.raises(ex.SequenceError):
        desk.settle()
    assert next(cursors) < 20


def test_a_refused_choice_leaves_the_others_settled(box: Sandbox, desk: TransferDesk) -> None:
    """What does not hold for one transfer is raised after all others were settled, with them."""
    first = lose(box, desk)
    staged = desk.stage("Bills", "Taxes", "6")
    box.fail("cut_after", operation="CreatePayment")
    assert desk.confirm(staged).status == "unknown"
    with pytest.raises(ex.SettleRefused) as refused:
        desk.settle(choose={first: "tr-9"})
    assert [one.intent.id for one in refused.value.settled] == [staged.id]
    assert [one.id for one in desk.open_intents()] == [first]


# -- none of these ----------------------------------------------------------------------------


def test_a_person_can_say_none_of_these(box: Sandbox, desk: TransferDesk, tmp_path: Path) -> None:
    """Denied candidates are not offered again; then it was not found, and may be given up."""
    intent_id = lose(box, desk, "cut")
    box.advance(seconds=600)
    by_hand(box, tmp_path)
    (settled,) = desk.settle()
    assert len(settled.candidates) == 1
    with pytest.raises(ex.SettleRefused, match="it may be"):
        desk.settle(assume_failed=intent_id)
    (settled,) = desk.settle(none_of=[intent_id])
    assert settled.candidates == ()
    assert not settled.may_be_assumed_failed
    assert desk.settle()[0].candidates == ()
    box.advance(hours=25)
    (settled,) = desk.settle(assume_failed=[intent_id])
    assert (settled.outcome.status, settled.outcome.accepted) == ("failed", False)
    assert charged(tmp_path) == 0


def test_one_that_was_made_days_later_is_no_candidate(
    box: Sandbox, desk: TransferDesk, tmp_path: Path
) -> None:
    """A transfer can only be one that was created within a day of the intent."""
    intent_id = lose(box, desk, "cut")
    box.advance(hours=48)
    by_hand(box, tmp_path)
    assert desk.settle()[0].candidates == ()
    box.advance(minutes=6)
    (settled,) = desk.settle(assume_failed=[intent_id])
    assert settled.outcome.status == "failed"


@pytest.mark.parametrize(
    "decisions", [{"choose": ["x"]}, {"choose": {"x": "y"}, "none_of": ["x"]},
                  {"choose": {"x": "y"}, "assume_failed": "x"}]
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(desk: TransferDesk, decisions: dict[str, Any]) -> None:
    """Decisions that contradict each other, or are of another type, are no bare error."""
    with pytest.raises(ex.UsageError):
        desk.settle(**decisions)


def test_what_cannot_be_read_keeps_nothing_else_open(tmp_path: Path, lens: Lens) -> None:
    """An organization whose activity cannot be read is named after the others were settled."""
    with Sandbox(months=1, now="2026-11-01", organizations=2) as box:
        first, second = box.organization_ids
        ids = {}
        for organization_id in (first, second):
            settings = settings_of(box, tmp_path, kyc_id=None)
            desk = TransferDesk(settings, organization_id, token_provider=box.issue_token)
            view = desk.look()
            pods = [one for one in view.accounts if one.kind == "pod" and one.balance_cents]
            staged = desk.stage(pods[0].id, pods[1].id, "1")
            box.fail("cut_after", operation="CreatePayment")
            assert desk.confirm(staged).status == "unknown"
            ids[organization_id] = staged.id

        def refuse(organization: dict[str, Any]) -> None:
            if lens.asked["organizationId"] == first:
                organization["transferReferences"] = None

        lens.change = refuse
        both = TransferDesk(
            settings_of(box, tmp_path, org_id=None), token_provider=box.issue_token,
            transport=Transport(lens, sleep=lambda _: None),
        )  # fmt: skip
        with pytest.raises(ex.SequenceError) as unread:
            both.settle()
        assert [one.intent.id for one in unread.value.settled] == [ids[second]]
        assert [one.id for one in both.open_intents()] == [ids[first]]


# -- not there --------------------------------------------------------------------------------


def test_not_there_needs_two_readings_some_minutes_apart(
    box: Sandbox, desk: TransferDesk, tmp_path: Path
) -> None:
    """However old it is, readings of one moment are one; after a later one it is released."""
    intent_id = lose(box, desk, "cut")
    box.advance(hours=25)
    for _ in range(3):
        (settled,) = desk.settle()
        assert not settled.may_be_assumed_failed
    with pytest.raises(ex.SettleRefused, match="less than 5 minutes apart"):
        desk.settle(assume_failed=[intent_id])
    box.advance(minutes=6)
    (settled,) = desk.settle()
    assert settled.may_be_assumed_failed
    assert charged(tmp_path) == 500
    (settled,) = desk.settle(assume_failed=[intent_id])
    assert settled.outcome.status == "failed"
    assert (charged(tmp_path), story(tmp_path)[-1]) == (0, "failed")


def test_of_a_real_service_both_clocks_have_to_agree(box: Sandbox, tmp_path: Path) -> None:
    """A Date that leaps 25 hours ahead makes nothing old: this machine's clock has a say."""
    curl, clock = CurlSend(), Clock(box.now)

    def desk() -> TransferDesk:
        transport = Transport(lambda request: without_mark(curl(request)) if not request.once
                              else curl(request))  # fmt: skip
        return open_desk(
            box, tmp_path, transport=transport, clock=clock, somebody_there=lambda: True
        )

    intent_id = lose(box, desk(), "cut")
    clock.now += timedelta(minutes=1)
    assert desk().settle()[0].outcome.status == "unknown"
    box.advance(hours=25)
    with pytest.raises(ex.SettleRefused, match="younger than 24 hours"):
        desk().settle(assume_failed=[intent_id])
    clock.now += timedelta(hours=25)
    (settled,) = desk().settle(assume_failed=[intent_id])
    assert settled.outcome.status == "failed"
