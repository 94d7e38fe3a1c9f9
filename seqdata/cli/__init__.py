"""The command line: the same words as the library."""

from __future__ import annotations

import io
import logging
import os
import signal
import sys

import click

from seqdata import __version__
from seqdata.cli import commands, output
from seqdata.cli.examples import show_examples
from seqdata.core.logs import logger
from seqdata.exceptions import SequenceError

__all__ = ["cli", "main"]

log = logger(__name__)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="seqdata")
@click.option("-v", "--verbose", count=True, help="Say more: -v what is done, -vv each request.")
def cli(verbose: int) -> None:
    """Your Sequence account in Parquet, pandas and notebooks (unofficial).

    Settings come from SEQUENCE_ variables or the .env file of the data folder. Try it without
    an account: seqdata demo
    """
    level = {0: logging.WARNING, 1: logging.INFO}.get(verbose, logging.DEBUG)
    who = "%(name)s" if verbose else "seqdata"
    logging.basicConfig(stream=sys.stderr, format=f"%(levelname)s {who}: %(message)s")
    logging.getLogger("seqdata").setLevel(level)


for command in commands.ALL:
    cli.add_command(command)
show_examples(cli)


def main() -> None:
    """Run the command line; end with the exit code that says what happened.

    0 done, 1 error, 2 usage, 3 login, 4 service, 5 incomplete, 6 refused by a safeguard,
    7 outcome unknown, 8 accepted by the service and failed there, 130 interrupted.
    """
    output.prepare_streams()
    code = run(sys.argv[1:])
    try:
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()
    except BrokenPipeError:
        code = _reader_gone()
    except (OSError, ValueError):  # a full disk, or closed: Python would complain over it again
        output.drop(sys.stdout)
        code = code or 1
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run a command line; return its exit code. Errors are one sentence on stderr."""
    try:
        return _called(arguments)
    except (SequenceError, click.ClickException) as error:
        _complain(str(error)) if isinstance(error, SequenceError) else _show(error)
        return error.exit_code
    except (KeyboardInterrupt, EOFError, click.Abort):
        _complain("Interrupted. What is on disk is kept; run the command again to go on.")
        return 130
    except BrokenPipeError:
        return _reader_gone()
    except OSError as error:
        _complain(f"{error.filename or 'The system'}: {error.strerror or error}.")
        return 1
    except Exception as error:
        log.debug("unexpected error", exc_info=True)
        _complain(
            f"An error that should not happen: {type(error).__name__}: {error}. "
            "What was read and noted before is kept. Run again with -vv and report what it prints."
        )
        return 1


def _called(arguments: list[str]) -> int:
    """Call a command as click's `main` does, which would end with 1 where a pipe is closed."""
    if "_SEQDATA_COMPLETE" in os.environ:  # a shell asks what could be typed
        cli.main(arguments, prog_name="seqdata")
    colour = None if output.has_colour() else False
    try:
        with cli.make_context("seqdata", list(arguments), color=colour) as context:
            result = cli.invoke(context)
    except click.exceptions.Exit as end:
        return end.exit_code
    return result if isinstance(result, int) else 0


def _reader_gone() -> int:
    """End as head, git and others do where the reader of a pipe has what it wanted: quietly."""
    output.drop(sys.stdout)
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        signal.raise_signal(signal.SIGPIPE)
    return 0


def _show(error: click.ClickException) -> None:
    """Say how a command is used; the words of whoever called it are in it."""
    shown = io.StringIO()
    error.show(shown)
    output.say(shown.getvalue().rstrip("\n"), err=True)


def _complain(sentence: str) -> None:
    head = click.style("Error: ", fg="red", bold=True) if _is_terminal() else "Error: "
    output.say(sentence, err=True, head=head)


def _is_terminal() -> bool:
    try:
        return sys.stderr is not None and sys.stderr.isatty() and output.has_colour()
    except ValueError:  # closed
        return False
