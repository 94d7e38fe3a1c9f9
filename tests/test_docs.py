"""The documents say what is so: their Python runs, and their lists are whole."""

from __future__ import annotations

import re
import runpy
import textwrap
from pathlib import Path

import pytest

from seqdata import exceptions
from seqdata._settings import Settings

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
SNIPPETS = [
    code
    for code in re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    if "Ledger.demo" in code
]


@pytest.mark.parametrize("number", range(len(SNIPPETS)))
def test_a_snippet_runs_without_an_account(
    number: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each snippet that starts a demo runs alone, and shows rows where it shows a table."""
    names = "from seqdata import Ledger\n"
    script = tmp_path / "snippet.py"
    script.write_text(names + SNIPPETS[number])
    runpy.run_path(str(script))
    shown = capsys.readouterr().out
    assert "Empty DataFrame" not in shown
    if "transfers_where" in SNIPPETS[number]:
        assert "Maple Street" in shown


def test_the_error_tree_of_the_docs_is_that_of_the_code() -> None:
    """The page about errors shows the tree that exceptions.py draws."""
    drawn = (exceptions.__doc__ or "").split("::\n\n", 1)[1].split("\n\n", 1)[0]
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    assert textwrap.dedent(drawn) in page


def test_every_setting_stands_on_its_page() -> None:
    """The page about settings names each variable that is read, and no other."""
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    read = {f"SEQUENCE_{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(r"`(SEQUENCE_\w+)`", page)) == read


@pytest.mark.parametrize(
    "page", [README, *sorted((ROOT / "docs").glob("*.md"))], ids=lambda p: p.name
)
def test_links_between_pages_resolve(page: Path) -> None:
    """Each link to another file of the project leads to one."""
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
