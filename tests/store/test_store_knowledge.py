"""What was known when, what a person noted, details one by one, counts, and what was said."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_kit import (
    HOUR,
    LAWS,
    NOON,
    child,
    deliver,
    deliver_details,
    detail,
    ids,
    kept,
    line,
    months,
    open_store,
    page_of,
    row,
    table,
    values,
)

from seqdata.core.moments import micros
from seqdata.exceptions import UnexpectedAnswer
from seqdata.sources.base import Page
from seqdata.sources.rows import Row
from seqdata.sources.schemas import (
    ANNOTATIONS,
    DETAILS,
    LEGS,
    RUNS,
    TRANSFER_HISTORY,
    TRANSFERS,
)
from seqdata.store import Store, SyncState


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path)


# -- history --------------------------------------------------------------------------------


def test_all_versions_of_a_transfer_are_lined_up(store: Store) -> None:
    """The history of a transfer tells each version and when it held, the present one last."""
    deliver(store, table(row("a", state="open"), row("b")), at=NOON)
    deliver(store, table(row("a", "2026-09-05", state="settled")), at=NOON + HOUR)
    store.mark_removed(["a"], NOON + 2 * HOUR)
    found = store.history_of("a")
    assert found.schema == TRANSFER_HISTORY
    assert values(found, "state", "removed_at", "valid_from", "valid_until") == [
        ("open", None, NOON, NOON + HOUR),
        ("settled", None, NOON + HOUR, NOON + 2 * HOUR),
        ("settled", NOON + 2 * HOUR, NOON + 2 * HOUR, None),
    ]
    assert values(store.history_of("b"), "valid_from", "valid_until") == [(NOON, None)]
    assert store.history_of("unheard").num_rows == 0


def test_transfers_are_read_as_they_were_known(store: Store) -> None:
    """At a moment, rows seen later are absent, changed ones are as they were, removed ones are
    there until they were missed."""
    deliver(store, table(row("a", state="open"), row("b")), at=NOON)
    deliver(store, table(row("a", state="settled"), row("c")), at=NOON + HOUR)
    store.mark_removed(["b"], NOON + 2 * HOUR)

    def known(moment: datetime, **options: bool) -> list[tuple[Any, ...]]:
        return values(store.transfers_as_of(moment, **options), "id", "state", "changed_at")

    assert known(NOON - HOUR) == []
    assert known(NOON) == [("a", "open", NOON), ("b", None, NOON)]
    assert known(NOON + HOUR) == [
        ("a", "settled", NOON + HOUR),
        ("b", None, NOON),
        ("c", None, NOON + HOUR),
    ]
    assert [id for id, *_ in known(NOON + 2 * HOUR)] == ["a", "c"]
    assert [id for id, *_ in known(NOON + 2 * HOUR, include_removed=True)] == ["a", "b", "c"]


def test_versions_of_one_moment_stay_in_order(store: Store) -> None:
    """Removed and seen again at one moment, a row has its versions in the order they came."""
    deliver(store, table(row("a")), at=NOON)
    store.mark_removed(["a"], NOON)
    deliver(store, table(row("a")), at=NOON)
    found = store.history_of("a")
    assert [removed is not None for (removed,) in values(found, "removed_at")] == [0, 1, 0]
    assert store.read_transfers().num_rows == 1
    began = [moment for (moment,) in values(found, "valid_from")]
    assert began == sorted(set(began))


DAYS = st.sampled_from([None, "2026-08-15", "2026-09-01"])
ROWS = st.builds(
    row, st.sampled_from("abcd"), DAYS, state=st.sampled_from(["open", "settled", None])
)
STEPS = st.lists(
    st.one_of(st.lists(ROWS, max_size=4), st.sets(st.sampled_from("abcd"), max_size=2)),
    min_size=1,
    max_size=6,
)


@LAWS
@given(steps=STEPS)
def test_what_was_known_is_what_was_read(
    tmp_path_factory: pytest.TempPathFactory, steps: Any
) -> None:
    """Whatever changes, moves, vanishes and returns: as of each step, the table is what a reading
    gave then, and a transfer's versions follow each other without a gap."""
    store = open_store(tmp_path_factory.mktemp("data"))
    read = []
    for number, step in enumerate(steps):
        at = NOON + number * HOUR
        if isinstance(step, set):
            store.mark_removed(step, at)
        else:
            deliver(store, table(*step), at=at)
        whole = store.read_transfers(columns=TRANSFERS.names, include_removed=True)
        read.append((at, store.read_transfers(columns=TRANSFERS.names), whole))
    for at, present, everything in read:
        assert store.transfers_as_of(at).equals(present)
        assert store.transfers_as_of(at, include_removed=True).equals(everything)
    for id in "abcd":
        versions = store.history_of(id).to_pylist()
        bounds = [(each["valid_from"], each["valid_until"]) for each in versions]
        assert all(one[1] == two[0] for one, two in pairwise(bounds))
        assert not bounds or bounds[-1][1] is None


