"""The wheel holds all that an installed seqdata needs."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "seqdata"


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Build the wheel, without the network, and list what is in it."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


def test_every_file_of_the_package_is_in_the_wheel(names: set[str]) -> None:
    """Code, GraphQL documents, schema, rules, scripts and styles all ship."""
    ignored = ("__pycache__", ".pyc")
    files = {
        str(path.relative_to(ROOT))
        for path in PACKAGE.rglob("*")
        if path.is_file() and not any(one in str(path) for one in ignored)
    }
    assert files <= names
    assert {Path(name).suffix for name in files} >= {".py", ".graphql", ".toml", ".js", ".css"}


def test_the_notebooks_are_in_the_wheel(names: set[str]) -> None:
    """Each notebook of the repository ships, where the command looks for it."""
    notebooks = {f"seqdata/notebooks/{path.name}" for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert len(notebooks) == 7
    assert notebooks <= names


def test_nothing_else_is_in_the_wheel(names: set[str]) -> None:
    """No tests, data or settings of a person ship."""
    assert {name.split("/")[0].split("-")[0] for name in names} == {"seqdata"}
