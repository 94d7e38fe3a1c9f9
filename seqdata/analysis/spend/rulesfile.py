"""The file of category rules: ordered ``[[rule]]`` tables, the first that fits wins.

Names that a person gives to payees stand in it too, as ``[[payee]]`` tables.
"""

from __future__ import annotations

import codecs
import json
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from seqdata.analysis.spend.payees import PayeeName
from seqdata.core.arrow import Column, pc
from seqdata.core.files import write_bytes
from seqdata.core.money import parse_cents
from seqdata.core.text import normal
from seqdata.exceptions import CorruptFile, InvalidAmount, InvalidSetting

#: The rules that come with seqdata.
STARTER = Path(__file__).with_name("categories.toml")
#: What a person's own file begins with.
EXAMPLE = Path(__file__).with_name("categories_example.toml")

#: Fields of a rule whose patterns are looked for in a text.
TEXTS = ("payee", "note", "pod", "account")
_FIELDS = ("category", *TEXTS, "min", "max", "direction", "refund")
# Marks of the borders of words, which no name has.
_BEGIN, _END = "\x01", "\x02"
_DIRECTIONS = ("INCOMING", "OUTGOING")


@dataclass(frozen=True)
class Rule:
    """What a transfer must look like to be of a category; all that is given must fit.

    ``payee``, ``note``, ``pod`` and ``account`` hold patterns of which one must be found; none
    asks nothing. ``min_cents`` and ``max_cents`` are inclusive. ``refund`` asks that a merchant
    gives money back, or that none does.
    """

    category: str
    payee: tuple[str, ...] = ()
    note: tuple[str, ...] = ()
    pod: tuple[str, ...] = ()
    account: tuple[str, ...] = ()
    min_cents: int | None = None
    max_cents: int | None = None
    direction: str | None = None
    refund: bool | None = None
    #: The file, and the line where the rule begins (None: not known). Nothing depends on them.
    path: Path | None = None
    line: int | None = None

    @property
    def is_own(self) -> bool:
        """Whether it stands in a person's file."""
        return self.path is not None and self.path != STARTER

    @property
    def where(self) -> str:
        """Where the rule stands, for a person to read."""
        if self.path is None or not self.is_own:
            return "the starter set"
        return self.path.name if self.line is None else f"{self.path.name}, line {self.line}"


@dataclass(frozen=True)
class Rules:
    """Rules in their order, and the names that a person gave to payees."""

    rules: tuple[Rule, ...]
    payees: tuple[PayeeName, ...] = ()

    @property
    def categories(self) -> list[str]:
        """Names of the categories, sorted."""
        return sorted({rule.category for rule in self.rules})


def read_rules(path: Path | None = None) -> Rules:
    """Read a person's rules, followed by those that come with seqdata.

    Parameters
    ----------
    path
        The person's ``categories.toml``; it need not exist. ``starter = false`` at its top
        leaves the rules of seqdata out.

    Raises
    ------
    CorruptFile
        The file is no TOML.
    InvalidSetting
        A field cannot be used; the message names file, rule and field, and what was expected.
    """
    own, payees, with_starter = ([], [], True) if path is None else _read_file(path)
    starter = _read_file(STARTER)[0] if with_starter else []
    return Rules((*own, *starter), tuple(payees))


def add_payee(path: Path, name: str, spellings: Sequence[str]) -> Path:
    """Write a payee's name and its spellings at the end of a person's file, which stays as it is.

    The file is made where there is none.

    Raises
    ------
    CorruptFile, InvalidSetting
        The file, the name or a spelling cannot be used; nothing is written.
    """
    _patterns("payee, name", name)
    _patterns("payee, spellings", list(spellings))
    before = path.read_bytes() if path.exists() else EXAMPLE.read_bytes()
    end = b"\r\n" if b"\r\n" in before else b"\n"
    quoted = ", ".join(_toml(spelling) for spelling in spellings)
    table = ["", "[[payee]]", f"name = {_toml(name)}", f"spellings = [{quoted}]", ""]
    gap = b"" if before.endswith(b"\n") or not before else end
    made = before + gap + end.join(line.encode() for line in table)
    _parse_file(path, made)
    write_bytes(path, made)
    return path


