"""Run all notebooks on the sandbox and write what readers see: ``python docs/notebooks/render.py``.

Each notebook becomes a page of Markdown beside this file, its charts small pictures under
``images/``. The notebooks themselves keep the outputs of their checked cells alone.
Names of notebooks render those only.
"""

from __future__ import annotations

import base64
import io
import re
import sys
import time
from collections.abc import Iterator
from itertools import groupby
from os import environ
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from PIL import Image

HERE = Path(__file__).parent
NOTEBOOKS = HERE.parent.parent / "notebooks"

#: The first line of a cell whose output nbval compares.
CHECKED = "# NBVAL_CHECK_OUTPUT\n"

#: What stands where a notebook shows a widget: a picture of one, from a browser.
WIDGETS = {
    "TransferPanel": "![The transfer panel](../images/panel-light.png)",
    "ActivityExplorer": "![The activity explorer](../images/explorer-light.png)",
}

#: Pixels of a picture's width, and colours in its file: enough for smooth letters.
WIDTH, COLORS = 880, 96

Node = Any


def render(path: Path) -> Iterator[Path]:
    """Run a notebook, put its checked outputs back, and yield the files of its page."""
    notebook = nbformat.read(path, as_version=4)
    done = run(notebook)
    write_committed(notebook, done, path)
    for old in HERE.glob(f"images/{path.stem}-*.png"):
        old.unlink()
    parts = [part for cell in done.cells for part in _parts(cell, path.stem)]
    page = HERE / f"{path.stem}.md"
    page.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    yield page
    yield from sorted(HERE.glob(f"images/{path.stem}-*.png"))


def run(notebook: Node) -> Node:
    """Return a copy that was run from top to bottom, in a kernel of its own."""
    done = nbformat.from_dict(notebook)
    client = NotebookClient(done, timeout=120, resources={"metadata": {"path": str(NOTEBOOKS)}})
    # The review of a transfer names the user, whoever renders.
    client.execute(env={**environ, "LOGNAME": "you"})
    return done


def write_committed(notebook: Node, done: Node, path: Path) -> None:
    """Write a notebook with the outputs of its checked cells, and nothing that varies."""
    for cell, ran in zip(notebook.cells, done.cells, strict=True):
        if cell.cell_type == "code":
            is_checked = cell.source.startswith(CHECKED)
            # nbval takes a cell without a number for one that was not run.
            cell.execution_count = ran.execution_count if is_checked else None
            cell.outputs = ran.outputs if is_checked else []
    path.write_text(nbformat.writes(notebook, version=4) + "\n", encoding="utf-8")


def _parts(cell: Node, stem: str) -> Iterator[str]:
    if cell.cell_type == "markdown":
        yield re.sub(r"\((\w+)\.ipynb\)", r"(\1.md)", cell.source)
        return
    yield f"```python\n{cell.source.removeprefix(CHECKED)}\n```"
    for output in _joined(cell.outputs):
        yield from _shown(output, stem)


def _joined(outputs: list[Node]) -> Iterator[Node]:
    """Yield outputs, with what was printed in pieces put together."""
    for name, group in groupby(outputs, key=lambda one: one.get("name")):
        pieces = list(group)
        if name is None:
            yield from pieces
        else:
            yield {**pieces[0], "text": "".join(one.text for one in pieces)}


def _shown(output: Node, stem: str) -> Iterator[str]:
    """Yield an output as Markdown: text, a table, a picture, or the picture of a widget."""
    if output["output_type"] == "stream":
        yield _text(output["text"])
        return
    data = output["data"]
    plain = data.get("text/plain", "")
    if "application/vnd.jupyter.widget-view+json" in data:
        yield next(picture for name, picture in WIDGETS.items() if name in plain)
    elif "image/png" in data:
        name = _write_picture(data["image/png"], stem)
        yield f"![{_title(plain)}](images/{name})"
    elif "text/html" in data:
        yield _table(data["text/html"])
    else:
        yield _text(plain)


def _text(text: str) -> str:
    return f"```text\n{_steady(text).rstrip()}\n```"


def _table(html: str) -> str:
    """Return a table without the style that the page has of its own."""
    bare = re.sub(r"<style.*?</style>|</?div>| border=\"1\"", "", html, flags=re.DOTALL)
    return "\n".join(line.strip() for line in _steady(bare).splitlines() if line.strip())


def _steady(text: str) -> str:
    """Leave out what differs from run to run: the port, and the clock of a countdown."""
    text = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:8000", text)
    text = re.sub(r"until \d\d:\d\d:\d\d UTC", "until 12:00:00 UTC", text)
    return re.sub(r"\d+\.\d seconds", "1.0 seconds", text)


def _title(plain: str) -> str:
    """Return the title of a chart, from the text of its Axes."""
    found = re.search(r"title=\{'left': (['\"])(.*?)\1", plain)
    return "A chart" if found is None else found[2].replace("\\n", " ")


def _write_picture(png: str, stem: str) -> str:
    """Write a chart as a small file; return its name."""
    folder = HERE / "images"
    folder.mkdir(exist_ok=True)
    name = f"{stem}-{len(list(folder.glob(f'{stem}-*.png'))) + 1}.png"
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    size = (WIDTH, round(picture.height * WIDTH / picture.width))
    small = picture.resize(size, Image.Resampling.LANCZOS)
    small.quantize(COLORS, dither=Image.Dither.NONE).save(folder / name, optimize=True)
    return name


if __name__ == "__main__":
    wanted = sys.argv[1:] or ["*"]
    for path in sorted({path for name in wanted for path in NOTEBOOKS.glob(f"{name}.ipynb")}):
        begun = time.monotonic()
        size = sum(file.stat().st_size for file in render(path))
        seconds = time.monotonic() - begun
        sys.stdout.write(f"{path.stem:<24} {seconds:4.1f} s {size / 1024:5.0f} kB\n")
