"""The analysis on a million transfers: seconds of each function."""

from __future__ import annotations

from benchmarks.harness import Figure, Result, measure, say, wants_quick

SIZE, QUICK_SIZE = 1_000_000, 50_000

#: Seconds each may take on a million transfers.
TARGETS = {"balance_history": 3.0, "cash_flow": 1.0, "spending": 1.0, "recurring": 10.0}


def run(*, quick: bool = False) -> Result:
    """Measure all functions in one process, one after the other."""
    size = QUICK_SIZE if quick else SIZE
    columns = ["function", "median s", "CPU s", "rows of the result"]
    result = Result("analysis", f"Analysis of {size:,} transfers", columns, quick=quick)
    say(f"the analysis of {size:,} transfers")
    answer = measure("analysis_side", size)
    for name, facts in answer["functions"].items():
        figures = (f"{facts['seconds']:.2f}", f"{facts['cpu_seconds']:.2f}", f"{facts['rows']:,}")
        result.rows.append([name, *figures])
        result.raw.append({"function": name, **facts})
    for name, target in TARGETS.items():
        seconds = answer["functions"][name]["seconds"]
        figure = Figure(
            f"{name}, {size:,} transfers", f"{seconds:.2f} s", f"< {target:g} s", seconds < target
        )
        result.figures.append(figure)
    result.notes = [
        f"{answer['accounts']} accounts, {answer['years']} years, all legs known; the demo's "
        "household, laid one after the other, with payees of its own for each.",
        "From the tables as a ledger gives them. What others begin with is in each figure: "
        "settling is in balance_history and cash_flow, settling and categorizing in spending; "
        "recurring begins with categorized rows, upcoming and projected_balances with their "
        "series, as a ledger does that was asked for any of the three before.",
    ]
    return result


if __name__ == "__main__":
    run(quick=wants_quick(__doc__)).publish()
