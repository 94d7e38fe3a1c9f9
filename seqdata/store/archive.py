"""``archive/YYYY-MM.jsonl.gz``: what a sync took in, as it came, before it becomes rows.

A log written ahead of the tables: a sync appends each answer here, then applies it, then notes
in the state how far it applied. So all tables can be made again without the network, and what
a crash left unapplied is applied at the next start.

A record is one gzip member with one line of JSON, so that ``zcat 2026-11.jsonl.gz | jq`` reads
a file as it is. After it comes a seal: an empty gzip member, of no bytes to ``zcat``, whose
header says the record's number and length. Thus the end of a file tells its last record without
reading the file, records are found backwards from there, and a record without its seal was torn
by a crash.
"""

from __future__ import annotations

import heapq
import json
import mmap
import os
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import IO, Any, NamedTuple

from seqdata.core.files import make_private_folder, sync_folder, writing_in
from seqdata.core.json import parse_json
from seqdata.core.masking import SECRET_FIELDS
from seqdata.exceptions import CorruptFile

REMEDY = "The tables are whole without it. Move it away; a rebuild then needs: seqdata sync --full"

_RESERVED = ("seq", "kind", "served_at", "body")
_BODY = b',"body":'

# RFC 1952: a member without content, and in its extra field "Sq", the record's number (8 bytes)
# and the length of its member (4 bytes).
_SEAL_HEAD = b"\x1f\x8b\x08\x04\x00\x00\x00\x00\x00\xff\x10\x00Sq\x0c\x00"
_SEAL_TAIL = b"\x03\x00" + bytes(8)
_SEAL_FACTS = struct.Struct("<QI")
_SEAL_SIZE = len(_SEAL_HEAD) + _SEAL_FACTS.size + len(_SEAL_TAIL)

_GZIP = 31  # zlib's number for a window of 32 kB in a gzip member
_LEVEL = 1  # a page in 1 ms; level 6 takes four times as long for a fifth less

# A masked number begins with a star unless it is four digits or fewer.
_UNMASKED = re.compile(
    rb'"(?:%s)"\s*:\s*(?:"[^"*]{5}|\d{5})' % b"|".join(sorted(map(str.encode, SECRET_FIELDS)))
)


@dataclass(frozen=True)
class Record:
    """One record of the archive.

    ``facts`` are what the writer noted beside the answer, ``raw`` the answer's bytes as they
    came (None: there was none).
    """

    seq: int
    kind: str
    served_at: datetime
    facts: dict[str, Any]
    raw: bytes | None = field(default=None, repr=False)

    @cached_property
    def body(self) -> Any:
        """The answer, parsed when first asked for; None where there was none."""
        return None if self.raw is None else parse_json(self.raw)


class _Place(NamedTuple):
    """Where a record's member lies in its file."""

    seq: int
    offset: int
    size: int


