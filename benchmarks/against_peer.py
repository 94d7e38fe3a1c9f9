"""First and daily sync beside the established SDK, on the same sandbox without pace."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.harness import Facts, Figure, Result, alternate, measure, median, wants_quick
from benchmarks.peer_environment import peer_python
from benchmarks.sandbox_process import SandboxProcess

#: scale and months: about 1,000, 4,000 and 40,000 transfers
SIZES = ((1, 6), (1, 24), (10, 24))
QUICK_SIZES = ((1, 6),)
ROUNDS, QUICK_ROUNDS = 3, 1

#: Mean seconds between two requests of either program: 1.5 and a jitter of 0 to 2.
PACE = 1.5 + 1.0

_FACTS = ("requests", "seconds", "cpu_seconds", "peak_mb")
#: Where the peer's figure is so small, what keeps a record may take so much more than it.
_SMALL = {"cpu_seconds": (0.25, 0.1), "peak_mb": (50, 15)}
_WORDS = {"requests": "requests", "seconds": "seconds", "cpu_seconds": "CPU s", "peak_mb": "MB"}
OURS = "seqdata"


@dataclass(frozen=True)
class Way:
    """One way to go about a sync: ours, or the peer's of a page size."""

    name: str
    size: int = 0
    way: str = ""


FIRST = (Way(OURS), Way("peer, page 10", 10, "again"), Way("peer, page 100", 100, "again"))
DAILY = (
    Way(OURS),
    Way("peer, page 10, all again", 10, "again"),
    Way("peer, page 100, all again", 100, "again"),
    Way("peer, page 10, until known", 10, "until-known"),
    Way("peer, page 100, until known", 100, "until-known"),
)


def run(*, quick: bool = False) -> Result:
    """Measure each size in fresh sandboxes, contenders in turn."""
    columns = ["sync", "transfers", "program", *_WORDS.values(), "minutes paced", "rows not right"]
    result = Result("against_peer", "Beside the established SDK", columns, quick=quick)
    python = peer_python()
    for scale, months in QUICK_SIZES if quick else SIZES:
        _size(result, python, scale, months, QUICK_ROUNDS if quick else ROUNDS)
    result.notes = _NOTES
    return result


_NOTES = [
    "Each figure is the median over the rounds; every run is a fresh process, and the order"
    " changes from round to round. All versions of pandas and pyarrow are the same.",
    "Every run ends with Parquet on disk and a DataFrame in memory. Ours also asks for accounts"
    " and balances, checks completeness against the service's count, and syncs files to disk.",
    "Seconds, CPU seconds and MB (highest resident memory) are above the imports.",
    "Daily: the world went on a day. The peer keeps no state: its users loop everything again,"
    " or stop at the first known id. The latter asks for less than ours and misses what happened"
    " to older transfers: see the last column, rows whose status or presence is not the service's.",
    f"Minutes paced: requests x {PACE} s, the mean pace of both programs against the service.",
]


def _size(result: Result, python: str, scale: int, months: int, rounds: int) -> None:
    first: dict[str, list[Facts]] = {way.name: [] for way in FIRST}
    daily: dict[str, list[Facts]] = {way.name: [] for way in DAILY}
    for number in range(rounds):
        # A fresh world each round, since time in it cannot be turned back.
        with SandboxProcess(scale, months) as box, tempfile.TemporaryDirectory() as folder:
            box.transfers()  # the first answer of a server is slower
            at = Path(folder)
            _turn(first, FIRST, partial(_measure, box, python, at), number)
            for way in DAILY[3:]:  # each goes on from a file of its own
                shutil.copy(_file(at, way.size, "again"), _file(at, way.size, way.way))
            box.advance(1)
            _turn(daily, DAILY, partial(_measure, box, python, at), number)
    _report(result, "first", first)
    _report(result, "daily", daily)


def _turn(
    found: dict[str, list[Facts]], ways: tuple[Way, ...], one: Callable[[Way], Facts], number: int
) -> None:
    start = number % len(ways)
    contenders = {way.name: partial(one, way) for way in ways[start:] + ways[:start]}
    for name, facts in alternate(contenders, 1).items():
        found[name].extend(facts)


def _file(folder: Path, size: int, way: str) -> Path:
    return folder / f"peer-{size}-{way}.parquet"


def _measure(box: SandboxProcess, python: str, folder: Path, way: Way) -> Facts:
    box.take_requests()
    if way.name == OURS:
        facts = measure("our_side", given={"connection": box.connection, "folder": str(folder)})
    else:
        file = str(_file(folder, way.size, way.way))
        given = {"connection": box.connection, "file": file, "size": way.size, "way": way.way}
        facts = measure("peer_side", python=python, given=given)
    facts["requests"] = box.take_requests()
    truth = {each["id"]: each["status"] for each in box.transfers()}
    facts["wrong"] = len(truth.items() ^ facts.pop("statuses").items())
    facts["transfers"] = len(truth)
    return facts


def _report(result: Result, sync: str, found: dict[str, list[Facts]]) -> None:
    medians = {
        name: {fact: median(facts, fact) for fact in (*_FACTS, "wrong", "transfers")}
        for name, facts in found.items()
    }
    for name, facts in found.items():
        result.rows.append(_row(sync, name, medians[name]))
        result.raw.extend({"sync": sync, "program": name, **each} for each in facts)
        result.versions.update(facts[0].get("versions", {}))
    ours = medians.pop(OURS)
    result.figures.extend(
        _figure(sync, ours, name, theirs, fact)
        for name, theirs in medians.items()
        if "until known" not in name and (sync == "daily" or "page 10" in name.split(" all")[0])
        if not (sync == "first" and "100" in name)
        for fact in _FACTS
    )


def _row(sync: str, name: str, facts: dict[str, float]) -> list[str]:
    return [
        sync, f"{facts['transfers']:,.0f}", name, f"{facts['requests']:,.0f}",
        f"{facts['seconds']:.2f}", f"{facts['cpu_seconds']:.2f}", f"{facts['peak_mb']:.0f}",
        f"{facts['requests'] * PACE / 60:.1f}", f"{facts['wrong']:.0f}",
    ]  # fmt: skip


def _figure(
    sync: str, ours: dict[str, float], name: str, theirs: dict[str, float], fact: str
) -> Figure:
    digits = 0 if fact in ("requests", "peak_mb") else 2
    small, more = _SMALL.get(fact, (0, 0))
    most = theirs[fact] + (more if theirs[fact] <= small else 0)
    what = f"{_WORDS[fact]}, {sync} sync of {ours['transfers']:,.0f}"
    beside = name if most == theirs[fact] else f"{name}, and {more:g} more"
    return Figure(
        what, f"{ours[fact]:,.{digits}f}", f"< {most:,.{digits}f} ({beside})", ours[fact] < most
    )


if __name__ == "__main__":
    run(quick=wants_quick(__doc__)).publish()
