r"""The ``.env`` file: what is written is what is read, or it is refused by name.

python-dotenv takes the file apart. What it, or another program that reads the same file, would
cut or change in a value is refused, for a password that has silently lost its end is told as a
wrong password by the service:

==========================  ==============================================================
``NAME=two words``          taken as it stands; blanks around it do not count
``NAME='any $text #1'``     taken as it stands: the way to write everything special
``NAME="it's"``             taken as it stands, unless an escape or a ``$NAME`` is in it
``NAME=a #b``               refused: the value would end before the ``#``
``NAME=a$b``, ``${b}``      refused: other programs put a variable in its place
``NAME="a\tb"``             refused: it would become a tab; also ``\\`` in single quotes
``NAME="a``                 refused: the quote is not closed
==========================  ==============================================================

Lines of other programs are passed over, however they are quoted.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from seqdata.config.found import names_ours
from seqdata.core.files import write_bytes
from seqdata.core.secret import Secret, SecretBody
from seqdata.exceptions import InvalidSetting

_OURS = re.compile(r"""^[^\S\r\n]*(?:export[^\S\r\n]+)?'?(SEQUENCE_\w+)""", re.MULTILINE | re.I)
#: What another program may read as a setting of ours, wherever it stands.
_MENTION = re.compile(r"""(?<!\w)(SEQUENCE_\w+)['"]?\s*=""", re.I)
_COMMENT = re.compile(r"^\s*#[^\r\n]*", re.MULTILINE)
_VALUE = re.compile(r"=([^\r\n]*)")
_REFERENCE = re.compile(r"\$[A-Za-z_{]")
_BACKSLASH = "a backslash in quotes changes what follows it"
_ESCAPES = {'"': re.compile(r"\\[\\'\"abfnrtv]"), "'": re.compile(r"\\\\")}


if TYPE_CHECKING:
    from dotenv.parser import Binding

#: The most that a file, and a line of it, may hold, in bytes.
LARGEST, LONGEST = 65_536, 4_096


def read_env_file(path: Path) -> dict[str, Secret]:
    """Return the SEQUENCE_ variables of a file, by their names in capitals; without empty ones.

    Raises
    ------
    InvalidSetting
        The file is not UTF-8, too large, or a value would be cut or changed. It is not shown.
    """
    found, refusal = _read(path)
    if refusal is not None:  # raised here, where no value is in sight of a traceback
        raise refusal
    return found


def write_env_file(path: Path, changes: Mapping[str, Secret]) -> None:
    """Set variables in a file; its other lines stay. Only its owner can read it.

    Raises
    ------
    InvalidSetting
        A value cannot be written so that every program reads it alike, or the file is none that
        can be read. Nothing was written.
    FolderNotWritable
        The file system refused; the file is as it was.
    """
    read_env_file(path)
    lines = path.read_text("utf-8-sig").splitlines() if path.is_file() else []
    for name, value in changes.items():
        line = _line_of(name, value, path)
        places = [place for place, one in enumerate(lines) if name in _OURS.findall(one)]
        for place in reversed(places[1:]):
            del lines[place]
        if places:
            lines[places[0]] = line
        else:
            lines.append(line)
    write_bytes(path, SecretBody("".join(f"{line}\n" for line in lines).encode()))


def _line_of(name: str, value: Secret, path: Path) -> str:
    """Write a line that is read as this value, quoted where it has to be."""
    text = value.get_secret_value()
    for line in (f"{name}={text}", f"{name}='{text}'", f'{name}="{text}"'):
        found, refusal = _understood(f"{line}\n", path)
        if refusal is None and found == {name: value}:
            return line
    raise _refused(name, path, "no way of quoting keeps it")


def _read(path: Path) -> tuple[dict[str, Secret], InvalidSetting | None]:
    """Read a file; instead of raising, return what is refused."""
    text, refusal = _text(path)
    return _understood(text, path, refusal)


def _understood(
    text: str, path: Path, refusal: InvalidSetting | None = None
) -> tuple[dict[str, Secret], InvalidSetting | None]:
    from dotenv.parser import parse_stream

    found: dict[str, Secret] = {}
    for binding in parse_stream(io.StringIO(text)):
        written = _COMMENT.sub("", binding.original.string)
        names = _OURS.findall(written)
        mentioned = _MENTION.findall(written)
        if refusal is None and (names or mentioned):
            refusal = _refusal(binding, names or mentioned, path, is_clear=bool(names))
        if names and binding.key and binding.value:
            found[binding.key.upper()] = Secret(binding.value)
    return found, refusal


def _text(path: Path) -> tuple[str, InvalidSetting | None]:
    """Return the text of a file; "" where it is none, or has nothing of ours."""
    try:
        if not path.is_file():  # none, or a virtual environment of this name
            return "", None
        if not names_ours(path):  # it is of other programs alone
            return "", None
        with path.open("rb") as stream:
            data = stream.read(LARGEST + 1)
        if len(data) <= LARGEST and max(map(len, data.splitlines())) <= LONGEST:
            if b"\0" in data:  # UTF-16, mostly
                return "", InvalidSetting(str(path), "text in UTF-8")
            text = data.decode("utf-8-sig")
            return text.replace("\r\n", "\n").replace("\r", "\n"), None
        expected = f"a file of at most {LARGEST:,} bytes, in lines of at most {LONGEST:,}"
    except UnicodeDecodeError:
        expected = "text in UTF-8"
    except OSError as error:
        expected = f"a file that can be read ({error.strerror})"
    return "", InvalidSetting(str(path), expected)


def _refusal(
    binding: Binding, names: list[str], path: Path, *, is_clear: bool
) -> InvalidSetting | None:
    """Refuse a value of which another reading than the one as it stands is possible."""
    if not is_clear:
        return _refused(names[-1], path, "something stands before it on its line")
    if binding.key is None or [binding.key] != names:
        return _refused(names[-1], path, "it is no NAME=value, or a quote is not closed")
    why = _changed(binding.original.string.lstrip(), binding.value or "")
    return _refused(binding.key, path, why) if why else None


def _changed(line: str, value: str) -> str:
    """Say how a reader would change a value; "" where all read it as it stands."""
    written = _VALUE.search(line)
    raw = written[1] if written else ""
    quote = raw.lstrip()[:1]
    if "\n" in value or "\r" in value:
        return "a quote is closed on another line, or an escape ends the line"
    if quote in _ESCAPES and _ESCAPES[quote].search(raw):
        return _BACKSLASH
    if quote != "'" and _REFERENCE.search(value):
        return "a $ before a name stands for a variable"
    if re.search(r"\s#", raw) if quote not in _ESCAPES else re.search(f"{quote}#", raw[1:]):
        return "a # begins a comment there"
    if quote not in _ESCAPES and raw.strip(" \t") != value:
        return "blanks that are no plain ones stand at its ends"
    return ""


def _refused(name: str, path: Path, why: str) -> InvalidSetting:
    name = name.upper()
    remedy = f"{name}=value without quotes" if why == _BACKSLASH else f"{name}='value'"
    return InvalidSetting(
        name, f"a value that every program reads alike in {path} ({why}); write {remedy}"
    )