def _toml(text: str) -> str:
    """Write a text as TOML does: what JSON writes is a basic string there."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def write_rules(path: Path) -> Path:
    """Write a file of rules to begin with: an example, with what each field means.

    Raises
    ------
    FileExistsError
        There is one already; it is a person's own work and stays as it is.
    """
    if path.exists():
        raise FileExistsError(17, "There is such a file already; it stays as it is", str(path))
    write_bytes(path, EXAMPLE.read_bytes())
    return path


@lru_cache(maxsize=1024)
def pattern_regex(patterns: tuple[str, ...]) -> str:
    """Return an RE2 expression that finds one of the patterns in texts that were folded.

    A pattern is found as whole words; ``*`` stands for any characters, also for none. The
    apostrophe before an s at the end of a word may be there or not, or be a blank.
    """
    folded = folded_texts(pa.array(patterns, pa.large_string())).to_pylist()
    return "(?s)" + "|".join(_one_regex(pattern) for pattern in folded)


def folded_texts(texts: Column) -> Column:
    r"""Return texts as they are compared (see :func:`seqdata.core.text.normal`).

    The borders of each word are marked, since the ``\b`` of RE2 knows no letters beyond ASCII,
    and classes of such letters take it ten milliseconds a rule.
    """
    same = pa.array(map(normal, texts.to_pylist()), pa.large_string())
    return pc.replace_substring_regex(same, r"([\pL\pN]+)", rf"{_BEGIN}\1{_END}")


def _one_regex(pattern: str) -> str:
    """Return the expression of one folded pattern; next to a star, a word has no border."""
    tight = re.sub(rf"{_END}(?=\*)|(?<=\*){_BEGIN}", "", pattern)
    # Found anywhere, a pattern needs no star at its ends: it would be read to the end of the text.
    parts = [re.escape(part) for part in tight.strip("*").split("*")]
    return _POSSESSIVE.sub(_APOSTROPHE, ".*".join(parts))


#: An s that ends a word or stands before a star, and the ways to write an apostrophe before it.
_POSSESSIVE = re.compile(rf"(?<=[^\W\d_]{{2}})(?:{_END}'{_BEGIN})?s(?={_END}|\.\*|$)")
_APOSTROPHE = rf"(?:{_END}[' ]{_BEGIN})?s"


def _read_file(path: Path) -> tuple[list[Rule], list[PayeeName], bool]:
    """Return a file's rules, its names of payees, and whether the starter set is to follow."""
    try:
        given = path.read_bytes()
    except FileNotFoundError:
        return [], [], True
    except OSError as error:
        raise CorruptFile(path, str(error), "Mend that, or move the file away.") from None
    return _parse_file(path, given)


def _parse_file(path: Path, given: bytes) -> tuple[list[Rule], list[PayeeName], bool]:
    text = _decoded(path, given)
    try:
        # Not as floats: an amount is what was typed.
        found = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise CorruptFile(path, str(error), "Mend that line, or move the file away.") from None
    _check_names(str(path), found, ("starter", "rule", "payee"))
    starter, tables = found.get("starter", True), found.get("rule", [])
    if not isinstance(starter, bool):
        raise InvalidSetting(f"{path}, starter", "true or false", str(starter))
    _check_tables(path, "rule", tables)
    _check_tables(path, "payee", payees := found.get("payee", []))
    lines = _lines_of(text, len(tables))
    rules = [
        _rule(f"{path}, rule {i}", table, path, line)
        for i, (table, line) in enumerate(zip(tables, lines, strict=True), 1)
    ]
    return rules, [_payee(f"{path}, payee {i}", one) for i, one in enumerate(payees, 1)], starter


