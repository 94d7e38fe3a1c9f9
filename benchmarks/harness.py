"""Children to measure in, tables to show, files to keep them in."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RESULTS = HERE / "results"
DATA = HERE / ".data"

#: The world's time in every sandbox and every made-up cache.
NOW = "2026-11-01"

_PACKAGES = ("seqdata", "pandas", "pyarrow", "numpy", "curl_cffi")

Facts = dict[str, Any]


@dataclass(frozen=True)
class Figure:
    """One figure of the summary: what, how much, and what was aimed at."""

    what: str
    measured: str
    target: str
    met: bool


@dataclass
class Result:
    """What a benchmark found: a table, the figures it decides, and how to read it."""

    name: str
    title: str
    columns: Sequence[str]
    rows: list[list[str]] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    raw: list[Facts] = field(default_factory=list)
    quick: bool = False
    versions: dict[str, str] = field(default_factory=dict)

    def markdown(self) -> str:
        """Render everything but the raw measurements."""
        parts = [f"# {self.title}", about(machine(self.versions), quick=self.quick)]
        parts.append(table(self.columns, self.rows))
        parts.append(figures_table(self.figures))
        if self.notes:
            parts.append("\n".join(f"- {note}" for note in self.notes))
        return "\n\n".join(parts) + "\n"

    def publish(self, folder: Path = RESULTS) -> None:
        """Print the tables, and write them as ``<name>.md`` and ``<name>.json``."""
        text = self.markdown()
        print(text, flush=True)
        folder.mkdir(exist_ok=True)
        (folder / f"{self.name}.md").write_text(text, encoding="utf-8")
        document = {**asdict(self), "machine": machine(self.versions)}
        (folder / f"{self.name}.json").write_text(json.dumps(document, indent=1), encoding="utf-8")


def machine(others: dict[str, str] | None = None) -> Facts:
    """Say when and on what was measured; nothing that names the machine or its folders."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {"python": platform.python_version(), **versions(), **(others or {})},
    }


def versions(packages: Iterable[str] = _PACKAGES) -> dict[str, str]:
    """Versions of the packages that are installed here."""
    found = {}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def about(facts: Facts, *, quick: bool = False) -> str:
    """Write the line under a title: date, machine, versions."""
    named = ", ".join(f"{name} {number}" for name, number in facts["versions"].items())
    sizes = " **Quick run: small sizes, figures for orientation only.**" if quick else ""
    return f"{facts['date']}, {facts['system']}, {facts['cores']} cores; {named}.{sizes}"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Render a Markdown table whose columns line up; figures stand at the right."""
    lines = [list(columns), *(list(row) for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(columns))]
    numeric = [
        len(lines) > 1 and all(line[place][:1] in "0123456789-" for line in lines[1:])
        for place in range(len(columns))
    ]
    rule = [
        f"{'-' * (width - right)}{':' * right}"
        for width, right in zip(widths, numeric, strict=True)
    ]
    padded = [
        [cell.rjust(width) if right else cell.ljust(width)
         for cell, width, right in zip(line, widths, numeric, strict=True)]
        for line in lines
    ]  # fmt: skip
    return "\n".join(f"| {' | '.join(line)} |" for line in [padded[0], rule, *padded[1:]])


def figures_table(figures: Iterable[Figure]) -> str:
    """Render figures with their targets."""
    rows = [[each.what, each.measured, each.target, "yes" if each.met else "**no**"]
            for each in figures]  # fmt: skip
    return table(["figure", "measured", "target", "met"], rows)


def measure(
    module: str,
    *arguments: object,
    python: str = sys.executable,
    given: Facts | None = None,
    extra: Mapping[str, str] | None = None,
) -> Facts:
    """Run a module of this package in a process of its own; return the facts it answers.

    Parameters
    ----------
    given
        JSON for its standard input.
    extra
        Variables of its environment, beside :func:`environment`.
    """
    command = [python, "-m", f"benchmarks.{module}", *map(str, arguments)]
    where = {**environment(), **(extra or {})}
    done = subprocess.run(
        command, cwd=HERE.parent, env=where, input=json.dumps(given or {}),
        stdout=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"benchmarks.{module} ended with {done.returncode}; see above")
    facts: Facts = json.loads(done.stdout.splitlines()[-1])
    return facts


def environment() -> dict[str, str]:
    """Keep a person's settings away from what is measured."""
    return {name: value for name, value in os.environ.items() if not name.startswith("SEQUENCE_")}


def alternate(contenders: Mapping[str, Callable[[], Facts]], rounds: int) -> dict[str, list[Facts]]:
    """Run contenders in turn, each round beginning with the next one."""
    found: dict[str, list[Facts]] = {name: [] for name in contenders}
    names = list(contenders)
    for number in range(rounds):
        start = number % len(names)
        for name in names[start:] + names[:start]:
            say(f"{name}, round {number + 1} of {rounds}")
            found[name].append(contenders[name]())
    return found


def median(measurements: Iterable[Facts], name: str) -> float:
    """Median of one fact over repeated measurements."""
    return float(statistics.median(each[name] for each in measurements))


def say(what: str) -> None:
    """Tell on standard error what runs now."""
    print(f"  … {what}", file=sys.stderr, flush=True)


def wants_quick(about_module: str | None) -> bool:
    """Read the command line of a benchmark: ``--quick`` takes small sizes."""
    parser = argparse.ArgumentParser(description=(about_module or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small sizes")
    return bool(parser.parse_args().quick)
