"""The notebooks, run as a reader runs them, and looked through for what nobody should share."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from seqdata.cli.notebooks import originals

NOTEBOOKS = {path.stem: path for path in originals()}

#: Run behind the last cell: what must not stand in the notebook.
_PLANTED = """
import json, os
box = ledger.sandbox
names = ("access_token", "refresh_token", "password", "totp_secret", "kyc_id")
with open(os.environ["PLANTED"], "w") as file:
    json.dump({name: str(getattr(box, name)) for name in names}, file)
"""

every_notebook = pytest.mark.parametrize("stem", sorted(NOTEBOOKS))


class Executed:
    """A notebook that was run, and the secrets of its sandbox."""

    def __init__(self, path: Path, folder: Path) -> None:
        notebook = nbformat.read(path, as_version=4)
        notebook.cells.append(nbformat.v4.new_code_cell(_PLANTED))
        planted = folder / "planted.json"
        client = NotebookClient(
            notebook, timeout=120, resources={"metadata": {"path": str(folder)}}
        )
        client.execute(env={**os.environ, "PLANTED": str(planted), "LOGNAME": "reader"})
        notebook.cells.pop()
        self.cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        self.text = nbformat.writes(notebook)
        self.secrets: dict[str, str] = json.loads(planted.read_text())
        self.files = {one.name for one in folder.iterdir()} - {"planted.json"}

    @property
    def outputs(self) -> Iterator[Any]:
        for cell in self.cells:
            yield from cell.outputs


@pytest.fixture(scope="module", params=sorted(NOTEBOOKS))
def executed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Executed:
    folder = tmp_path_factory.mktemp("notebook")
    return Executed(NOTEBOOKS[request.param], folder)


def test_a_run_says_nothing_on_stderr(executed: Executed) -> None:
    """No cell warns, logs or fails, in an environment without any setting."""
    assert [one for one in executed.outputs if one.output_type == "error"] == []
    said = [one.text for one in executed.outputs if one.get("name") == "stderr"]
    assert said == []
    assert "Warning" not in executed.text


def test_a_run_holds_no_secret(executed: Executed) -> None:
    """Tokens, password, one-time secret, KYC and account numbers are nowhere in what is saved."""
    found = [name for name, secret in executed.secrets.items() if secret in executed.text]
    assert found == []
    assert len(executed.secrets) == 5
    plain = "\n".join(
        str(one.get("text", "")) + json.dumps(one.get("data", {}).get("text/plain", ""))
        for one in executed.outputs
    )
    assert re.findall(r"(?<![\w.-])\d{9,17}(?![\w.-])", plain) == []


def test_a_run_leaves_no_file_beside_the_notebook(executed: Executed) -> None:
    """What a notebook writes goes to a folder of its own, which is gone afterwards."""
    assert executed.files == set()


@every_notebook
def test_a_notebook_switches_to_the_own_account_by_one_cell(stem: str) -> None:
    """The first cell of code is the same in all, and the only one that opens a ledger."""
    cells = _code(stem)
    assert cells[0] == _code("01_first_look")[0]
    assert "SANDBOX = True" in cells[0]
    assert not any("Ledger.open(" in cell or "Ledger.demo(" in cell for cell in cells[1:])


@every_notebook
def test_a_notebook_is_committed_without_what_varies(stem: str) -> None:
    """Outputs stand in checked cells alone, and no metadata tells of who ran it."""
    notebook = nbformat.read(NOTEBOOKS[stem], as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code" and not cell.source.startswith("# NBVAL_CHECK_OUTPUT"):
            assert cell.outputs == []
            assert cell.execution_count is None
        assert set(cell.metadata) <= {"tags"}
    assert set(notebook.metadata) <= {"kernelspec", "language_info"}
    assert notebook.metadata.kernelspec.name == "python3"


@every_notebook
def test_each_notebook_has_figures_that_are_checked(stem: str) -> None:
    """Some output of each notebook is compared with the one that is committed."""
    checked = [cell for cell in _code(stem) if cell.startswith("# NBVAL_CHECK_OUTPUT")]
    assert checked


@every_notebook
def test_each_notebook_has_a_page_for_readers(stem: str) -> None:
    """The documentation has a rendered copy of each notebook as it is now."""
    page = Path(__file__).parents[2] / "docs" / "notebooks" / f"{stem}.md"
    text = page.read_text(encoding="utf-8")
    for cell in nbformat.read(NOTEBOOKS[stem], as_version=4).cells:
        source = cell.source.removeprefix("# NBVAL_CHECK_OUTPUT\n")
        assert re.sub(r"\((\w+)\.ipynb\)", r"(\1.md)", source) in text, "render it again"


def _code(stem: str) -> list[str]:
    cells = nbformat.read(NOTEBOOKS[stem], as_version=4).cells
    return [cell.source for cell in cells if cell.cell_type == "code"]