CHANGING = """
    import sys
    from datetime import UTC, datetime, timedelta
    from pathlib import Path
    from seqdata.core.moments import micros
    from seqdata.sources.base import Page
    from seqdata.store import Store

    store = Store.open(Path(sys.argv[1]), "org_1", app_url="https://app.example.com")
    noon = datetime(2026, 11, 1, 12, tzinfo=UTC)
    created = micros(noon)
    for number in range(100_000):
        rows = [{"id": f"t{i}", "amount_cents": number, "created_at": created} for i in range(9)]
        store.take(Page(rows, "", False, served_at=noon + timedelta(seconds=number)))
        print(number, flush=True)
"""


def test_the_past_is_whole_while_rows_change(tmp_path: Path) -> None:
    """Read while another process changes every row, what was known has each transfer once, and
    the versions of one have no gap."""
    with child(CHANGING, tmp_path) as process:
        assert line(process) == "0"
        store = open_store(tmp_path)
        for _ in range(15):
            newest = [moment for (moment,) in values(store.read_history(), "valid_from")]
            known = store.transfers_as_of(max(newest, default=NOON))
            assert sorted(ids(known)) == [f"t{i}" for i in range(9)]
            amounts = store.history_of("t3")["amount_cents"].to_pylist()
            assert amounts == [*range(len(amounts))]
        assert process.poll() is None


# -- when it was last said ------------------------------------------------------------------


def test_a_sync_confirms_what_it_read(store: Store) -> None:
    """A row was last said when it changed, or when a sync read the time it lies in, or was asked
    for by its id."""
    rows = [row("old", "2026-08-01"), row("asked", "2026-08-02"), row("new"), row("gone")]
    deliver(store, table(*rows), at=NOON)
    store.mark_removed(["gone"], NOON + HOUR)
    run = store.begin_run(source="webapp", at=NOON + 2 * HOUR)
    since = datetime(2026, 10, 1, tzinfo=UTC)
    store.note_run(run, kind="daily", since=since, read_at=NOON + 2 * HOUR)
    store.note_run(run, asked=json.dumps(["asked"]), ended_at=NOON + 3 * HOUR)
    found = store.read_transfers(columns=["id", "confirmed_at"], include_removed=True)
    assert dict(values(found, "id", "confirmed_at")) == {
        "old": NOON,
        "asked": NOON + 3 * HOUR,
        "new": NOON + 2 * HOUR,
        "gone": NOON + HOUR,
    }


def test_a_sync_of_everything_confirms_everything(store: Store) -> None:
    """Read without a bound, rows without created_at are confirmed too, and later syncs of less
    leave them as they are."""
    deliver(store, table(row("a", None), row("b")), at=NOON)
    bounds = [None, datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 30, tzinfo=UTC)]
    for number, since in enumerate(bounds, start=1):
        run = store.begin_run(source="webapp", at=NOON + number * HOUR)
        store.note_run(run, since=since, read_at=NOON + number * HOUR)
    found = dict(values(store.read_transfers(), "id", "confirmed_at"))
    assert found == {"a": NOON + HOUR, "b": NOON + 2 * HOUR}


