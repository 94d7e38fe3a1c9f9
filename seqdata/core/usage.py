"""Calls with words that a method does not have, refused in a sentence that says what was meant."""

from __future__ import annotations

import difflib
import inspect
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date
from functools import wraps
from typing import Any, TypeVar, cast

from seqdata.core.moments import parse_moment
from seqdata.exceptions import InvalidMoment, UsageError

CallT = TypeVar("CallT", bound="Callable[..., Any]")
ClassT = TypeVar("ClassT", bound="type[Any]")

#: What other libraries, or earlier versions of this one, call a word of ours.
_ELSEWHERE = {
    "figsize": "ax", "figure": "ax", "axes": "ax", "style": "theme", "dark": "theme",
    "title": "note", "frequency": "freq", "start": "since", "end": "until", "pod": "account",
    "pods": "account", "top": "most", "n": "most", "stacked": "kind", "period": "freq",
    "month": "freq", "from_": "since", "to": "until", "categories": "category",
    "accounts": "account", "filename": "path", "file": "path",
}  # fmt: skip

#: How alike a word has to be to be the one that was meant.
_CLOSE = 0.6

#: What is shown of itself; of anything else its kind.
_SHORT = (str, int, float, list, tuple, date)

_FREQUENCIES = ("day", "week", "month", "quarter", "year")


def told(owner: str) -> Callable[[CallT], CallT]:
    """Let a function refuse what it cannot take in a sentence.

    Parameters
    ----------
    owner
        What stands before its name where a person calls it: "ledger", "plots".

    Raises
    ------
    UsageError
        When the method is called with a word that it does not have, a value without its word, or
        without a word that it needs.
    """

    def decorate(method: CallT) -> CallT:
        signature = _in_words(method)
        known = [name for name in signature.parameters if name != "self"]
        own = len(signature.parameters) - len(known)
        called = f"{owner}.{method.__name__}"

        @wraps(method)
        def call(*args: Any, **words: Any) -> Any:
            try:
                signature.bind(*args, **words)
            except TypeError as error:
                raise UsageError(_refusal(called, known, args[own:], words, error)) from None
            return method(*args, **words)

        call.__signature__ = signature  # type: ignore[attr-defined]
        return cast("CallT", call)

    return decorate


def told_of(owner: str) -> Callable[[ClassT], ClassT]:
    """Let all public methods of a class be :func:`told`."""

    def decorate(kind: ClassT) -> ClassT:
        for name, method in inspect.getmembers(kind, inspect.isfunction):
            if not name.startswith("_"):
                setattr(kind, name, told(owner)(method))
        return kind

    return decorate


def _in_words(function: Callable[..., Any]) -> inspect.Signature:
    """Return a signature whose annotations are types, so that help shows which words there are.

    What is imported for the type checker alone stays a name.
    """
    signature = inspect.signature(function)
    room = {**vars(sys.modules[function.__module__])}

    def read(annotation: Any) -> Any:
        try:
            return eval(annotation, room) if isinstance(annotation, str) else annotation  # noqa: S307
        except NameError:
            return annotation

    given = signature.parameters.values()
    return signature.replace(
        parameters=[one.replace(annotation=read(one.annotation)) for one in given],
        return_annotation=read(signature.return_annotation),
    )


def _refusal(
    called: str,
    known: Sequence[str],
    args: tuple[object, ...],
    words: dict[str, object],
    error: TypeError,
) -> str:
    listed = f"Its words are {', '.join(known)}." if known else "It takes no words."
    wrong = next((word for word in words if word not in known), None)
    if wrong is not None:
        near = _ELSEWHERE.get(wrong, "")
        if near == "freq":
            near = _word_of(words[wrong], known)
        if near not in known:
            near = next(iter(difflib.get_close_matches(wrong, known, 1, _CLOSE)), "")
        meant = f" Did you mean {near}=?" if near else ""
        return f"{called} has no word {wrong!r}.{meant} {listed}"
    if "missing" in str(error):
        return f"{called} needs {str(error).rpartition(' ')[2].strip(chr(39))}=. {listed}"
    value = args[-1]
    is_flag = isinstance(value, str) and value in known
    near = "" if is_flag else _word_of(value, known)
    shown = repr(value) if isinstance(value, _SHORT) else type(value).__name__
    meant = f" Did you mean {near}={shown}?" if near else ""
    meant = f" Did you mean {value}=True?" if is_flag else meant
    return f"{called} takes its words by name, and got {shown} alone.{meant} {listed}"


def _word_of(value: object, known: Sequence[str]) -> str:
    """Guess which word a value was given for; "" where nothing is likely."""
    likely = ["account"] if isinstance(value, str | list) else []
    if isinstance(value, int):
        likely.insert(0, "days")
    elif isinstance(value, str | date):
        if value in ("paid", "settled"):
            likely.insert(0, "by_day")
        elif value in _FREQUENCIES:
            likely.insert(0, "freq")
        elif _is_moment(value):
            likely.insert(0, "since")
    return next((word for word in likely if word in known), "")


def _is_moment(value: str | date) -> bool:
    try:
        parse_moment(value, UTC)
    except InvalidMoment:
        return False
    return True
