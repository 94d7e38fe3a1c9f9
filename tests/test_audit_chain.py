"""The chain of the audit log: tampering shows, and what a crash leaves is mended."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from threading import Thread
from typing import Any

import pytest
from full_disk import full_disk
from hypothesis import given, settings
from hypothesis import strategies as st
from waiting import LONG

from seqdata.exceptions import AuditChainBroken, FolderNotWritable, InvalidEvent
from seqdata.safeguards import AuditLog
from seqdata.safeguards.chain import Head, digest, read_lines

NOON = datetime(2026, 11, 23, 17, tzinfo=UTC)

Change = Callable[[list[bytes]], list[bytes]]


def written(folder: Path, events: int = 6) -> AuditLog:
    """Make a log of some events, one cent more each."""
    log = AuditLog(folder / ".audit.jsonl", now=lambda: NOON)
    for number in range(1, events + 1):
        log.log("transfer_staged", amount_cents=number, intent_id=f"i-{number}")
    return log


def cut(log: AuditLog) -> list[bytes]:
    """Return the lines of a log, with their ends."""
    return log.path.read_bytes().splitlines(keepends=True)


def change(log: AuditLog, how: Change) -> None:
    """Do something to the lines behind the log's back."""
    log.path.write_bytes(b"".join(how(cut(log))))


def broken_lines(log: AuditLog) -> list[int]:
    """Return the numbers of the lines where the chain does not hold."""
    return [one.line for one in log.verify().open_breaks]


def swapped(lines: list[bytes], first: int, second: int) -> list[bytes]:
    """Exchange two lines; numbers count from 1."""
    lines = list(lines)
    lines[first - 1], lines[second - 1] = lines[second - 1], lines[first - 1]
    return lines


STRANGER = b'{"timestamp": "2026-11-23T18:00:00+00:00", "event_type": "transfer_completed"}\n'


# -- what the lines carry ---------------------------------------------------------------------


def test_lines_carry_a_number_and_the_hash_of_the_line_before(tmp_path: Path) -> None:
    """`previous` is the SHA-256 of the line before with its end; the head has that of the last."""
    log = written(tmp_path, 3)
    lines = cut(log)
    entries = [json.loads(line) for line in lines]
    assert [entry["seq"] for entry in entries] == [1, 2, 3]
    assert [entry["previous"] for entry in entries] == [digest(b""), *map(digest, lines[:2])]
    assert [entry.get("segment") for entry in entries] == [1, None, None]
    head = json.loads((tmp_path / ".audit.head.json").read_text())
    start, length = len(lines[0]) + len(lines[1]), sum(map(len, lines))
    expected = {"seq": 3, "hash": digest(lines[2]), "start": start, "length": length, "lines": 3}
    assert head == expected
    assert (tmp_path / ".audit.head.json").stat().st_mode & 0o777 == 0o600


def test_log_returns_what_was_written(tmp_path: Path) -> None:
    """The returned entry is the last of `entries`, with documented and further keys."""
    log = AuditLog(tmp_path / "log.jsonl", now=lambda: NOON)
    entry = log.log("transfer_staged", amount_cents=5, intent_id="i", checks={"a": [1]}, why=None)
    assert entry == log.entries()[-1]
    assert (entry["intent_id"], entry["checks"], entry["seq"]) == ("i", {"a": [1]}, 1)
    assert "why" not in entry


@pytest.mark.parametrize(
    "extra",
    [
        {"seq": 1},
        {"previous": ""},
        {"segment": 2},
        {"timestamp": "now"},
        {"when": NOON},
        {"share": float("nan")},
        {"names": {"a", "b"}},
    ],
    ids=lambda extra: next(iter(extra)),
)
def test_a_key_that_cannot_be_written_is_refused(tmp_path: Path, extra: dict[str, Any]) -> None:
    """A key of the log's own, or a value that is no JSON, raises and writes nothing."""
    log = AuditLog(tmp_path / "log.jsonl")
    with pytest.raises(InvalidEvent, match=next(iter(extra))):
        log.log("transfer_staged", **extra)
    assert not log.path.exists()


