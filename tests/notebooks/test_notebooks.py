"""The notebooks, run as a reader runs them, and looked through for what nobody should share."""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from base64 import b64decode
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from waiting import LONG

from seqdata.auth.tokens import AuthTokens, TokenStore
from seqdata.cli.notebooks import originals
from seqdata.http.curl import CurlSend
from seqdata.http.messages import Exchange, Request
from seqdata.http.transport import Transport
from seqdata.ledger import demo_settings
from seqdata.safeguards import TransferDesk
from seqdata.sandbox import Sandbox

NOTEBOOKS = {path.stem: path for path in originals()}

#: Run behind the last cell: what must not stand in the notebook.
_PLANTED = """
import json, os
box = ledger.sandbox
names = (
    "access_token", "refresh_token", "client_id", "email", "password", "totp_secret", "kyc_id",
)
with open(os.environ["PLANTED"], "w") as file:
    json.dump({name: str(getattr(box, name)) for name in names}, file)
"""

every_notebook = pytest.mark.parametrize("stem", sorted(NOTEBOOKS))


class Executed:
    """A notebook that was run, and what must not stand in it."""

    def __init__(self, path: Path, folder: Path) -> None:
        notebook = nbformat.read(path, as_version=4)
        notebook.cells.append(nbformat.v4.new_code_cell(_PLANTED))
        planted = folder / "planted.json"
        run(notebook, folder, {"PLANTED": str(planted)})
        notebook.cells.pop()
        self.outputs = outputs(notebook)
        # In Base64 a picture spells "/tmp" by chance: it is looked at as the bytes that it is.
        self.pictures = [
            b64decode(one.data.pop("image/png"))
            for one in self.outputs
            if "image/png" in one.get("data", {})
        ]
        self.text = nbformat.writes(notebook)
        self.secrets: dict[str, str] = json.loads(planted.read_text())
        self.files = {one.name for one in folder.iterdir()} - {"planted.json"}


def run(notebook: Any, folder: Path, env: dict[str, str]) -> None:
    """Run a notebook from top to bottom, in a kernel of its own and in that folder."""
    client = NotebookClient(
        notebook,
        timeout=LONG,
        startup_timeout=LONG,
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute(env={**os.environ, "LOGNAME": "reader", **env})


def outputs(notebook: Any) -> list[Any]:
    return [one for cell in notebook.cells for one in cell.get("outputs", [])]


#: Each notebook is executed by nbval as well. The one that moves money and the one that is about a
#: person's own account are looked through here, the plainer ones by `make soak`.
PLAIN = ("01", "02", "03", "04", "07")


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(stem, marks=pytest.mark.soak) if stem.startswith(PLAIN) else stem
        for stem in sorted(NOTEBOOKS)
    ],
)
def executed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Executed:
    folder = tmp_path_factory.mktemp("notebook")
    return Executed(NOTEBOOKS[request.param], folder)


@pytest.fixture(scope="module")
def account_numbers(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """All account and routing numbers that the sandbox of the notebooks tells."""
    bodies: list[bytes] = []

    def send(request: Request) -> Exchange:
        exchange = CurlSend()(request)
        assert exchange.answer is not None
        bodies.append(exchange.answer.body)
        return exchange

    with Sandbox(seed=7, now="2026-11-01") as box:
        settings = demo_settings(box, tmp_path_factory.mktemp("desk"))
        transport, token = Transport(send), lambda: box.access_token
        with TransferDesk(settings, transport=transport, token_provider=token) as desk:
            desk.look()
    told = b"".join(bodies).decode()
    return set(re.findall(r'"(?:bankAccountNumber|routingNumber)": ?"(\w+)"', told))


def test_a_run_says_nothing_on_stderr(executed: Executed) -> None:
    """No cell warns, logs or fails, in an environment without any setting."""
    assert [one for one in executed.outputs if one.output_type == "error"] == []
    said = [one.text for one in executed.outputs if one.get("name") == "stderr"]
    assert said == []
    assert "Warning" not in executed.text


def test_a_run_holds_no_secret(executed: Executed, account_numbers: set[str]) -> None:
    """Tokens, login, one-time secret, KYC and account numbers are nowhere in what is saved."""
    found = [name for name, secret in executed.secrets.items() if secret in executed.text]
    assert found == []
    assert len(executed.secrets) == 7
    assert len(account_numbers) > 10
    assert [number for number in account_numbers if number in executed.text] == []


def test_a_run_names_no_folder_of_the_machine(executed: Executed) -> None:
    """What is saved does not tell where the package, the user's files or the demo's data lie."""
    places = {
        str(Path.home()),
        tempfile.gettempdir(),
        sys.prefix,
        str(NOTEBOOKS["04_exports"].parent),
    }
    saved = [executed.text.encode(), *executed.pictures]
    assert [place for place in places if any(place.encode() in one for one in saved)] == []


def test_a_run_leaves_no_file_beside_the_notebook(executed: Executed) -> None:
    """What a notebook writes goes to a folder of its own, which is gone afterwards."""
    assert executed.files == set()


@pytest.mark.parametrize(
    "stem",
    [
        stem if stem.startswith("05") else pytest.param(stem, marks=pytest.mark.soak)
        for stem in sorted(NOTEBOOKS)
    ],
)
def test_a_notebook_that_was_switched_reads_the_own_account(stem: str, tmp_path: Path) -> None:
    """With the one cell switched it runs on the account of the settings, and sends no money."""
    notebook = nbformat.read(NOTEBOOKS[stem], as_version=4)
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    first.source = first.source.replace("SANDBOX = True", "SANDBOX = False")
    with Sandbox(seed=11, months=4, now="2026-08-20T15:00:00Z") as box:
        data = tmp_path / "data"
        TokenStore(demo_settings(box, data)).write(
            AuthTokens(box.access_token, box.refresh_token, 0.0), client_id=box.client_id
        )
        run(notebook, tmp_path, {**box.environment(), "SEQUENCE_DATA_DIR": str(data)})
        assert box.requests()
        assert box.payments() == []
        secrets = box.connection().items() - {("app_url", box.app_url)}
    assert [one for one in outputs(notebook) if one.output_type == "error"] == []
    saved = nbformat.writes(notebook)
    assert [name for name, secret in secrets if secret in saved] == []
    assert (data / "cache").is_dir()
    assert [one.name for one in tmp_path.iterdir()] == ["data"]


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
