"""The commands that compute something from the tables here, and those that draw it.

Each table of the analysis is a command of the same name, with the words of its method as
options; a test holds both lists together. Nothing heavy is imported before a command runs.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seqdata.cli import output
from seqdata.cli.words import OneOf, given

if TYPE_CHECKING:
    import pandas as pd

OPTIONS: dict[str, dict[str, Any]] = {
    "freq": {
        "type": OneOf(["day", "week", "month", "quarter", "year"]),
        "help": "The length of a period.",
    },
    "since": {"metavar": "DATE", "help": "From here on: 2026-11-01, October, last month ..."},
    "until": {"metavar": "DATE", "help": "Before this date or time, in the same words."},
    "account": {
        "multiple": True,
        "metavar": "NAME",
        "help": "An account's id or name; repeatable.",
    },
    "direction": {"multiple": True, "help": "incoming, outgoing or internal."},
    "state": {
        "multiple": True,
        "help": "open, settled, failed, cancelled or unknown; repeatable.",
    },
    "status": {"multiple": True, "help": "The service's own word, such as complete."},
    "text": {"multiple": True, "help": "In names, descriptions, reasons or ids; repeatable."},
    "category": {"multiple": True, "metavar": "NAME", "help": "Such as Groceries; repeatable."},
    "by": {
        "multiple": True,
        "help": "category or account; of spending payee or pod too; repeatable.",
    },
    "by_day": {
        "type": OneOf(["paid", "settled"]),
        "help": "The day on which one paid, or on which the money had arrived.",
    },
    "boundary": {
        "type": OneOf(["sequence", "own"]),
        "help": "In and out of pods and ports, or of all your accounts.",
    },
    "period": {
        "help": 'Of compare: "this month" by default, or "2026-10", "2026-Q3" and the like.'
    },
    "previous": {"help": 'Against what: previous, "year ago", mean, or a period.'},
    "days": {"type": click.IntRange(1, 366), "help": "How far ahead."},
    "whole": {"is_flag": True, "help": "The whole other period, not the same days of both."},
    "wide": {"is_flag": True, "help": "A row a period, and a column of dollars for each name."},
    "include_moves": {"is_flag": True, "help": "Count moves to own outside accounts too."},
    "include_internal": {"is_flag": True, "help": "Also what moves between pods and ports."},
    "how_good": {"is_flag": True, "help": "Instead, what seqdata backtest shows."},
}

#: Table, the words that can be said of it, and what its command says it does.
TABLES = {
    "balance_history": (
        "freq boundary since until account wide",
        "Show each account's balance over time, back to the first transfer.",
    ),
    "reconcile": (
        "since until account",
        "Show where observed balances disagree with the transfers between them.",
    ),
    "cash_flow": (
        "freq by boundary since until account category wide",
        "Show money in, money out and the difference, a row a period.",
    ),
    "spending": (
        "by freq since until account category include_moves by_day wide",
        "Show what was spent, by category or by anything else.",
    ),
    "uncategorized": ("", "Show the payees that no rule and no annotation names."),
    "recurring": (
        "account category include_internal",
        "Show subscriptions, bills and paychecks, and what changed in them.",
    ),
    "upcoming": (
        "days account include_internal",
        "Show what is expected to come in and go out.",
    ),
    "projected_balances": (
        "days account",
        "Show the expected balance of each pod and port, with a band.",
    ),
    "backtest": (
        "days account",
        "Show how right the balances expected in the past were, by account and days ahead.",
    ),
    "running_short": ("days", "Show the pods that would run short, and when."),
    "rules": ("since until account", "Show which rule moved how much where."),
    "changes": ("since", "Tell what is new or different; by default since the last look."),
}

#: What is printed of a table that has more columns than a terminal; JSON and exports have all.
_PRINTED = {
    "recurring": "payee account cadence usual_cents next_date previous_cents note",
    "rules": "trigger_type source_name destination_name transfers moved_cents success",
    "backtest": "name days times error_cents unchanged_error_cents inside below above method",
    "upcoming": "date account payee expected_cents low_cents high_cents basis",
    "reconcile": "name since until difference_cents candidates explanation",
}
#: Of which the sums are printed, and the time that they are of.
_SUMMED = ("cash_flow", "spending", "uncategorized", "rules")
#: What is said where a table is empty, and that is good or needs a word.
_EMPTY = {
    "reconcile": "All observed balances agree with the transfers between them.",
    "running_short": "No pod is expected to run short.",
    "uncategorized": "Every payee has a category.",
    "changes": "Nothing is new or different.",
}

#: Chart, and the words that can be said of it.
CHARTS = {
    "balances": "freq since until account",
    "pods": "freq since until account days",
    "cash_flow": "freq boundary since until account category",
    "spending": "by freq since until account category include_moves by_day",
    "spending_by_month": "by freq since until account category include_moves by_day",
    "compare": "period previous by whole account category include_moves by_day",
    "calendar": "since until account category include_moves by_day",
    "money_flow": "since until",
    "recurring": "account category",
    "upcoming": "days account",
}
_PICTURES = (".png", ".svg", ".pdf")


def _option(name: str) -> click.Option:
    return click.Option([f"--{name.replace('_', '-')}"], **OPTIONS[name])


def _common(limit: int) -> list[click.Parameter]:
    return [
        click.Option(["--organization"], metavar="ID", help="Where the login has several."),
        click.Option(
            ["--limit"],
            type=click.IntRange(0),
            default=limit,
            show_default=True,
            help="Show at most this many rows; 0 shows all.",
        ),
        click.Option(["--json", "as_json"], is_flag=True, help="Print JSON for programs."),
    ]


def _table_command(table: str, words: str, sentence: str) -> click.Command:
    def show(organization: str | None, limit: int, as_json: bool, **asked: Any) -> None:
        from seqdata.ledger import Ledger

        method = "backtest" if asked.pop("how_good", False) else table
        asked = {name: asked[name] for name in TABLES[method][0].split()}
        with Ledger.open(organization) as ledger:
            found = getattr(ledger, method)(**given(asked))
            if asked.get("wide"):
                found = found.reset_index()
            output.warn_if_incomplete(ledger)
            if table == "changes" and not as_json and not given(asked):
                ledger.note_look()
        is_history = _is_history(table) or asked.get("freq") is not None
        # What is newest stands last in a history: the end is what a reader wants.
        shown = found if not limit else found.tail(limit) if is_history else found.head(limit)
        if as_json:
            output.print_frame_json(shown)
            return
        if found.empty:
            output.echo(
                _EMPTY.get(table, "There is nothing to show: see what seqdata status says.")
            )
            return
        of = f" of {len(found):,}" if len(shown) < len(found) else ""
        printed = _PRINTED[method].split() if method in _PRINTED else list(shown.columns)
        rows = "row" if len(found) == 1 else "rows"
        when = f", {output.period_words(found.attrs['seqdata'])}" if method in _SUMMED else ""
        title = f"{method.replace('_', ' ').capitalize()}{when}: {len(shown):,}{of} {rows}"
        if table == "changes":
            print_changes(shown, title)
            return
        sums = found[printed] if method in _SUMMED and not asked.get("wide") else None
        output.print_frame(shown[printed], title, all_rows=sums)

    more = ["how_good"] if table == "upcoming" else []
    options = [_option(name) for name in [*words.split(), *more]]
    return click.Command(
        table.replace("_", "-"), callback=show, params=[*options, *_common(40)], help=sentence
    )


def print_changes(shown: pd.DataFrame, title: str) -> None:
    """Print what :meth:`Ledger.changes` tells, a line each."""
    output.echo(title)
    for row in shown.itertuples():
        output.echo(f"{row.at:%Y-%m-%d %H:%M}  {row.what:<8} {row.sentence}")


def _is_history(table: str) -> bool:
    return table in ("balance_history", "cash_flow")


@click.command()
@click.argument("period")
@click.option("--previous", default="previous", show_default=True, help=OPTIONS["previous"]["help"])
@click.option("--by", multiple=True, default=["category"], help="category, payee, pod or account.")
@click.option("--whole", **OPTIONS["whole"])
@click.option("--by-day", **OPTIONS["by_day"])
@click.option("--account", **OPTIONS["account"])
@click.option("--category", multiple=True, metavar="NAME", help=OPTIONS["category"]["help"])
@click.option("--include-moves", is_flag=True, help=OPTIONS["include_moves"]["help"])
@click.option("--organization", metavar="ID", help="Where the login has several.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
def compare(period: str, organization: str | None, as_json: bool, **asked: Any) -> None:
    """Show how the spending of PERIOD differs from another one.

    PERIOD is a month (2026-10), a quarter (2026-Q3), a week (2026-W40), a year or a day. Of one
    that is not over yet, the same days of the other are taken, unless --whole is said.
    """
    from seqdata.ledger import Ledger

    with Ledger.open(organization) as ledger:
        found = ledger.compare(period, **given(asked))
        output.warn_if_incomplete(ledger)
    if as_json:
        output.print_frame_json(found)
    else:
        said = ["days", "before_days", "before_periods"]
        output.print_frame(
            found.drop(columns=said),
            f"Spending, {found.attrs['seqdata']['in_words']}",
            all_rows=found,
        )


@click.command()
@click.option("--write", is_flag=True, help="Write a file of your own to begin with.")
@click.option("--explain", metavar="TRANSFER_ID", help="Tell which rules fit a transfer, and why.")
@click.option("--organization", metavar="ID", help="Where the login has several.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
def categories(write: bool, explain: str | None, organization: str | None, as_json: bool) -> None:
    """Show the rules for categories, and the payees that none of them names.

    Your own rules are in categories.toml of the data folder; --write makes one to begin with.
    Those of them that decide nothing are listed. --explain tells what named one transfer's
    category.
    """
    from seqdata.analysis.spend.rulesfile import read_rules, write_rules
    from seqdata.ledger import Ledger

    if write and (explain is not None or as_json):
        raise click.UsageError("--write stands alone: it only makes the file.")
    with Ledger.open(organization) as ledger:
        path = ledger.categories_path
        if write:
            output.echo(f"Wrote {write_rules(path)}: edit it, and the next table uses it.")
            return
        if explain is not None:
            found = ledger.explain_category(explain)
            title = f"{found['category'].iloc[0]}: the first of these decides"
        else:
            found = ledger.uncategorized()
            title = f"{len(found):,} payees that no rule names"
        rules, own = read_rules(path), ledger.category_rules()
    if as_json:
        output.print_frame_json(found)
        return
    if explain is None:
        files = f"your own in {path}, then the starter set" if path.exists() else "the starter set"
        output.echo(f"{len(rules.rules)} rules ({files}); --write makes a file of your own.")
        for row in own[own["decides"] == 0].itertuples():
            why = "something earlier decides" if row.fits else "it never matched"
            output.echo(f"{row.where} ({row.category}) decides nothing: {why}.")
    output.print_frame(found if explain else found.head(20), title)


@click.command()
@click.argument("spellings", nargs=-1)
@click.option("--suggest", is_flag=True, help="Show pairs that may be one payee.")
@click.option("--name", metavar="NAME", help="Give all SPELLINGS this name, in categories.toml.")
@click.option("--organization", metavar="ID", help="Where the login has several.")
@click.option(
    "--limit", type=click.IntRange(0), default=40, show_default=True,
    help="Show at most this many rows; 0 shows all.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
def payees(
    spellings: tuple[str, ...],
    suggest: bool,
    name: str | None,
    organization: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """Show the payees, or give several SPELLINGS of one a name.

    seqdata payees --name "Blue Bottle" "BLUE BTL COF" "bottle coffee*" adds to categories.toml of
    the data folder; --suggest shows what may be worth it, and changes nothing.
    """
    from seqdata.ledger import Ledger
    from seqdata.sync.certificate import count_of

    if bool(spellings) != (name is not None):
        raise click.UsageError("--name and SPELLINGS are given together.")
    if suggest and name is not None:
        raise click.UsageError("--suggest shows pairs and changes nothing: give it without --name.")
    with Ledger.open(organization) as ledger:
        if name is not None:
            path = ledger.name_payee(name, spellings)
            if as_json:
                output.print_json({"path": str(path), "name": name, "spellings": list(spellings)})
            else:
                output.echo(f"Wrote {path}: {_named(name, ledger.payees())}")
            return
        found = ledger.payees(suggest=suggest)
    shown = found.head(limit) if limit else found
    if as_json:
        output.print_frame_json(shown)
        return
    if found.empty:
        output.echo("No two payees look alike." if suggest else "There is no payee yet.")
        return
    count = count_of(len(found), "pair" if suggest else "payee")
    output.print_frame(shown, f"{count} that may be one payee" if suggest else count)


def _named(name: str, payees: pd.DataFrame) -> str:
    """Say what a payee's new name did: perhaps nothing, and then why that may be."""
    from seqdata.sync.certificate import count_of

    found = payees[payees["payee"] == " ".join(name.split())]
    if found.empty:
        why = "no name is spelled so, or a table above this one names it already"
        return f"no payee is called {name} yet: {why}."
    spellings, transfers = (
        count_of(int(found[what].iloc[0]), what.removesuffix("s"))
        for what in ("spellings", "transfers")
    )
    return f"{name} now stands for {spellings} in {transfers}."