def test_an_absent_log_is_intact_and_stays_absent(tmp_path: Path) -> None:
    """Looking at a log that is not there says that it is empty, and makes no file."""
    log = AuditLog(tmp_path / "none" / "log.jsonl")
    log.require_intact()
    assert (log.entries(), str(log.verify())) == ([], "The audit log is empty.")
    assert not (tmp_path / "none").exists()


# -- tampering --------------------------------------------------------------------------------

TAMPERINGS: dict[str, tuple[Change, list[int], str]] = {
    "edit": (
        lambda lines: [*lines[:2], lines[2].replace(b'"amount_cents": 3', b'"amount_cents": 9'),
                       *lines[3:]],
        [3], "changed",
    ),
    "edit, longer": (
        lambda lines: [*lines[:2], lines[2].replace(b"i-3", b"another"), *lines[3:]],
        [3], "changed",
    ),
    "edit the first": (
        lambda lines: [lines[0].replace(b"i-1", b"i-9"), *lines[1:]], [1], "changed",
    ),
    "edit the last": (
        lambda lines: [*lines[:-1], lines[-1].replace(b"i-6", b"i-9")], [6], "changed",
    ),
    "edit into garbage": (
        lambda lines: [*lines[:2], b"{oh}\n", *lines[3:]], [3], "number 3 was here",
    ),
    "edit away the number": (
        lambda lines: [*lines[:2], lines[2].replace(b'"seq"', b'"sec"'), *lines[3:]],
        [3], "number 3 was here",
    ),
    "delete": (lambda lines: [*lines[:2], *lines[3:]], [3], "number 3 is missing"),
    "delete two": (lambda lines: [*lines[:2], *lines[4:]], [3], "numbers 3 to 4 are missing"),
    "delete the first": (lambda lines: lines[1:], [1], "beginning of the chain is missing"),
    "swap": (lambda lines: swapped(lines, 3, 4), [3, 4], "missing or moved"),
    "swap the last": (lambda lines: swapped(lines, 5, 6), [5, 6], "missing or moved"),
    "truncate": (lambda lines: lines[:4], [4], "numbers 5 to 6 are cut off"),
    "truncate in a line": (lambda lines: [*lines[:5], lines[5][:20]], [6], "cut off or changed"),
    "truncate to nothing": (lambda _: [], [1], "numbers 1 to 6 are cut off"),
    "insert a stranger": (
        lambda lines: [*lines[:3], STRANGER, *lines[3:]], [4], "inserted later",
    ),
    "insert a copy": (lambda lines: [*lines[:3], lines[1], *lines[3:]], [4], "number 2 stands"),
    "append a copy": (lambda lines: [*lines, lines[2]], [7], "number 3 stands here"),
    "append two of ours": (
        lambda lines: [*lines, *forged(lines, 2)], [8], "added behind the end",
    ),
    "append one that does not fit": (
        lambda lines: [*lines, b'{"seq": 7, "previous": "0"}\n'], [7], "does not continue line 6",
    ),
    "other line ends": (
        lambda lines: [line.replace(b"\n", b"\r\n") for line in lines], [1, 2, 3, 4, 5, 6],
        "changed",
    ),
}  # fmt: skip


def forged(lines: list[bytes], count: int) -> list[bytes]:
    """Make lines that continue the chain, as one who knows how it is made could."""
    made: list[bytes] = []
    for _ in range(count):
        last = (lines + made)[-1]
        entry = {"seq": json.loads(last)["seq"] + 1, "previous": digest(last)}
        made.append(json.dumps(entry).encode() + b"\n")
    return made


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampering_is_named_with_its_line(tmp_path: Path, name: str) -> None:
    """What was done to the file shows at its line, stops transfers, and still does after events."""
    how, expected, words = TAMPERINGS[name]
    log = written(tmp_path)
    change(log, how)
    assert broken_lines(log) == expected
    assert words in str(log.verify().open_breaks[0].what)
    with pytest.raises(AuditChainBroken, match=f"line {expected[0]}: "):
        log.require_intact()
    log.log("transfer_failed", error="refused")
    log.log("transfer_failed", error="refused again")
    assert broken_lines(log)
    assert log.entries()[-1]["error"] == "refused again"


