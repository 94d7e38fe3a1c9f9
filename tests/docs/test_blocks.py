"""What the documents show is so: their Python runs, and their commands exist."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import click
import matplotlib as mpl
import pandas as pd
import pytest
from command_lines import called, mentioned, parse, unknown_words
from pages import PAGES, README, ROOT, Block, blocks

from seqdata import Ledger


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def python(page: Path) -> list[Block]:
    return [block for block in blocks(page) if block.language == "python"]


def run(block: Block, page: Path, names: dict[str, Any]) -> str:
    """Run a block, with the line numbers of its page; return what it printed."""
    code = compile("\n" * block.line + block.text, str(page), "exec")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), pd.option_context("display.width", 80):
        exec(code, names)
    return printed.getvalue()


PYTHON = [page for page in PAGES if python(page)]


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize("page", PYTHON, ids=name_of)
def test_the_python_of_a_page_runs_from_its_top_to_its_bottom(page: Path) -> None:
    """Each block runs where the ones above it ran, and prints at its end what stands below it."""
    mpl.use("agg")
    with Ledger.open() as ledger, contextlib.ExitStack() as closing:
        names: dict[str, Any] = {"__name__": "page", "Ledger": Ledger, "ledger": ledger}
        for block in python(page):
            if not block.is_run:
                compile(block.text, str(page), "exec")
                continue
            if page == README:  # a reader copies one block alone
                names = {"__name__": "page", "Ledger": Ledger, "ledger": ledger}
            try:
                printed = run(block, page, names)
            finally:
                closing.callback(names["ledger"].close)
            if block.output is not None:
                shown = printed[-len(block.output) :]
                assert shown == block.output, f"{page.name}, line {block.line}"


def test_a_block_that_is_not_run_says_why() -> None:
    """Only a few blocks are compiled alone, and each stands after a comment with its reason."""
    skipped = [
        (name_of(page), block.line) for page in PAGES for block in python(page) if not block.is_run
    ]
    assert 0 < len(skipped) <= 8, skipped


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_commands_of_a_page_exist(page: Path, tmp_path: Path) -> None:
    """Click reads each command of a page's blocks, with its options and their values."""
    for arguments in called(page):
        try:
            parse(arguments)
        except click.ClickException as error:
            pytest.fail(f"seqdata {' '.join(arguments)}: {error.format_message()}")


def test_commands_were_found() -> None:
    """The search for commands in the blocks finds those of the schedule, units and cron too."""
    found = [arguments for page in PAGES for arguments in called(page)]
    assert len(found) > 55
    schedule = [a for page in PAGES if page.name == "schedule.md" for a in called(page)]
    assert sum("--wait" in arguments for arguments in schedule) == 4
    assert ["running-short", "--days", "14", "--json"] in schedule


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_commands_that_a_page_mentions_exist(page: Path) -> None:
    """Each command between backticks exists, and so do its options."""
    wrong = {call: unknown for call, words in mentioned(page) if (unknown := unknown_words(words))}
    assert wrong == {}


def test_an_unknown_command_would_be_found() -> None:
    """The checks above find a command, an option and a value that do not exist."""
    assert unknown_words(["synk"]) == ["synk"]
    assert unknown_words(["sync", "--fast"]) == ["--fast"]
    for wrong in (["synk"], ["sync", "--fast"], ["sync", "--details", "some"], ["plot", "x"]):
        with pytest.raises(click.UsageError):
            parse(wrong)
