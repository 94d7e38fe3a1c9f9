"""What the fields of the panel say at the moment of a click."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import ipywidgets as ipw  # type: ignore[import-untyped]
import traitlets


class Typed(anywidget.AnyWidget):
    """Bring what the fields say on the page to the kernel before the click of any button.

    Else a click is late for the last letters: a person would review "$1" where they typed
    "12.34". It shows nothing, and holds no text itself.
    """

    _esm = (Path(__file__).parent / "typed.js").read_text("utf-8")

    fields = traitlets.Dict().tag(sync=True, **ipw.widget_serialization)

    def __init__(self, **fields: Any) -> None:
        super().__init__(fields=fields)
        self.on_msg(self._received)

    def _received(self, _: object, content: Any, __: object) -> None:
        for name, said in dict(content.get("typed") or {}).items():
            if name in self.fields:
                take(self.fields[name], said)


def take(field: Any, said: Any) -> None:
    """Let a field say what it says on the page; of a choice, one that is still offered."""
    if isinstance(field, ipw.Dropdown):
        if any(said == label for label, _ in field.options):
            field.label = said
    elif isinstance(said, type(field.value)) and field.value != said:
        field.value = said