@pytest.mark.parametrize("content", [b"{", b"{}", b"[]", b'{"seq": 6}', b"\xff"])
def test_an_unreadable_head_is_a_broken_chain(tmp_path: Path, content: bytes) -> None:
    """A head that cannot be understood is reported, and no event hides that by a new one."""
    log = written(tmp_path)
    log.head_path.write_bytes(content)
    assert "cannot be read" in str(log.verify().open_breaks[0])
    log.log("transfer_failed")
    assert broken_lines(log) == [7]
    assert log.head_path.read_bytes() == content


def test_a_missing_head_is_a_broken_chain(tmp_path: Path) -> None:
    """Without its head a chain may have lost its end, and no event hides that."""
    log = written(tmp_path)
    log.head_path.unlink()
    assert "the head" in str(log.verify().open_breaks[0])
    log.log("transfer_failed")
    assert broken_lines(log) == [7]


def test_an_edited_head_is_a_broken_chain(tmp_path: Path) -> None:
    """Each value of the head is compared with the last line."""
    log = written(tmp_path)
    head = json.loads(log.head_path.read_text())
    for name in ("seq", "start", "length", "lines"):
        for other in (head[name] - 1, head[name] + 1):
            log.head_path.write_text(json.dumps({**head, name: other}))
            assert broken_lines(log), (name, other)
    log.head_path.write_text(json.dumps({**head, "hash": digest(b"")}))
    assert broken_lines(log) == [6]


@given(data=st.data())
@settings(max_examples=2 * settings().max_examples)
def test_any_changed_byte_is_found(data: st.DataObject) -> None:
    """Whatever byte of a chained log becomes another one, the chain is broken."""
    with tempfile.TemporaryDirectory() as folder:
        log = WRITTEN.copy_to(Path(folder))
        content = bytearray(log.path.read_bytes())
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = (content[place] + data.draw(st.integers(1, 255))) % 256
        log.path.write_bytes(content)
        assert broken_lines(log)


@given(data=st.data())
@settings(max_examples=2 * settings().max_examples)
def test_any_cut_and_any_addition_is_found(data: st.DataObject) -> None:
    """Bytes taken out of a chained log, or put between its lines, break the chain."""
    with tempfile.TemporaryDirectory() as folder:
        log = WRITTEN.copy_to(Path(folder))
        content = log.path.read_bytes()
        start = data.draw(st.integers(0, len(content) - 1))
        end = data.draw(st.integers(start, len(content)))
        added = data.draw(st.binary(min_size=int(start == end), max_size=12))
        changed = content[:start] + added + content[end:]
        log.path.write_bytes(changed)
        # A lacking line end at the very end loses nothing, and comes back; what is appended
        # behind the last line is a stranger's, and no break.
        assert broken_lines(log) or content == changed + b"\n" or changed.startswith(content)


