"""Measured in a child, run by the peer's interpreter: bytes of answers into Parquet its way."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq  # noqa: F401
import pysequence_sdk.client as peer

from benchmarks.meter import Meter, answer


class Replay:
    """Stands in for the HTTP session of the peer: each post answers the next bytes."""

    status_code = 200

    def __init__(self, answers: list[bytes]) -> None:
        self._answers = iter(answers)

    def post(self, *_: Any, **__: Any) -> Replay:
        """Take any request."""
        return self

    def json(self) -> Any:
        """Parse the next answer, as the session's answer does."""
        return json.loads(next(self._answers))


def main() -> None:
    """Loop the activity, one page after the other, into one file."""
    pa.set_cpu_count(1)
    given = json.load(sys.stdin)
    answers = [Path(path).read_bytes() for path in given["files"]]
    client = peer.SequenceClient("token")
    client._MIN_DELAY = client._MAX_JITTER = 0.0
    client._session = Replay(answers)
    with Meter() as meter:
        rows = [row for _ in answers for row in client.get_activity("any", first=100)["transfers"]]
        pd.DataFrame(rows).to_parquet(Path(given["folder"]) / "peer.parquet")
    answer({**meter.facts(), "rows": len(rows)})


if __name__ == "__main__":
    main()
