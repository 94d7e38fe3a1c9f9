"""Pages of the sandbox's official API, over a world of a million transfers."""

from __future__ import annotations

import gc
import statistics
import time
from itertools import cycle

from benchmarks.harness import Figure, Result, wants_quick
from seqdata.sandbox.faults.queue import Faults
from seqdata.sandbox.platform.api import Platform
from seqdata.sandbox.platform.request import Request
from seqdata.sandbox.world.book import Book
from seqdata.sandbox.world.clock import SECOND, parse_now
from seqdata.sandbox.world.movements import Words, inside
from seqdata.sandbox.world.world import World

TRANSFERS, QUICK_TRANSFERS = 1_000_000, 50_000
PAGE, PAGES, TARGET_MS = 100, 50, 30.0


def run(*, quick: bool = False) -> Result:
    """Ask for many pages, near and far, and for the hardest filter."""
    columns = ["list", "first ms", "median ms", "most ms"]
    result = Result("official_api", "Pages of the official API", columns, quick=quick)
    world = World(7, 3, parse_now("2026-11-01"), 1, 1)
    book = world.organizations[0].book
    add_transfers(book, QUICK_TRANSFERS if quick else TRANSFERS)
    world.now = book.now
    gc.freeze()
    platform = Platform(world, Faults(lambda: world.now))
    platform.switches.change({"limit": "off"})
    _, key = platform.make_key("Benchmark")
    count = len(book.plain_keys)
    for name, path, query in lists(book):
        last = count // PAGE if name != "several accounts" else PAGES
        pages = [1, *range(2, PAGES), last // 2, last - 1]
        times = [page_ms(platform, key, path, f"{query}&pageSize={PAGE}&page={n}") for n in pages]
        figures = times[0], statistics.median(times), max(times)
        result.rows.append([name, *(f"{each:.1f}" for each in figures)])
        result.raw.append({"list": name, "ms": times})
        if name != "one status in a million":
            median = figures[1]
            label = f"official API, {name}, of {count:,} transfers"
            figure = Figure(label, f"{median:.1f} ms", f"< {TARGET_MS:g} ms", median < TARGET_MS)
            result.figures.append(figure)
    return result


def add_transfers(book: Book, count: int) -> None:
    """Move a cent to and fro between two pods that no rule watches, a second apart."""
    pods = [one for one in book.holdings.values() if one.balance and one.id not in book.watched]
    for source, destination in zip(cycle(pods[:2]), cycle(pods[1::-1]), strict=False):
        inside(book, source, destination, 1, Words("ONE_TIME_TRANSFER"))
        book.now += SECOND
        count -= 1
        if count == 0:
            return


def lists(book: Book) -> list[tuple[str, str, str]]:
    """Name each list with its address and query."""
    ids = [*book.holdings, *book.outside]
    every = "&".join(f"accountIds[]={own_id}" for own_id in ids)
    some = "&".join(f"accountIds[]={own_id}" for own_id in ids[:5])
    busiest = max(book.holdings.values(), key=lambda one: len(one.plain_keys))
    return [
        ("all accounts", "/transfers", every),
        ("several accounts", "/transfers", some),
        ("one account", f"/accounts/{busiest.id}/transfers", ""),
        ("one status in a million", "/transfers", f"{every}&status=CANCELLED"),
    ]


def page_ms(platform: Platform, key: str, path: str, query: str) -> float:
    """Answer a request to its last byte; the milliseconds that it took."""
    request = Request("GET", path, query, {"authorization": f"Bearer {key}"})
    begin = time.perf_counter()
    reply = platform.serve(request, {"path": path})
    body = reply.body
    taken = (time.perf_counter() - begin) * 1000
    assert reply.status == 200, body
    return taken


if __name__ == "__main__":
    run(quick=wants_quick(__doc__)).publish()
