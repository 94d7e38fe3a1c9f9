"""The layers of the package: what may import what."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "seqdata"

#: From the ground up; a module imports from its own rank or a lower one.
RANKS = (
    {"core", "exceptions", "config", "types", "models"},
    {"http"},
    {"auth"},
    {"sources", "client"},
    {"store"},
    {"sync"},
    {"analysis", "plots", "export"},
    {"safeguards"},
    {"ledger"},
    {"widgets"},
    {"cli", "__main__"},
)  # fmt: skip


def for_types_alone(tree: ast.AST) -> set[int]:
    """Return the nodes that only a type checker reads, by their ids."""
    tests = [one for one in ast.walk(tree) if isinstance(one, ast.If)]
    typing = [one for one in tests if "TYPE_CHECKING" in ast.dump(one.test)]
    return {id(node) for test in typing for node in ast.walk(test)}


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Yield the first-level modules of seqdata a file imports, and whether inside a function."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
    }
    typing_only = for_types_alone(tree)
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("seqdata."):
            yield str(node.module).split(".")[1], id(node) in inside
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("seqdata."):
                    yield alias.name.split(".")[1], id(node) in inside


def rank(module: str) -> int:
    return next(i for i, modules in enumerate(RANKS) if module in modules)


MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_from_a_higher_rank_to_a_lower_one(path: Path) -> None:
    """No module imports from above its rank; the sandbox knows the ground only."""
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    for other, is_inside in imports(path):
        if other == own:
            continue
        if own == "sandbox":
            assert rank(other) == 0, f"the sandbox imports {other}"
        elif other == "sandbox":
            assert own in ("ledger", "cli"), f"{own} imports the sandbox"
            assert is_inside, f"{own} imports the sandbox at its top"
        elif not (own == "ledger" and other == "widgets" and is_inside):
            assert rank(other) <= rank(own), f"{own} imports {other}, which stands above it"


def test_every_module_has_a_rank() -> None:
    """A new module gets its place in the house before it is merged."""
    known = set().union(*RANKS) | {"sandbox"}
    found = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in MODULES}
    assert found <= known


def test_no_circle_of_modules_is_left() -> None:
    """No module needs, at its top or inside a function, one that needs it."""
    names = {".".join(("seqdata", *path.relative_to(PACKAGE).with_suffix("").parts)): path
             for path in PACKAGE.rglob("*.py")}  # fmt: skip
    known = {name.removesuffix(".__init__"): path for name, path in names.items()}
    needs = {name: {one for one in needed(path, known) if one != name}
             for name, path in known.items()}  # fmt: skip
    while free := {name for name, wanted in needs.items() if not wanted & needs.keys()}:
        needs = {name: wanted for name, wanted in needs.items() if name not in free}
    assert sorted(needs) == []


def needed(path: Path, known: dict[str, Path]) -> Iterator[str]:
    """Yield the modules of seqdata that a file imports, other than for its types alone."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = for_types_alone(tree)
    for node in ast.walk(tree):
        if id(node) in typing_only or not isinstance(node, ast.ImportFrom):
            continue
        for alias in node.names:
            inner = f"{node.module}.{alias.name}"
            yield inner if inner in known else str(node.module)


#: What a module is called by those who import it, and by those who install it.
DISTRIBUTIONS = {"dotenv": "python-dotenv", "graphql": "graphql-core", "PIL": "pillow"}


def test_what_is_imported_is_declared() -> None:
    """Every package that is imported is a dependency, or is in an extra."""
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    lines = [*project["dependencies"], *(line for lines in extras for line in lines)]
    declared = {re.split(r"[^\w-]", line)[0].replace("-", "_").lower() for line in lines}
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else [
                alias.name for alias in getattr(node, "names", [])
                if isinstance(node, ast.Import)
            ]  # fmt: skip
            for top in {one.split(".")[0] for one in modules} - sys.stdlib_module_names:
                name = DISTRIBUTIONS.get(top, top).replace("-", "_").lower()
                assert name in {*declared, "seqdata"}, f"{path.name} imports {top}"


TESTS = sorted(Path(__file__).parent.rglob("test_*.py"))


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name)
def test_every_test_promises_one_sentence(path: Path) -> None:
    """Each test's docstring is one sentence, on one line, that ends with a full stop."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            promise = ast.get_docstring(node) or ""
            assert promise.endswith("."), f"{node.name}: {promise!r}"
            assert len(promise.split(". ")) == 1, f"{node.name} promises more than one thing"


def test_the_panel_s_state_needs_no_desk() -> None:
    """What the panel knows is plain data: its module loads neither the desk nor a network."""
    code = "import sys, seqdata.widgets.panel.state; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(ran.stdout.split())
    assert "seqdata.safeguards.outcomes" in loaded
    assert not loaded & {"seqdata.safeguards.desk", "seqdata.http", "curl_cffi", "ipywidgets"}