def test_runs_are_numbered_and_kept(store: Store) -> None:
    """Each sync has a number of its own, and tells what was noted of it."""
    assert store.begin_run(source="webapp", at=NOON) == 1
    assert store.begin_run(source="webapp", at=NOON + HOUR) == 2
    store.note_run(1, kind="first", ended_at=NOON + HOUR)
    found = store.read_runs()
    assert found.schema == RUNS
    assert values(found, "organization_id", "run", "kind", "read_from", "began_at", "ended_at") == [
        ("org_1", 1, "first", "webapp", NOON, NOON + HOUR),
        ("org_1", 2, None, "webapp", NOON + HOUR, None),
    ]


# -- counts and selections ------------------------------------------------------------------


def test_transfers_are_counted(store: Store) -> None:
    """All transfers, those of a time and those that were removed are counted; moved ones once."""
    assert store.count_transfers() == 0
    rows = [row("a"), row("b", "2026-08-01"), row("c", None)]
    deliver(store, table(*rows), at=NOON)
    deliver(store, table(row("b", "2026-09-01")), at=NOON)
    store.mark_removed(["a"], NOON)
    assert store.count_transfers() == 2
    assert store.created_moments() == [micros(datetime(2026, 9, 1, tzinfo=UTC))]
    assert [store.has_transfer(id) for id in ("a", "b", "d")] == [True, True, False]


def test_open_transfers_are_those_that_may_change(store: Store) -> None:
    """A row is open unless its state is known to be final, or it was removed."""
    rows = [
        row("a", state="settled"),
        row("b", "2026-09-01", state="open"),
        row("c", None, state=None),
        row("d", "2026-09-02", state="unknown"),
        row("e", "2026-09-03", state="open"),
        row("f", state="failed"),
        row("g", state="cancelled"),
        row("h", state="open"),
    ]
    deliver(store, table(*rows), at=NOON)
    store.mark_removed(["e"], NOON)
    deliver(store, table(row("h", state="settled")), at=NOON)
    expected = [("b", datetime(2026, 9, 1, tzinfo=UTC)), ("d", datetime(2026, 9, 2, tzinfo=UTC))]
    assert store.open_transfers() == [
        (expected[0][0], micros(expected[0][1])),
        ("c", None),
        (expected[1][0], micros(expected[1][1])),
    ]
    assert store.count_open() == 3


def test_the_newest_transfer_is_found(store: Store) -> None:
    """Removed transfers, and those without a time, are not the newest."""
    assert store.newest_created_at() is None
    rows = [row("a"), row("b", "2026-09-01"), row("d", None)]
    deliver(store, table(*rows), at=NOON)
    assert store.newest_created_at() == datetime(2026, 10, 5, tzinfo=UTC)
    store.mark_removed(["a"], NOON)
    assert store.newest_created_at() == datetime(2026, 9, 1, tzinfo=UTC)


def test_the_ids_of_a_time(store: Store) -> None:
    """The ids since a moment come newest first, without removed ones; without a moment all."""
    rows = [row("a", "2026-10-01"), row("b", "2026-10-02"), row("c"), row("d", None)]
    deliver(store, table(*rows), at=NOON)
    store.mark_removed(["c"], NOON)
    assert store.ids_since(datetime(2026, 10, 2, tzinfo=UTC)) == ["b"]
    assert store.ids_since(datetime(2026, 10, 1, tzinfo=UTC)) == ["b", "a"]
    assert store.ids_since(None) == ["b", "a", "d"]


# -- details --------------------------------------------------------------------------------


def learn(store: Store, given: dict[str, Any], *legs: str, cron: str | None = None) -> None:
    """Take details as a sync does: with the transfer they are of."""
    deliver_details(store, table(given), *detail(given["id"], *legs, cron=cron))


