"""The command line, as a person or a program runs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import commands
import pandas as pd
import pytest
from waiting import PATIENCE, until

import seqdata
from seqdata.cli import cli
from seqdata.cli.output import json_text, records
from seqdata.ledger import Ledger
from seqdata.sandbox import Sandbox
from seqdata.store.record import Record, write_facts
from seqdata.store.state import state_of


class Shell:
    """Runs ``seqdata`` in processes of its own."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment

    def run(self, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        environment = {**_bare(), **self.environment, **changes}
        return commands.run([*arguments], environment, self.folder)

    def json(self, *arguments: str) -> Any:
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


def _bare() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SEQUENCE_")}
    return {**kept, "COLUMNS": "120"}


@pytest.fixture(scope="module")
def world() -> Iterator[Sandbox]:
    with Sandbox(months=2, now="2026-11-01") as box:
        yield box


@pytest.fixture
def shell(world: Sandbox, tmp_path: Path) -> Shell:
    """A shell whose settings point at the sandbox, with a token that is valid."""
    data = tmp_path / "data"
    data.mkdir()
    token = {"access_token": world.issue_token(), "refresh_token": None, "expires_at": 4e9}
    (data / ".tokens.json").touch(mode=0o600)
    (data / ".tokens.json").write_text(json.dumps(token))
    return Shell(tmp_path, {**world.environment(), "SEQUENCE_DATA_DIR": str(data)})


@pytest.fixture(scope="module")
def synced(world: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A shell over data that was synced once; tests only read it."""
    folder = tmp_path_factory.mktemp("synced")
    data = folder / "data"
    data.mkdir()
    token = {"access_token": world.issue_token(), "refresh_token": None, "expires_at": 4e9}
    (data / ".tokens.json").touch(mode=0o600)
    (data / ".tokens.json").write_text(json.dumps(token))
    shell = Shell(folder, {**world.environment(), "SEQUENCE_DATA_DIR": str(data)})
    assert shell.run("sync").returncode == 0
    return shell


# -- the commands -----------------------------------------------------------------------------


def test_sync_reports_and_status_says_what_is_here(shell: Shell, world: Sandbox) -> None:
    """`sync` says what it did in figures, and `status` what is here and where."""
    report = shell.json("sync")
    assert report["rows"] == report["expected_rows"] == len(world.transfers())
    assert report["is_complete"] is True
    status = shell.json("status")
    (certificate,) = status["organizations"]
    assert (certificate["rows"], certificate["is_complete"]) == (report["rows"], True)
    assert status["data_folder"].endswith("data")
    assert f"{report['rows']:,} of {report['rows']:,} transfers" in shell.run("status").stdout


def test_a_status_says_what_a_ledger_says(synced: Shell) -> None:
    """What commands read from the record is what a ledger reads from the tables, value by value."""
    environment = {name: value for name, value in synced.environment.items() if "SEQUENCE" in name}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        ledger = Ledger.open()
        assert synced.json("accounts") == json.loads(json_text(records(ledger.accounts)))
        told = ledger.summary()
    shown = synced.run("status").stdout
    assert [line for name, line in told.items() if name != "last sync" and line not in shown] == []


def test_transfers_are_filtered_by_the_same_words(synced: Shell, world: Sandbox) -> None:
    """`transfers` takes the filters of the library and prints the same rows."""
    rows = synced.json("transfers", "--direction", "incoming", "--since", "2026-10", "--limit", "0")
    expected = {
        row["id"]
        for row in world.transfers()
        if row["direction"] == "INCOMING" and row["created_at"] >= "2026-10-01T04:00"
    }
    assert {row["id"] for row in rows} == expected


def test_tables_are_printed_for_people(synced: Shell) -> None:
    """Without --json, accounts and transfers come as tables with dollars."""
    assert "$" in synced.run("accounts").stdout
    assert "newest first" in synced.run("transfers", "--limit", "3").stdout


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_export_writes_a_private_file_that_reads_back(
    synced: Shell, tmp_path: Path, suffix: str
) -> None:
    """`export` writes CSV and Parquet that only the owner can read, and they read back."""
    path = tmp_path / f"transfers.{suffix}"
    assert synced.run("export", str(path)).returncode == 0
    read = seqdata.read_csv if suffix == "csv" else pd.read_parquet
    assert len(read(path)) == len(synced.json("transfers", "--limit", "0"))
    assert path.stat().st_mode & 0o777 == 0o600


def test_rebuild_and_doctor_look_at_what_is_here(shell: Shell, world: Sandbox) -> None:
    """`rebuild` reads the same again, and `doctor` finds a file that others can read."""
    world.fail("unknown_value", operation="ActivityLogV2Transfers")
    before = shell.json("sync", "--details", "new", "--max-requests", "3")
    assert list(before["unknown_values"]) == ["status=TELEPORTED"]
    assert before["details"] == 3
    assert "0 read otherwise" in shell.run("rebuild").stdout
    found = shell.json("rebuild")
    assert found["read"] > len(world.transfers())
    assert found["changed"] == 0
    rows = shell.json("transfers", "--limit", "0")
    assert len(rows) == before["rows"]
    findings = shell.json("doctor")
    assert {finding["level"] for finding in findings} == {"ok", "note"}
    drift = [each["text"] for each in findings if each["subject"].startswith("drift of")]
    assert all("ledger.evidence('" in text for text in drift)
    assert len(drift) == 1
    folder = shell.folder / "data" / "cache" / world.organization_id
    (folder / "accounts" / "data.parquet").chmod(0o644)
    done = shell.run("doctor")
    assert done.returncode == 1
    assert "others can read" in done.stdout


def test_forget_removes_the_tables(shell: Shell, world: Sandbox) -> None:
    """`forget` removes an organization's tables, and only after a yes."""
    shell.json("sync")
    assert shell.run("forget", world.organization_id).returncode == 1  # nobody to answer
    assert len(shell.json("status")["organizations"]) == 1
    assert shell.run("forget", world.organization_id, "--yes").returncode == 0
    assert shell.json("status")["organizations"] == []
    assert "none yet" in shell.run("status").stdout


def test_the_sandbox_prints_its_connection_and_serves_until_interrupted(tmp_path: Path) -> None:
    """The first line of `sandbox` is JSON with all that connects; an interrupt ends it with 0."""
    command = [sys.executable, "-m", "seqdata", "sandbox", "--months", "1", "--now", "2026-11-01"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=_bare()) as process:
        assert process.stdout is not None
        connection = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=PATIENCE) == 0
    assert sorted(connection) == [
        "access_token", "api_key", "api_key_transfers", "app_url", "auth_url", "client_id", "email",
        "kyc_id", "organization_id", "password", "platform_url", "refresh_token", "totp_secret",
    ]  # fmt: skip


def test_a_sandbox_of_the_next_day_has_the_port_of_its_settings(tmp_path: Path) -> None:
    """With the same --env a sandbox has the address of before; while that is taken, it says so."""
    command = [sys.executable, "-m", "seqdata", "sandbox", "--months", "1", "--env", ".env"]
    addresses = []
    for _ in range(2):
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=_bare(), cwd=tmp_path
        ) as process:
            assert process.stdout is not None
            addresses.append(json.loads(process.stdout.readline())["app_url"])
            if len(addresses) == 1:
                refused = Shell(tmp_path, {}).run(*command[3:])
                assert refused.returncode == 2
                assert "stop the sandbox that has it" in refused.stderr
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=PATIENCE) == 0
    assert addresses[0] == addresses[1]
    assert addresses[0] in (tmp_path / ".env").read_text()


