"""A transfer panel over a real sandbox, without a browser."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

from waiting import PATIENCE

from seqdata.config.settings import Settings
from seqdata.safeguards import TransferDesk
from seqdata.sandbox import Sandbox
from seqdata.widgets import TransferPanel
from seqdata.widgets.panel.controls import HIDDEN


def open_desk(box: Sandbox, folder: Path, **changes: Any) -> TransferDesk:
    """Open a desk of kim; words that are settings go there, the others to the desk."""
    names = set(Settings.names())
    values = {
        name.removeprefix("SEQUENCE_").lower(): value for name, value in box.environment().items()
    }
    changed = {k: v for k, v in changes.items() if k in names}
    settings = Settings.of({**values, "data_dir": folder, "user": "kim", **changed})
    given = {k: v for k, v in changes.items() if k not in names}
    given.setdefault("token_provider", box.issue_token)
    return TransferDesk(settings, box.organization_id, **given)


def open_panel(desk: TransferDesk, **more: Any) -> TransferPanel:
    """Open a panel and wait until the accounts are there."""
    panel = TransferPanel(desk, **more)
    assert panel.wait(PATIENCE)
    return panel


def fill(panel: TransferPanel, source: str, destination: str, amount: str, note: str = "") -> None:
    controls = panel.controls
    controls.source.value, controls.destination.value = source, destination
    controls.amount.value, controls.note.value = amount, note


def press(panel: TransferPanel, *names: str) -> None:
    """Click buttons one after the other, each when the one before has done its work."""
    for name in names:
        getattr(panel.controls, name).click()
        assert panel.wait(PATIENCE)


def text(widget: Any) -> str:
    """What a person reads in a piece of HTML."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", widget.value)).split())


def is_shown(widget: Any) -> bool:
    return HIDDEN not in widget._dom_classes


def accepted(box: Sandbox) -> list[dict[str, Any]]:
    """The payments that the service accepted: where money moved."""
    return [one for one in box.payments() if one["result"] == "ok"]
