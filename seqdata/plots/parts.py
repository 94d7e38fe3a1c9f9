"""Parts that charts share: axes of dollars and dates, labels, legends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.patches import Patch

from seqdata.plots.canvas import HEIGHT, KEY, TEXT, Sheet
from seqdata.plots.theme import mixed
from seqdata.plots.words import DateFormatter, DateTicks, DollarFormatter


def dollar_axis(sheet: Sheet, which: Literal["x", "y"] = "y") -> None:
    """Write dollars on an axis, with a quiet grid."""
    axis = getattr(sheet.ax, f"{which}axis")
    axis.set_major_formatter(DollarFormatter())
    axis.get_major_locator().set_params(nbins=6)
    sheet.ax.grid(axis=which, color=sheet.look.grid, linewidth=0.8)


def date_axis(sheet: Sheet, first: Any, last: Any, pad: float = 0.0) -> None:
    """Write dates on the x axis, from the first to the last day."""
    first, last = pd.Timestamp(first), pd.Timestamp(last)
    room = max((last - first) * pad, pd.Timedelta(days=1 if first == last else 0))
    sheet.ax.set_xlim((first - room).to_pydatetime(), (last + room).to_pydatetime())
    sheet.ax.tick_params(axis="x", pad=6)
    sheet.ax.xaxis.set_major_locator(DateTicks())
    sheet.ax.xaxis.set_major_formatter(DateFormatter())


def zero_line(sheet: Sheet, which: str = "y") -> None:
    """Draw the line where there is nothing."""
    line = sheet.ax.axhline if which == "y" else sheet.ax.axvline
    line(0, color=sheet.look.muted, linewidth=0.9, zorder=1.5, gid="zero")


def write(sheet: Sheet, x: float, y: float, text: str, **options: Any) -> Any:
    """Write text as it is, in points right and above of a place in the data."""
    given = {
        "xycoords": "data", "textcoords": "offset points", "xytext": (0, 0), "fontsize": TEXT,
        "color": sheet.look.muted, "va": "center", "parse_math": False, "annotation_clip": False,
    }  # fmt: skip
    return sheet.ax.annotate(text, (x, y), **{**given, **options})


def height_of(sheet: Sheet, points: float) -> float:
    """Return how much of the y axis a height in points takes, in data units."""
    low, high = sorted(sheet.ax.get_ylim())
    figure: Any = sheet.ax.get_figure(root=True)
    inches = sheet.ax.get_position().height * figure.get_size_inches()[1] * 0.92
    return float((high - low) * points / 72 / inches)


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move places apart as little as needed, so that none is nearer than the gap.

    Order stays; the sum of squared moves is least (isotonic regression by pooling neighbours),
    within `low` and `high` if there is room.
    """
    order = np.argsort(wanted, kind="stable")
    free = np.asarray(wanted, float)[order] - gap * np.arange(len(order))
    pools: list[list[float]] = []
    for value in free:
        pools.append([value, 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            value_, count = pools.pop()
            total = pools[-1][1] + count
            pools[-1] = [(pools[-1][0] * pools[-1][1] + value_ * count) / total, total]
    pooled = np.concatenate([np.full(int(count), value) for value, count in pools])
    room = max(low, high - gap * (len(order) - 1))
    placed = np.empty(len(order))
    placed[order] = np.clip(pooled, low, room) + gap * np.arange(len(order))
    return [float(place) for place in placed]


def room_for(labels: int) -> float:
    """Return the height of a figure, in inches, in which so many labels stand one above another."""
    return max(HEIGHT, 1.2 + labels * TEXT * 1.6 / 72)


def end_labels(sheet: Sheet, ends: Sequence[tuple[float, str, str]]) -> None:
    """Write a label at the right end of each line: (its last y, text, colour).

    Call it when the limits of the axes are set. A short line in the colour leads from the end
    of the series to its label.
    """
    if not ends:
        return
    ax = sheet.ax
    low, high = ax.get_ylim()
    gap = min(height_of(sheet, TEXT * 1.45), (high - low) / max(len(ends) - 1, 1))
    size = TEXT * min(1.0, gap / height_of(sheet, TEXT * 1.2))
    places = spread([y for y, _, _ in ends], gap, low, high)
    across = ax.get_yaxis_transform()
    for (y, text, color), place in zip(ends, places, strict=True):
        ax.plot(
            [1.0, 1.02, 1.032], [y, place, place], transform=across, color=color, linewidth=1.6,
            clip_on=False, solid_capstyle="round", scalex=False, scaley=False, gid="leader",
        )  # fmt: skip
        options = {"xycoords": across, "xytext": (4, 0), "color": sheet.look.ink, "fontsize": size}
        write(sheet, 1.032, place, text, **options)


def side_legend(sheet: Sheet, entries: Sequence[tuple[str, str]], *others: Patch) -> None:
    """Name stacked colours beside the chart, in the order of the stack: (text, colour).

    Where there are more than the chart is high, they are smaller.
    """
    low, high = sorted(sheet.ax.get_ylim())
    size = TEXT * min(
        1.0, (high - low) / height_of(sheet, TEXT * 1.75) / max(len(entries) + len(others), 1)
    )
    handles = [Patch(facecolor=color, label=text) for text, color in entries]
    handles += others
    legend = sheet.ax.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0,
        frameon=False, fontsize=size, labelcolor=sheet.look.ink, handlelength=0.9,
        handleheight=0.9, labelspacing=0.55,
    )  # fmt: skip
    for text in legend.get_texts():
        text.set_parse_math(False)


def key_row(sheet: Sheet, handles: Sequence[Any]) -> None:
    """Name a few kinds of marks in a row between the title and the chart."""
    if not handles:
        return
    legend = sheet.ax.legend(
        handles=list(handles), loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=len(handles),
        frameon=False, fontsize=TEXT, labelcolor=sheet.look.muted, handlelength=1.2,
        columnspacing=1.3, borderaxespad=0.25, borderpad=0.0, handletextpad=0.5,
    )  # fmt: skip
    legend.set_gid(KEY)
    for text in legend.get_texts():
        text.set_parse_math(False)


def faded(sheet: Sheet, color: str, share: float = 0.6) -> str:
    """Return a colour that stands back: mixed with the face."""
    return mixed(color, sheet.look.face, share)


#: How what is not whole is drawn: lines in the colour of the ground over its bars.
HATCH = "////"


def hatch(sheet: Sheet, bars: Any, is_partial: Sequence[bool]) -> None:
    """Hatch the bars of periods that are not whole."""
    for bar, one in zip(bars, is_partial, strict=True):
        if one:
            bar.set(hatch=HATCH, edgecolor=sheet.look.face, linewidth=0.0)


def partial_key(sheet: Sheet) -> Patch:
    """Say in a legend what hatching means."""
    return Patch(
        facecolor=sheet.look.muted, hatch=HATCH, edgecolor=sheet.look.face, linewidth=0.0,
        label="not whole",
    )  # fmt: skip
