"""The figure a chart is drawn on, without pyplot.

Widget callbacks of recent kernels run on a thread of their own, where pyplot's state breaks:
figures are made directly, and know how to show themselves in a notebook.
"""

from __future__ import annotations

import base64
import io
import textwrap
from dataclasses import dataclass
from html import escape
from typing import Any
from weakref import WeakKeyDictionary

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import IdentityTransform, Transform, blended_transform_factory
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from seqdata.plots.notes import note_of, told_by
from seqdata.plots.theme import Look, look_of
from seqdata.plots.words import families, literal

WIDTH, HEIGHT = 6.0, 3.6
TITLE, TEXT, SMALL = 10.5, 8.0, 7.0

#: Dots per inch of what a notebook shows, at half its size in CSS pixels: sharp on any screen. So
#: text of 8 points is as large as the prose beside it, 14 pixels.
_SHOWN_DPI = 256

#: Colours of such a picture.
_COLORS = 200

#: Inches between a figure's edge and what is drawn, as constrained layout leaves them.
_MARGIN = 0.045

#: The gid of the names of rows, and of the legend in a row below the title.
NAME, KEY = "name", "key"

_DRAWN: WeakKeyDictionary[Axes, pd.DataFrame] = WeakKeyDictionary()

#: What the drawn table says in a sentence.
_SAID: WeakKeyDictionary[Axes, list[str]] = WeakKeyDictionary()


class ChartAxes(Axes):
    """Axes whose figure a notebook shows when they are the last line of a cell."""

    name = "seqdata"

    @property
    def drawn(self) -> pd.DataFrame:
        """The table that was drawn; see :func:`table_of`."""
        return table_of(self)

    @property
    def sentence(self) -> str:
        """What the chart says, for those who cannot see it; the pictures' files hold it too."""
        return sentence_of(self)

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, str], dict[str, Any]]:
        """Give a notebook the picture with its words for a screen reader, and as a file.

        Front ends show the HTML, since they say no `alt` of a bare PNG; papers take the PNG.
        """
        picture, (width, height) = self._picture()
        said, text = self.sentence, base64.b64encode(picture).decode()
        shown = {"width": width, "height": height, "alt": said}
        html = (
            f'<img alt="{escape(said)}" width="{width}" height="{height}" '
            f'style="max-width:100%;height:auto" src="data:image/png;base64,{text}">'
        )
        return {"image/png": text, "text/html": html}, {"image/png": shown}

    def _picture(self) -> tuple[bytes, tuple[int, int]]:
        """Return a PNG that says what it shows, and its size in CSS pixels."""
        figure: Any = self.get_figure(root=True)
        drawn = io.BytesIO()
        figure.savefig(drawn, format="png", dpi=_SHOWN_DPI)
        words = PngInfo()
        words.add_itxt("Description", self.sentence)
        words.add_itxt("Title", _title_of(self))
        stream = io.BytesIO()
        # It stands in a notebook twice: as many colours as its letters need make it half as large.
        picture = Image.open(drawn).convert("RGB").quantize(_COLORS, dither=Image.Dither.NONE)
        picture.save(stream, "png", pnginfo=words, optimize=True)
        # As wide as a cell: front ends make a picture smaller where there is less room.
        width, height = (int(inches * _SHOWN_DPI / 2) for inches in figure.get_size_inches())
        return stream.getvalue(), (width, height)


def sentence_of(ax: Axes) -> str:
    """Return what a chart says in words: its title, the largest of its marks, its notes."""
    figure: Any = ax.get_figure(root=True)
    owner = ax if ax in _DRAWN else next((one for one in figure.axes if one in _DRAWN), ax)
    said = [_title_of(owner), *_SAID.get(owner, ()), owner.get_xlabel()]
    flat = (" ".join(one.split()).rstrip(".") for one in said if one)
    return ". ".join(flat) + "."


def _title_of(ax: Axes) -> str:
    return " ".join(str(ax.get_title(loc="left")).split())


@dataclass(frozen=True)
class Sheet:
    """Axes to draw on, and the colours to draw with."""

    ax: Axes
    look: Look
    is_own: bool


def begin(ax: Axes | None, theme: str | None, height: float = HEIGHT) -> Sheet:
    """Prepare axes: the given ones, or those of a figure of their own."""
    is_own = ax is None
    if ax is None:
        look = look_of(theme)
        figure = Figure(figsize=(WIDTH, height), layout="constrained", facecolor=look.face)
        FigureCanvasAgg(figure)
        ax = figure.add_subplot(axes_class=ChartAxes)
    else:
        owner: Any = ax.get_figure(root=True)
        look = look_of(theme, owner.get_facecolor())
        owner.set_facecolor(look.face)
    ax.set_facecolor(look.face)
    ax.set_axisbelow(True)
    for side in ax.spines.values():
        side.set_visible(False)
    ax.tick_params(which="both", length=0, labelsize=TEXT, colors=look.muted, labelcolor=look.muted)
    return Sheet(ax, look, is_own)


