"""What the page for contributors names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "contributing.md").read_text("utf-8")

#: The files of the package, of the tests or of the docs, as the page writes them.
FILES = sorted(set(re.findall(r"`(\w+/[\w./]*\w+\.(?:py|toml|graphql))`", PAGE)))

FOLLOWED = re.findall(r"^\d+\. `([\w/.]+)`: `(\w+)`", PAGE, re.MULTILINE)

#: What stands as an example in the table, and the file beside it.
EXAMPLES = re.findall(r"^\| an? \w+, as `(\w+)` is \|.*?`([\w/.]+)`", PAGE, re.MULTILINE)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_named_is_there(name: str) -> None:
    """Every file and folder of the page is in the package, or in the repository."""
    assert (ROOT / "seqdata" / name).exists() or (ROOT / name).exists()


@pytest.mark.parametrize(("file", "name"), [*FOLLOWED, *[(file, name) for name, file in EXAMPLES]])
def test_what_is_followed_is_there(file: str, name: str) -> None:
    """Each name that the page follows, or gives as an example, is in the file that it says."""
    text = (ROOT / "seqdata" / file).read_text("utf-8")
    assert re.search(rf"\b(class|def) {name}\b|^ *{name}\b.*[:=]|\.{name}\(", text, re.MULTILINE)


def test_two_things_are_followed_in_ten_lines_each() -> None:
    """A cursor and an amount are followed from the wire, in ten lines each; examples are given."""
    assert len(FOLLOWED) == 20
    assert len(EXAMPLES) >= 6