def _decoded(path: Path, given: bytes) -> str:
    """Return the text of a file in UTF-8, with a byte-order mark or without."""
    remedy = "Save the file as UTF-8, or move it away."
    if given.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise CorruptFile(path, "line 1: its text is UTF-16, not UTF-8", remedy)
    try:
        return given.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = given.count(b"\n", 0, error.start) + 1
        byte = given[error.start : error.start + 1]
        letter = byte.decode("cp1252", "replace")
        reason = f"line {line}: the byte 0x{byte.hex()} is not UTF-8; in Latin-1 it is {letter!r}"
        raise CorruptFile(path, reason, remedy) from None


def _lines_of(text: str, count: int) -> list[int | None]:
    """Return the line of each rule; None where a text holds what looks like the head of one."""
    heads = [i for i, line in enumerate(text.splitlines(), 1) if _HEAD.match(line)]
    return [*heads] if len(heads) == count else [None] * count


_HEAD = re.compile(r"\s*\[\[\s*[\"']?rule[\"']?\s*\]\]")


def _check_tables(path: Path, name: str, tables: Any) -> None:
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise InvalidSetting(f"{path}, {name}", f"tables that begin with [[{name}]]")


def _payee(where: str, table: dict[str, Any]) -> PayeeName:
    _check_names(where, table, ("name", "spellings"))
    name = table.get("name")
    if not isinstance(name, str) or not name.strip():
        got = None if name is None else str(name)
        raise InvalidSetting(f"{where}, name", "the name of a payee", got)
    return PayeeName(name.strip(), _patterns(f"{where}, spellings", table.get("spellings")))


def _check_names(where: str, table: dict[str, Any], known: tuple[str, ...]) -> None:
    for name in table:
        if name not in known:
            raise InvalidSetting(f"{where}, {name}", f"one of the fields {', '.join(known)}")


def _rule(where: str, table: dict[str, Any], path: Path, line: int | None) -> Rule:
    _check_names(where, table, _FIELDS)
    category = table.get("category")
    if not isinstance(category, str) or not category.strip():
        got = None if category is None else str(category)
        raise InvalidSetting(f"{where}, category", "the name of a category", got)
    if len(table) == 1:
        raise InvalidSetting(where, f"one of the fields {', '.join(_FIELDS[1:])} beside category")
    least, most = (_cents(f"{where}, {name}", table.get(name)) for name in ("min", "max"))
    if least is not None and most is not None and least > most:
        raise InvalidSetting(f"{where}, max", "no less than min", str(table["max"]))
    return Rule(
        category=category.strip(),
        **{name: _patterns(f"{where}, {name}", table[name]) for name in TEXTS if name in table},
        min_cents=least,
        max_cents=most,
        direction=_direction(f"{where}, direction", table.get("direction")),
        refund=_truth(f"{where}, refund", table.get("refund")),
        path=path,
        line=line,
    )


def _patterns(where: str, value: Any) -> tuple[str, ...]:
    """Return the patterns without needless spaces; a list must hold some."""
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, list) or not given:
        raise InvalidSetting(where, "a text or a list of texts", str(value))
    for pattern in given:
        if not isinstance(pattern, str) or not pattern.strip():
            raise InvalidSetting(where, "a text or a list of texts", str(pattern))
        if not _is_text(pattern):
            raise InvalidSetting(where, "text in UTF-8", ascii(pattern))
    return tuple(" ".join(pattern.split()) for pattern in given)


def _is_text(text: str) -> bool:
    """Tell whether a text can be written: a shell passes bytes that are none as half surrogates."""
    return not any("\ud800" <= one <= "\udfff" for one in text)


def _cents(where: str, value: Any) -> int | None:
    if value is None:
        return None
    try:
        if isinstance(value, int) and not isinstance(value, bool):
            value = Decimal(value)
        cents = parse_cents(value)
    except InvalidAmount:
        cents = -1
    if cents < 0:
        raise InvalidSetting(where, 'dollars, such as 12.50 or "$1,250.00"', str(value))
    return cents


def _direction(where: str, value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or value.upper() not in _DIRECTIONS:
        raise InvalidSetting(where, " or ".join(_DIRECTIONS), str(value))
    return value.upper()


def _truth(where: str, value: Any) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise InvalidSetting(where, "true or false", str(value))
