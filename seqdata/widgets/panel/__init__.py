"""The transfer panel: state and pure functions, and the widget that shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqdata.core.lazy import lazy_names

if TYPE_CHECKING:
    from seqdata.widgets.panel.panel import TransferPanel

__all__ = ["TransferPanel"]

__getattr__ = lazy_names(__name__, {"TransferPanel": "panel"})
