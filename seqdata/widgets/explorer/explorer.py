"""The activity explorer: all transfers in a notebook, to filter, sort, sum, open and export."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import anywidget
import pandas as pd

from seqdata.core.logs import logger
from seqdata.core.text import printable
from seqdata.exceptions import InvalidFilter, SequenceError
from seqdata.export import write_table
from seqdata.sources.vocabulary import RETURNED
from seqdata.widgets.closed import CLOSED
from seqdata.widgets.explorer import view as explorer_view
from seqdata.widgets.explorer.code import as_command, as_python
from seqdata.widgets.explorer.read import Readable, Snapshot
from seqdata.widgets.explorer.state import COLUMNS, Asked, Filters, Sort, field_of
from seqdata.widgets.explorer.view import Totals, View, look

log = logger(__name__)

_HERE = Path(__file__).parent

#: The parts of the page's module, in the order in which they build upon each other.
_SCRIPTS = ("filters.js", "grid.js", "details.js", "explorer.js")

#: The rows that come with a view, without being asked for.
FIRST_PAGE = 200

Change = Callable[[Asked], Asked]


class ActivityExplorer(anywidget.AnyWidget):
    """A table of all transfers, with filters, totals, details and export.

    It shows what was read when it was made, or when :meth:`refresh` was called. The browser
    gets a few hundred rows at a time, as messages: no row, name, total or filter is in the
    widget's state, so that no saved notebook holds any.

    Parameters
    ----------
    ledger
        Whose transfers; also a :meth:`Ledger.share_safe` one, which tells no history.

    Raises
    ------
    CacheMissing
        Nothing was synced yet.
    """

    _esm = "\n".join((_HERE / name).read_text("utf-8") for name in _SCRIPTS)
    _css = (_HERE / "explorer.css").read_text("utf-8")

    def __init__(self, ledger: Readable) -> None:
        self._ledger = ledger
        self._asking, self._working = threading.Lock(), threading.Lock()
        self._read = Snapshot.of(ledger)
        self._asked = Asked()
        self._refused: Asked | None = None
        self._closed = ""
        self._view = look(self._read.rows, self._asked)
        super().__init__()
        self.add_class("seqdata-explorer-widget")
        self.on_msg(self._received)

    def close(self, said: str = CLOSED) -> None:
        """Show nothing any more but that it is closed; may be called again."""
        if getattr(self, "_closed", CLOSED):  # or it was never made
            return
        self._closed = said
        self._say_closed()

    def __repr__(self) -> str:
        if self._closed:
            return self._closed
        return "ActivityExplorer: run this cell again to see the activity"

    # -- what a program does ------------------------------------------------------------------

    @property
    def frame(self) -> pd.DataFrame:
        """What is shown, all of it, in its order, with all columns of ``categorized()``."""
        return self._view.frame

    @property
    def totals(self) -> Totals:
        """The sums of what is shown, in cents."""
        return self._view.totals

    @property
    def filters(self) -> dict[str, Any]:
        """The filters of what is shown: the words of ``categorized()``."""
        return self._view.asked.filters.given()

    def filter(self, **changes: Any) -> None:
        """Change some filters; the others stay.

        Parameters
        ----------
        changes
            `since`, `until`, `account`, `direction`, `state`, `status`, `category` and `text`, as
            :meth:`Ledger.categorized` takes them; None or "" takes one away.

        Raises
        ------
        InvalidMoment, InvalidFilter, UnknownAccount
            A value that cannot be used. Everything stays as it was.
        """
        self._ask(lambda asked: replace(asked, filters=asked.filters.changed(changes)))

    def clear(self) -> None:
        """Take all filters away."""
        self._ask(_cleared)

    def sort(self, column: str, *, descending: bool = False) -> None:
        """Sort by a column: "created_at", "source_name", "amount" and so on.

        Raises
        ------
        InvalidFilter
            There is no such column.
        """
        sort = Sort(column, descending)
        self._ask(lambda asked: replace(asked, sort=sort))

    def refresh(self) -> None:
        """Read the ledger again, such as after a sync; filters and order stay."""
        with self._working:
            read = Snapshot.of(self._ledger)
            self._read = read
        self._ask(lambda asked: asked)
        self._send_options()

    def export(self, path: str | Path, *, raw_text: bool = False) -> Path:
        """Write what is shown, all of it and in its order, to a CSV or Parquet file.

        Raises
        ------
        InvalidFilter
            The name ends in something else.
        FolderNotWritable
            The file system refused; an older file is unchanged.
        """
        return write_table(self.frame, Path(path).expanduser(), raw_text=raw_text)

    # -- looking, one after the other ---------------------------------------------------------

    def _ask(self, change: Change, *, from_browser: bool = False) -> None:
        """Note what is asked, then show it, unless something newer was asked meanwhile.

        Callbacks can run beside a cell, on another thread: the last one to ask is shown last.
        What cannot be shown stays asked for in the browser, where its control still says it;
        a program gets the error, and nothing changes.
        """
        with self._asking:
            before = self._asked
            if before is self._refused and not from_browser:
                before = replace(self._view.asked, version=before.version, mark=before.mark)
            asked = self._asked = replace(change(before), version=before.version + 1)
        with self._working:
            if asked is not self._asked:
                return
            try:
                self._view = look(self._read.rows, asked)
            except SequenceError as error:
                if not from_browser:
                    self._take_back(asked, before)
                    raise
                self._refused = asked
                self._send_error(str(error), field_of(error, asked.filters))
            else:
                self._send_view()

    def _take_back(self, asked: Asked, before: Asked) -> None:
        with self._asking:
            if self._asked is asked:
                self._asked = replace(before, version=asked.version)

    # -- what the browser asks ----------------------------------------------------------------

    def _received(self, _: Any, content: Any, __: Any) -> None:
        """Do what a message says; whatever goes wrong is said in the explorer."""
        answers: dict[str, Callable[[Mapping[str, Any]], None]] = {
            "open": self._on_open,
            "filter": self._on_filter,
            "clear": self._on_clear,
            "sort": self._on_sort,
            "rows": self._on_rows,
            "details": self._on_details,
            "export": self._on_export,
            "annotate": self._on_annotate,
            "failed": self._on_failed,
            "refresh": lambda _: self.refresh(),
        }
        if self._closed:
            self._say_closed()
            return
        try:
            answers[content["do"]](content)
        except SequenceError as error:
            self._send_error(str(error))
        except Exception as error:  # ipywidgets would write it where nobody looks
            log.exception("activity explorer: %s", type(error).__name__)
            self._send_error(
                f"Something that seqdata did not expect happened ({type(error).__name__}). "
                "The log has the details."
            )

    def _on_open(self, _: Mapping[str, Any]) -> None:
        self._send_options()
        with self._working:
            self._send_view()

    def _on_filter(self, content: Mapping[str, Any]) -> None:
        given = {str(name): str(text) for name, text in content["changes"].items()}
        changes = {name: self._meant(name, text) for name, text in given.items()}
        mark = str(content.get("mark", ""))
        self._ask(
            lambda asked: replace(asked, filters=asked.filters.changed(changes), mark=mark),
            from_browser=True,
        )

    def _meant(self, name: str, text: str) -> str:
        """Return the choice that a browser shows as a text with escapes; else the text."""
        if "\\" not in text:
            return text
        choices = explorer_view.options(self._read.rows).get(name, [])
        return next((value for value, _ in choices if printable(value) == text.strip()), text)

    def _on_clear(self, content: Mapping[str, Any]) -> None:
        mark = str(content.get("mark", ""))
        self._ask(lambda asked: replace(_cleared(asked), mark=mark), from_browser=True)

    def _on_failed(self, content: Mapping[str, Any]) -> None:
        """Show what did not go through, of what is shown."""
        changes, mark = {"state": tuple(sorted(RETURNED))}, str(content.get("mark", ""))
        self._ask(
            lambda asked: replace(asked, filters=asked.filters.changed(changes), mark=mark),
            from_browser=True,
        )

    def _on_annotate(self, content: Mapping[str, Any]) -> None:
        """Note a category of one's own for a row, or the parts of a purchase of several."""
        view, place = self._view, int(content["row"])
        if view.asked.version != content["version"] or not 0 <= place < len(view):
            self._send_error("Other rows are shown by now. Nothing was noted; open the row again.")
            return
        own_id = str(view.rows.frame["id"].iloc[view.places[place]])
        given = content.get("split")
        split = None if given is None else _parts(given)
        category = None if given is not None else str(content["category"]).strip()
        self._ledger.annotate(own_id, category=category, split=split)
        self.refresh()
        self._say("noted", self._view, text=_noted(category, split))

    def _on_sort(self, content: Mapping[str, Any]) -> None:
        sort = Sort(str(content["column"]), bool(content["descending"]))
        self._ask(lambda asked: replace(asked, sort=sort), from_browser=True)

    def _on_rows(self, content: Mapping[str, Any]) -> None:
        view = self._view
        if view.asked.version == content["version"]:
            start, stop = int(content["start"]), int(content["stop"])
            self._say("rows", view, start=start, rows=explorer_view.page(view, start, stop))

    def _on_details(self, content: Mapping[str, Any]) -> None:
        view, place = self._view, int(content["row"])
        if view.asked.version == content["version"] and 0 <= place < len(view):
            self._say("details", view, row=place, **self._read.describe(view, place))

    def _on_export(self, content: Mapping[str, Any]) -> None:
        view, name = self._view, str(content["name"]).strip()
        path = Path(name).expanduser().absolute()
        replaced = " It replaced an older file." if path.exists() else ""
        write_table(view.frame, path)
        rows = f"{len(view):,} transfer{'' if len(view) == 1 else 's'}"
        self._say("exported", view, text=f"Wrote {rows}, as shown, to {path}.{replaced}")

    # -- what the browser is told -------------------------------------------------------------

    def _say(self, what: str, view: View, **more: Any) -> None:
        self.send({"say": what, "version": view.asked.version, **_shown(more)})

    def _send_view(self) -> None:
        """Send what is shown, with its first rows; the caller holds the lock of the work."""
        view = self._view
        self._say(
            "view",
            view,
            count=len(view),
            all=len(view.rows),
            totals=explorer_view.totals_shown(view),
            filters=view.asked.filters.shown(),
            mark=view.asked.mark,
            sort=asdict(view.asked.sort),
            code=self._code(view),
            rows=explorer_view.page(view, 0, FIRST_PAGE),
            empty=explorer_view.empty_reason(view),
        )

    def _code(self, view: View) -> list[list[str]]:
        given = view.asked.filters.given()
        command = as_command(given, is_disguised=self._read.is_disguised)
        return [["Python", as_python(given)], ["Command", command]]

    def _say_closed(self) -> None:
        self.send({"say": "closed", "text": self._closed})

    def _send_options(self) -> None:
        rows = self._read.rows
        columns = [asdict(column) for column in COLUMNS]
        self._say("options", self._view, columns=columns, options=explorer_view.options(rows))

    def _send_error(self, text: str, field: str = "") -> None:
        sentence, choices, more = text.partition(" Choices: ")
        said = {"text": printable(sentence), "more": printable(f"{choices}{more}".strip())}
        said["field"] = field
        self.send({"say": "error", "version": self._asked.version, **said})


def _shown(value: Any) -> Any:
    """Write out what hides in every text of a message."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {name: _shown(inner) for name, inner in value.items()}
    return [_shown(inner) for inner in value] if isinstance(value, list) else value


def _cleared(asked: Asked) -> Asked:
    return replace(asked, filters=Filters())


def _parts(given: Any) -> dict[str, str]:
    """Return the parts of a split, as texts; those of one category added up by nobody."""
    parts: dict[str, str] = {}
    for name, amount in given:
        if str(name).strip() in parts:
            raise InvalidFilter("category", str(name), ["each category once"])
        parts[str(name).strip()] = str(amount).strip()
    return parts


def _noted(category: str | None, split: Mapping[str, str] | None) -> str:
    if split:
        return f"Noted: split into {' and '.join(split)}."
    if split is not None:
        return "Noted: it is in one piece again."
    return f"Noted: {category}." if category else "Noted: your category is taken away."
