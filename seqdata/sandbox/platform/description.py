"""The description of the API: its operations, and what a request of each may look like."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from seqdata.sandbox.platform.shapes import Schema

#: What the addresses of the API begin with: as in production, and as in other environments.
PREFIXES = ("/platform/v1", "/api/platform/v1")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a path, a query or a header."""

    name: str
    place: str
    is_required: bool
    schema: Schema = field(repr=False)


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be asked for."""

    id: str
    method: str
    #: The parts of its address; one in braces stands for any text.
    parts: tuple[str, ...]
    #: The permission that a key needs.
    scope: str
    #: The status of its success.
    status: int
    parameters: tuple[Parameter, ...]
    body: Schema | None

    def values(self, parts: tuple[str, ...]) -> dict[str, str] | None:
        """Give the parameters of an address, or None where it is another one."""
        if len(parts) != len(self.parts):
            return None
        found = {}
        for own, given in zip(self.parts, parts, strict=True):
            if own.startswith("{"):
                found[own.strip("{}")] = given
            elif own != given:
                return None
        return found


@cache
def load() -> Schema:
    """Load the whole description, its references resolved where they are looked up."""
    text = resources.files(__package__).joinpath("platform.openapi.json").read_text("utf-8")
    document: Schema = json.loads(text)
    return document


def resolved(schema: Schema) -> Schema:
    """Follow a reference within the description."""
    while "$ref" in schema:
        found: Any = load()
        for name in schema["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        schema = found
    return schema


@cache
def operations() -> tuple[Operation, ...]:
    """List the operations that the description has."""
    return tuple(
        _operation(path, method, given, item.get("parameters", []))
        for path, item in load()["paths"].items()
        for method, given in item.items()
        if method != "parameters"
    )


def _operation(path: str, method: str, given: Schema, shared: list[Schema]) -> Operation:
    body = given.get("requestBody")
    return Operation(
        given["operationId"],
        method.upper(),
        tuple(path.strip("/").split("/")),
        given["x-required-scope"],
        min(int(status) for status in given["responses"]),
        tuple(_parameter(resolved(one)) for one in [*shared, *given["parameters"]]),
        resolved(body["content"]["application/json"]["schema"]) if body else None,
    )


def _parameter(given: Schema) -> Parameter:
    schema = dict(resolved(given["schema"]))
    if "items" in schema:
        schema["items"] = resolved(schema["items"])
    return Parameter(given["name"], given["in"], given.get("required", False), schema)


#: The names of the operations, by which faults are aimed too.
OPERATION_IDS = frozenset(one.id for one in operations())
