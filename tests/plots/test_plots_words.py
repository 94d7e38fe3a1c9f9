"""Dollars, dates, names, places and colours of the charts."""

from __future__ import annotations

from datetime import date
from itertools import combinations, pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgb

from seqdata import plots
from seqdata.plots.parts import spread
from seqdata.plots.theme import DARK, LIGHT, Look, chosen_colors, contrast, look_of
from seqdata.plots.words import (
    DollarFormatter,
    date_labels,
    dollars_of,
    literal,
    round_days,
    span_words,
)


@pytest.mark.parametrize(
    ("dollars", "text"),
    [
        (0, "$0"), (0.001, "$0"), (-300, "-$300"), (12.5, "$12.50"), (99.999, "$100"),
        (2_150, "$2,150"), (-1_000, "-$1,000"), (999.7, "$1,000"), (1.25e6, "$1,250,000"),
        (0.05, "$0.05"), (110, "$110"), (-0.004, "$0"), (17.99, "$17.99"), (2_150.4, "$2,150"),
    ],
)  # fmt: skip
def test_dollars_are_written_in_one_way(dollars: float, text: str) -> None:
    """Dollars have commas and no letters, cents where they matter, and the sign in front."""
    assert dollars_of(dollars) == text


@given(st.integers(-20, 20), st.sampled_from([1, 2, 2.5, 5]), st.integers(-2, 7))
def test_ticks_of_an_axis_are_different_and_exact(first: int, step: float, power: int) -> None:
    """Round ticks never share a label, and each label means its tick."""
    size = step * 10**power
    ticks = [(first + number) * size for number in range(6)]
    texts = DollarFormatter().format_ticks(ticks)
    assert len(set(texts)) == len(texts)
    for tick, text in zip(ticks, texts, strict=True):
        meant = float(text.replace("$", "").replace(",", ""))
        assert meant == pytest.approx(tick, abs=0.0051 + size / 100)


@given(
    # strftime writes no year after 9999
    st.dates(min_value=date(2015, 1, 1), max_value=date(9900, 1, 1)),
    st.integers(1, 6_000),
    st.integers(2, 9),
)
def test_dates_on_an_axis_are_few_and_different(first: date, days: int, room: int) -> None:
    """There are never more ticks than there is room for, they rise, and the year is said."""
    begin = pd.Timestamp(first)
    ticks = round_days(begin, begin + pd.Timedelta(days=days), room)
    assert len(ticks) <= room
    assert all(one < other for one, other in pairwise(ticks))
    labels = date_labels(ticks)
    if labels:
        assert str(ticks[0].year) in labels[0]
    whole = [f"{day:%Y}" + label for day, label in zip(ticks, labels, strict=True)]
    assert len(set(whole)) == len(whole)


def test_a_span_is_said_in_few_words() -> None:
    """What two days share is said once."""
    dash = "\N{EN DASH}"
    assert span_words("2026-10-01", "2026-10-31") == f"Oct 1 {dash} 31, 2026"
    assert span_words("2026-09-01", "2026-10-31") == f"Sep 1 {dash} Oct 31, 2026"
    assert span_words("2025-09-01", "2026-10-31") == f"Sep 1, 2025 {dash} Oct 31, 2026"
    assert span_words("2026-10-05", "2026-10-05") == "Oct 5, 2026"
    assert span_words("2026-10-05", "2026-10-31", monthly=True) == "Oct 2026"


@given(st.text())
def test_a_name_is_one_line_that_the_font_has(name: str) -> None:
    """Any text becomes one line of characters that can be drawn, never nothing."""
    shown = literal(name, 20)
    assert 0 < len(shown) <= 20
    assert "\n" not in shown
    assert literal(shown) == shown


def test_missing_names_are_unnamed() -> None:
    """No name becomes a word; a name of which no font has a character says what it shows."""
    assert [literal(one) for one in (None, float("nan"), "")] == ["unnamed"] * 3
    assert [literal(one) for one in ("🍜", "🍜🍜", "🎈 🍜")] == [
        "steaming bowl", "steaming bowl", "balloon, steaming bowl",
    ]  # fmt: skip
    assert literal("Vacaciones en Málaga") == "Vacaciones en Málaga"
    assert literal("Subscriptions and more", 10) == "Subscript…"


@given(st.lists(st.floats(0, 100), min_size=1, max_size=12))
def test_labels_move_apart_in_order(wanted: list[float]) -> None:
    """Labels keep their order and their distance, and stay on the chart where there is room."""
    placed = spread(wanted, 5, 0, 100)
    order = np.argsort(wanted, kind="stable")
    moved = np.array(placed)[order]
    assert (np.diff(moved) >= 5 - 1e-6).all()
    assert moved.min() >= -1e-9
    assert moved.max() <= 100 + 1e-6
    if len(wanted) < 2 or np.diff(np.sort(wanted)).min() >= 5:
        assert placed == pytest.approx(wanted)


