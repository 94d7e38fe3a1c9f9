from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from waiting import LONG

import seqdata
from seqdata.ledger import Ledger

HEAVY = [
    "pandas", "pyarrow", "numpy", "pydantic", "curl_cffi", "playwright", "matplotlib", "ipywidgets"
]  # fmt: skip


def loaded_by(code: str) -> set[str]:
    """Return the heavy libraries that a fresh interpreter has loaded after `code`."""
    script = (
        f"{code}\nimport json, sys\nprint(json.dumps([n for n in {HEAVY} if n in sys.modules]))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=LONG
    )
    return set(json.loads(ran.stdout))


def test_importing_the_package_is_quick() -> None:
    """`import seqdata` loads none of the heavy libraries; each is imported when it is used."""
    assert loaded_by("import seqdata") == set()
    assert loaded_by("import pandas") >= {"pandas"}  # so that the question can be answered yes


def test_the_safeguards_need_no_heavy_library() -> None:
    """A script that only checks its limits and writes its audit log loads none of them either."""
    assert loaded_by("from seqdata.safeguards import AuditLog, DailyLimitTracker") == set()


@pytest.mark.parametrize("command", ["status", "accounts", "status --json", "accounts --json"])
def test_what_the_record_answers_is_quick(tmp_path: Path, command: str) -> None:
    """`status` and `accounts` read the record as it is, without a library that takes a moment."""
    with Ledger.demo(folder=tmp_path, months=1) as ledger:
        ledger.sync(progress=False)
        assert ledger.sandbox is not None
        where = {"SEQUENCE_DATA_DIR": str(tmp_path), "SEQUENCE_APP_URL": ledger.sandbox.app_url}
    code = (
        f"import os; os.environ |= {where}\n"
        "from seqdata.cli import run\n"
        "import contextlib, io\n"
        "with contextlib.redirect_stdout(io.StringIO()) as said:\n"
        f"    assert run({command.split()}) == 0\n"
        "assert 'Groceries' in said.getvalue() or '12 pods' in said.getvalue() "
        "or 'rows' in said.getvalue()"
    )
    assert loaded_by(code) == set()


def test_a_sync_loads_no_pandas(tmp_path: Path) -> None:
    """`seqdata sync` makes no DataFrame, so a timer that runs it daily does not load any either."""
    with Ledger.demo(folder=tmp_path, months=1) as ledger:
        assert ledger.sandbox is not None
        where = {**ledger.sandbox.environment(), "SEQUENCE_DATA_DIR": str(tmp_path)}
        code = (
            f"import os; os.environ |= {where}\n"
            "from seqdata.cli import run\n"
            "import contextlib, io\n"
            "with contextlib.redirect_stdout(io.StringIO()) as said:\n"
            "    assert run(['sync', '--json']) == 0\n"
            "assert 'is_complete' in said.getvalue()"
        )
        loaded = loaded_by(code)
    assert "pyarrow" in loaded
    assert not loaded & {"pandas", "pydantic", "matplotlib", "ipywidgets", "playwright"}


def test_arrow_makes_dataframes_after_it_was_kept_from_loading_pandas() -> None:
    """A list needs no pandas then, and a table becomes the same DataFrame as ever."""
    code = (
        "from seqdata.core.arrow import leave_out_pandas, pa\n"
        "leave_out_pandas()\n"
        "table = pa.table({'a': [1, None]})\n"
        "import sys; assert 'pandas' not in sys.modules\n"
    )
    assert loaded_by(code) == {"pyarrow", "numpy"}
    made = "assert table.to_pandas()['a'].isna().tolist() == [False, True]\n"
    again = "assert pa.array(table.to_pandas()['a']).null_count == 1"
    assert "pandas" in loaded_by(code + made + again)


def test_the_public_names_are_sorted() -> None:
    """__all__ is sorted and names nothing twice."""
    assert seqdata.__all__ == sorted(set(seqdata.__all__))


@pytest.mark.parametrize("name", seqdata.__all__)
def test_a_public_name_is_there(name: str) -> None:
    """Every public name can be had from the package, is listed by dir, and is documented."""
    value = getattr(seqdata, name)
    assert name in dir(seqdata)
    assert name == "__version__" or value.__doc__


@pytest.mark.parametrize(
    "module", ["auth", "client", "config", "exceptions", "models", "types", "safeguards"]
)
def test_a_script_finds_its_submodules(module: str) -> None:
    """The submodules that scripts of the established SDK import from exist."""
    code = f"import importlib; importlib.import_module('seqdata.{module}')"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=LONG)


def test_an_unknown_name_is_refused() -> None:
    """A name that is not there is an AttributeError that says so, as of any module."""
    with pytest.raises(AttributeError, match="no attribute 'Legder'"):
        _ = seqdata.Legder


def test_a_login_without_its_extra_says_the_one_command(tmp_path: Path) -> None:
    """Without what drives a browser all else works, and a login says how to install it."""
    code = (
        "import sys; sys.modules['playwright'] = None; "
        "from seqdata.cli import main; sys.argv = ['seqdata', 'browser', 'check']; main()"
    )
    environment = {**os.environ, "SEQUENCE_DATA_DIR": str(tmp_path), "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2, done.stderr
    assert "pip install 'seqdata[login]'" in done.stderr
