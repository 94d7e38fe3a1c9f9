"""The service's operations as methods that return plain dicts.

Money is whole cents beside formatted dollars; timestamps are ISO text in America/New_York.
Where the service sends no balance these dicts say 0 and ``"$0.00"``, as scripts expect. What
must tell unknown from zero reads raw nodes through :meth:`SequenceClient.execute`.
"""

from __future__ import annotations

from collections.abc import Iterator

from seqdata.core.moments import to_eastern
from seqdata.core.text import format_cents, normal
from seqdata.exceptions import (
    InvalidAmount,
    SequenceError,
    TransferRejected,
    UnexpectedAnswer,
    UnknownAccount,
    UnknownTransfer,
)
from seqdata.http.messages import Answer, accepted
from seqdata.sources.base import Verdict
from seqdata.sources.webapp.dicts import (
    account_dict,
    cents_of,
    details_dict,
    given,
    nodes_of,
    organization_of,
    transfer_dict,
)
from seqdata.sources.webapp.documents import Node, document, expect
from seqdata.sources.webapp.graphql import GraphQLClient, body_of, data_of
from seqdata.sources.webapp.judging import judge, payment_of
from seqdata.sources.webapp.masking import mask_numbers


class SequenceClient(GraphQLClient):
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

    def _operation(self, name: str, variables: Node | None = None) -> Node:
        return self.execute(document(name), variables, name)

    # -- accounts -----------------------------------------------------------------------------

    def get_pods(self) -> list[Node]:
        """Return every pod: id, name, organization_id, balance_cents, balance."""
        return [
            account_dict(pod, organization["id"], {})
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
        wanted = normal(pod_name)
        named = [pod for pod in pods if normal(pod["name"]) == wanted]
        if named:
            return next((pod for pod in named if pod["name"] == pod_name), named[0])
        containing = [pod for pod in pods if wanted in normal(pod["name"])]
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
        pod = organization_of(data, organization_id).get("pod")
        if pod is None:
            raise UnknownAccount(pod_id)
        for node in nodes_of(pod.get("transferReferences")):
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
                    account_dict(node, organization["id"], extras)
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
        incoming = cents_of(summary.get("totalIncomingFundsInCents"))
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
            "createdAt": given(start=date_start, end=date_end),
            "statuses": statuses,
            "directions": directions,
            "activityTypes": activity_types,
            "hideInternalTransfers": hide_internal,
            "name": name,
        }
        variables = {
            "organizationId": org_id,
            "transferFilter": given(**filters),
            "first": first,
            "after": after,
        }
        data = self._operation("ActivityLogV2Transfers", variables)
        page = expect(organization_of(data, org_id), "transferReferences", dict)
        info = page.get("pageInfo") or {}
        return {
            "transfers": [transfer_dict(node) for node in nodes_of(page)],
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
        node = organization_of(data, org_id).get("transferReference")
        if node is None:
            raise UnknownTransfer(transfer_id)
        detail = transfer_dict(node)
        if (details := details_dict(node.get("details") or {})) is not None:
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
            body_of(document(operation), variables, operation), operation
        )
        verdict = judge(exchange)
        answer = accepted(exchange, request)
        if verdict.kind != "accepted":
            raise _not_done(answer, verdict)
        ok: Node = (payment_of(verdict.document) or {})["ok"]
        return ok


_ACCOUNT_EXTRAS = {
    "pods": {"type": "type"},
    "ports": {},
    "accounts": {
        "type": "type",
        "provider_type": "providerType",
        "institution": "institutionName",
    },
}


def _not_done(answer: Answer, verdict: Verdict) -> SequenceError:
    """Build the error of a payment that was not clearly accepted, of an answer with 2xx."""
    try:
        data_of(answer, document("CreatePayment"), "CreatePayment")
    except SequenceError as error:
        return error
    if verdict.kind == "failed":
        return TransferRejected(verdict.why)
    return UnexpectedAnswer("CreatePayment", "a clear yes or no", verdict.why)
