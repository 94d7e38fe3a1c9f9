"""What the package's loggers say is text that a terminal can show, whoever wrote it."""

from __future__ import annotations

import logging

from seqdata.core.text import printable, printable_lines


class Shown(logging.Filter):
    """Writes out what hides in a record, before any handler of the application gets it.

    What was filled in stays on its line, so that no name can begin a record of its own.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Let the record pass, with its message and traceback as a person may read them."""
        record.msg, record.args = printable(record.getMessage()), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = printable_lines(record.exc_text)
        return True


_SHOWN = Shown()


def logger(name: str) -> logging.Logger:
    """Return the logger of a module (its ``__name__``), whose records are text to be shown."""
    found = logging.getLogger(name)
    found.addFilter(_SHOWN)
    return found
