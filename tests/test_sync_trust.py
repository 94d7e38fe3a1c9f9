"""What makes a sync trustworthy: change, history, removal, details, completeness, the archive."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from seqdata.cli import run
from seqdata.core.moments import micros
from seqdata.exceptions import (
    ForeignWorld,
    InvalidFilter,
    SyncsFailed,
    UnknownAccount,
    UnknownTransfer,
)
from seqdata.ledger import Ledger
from seqdata.sandbox import Sandbox
from seqdata.sources.base import Window
from seqdata.store import SyncState
from seqdata.sync.plan import OpenTransfer, Plan, decide, widen

NOW = "2026-11-01"
DAY = timedelta(days=1)
NEWEST = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(months=3, now=NOW) as box:
        yield box


@pytest.fixture
def ledger(box: Sandbox, tmp_path: Path) -> Iterator[Ledger]:
    """A ledger of the sandbox that was synced once."""
    with Ledger.demo(sandbox=box, folder=tmp_path) as ledger:
        ledger.sync(progress=False)
        yield ledger


def truth(box: Sandbox) -> dict[str, tuple[str, int]]:
    return {row["id"]: (row["status"], row["amount_cents"]) for row in box.transfers()}


def held(ledger: Ledger) -> dict[str, tuple[str, int]]:
    frame = ledger.transfers
    return dict(
        zip(frame["id"], zip(frame["status"], frame["amount_cents"], strict=True), strict=True)
    )


# -- what is asked for ------------------------------------------------------------------------


def test_everything_is_read_again_after_the_rescan_span() -> None:
    """When all was last read longer ago than the setting, all is read again."""
    state = SyncState(last_full_at=NEWEST, newest_created_at=NEWEST)
    later = {"overlap": 30 * DAY, "rescan": 90 * DAY}
    assert decide(state, now=NEWEST + 90 * DAY, **later).kind == "recent"
    assert decide(state, now=NEWEST + 91 * DAY, **later).kind == "full"


@pytest.mark.parametrize(
    ("rows_between", "one_by_one"),
    [(50, ()), (100, ()), (1_000, ("old",))],
)
def test_open_transfers_are_reached_in_as_few_requests_as_possible(
    rows_between: int, one_by_one: tuple[str, ...]
) -> None:
    """A window is widened to an open transfer where that costs no more than asking for it."""
    since = NEWEST - 30 * DAY
    old = OpenTransfer("old", since - 5 * DAY)
    created = [micros(since - 3 * DAY)] * rows_between + [micros(since)] * 100
    plan = widen(Plan("recent", Window(since)), [old], created, 100, NEWEST)
    expected = one_by_one if rows_between > 100 else plan.one_by_one
    assert plan.one_by_one == expected
    assert requests_of(plan, created) == 2


def requests_of(plan: Plan, created: list[int]) -> int:
    assert plan.window.since is not None
    asked = plan.window.asked.since
    assert asked is not None
    rows = len([moment for moment in created if moment >= micros(asked)])
    return len(plan.one_by_one) + max(1, -(-rows // 100))


def test_open_transfers_wait_for_the_rescan_when_they_are_old() -> None:
    """What was made sixty days ago or earlier is not asked for in each sync."""
    since = NEWEST - 30 * DAY
    old = [OpenTransfer(str(days), NEWEST - days * DAY) for days in (40, 60, 61, 400)]
    created = [micros(NEWEST - days * DAY) for days in range(400, -1, -1) for _ in range(20)]
    plan = widen(Plan("recent", Window(since)), old, created, 100, NEWEST)
    assert plan.one_by_one == ("40", "60")
    assert plan.passed_over == 0


@pytest.mark.parametrize("rows", [400, 4_000, 40_000])
@pytest.mark.parametrize("has_moments", [True, False])
def test_a_new_word_costs_a_quarter_more_requests_at_most(rows: int, has_moments: bool) -> None:
    """Where nothing is known to have ended, a sync reaches the newest with few requests more."""
    step = 730 * DAY / rows
    moments = [NEWEST - place * step for place in range(rows)]
    waiting = [
        OpenTransfer(str(place), moment if has_moments else None)
        for place, moment in enumerate(moments)
    ]
    created = sorted(map(micros, moments)) if has_moments else []
    since = NEWEST - 30 * DAY
    calm = requests_of(Plan("recent", Window(since)), created) + 1
    plan = widen(Plan("recent", Window(since)), waiting, created, 100, NEWEST)
    assert requests_of(plan, created) + 1 <= 1.25 * calm
    assert plan.passed_over > 0 or rows == 400


# -- change and history -----------------------------------------------------------------------


def test_a_changed_row_leaves_its_earlier_version(ledger: Ledger, box: Sandbox) -> None:
    """A pending transfer that settles is in the history as it was, and in the report as changed."""
    before = ledger.transfers
    box.advance(days=10)
    report = ledger.sync(progress=False)
    changed = report.changes
    assert report.updated == changed["id"].nunique() > 0
    status = changed[changed["column"] == "status"].iloc[0]
    versions = ledger.history(status["id"])
    assert versions["status"].tolist()[:2] == [status["before"], status["after"]]
    was = before.set_index("id").loc[status["id"], "status"]
    assert was == status["before"]


def test_transfers_as_of_a_moment_are_what_was_known_then(ledger: Ledger, box: Sandbox) -> None:
    """The table as of an earlier sync equals what the ledger held after it."""
    before = ledger.transfers.drop(columns=["confirmed_at"])
    then = box.now
    box.advance(days=10)
    ledger.sync(progress=False)
    as_of = ledger.transfers_as_of(then)
    pd.testing.assert_frame_equal(as_of, before, check_categorical=False)


def test_an_unknown_transfer_has_no_history(ledger: Ledger) -> None:
    """History of an id that is not here is refused by name."""
    with pytest.raises(UnknownTransfer, match="'nothing'"):
        ledger.history("nothing")


# -- removal ----------------------------------------------------------------------------------


def test_a_vanished_row_is_marked_and_can_come_back(ledger: Ledger, box: Sandbox) -> None:
    """A row that vanished from a wholly read window is hidden, kept, and welcome back."""
    gone = box.transfers()[5]["id"]
    box.remove_transfers([gone])
    report = ledger.sync(progress=False)
    assert report.removed == [gone]
    assert report.is_complete
    assert gone not in set(ledger.transfers["id"])
    assert gone in set(ledger.transfers_where(include_removed=True)["id"])
    box.restore_transfers([gone])
    ledger.sync(progress=False)
    assert held(ledger) == truth(box)


def test_a_row_outside_of_the_window_is_not_taken_for_removed(ledger: Ledger, box: Sandbox) -> None:
    """A row that is gone but older than the window stays until everything is read again."""
    old = box.transfers()[-1]["id"]
    box.remove_transfers([old])
    assert ledger.sync(progress=False).removed == []
    assert ledger.certificate().is_complete is False
    assert ledger.sync(full=True, progress=False).removed == [old]
    assert ledger.certificate().is_complete


def test_of_many_that_vanished_25_are_settled_a_sync(ledger: Ledger, box: Sandbox) -> None:
    """Sixty gone at once are in doubt, kept and said, and are asked for 25 at a time."""
    gone = [row["id"] for row in box.transfers()[10:70]]  # the newest are too young
    box.remove_transfers(gone)
    for asked, left in ((25, 35), (25, 10), (10, 0)):
        report = ledger.sync(progress=False)
        assert (len(report.removed), len(report.in_doubt)) == (asked, left)
        assert set(report.in_doubt) <= set(ledger.transfers["id"])
        assert report.is_complete is (None if left else True)
        assert f"did not show {left} of them, kept here" in str(report) or not left
        shown = ledger.transfers.set_index("id")["missing_since"]
        assert set(shown[shown.notna()].index) == set(report.in_doubt)
    assert held(ledger) == truth(box)


def test_many_removals_can_be_believed_at_once(ledger: Ledger, box: Sandbox) -> None:
    """A person's yes marks all that a reading lacked, where the first 25 are really gone."""
    gone = [row["id"] for row in box.transfers()[10:70]]  # the newest are too young
    box.remove_transfers(gone)
    report = ledger.sync(accept_removals=True, progress=False)
    assert set(report.removed) == set(gone)
    assert held(ledger) == truth(box)


