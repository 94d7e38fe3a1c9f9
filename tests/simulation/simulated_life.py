"""One life of a ledger: a world that moves, a service that fails, a disk, and syncs between.

A seed decides everything. Each line of the log is an event; two lives of a seed have equal logs.
"""

from __future__ import annotations

import gc
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from simulated_deck import EVERY, INTERRUPT, SURROUNDINGS, Card, columns_of, deal
from simulated_disk import DEATH, Died, Disk
from simulated_network import DROPS, Clock, Network
from simulated_truth import Truth
from trust import tables

from seqdata.client import SequenceClient
from seqdata.config.settings import Settings
from seqdata.exceptions import SequenceError
from seqdata.http.messages import Answer, Exchange, Request
from seqdata.http.transport import Send, Transport
from seqdata.sandbox import Sandbox
from seqdata.sandbox.faults.queue import Faults
from seqdata.sandbox.webapp.api import Api, read_call, with_own_headers
from seqdata.sources.webapp.source import GraphQLSource
from seqdata.store import Store
from seqdata.sync import SyncReport, sync
from seqdata.sync.options import SyncOptions

T = TypeVar("T")

APP_URL = "http://127.0.0.1:9"
NOW = "2026-11-01"
STEPS = 60

#: Memory, where it is a folder: a life writes many small files.
_MEMORY = Path("/dev/shm")