def test_details_lie_in_the_month_of_their_transfer(store: Store) -> None:
    """Details and legs are filed by their transfer's month, move when they are learned anew, and
    are found by id."""
    learn(store, row("a"), "pull")
    learn(store, row("b", "2026-09-01"), "pull")
    learn(store, row("c", None), "pull")
    learn(store, row("d", "2026-07-01"))
    learn(store, row("a", "2026-08-01"), "push", cron="0 0 * * *")
    store.publish()
    filed = ["month=2026-08", "month=2026-09", "month=unknown"]
    assert months(store, "legs") == filed
    assert months(store, "details") == ["month=2026-07", *filed]
    found = values(store.read_details(), "id", "rule_trigger_cron")
    assert found == [("a", "0 0 * * *"), ("b", None), ("c", None), ("d", None)]
    assert values(store.read_legs(["a", "b", "x"]), "id", "leg") == [("a", "push"), ("b", "pull")]
    assert ids(store.read_details(["b"])) == ["b"]
    assert store.read_details([]).num_rows == 0


def test_a_leg_that_vanished_is_gone(store: Store) -> None:
    """A re-fetch replaces all legs of its transfer and of no other, down to none."""
    learn(store, row("a"), "pull", "push")
    learn(store, row("b"), "pull")
    learn(store, row("a"), "push", "reversal")
    assert values(store.read_legs(), "id", "leg") == [
        ("a", "push"),
        ("a", "reversal"),
        ("b", "pull"),
    ]
    learn(store, row("a"))
    assert values(store.read_legs(), "id", "leg") == [("b", "pull")]
    learn(store, row("b"))
    assert store.read_legs().num_rows == 0
    assert months(store, "legs") == []


def test_what_decides_whose_details_are_fetched(store: Store) -> None:
    """Each transfer that was not removed comes with its state, its times and what its details
    say, newest first."""
    deliver(store, table(row("a", state="open", updated_at=NOON), row("b"), row("c")), at=NOON)
    learn(store, row("d", "2026-09-05", state="settled"), "pull")
    store.mark_removed(["c"], NOON)
    october, september = (micros(datetime(2026, month, 5, tzinfo=UTC)) for month in (10, 9))
    assert store.wanted() == [
        ("a", "open", october, micros(NOON), None, None),
        ("b", None, october, None, None, None),
        ("d", "settled", september, None, micros(NOON), "rule"),
    ]


CHUNKS = st.lists(
    st.dictionaries(
        st.sampled_from("abcdef"),
        st.sets(st.sampled_from(["payment", "pull", "push", "reversal"])),
        max_size=4,
    ),
    min_size=1,
    max_size=4,
)


@LAWS
@given(chunks=CHUNKS)
def test_legs_equal_a_dict(tmp_path_factory: pytest.TempPathFactory, chunks: Any) -> None:
    """In whatever portions details come, a transfer has the legs it was last said to have."""
    store = open_store(tmp_path_factory.mktemp("data"))
    model: dict[str, set[str]] = {}
    for chunk in chunks:
        parts = [detail(id, *legs) for id, legs in chunk.items()]
        rows = table(*(row(id, f"2026-0{1 + ord(id) % 3}-01") for id in chunk))
        details = pa.concat_tables([DETAILS.empty_table(), *(each[0] for each in parts)])
        legs = pa.concat_tables([LEGS.empty_table(), *(each[1] for each in parts)])
        deliver_details(store, rows, details, legs)
        model.update(chunk)
    assert ids(store.read_details()) == sorted(model)
    expected = sorted((id, leg) for id, legs in model.items() for leg in legs)
    assert values(store.read_legs(), "id", "leg") == expected


# -- by hand --------------------------------------------------------------------------------