class Archive:
    """The archive of one organization. Reading needs no lock; :meth:`append` takes it.

    Parameters
    ----------
    folder
        Its files' folder; appears with the first record.
    lock
        Makes a context that keeps other writers out; none by default.
    floor
        The last number that was applied: new ones come after it even if files were moved away,
        and what is missing up to it is missed.
    """

    def __init__(
        self,
        folder: Path,
        *,
        lock: Callable[[], AbstractContextManager[None]] = nullcontext,
        floor: int = 0,
    ) -> None:
        self._folder = Path(folder)
        self._lock = lock
        self._floor = floor
        # Per file: its stamp, and then where its whole records end and the last one's number.
        self._ends: dict[Path, tuple[tuple[int, int], tuple[int, int]]] = {}

    @property
    def last_seq(self) -> int:
        """The number of the last whole record; 0 where there is none.

        Raises
        ------
        CorruptFile
            The end of a file is neither a record nor the beginning of one.
        """
        return max((self._end(path)[1] for path in self._files()), default=0)

    def append(
        self, kind: str, facts: dict[str, Any], *, served_at: datetime, body: bytes | None = None
    ) -> int:
        """Write a record so that it outlasts a power cut; what a crash tore before it is cut off.

        Parameters
        ----------
        kind
            A word for what was taken in: ``"page"``, ``"accounts"``, ``"detail"``...
        facts
            What else is needed to apply it; JSON values.
        served_at
            The service's time of the answer; its UTC month names the file.
        body
            The answer: JSON, account numbers masked. It is kept as it is, but for line breaks,
            which become spaces.

        Returns
        -------
        int
            The record's number: one more than the last one's, or than the floor.

        Raises
        ------
        ValueError
            A fact has a name of ours, or an account number is not masked.
        CacheLocked
            Another process is writing.
        FolderNotWritable
            The file system refused; the archive is as it was.
        """
        if taken := [name for name in _RESERVED if name in facts]:
            raise ValueError(f"facts may not be named {taken}")
        served_at = served_at.astimezone(UTC)
        with self._lock():
            seq = max(self._floor, self.last_seq) + 1
            head = {"seq": seq, "kind": kind, "served_at": served_at.isoformat(), **facts}
            path = self._folder / f"{served_at:%Y-%m}.jsonl.gz"
            self._write(path, seq, _member(_line(head, body)))
        return seq

    def records(self, after: int = 0) -> Iterator[Record]:
        """Read the records with a number above `after`, in the order of their numbers.

        Each is read when it is asked for. A record that a crash tore is passed over.

        Raises
        ------
        CorruptFile
            A record is damaged or missing.
        """
        expected = after + 1
        streams = [_read_file(path, self._end(path)[0], after) for path in self._files()]
        for path, record in heapq.merge(*streams, key=lambda found: found[1].seq):
            if record.seq != expected:
                reason = f"record {record.seq} where {expected} belongs"
                raise CorruptFile(path, reason, REMEDY)
            expected += 1
            yield record
        if expected <= self._floor:
            reason = f"the records {expected} to {self._floor} are missing"
            raise CorruptFile(self._folder, reason, REMEDY)

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("????-??.jsonl.gz"))

    def _end(self, path: Path) -> tuple[int, int]:
        """Tell where the whole records of a file end, and the last one's number."""
        try:
            status = path.stat()
        except FileNotFoundError:
            return 0, 0
        stamp = status.st_mtime_ns, status.st_size
        known = self._ends.get(path)
        if known is None or known[0] != stamp:
            end, seq = _find_end(path)
            # What was applied was on the disk; after a power cut a seal may be there without
            # all of its record.
            if seq > self._floor:
                end, seq = _without_torn(path, end)
            known = stamp, (end, seq)
            self._ends[path] = known
        return known[1]

    def _write(self, path: Path, seq: int, member: bytes) -> None:
        with writing_in(self._folder):
            make_private_folder(self._folder, gitignore=False)
            end, _ = self._end(path)
            is_new = not path.exists()
            flags = os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0)
            with os.fdopen(os.open(path, flags, 0o600), "wb") as stream:
                _write_at(stream, end, member + _seal(seq, len(member)))
                status = os.fstat(stream.fileno())
            if is_new:
                sync_folder(self._folder)
        self._ends[path] = (status.st_mtime_ns, status.st_size), (status.st_size, seq)


def _line(head: dict[str, Any], body: bytes | None) -> bytes:
    line = json.dumps(head, separators=(",", ":")).encode()
    if body is not None:
        # In JSON a line break stands between values only, where a space means the same.
        plain = body.replace(b"\n", b" ").replace(b"\r", b" ")
        line = b"".join((line[:-1], _BODY, plain, b"}"))
    if found := _UNMASKED.search(line):
        name = found[0].split(b'"')[1].decode()
        raise ValueError(f"an unmasked {name} must not be archived; see seqdata.core.masking")
    return line + b"\n"


def _member(line: bytes) -> bytes:
    packer = zlib.compressobj(_LEVEL, wbits=_GZIP)
    return packer.compress(line) + packer.flush()


def _seal(seq: int, size: int) -> bytes:
    return _SEAL_HEAD + _SEAL_FACTS.pack(seq, size) + _SEAL_TAIL


def _write_at(stream: IO[bytes], end: int, data: bytes) -> None:
    try:
        stream.truncate(end)
        stream.seek(end)
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    except BaseException:
        with suppress(OSError):
            os.ftruncate(stream.fileno(), end)
        raise


# -- reading --------------------------------------------------------------------------------


def _read_file(path: Path, end: int, after: int) -> Iterator[tuple[Path, Record]]:
    try:
        stream = path.open("rb")
    except FileNotFoundError:
        return
    with stream:
        for place in _places(path, stream, end, after):
            yield path, _read_record(path, stream, place)


def _places(path: Path, stream: IO[bytes], end: int, after: int) -> list[_Place]:
    """Find the records above `after` from the end of a file backwards; oldest first."""
    places: list[_Place] = []
    while end > 0:
        place = _place_before(path, stream, end)
        if place.seq <= after:
            break
        places.append(place)
        end = place.offset
    return places[::-1]


