"""Widgets for notebooks, over the transfer desk; each name is loaded when it is first used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqdata.core.lazy import lazy_names

if TYPE_CHECKING:
    from seqdata.widgets.explorer.explorer import ActivityExplorer
    from seqdata.widgets.panel.panel import TransferPanel

_HOMES = {
    "ActivityExplorer": "explorer",
    "TransferPanel": "panel",
}

__all__ = [
    "ActivityExplorer",
    "TransferPanel",
]

__getattr__ = lazy_names(__name__, _HOMES)
