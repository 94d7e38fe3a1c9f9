"""A frame as a workbook for spreadsheets: real dates, money in dollars, text as text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from io import BytesIO
from typing import Any

import pandas as pd

from seqdata.exceptions import MissingExtra
from seqdata.export.kinds import kind_of_values

#: Rows of a sheet below its heads.
MOST_ROWS = 1_048_575

#: A cell holds no more characters.
_MOST_TEXT = 32_767

#: A spreadsheet counts with 15 digits, and its days begin with 1900.
_MOST_DIGITS = 10**15
_FIRST_DAY = date(1900, 3, 1)

_MONEY = '"$"#,##0.00;[Red]-"$"#,##0.00'
_FORMATS = {
    "money": _MONEY, "share": "0.0%", "int": "#,##0", "moment": "yyyy-mm-dd hh:mm:ss",
    "naive": "yyyy-mm-dd", "date": "yyyy-mm-dd",
}  # fmt: skip
_WIDTHS = {"money": 13, "moment": 19, "naive": 11, "date": 11, "text": 24}


def workbook(frame: pd.DataFrame) -> bytes:
    """Return the bytes of an ``.xlsx`` file of one sheet.

    Raises
    ------
    MissingExtra
        XlsxWriter is not installed.
    """
    try:
        from xlsxwriter import Workbook  # type: ignore[import-untyped]
    except ImportError:
        raise MissingExtra("A file .xlsx", "xlsx") from None
    stream = BytesIO()
    with Workbook(stream, {"in_memory": True}) as book:
        sheet = book.add_worksheet("seqdata")
        bold = book.add_format({"bold": True})
        for place, name in enumerate(map(str, frame.columns)):
            values = frame.iloc[:, place]
            looks = _looks(name, values, frame)
            format_ = book.add_format({"num_format": _FORMATS.get(looks, "General")})
            sheet.set_column(place, place, max(_WIDTHS.get(looks, 9), len(name) + 3))
            sheet.write_string(0, place, name, bold)
            _write(sheet, place, values, _WRITERS[kind_of_values(values)], format_)
        sheet.freeze_panes(1, 0)
        if len(frame.columns):
            sheet.autofilter(0, 0, len(frame), len(frame.columns) - 1)
    return stream.getvalue()


def _looks(name: str, values: pd.Series[Any], frame: pd.DataFrame) -> str:
    """Say what a column is shown as: money, a share, or what it holds."""
    kind = kind_of_values(values)
    if kind == "float":
        return "money" if f"{name}_cents" in frame else "share" if name.endswith("share") else kind
    return kind


def _write(
    sheet: Any, place: int, values: pd.Series[Any], write: Callable[..., None], format_: Any
) -> None:
    missing = values.isna().to_numpy()
    for row, value in enumerate(values.astype("object"), 1):
        if not missing[row - 1]:
            write(sheet, row, place, value, format_)


def _number(sheet: Any, row: int, place: int, value: Any, format_: Any) -> None:
    if abs(value) < _MOST_DIGITS:
        sheet.write_number(row, place, value, format_)
    else:  # a spreadsheet would round it, or knows no infinity
        _text(sheet, row, place, value)


def _moment(sheet: Any, row: int, place: int, value: datetime | date, format_: Any) -> None:
    if isinstance(value, datetime):
        value = value.replace(tzinfo=None)
    day = value.date() if isinstance(value, datetime) else value
    if day < _FIRST_DAY:
        _text(sheet, row, place, value)
    else:
        sheet.write_datetime(row, place, value, format_)


def _truth(sheet: Any, row: int, place: int, value: Any, _: Any) -> None:
    sheet.write_boolean(row, place, bool(value))


def _text(sheet: Any, row: int, place: int, value: Any, _: Any = None) -> None:
    text = str(value)
    sheet.write_string(row, place, text if len(text) <= _MOST_TEXT else f"{text[:32_766]}…")


_WRITERS: dict[str, Callable[..., None]] = {
    "text": _text, "int": _number, "float": _number, "bool": _truth, "moment": _moment,
    "naive": _moment, "date": _moment,
}  # fmt: skip
