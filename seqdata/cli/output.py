"""What commands print: tables for people, JSON for programs."""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, TextIO
from zoneinfo import ZoneInfo

import click

from seqdata.core.text import PLAINER, alike, format_cents, in_encoding, printable, printable_lines

if TYPE_CHECKING:
    import pandas as pd


#: Columns that hold shares of a whole.
_SHARES = ("share", "change_share", "success")

#: What a table shows for an amount that is not known, which is not zero.
UNKNOWN = "--"


def prepare_streams() -> None:
    """Let no terminal be too poor for a name: what its encoding lacks is written plainer."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=PLAINER)


def has_colour() -> bool:
    """Tell whether colour is wanted: https://no-color.org, and terminals that know none."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def echo(text: object, *, err: bool = False) -> None:
    """Print a sentence, or lines of our own, for a person."""
    click.echo(printable_lines(str(text)), _stream(err=err))


def headline(text: str, *, err: bool = False) -> None:
    """Print what stands above other lines."""
    click.secho(printable_lines(text), _stream(err=err), bold=True)


def _stream(*, err: bool) -> TextIO:
    """Return the stream itself: of one in ASCII click makes another, in UTF-8."""
    return sys.stderr if err else sys.stdout


def ask(question: str, *, is_hidden: bool = False) -> str:
    """Ask for an answer of one line, on stderr; "" where only Enter was pressed."""
    typed = click.prompt(
        printable_lines(question), default="", show_default=False, prompt_suffix=" ", err=True,
        hide_input=is_hidden,
    )  # fmt: skip
    return str(typed).strip()


def confirm(question: str, *, err: bool = False, default: bool = False) -> bool:
    """Ask for a yes; Enter alone means `default`."""
    return click.confirm(printable_lines(question), default=default, err=err)


def say(text: str, *, err: bool = False, head: str = "") -> None:
    """Print what must not be lost: where its stream takes nothing, on the other one.

    A full disk or a closed pipe under a stream neither raises, nor changes how the program ends.
    `head` is ours, and may be in colour.
    """
    streams = [sys.stdout, sys.stderr]
    for stream in reversed(streams) if err else streams:
        if _takes(stream, head + printable_lines(text)):
            return


def _takes(stream: TextIO | None, text: str) -> bool:
    if stream is None:  # closed before the program began
        return False
    for words in (text, in_encoding(text, "ascii")):
        try:
            stream.write(f"{words}\n")
            stream.flush()
        except UnicodeError:  # its encoding lacks a character
            continue
        except (OSError, ValueError):
            drop(stream)
            return False
        return True
    return False


