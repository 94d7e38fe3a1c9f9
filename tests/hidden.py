"""Characters that nobody sees, or that change what stands around them."""

from __future__ import annotations

import unicodedata

#: Format characters that have a glyph, or stand in words of a living script.
SEEN_FORMATS = {0x600, 0x601, 0x602, 0x603, 0x604, 0x605, 0x6DD, 0x70F, 0x890, 0x891, 0x8E2,
                0x110BD, 0x110CD}  # fmt: skip
_KINDS = {"Cc", "Cs", "Zl", "Zp", "Cf"}


def hidden(text: str) -> set[str]:
    """The controls, formats and halves of a surrogate pair in a text."""
    return {
        one for one in text if unicodedata.category(one) in _KINDS and ord(one) not in SEEN_FORMATS
    }
