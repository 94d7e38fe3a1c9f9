r"""Text that others wrote, as it may be shown: what cannot be seen is written out.

A name, a description or a reason can hold characters that move the cursor, change the colour of
a terminal, turn the direction of writing around, or take no room at all. Data keeps them; what
a person reads shows them as ``\x1b`` or ``\u202e``, so that it is seen that something is there.
"""

# ruff: noqa: RUF001 - letters that look like others are what half of this is about

from __future__ import annotations

import codecs
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from difflib import get_close_matches

#: The most characters of somebody else's sentence that a sentence of ours quotes.
LONGEST_QUOTE = 200

#: Controls, halves of a surrogate pair, ends of lines, marks of direction, and all else that
#: Unicode calls ignorable: a class of a regular expression. (DerivedCoreProperties,
#: Default_Ignorable_Code_Point; the categories Cc, Cs, Zl, Zp and, of Cf, what has no glyph.)
_UNSEEN = (
    r"\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    r"\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    r"\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)

_PICTURE = (
    r"[\xa9\xae\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u25fe\u2600-\u27bf"
    r"\u2934\u2935\u2b05-\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
)
_ELEMENT = rf"(?:{_PICTURE}\ufe0f?[\U0001f3fb-\U0001f3ff]?|[0-9#*]\ufe0f\u20e3)"

#: The flags of England, Scotland and Wales are written with characters that nobody sees.
_FLAG = (
    r"\U0001f3f4\U000e0067\U000e0062(?:\U000e0065\U000e006e\U000e0067|"
    r"\U000e0073\U000e0063\U000e0074|\U000e0077\U000e006c\U000e0073)\U000e007f"
)

#: A picture is kept whole, with what joins its parts; anywhere else a joiner is written out.
_SHOWN = re.compile(rf"({_FLAG}|{_ELEMENT}(?:\u200d{_ELEMENT})*)|([{_UNSEEN}])")
_HIDDEN = re.compile(f"[{_UNSEEN}]")


def printable(text: str) -> str:
    """Return a text for one line of anything that a person reads.

    What cannot be seen, or changes how its surroundings look, is written as an escape, line
    ends and tabs too. The joiners inside an emoji stay. What was escaped once stays the same.
    """
    return _SHOWN.sub(_written, text)


def printable_lines(text: str) -> str:
    r"""Return a text for a person to read that has lines of its own: ``\n`` stays."""
    return "\n".join(map(printable, text.split("\n")))


def one_line(text: str, most: int = LONGEST_QUOTE) -> str:
    """Return somebody else's sentence as one line that can be shown, cut where it is long."""
    line = printable(" ".join(text[: most * 4].split()))
    return line if len(line) <= most else f"{line[: most - 1]}…"


def quoted(text: str) -> str:
    """Return a name in quotes, as :func:`repr` chooses them, and as :func:`printable` shows it."""
    mark = '"' if "'" in text and '"' not in text else "'"
    inside = printable(text).replace(mark, f"\\{mark}")
    return f"{mark}{inside}{mark}"


def _written(found: re.Match[str]) -> str:
    return found[1] or found[2].encode("unicode_escape").decode("ascii")


#: What stands for signs of ours, and for those of typography, where an encoding lacks them.
_PLAINER = {
    "…": "...", "→": "->", "─": "-", "–": "-", "—": "--", "−": "-", "×": "x", "≤": "<=", "≥": ">=",
    "‘": "'", "’": "'", "“": '"', "”": '"', "•": "*", "\xa0": " ", "█": "#",
}  # fmt: skip

#: How a stream is to write what its encoding lacks: the name of an error handler of codecs.
PLAINER = "seqdata.plainer"


def _plainer(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    escaped = (one.encode("unicode_escape").decode("ascii") for one in lacking)
    return "".join(map(_PLAINER.get, lacking, escaped)), error.end


codecs.register_error(PLAINER, _plainer)


def in_encoding(text: str, encoding: str) -> str:
    """Return a text as a stream of that encoding shows it, so that its width is known before."""
    return text.encode(encoding, PLAINER).decode(encoding)


# -- names that are the same, or look the same ------------------------------------------------


def normal(name: str) -> str:
    """Return what all writings of one name share: every comparison of names is of these.

    NFKC, without case, each apostrophe as ``'``, blanks as one blank and none at the ends.
    Accents count as they were typed.
    """
    if name.isascii():
        return " ".join(name.lower().replace("`", "'").split())
    folded = unicodedata.normalize("NFKC", name.translate(_APOSTROPHES)).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).translate(_APOSTROPHES).split())