class _Written:
    """A log with a prefix, a stranger and an acknowledged break, made once."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}

    def copy_to(self, folder: Path) -> AuditLog:
        if not self._files:
            self._make()
        for name, content in self._files.items():
            (folder / name).write_bytes(content)
        return AuditLog(folder / ".audit.jsonl")

    def _make(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / ".audit.jsonl"
            path.write_bytes(STRANGER * 2)
            log = written(Path(folder), 3)
            append(log, STRANGER)
            log.log("transfer_staged")
            change(log, lambda lines: swapped(lines, 4, 5))
            log.acknowledge()
            log.log("transfer_staged")
            log.log("transfer_failed", error="refused")
            self._files = {one.name: one.read_bytes() for one in (log.path, log.head_path)}


WRITTEN = _Written()


def append(log: AuditLog, content: bytes) -> None:
    """Append bytes as another program does."""
    with log.path.open("ab") as stream:
        stream.write(content)


# -- what a person accepts --------------------------------------------------------------------


@pytest.mark.parametrize("name", TAMPERINGS)
def test_an_acknowledged_chain_goes_on(tmp_path: Path, name: str) -> None:
    """After an acknowledgement, which says what was found, transfers pass again."""
    log = written(tmp_path)
    change(log, TAMPERINGS[name][0])
    found = broken_lines(log)
    entry = log.acknowledge(user_id="kim", note="I edited it")
    assert entry is not None
    assert (entry["event_type"], entry["user_id"]) == ("chain_acknowledged", "kim")
    assert [int(one.split(":")[0][5:]) for one in entry["breaks"]] == found
    log.log("transfer_staged")
    log.require_intact()
    assert log.acknowledge() is None


@pytest.mark.parametrize("how", ["missing", "unreadable"])
def test_a_lost_head_can_be_acknowledged(tmp_path: Path, how: str) -> None:
    """An acknowledgement writes the head anew, and the chain goes on behind it."""
    log = written(tmp_path)
    log.head_path.unlink() if how == "missing" else log.head_path.write_bytes(b"{")
    assert log.acknowledge() is not None
    log.log("transfer_staged")
    log.require_intact()
    assert log.entries()[-1]["seq"] == 8


def test_what_was_acknowledged_cannot_change_again(tmp_path: Path) -> None:
    """An acknowledgement holds on to the file as it was; a later edit before it shows."""
    log = written(tmp_path)
    change(log, TAMPERINGS["delete"][0])
    log.acknowledge()
    log.log("transfer_staged")
    change(log, lambda lines: [lines[0].replace(b"i-1", b"i-9"), *lines[1:]])
    assert [str(one) for one in log.verify().open_breaks][-1] == (
        "line 5: something up to here was changed since acknowledged"
    )


def test_a_break_after_an_acknowledgement_is_open(tmp_path: Path) -> None:
    """Only what was found then is accepted; the next edit stops transfers again."""
    log = written(tmp_path)
    change(log, TAMPERINGS["delete"][0])
    log.acknowledge()
    log.log("transfer_staged", intent_id="i-7")
    log.log("transfer_staged", intent_id="i-8")
    change(log, lambda lines: [*lines[:6], lines[6].replace(b"i-7", b"i-9"), *lines[7:]])
    assert broken_lines(log) == [7]


# -- other programs ---------------------------------------------------------------------------


def test_lines_from_before_the_chain_are_the_unverified_prefix(tmp_path: Path) -> None:
    """A log that another program began goes on; its lines count as unverified, not as broken."""
    (tmp_path / ".audit.jsonl").write_bytes(STRANGER * 3 + b"no json\n")
    log = written(tmp_path, 2)
    report = log.verify()
    assert (report.prefix_lines, report.chained, report.is_intact) == (4, 2, True)
    assert len(log.entries()) == 5


def test_a_prefix_that_changes_later_shows(tmp_path: Path) -> None:
    """What the prefix said before is not known, but from the first chained line on it is held."""
    (tmp_path / ".audit.jsonl").write_bytes(STRANGER * 3)
    log = written(tmp_path, 2)
    change(log, lambda lines: [lines[0].replace(b"completed", b"failed"), *lines[1:]])
    assert [str(one) for one in log.verify().open_breaks] == [
        "line 3: something up to here was changed since the chain began"
    ]


def test_a_log_of_another_program_alone_is_all_prefix(tmp_path: Path) -> None:
    """A file without any line of ours is intact and wholly unverified."""
    (tmp_path / ".audit.jsonl").write_bytes(STRANGER * 3)
    report = AuditLog(tmp_path / ".audit.jsonl").verify()
    assert (report.lines, report.prefix_lines, report.is_intact) == (3, 3, True)


def test_lines_that_another_program_appends_are_named_and_held(tmp_path: Path) -> None:
    """A stranger's appended line is no break but named, and from our next line on it is held."""
    log = written(tmp_path, 2)
    append(log, STRANGER * 2)
    assert log.verify().foreign == (3, 4)
    log.require_intact()
    log.log("transfer_staged")
    assert (log.verify().foreign, log.verify().is_intact) == ((3, 4), True)
    change(log, lambda lines: [*lines[:2], lines[2].replace(b"completed", b"failed"), *lines[3:]])
    assert broken_lines(log) == [2]


# -- what a crash leaves ----------------------------------------------------------------------


def test_a_head_one_line_behind_is_mended(tmp_path: Path) -> None:
    """A line whose writer died before the head is kept, and the next event says so."""
    log = written(tmp_path, 2)
    head = log.head_path.read_bytes()
    log.log("transfer_requested")
    log.head_path.write_bytes(head)
    assert log.verify().leftovers == ("line 3: the head is one line behind",)
    log.require_intact()
    log.log("transfer_completed")
    report = log.verify()
    assert (report.is_intact, report.leftovers) == (True, ())
    events = [entry["event_type"] for entry in log.entries()]
    assert events[2:] == ["transfer_requested", "recovered", "transfer_completed"]
    assert log.entries()[3]["note"] == "line 3: the head was one line behind"