@click.command()
@click.argument("chart", type=OneOf([name.replace("_", "-") for name in CHARTS]))
@click.option("-o", "--output", "file", metavar="FILE", required=True,
              type=click.Path(dir_okay=False, path_type=Path),
              help="Where the picture goes: .png, .svg or .pdf.")  # fmt: skip
@click.option("--theme", type=OneOf(["light", "dark"]),
              help="By default SEQUENCE_THEME, else light.")  # fmt: skip
@click.option("--share-safe", is_flag=True, help="With names and amounts disguised.")
@click.option("--organization", metavar="ID", help="Where the login has several.")
def plot(
    chart: str,
    file: Path,
    theme: str | None,
    share_safe: bool,
    organization: str | None,
    **asked: Any,
) -> None:
    """Draw CHART into a picture.

    The options are those of the table that is drawn; one that it does not have is refused.
    """
    from seqdata.exceptions import InvalidFilter
    from seqdata.export import write_picture
    from seqdata.ledger import Ledger

    name, words = chart.replace("-", "_"), given(asked)
    if file.suffix.lower() not in _PICTURES:
        raise InvalidFilter("output", str(file), [f"*{suffix}" for suffix in _PICTURES])
    if unknown := sorted(words.keys() - set(CHARTS[name].split())):
        raise InvalidFilter(unknown[0], words[unknown[0]], CHARTS[name].split())
    with Ledger.open(organization) as ledger:
        shown = ledger.share_safe() if share_safe else ledger
        axes = getattr(shown.plot, name)(theme=theme, **words)
        output.warn_if_incomplete(ledger)
    write_picture(axes, file)
    output.echo(f"Wrote {chart} to {file} ({file.stat().st_size:,} bytes)")


for _name in dict.fromkeys(" ".join(CHARTS.values()).split()):
    plot.params.append(_option(_name))

ALL = [
    *(_table_command(table, words, sentence) for table, (words, sentence) in TABLES.items()),
    compare,
    categories,
    payees,
    plot,
]
