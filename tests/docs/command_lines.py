"""The commands of the documents, read by click and not run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
from pages import blocks, prose

from seqdata.cli import cli

#: Which lines of a block are commands, by its language: of the rest, those of units and cron.
_LINES = {
    "console": re.compile(r".*"),
    "ini": re.compile(r"Exec\w+=(.*)"),
    "text": re.compile(r"(?:[\d*,/-]+ ){5}(.*)"),
}
_BETWEEN = re.compile(r"\s(?:&&|\|\||>>|[|&>;])(?:\s|$)|\s+# ")


def called(page: Path) -> Iterator[list[str]]:
    """Yield the arguments of each call of seqdata in the blocks of a page."""
    for block in blocks(page):
        for line in block.text.splitlines() if block.language in _LINES else ():
            found = _LINES[block.language].fullmatch(line)
            for call in _BETWEEN.split(found[found.lastindex or 0]) if found else ():
                words = shlex.split(call) or [""]
                if words[0].rpartition("/")[2] == "seqdata":
                    yield words[1:]


def parse(arguments: list[str]) -> None:
    """Let click read arguments as it would before it runs them; it raises where it cannot."""
    command: click.Command = cli
    name: str | None = "seqdata"
    while True:
        try:
            context = command.make_context(name, list(arguments))
        except click.exceptions.Exit:  # --help or --version
            return
        if not isinstance(command, click.Group):
            return
        name, found, arguments = command.resolve_command(
            context, [*context._protected_args, *context.args]
        )
        assert found is not None
        command = found


def mentioned(page: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield each ``seqdata ...`` between single backticks, and its words."""
    for call in re.findall(r"(?<!`)`seqdata ([^`]+)`(?!`)", prose(page)):
        yield call, call.replace("…", "").split()


def unknown_words(words: list[str]) -> list[str]:
    """Return commands and options among the words that do not exist."""
    command: click.Command = cli
    unknown = []
    known = {name for option in command.params for name in option.opts}
    for word in words:
        if isinstance(command, click.Group) and word in command.commands:
            command = command.commands[word]
            known |= {name for option in command.params for name in option.opts}
        elif word.startswith("-"):
            unknown += [] if word in known | {"--help", "-h", "-vv"} else [word]
        elif command is cli and re.fullmatch(r"[a-z-]+", word):
            unknown.append(word)
    return unknown
