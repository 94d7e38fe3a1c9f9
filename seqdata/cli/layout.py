"""A table as lines of a terminal: as wide as it is, figures whole, text cut where it must be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from wcwidth import clip, ljust, rjust, width

#: Between two columns, and before the first one.
_GAP = "  "

#: Text is not cut to less than this; where there is no room for it, a row becomes a paragraph.
_LEAST = 8


def table_lines(
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    room: int | None,
    total: Sequence[str] | None = None,
    *,
    rule: str = "─",
    dots: str = "…",
) -> Iterator[str]:
    """Write rows under heads.

    Parameters
    ----------
    heads
        One that begins with ``>`` is of figures, one that begins with ``~`` of text that may be
        cut; all else is always whole.
    rows
        Cells of one line each.
    room
        Columns of the terminal; None: as wide as the table is.
    total
        A row of sums, below a line of its own.
    rule, dots
        What a line is drawn with, and what stands where text was cut.
    """
    names = [head.lstrip(">~") for head in heads]
    below = [] if total is None else [total]
    cut = [place for place, head in enumerate(heads) if head.startswith("~")]
    columns = list(zip(*rows, *below, strict=True)) or [()] * len(names)
    # Where whole heads make it too wide, those that are wider than their cells are broken.
    for is_broken in (False, True):
        broken = [
            wrap(name, max(1, *map(width, [*cells, *name.split()]))) if is_broken else [name]
            for name, cells in zip(names, columns, strict=True)
        ]
        widths = [
            max(map(width, [*lines, *cells]), default=0)
            for lines, cells in zip(broken, columns, strict=True)
        ]
        widths = _narrowed(widths, cut, room)
        if room is None or _total(widths) <= room:
            break
    else:
        yield from _paragraphs(heads, names, [*rows, *below], room or 0, dots)
        return
    line = f"{_GAP}{rule * (_total(widths) - len(_GAP))}"
    for names_ in _bottom_up(broken):
        yield _line(heads, names_, widths, dots)
    yield line
    for row in rows:
        yield _line(heads, row, widths, dots)
    for row in below:
        yield line
        yield _line(heads, row, widths, dots)


def _bottom_up(heads: Sequence[Sequence[str]]) -> Iterator[list[str]]:
    """Yield the lines of heads of several words, which end on the last line."""
    high = max(map(len, heads), default=0)
    for place in range(high):
        yield [
            words[place - high + len(words)] if place >= high - len(words) else ""
            for words in heads
        ]


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(_GAP) * len(widths)


def _narrowed(widths: list[int], cut: Sequence[int], room: int | None) -> list[int]:
    """Take from the widest of the columns that may be cut, until all fit, or as far as it goes."""
    narrow = list(widths)
    over = 0 if room is None else _total(narrow) - room
    while over > 0:
        place = max(cut, key=narrow.__getitem__, default=None)
        if place is None or narrow[place] <= _LEAST:
            break
        narrow[place] -= 1
        over -= 1
    return narrow


def _line(heads: Sequence[str], cells: Sequence[str], widths: Sequence[int], dots: str) -> str:
    placed = [
        (rjust if head.startswith(">") else ljust)(_cut(cell, room, dots), room)
        for head, cell, room in zip(heads, cells, widths, strict=True)
    ]
    return "".join(f"{_GAP}{cell}" for cell in placed).rstrip()


def _cut(text: str, room: int, dots: str) -> str:
    return text if width(text) <= room else f"{clip(text, 0, max(room - len(dots), 0))}{dots}"


def _paragraphs(
    heads: Sequence[str], names: Sequence[str], rows: Sequence[Sequence[str]], room: int, dots: str
) -> Iterator[str]:
    """Write each row as lines of its own, a cell a line: for what has no room side by side."""
    label = max(map(width, names))
    for number, row in enumerate(rows):
        if number:
            yield ""
        for head, name, cell in zip(heads, names, row, strict=True):
            left = max(room - label - 2 * len(_GAP), _LEAST)
            shown = _cut(cell, left, dots) if head.startswith("~") else cell
            if cell:
                yield f"{_GAP}{ljust(name, label)}{_GAP}{shown}"
