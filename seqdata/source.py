"""What a sync asks a service for, and how GraphQL answers it.

A source delivers Arrow tables in the store's columns. What is unknown is null: raw nodes are
read, never the client's dicts, which turn an unknown balance into 0.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import pyarrow as pa

from seqdata.client import GraphQLAnswer, SequenceClient
from seqdata.exceptions import (
    GraphQLError,
    HTTPError,
    ServiceError,
    UnknownOrganization,
    UnknownTransfer,
)
from seqdata.graphql import document, expect
from seqdata.nodes import Drift, Node, account_tables, detail_tables, transfer_table

log = logging.getLogger("seqdata")


@dataclass(frozen=True)
class Window:
    """A span of created_at, in UTC: from `since` on, before `until`; None is unbounded."""

    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_everything(self) -> bool:
        """Tell whether the window has no bound."""
        return self.since is None and self.until is None


@dataclass(frozen=True)
class Snapshot:
    """The accounts as they are, with their balances: ACCOUNT_ROWS and BALANCES."""

    accounts: pa.Table
    balances: pa.Table
    served_at: datetime


@dataclass(frozen=True)
class Page:
    """A page of transfers (TRANSFER_ROWS), newest first, and where the next one begins.

    `count` is the number of all transfers of the organization, where it was asked for and the
    service answers it.
    """

    rows: pa.Table
    cursor: str
    has_next_page: bool
    served_at: datetime
    count: int | None = None


@dataclass(frozen=True)
class TransferDetail:
    """One transfer with what made it: TRANSFER_ROWS, DETAILS and LEGS."""

    row: pa.Table
    details: pa.Table
    legs: pa.Table
    served_at: datetime


class PageSizeRefused(ServiceError):
    """The service does not give pages of this size."""

    def __init__(self, size: int, said: str) -> None:
        super().__init__(size, said)
        self.size, self.said = size, said

    def __str__(self) -> str:
        return f"The service refused pages of {self.size} transfers: {self.said}."


class Source(Protocol):
    """What a sync asks for. `requests` counts what was sent; `drift` what was not expected."""

    organization_id: str
    drift: Drift

    @property
    def requests(self) -> int:
        """Requests sent so far, repeats included."""

    def fetch_accounts(self) -> Snapshot:
        """Fetch all accounts and their balances now."""

    def fetch_page(self, window: Window, cursor: str, size: int, *, with_count: bool) -> Page:
        """Fetch one page of a window; PageSizeRefused where `size` is too large."""

    def fetch_transfer(self, transfer_id: str) -> TransferDetail:
        """Fetch one transfer; UnknownTransfer where there is none any more."""


class GraphQLSource:
    """The service's GraphQL API as a source, for one organization."""

    def __init__(
        self,
        client: SequenceClient,
        organization_id: str,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.organization_id = organization_id
        self.drift = Drift()
        self._client = client
        self._clock = clock
        self._counts = True

    @property
    def requests(self) -> int:
        """Requests sent so far, repeats included."""
        return self._client.requests

    def fetch_accounts(self) -> Snapshot:
        """Fetch all accounts and their balances now."""
        answer = self._client.ask(
            document("SelectSourceAndDestination"), None, "SelectSourceAndDestination"
        )
        served_at = self._served_at(answer)
        nodes = _accounts_of(answer.data, self.organization_id)
        accounts, balances = account_tables(nodes, self.organization_id, served_at, self.drift)
        return Snapshot(accounts, balances, served_at)

    def fetch_page(self, window: Window, cursor: str, size: int, *, with_count: bool) -> Page:
        """Fetch one page of a window, newest first.

        The window is asked for a day wider at both ends, since it is not known how the service
        rounds it: rows outside of it may come back.

        Raises
        ------
        PageSizeRefused
            The service does not give pages of this size.
        UnknownOrganization
            The login cannot see this organization.
        """
        answer = self._ask_page(window, cursor, size, with_count=with_count and self._counts)
        organization = _organization(answer.data, self.organization_id)
        connection = expect(organization, "transferReferences", dict)
        info = expect(connection, "pageInfo", dict)
        nodes = [edge["node"] for edge in expect(connection, "edges", list)]
        count = (organization.get("numberOfTransfers") or {}).get("count")
        return Page(
            rows=transfer_table(nodes, self.organization_id, self.drift),
            cursor=info.get("endCursor") or "",
            has_next_page=bool(info.get("hasNextPage")),
            served_at=self._served_at(answer),
            count=count if isinstance(count, int) else None,
        )

    def fetch_transfer(self, transfer_id: str) -> TransferDetail:
        """Fetch one transfer with its payment legs and rule.

        Raises
        ------
        UnknownTransfer
            The service has no such transfer (any more).
        """
        operation = "TransferReferenceDrawerContentV2"
        variables = {"organizationId": self.organization_id, "id": transfer_id}
        answer = self._client.ask(document(operation), variables, operation)
        node = _organization(answer.data, self.organization_id).get("transferReference")
        if node is None:
            raise UnknownTransfer(transfer_id)
        served_at = self._served_at(answer)
        details, legs = detail_tables([node], self.organization_id, served_at, self.drift)
        row = transfer_table([node], self.organization_id, self.drift)
        return TransferDetail(row, details, legs, served_at)

    def _ask_page(
        self, window: Window, cursor: str, size: int, *, with_count: bool
    ) -> GraphQLAnswer:
        variables: Node = {
            "organizationId": self.organization_id,
            "transferFilter": _created_at(window),
            "first": size,
            "after": cursor,
        }
        name = "ActivityLogV2Transfers"
        if with_count:
            counting = {**variables, "numberOfTransfersFilter": {}}
            try:
                return self._client.ask(document(f"{name}WithCount"), counting, name)
            except (GraphQLError, HTTPError) as error:
                if not _is_about(_NO_COUNT, error):
                    raise _page_error(error, size) from error
                self._counts = False
                log.info("the service does not count transfers: completeness stays unknown")
        try:
            return self._client.ask(document(name), variables, name)
        except (GraphQLError, HTTPError) as error:
            raise _page_error(error, size) from error

    def _served_at(self, answer: GraphQLAnswer) -> datetime:
        return answer.served_at or self._clock()


def fetch_organization_ids(client: SequenceClient) -> list[str]:
    """Fetch the ids of the organizations that this login can see."""
    answer = client.ask(document("SelectSourceAndDestination"), None, "SelectSourceAndDestination")
    return [organization["id"] for organization in _organizations(answer.data)]


# -- questions and refusals -------------------------------------------------------------------

_TOO_LARGE = re.compile(
    r"\bfirst\b|page.?size|\blimit\b|\bmax(imum)?\b|exceed|too (large|many|big)", re.IGNORECASE
)
_NO_COUNT = re.compile(r"numberOfTransfers|TransferCount", re.IGNORECASE)


def _created_at(window: Window) -> Node:
    bounds = {
        "start": None if window.since is None else window.since - timedelta(days=1),
        "end": None if window.until is None else window.until + timedelta(days=1),
    }
    given = {name: _iso(moment) for name, moment in bounds.items() if moment is not None}
    return {"createdAt": given} if given else {}


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _page_error(error: GraphQLError | HTTPError, size: int) -> ServiceError:
    return PageSizeRefused(size, str(error)) if _is_about(_TOO_LARGE, error) else error


def _is_about(pattern: re.Pattern[str], error: GraphQLError | HTTPError) -> bool:
    if isinstance(error, HTTPError) and error.status not in (400, 422):
        return False
    said = error.text if isinstance(error, HTTPError) else str(error)
    return pattern.search(said) is not None


def _organizations(data: Node) -> Iterable[Node]:
    memberships = expect(expect(data, "me", dict), "memberships", list)
    return [expect(membership, "organization", dict) for membership in memberships]


def _accounts_of(data: Node, organization_id: str) -> list[tuple[str, Node]]:
    organizations = {organization["id"]: organization for organization in _organizations(data)}
    if organization_id not in organizations:
        raise UnknownOrganization(organization_id, organizations)
    organization = organizations[organization_id]
    kinds = {"pod": "pods", "port": "ports", "account": "accounts"}
    return [(kind, node) for kind, key in kinds.items() for node in expect(organization, key, list)]


def _organization(data: Node, organization_id: str) -> Node:
    if data.get("organization") is None:
        raise UnknownOrganization(organization_id)
    return expect(data, "organization", dict)
