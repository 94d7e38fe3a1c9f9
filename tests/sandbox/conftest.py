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


@pytest.fixture(scope="session")
def _secure_world() -> Iterator[Sandbox]:
    """Serve a small world in TLS."""
    with Sandbox(now=NOW, months=2, tls=True) as box:
        yield box


@pytest.fixture
def secure(_secure_world: Sandbox) -> Iterator[Sandbox]:
    """Give the shared world in TLS to one test, and let no fault outlive it."""
    yield _secure_world
    _secure_world.clear_faults()
    _secure_world.clear_requests()


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
