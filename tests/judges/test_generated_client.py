"""Strangers judge the official API of the sandbox: a client that another project generates.

openapi-python-client makes it from our description when the test runs. It reads everything, and
finds what the books say.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from seqdata.sandbox import Sandbox

DESCRIPTION = resources.files("seqdata.sandbox.platform").joinpath("platform.openapi.json")
PACKAGE = "official_client"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Generate the client and let it be imported."""
    folder = tmp_path_factory.mktemp("generated")
    (folder / "config.yaml").write_text("post_hooks: []\n", "utf-8")
    command = [
        str(Path(sys.executable).with_name("openapi-python-client")), "generate",
        "--path", str(DESCRIPTION), "--output-path", str(folder / PACKAGE), "--meta", "none",
        "--config", str(folder / "config.yaml"),
    ]  # fmt: skip
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout
    assert "Warning" not in ran.stdout, ran.stdout
    sys.path.insert(0, str(folder))
    yield
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.split(".")[0] == PACKAGE]:
        del sys.modules[name]


class Reader:
    """The generated client, for one sandbox."""

    def __init__(self, box: Sandbox) -> None:
        client = importlib.import_module(f"{PACKAGE}.client")
        # The client speaks the description literally: account ids without brackets.
        self.client = client.AuthenticatedClient(base_url=box.platform_url, token=box.api_key)

    def __enter__(self) -> Reader:
        self.client.__enter__()
        return self

    def __exit__(self, *given: Any) -> None:
        self.client.__exit__(*given)

    def ask(self, operation: str, *path: Any, **query: Any) -> Any:
        """Give the data of an operation's answer, in the client's own types."""
        module = importlib.import_module(f"{PACKAGE}.api.{operation}")
        answer = module.sync_detailed(*path, client=self.client, **query)
        assert answer.status_code == 200, answer.content
        return answer.parsed.data

    def walk(self, operation: str, *path: Any, **query: Any) -> list[dict[str, Any]]:
        """All rows of a list, as plain values."""
        rows: list[dict[str, Any]] = []
        for page in range(1, 1_000):
            data = self.ask(operation, *path, page=page, page_size=100, **query)
            rows += [item.to_dict() for item in data.items]
            if not data.pagination.has_next_page:
                return rows
        raise AssertionError("a list without an end")

    def enum(self, module: str, name: str, value: str) -> Any:
        """A word, as the client writes it."""
        return getattr(importlib.import_module(f"{PACKAGE}.models.{module}"), name)(value)

    def ids(self) -> list[UUID]:
        """All accounts, deleted ones too."""
        every = self.enum("list_accounts_state", "ListAccountsState", "ALL")
        return [UUID(one["id"]) for one in self.walk("accounts.list_accounts", state=every)]