# -- completeness -----------------------------------------------------------------------------


def test_a_first_sync_since_a_date_says_what_it_left_out(box: Sandbox, tmp_path: Path) -> None:
    """A first sync that begins at a date is never called complete, until a full one is made."""
    with Ledger.demo(sandbox=box, folder=tmp_path) as ledger:
        report = ledger.sync(since="2026-10-01", progress=False)
        assert report.is_complete is False
        assert "nothing before 2026-10-01" in str(ledger.certificate())
        assert ledger.transfers["created_at"].min() < pd.Timestamp("2026-10-02", tz="UTC")
        assert ledger.transfers.attrs["seqdata"]["gaps"]
        assert ledger.sync(full=True, progress=False).is_complete
        assert held(ledger) == truth(box)


def test_without_the_services_count_completeness_is_unknown(box: Sandbox, tmp_path: Path) -> None:
    """Where the service does not count, the sync works and says that it could not check."""
    box.fail("no_count", variant="unknown", times=10_000)
    with Ledger.demo(sandbox=box, folder=tmp_path) as ledger:
        report = ledger.sync(progress=False)
        assert report.is_complete is None
        assert "gave no count" in str(report)
        assert held(ledger) == truth(box)


def test_an_expired_cursor_goes_on_by_date(box: Sandbox, tmp_path: Path) -> None:
    """A cursor that the service does not know any more is replaced by a date."""
    box.fail("expired_cursor", after=2)
    with Ledger.demo(sandbox=box, folder=tmp_path) as ledger:
        assert ledger.sync(progress=False).is_complete
        assert held(ledger) == truth(box)


