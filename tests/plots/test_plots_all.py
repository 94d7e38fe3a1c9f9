"""What every chart keeps."""

from __future__ import annotations

import base64
import io
import subprocess
import sys
import threading
import warnings
from html import escape
from typing import Any

import matplotlib as mpl
import pytest
from charted import (
    HARD,
    NOTHING,
    TABLES,
    draw,
    drawn,
    function,
    overlaps,
    texts,
    title,
    told,
    words,
)  # fmt: skip
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from waiting import LONG

from seqdata import plots
from seqdata.exceptions import InvalidFilter, UsageError
from seqdata.plots.theme import LEAST_CONTRAST, contrast

CHARTS = sorted(TABLES)
every_chart = pytest.mark.parametrize("name", CHARTS)


@pytest.mark.parametrize("theme", ["light", "dark"])
@every_chart
def test_text_can_be_read_on_its_ground(name: str, theme: str) -> None:
    """Each text has a contrast of at least 4.5 to the figure, light and dark."""
    ax = draw(name, theme=theme)
    face = ax.get_figure().get_facecolor()
    shown = texts(ax)
    assert len(shown) > 3
    for one in shown:
        assert contrast(one.get_color(), face) >= LEAST_CONTRAST, one.get_text()


@every_chart
def test_texts_do_not_cover_one_another(name: str) -> None:
    """At six inches no tick, name, legend, title or note covers another one, or is cut off."""
    ax = drawn(name)
    figure: Any = ax.get_figure()
    assert figure.get_size_inches()[0] == 6
    shown = texts(ax)
    assert overlaps(shown) == []
    for one in shown:
        box = one.get_window_extent()
        assert box.x0 > -2, one.get_text()
        assert box.x1 < figure.bbox.x1 + 2, one.get_text()
        assert box.y0 > -2, one.get_text()
        assert box.y1 < figure.bbox.y1 + 2, one.get_text()


@every_chart
def test_names_are_drawn_as_they_are(name: str) -> None:
    """Dollar signs, underscores and braces of a name are no mathematics, and emoji no boxes."""
    ax = drawn(name)
    named = [one for one in texts(ax) if "teel" in one.get_text()]
    for one in named:
        assert "Gym of $teel $" in one.get_text()
        assert not one.get_parse_math()
    if name not in ("calendar", "cash_flow"):
        assert named
    for one in texts(ax):
        assert HARD[0][-1] not in one.get_text()


def shown(ax: Any) -> tuple[bytes, str, dict[str, Any]]:
    """What a notebook gets of a chart: the PNG, the HTML, and what is said of the PNG."""
    data, details = ax._repr_mimebundle_(include=None, exclude=None)
    return base64.b64decode(data["image/png"]), data["text/html"], details["image/png"]


@every_chart
def test_a_chart_needs_no_pyplot_and_no_main_thread(name: str) -> None:
    """A chart is drawn and shown on another thread, where pyplot's state would break."""
    drawn: list[bytes] = []
    thread = threading.Thread(target=lambda: drawn.append(shown(draw(name))[0]))
    thread.start()
    thread.join()
    assert drawn[0].startswith(b"\x89PNG")


def test_pyplot_is_not_imported() -> None:
    """Importing the charts leaves pyplot, and its registry of figures, alone."""
    code = "import sys, seqdata.plots; sys.exit('matplotlib.pyplot' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=LONG)


def test_pyplots_figures_stay_as_they_are() -> None:
    """Drawing opens no figure of pyplot's, and closes none."""
    from matplotlib import pyplot as plt

    with plt.rc_context({"backend": "agg"}):
        before = plt.get_fignums()
        draw("balances")._repr_mimebundle_()
        assert plt.get_fignums() == before


