"""All benchmarks, one after the other, and their summary: ``python -m benchmarks [--quick]``."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.harness import HERE, say, wants_quick
from benchmarks.summary import BENCHMARKS, read_results, write_summary


def main() -> None:
    """Run each in a process of its own; one that fails does not keep the others."""
    options = ["--quick"] if wants_quick(__doc__) else []
    failed = []
    for name in BENCHMARKS:
        say(f"benchmarks.{name}")
        command = [sys.executable, "-m", f"benchmarks.{name}", *options]
        if subprocess.run(command, cwd=HERE.parent, check=False).returncode:
            failed.append(name)
    write_summary(read_results())
    if failed:
        raise SystemExit(f"These did not run through; their rows above are older: {failed}")


if __name__ == "__main__":
    main()
