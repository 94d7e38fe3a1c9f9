"""A traceback with all variables, a pickle and vars() show no secret.

IPython's ``%xmode Verbose`` prints what each line of a traceback names, attributes too, and the
notebook keeps it.
"""

from __future__ import annotations

import json
import logging
import os
import pickle
import time
import traceback
import warnings
from base64 import b32decode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager, start_new_kernel

from seqdata import SequenceClient
from seqdata import exceptions as ex
from seqdata.auth import AuthTokens
from seqdata.auth.refresh import refresh_tokens
from seqdata.auth.tokens import TokenStore
from seqdata.auth.totp import UsedCodes, read_codes
from seqdata.config import get_credentials, get_settings
from seqdata.config.settings import Settings
from seqdata.core.secret import Secret, SecretBody
from seqdata.exceptions import FolderNotWritable, InvalidSetting
from seqdata.http.messages import Exchange, Request
from seqdata.http.transport import Transport
from seqdata.sandbox import Sandbox

PLANTED = {
    "SEQUENCE_EMAIL": "pl4nted-mail@example.org",
    "SEQUENCE_PASSWORD": "pl4nted-password",
    "SEQUENCE_TOTP": "PL4NTEDTOTP",
    "SEQUENCE_KYC_ID": "pl4nted-kyc",
    "SEQUENCE_AUTH0_CLIENT_ID": "pl4nted-client",
}

#: The key of an authenticator.
KEY = "KRUGKIDROVUWG2ZAMJZG653OEBTG66BA"


# -- in a real kernel -------------------------------------------------------------------------


class Notebook:
    """A kernel, and everything it has shown."""

    def __init__(self, kernel: KernelManager, client: BlockingKernelClient) -> None:
        self.kernel, self.client = kernel, client
        self.shown: list[str] = []

    def start(self, code: str) -> str:
        """Begin to run a cell."""
        return str(self.client.execute(code, stop_on_error=False))

    def run(self, code: str) -> str:
        """Run a cell to its end; what it showed."""
        return self.finish(self.start(code))

    def finish(self, asked: str) -> str:
        """Wait for the end of a cell; what it showed."""
        shown = []
        while True:
            message = self.client.get_iopub_msg(timeout=90)
            if message["parent_header"].get("msg_id") != asked:
                continue
            if message["msg_type"] != "execute_input":
                shown.append(json.dumps(message["content"]))
            if message["content"].get("execution_state") == "idle":
                self.shown += shown
                return "\n".join(shown)

    def interrupted(self, code: str, box: Sandbox, operation: str) -> str:
        """Run a cell, and interrupt it as soon as a request of it has arrived."""
        box.clear_requests()
        asked = self.start(code)
        wait_for(lambda: operation in [one["operation"] for one in box.requests()])
        self.kernel.interrupt_kernel()
        return self.finish(asked)


