"""The archive: a log that outlasts crashes, reads back what was written, and keeps no secret."""

from __future__ import annotations

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import seqdata
from seqdata.exceptions import CorruptFile, FolderNotWritable
from seqdata.store import Archive, Store

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
NEXT_MONTH = datetime(2026, 12, 1, tzinfo=UTC)
BODY = b'{"data": {"amount": 1.10, "name": "\\u00c9pargne"}}'


def seqs(archive: Archive, after: int = 0) -> list[int]:
    return [record.seq for record in archive.records(after)]


def filled(folder: Path, count: int = 3) -> tuple[Archive, Path]:
    """Make an archive of some records in one file."""
    archive = Archive(folder)
    for number in range(count):
        archive.append("page", {"n": number}, served_at=NOON, body=b'{"rows": [%d]}' % number)
    return archive, folder / "2026-11.jsonl.gz"


def test_a_record_comes_back_as_it_went_in(tmp_path: Path) -> None:
    """Kind, facts, the service's time and the answer's very bytes are read back."""
    archive = Archive(tmp_path / "archive")
    local = datetime.fromisoformat("2026-11-01T07:00:00.5-05:00")
    facts = {"window": {"since": None, "body": 1}, "complete": True}
    assert archive.append("page", facts, served_at=local, body=BODY) == 1
    assert archive.append("removed", {"ids": ["a"]}, served_at=NOON) == 2
    page, removed = archive.records()
    assert (page.seq, page.kind, page.facts, page.raw) == (1, "page", facts, BODY)
    assert page.served_at == local
    assert page.body["data"] == {"amount": 1.1, "name": "Épargne"}
    assert (removed.facts, removed.raw, removed.body) == ({"ids": ["a"]}, None, None)


def test_other_programs_read_a_file_line_by_line(tmp_path: Path) -> None:
    """A month is gzip of one JSON object a line, whatever line breaks the answer had."""
    archive = Archive(tmp_path)
    archive.append("page", {}, served_at=NOON, body=b'{\r\n "a":\n 1}')
    archive.append("page", {"b": 2}, served_at=NOON)
    lines = gzip.decompress((tmp_path / "2026-11.jsonl.gz").read_bytes()).splitlines()
    assert [json.loads(line) for line in lines] == [
        {"seq": 1, "kind": "page", "served_at": "2026-11-01T12:00:00+00:00", "body": {"a": 1}},
        {"seq": 2, "kind": "page", "served_at": "2026-11-01T12:00:00+00:00", "b": 2},
    ]


def test_records_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    """Even when the service's clock went back a month, numbers run over all files in order."""
    archive = Archive(tmp_path)
    for served_at in (NOON, NEXT_MONTH, NOON, NEXT_MONTH, NEXT_MONTH):
        archive.append("page", {}, served_at=served_at)
    assert sorted(path.name for path in tmp_path.glob("*.gz")) == [
        "2026-11.jsonl.gz",
        "2026-12.jsonl.gz",
    ]
    assert seqs(archive) == [1, 2, 3, 4, 5]
    assert seqs(Archive(tmp_path), after=3) == [4, 5]
    assert seqs(archive, after=5) == []
    assert Archive(tmp_path).last_seq == 5


def test_an_empty_archive_leaves_no_trace(tmp_path: Path) -> None:
    """Looking into an archive that is not there creates nothing."""
    archive = Archive(tmp_path / "archive")
    assert (archive.last_seq, list(archive.records())) == (0, [])
    assert list(tmp_path.iterdir()) == []


def test_files_are_private(tmp_path: Path) -> None:
    """Archive files are 0600 in a folder of 0700, whatever the umask."""
    old = os.umask(0)
    try:
        filled(tmp_path / "archive")
    finally:
        os.umask(old)
    assert (tmp_path / "archive").stat().st_mode & 0o777 == 0o700
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "archive").iterdir()}
    assert modes == {0o600}


def test_a_record_torn_anywhere_is_passed_over_and_cut_off(tmp_path: Path) -> None:
    """Wherever a crash cuts the last record, readers see those before it, and the next append
    takes its place and number."""
    _, path = filled(tmp_path / "whole", 2)
    start = path.stat().st_size
    Archive(path.parent).append("page", {"torn": True}, served_at=NOON, body=BODY)
    content = path.read_bytes()
    for cut in range(start, len(content.rstrip(b"\x00"))):
        for filler in (b"\x00" * 7, b""):
            path.write_bytes(content[:cut] + filler)
            archive = Archive(path.parent)
            assert (archive.last_seq, seqs(archive)) == (2, [1, 2])
        assert archive.append("page", {}, served_at=NOON) == 3
        assert seqs(archive) == seqs(Archive(path.parent)) == [1, 2, 3]


