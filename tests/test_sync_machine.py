"""Whatever happens between syncs and during them, the tables say the truth or what they lack."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from trust import NOW, SOAK, Desk, Row, held, leftovers, tables, truth

from seqdata.exceptions import SequenceError
from seqdata.sandbox import Sandbox
from seqdata.sources.vocabulary import FINAL
from seqdata.sources.webapp.words import STATES
from seqdata.sync import SyncReport

#: Faults under which no value of a row is lost or altered.
FAITHFUL = (
    "unauthorized", "forbidden", "rate_limit", "server_error", "bad_gateway", "cut", "cut_after",
    "cut_midway", "truncated_json", "errors_without_data", "errors_with_data", "repeated_cursor",
    "empty_page", "short_page", "expired_cursor", "duplicate_row", "ignored_filter", "no_count",
)  # fmt: skip

#: Faults of a row's fields; a text of a whole number is read all the same.
DRIFT = ("unknown_value", "missing_field", "changed_type")

#: What a fault of fields may leave in the table.
LEFT = {"status": ("TELEPORTED", None)}

numbers = st.integers(0, 10_000)
OVERLAP = timedelta(days=10)


FINAL_STATUSES = {word for word, state in STATES.items() if state in FINAL}


class SyncMachine(RuleBasedStateMachine):
    """A world that moves, a service that fails, and a ledger that is synced at any time."""

    @initialize(seed=st.integers(0, 3))
    def begin(self, seed: int) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.box = Sandbox(seed=seed, months=1, now=NOW, page_cap=50).start()
        self.desk = Desk(self.box, Path(self.folder.name))
        #: Every version of a transfer that was ever true when a sync could see it.
        self.versions: dict[str, list[Row]] = {}
        #: Ids whose past was changed since everything was last read; a window may miss these.
        self.touched: set[str] = set()
        self.hidden: set[str] = set()
        #: Whether a fault of fields may have reached a row since everything was last read.
        self.drifted = False

    def teardown(self) -> None:
        if hasattr(self, "box"):
            self.desk.close()
            self.box.stop()
            self.folder.cleanup()

    def pick(self, number: int) -> str:
        rows = self.box.transfers()
        return str(rows[number % len(rows)]["id"])

    # -- the world --------------------------------------------------------------------------

    @rule(hours=st.sampled_from([1, 7, 26, 24 * 6, 24 * 20]))
    def time_passes(self, hours: int) -> None:
        self.box.advance(hours=hours)

    @rule(cents=st.integers(1, 20))
    def a_person_pays(self, cents: int) -> None:
        with suppress(SequenceError):  # a fault may meet it
            pods = [pod["id"] for pod in self.desk.client.get_pods()]
            self.desk.client.transfer(self.box.kyc_id, pods[0], pods[1], cents)

    @rule(number=numbers)
    def a_transfer_vanishes(self, number: int) -> None:
        gone = self.pick(number)
        self.box.remove_transfers([gone])
        self.hidden.add(gone)
        self.touched.add(gone)

    @precondition(lambda self: self.hidden)
    @rule()
    def a_transfer_comes_back(self) -> None:
        self.box.restore_transfers([self.hidden.pop()])

    @rule(number=numbers, text=st.sampled_from(["", "=1+1", "Überweisung"]))
    def a_transfer_is_corrected(self, number: int, text: str) -> None:
        id = self.pick(number)
        self.box.edit_transfer(id, description=text, silently=number % 2 == 0)
        self.touched.add(id)

    @rule(number=numbers, days=st.sampled_from([1, 40]))
    def a_transfer_moves(self, number: int, days: int) -> None:
        id = self.pick(number)
        self.box.move_created_at(id, self.box.now - timedelta(days=days), silently=number % 2 == 0)
        self.touched.add(id)

    # -- the service ------------------------------------------------------------------------

    @rule(kind=st.sampled_from(FAITHFUL), times=st.integers(1, 2), after=st.integers(0, 3))
    def the_service_fails(self, kind: str, times: int, after: int) -> None:
        self.box.fail(kind, times=times, after=after)

    @rule(kind=st.sampled_from(DRIFT), after=st.integers(0, 3))
    def the_service_drifts(self, kind: str, after: int) -> None:
        self.box.fail(kind, after=after)
        self.drifted = True

    @rule()
    def the_service_recovers(self) -> None:
        self.box.clear_faults()

    # -- syncs ------------------------------------------------------------------------------

    @rule(details=st.sampled_from([None, "open", "new"]))
    def sync(self, details: str | None) -> None:
        self.tried(details=details, max_requests=2)

    @rule()
    def sync_everything_from_a_service_that_works(self) -> None:
        self.box.clear_faults()
        report = self.tried(full=True, accept_removals=True)
        assert report is not None
        assert report.is_complete
        assert held(self.desk.store) == truth(self.box)
        self.touched, self.drifted = set(self.hidden), False

    @rule(page=st.integers(1, 4))
    def a_person_interrupts(self, page: int) -> None:
        told = 0

        def interrupt(_: Any) -> None:
            nonlocal told
            told += 1
            if told == page:
                raise KeyboardInterrupt

        try:
            self.tried(on_progress=interrupt)
        except KeyboardInterrupt:
            self.every_row_was_true()

    @rule()
    def read_the_answers_again(self) -> None:
        if not self.desk.store.exists:
            return
        before = tables(self.desk.store)
        self.desk.store.rebuild(self.desk.source())
        assert tables(self.desk.store) == before

    # -- what then holds ----------------------------------------------------------------------

    def tried(self, **options: Any) -> SyncReport | None:
        """Sync; check what holds after it, whether it succeeded or not."""
        for id, row in truth(self.box).items():
            known = self.versions.setdefault(id, [])
            if row not in known:
                known.append(row)
        try:
            report = self.desk.sync(overlap=OVERLAP, **options)
        except SequenceError:
            report = None
        self.every_row_was_true()
        assert leftovers(self.desk.folder) == []
        if report is not None:
            self.really_gone(report.removed)
            self.what_was_read_is_true(report)
        return report

    def really_gone(self, ids: Iterable[str]) -> None:
        assert not set(ids) & truth(self.box).keys()

    def every_row_was_true(self) -> None:
        for id, row in held(self.desk.store).items():
            assert any(self.agree(row, known) for known in self.versions[id]), row

    def what_was_read_is_true(self, report: SyncReport) -> None:
        """Compare with the truth; only touched rows below the window may differ."""
        now, here = truth(self.box), held(self.desk.store)
        since = report.window.since
        assert (report.is_complete is True) == (report.expected_rows == len(here) == len(now))
        for id in now.keys() | here.keys():
            if id in now and id in here and self.agree(here[id], now[id]):
                continue
            assert report.kind in ("recent", "resumed"), (id, here.get(id), now.get(id))
            assert id in self.touched, (id, here.get(id), now.get(id))
            if report.kind == "recent" and since is not None:
                assert id not in now or now[id]["created_at"] < since
                assert id not in here or here[id]["created_at"] < since
                assert id not in here or here[id]["status"] in FINAL_STATUSES

    def agree(self, row: Row, known: Row) -> bool:
        """Tell whether a row is as it was, but for what a fault of its fields left."""
        differing = [name for name in row if row[name] != known[name]]
        if not self.drifted:
            return not differing
        return all(row[name] in LEFT.get(name, ()) for name in differing)


def test_whatever_happens_the_tables_say_the_truth_or_what_they_lack() -> None:
    """Of a random life of clock, people, faults and syncs, each sync's promise holds."""
    run_state_machine_as_test(
        SyncMachine,
        settings=settings(
            max_examples=400 if SOAK else 15,
            stateful_step_count=40 if SOAK else 20,
            deadline=None,
            derandomize=not SOAK,
            database=None,
            suppress_health_check=list(HealthCheck),
            print_blob=False,
            phases=[Phase.generate],  # a run takes too long to be made smaller
        ),
    )
