"""The activity explorer over a real ledger, spoken to as a browser speaks to it."""

from __future__ import annotations

import json
import re
import shlex
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner
from ipywidgets import Widget

import seqdata
from seqdata.cli import cli
from seqdata.core.text import printable
from seqdata.exceptions import CacheMissing, InvalidFilter, InvalidMoment, UnknownAccount
from seqdata.ledger import Ledger
from seqdata.widgets.explorer import explorer as explorer_module
from seqdata.widgets.explorer.explorer import ActivityExplorer
from seqdata.widgets.explorer.state import FILTERS

SCRIPTS = sorted(Path(explorer_module.__file__).parent.glob("*.js"))


class Browser(ActivityExplorer):
    """An explorer whose messages to the browser are kept, and that hears a browser's messages."""

    def __init__(self, ledger: Any) -> None:
        self.heard: list[dict[str, Any]] = []
        super().__init__(ledger)

    def send(self, content: Any, buffers: Any = None) -> None:
        self.heard.append(json.loads(json.dumps(content, allow_nan=False)))
        super().send(content, buffers)

    def ask(self, do: str, **more: Any) -> dict[str, Any]:
        """Let a message of the browser arrive; return the last answer, or {} without one."""
        before = len(self.heard)
        message = {"method": "custom", "content": {"do": do, **more}}
        self.comm.handle_msg({"content": {"data": message}, "buffers": []})
        return self.heard[-1] if len(self.heard) > before else {}

    def choose(self, **changes: str) -> dict[str, Any]:
        return self.ask("filter", changes=changes)


@pytest.fixture(scope="module")
def ledger() -> Iterator[Ledger]:
    with Ledger.demo(months=4, now="2026-11-01") as made:
        made.sync(details="all", details_per_request=25, progress=False)
        yield made


@pytest.fixture
def browser(ledger: Ledger) -> Iterator[Browser]:
    with closing(Browser(ledger)) as made:
        yield made


def test_opening_brings_choices_and_the_first_rows(browser: Browser, ledger: Ledger) -> None:
    """A browser that opens the explorer is told the choices, the sums and the first rows."""
    view = browser.ask("open")
    assert [message["say"] for message in browser.heard] == ["options", "view"]
    assert view["count"] == view["all"] == len(ledger.transfers)
    assert len(view["rows"]) == explorer_module.FIRST_PAGE
    assert ["Groceries", "Groceries"] in browser.heard[0]["options"]["account"]


def test_scrolling_gives_every_row(browser: Browser) -> None:
    """All windows of rows that a browser can ask for are together what is shown."""
    view = browser.ask("open")
    told = []
    for start in range(0, view["count"], 200):
        answer = browser.ask("rows", version=view["version"], start=start, stop=start + 200)
        assert (answer["say"], answer["start"]) == ("rows", start)
        told += answer["rows"]
    names = browser.frame["destination_name"].fillna("")
    assert [row[2] for row in told] == list(map(printable, names))


def test_filters_of_the_browser_are_those_of_the_ledger(browser: Browser, ledger: Ledger) -> None:
    """What controls say is what transfers_where is asked for, one change at a time."""
    browser.choose(account="Groceries")
    view = browser.choose(status="COMPLETE")
    expected = ledger.transfers_where(account="Groceries", status="COMPLETE")
    assert browser.frame["id"].tolist() == expected["id"].tolist()
    assert view["count"] == len(expected)
    assert browser.filters == {"account": "Groceries", "status": "COMPLETE"}
    assert browser.ask("clear")["count"] == len(ledger.transfers)


def test_what_is_no_longer_shown_is_not_told(browser: Browser) -> None:
    """Rows and details of an older view are not answered, since others stand there now."""
    old = browser.ask("open")["version"]
    new = browser.choose(text="market")["version"]
    assert new > old
    assert browser.ask("rows", version=old, start=0, stop=9) == {}
    assert browser.ask("details", version=old, row=0) == {}
    assert browser.ask("details", version=new, row=10**9) == {}


def test_an_unusable_filter_is_said_and_the_last_view_stays(browser: Browser) -> None:
    """An unknown account or unreadable date is a sentence beside the view that was good."""
    browser.choose(status="COMPLETE")
    good = browser.frame
    said = browser.choose(account="Nobody")
    assert (said["say"], said["field"]) == ("error", "account")
    assert said["text"] == "There is no account 'Nobody'."
    assert "Groceries" in said["more"]
    assert browser.choose(since="someday")["say"] == "error"
    assert browser.filters == {"status": "COMPLETE"}
    pd.testing.assert_frame_equal(browser.frame, good)
    browser.choose(account="")
    assert browser.choose(since="2026-10")["say"] == "view"
    assert browser.filters == {"status": "COMPLETE", "since": "2026-10"}


