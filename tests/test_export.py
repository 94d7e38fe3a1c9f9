"""CSV and Parquet: what is written comes back equal."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape
from pandas.testing import assert_frame_equal

from seqdata import Ledger
from seqdata.core.text import decimal_text
from seqdata.exceptions import CorruptFile, FolderNotWritable, InvalidFilter
from seqdata.export import read_csv, write_csv, write_parquet, write_xlsx
from seqdata.ledger.query import TABLES
from seqdata.sources.schemas import BALANCES, LEGS, TRANSFERS
from seqdata.store.frames import frame as any_frame
from seqdata.store.frames import transfers_frame

ZONE = "America/New_York"
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def transfers(*rows: dict[str, Any], zone: str = ZONE) -> pd.DataFrame:
    whole = [{name: row.get(name) for name in TRANSFERS.names} for row in rows]
    return transfers_frame(pa.Table.from_pylist(whole, schema=TRANSFERS), zone)


def cells(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


NASTY = [
    "NA", "", None, "00123", "null", "=1+1", "'=1+1", "''-x", "'x", "+1", "-", "@me", "\tx",
    "\rx", "\n=1", "\u2028x", "\uff1d1", "\u200b=1", "\ufeff-1", "\xa0+1",
    "\u22125", "'\uff20x", "a\nb", "a\r\nb", 'say "hi"', '"', ",", "Épargne 🐷", "1.50",
    "true", " x ", "nan",
]  # fmt: skip


@pytest.mark.parametrize("raw_text", [False, True])
def test_text_comes_back_as_it_was(tmp_path: Path, raw_text: bool) -> None:
    """Text that careless readers change comes back unchanged: empty, missing, NA, 00123, formulas,
    newlines, quotes."""
    path = tmp_path / "t.csv"
    frame = transfers(*({"id": str(i), "description": t, "status": t} for i, t in enumerate(NASTY)))
    write_csv(frame, path, raw_text=raw_text)
    assert_frame_equal(read_csv(path), frame)


def test_no_cell_runs_as_a_formula(tmp_path: Path) -> None:
    """No text cell, and no column's name, begins with what a spreadsheet runs."""
    path = tmp_path / "t.csv"
    frame = transfers(*({"id": "x", "description": text} for text in NASTY))
    write_csv(frame.assign(**{"=name": frame["description"]}), path)
    for row in cells(path):
        for text in (row["description"], row["'=name"]):
            seen = text.lstrip("\u200b\ufeff\xa0")
            assert not seen.startswith(tuple("=+-@\uff1d\uff20\u2212\t\r\n\u2028"))
    assert read_csv(path).columns[-1] == "=name"
    write_csv(frame, path, raw_text=True)
    assert "=1+1" in {row["description"] for row in cells(path)}


def test_amounts_have_two_decimals_and_times_an_offset(tmp_path: Path) -> None:
    """Dollars are exact with two decimals, cents are whole, moments are ISO with their offset,
    also in the hour that a day has twice."""
    path = tmp_path / "t.csv"
    first = {"id": "a", "amount_cents": -5, "created_at": datetime(2026, 11, 1, 5, 30, tzinfo=UTC)}
    again = first["created_at"] + timedelta(hours=1)
    frame = transfers(first, {"id": "b", "amount_cents": 123456, "created_at": again}, {"id": "c"})
    write_csv(frame, path)
    rows = cells(path)
    assert [row["amount"] for row in rows] == ["-0.05", "1234.56", ""]
    assert [row["amount_cents"] for row in rows] == ["-5", "123456", ""]
    assert [row["created_at"] for row in rows] == [
        "2026-11-01T01:30:00-04:00",
        "2026-11-01T01:30:00-05:00",
        "",
    ]
    assert_frame_equal(read_csv(path), frame)


