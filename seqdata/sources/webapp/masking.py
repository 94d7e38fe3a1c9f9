"""Account and routing numbers are never stored or shown whole: four digits stay."""

from __future__ import annotations

from typing import Any

#: The fields of the service that hold full numbers.
SECRET_FIELDS = frozenset({"bankAccountNumber", "routingNumber"})


def mask_number(number: str) -> str:
    """Mask a number up to its last four characters; one of four or less wholly."""
    kept = number[-4:] if len(number) > 4 else ""
    return "*" * (len(number) - len(kept)) + kept


def mask_numbers(node: Any) -> Any:
    """Return a copy of an answer's node, however nested, with its secret numbers masked."""
    if isinstance(node, dict):
        return {key: _masked(key, value) for key, value in node.items()}
    if isinstance(node, list):
        return [mask_numbers(item) for item in node]
    return node


def _masked(key: str, value: Any) -> Any:
    if key in SECRET_FIELDS and value is not None:
        return mask_number(str(value))
    return mask_numbers(value)
