"""The service's operations as methods that return plain dicts.

Money is whole cents beside formatted dollars; timestamps are ISO text in America/New_York.
Where the service sends no balance these dicts say 0 and ``"$0.00"``, as scripts expect. What
must tell unknown from zero reads raw nodes through :meth:`SequenceClient.execute`.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from seqdata.auth import reject_token
from seqdata.config import get_settings
from seqdata.core.json import parse_json
from seqdata.core.masking import mask_numbers
from seqdata.core.moments import to_eastern
from seqdata.core.origins import is_loopback
from seqdata.core.secret import Secret, sealed
from seqdata.core.text import format_cents
from seqdata.exceptions import (
    GraphQLError,
    InvalidAmount,
    ReadOnlyMode,
    SequenceError,
    TransferRejected,
    Unauthorized,
    UnexpectedAnswer,
    UnknownAccount,
    UnknownOrganization,
    UnknownTransfer,
)
from seqdata.http.messages import Answer, Exchange, Request, accepted
from seqdata.http.transport import Transport, open_transport
from seqdata.sources.base import Verdict
from seqdata.sources.webapp.documents import Node, contains_mutation, document, expect
from seqdata.sources.webapp.judging import judge, payment_of

if TYPE_CHECKING:
    from pydantic import SecretStr

    from seqdata.config.settings import Settings


_ACCEPT = (
    "application/graphql-response+json, application/graphql+json, application/json, "
    "text/event-stream, multipart/mixed"
)


@dataclass(frozen=True)
class GraphQLAnswer:
    """The `data` of an answer, with its raw bytes and the service's clock (UTC)."""

    data: Node = field(repr=False)
    body: bytes = field(repr=False)
    served_at: datetime | None
    is_sandbox: bool


