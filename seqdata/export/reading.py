"""A CSV of ours back into an equal frame."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv

from seqdata.config import get_settings
from seqdata.core.arrow import Column, pc
from seqdata.exceptions import CorruptFile
from seqdata.export.cells import ESCAPED, decimals, needs_quotes
from seqdata.export.kinds import is_richly_known, kind_of_name
from seqdata.sources import schemas
from seqdata.store import frames

_REMEDY = "Export it again."
_BLOCK_BYTES = 16 << 20


def read_csv(
    path: Path | str, *, timezone: str | None = None, raw_text: bool | None = None
) -> pd.DataFrame:
    """Read a CSV that :func:`write_csv` wrote, into an equal frame.

    Parameters
    ----------
    timezone
        IANA name of the zone of the moments; the reporting zone of the settings by default.
        (A CSV has the offsets, not the zone: the moments are right in any case.)
    raw_text
        Whether the file was written with ``raw_text=True``; by default its line ends say so.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    CorruptFile
        It is not a CSV with a header.
    """
    path = Path(path)
    header, quoted, raw = _read_header(path)
    raw = raw if raw_text is None else raw_text
    if not header:
        return pd.DataFrame()
    texts = _read_texts(path, len(header))
    reader = _Reader(path, timezone or get_settings().timezone, raw)
    names = [name if raw else _unescaped_name(name) for name in header]
    rich = quoted if any(quoted) else [is_richly_known(name) for name in names]
    columns = [
        reader.column(place, kind_of_name(name, names), texts.column(place), rich=rich[place])
        for place, name in enumerate(names)
    ]
    return _frame(names, columns, texts)


_CELL = re.compile(r'("(?:[^"]|"")*"|[^",\r\n]*)(,|\r\n|\n|\r|\Z)')


def _read_header(path: Path) -> tuple[list[str], list[bool], bool]:
    """Read the names, whether each is quoted without need, and whether lines end in CR LF."""
    with path.open("rb") as stream:
        start = stream.read(_BLOCK_BYTES)
    if not start:
        raise CorruptFile(path, "it is empty", _REMEDY)
    names, quoted = [], []
    for cell, end in _scanned(path, start.decode("utf-8-sig", "replace")):
        names.append(_unquoted(cell))
        quoted.append(cell.startswith('"') and not needs_quotes(names[-1]))
        if end != ",":
            break
    raw = end == "\r\n"
    return ([], [], raw) if start.startswith((b"\n", b"\r\n")) else (names, quoted, raw)


def _scanned(path: Path, text: str) -> Iterator[tuple[str, str]]:
    """Cut text into cells, each with what ends it."""
    place = 0
    while place <= len(text):
        match = _CELL.match(text, place)
        if match is None:
            raise CorruptFile(path, f"character {place} is not CSV", _REMEDY)
        yield match[1], match[2]
        if not match[2]:
            return
        place = match.end()


def _unquoted(cell: str) -> str:
    return cell[1:-1].replace('""', '"') if cell.startswith('"') else cell


def _unescaped_name(name: str) -> str:
    return name[1:] if re.match(ESCAPED, name) else name


def _read_texts(path: Path, width: int) -> pa.Table:
    """Read all cells as text: null for unquoted nothing."""
    names = [f"f{place}" for place in range(width)]
    read = pyarrow.csv.ReadOptions(
        autogenerate_column_names=True, skip_rows_after_names=1, block_size=_BLOCK_BYTES
    )
    parse = pyarrow.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False)
    convert = pyarrow.csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()),
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    try:
        return pyarrow.csv.read_csv(path, read, parse, convert)
    except pa.ArrowInvalid as error:
        raise CorruptFile(path, str(error).splitlines()[0], _REMEDY) from error


class _Reader:
    """Turns columns of text into what they were; `path` is looked into where text is not enough."""

    def __init__(self, path: Path, zone: str, raw: bool) -> None:
        self._path, self._zone, self._raw = path, zone, raw

    def column(self, place: int, known: str | None, texts: Column, *, rich: bool) -> Any:
        if known is not None and (column := self._try(known, texts, rich)) is not None:
            return column
        kinds = () if self._is_text(place, texts) else _GUESSES
        for kind in kinds:
            if (column := self._try(kind, texts, rich)) is not None:
                return column
        return self._texts(texts, rich)

    def _try(self, kind: str, texts: Column, rich: bool) -> Any:
        try:
            return self._convert(kind, texts, rich)
        except pa.ArrowInvalid:
            return None

    def _convert(self, kind: str, texts: Column, rich: bool) -> Any:
        if kind == "text":
            return self._texts(texts, rich)
        values = texts.cast(_ARROW_TYPES[kind])
        if kind == "moment":
            return frames.moments(values, self._zone)
        if kind == "date":
            return frames.dates(values)
        if kind == "naive":
            return values.to_numpy()
        if rich or (values.null_count and kind != "float"):
            return _NULLABLE[kind].__from_arrow__(values)
        return pc.fill_null(values, np.nan).to_numpy() if kind == "float" else values.to_numpy()

    def _texts(self, texts: Column, rich: bool) -> Any:
        if not self._raw:
            texts = pc.replace_substring_regex(texts, pattern=ESCAPED, replacement=r"\1")
        return frames.categories(texts) if rich else frames.texts(texts)

    def _is_text(self, place: int, texts: Column) -> bool:
        """Tell whether an unknown column is text: its first value is quoted, or it has none."""
        first = pc.index(pc.is_valid(texts), True).as_py()
        if first < 0:
            return True
        content = self._path.read_bytes().decode("utf-8-sig", "replace")
        row = column = 0
        for cell, end in _scanned(self._path, content):
            if row == first + 1 and column == place:
                return cell.startswith('"')
            row, column = (row, column + 1) if end == "," else (row + 1, 0)
        return True


_ARROW_TYPES = {
    "int": pa.int64(),
    "float": pa.float64(),
    "bool": pa.bool_(),  # after the numbers: Arrow takes 1 for true
    "date": pa.date32(),
    "moment": schemas.MOMENT,
    "naive": pa.timestamp("us"),
}
_GUESSES = tuple(_ARROW_TYPES)
_NULLABLE: dict[str, Any] = {
    "bool": pd.BooleanDtype(),
    "int": pd.Int64Dtype(),
    "float": pd.Float64Dtype(),
}


def _frame(names: list[str], columns: list[Any], texts: pa.Table) -> pd.DataFrame:
    for cents_name in filter(lambda name: name.endswith("_cents"), names):
        dollars_name = cents_name.removesuffix("_cents")
        if names.count(cents_name) == names.count(dollars_name) == 1:
            cents = columns[names.index(cents_name)]
            place = names.index(dollars_name)
            columns[place] = _dollars(cents, columns[place], texts.column(place))
    frame = pd.DataFrame(dict(enumerate(columns)), index=pd.RangeIndex(texts.num_rows))
    frame.columns = pd.Index(names, dtype="str")
    return frame


def _dollars(cents: Any, parsed: Any, texts: Column) -> Any:
    """Make dollars from the cents beside them where both say the same: exact at any size."""
    if not pd.api.types.is_integer_dtype(cents.dtype):
        return parsed
    whole = pd.Series(cents).to_numpy(np.int64, na_value=0)
    missing = pd.isna(cents)
    written = decimals(whole, missing)
    if not written.equals(texts.cast(pa.large_string()).combine_chunks()):
        return parsed
    return np.where(missing, np.nan, whole / 100)
