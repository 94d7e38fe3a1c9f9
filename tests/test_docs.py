"""The documents say what is so: their lists are those of the code."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from seqdata import exceptions
from seqdata.config.settings import Settings

ROOT = Path(__file__).parent.parent


def test_the_error_tree_of_the_docs_is_that_of_the_code() -> None:
    """The page about errors shows the tree that exceptions.py draws."""
    drawn = (exceptions.__doc__ or "").split("::\n\n", 1)[1].split("\n\n", 1)[0]
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    assert textwrap.dedent(drawn) in page


def test_every_setting_stands_on_its_page() -> None:
    """The page about settings names each variable that is read, and no other."""
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    read = {f"SEQUENCE_{name.upper()}" for name in Settings.names()}
    assert set(re.findall(r"`(SEQUENCE_\w+)`", page)) == read
