"""Seconds of fresh processes: ``seqdata --help`` and ``import seqdata``."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

from benchmarks.harness import Facts, Figure, Result, alternate, median, wants_quick

#: The command as it was installed beside this interpreter.
PROGRAM = str(Path(sys.executable).with_name("seqdata"))
COMMANDS = {
    "seqdata --help": [PROGRAM, "--help"],
    "import seqdata": [sys.executable, "-c", "import seqdata"],
    "python alone": [sys.executable, "-c", "pass"],
}
TARGETS = {"seqdata --help": 0.4, "import seqdata": 0.2}
ROUNDS, QUICK_ROUNDS = 20, 5


def run(*, quick: bool = False) -> Result:
    """Start each command again and again, in turn."""
    columns = ["command", "median s", "least s", "most s"]
    result = Result("start_up", "Start of a fresh process", columns, quick=quick)
    contenders = {name: partial(_start, command) for name, command in COMMANDS.items()}
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
    result.notes = ["From the start of the process to its end, the interpreter's own included."]
    return result


def _start(command: list[str]) -> Facts:
    begin = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return {"seconds": time.perf_counter() - begin}


if __name__ == "__main__":
    run(quick=wants_quick(__doc__)).publish()