@every_chart
def test_axes_can_be_given(name: str) -> None:
    """A chart is drawn on the given axes, which are returned and keep their figure."""
    figure = Figure(figsize=(6, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    assert draw(name, ax=right) is right
    figure.draw_without_rendering()
    assert title(right)
    assert title(left) == ""
    assert right.get_figure() is figure
    assert right._left_title.get_window_extent().x1 < figure.bbox.x1
    shown = [one for one in texts(right) if one in right.get_xticklabels()]
    assert overlaps(shown) == []


@every_chart
def test_the_drawn_table_is_within_reach(name: str) -> None:
    """table_of gives a table with rows for each chart, and refuses axes of others."""
    assert len(plots.table_of(drawn(name))) > 0
    with pytest.raises(KeyError, match="not drawn by"):
        plots.table_of(Figure().subplots())


@every_chart
def test_an_empty_table_is_an_empty_chart_that_says_why(name: str) -> None:
    """Without rows a chart names its period and filters in its middle, and has no ticks."""
    table, own = TABLES[name]()
    filters = {"since": "2026-01-01", "until": "2026-02-01", "account": "Bills"}
    empty = told(table.iloc[:0].copy(), filters=filters)
    ax = function(name)(empty, **own)
    said = NOTHING[name] + " between Jan 1, 2026 and Feb 1, 2026 (account Bills)."
    assert said in {one.replace("\n", " ") for one in words(ax)}
    assert len(ax.get_xticks()) == len(ax.get_yticks()) == 0
    assert len(plots.table_of(ax)) == 0


@every_chart
def test_a_table_of_another_kind_is_refused_with_the_right_function(name: str) -> None:
    """A missing column is named, with the function whose table would do."""
    table, own = TABLES[name]()
    for wrong in (table[[one for one in table if "cents" not in one]], [1]):
        with pytest.raises(UsageError, match=r"\w+\(.*\)|DataFrame") as refused:
            function(name)(wrong, **own)
        assert f"plots.{function(name).__name__}" in str(refused.value)


@every_chart
def test_a_note_says_what_is_known_of_the_data(name: str) -> None:
    """Below each chart stand the caller's words, the gaps, the disguise and the last sync."""
    table, own = TABLES[name]()
    facts = {"is_complete": False, "gaps": ["nothing before 2025"], "share_safe": True}
    ax = function(name)(told(table, **facts), note="Mine.", **own)
    below = ax.get_xlabel().replace("\n", " ")
    assert below.startswith("Mine.")
    assert "Amounts and names disguised. Made-up data of a sandbox." in below
    assert "Incomplete: nothing before 2025. As of Oct 31, 2026." in below
    assert function(name)(table, note="", **own).get_xlabel() == ""


def test_only_a_sandbox_is_called_one() -> None:
    """Data of a server on this machine is made up only where the tables are a sandbox's."""
    here = {"app_url": "http://127.0.0.1:4000"}
    assert plots.note_of(here) is None
    assert plots.note_of({**here, "is_sandbox": False}) is None
    assert plots.note_of({**here, "is_sandbox": True}) == "Made-up data of a sandbox."


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Kiritimati", "UTC"])
@pytest.mark.parametrize("name", ["balances", "stacked", "upcoming", "recurring"])
def test_ticks_are_the_tables_days_in_any_zone(name: str, zone: str) -> None:
    """Whatever zone matplotlib is set to, ticks say the days that they stand at."""
    with mpl.rc_context({"timezone": zone}):
        ax = draw(name)
        ax.get_figure().draw_without_rendering()
        labels = [one.get_text() for one in ax.get_xticklabels()]
    with mpl.rc_context({"timezone": "UTC"}):
        assert labels == [one.get_text() for one in draw_ticks(name)]


def draw_ticks(name: str) -> Any:
    ax = draw(name)
    ax.get_figure().draw_without_rendering()
    return ax.get_xticklabels()


@pytest.mark.parametrize(
    "settings",
    [
        {"text.usetex": True},
        {"font.family": ["No Such Font"]},
        {"font.family": ["cmsy10"]},
        {"font.family": "serif", "font.serif": ["STIXSizeOneSym", "Nothing"]},
        {"axes.formatter.use_mathtext": True, "axes.unicode_minus": False},
    ],
    ids=["tex", "missing", "symbols", "serif", "math"],
)
@pytest.mark.parametrize("name", ["balances", "spending_by_month", "money_flow"])
def test_text_survives_matplotlibs_settings(name: str, settings: dict[str, Any]) -> None:
    """No text is TeX, and each letter has a font, whatever matplotlib is set to."""
    with warnings.catch_warnings(), mpl.rc_context(settings):
        warnings.simplefilter("error")
        ax = draw(name)
        assert shown(ax)[0].startswith(b"\x89PNG")
        assert not any(one.get_usetex() for one in texts(ax))
        if name == "balances":
            assert "Dining Out" in words(ax)


def test_a_note_of_complete_real_data_is_its_day() -> None:
    """Nothing but the day of the last sync is said of whole data; of no facts, nothing."""
    facts = {"is_complete": True, "app_url": "https://app.getsequence.io"}
    assert plots.note_of({"seqdata": {**facts, "last_sync_at": "2026-11-01T12:00:00+00:00"}}) == (
        "As of Nov 1, 2026."
    )
    assert plots.note_of(facts) is None
    assert plots.note_of({}) is None
    assert plots.note_of(None) is None
    assert plots.note_of({"is_complete": None}) == "It is not known whether this is complete."


@every_chart
def test_the_theme_follows_matplotlibs_settings(name: str) -> None:
    """Without a theme, a figure keeps the colour that matplotlib is set to, with text to fit."""
    with mpl.rc_context({"figure.facecolor": "#101418"}):
        ax = draw(name)
    assert mpl.colors.to_hex(ax.get_figure().get_facecolor()) == "#101418"
    for one in texts(ax):
        assert contrast(one.get_color(), "#101418") >= LEAST_CONTRAST


@every_chart
def test_a_wrong_word_is_refused_with_the_nearest(name: str) -> None:
    """A word that a chart does not have, or a missing table, is one sentence of ours."""
    chart: Any = function(name)
    with pytest.raises(UsageError, match=rf"plots.{chart.__name__} .*Did you mean theme=\?"):
        draw(name, them="dark")
    with pytest.raises(UsageError, match=rf"plots.{chart.__name__} needs "):
        chart()


def test_an_unknown_theme_names_the_choices() -> None:
    """A theme that does not exist is refused with the two that do."""
    with pytest.raises(InvalidFilter, match="dark, light"):
        draw("spending", theme="sepia")


@every_chart
def test_a_notebook_shows_the_picture_of_the_last_line(name: str) -> None:
    """Axes of a figure of their own give a notebook a PNG, and its size in pixels."""
    data, _, details = shown(draw(name))
    assert data.startswith(b"\x89PNG")
    # 8 points of six inches are 14 pixels then, as the prose of a notebook.
    assert details["width"] == 768
    assert len(data) < 120_000


@every_chart
def test_a_chart_has_words_and_its_table_at_hand(name: str) -> None:
    """Axes say in a sentence what they show, which a PNG holds too, and have their table."""
    ax: Any = drawn(name)
    assert ax.sentence.startswith(" ".join(title(ax).split()))
    assert "As of Oct 31, 2026" in ax.sentence
    assert ax.drawn is plots.table_of(ax)
    data, html, details = shown(ax)
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.text["Description"] == ax.sentence
    assert details["alt"] == ax.sentence
    assert f'<img alt="{escape(ax.sentence)}"' in html
    assert base64.b64encode(data).decode() in html


def test_the_public_names_are_sorted_and_documented() -> None:
    """__all__ is sorted, and each name is there with a docstring."""
    assert plots.__all__ == sorted(set(plots.__all__))
    assert all(getattr(plots, name).__doc__ for name in plots.__all__)