class SequenceClient:
    """Talks to the service's GraphQL API as its web application does.

    Parameters
    ----------
    access_token
        Sent as it is where there is no `token_provider`.
    token_provider
        Called before every request; returns a token that is valid now, such as
        :func:`seqdata.get_access_token`.
    settings, transport
        By default as the environment says.
    """

    def __init__(
        self,
        access_token: str | SecretStr,
        token_provider: Callable[[], str] | None = None,
        *,
        settings: Settings | None = None,
        transport: Transport | None = None,
    ) -> None:
        self._token = sealed(access_token)
        self._token_provider = token_provider
        self._given_settings = settings
        self._app_url = self._settings.app_url
        self._transport = transport or open_transport(self._settings)

    def __repr__(self) -> str:
        return f"SequenceClient(app_url={self._app_url!r})"

    def __enter__(self) -> SequenceClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; may be called again."""
        self._transport.close()

    @property
    def requests(self) -> int:
        """Requests sent so far, repeats included."""
        return self._transport.sent

    @property
    def _settings(self) -> Settings:
        return self._given_settings or get_settings()

    # -- asking -------------------------------------------------------------------------------

    def execute(
        self, query: str, variables: Node | None = None, operation_name: str | None = None
    ) -> Node:
        """Send a document; return the ``data`` of the answer as sent.

        Raises
        ------
        GraphQLError
            The answer carries errors, with or without data beside them.
        HTTPError, ConnectionFailed
            No usable answer. Documents with a mutation are sent once, others retried.
        UnexpectedAnswer
            The answer is no GraphQL answer.
        ReadOnlyMode
            The document contains a mutation and SEQUENCE_READ_ONLY is 1. Nothing was sent.
        """
        return self.ask(query, variables, operation_name).data

    def ask(
        self, query: str, variables: Node | None = None, operation_name: str | None = None
    ) -> GraphQLAnswer:
        """Like :meth:`execute`; return the raw bytes and the service's clock too."""
        body, operation = _body(query, variables, operation_name), operation_name or ""
        if contains_mutation(query):
            request, exchange = self._send_once(body, operation)
            answer = accepted(exchange, request)
        else:
            answer = self._send(body, operation)
        return GraphQLAnswer(
            data=_data(answer, query, operation_name or "the document"),
            body=answer.body,
            served_at=answer.served_at,
            is_sandbox=is_loopback(self._app_url) and answer.headers.get(SANDBOX_HEADER) == "1",
        )

    def send_once(self, name: str, variables: Node) -> Exchange:
        """Send a mutation of ours, a single time; say what left and what came.

        Raises
        ------
        ReadOnlyMode
            SEQUENCE_READ_ONLY is 1. Nothing was sent.
        """
        operation = "CreatePayment"
        return self._send_once(_body(document(name), variables, operation), operation)[1]

    def _send(self, body: bytes, operation: str) -> Answer:
        token = self._current_token()
        try:
            return self._transport.send(self._request(token, body, operation))
        except Unauthorized:
            reject_token(token, self._settings)
            other = self._current_token()
            if other == token:
                raise
        return self._transport.send(self._request(other, body, operation))

    def _send_once(self, body: bytes, operation: str) -> tuple[Request, Exchange]:
        # Read again: in a notebook the switch is often thrown after the client was made.
        if self._settings.read_only or get_settings().read_only:
            raise ReadOnlyMode(operation)
        token = self._current_token()
        request = self._request(token, body, operation, once=True)
        return request, self._transport.send_once(request)

    def _current_token(self) -> Secret:
        return self._token if self._token_provider is None else sealed(self._token_provider())

    def _request(
        self, token: Secret, body: bytes, operation: str, *, once: bool = False
    ) -> Request:
        headers = {
            "accept": _ACCEPT,
            "content-type": "application/json",
            "origin": self._app_url,
            "referer": f"{self._app_url}/",
            "sec-fetch-dest": "empty",
            "sec-fetch-mode": "cors",
            "sec-fetch-site": "same-origin",
            "x-request-id": f"webapp-{uuid.uuid4()}",
        }
        return Request(f"{self._app_url}/api/graphql", headers, body, operation, once, token)

    def _operation(self, name: str, variables: Node | None = None) -> Node:
        return self.execute(document(name), variables, name)

    # -- accounts -----------------------------------------------------------------------------

    def get_pods(self) -> list[Node]:
        """Return every pod: id, name, organization_id, balance_cents, balance."""
        return [
            {
                "id": pod["id"],
                "name": pod["name"],
                "organization_id": organization["id"],
                **_balance(pod),
            }
            for organization in self._organizations()
            for pod in organization.get("pods") or []
        ]

    def get_total_balance(self) -> Node:
        """Return total_balance_cents, total_balance and pod_count over all pods."""
        pods = self.get_pods()
        total = sum(pod["balance_cents"] for pod in pods)
        return {
            "total_balance_cents": total,
            "total_balance": format_cents(total),
            "pod_count": len(pods),
        }

    def get_pod_balance(self, pod_name: str) -> Node | None:
        """Return the pod of that name, as :meth:`get_pods` does; None where none is meant.

        The exact name first, then the name in any case, then the only pod whose name contains
        the text.
        """
        pods = self.get_pods()
        wanted = pod_name.casefold()
        named = [pod for pod in pods if pod["name"].casefold() == wanted]
        if named:
            return next((pod for pod in named if pod["name"] == pod_name), named[0])
        containing = [pod for pod in pods if wanted in pod["name"].casefold()]
        return containing[0] if len(containing) == 1 else None

    def get_pod_detail(
        self, organization_id: str, pod_id: str, *, show_account_numbers: bool = False
    ) -> Node:
        """Return the pod's node as sent, with its five newest transfers.

        Their ``createdAt`` is in Eastern time. Account and routing numbers are masked to their
        last four digits unless `show_account_numbers`.

        Raises
        ------
        UnknownOrganization, UnknownAccount
            The service has no such organization or pod.
        """
        data = self._operation(
            "PodDrawerContent", {"organizationId": organization_id, "id": pod_id}
        )
        pod = _organization(data, organization_id).get("pod")
        if pod is None:
            raise UnknownAccount(pod_id)
        for node in _nodes(pod.get("transferReferences")):
            if "createdAt" in node:
                node["createdAt"] = to_eastern(node["createdAt"])
        masked: Node = pod if show_account_numbers else mask_numbers(pod)
        return masked

    def get_all_accounts(self, org_id: str | None = None) -> dict[str, list[Node]]:
        """Return pods, ports and outside accounts, of one organization or of all."""
        found: dict[str, list[Node]] = {"pods": [], "ports": [], "accounts": []}
        for organization in self._organizations():
            if org_id and organization["id"] != org_id:
                continue
            for kind, extras in _ACCOUNT_EXTRAS.items():
                found[kind] += [
                    _account(node, organization["id"], extras)
                    for node in organization.get(kind) or []
                ]
        return found

    def _organizations(self) -> Iterator[Node]:
        data = self._operation("SelectSourceAndDestination")
        for membership in expect(expect(data, "me", dict), "memberships", list):
            yield expect(membership, "organization", dict)

    # -- activity -----------------------------------------------------------------------------

    def get_activity_summary(self) -> Node:
        """Return the current month's transfer_count, rule_executions and total_incoming."""
        summary = expect(self._operation("ActivitySummary"), "activitySummary", dict)
        incoming = _cents(summary.get("totalIncomingFundsInCents"))
        return {
            "transfer_count": summary.get("transferReferencesCount") or 0,
            "rule_executions": summary.get("ruleExecutionsCount") or 0,
            "total_incoming_cents": incoming,
            "total_incoming": format_cents(incoming),
        }

    def get_activity(
        self,
        org_id: str,
        first: int = 10,
        after: str = "",
        date_start: str | None = None,
        date_end: str | None = None,
        statuses: list[str] | None = None,
        directions: list[str] | None = None,
        activity_types: list[str] | None = None,
        hide_internal: bool = False,
        name: str = "",
    ) -> Node:
        """Return one page of transfers, newest first, and where the next page begins.

        Parameters
        ----------
        first, after
            Page size, and the ``end_cursor`` of the page before ("" for the first page).
        date_start, date_end
            ISO dates or date-times in UTC. The service may ignore a filter: check what
            comes back.

        Returns
        -------
        dict
            ``transfers``, a list of dicts, and ``page_info``.

        Raises
        ------
        UnknownOrganization
            The service has no such organization.
        """
        filters = {
            "createdAt": _given(start=date_start, end=date_end),
            "statuses": statuses,
            "directions": directions,
            "activityTypes": activity_types,
            "hideInternalTransfers": hide_internal,
            "name": name,
        }
        variables = {
            "organizationId": org_id,
            "transferFilter": _given(**filters),
            "first": first,
            "after": after,
        }
        data = self._operation("ActivityLogV2Transfers", variables)
        page = expect(_organization(data, org_id), "transferReferences", dict)
        info = page.get("pageInfo") or {}
        return {
            "transfers": [_transfer(node) for node in _nodes(page)],
            "page_info": {
                "end_cursor": info.get("endCursor"),
                "has_next_page": bool(info.get("hasNextPage")),
            },
        }

    def get_transfer_detail(self, org_id: str, transfer_id: str) -> Node:
        """Return a transfer with its payment legs, and the rule where one made it.

        Raises
        ------
        UnknownOrganization, UnknownTransfer
            The service has no such organization or transfer.
        """
        data = self._operation(
            "TransferReferenceDrawerContentV2", {"organizationId": org_id, "id": transfer_id}
        )
        node = _organization(data, org_id).get("transferReference")
        if node is None:
            raise UnknownTransfer(transfer_id)
        detail = _transfer(node)
        if (details := _details(node.get("details") or {})) is not None:
            detail["details"] = details
        if rule := node.get("ruleDetails"):
            detail["rule"] = {
                "trigger_type": rule.get("triggerType"),
                "trigger_cron": rule.get("triggerCron"),
            }
        return detail

    # -- moving money -------------------------------------------------------------------------

    def transfer(
        self,
        kyc_id: str,
        source_id: str,
        destination_id: str,
        amount_cents: int,
        source_type: str = "POD",
        destination_type: str = "POD",
        description: str = "",
        instant: bool = False,
    ) -> Node:
        """Move money, at once and without any safeguard.

        This method knows no limits, no confirmation and no audit log: use the transfer desk
        of :mod:`seqdata.safeguards` for anything but your own safeguards. The request is sent
        once and never again. After a ConnectionFailed, an HTTP 5xx or an UnexpectedAnswer the
        money may have moved: look before you send another.

        Parameters
        ----------
        amount_cents
            Whole cents, above 0.
        source_type, destination_type
            ``"POD"``, ``"PORT"`` or ``"ACCOUNT"``.

        Returns
        -------
        dict
            The ``ok`` part of the answer: the organization with its pods' new balances.

        Raises
        ------
        TransferRejected
            The service refused; the text is ``Transfer failed: <its message>``.
        ReadOnlyMode
            SEQUENCE_READ_ONLY is 1. Nothing was sent.
        """
        if type(amount_cents) is not int or amount_cents <= 0:
            raise InvalidAmount(amount_cents)
        variables = {
            "id": kyc_id,
            "source": {"id": source_id, "type": source_type},
            "destination": {"id": destination_id, "type": destination_type},
            "amount": amount_cents,
            "isInstantTransfer": instant,
            "achDescription": description,
        }
        operation = "CreatePayment"
        request, exchange = self._send_once(
            _body(document(operation), variables, operation), operation
        )
        verdict = judge(exchange)
        answer = accepted(exchange, request)
        if verdict.kind != "accepted":
            raise _not_done(answer, verdict)
        ok: Node = (payment_of(verdict.document) or {})["ok"]
        return ok