# -- colours -----------------------------------------------------------------------------------

#: Machado, Oliveira and Fernandes (2009): how colours look without one kind of cone.
BLINDNESS = {
    "none": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protanopia": [
        [0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}  # fmt: skip
_TO_CONES = [
    [0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005],
]  # fmt: skip
_TO_LAB = [
    [0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
    [0.0259040371, 0.7827717662, -0.8086757660],
]  # fmt: skip


def seen(color: str, blindness: str) -> np.ndarray:
    """Return where a colour lies in OKLab, as seen, times 100."""
    channels = np.array(to_rgb(color))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.array(BLINDNESS[blindness]) @ linear, 0, 1)
    return 100 * np.array(_TO_LAB) @ np.cbrt(np.array(_TO_CONES) @ linear)


@pytest.mark.parametrize("blindness", sorted(BLINDNESS))
@pytest.mark.parametrize("look", [LIGHT, DARK], ids=["light", "dark"])
def test_colours_stay_apart_for_the_colour_blind(look: Look, blindness: str) -> None:
    """Any two of the eight hues differ clearly, also without one kind of cone."""
    distances = [
        float(np.linalg.norm(seen(one, blindness) - seen(other, blindness)))
        for one, other in combinations(look.palette[:8], 2)
    ]
    assert min(distances) > 8  # Okabe and Ito's own palette has 7.6
    money = seen(look.money_in, blindness) - seen(look.money_out, blindness)
    assert np.linalg.norm(money) > 15


@pytest.mark.parametrize("look", [LIGHT, DARK], ids=["light", "dark"])
def test_colours_are_seen_on_their_ground(look: Look) -> None:
    """Each hue stands out from the face, and heat grows from the face to the strongest."""
    assert min(contrast(color, look.face) for color in look.palette) > 2
    steps = [contrast(color, look.face) for color in look.heat]
    assert steps == sorted(steps)


@pytest.mark.parametrize("look", [LIGHT, DARK], ids=["light", "dark"])
def test_no_two_of_the_palette_look_alike(look: Look) -> None:
    """Any two of the 24 colours differ by more than a glance could miss."""
    colors = [look.color(place) for place in range(24)]
    apart = [
        np.linalg.norm(seen(one, "none") - seen(other, "none"))
        for one, other in combinations(colors, 2)
    ]
    assert min(apart) > 10


@given(st.sets(st.text(min_size=1, max_size=6), max_size=24))
def test_no_two_series_share_a_colour(ids: set[str]) -> None:
    """Up to 24 series have colours of their own, in any order."""
    chosen = chosen_colors(ids, LIGHT)
    assert len(set(chosen.values())) == len(ids)
    assert chosen == chosen_colors(sorted(ids, reverse=True), LIGHT)


def test_a_new_account_changes_no_colour() -> None:
    """Accounts keep their places when another one is opened, of any kind."""
    before = pd.DataFrame(
        {"id": ["b", "a", "c"], "kind": ["pod", "port", "pod"], "created_at": [2, 1, 3]}
    )
    new = pd.DataFrame({"id": ["0", "1"], "kind": ["pod", "account"], "created_at": [9, 9]})
    old_places = plots.account_colors(before)
    places = plots.account_colors(pd.concat([before, new], ignore_index=True))
    assert {own_id: places[own_id] for own_id in old_places} == old_places
    assert len(set(places.values())) == 5


def test_two_dozen_accounts_have_places_of_their_own() -> None:
    """Up to 24 accounts of all kinds share no place, and pods have the strongest ones."""
    kinds = ["pod"] * 13 + ["port"] * 5 + ["account"] * 6
    accounts = pd.DataFrame({"id": [f"{i:02}" for i in range(24)], "kind": kinds})
    places = plots.account_colors(accounts)
    assert len(set(places.values())) == 24
    assert [places[f"{i:02}"] for i in range(13)] == list(range(13))


def test_given_colours_are_kept() -> None:
    """A colour that a person gives is drawn as it is."""
    assert chosen_colors(["a", "b"], LIGHT, {"a": "green", "b": 0}) == {
        "a": "#008000",
        "b": LIGHT.palette[0],
    }


@pytest.mark.parametrize("face", ["#777777", "#808080", "black", "white", "0.3", "0.6"])
def test_any_ground_has_text_that_can_be_read(face: str) -> None:
    """On any grey, ink and the quiet ink have a contrast of 4.5 at least."""
    look = look_of(None, face)
    assert contrast(look.ink, face) >= 4.5
    assert contrast(look.muted, face) >= 4.5