def test_a_program_gets_the_error_and_nothing_changes(browser: Browser) -> None:
    """Called from a cell, a filter that cannot be used raises, and everything stays as it was."""
    browser.filter(status="COMPLETE")
    for error, words in ((UnknownAccount, {"account": "Nobody"}), (InvalidMoment, {"until": "?"})):
        with pytest.raises(error):
            browser.filter(**words)
    assert browser.filters == {"status": "COMPLETE"}
    assert [message["say"] for message in browser.heard] == ["view"]
    browser.filter(text="market", status=None)
    assert browser.filters == {"text": "market"}


def test_a_program_is_not_held_up_by_what_a_browser_mistyped(browser: Browser) -> None:
    """A cell's filter goes on from what is shown, and takes the unusable value away."""
    browser.choose(since="someday")
    browser.filter(text="market")
    assert browser.filters == {"text": "market"}
    assert browser.heard[-1]["filters"]["since"] == ""


def test_the_last_of_many_at_once_is_shown(ledger: Ledger) -> None:
    """Filters that change on several threads end in the view of the last, told last."""
    with closing(Browser(ledger)) as browser:
        words = ["market", "store", "rent", "a", "pay", "bill", "é", "fuel"]
        together = threading.Barrier(len(words))

        def change(text: str) -> None:
            together.wait()
            browser.ask("filter", changes={"text": text})

        threads = [threading.Thread(target=change, args=(word,)) for word in words]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        versions = [message["version"] for message in browser.heard]
        assert versions == sorted(set(versions))
        assert versions[-1] == len(words)
        last = browser.heard[-1]
        assert browser.filters["text"] == last["filters"]["text"]
        assert last["count"] == len(ledger.transfers_where(text=last["filters"]["text"]))


def test_answers_say_which_filters_they_answer(browser: Browser) -> None:
    """A browser knows by its mark whether a newer answer is to come; sorting keeps the mark."""
    assert browser.ask("filter", changes={"text": "a"}, mark="me-1")["mark"] == "me-1"
    assert browser.ask("sort", column="amount", descending=True)["mark"] == "me-1"
    assert browser.ask("clear", mark="me-2")["mark"] == "me-2"


def test_a_column_sorts_what_is_filtered(browser: Browser) -> None:
    """Sorting keeps the filters, and a column that does not exist is refused."""
    browser.choose(direction="OUTGOING")
    browser.ask("sort", column="amount", descending=False)
    assert browser.frame["amount_cents"].is_monotonic_decreasing
    assert set(browser.frame["direction"]) == {"OUTGOING"}
    assert "id" in browser.ask("sort", column="id", descending=False)["text"]
    with pytest.raises(InvalidFilter):
        browser.sort("id")


def test_a_row_tells_its_details(browser: Browser, ledger: Ledger) -> None:
    """Opening a row shows parties, ids, payments, the rule and the history of that transfer."""
    legs = ledger.legs
    chosen = ledger.details.dropna(subset="rule_trigger_type")
    own_id = chosen.loc[chosen["id"].isin(legs["id"]), "id"].iloc[0]
    view = browser.choose(text=own_id)
    assert view["count"] == 1
    told = browser.ask("details", version=view["version"], row=0)
    lines = dict(told["lines"])
    assert lines["Transfer id"] == own_id
    assert lines["Rule"]
    assert told["amount"] == view["rows"][0][3]
    payments, history = told["tables"]
    assert len(payments["rows"]) == int((legs["id"] == own_id).sum())
    assert [row[1] for row in history["rows"]] == [f"First seen, {lines['Status']}"]


def test_the_history_tells_what_changed() -> None:
    """After a later sync, a transfer's details name what each version changed, and your note."""
    with Ledger.demo(months=1, now="2026-11-01") as own:
        own.sync(progress=False)
        pending = own.transfers_where(status="PENDING")["id"].tolist()
        with closing(Browser(own)) as browser:
            own.sandbox.advance(days=6)
            own.sync(progress=False)
            browser.ask("refresh")
            settled = next(i for i in pending if len(own.history(i)) > 1)
            own.annotate(settled, note="looked at")
            version = browser.choose(text=settled)["version"]
            told = browser.ask("details", version=version, row=0)
            assert dict(told["lines"])["Your note"] == "looked at"
            payments, history = told["tables"]
            assert len(history["rows"]) == len(own.history(settled))
            assert "Status: Pending → " in history["rows"][1][1]
            assert "details=" in payments["note"] or payments["rows"]


