"""The peer in a virtual environment of its own, made once from the package index."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

from benchmarks.harness import HERE, say

REQUIREMENTS = HERE / "peer-requirements.txt"
_FOLDER = HERE / ".peer-venv"
_STAMP = _FOLDER / ".installed"


def peer_python() -> str:
    """Return the interpreter that has the peer; installs it where it is not there yet."""
    python = _FOLDER / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    wanted = REQUIREMENTS.read_text(encoding="utf-8")
    if not _STAMP.exists() or _STAMP.read_text(encoding="utf-8") != wanted:
        _install(python)
        _STAMP.write_text(wanted, encoding="utf-8")
    return str(python)


def _install(python: Path) -> None:
    say("installing the peer (once)")
    venv.create(_FOLDER, with_pip=True, clear=True)
    pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    done = subprocess.run([*pip, "-r", str(REQUIREMENTS)], check=False)
    if done.returncode:
        raise SystemExit("The peer could not be installed; pip's message is above.")