#: Present on every answer of the local sandbox.
SANDBOX_HEADER = "x-seqdata-sandbox"

_ACCOUNT_EXTRAS = {
    "pods": {"type": "type"},
    "ports": {},
    "accounts": {
        "type": "type",
        "provider_type": "providerType",
        "institution": "institutionName",
    },
}


def _body(query: str, variables: Node | None, operation_name: str | None) -> bytes:
    body: Node = {"query": query}
    if variables:
        body["variables"] = variables
    if operation_name:
        body["operationName"] = operation_name
    return json.dumps(body).encode()


def _not_done(answer: Answer, verdict: Verdict) -> SequenceError:
    """Build the error of a payment that was not clearly accepted, of an answer with 2xx."""
    try:
        _data(answer, document("CreatePayment"), "CreatePayment")
    except SequenceError as error:
        return error
    if verdict.kind == "failed":
        return TransferRejected(verdict.why)
    return UnexpectedAnswer("CreatePayment", "a clear yes or no", verdict.why)


def _data(answer: Answer, query: str, operation: str) -> Node:
    try:
        body = parse_json(answer.body)
    except ValueError:
        start = answer.text[:60]
        raise UnexpectedAnswer(operation, "JSON", f"{len(answer.body)} bytes: {start!r}") from None
    if not isinstance(body, dict):
        raise UnexpectedAnswer(operation, "a JSON object", type(body).__name__)
    if errors := body.get("errors"):
        if not isinstance(errors, list):
            raise UnexpectedAnswer(operation, "errors in a list", type(errors).__name__)
        raise GraphQLError(errors, query)
    if not isinstance(body.get("data"), dict):
        raise UnexpectedAnswer(operation, "data", "none")
    data: Node = body["data"]
    return data


