"""What the API says about the records: accounts, transfers, card transactions."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from seqdata.sandbox.platform.identity import shown_id
from seqdata.sandbox.platform.switches import Switches
from seqdata.sandbox.world.book import Book, make_id
from seqdata.sandbox.world.clock import HOUR, SECOND, day_of, micros, midnight, utc_text
from seqdata.sandbox.world.records import Holding, Node, Outside, Party, Transfer

MONTH = 30 * 24 * HOUR
#: Whoever pays by paper checks.
_CHECKS = "Studio Ágora"
_BANK = "Example Trust Bank"

ERROR_CODES = frozenset({
    "INSUFFICIENT_FUNDS", "DISCONNECTED_ACCOUNT", "NAME_MISMATCH", "PAYMENT_FAILED",
    "PAYMENT_NOT_SUPPORTED", "TRANSFER_AMOUNT_LESS_THAN_ONE_DOLLAR",
    "DAILY_ACH_CREDIT_LIMIT_REACHED", "MONTHLY_ACH_CREDIT_LIMIT_REACHED",
    "DAILY_ACH_DEBIT_LIMIT_REACHED", "MONTHLY_ACH_DEBIT_LIMIT_REACHED", "NULL_BALANCE",
    "ACCOUNT_NO_MINIMUM_PAYMENT_AMOUNT", "ACCOUNT_NO_LAST_STATEMENT_BALANCE", "RESOURCE_DELETED",
})  # fmt: skip

TYPES = {"Pod": "POD", "Port": "INCOME_SOURCE", "Account": "EXTERNAL_ACCOUNT"}
#: Fields that older answers lack.
NEWER = ("canBeDestination", "linkedAccount", "executionMode", "lastStatementDate",
         "interestRatePercentage", "originalLoanAmountInCents")  # fmt: skip

_STATUSES = {
    "UNDER_REVIEW": "PENDING_APPROVAL", "PENDING": "PENDING", "PROCESSING": "PENDING",
    "COMPLETE": "COMPLETE", "CANCELLED": "CANCELLED", "INCOMPLETE": "INCOMPLETE",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes objects of one book as the switches have it."""

    book: Book
    switches: Switches

    # -- moments, and what every object passes through -----------------------------

    def moment(self, at: int | None) -> str | None:
        """Write a moment, with the fraction of its second as the switch has it."""
        if at is None:
            return None
        if self.switches.moments == "seconds":
            return utc_text(at - at % SECOND)
        if self.switches.moments == "micros":
            return f"{utc_text(at - at % SECOND)[:-1]}.{at % SECOND:06d}+00:00"
        return utc_text(at)

    def trimmed(self, node: Node) -> Node:
        """Leave out what older answers lack, where the switch says so."""
        if self.switches.newer_fields:
            return node
        return {name: value for name, value in node.items() if name not in NEWER}

    # -- accounts ------------------------------------------------------------------

    def summary(self, account: Holding | Outside) -> Node:
        """Give an account as lists have it."""
        linked = account.linked if isinstance(account, Holding) else None
        about = self._about(account)
        about["linkedAccount"] = None if linked is None else self.trimmed(self._about(linked))
        return self.trimmed(about)

    def account(self, account: Holding | Outside) -> Node:
        """Give an account with its balance and numbers."""
        whole = self._whole(account)
        linked = account.linked if isinstance(account, Holding) else None
        whole["linkedAccount"] = None if linked is None else self.trimmed(self._whole(linked))
        return self.trimmed(whole)

    def _about(self, account: Holding | Outside) -> Node:
        outside = account if isinstance(account, Outside) else None
        deleted_at = account.deleted_at if isinstance(account, Holding) else None
        is_open = deleted_at is None
        return {
            "id": account.id,
            "name": account.name,
            "type": TYPES[account.kind],
            "description": account.node["description"],
            "externalAccountType": outside and _external_type(outside),
            "beneficiaryName": account.node["beneficiaryName"],
            "institutionName": _institution(account),
            "canBeSource": outside.can_be_source if outside else is_open,
            "canBeDestination": is_open,
            "createdAt": self._created_at(account),
            "updatedAt": self._updated_at(account),
            "deletedAt": self.moment(deleted_at),
        }

    def _updated_at(self, account: Holding | Outside) -> Any:
        if isinstance(account, Holding) and account.deleted_at is not None:
            return self.moment(account.deleted_at)
        if self.switches.balance_moves_updated_at and account.steps:
            return self.moment(account.steps[-1][0])
        return self._created_at(account)

    def _created_at(self, account: Holding | Outside) -> str | None:
        return self.moment(micros(datetime.fromisoformat(account.node["createdAt"])))

    def _whole(self, account: Holding | Outside) -> Node:
        goal = account.node.get("goalAmountInCents")
        return self._about(account) | {
            "routingNumber": self._number(account.node["routingNumber"]),
            "bankAccountNumber": self._number(account.node["bankAccountNumber"]),
            "balance": self.balance(account),
            "savingsTargetInCents": goal,
        }

    def _number(self, number: str) -> str | None:
        if self.switches.account_numbers == "null":
            return None
        is_masked = self.switches.account_numbers == "masked"
        return f"{'*' * (len(number) - 4)}{number[-4:]}" if is_masked else number

    def balance(self, account: Holding | Outside) -> Node | None:
        """Give what is known of a balance; nothing of an account that was written in by hand."""
        if isinstance(account, Holding):
            cents = self._held(account)
            return self._balance(cents, cents, account.steps[-1][0] if account.steps else None)
        if account.shown is None:
            return None
        available = None if account.is_liability else account.shown
        node = self._balance(account.shown, available, account.refreshed_at)
        statement = account.statement
        if account.is_liability and node is not None:
            is_loan = account.node["type"] == "STUDENT_LOAN"
            node["interestRatePercentage"] = 5.25 if is_loan else 22.49
            node["originalLoanAmountInCents"] = account.opening * 5 // 4 if is_loan else None
        if statement is not None:
            node["lastStatementBalanceInCents"] = statement.balance_cents
            node["lastStatementDate"] = statement.on.isoformat()
            node["nextPaymentMinimumInCents"] = statement.minimum_cents
            node["nextPaymentDueDate"] = statement.due_on.isoformat()
        return self.trimmed(node)

    def _held(self, holding: Holding) -> int:
        if holding.kind != "Port" or self.switches.income_balance == "held":
            return holding.balance
        first = bisect_left(holding.plain_keys, (self.book.now - MONTH, ""))
        rows = [self.book.transfers[own_id] for _, own_id in holding.plain_keys[first:]]
        came_in = [row.cents for row in rows
                   if row.destination is holding and row.status == "COMPLETE"]  # fmt: skip
        return sum(came_in)

    def _balance(self, cents: int, available: int | None, at: int | None) -> Node:
        return {
            "balanceInCents": cents,
            "availableBalanceInCents": available,
            "lastStatementBalanceInCents": None,
            "lastStatementDate": None,
            "nextPaymentMinimumInCents": None,
            "nextPaymentDueDate": None,
            "balanceLastUpdatedAt": self.moment(at),
            "error": None,
            "interestRatePercentage": None,
            "originalLoanAmountInCents": None,
        }

    # -- transfers -----------------------------------------------------------------

    def transfer(self, transfer: Transfer, *, is_new: bool = False) -> Node:
        """Give a transfer; one that `is_new` is being prepared, whatever came of it since."""
        status, code = ("PROCESSING", None) if is_new else status_of(transfer, self.switches)
        rule, origin = transfer.rule, self.origin(transfer)
        return self.trimmed({
            "id": shown_id(transfer.id, self.switches.transfer_ids),
            "amountInCents": transfer.cents,
            "direction": self.direction(transfer),
            "origin": origin,
            "source": self._source(transfer, origin),
            "destination": self._destination(transfer, origin),
            "status": status,
            "executionMode": transfer.mode,
            "ruleId": getattr(rule, "rule_id", None),
            "ruleExecutionId": getattr(rule, "execution_id", None),
            "errorCode": code,
            "createdAt": self.moment(transfer.created_at),
            "completedAt": self.moment(_completed_at(transfer)) if status == "COMPLETE" else None,
        })  # fmt: skip

    def direction(self, transfer: Transfer) -> str:
        """Say where a transfer goes, as the switch has it between outside accounts."""
        return self.switches.between_outside if transfer.is_compound else direction_of(transfer)

    def origin(self, transfer: Transfer) -> str:
        """Say what made a transfer, as the switch has it where a rule pulls from outside."""
        origin = origin_of(transfer)
        is_pull = origin == "RULE" and isinstance(transfer.source, Outside)
        return self.switches.rule_pull_origin if is_pull and not transfer.is_compound else origin

    def _source(self, transfer: Transfer, origin: str) -> Node | None:
        is_deposit = origin in ("DIRECT_DEPOSIT", "CHECK_DEPOSIT", "CASHBACK")
        if is_deposit and self.switches.deposit_source == "null":
            return None
        return party(transfer.source)

    def _destination(self, transfer: Transfer, origin: str) -> Node | None:
        if origin != "EXTERNAL_PULL":
            return party(transfer.destination)
        if self.switches.pulled_destination == "null":
            return None
        named = party(transfer.destination) or {}
        return {**named, "name": f"{named['name']} | {transfer.id[-4:]}"}

    # -- card transactions ---------------------------------------------------------

    def card_transaction(self, transfer: Transfer) -> Node:
        """Give a settled purchase by card, or a refund."""
        is_refund = transfer.direction == "INCOMING"
        pod = transfer.destination if is_refund else transfer.source
        payee = transfer.source if is_refund else transfer.destination
        assert isinstance(pod, Holding)
        assert payee is not None
        return {
            "id": shown_id(transfer.id, self.switches.transfer_ids),
            "cardId": card_id(pod),
            "cardType": "OMNI_CARD" if pod.node["icon"] == "⚖️" else "DEBIT_CARD",
            "account": party(pod),
            "direction": "MONEY_IN" if is_refund else "MONEY_OUT",
            "subtype": "REFUND" if is_refund else "PURCHASE",
            "status": "COMPLETE",
            "amountInCents": transfer.cents,
            "description": payee.name,
            "createdAt": self.moment(transfer.created_at),
            "completedAt": self.moment(_completed_at(transfer)),
        }


