"""The audit log against the transfers of the service, and the commands of the audit log."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from seqdata import Ledger
from seqdata.cli import cli
from seqdata.safeguards import AuditLog
from seqdata.safeguards.audit_comparison import KINDS, Reconciliation, reconcile

NOON = datetime(2026, 11, 23, 17, tzinfo=UTC)
SYNCED = NOON + timedelta(hours=1)


def entry(event: str, minute: int, **more: Any) -> dict[str, Any]:
    """Make an entry of the log, of some minutes past noon: ten dollars from Rent to Fun."""
    stamp = (NOON + timedelta(minutes=minute)).isoformat()
    facts = {"amount_cents": 1_000, "source": "Rent", "destination": "Fun"}
    return {"timestamp": stamp, "event_type": f"transfer_{event}", **facts, **more}


def row(id: str, minute: int, **more: Any) -> dict[str, Any]:
    """Make a row of the transfers, of some minutes past noon: ten dollars from Rent to Fun."""
    return {
        "id": id,
        "created_at": NOON + timedelta(minutes=minute),
        "amount_cents": 1_000,
        "source_id": "pod-1",
        "source_name": "Rent",
        "destination_id": "pod-2",
        "destination_name": "Fun",
        "kind": "by_hand",
        "removed_at": None,
        **more,
    }


def compared(entries: list[dict[str, Any]], rows: list[dict[str, Any]]) -> Reconciliation:
    """Compare after a sync at one o'clock."""
    return reconcile(entries, rows, synced_at=SYNCED, organization_id="org-1")


STAGED = entry("staged", 0, intent_id="a")
ASKED = entry("requested", 1, intent_id="a")
DONE = entry("completed", 2, intent_id="a", transfer_id="tr-1")
NO_ID = entry("completed", 2, intent_id="a")
OPEN = entry("unknown", 2, intent_id="a", error="timeout")