def wait_for(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    until = time.monotonic() + 90
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    """Serve a sandbox of this module's own."""
    with Sandbox(months=1, now="2026-11-23T17:00:00Z") as running:
        yield running


@pytest.fixture(scope="module")
def notebook(box: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    """Run a kernel whose tracebacks show all variables, in a data folder with a token."""
    folder = tmp_path_factory.mktemp("notebook")
    token = {
        "access_token": box.access_token,
        "refresh_token": box.refresh_token,
        "expires_at": 4e9,
    }
    (folder / ".tokens.json").write_text(json.dumps(token))
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SEQUENCE_")},
        **box.environment(),
        "SEQUENCE_DATA_DIR": str(folder),
        "SEQUENCE_ALLOW_UNATTENDED_TRANSFERS": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the libraries that run kernels
        kernel, client = start_new_kernel(kernel_name="python3", env=environment, cwd=str(folder))
        try:
            book = Notebook(kernel, client)
            book.run("%xmode Verbose")
            book.run("import seqdata, seqdata.safeguards\nledger = seqdata.Ledger.open()")
            yield book
        finally:
            client.stop_channels()
            kernel.shutdown_kernel(now=True)


def test_a_traceback_of_ours_is_the_sentence_and_ones_own_lines(notebook: Notebook) -> None:
    """In a notebook the sentence comes first, then the lines of the cell, and no frame of ours."""
    notebook.run("%xmode Context")
    try:
        shown = notebook.run("def ask():\n    return ledger.history('nowhere')\n\nask()")
    finally:
        notebook.run("%xmode Verbose")
    (error,) = [one for one in map(json.loads, shown.splitlines()) if "traceback" in one]
    said, _, *lines = error["traceback"]
    assert said == f"{error['ename']}: {error['evalue']}"
    assert [line.strip() for line in lines] == [
        "this cell, line 4: ask()",
        "this cell, line 2: return ledger.history('nowhere')",
    ]


CONFIRM = """
desk = ledger.desk
names = [one.name for one in desk.look().accounts if one.kind == "pod"]
staged = desk.stage(names[0], names[1], "1.00", "n")
desk.confirm(staged)
"""

REFRESH = """
import os, json, pathlib
path = pathlib.Path(os.environ["SEQUENCE_DATA_DIR"]) / ".tokens.json"
path.write_text(json.dumps(json.loads(path.read_text()) | {"expires_at": 1.0}))
seqdata.get_access_token(), None
"""


@pytest.mark.parametrize(
    ("code", "operation", "fault", "facts"),
    [
        ("ledger.sync()", "ActivityLogV2Transfers", "slow", {"seconds": 3.0}),
        ("ledger.sync()", "ActivityLogV2Transfers", "rate_limit", {"retry_after": 100, "times": 9}),
        (CONFIRM, "CreatePayment", "slow", {"seconds": 3.0}),
        (REFRESH, "oauth/token", "slow", {"seconds": 3.0}),
    ],
    ids=["a sync", "a sync that waits", "a confirm", "a refresh"],
)
def test_an_interrupted_cell_shows_no_secret(
    code: str,
    operation: str,
    fault: str,
    facts: dict[str, Any],
    box: Sandbox,
    notebook: Notebook,
) -> None:
    """Interrupted in the middle of a request, a cell names its variables and no secret."""
    box.clear_faults()
    box.fail(fault, operation=operation, **facts)
    shown = notebook.interrupted(code, box, operation)
    box.clear_faults()
    assert "KeyboardInterrupt" in shown
    secrets = [box.access_token, box.refresh_token, box.email, box.password, box.totp_secret]
    assert [secret for secret in secrets if secret in shown] == []
    assert "eyJ" not in shown


def test_the_verbose_traceback_does_show_variables(notebook: Notebook) -> None:
    """The mode is on: a secret that a cell itself holds in plain text is shown."""
    assert "pl4nted" in notebook.run(
        "def f(token):\n    return 1 / (token == 1)\nf('pl4' + 'nted')"
    )


# -- in this process --------------------------------------------------------------------------


def plant(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in PLANTED.items():
        monkeypatch.setenv(name, value)


def everything(error: BaseException) -> str:
    """Show the variables, and their attributes, of each frame of the package."""
    shown = []
    trace = error.__traceback__
    while trace is not None:
        if "seqdata" in Path(trace.tb_frame.f_code.co_filename).parts and (
            "tests" not in Path(trace.tb_frame.f_code.co_filename).parts
        ):
            for value in trace.tb_frame.f_locals.values():
                shown.append(repr(value))
                if not isinstance(value, Secret | SecretBody | AuthTokens):
                    shown.append(str(getattr(value, "__dict__", "")))
        trace = trace.tb_next
    return "\n".join([*shown, "".join(traceback.format_exception(error))])


def test_settings_show_and_give_nothing_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """repr, vars and the fields of settings hold no secret, and settings are not pickled."""
    plant(monkeypatch)
    read = get_settings()
    shown = f"{read!r} {read} {vars(read)}"
    assert [value for value in PLANTED.values() if value in shown] == []
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(read)
    assert get_credentials().password == PLANTED["SEQUENCE_PASSWORD"]


def test_a_request_shows_no_token() -> None:
    """repr, vars and pickle of a request, of a read and of a payment, give no token away."""
    sent: list[Request] = []

    def send(request: Request) -> Exchange:
        sent.append(request)
        raise KeyboardInterrupt

    for query in ("{ me { id } }", "mutation { pay { ok } }"):
        client = SequenceClient("pl4nted-token", transport=Transport(send))
        with pytest.raises(KeyboardInterrupt) as stopped:
            client.execute(query)
        assert "pl4nted" not in everything(stopped.value)
        assert "pl4nted" not in f"{sent[-1]!r} {vars(sent[-1])} {vars(client)}"
        assert sent[-1].token is not None
        assert sent[-1].token.get_secret_value() == "pl4nted-token"
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(sent[-1])


def test_a_refresh_shows_no_token() -> None:
    """The grant is sealed until it leaves: an interrupt in its middle shows no token."""
    sent: list[Request] = []

    def send(request: Request) -> Exchange:
        sent.append(request)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as stopped:
        refresh_tokens(
            Transport(send),
            "https://auth.example.org",
            client_id="client",
            refresh_token=Secret("pl4nted-refresh"),
        )
    assert "pl4nted" not in everything(stopped.value)
    assert "pl4nted" not in f"{sent[0]!r} {vars(sent[0])}"
    assert json.loads(sent[0].payload)["refresh_token"] == "pl4nted-refresh"


def test_a_token_that_cannot_be_written_is_not_shown(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Where the token file cannot be written, neither the error nor its variables hold it."""
    store = TokenStore(Settings.of({"data_dir": tmp_path}))
    store.write(AuthTokens("first", None, 4e9), client_id=None)
    (tmp_path / ".tokens.json").unlink()
    (tmp_path / ".tokens.json").mkdir()
    secret = "-".join(["pl4nted", "token"])
    with caplog.at_level(logging.DEBUG), pytest.raises(FolderNotWritable) as refused:
        store.write(AuthTokens(secret, secret, 4e9), client_id=None)
    assert "write_bytes" in "".join(traceback.format_exception(refused.value))
    assert secret not in everything(refused.value) + caplog.text


def test_a_refused_server_of_a_file_is_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A password in an address of a `.env` file is in no variable of what refuses it."""
    monkeypatch.setenv("SEQUENCE_DATA_DIR", str(tmp_path))
    secret = "-".join(["pl4nted", "password"])
    (tmp_path / ".env").write_text(f"SEQUENCE_APP_URL=https://u:{secret}@h.example\n")
    (tmp_path / ".env").chmod(0o600)
    with pytest.raises(InvalidSetting) as refused:
        get_settings()
    assert secret not in everything(refused.value)


@pytest.mark.parametrize(
    "setting",
    [
        f"otpauth://totp/x?secret={KEY}&digits=9",
        f"otpauth://totp/x?secret={KEY}&algorithm=MD5",
        f"otpauth://totp/x?secret={KEY}&period=0",
        f"otpauth://hotp/x?secret={KEY}",
        f"otpauth://totp/x?secret={KEY}1",
        f"https://example.test/?secret={KEY}",
        f"{KEY}1",
        KEY[:9],
    ],
)
def test_a_refused_one_time_key_is_not_shown(setting: str, tmp_path: Path) -> None:
    """A one-time key that cannot be used is in no variable of the traceback that refuses it."""
    with pytest.raises(InvalidSetting) as refused:
        read_codes(Secret(setting), UsedCodes(tmp_path / "used.json"))
    assert KEY[:9] not in everything(refused.value)


@pytest.mark.parametrize("setting", [KEY, f"otpauth://totp/x?secret={KEY}", "73519428"])
def test_a_code_that_cannot_be_remembered_is_not_shown(setting: str, tmp_path: Path) -> None:
    """Where the file of used codes cannot be written, no variable holds key, code or hash of it."""
    (tmp_path / "used.json").mkdir()
    codes = read_codes(Secret(setting), UsedCodes(tmp_path / "used.json"))
    with pytest.raises(ex.SequenceError) as refused:
        codes.next_code(lambda _: None)
    shown = everything(refused.value)
    key = b32decode(KEY)
    assert [one for one in (KEY, "73519428", repr(key), key.hex()) if one in shown] == []


def test_an_unusable_token_does_not_become_a_header(tmp_path: Path) -> None:
    """A token with an end of a line or a blank in it is a corrupt one, and is not sent."""
    settings = Settings.of({"data_dir": tmp_path, "app_url": "http://127.0.0.1:1"})
    for token in ("a\r\nx: y", "a b", "ä", "\ud800"):
        facts = {"access_token": token, "refresh_token": None, "expires_at": 4e9}
        (tmp_path / ".tokens.json").write_text(json.dumps(facts))
        assert TokenStore(settings).read() is None
