"""The command line: the same words as the library."""

from __future__ import annotations

import io
import logging
import os
import sys

import click

from seqdata import __version__
from seqdata.cli import commands, output
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


def main() -> None:
    """Run the command line; end with the exit code that says what happened.

    0 done, 1 error, 2 usage, 3 login, 4 service, 5 incomplete, 6 refused by a safeguard,
    7 outcome unknown, 8 accepted by the service and failed there, 130 interrupted.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # no terminal is too poor for a name
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run a command line; return its exit code. Errors are one sentence on stderr."""
    try:
        result = cli.main(arguments, prog_name="seqdata", standalone_mode=False)
    except (SequenceError, click.ClickException) as error:
        _complain(str(error)) if isinstance(error, SequenceError) else _show(error)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        _complain("Interrupted. What is on disk is kept; run the command again to go on.")
        return 130
    except BrokenPipeError:
        # The reader (head, less) has what it wanted. Python would complain when it flushes.
        sys.stdout = open("/dev/null", "w")  # noqa: SIM115, PTH123
        return 0
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
    return result if isinstance(result, int) else 0


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
        return sys.stderr is not None and sys.stderr.isatty() and "NO_COLOR" not in os.environ
    except ValueError:  # closed
        return False
