"""What stands beside the tables: whose they are, and what it takes to take them up again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqdata.core.files import read_json, write_json
from seqdata.exceptions import CorruptFile
from seqdata.store.state import document_of, state_of

#: Beside the tables: which record they are of, and what else it takes to take it up from them.
NOTE = ".published.json"

#: How far a sync of the first version came; there while its tables were not taken over.
STATE = "state.json"

#: Facts about a record that its tables carry.
CARRIED = ("id", "organization_id", "app_url", "world", "progress")


@dataclass(frozen=True)
class Note:
    """What stands beside the tables.

    ``is_going_on``: files are being put in their place. ``layout`` names the columns they have.
    """

    record_id: str | None
    generation: int
    is_going_on: bool
    facts: dict[str, Any]
    layout: str | None = None


def read_note(folder: Path) -> Note | None:
    """Read what stands beside the tables; None where nothing does, or it cannot be read."""
    try:
        found = read_json(folder / NOTE, remedy="")
        facts = dict(found["facts"])
        generation, going_on = int(found["generation"]), bool(found["going_on"])
        return Note(facts.get("id"), generation, going_on, facts, found.get("layout"))
    except (FileNotFoundError, CorruptFile, KeyError, TypeError, ValueError):
        return None


def write_note(folder: Path, facts: dict[str, Any], *, layout: str, going_on: bool) -> None:
    """Write what stands beside the tables; a generation comes with the facts."""
    carried = {name: facts[name] for name in CARRIED if name in facts}
    note = {"generation": facts["generation"], "going_on": going_on, "facts": carried}
    write_json(folder / NOTE, {**note, "layout": layout})


def facts_beside(folder: Path) -> dict[str, Any] | None:
    """Tell what the tables in a folder are of; None where there are none to take up.

    Raises
    ------
    CorruptFile
        The state that the first version left cannot be read.
    """
    if is_first_version(folder):
        remedy = "Move it away: the tables beside it are then no ledger's"
        found = read_json(folder / STATE, remedy=f"{remedy}.")
        try:
            state = state_of(found)
            named = {name: str(found[name]) for name in ("organization_id", "app_url")}
        except (KeyError, TypeError, ValueError) as error:
            raise CorruptFile(folder / STATE, str(error), f"{remedy}.") from error
        return {**named, "progress": document_of(state)}
    note = read_note(folder)
    return None if note is None else note.facts


def is_first_version(folder: Path) -> bool:
    """Whether the tables in a folder are of the first version."""
    return (folder / STATE).exists()
