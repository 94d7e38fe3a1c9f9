"""The full disk of the tests is full for Python and for pyarrow, and empty again afterwards."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from full_disk import full_disk


def test_no_file_grows_on_a_full_disk(tmp_path: Path) -> None:
    """Writes of Python and pyarrow beyond the room fail with an OSError, and work afterwards."""
    table = pa.table({"text": [os.urandom(32).hex() for _ in range(1000)]})
    with full_disk(4096):
        (tmp_path / "small").write_bytes(b"x" * 4096)
        with pytest.raises(OSError, match="too large"):
            (tmp_path / "large").write_bytes(b"x" * 4097)
        with pytest.raises(OSError, match="too large"):
            pq.write_table(table, tmp_path / "table.parquet")
    pq.write_table(table, tmp_path / "table.parquet")
    assert pq.read_table(tmp_path / "table.parquet") == table


def test_an_error_inside_leaves_the_disk_as_it_was(tmp_path: Path) -> None:
    """Whatever ends the block, files can grow again."""
    with pytest.raises(OSError, match="too large"), full_disk():
        (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "file").write_bytes(b"x" * 10_000)
