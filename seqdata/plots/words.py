"""What a chart writes: dollars, dates and names, drawn as they are."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC
from functools import lru_cache
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib import dates
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font
from matplotlib.ticker import Formatter, Locator

from seqdata.core.text import alike, printable

UNNAMED = "unnamed"
_DASH = "\N{EN DASH}"


# -- names -------------------------------------------------------------------------------------


def literal(text: Any, longest: int | None = None) -> str:
    """Return text that the fonts can draw, on one line; what hides in it is written out.

    Emoji and other characters that the fonts lack are left out, since matplotlib warns of each
    and draws a box; of a name that has nothing else, they are named. Dollar signs stay.

    Parameters
    ----------
    text
        A name; a missing one becomes "unnamed".
    longest
        Characters to keep; what is longer ends in an ellipsis.
    """
    if not isinstance(text, str):
        text = "" if text is None or pd.isna(text) else str(text)
    known = _characters(families())
    kept = (one if ord(one) in known and not _is_unseen(one) else " " for one in printable(text))
    words = " ".join("".join(kept).split()) or _described(text)
    if longest is not None and len(words) > longest:
        words = words[: longest - 1].rstrip(" ,.;:-") + "…"
    return words


def _described(text: str) -> str:
    """Name the characters of a text of which no font has any: "steaming bowl"."""
    seen = [one for one in dict.fromkeys(text) if not (one.isspace() or _is_unseen(one))]
    is_symbol = {one: unicodedata.category(one) == "So" for one in seen}
    named = [unicodedata.name(one, "").lower() if is_symbol[one] else "" for one in seen]
    each = (name or f"U+{ord(one):04X}" for name, one in zip(named, seen, strict=True))
    return ", ".join(each) or UNNAMED


def _is_unseen(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Mn", "Sk") and ord(
        character
    ) not in range(0x300, 0x370)


#: The font that matplotlib itself brings.
_OWN_FONT = "DejaVu Sans"


def families() -> list[str]:
    """Return the fonts to draw with: those of matplotlib's settings that are here, and its own."""
    wanted: list[str] = []
    settings: Any = mpl.rcParams
    for family in settings["font.family"]:
        wanted += settings.get(f"font.{family}", [family])
    return [*_found(tuple(wanted)), _OWN_FONT]


@lru_cache(maxsize=8)
def _found(wanted: tuple[str, ...]) -> list[str]:
    here = {entry.name for entry in fontManager.ttflist}
    return [family for family in dict.fromkeys(wanted) if family in here and family != _OWN_FONT]


def _characters(wanted: Sequence[str]) -> frozenset[int]:
    return frozenset().union(*(_characters_of(family) for family in wanted))


@lru_cache(maxsize=32)
def _characters_of(family: str) -> frozenset[int]:
    """Return the code points of a font."""
    return frozenset(get_font(str(findfont(FontProperties(family=family)))).get_charmap())


def labels(ids: Iterable[str], names: Iterable[Any], longest: int = 24) -> dict[str, str]:
    """Return a label for each id: its name, and a part of the id where names look alike."""
    whole = {str(one): literal(name) for one, name in zip(ids, names, strict=True)}
    shown = {one: literal(name, longest) for one, name in whole.items()}
    likeness = dict(zip(shown, alike(shown.values()), strict=True))
    # Names that begin alike may end differently.
    shown = {
        one: f"{whole[one][: longest // 2]}…{whole[one][-longest // 3 :]}"
        if likeness[one] and len(whole[one]) > longest
        else name
        for one, name in shown.items()
    }
    return {
        one: f"{label} (…{one[-4:]})" if is_alike else label
        for (one, label), is_alike in zip(shown.items(), alike(shown.values()), strict=True)
    }


# -- dollars -----------------------------------------------------------------------------------


def dollars_of(dollars: float) -> str:
    """Write dollars as all charts do: "$2,150", "-$300", "$17.99", "$0".

    Dollars are whole from $100 on, and cents are written where there are some.
    """
    size = abs(dollars)
    sign = "-" if round(dollars, 2) < 0 else ""
    if round(size, 2) < 100 and abs(size - round(size)) > 0.004:
        return f"{sign}${size:.2f}"
    return f"{sign if round(size) else ''}${size:,.0f}"


