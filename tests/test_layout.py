"""How a table is laid out: a law for every table and every width."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from wcwidth import width

from seqdata.cli.layout import table_lines

CELLS = st.text("ab 日é🍜", max_size=20).map(lambda text: " ".join(text.split()))
FIGURES = st.integers(-(10**9), 10**9).map(lambda cents: f"${cents / 100:,.2f}")
HEADS = st.lists(st.sampled_from(["~name", "kind", ">amount", "~note", ">share"]), min_size=1)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    heads = draw(HEADS)
    row = st.tuples(*(FIGURES if head.startswith(">") else CELLS for head in heads))
    return heads, [list(found) for found in draw(st.lists(row, max_size=4))]


@given(tables(), st.integers(1, 120) | st.none())
def test_figures_are_never_cut(table: tuple[list[str], list[list[str]]], room: int | None) -> None:
    """In whatever room, every figure stands there whole, and so does what may not be cut."""
    heads, rows = table
    said = "\n".join(table_lines(heads, rows, room))
    for row in rows:
        for head, cell in zip(heads, row, strict=True):
            assert cell in said or head.startswith("~")


@given(tables(), st.integers(60, 400))
def test_lines_fit_where_they_can(table: tuple[list[str], list[list[str]]], room: int) -> None:
    """No line is wider than the room, and without a limit no text is cut."""
    heads, rows = table
    assert max(map(width, table_lines(heads, rows, room)), default=0) <= room
    said = "\n".join(table_lines(heads, rows, None))
    assert all(cell in said for row in rows for cell in row)
    assert "…" not in said


def test_a_row_without_room_is_a_paragraph() -> None:
    """Where columns have no room side by side, a row is a few lines, a blank line between two."""
    rows = [("Groceries and more", "$1,234.56"), ("Rent", "$2.00")]
    assert list(table_lines(["~name", ">amount"], rows, 18)) == [
        "  name    Groceri…", "  amount  $1,234.56", "", "  name    Rent", "  amount  $2.00",
    ]  # fmt: skip
    assert list(table_lines(["~name", ">amount"], rows, 24)) == [
        "  name            amount",
        "  ──────────────────────",
        "  Groceries …  $1,234.56",
        "  Rent             $2.00",
    ]


def test_heads_are_broken_before_rows_are() -> None:
    """Heads that make a table too wide stand on two lines, those wider than their cells alone."""
    rows = [("2026-10", "$14,505.86", "$0.00"), ("2026-11", "$9.00", "$0.00")]
    assert list(table_lines(["period", ">money in", ">pending out"], rows, 32)) == [
        "                       pending",
        "  period     money in      out",
        "  " + "─" * 28,
        "  2026-10  $14,505.86    $0.00",
        "  2026-11       $9.00    $0.00",
    ]