def _place_before(path: Path, stream: IO[bytes], end: int) -> _Place:
    """Find the record whose seal ends at `end`."""
    stream.seek(max(end - _SEAL_SIZE, 0))
    facts = _opened(stream.read(min(_SEAL_SIZE, end)))
    if facts is None or facts[1] > end - _SEAL_SIZE:
        raise CorruptFile(path, f"the record that ends at byte {end} is damaged", REMEDY)
    seq, size = facts
    return _Place(seq, end - _SEAL_SIZE - size, size)


def _opened(seal: bytes) -> tuple[int, int] | None:
    """Read a seal: the record's number and its member's length; None where it is none."""
    whole = len(seal) == _SEAL_SIZE and seal.startswith(_SEAL_HEAD) and seal.endswith(_SEAL_TAIL)
    return _SEAL_FACTS.unpack_from(seal, len(_SEAL_HEAD)) if whole else None


def _read_record(path: Path, stream: IO[bytes], place: _Place) -> Record:
    stream.seek(place.offset)
    try:
        line = _unpacked(stream.read(place.size))
        head, raw = _split(line)
        record = Record(
            seq=head.pop("seq"),
            kind=head.pop("kind"),
            served_at=datetime.fromisoformat(head.pop("served_at")),
            facts=head,
            raw=raw,
        )
    except (zlib.error, ValueError, KeyError, TypeError) as error:
        reason = f"record {place.seq} at byte {place.offset} is damaged: {error}"
        raise CorruptFile(path, reason, REMEDY) from error
    if record.seq != place.seq:
        reason = f"record {place.seq} at byte {place.offset} says it is {record.seq}"
        raise CorruptFile(path, reason, REMEDY)
    return record


def _unpacked(member: bytes) -> bytes:
    unpacker = zlib.decompressobj(_GZIP)
    line = unpacker.decompress(member)
    if not unpacker.eof or unpacker.unused_data:
        raise ValueError("it is not one whole gzip member")
    return line


def _split(line: bytes) -> tuple[dict[str, Any], bytes | None]:
    """Part a line into head and body, parsing the head alone."""
    place = line.find(_BODY)
    while place >= 0:
        with suppress(ValueError):  # a fact, deeper down, has that name too
            return json.loads(line[:place] + b"}"), line[place + len(_BODY) : -2]
        place = line.find(_BODY, place + 1)
    return json.loads(line), None


def _find_end(path: Path) -> tuple[int, int]:
    """Tell where the whole records of a file end, and the last one's number.

    Raises
    ------
    CorruptFile
        After the last whole record there is something that no append began.
    """
    with path.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(size - _SEAL_SIZE, 0))
        facts = _opened(stream.read(_SEAL_SIZE))
        if facts is not None:
            return size, facts[0]
        if not size:
            return 0, 0
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            end, seq = _last_seal(content)
            torn = _is_torn(content[end:])
    if not torn:
        raise CorruptFile(path, f"damaged after record {seq}, at byte {end}", REMEDY)
    return end, seq


def _without_torn(path: Path, end: int) -> tuple[int, int]:
    """Step back over the last record if it cannot be read."""
    with path.open("rb") as stream:
        last = _place_before(path, stream, end)
        try:
            _read_record(path, stream, last)
        except CorruptFile:
            before = _place_before(path, stream, last.offset) if last.offset else None
            return last.offset, before.seq if before else 0
    return end, last.seq


def _last_seal(content: mmap.mmap) -> tuple[int, int]:
    place = content.rfind(_SEAL_HEAD)
    while place >= 0:
        facts = _opened(content[place : place + _SEAL_SIZE])
        if facts is not None:
            return place + _SEAL_SIZE, facts[0]
        place = content.rfind(_SEAL_HEAD, 0, place)
    return 0, 0


def _is_torn(rest: bytes) -> bool:
    """Whether an append that was cut short can have left these bytes."""
    written = rest.rstrip(b"\x00")  # a file system may lengthen a file before it writes it
    if not b"\x1f\x8b\x08".startswith(written[:3]):
        return False
    unpacker = zlib.decompressobj(_GZIP)
    try:
        line = unpacker.decompress(rest)
    except zlib.error:
        return True
    # A whole member can only be the one line whose seal is missing.
    after = unpacker.unused_data.rstrip(b"\x00")
    is_ours = b"\n" not in line[:-1] and _SEAL_HEAD.startswith(after[: len(_SEAL_HEAD)])
    return is_ours or not unpacker.eof