# -- details ----------------------------------------------------------------------------------


def test_details_go_on_within_their_budget(ledger: Ledger, box: Sandbox) -> None:
    """Details are fetched newest first within the budget, and the next sync has the rest."""
    cost = ledger.details_cost("all")
    assert cost.requests == cost.transfers == len(ledger.transfers)
    report = ledger.sync(details="all", max_requests=10, progress=False)
    assert (report.details, report.details_missing) == (10, cost.transfers - 10)
    fetched = set(ledger.details["id"])
    assert fetched == set(ledger.transfers["id"].head(10))
    ledger.sync(details="all", details_per_request=25, progress=False)
    assert set(ledger.details["id"]) == set(ledger.transfers["id"])


def test_details_and_legs_equal_the_truth(ledger: Ledger, box: Sandbox) -> None:
    """Legs, their moments and rules are what the sandbox says, many to a request or one."""
    ledger.sync(details="all", details_per_request=25, progress=False)
    details = ledger.details.set_index("id")
    legs = ledger.legs.set_index(["id", "leg"])["status"].to_dict()
    for row in box.transfers():
        facts = row["details"]
        assert details.loc[row["id"], "kind"] == facts["kind"]
        names = {"status": "payment", "pull": "pull", "push": "push", "reversal": "reversal"}
        for key, leg in names.items():
            payment = facts.get(key)
            assert legs.get((row["id"], leg)) == (payment["status"] if payment else None)
        rule = row["rule"] or {"trigger_type": None}
        trigger = details.loc[row["id"], "rule_trigger_type"]
        assert (None if pd.isna(trigger) else trigger) == rule["trigger_type"]


def test_an_unknown_choice_of_details_is_refused(ledger: Ledger) -> None:
    """A word that is none of the choices is refused with them."""
    with pytest.raises(InvalidFilter, match="open, new, all"):
        ledger.sync(details="everything", progress=False)


# -- by hand ----------------------------------------------------------------------------------


