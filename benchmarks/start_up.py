"""Seconds of fresh processes: commands, a daily sync among them, and ``import seqdata``."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from benchmarks.harness import Facts, Figure, Result, alternate, measure, median, wants_quick
from seqdata.ledger import Ledger
from seqdata.sandbox import Sandbox

#: The command as it was installed beside this interpreter.
PROGRAM = str(Path(sys.executable).with_name("seqdata"))
SYNC, OWN_TIME = "seqdata sync", "a sync, its imports and waiting left out"
COMMANDS = {
    "seqdata --help": [PROGRAM, "--help"],
    "import seqdata": [sys.executable, "-c", "import seqdata"],
    "seqdata status": [PROGRAM, "status"],
    "seqdata accounts": [PROGRAM, "accounts"],
    SYNC: [PROGRAM, "sync", "--json"],
    "import pandas": [sys.executable, "-c", "import pandas"],
    "python alone": [sys.executable, "-c", "pass"],
}
TARGETS = {"seqdata --help": 0.4, "import seqdata": 0.2}
#: Of what pandas alone takes to import, the share that each may take.
SHARES = {"seqdata status": 0.4, "seqdata accounts": 0.4, OWN_TIME: 0.7}
ROUNDS, QUICK_ROUNDS = 20, 5


def run(*, quick: bool = False) -> Result:
    """Start each command again and again, in turn; before each sync a day passes."""
    columns = ["command", "median s", "least s", "most s", "CPU s"]
    result = Result("start_up", "Start of a fresh process", columns, quick=quick)
    with tempfile.TemporaryDirectory() as folder, Ledger.demo(folder=Path(folder)) as ledger:
        ledger.sync(progress=False)
        assert ledger.sandbox is not None
        here = {**os.environ, **ledger.sandbox.environment(), "SEQUENCE_DATA_DIR": folder}
        contenders = {
            name: partial(_start, command, here, ledger.sandbox if name == SYNC else None)
            for name, command in COMMANDS.items()
        }
        contenders[OWN_TIME] = partial(_own_time, here, ledger.sandbox)
        found = alternate(contenders, QUICK_ROUNDS if quick else ROUNDS)
    for name, facts in found.items():
        seconds = [each["seconds"] for each in facts]
        figures = (statistics.median(seconds), min(seconds), max(seconds))
        cpu = median(facts, "cpu_seconds")
        result.rows.append([name, *(f"{each:.3f}" for each in (*figures, cpu))])
        result.raw.append({"command": name, "facts": facts})
    for name, target in TARGETS.items():
        seconds_here = median(found[name], "seconds")
        result.figures.append(
            Figure(name, f"{seconds_here:.3f} s", f"< {target} s", seconds_here < target)
        )
    for name, most in SHARES.items():
        share = median(found[name], "seconds") / median(found["import pandas"], "seconds")
        what = f"{name}, of `import pandas`"
        result.figures.append(Figure(what, f"{share:.2f} x", f"<= {most} x", share <= most))
    result.notes = [
        "From the start of the process to its end, the interpreter's own included.",
        "A sync is that of the next day, of 4,200 transfers. What is left of it without imports"
        " and waiting is its processor's time.",
    ]
    return result


def _own_time(environment: dict[str, str], box: Sandbox) -> Facts:
    box.advance(days=1)
    facts = measure("sync_side", extra=environment)
    return {"seconds": facts["cpu_seconds"], "cpu_seconds": facts["cpu_seconds"]}


def _start(command: list[str], environment: dict[str, str], box: Sandbox | None) -> Facts:
    if box is not None:
        box.advance(days=1)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, env=environment)
    seconds = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"seconds": seconds, "cpu_seconds": cpu}


if __name__ == "__main__":
    run(quick=wants_quick(__doc__)).publish()
