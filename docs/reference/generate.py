"""Write the pages that are made from the code: commands, tables, words and lies.

``python docs/reference/generate.py`` writes them; a test compares them with what it would write.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from inspect import cleandoc
from pathlib import Path
from typing import Any

import click
import pandas as pd
import pyarrow as pa

from seqdata import Ledger
from seqdata.cli import cli
from seqdata.exceptions import MissingColumns
from seqdata.sandbox.faults import altering, lies
from seqdata.sandbox.faults.kinds import KINDS, VARIANTS
from seqdata.sources import schemas
from seqdata.sources.webapp import words

FOLDER = Path(__file__).parent
COLUMNS = FOLDER / "columns.toml"

_MADE = "<!-- Made by docs/reference/generate.py: edit the code or that file, not this page. -->\n"

# -- the command line -------------------------------------------------------------------------

_CLI = """\
# Command line

{made}
`seqdata COMMAND --help` says the same in your terminal. Options that take several values are
given again for each one. Exit codes are on the page of the [errors](../errors.md#exit-codes).
"""


def cli_page() -> str:
    """Return the page of all commands."""
    sections = [_command(called, one) for called, one in commands(cli, ["seqdata"])]
    return "\n".join([_CLI.format(made=_MADE), *sections])


def commands(
    command: click.Command, called: list[str]
) -> Iterator[tuple[list[str], click.Command]]:
    """Yield each command with the words that call it, the group before its members."""
    yield called, command
    if isinstance(command, click.Group):
        for name, member in sorted(command.commands.items()):
            yield from commands(member, [*called, name])


def _command(called: list[str], command: click.Command) -> str:
    context = click.Context(command, info_name=" ".join(called))
    usage = " ".join(command.collect_usage_pieces(context))
    name = " ".join(called)
    said = cleandoc(command.help or "")
    lines = [f"## {name}", "", said, "", "```text", f"{name} {usage}", "```"]
    options = [one for one in command.params if isinstance(one, click.Option)]
    if options:
        lines += ["", "| option | what it does |", "|---|---|"]
        lines += [_option(one, context) for one in options]
    return "\n".join([*lines, ""])


def _option(option: click.Option, context: click.Context) -> str:
    names, said = option.get_help_record(context) or ("", "")
    return f"| `{_cell(names)}` | {_cell(said)} |"


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip().replace("|", "\\|")


# -- the tables -------------------------------------------------------------------------------

_TABLES = """\
# Tables and dtypes

{made}
Three rules hold everywhere:

- A column `X_cents` holds whole cents (`Int64`, exact); the column `X` after it holds the same in
  dollars (`float64`), for reading and drawing. Sum the cents.
- A moment carries your time zone (`SEQUENCE_TIMEZONE`); a date or period is naive midnight of a
  day in that zone, and a period is named by its first day.
- What is not known is NA (or NaT, NaN), never 0 and never an empty text.

Each table can be had by its name: `ledger.table("cash_flow")`, and the first group of tables below
by `ledger.export(path, "cash_flow")` and `seqdata export FILE --table cash_flow`.

## DataFrames

"""

_PARQUET = """\
## Parquet files

Under `cache/<organization id>/`: what is on the disk, for DuckDB, Polars, Spark and others. All
columns may be null. [How a sync works](../sync.md#the-tables) says what each table is for.

"""

_STORED = {
    "transfers/month=YYYY-MM/": schemas.TRANSFERS,
    "transfer_history/month=YYYY-MM/": schemas.TRANSFER_HISTORY,
    "details/month=YYYY-MM/": schemas.DETAILS,
    "legs/month=YYYY-MM/": schemas.LEGS,
    "accounts/": schemas.ACCOUNTS,
    "balances/": schemas.BALANCES,
    "annotations/": schemas.ANNOTATIONS,
    "runs/": schemas.RUNS,
    "earlier/month=YYYY-MM/": schemas.EARLIER,
}


def tables_page() -> str:
    """Return the page of all tables, from the frames of a sandbox and the files' schemas."""
    meanings = tomllib.loads(COLUMNS.read_text(encoding="utf-8"))
    parts = [_frame_section(name, frame, meanings) for name, frame in frames().items()]
    stored = [_schema_section(name, schema) for name, schema in _STORED.items()]
    return "\n".join([_TABLES.format(made=_MADE), *parts, _PARQUET, *stored])


def frames() -> dict[str, pd.DataFrame]:
    """Return one frame of each kind that a ledger gives, by what makes it."""
    from seqdata.ledger.query import TABLES

    with Ledger.demo(months=4, now="2026-11-01") as ledger:
        ledger.sync(details="all", details_per_request=25, progress=False)
        newest = ledger.transfers["id"].iloc[0]
        ledger.annotate(newest, category="Fun", note="with Ana")
        found = {name: ledger.table(name) for name in TABLES}
        found["running_short"] = ledger.running_short()
        found["backtest"] = ledger.backtest()
        found["changes"] = ledger.changes()
        found["compare"] = ledger.compare("2026-10")
        found["cash_flow_by_category"] = ledger.cash_flow(by="category")
        found["cash_flow_by_account"] = ledger.cash_flow(by="account")
        found["history"] = ledger.history(newest)
        return found


def _frame_section(name: str, frame: pd.DataFrame, meanings: dict[str, Any]) -> str:
    table = meanings[name]
    lines = [f"### {name}", "", table["about"], "", "| column | dtype | meaning |", "|---|---|---|"]
    for column, dtype in frame.dtypes.items():
        said = table.get(column) or meanings["any"].get(column) or _dollars(str(column), frame)
        if said is None:
            raise MissingColumns(COLUMNS.name, [f"{name}.{column}"], list(table), str(COLUMNS))
        lines.append(f"| `{column}` | `{_dtype(dtype)}` | {said} |")
    return "\n".join([*lines, ""])


def _dollars(column: str, frame: pd.DataFrame) -> str | None:
    return f"`{column}_cents` in dollars" if f"{column}_cents" in frame else None


def _dtype(dtype: Any) -> str:
    return re.sub(r", [\w/]+\]$", ", zone]", str(dtype))


def _schema_section(name: str, schema: pa.Schema) -> str:
    rows = [f"| `{field.name}` | `{field.type}` |" for field in schema]
    return "\n".join([f"### {name}", "", "| column | type |", "|---|---|", *rows, ""])


# -- the words --------------------------------------------------------------------------------

_WORDS = """\
# Words

{made}
What the service says is kept as it said it, and beside it stands our word, which is the same
whatever the service calls it. Filter and compare our words; the raw ones are there to look at.

## How it stands

`state` of transfers and legs, from `status`. Any other status is `unknown`: it is read again like
an open one, and in no sum as settled.

| `status` | `state` |
|---|---|
{states}

## Who takes part

`source_party` and `destination_party`. Another type than these is kept as it is.

| the service's type | ours |
|---|---|
{parties}

## What made it

`kind`: the parties decide where they leave no choice, else `activity_type`. Any other word is
`unknown`. No sum depends on `kind`.

| source | destination | `activity_type` | `kind` |
|---|---|---|---|
{kinds}
"""


def words_page() -> str:
    """Return the page of the service's words and ours, from the tables that translate them."""
    states = [(f"`{raw}`", f"`{state}`") for raw, state in words.STATES.items()]
    parties = [(f"`{raw}`", f"`{party}`") for raw, party in words.PARTIES.items()]
    kinds = [
        (f"`{source}`", f"`{destination}`", "any", f"`{kind}`")
        for (source, destination), kind in words.KINDS_OF_PARTIES.items()
    ]
    kinds += [("any other", "", f"`{raw}`", f"`{kind}`") for raw, kind in words.KINDS.items()]
    return _WORDS.format(
        made=_MADE, states=_rows(states), parties=_rows(parties), kinds=_rows(kinds)
    )


def _rows(cells: Iterable[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


# -- the lies ---------------------------------------------------------------------------------

_LIES = """\
# Answers that lie

{made}
A service is seen through proxies and caches, moves to another database, and has operators who are
tired. Each wrong answer that a test of ours or a report of a user has met is a fault of the
[sandbox](sandbox.md), so that anyone can see what comes of it:

```python
from seqdata import Ledger
from seqdata.sandbox.faults.lies import LIES

with Ledger.demo(months=2, now="2026-11-01") as demo:
    demo.sync(progress=False)
    demo.sandbox.fail(**LIES["count_text"].fault)
    print(demo.sync(progress=False).is_complete)
```

A lie is told once, to the first answer of its operation. All that aims a fault aims a lie:
`times=3` tells it three times, `after=2` lets two answers pass first, `since=` and `until=` are
moments of the sandbox's clock, and `row=` is the row that it is told of. Its options can be given
by hand too: the list below is a beginning, the kinds of faults can say much more. From other
languages: `POST /sandbox/faults` with the same words.

The world behind the answers is never changed: what is true stays so, and the next answer says it.

{sections}
## Kinds

| kind | what it does | options |
|---|---|---|
{kinds}

`of` says in which node the `field` is: {nodes}. Lists are gone through by number, as in
`field="edges.3"`.

| kind | variants |
|---|---|
{variants}
"""

_OPERATIONS = {lies.PAGES: "a page", lies.ACCOUNTS: "the accounts", lies.DETAILS: "a transfer"}

#: The kinds that lie, and what each does.
_KINDS = {
    "wrong_page": "a page with other rows, or another end",
    "shifted_page": "a page that begins some rows further down, or up (`by=-3`)",
    "stale": "the transfers as they were some hours ago",
    "cached_answer": "an answer of before",
    "misheard": "the answer about another organization or transfer",
    "missing_field": "a field, or a row of a list, that is missing or null",
    "renamed_field": "a field under another name",
    "changed_type": "a value of another type",
    "unknown_value": "any other value",
    "wrong_value": "a value of the right type that is wrong",
    "wrong_body": "no answer of GraphQL; with `before=True` the service has not acted",
    "wrong_status": "the whole answer under another status",
    "wrong_header": "another header; a `Date` that is some days off",
    "errors_without_data": "an error in any words and with any code",
    "errors_with_data": "an error beside the data",
    "ignored_filter": "a filter that is not listened to",
}


def lies_page() -> str:
    """Return the page of the lies, from their list and what is written of the ledger."""
    known = tomllib.loads((FOLDER / "../explanation/lies.toml").read_text("utf-8"))
    families = dict.fromkeys(one.family for one in lies.LIES.values())
    chosen = {
        family: [one for one in lies.LIES.values() if one.family == family] for family in families
    }
    sections = [_family(family, told, known) for family, told in chosen.items()]
    options = {name: sorted(KINDS[name].options) for name in _KINDS}
    kinds = [(f"`{name}`", about, _codes(options[name])) for name, about in _KINDS.items()]
    return _LIES.format(
        made=_MADE,
        sections="\n".join(sections),
        kinds=_rows(kinds),
        variants=_rows(
            (f"`{name}`", _codes(VARIANTS[name])) for name in _KINDS if name in VARIANTS
        ),
        nodes=_codes(altering.KINDS_OF_NODES),
    )


def _family(family: str, told: list[lies.Lie], known: dict[str, str]) -> str:
    cells = [(f"`{one.name}`", one.about, _switch(one), known.get(one.name, "…")) for one in told]
    head = "| name | what comes | the fault | what the ledger does |\n|---|---|---|---|"
    return f"## {family.capitalize()}\n\n{head}\n{_rows(cells)}\n"


def _switch(lie: lies.Lie) -> str:
    given = "".join(f", {name}={value!r}" for name, value in lie.options.items())
    asked = f'"{lie.kind}"{given}'.replace("'", '"')
    return f"of {_OPERATIONS[lie.operation]}: `{asked}`"


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


#: The made pages, by their place beside this file.
PAGES = {
    "cli.md": cli_page,
    "tables.md": tables_page,
    "words.md": words_page,
    "../explanation/lies.md": lies_page,
}

if __name__ == "__main__":
    for file, page in PAGES.items():
        (FOLDER / file).write_text(page(), encoding="utf-8")
        sys.stdout.write(f"{FOLDER / file}\n")
