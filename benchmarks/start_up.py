"""Seconds of fresh processes: commands that print what is here, and ``import seqdata``."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from benchmarks.harness import Facts, Figure, Result, alternate, median, wants_quick
from seqdata.ledger import Ledger

#: The command as it was installed beside this interpreter.
PROGRAM = str(Path(sys.executable).with_name("seqdata"))
COMMANDS = {
    "seqdata --help": [PROGRAM, "--help"],
    "import seqdata": [sys.executable, "-c", "import seqdata"],
    "seqdata status": [PROGRAM, "status"],
    "seqdata accounts": [PROGRAM, "accounts"],
    "import pandas": [sys.executable, "-c", "import pandas"],
    "python alone": [sys.executable, "-c", "pass"],
}
TARGETS = {"seqdata --help": 0.4, "import seqdata": 0.2}
#: Of what pandas alone takes to import, the share that what is read from the record may take.
SHARES = {"seqdata status": 0.4, "seqdata accounts": 0.4}
ROUNDS, QUICK_ROUNDS = 20, 5


def run(*, quick: bool = False) -> Result:
    """Start each command again and again, in turn."""
    columns = ["command", "median s", "least s", "most s"]
    result = Result("start_up", "Start of a fresh process", columns, quick=quick)
    with tempfile.TemporaryDirectory() as folder:
        here = _synced(Path(folder))
        contenders = {name: partial(_start, command, here) for name, command in COMMANDS.items()}
        found = alternate(contenders, QUICK_ROUNDS if quick else ROUNDS)
    for name, facts in found.items():
        seconds = [each["seconds"] for each in facts]
        figures = (statistics.median(seconds), min(seconds), max(seconds))
        result.rows.append([name, *(f"{each:.3f}" for each in figures)])
        result.raw.append({"command": name, "seconds": seconds})
    for name, target in TARGETS.items():
        seconds_here = median(found[name], "seconds")
        result.figures.append(
            Figure(name, f"{seconds_here:.3f} s", f"< {target} s", seconds_here < target)
        )
    for name, most in SHARES.items():
        share = median(found[name], "seconds") / median(found["import pandas"], "seconds")
        what = f"{name}, of `import pandas`"
        result.figures.append(Figure(what, f"{share:.2f} x", f"<= {most} x", share <= most))
    result.notes = ["From the start of the process to its end, the interpreter's own included."]
    return result


def _synced(folder: Path) -> dict[str, str]:
    """Sync 24 months into a folder; return the environment in which commands read it."""
    with Ledger.demo(folder=folder) as ledger:
        ledger.sync(progress=False)
        assert ledger.sandbox is not None
        where = {"SEQUENCE_DATA_DIR": str(folder), "SEQUENCE_APP_URL": ledger.sandbox.app_url}
    return {**os.environ, **where}


def _start(command: list[str], environment: dict[str, str]) -> Facts:
    begin = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, env=environment)
    return {"seconds": time.perf_counter() - begin}


if __name__ == "__main__":
    run(quick=wants_quick(__doc__)).publish()
