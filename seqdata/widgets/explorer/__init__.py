"""The activity explorer: state and pure functions, and the widget that shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqdata.core.lazy import lazy_names

if TYPE_CHECKING:
    from seqdata.widgets.explorer.explorer import ActivityExplorer

__all__ = ["ActivityExplorer"]

__getattr__ = lazy_names(__name__, {"ActivityExplorer": "explorer"})
