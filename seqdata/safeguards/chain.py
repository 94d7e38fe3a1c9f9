"""The chain of the audit log: what its lines prove about each other. Bytes in, findings out.

A line of ours carries ``seq``, one more than that of our line before, and ``previous``, the
SHA-256 (hex) over the exact bytes from the start of our line before up to the start of this
one: that line with its line end, and whatever another program wrote in between. A line that
opens a segment carries ``segment`` too, and its ``previous`` is over the whole file before it:
the first of all lines of ours (segment 1), and each acknowledgement of a broken chain.

The head is kept in a file of its own and is written after the line. It says which line was the
last, so that a cut end shows.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any, NamedTuple

#: Keys that the chain adds to a line.
CHAIN_KEYS = ("seq", "previous", "segment")

#: The key under which the desk's own writer marks a line. It is made of the whole line, its
#: place in the chain included, so that a copy elsewhere, or a changed line, is not marked.
MARK = "desk"

#: Says of an entry that was read that its line stands out of its place: it is on no disk.
OUT_OF_PLACE = "out_of_place"


@dataclass(frozen=True)
class Head:
    """The last line of ours: its number and hash, its first and last byte, its place.

    Parameters
    ----------
    hash
        SHA-256 over the line's bytes, its line end included.
    start, length
        Where the line begins, and the bytes of the file up to its end.
    lines
        Lines in the file up to it.
    """

    seq: int
    hash: str
    start: int
    length: int
    lines: int

    @classmethod
    def parse(cls, content: object) -> Head:
        """Read a head from parsed JSON; ValueError where it is none."""
        kinds = {"seq": int, "hash": str, "start": int, "length": int, "lines": int}
        if not isinstance(content, dict) or set(content) != set(kinds):
            raise ValueError("its keys are not those of a head")
        if any(type(content[name]) is not kind for name, kind in kinds.items()):
            raise ValueError("a value has another type")
        if not 0 <= content["start"] <= content["length"] < 2**63:
            raise ValueError("its line ends before it begins, or where no file does")
        return cls(**content)

    def to_json(self) -> dict[str, Any]:
        """Return what stands in the file."""
        return asdict(self)


@dataclass(frozen=True)
class Break:
    """A place where the chain does not hold: its line, and what is wrong there."""

    line: int
    what: str
    is_acknowledged: bool = False

    def __str__(self) -> str:
        return f"line {self.line}: {self.what}"


@dataclass(frozen=True)
class AuditReport:
    """What the chain proves about a log.

    Parameters
    ----------
    lines, chained
        All lines, and those of ours.
    prefix_lines
        Lines from before our first: what they said before that is not proven. Changes of them
        since then show.
    foreign
        Numbers of the later lines that another program wrote.
    unreadable
        Numbers of the later lines that a dying writer left torn, or that are no JSON object.
    leftovers
        What a crash left and the next write mends, in words.
    breaks
        Where the chain does not hold, acknowledged or not, by line.
    """

    lines: int = 0
    chained: int = 0
    prefix_lines: int = 0
    foreign: tuple[int, ...] = ()
    unreadable: tuple[int, ...] = ()
    leftovers: tuple[str, ...] = ()
    breaks: tuple[Break, ...] = ()

    @property
    def is_intact(self) -> bool:
        """True where the chain holds, or all that broke it was acknowledged."""
        return not self.open_breaks

    @property
    def open_breaks(self) -> tuple[Break, ...]:
        """The breaks that nobody acknowledged."""
        return tuple(one for one in self.breaks if not one.is_acknowledged)

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        return {"is_intact": self.is_intact, **asdict(self)}

    def __str__(self) -> str:
        if not self.lines and not self.breaks:
            return "The audit log is empty."
        lines = f"{self.chained:,} of {self.lines:,} lines are chained"
        if self.is_intact:
            return f"The chain is intact: {lines}."
        places = "one place" if len(self.breaks) == 1 else f"{len(self.breaks):,} places"
        return f"The chain is broken in {places}; {lines}."


class Link(NamedTuple):
    """What a line of ours says about its place."""

    seq: int
    previous: str
    segment: int | None


class Line(NamedTuple):
    """One line of the file: where it stands, and its link if it is ours."""

    number: int
    start: int
    data: bytes
    link: Link | None
    entry: dict[str, Any] | None

    @property
    def is_readable(self) -> bool:
        """Whether it is a JSON object."""
        return self.entry is not None

    @property
    def end(self) -> int:
        """The offset behind the line."""
        return self.start + len(self.data)


def read_lines(data: bytes, number: int = 0, start: int = 0) -> Iterator[Line]:
    """Cut bytes into lines; `number` and `start` are those of what stands before them."""
    for text in io.BytesIO(data):
        number += 1
        entry = parse_entry(text)
        yield Line(number, start, text, None if entry is None else _link(entry), entry)
        start += len(text)


def parse_entry(line: bytes) -> dict[str, Any] | None:
    """Return the JSON object of a line, or None where there is none."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None


