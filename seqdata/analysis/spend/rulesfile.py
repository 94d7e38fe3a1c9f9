"""The file of category rules: ordered ``[[rule]]`` tables, the first that fits wins."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa

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


@dataclass(frozen=True)
class Rules:
    """Rules in their order."""

    rules: tuple[Rule, ...]

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
    own, with_starter = ([], True) if path is None else _read_file(path)
    return Rules((*own, *(_read_file(STARTER)[0] if with_starter else ())))


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


def _read_file(path: Path) -> tuple[list[Rule], bool]:
    """Return the rules of a file, and whether the starter set is to follow them."""
    try:
        # Not as floats: an amount is what was typed.
        found = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except FileNotFoundError:
        return [], True
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise CorruptFile(path, str(error), "Mend that line, or move the file away.") from None
    _check_names(str(path), found, ("starter", "rule"))
    starter, tables = found.get("starter", True), found.get("rule", [])
    if not isinstance(starter, bool):
        raise InvalidSetting(f"{path}, starter", "true or false", str(starter))
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise InvalidSetting(f"{path}, rule", "tables that begin with [[rule]]")
    return [_rule(f"{path}, rule {i}", table) for i, table in enumerate(tables, 1)], starter


def _check_names(where: str, table: dict[str, Any], known: tuple[str, ...]) -> None:
    for name in table:
        if name not in known:
            raise InvalidSetting(f"{where}, {name}", f"one of the fields {', '.join(known)}")


def _rule(where: str, table: dict[str, Any]) -> Rule:
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
    )


def _patterns(where: str, value: Any) -> tuple[str, ...]:
    """Return the patterns without needless spaces; a list must hold some."""
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, list) or not given:
        raise InvalidSetting(where, "a text or a list of texts", str(value))
    for pattern in given:
        if not isinstance(pattern, str) or not pattern.strip():
            raise InvalidSetting(where, "a text or a list of texts", str(pattern))
    return tuple(" ".join(pattern.split()) for pattern in given)


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
