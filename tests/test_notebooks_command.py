"""``seqdata notebooks``: the notebooks in a folder of one's own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

from click.testing import CliRunner
from waiting import PATIENCE, until

from seqdata.cli import cli
from seqdata.cli.notebooks import originals


def run(*words: str) -> str:
    found = CliRunner().invoke(cli, ["notebooks", *words, "--no-open"])
    assert found.exit_code == 0, (found.output, found.exception)
    return found.output


def test_all_notebooks_are_copied(tmp_path: Path) -> None:
    """The folder gets a copy of each notebook of the package, for its owner alone."""
    assert "Copied 7 notebooks" in run("mine")
    copies = sorted((tmp_path / "mine").glob("*.ipynb"))
    assert [path.name for path in copies] == [path.name for path in originals()]
    assert all(path.stat().st_mode & 0o077 == 0 for path in copies)


def test_a_notebook_that_was_changed_stays(tmp_path: Path) -> None:
    """What a person changed is kept and named, until --replace asks for the originals."""
    run("mine")
    changed = tmp_path / "mine" / "02_spending.ipynb"
    changed.write_text("{}")
    assert "Kept yours: 02_spending.ipynb" in run("mine")
    assert changed.read_text() == "{}"
    run("mine", "--replace")
    assert json.loads(changed.read_text())["cells"]


def test_jupyterlab_opens_in_the_folder(tmp_path: Path) -> None:
    """The command serves the copied notebooks in JupyterLab until it is stopped."""
    runtime = tmp_path / "runtime"
    places = {
        "JUPYTER_RUNTIME_DIR": str(runtime),
        "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
        "JUPYTER_DATA_DIR": str(tmp_path / "share"),
        "HOME": str(tmp_path),
        "BROWSER": "true",
        "JUPYTER_ALLOW_INSECURE_WRITES": "1",
    }
    config = tmp_path / "config"
    config.mkdir()
    settings = {"ServerApp": {"allow_root": True, "port": 0, "open_browser": False}}
    (config / "jupyter_server_config.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "seqdata", "notebooks", "mine"]
    with (tmp_path / "log").open("wb") as log:
        lab = subprocess.Popen(
            command, env={**os.environ, **places}, stdout=log, stderr=log, start_new_session=True
        )
    try:
        names = _served(runtime, lab)
        assert {path.name for path in originals()} <= names
    finally:
        os.killpg(lab.pid, signal.SIGTERM)
        lab.wait(PATIENCE)


def _served(runtime: Path, lab: subprocess.Popen[bytes]) -> set[str]:
    """Wait for the server, and list the files it shows."""

    def shown() -> set[str]:
        if lab.poll() is not None:
            raise RuntimeError(f"JupyterLab ended with {lab.returncode}")
        (path,) = runtime.glob("jpserver-*.json")
        facts = json.loads(path.read_text())
        address = f"{facts['url']}api/contents?token={facts['token']}"
        with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
            return {one["name"] for one in json.load(answer)["content"]}

    return until(shown, why="the notebooks that JupyterLab serves")
