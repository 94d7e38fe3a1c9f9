"""Running sandboxes, and clients for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sandbox_http import NOW, Http

from seqdata.sandbox import Sandbox


@pytest.fixture(scope="session")
def household() -> Iterator[Sandbox]:
    """Serve the default world, shared: tests only read it."""
    with Sandbox(now=NOW) as box:
        yield box


@pytest.fixture(scope="session")
def reading(household: Sandbox) -> Http:
    """Make a client of the shared world."""
    return Http(household)


@pytest.fixture
def box() -> Iterator[Sandbox]:
    """Serve a small world of one test's own."""
    with Sandbox(now=NOW, months=2) as box:
        yield box


@pytest.fixture
def web(box: Sandbox) -> Http:
    """Make a client of the test's own world."""
    return Http(box)


@pytest.fixture
def accounts(web: Http) -> Callable[[str], str]:
    """Find an account by name, written as `pay` wants it."""
    query = """{ me { memberships { organization {
        pods { id name } ports { id name } accounts { id name } } } } }"""
    organization = web.graphql(query).json["data"]["me"]["memberships"][0]["organization"]
    known = {
        node["name"]: f"{kind[:-1].upper()}:{node['id']}"
        for kind in ("ports", "accounts", "pods")
        for node in organization[kind]
    }
    return known.__getitem__