def card_id(pod: Holding) -> str:
    """Name the card of a pod. The buffer pays for the card that any pod can pay for."""
    return make_id(pod.id, "card")


def party(party: Party | None) -> Node | None:
    """Give one end of a transfer: an account, or who is none by the name alone."""
    if party is None:
        return None
    if not isinstance(party, Holding | Outside):
        return {"id": None, "name": party.name, "type": "EXTERNAL_ENTITY", "isDeleted": None}
    is_deleted = isinstance(party, Holding) and party.deleted_at is not None
    return {"id": party.id, "name": party.name, "type": TYPES[party.kind], "isDeleted": is_deleted}


def direction_of(transfer: Transfer) -> str:
    """Say where money goes, as seen from Sequence's own accounts."""
    words = {"INCOMING": "MONEY_IN", "OUTGOING": "MONEY_OUT"}
    return words.get(transfer.direction, transfer.direction)


def origin_of(transfer: Transfer) -> str:
    """Say what made a transfer."""
    if transfer.rule is not None:
        return "RULE"
    if transfer.activity_type == "CASHBACK":
        return "CASHBACK"
    direction = direction_of(transfer)
    if direction == "MONEY_IN":
        if isinstance(transfer.source, Outside):
            return "USER_PULL"
        is_check = transfer.source is not None and transfer.source.name == _CHECKS
        return "CHECK_DEPOSIT" if is_check else "DIRECT_DEPOSIT"
    is_pulled = transfer.activity_type == "PULLED_FROM_SEQUENCE"
    return "EXTERNAL_PULL" if direction == "MONEY_OUT" and is_pulled else "USER"


