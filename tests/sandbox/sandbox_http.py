"""A plain HTTP client for a sandbox, and the documents the tests send."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

from seqdata.sandbox import Sandbox

NOW = "2026-11-01"

PAGE = """
query Page($id: ID!, $filter: TransferReferenceFilter, $after: String, $first: Int) {
  organization(id: $id) {
    numberOfTransfers(filter: $filter) { count }
    transferReferences(filter: $filter, after: $after, first: $first) {
      pageInfo { endCursor hasNextPage }
      edges { cursor node {
        id type status errorReason createdAt updatedAt amount { cents formatted }
        source { __typename ... on Pod { id name } ... on Port { id name }
          ... on Account { id name } ... on Merchant { id name } ... on ExternalEntity { name } }
        destination { __typename ... on Pod { id name } ... on Port { id name }
          ... on Account { id name } ... on Merchant { id name } ... on ExternalEntity { name } }
        direction activityType description
        details {
          ... on SimpleTransferDetails { status { ...payment } }
          ... on CompoundTransferDetails {
            pullPaymentStatus { ...payment } pushPaymentStatus { ...payment }
            reversalPaymentStatus { ...payment }
          }
        }
        ruleDetails { triggerType triggerCron }
      } }
    }
  }
}
fragment payment on PaymentStatus { status createdAt completedAt expectedCompletionDate }
"""

PAY = """
mutation CreatePayment($id: ID!, $fields: CreatePaymentInput!) {
  forKYC(id: $id) { createPayment(fields: $fields) {
    ok { organization {
      id pods { id metadata { balance { cents } } }
      transferReferences(first: 1) { edges { node {
        id status direction activityType description createdAt
        details { __typename }
      } } }
    } }
    error { message }
  } }
}
"""


class Answer:
    """One answer: its status, headers and body."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


class Http:
    """Requests to one sandbox, each on a connection of its own."""

    def __init__(self, box: Sandbox) -> None:
        self.box = box

    def request(
        self,
        method: str,
        path: str,
        given: Any = None,
        *,
        origin: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Send one request with a JSON body."""
        connection = http.client.HTTPConnection(urlsplit(origin or self.box.app_url).netloc)
        try:
            body = None if given is None else json.dumps(given)
            connection.request(method, path, body, headers or {})
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def graphql(
        self, query: str, variables: dict[str, Any] | None = None, *, token: str | None = None
    ) -> Answer:
        """Ask the API with the sandbox's access token, or another one."""
        headers = {
            "content-type": "application/json",
            "authorization": f"Bearer {token or self.box.access_token}",
        }
        given = {"query": query, "variables": variables}
        return self.request("POST", "/api/graphql", given, headers=headers)

    def page(self, **variables: Any) -> dict[str, Any]:
        """One page of activity with its count, by the fields of `PAGE`."""
        answer = self.graphql(PAGE, {"id": self.box.organization_id, **variables})
        assert answer.status == 200, answer.body
        organization: dict[str, Any] = answer.json["data"]["organization"]
        return organization

    def walk(self, first: int = 100, **variables: Any) -> list[dict[str, Any]]:
        """All transfers, page by page."""
        nodes: list[dict[str, Any]] = []
        after = ""
        while True:
            page = self.page(first=first, after=after, **variables)["transferReferences"]
            nodes += [edge["node"] for edge in page["edges"]]
            if not page["pageInfo"]["hasNextPage"]:
                return nodes
            after = page["pageInfo"]["endCursor"]

    def pay(self, source: str, destination: str, cents: int, **fields: Any) -> dict[str, Any]:
        """Ask for a payment; accounts are written `POD:<id>`."""
        sides = {}
        for side, account in (("source", source), ("destination", destination)):
            kind, _, own_id = account.partition(":")
            sides[side] = {"type": kind, "id": own_id}
        variables = {"id": self.box.kyc_id, "fields": {**sides, "amount": cents, **fields}}
        result: dict[str, Any] = self.graphql(PAY, variables).json["data"]["forKYC"]
        payment: dict[str, Any] = result["createPayment"]
        return payment
