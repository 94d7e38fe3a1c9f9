"""What can be measured of how a widget looks: its edges, its contrast, and what axe finds."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from PIL import Image, ImageDraw
from playwright.sync_api import Locator, Page

#: Windows of a desk, of half a desk, and of a very small one.
WIDTHS = (1280, 860, 600)

#: As installed, and as somebody sets it who wants to read it from further away.
FONTS = (13, 16)

THEMES = ("light", "dark")

#: Least contrast of text to what is behind it (WCAG 2, level AA); large text needs less.
LEAST, LEAST_LARGE = 4.5, 3.0

_CONTRASTS = """root => {
  const parts = text => {
    const found = (text.match(/[\\d.]+/g) || []).map(Number);
    return text.startsWith("color(") ? found.map((v, i) => i < 3 ? v * 255 : v) : found;
  };
  const over = (top, below) => {
    const alpha = top.length > 3 ? top[3] : 1;
    return [0, 1, 2].map(i => alpha * top[i] + (1 - alpha) * below[i]);
  };
  const light = rgb => {
    const [r, g, b] = rgb.map(v => v / 255).map(
      v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = element => {
    const found = [];
    for (let one = element; one; one = one.parentElement)
      found.push(parts(getComputedStyle(one).backgroundColor));
    return found.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
  };
  const seen = [];
  const look = (element, words, style) => {
    const back = behind(element);
    const [a, b] = [light(over(parts(style.color), back)), light(back)].sort((x, y) => y - x);
    const size = parseFloat(style.fontSize), bold = parseInt(style.fontWeight) >= 700;
    const large = size >= 24 || (bold && size >= 18.6);
    seen.push({words, large, ratio: (a + 0.05) / (b + 0.05)});
  };
  for (const element of root.querySelectorAll("*")) {
    if (!element.checkVisibility({visibilityProperty: true, opacityProperty: true})) continue;
    if (element.closest(':disabled, [aria-disabled=true], style, script')) continue;
    for (const node of element.childNodes)
      if (node.nodeType === 3 && node.data.trim())
        look(element, node.data.trim(), getComputedStyle(element));
    // Signs that a stylesheet writes, and what stands in a field that nobody filled in.
    for (const part of ["::before", "::after"]) {
      const style = getComputedStyle(element, part);
      if (/^".*[^\\s"].*"$/.test(style.content)) look(element, style.content, style);
    }
    if (element.placeholder)
      look(element, element.placeholder, getComputedStyle(element, "::placeholder"));
    if (element.value && /INPUT|SELECT/.test(element.tagName))
      look(element, element.value, getComputedStyle(element));
  }
  return seen;
}"""

#: What reaches beyond what holds it, is cut without a sign, or would be scrolled to sideways.
_BEYOND = """root => {
  const found = [], edge = root.getBoundingClientRect(), seen = one => one.checkVisibility();
  const name = one => `${one.tagName}.${one.className} ${(one.textContent || "").slice(0, 40)}`;
  for (const one of [root, ...root.querySelectorAll("*")]) {
    if (!seen(one) || one.closest("datalist, style, script, option")) continue;
    const box = one.getBoundingClientRect(), style = getComputedStyle(one);
    if (box.width === 0 || style.display === "inline") continue;
    const holder = one === root ? root.parentElement : one.parentElement;
    const hold = holder.getBoundingClientRect();
    if (box.right > hold.right + 1.5 || box.left < hold.left - 1.5)
      found.push(`${name(one)}: ${Math.round(box.left)}..${Math.round(box.right)} is beyond ` +
        `${Math.round(hold.left)}..${Math.round(hold.right)}`);
    if (box.right > edge.right + 1.5) found.push(`${name(one)}: beyond the widget`);
    if (/SELECT|INPUT/.test(one.tagName)) continue;
    const cut = one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0;
    const signed = style.textOverflow === "ellipsis" && !/amount/.test(one.className);
    if (cut && style.overflowX !== "visible" && !signed) found.push(`${name(one)}: is cut`);
    const low = one.scrollHeight > one.clientHeight + 2 && one.clientHeight > 0;
    if (low && /hidden|clip/.test(style.overflowY) && !signed && !one.matches(
        ".seqdata-explorer-window, .seqdata-explorer-pane, .seqdata-explorer-body"))
      found.push(`${name(one)}: is cut below`);
  }
  return found;
}"""


def change_look(page: Page, theme: str, font: int = 13) -> None:
    """Let JupyterLab change its theme and the size of its fonts, as its settings do."""
    page.evaluate(
        "theme => jupyterapp.commands.execute('apputils:change-theme', {theme})",
        f"JupyterLab {theme.capitalize()}",
    )
    page.wait_for_function(
        "light => document.body.dataset.jpThemeLight === light", arg=str(theme == "light").lower()
    )
    page.evaluate(
        "size => document.body.style.setProperty('--jp-ui-font-size1', `${size}px`)", font
    )


def windows(page: Page, *, height: int = 1700) -> Iterator[str]:
    """Make the window as wide as each of WIDTHS, in each theme and font; name each look."""
    try:
        for theme in THEMES:
            for font in FONTS:
                change_look(page, theme, font)
                for width in WIDTHS:
                    page.set_viewport_size({"width": width, "height": height})
                    page.wait_for_timeout(200)  # a window is laid out anew, and scrolled
                    yield f"{width}-{theme}-{font}px"
    finally:
        change_look(page, "light")


def beyond(root: Locator) -> list[str]:
    """What reaches beyond its container, or is cut without a sign."""
    return list(root.evaluate(_BEYOND))


def pale(root: Locator) -> list[str]:
    """Texts, signs and placeholders that cannot be told well from what is behind them."""
    return [
        f"{one['words']}: {one['ratio']:.1f}"
        for one in root.evaluate(_CONTRASTS)
        if one["ratio"] < (LEAST_LARGE if one["large"] else LEAST)
    ]


def axe_finds(page: Page, selector: str | None = None) -> list[str]:
    """What axe finds wrong for a screen reader or a keyboard, a line each."""
    found = Axe().run(page, context=selector)
    return [
        f"{one['id']}: {node['html'][:160]}"
        for one in found.response["violations"]
        for node in one["nodes"]
    ]


def take_picture(root: Locator, name: str) -> None:
    """Keep a picture for the documentation, where SEQDATA_PICTURES says a folder."""
    folder = os.environ.get("SEQDATA_PICTURES")
    if folder:
        small = _picture(root).quantize(128, dither=Image.Dither.NONE)
        small.save(Path(folder) / f"{name}.png", optimize=True)


def _picture(root: Locator) -> Image.Image:
    return Image.open(io.BytesIO(root.screenshot())).convert("RGB")


class Sheet:
    """Pictures of one thing in several looks side by side, kept where SEQDATA_SHEETS says."""

    def __init__(self, name: str) -> None:
        self.name, self.folder = name, os.environ.get("SEQDATA_SHEETS")
        self._pictures: list[tuple[str, Image.Image]] = []

    def add(self, root: Locator, look: str) -> None:
        """Take a picture, where somebody wants the sheets."""
        if self.folder:
            self._pictures.append((look, _picture(root)))

    def keep(self) -> None:
        """Write the sheet."""
        if not self.folder or not self._pictures:
            return
        gap, label = 16, 18
        width = sum(one.width + gap for _, one in self._pictures)
        height = max(one.height for _, one in self._pictures) + label
        sheet = Image.new("RGB", (width, height), "#808080")
        at = 0
        for look, one in self._pictures:
            ImageDraw.Draw(sheet).text((at + 2, 2), look, fill="white")
            sheet.paste(one, (at, label))
            at += one.width + gap
        Path(self.folder).mkdir(parents=True, exist_ok=True)
        sheet.save(Path(self.folder) / f"{self.name}.png", optimize=True)