def test_reading_again_keeps_filters_and_finds_what_is_new() -> None:
    """After a sync, Read again shows the new transfers under the same filters."""
    with Ledger.demo(months=1, now="2026-11-01") as own:
        own.sync(progress=False)
        with closing(Browser(own)) as browser:
            browser.choose(direction="OUTGOING")
            before = len(browser.frame)
            own.sandbox.advance(days=10)
            own.sync(progress=False)
            assert len(browser.frame) == before
            browser.ask("refresh")
            assert len(browser.frame) == len(own.transfers_where(direction="OUTGOING")) > before


@pytest.mark.parametrize("name", ["shown.csv", "shown.parquet"])
def test_an_export_is_what_is_shown(browser: Browser, name: str, tmp_path: Path) -> None:
    """The file holds all rows that pass, in the order of the table, and the message says where."""
    browser.choose(account="Groceries")
    browser.ask("sort", column="amount", descending=True)
    said = browser.ask("export", name=name)
    path = tmp_path / name
    assert said["text"] == f"Wrote {len(browser.frame):,} transfers, as shown, to {path}."
    read = seqdata.read_csv(path) if name.endswith("csv") else pd.read_parquet(path)
    assert read["id"].tolist() == browser.frame["id"].tolist()
    assert read["amount_cents"].tolist() == browser.frame["amount_cents"].tolist()
    assert browser.ask("export", name=name)["text"].endswith(" It replaced an older file.")