class DollarFormatter(Formatter):
    """Ticks in dollars, with cents where ticks are nearer than dollars."""

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """Return the labels of all ticks of an axis."""
        texts = [dollars_of(value) for value in values]
        is_exact = all(abs(value - round(value)) < 0.004 for value in values)
        return texts if is_exact else [_with_cents(value) for value in values]

    def __call__(self, x: float, pos: int | None = None) -> str:  # noqa: ARG002 (its interface)
        """Return the label of one value."""
        return dollars_of(x)


def _with_cents(value: float) -> str:
    return f"-${-value:,.2f}" if round(value, 2) < 0 else f"${abs(value):,.2f}"


# -- dates -------------------------------------------------------------------------------------


#: Steps between ticks, from the smallest: days, then months.
_DAY_STEPS = (1, 2, 4, 7, 14)
_MONTH_STEPS = (1, 2, 3, 6, 12, 24, 60, 120, 240)


class DateTicks(Locator):
    """Ticks at round dates, as many as there is room for."""

    def __call__(self) -> Any:
        """Return where ticks stand, in matplotlib's days."""
        axis: Any = self.axis
        return self.tick_values(*sorted(axis.get_view_interval()))

    def tick_values(self, vmin: float, vmax: float) -> Any:
        """Return where ticks stand between two of matplotlib's days, one each 0.6 inches."""
        axis: Any = self.axis
        inches = axis.axes.bbox.width / axis.axes.get_figure(root=True).dpi
        room = int(min(9, max(2, inches / 0.6)))
        first, last = (_day(one) for one in (vmin, vmax))
        return np.array([_number(day) for day in round_days(first, last, room)])


def _day(number: float) -> pd.Timestamp:
    """Return the day that a number means, which is naive: a zone of matplotlib's says nothing."""
    convert: Any = dates.num2date
    return pd.Timestamp(convert(number, tz=UTC)).tz_localize(None)


def _number(day: pd.Timestamp) -> float:
    convert: Any = dates.date2num
    return float(convert(day.to_pydatetime()))


def round_days(first: Any, last: Any, room: int) -> list[pd.Timestamp]:
    """Return days between two, as many as there is room for.

    They are beginnings of months where two fit, of years in the long run, else every first,
    second, fourth, seventh or fourteenth day.
    """
    begin, end = pd.Timestamp(first).ceil("D"), pd.Timestamp(last).floor("D")
    for step in _DAY_STEPS:
        days = list(pd.date_range(begin, end, freq=f"{step}D"))
        if len(days) <= room and (end - begin).days <= step * room:
            return days or [begin]
    for step in _MONTH_STEPS:
        months = pd.period_range(begin, end, freq="M")
        numbers = months.year * 12 + months.month - 1
        days = list(months[numbers % step == 0].to_timestamp())
        days = [day for day in days if begin <= day <= end]
        if len(days) <= room:
            return days
    return []


class DateFormatter(Formatter):
    """Days and months on one line, the year below where it begins or changes."""

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """Return the labels of all ticks of an axis."""
        days = [_day(value) for value in values]
        return date_labels(days)

    def __call__(self, x: float, pos: int | None = None) -> str:  # noqa: ARG002 (its interface)
        """Return the label of one day."""
        return day_words(_day(x))


def date_labels(days: Sequence[Any]) -> list[str]:
    """Label days, the year below the first one and wherever it changes."""
    if all((day.month, day.day) == (1, 1) for day in days):
        return [f"{day.year}" for day in days]
    monthly = all(day.day == 1 for day in days)
    years = [None, *(day.year for day in days)]
    return [
        (f"{day:%b}" if monthly else f"{day:%b} {day.day}")
        + (f"\n{day.year}" if day.year != earlier else "")
        for day, earlier in zip(days, years, strict=False)
    ]


def day_words(day: Any) -> str:
    """Write a day: "Nov 1, 2026"."""
    return f"{day:%b} {day.day}, {day.year}"


def span_words(first: Any, last: Any, *, monthly: bool = False) -> str:
    """Write a span of days, or of months, in as few words as are clear."""
    first, last = pd.Timestamp(first), pd.Timestamp(last)
    if monthly:
        one, other = f"{first:%b} {first.year}", f"{last:%b} {last.year}"
        return one if one == other else f"{one} {_DASH} {other}"
    if first.normalize() == last.normalize():
        return day_words(first)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first:%b} {first.day} {_DASH} {last.day}, {last.year}"
    begin = f"{first:%b} {first.day}" if first.year == last.year else day_words(first)
    return f"{begin} {_DASH} {day_words(last)}"