def test_annotations_survive_every_sync(ledger: Ledger, box: Sandbox) -> None:
    """What a person noted about a transfer stays, whatever the service changes."""
    transfer = ledger.transfers["id"].iloc[0]
    ledger.annotate(transfer, category="Fun")
    ledger.annotate(transfer, note="with Ana")
    box.advance(days=40)
    ledger.sync(full=True, progress=False)
    noted = ledger.annotations.set_index("id").loc[transfer]
    assert (noted["category"], noted["note"]) == ("Fun", "with Ana")
    with pytest.raises(UnknownTransfer):
        ledger.annotate("nothing", note="x")


def test_a_statement_balance_is_kept(ledger: Ledger) -> None:
    """A balance of a manual account is entered by name and comes back as a statement."""
    ledger.add_balance("Grandma", "2026-10-15", 123_45)
    found = ledger.balances_where(account="Grandma")
    assert found[["balance_cents", "origin"]].values.tolist() == [[123_45, "statement"]]
    with pytest.raises(UnknownAccount):
        ledger.add_balance("Nobody", "2026-10-15", 1)


# -- what was said ----------------------------------------------------------------------------


def everything(ledger: Ledger) -> dict[str, pd.DataFrame]:
    names = ("transfers", "accounts", "balances", "details", "legs", "transfer_history")
    return {name: ledger.sql(f"FROM {name} ORDER BY ALL") for name in names}


def test_a_rebuild_equals_the_tables_it_replaces(ledger: Ledger, box: Sandbox) -> None:
    """From the kept answers alone come the same tables, and what is no answer stays."""
    box.advance(days=10)
    ledger.sync(details="new", details_per_request=25, progress=False)
    box.remove_transfers([box.transfers()[3]["id"]])
    ledger.add_balance("Grandma", "2026-10-15", 99)
    ledger.annotate(ledger.transfers["id"].iloc[7], note="mine")
    box.advance(days=4)
    ledger.sync(details="new", details_per_request=25, progress=False)  # of some, a second time
    before = everything(ledger)
    box.clear_requests()
    found = ledger.rebuild()
    assert (found["changed"], box.requests()) == (0, [])
    assert found["read"] > len(before["transfers"])
    for name, frame in everything(ledger).items():
        pd.testing.assert_frame_equal(frame, before[name], obj=name)
    assert ledger.annotations["note"].tolist() == ["mine"]
    assert ledger.sync(progress=False).is_complete


