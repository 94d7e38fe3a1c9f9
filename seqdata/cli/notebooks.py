"""``seqdata notebooks``: the notebooks of this package in a folder of the user's."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import click

from seqdata.cli import output
from seqdata.core.files import write_bytes
from seqdata.exceptions import MissingExtra

_PACKAGE = Path(__file__).parent.parent


@click.command()
@click.argument(
    "folder", type=click.Path(file_okay=False, path_type=Path), default=Path("notebooks")
)
@click.option("--replace", is_flag=True, help="Replace notebooks of yours that have these names.")
@click.option("--no-open", is_flag=True, help="Copy them and do not open JupyterLab.")
def notebooks(folder: Path, replace: bool, no_open: bool) -> int:
    """Copy the notebooks to FOLDER and open JupyterLab there.

    They run on a sandbox until you switch one cell to your own account. What you changed stays:
    a notebook that is there already is not written over, unless you say --replace.
    """
    copied, kept = copy_notebooks(folder, replace=replace)
    output.echo(f"Copied {len(copied)} notebooks to {folder.resolve()}")
    if kept:
        names = ", ".join(path.name for path in kept)
        output.echo(f"Kept yours: {names} (--replace writes the originals over them)")
    return 0 if no_open else open_lab(folder)


def copy_notebooks(folder: Path, *, replace: bool = False) -> tuple[list[Path], list[Path]]:
    """Copy the notebooks; return those that were written, and those that were there and differ."""
    copied, kept = [], []
    for original in originals():
        target, content = folder / original.name, original.read_bytes()
        if target.exists() and target.read_bytes() != content and not replace:
            kept.append(target)
            continue
        write_bytes(target, content)
        copied.append(target)
    return copied, kept


def originals() -> list[Path]:
    """List the notebooks of the package: in the installed one, else beside it in a checkout."""
    places = (_PACKAGE / "notebooks", _PACKAGE.parent / "notebooks")
    return next(found for place in places if (found := sorted(place.glob("[0-9]*.ipynb"))))


def open_lab(folder: Path) -> int:
    """Run JupyterLab in a folder until it is stopped.

    Raises
    ------
    MissingExtra
        JupyterLab is not installed beside this interpreter.
    """
    import subprocess  # which takes a moment, and no other command needs it

    if find_spec("jupyterlab") is None:
        raise MissingExtra("seqdata notebooks", "lab")
    first = next(path.name for path in sorted(folder.glob("*.ipynb")))
    command = [sys.executable, "-m", "jupyterlab", first]
    try:
        return subprocess.run(command, cwd=folder, check=False).returncode  # noqa: S603 - our own
    except KeyboardInterrupt:
        return 0