def digest(data: bytes) -> str:
    """Return the hash that links lines: SHA-256, in hex."""
    return sha256(data).hexdigest()


def mark_of(entry: dict[str, Any]) -> str:
    """Return the mark that belongs to a line: a hash of all it says, and of where it stands."""
    said = {name: value for name, value in entry.items() if name != MARK}
    return digest(json.dumps(said, sort_keys=True).encode())[:32]


def is_marked(line: Line) -> bool:
    """Tell whether a line was made by the desk's own writer, as it stands.

    What `AuditLog.log` wrote, what another program appended, and a changed line, were not.
    """
    entry = line.entry
    return line.link is not None and entry is not None and entry.get(MARK) == mark_of(entry)


def _link(entry: dict[str, Any]) -> Link | None:
    seq, previous, segment = (entry.get(key) for key in CHAIN_KEYS)
    if type(seq) is not int or type(previous) is not str:
        return None
    return Link(seq, previous, segment if type(segment) is int else None)


# -- where the next line goes -----------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """Where the next line of ours goes.

    Parameters
    ----------
    lines
        Lines before it.
    leftovers
        What a crash left there, in words.
    behind
        The head of our last line, where a crash left the file of the head one behind. It must
        be written before the next line: the head may be one line behind, and never two.
    has_head
        False where the head is lost: writing a new one would hide that.
    """

    seq: int
    previous: str
    lines: int
    segment: int | None = None
    leftovers: tuple[str, ...] = ()
    behind: Head | None = None
    has_head: bool = True

    def keys(self) -> dict[str, Any]:
        """Return the keys that a line at this place carries."""
        keys: dict[str, Any] = {"seq": self.seq, "previous": self.previous}
        return keys if self.segment is None else {**keys, "segment": self.segment}


def place_after(head: Head, block: bytes) -> Place:
    """Find the next place from the head and the bytes from its line to the end of the file.

    Where they do not fit, the place is the one behind the head's line, so that the break stays
    to be seen. The bytes are taken as if they ended in a line end.
    """
    block, was_torn = _mended(block)
    own = block[: head.length - head.start]
    if digest(own) != head.hash:
        return Place(head.seq + 1, head.hash, head.lines + block[len(own) :].count(b"\n"))
    rest = list(read_lines(block[len(own) :], head.lines, head.length))
    lines = head.lines + len(rest)
    ours = [line for line in rest if line.link]
    leftovers = _leftovers(rest, was_torn=was_torn)
    if was_torn and not rest:
        leftovers = (f"line {lines}: had no line end",)
    if not ours:
        return Place(head.seq + 1, digest(block), lines, leftovers=leftovers)
    offset = ours[0].start - head.start
    if len(ours) > 1 or ours[0].link != Link(head.seq + 1, digest(block[:offset]), None):
        return Place(head.seq + 1, head.hash, lines)
    words = (*leftovers, f"line {ours[0].number}: the head was one line behind")
    behind = _head_of(ours[0], head.seq + 1)
    return Place(head.seq + 2, digest(block[offset:]), lines, leftovers=words, behind=behind)


def place_without_head(data: bytes, *, is_lost: bool) -> Place:
    """Find the next place in a whole file that has no head.

    Parameters
    ----------
    is_lost
        There is a head, and it cannot be read.
    """
    data, was_torn = _mended(data)
    found = list(read_lines(data))
    ours = [line for line in found if line.link]
    lines = len(found)
    if not ours:
        words = _leftovers(found[-1:] if was_torn else [], was_torn=was_torn)
        return Place(1, digest(data), lines, 1, words, has_head=not is_lost)
    last = ours[-1]
    assert last.link
    place = Place(last.link.seq + 1, digest(data[last.start :]), lines, has_head=False)
    if is_lost or len(ours) > 1 or last.link != Link(1, digest(data[: last.start]), 1):
        return place
    words = (
        *_leftovers(found[last.number :], was_torn=was_torn),
        f"line {last.number}: the head was one line behind",
    )
    return Place(2, place.previous, lines, leftovers=words, behind=_head_of(last, 1))


def _head_of(line: Line, seq: int) -> Head:
    return Head(seq, digest(line.data), line.start, line.end, line.number)


def _mended(data: bytes) -> tuple[bytes, bool]:
    is_torn = bool(data) and not data.endswith(b"\n")
    return (data + b"\n" if is_torn else data), is_torn


def _leftovers(lines: Iterable[Line], *, was_torn: bool) -> tuple[str, ...]:
    lines = list(lines)
    torn = [f"line {one.number}: torn or unreadable" for one in lines if not one.is_readable]
    if was_torn and lines and lines[-1].is_readable:
        return (*torn, f"line {lines[-1].number}: had no line end")
    return tuple(torn)


# -- what is wrong ----------------------------------------------------------------------------


def examine(
    data: bytes, head: Head | None, *, head_error: str = ""
) -> tuple[AuditReport, list[dict[str, Any]]]:
    """Look at a whole log and its head.

    Parameters
    ----------
    head
        None where there is none, or where it cannot be read.
    head_error
        Why it cannot be read.

    Returns
    -------
    tuple of AuditReport and list of dict
        What the chain proves; and the entries that the desk's own writer made, each once (a
        copied line is none), in their order.
    """
    # A lacking line end at the very end loses nothing: the next event puts it back.
    data, is_torn = _mended(data)
    scan = _Scan(head)
    for line in read_lines(data):
        scan.add(line)
    scan.compare(head_error)
    if is_torn:
        scan.leftovers.append(f"line {scan.lines}: it has no line end")
    return scan.report(), list(scan.marked.values())


@dataclass
class _Scan:
    """One pass over the lines, from the first to the last.

    `last` is our last line that stands where it may; `before` the one before it; `between` what
    stands behind `last`, be it of others or out of place.
    """

    head: Head | None
    lines: int = 0
    chained: int = 0
    prefix: int = 0
    segment: int = 0
    follows: bool = True
    foreign: list[int] = field(default_factory=list)
    unreadable: list[int] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)
    breaks: list[Break] = field(default_factory=list)
    last: Line | None = None
    before: Line | None = None
    between: list[Line] = field(default_factory=list)
    marked: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.everything, self.block = sha256(), sha256()

    def add(self, line: Line) -> None:
        self.lines = line.number
        is_in_place = line.link is not None and self._is_in_place(line, line.link)
        if line.entry is not None and is_marked(line):
            self._mark(line.entry, is_in_place=is_in_place and self.follows)
        if line.link is None:
            self._add_foreign(line)
        else:
            self.chained += 1
            if is_in_place:
                self.before, self.last, self.between = self.last, line, []
                self.block = sha256()
            else:
                self.between.append(line)
        self.everything.update(line.data)
        self.block.update(line.data)

    def _mark(self, entry: dict[str, Any], *, is_in_place: bool) -> None:
        """Note an entry of the desk's own writer, once; one out of its place says so."""
        known = self.marked.get(entry[MARK])
        if known is None or (is_in_place and OUT_OF_PLACE in known):
            self.marked[entry[MARK]] = entry if is_in_place else {**entry, OUT_OF_PLACE: True}

    def _add_foreign(self, line: Line) -> None:
        if self.last is None:
            self.prefix += 1
            return
        (self.foreign if line.is_readable else self.unreadable).append(line.number)
        self.between.append(line)

    def _is_in_place(self, line: Line, link: Link) -> bool:
        """Judge a line of ours; False where the chain goes on without it.

        `follows` is false from where something before is not as it was, until a person has
        accepted that: a line that was copied there follows its own like.
        """
        if link.segment is not None:
            self._judge_opening(line, link, link.segment)
        elif self.last is None or self.last.link is None:
            self.follows = False
            what = f"the beginning of the chain is missing before number {link.seq}"
            self._break(line.number, what)
        elif link.seq <= self.last.link.seq:
            what = f"number {link.seq} stands here, and {self.last.link.seq + 1} was expected"
            self._break(line.number, what)
            return False
        elif link.seq > self.last.link.seq + 1:
            self.follows = False
            self._judge_gap(line, link.seq, self.last.link.seq + 1)
        elif link.previous != self.block.hexdigest():
            self.follows = False
            self._judge_hash(line, link, self.last)
        return True

    def _judge_opening(self, line: Line, link: Link, segment: int) -> None:
        self.follows = link.previous == self.everything.hexdigest()
        if not self.follows:
            what = "changed since the chain began" if segment == 1 else "changed since acknowledged"
            self._break(max(line.number - 1, 1), f"something up to here was {what}")
        elif segment <= self.segment or (segment == 1) != (link.seq == 1):
            self.follows = False
            self._break(line.number, "this beginning of a segment is out of place")
        elif segment > 1:
            self.breaks = [Break(one.line, one.what, True) for one in self.breaks]
        self.segment = segment

    def _judge_gap(self, line: Line, seq: int, expected: int) -> None:
        if len(self.between) >= seq - expected:
            for number, other in zip(range(expected, seq), self.between, strict=False):
                self._break(other.number, f"changed: number {number} was here")
        else:
            missing = _numbers(expected, seq - 1)
            self._break(line.number, f"number {seq} stands here, and {missing} missing or moved")

    def _judge_hash(self, line: Line, link: Link, last: Line) -> None:
        if self.between and link.previous == digest(last.data):
            for other in self.between:
                self._break(other.number, "inserted later")
        elif self._fits_head(last):
            self._break(line.number, f"it does not continue line {last.number}")
        else:
            self._break(last.number, f"changed: line {line.number} holds the hash of another text")

    def _break(self, line: int, what: str) -> None:
        """Note what is wrong at a line, unless something is already said of it."""
        if all(one.line != line or one.is_acknowledged for one in self.breaks[-3:]):
            self.breaks.append(Break(line, what))

    def compare(self, head_error: str) -> None:
        """Compare the last lines with the head."""
        head, line = self.head, max(self.lines, 1)
        if head_error:
            self._break(line, f"the head, which says what the last line is, {head_error}")
        elif head is None:
            self._compare_nothing(line)
        elif self.last is None or self.last.link is None:
            self._break(line, f"{_numbers(1, head.seq)} cut off: the head knows them")
        elif not self._fits_head(self.last):
            self._compare_last(head, self.last, self.last.link)

    def _compare_nothing(self, line: int) -> None:
        if self.chained == 1 and self.last and self.last.link and self.last.link.seq == 1:
            self.leftovers.append(f"line {self.last.number}: the head is one line behind")
        elif self.chained:
            self._break(line, "the head, which says what the last line is, is missing")

    def _compare_last(self, head: Head, last: Line, link: Link) -> None:
        if link.seq < head.seq:
            cut = _numbers(link.seq + 1, head.seq)
            self._break(self.lines, f"{cut} cut off or changed after it: the head knows them")
        elif link.seq > head.seq:
            self._compare_newer(head, last, link)
        elif digest(last.data) != head.hash:
            self._break(last.number, "changed: the head holds the hash of another text")
        elif not self.breaks:
            self._break(last.number, "the head says that it stands at another place")

    def _compare_newer(self, head: Head, last: Line, link: Link) -> None:
        is_next = link.seq == head.seq + 1 and link.segment is None
        if is_next and self.before is not None and self._fits_head(self.before):
            self.leftovers.append(f"line {last.number}: the head is one line behind")
        else:
            added = _numbers(head.seq + 1, link.seq)
            self._break(last.number, f"{added} added behind the end that the head knows")

    def _fits_head(self, line: Line) -> bool:
        head = self.head
        stands = head is not None and line.link is not None and head == Head(
            line.link.seq, head.hash, line.start, line.end, line.number
        )  # fmt: skip
        return stands and head is not None and digest(line.data) == head.hash

    def report(self) -> AuditReport:
        return AuditReport(
            self.lines,
            self.chained,
            self.prefix if self.last else self.lines,
            tuple(self.foreign),
            tuple(self.unreadable),
            tuple(self.leftovers),
            tuple(sorted(self.breaks, key=lambda one: one.line)),
        )


def _numbers(first: int, last: int) -> str:
    return f"number {first} is" if first == last else f"numbers {first} to {last} are"