def drop(stream: TextIO) -> None:
    """Let what a stream could not write go nowhere, else Python fails over it at its end."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def print_json(value: Any) -> None:
    """Print a value as JSON, one indented document."""
    click.echo(json_text(value))


def json_text(value: Any) -> str:
    """Return a value as an indented JSON document in ASCII, which every terminal and pipe takes."""
    return json.dumps(value, indent=2)


def print_frame_json(frame: pd.DataFrame) -> None:
    """Print a table as a JSON list of records: moments ISO with offset, what is missing null."""
    print_json(records(frame))


def print_facts(facts: dict[str, str], title: str = "", *, err: bool = False) -> None:
    """Print words and what they say, in two columns; on stderr where stdout is for a program."""
    if title:
        headline(title, err=err)
    width = max(map(len, facts), default=0)
    for name, text in facts.items():
        first, *rest = text.split("\n")
        echo(f"  {name:<{width}}  {first}", err=err)
        for line in rest:
            echo(f"  {'':<{width}}  {line}", err=err)


def print_finding(level: str, subject: str, text: str) -> None:
    """Print what the doctor found, its level in colour and in a word."""
    colour = {"ok": "green", "note": "yellow", "problem": "red"}[level]
    click.secho(f"{level:<8}", _stream(err=False), fg=colour, nl=False)
    echo(f"{subject}: {text}")


def print_transfers(frame: pd.DataFrame, title: str) -> None:
    """Print transfers as a table as wide as the terminal."""
    rows = [
        (
            "" if row["created_at"] is None else row["created_at"][:16].replace("T", " "),
            row["signed"],
            row["source_name"] or "",
            row["destination_name"] or "",
            row["state"] or "",
            row["description"] or row["error_reason"] or "",
        )
        for row in records(frame.assign(signed=_signed(frame)))
    ]
    heads = ["date", ">amount", "~from", "~to", "state", "~note"]
    print_table(title, heads, rows)


def print_accounts(accounts: Sequence[dict[str, Any]], title: str) -> None:
    """Print accounts with their balances; an unknown balance is a dash, not zero.

    Names that are the same, or look it, end in the last letters of the id.
    """
    likeness = alike(row["name"] or "" for row in accounts)
    rows = [
        (
            row["kind"],
            f"{row['name'] or ''} (…{row['id'][-4:]})" if is_alike else row["name"] or "",
            UNKNOWN if row["balance_cents"] is None else format_cents(row["balance_cents"]),
            "" if row["goal_cents"] is None else format_cents(row["goal_cents"]),
            row["institution"] or "",
            "closed" if row["closed_at"] else "",
        )
        for row, is_alike in zip(accounts, likeness, strict=True)
    ]
    print_table(title, ["kind", "~name", ">balance", ">goal", "~institution", ""], rows)


def print_frame(frame: pd.DataFrame, title: str, *, all_rows: pd.DataFrame | None = None) -> None:
    """Print any table of the analysis: amounts in dollars, shares in percent, without ids.

    Of `all_rows`, of which `frame` may be a part, the sums stand below.
    """
    import pandas as pd

    heads, columns, totals = [], [], []
    for name in map(str, frame.columns):
        if name == "id" or name.endswith(("_id", "_ids")) or f"{name}_cents" in frame:
            continue
        is_figure = pd.api.types.is_numeric_dtype(frame[name]) and frame[name].dtype != "bool"
        mark = ">" if is_figure else "~" if frame[name].dtype == "str" else ""
        heads.append(mark + name.removesuffix("_cents").replace("_", " "))
        columns.append([_cell(name, value) for value in frame[name].astype("object")])
        totals.append("" if all_rows is None else _total(name, all_rows[name]))
    if all_rows is not None:
        totals[0] = "in all"
    print_table(title, heads, list(zip(*columns, strict=True)), totals if any(totals) else None)


def _total(name: str, column: pd.Series[Any]) -> str:
    is_sum = name.endswith(("_cents", "transfers"))
    return _cell(name, column.sum()) if is_sum else ""


def period_words(facts: dict[str, Any]) -> str:
    """Say of which time a table is, by what it says of itself."""
    filters = facts.get("filters") or {}
    first = filters.get("since") or facts.get("since") or "the first transfer"
    if filters.get("until"):
        return f"from {first} until {filters['until']}"
    if facts.get("last_sync_at") is None:
        return f"since {first}"
    last = datetime.fromisoformat(facts["last_sync_at"]).astimezone(ZoneInfo(facts["timezone"]))
    return f"since {first}, as of {last:%Y-%m-%d}"


def _cell(name: str, value: Any) -> str:
    import pandas as pd

    if pd.isna(value):
        return UNKNOWN if name.endswith("_cents") else ""
    if name.endswith("_cents"):
        return format_cents(int(value))
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}" if value.tz is None else f"{value:%Y-%m-%d %H:%M}"
    if name in _SHARES:
        return f"{value:.1%}"
    if isinstance(value, bool):
        return "yes" if value else ""
    return str(value)


def warn_if_incomplete(ledger: Any) -> None:
    """Say on stderr what is missing, where not everything is here."""
    certificate = ledger.certificate()
    if certificate.is_complete is False:
        echo(f"Mind: {certificate}", err=True)


def print_table(
    title: str,
    heads: list[str],
    rows: Sequence[tuple[str, ...]],
    total: Sequence[str] | None = None,
) -> None:
    """Print rows under heads, no wider than the terminal; without one, as wide as they are.

    A head that begins with ``>`` is a column of figures, one that begins with ``~`` is text
    that is cut where the terminal is narrow; the others are always whole.
    """
    from seqdata.cli.layout import table_lines

    cells = [[_shown(cell) for cell in row] for row in rows]
    below = None if total is None else [_shown(cell) for cell in total]
    signs = {"rule": _shown("─"), "dots": _shown("…")}
    headline(title)
    for line in table_lines([_shown(head) for head in heads], cells, _room(), below, **signs):
        echo(line)


def _shown(text: str) -> str:
    """Return a text as one line in what the encoding of stdout has."""
    line = " ".join(printable(text).split())
    return in_encoding(line, getattr(sys.stdout, "encoding", None) or "utf-8")


def _room() -> int | None:
    """Return how wide the terminal is, or what COLUMNS says; None where there is neither."""
    return shutil.get_terminal_size((0, 0)).columns or None


def _signed(frame: pd.DataFrame) -> list[str]:
    signs = {"INCOMING": "+", "OUTGOING": "-"}
    pairs = zip(
        _plain_column(frame["direction"]), _plain_column(frame["amount_cents"]), strict=True
    )
    return [
        UNKNOWN if cents is None else signs.get(direction, "") + format_cents(cents)
        for direction, cents in pairs
    ]


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as plain values: moments ISO with offset, missing ones None."""
    columns = {str(name): _plain_column(frame[name]) for name in frame.columns}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _plain_column(column: pd.Series[Any]) -> list[Any]:
    import pandas as pd

    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return [None if pd.isna(value) else value.isoformat() for value in column]
    if column.dtype.kind == "M":  # days
        return [None if pd.isna(value) else value.date().isoformat() for value in column]
    return [None if pd.isna(value) else value for value in column.astype("object").tolist()]
