"""One Parquet file: read with its columns checked, written in one step."""

from __future__ import annotations

import errno
from collections.abc import Sequence, Set
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from seqdata.core.files import replacing
from seqdata.exceptions import CorruptFile
from seqdata.sources.schemas import CATEGORIES

# Names repeat too, but are no categories for the user.
_REPEATING = sorted(
    CATEGORIES
    | {"source_id", "source_name", "destination_id"}
    | {"destination_name", "error_reason", "account_id", "name"}
)


REMEDY = "Move it away: the next command makes it again from the record."

#: Where Arrow keeps the schema in a file's metadata.
_ARROW = b"ARROW:schema"


def write_table(path: Path, table: pa.Table, facts: dict[str, str] | None = None) -> None:
    """Write a table as one Parquet file: zstd, page checksums, in one step.

    Parameters
    ----------
    facts
        Kept in the file's metadata, for :func:`read_facts`.

    Raises
    ------
    FolderNotWritable
        The file system refused; the old file is unchanged.
    """
    with replacing(path, gitignore=False) as stream:
        pq.write_table(
            table.replace_schema_metadata(facts),
            stream,
            compression="zstd",
            use_dictionary=[  # type: ignore[arg-type]  # the stubs know True and False only
                name for name in _REPEATING if name in table.column_names
            ],
            write_page_checksum=True,
        )


def read_table(
    path: Path,
    schema: pa.Schema,
    columns: Sequence[str] | None = None,
    *,
    dictionaries: bool = False,
    may_lack: Set[str] = frozenset(),
) -> pa.Table:
    """Read one Parquet file of ours.

    Parameters
    ----------
    schema
        What the file must hold; columns beyond it are passed over.
    columns
        Names to read; all of `schema` by default.
    dictionaries
        Text columns with few values come dictionary-encoded.
    may_lack
        Columns that are null where the file does not have them.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    CorruptFile
        It is no Parquet, was damaged, or lacks a column or has another type for one.
    """
    names = schema.names if columns is None else list(columns)
    encoded = [name for name in names if name in CATEGORIES] if dictionaries else None
    if not path.exists():  # of which Arrow's error does not say the name
        raise FileNotFoundError(errno.ENOENT, "it is gone", str(path))
    try:
        with pq.ParquetFile(path, read_dictionary=encoded, page_checksum_verification=True) as file:
            lacking = may_lack - {*file.schema_arrow.names}
            _check(path, file, pa.schema([one for one in schema if one.name not in lacking]))
            found = file.read([name for name in names if name not in lacking], use_threads=False)
            for name in lacking & {*names}:
                found = found.append_column(
                    schema.field(name), pa.nulls(found.num_rows, schema.field(name).type)
                )
            return found.select(names).replace_schema_metadata(None)
    except FileNotFoundError:
        raise
    except (OSError, pa.ArrowException) as error:
        raise CorruptFile(path, _first_line(error), REMEDY) from error


def read_facts(path: Path) -> dict[str, str]:
    """Read what :func:`write_table` kept in the metadata; empty where another program wrote.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    CorruptFile
        It is no Parquet.
    """
    try:
        found = pq.read_metadata(path).metadata or {}
    except FileNotFoundError:
        raise
    except (OSError, pa.ArrowException) as error:
        raise CorruptFile(path, _first_line(error), REMEDY) from error
    return {name.decode(): value.decode() for name, value in found.items() if name != _ARROW}


def _check(path: Path, file: pq.ParquetFile, schema: pa.Schema) -> None:
    found = file.schema_arrow
    if found.names == schema.names and found.types == schema.types:
        return
    for expected in schema:
        place = found.get_field_index(expected.name)
        if place < 0:
            raise CorruptFile(path, f"column {expected.name} is missing", REMEDY)
        if not _same_type(found.field(place).type, expected.type):
            reason = f"column {expected.name} is {found.field(place).type}, not {expected.type}"
            raise CorruptFile(path, reason, REMEDY)


def _same_type(found: pa.DataType, expected: pa.DataType) -> bool:
    if pa.types.is_dictionary(found):
        found = found.value_type
    return bool(found == expected)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
