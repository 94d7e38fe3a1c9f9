"""Frames and charts into files, as the name of the file says."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from seqdata.core.files import replacing, writing_in
from seqdata.exceptions import InvalidFilter
from seqdata.export.cells import header, lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FILE_TYPES = (".csv", ".parquet", ".xlsx")
_ROWS_AT_ONCE = 50_000
_PICTURE_DPI = 160


def write_table(
    frame: pd.DataFrame, path: Path, *, raw_text: bool = False, bom: bool = False
) -> Path:
    """Write a frame to CSV, Parquet or a workbook, as the name of the file says; return the path.

    Raises
    ------
    InvalidFilter
        The name ends in something else, or the file has no room for so many rows.
    MissingExtra
        A workbook needs ``seqdata[xlsx]``.
    FolderNotWritable
        The file system refused; an older file is unchanged.
    """
    check_file_type(path)
    if path.suffix.lower() == ".csv":
        write_csv(frame, path, raw_text=raw_text, bom=bom)
    elif path.suffix.lower() == ".xlsx":
        write_xlsx(frame, path)
    else:
        write_parquet(frame, path)
    return path


def write_picture(axes: Axes, path: Path) -> None:
    """Write the figure of a chart as PNG, SVG or PDF, as the name of the file says.

    The file is created 0600 and replaces an older one in one step.

    Raises
    ------
    FolderNotWritable
        The file system refused; an older file is unchanged.
    """
    figure: Any = axes.get_figure(root=True)
    with _private_file(path) as stream:
        figure.savefig(stream, format=path.suffix.lower().lstrip("."), dpi=_PICTURE_DPI)


def check_file_type(path: Path) -> None:
    """Raise :class:`InvalidFilter` for a file that is none of CSV, Parquet and workbook."""
    if path.suffix.lower() not in _FILE_TYPES:
        raise InvalidFilter("path", str(path), [f"*{suffix}" for suffix in _FILE_TYPES])


def write_parquet(frame: pd.DataFrame, path: Path | str) -> None:
    """Write a frame as Parquet; ``pandas.read_parquet`` gives back an equal one.

    The file is created 0600 and replaces an older one in one step.

    Raises
    ------
    FolderNotWritable
        The file system refused; an older file is unchanged.
    """
    with _private_file(path) as stream:
        frame.to_parquet(
            stream, engine="pyarrow", compression="zstd", schema=_parquet_schema(frame)
        )


def write_xlsx(frame: pd.DataFrame, path: Path | str) -> None:
    """Write a frame as a workbook of one sheet, with real dates, and money in dollars.

    Text is text: nothing in it is run, or a link. Moments are those of their zone, without it.
    The file is created 0600 and replaces an older one in one step.

    Raises
    ------
    InvalidFilter
        A sheet has no room for so many rows.
    MissingExtra
        XlsxWriter is not installed.
    FolderNotWritable
        The file system refused; an older file is unchanged.
    """
    from seqdata.export.workbook import MOST_ROWS, workbook

    if len(frame) > MOST_ROWS:
        choices = ["*.csv", "*.parquet", f"at most {MOST_ROWS:,} rows in a sheet"]
        raise InvalidFilter("path", str(path), choices)
    with _private_file(path) as stream:
        stream.write(workbook(_with_index(frame)))


def write_csv(
    frame: pd.DataFrame, path: Path | str, *, raw_text: bool = False, bom: bool = False
) -> None:
    """Write a frame as CSV for a spreadsheet; :func:`read_csv` gives back an equal one.

    The file is created 0600 and replaces an older one in one step. An index with a name
    becomes columns; another index is not written.

    Parameters
    ----------
    raw_text
        Leave text as it is, even if a spreadsheet would run it as a formula.
    bom
        Begin with a byte-order mark, without which Excel takes the file for another encoding.

    Raises
    ------
    FolderNotWritable
        The file system refused; an older file is unchanged.
    """
    frame = _with_index(frame)
    end = "\r\n" if raw_text else "\n"
    with _private_file(path) as stream:
        stream.write(codecs.BOM_UTF8 if bom else b"")
        stream.write((header(frame, raw_text) + end).encode())
        if not len(frame.columns):
            return
        for start in range(0, len(frame), _ROWS_AT_ONCE):
            rows = frame.iloc[start : start + _ROWS_AT_ONCE]
            stream.write(lines(rows, raw_text, end))


def _with_index(frame: pd.DataFrame) -> pd.DataFrame:
    named = [name for name in frame.index.names if name is not None]
    return frame.reset_index() if named else frame


def _parquet_schema(frame: pd.DataFrame) -> pa.Schema:
    """Say that categories are text, even where none occurs: else they come back as objects."""
    schema = pa.Schema.from_pandas(frame)
    for place, field in enumerate(schema):
        if pa.types.is_dictionary(field.type) and pa.types.is_null(field.type.value_type):
            text = pa.dictionary(field.type.index_type, pa.string())
            schema = schema.set(place, field.with_type(text))
    return schema


@contextmanager
def _private_file(path: Path | str) -> Iterator[IO[bytes]]:
    target = Path(path).expanduser().resolve()
    if target.exists() and not target.is_file() and not target.is_dir():
        with writing_in(target), target.open("wb") as stream:  # a pipe or a terminal
            yield stream
        return
    with replacing(target, gitignore=False) as stream:
        yield stream
