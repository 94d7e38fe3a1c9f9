"""Colours: light and dark themes, and a fixed place in the palette for each account."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.colors import to_hex, to_rgb, to_rgba

from seqdata.exceptions import InvalidFilter

Theme: TypeAlias = Literal["light", "dark"]

#: Places in a palette, of which the first eight stay apart for the colour-blind.
_PLACES, _FIRST = 24, 8

#: The least contrast of small text, by the Web Content Accessibility Guidelines (level AA).
LEAST_CONTRAST = 4.5


@dataclass(frozen=True)
class Look:
    """The colours of one theme, as hex text."""

    name: str
    face: str
    ink: str
    muted: str
    grid: str
    money_in: str
    money_out: str
    accent: str
    others: str
    palette: tuple[str, ...]
    heat: tuple[str, ...]

    def color(self, place: int | str) -> str:
        """Return the colour of a place in the palette; a colour stays what it is.

        The places 0 to 7 stay apart for the colour-blind too, all 24 for everybody else; then
        it begins again.
        """
        return to_hex(place) if isinstance(place, str) else self.palette[place % _PLACES]


# The palettes were searched for: the smallest distance (OKLab) between any two colours, also as
# seen with protanopia, deuteranopia and tritanopia, is as large as was found near good hues. After
# the first eight each colour is the one farthest from all before it, from the face and from grey.
LIGHT = Look(
    name="light",
    face="#FFFFFF",
    ink="#1F2933",
    muted="#5A6775",
    grid="#E6E9ED",
    money_in="#1A8FB8",
    money_out="#E2520D",
    accent="#2F6FD0",
    others="#A9B2BC",
    palette=(
        "#1451C5", "#E2520D", "#0D9C6F", "#A56ABB", "#C2AE0E", "#48B9F0", "#5D2D77", "#8F2E23",
        "#006100", "#FF86E7", "#866D00", "#556D86", "#FF9279", "#1886F3", "#C2316D", "#49C255",
        "#182492", "#AA866D", "#553D00", "#AA92FF", "#F36192", "#005561", "#92319E", "#6D92B6",
    ),
    heat=("#EEF1F4", "#CFE3F5", "#93C2EA", "#4D94D6", "#1E63B0", "#0B3470"),
)  # fmt: skip
DARK = Look(
    name="dark",
    face="#15181C",
    ink="#E8EAED",
    muted="#A3ACB8",
    grid="#2B3138",
    money_in="#45B8DE",
    money_out="#F07A35",
    accent="#6EA1F7",
    others="#6B7683",
    palette=(
        "#6EA1F7", "#F07A35", "#1EDD85", "#C785BE", "#EFB62A", "#B4C3DC", "#8F62D3", "#B5475F",
        "#249200", "#929E61", "#00F3FF", "#006DCE", "#926100", "#FF9EFF", "#00B6B6", "#C2E792",
        "#FFAA9E", "#0C7955", "#C249AA", "#B6796D", "#F36186", "#79B600", "#1892C2", "#AAC292",
    ),
    heat=("#22272D", "#17375E", "#1F5C9E", "#3C88D0", "#7DB8EE", "#D3E8FB"),
)  # fmt: skip
_LOOKS = {"light": LIGHT, "dark": DARK}


def look_of(theme: str | None, face: Any = None) -> Look:
    """Return the colours to draw with.

    Parameters
    ----------
    theme
        "light" or "dark"; None: what fits the face.
    face
        The figure's colour, by default that of matplotlib's settings. It is kept when `theme`
        is None, unless it is transparent.

    Raises
    ------
    InvalidFilter
        No such theme.
    """
    if theme is not None:
        if theme not in _LOOKS:
            raise InvalidFilter("theme", theme, sorted(_LOOKS))
        return _LOOKS[theme]
    red, green, blue, alpha = to_rgba(mpl.rcParams["figure.facecolor"] if face is None else face)
    if alpha < 0.5:
        return LIGHT
    own = to_hex((red, green, blue))
    look = LIGHT if luminance(own) > 0.179 else DARK  # where black and white read equally well
    ink = _readable(look.ink, own)
    return replace(look, face=own, ink=ink, muted=_readable(look.muted, own, ink))


def _readable(wanted: str, face: str, instead: str | None = None) -> str:
    for color in filter(None, (wanted, instead)):
        if contrast(color, face) >= LEAST_CONTRAST:
            return color
    return max("#000000", "#FFFFFF", key=lambda color: contrast(color, face))


def luminance(color: Any) -> float:
    """Return the relative luminance of a colour (WCAG 2): 0 for black, 1 for white."""
    channels = np.array(to_rgb(color))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one: Any, other: Any) -> float:
    """Return the contrast ratio of two colours (WCAG 2): 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def mixed(one: str, other: str, share: float) -> str:
    """Mix two colours: `share` (0 to 1) of the other one."""
    parts = (1 - share) * np.array(to_rgb(one)) + share * np.array(to_rgb(other))
    red, green, blue = (float(part) for part in parts)
    return to_hex((red, green, blue))


# -- places in the palette ---------------------------------------------------------------------


def account_colors(accounts: pd.DataFrame) -> dict[str, int]:
    """Give each account a place in the palette that does not depend on what a chart shows.

    Parameters
    ----------
    accounts
        All accounts: ``id`` and ``kind``, and ``name`` and ``created_at`` if they are known.

    Returns
    -------
    dict
        Place by account id, and by name where one account alone has it. Pods go up from the
        eight strongest colours, all others down from the last ones, each by creation, then
        by id: so a new account changes no other one's colour, and 24 have one of their own.
    """
    keys = [name for name in ("created_at", "id") if name in accounts]
    ordered = accounts.sort_values(keys, kind="stable")
    is_pod = (ordered["kind"] == "pod").to_numpy()
    ids = ordered["id"].astype("str")
    places = {own_id: place for place, own_id in enumerate(ids[is_pod])}
    places |= {own_id: (_PLACES - 1 - place) % _PLACES for place, own_id in enumerate(ids[~is_pod])}
    if "name" not in ordered:
        return places
    is_single = ordered["name"].notna() & ~ordered["name"].duplicated(keep=False)
    pairs = zip(ordered.loc[is_single, "name"].astype("str"), ids[is_single], strict=True)
    return {name: places[own_id] for name, own_id in pairs} | places


def chosen_colors(
    ids: Iterable[str], look: Look, colors: Mapping[str, int | str] | None = None
) -> dict[str, str]:
    """Return a colour for each id, no two alike while the palette lasts.

    Without `colors`, a place is found by a hash of the id: the same one in every chart, unless
    another id of this chart took it (then the next free one; ids are served in their order of
    text). With `colors`, these are kept unless two ids of this chart share one.
    """
    taken: dict[str, str] = {}
    given = colors or {}
    for own_id in sorted(set(ids), key=lambda one: (one not in given, one)):
        start = given.get(own_id, _hashed(own_id, _FIRST))
        choice = look.color(start)
        if not isinstance(start, str):
            near = ((start + step) % _FIRST for step in range(1, _FIRST))
            tries = (look.color(place) for place in (start, *near, *range(_FIRST, _PLACES)))
            choice = next((color for color in tries if color not in taken.values()), choice)
        taken[own_id] = choice
    return taken


def _hashed(text: str, size: int) -> int:
    return hashlib.blake2b(text.encode(), digest_size=4).digest()[0] % size
