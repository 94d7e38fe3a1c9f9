"""DataFrames to files and back: CSV for spreadsheets, Parquet for programs.

A CSV of ours is plain (UTF-8, comma, a header) and still says everything a frame says:

- Text is quoted, everything else is not. Quoted nothing is an empty text, unquoted nothing is
  a missing value.
- Names known from the tables say what a column holds. A quoted name marks the richer dtype:
  ``category`` for text, ``Int64``, ``Float64`` and ``boolean`` for numbers and truth. (A name
  with a comma, quote or line end is quoted anyway and marks nothing.)
- Text that a spreadsheet would run as a formula gets a leading apostrophe, and so does text
  that looks as if it had got one; reading takes it away. Signs in full width, and those after what
  takes no room, count too. Lines end in LF. With
  ``raw_text=True`` nothing is added, and lines end in CR LF, which tells the reader so.
- Whole cents are written as whole cents; columns of dollars with two decimals, from the
  cents. Moments are ISO 8601 with the offset of their zone.

A CSV cannot carry the name of a zone, categories that do not occur, the dtype of an unknown
column without a value, ``attrs``, or an index without a name; Parquet carries all of them.
"""

from __future__ import annotations

from seqdata.export.files import (
    check_file_type,
    write_csv,
    write_parquet,
    write_picture,
    write_table,
    write_xlsx,
)
from seqdata.export.reading import read_csv

__all__ = [
    "check_file_type",
    "read_csv",
    "write_csv",
    "write_parquet",
    "write_picture",
    "write_table",
    "write_xlsx",
]