def test_another_zone_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of another zone comes back equal when the zone is named or set; else the moments
    are the same ones, in the reporting zone."""
    path = tmp_path / "t.csv"
    frame = transfers({"id": "a", "created_at": NOON}, zone="Asia/Kathmandu")
    write_csv(frame, path)
    assert cells(path)[0]["created_at"] == "2026-11-01T17:45:00+05:45"
    assert_frame_equal(read_csv(path, timezone="Asia/Kathmandu"), frame)
    assert read_csv(path)["created_at"][0] == frame["created_at"][0]
    monkeypatch.setenv("SEQUENCE_TIMEZONE", "Asia/Kathmandu")
    assert_frame_equal(read_csv(path), frame)


def test_balances_and_legs_come_back(tmp_path: Path) -> None:
    """The other tables come back too, dates included."""
    path = tmp_path / "t.csv"
    rows = [
        {"organization_id": "o", "account_id": "p", "as_of": NOON, "balance_cents": cents}
        for cents in (None, 1, -250)
    ]
    frame = any_frame(pa.Table.from_pylist(rows, schema=BALANCES), ZONE)
    write_csv(frame, path)
    assert_frame_equal(read_csv(path), frame)
    legs = [{"id": "a", "leg": "pull", "expected_on": date(2026, 11, 3)}, {"id": "b"}]
    frame = any_frame(pa.Table.from_pylist(legs, schema=LEGS), ZONE)
    write_csv(frame, path)
    assert_frame_equal(read_csv(path), frame)


def test_an_empty_frame_comes_back(tmp_path: Path) -> None:
    """A frame without rows keeps its columns and dtypes."""
    write_csv(transfers(), tmp_path / "t.csv")
    assert_frame_equal(read_csv(tmp_path / "t.csv"), transfers())
    write_csv(pd.DataFrame(), tmp_path / "t.csv")
    assert read_csv(tmp_path / "t.csv").empty


def test_columns_of_a_report_come_back(tmp_path: Path) -> None:
    """Columns that no table has come back by their values: whole, fractions, truth, text that looks
    like numbers, moments without a zone."""
    path = tmp_path / "t.csv"
    frame = pd.DataFrame(
        {
            "count": [1, 2],
            "some": pd.array([1, None], dtype="Int64"),
            "share": [0.1234567, np.nan],
            "big": [1e300, -0.5],
            "open": [True, False],
            "maybe": pd.array([True, None], dtype="boolean"),
            "code": pd.array(["007", None], dtype="str"),
            "group": pd.Categorical(["1", "2"]),
            "month": pd.to_datetime(["2026-10-01", "2026-11-01"]).as_unit("us"),
            "day": pd.to_datetime(["2026-10-01", "2026-11-01"]).tz_localize(ZONE).as_unit("us"),
            'a, "b"\nc': pd.array([None, "x"], dtype="str"),
        }
    )
    write_csv(frame, path)
    assert_frame_equal(read_csv(path), frame)


def test_a_named_index_becomes_columns(tmp_path: Path) -> None:
    """A report's index with a name is written as columns; a nameless one is not."""
    frame = pd.DataFrame({"n": [3]}, index=pd.Index(["x"], name="who", dtype="str"))
    write_csv(frame, tmp_path / "t.csv")
    assert_frame_equal(read_csv(tmp_path / "t.csv"), frame.reset_index())


def test_a_file_that_a_spreadsheet_saved_again_is_read(tmp_path: Path) -> None:
    """Without our quotes, the known names still give the dtypes, and ids keep their zeros."""
    path = tmp_path / "t.csv"
    path.write_bytes(
        b"\xef\xbb\xbfid,status,amount_cents,amount,created_at\r\n"
        b"00123,DONE,5,0.05,2026-11-01T07:00:00-05:00\r\n"
    )
    frame = read_csv(path)
    assert frame["id"].tolist() == ["00123"]
    assert [str(kind) for kind in frame.dtypes] == [
        *("str", "category", "Int64", "float64"),
        f"datetime64[us, {ZONE}]",
    ]


@pytest.mark.parametrize("content", [b"", b'a,b\n"half', b"a,b\n1\n", b'a"b,c\n'])
def test_what_is_no_csv_is_named(tmp_path: Path, content: bytes) -> None:
    """A file that is no CSV of ours is refused with its name and the reason."""
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(CorruptFile, match=r"t\.csv"):
        read_csv(path)


def test_files_are_private_and_replaced_whole(tmp_path: Path) -> None:
    """An export is 0600, also over a file that was not, and a failed one leaves the old file."""
    for write, name in ((write_csv, "new/t.csv"), (write_parquet, "new/t.parquet")):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"old")
        path.chmod(0o644)
        write(transfers({"id": "a"}), path)
        assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == ["t.csv", "t.parquet"]
    with pytest.raises(FolderNotWritable):
        write_csv(transfers(), tmp_path / "new" / "t.csv" / "deeper.csv")


def test_parquet_is_lossless(tmp_path: Path) -> None:
    """Plain pandas gives back an equal frame, attrs included."""
    path = tmp_path / "t.parquet"
    frame = transfers({"id": "a", "status": "", "amount_cents": 5, "created_at": NOON}, {"id": "b"})
    frame.attrs["seqdata"] = {"rows": 2, "gaps": []}
    write_parquet(frame, path)
    found = pd.read_parquet(path)
    assert_frame_equal(found, frame)
    assert found.attrs == frame.attrs


TEXT = st.one_of(
    st.none(),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
    st.text("'=+-@\t\r\n\",x", max_size=4),
)
CENTS = st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1), st.integers(-1000, 1000))
MOMENTS = st.one_of(
    st.none(),
    st.datetimes(datetime(1800, 1, 1), datetime(2200, 1, 1)).map(lambda m: m.replace(tzinfo=UTC)),
)
ROWS = st.fixed_dictionaries(
    {"id": TEXT, "status": TEXT, "description": TEXT, "amount_cents": CENTS, "created_at": MOMENTS}
)
LAW = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@LAW
@given(rows=st.lists(ROWS, max_size=5), raw_text=st.booleans())
@example(rows=[{"description": "'=x"}], raw_text=True)
def test_any_frame_comes_back_from_csv_and_parquet(
    tmp_path: Path, rows: list[dict[str, Any]], raw_text: bool
) -> None:
    """Whatever the texts, amounts and moments are, both files give back an equal frame."""
    frame = transfers(*rows)
    write_csv(frame, tmp_path / "t.csv", raw_text=raw_text)
    assert_frame_equal(read_csv(tmp_path / "t.csv"), frame)
    write_parquet(frame, tmp_path / "t.parquet")
    assert_frame_equal(pd.read_parquet(tmp_path / "t.parquet"), frame)


