"""What the API says about rules and their runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from seqdata.sandbox.platform.identity import shown_id
from seqdata.sandbox.platform.objects import TYPES, Writer
from seqdata.sandbox.rules.execution import Execution, TriggerDetails
from seqdata.sandbox.rules.model import (
    Action,
    AnyOf,
    Condition,
    Conditions,
    Limit,
    Rule,
    Scheduled,
    Trigger,
)
from seqdata.sandbox.world.records import Node

_AMOUNT = "amountInCents"


@dataclass(frozen=True, slots=True)
class RuleWriter:
    """Writes rules and runs of one book."""

    writer: Writer

    def summary(self, rule: Rule) -> Node:
        """Give a rule as lists have it."""
        return self._about(rule) | {"isSupported": rule.is_supported}

    def rule(self, rule: Rule) -> Node:
        """Give a rule with its trigger and steps."""
        steps = [
            {
                "conditions": None if step.conditions is None else _conditions(step.conditions),
                "actions": [self._action(action) for action in step.actions],
            }
            for step in rule.steps
        ]
        return self._about(rule) | {"trigger": self._trigger(rule.trigger), "steps": steps}

    def _about(self, rule: Rule) -> Node:
        moment = self.writer.moment
        return {
            "id": rule.id,
            "name": rule.name,
            "description": rule.description,
            "status": rule.status,
            "createdAt": moment(rule.created_at),
            "updatedAt": moment(rule.updated_at),
            "deletedAt": moment(rule.deleted_at),
        }

    def _trigger(self, trigger: Trigger) -> Node:
        node: Node = {"type": trigger.type, "accountId": trigger.account_id}
        if isinstance(trigger, Scheduled):
            node["scheduleType"] = trigger.schedule_type
            node["startDate"] = self.writer.moment(trigger.start_at)
        return node

    def _action(self, action: Action) -> Node:
        node = {
            "type": action.type,
            "source": self._account(action.source),
            "destination": self._account(action.destination),
            "groupIndex": action.group_index,
            "upToEnabled": action.up_to_enabled,
            "isDirectDeposit": action.is_direct_deposit,
            "limit": _limit(action.limit),
            "achDescription": action.ach_description,
        }
        return node | self._own(action)

    def _own(self, action: Action) -> Node:
        if action.type == "TOP_UP":
            return {
                _AMOUNT: action.amount_cents,
                "nextPaymentMinimumAccount": self._node(action.next_payment_minimum_account),
                "currentBalanceAccount": self._node(action.current_balance_account),
                "lastStatementBalanceAccount": self._node(action.last_statement_balance_account),
            }
        own = {
            _AMOUNT: action.amount_cents,
            "percentageValue": action.percent,
            "percentageTarget": action.target,
        }
        return {name: value for name, value in own.items() if value is not None}

    def _node(self, own_id: str | None) -> Node | None:
        return None if own_id is None else self._account(own_id)

    def _account(self, own_id: str) -> Node:
        book = self.writer.book
        account = book.holdings.get(own_id) or book.outside.get(own_id)
        if account is None:
            return {"id": own_id, "type": "EXTERNAL_ACCOUNT", "name": None}
        return {"id": own_id, "type": TYPES[account.kind], "name": account.name}

    def execution_summary(self, execution: Execution) -> Node:
        """Give a run as lists have it."""
        return self.writer.trimmed({
            "id": execution.id,
            "ruleId": execution.rule_id,
            "status": execution.status,
            "executionMode": execution.mode,
            "createdAt": self.writer.moment(execution.created_at),
        })  # fmt: skip

    def execution(self, execution: Execution) -> Node:
        """Give a run with what set it off and what came of it."""
        ids = self.writer.switches.transfer_ids
        status = execution.status
        message = execution.error_message or execution.error_code
        return self.execution_summary(execution) | {
            "triggerDetails": self._details(execution.trigger),
            "stepIndexMatched": execution.step,
            "conditionsNotMet": execution.conditions_not_met,
            "transfersAttempted": execution.attempted,
            "transfersCompleted": execution.completed,
            "transfersFailed": execution.failed,
            "transfersPending": execution.pending,
            "transferIds": [shown_id(own_id, ids) for own_id in execution.transfer_ids],
            "errorMessage": (message or "The run failed.") if status == "FAILED" else None,
            "nextAttemptAt": self.writer.moment(execution.next_attempt_at),
        }

    def _details(self, trigger: TriggerDetails) -> Node:
        node: dict[str, Any] = {"type": trigger.type}
        if trigger.type == "SCHEDULED":
            node["scheduledTime"] = self.writer.moment(trigger.scheduled_at)
        elif trigger.type != "REMOTE_API":
            node[_AMOUNT] = trigger.amount_cents
        return node


def _limit(limit: Limit | None) -> Node | None:
    return None if limit is None else {"period": limit.period, _AMOUNT: limit.amount_cents}


def _conditions(of: Conditions) -> Node:
    if isinstance(of, Condition):
        return {"condition": _condition(of)}
    return {"any" if isinstance(of, AnyOf) else "all": [_conditions(one) for one in of.of]}


def _condition(condition: Condition) -> Node:
    account = condition.account_id
    return {
        "fact": condition.fact,
        "operator": condition.operator,
        "value": condition.value,
        "valueFact": condition.value_fact,
        "params": None if account is None else {"accountId": account},
    }


def takes_from(rule: Rule, account_id: str) -> bool:
    """Whether a rule moves money out of an account, or is set off by it."""
    sources: set[str | None] = {rule.trigger.account_id}
    sources |= {action.source for step in rule.steps for action in step.actions}
    return account_id in sources
