# ruff: noqa: RUF001 - letters that look like others are what half of this is about
"""Text that others wrote: how it is shown, and which names are the same or look it."""

from __future__ import annotations

import json
import sys

import pytest
from hidden import hidden
from hypothesis import given
from hypothesis import strategies as st

from seqdata.cli.output import json_text
from seqdata.core.text import (
    alike,
    are_alike,
    in_encoding,
    nearest,
    normal,
    printable,
    printable_lines,
    quoted,
)

#: Letters, all that is hidden, and what is near it.
TEXT = st.text(
    st.characters() | st.sampled_from("\x00\x1b\r\n\u200b\u200d\u202e\ufe0f\ud83d👨❤1a ")
)


def test_every_character_that_hides_is_written_out() -> None:
    """Of all of Unicode, what is a control, a format or half a surrogate is shown as an escape."""
    for number in range(sys.maxunicode + 1):
        if hidden(chr(number)):
            shown = printable(f"a{chr(number)}b")
            assert shown.isascii(), hex(number)
            assert shown.startswith("a\\"), hex(number)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x1b]0;t\x07", "\\x1b[2J\\x1b]0;t\\x07"),
        ("a\rb\nc\td", "a\\rb\\nc\\td"),
        ("pay \u202etxt", "pay \\u202etxt"),
        ("a\u2028b\u2029c\x85d", "a\\u2028b\\u2029c\\x85d"),
        ("Gro\u200bceries\ufeff", "Gro\\u200bceries\\ufeff"),
        ("half \ud83d", "half \\ud83d"),
        ("\u3164\u034f\ufe0f\U000e0041", "\\u3164\\u034f\\ufe0f\\U000e0041"),
        ("a\u200db \u200d👨", "a\\u200db \\u200d👨"),
        ("👨\u200d", "👨\\u200d"),
        ("🏴\U000e0061", "🏴\\U000e0061"),
    ],
)
def test_what_hides_is_shown_as_an_escape(text: str, shown: str) -> None:
    """A person sees that something is there, and what."""
    assert printable(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "👨\u200d👩\u200d👧\u200d👦",
        "❤\ufe0f",
        "1\ufe0f\u20e3",
        "👩🏽\u200d🚀",
        "🏳\ufe0f\u200d🌈",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "Žofie",
        "日本",
        "\u05e2\u05d1\u05e8\u05d9\u05ea",
        "a\\b",
        "5 €",
    ],
)
def test_what_is_seen_stays(text: str) -> None:
    """Emoji with all that joins their parts, and the letters of any script, look as they did."""
    assert printable(text) == text


@given(TEXT)
def test_showing_twice_is_showing_once(text: str) -> None:
    """What was shown once can be shown again, and stays the same."""
    assert printable(printable(text)) == printable(text)


@given(TEXT)
def test_nothing_hidden_is_left(text: str) -> None:
    """No control and no mark of direction passes; of the others, the joiner inside an emoji."""
    assert hidden(printable(text)) <= {"\u200d"} | {chr(n) for n in range(0xE0020, 0xE0080)}
    assert hidden(printable_lines(text)) <= hidden(printable(text)) | {"\n"}


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"], exclude_characters="ᅟᅠㅤﾠ")))
def test_harmless_text_stays_as_it_is(text: str) -> None:
    """Letters, figures, signs and blanks are not touched."""
    assert printable(text) == text


@given(st.recursive(TEXT, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner)))
def test_json_for_programs_is_ascii_and_means_the_same(value: object) -> None:
    """A document for programs holds nothing hidden but line ends, and every text exactly."""
    document = json_text(value)
    assert document.isascii()
    assert hidden(document) <= {"\n"}
    assert json.loads(document) == json.loads(json.dumps(value))


@given(TEXT, st.sampled_from(["ascii", "latin-1", "cp1252", "cp437", "shift_jis", "utf-8"]))
def test_every_encoding_shows_every_text(text: str, encoding: str) -> None:
    """What an encoding lacks is written plainer or as an escape; what it has stays as it is."""
    shown = in_encoding(text, encoding)
    assert shown.encode(encoding).decode(encoding) == shown
    assert in_encoding(shown, encoding) == shown
    if text.isascii():
        assert shown == text


def test_signs_of_ours_have_plainer_ones() -> None:
    """Dots, arrows and lines are read as such where an encoding lacks them; a letter is escaped."""
    assert in_encoding("a… → ‘b’ ── Ž", "latin-1") == "a... -> 'b' -- \\u017d"
    assert in_encoding("a… → ‘b’ ── Ž", "cp1252") == "a… -> ‘b’ -- Ž"


def test_quotes_are_those_of_repr() -> None:
    """A name in quotes cannot end them, and family emoji inside look right."""
    assert quoted("Rent") == "'Rent'"
    assert quoted("Kid's") == '"Kid\'s"'
    assert quoted("""a'b"c""") == """'a\\'b"c'"""
    assert quoted("👨\u200d👩\u200d👧\x1b") == "'👨\u200d👩\u200d👧\\x1b'"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Groceries", "GROCERIES"),
        ("Groceries", "  gro\u00adceries "),
        ("Groceries", "Grоcеries"),
        ("Groceries", "Gro\u200bceries\u202e"),
        ("Kids  A", "Kids\tA"),
        ("Ρent", "Pent"),
        ("Bills", "BiIls"),
        ("Loan 10", "Loan IO"),
        ("Ｒｅｎｔ", "Rent"),
        ("❤", "❤️"),
        ("Café", "Cafe\u0301"),
    ],
)
def test_names_that_look_alike_are_found(one: str, other: str) -> None:
    """Case, blanks, hidden characters, other scripts and figures for letters deceive nobody."""
    assert are_alike(one, other)
    assert alike([one, "Something else", other]) == [True, False, True]


@pytest.mark.parametrize(
    ("one", "other"), [("Ali", "All"), ("Rent", "Rents"), ("Kid 1", "Kid 2"), ("Café", "Cafe")]
)
def test_names_that_differ_are_told_apart(one: str, other: str) -> None:
    """Names that a person sees to be different are not called alike."""
    assert not are_alike(one, other)


@given(TEXT)
def test_a_name_is_alike_to_its_own_writings(name: str) -> None:
    """Another case and other blanks make no other name, and normal is a normal form."""
    assert normal(normal(name)) == normal(name)
    assert are_alike(name, f" {name}\n")


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("weekly", ["week"]),
        ("Grocery", ["Groceries"]),
        ("incomming", ["incoming"]),
        ("setled", ["settled"]),
        ("yacht", []),
    ],
)
def test_what_was_meant_comes_near(word: str, near: list[str]) -> None:
    """A word that was mistyped, or another form of it, names the one that was meant first."""
    choices = ["day", "week", "month", "Groceries", "Housing", "incoming", "settled"]
    assert nearest(word, choices)[:1] == near
