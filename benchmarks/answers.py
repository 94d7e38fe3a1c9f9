"""The bytes of activity answers, taken once from a sandbox and kept."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.harness import DATA, say
from benchmarks.sandbox_process import SandboxProcess

PAGE = 100


def answer_files(pages: int) -> list[Path]:
    """Files of so many answers of 100 transfers each, newest first; made where missing."""
    folder = DATA / f"answers-{pages}"
    files = [folder / f"{number:04d}.json" for number in range(pages)]
    if not all(path.exists() for path in files):
        say(f"taking {pages} answers from a sandbox (once)")
        _take(files)
    return files


def _take(files: list[Path]) -> None:
    from seqdata.sources.webapp.documents import document

    operation = "ActivityLogV2Transfers"
    scale = max(1, len(files) // 20)  # a household of scale 1 has 17 pages in ten months
    with SandboxProcess(scale, 14) as box:
        after = ""
        for path in files:
            variables = {
                "organizationId": box.connection["organization_id"],
                "transferFilter": {},
                "first": PAGE,
                "after": after,
            }
            content = box.ask(document(operation), variables, operation)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            connection = json.loads(content)["data"]["organization"]["transferReferences"]
            assert len(connection["edges"]) == PAGE, "the household has too few transfers"
            after = connection["pageInfo"]["endCursor"]