def test_the_demo_ends_with_files_and_what_to_try_next(tmp_path: Path) -> None:
    """`demo` logs in, syncs twice, shows the tables, and leaves tables and charts as files."""
    done = Shell(tmp_path, {}).run("demo", "--months", "2")
    assert done.returncode == 0, done.stderr
    assert "E-mail, password and one-time code were typed" in done.stdout
    assert "What to try next" in done.stdout
    files = {path.name for path in (tmp_path / "demo").iterdir()} - {".gitignore"}
    assert files == {
        "transfers.csv", "transfers.parquet", "balances.csv", "balances.parquet", "balances.png",
        "cash_flow.png", "spending.png",
    }  # fmt: skip


def test_several_organizations_are_chosen_by_name(tmp_path: Path) -> None:
    """With two organizations on disk, a reading command lists them, and takes one or all."""
    with Sandbox(months=1, now="2026-11-01", organizations=2) as box:
        token = {"access_token": box.issue_token(), "refresh_token": None, "expires_at": 4e9}
        (tmp_path / ".tokens.json").write_text(json.dumps(token))
        settings = {**box.environment(), "SEQUENCE_DATA_DIR": str(tmp_path)}
        del settings["SEQUENCE_ORG_ID"]
        shell = Shell(tmp_path, settings)
        assert shell.run("sync", "--organization", "nope").returncode == 2
        assert shell.json("sync", "--organization", "all")["is_complete"]
        refused = shell.run("transfers")
        assert refused.returncode == 2
        assert all(name in refused.stderr for name in box.organization_ids)
        rows = shell.json("transfers", "--limit", "0", "--organization", "all")
        assert len(rows) == len(box.transfers())
        assert len(shell.json("status")["organizations"]) == 2


