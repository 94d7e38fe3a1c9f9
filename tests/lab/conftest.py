"""One JupyterLab server and one browser for the tests of a module."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from lab_kit import PANEL, Desk, Notebook, Panel, Server
from playwright.sync_api import BrowserContext, Page, expect
from waiting import PATIENCE

from seqdata.auth.login.chromium import find_browser, starting
from seqdata.exceptions import NoBrowser
from seqdata.sandbox import Sandbox

#: Wide enough for the widgets, and so high that nothing has to be scrolled.
SIZE = {"width": 1000, "height": 1700}

#: Closes every notebook of a page, and asks nobody whether it should be saved.
CLOSE = "() => { for (const one of [...jupyterapp.shell.widgets('main')]) one.dispose() }"


@pytest.fixture(scope="module")
def browser() -> Iterator[BrowserContext]:
    """A Chromium of the module's own; where there is none, the tests are skipped, but not in CI."""
    try:
        found = find_browser(None)
    except NoBrowser:
        if os.environ.get("CI"):
            raise
        pytest.skip("no browser to look at JupyterLab with; get one: seqdata browser install")
    expect.set_options(timeout=PATIENCE * 1000)
    with starting(found, headless=True) as running, running.new_context(viewport=SIZE) as context:
        context.set_default_timeout(PATIENCE * 1000)
        yield context


@pytest.fixture(scope="module")
def server(browser: BrowserContext, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A JupyterLab server; asked for after the browser, so that none starts in vain."""
    one = Server(tmp_path_factory.mktemp("lab"))
    try:
        one.start()
        yield one
    finally:
        one.stop()


@pytest.fixture(scope="module")
def pages() -> dict[tuple[str, bool], Page]:
    """The pages in which JupyterLab runs already, by what it looks like and saves."""
    return {}


@pytest.fixture
def box() -> Iterator[Sandbox]:
    """A sandbox of the test's own: transfers change it."""
    with Sandbox(months=1, now="2026-11-01") as running:
        yield running


@pytest.fixture
def open_notebook(
    server: Server,
    browser: BrowserContext,
    pages: dict[tuple[str, bool], Page],
    box: Sandbox,
    request: pytest.FixtureRequest,
) -> Iterator[Callable[..., Notebook]]:
    """Open a notebook of given cells in a folder whose settings point at the sandbox, and run it.

    Words beside `in_notebook7`, `theme` and `saves_widgets` are settings. JupyterLab itself
    takes longer to open than a test: the next notebook is opened in the page that has it.
    """

    def opened(
        *lines: str,
        in_notebook7: bool = False,
        theme: str = "light",
        saves_widgets: bool = False,
        **settings: Any,
    ) -> Notebook:
        desk = Desk.set_up(box, server.root / request.node.name, **settings)
        desk.write_notebook("mine.ipynb", list(lines))
        server.set_up(theme=theme, saves_widgets=saves_widgets)
        page = None if in_notebook7 else pages.get((theme, saves_widgets))
        notebook = Notebook(page or browser.new_page(), server, desk, "mine.ipynb")
        notebook.page.set_viewport_size(SIZE)
        if page:
            notebook.open_beside()
        else:
            notebook.open(in_notebook7=in_notebook7)
        notebook.run()
        if not in_notebook7:
            pages[theme, saves_widgets] = notebook.page
        return notebook

    yield opened
    for page in browser.pages:
        if page not in pages.values():
            page.close()
    for page in pages.values():
        page.evaluate(CLOSE)
    if server.url:
        server.end_kernels()


@pytest.fixture
def open_panel(open_notebook: Callable[..., Notebook]) -> Callable[..., Panel]:
    """Open a notebook with the transfer panel, as `open_notebook` does."""
    return lambda **words: Panel(open_notebook(*PANEL, **words))
