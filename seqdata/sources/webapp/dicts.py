"""The plain dicts of the client, made of nodes as they were sent."""

from __future__ import annotations

from typing import Any

from seqdata.core.moments import to_eastern
from seqdata.core.text import format_cents
from seqdata.exceptions import (
    UnknownOrganization,
)
from seqdata.sources.webapp.documents import Node


def organization_of(data: Node, organization_id: str) -> Node:
    """Return the organization of an answer; UnknownOrganization where it is null."""
    organization: Node | None = data.get("organization")
    if organization is None:
        raise UnknownOrganization(organization_id)
    return organization


def nodes_of(connection: Node | None) -> list[Node]:
    """Return the nodes of a connection; one that is missing has none."""
    return [edge["node"] for edge in (connection or {}).get("edges") or [] if edge.get("node")]


def cents_of(money: Node | None) -> int:
    """Return the cents of an amount; 0 where there is none, as scripts expect."""
    return (money or {}).get("cents") or 0


def _balance(node: Node) -> Node:
    cents = cents_of((node.get("metadata") or {}).get("balance"))
    return {"balance_cents": cents, "balance": format_cents(cents)}


def account_dict(node: Node, organization_id: str, extras: dict[str, str]) -> Node:
    """Make the dict of an account; `extras` are more keys, and the node's fields for them."""
    return {
        "id": node["id"],
        "name": node["name"],
        "organization_id": organization_id,
        **{key: node.get(name) for key, name in extras.items()},
        **_balance(node),
    }


def given(**filters: Any) -> Node:
    """Keep the filters that are on: one that is off is left out, not sent as null."""
    return {key: value for key, value in filters.items() if value}


def transfer_dict(node: Node) -> Node:
    """Make the dict of a transfer, its times in Eastern time."""
    cents = cents_of(node.get("amount"))
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


def details_dict(details: Node) -> Node | None:
    """Make the dict of a transfer's details; None where they are of no known type."""
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
