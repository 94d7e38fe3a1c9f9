"""The documents as tests see them: their fenced blocks, links and anchors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
README = ROOT / "README.md"

#: Made from the notebooks, and held by their own tests; an inner page of the changelog.
_MADE = ("notebooks/", "changelog.md")

PAGES = [README] + [
    page
    for page in sorted(DOCS.rglob("*.md"))
    if not page.relative_to(DOCS).as_posix().startswith(_MADE)
]

_FENCE = re.compile(
    r"^(?P<fence>`{3,})(?P<language>\w*)[^\n]*\n(?P<text>.*?)^(?P=fence)$", re.MULTILINE | re.DOTALL
)
_NOT_RUN = re.compile(r"<!-- not run: [^>]+ -->\s*$")


@dataclass(frozen=True)
class Block:
    """One fenced block; `output` is the ``text`` block that stands right after it, if any."""

    language: str
    text: str
    line: int
    is_run: bool
    output: str | None


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page, from its top to its bottom."""
    text = page.read_text(encoding="utf-8")
    found = list(_FENCE.finditer(text))
    return [
        Block(
            language=one["language"],
            text=one["text"],
            line=text.count("\n", 0, one.start()) + 1,
            is_run=not _NOT_RUN.search(text, 0, one.start()),
            output=_output(text, one, after),
        )
        for one, after in zip_longest(found, found[1:])
    ]


def _output(text: str, one: re.Match[str], after: re.Match[str] | None) -> str | None:
    if after is None or after["language"] != "text" or text[one.end() : after.start()].strip():
        return None
    return after["text"]


def prose(page: Path) -> str:
    """Return a page without its fenced blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def links(page: Path) -> Iterator[tuple[str, str]]:
    """Yield target and anchor of each link and picture to something of ours."""
    for target in re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", prose(page)):
        path, _, anchor = target.partition("#")
        yield path, anchor


def anchors(page: Path) -> set[str]:
    """Return what the headings of a page can be linked by."""
    found = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {slug(heading) for heading in found}


def slug(heading: str) -> str:
    """Make the anchor of a heading, as Markdown's toc does."""
    words = re.sub(r"[^\w\s-]", "", heading.replace("`", "")).strip().lower()
    return re.sub(r"[-\s]+", "-", words)
