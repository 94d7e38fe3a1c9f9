"""Text of others, made fit to be shown: one line, of printable characters, and not too long."""

from __future__ import annotations

#: The most characters of somebody else's sentence that a sentence of ours quotes.
LONGEST_QUOTE = 200


def one_line(text: str, most: int = LONGEST_QUOTE) -> str:
    """Return a text as one line of printable characters, cut where it is long."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text[: most * 4])
    line = " ".join(shown.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
