"""What every error of the package is: facts, and one sentence that is made of them."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import takewhile
from pathlib import Path
from string import Formatter
from typing import Any, ClassVar, TypeVar, dataclass_transform

from seqdata.core.text import format_cents, nearest, printable, quoted


class SequenceError(Exception):
    """Root of all errors of seqdata.

    Its facts are kept as they came; its sentence is one that a terminal can show, whatever the
    service or a name put into it.
    """

    exit_code: ClassVar[int] = 1

    #: Its template: ``{fact}``, ``{fact!r}``, ``{fact:dollars}`` of cents, ``{a_property}``.
    sentence: ClassVar[str] = ""

    #: What :meth:`TransferDesk.settle` found out before this error.
    settled: Sequence[Any] = ()

    def __post_init__(self) -> None:
        facts = [one for one in fields(self) if one.init]  # type: ignore[arg-type]
        for one in facts:
            if str(one.type).startswith(("Sequence", "Iterable")):  # what is listed stays as it was
                setattr(self, one.name, tuple(getattr(self, one.name)))
        self.args = tuple(getattr(self, one.name) for one in facts)

    def __str__(self) -> str:
        if not self.sentence:
            return printable(super().__str__())
        return printable(_Sentence().vformat(self.sentence, (self,), {}))

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self.args, vars(self))

    def _render_traceback_(self) -> list[str]:
        """Show in a notebook the sentence, and the person's own lines that led to it.

        IPython asks for it. ``%xmode Verbose`` and SEQUENCE_DEBUG=1 show all frames.
        """
        shell = sys.modules["IPython"].get_ipython()
        if shell.InteractiveTB.mode == "Verbose" or os.environ.get("SEQUENCE_DEBUG") == "1":
            asked = (type(self), self, self.__traceback__)
            return list(shell.InteractiveTB.structured_traceback(*asked))
        frames = traceback.extract_tb(self.__traceback__)
        theirs = takewhile(lambda frame: not frame.filename.startswith(_PACKAGE), frames)
        lines = [f"  {_place(one)}: {one.line}" for one in theirs if _SHELL not in one.filename]
        return [f"{type(self).__name__}: {self}", "", *lines]


#: Where frames are ours, and where they are of the program that runs a cell.
_PACKAGE = str(Path(__file__).parents[1])
_SHELL = f"IPython{os.sep}core{os.sep}"


def _place(frame: traceback.FrameSummary) -> str:
    is_cell = "ipykernel" in frame.filename or frame.filename.startswith("<ipython")
    return f"{'this cell' if is_cell else frame.filename}, line {frame.lineno}"


E = TypeVar("E", bound=SequenceError)


@dataclass_transform(eq_default=False)
def told(error: type[E]) -> type[E]:
    """Let an error take the facts that it annotates, in their order."""
    return dataclass(eq=False, repr=False)(error)


class _Sentence(Formatter):
    """Fills a template from the attributes of the error that it is given."""

    def get_value(self, key: int | str, args: Sequence[Any], _: Any) -> Any:
        return getattr(args[0], str(key))

    def convert_field(self, value: Any, conversion: Any) -> Any:
        try:
            return super().convert_field(value, conversion)
        except ValueError:  # an int of more digits than Python writes
            return "a number of very many digits"

    def format_field(self, value: Any, format_spec: str) -> Any:
        if format_spec == "dollars":
            return format_cents(value)
        return super().format_field(value, format_spec)


def _restored(kind: type[SequenceError], args: tuple[Any, ...], facts: dict[str, Any]) -> Any:
    error = kind.__new__(kind, *args)
    error.args = args
    vars(error).update(facts)
    return error


def choices_of(choices: Sequence[str], said: object = None) -> str:
    """Return the end of a sentence that lists what could have been chosen, the nearest first."""
    listed = f" Choices: {', '.join(choices)}." if choices else ""
    near = nearest(said, choices) if isinstance(said, str) else []
    return f" Did you mean {' or '.join(map(quoted, near))}?{listed}" if near else listed


def without_stop(text: str) -> str:
    """Return somebody else's sentence without its full stop, to stand inside of ours."""
    return text.rstrip(". ")