def test_a_first_line_without_a_head_is_mended(tmp_path: Path) -> None:
    """The very first writer may die before there is a head."""
    log = written(tmp_path, 1)
    log.head_path.unlink()
    log.require_intact()
    log.log("transfer_staged")
    assert [entry["event_type"] for entry in log.entries()][1] == "recovered"
    assert (log.verify().is_intact, log.verify().leftovers) == (True, ())


def test_a_missing_line_end_is_mended(tmp_path: Path) -> None:
    """A whole line of ours without its end, and the head behind it, belongs to the chain."""
    log = written(tmp_path, 2)
    head = log.head_path.read_bytes()
    log.log("transfer_requested")
    log.head_path.write_bytes(head)
    log.path.write_bytes(log.path.read_bytes()[:-1])
    log.require_intact()
    log.log("transfer_completed")
    report = log.verify()
    assert (report.is_intact, report.unreadable, report.chained) == (True, (), 5)
    assert "line 3: had no line end" in log.entries()[3]["note"]


def test_a_line_end_cut_off_comes_back(tmp_path: Path) -> None:
    """Where only the last line end is gone, the next event puts it back and says so."""
    log = written(tmp_path, 2)
    log.path.write_bytes(log.path.read_bytes()[:-1])
    assert log.verify().leftovers == ("line 2: it has no line end",)
    log.log("transfer_staged")
    assert log.entries()[2]["note"] == "line 2: had no line end"
    assert (log.verify().is_intact, log.verify().chained) == (True, 4)


@pytest.mark.parametrize("kept", [1, 30, 120])
def test_a_torn_line_is_kept_and_mended(tmp_path: Path, kept: int) -> None:
    """A line that a dying writer left torn stays as it is, is named, and the chain goes on."""
    log = written(tmp_path, 2)
    head = log.head_path.read_bytes()
    log.log("transfer_requested")
    log.head_path.write_bytes(head)
    torn = cut(log)[2][:kept]
    change(log, lambda lines: [*lines[:2], torn])
    log.require_intact()
    log.log("transfer_staged")
    assert cut(log)[2] == torn + b"\n"
    report = log.verify()
    assert (report.is_intact, report.unreadable, report.leftovers) == (True, (3,), ())
    assert [entry["event_type"] for entry in log.entries()][2:] == ["recovered", "transfer_staged"]
    change(log, lambda lines: [*lines[:2], b"#" + lines[2][1:], *lines[3:]])
    assert broken_lines(log) == [2]


CRASHES = st.lists(
    st.one_of(
        st.just(("event", 0)),
        st.just(("stranger", 0)),
        st.tuples(st.just("crash"), st.integers(0, 700)),
        st.tuples(st.just("torn stranger"), st.integers(1, len(STRANGER))),
    ),
    max_size=10,
)


@given(steps=CRASHES)
def test_no_series_of_crashes_breaks_the_chain(steps: list[tuple[str, int]]) -> None:
    """Wherever writers stop, one after the other, the chain is intact and goes on."""
    with tempfile.TemporaryDirectory() as folder:
        log = written(Path(folder), 0)
        for kind, count in steps:
            if kind == "event":
                log.log("transfer_staged")
            elif kind == "crash":
                crash(log, count)
            else:
                append(log, STRANGER[: count or len(STRANGER)])
            log.require_intact()
        log.log("transfer_staged")
        report = log.verify()
        assert (report.is_intact, report.leftovers) == (True, ())


def crash(log: AuditLog, count: int) -> None:
    """Log an event whose writer dies after `count` bytes of its first line, before its head.

    A head that is behind is mended before any byte of the line is written.
    """
    with tempfile.TemporaryDirectory() as folder:
        done = AuditLog(Path(folder) / log.path.name, now=lambda: NOON)
        for path in (log.path, log.head_path):
            if path.exists():
                done.path.with_name(path.name).write_bytes(path.read_bytes())
        done.log("transfer_requested")
        before = log.path.read_bytes() if log.path.exists() else b""
        after = done.path.read_bytes()
    is_behind = any("behind" in text for text in log.verify().leftovers)
    first = after[: after.index(b"\n", len(before) + 1) + 1]
    append(log, first[len(before) :][:count])
    if is_behind and count > 0:
        last = [line for line in read_lines(after[: len(before) + 1]) if line.link][-1]
        assert last.link
        head = Head(last.link.seq, digest(last.data), last.start, last.end, last.number)
        log.head_path.write_text(json.dumps(head.to_json()))