def test_notes_are_kept_part_by_part(store: Store) -> None:
    """A note leaves the category as it is and the other way round; an empty text removes."""
    store.annotate("b", note="Dentist")
    store.annotate("a", category="home", note="Rent", at=NOON)
    store.annotate("a", category="housing", at=NOON + HOUR)
    found = store.read_annotations()
    assert found.schema == ANNOTATIONS
    assert values(found, "organization_id", "id", "category", "note") == [
        ("org_1", "a", "housing", "Rent"),
        ("org_1", "b", None, "Dentist"),
    ]
    assert found["annotated_at"].to_pylist()[0] == NOON + HOUR
    store.annotate("a", category="")
    assert values(store.read_annotations(), "category", "note")[0] == (None, "Rent")
    store.annotate("a", note="")
    assert ids(store.read_annotations()) == ["b"]


# -- what was said --------------------------------------------------------------------------


def page(*said: dict[str, Any], at: datetime = NOON) -> Page:
    """A page as a service says it: each row is kept as it was said."""
    rows = table(*(row(each["id"], state=each["how"]) for each in said))
    return page_of(rows, at=at, bodies=kept(*said))


def test_each_version_has_what_was_said(store: Store) -> None:
    """Each change of a transfer is there with the answer's own words, its sync and its time."""
    run = store.begin_run(source="webapp", at=NOON)
    store.take(page({"id": "a", "how": "open", "more": 1.10}, {"id": "b", "how": "open"}), run=run)
    store.take(page({"id": "a", "how": "open", "more": 2}, at=NOON + HOUR))
    store.take(page({"id": "a", "how": "settled"}, at=NOON + 2 * HOUR), source="api")
    store.mark_removed(["a"], NOON + 3 * HOUR)
    names = ("stream", "read_from", "run", "valid_from", "valid_until", "removed_at", "said")
    assert [tuple(each[name] for name in names) for each in store.evidence("a")] == [
        ("transfers", "webapp", 1, NOON, NOON + 2 * HOUR, None,
         {"id": "a", "how": "open", "more": 1.10}),
        ("transfers", "api", None, NOON + 2 * HOUR, NOON + 3 * HOUR, None,
         {"id": "a", "how": "settled"}),
        ("transfers", "webapp", None, NOON + 3 * HOUR, None, NOON + 3 * HOUR, None),
    ]  # fmt: skip
    assert store.evidence("unheard") == []


class Understanding:
    """A reader that has learned what an answer says."""

    name = "webapp"

    def read_again(self, stream: str, said: Sequence[Any]) -> list[Row]:
        """Read the note, which was passed over at first."""
        made = micros(datetime(2026, 9, 5, tzinfo=UTC))
        return [
            {"organization_id": "org_1", "id": each["id"], "state": each["how"]}
            | {"created_at": made, "description": each["note"]}
            for each in said
        ]


def test_kept_answers_are_read_again(store: Store) -> None:
    """Read with today's understanding, versions have the moments they had, and what was not kept
    stays as it is."""
    store.take(page({"id": "a", "how": "open", "note": "one"}))
    store.take(page({"id": "a", "how": "settled", "note": "two"}, at=NOON + HOUR))
    deliver(store, table(row("b")), at=NOON)
    store.annotate("a", note="mine")
    before = values(store.history_of("a"), "state", "valid_from", "valid_until")
    assert store.rebuild(Understanding()) == {"read": 2, "changed": 2, "unread": 1}
    assert store.history_of("a")["description"].to_pylist() == ["one", "two"]
    assert values(store.history_of("a"), "state", "valid_from", "valid_until") == before
    assert months(store) == ["month=2026-09", "month=2026-10"]
    assert ids(store.read_transfers()) == ["b", "a"]
    assert store.read_annotations()["note"].to_pylist() == ["mine"]
    assert store.rebuild(Understanding()) == {"read": 2, "changed": 0, "unread": 1}


def test_a_page_and_how_far_it_came_are_taken_together(store: Store) -> None:
    """Where a page is refused, how far the reading came is not noted either."""
    store.take(page({"id": "a", "how": "open"}), SyncState(service_count=1))
    broken = page_of(table(row("b"), {}), at=NOON)
    with pytest.raises(UnexpectedAnswer):
        store.take(broken, SyncState(service_count=2))
    assert store.read_state() == SyncState(service_count=1)
    assert ids(store.read_transfers()) == ["a"]