def status_of(transfer: Transfer, switches: Switches) -> tuple[str, str | None]:
    """Give the status of a transfer, and why it failed."""
    if transfer.is_queued:
        return "PROCESSING", None
    paid_back = transfer.status == "COMPLETE" and transfer.reversal is not None
    if paid_back and switches.reversed_status == "ERROR":
        return "ERROR", "PAYMENT_FAILED"
    if transfer.status in _STATUSES and transfer.status != "INCOMPLETE":
        return _STATUSES[transfer.status], None
    code = transfer.error_code or _code(transfer.error_reason or "")
    return ("INCOMPLETE" if code == "INSUFFICIENT_FUNDS" else "ERROR"), code


def _code(reason: str) -> str:
    if reason in ERROR_CODES:
        return reason
    return "INSUFFICIENT_FUNDS" if "insufficient funds" in reason.lower() else "PAYMENT_FAILED"


def _completed_at(transfer: Transfer) -> int | None:
    last = transfer.push if transfer.is_compound else transfer.payment
    return None if last is None else last.completed_at


def _external_type(account: Outside) -> str:
    return "LIABILITY" if account.is_liability else "DEPOSITORY"


def _institution(account: Holding | Outside) -> str | None:
    if isinstance(account, Outside):
        name: str | None = account.node["institutionName"]
        return name
    return _BANK if account.kind == "Port" else None


def midnight_of(at: int, zone: str) -> int:
    """Give midnight of UTC of the date that a moment has in a zone: how a bank dates it."""
    day = 24 * HOUR
    if zone == "UTC":
        return at - at % day
    local = midnight(day_of(at))
    return local - local % day
