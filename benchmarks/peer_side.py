"""Measured in a child, run by the peer's interpreter: its activity, looped into Parquet.

What its users do: ask page after page, make one DataFrame, write it. It keeps no state, so
a daily run loops everything again ("again"), or stops at the first page with an id it knows
and puts the new rows before the old ones ("until-known"), which leaves older rows as they were.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq  # noqa: F401  # to_parquet imports it, outside the measurement
import pysequence_sdk.client as peer

from benchmarks.meter import Meter, answer

Rows = list[dict[str, Any]]


def pages(client: Any, organization_id: str, size: int) -> Iterator[Rows]:
    """Loop the peer's activity, newest first."""
    after = ""
    while True:
        got = client.get_activity(organization_id, first=size, after=after)
        yield got["transfers"]
        if not got["page_info"]["has_next_page"]:
            return
        after = got["page_info"]["end_cursor"]


def everything(client: Any, organization_id: str, size: int) -> pd.DataFrame:
    """All pages as one DataFrame."""
    return pd.DataFrame([row for page in pages(client, organization_id, size) for row in page])


def until_known(client: Any, organization_id: str, size: int, old: pd.DataFrame) -> pd.DataFrame:
    """Only the pages down to the first known id, before the rows of the last run."""
    known = set(old["id"])
    rows: Rows = []
    for page in pages(client, organization_id, size):
        rows.extend(page)
        if any(row["id"] in known for row in page):
            break
    return pd.concat([pd.DataFrame(rows), old]).drop_duplicates("id", ignore_index=True)


def main() -> None:
    """Run one way of one page size. Connection and file on stdin."""
    given = json.load(sys.stdin)
    connection, path, size = given["connection"], Path(given["file"]), given["size"]
    peer.GRAPHQL_ENDPOINT = connection["app_url"] + "/api/graphql"
    # On plain HTTP, which only a sandbox speaks, its curl would ask for an upgrade to h2c.
    peer.Session = partial(peer.Session, http_version="v1")
    peer.SequenceClient._MIN_DELAY = peer.SequenceClient._MAX_JITTER = 0.0
    organization_id = connection["organization_id"]
    with Meter() as meter, peer.SequenceClient(connection["access_token"]) as client:
        if given["way"] == "until-known":
            frame = until_known(client, organization_id, size, pd.read_parquet(path))
        else:
            frame = everything(client, organization_id, size)
        frame.to_parquet(path)
    statuses = dict(zip(frame["id"], frame["status"], strict=True))
    versions = {"pysequence-sdk": version("pysequence-sdk")}
    answer({**meter.facts(), "rows": len(frame), "statuses": statuses, "versions": versions})


if __name__ == "__main__":
    main()