CASES: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]], list[tuple[str, str | None]]]]
CASES = {
    "agree": ([STAGED, ASKED, DONE], [row("tr-1", 1)], []),
    "agree without an id": ([STAGED, ASKED, NO_ID], [row("tr-1", 1)], []),
    "nobody logged it": ([STAGED, ASKED, DONE], [row("tr-1", 1), row("tr-2", 5)],
                         [("unlogged", "tr-2")]),
    "nobody logged it, staged only": ([STAGED], [row("tr-1", 1)], [("unlogged", "tr-1")]),
    "a failed one is there": ([ASKED, entry("failed", 2, intent_id="a")], [row("tr-1", 2)],
                              [("unlogged", "tr-1")]),
    "a rule's": ([STAGED], [row("tr-1", 1, kind="rule")], []),
    "before the log began": ([STAGED], [row("tr-0", -5)], []),
    "not there": ([ASKED, DONE], [], [("missing", "tr-1")]),
    "not there, without an id": ([ASKED, NO_ID], [row("tr-0", -9)], [("missing", None)]),
    "removed": ([ASKED, DONE], [row("tr-1", 1, removed_at=SYNCED)], [("removed", "tr-1")]),
    "another amount": ([ASKED, DONE], [row("tr-1", 1, amount_cents=900)], [("differs", "tr-1")]),
    "open, none like it": ([ASKED, OPEN], [row("tr-1", 1, amount_cents=1)],
                           [("open", None), ("unlogged", "tr-1")]),
    "open, one like it": ([ASKED, OPEN], [row("tr-1", 1)], [("open", None)]),
    "open, interrupted": ([ASKED], [], [("open", None)]),
    "a dry run": ([entry("requested", 1, intent_id="a", dry_run=True)], [], []),
    "another organization's": ([entry("requested", 1, intent_id="a", organization_id="org-2")],
                               [], []),
    "of another program": ([entry("completed", 1, transfer_id="tr-1")], [row("tr-1", 1)], []),
    "an id claims before a likeness": (
        [entry("completed", 1, intent_id="b"), ASKED, DONE],
        [row("tr-1", 1), row("tr-2", 2)], [],
    ),
    "two alike, one logged": (
        [ASKED, NO_ID], [row("tr-1", 1), row("tr-2", 2)], [("unlogged", "tr-2")],
    ),
    "other parties": ([entry("requested", 1, intent_id="a", source_id="pod-9")], [row("tr-1", 1)],
                      [("open", None), ("unlogged", "tr-1")]),
    "odd entries": ([{}, {"event_type": 5, "timestamp": "soon"}, {"event_type": []}], [], []),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_log_and_service_are_compared_both_ways(name: str) -> None:
    """What one of them knows and the other does not is found, with its kind and its id."""
    entries, rows, expected = CASES[name]
    found = compared(entries, rows)
    assert [(one.kind, one.transfer_id) for one in found.findings] == expected
    assert all(one.kind in KINDS for one in found.findings)


def test_what_is_newer_than_the_sync_waits() -> None:
    """Of a transfer that was logged after the last sync, nothing is said."""
    late = [entry("requested", 70, intent_id="a"), entry("completed", 71, intent_id="a")]
    found = compared(late, [])
    assert (found.waiting, found.findings) == (1, ())
    assert str(found) == "0 logged transfers agree, 0 do not, 1 wait for the next sync."


def test_a_finding_is_one_sentence() -> None:
    """A finding says its kind, the amount, both ends and an id."""
    found = compared([ASKED, DONE], [row("tr-1", 1, amount_cents=900)])
    assert [str(one) for one in found.findings] == [
        "differs: $10.00 from Rent to Fun, tr-1 (there: $9.00)"
    ]
    assert found.to_json()["findings"][0]["at"] == "2026-11-23T17:01:00+00:00"


def test_a_ledger_reconciles_its_own_log() -> None:
    """One made behind the log is unlogged, a logged one agrees, an invented one is missing."""
    with Ledger.demo(months=1, now="2026-11-01") as ledger:
        ledger.sync(progress=False)
        rows = ledger.transfers_where(since="2026-10")
        one_time = rows[rows["kind"] == "by_hand"]
        first = one_time.iloc[-1]
        log = AuditLog(
            ledger.folder.parent.parent / ".audit.jsonl", now=lambda: first["created_at"]
        )
        cents = int(first["amount_cents"])
        log.log("transfer_completed", transfer_id=first["id"], amount_cents=cents, intent_id="a")
        log.log("transfer_completed", transfer_id="tr-no", amount_cents=5, intent_id="b")
        found = ledger.reconcile_audit(since="2026-10")
    kinds = sorted(one.kind for one in found.findings)
    assert found.agreed == 1
    assert kinds == ["missing"] + ["unlogged"] * (len(one_time) - 1)


# -- the commands -----------------------------------------------------------------------------

SECRET = "correct horse battery"


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AuditLog:
    """Three events in the data folder, and secrets in the settings."""
    monkeypatch.setenv("SEQUENCE_DATA_DIR", str(tmp_path))
    for name in ("PASSWORD", "TOTP", "EMAIL"):
        monkeypatch.setenv(f"SEQUENCE_{name}", SECRET)
    monkeypatch.setenv("SEQUENCE_USER", "kim")
    monkeypatch.setenv("COLUMNS", "160")
    log = AuditLog()
    for cents in (100, 200, 300):
        log.log("transfer_staged", amount_cents=cents, source="Rent", destination="Fun", note="n")
    return log


def run(*arguments: str, typed: str = "") -> Result:
    """Run an audit command, in this process."""
    return CliRunner().invoke(cli, ["audit", *arguments], input=typed, standalone_mode=False)


def spoil(log: AuditLog) -> None:
    """Remove the second line."""
    lines = log.path.read_bytes().splitlines(keepends=True)
    log.path.write_bytes(lines[0] + lines[2])


def test_verify_says_that_the_chain_is_intact(log: AuditLog) -> None:
    """An intact chain is said to be intact, with 0, in words and in JSON."""
    done = run("verify")
    assert "The chain is intact: 3 of 3 lines are chained." in done.output
    assert done.return_value == 0
    assert json.loads(run("verify", "--json").output)["is_intact"] is True


def test_verify_names_the_lines_and_ends_with_six(log: AuditLog) -> None:
    """A broken chain is named with its line and what to do, and ends with 6."""
    spoil(log)
    done = run("verify")
    assert done.return_value == 6
    assert "line 2: number 3 stands here, and number 2 is missing or moved" in done.output
    assert "seqdata audit acknowledge" in done.output
    found = json.loads(run("verify", "--json").output)
    assert (found["is_intact"], found["breaks"][0]["line"]) == (False, 2)


def test_verify_notes_what_is_no_break(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prefix, strangers and leftovers are notes, each with its line."""
    monkeypatch.setenv("SEQUENCE_DATA_DIR", str(tmp_path))
    log = AuditLog(tmp_path / ".audit.jsonl")
    log.path.write_bytes(b"{}\n")
    log.log("transfer_staged")
    with log.path.open("ab") as stream:
        stream.write(b'{}\n{"torn')
    done = run("verify")
    assert done.return_value == 0
    for text in ("lines 1 to 1: not verified", "line 3: of another program", "line 4: cannot be",
                 "line 4: it has no line end; a crash leaves this"):  # fmt: skip
        assert text in done.output


def test_the_doctor_names_a_broken_chain(log: AuditLog) -> None:
    """`doctor` says that the log is intact, or where it is not."""
    assert ".audit.jsonl: The chain is intact" in run_doctor()
    spoil(log)
    assert ".audit.jsonl: line 2: number 3 stands here" in run_doctor()


def run_doctor() -> str:
    """Run `seqdata doctor` in this process, and return what it printed."""
    return str(CliRunner().invoke(cli, ["doctor"], standalone_mode=False).output)


def test_show_lists_the_newest_events(log: AuditLog) -> None:
    """`show` prints the newest first, so many as asked, as a table or as JSON."""
    assert [one["amount_cents"] for one in json.loads(run("show", "--json").output)] == [
        300,
        200,
        100,
    ]
    shown = run("show", "--limit", "2").output
    assert "2 of 3 events, newest first" in shown
    assert "$3.00" in shown
    assert "$1.00" not in shown


def test_acknowledge_wants_a_typed_word(log: AuditLog) -> None:
    """Nothing but the word accepts a broken chain, and what is accepted stays in the log."""
    spoil(log)
    assert type(run("acknowledge", typed="y\n").exception).__name__ == "Abort"
    assert type(run("acknowledge").exception).__name__ == "Abort"
    assert not log.verify().is_intact
    done = run("acknowledge", "--note", "I cleaned up", typed="accept\n")
    assert "logged as number 4" in done.output
    last = log.entries()[-1]
    assert (last["user_id"], last["note"], last["break_count"]) == ("kim", "I cleaned up", 1)
    assert run("verify").return_value == 0
    assert "There is nothing to acknowledge" in run("acknowledge").output


def test_no_secret_comes_into_the_log(log: AuditLog) -> None:
    """Neither the files of the log nor what its commands print hold a setting that is secret."""
    spoil(log)
    printed = [run("verify"), run("acknowledge", typed="accept\n"), run("show", "--json")]
    texts = [done.output for done in printed] + [repr(log)]
    texts += [one.read_text() for one in log.path.parent.glob(".audit*")]
    assert all(SECRET not in text for text in texts)


def test_reconcile_prints_what_differs_and_ends_with_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`reconcile` lists the findings with what their kinds mean, and ends with 1."""
    with Ledger.demo(months=1, now="2026-11-01", folder=tmp_path) as ledger:
        ledger.sync(progress=False)
        assert ledger.sandbox is not None
        for name, value in ledger.sandbox.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("SEQUENCE_DATA_DIR", str(tmp_path))
        asked = {"amount_cents": 500, "source": "Rent", "destination": "Fun", "intent_id": "a"}
        AuditLog().log("transfer_requested", **asked)
        done = run("reconcile")
        assert run("reconcile", "--json").return_value == 1
    assert done.return_value == 1
    assert "open: $5.00 from Rent to Fun, a (none like it is there)" in done.output
    assert KINDS["open"] in done.output


def test_every_audit_command_has_help() -> None:
    """Each of the four commands and each of its options says what it is for."""
    group: Any = cli.commands["audit"]
    assert sorted(group.commands) == ["acknowledge", "reconcile", "show", "verify"]
    for command in group.commands.values():
        assert command.help
        assert all(option.help for option in command.params)
