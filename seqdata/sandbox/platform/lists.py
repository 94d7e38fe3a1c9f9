"""Pages by number, over rows that are found as far as somebody has paged.

A row is found by bisection where its place is known: all transfers, or those of one account. Where
several accounts are merged, or a filter leaves rows out, what was found is remembered, so that a
page costs what it adds.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from itertools import groupby, islice
from typing import Generic, TypeVar

from seqdata.sandbox.world.records import Key

_T = TypeVar("_T")

#: Sorts after every id.
_LAST = "\uffff"
#: How many walks are remembered.
_REMEMBERED = 32


class Stretch:
    """Keys between two moments, the newest first, taken from a list that has the oldest first."""

    def __init__(self, keys: list[Key], since: int | None, until: int | None) -> None:
        self._keys = keys
        self._low, self._high = bounds(keys, since, until)

    def rows(self, start: int, stop: int) -> list[Key]:
        """Give the keys from `start` on, before `stop`."""
        high = self._high - start
        return self._keys[max(self._low, self._high - stop) : max(high, self._low)][::-1]

    def __iter__(self) -> Iterator[Key]:
        return (self._keys[index] for index in range(self._high - 1, self._low - 1, -1))


def bounds(keys: list[Key], since: int | None, until: int | None) -> tuple[int, int]:
    """Find the slice of keys between two moments; both belong to it."""
    low = 0 if since is None else bisect_left(keys, (since, ""))
    high = len(keys) if until is None else bisect_right(keys, (until, _LAST))
    return low, max(low, high)


class Found(Generic[_T]):
    """Rows of a walk, looked for as far as they are asked for, and remembered."""

    def __init__(self, walk: Iterator[_T]) -> None:
        self._walk, self._found = walk, list[_T]()

    def rows(self, start: int, stop: int) -> list[_T]:
        """Give the rows from `start` on, before `stop`."""
        self._found += islice(self._walk, max(0, stop - len(self._found)))
        return self._found[start:stop]


def merged(stretches: list[Stretch]) -> Iterator[Key]:
    """Merge the keys of several accounts, newest first; one that two of them have comes once."""
    walk = heapq.merge(*stretches, reverse=True)
    return (key for key, _ in groupby(walk))


def with_ties_rising(keys: Iterator[Key]) -> Iterator[Key]:
    """Turn around the keys of one moment."""
    for _, tied in groupby(keys, key=lambda key: key[0]):
        yield from sorted(tied)


class Walks:
    """The newest walks, by what they look for and by what the book was like."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, Found[Key]] = OrderedDict()

    def of(self, asked: Hashable, begin: Callable[[], Iterator[Key]]) -> Found[Key]:
        """Give the walk that looks for this; it begins where there is none yet."""
        found = self._known.get(asked)
        if found is None:
            found = self._known[asked] = Found(begin())
        self._known.move_to_end(asked)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return found
