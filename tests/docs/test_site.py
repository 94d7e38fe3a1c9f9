"""The site is whole: it builds without a warning, and everything public is on it."""

from __future__ import annotations

import importlib
import os
import re
import runpy
import subprocess
import sys
import zlib
from pathlib import Path
from types import ModuleType

import pytest
from pages import DOCS, PAGES, README, ROOT, anchors, links

from seqdata import Ledger, exceptions

PUBLIC = ["seqdata", "seqdata.analysis", "seqdata.plots", "seqdata.widgets", "seqdata.safeguards",
          "seqdata.sandbox"]  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site once, with warnings as errors."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def documented(site: Path) -> set[str]:
    """Return the full names of all that the site's reference documents."""
    raw = (site / "objects.inv").read_bytes()
    body = zlib.decompress(raw.split(b"\n", 4)[4]).decode()
    return {line.split(" py:")[0] for line in body.splitlines()}


def full_names(module: ModuleType, name: str) -> set[str]:
    """Return what an object of a module is called there, and where it is defined."""
    value = getattr(module, name)
    home = getattr(value, "__module__", module.__name__)
    return {f"{module.__name__}.{name}", f"{home}.{getattr(value, '__qualname__', name)}"}


@pytest.mark.parametrize("module", PUBLIC)
def test_every_public_name_is_documented(module: str, documented: set[str]) -> None:
    """Each name of a public module's __all__ stands in the reference."""
    loaded = importlib.import_module(module)
    names = [name for name in loaded.__all__ if name != "__version__"]
    missing = [name for name in names if not full_names(loaded, name) & documented]
    assert missing == []


def test_every_method_of_a_ledger_is_documented(documented: set[str]) -> None:
    """Each public method and property of Ledger is there, the inherited ones too."""
    names = [name for name in dir(Ledger) if not name.startswith("_")]
    missing = [name for name in names if f"seqdata.Ledger.{name}" not in documented]
    assert missing == []


def test_no_role_is_left_in_the_reference(site: Path) -> None:
    """The roles of the docstrings became links or code on every page."""
    left = {
        page.name: found
        for page in site.rglob("*.html")
        if (found := re.findall(r":(?:class|func|meth|attr|data|mod|exc):", page.read_text()))
    }
    assert left == {}


def test_the_site_loads_nothing_from_elsewhere(site: Path) -> None:
    """No page asks another server for a script, style, font or picture."""
    asked = re.compile(r"<(?:script|link|img|iframe)\b[^>]*(?:src|href)=[\"']?(?:https?:)?//[^>]*>")
    for page in site.rglob("*.html"):
        foreign = [tag for tag in asked.findall(page.read_text()) if 'rel="canonical"' not in tag]
        assert foreign == [], page


@pytest.mark.parametrize("file", ["cli.md", "tables.md", "../explanation/lies.md"])
def test_the_made_pages_are_current(file: str) -> None:
    """The pages of commands, tables and lies are what docs/reference/generate.py makes now."""
    made = runpy.run_path(str(DOCS / "reference" / "generate.py"))["PAGES"][file]()
    written = (DOCS / "reference" / file).read_text(encoding="utf-8")
    assert written == made, "run: python docs/reference/generate.py"


def test_every_error_is_explained() -> None:
    """The page of the errors has one row for each class, and for no other."""
    page = (DOCS / "errors.md").read_text(encoding="utf-8")
    explained = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    classes = [
        name
        for name, value in vars(exceptions).items()
        if isinstance(value, type) and issubclass(value, exceptions.SequenceError)
    ]
    assert sorted(explained) == sorted(classes)


def test_every_exit_code_is_explained() -> None:
    """The table of exit codes has those of the errors, and those that no error has."""
    page = (DOCS / "errors.md").read_text(encoding="utf-8")
    explained = {int(code) for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)}
    codes = {
        value.exit_code
        for value in vars(exceptions).values()
        if isinstance(value, type) and issubclass(value, exceptions.SequenceError)
    }
    assert explained == codes | {0, 8, 130}  # 8: a transfer that failed at the service


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    """Each link to a file of ours leads to one, and each anchor to a heading of it."""
    lost = []
    for path, anchor in links(page):
        target = (page.parent / path) if path else page
        is_page = target.suffix == ".md" and target.exists()
        if not target.exists() or (is_page and anchor and anchor not in anchors(target)):
            lost.append(f"{path}#{anchor}")
    assert lost == []


def test_the_readme_leads_to_the_site() -> None:
    """The README names the pages where a reader goes on."""
    text = README.read_text(encoding="utf-8")
    for page in ("docs/what-protects-your-money.md", "docs/settings.md", "docs/errors.md"):
        assert page in text