def test_a_full_disk_leaves_the_log_as_it_was(tmp_path: Path) -> None:
    """An event that does not fit raises, leaves no torn line, and the chain holds afterwards."""
    log = written(tmp_path, 2)
    before = log.path.read_bytes()
    with full_disk(len(before) + 10), pytest.raises(FolderNotWritable):
        log.log("transfer_requested")
    assert log.path.read_bytes() == before
    log.log("transfer_requested")
    assert (log.verify().is_intact, log.verify().chained) == (True, 3)


WRITER = (
    "from seqdata.safeguards import AuditLog\n"
    "import sys\n"
    "log = AuditLog('.audit.jsonl')\n"
    "for n in range(int(sys.argv[2])):\n"
    "    log.log('transfer_staged', intent_id=f'{sys.argv[1]}-{n}', note='x' * 3000)\n"
    "    if n == 0:\n"
    "        print('has written', flush=True)\n"
)


def start_writer(folder: Path, name: str, events: int) -> subprocess.Popen[str]:
    """Start a process that logs events."""
    command = [sys.executable, "-c", WRITER, name, str(events)]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)


def test_killed_writers_leave_a_chain_that_goes_on(tmp_path: Path) -> None:
    """Whenever a writer is killed, the chain is intact, and no event that returned is lost."""
    random = Random(5)
    log = AuditLog(tmp_path / ".audit.jsonl")
    for round_ in range(8):
        with start_writer(tmp_path, str(round_), 100_000) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "has written\n"
            time.sleep(random.uniform(0.005, 0.08))
            process.send_signal(signal.SIGKILL)
        log.require_intact()
        head = Head.parse(json.loads(log.head_path.read_text()))
        assert head.seq + 1 >= max(entry["seq"] for entry in log.entries()) >= head.seq
        log.log("transfer_staged", intent_id=f"after {round_}")
        assert (log.verify().is_intact, log.verify().leftovers) == (True, ())


def test_processes_and_threads_write_one_chain(tmp_path: Path) -> None:
    """Events of processes and threads at the same time all arrive, in one chain."""
    log = AuditLog(tmp_path / ".audit.jsonl")
    processes = [start_writer(tmp_path, f"process {name}", 40) for name in range(3)]

    def write(name: int) -> None:
        for number in range(40):
            log.log("transfer_staged", intent_id=f"thread {name}-{number}")

    threads = [Thread(target=write, args=(name,)) for name in range(3)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        log.require_intact()
    for process in processes:
        process.communicate(timeout=LONG)
        assert process.returncode == 0
    report = log.verify()
    assert (report.is_intact, report.chained, report.lines) == (True, 240, 240)
    assert len({entry["intent_id"] for entry in log.entries()}) == 240
    assert [entry["seq"] for entry in log.entries()] == list(range(1, 241))


# -- a long log -------------------------------------------------------------------------------


def test_a_long_log_is_verified_whole_and_goes_on(tmp_path: Path) -> None:
    """A log of 100,000 lines is verified to its first line, and new events continue its chain."""
    lines: list[bytes] = []
    start, previous = 0, digest(b"")
    for seq in range(1, 100_001):
        entry = {
            "event_type": "transfer_staged",
            "note": "x" * 100,
            "seq": seq,
            "previous": previous,
        }
        entry |= {"segment": 1} if seq == 1 else {}
        lines.append(json.dumps(entry).encode() + b"\n")
        previous, start = digest(lines[-1]), start + len(lines[-1])
    log = AuditLog(tmp_path / ".audit.jsonl")
    log.path.write_bytes(b"".join(lines))
    head = Head(100_000, previous, start - len(lines[-1]), start, 100_000)
    log.head_path.write_text(json.dumps(head.to_json()))
    assert log.verify().is_intact
    for _ in range(20):
        log.log("transfer_staged")
    assert log.verify().chained == 100_020
