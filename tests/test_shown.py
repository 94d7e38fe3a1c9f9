"""Whatever somebody writes into a name or a note, nothing that we show obeys it or hides it.

Every command of the command line is walked, over a world whose accounts, payees and descriptions
hold what steers a terminal, turns text around or takes no room; and the charts, the widgets, the
log and the errors. A command that is added is walked too.
"""

from __future__ import annotations

import ast
import json
import logging
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import ipywidgets
import pytest
from hidden import hidden
from matplotlib.text import Text
from waiting import PATIENCE

import seqdata.cli
from seqdata import exceptions as ex
from seqdata.cli import cli
from seqdata.cli.tables import CHARTS
from seqdata.ledger import Ledger
from seqdata.sandbox import Sandbox
from seqdata.widgets import TransferPanel
from seqdata.widgets.explorer.explorer import ActivityExplorer

#: Colour, title and bell of a terminal; returns; ends of lines; turned around; without room.
PLANT = "\x1b[31m\x1b]0;t\x07\r\n\x7f\x85\u2028\u202e\u2066\u200b\u00ad\ufeff\U000e0041\u3164"

#: Commands that are not run here, and why.
NOT_WALKED = {
    ("sandbox",): "serves until it is stopped, and says nothing but its own addresses",
    ("demo",): "makes its own world",
    ("browser", "check"): "starts a browser",
    ("browser", "install"): "changes this machine",
    ("login",): "starts a browser",
}
#: They take away what the others show, so they come last.
LAST = (("forget",), ("logout",))


class World:
    """A sandbox with planted names, a data folder that was synced, and transfers of the desk."""

    def __init__(self, box: Sandbox, folder: Path) -> None:
        self.box, self.folder = box, folder
        rows = box.transfers()
        ends = [end for row in rows for end in (row["source"], row["destination"]) if end]
        self.names = {
            end["id"]: f"{end['name']} {PLANT}" for end in ends if end["kind"] not in _PAYEES
        }
        for own_id, name in self.names.items():
            box.rename(own_id, name)
        for name in {end["name"] for end in ends if end["kind"] in _PAYEES}:
            box.rename_payee(name, f"{name} {PLANT}")
        for row in rows[:200]:
            box.edit_transfer(row["id"], description=f"for {PLANT}", error_reason=f"why {PLANT}")
        token = {"access_token": box.issue_token(), "refresh_token": None, "expires_at": 4e9}
        (folder / ".tokens.json").touch(mode=0o600)
        (folder / ".tokens.json").write_text(json.dumps(token))
        own = {"SEQUENCE_DATA_DIR": str(folder), "SEQUENCE_USER": "kim", "COLUMNS": "250"}
        self.environment = {**box.environment(), **own}

    def id_of(self, name: str) -> str:
        return next(own_id for own_id, one in self.names.items() if one.startswith(f"{name} "))


_PAYEES = ("Merchant", "ExternalEntity")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with Sandbox(months=2, now="2026-11-01") as box:
        yield World(box, tmp_path_factory.mktemp("planted"))


@pytest.fixture(autouse=True)
def settings(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in world.environment.items():
        monkeypatch.setenv(name, value)
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)  # a transfer ends with it switched off