# -- bad input and bad luck -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "changes", "code", "sentence"),
    [
        (["transfers", "--since", "soon"], {}, 2, "'soon' is not a date"),
        (["transfers", "--account", "Nowhere"], {}, 2, "There is no account 'Nowhere'"),
        (["transfers", "--status", "lost"], {}, 2, "Choices:"),
        (["export", "x.ods"], {}, 2, "*.xlsx"),
        (["sync"], {"SEQUENCE_MIN_DELAY": "fast"}, 2, "SEQUENCE_MIN_DELAY"),
        (["sync"], {"SEQUENCE_ORG_ID": "org-nowhere"}, 2, "no organization 'org-nowhere'"),
        (["sync"], {"SEQUENCE_APP_URL": "http://127.0.0.1:9"}, 1, "holds data of"),
        (["nonsense"], {}, 2, "No such command"),
        (["spending", "--freq", "weekly"], {}, 2, "Did you mean 'week'?"),
        (["spending", "--category", "Grocery"], {}, 2, "Did you mean 'Groceries'?"),
        (["transfers", "--direction", "INCOMMING"], {}, 2, "Did you mean 'incoming'?"),
    ],
)
def test_mistakes_get_one_sentence(
    synced: Shell, arguments: list[str], changes: dict[str, str], code: int, sentence: str
) -> None:
    """A mistake ends with its exit code and a sentence that helps, never a traceback."""
    done = synced.run(*arguments, **changes)
    assert done.returncode == code, done.stderr
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_an_interrupted_sync_says_so_and_goes_on(shell: Shell, world: Sandbox) -> None:
    """Ctrl-C in the middle of a first sync ends with 130 and a sentence, and the next goes on."""
    record = shell.folder / "data" / "ledgers" / world.organization_id / "ledger.db"
    command = [sys.executable, "-m", "seqdata", "sync"]
    environment = {**_bare(), **shell.environment}
    # The second page has to be waited for: longer than anything here takes.
    world.fail("rate_limit", operation="ActivityLogV2Transfers", after=1, retry_after=100)
    world.clear_requests()
    with subprocess.Popen(
        command, cwd=shell.folder, env=environment, stderr=subprocess.PIPE, text=True
    ) as process:

        def is_waiting() -> bool:
            if process.poll() is not None:
                raise RuntimeError(f"the sync ended with {process.returncode}")
            if not record.exists():
                return False
            asked = [one["operation"] for one in world.requests()]
            pages = state_of(Record(record).facts().get("progress", {})).unfinished
            return (
                pages is not None
                and pages.pages == 1
                and asked.count("ActivityLogV2Transfers") == 2
            )

        until(is_waiting, why="a sync that waits for its second page")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "What is on disk is kept" in said
    assert "Traceback" not in said
    report = shell.json("sync")
    assert (report["kind"], report["is_complete"]) == ("resumed", True)


def test_nothing_to_log_in_with_names_what_is_missing(tmp_path: Path) -> None:
    """Without token and credentials, `sync` names the variables and ends with 3."""
    done = Shell(tmp_path, {}).run("sync")
    assert done.returncode == 3
    assert "SEQUENCE_EMAIL, SEQUENCE_PASSWORD, SEQUENCE_TOTP not set" in done.stderr


def test_an_unreachable_server_is_named(shell: Shell) -> None:
    """A server that does not answer is named, with exit code 4."""
    done = shell.run("sync", SEQUENCE_APP_URL="http://127.0.0.1:9")
    assert done.returncode == 4, done.stderr
    assert "http://127.0.0.1:9" in done.stderr


def test_a_corrupt_table_is_made_again(shell: Shell, world: Sandbox) -> None:
    """A Parquet file that cannot be read is named, and made again from the record."""
    before = shell.json("sync")
    month = "transfers/month=2026-10/data.parquet"
    path = shell.folder / "data" / "cache" / world.organization_id / month
    path.write_bytes(b"garbage")
    done = shell.run("transfers", "--limit", "0", "--json")
    assert done.returncode == 0
    assert str(path) in done.stderr
    assert len(json.loads(done.stdout)) == before["rows"]


def test_a_corrupt_record_is_kept_aside(shell: Shell, world: Sandbox) -> None:
    """A record that cannot be read is kept under another name, and taken up from the tables."""
    before = shell.json("sync")
    path = shell.folder / "data" / "ledgers" / world.organization_id / "ledger.db"
    path.write_bytes(b"garbage" * 100)
    done = shell.run("transfers", "--limit", "0", "--json")
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)) == before["rows"]
    (aside,) = path.parent.glob("ledger.db.unreadable-*")
    assert str(aside) in done.stderr
    assert aside.read_bytes() == b"garbage" * 100


def test_a_record_of_a_newer_version_is_refused(shell: Shell, world: Sandbox) -> None:
    """A record that a newer seqdata wrote is refused by name, and stays as it is."""
    shell.json("sync")
    record = Record(shell.folder / "data" / "ledgers" / world.organization_id / "ledger.db")
    with record.writing() as db:
        write_facts(db, {"version": 99})
    done = shell.run("status")
    assert done.returncode == 1
    assert "newer seqdata" in done.stderr
    assert "forget" not in done.stderr


# -- the words --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_every_command_has_help_and_stands_in_the_readme(name: str) -> None:
    """Each command and each of its options has help, and the README names the command."""
    command = cli.commands[name]
    assert command.help
    options = [option for option in command.params if option.param_type_name == "option"]
    readme = Path(__file__).parent.parent / "README.md"
    assert f"`seqdata {name}" in readme.read_text(encoding="utf-8")
    assert all(getattr(option, "help", None) or option.name in _PLAIN for option in options)


_PLAIN = {"port", "months", "organizations"}  # words that say it all
