"""The web application's API as a source: what a sync asks for, and how GraphQL answers it.

Raw nodes are read, never the client's dicts, which turn an unknown balance into 0.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from seqdata.core.json import compact_json
from seqdata.core.logs import logger
from seqdata.exceptions import (
    GraphQLError,
    HTTPError,
    ServiceError,
    UnexpectedAnswer,
    UnknownOrganization,
)
from seqdata.sources.base import Drift, Page, Refused, Snapshot, TransferDetails, Window
from seqdata.sources.rows import Row, with_moment
from seqdata.sources.webapp.client import SequenceClient
from seqdata.sources.webapp.documents import Node, document, expect
from seqdata.sources.webapp.graphql import GraphQLAnswer
from seqdata.sources.webapp.masking import SECRET_FIELDS, mask_numbers
from seqdata.sources.webapp.nodes import account_rows, balance_rows, detail_rows, transfer_rows

log = logger(__name__)


class GraphQLSource:
    """The service's GraphQL API as a source, for one organization."""

    name = "webapp"
    page_sizes: tuple[int, ...] = (100, 50, 25, 10)

    def __init__(
        self,
        client: SequenceClient,
        organization_id: str,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = client
        self._clock = clock
        self._reader = AnswerReader(organization_id)
        self.organization_id = organization_id
        self.drift = self._reader.drift

    @property
    def requests(self) -> int:
        """Requests sent so far, repeats included."""
        return self._client.requests

    def fetch_accounts(self) -> Snapshot:
        """Fetch all accounts and their balances now.

        Raises
        ------
        UnknownOrganization
            The login cannot see this organization.
        """
        name = "SelectSourceAndDestination"
        answer = self._client.ask(document(name), None, name)
        found = self._reader.read_accounts(answer.data, self._served_at(answer))
        return replace(found, world=answer.world)

    def fetch_page(
        self,
        window: Window,
        cursor: str,
        size: int,
        *,
        with_count: bool,
        count_window: bool = False,
    ) -> Page:
        """Fetch one page of a window, newest first.

        The window is asked for a day wider at both ends, since it is not known how the service
        rounds it: rows outside of it may come back. With `count_window` the count is of that
        wider window, and not of all transfers.

        Raises
        ------
        Refused
            The service refused the page: perhaps its size, perhaps its cursor.
        UnknownOrganization
            The login cannot see this organization.
        """
        variables: Node = {
            "organizationId": self.organization_id,
            "transferFilter": _created_at(window),
            "first": size,
            "after": cursor,
        }
        counted = variables["transferFilter"] if count_window else {}
        answer, is_refused = self._ask_page(variables, counted if with_count else None)
        page = self._reader.read_page(answer.data, self._served_at(answer))
        return replace(page, count_refused=True) if is_refused else page

    def fetch_details(self, transfer_ids: Sequence[str]) -> TransferDetails:
        """Fetch transfers with their payment legs and rules, in one request.

        One transfer is asked for as the web application does; several with GraphQL aliases,
        which it never uses.
        """
        name = "TransferReferenceDrawerContentV2"
        variables = {"organizationId": self.organization_id}
        if len(transfer_ids) == 1:
            text, ids = document(name), {"id": transfer_ids[0]}
        else:
            text, ids = _several(transfer_ids)
        answer = self._client.ask(text, {**variables, **ids}, name)
        found = self._reader.read_details(answer.data, self._served_at(answer))
        known = {row["id"] for row in found.rows}
        missing = tuple(one for one in transfer_ids if one not in known)
        # What is missing is taken for removed, so nothing but a null under its name may say so.
        answered = answer.data["organization"].keys() - _ORGANIZATION_FIELDS
        if not len(transfer_ids) == len(answered) == len(found.rows) + len(missing):
            raise UnexpectedAnswer(name, "the transfers asked for", "others, or fewer")
        return replace(found, missing=missing)

    def read_again(self, stream: str, said: Sequence[Node]) -> list[Row]:
        """Read what was kept of answers again; see :meth:`AnswerReader.read_again`."""
        return self._reader.read_again(stream, said)

    def _ask_page(self, variables: Node, counted: Node | None) -> tuple[GraphQLAnswer, bool]:
        """Ask for a page; tell also whether the service refused to count."""
        name, is_refused = "ActivityLogV2Transfers", False
        if counted is not None:
            counting = {**variables, "numberOfTransfersFilter": counted}
            try:
                return self._client.ask(document(f"{name}Counted"), counting, name), False
            except (GraphQLError, HTTPError) as error:
                if not _is_about_the_count(error):
                    raise _page_error(error) from error
                is_refused = True
                log.info("the service does not count transfers: completeness stays unknown")
        try:
            return self._client.ask(document(name), variables, name), is_refused
        except (GraphQLError, HTTPError) as error:
            raise _page_error(error) from error

    def _served_at(self, answer: GraphQLAnswer) -> datetime:
        return answer.served_at or self._clock()


class AnswerReader:
    """Reads GraphQL answers into rows; needs no network, so it reads kept ones too."""

    name = "webapp"

    def __init__(self, organization_id: str) -> None:
        self.organization_id = organization_id
        self.drift = Drift()

    def read_again(self, stream: str, said: Sequence[Node]) -> list[Row]:
        """Read what was kept of answers again: a node a row.

        Parameters
        ----------
        stream
            "transfers", "accounts" or "details".
        """
        if stream == "transfers":
            return transfer_rows(said, self.drift)
        if stream == "accounts":
            return account_rows([next(iter(node.items())) for node in said], self.drift)
        never = datetime.fromtimestamp(0, UTC)  # when they were fetched is no part of an answer
        return self._details(said, transfer_rows(said, self.drift), never)

    def read_accounts(self, data: Node, served_at: datetime) -> Snapshot:
        """Read the accounts of the organization."""
        nodes = _accounts_of(data, self.organization_id)
        accounts = account_rows(nodes, self.drift)
        balances = balance_rows([node for _, node in nodes], served_at, self.drift)
        bodies = partial(_kept, [{kind: node} for kind, node in nodes])
        return Snapshot(accounts, balances, served_at, bodies=bodies)

    def read_page(self, data: Node, served_at: datetime) -> Page:
        """Read a page of transfers."""
        organization = _organization(data, self.organization_id)
        connection = expect(organization, "transferReferences", dict)
        info = expect(connection, "pageInfo", dict)
        nodes = [expect(edge, "node", dict) for edge in expect(connection, "edges", list)]
        counted = organization.get("numberOfTransfers")
        return Page(
            rows=transfer_rows(nodes, self.drift),
            cursor=str(info.get("endCursor") or ""),
            has_next_page=expect(info, "hasNextPage", bool),
            served_at=served_at,
            count=_count_in(counted, self.drift),
            bodies=partial(_kept, nodes),
        )

    def read_details(self, data: Node, served_at: datetime) -> TransferDetails:
        """Read transfers with their details, under whatever aliases they came."""
        organization = _organization(data, self.organization_id)
        names = sorted(organization.keys() - _ORGANIZATION_FIELDS)
        nodes = [organization[name] for name in names if organization[name] is not None]
        rows = transfer_rows(nodes, self.drift)
        details = self._details(nodes, rows, served_at)
        return TransferDetails(rows, details, served_at, bodies=partial(_kept, nodes))

    def _details(
        self, nodes: Sequence[Node], transfers: Sequence[Row], served_at: datetime
    ) -> list[Row]:
        details = detail_rows(nodes, served_at, self.drift)
        return [with_moment(*pair) for pair in zip(details, transfers, strict=True)]


def fetch_organization_ids(client: SequenceClient) -> list[str]:
    """Fetch the ids of the organizations that this login can see."""
    answer = client.ask(document("SelectSourceAndDestination"), None, "SelectSourceAndDestination")
    return [expect(organization, "id", str) for organization in _organizations(answer.data)]


def _kept(nodes: Sequence[Node], places: Sequence[int]) -> bytes:
    """Return what is kept of the nodes at these places: JSON without full account numbers."""
    said = [nodes[place] for place in places]
    text = compact_json(said)
    if any(name.encode() in text for name in SECRET_FIELDS):  # hardly ever: a walk costs more
        text = compact_json(mask_numbers(said))
    return text


#: Of an organization in the answer of details; everything beside them is a transfer.
_ORGANIZATION_FIELDS = frozenset({"id", "__typename"})

# -- questions and refusals -------------------------------------------------------------------

_NO_COUNT = re.compile(r"numberOfTransfers|TransferCount", re.IGNORECASE)


def _created_at(window: Window) -> Node:
    bounds = {"start": window.asked.since, "end": window.asked.until}
    given = {name: _iso(moment) for name, moment in bounds.items() if moment is not None}
    return {"createdAt": given} if given else {}


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _page_error(error: GraphQLError | HTTPError) -> ServiceError | Refused:
    """Tell what may be about size or cursor from what is not: by status and code, by no word."""
    if isinstance(error, HTTPError):
        return Refused(error) if error.status in (400, 413, 422) else error
    return error if error.is_passing or error.codes & _OTHERWISE else Refused(error)


#: Codes of errors that another size or another cursor does not mend.
_OTHERWISE = frozenset({"UNAUTHENTICATED", "FORBIDDEN", "NOT_FOUND"})


def _several(transfer_ids: Sequence[str]) -> tuple[str, dict[str, str]]:
    """Ask for many transfers in one document: ``t0``, ``t1`` and so on."""
    names = [f"t{number}" for number in range(len(transfer_ids))]
    parameters = ", ".join(f"${name}: ID!" for name in names)
    asked = "\n".join(f"{name}: transferReference(id: ${name}) {{ ...Drawer }}" for name in names)
    operation = (
        f"query TransferReferenceDrawerContentV2($organizationId: ID!, {parameters}) {{\n"
        f"organization(id: $organizationId) {{\nid\n{asked}\n__typename\n}}\n}}\n"
    )
    return operation + document("fragments/Drawer"), dict(zip(names, transfer_ids, strict=True))


def _is_about_the_count(error: GraphQLError | HTTPError) -> bool:
    """Tell whether an error is of the count alone: it says so, or its ``path`` leads there."""
    if isinstance(error, GraphQLError):
        return all(_NO_COUNT.search(json.dumps(one)) for one in error.errors)
    return _is_about(_NO_COUNT, error)


def _is_about(pattern: re.Pattern[str], error: GraphQLError | HTTPError) -> bool:
    if isinstance(error, HTTPError) and error.status not in (400, 422):
        return False
    said = error.text if isinstance(error, HTTPError) else str(error)
    return pattern.search(said) is not None


def _organizations(data: Node) -> Iterable[Node]:
    memberships = expect(expect(data, "me", dict), "memberships", list)
    return [expect(membership, "organization", dict) for membership in memberships]


def _accounts_of(data: Node, organization_id: str) -> list[tuple[str, Node]]:
    organizations = {expect(one, "id", str): one for one in _organizations(data)}
    if organization_id not in organizations:
        raise UnknownOrganization(organization_id, organizations)
    organization = organizations[organization_id]
    kinds = {"pod": "pods", "port": "ports", "account": "accounts"}
    return [(kind, node) for kind, key in kinds.items() for node in expect(organization, key, list)]


def _organization(data: Node, organization_id: str) -> Node:
    """Return the organization of an answer; it is known, since its accounts were read."""
    found = data.get("organization")
    if found is None:
        raise UnexpectedAnswer(_ASKED, f"the organization {organization_id}", "none")
    organization = expect(data, "organization", dict)
    if organization.get("id", organization_id) != organization_id:
        raise UnexpectedAnswer(_ASKED, f"the organization {organization_id}", "another one")
    return organization


_ASKED = "a question about an organization"


def _count_in(counted: object, drift: Drift) -> int | None:
    """Return the number of all transfers; None where it is not said, or cannot be one."""
    if counted is None:
        return None
    count = counted.get("count") if isinstance(counted, dict) else counted
    if isinstance(count, int) and not isinstance(count, bool) and count >= 0:
        return count
    drift.note("numberOfTransfers: no count", "the organization")
    return None