def run(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    capfd.readouterr()
    code = seqdata.cli.run(arguments)
    said = capfd.readouterr()
    return code, said.out, said.err


def leaves(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the words of every command that does something."""
    if not isinstance(command, click.Group):
        yield path
        return
    for name, inner in command.commands.items():
        yield from leaves(inner, (*path, name))


def command_of(path: tuple[str, ...]) -> click.Command:
    command: click.Command = cli
    for name in path:
        assert isinstance(command, click.Group)
        command = command.commands[name]
    return command


def calls(path: tuple[str, ...], world: World) -> Iterator[list[str]]:
    """Yield ways to call a command: for a person, for a program, and with a wrong name."""
    given = {
        "file": str(world.folder / "out.csv"),
        "period": "2026-10",
        "folder": str(world.folder / "notebooks"),
        "source": world.id_of("Bills"),
        "destination": world.id_of("Groceries"),
        "amount": "5",
    }
    command = command_of(path)
    arguments = [one for one in command.params if isinstance(one, click.Argument) and one.required]
    for one in arguments:
        assert one.name in {*given, "chart"}, f"tell this test what to give for {one.name}"
    words = {name for one in command.params for name in one.opts}
    options = [word for word in ("--yes", "--no-open", "--all") if word in words]
    if path == ("plot",):
        target = ["-o", str(world.folder / "chart.svg")]
        yield from ([*path, name.replace("_", "-"), *target] for name in CHARTS)
        return
    called = [*path, *(given[str(one.name)] for one in arguments), *options]
    yield called
    if "--json" in words:
        yield [*called, "--json"]
    if "--account" in words:
        yield [*called, "--account", "nobody"]
        yield [*called, "--account", "Everyday"]
    if "destination" in {one.name for one in arguments}:
        yield [*path, "Groceries", "nobody", "5", *options]
        yield [*path, world.names[given["source"]], given["destination"], "99999", *options]


def walk() -> list[tuple[str, ...]]:
    first = [("sync",), ("transfer", "send")]
    found = [path for path in leaves(cli) if path not in NOT_WALKED]
    assert set(NOT_WALKED) | set(LAST) | set(first) <= {*found, *NOT_WALKED}
    rest = [path for path in found if path not in {*first, *LAST}]
    return [*first, *rest, *LAST[::-1]]


def test_no_command_shows_what_hides(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    """Each command, for a person and for a program, writes planted characters as escapes only."""
    said = ""
    for path in walk():
        if path == LAST[-1]:
            check_widgets_charts_and_log(world)
        for arguments in calls(path, world):
            code, out, err = run(["-vv", *arguments], capfd)
            assert code in (0, 1, 2, 5, 6, 7, 8), (arguments, err)
            assert hidden(out) <= {"\n"}, (arguments, hidden(out))
            assert hidden(err) <= {"\n"}, (arguments, hidden(err))
            assert "should not happen" not in err, (arguments, err)
            if "--json" in arguments and out:
                json.loads(out)
            said += out
    assert "\\x1b[31m\\x1b]0;t\\x07\\r\\n\\x7f\\x85\\u2028\\u202e" in said
    assert "\x1b[31m" in (world.folder / "out.csv").read_text("utf-8")


def check_widgets_charts_and_log(world: World) -> None:
    """Look at what is shown without a command, over the same tables."""
    ledger = Ledger.open()
    with ledger:
        for name in CHARTS:
            figure: Any = getattr(ledger.plot, name)().get_figure(root=True)
            for one in figure.findobj(Text):
                assert hidden(one.get_text()) <= {"\n"}, (name, one.get_text())
        assert hidden(f"{ledger!r}{ledger._repr_html_()}") <= {"\n"}
        check_explorer(ledger)
        check_panel(ledger)
        staged = ledger.desk.stage(world.id_of("Bills"), world.id_of("Groceries"), "1")
        assert hidden(f"{staged!r}{staged._repr_html_()}") <= {"\n"}
        assert hidden("".join(map(str, [*ledger.desk.settle(), ledger.desk.confirm(staged)]))) <= {
            "\n"
        }
        frame = ledger.transfers
        assert frame["source_name"].str.contains("\x1b[31m", regex=False).any()


class Heard(ActivityExplorer):
    """An explorer whose messages to the browser are kept."""

    def __init__(self, ledger: Any) -> None:
        self.heard: list[Any] = []
        super().__init__(ledger)

    def send(self, content: Any, buffers: Any = None) -> None:
        self.heard.append(content)
        super().send(content, buffers)

    def ask(self, do: str, **more: Any) -> Any:
        message = {"method": "custom", "content": {"do": do, **more}}
        self.comm.handle_msg({"content": {"data": message}, "buffers": []})
        return self.heard[-1]


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts(inner)


def check_explorer(ledger: Ledger) -> None:
    with closing(Heard(ledger)) as explorer:
        view = explorer.ask("open")
        for row in range(20):
            explorer.ask("details", version=view["version"], row=row)
        choices = explorer.heard[0]["options"]["account"]
        shown = next(value for value, _ in choices if value.startswith("Bills "))
        chosen = explorer.ask("filter", changes={"account": shown})
        assert 0 < chosen["count"] < chosen["all"]
        assert chosen["filters"]["account"] == shown
        explorer.ask("filter", changes={"account": "nobody"})
        for text in texts([explorer.heard, explorer.get_state()]):
            assert hidden(text) <= {"\n"}, text


def check_panel(ledger: Ledger) -> None:
    with closing(TransferPanel(ledger.desk)) as panel:
        assert panel.wait(PATIENCE)
        label = {one.split(" · ")[1][:6]: one for one in panel.controls.source.options}
        panel.controls.source.value = label["Bills "]
        panel.controls.destination.value = label["Grocer"]
        panel.controls.amount.value = "1"
        for act in (panel.settle, panel.review, panel.rehearse, panel.confirm):
            act()
            assert panel.wait(PATIENCE)
            for one in panel.controls.all():
                if isinstance(one, ipywidgets.Widget):
                    state = {**one.get_state(), "placeholder": ""}  # ipywidgets' own is unseen
                    for text in texts(state):
                        assert hidden(text) <= {"\n"}, (one, text)
        assert panel.state.outcome is not None
        panel.controls.destination.value = "nobody"
        assert hidden(panel.controls.destination_hint.value) == set()


def test_no_log_record_shows_what_hides(caplog: pytest.LogCaptureFixture) -> None:
    """A record keeps to its line and its colours, with all that was filled in, and a traceback."""
    log = logging.getLogger("seqdata")
    try:
        raise ex.ServiceError(f"it said {PLANT}")
    except ex.ServiceError as error:
        log.warning("it said: %s %r", PLANT, error, exc_info=True)
    log.warning("half a pair: \ud83d %s", ["\x1b"])
    assert hidden(caplog.text) <= {"\n"}
    assert "\\x1b[31m" in caplog.text
    assert caplog.records[0].getMessage().count("\n") == 0


def test_no_error_shows_what_hides() -> None:
    """Each error's sentence is printable, whatever its facts are, and its facts are kept."""
    for error in (
        ex.ServiceError(PLANT),
        ex.UnknownAccount(PLANT, [PLANT], ambiguous=True),
        ex.HTTPError(400, PLANT, "Ask"),
        ex.InsufficientBalance(PLANT, 5, 4),
        ex.SettleRefused(PLANT, PLANT),
    ):
        assert hidden(str(error)) == set()
        assert PLANT in str(error.args) or PLANT in error.args


def test_the_command_line_prints_through_its_doors_only() -> None:
    """No module of the command line but `output` prints, or asks, by itself."""
    folder = Path(seqdata.cli.__file__).parent
    for path in folder.glob("*.py"):
        if path.name == "output.py":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                assert (node.value.id, node.attr) not in {
                    ("click", word) for word in ("echo", "secho", "prompt", "confirm")
                }, f"{path.name}: click.{node.attr}"
            if isinstance(node, ast.Name):
                assert node.id != "print", path.name
