"""A JupyterLab server of the tests' own, and notebooks in it as a person opens them."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import Locator, Page, expect
from waiting import PATIENCE, until

from seqdata.ledger.ledger import demo_settings
from seqdata.safeguards import TransferDesk
from seqdata.sandbox import Sandbox

KERNEL = "seqdata-tests"

PANEL = ["from seqdata import Ledger", "ledger = Ledger.open()", "ledger.transfer_panel()"]

_THEMES = "@jupyterlab/apputils-extension/themes.jupyterlab-settings"
_WIDGETS = "@jupyter-widgets/jupyterlab-manager/plugin.jupyterlab-settings"
_NOTICES = "@jupyterlab/apputils-extension/notification.jupyterlab-settings"


#: Whether the widgets of a notebook that is open can be shown from now on.
_WIDGETS_ARE_READY = """async path => {
  if (!window.jupyterapp) return true; // Notebook 7 opens a page for each notebook
  const open = [...jupyterapp.shell.widgets("main")].find(one => one.context?.path === path);
  const type = "application/vnd.jupyter.widget-view+json";
  const manager = await open.content.rendermime.createRenderer(type)._manager.promise;
  return manager.restoredStatus;
}"""

#: Runs code in the kernel of a notebook that is open, without a cell.
_EXECUTE = """async ([path, code]) => {
  const open = [...jupyterapp.shell.widgets("main")].find(one => one.context?.path === path);
  const reply = await open.sessionContext.session.kernel.requestExecute({code}).done;
  if (reply.content.status !== "ok") throw Error(reply.content.evalue);
}"""


class Server:
    """JupyterLab in a process of its own, with folders and a token of its own."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "notebooks"
        self.token = secrets.token_hex(16)
        self._home, self._log = folder / "home", folder / "server.log"
        self._runtime, self._settings = folder / "runtime", folder / "settings"
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def start(self) -> None:
        """Start it, and wait until it answers."""
        for one in (self.root, self._home, self._runtime, self._settings):
            one.mkdir(parents=True)
        self._write_kernel()
        self.set_up()
        command = [
            sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--port=0",
            "--ServerApp.ip=127.0.0.1", f"--ServerApp.root_dir={self.root}",
            f"--IdentityProvider.token={self.token}", "--LabApp.news_url=None",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            "--LabApp.expose_app_in_browser=True",
        ]  # fmt: skip
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command, cwd=self.root, env=self._environment(), stdout=log, stderr=log
            )
        self.url = self._address()

    def stop(self) -> None:
        """End it with its kernels."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(PATIENCE)

    def set_up(self, *, theme: str = "light", saves_widgets: bool = False) -> None:
        """Choose what pages that are opened from now on look like, and what they save."""
        chosen = {
            _THEMES: {"theme": f"JupyterLab {theme.capitalize()}"},
            _WIDGETS: {"saveState": saves_widgets},
            _NOTICES: {"fetchNews": "false", "checkForUpdates": False},
        }
        for name, values in chosen.items():
            path = self._settings / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(values))

    def listens(self, path: str) -> bool:
        """Whether the kernel of a notebook is there, connected with its page, and idle."""
        kernels = [one["kernel"] for one in self._ask("GET", "api/sessions") if one["path"] == path]
        return any(one["connections"] and one["execution_state"] == "idle" for one in kernels)

    def end_kernels(self) -> None:
        """End every kernel, as closing a notebook does not."""
        for one in self._ask("GET", "api/sessions"):
            self._ask("DELETE", f"api/sessions/{one['id']}")

    def _ask(self, method: str, path: str) -> Any:
        headers = {"authorization": f"token {self.token}"}
        request = urllib.request.Request(f"{self.url}/{path}", headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            body = answer.read()
        return json.loads(body) if body else None

    def _environment(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("SEQUENCE_", "JUPYTER", "IPYTHON"))
        }
        return kept | {
            "HOME": str(self._home),
            "IPYTHONDIR": str(self._home / "ipython"),
            "JUPYTER_CONFIG_DIR": str(self._home / "config"),
            "JUPYTER_DATA_DIR": str(self._home / "data"),
            "JUPYTER_RUNTIME_DIR": str(self._runtime),
            "JUPYTERLAB_SETTINGS_DIR": str(self._settings),
            "JUPYTERLAB_WORKSPACES_DIR": str(self._home / "workspaces"),
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        }

    def _write_kernel(self) -> None:
        """Let the notebooks run in this very interpreter."""
        spec = {
            "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": "seqdata", "language": "python",
        }  # fmt: skip
        path = self._home / "data" / "kernels" / KERNEL / "kernel.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(spec))

    def _address(self) -> str:
        """Wait for the file in which the server says where it is, and until it answers there."""
        assert self._process is not None
        process, path = self._process, self._runtime / f"jpserver-{self._process.pid}.json"

        def answering() -> str:
            if process.poll() is not None:
                raise RuntimeError(f"JupyterLab ended:\n{self._log.read_text()[-3000:]}")
            self.url = str(json.loads(path.read_text())["url"]).rstrip("/")
            self._ask("GET", "api/status")
            return self.url

        return until(answering, why="an answer of JupyterLab")


# -- a household, and the folder of a person --------------------------------------------------


@dataclass
class Desk:
    """A folder as a person has it: settings, a token, a notebook, and the sandbox behind them."""

    box: Sandbox
    folder: Path
    tokens: list[str] = field(default_factory=list)

    @classmethod
    def set_up(cls, box: Sandbox, folder: Path, **settings: str) -> Desk:
        """Make the folder; `settings` are SEQUENCE_ variables without that word."""
        folder.mkdir(parents=True)
        values = {**box.environment(), "SEQUENCE_USER": "kim"}
        values |= {f"SEQUENCE_{name.upper()}": value for name, value in settings.items()}
        made = cls(box, folder, [box.issue_token()])
        made._write(".env", "".join(f"{name}={value}\n" for name, value in values.items()))
        token = {"access_token": made.tokens[0], "refresh_token": None, "expires_at": 4e9}
        made._write(".tokens.json", json.dumps(token))
        return made

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(text)

    def write_notebook(self, name: str, cells: list[str]) -> None:
        """Write a notebook of one cell, whose last line is what it shows."""
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell("\n".join(cells))],
            metadata={"kernelspec": {"name": KERNEL, "display_name": "seqdata"}},
        )
        nbformat.write(notebook, self.folder / name)

    @property
    def payments(self) -> list[dict[str, Any]]:
        """The payments that the service accepted: where money moved."""
        return [one for one in self.box.payments() if one["result"] == "ok"]

    def balance(self, name: str) -> int:
        """Cents of an account, as the sandbox's own book has them."""
        with TransferDesk(
            demo_settings(self.box, self.folder / "aside"),
            self.box.organization_id,
            token_provider=self.box.issue_token,
        ) as desk:
            account_id = next(one.id for one in desk.look().accounts if one.name == name)
        days = self.box.balances()[account_id]
        return days[max(days)]

    def secrets(self) -> set[str]:
        """What nobody but the person may read."""
        box = self.box
        return {*self.tokens, box.email, box.password, box.totp_secret, box.kyc_id, box.client_id,
                box.access_token, box.refresh_token}  # fmt: skip

    def account_numbers(self) -> set[str]:
        """All account and routing numbers that the service tells whoever has a token."""
        part = "{ bankAccountNumber routingNumber }"
        accounts = f"ports {part} pods {part} accounts {part}"
        query = f"{{ me {{ memberships {{ organization {{ {accounts} }} }} }} }}"
        request = urllib.request.Request(
            f"{self.box.app_url}/api/graphql",
            json.dumps({"query": query}).encode(),
            {"authorization": f"Bearer {self.tokens[0]}", "content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return set(re.findall(r'"(\d{6,})"', answer.read().decode()))

    def story(self) -> list[str]:
        """The events of the audit log in their order."""
        lines = (self.folder / ".audit.jsonl").read_text("utf-8").splitlines()
        return [json.loads(line)["event_type"].removeprefix("transfer_") for line in lines]

    def charged(self) -> int:
        """Cents that the limits file counts."""
        path = self.folder / ".daily_limits.json"
        days = json.loads(path.read_text()) if path.exists() else {}
        return sum(
            entry["amount_cents"]
            for keys in days.values() for entries in keys.values() for entry in entries
            if entry.get("state") != "failed"
        )  # fmt: skip


# -- a notebook in the browser ----------------------------------------------------------------


class Notebook:
    """A notebook that is open in the browser."""

    def __init__(self, page: Page, server: Server, desk: Desk, name: str) -> None:
        self.page, self.server, self.desk, self.name = page, server, desk, name

    @property
    def _path(self) -> str:
        return (self.desk.folder / self.name).relative_to(self.server.root).as_posix()

    def open(self, *, in_notebook7: bool = False) -> None:
        """Open it in JupyterLab, or in Notebook 7, and wait until its kernel listens."""
        place = f"notebooks/{self._path}?" if in_notebook7 else f"lab/tree/{self._path}?reset&"
        self.page.goto(f"{self.server.url}/{place}token={self.server.token}")
        self._is_open()

    def open_beside(self) -> None:
        """Open it in the JupyterLab that the page shows already."""
        self.page.evaluate(
            "async path => { await window.jupyterapp.commands.execute('docmanager:open', {path}) }",
            self._path,
        )
        self._is_open()

    def _is_open(self) -> None:
        # The page says idle for a moment before it has a kernel: the server knows better.
        until(lambda: self.server.listens(self._path), why="the kernel of the notebook")
        idle = '.jp-Notebook-ExecutionIndicator[data-status="idle"]'
        expect(self.page.locator(idle)).to_be_visible()
        # A widget that is made before JupyterLab has asked the kernel for older ones is not shown.
        until(lambda: self.page.evaluate(_WIDGETS_ARE_READY, self._path), why="the widget manager")

    def run(self) -> None:
        """Run its cell with the keyboard, as a person does."""
        cell = self.page.locator(".jp-CodeCell").first
        cell.locator(".cm-content").click()
        expect(cell.locator(".cm-content")).to_be_focused()
        self.page.keyboard.press("Control+Enter")
        expect(cell.locator(".jp-InputPrompt")).to_have_text("[1]:")

    def execute(self, code: str) -> None:
        """Run code in its kernel, and wait until all that it sent has arrived."""
        self.page.evaluate(_EXECUTE, [self._path, code])

    def save(self) -> str:
        """Save it with the keyboard, and return what is on the disk then."""
        path = self.desk.folder / self.name
        before = path.read_text("utf-8")

        def saved() -> str:
            # JupyterLab empties the file and writes it anew: what is half there is no JSON.
            text = path.read_text("utf-8")
            cells = json.loads(text)["cells"]
            return text if text != before and all(cell["outputs"] for cell in cells) else ""

        self.page.keyboard.press("Control+s")
        return until(saved, why=f"{self.name} with the outputs of its cells")


class Panel:
    """The transfer panel in a notebook, by what a person reads on it."""

    def __init__(self, notebook: Notebook) -> None:
        self.notebook, self.desk, self.page = notebook, notebook.desk, notebook.page
        self.root = self.page.locator(".jp-Notebook .seqdata-panel")
        self.source = self.root.get_by_role("combobox", name="From", exact=True)
        self.destination = self.root.get_by_role("combobox", name="To", exact=True)
        self.amount = self.root.get_by_role("textbox", name="Amount")
        self.note = self.root.get_by_role("textbox", name="Note")
        self.region = self.root.get_by_role("region", name="Review of the transfer")
        self.confirm = self.button(re.compile("^Confirm: send"))

    def button(self, name: str | re.Pattern[str]) -> Locator:
        """A button by its text."""
        return self.root.get_by_role("button", name=name, exact=True)

    def press(self, name: str) -> None:
        """Click a button by its text."""
        self.button(name).click()

    def is_ready(self) -> None:
        """Wait until the accounts are there."""
        expect(self.button("Review")).to_be_enabled()
        expect(self.root.locator("datalist option").first).to_be_attached()

    def label(self, words: str) -> str:
        """The label in the list of accounts that holds these words."""
        options = self.root.locator(".seqdata-panel-from option")

        def found() -> str:
            labels = options.evaluate_all("all => all.map(one => one.value)")
            return next((one for one in labels if words in one), "")

        return until(found, why=f"an account whose label has {words!r}")

    def review(self, source: str, destination: str, amount: str, note: str = "") -> None:
        """Fill the form and press Review."""
        self.is_ready()
        self.source.fill(source)
        self.destination.fill(destination)
        self.amount.fill(amount)
        self.note.fill(note)
        self.press("Review")

    def stage(self, source: str, destination: str, amount: str, note: str = "") -> None:
        """Fill the form, press Review, and wait for the review."""
        self.review(source, destination, amount, note)
        expect(self.region).to_be_visible()
        expect(self.confirm).to_be_enabled()

    def copies_an_id(self, whole: str) -> None:
        """Click on an id, of which little is seen, and have all of it marked to be copied."""
        shown = self.root.locator(".sqp-id", has_text=whole).first
        shown.click()
        assert self.page.evaluate("String(getSelection())") == whole
        assert shown.evaluate("it => it.clientWidth < it.scrollWidth")

    def tab_to(self, control: Locator) -> None:
        """Press Tab until a control has the focus."""
        for _ in range(30):
            if control.evaluate("it => it === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"30 times Tab did not lead to {control}")

    def wait_for_payments(self, count: int) -> list[dict[str, Any]]:
        """Wait until the service has accepted as many payments."""
        until(lambda: len(self.desk.payments) >= count, why=f"{count} payments")
        return self.desk.payments

    def says(self, words: str | re.Pattern[str]) -> None:
        """Wait until these words can be read somewhere in the panel."""
        expect(self.root.get_by_text(words).first).to_be_visible()