def test_what_was_not_kept_stays_in_a_rebuild(
    box: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With SEQUENCE_ARCHIVE=0 no answer is kept, and a rebuild leaves every row as it is."""
    token = f'{{"access_token": "{box.issue_token()}", "refresh_token": null, "expires_at": 4e9}}'
    (tmp_path / ".tokens.json").write_text(token)
    for name, value in {**box.environment(), "SEQUENCE_ARCHIVE": "0"}.items():
        monkeypatch.setenv(name, value)
    with Ledger.open() as ledger:
        ledger.sync(progress=False)
        before = ledger.transfers
        assert ledger.evidence(before["id"].iloc[0])["said"].isna().all()
        assert ledger.rebuild()["read"] == 0
        pd.testing.assert_frame_equal(ledger.transfers, before)


def test_evidence_is_the_answer_itself(ledger: Ledger, box: Sandbox) -> None:
    """Each version of a transfer shows the service's own JSON for it, without account numbers."""
    box.advance(days=10)
    changed = ledger.sync(progress=False).changes["id"].iloc[0]
    found = ledger.evidence(changed)
    versions = ledger.history(changed)
    assert found["valid_from"].tolist() == versions["valid_from"].tolist()
    assert [said["status"] for said in found["said"]] == versions["status"].tolist()
    assert [said["amount"]["cents"] for said in found["said"]] == versions["amount_cents"].tolist()
    with pytest.raises(UnknownTransfer):
        ledger.evidence("nothing")


def test_no_full_account_number_is_kept(ledger: Ledger) -> None:
    """What is kept of an account's answer has its numbers masked."""
    ids = ledger.accounts["id"]
    said = json.dumps([one for id in ids for one in ledger.evidence(id)["said"]])
    numbers = re.findall(r'"(?:bankAccountNumber|routingNumber)": "([^"]+)"', said)
    assert numbers
    assert all(re.fullmatch(r"\*+\d{0,4}", number) for number in numbers)


def test_a_sync_without_a_change_leaves_the_months_alone(ledger: Ledger, box: Sandbox) -> None:
    """What was read again and is the same costs no table of transfers, and is confirmed."""
    files = sorted((ledger.folder / "transfers").rglob("*.parquet"))
    before = [path.stat().st_mtime_ns for path in files]
    confirmed = ledger.transfers["confirmed_at"].max()
    box.advance(seconds=2)
    ledger.sync(progress=False)
    assert [path.stat().st_mtime_ns for path in files] == before
    assert ledger.transfers["confirmed_at"].max() > confirmed


def test_another_world_of_one_organization_is_refused(tmp_path: Path) -> None:
    """Two sandboxes of one seed have one organization id, and never become one ledger."""
    port = 0
    for months, is_same in ((1, True), (1, True), (2, False)):
        with Sandbox(months=months, now=NOW, port=port) as box:
            port = int(box.app_url.rsplit(":", 1)[1])
            with Ledger.demo(sandbox=box, folder=tmp_path) as ledger:
                if is_same:
                    assert ledger.sync(progress=False).is_complete
                    before = ledger.transfers
                    continue
                with pytest.raises(ForeignWorld, match="SEQUENCE_DATA_DIR"):
                    ledger.sync(progress=False)
                pd.testing.assert_frame_equal(ledger.transfers, before)


# -- several organizations --------------------------------------------------------------------


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A sandbox of two organizations, whose login is the environment's."""
    with Sandbox(months=1, now=NOW, organizations=2) as box:
        (tmp_path / ".tokens.json").write_text(
            f'{{"access_token": "{box.issue_token()}", "refresh_token": null, "expires_at": 4e9}}'
        )
        for name, value in box.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("SEQUENCE_ORG_ID")
        yield box


def test_an_organization_that_fails_stops_no_other(two: Sandbox) -> None:
    """All organizations are tried; the error names each that failed, and exits by the worst."""
    two.fail("forbidden", operation="ActivityLogV2Transfers")
    with Ledger.open("all") as ledger:
        with pytest.raises(SyncsFailed, match="1 of 2 organizations") as caught:
            ledger.sync(progress=False)
        failed, second = two.organization_ids
        assert [organization_id for organization_id, _ in caught.value.failed] == [failed]
        assert [report.organization_id for report in caught.value.reports] == [second]
        assert caught.value.exit_code == 4
        assert ledger.sync(progress=False).is_complete


def test_a_program_reads_one_document_though_an_organization_failed(
    two: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """What `seqdata sync --json` prints is one JSON document, of all that could be synced."""
    two.fail("forbidden", operation="ActivityLogV2Transfers")
    assert run(["sync", "--organization", "all", "--json"]) == 4
    said = capsys.readouterr()
    assert json.loads(said.out)["organization_id"] == two.organization_ids[1]
    assert two.organization_ids[0] in said.err


def test_what_each_of_several_left_out_by_choice_is_no_fault(two: Sandbox) -> None:
    """Two organizations that begin at a date have two known gaps, and all that was asked for."""
    with Ledger.open("all") as ledger:
        report = ledger.sync(since="2026-10-20", progress=False)
        assert report.certificate is not None
        assert len(report.certificate.gaps) == 2
        assert report.certificate.is_as_asked


def test_one_ledger_holds_several_organizations(two: Sandbox) -> None:
    """A ledger of "all" syncs every organization into its own folder and reads them as one."""
    with Ledger.open("all") as ledger:
        report = ledger.sync(progress=False)
        assert report.is_complete
        assert held(ledger) == truth(two)
        assert set(ledger.transfers["organization_id"]) == set(two.organization_ids)
        assert ledger.transfers["created_at"].is_monotonic_decreasing
    alone = Ledger.open(two.organization_ids[1])
    assert set(alone.transfers["organization_id"]) == {two.organization_ids[1]}
