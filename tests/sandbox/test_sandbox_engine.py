"""The short way through the engine, against the engine itself."""

from __future__ import annotations

import json

import pytest
from graphql.execution import Executor

from seqdata.sandbox.faults.queue import Faults
from seqdata.sandbox.webapp.api import Api, Call
from seqdata.sandbox.webapp.resolvers import PageRules
from seqdata.sandbox.world.clock import parse_now
from seqdata.sandbox.world.world import World
from seqdata.sources.webapp.documents import document

#: Aliases, a field asked for twice, one that is not there, one of another type, a directive.
ODD = """query Odd($organizationId: ID!) {
  again: __typename
  organization(id: $organizationId) {
    id id other: id nowhere: pod(id: "no-such-pod") { id } kycs { name @skip(if: true) id }
    pods { id mine: name ... on Pod { name goalAmountInCents } linkedAccount { name } }
    transferReferences(first: 100) {
      edges { node { description errorReason source { ... on Pod { name } __typename } } }
    }
  }
}"""

#: As many transfers are asked for at once: under names of their own, through one fragment.
MANY = """query Many($organizationId: ID!, $id: ID!) {
  organization(id: $organizationId) {
    one: transferReference(id: $id) { ...Drawer }
    none: transferReference(id: "no-such-transfer") { ...Drawer }
    again: transferReference(id: $id) { ...Drawer source { ... on Pod { goalAmountInCents } } }
  }
}
fragment Drawer on TransferReference {
  id amount { cents } source { __typename ... on Pod { name } ... on Port { name } }
  details { __typename ... on SimpleTransferDetails { status { status } } }
}"""

DOCUMENTS = {
    "accounts": document("SelectSourceAndDestination"),
    "page": document("ActivityLogV2TransfersCounted"),
    "pod": document("PodDrawerContent"),
    "details": document("TransferReferenceDrawerContentV2"),
    "many": MANY,
    "odd": ODD,
    "introspection": "{ __schema { types { name description fields { name } } } }",
    "mistaken": "{ me { nothing } }",
    "broken": "{ me {",
}


@pytest.fixture
def world() -> World:
    return World(7, 3, parse_now("2026-11-01"), 1, 1)


def written(world: World, query: str, executor: type[Executor[None]] | None) -> tuple[int, str]:
    """What goes out: the status, and the JSON in its order."""
    (organization,) = world.organizations
    pods = [id for id, one in organization.book.holdings.items() if one.kind == "Pod"]
    variables = {
        "organizationId": organization.id,
        "id": pods[0] if "pod(" in query else next(iter(organization.book.transfers)),
        "transferFilter": {},
        "numberOfTransfersFilter": {},
        "first": 100,
    }
    given = {} if executor is None else {"executor": executor}
    reply = Api(world, Faults(lambda: world.now), PageRules(), **given).answer(
        Call(query, variables, None)
    )
    return reply.status, json.dumps(reply.payload)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_short_way_answers_what_the_engine_answers(world: World, name: str) -> None:
    """Every question gets the engine's own answer, byte by byte."""
    status, body = written(world, DOCUMENTS[name], Executor)
    assert written(world, DOCUMENTS[name], None) == (status, body)
    assert status == (400 if name in ("mistaken", "broken") else 200)
    assert ("errors" in json.loads(body)) == (status == 400)


@pytest.mark.parametrize("value", [None, 7, 2.5, True, ["a"], {}])
@pytest.mark.parametrize("field", ["name", "icon", "id"])
def test_what_is_no_text_is_the_engines(world: World, field: str, value: object) -> None:
    """A text that is null or of another type becomes what the engine makes of it, or its error."""
    for holding in world.organizations[0].book.holdings.values():
        holding.node[field] = value
    for query in (DOCUMENTS["accounts"], ODD):
        assert written(world, query, None) == written(world, query, Executor)
