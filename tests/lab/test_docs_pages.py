"""The built documentation, read by a real browser as a screen reader and a keyboard need it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from look_kit import axe_finds
from playwright.sync_api import BrowserContext
from waiting import LONG

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(browser: BrowserContext, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documentation, built for this module; after the browser: none is built in vain."""
    folder = tmp_path_factory.mktemp("docs") / "site"
    subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "-q", "--site-dir", str(folder)],
        cwd=ROOT, check=True, timeout=LONG, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    return folder


@pytest.mark.soak
def test_axe_finds_nothing_in_the_documentation(browser: BrowserContext, site: Path) -> None:
    """Every page of the documentation has its landmarks, names, order and contrast."""
    page = browser.new_page()
    wrong: dict[str, list[str]] = {}
    for path in sorted(site.rglob("*.html")):
        page.goto(path.as_uri())
        if found := axe_finds(page):
            wrong[path.relative_to(site).as_posix()] = found
    page.close()
    assert wrong == {}
