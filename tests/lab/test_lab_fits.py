"""Every state of the widgets in a real JupyterLab: at each width, in each theme and font."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lab_kit import Desk, Notebook, Server
from look_kit import THEMES, Sheet, axe_finds, beyond, change_look, pale, windows
from panel_states import LONG, STATES, UNBROKEN
from playwright.sync_api import BrowserContext, Locator, Page, expect
from test_lab_looks import EXPLORER, Explorer
from waiting import PATIENCE

from seqdata.sandbox import Sandbox

#: As wide as the widest window of a desk, and so high that little is scrolled.
SIZE = {"width": 1280, "height": 1700}

GALLERY = [
    f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})",
    "import ipywidgets, panel_states",
    "gallery = ipywidgets.VBox().add_class('gallery')",
    "gallery",
]


@pytest.fixture(scope="module")
def gallery(server: Server, browser: BrowserContext) -> Iterator[Page]:
    """A page with a panel in each of its states, below each other; the module's tests share it."""
    with Sandbox(months=1, now="2026-11-01") as running:
        desk = Desk.set_up(running, server.root / "gallery")
    desk.write_notebook("mine.ipynb", GALLERY)
    server.set_up()
    assert browser.browser
    with browser.browser.new_context(viewport=SIZE) as context:
        context.set_default_timeout(PATIENCE * 1000)
        notebook = Notebook(context.new_page(), server, desk, "mine.ipynb")
        notebook.open()
        notebook.run()
        # One after the other: a kernel's socket drops what is more than 1,000 messages ahead of
        # its reader, without a word, and a panel is 200.
        for name in STATES:
            notebook.execute(f"gallery.children += (panel_states.drawn({name!r}),)")
        page = notebook.page
        expect(page.locator(".gallery .seqdata-panel")).to_have_count(len(STATES))
        expect(page.locator(".gallery .seqdata-panel .sqp-head").last).to_be_visible()
        yield page


def panels(page: Page) -> Iterator[tuple[str, Locator]]:
    for name in STATES:
        yield name, page.locator(f".gallery .{name.replace(' ', '-')}")


def test_no_state_of_the_panel_reaches_beyond_its_container(gallery: Page) -> None:
    """With long names and large fonts, at every width, no part is cut or stands out."""
    sheets = {name: Sheet(f"panel-{name.replace(' ', '-')}") for name in STATES}
    wrong: dict[str, list[str]] = {}
    for look in windows(gallery):
        for name, root in panels(gallery):
            sheets[name].add(root, look)
            if found := beyond(root):
                wrong[f"{name}, {look}"] = found
    for sheet in sheets.values():
        sheet.keep()
    assert wrong == {}


def test_every_state_of_the_panel_can_be_read_and_is_named(gallery: Page) -> None:
    """In both themes all texts and signs stand out, and axe finds nothing."""
    for theme in THEMES:
        change_look(gallery, theme)
        try:
            for name, root in panels(gallery):
                assert (name, pale(root)) == (name, [])
                if theme == "light":
                    finds = axe_finds(gallery, f".gallery .{name.replace(' ', '-')}")
                    assert (name, finds) == (name, [])
        finally:
            change_look(gallery, "light")


def test_layout_is_in_the_stylesheet_alone(gallery: Page) -> None:
    """No control carries an inline style that a rule could not reach; the label stands beside."""
    styled = gallery.locator(".gallery .seqdata-panel .jupyter-widgets").evaluate_all(
        "all => all.map(one => one.getAttribute('style')).filter(Boolean)"
    )
    assert styled == []
    field = gallery.locator(".gallery .form .seqdata-panel-amount")
    for width, columns in ((1280, 2), (600, 1)):
        gallery.set_viewport_size({"width": width, "height": 1700})
        tracks = field.evaluate("it => getComputedStyle(it).gridTemplateColumns")
        assert len(tracks.split()) == columns
    hint = gallery.locator(".gallery .form .seqdata-panel-amount-hint")
    gallery.set_viewport_size({"width": 860, "height": 1700})
    left = field.locator("input").bounding_box()
    below = hint.bounding_box()
    assert left is not None
    assert below is not None
    assert abs(left["x"] - below["x"]) < 2


@pytest.fixture
def explorer(open_notebook: Callable[..., Notebook], box: Sandbox) -> Explorer:
    """An explorer of a household with names that are long."""
    holdings = box._world.organizations[0].book.holdings.values()
    for name, longer in (("Groceries", LONG), ("Bills", UNBROKEN)):
        pod = next(one for one in holdings if one.name == name)
        pod.name = pod.node["name"] = longer
    return Explorer(open_notebook(*EXPLORER))