def _organization(data: Node, organization_id: str) -> Node:
    organization: Node | None = data.get("organization")
    if organization is None:
        raise UnknownOrganization(organization_id)
    return organization


def _nodes(connection: Node | None) -> list[Node]:
    return [edge["node"] for edge in (connection or {}).get("edges") or [] if edge.get("node")]


def _cents(money: Node | None) -> int:
    return (money or {}).get("cents") or 0


def _balance(node: Node) -> Node:
    cents = _cents((node.get("metadata") or {}).get("balance"))
    return {"balance_cents": cents, "balance": format_cents(cents)}


def _account(node: Node, organization_id: str, extras: dict[str, str]) -> Node:
    return {
        "id": node["id"],
        "name": node["name"],
        "organization_id": organization_id,
        **{key: node.get(name) for key, name in extras.items()},
        **_balance(node),
    }


def _given(**filters: Any) -> Node:
    """Keep the filters that are on: one that is off is left out, not sent as null."""
    return {key: value for key, value in filters.items() if value}


def _transfer(node: Node) -> Node:
    cents = _cents(node.get("amount"))
    return {
        "id": node["id"],
        "type": node.get("type"),
        "status": node.get("status"),
        "error_reason": node.get("errorReason"),
        "created_at": to_eastern(node.get("createdAt")),
        "updated_at": to_eastern(node.get("updatedAt")),
        "amount_cents": cents,
        "amount": format_cents(cents),
        "source": node.get("source"),
        "destination": node.get("destination"),
        "direction": node.get("direction"),
        "activity_type": node.get("activityType"),
    }


def _details(details: Node) -> Node | None:
    kind = details.get("__typename")
    if kind == "SimpleTransferDetails":
        payment = details.get("status") or {}
        return {
            "type": "simple",
            "status": payment.get("status"),
            "created_at": to_eastern(payment.get("createdAt")),
            "completed_at": to_eastern(payment.get("completedAt")),
            "expected_completion": payment.get("expectedCompletionDate"),
        }
    if kind == "CompoundTransferDetails":
        legs = ("pull", "push", "reversal")
        return {
            "type": "compound",
            **{leg: _leg(details.get(f"{leg}PaymentStatus")) for leg in legs},
        }
    return None


def _leg(payment: Node | None) -> Node | None:
    if not payment:
        return None
    times = {key: to_eastern(payment.get(key)) for key in ("createdAt", "completedAt")}
    return {**payment, **times}