def nearest(word: str, choices: Iterable[str]) -> list[str]:
    """Return the choices that a word may have been meant for, the nearest first, at most three."""
    known = {normal(choice): choice for choice in choices}
    return [known[found] for found in get_close_matches(normal(word), known, cutoff=0.6)]


def are_alike(one: str, other: str) -> bool:
    """Tell whether two names are the same, or look so much alike that a person takes them so."""
    return not _looks(one).isdisjoint(_looks(other))


def alike(names: Iterable[str]) -> list[bool]:
    """Tell of each name whether another one of the list looks like it."""
    looks = [_looks(name) for name in names]
    counts = Counter(look for found in looks for look in found)
    return [any(counts[look] > 1 for look in found) for found in looks]


def groups_alike(names: Iterable[str]) -> list[list[int]]:
    """Return the places of names that look alike, a list each; of one that nothing is like, none.

    What looks like one of a list is in it, though it looks like no other one there.
    """
    first: dict[str, int] = {}
    group: list[int] = []
    for place, name in enumerate(names):
        group.append(place)
        for look in _looks(name):
            joined = {_root(group, place), _root(group, first.setdefault(look, place))}
            for root in joined:
                group[root] = min(joined)
    found: dict[int, list[int]] = {}
    for place in range(len(group)):
        found.setdefault(_root(group, place), []).append(place)
    return [places for places in found.values() if len(places) > 1]


def _root(group: list[int], place: int) -> int:
    while group[place] != place:
        place = group[place]
    return place


def _looks(name: str) -> frozenset[str]:
    """Return how a name looks: with the letters of other scripts, and with O for 0, l for I."""
    # NFKC makes other letters of some that look like Latin ones: they are looked at before it too.
    folded = unicodedata.normalize("NFKC", name.translate(_LOOK_ALIKES))
    seen = _HIDDEN.sub(_blank, folded).translate(_LOOK_ALIKES)
    return frozenset({normal(seen), normal(seen.translate(_SAME_SCRIPT))})


def _blank(found: re.Match[str]) -> str:
    return " " if found[0].isspace() else ""


def _pairs(letters: str, like: str) -> dict[int, str]:
    return {ord(one): other for one, other in zip(letters, like, strict=True)}


#: What is common of Unicode's confusables (UTS 39): each letter, and the one that it looks like.
_LOOK_ALIKES = {
    **_pairs("АВЕЅЗІЈКМНОРСТУХҮԌԚԜЬ", "ABES3IJKMHOPCTYXYGQWb"),  # Cyrillic
    **_pairs("авеѕзіјкмнорстухүһԁԛԝѵӏьё", "abes3ijkmhopctyxyhdqwvlbë"),
    **_pairs("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹ", "ABEZHIKMNOPTYXC"),  # Greek
    **_pairs("αβεηικνορτυχϲγω", "abenikvoptuxcyw"),
    **_pairs("օսոհցԼՏՕ", "ounhgLSO"),  # Armenian
    **_pairs("ᎪᏴᏟᎬᎻᎫᏦᏞᎷᏢᏚᎢᏙᎳᏃ", "ABCEHJKLMPSTVWZ"),  # Cherokee
    **_pairs("ıɑɡɩʟ‐‑‒–—−‘’ʼ′⠀", "iagiL------'''' "),
    **dict.fromkeys(map(ord, "\u115f\u1160\u3164\uffa0"), ""),  # Hangul's fillers show nothing
}
_SAME_SCRIPT = _pairs("I1|0", "lllO")
#: Before NFKC too: it makes a blank and an accent of the acute one.
_APOSTROPHES = dict.fromkeys(map(ord, "`´‘’‛ʹʻʼʽˈ′＇"), "'")


def format_cents(cents: int) -> str:
    """Write cents as dollars the way the service does: ``"$1,234.56"``, ``"-$1,234.56"``."""
    sign = "-" if cents < 0 else ""
    dollars, rest = divmod(abs(cents), 100)
    return f"{sign}${dollars:,}.{rest:02d}"


def decimal_text(cents: int) -> str:
    """Write cents as a plain decimal number with two places: ``"1234.56"``, ``"-0.05"``."""
    sign = "-" if cents < 0 else ""
    dollars, rest = divmod(abs(cents), 100)
    return f"{sign}{dollars}.{rest:02d}"
