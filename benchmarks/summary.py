"""One table of all figures with their targets, from ``benchmarks/results/``.

``python -m benchmarks.summary`` prints it and writes ``summary.md``; ``--readme`` prints the
README's section "Figures" instead.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from benchmarks.harness import RESULTS, Facts, Figure, about, figures_table

#: In the order of the summary; each is a module of this package.
BENCHMARKS = (
    "request_counts",
    "against_peer",
    "raw_speed",
    "cache_size",
    "record_size",
    "analysis",
    "start_up",
    "official_api",
)

_README = """\
## Figures

{about}
Measured by `make bench`. {count} targets are met; [all figures](benchmarks/results/summary.md).

{figures}
{missed}"""

#: What the README shows: the beginnings of the figures' names.
_SHOWN = (
    "seconds, first sync of 39", "MB, first sync of 39", "requests, daily sync of 39",
    "seconds, daily sync of 39", "raw speed", "balance_history", "cash_flow", "spending",
    "recurring", "seqdata --help",
)  # fmt: skip


def read_results(folder: Path = RESULTS) -> list[Facts]:
    """Read what the benchmarks wrote; one that did not run is left out."""
    paths = [folder / f"{name}.json" for name in BENCHMARKS]
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths if path.exists()]


def figures_of(results: list[Facts]) -> list[Figure]:
    """All figures, in the order of the benchmarks."""
    return [Figure(**figure) for result in results for figure in result["figures"]]


def summary(results: list[Facts]) -> str:
    """Render the summary table, a line on the machine, and how many targets were met."""
    figures = figures_of(results)
    met = sum(figure.met for figure in figures)
    parts = [_about(results), figures_table(figures), f"{met} of {len(figures)} targets met."]
    return "\n\n".join(parts) + "\n"


def readme(results: list[Facts]) -> str:
    """Render the README's section: the figures that tell most, and each that is missed."""
    figures = figures_of(results)
    shown = [each for each in figures if each.what.startswith(_SHOWN)]
    met = sum(each.met for each in figures)
    missed = [f"- Missed: {each.what}: {each.measured}, aimed at {each.target}."
              for each in figures if not each.met]  # fmt: skip
    return _README.format(
        about=_about(results), figures=figures_table(shown), count=f"{met} of {len(figures)}",
        missed="\n" + "\n".join(missed) + "\n" if missed else "",
    )  # fmt: skip


def _about(results: list[Facts]) -> str:
    """One line for all: the oldest date, and every version that was used."""
    machines = [result["machine"] for result in results]
    named = {name: text for each in machines for name, text in each["versions"].items()}
    oldest = min(machines, key=lambda each: str(each["date"]))
    return about({**oldest, "versions": named}, quick=any(each["quick"] for each in results))


def main() -> None:
    """Print the summary or the README's section."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--readme", action="store_true", help="the README's section")
    results = read_results()
    if not results:
        raise SystemExit("Nothing is measured yet: run make bench.")
    if parser.parse_args().readme:
        print(readme(results))
    else:
        write_summary(results)


def write_summary(results: list[Facts], folder: Path = RESULTS) -> None:
    """Print the summary and write ``summary.md``."""
    text = f"# All figures\n\n{summary(results)}"
    print(text)
    (folder / "summary.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
