"""GraphQL nodes of the records, as plain dicts that carry `__typename`."""

from __future__ import annotations

from datetime import timedelta

from seqdata.core.text import format_cents
from seqdata.sandbox.webapp.paging import Cursors, Page
from seqdata.sandbox.world.clock import day_of, utc_text
from seqdata.sandbox.world.records import Holding, Node, Outside, Party, Payment, Transfer


def money(cents: int) -> Node:
    """Give an amount."""
    return {"__typename": "Money", "cents": cents, "formatted": format_cents(cents)}


def party(party: Party | None) -> Node | None:
    """One end of a transfer."""
    return None if party is None else party.node


def transfer(transfer: Transfer) -> Node:
    """Give a transfer, its details and rule left to their resolvers."""
    return {
        "__typename": "TransferReference",
        "_": transfer,
        "id": transfer.id,
        "type": transfer.type,
        "status": transfer.status,
        "errorReason": transfer.error_reason,
        "createdAt": utc_text(transfer.created_at),
        "updatedAt": utc_text(transfer.updated_at),
        "amount": money(transfer.cents),
        "source": party(transfer.source),
        "destination": party(transfer.destination),
        "direction": transfer.direction,
        "activityType": transfer.activity_type,
        "description": transfer.description,
    }


def details(transfer: Transfer) -> Node:
    """Give the legs of a transfer."""
    if not transfer.is_compound:
        return {"__typename": "SimpleTransferDetails", "status": _payment(transfer.payment)}
    return {
        "__typename": "CompoundTransferDetails",
        "pullPaymentStatus": _payment(transfer.pull),
        "pushPaymentStatus": _payment(transfer.push),
        "reversalPaymentStatus": _payment(transfer.reversal),
    }


def _payment(payment: Payment | None) -> Node | None:
    if payment is None:
        return None
    completed, expected = payment.completed_at, payment.expected_on
    return {
        "__typename": "PaymentStatus",
        "status": payment.status,
        "createdAt": utc_text(payment.created_at),
        "completedAt": None if completed is None else utc_text(completed),
        "expectedCompletionDate": None if expected is None else expected.isoformat(),
    }


def rule(transfer: Transfer) -> Node | None:
    """Tell what set the rule off that made a transfer."""
    rule = transfer.rule
    if rule is None:
        return None
    return {
        "__typename": "RuleDetails",
        "triggerType": rule.trigger_type,
        "triggerCron": rule.trigger_cron,
    }


def connection(page: Page, cursors: Cursors) -> Node:
    """Give a page of transfers."""
    edges = [
        {
            "__typename": "TransferReferenceEdge",
            "cursor": cursors.write(one.key),
            "node": transfer(one),
        }
        for one in page.transfers
    ]
    return {
        "__typename": "TransferReferenceConnection",
        "edges": edges,
        "pageInfo": {
            "__typename": "PageInfo",
            "endCursor": edges[-1]["cursor"] if edges else None,
            "startCursor": edges[0]["cursor"] if edges else None,
            "hasNextPage": page.has_next,
            "hasPreviousPage": page.has_previous,
        },
    }


def holding_balance(holding: Holding) -> Node:
    """Give the balance of a pod or port."""
    return {
        "__typename": "BalanceMetadata",
        "id": f"{holding.id}-metadata",
        "balance": money(holding.balance),
    }


def limits() -> Node:
    """Tell what a day and a month may bring in."""
    return {
        "__typename": "CreditLimits",
        "dailyCreditLimit": money(10_000_00),
        "remainingDailyCreditLimit": money(10_000_00),
        "remainingMonthlyCreditLimit": money(100_000_00),
    }


def _institution(account: Outside) -> Node:
    return {
        "__typename": "Institution",
        "id": f"{account.id}-institution",
        "name": account.node["institutionName"],
        "logo": None,
    }


def outside_balance(account: Outside) -> Node:
    """Tell what is known of an outside account's balance: for a manual one, nothing."""
    if account.shown is None:
        return {"__typename": "ManualAccountMetadata", "id": f"{account.id}-metadata"}
    kind = "MethodMetadata" if account.provider == "METHOD" else "PlaidMetadata"
    return {
        "__typename": kind,
        "id": f"{account.id}-metadata",
        "balance": money(account.shown),
        "institution": _institution(account),
    }


def liability(holding: Holding) -> Node | None:
    """Tell the debt a pod is there to pay, or why it cannot be read."""
    account = holding.linked
    if account is None:
        return None
    if holding.is_unreadable_liability:
        return {
            "__typename": "ErrorMetadata",
            "errorCode": "ITEM_LOGIN_REQUIRED",
            "displayMessage": "Reconnect this account to see what is owed.",
        }
    owed = account.shown or 0
    refreshed = day_of(account.refreshed_at)
    due = (refreshed.replace(day=1) + timedelta(days=31)).replace(day=14)
    return {
        "__typename": "LiabilityMetadata",
        "id": f"{account.id}-liability",
        "name": account.name,
        "mask": account.node["bankAccountNumber"][-4:],
        "subtype": "CREDIT_CARD",
        "institution": _institution(account),
        "balance": money(owed),
        "balanceLastUpdated": utc_text(account.refreshed_at),
        "lastStatementBalance": money(owed * 9 // 10),
        "nextPaymentMinimumAmount": money(min(owed, 35_00)),
        "nextPaymentDueDate": due.isoformat(),
        "interestRatePercentage": 22.49,
    }
