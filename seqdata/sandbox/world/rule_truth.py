"""The truth of a world's rules as plain JSON values: every version, and every run."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from seqdata.sandbox.rules.execution import Execution
from seqdata.sandbox.rules.model import All, AnyOf, Conditions, RuleVersion, Step, Trigger
from seqdata.sandbox.world.clock import utc_text
from seqdata.sandbox.world.world import World


def rules(world: World) -> list[dict[str, Any]]:
    """Every version of every rule, by organization, each rule's oldest first."""
    return [
        {"organization_id": one.id, **_version(version)}
        for one in world.organizations
        for version in one.rulebook.versions
    ]


def executions(world: World) -> list[dict[str, Any]]:
    """Every run of a rule, simulations too, by organization, oldest first."""
    return [
        {"organization_id": one.id, **_execution(run)}
        for one in world.organizations
        for run in one.rulebook.executions.values()
    ]


def _at(instant: int | None) -> str | None:
    return None if instant is None else utc_text(instant)


def _version(version: RuleVersion) -> dict[str, Any]:
    rule = version.rule
    return {
        "id": rule.id,
        "version": version.number,
        "valid_from": _at(version.valid_from),
        "valid_until": _at(version.valid_until),
        "name": rule.name,
        "description": rule.description,
        "status": rule.status,
        "is_supported": rule.is_supported,
        "trigger": _trigger(rule.trigger),
        "steps": [_step(step) for step in rule.steps],
        "created_at": _at(rule.created_at),
        "updated_at": _at(rule.updated_at),
        "deleted_at": _at(rule.deleted_at),
    }


def _trigger(trigger: Trigger) -> dict[str, Any]:
    row: dict[str, Any] = {"type": trigger.type, **asdict(trigger)}
    if "start_at" in row:
        row["start_at"] = _at(row["start_at"])
    return row


def _step(step: Step) -> dict[str, Any]:
    conditions = None if step.conditions is None else _conditions(step.conditions)
    return {"conditions": conditions, "actions": [asdict(action) for action in step.actions]}


def _conditions(tree: Conditions) -> dict[str, Any]:
    if isinstance(tree, All | AnyOf):
        word = "all" if isinstance(tree, All) else "any"
        return {word: [_conditions(one) for one in tree.of]}
    return {"condition": asdict(tree)}


def _execution(run: Execution) -> dict[str, Any]:
    trigger = asdict(run.trigger)
    return {
        "id": run.id,
        "rule_id": run.rule_id,
        "version": run.version,
        "status": run.status,
        "mode": run.mode,
        "trigger": {**trigger, "scheduled_at": _at(trigger["scheduled_at"])},
        "created_at": _at(run.created_at),
        "step": run.step,
        "conditions_not_met": run.conditions_not_met,
        "attempted": run.attempted,
        "completed": run.completed,
        "failed": run.failed,
        "pending": run.pending,
        "transfer_ids": run.transfer_ids,
        "error_code": run.error_code,
        "error_message": run.error_message,
        "next_attempt_at": _at(run.next_attempt_at),
    }