def test_no_state_of_the_explorer_reaches_beyond_its_container(explorer: Explorer) -> None:
    """With long names and large fonts, at every width, no part stands out or is cut unseen."""
    page, root = explorer.notebook.page, explorer.root
    wrong: dict[str, list[str]] = {}

    def look_at(name: str) -> None:
        sheet = Sheet(f"explorer-{name}")
        for look in windows(page):
            sheet.add(root, look)
            found = beyond(root)
            amounts = root.locator(".seqdata-explorer-row .seqdata-explorer-cell-amount")
            if name == "all" and not amounts.first.is_visible():
                found.append("no amount in sight")
            if found:
                wrong[f"{name}, {look}"] = found
        sheet.keep()

    look_at("all")
    assert axe_finds(page, ".seqdata-explorer") == []
    assert pale(root) == []
    root.locator(".seqdata-explorer-code summary").click()
    explorer.pick(LONG[:12])
    look_at("details")
    root.locator(".seqdata-explorer-own-split").click()
    look_at("split")
    for theme in THEMES:
        change_look(page, theme)
        assert pale(root) == []
        assert axe_finds(page, ".seqdata-explorer") == []
    change_look(page, "light")
    root.locator(".seqdata-explorer-filter-account").fill("Nobody")
    root.locator(".seqdata-explorer-filter-account").press("Enter")
    expect(root.get_by_role("alert")).to_contain_text("There is no account 'Nobody'.")
    look_at("error")
    root.locator(".seqdata-explorer-clear").click()
    root.locator(".seqdata-explorer-filter-text").fill("nothing has this in it")
    expect(root.locator(".seqdata-explorer-empty")).to_be_visible()
    look_at("empty")
    assert wrong == {}


def test_a_click_on_a_row_shows_its_details_where_the_eye_is(explorer: Explorer) -> None:
    """On a screen of 1280 by 800 all of the details' head is in sight right after the click."""
    page = explorer.notebook.page
    for width, height in ((1280, 800), (860, 800), (600, 800)):
        page.set_viewport_size({"width": width, "height": height})
        row = explorer.rows.filter(visible=True).nth(2)
        row.scroll_into_view_if_needed()
        row.click()
        head = explorer.root.locator(".seqdata-explorer-details-head")
        expect(head).to_be_in_viewport(ratio=1)
        page.keyboard.press("Escape")
        expect(head).to_be_hidden()
    page.set_viewport_size({"width": 1280, "height": 1700})


def test_a_category_is_set_and_filters_are_copied_in_the_browser(explorer: Explorer) -> None:
    """An open row takes a category, a click shows what failed, and the line can be copied."""
    root = explorer.root
    explorer.rows.filter(visible=True).first.click()
    details = root.locator(".seqdata-explorer-details")
    details.get_by_label("Category").fill("Gifts")
    details.get_by_label("Category").press("Enter")
    expect(root.locator(".seqdata-explorer-said")).to_have_text("Noted: Gifts.")
    expect(explorer.rows.filter(visible=True).first).to_contain_text("Gifts")
    failed = explorer.total("failed").get_by_role("button")
    count = (failed.text_content() or "").partition(" ")[0]
    failed.click()
    expect(explorer.status).to_contain_text(re.compile(f"of {count} \\("))
    root.locator(".seqdata-explorer-code summary").click()
    line = root.locator(".seqdata-explorer-code-line code").first
    expect(line).to_have_text("ledger.categorized(state=['cancelled', 'failed'])")
    explorer.notebook.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    root.locator(".seqdata-explorer-copy-python").click()
    expect(root.locator(".seqdata-explorer-said")).to_have_text("Copied: Python.")
    copied = explorer.notebook.page.evaluate("navigator.clipboard.readText()")
    assert copied == line.text_content()


def test_widgets_that_were_closed_with_their_ledger_say_so(
    open_notebook: Callable[..., Notebook],
) -> None:
    """A last cell that closes the ledger leaves words where panel and explorer were."""
    closing = [
        *EXPLORER[:-1],
        "import ipywidgets",
        "both = ipywidgets.VBox([ledger.transfer_panel(), ledger.explorer()])",
        "display(both)",
        "both.children[0].wait(); ledger.close()",
    ]
    page = open_notebook(*closing).page
    words = page.get_by_text("Closed with its ledger. Run the cells again.")
    expect(words).to_have_count(2)