class Life:
    """A world, a ledger, and what happens to both.

    Parameters
    ----------
    seed
        Decides everything.
    tell
        Gets the log, a line an event.
    cards
        The faults that are dealt.
    """

    def __init__(
        self,
        seed: int,
        tell: Callable[[str], object] = lambda _: None,
        cards: tuple[str, ...] = EVERY,
    ) -> None:
        self.seed, self._tell_line = seed, tell
        self.chance = Random(seed)
        self._all_cards = cards
        self._is_long = seed % 10 == 9
        self.clock = Clock()
        cap = 100 if self._is_long else self.chance.choice([25, 50, 100])
        mode = self.chance.choice(["refuse", "clamp"])
        self.box = Sandbox(seed=seed, months=1, now=NOW, page_cap=cap, page_cap_mode=mode)
        self._born = self.box.now
        self.network = Network(self.box, self.clock, self.met)
        self.truth = Truth(self.box, self._source(self._client(self._ask_honestly())))
        self.hidden: set[str] = set()
        self.counts: Counter[str] = Counter()
        self._pages = 0
        self._line = 0
        self._has_died = False

    # -- one life ---------------------------------------------------------------------------

    def live(self, steps: int = STEPS) -> None:
        """Live so many steps, and end in calm; an AssertionError names a broken promise.

        A card is dealt at every second step, so that a few lives see every card.
        """
        memory = _MEMORY if _MEMORY.is_dir() else None
        with tempfile.TemporaryDirectory(dir=memory) as folder:
            self.folder = Path(folder) / "data"
            self.folder.mkdir()
            with Disk(self.folder, self.met) as self.disk:
                self._be_born()
                actions, weights = zip(*self._actions(), strict=True)
                self._cards = deal(self._all_cards, self.seed * (steps // 2), self.chance)
                for step in range(steps):
                    is_card = step % 2 == 1
                    action = self.chance.choices(actions, weights)[0]
                    (self.a_card_is_dealt if is_card else action)()
                self._end_in_calm()

    def tell(self, words: str) -> None:
        """Write a line of the log."""
        self._line += 1
        self._tell_line(f"{self._line:05} {self.box.now:%Y-%m-%d %H:%M} {words}")

    def met(self, what: str) -> None:
        """Note that a fault acted, at something."""
        self.tell(f"  {what}")
        name = next(
            (one for one in SURROUNDINGS if what.startswith(one)), what.split(maxsplit=1)[0]
        )
        self.counts[name] += 1

    @property
    def years(self) -> float:
        """Years of the service's clock that were lived."""
        return (self.box.now - self._born) / timedelta(days=365.25)

    def _actions(self) -> list[tuple[Callable[[], None], int]]:
        return [
            (self.time_passes, 10),
            (self.a_person_pays, 3),
            (self.a_transfer_vanishes, 3),
            (self.a_transfer_comes_back, 3),
            (self.a_transfer_is_corrected, 3),
            (self.a_transfer_moves, 3),
            (self.somebody_is_renamed, 2),
            (self.the_service_recovers, 2),
            (self.sync_plainly, 12),
            (self.sync_with_details, 4),
            (self.sync_since, 2),
            (self.sync_everything, 3),
            (self.sync_everything_calmly, 2),
            (self.read_the_answers_again, 2),
            (self.publish, 2),
            (self.the_tables_are_removed, 2),
        ]

    # -- the world --------------------------------------------------------------------------

    def time_passes(self) -> None:
        hours = [24 * 20, 24 * 90, 24 * 200] if self._is_long else [1, 7, 26, 24 * 6, 24 * 40]
        self._advance(self.chance.choice(hours))

    def _advance(self, hours: int) -> None:
        self.box.advance(hours=hours)
        self.tell(f"{hours} hours pass")

    def a_person_pays(self) -> None:
        pods = [row["id"] for row in self.truth.accounts().values() if row["kind"] == "pod"]
        source, destination = self.chance.sample(sorted(pods), 2)
        cents = self.chance.randint(1, 2_000)
        try:
            self.client.transfer(self.box.kyc_id, source, destination, cents)
            self.tell(f"a person pays {cents} cents")
        except SequenceError as error:
            self.tell(f"a person pays {cents} cents: {type(error).__name__}")

    def _pick(self) -> str:
        """Pick a transfer, a young one more often."""
        ids = list(self.truth.transfers())
        return ids[int(len(ids) * self.chance.random() ** 3)]

    def a_transfer_vanishes(self) -> None:
        id = self._pick()
        self.box.remove_transfers([id])
        self.hidden.add(id)
        self.truth.touched.add(id)
        self.tell(f"{id} vanishes")

    def a_transfer_comes_back(self) -> None:
        if not self.hidden:
            return
        id = self.chance.choice(sorted(self.hidden))
        self.hidden.remove(id)
        self.box.restore_transfers([id])
        self.tell(f"{id} comes back")

    def a_transfer_is_corrected(self) -> None:
        id, silently = self._pick(), self.chance.random() < 0.5
        text = self.chance.choice(["", "=1+1", "Überweisung"])
        self.box.edit_transfer(id, description=text, silently=silently)
        self.truth.touched.add(id)
        self.tell(f"{id} is corrected{' silently' * silently}")

    def a_transfer_moves(self) -> None:
        id, silently = self._pick(), self.chance.random() < 0.5
        days = self.chance.choice([1, 40])
        self.box.move_created_at(id, self.box.now - timedelta(days=days), silently=silently)
        self.truth.touched.add(id)
        self.tell(f"{id} moves to {days} days ago{' silently' * silently}")

    def somebody_is_renamed(self) -> None:
        accounts = self.truth.accounts()
        id = self.chance.choice(sorted(accounts))
        name = f"{accounts[id]['name'][:20]} {self.chance.randint(1, 9)}"
        self.box.rename(id, name)
        self.tell(f"{id} is renamed")

    # -- what goes wrong --------------------------------------------------------------------

    def a_card_is_dealt(self) -> None:
        """Switch a fault on, and let something be asked that meets it; in calm, where it did not.

        What was dealt before and waits yet may keep a sync from coming so far.
        """
        card, acted = next(self._cards), self.counts.copy()
        after, times = self.chance.choice([0, 0, 1, 3]), self.chance.choice([1, 1, 2, 6])
        times = 1 if card.is_told_once else times
        self._switch_on(card, after, times)
        self._meet(card, [self.sync_plainly, self.sync_plainly, self.sync_with_details])
        if self.counts[card.kind] == acted[card.kind]:
            self.the_service_recovers()
            self._switch_on(card, 0, times)
            self._meet(card, [self.sync_details if card.needs_details else self.sync_everything])
        if card.name != card.kind:  # a lie counts as its kind acted
            self.counts[card.name] += self.counts[card.kind] - acted[card.kind]

    def _switch_on(self, card: Card, after: int, times: int) -> None:
        if card.is_of_service:
            after = 0 if card.needs_payment else after
            given = {"operation": card.operation, **card.options}
            self.box.fail(card.kind, after=after, times=times, **given)
            self.truth.doubted |= set(columns_of(card))
        elif card.kind in DROPS:
            self.network.drop(card.kind, after=after, times=times)
        elif card.kind != INTERRUPT:
            after = self.chance.randint(1, self.disk_steps) if after else 1
            times *= 10
            self.disk.arm(card.kind, after, 1 if card.kind == DEATH else times)
        said = " ".join(f"{name}={value!r}" for name, value in card.options.items())
        self.tell(f"{card.name} after {after}, {times} times {said}".rstrip())

    def _meet(self, card: Card, syncs: list[Callable[[], None]]) -> None:
        if card.kind == INTERRUPT:
            self.attempt(interrupt_at=self.chance.randint(1, 2))
        elif card.needs_payment:
            self.a_person_pays()
        else:
            self.chance.choice(syncs)()

    def the_service_recovers(self) -> None:
        self.box.clear_faults()
        self.network.calm()
        self.disk.calm()
        self.tell("everything works again")

    # -- syncs ------------------------------------------------------------------------------

    def sync_plainly(self) -> None:
        self.attempt()

    def sync_with_details(self) -> None:
        which = self.chance.choice(["open", "new"])
        requests, at_once = self.chance.choice([(3, 1), (None, 25)])
        self.attempt(details=which, max_requests=requests, details_per_request=at_once)

    def sync_details(self) -> None:
        self.attempt(details="all", max_requests=3)

    def sync_since(self) -> None:
        days = self.chance.choice([3, 20, 90])
        self.attempt(since=self.box.now - timedelta(days=days))

    def sync_everything(self) -> None:
        self.attempt(full=True)

    def sync_everything_calmly(self) -> None:
        self.the_service_recovers()
        self._advance(2)  # what is younger than that stays in doubt
        report = self.attempt(full=True, accept_removals=True)
        assert report is not None, "a calm full sync failed"
        self.truth.is_calm(self.hidden)
        self.truth.all_is_true(self.store, report)

    def read_the_answers_again(self) -> None:
        if not self.store.exists:
            return
        self.disk.calm()
        before = tables(self.store)
        self._survive(lambda: self.store.rebuild(self._source(self.client)))
        assert tables(self.store) == before, "another ledger after a rebuild"
        self.tell("the answers are read again")

    def publish(self) -> None:
        if self.store.exists:
            self._survive(self.store.publish)
            self.tell("the tables are published")

    def the_tables_are_removed(self) -> None:
        shutil.rmtree(self.folder / "cache", ignore_errors=True)
        self.tell("the tables' folder is removed")

    def attempt(self, *, interrupt_at: int = 0, **options: Any) -> SyncReport | None:
        """Sync, and check what must hold after it, however it ended."""
        self.network.latency = self.chance.choice([0.1, 0.1, 0.1, 15.0])
        if self.chance.random() < 0.3:
            self._survive(self._open)
        self.truth.look()
        self._pages, self._interrupt_at = 0, interrupt_at
        asked = " ".join(f"{k}={v}" for k, v in options.items() if v is not None)
        self.tell(f"sync {asked}".rstrip())
        wishes = SyncOptions(overlap=timedelta(days=10), **options)
        before, acted = self.disk.steps, self.counts.copy()
        report, died = self._survive(
            lambda: sync(
                self._source(self.client), self.store, wishes,
                on_progress=self._progressed, timer=self.clock,
            )
        )  # fmt: skip
        if report is not None:
            self.disk_steps = self.disk.steps - before
        self.disk.calm()  # what reads now is another program, on a day that is better
        self.counts["syncs"] += 1
        if report is not None:
            self.tell(
                f"  {report.kind}: {report.pages} pages, {report.requests} requests, "
                f"{report.added} added, {report.updated} updated, {len(report.removed)} removed, "
                f"{len(report.in_doubt) + len(report.accounts_in_doubt)} in doubt, "
                f"complete {report.is_complete}"
            )
        of_before = any(self.counts[kind] > acted[kind] for kind in ("stale", "cached_answer"))
        self.truth.check(self.store, report, of_before=of_before)
        self._has_died = died or (self._has_died and report is None)
        if not self._has_died:  # what a dead one left is cleared by the next that comes so far
            self.truth.nothing_is_left(self.store, self.folder)
        return report

    def _survive(self, work: Callable[[], T]) -> tuple[T | None, bool]:
        """Do something; return what came of it, None where it failed, and whether it died."""
        try:
            return work(), False
        except SequenceError as error:
            self.tell(f"  {type(error).__name__}")
        except KeyboardInterrupt:
            pass
        except Died:
            self.disk.revive()
            self._open()
            return None, True
        return None, False

    def _progressed(self, _: Any) -> None:
        self._pages += 1
        if self._pages == self._interrupt_at:
            self.met(INTERRUPT)
            raise KeyboardInterrupt

    # -- beginning and end ------------------------------------------------------------------

    def _be_born(self) -> None:
        self.disk_steps = 300
        self.client = self._client(self.network)
        self._open()
        self.tell(f"seed {self.seed}: pages of {self.box._page_rules.cap}")

    def _end_in_calm(self) -> None:
        """Two plain syncs, two hours apart, and a full one: then everything is as it is."""
        self.the_service_recovers()
        for _ in range(2):
            self.attempt()
            self._advance(2)
        report = self.attempt(full=True)
        assert report is not None, "the last full sync failed"
        self.truth.all_is_true(self.store, report)

    def _open(self) -> None:
        """Open the ledger as a new process does."""
        self.store = Store.open(
            self.folder,
            self.box.organization_id,
            app_url=APP_URL,
            connect=self.disk.connect,
            timer=self.clock,
        )

    def _client(self, send: Send) -> SequenceClient:
        transport = Transport(send, sleep=self.clock.sleep, uniform=self.chance.uniform)
        settings = Settings.of({"app_url": APP_URL, "data_dir": tempfile.gettempdir()})
        return SequenceClient("", self.box.issue_token, settings=settings, transport=transport)

    def _source(self, client: SequenceClient) -> GraphQLSource:
        """A source as each sync gets it: it remembers nothing of another sync."""
        return GraphQLSource(client, self.box.organization_id, clock=lambda: self.box.now)

    def _ask_honestly(self) -> Callable[[Request], Exchange]:
        """A wire to the same world on which nothing goes wrong."""
        api = Api(self.box._world, Faults(lambda: self.box._world.now), self.box._page_rules)

        def send(request: Request) -> Exchange:
            reply = api.answer(read_call(request.payload))
            return Exchange(
                True, Answer(reply.status, with_own_headers({}, self.box._world), reply.body)
            )

        return send


def lived(life: Life, steps: int) -> None:
    """Let a life be lived, without collections: its world is never garbage."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        life.live(steps)
    finally:
        if was_enabled:
            gc.enable()