@pytest.fixture(params=[1, 2, 3, 4, 5])
def box(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """Serve worlds of five seeds, without a limit."""
    with Sandbox(seed=request.param, months=2, now="2026-11-01") as box:
        box.platform_variant(limit="off")
        yield box


@pytest.fixture
def reader(generated: None, box: Sandbox) -> Iterator[Reader]:
    """Make the client of a sandbox."""
    with Reader(box) as reader:
        yield reader


def moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def newest(days: dict[str, int]) -> int | None:
    return list(days.values())[-1] if days else None


def test_balances_are_those_of_the_books(box: Sandbox, reader: Reader) -> None:
    """Each account's balance is the last one that the books have."""
    books = {own_id: newest(days) for own_id, days in box.balances().items()}
    read = {}
    for own_id in reader.ids():
        account = reader.ask("accounts.get_account", own_id).to_dict()
        balance = account["balance"]
        read[account["id"]] = balance and balance["balanceInCents"]
    assert read == books


def is_by_card(row: dict[str, Any]) -> bool:
    kinds = [(row[side] or {}).get("kind") for side in ("source", "destination")]
    return "Merchant" in kinds


def said(row: dict[str, Any]) -> tuple[Any, ...]:
    """What both the books and the API say of a movement."""
    return row["id"], row["amountInCents"], moment(row["createdAt"])


def expected(rows: list[dict[str, Any]], keep: Callable[[dict[str, Any]], bool]) -> list[Any]:
    return [
        (row["id"], row["amount_cents"], moment(row["created_at"])) for row in rows if keep(row)
    ]


def test_transfers_are_those_of_the_books(box: Sandbox, reader: Reader) -> None:
    """All transfers but those by card are listed, once and in order, with their parties."""
    books = {row["id"]: row for row in box.transfers()}
    read = reader.walk("activity.list_transfers", account_ids=reader.ids())
    wanted = expected(box.transfers(), lambda row: not is_by_card(row))
    assert [said(row) for row in read] == wanted
    assert len(read) > 50
    for row in read:
        for side in ("source", "destination"):
            own, other = row[side], books[row["id"]][side]
            assert own is None or (own["id"], own["name"]) == (other["id"], other["name"])
        is_complete = books[row["id"]]["status"] == "COMPLETE"
        assert (row["completedAt"] is not None) == is_complete == (row["status"] == "COMPLETE")


def test_card_transactions_are_those_of_the_books(box: Sandbox, reader: Reader) -> None:
    """Settled purchases and refunds are listed by pod, and no others."""
    read = [
        said(row)
        for own_id in reader.ids()
        for row in reader.walk("activity.list_transactions", account_id=own_id)
    ]
    settled = expected(box.transfers(), lambda row: is_by_card(row) and row["status"] == "COMPLETE")
    assert sorted(read) == sorted(settled)
    assert len(read) > 50


def test_outside_rows_are_those_of_the_books(box: Sandbox, reader: Reader) -> None:
    """Outside accounts report what moved there up to a day ago, pending on its first day."""
    read = reader.walk("activity.list_external_transactions", account_ids=reader.ids())
    known = [row for row in box.outside() if moment(row["at"]) <= box.now - timedelta(days=1)]
    assert sorted((row["accountId"], signed(row)) for row in read) == sorted(
        (row["account_id"], row["cents"]) for row in known
    )
    pending = [row for row in known if moment(row["at"]) > box.now - timedelta(days=2)]
    assert sum(row["status"] == "PENDING" for row in read) == len(pending)
    assert len(known) > 100
    for row in read:
        assert moment(row["transactionDate"]).time() == datetime(2026, 1, 1, tzinfo=UTC).time()


def signed(row: dict[str, Any]) -> int:
    cents: int = row["amountInCents"]
    return cents if row["direction"] == "MONEY_IN" else -cents


def test_outside_rows_explain_the_balances(box: Sandbox, reader: Reader) -> None:
    """What an outside account was, and what moved in it, is what it is said to be."""
    opening = {own_id: next(iter(days.values()), None) for own_id, days in box.balances().items()}
    for own_id in reader.ids():
        account = reader.ask("accounts.get_account", own_id).to_dict()
        balance = account["balance"]
        if account["type"] != "EXTERNAL_ACCOUNT" or balance is None:
            continue
        at = moment(balance["balanceLastUpdatedAt"])
        rows = [row for row in box.outside() if row["account_id"] == account["id"]]
        moved = sum(row["cents"] for row in rows if moment(row["at"]) <= at)
        sign = -1 if account["externalAccountType"] == "LIABILITY" else 1
        assert balance["balanceInCents"] == opening[account["id"]] + sign * moved


def test_rules_are_those_of_the_books(box: Sandbox, reader: Reader) -> None:
    """All rules that are there are listed; each that can be has its body, and its runs."""
    known = {one["id"]: one for one in box.rules()}
    rows = reader.walk("rules.list_rules")
    assert {one["id"] for one in rows} == {
        own_id for own_id, one in known.items() if one["deleted_at"] is None
    }
    runs = {one["id"]: one for one in box.executions()}
    found = set()
    for row in rows:
        own_id = UUID(row["id"])
        if row["isSupported"]:
            rule = reader.ask("rules.get_rule", own_id).to_dict()
            steps = known[row["id"]]["steps"]
            assert [len(one["actions"]) for one in rule["steps"]] == [
                len(one["actions"]) for one in steps
            ]
        for run in reader.walk("rules.list_rule_executions", own_id):
            found.add(run["id"])
            assert run["status"] == runs[run["id"]]["status"]
    newest = max(runs.values(), key=lambda one: one["created_at"])
    ids = UUID(newest["rule_id"]), UUID(newest["id"])
    read = reader.ask("rules.get_rule_execution", *ids).to_dict()
    assert read["transferIds"] == newest["transfer_ids"]
    there = {row["id"] for row in rows}
    assert found == {own_id for own_id, one in runs.items() if one["rule_id"] in there}
