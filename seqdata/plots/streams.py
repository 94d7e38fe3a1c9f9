"""Money flow: from income through ports and pods to what it was spent on.

matplotlib's own Sankey knows one node at a time, and the libraries on top of it one step, or an
order of nodes that the caller works out; so the layout is made here (:mod:`alluvial`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib.patheffects import withStroke

from seqdata.core.usage import told
from seqdata.plots.alluvial import Layout, layout, used_layers
from seqdata.plots.canvas import SMALL, Sheet, begin, draw_nothing, finish
from seqdata.plots.notes import check_table, nothing, told_span
from seqdata.plots.parts import height_of, spread, write
from seqdata.plots.theme import chosen_colors
from seqdata.plots.words import dollars_of, literal

_COLUMNS = ("from_name", "from_kind", "to_name", "to_kind", "moved_cents")

#: Width of a node, in the unit of the x axis: from the first column to the last.
_NODE = 0.018

#: The kinds that have colours of their own; income, categories and outside accounts are grey.
_COLORED = ("pod", "port")


@told("plots")
def money_flow(
    table: pd.DataFrame,
    *,
    most: int = 10,
    colors: Mapping[str, int | str] | None = None,
    ax: Axes | None = None,
    theme: str | None = None,
    note: str | None = None,
) -> Axes:
    """Draw how money flowed: income, ports, pods, and what it was spent on or left for.

    The width of a stream is its money. Opposite moves between two pods are netted; a pod that
    got more than it gave away kept the rest.

    Parameters
    ----------
    table
        What ``money_flow()`` makes.
    most
        Nodes in a column at most; the smallest ones become one.
    colors
        Place in the palette, or a colour, by the name of a pod or port: see
        :func:`account_colors`.
    ax, theme, note
        As for :func:`balances`.

    Returns
    -------
    Axes
        :func:`table_of` gives the drawn table: one row a stream, ``from_name``, ``from_kind``,
        ``to_name``, ``to_kind``, ``moved_cents``, ``moved``.

    Raises
    ------
    UsageError
        The table lacks columns.
    InvalidFilter
        No such theme.
    """
    check_table(table, _COLUMNS, "money_flow", "money_flow()")
    sheet = begin(ax, theme, height=4.4)
    placed = layout(table, most)
    drawn = _drawn(placed)
    span = told_span(table)
    title = "Money flow" + (f", {span}" if span else "")
    if drawn.empty:
        return draw_nothing(sheet, drawn, title, nothing("money flow", table), note)
    _draw(sheet, placed, _paint(sheet, placed, colors))
    left_out = placed.left_out_cents / 100
    more = [f"Not drawn: {dollars_of(left_out)} that went back or around."] if left_out else []
    return finish(sheet, drawn, title, note, *more, source=table)


def _drawn(placed: Layout) -> pd.DataFrame:
    by_key = placed.nodes.set_index("key")
    links = placed.links
    columns: dict[str, Any] = {
        f"{end}_{what}": links[f"{end}_key"].map(by_key[what]).astype("str")
        for end in ("from", "to")
        for what in ("name", "kind")
    }
    table = pd.DataFrame({**columns, "moved_cents": links["moved_cents"].astype("int64")})
    return table.assign(moved=table["moved_cents"] / 100)


def _paint(sheet: Sheet, placed: Layout, colors: Mapping[str, int | str] | None) -> dict[str, str]:
    """Return each node's colour by its key."""
    nodes = placed.nodes
    own = chosen_colors(nodes.loc[nodes["kind"].isin(_COLORED), "name"], sheet.look, colors)
    return {
        key: own[name] if kind in _COLORED else sheet.look.others
        for key, name, kind in zip(nodes["key"], nodes["name"], nodes["kind"], strict=True)
    }


def _draw(sheet: Sheet, placed: Layout, paint: dict[str, str]) -> None:
    ax, nodes = sheet.ax, placed.nodes
    last = max(int(nodes["layer"].max()), 1)
    ax.set_xlim(-0.005, 1 + _NODE + 0.005)
    ax.set_ylim(1.03, -0.03)
    ax.set_xticks([])
    ax.set_yticks([])
    by_key = nodes.set_index("key")
    opacity = 0.38 if sheet.look.name == "light" else 0.5
    links: Any = placed.links.itertuples(index=False)
    for link in links:
        one, other = by_key.loc[link.from_key], by_key.loc[link.to_key]
        ribbon = _ribbon(
            one["layer"] / last + _NODE, other["layer"] / last, link.from_top, link.to_top,
            link.thickness,
        )  # fmt: skip
        is_arriving = one["kind"] != "pod" and other["kind"] in _COLORED
        color = paint[link.to_key if is_arriving else link.from_key]
        patch = PathPatch(ribbon, facecolor=color, alpha=opacity, linewidth=0, zorder=1)
        patch.set_gid(f"{link.from_key}>{link.to_key}")
        ax.add_patch(patch)
    boxes: Any = nodes.itertuples(index=False)
    for node in boxes:
        corner, height = (node.layer / last, node.top), node.bottom - node.top
        box = Rectangle(corner, _NODE, height, facecolor=paint[node.key], linewidth=0, zorder=2)
        box.set_gid(node.key)
        ax.add_patch(box)
    for layer in used_layers(nodes):
        _label(sheet, nodes[nodes["layer"] == layer], layer / last, 1 / last, layer == last)


def _ribbon(x0: float, x1: float, y0: float, y1: float, thick: float) -> Path:
    """Return a stream as a closed path: two curves that leave and arrive level."""
    middle = (x0 + x1) / 2
    points = [
        (x0, y0), (middle, y0), (middle, y1), (x1, y1),
        (x1, y1 + thick), (middle, y1 + thick), (middle, y0 + thick), (x0, y0 + thick), (x0, y0),
    ]  # fmt: skip
    curve = [Path.CURVE4] * 3
    return Path(points, [Path.MOVETO, *curve, Path.LINETO, *curve, Path.CLOSEPOLY])


def _label(sheet: Sheet, nodes: pd.DataFrame, x: float, width: float, is_last: bool) -> None:
    """Write the names of one column: right of it, at the last one outside of the chart.

    Between columns, money has a line of its own where the node is tall enough, and none else.
    """
    middles = ((nodes["top"] + nodes["bottom"]) / 2).tolist()
    places = spread(middles, height_of(sheet, SMALL * 1.3), 0.0, 1.0)
    tall = height_of(sheet, SMALL * 3.0)
    room = 24 if is_last else max(8, int(width * _points(sheet) / (SMALL * 0.6)) - 3)
    halo = [withStroke(linewidth=1.8, foreground=sheet.look.face, alpha=0.85)]
    rows: Any = nodes.itertuples(index=False)
    for place, node in zip(places, rows, strict=True):
        name, money = literal(node.name, room), dollars_of(node.cents / 100)
        two_lines = f"{name}\n{money}" if node.bottom - node.top > tall else name
        write(
            sheet, x + _NODE, place, f"{name}  {money}" if is_last else two_lines, xytext=(4, 0),
            fontsize=SMALL, color=sheet.look.ink, path_effects=halo, zorder=5, gid="label",
        )  # fmt: skip


def _points(sheet: Sheet) -> float:
    """Return about how wide the streams are drawn, in points."""
    figure: Any = sheet.ax.get_figure(root=True)
    return float(figure.get_size_inches()[0] * sheet.ax.get_position().width * 72)