def test_an_export_that_cannot_be_written_is_said(browser: Browser, tmp_path: Path) -> None:
    """A file of another type, or where nothing can be written, is a sentence and no file."""
    assert "*.csv" in browser.ask("export", name="shown.ods")["more"]
    (tmp_path / "file").touch()
    assert browser.ask("export", name="file/shown.csv")["say"] == "error"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_message_that_nobody_expected_is_said_by_its_kind(
    browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    """A message that cannot be understood ends in a sentence, and the log has the rest."""
    assert "(KeyError)" in browser.ask("dance")["text"]
    assert "KeyError" in caplog.text


def test_nothing_of_the_ledger_is_in_the_state(browser: Browser, ledger: Ledger) -> None:
    """No name, id, amount, sum, note or filter is in what a notebook could save."""
    view = browser.ask("open")
    browser.choose(account="Groceries", text="market")
    browser.ask("export", name="mine.csv")
    browser.ask("details", version=browser.heard[-1]["version"], row=0)
    state = Widget.get_manager_state(widgets=[browser, browser.layout])
    saved = json.dumps(state, ensure_ascii=False) + repr(browser)
    rows = ledger.transfers
    facts = {*rows["id"], *rows["source_name"].dropna(), *rows["destination_name"].dropna(),
             *ledger.accounts["name"], "market", "mine.csv",
             *(total["text"] for total in view["totals"] if "$" in total["text"])}  # fmt: skip
    scripts = "".join(path.read_text("utf-8") for path in SCRIPTS)
    assert [fact for fact in facts if fact in saved and fact not in scripts + "$0.00"] == []
    assert set(browser.get_state()) - set(Widget().get_state()) <= {
        "_anywidget_id", "_css", "_dom_classes", "_esm", "layout", "tabbable", "tooltip",
    }  # fmt: skip


def test_a_disguised_ledger_can_be_explored(ledger: Ledger) -> None:
    """A share-safe ledger shows its made-up names, and says that it tells no history."""
    with closing(Browser(ledger.share_safe())) as browser:
        view = browser.ask("open")
        assert not set(ledger.accounts["name"]) & {
            cell for row in view["rows"] for cell in row[1:3]
        }
        told = browser.ask("details", version=view["version"], row=0)
        assert told["tables"][1]["note"] == "Its history is not shown here."


def test_what_did_not_go_through_is_one_click_away(browser: Browser, ledger: Ledger) -> None:
    """The figure beside "Did not go through" is how many rows are shown after a click on it."""
    browser.choose(account="")
    totals = {one["name"]: one["text"] for one in browser.ask("open")["totals"]}
    count = int(totals["failed"].partition(" · ")[0])
    view = browser.ask("failed", mark="me-1")
    assert view["count"] == count == len(ledger.transfers_where(state=["failed", "cancelled"]))
    assert view["filters"]["state"] == "cancelled, failed"
    assert view["mark"] == "me-1"


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"account": "Groceries", "since": "2026-09"},
        {"state": ("cancelled", "failed"), "text": 'it\'s a "quoted" $HOME'},
        {"category": ("Groceries", "Dining"), "until": date(2026, 10, 20), "direction": "outgoing"},
    ],
)
def test_the_line_of_python_and_the_command_give_what_is_shown(
    browser: Browser,
    ledger: Ledger,
    filters: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both lines, run as they were copied, give the rows of the explorer."""
    browser.filter(**dict.fromkeys(FILTERS) | filters)
    (_, python), (_, command) = browser.ask("open")["code"]
    wanted = set(browser.frame["id"])
    assert set(eval(python, {"ledger": ledger})["id"]) == wanted
    words = shlex.split(command.removeprefix("seqdata "))
    assert ledger.sandbox is not None
    monkeypatch.setenv("SEQUENCE_DATA_DIR", str(ledger.categories_path.parent))
    for name, value in ledger.sandbox.environment().items():
        monkeypatch.setenv(name, value)
    result = CliRunner().invoke(cli, [*words, "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    if words[0] == "export":
        told = pd.read_csv(tmp_path / "activity.csv", dtype=str).to_dict("records")
    assert {row["id"] for row in told} == wanted


def test_a_category_of_ones_own_is_set_from_the_row() -> None:
    """Category and split are noted from an open row, shown at once, and taken away again."""
    with Ledger.demo(months=1, now="2026-11-01") as own:
        own.sync(progress=False)
        with closing(Browser(own)) as browser:
            row = own.categorized(direction="outgoing", state="settled").iloc[0]

            browser.choose(text=row["id"])

            def note(**words: Any) -> dict[str, Any]:
                version = browser.ask("open")["version"]
                return browser.ask("annotate", version=version, row=0, **words)

            assert note(category="Gifts") == {
                "say": "noted", "version": browser._view.asked.version, "text": "Noted: Gifts.",
            }  # fmt: skip
            assert browser.frame["category"].tolist() == ["Gifts"]
            half = row["amount_cents"] // 2
            parts = [half + 1, row["amount_cents"] - half - 1]
            texts = [f"{cents / 100:.2f}" for cents in parts]
            note(split=[["Gifts", texts[0]], ["Home", texts[1]]])
            assert browser.frame["amount_cents"].tolist() == parts
            told = browser.ask("details", version=browser._view.asked.version, row=1)
            assert told["own"]["whole"] == row["amount_cents"]
            wrong = note(split=[["Gifts", texts[0]], ["Home", "0.01"]])
            assert wrong["say"] == "error"
            assert note(split=[["Gifts", texts[0]], ["Gifts", texts[1]]])["say"] == "error"
            assert browser.frame["amount_cents"].tolist() == parts
            note(split=[])
            assert browser.frame["amount_cents"].tolist() == [row["amount_cents"]]
            stale = browser.ask("annotate", version=-1, row=0, category="Gifts")
            assert "Nothing was noted" in stale["text"]


def test_a_closed_explorer_says_so() -> None:
    """After its ledger is closed an explorer tells nothing but that, also to a page read anew."""
    with Ledger.demo(months=1, now="2026-11-01") as own:
        own.sync(progress=False)
        explorer = own.explorer()
        sent: list[Any] = []
        explorer.send = lambda content, buffers=None: sent.append(content)
    words = "Closed with its ledger. Run the cells again."
    assert sent == [{"say": "closed", "text": words}]
    for do in ("open", "rows", "details", "export"):
        message = {"method": "custom", "content": {"do": do, "name": "x.csv"}}
        explorer.comm.handle_msg({"content": {"data": message}, "buffers": []})
    assert sent == [{"say": "closed", "text": words}] * 5
    assert repr(explorer) == words


def test_nothing_synced_is_said_when_it_is_made(tmp_path: Path) -> None:
    """Without a sync there is nothing to explore, and the error says what to run."""
    with (
        Ledger.demo(months=1, now="2026-11-01", folder=tmp_path) as empty,
        pytest.raises(CacheMissing),
    ):
        ActivityExplorer(empty)


def test_names_never_become_html() -> None:
    """No part of the page makes HTML of text, loads anything, or runs text as code."""
    assert len(SCRIPTS) == 4
    for path in SCRIPTS:
        text = path.read_text("utf-8")
        assert len(text.splitlines()) < 300
        found = re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|eval\(|https?:|import\b", text)
        assert found == []
    assert ActivityExplorer._esm.count("export default") == 1