def test_a_file_with_its_first_record_torn_begins_anew(tmp_path: Path) -> None:
    """A file that a crash left empty, or with half a record, holds nothing and is gone on with."""
    _, path = filled(tmp_path, 1)
    content = path.read_bytes()
    for cut in (0, 1, 2, 3, 20, len(content) - 1):
        path.write_bytes(content[:cut])
        assert Archive(tmp_path).last_seq == 0
        assert Archive(tmp_path).append("page", {}, served_at=NOON) == 1


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    """A record damaged in the middle stops the reading there, naming file and record."""
    archive, path = filled(tmp_path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    found = []
    with pytest.raises(CorruptFile, match="record 2 at byte") as caught:
        found.extend(record.seq for record in archive.records())
    assert (caught.value.path, found) == (path, [1])
    assert archive.append("page", {}, served_at=NOON) == 4


def test_a_sealed_record_with_a_hole_was_torn_unless_it_was_applied(tmp_path: Path) -> None:
    """After a power cut the end of a record may be there without its middle: it is passed over,
    and its number used again; one that was applied must be there, and is named."""
    _, path = filled(tmp_path)
    content = bytearray(path.read_bytes())
    content[-80:-60] = bytes(20)
    path.write_bytes(content)
    with pytest.raises(CorruptFile, match="record 3"):
        list(Archive(tmp_path, floor=3).records())
    archive = Archive(tmp_path, floor=2)
    assert (archive.last_seq, seqs(archive)) == (2, [1, 2])
    assert archive.append("page", {}, served_at=NOON) == 3
    assert seqs(Archive(tmp_path)) == [1, 2, 3]


@pytest.mark.parametrize("what", ["garbage", "gzip of another program", "a damaged seal"])
def test_an_end_that_no_append_left_is_refused(tmp_path: Path, what: str) -> None:
    """What an append cannot have left is never cut off: the file is named, and stays."""
    _, path = filled(tmp_path)
    content = path.read_bytes()
    if what == "garbage":
        path.write_bytes(content + b"garbage")
    elif what == "gzip of another program":
        path.write_bytes(gzip.compress(gzip.decompress(content)))
    else:
        seal = content.index(b"Sq")
        path.write_bytes(content[:seal] + b"xx" + content[seal + 2 :])
    before = path.read_bytes()
    archive = Archive(tmp_path)
    with pytest.raises(CorruptFile) as caught:
        list(archive.records())
    assert caught.value.path == path
    if what != "a damaged seal":
        with pytest.raises(CorruptFile):
            archive.append("page", {}, served_at=NOON)
        assert path.read_bytes() == before


def test_a_missing_file_is_noticed(tmp_path: Path) -> None:
    """Records that lie in a file moved away are missed, not skipped; later ones are readable."""
    archive = Archive(tmp_path)
    archive.append("page", {}, served_at=NOON)
    archive.append("page", {}, served_at=NEXT_MONTH)
    (tmp_path / "2026-11.jsonl.gz").unlink()
    with pytest.raises(CorruptFile, match="record 2 where 1 belongs"):
        list(archive.records())
    assert seqs(archive, after=1) == [2]


def test_numbers_go_on_above_the_state(tmp_path: Path) -> None:
    """When the archive was moved away, new numbers still come after those that were applied, and
    a reading from the beginning says what is missing."""
    store = Store.open(tmp_path, "org_1", app_url="https://app.example.com")
    store.write_state(replace(store.read_state(), applied_seq=7))
    again = Store.open(tmp_path, "org_1", app_url="https://app.example.com")
    assert again.read_state().applied_seq == 7
    assert again.archive.last_seq == 0
    with pytest.raises(CorruptFile, match="the records 1 to 7 are missing"):
        list(again.archive.records())
    assert seqs(again.archive, after=7) == []
    assert again.archive.append("page", {}, served_at=NOON) == 8
    assert seqs(again.archive, after=7) == [8]


def test_an_append_takes_the_lock_of_the_cache(tmp_path: Path) -> None:
    """Two stores of one cache number their records together."""
    one, two = (Store.open(tmp_path, "org_1", app_url="https://a.example") for _ in range(2))
    numbers = [store.archive.append("page", {}, served_at=NOON) for store in (one, two, one, two)]
    assert numbers == [1, 2, 3, 4]
    with one.lock():
        assert one.archive.append("page", {}, served_at=NOON) == 5


@pytest.mark.parametrize(
    "body",
    [
        b'{"bankAccountNumber": "123456789"}',
        b'{"routingNumber":12345}',
        b'{"a": [{"routingNumber" : "12-34-56"}]}',
    ],
)
def test_an_unmasked_number_is_refused(tmp_path: Path, body: bytes) -> None:
    """An answer with a whole account or routing number is not written, and not repeated."""
    with pytest.raises(ValueError, match="unmasked") as caught:
        Archive(tmp_path).append("accounts", {}, served_at=NOON, body=body)
    assert "1234" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_masked_numbers_are_taken(tmp_path: Path) -> None:
    """Masked numbers, short ones and missing ones are no secret."""
    body = (
        b'[{"bankAccountNumber": "*****6789"}, {"routingNumber": null, "bankAccountNumber":"12"}]'
    )
    assert Archive(tmp_path).append("accounts", {}, served_at=NOON, body=body) == 1


def test_a_fact_may_not_take_a_name_of_ours(tmp_path: Path) -> None:
    """Facts cannot overwrite the number, the time or the answer."""
    with pytest.raises(ValueError, match="seq"):
        Archive(tmp_path).append("page", {"seq": 5}, served_at=NOON)


def test_a_refusing_disk_leaves_the_archive_as_it_was(tmp_path: Path) -> None:
    """Where a file stands in the way, the error names the folder, and nothing is numbered."""
    (tmp_path / "archive").write_text("in the way")
    archive = Archive(tmp_path / "archive")
    with pytest.raises(FolderNotWritable):
        archive.append("page", {}, served_at=NOON)
    assert archive.last_seq == 0


WRITER = """
    import sys
    from datetime import UTC, datetime
    from pathlib import Path
    from seqdata.store.archive import Archive

    archive = Archive(Path(sys.argv[1]))
    noise = Path("/dev/urandom").open("rb").read(60_000).hex()
    body = b'{"noise": "' + noise.encode() + b'"}'
    while True:
        seq = archive.append("page", {}, served_at=datetime(2026, 11, 1, tzinfo=UTC), body=body)
        print(seq, flush=True)
"""


def test_a_killed_writer_loses_nothing_it_was_told_of(tmp_path: Path) -> None:
    """Every record whose number was returned before a SIGKILL is there, whole and in order."""
    dice = random.Random(7)
    told = 0
    for _ in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(WRITER), str(tmp_path)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path(seqdata.__file__).parents[1])},
            text=True,
        )
        assert process.stdout is not None
        try:
            told = int(process.stdout.readline())
            time.sleep(dice.random() / 50)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        told = max([told, *map(int, process.stdout.read().split())])
        process.stdout.close()
        archive = Archive(tmp_path)
        assert archive.last_seq in {told, told + 1}
        assert seqs(archive) == list(range(1, archive.last_seq + 1))
        assert all(record.body["noise"] for record in archive.records(after=told - 1))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
FACTS = st.dictionaries(st.sampled_from(["a", "cursor", ',"body":', "é"]), JSON, max_size=3)
APPENDS = st.lists(
    st.tuples(FACTS, st.none() | JSON, st.integers(0, 90), st.booleans()), min_size=1, max_size=8
)


@settings(max_examples=40, deadline=None)
@given(appends=APPENDS)
def test_whatever_goes_in_comes_out(
    tmp_path_factory: pytest.TempPathFactory, appends: list[Any]
) -> None:
    """Any facts and any JSON answer, indented or not, at any time, come back in order."""
    archive = Archive(tmp_path_factory.mktemp("archive"))
    for facts, answer, days, indented in appends:
        body = None if answer is None else json.dumps(answer, indent=2 if indented else None)
        archive.append(
            "page",
            facts,
            served_at=NOON + timedelta(days=days),
            body=None if body is None else body.encode(),
        )
    found = [(record.facts, record.body) for record in archive.records()]
    assert found == [(facts, answer) for facts, answer, _, _ in appends]