@LAW
@given(cents=st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=9))
def test_written_amounts_are_the_exact_ones(tmp_path: Path, cents: list[int]) -> None:
    """Dollars in a CSV are the cents to the last digit, however large."""
    write_csv(transfers(*({"id": "a", "amount_cents": each} for each in cents)), tmp_path / "t.csv")
    assert [row["amount"] for row in cells(tmp_path / "t.csv")] == [*map(decimal_text, cents)]


@LAW
@given(texts=st.lists(TEXT, max_size=5))
def test_a_single_column_comes_back(tmp_path: Path, texts: list[str | None]) -> None:
    """A file of one column keeps its rows, also those of nothing."""
    frame = pd.DataFrame({"name": pd.array(texts, dtype="str")})
    write_csv(frame, tmp_path / "t.csv")
    assert_frame_equal(read_csv(tmp_path / "t.csv"), frame)


@pytest.fixture(scope="module")
def ledger():
    """Open a synced household."""
    with Ledger.demo(months=3, now="2026-11-01") as opened:
        opened.sync(details="all", details_per_request=25, progress=False)
        yield opened


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Return what a CSV keeps of a frame: not the categories that do not occur, nor the index."""
    words = [name for name in frame if isinstance(frame[name].dtype, pd.CategoricalDtype)]
    used = {name: frame[name].cat.remove_unused_categories() for name in words}
    return frame.assign(**used).reset_index(drop=True)


@pytest.mark.parametrize("rows", [None, 1, 0])
@pytest.mark.parametrize("table", TABLES)
def test_every_table_comes_back(ledger, tmp_path: Path, table: str, rows: int | None) -> None:
    """Each table of a ledger comes back from CSV with its dtypes, whole, of one row, and empty;
    the byte-order mark that Excel needs changes nothing."""
    words = {"period": "2026-10"} if table == "compare" else {}
    frame = ledger.table(table, **words).head(rows)
    for bom in (False, True):
        write_csv(frame, tmp_path / "t.csv", bom=bom)
        assert (tmp_path / "t.csv").read_bytes().startswith(b"\xef\xbb\xbf") == bom
        back = read_csv(tmp_path / "t.csv")
        assert_frame_equal(plain(back), plain(frame), check_categorical=False)
        assert [str(dtype) for dtype in back.dtypes] == [str(dtype) for dtype in frame.dtypes]


def test_a_workbook_holds_dates_money_and_text(tmp_path: Path) -> None:
    """A reader that nobody here wrote finds dates, dollars and whole cents, and text that is never
    run, each as it was; what is missing is an empty cell."""
    rows = [
        {"id": f"={place}", "description": text, "amount_cents": 123456, "created_at": NOON}
        for place, text in enumerate(NASTY)
    ]
    frame = transfers(*rows, {"id": "last"}).assign(share=0.25, far=10**15, is_odd=True)
    write_xlsx(frame, tmp_path / "t.xlsx")
    assert (tmp_path / "t.xlsx").stat().st_mode & 0o777 == 0o600
    heads, *found = openpyxl.load_workbook(tmp_path / "t.xlsx").active.iter_rows()
    place = {cell.value: number for number, cell in enumerate(heads)}
    assert list(place) == list(frame.columns)
    first, last = found[0], found[-1]
    assert first[place["amount"]].value == 1234.56
    assert "$" in first[place["amount"]].number_format
    assert first[place["amount_cents"]].value == 123456
    assert first[place["created_at"]].value == datetime(2026, 11, 1, 7)  # in New York
    assert first[place["created_at"]].is_date
    assert first[place["share"]].number_format == "0.0%"
    assert first[place["far"]].value == str(10**15)  # not rounded
    assert first[place["is_odd"]].value is True
    assert last[place["amount"]].value is None
    for row, text in zip(found, NASTY, strict=False):
        cell = row[place["description"]]
        assert cell.data_type != "f"
        assert (unescape(cell.value) if cell.value else "") == (text or "")


def test_a_sheet_that_is_too_long_is_refused(tmp_path: Path) -> None:
    """What has more rows than a sheet is refused, with what to write instead."""
    long = pd.DataFrame(index=range(1_048_576))
    with pytest.raises(InvalidFilter, match="1,048,575 rows"):
        write_xlsx(long, tmp_path / "t.xlsx")
    assert not (tmp_path / "t.xlsx").exists()
