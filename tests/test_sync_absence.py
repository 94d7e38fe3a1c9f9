"""What a list did not show: in doubt, settled, or the list's own fault; and holes and clocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st
from trust import NOW, Desk, held, truth

from seqdata.core.moments import micros
from seqdata.exceptions import GraphQLError, PagingError, UnexpectedAnswer
from seqdata.sandbox import Sandbox
from seqdata.sources.base import Page, Snapshot, TransferDetails, Window
from seqdata.sources.webapp.source import AnswerReader, GraphQLSource
from seqdata.store import SyncState
from seqdata.store.clocks import overtaken
from seqdata.sync import SyncOptions, SyncReport, sync
from seqdata.sync.clock import ServiceClock
from seqdata.sync.plan import decide

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


class Lying(GraphQLSource):
    """A source whose answers are changed on their way: each call by its own function."""

    def __init__(self, desk: Desk, **lies: Callable[[Any], Any]) -> None:
        super().__init__(desk.client, desk.box.organization_id)
        self._lies = lies
        self.asked: list[str] = []

    def _told(self, name: str, found: Any) -> Any:
        return self._lies.get(name, lambda one: one)(found)

    def fetch_accounts(self) -> Snapshot:
        found: Snapshot = self._told("accounts", super().fetch_accounts())
        return found

    def fetch_page(self, *args: Any, **given: Any) -> Page:
        found: Page = self._told("page", super().fetch_page(*args, **given))
        return found

    def fetch_details(self, transfer_ids: Sequence[str]) -> TransferDetails:
        self.asked.extend(transfer_ids)
        found: TransferDetails = self._told("details", super().fetch_details(transfer_ids))
        return found


def emptied(page: Page) -> Page:
    return replace(page, rows=[], has_next_page=False, bodies=None)


def without(*ids: str) -> Callable[[Page], Page]:
    def lie(page: Page) -> Page:
        kept = [row for row in page.rows if row["id"] not in ids]
        return replace(page, rows=kept, bodies=None)

    return lie


def silent(found: TransferDetails) -> TransferDetails:
    ids = tuple(row["id"] for row in found.rows)
    return replace(found, rows=[], details=[], missing=(*found.missing, *ids), bodies=None)


def unpodded(found: Snapshot) -> Snapshot:
    kept = [row for row in found.accounts if row["kind"] != "pod"]
    return replace(found, accounts=kept, bodies=None)


def told(desk: Desk, source: GraphQLSource | None = None, **options: Any) -> SyncReport:
    return sync(source or desk.source(), desk.store, SyncOptions(**options))


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(months=3, now=NOW) as box:
        yield box


@pytest.fixture
def desk(box: Sandbox, tmp_path: Path) -> Iterator[Desk]:
    """A ledger of the sandbox that was synced once."""
    desk = Desk(box, tmp_path)
    told(desk)
    yield desk
    desk.close()
    box.clear_faults()


def is_the_truth(desk: Desk) -> bool:
    return held(desk.store) == truth(desk.box)


# -- transfers --------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"full": True}], ids=["plain", "full"])
def test_an_empty_list_removes_nothing_and_is_contradicted_by_one_id(
    desk: Desk, options: dict[str, Any]
) -> None:
    """Where a list shows nothing, one transfer that answers for itself voids the list."""
    liar = Lying(desk, page=emptied)
    report = told(desk, liar, **options)
    assert len(liar.asked) == 1
    assert (report.removed, report.in_doubt) == ([], [])
    assert is_the_truth(desk)
    assert told(desk).is_complete


def test_what_is_newer_than_all_that_was_shown_is_not_gone(tmp_path: Path) -> None:
    """A list and a detail that both lag behind show the newest as gone: it stays, in doubt, until
    something newer was shown without it."""
    with Sandbox(months=2, now=NOW) as calm:
        newest = max(datetime.fromisoformat(row["created_at"]) for row in calm.transfers())
    with Sandbox(months=2, now=newest + HOUR / 2) as box:
        desk = Desk(box, tmp_path)
        told(desk)
        young = [row["id"] for row in box.transfers()
                 if datetime.fromisoformat(row["created_at"]) > newest - HOUR / 2]  # fmt: skip
        report = told(desk, Lying(desk, page=without(*young), details=silent))
        assert young
        assert (report.removed, sorted(report.in_doubt)) == ([], sorted(young))
        assert told(desk).is_complete
        lag = Lying(desk, page=without(*young), details=silent)
        box.advance(hours=2)
        assert box.transfers()[0]["id"] in young
        report = told(desk, lag)
        assert (report.removed, sorted(report.in_doubt)) == ([], sorted(young))
        box.advance(days=3)
        assert sorted(told(desk, lag).removed) == sorted(young)
        desk.close()


def test_a_list_that_left_something_out_is_never_called_complete(desk: Desk) -> None:
    """A reading that was contradicted, and whose count cannot tell, is a gap until the next."""
    rows = list(truth(desk.box))

    def lie(page: Page) -> Page:
        return replace(without(rows[3])(page), count=None)

    report = told(desk, Lying(desk, page=lie))
    assert report.is_complete is False
    assert "left out transfers that the service has" in str(report)
    assert told(desk).is_complete


def test_what_a_full_list_left_out_is_looked_for_by_the_next_sync(desk: Desk) -> None:
    """A full reading that is contradicted is not one: the next plain sync reads everything."""
    oldest = list(truth(desk.box))[-1]
    assert told(desk, Lying(desk, page=without(oldest)), full=True).kind == "full"
    assert told(desk).kind == "full"
    assert told(desk).kind == "recent"


def test_a_list_that_always_leaves_something_out_is_read_whole_twice(desk: Desk) -> None:
    """A transfer that a service never lists does not cost a full reading in every sync."""
    oldest = list(truth(desk.box))[-1]
    kinds = [told(desk, Lying(desk, page=without(oldest)), full=True).kind]
    kinds += [told(desk, Lying(desk, page=without(oldest))).kind for _ in range(4)]
    assert kinds == ["full", "full", "recent", "recent", "recent"]
    assert is_the_truth(desk)


def test_silence_about_what_a_list_shows_removes_nothing(desk: Desk) -> None:
    """A detail operation that knows no transfer any more changes no row."""
    report = told(desk, Lying(desk, details=silent), details="all", max_requests=10)
    assert (report.removed, report.in_doubt) == ([], [])
    assert is_the_truth(desk)


def test_two_operations_that_agree_remove_and_what_answers_later_comes_back(desk: Desk) -> None:
    """A transfer that the list lacks and that is not known by its id is removed, until shown."""
    gone = list(truth(desk.box))[3]
    report = told(desk, Lying(desk, page=without(gone), details=silent))
    assert report.removed == [gone]
    assert told(desk).is_complete
    assert is_the_truth(desk)


def test_what_cannot_be_asked_for_stays_in_doubt(desk: Desk) -> None:
    """Where a question by id ends in an error, nothing is known, and the row stays."""
    gone = list(truth(desk.box))[3]

    def refuse(found: TransferDetails) -> TransferDetails:
        raise GraphQLError([{"message": "Not found"}], "query Drawer { me }")

    report = told(desk, Lying(desk, page=without(gone), details=refuse))
    assert (report.removed, report.in_doubt) == ([], [gone])
    assert report.is_complete is None
    missing = desk.store.read_transfers(columns=["id", "missing_since"])
    assert missing.filter(pa.compute.is_valid(missing["missing_since"]))["id"].to_pylist() == [gone]
    report = told(desk)
    assert (report.in_doubt, report.is_complete) == ([], True)


def test_one_silent_answer_removes_nothing_that_is_counted(desk: Desk) -> None:
    """Where the service counts what a list lacked and an id was silent about, it is asked again."""
    answers = iter([silent])

    def silent_once(found: TransferDetails) -> TransferDetails:
        return next(answers, lambda one: one)(found)

    lacked = list(truth(desk.box))[5]
    lying = Lying(desk, page=without(lacked), details=silent_once)
    report = told(desk, lying)
    assert lying.asked == [lacked, lacked]
    assert report.removed == []
    assert is_the_truth(desk)


def test_a_count_that_agrees_by_chance_closes_no_hole(tmp_path: Path) -> None:
    """Where as many have vanished as were missing, the count says nothing: all is read again."""
    with Sandbox(months=3, now=NOW) as box:
        desk = Desk(box, tmp_path)
        *_, vanished, missed = truth(box)
        assert told(desk, Lying(desk, page=without(missed))).is_complete is False
        box.remove_transfers([vanished])
        report = told(desk)
        assert (report.kind, report.is_complete, report.removed) == ("full", True, [vanished])
        assert is_the_truth(desk)
        desk.close()


def aged(page: Page) -> Page:
    """Say of each row that it changed last years ago."""
    rows = [{**row, "updated_at": micros(NOON - 1000 * DAY)} for row in page.rows]
    return replace(page, rows=rows, bodies=None)


def test_what_a_list_shows_as_of_before_is_asked_for_by_its_id(tmp_path: Path) -> None:
    """Changes that a list calls older than what is here are settled by the answers for their ids;
    where there are none, it is not known whether all is here, and the next sync heals it."""

    def refuse(found: TransferDetails) -> TransferDetails:
        raise GraphQLError([{"message": "Not found"}], "query Drawer { me }")

    with Sandbox(months=1, now=NOW) as box:
        desk = Desk(box, tmp_path)
        told(desk)
        same = Lying(desk, page=aged)
        assert (told(desk, same).is_complete, same.asked) == (True, [])
        box.advance(days=6)
        known, now = held(desk.store), truth(box)
        changed = {id_ for id_, row in known.items() if row["status"] != now[id_]["status"]}
        assert changed
        report = told(desk, Lying(desk, page=aged, details=refuse))
        assert report.is_complete is None
        assert f"the service showed {len(changed)} transfers in an older state" in str(report)
        asking = Lying(desk, page=aged)
        assert told(desk, asking).is_complete is True
        assert changed <= {*asking.asked}
        assert {id_: row["status"] for id_, row in held(desk.store).items()} == {
            id_: row["status"] for id_, row in now.items()
        }
        told(desk)
        assert is_the_truth(desk)
        desk.close()


def test_a_doubt_is_looked_for_where_it_is(desk: Desk) -> None:
    """The next plain sync reads down to the oldest transfer in doubt, whatever its age."""
    oldest = list(truth(desk.box))[-1]

    def refuse(found: TransferDetails) -> TransferDetails:
        raise UnexpectedAnswer("details", "the transfer", "another")

    assert told(desk, Lying(desk, page=without(oldest), details=refuse), full=True).in_doubt
    report = told(desk)
    assert report.kind == "recent"
    assert report.window.since == truth(desk.box)[oldest]["created_at"]
    assert report.in_doubt == []


def test_a_doubt_outlasts_the_record(desk: Desk) -> None:
    """What is in doubt is in the tables too, and is taken up again from them."""
    gone = list(truth(desk.box))[3]

    def refuse(found: TransferDetails) -> TransferDetails:
        raise UnexpectedAnswer("details", "the transfer", "another")

    told(desk, Lying(desk, accounts=unpodded, page=without(gone), details=refuse))
    before = desk.store.doubted("transfers"), desk.store.doubted("accounts")
    assert all(before)
    for path in (desk.store.record.path, *desk.store.record.beside()):
        path.unlink(missing_ok=True)
    again = Desk(desk.box, desk.folder)
    assert (again.store.doubted("transfers"), again.store.doubted("accounts")) == before
    again.close()


def test_a_transfer_that_changed_without_saying_so_is_asked_for_again(desk: Desk) -> None:
    """An amount that one answer alone changed, and no date of change with it, does not last."""
    chosen = list(truth(desk.box))[7]

    def lie(page: Page) -> Page:
        rows = [
            {**row, "amount_cents": row["amount_cents"] + (row["id"] == chosen)}
            for row in page.rows
        ]
        return replace(page, rows=rows, bodies=None)

    liar = Lying(desk, page=lie)
    told(desk, liar)
    assert liar.asked == [chosen]
    assert is_the_truth(desk)
    versions = desk.store.history_of(chosen)["amount_cents"].to_pylist()
    right = truth(desk.box)[chosen]["amount_cents"]
    assert versions == [right, right + 1, right]


# -- accounts ---------------------------------------------------------------------------------


def test_accounts_that_one_list_misses_are_in_doubt_and_open(box: Sandbox, tmp_path: Path) -> None:
    """Pods that a list does not hold stay open; two lists an hour apart close them."""
    desk = Desk(box, tmp_path)
    told(desk)
    pods = [row for row in desk.store.read_accounts().to_pylist() if row["kind"] == "pod"]
    report = told(desk, Lying(desk, accounts=unpodded))
    assert len(report.accounts_in_doubt) == len(pods)
    assert f"did not show {len(pods)} accounts, kept here" in str(report)
    assert report.is_complete
    assert told(desk, Lying(desk, accounts=unpodded)).accounts_in_doubt  # the clock stood still
    now = desk.store.read_accounts()
    assert now["closed_at"].null_count == now.num_rows
    assert now.num_rows - now["missing_since"].null_count == len(pods)
    assert told(desk).accounts_in_doubt == []
    told(desk, Lying(desk, accounts=unpodded))
    box.advance(hours=2)
    told(desk, Lying(desk, accounts=unpodded))
    closed = [row for row in desk.store.read_accounts().to_pylist() if row["closed_at"]]
    assert {row["id"] for row in closed} == {row["id"] for row in pods}
    told(desk)
    assert desk.store.read_accounts()["closed_at"].null_count == now.num_rows
    desk.close()


# -- holes and counts -------------------------------------------------------------------------


def test_since_leaves_no_hole_behind_it(box: Sandbox, tmp_path: Path) -> None:
    """After a long absence a sync since yesterday reads what lies between, too."""
    with Sandbox(months=2, now="2026-06-01") as world:
        desk = Desk(world, tmp_path)
        told(desk)
        world.advance(days=120)
        report = told(desk, since=world.now - DAY)
        assert report.is_complete
        assert held(desk.store) == truth(world)
        desk.close()


def test_a_hole_that_a_count_reveals_is_closed_by_the_next_plain_sync(
    box: Sandbox, tmp_path: Path
) -> None:
    """Old transfers that a first reading never showed come with the next sync."""
    desk = Desk(box, tmp_path)
    old = list(truth(box))[-5:]
    report = told(desk, Lying(desk, page=without(*old)))
    assert report.is_complete is False
    assert "5 transfers fewer than the service counts" in str(report)
    report = told(desk)
    assert (report.kind, report.is_complete) == ("full", True)
    assert is_the_truth(desk)
    assert told(desk).kind == "recent"
    desk.close()


@pytest.mark.parametrize("off", [-3, 1, 5_000])
def test_a_count_that_is_wrong_for_ever_costs_two_full_readings(
    desk: Desk, box: Sandbox, off: int
) -> None:
    """Where the count never agrees, everything is read twice, and then it is only said."""

    def lie(page: Page) -> Page:
        return page if page.count is None else replace(page, count=page.count + off)

    reports = [told(desk, Lying(desk, page=lie)) for _ in range(6)]
    assert [report.kind for report in reports].count("full") == 2
    assert {report.is_complete for report in reports} == {False}
    assert "it stayed so" in str(reports[-1])
    assert told(desk).is_complete
    assert is_the_truth(desk)


def test_a_count_that_was_wrong_once_costs_no_reading(desk: Desk) -> None:
    """A wrong count is compared again by the next sync before anything is read for it."""
    report = told(desk, Lying(desk, page=lambda page: replace(page, count=0)))
    assert report.is_complete is False
    report = told(desk)
    assert (report.kind, report.is_complete) == ("recent", True)


def test_a_service_without_a_count_is_asked_once(desk: Desk, box: Sandbox) -> None:
    """A refused question is not asked in every sync; it is with the next full reading."""
    box.fail("no_count", times=1_000)
    told(desk)
    box.clear_requests()
    report = told(desk)
    assert report.is_complete is None
    assert not any("numberOfTransfers" in str(one) for one in box.requests())
    box.clear_faults()
    assert told(desk, full=True).is_complete


def test_a_list_that_never_ends_is_given_up(desk: Desk) -> None:
    """Pages that always lead to another one with the same transfers end in an error."""
    number = 0

    def lie(page: Page) -> Page:
        nonlocal number
        number += 1
        return replace(page, cursor="", has_next_page=True)

    class Endless(Lying):
        def fetch_page(self, window: Window, cursor: str, size: int, **given: Any) -> Page:
            found = super().fetch_page(window, "", size, **given)
            return replace(found, cursor=f"c{number}", has_next_page=True)

    with pytest.raises(PagingError, match="pages without any"):
        told(desk, Endless(desk, page=lie))
    assert number < 20
    assert is_the_truth(desk)


@pytest.mark.parametrize("given", [None, {"id": "another"}])
def test_an_organization_that_vanishes_in_mid_walk_is_the_services_fault(
    given: dict[str, str] | None,
) -> None:
    """An answer without the organization is an unexpected answer, not a mistake of the user."""
    reader = AnswerReader("org")
    with pytest.raises(UnexpectedAnswer, match="the organization org"):
        reader.read_page({"organization": given}, NOON)
    with pytest.raises(UnexpectedAnswer, match="the organization org"):
        reader.read_details({"organization": given}, NOON)


def test_an_interrupted_full_reading_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """The second half of a full reading asks for no page that the first half had."""
    with Sandbox(months=6, now=NOW) as world:
        desk = Desk(world, tmp_path)
        told(desk)
        every = told(desk, full=True).pages
        read = 0

        def interrupt(_: Any) -> None:
            nonlocal read
            read += 1
            if read == every - 2:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            desk.sync(full=True, on_progress=interrupt)
        world.remove_transfers([list(truth(world))[-1]])
        report = told(desk, full=True)
        assert report.pages < every
        assert report.is_complete
        assert held(desk.store) == truth(world)
        assert told(desk, full=True).pages == every
        desk.close()


# -- clocks -----------------------------------------------------------------------------------


@pytest.mark.parametrize("days", [400, -400])
def test_one_clock_that_is_wrong_is_outvoted(desk: Desk, box: Sandbox, days: int) -> None:
    """Accounts that come with a wrong date are asked for again, and dated by the others."""
    told_once = [timedelta(days=days)]

    def lie(found: Snapshot) -> Snapshot:
        off = told_once.pop() if told_once else timedelta(0)
        return replace(found, served_at=found.served_at + off)

    report = told(desk, Lying(desk, accounts=lie))
    assert report.synced_at == box.now
    moments = desk.store.read_balances()["as_of"].to_pylist()
    assert max(moments) <= box.now
    assert min(moments) >= box.now - 3 * HOUR


@pytest.mark.parametrize("days", [400, -400])
def test_a_sync_with_a_wrong_clock_is_overtaken_by_the_next(
    box: Sandbox, tmp_path: Path, days: int
) -> None:
    """What was stored under a clock that was wrong in a whole sync does not count afterwards."""
    off = timedelta(days=days)

    def late(found: Any) -> Any:
        return replace(found, served_at=found.served_at + off)

    def shifted(found: Snapshot) -> Snapshot:
        at = micros(found.served_at + off)
        seen = [{**row, "as_of": at, "confirmed_at": at} for row in found.balances]
        return replace(found, served_at=found.served_at + off, balances=seen)

    desk = Desk(box, tmp_path)
    told(desk)
    first = desk.store.read_balances()
    box.advance(hours=1)
    told(desk)
    box.advance(hours=1)
    told(desk, Lying(desk, accounts=shifted, page=late, details=late))
    assert first["as_of"][0].as_py() in desk.store.read_balances()["as_of"].to_pylist()
    box.advance(hours=1)
    report = told(desk)
    assert report.is_complete
    moments = desk.store.read_balances()["confirmed_at"].to_pylist()
    assert max(moments) == box.now
    assert min(desk.store.read_balances()["as_of"].to_pylist()) == first["as_of"][0].as_py()
    assert max(row["as_of"] for row in desk.store.account_rows() if row["as_of"]) == (
        round(box.now.timestamp() * 1_000_000)
    )
    desk.close()


def test_a_rescan_that_was_noted_in_the_future_is_not_known() -> None:
    """A moment later than now is none: everything is read again, and not in a year."""
    state = SyncState(last_full_at=NOON + 400 * DAY, newest_created_at=NOON)
    spans = {"overlap": 30 * DAY, "rescan": 90 * DAY}
    assert decide(state, now=NOON, **spans).kind == "full"
    assert decide(replace(state, last_full_at=NOON), now=NOON, **spans).kind == "recent"


@drawn(
    days=st.lists(st.integers(1, 5), min_size=4, max_size=40),
    wrong=st.integers(1, 3),
    place=st.integers(1, 39),
    off=st.sampled_from([-400, -50, 50, 400]),
)
def test_as_many_right_clocks_as_wrong_ones_overtake_them(
    days: list[int], wrong: int, place: int, off: int
) -> None:
    """Syncs in a row with a clock that is off are not believed once the right one is back."""
    moments, now = [], 0
    for step in days:
        now += step
        moments.append(now)
    begin = min(max(place, wrong), len(moments) - 1)
    told_so = [
        moment + off * 10 if begin <= number < begin + wrong else moment
        for number, moment in enumerate(moments)
    ]
    told_so += [now + 1, now + 2, now + 3, now + 4]
    lies = {said for said, moment in zip(told_so, moments, strict=False) if said != moment}
    assert set(overtaken(told_so)) == lies - (set(moments) | set(told_so[-4:]))


@drawn(st.lists(st.integers(0, 1_000), max_size=30).map(sorted))
def test_clocks_in_order_are_all_believed(moments: list[int]) -> None:
    """Where no clock ever went back, nothing is overtaken."""
    assert overtaken(moments) == {}


def test_the_middle_of_three_answers_is_the_time() -> None:
    """Of three answers that disagree the middle one is believed, and time that passes counts."""
    timer = [0.0]
    clock = ServiceClock(lambda: timer[0])
    first = clock.heard(NOON + 400 * DAY)
    assert not clock.is_torn
    timer[0] = 60.0
    second = clock.heard(NOON + timedelta(seconds=60))
    assert clock.is_torn
    timer[0] = 3_600.0
    third = clock.heard(NOON + HOUR)
    assert clock.moment(first) == NOON
    assert clock.moment(second) == NOON + timedelta(seconds=60)
    assert clock.moment(third) == NOON + HOUR
