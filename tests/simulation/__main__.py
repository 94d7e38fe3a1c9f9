"""Simulate lives of a ledger: ``python tests/simulation --seed 7``. What it prints is their log."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from simulated_deck import EVERY  # noqa: E402  # the tests' folders come first
from simulated_life import STEPS, Life, lived  # noqa: E402


def main() -> int:
    """Simulate; 1 where a promise was broken."""
    asked = _arguments()
    logging.getLogger("seqdata").setLevel(logging.CRITICAL)  # its words have the wall clock's
    for name in [name for name in os.environ if name.startswith("SEQUENCE_")]:
        del os.environ[name]  # settings of the person who runs it
    lives = [Life(seed, print if asked.log else _silent) for seed in asked.seeds]
    began = time.process_time()
    failed = [life.seed for life in lives if not _lives(life, asked)]
    _sum_up(lives, time.process_time() - began)
    return int(bool(failed))


def _lives(life: Life, asked: argparse.Namespace) -> bool:
    try:
        lived(life, asked.steps)
    except AssertionError as broken:
        print(f"seed {life.seed}: {broken}")
        print(f"replay: make simulate SEED={life.seed} STEPS={asked.steps}")
        return False
    return True


def _sum_up(lives: list[Life], seconds: float) -> None:
    met: Counter[str] = Counter()
    for life in lives:
        met += life.counts
    syncs, years = met.pop("syncs", 0), sum(life.years for life in lives)
    told = sorted({**dict.fromkeys(EVERY, 0), **met}.items())
    print("\nhow often each acted:")
    print("\n".join(f"{times:7,} {name}" for name, times in told))
    print(
        f"{len(lives)} lives, {syncs:,} syncs, {years:.1f} years of the service's clock, "
        f"{seconds:.1f} seconds of CPU",
        file=sys.stderr,
    )


def _silent(_: str) -> None:
    pass


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make simulate")
    parser.add_argument("--seed", type=int, default=None, help="one life, with its log")
    parser.add_argument("--seeds", type=int, default=10, help="so many lives, without their logs")
    parser.add_argument("--steps", type=int, default=STEPS)
    asked = parser.parse_args()
    asked.log = asked.seed is not None
    asked.seeds = range(asked.seeds) if asked.seed is None else [asked.seed]
    return asked


if __name__ == "__main__":
    sys.exit(main())
