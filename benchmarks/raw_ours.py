"""Measured in a child: bytes of answers into Parquet, in our ways and in the bare way."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq  # noqa: F401

from benchmarks.made_up import APP_URL, NOW
from benchmarks.meter import Meter, answer
from seqdata.core.json import parse_json
from seqdata.sources.base import Page
from seqdata.sources.rows import Row, table_of_rows
from seqdata.sources.schemas import TRANSFER_ROWS
from seqdata.sources.webapp.source import AnswerReader
from seqdata.store import Store
from seqdata.store.tables import write_table

#: How many pages are written at once.
BATCH = 50


def page_rows(answers: list[bytes], organization_id: str) -> Iterator[Sequence[Row]]:
    """Yield validated rows of each answer, read as a sync and a rebuild read it."""
    reader = AnswerReader(organization_id)
    for content in answers:
        yield reader.read_page(parse_json(content)["data"], NOW).rows


def ours(answers: list[bytes], organization_id: str, folder: Path) -> int:
    """Rows of all answers in one Parquet file."""
    rows = [row for page in page_rows(answers, organization_id) for row in page]
    write_table(folder / "transfers.parquet", table_of_rows(rows, TRANSFER_ROWS))
    return len(rows)


def store(answers: list[bytes], organization_id: str, folder: Path) -> int:
    """Rows in the record and in the months published from it, some pages at once."""
    cache = Store.open(folder, organization_id, app_url=APP_URL)
    pages = list(page_rows(answers, organization_id))
    with cache.lock():
        batches = (list(chain(*pages[at : at + BATCH])) for at in range(0, len(pages), BATCH))
        added = [
            cache.take(Page(rows, "", has_next_page=False, served_at=NOW)).added for rows in batches
        ]
    return sum(added)


def bare(answers: list[bytes], organization_id: str, folder: Path) -> int:  # noqa: ARG001
    """Do it in three lines, which validate nothing and keep nested columns."""
    nodes = [
        edge["node"]
        for content in answers
        for edge in parse_json(content)["data"]["organization"]["transferReferences"]["edges"]
    ]
    pd.DataFrame(nodes).to_parquet(folder / "bare.parquet")
    return len(nodes)


WAYS = {"ours": ours, "store": store, "bare": bare}


def main() -> None:
    """Run one way over all files. One core: Arrow's threads are switched off."""
    pa.set_cpu_count(1)
    given = json.load(sys.stdin)
    answers = [Path(path).read_bytes() for path in given["files"]]
    organization_id = parse_json(answers[0])["data"]["organization"]["id"]
    with Meter() as meter:
        rows = WAYS[given["way"]](answers, organization_id, Path(given["folder"]))
    answer({**meter.facts(), "rows": rows})


if __name__ == "__main__":
    main()
