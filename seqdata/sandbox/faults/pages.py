"""What pages of transfers do wrong: some lose no row, `wrong_page` and `shifted_page` do.

====================  ==================================================================
`wrong_page` by variant
--------------------------------------------------------------------------------------
`missing`             some `rows` are left out, from `row` on; nothing tells
`ends`                only the first `rows` come, and nothing is said to come after them
`empty`               no rows, and nothing is said to come after them
`doubled`             each row comes twice
`reversed`            the oldest row comes first
`back`                the cursor leads to the first page again
`ahead`               the cursor leads some `days` further down: a hole
====================  ==================================================================
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from seqdata.sandbox.webapp.paging import BadInput, Cursors
from seqdata.sandbox.world.clock import HOUR
from seqdata.sandbox.world.records import Key

Options = dict[str, Any]
Page = dict[str, Any]


@dataclass(slots=True)
class Shown:
    """A page of transfers, and the cursor it was asked by ("" for the first page)."""

    page: Page
    after: str
    cursors: Cursors

    def changed(self, edges: list[Any] | None = None, **info: Any) -> Page:
        """Give the page with other edges, or with something else in its info."""
        shown = self.page["edges"] if edges is None else edges
        return self.page | {"edges": shown, "pageInfo": self.page["pageInfo"] | info}


class Numbered:
    """A page of the API that pages by number: its rows, and whether another page follows."""

    def __init__(self, items: list[Any], has_next: bool) -> None:
        self.items, self.has_next = items, has_next

    @property
    def page(self) -> Page:
        """The rows as those have them that page by cursor."""
        return {"edges": [{"cursor": "", "node": item} for item in self.items]}

    def changed(self, edges: list[Any] | None = None, **info: Any) -> Numbered:
        """Give the page with other rows, or another end."""
        items = self.items if edges is None else [edge["node"] for edge in edges]
        return Numbered(items, info.get("hasNextPage", self.has_next))


@dataclass(slots=True)
class Sought:
    """The key a cursor stands for, among the keys of what is paged through, oldest first."""

    key: Key
    cursors: Cursors
    keys: list[Key]

    def moved(self, by: int) -> Key:
        """Give the key so many rows further down."""
        here = bisect_left(self.keys, self.key) - by
        if here < 0:
            return 0, ""
        return self.keys[here] if here < len(self.keys) else (2**62, "_")

    def repeated(self) -> Key:
        """Give a key above the row that the cursor names."""
        created_at, own_id = self.key
        return created_at, f"{own_id}\0"


@dataclass(slots=True)
class Begun:
    """The number of the row that a page begins with, where pages have numbers."""

    start: int

    def moved(self, by: int) -> int:
        """Give the number of the row so many rows further down."""
        return max(0, self.start + by)

    def repeated(self) -> int:
        """Give the number of the row before."""
        return self.moved(-1)


# -- no row is lost ----------------------------------------------------------------


def repeat_cursor(shown: Shown, _: Options) -> Page:
    """Lead to the same page again."""
    return shown.changed(endCursor=shown.after, hasNextPage=True)


def show_nothing(shown: Shown, _: Options) -> Page:
    """Show nothing; the new cursor stands where the old one stood, so no row is lost."""
    created_at, own_id = shown.cursors.read(shown.after) if shown.after else (2**62, "_")
    end = shown.cursors.write((created_at, own_id[:-1]))
    return shown.changed([], startCursor=None, endCursor=end, hasNextPage=True)


def cut_short(shown: Shown | Numbered, options: Options) -> Any:
    """Show the first rows alone; the cursor is that of the last one shown."""
    edges = _first(shown, options)
    return shown.changed(edges, endCursor=edges[-1]["cursor"], hasNextPage=True)


def _first(shown: Shown | Numbered, options: Options) -> list[Any]:
    edges: list[Any] = shown.page["edges"]
    return edges[: options.get("rows", max(1, len(edges) // 2))]


def has_rows(shown: Shown | Numbered, _: Options) -> bool:
    """Whether there is a row to leave out."""
    return bool(shown.page["edges"])


def expire_cursor(sought: Sought, options: Options) -> Key:
    """Know a cursor no more, with `all` none of those written so far."""
    if options.get("all"):
        sought.cursors.expire()
    raise BadInput(options.get("message", "Cursor has expired."))


def repeat_row(sought: Sought | Begun, _: Options) -> Key | int:
    """Stand one row before the cursor: the row it names comes again, and none is lost."""
    return sought.repeated()


# -- rows are lost -----------------------------------------------------------------


def shift(sought: Sought | Begun, options: Options) -> Key | int:
    """Stand some rows further down, as an offset does when rows come or go; less than 0: up."""
    return sought.moved(options.get("by", 1))


def _missing(shown: Shown | Numbered, options: Options) -> Any:
    row = options.get("row") or 0
    edges: list[Any] = shown.page["edges"]
    return shown.changed(edges[:row] + edges[row + options.get("rows", 1) :])


def _ends(shown: Shown | Numbered, options: Options) -> Any:
    edges = _first(shown, options)
    return shown.changed(edges, endCursor=edges[-1]["cursor"], hasNextPage=False)


def _empty(shown: Shown | Numbered, _: Options) -> Any:
    return shown.changed([], startCursor=None, endCursor=None, hasNextPage=False)


def _doubled(shown: Shown | Numbered, _: Options) -> Any:
    return shown.changed([edge for edge in shown.page["edges"] for _ in range(2)])


def _reversed(shown: Shown | Numbered, _: Options) -> Any:
    return shown.changed(shown.page["edges"][::-1])


def _back(shown: Shown, _: Options) -> Page:
    return shown.changed(endCursor=shown.cursors.write((2**62, "_")), hasNextPage=True)


def _ahead(shown: Shown, options: Options) -> Page:
    created_at, _ = shown.cursors.read(shown.page["edges"][-1]["cursor"])
    further = created_at - round(options.get("days", 7) * 24 * HOUR)
    return shown.changed(endCursor=shown.cursors.write((further, "")), hasNextPage=True)


VARIANTS: dict[str, Callable[[Any, Options], Any]] = {
    "missing": _missing,
    "ends": _ends,
    "empty": _empty,
    "doubled": _doubled,
    "reversed": _reversed,
    "back": _back,
    "ahead": _ahead,
}


def lie(shown: Shown | Numbered, options: Options) -> Any:
    """Tell wrongly of a page, in the way of a variant."""
    return VARIANTS[options.get("variant", "missing")](shown, options)
