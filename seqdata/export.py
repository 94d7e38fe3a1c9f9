"""DataFrames to files and back: CSV for spreadsheets, Parquet for programs.

A CSV of ours is plain (UTF-8, comma, a header) and still says everything a frame says:

- Text is quoted, everything else is not. Quoted nothing is an empty text, unquoted nothing is
  a missing value.
- Names known from the tables say what a column holds. A quoted name marks the richer dtype:
  ``category`` for text, ``Int64``, ``Float64`` and ``boolean`` for numbers and truth. (A name
  with a comma, quote or line end is quoted anyway and marks nothing.)
- Text that a spreadsheet would run as a formula gets a leading apostrophe, and so does text
  that looks as if it had got one; reading takes it away. Lines end in LF. With
  ``raw_text=True`` nothing is added, and lines end in CR LF, which tells the reader so.
- Whole cents are written as whole cents; columns of dollars with two decimals, from the
  cents. Moments are ISO 8601 with the offset of their zone.

A CSV cannot carry the name of a zone, categories that do not occur, the dtype of an unknown
column without a value, ``attrs``, or an index without a name; Parquet carries all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv

from seqdata.config import get_settings
from seqdata.core.arrow import Column, pc
from seqdata.core.files import replacing, writing_in
from seqdata.exceptions import CorruptFile, InvalidFilter
from seqdata.sources import schemas
from seqdata.store import frames
from seqdata.store.frames import DOLLARS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FILE_TYPES = (".csv", ".parquet")

_FORMULA = r"^'*[=+\-@\t\r]"
_ESCAPED = r"^'+[=+\-@\t\r]"
_ROWS_AT_ONCE = 50_000
_REMEDY = "Export it again."
_BLOCK_BYTES = 16 << 20
_PICTURE_DPI = 160


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


def write_csv(frame: pd.DataFrame, path: Path | str, *, raw_text: bool = False) -> None:
    """Write a frame as CSV for a spreadsheet; :func:`read_csv` gives back an equal one.

    The file is created 0600 and replaces an older one in one step. An index with a name
    becomes columns; another index is not written.

    Parameters
    ----------
    raw_text
        Leave text as it is, even if a spreadsheet would run it as a formula.

    Raises
    ------
    FolderNotWritable
        The file system refused; an older file is unchanged.
    """
    named = [name for name in frame.index.names if name is not None]
    frame = frame.reset_index() if named else frame
    end = "\r\n" if raw_text else "\n"
    with _private_file(path) as stream:
        stream.write((_header(frame, raw_text) + end).encode())
        if not len(frame.columns):
            return
        for start in range(0, len(frame), _ROWS_AT_ONCE):
            rows = frame.iloc[start : start + _ROWS_AT_ONCE]
            stream.write(_lines(rows, raw_text, end))


def write_table(frame: pd.DataFrame, path: Path, *, raw_text: bool = False) -> Path:
    """Write a frame to CSV or Parquet, as the name of the file says; return the path.

    Raises
    ------
    InvalidFilter
        The name ends in something else.
    FolderNotWritable
        The file system refused; an older file is unchanged.
    """
    check_file_type(path)
    if path.suffix.lower() == ".csv":
        write_csv(frame, path, raw_text=raw_text)
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
    """Raise :class:`InvalidFilter` for a file that is neither CSV nor Parquet."""
    if path.suffix.lower() not in _FILE_TYPES:
        raise InvalidFilter("path", str(path), [f"*{suffix}" for suffix in _FILE_TYPES])


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
    rich = quoted if any(quoted) else [_is_richly_known(name) for name in names]
    columns = [
        reader.column(place, _kind_of_name(name, names), texts.column(place), rich=rich[place])
        for place, name in enumerate(names)
    ]
    return _frame(names, columns, texts)


# -- what a column holds ----------------------------------------------------------------------


def _known_kinds() -> dict[str, str]:
    tables = (
        *schemas.TRANSFER_HISTORY,
        *schemas.ACCOUNTS,
        *schemas.BALANCES,
        *schemas.DETAILS,
        *schemas.LEGS,
        *schemas.ANNOTATIONS,
    )
    kinds = {field.name: _kind_of_type(field.type) for field in tables}
    return {
        **kinds,
        **dict.fromkeys(DOLLARS.values(), "float"),
        **dict.fromkeys(_DAYS, "naive"),
        **dict.fromkeys(_MOMENTS, "moment"),
        **dict.fromkeys(_COUNTS, "int"),
    }


def _kind_of_type(kind: pa.DataType) -> str:
    if pa.types.is_timestamp(kind):
        return "moment"
    if pa.types.is_date(kind):
        return "date"
    return "int" if pa.types.is_integer(kind) else "text"


#: Columns of the analysis that hold counts, moments and days.
_COUNTS = ("transfers", "failed_transfers", "candidates", "times")
_MOMENTS = ("settled_at", "reversed_at", "since", "until")
_DAYS = ("date", "period", "first_date", "last_date", "next_date", "changed_on")

_KNOWN = _known_kinds()


def _kind_of_name(name: str, names: list[str]) -> str | None:
    """Say what a column of this name holds, beside columns of these names; None: not known."""
    if name.endswith("_cents"):
        return "int"
    return "float" if f"{name}_cents" in names else _KNOWN.get(name)


def _is_richly_known(name: str) -> bool:
    """Tell whether a column has the richer dtype, in a CSV that another program saved again."""
    return name in schemas.CATEGORIES or name.endswith("_cents")


def _kind_of_values(values: pd.Series[Any]) -> str:
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return "text"
    if isinstance(dtype, pd.DatetimeTZDtype):
        return "moment"
    if pd.api.types.is_datetime64_dtype(dtype):
        return "naive"
    for kind, test in _DTYPES.items():
        if test(dtype):
            return kind
    return "date" if pd.api.types.infer_dtype(values, skipna=True) == "date" else "text"


_DTYPES = {
    "bool": pd.api.types.is_bool_dtype,
    "int": pd.api.types.is_integer_dtype,
    "float": pd.api.types.is_float_dtype,
}


def _is_rich(values: pd.Series[Any]) -> bool:
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return True
    numeric = pd.api.types.is_numeric_dtype(dtype)
    return bool(numeric and pd.api.types.is_extension_array_dtype(dtype))


# -- writing ----------------------------------------------------------------------------------


def _parquet_schema(frame: pd.DataFrame) -> pa.Schema:
    """Say that categories are text, even where none occurs: else they come back as objects."""
    schema = pa.Schema.from_pandas(frame)
    for place, field in enumerate(schema):
        if pa.types.is_dictionary(field.type) and pa.types.is_null(field.type.value_type):
            text = pa.dictionary(field.type.index_type, pa.string())
            schema = schema.set(place, field.with_type(text))
    return schema


def _header(frame: pd.DataFrame, raw: bool) -> str:
    cells = []
    for place, label in enumerate(frame.columns):
        name = str(label)
        if not raw and re.match(_FORMULA, name):
            name = "'" + name
        rich = _is_rich(frame.iloc[:, place])
        cells.append(_quoted(name) if rich or _needs_quotes(name) else name)
    return ",".join(cells)


def _needs_quotes(name: str) -> bool:
    return not name or re.search(r'[",\r\n]', name) is not None


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _lines(rows: pd.DataFrame, raw: bool, end: str) -> bytes:
    columns = [_cells(rows, place, raw) for place in range(rows.shape[1])]
    cells = [pc.fill_null(column.cast(pa.large_string()), "") for column in columns]
    lines = _joined(*cells, separator=",")
    return "".join(_joined(lines, _large(end)).to_pylist()).encode()


def _cells(rows: pd.DataFrame, place: int, raw: bool) -> Column:
    values = rows.iloc[:, place]
    kind = _kind_of_values(values)
    if kind == "text":
        return _text_cells(values, raw)
    if kind == "float":
        return _float_cells(rows, place)
    if kind in ("moment", "naive"):
        return _moment_cells(values, kind)
    return pa.array(values, from_pandas=True).cast(pa.string())


def _text_cells(values: pd.Series[Any], raw: bool) -> Column:
    texts = _arrow_texts(values)
    if not raw:
        pattern, replacement = r"^('*[=+@\t\r-])", r"'\1"
        texts = pc.replace_substring_regex(texts, pattern=pattern, replacement=replacement)
    doubled = pc.replace_substring(texts, '"', '""')
    return _joined(_large('"'), doubled, _large('"'))


def _arrow_texts(values: pd.Series[Any]) -> Column:
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype) and isinstance(
        dtype.categories.dtype, pd.StringDtype
    ):
        return pa.array(values.array).cast(pa.large_string())
    if isinstance(dtype, pd.StringDtype):
        return pa.array(values, from_pandas=True).cast(pa.large_string())
    missing = values.isna().to_numpy()
    words = [None if gone else str(value) for value, gone in zip(values, missing, strict=True)]
    return pa.array(words, pa.large_string())


def _float_cells(rows: pd.DataFrame, place: int) -> Column:
    values = rows.iloc[:, place].to_numpy(np.float64, na_value=np.nan)
    cents = _cents_beside(rows, str(rows.columns[place]), values)
    if cents is None:
        cents = _whole_cents(values)
    if cents is None:
        return pa.array(values, from_pandas=True).cast(pa.string())
    return _decimals(cents, np.isnan(values))


def _cents_beside(rows: pd.DataFrame, name: str, dollars: Any) -> Any:
    """Return the cents that a column of dollars was made from; None if it was not."""
    source = f"{name}_cents"
    if list(rows.columns).count(source) != 1:
        return None
    column = rows[source]
    if not pd.api.types.is_integer_dtype(column.dtype):
        return None
    cents = column.to_numpy(np.int64, na_value=0)
    known = column.notna().to_numpy()
    same = np.where(known, cents / 100 == dollars, np.isnan(dollars))
    return cents if same.all() else None


def _whole_cents(dollars: Any) -> Any:
    """Return the whole cents that floats of dollars stand for; None if they are none."""
    known = np.where(np.isnan(dollars), 0.0, dollars)
    if not (np.abs(known) < 1e13).all():
        return None
    cents = np.rint(known * 100).astype(np.int64)
    return cents if (cents / 100 == known).all() else None


def _decimals(cents: Any, missing: Any) -> Column:
    """Write int64 cents as decimal numbers with two places, as money.decimal_text does."""
    magnitude = np.abs(cents).astype(np.uint64)
    whole = pa.array(magnitude // 100).cast(pa.large_string())
    rest = pc.utf8_lpad(pa.array(magnitude % 100).cast(pa.large_string()), 2, "0")
    sign = pa.array(np.where(cents < 0, "-", "").astype(object), pa.large_string(), mask=missing)
    return _joined(sign, whole, _large("."), rest)


def _moment_cells(values: pd.Series[Any], kind: str) -> Column:
    local = values.dt.tz_localize(None).to_numpy("datetime64[us]")
    if kind == "naive":
        return _iso(local)
    utc = values.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[us]")
    apart = np.where(np.isnat(utc), np.timedelta64(0, "us"), local - utc).astype(np.int64)
    odd = apart % 60_000_000 != 0  # local mean time has seconds, which ISO offsets have not
    local, apart = np.where(odd, utc, local), np.where(odd, 0, apart)
    distinct, places = np.unique(apart // 60_000_000, return_inverse=True)
    offsets = np.array([_offset(minutes) for minutes in distinct.tolist()], dtype=object)
    return _joined(_iso(local), pa.array(offsets[places], pa.large_string()))


def _iso(moments: Any) -> Column:
    column: Column = pa.array(moments, pa.timestamp("us"))
    fractions = moments[~np.isnat(moments)].astype(np.int64) % 1_000_000
    if not fractions.any():
        column = column.cast(pa.timestamp("s"))
    return pc.replace_substring(column.cast(pa.large_string()), " ", "T")


def _offset(minutes: int) -> str:
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02d}:{rest:02d}"


def _joined(*parts: Column, separator: str = "") -> Column:
    return pc.binary_join_element_wise(*parts, _large(separator))


def _large(text: str) -> pa.Scalar[Any]:
    return pa.scalar(text, pa.large_string())


@contextmanager
def _private_file(path: Path | str) -> Iterator[IO[bytes]]:
    target = Path(path).expanduser().resolve()
    if target.exists() and not target.is_file() and not target.is_dir():
        with writing_in(target), target.open("wb") as stream:  # a pipe or a terminal
            yield stream
        return
    with replacing(target, gitignore=False) as stream:
        yield stream


# -- reading ----------------------------------------------------------------------------------

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
        quoted.append(cell.startswith('"') and not _needs_quotes(names[-1]))
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
    return name[1:] if re.match(_ESCAPED, name) else name


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
            pattern, replacement = r"^'('*[=+@\t\r-])", r"\1"
            texts = pc.replace_substring_regex(texts, pattern=pattern, replacement=replacement)
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
    written = _decimals(whole, missing)
    if not written.equals(texts.cast(pa.large_string()).combine_chunks()):
        return parsed
    return np.where(missing, np.nan, whole / 100)
