"""Strangers judge the official API of the sandbox: schemathesis, with our description of it.

It makes requests of its own, in order and not, and walks from lists to details and from POST to GET
by the links of the description.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from seqdata.sandbox import Sandbox
from seqdata.sandbox.platform.description import OPERATION_IDS

DESCRIPTION = resources.files("seqdata.sandbox.platform").joinpath("platform.openapi.json")
IS_SOAK = bool(os.environ.get("SEQDATA_SOAK"))

#: Every other check of schemathesis is on: what is not, where, and why.
EXCEPTIONS = [
    ("unsupported_method", "everywhere", "the service answers 404 in plain text, not 405"),
    ("positive_data_acceptance", "listAuditLog", "a `from` of more than 90 days ago is refused"),
    ("positive_data_acceptance", "createTransfer", "a used idempotency key has another body"),
    ("positive_data_acceptance", "triggerRule", "a used idempotency key has another body"),
]

_ACCEPTED = ["2xx", "400", "401", "403", "404", "409", "429"]


def config(parameters: dict[str, Any]) -> str:
    """Write the settings of schemathesis: the table of exceptions, and fixed parameters."""
    lines = ["[parameters]"]
    lines += [f"{name} = {json.dumps(value)}" for name, value in parameters.items()]
    for check, operation, _ in EXCEPTIONS:
        if operation == "everywhere":
            lines.append(f"[checks.{check}]\nenabled = false")
        else:
            expected = f"checks.{check}.expected-statuses = {json.dumps(_ACCEPTED)}"
            lines.append(f'[[operations]]\ninclude-operation-id = "{operation}"\n{expected}')
    return "\n".join(lines)


@pytest.fixture
def box() -> Iterator[Sandbox]:
    """Serve a world of the judge's own, without a limit."""
    with Sandbox(months=3, now="2026-11-01") as box:
        box.platform_variant(limit="off")
        yield box


def judge(box: Sandbox, folder: Path, *options: str, **parameters: Any) -> dict[str, Any]:
    """Let schemathesis judge; gives its report."""
    (folder / "schemathesis.toml").write_text(config(parameters), "utf-8")
    report = folder / "report.json"
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "run", str(DESCRIPTION),
        "--url", box.platform_url, "-H", f"Authorization: Bearer {box.api_key_transfers}",
        "--seed", "7", "--generation-deterministic",
        "--continue-on-failure", "--no-color", "--report", "json", "--report-json-path",
        str(report), *options,
    ]  # fmt: skip
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert report.exists(), ran.stdout + ran.stderr
    found: dict[str, Any] = json.loads(report.read_text("utf-8"))
    assert ran.returncode == 0, ran.stdout
    assert found["complete"]
    assert found["failures"] == found["errors"] == []
    return found


def test_every_operation_does_as_described(box: Sandbox, tmp_path: Path) -> None:
    """All 14 operations answer good and bad requests as the description says."""
    phases, examples = ("coverage,fuzzing", 200) if IS_SOAK else ("fuzzing", 12)
    found = judge(box, tmp_path, "--phases", phases, "-n", str(examples))
    assert found["operations"]["tested"] == len(OPERATION_IDS) == 14
    assert found["test_cases"]["generated"] > 150
    assert {one["operation"] for one in box.requests()} >= OPERATION_IDS


def test_links_lead_from_lists_to_details(box: Sandbox, tmp_path: Path) -> None:
    """Walks go from accounts to their transfers, and from a POST to what it made."""
    examples = 1_000 if IS_SOAK else 40
    # A page out of reach is empty, and leads nowhere.
    judge(box, tmp_path, "--phases", "stateful", "-n", str(examples), page=1, pageSize=100)
    walked = [one["operation"] for one in box.requests()]
    assert set(walked) >= {"getAccount", "getTransfer", "createTransfer", "getRule"}