def finish(
    sheet: Sheet, table: pd.DataFrame, title: str, note: str | None, *more: str, source: Any = None
) -> Axes:
    """Write title and note, and keep the drawn table within reach.

    Parameters
    ----------
    table
        What was drawn.
    note
        Words of the caller, before what is known of the data; "" leaves all notes out.
    more
        Sentences of the chart itself: what it leaves out.
    source
        The table whose attrs say how old and complete the data is, by default `table`.
    """
    facts: Any = (table if source is None else source).attrs
    said = "" if note == "" else " ".join(filter(None, [note, *more, note_of(facts)]))
    _write_title(sheet, title)
    if said:
        _write_note(sheet, said)
    write_plainly(sheet.ax)
    _DRAWN[sheet.ax] = table
    _SAID[sheet.ax] = told_by(table)
    return sheet.ax


def write_plainly(ax: Axes) -> None:
    """Set all text in fonts that have its letters; none of it is TeX or mathematics.

    Ticks that are made later take after the first one.
    """
    for text in ax.findobj(Text):
        text.set_usetex(False)
        text.set_parse_math(False)
        text.set_fontfamily(families())


def _write_title(sheet: Sheet, title: str) -> None:
    ax = sheet.ax
    legend = ax.get_legend()
    pad = 25 if legend is not None and legend.get_gid() == KEY else 9
    heading = ax.set_title(
        _wrapped(sheet, title, TITLE * 0.64), loc="left", fontsize=TITLE, fontweight="bold",
        color=sheet.look.ink, pad=pad, parse_math=False,
    )  # fmt: skip
    if sheet.is_own:
        _move_left(sheet, heading, heading.get_transform())


def _write_note(sheet: Sheet, said: str) -> None:
    """Write small text below the ticks: the label of the x axis, which gets room of its own."""
    below = sheet.ax.set_xlabel(
        _wrapped(sheet, said, SMALL * 0.56), loc="left", fontsize=SMALL, color=sheet.look.muted,
        labelpad=7, parse_math=False, linespacing=1.35,
    )  # fmt: skip
    if sheet.is_own:
        _move_left(sheet, below, IdentityTransform())


def _wrapped(sheet: Sheet, text: str, points: float) -> str:
    """Break text into lines that fit, of characters of about so many points."""
    figure: Any = sheet.ax.get_figure(root=True)
    wide = figure.get_size_inches()[0] * _share(sheet) * 72 / points
    lines = textwrap.wrap(literal(text), max(16, int(wide)), break_on_hyphens=False)
    return "\n".join(lines)


def _move_left(sheet: Sheet, text: Text, vertical: Transform) -> None:
    """Begin a text at the left edge of a figure of our own, where the longest label begins."""
    figure: Any = sheet.ax.get_figure(root=True)
    text.set_x(_MARGIN)
    text.set_transform(blended_transform_factory(figure.dpi_scale_trans, vertical))


def _share(sheet: Sheet) -> float:
    """Return the share of the figure's width that a note below these axes may take."""
    if sheet.is_own:
        return 0.97
    spec = sheet.ax.get_subplotspec()
    return 0.75 / (1 if spec is None else spec.get_gridspec().ncols)


def table_of(ax: Axes) -> pd.DataFrame:
    """Return the table that was drawn on axes.

    It is what the chart shows: filtered, small series grouped, in the order of drawing.

    Raises
    ------
    KeyError
        No function of this package drew on these axes.
    """
    if ax not in _DRAWN:
        raise KeyError("these axes were not drawn by seqdata.plots")
    return _DRAWN[ax]


def draw_nothing(sheet: Sheet, table: pd.DataFrame, title: str, why: str, note: str | None) -> Axes:
    """Draw an empty chart that says why it is empty."""
    ax = sheet.ax
    ax.set_xticks([])
    ax.set_yticks([])
    ax.text(
        0.5, 0.5, _wrapped(sheet, why, (TEXT + 1) * 0.75), transform=ax.transAxes, ha="center",
        va="center", fontsize=TEXT + 1, color=sheet.look.muted, parse_math=False,
    )  # fmt: skip
    return finish(sheet, table, title, note)
