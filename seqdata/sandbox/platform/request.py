"""A request to the API: which operation it is for, and what it says, checked or not."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from seqdata.sandbox.platform.description import Operation, operations, resolved
from seqdata.sandbox.platform.errors import NotOffered, invalid
from seqdata.sandbox.platform.shapes import NotInOrder, check, read_moment, read_text
from seqdata.sandbox.platform.switches import Switches

_BRACKETS = "accountIds[]"


@dataclass(frozen=True, slots=True)
class Request:
    """What came in. `path` is the part behind the prefix, as it was sent."""

    method: str
    path: str
    query: str = ""
    #: By names in lower case.
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    def route(self) -> tuple[Operation, dict[str, str]]:
        """Find the operation that is asked for, and the values in its address.

        Raises
        ------
        NotOffered
            There is none of this address and method.
        """
        parts = tuple(unquote(part) for part in self.path.removeprefix("/").split("/"))
        if all(parts):
            for operation in operations():
                values = operation.values(parts)
                if values is not None and operation.method == self.method:
                    return operation, values
        raise NotOffered

    def bearer(self) -> str:
        """Give the key that was sent, or an empty text."""
        kind, _, key = self.headers.get("authorization", "").partition(" ")
        return key.strip() if kind.lower() == "bearer" else ""

    def pairs(self) -> list[tuple[str, str]]:
        """Give the query as it was sent."""
        return parse_qsl(self.query, keep_blank_values=True)

    def said(self) -> dict[str, Any]:
        """Give what the request says, unchecked, to be remembered with it."""
        said: dict[str, Any] = {}
        for name, value in self.pairs():
            said[name] = [*said[name], value] if name in said else [value]
        said = {name: one if len(one) > 1 or name == _BRACKETS else one[0]
                for name, one in said.items()}  # fmt: skip
        try:
            body = json.loads(self.body) if self.body else {}
        except (ValueError, RecursionError):
            return said
        return said | body if isinstance(body, dict) else said

    def read_query(self, operation: Operation, switches: Switches) -> dict[str, Any]:
        """Read and check the query and the headers.

        Moments become microseconds since 1970. Unknown names are ignored.
        """
        try:
            self._check_headers(operation, switches)
            return self._values(operation, switches)
        except NotInOrder as error:
            raise invalid(f"{error}.") from None

    def _values(self, operation: Operation, switches: Switches) -> dict[str, Any]:
        given: dict[str, list[str]] = {}
        for name, text in self.pairs():
            given.setdefault(name, []).append(text)
        values: dict[str, Any] = {}
        for one in operation.parameters:
            if one.place != "query":
                continue
            texts = _listed(given, switches) if one.name == "accountIds" else given.get(one.name)
            if texts:
                values[one.name] = _read(one.name, texts, one.schema, switches)
            elif one.is_required:
                raise NotInOrder(f"{one.name} is required")
            elif "default" in one.schema:
                values[one.name] = one.schema["default"]
        return values

    def _check_headers(self, operation: Operation, switches: Switches) -> None:
        for one in operation.parameters:
            if one.place == "header" and (text := self.headers.get(one.name)) is not None:
                schema = one.schema
                if not switches.idempotency_length:
                    schema = {key: word for key, word in schema.items() if key != "maxLength"}
                check(one.name, text, schema)

    def read_body(self, operation: Operation) -> dict[str, Any]:
        """Read and check the body."""
        assert operation.body is not None
        try:
            body = json.loads(self.body, parse_constant=_no_number)
            json.dumps(body, ensure_ascii=False).encode()  # half characters are none
            check("The body", body, resolved(operation.body))
        except NotInOrder as error:
            raise invalid(f"{error}.") from None
        except (ValueError, RecursionError):
            raise invalid("The body is not JSON.") from None
        read: dict[str, Any] = body
        return read


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number of JSON")


def _listed(given: dict[str, list[str]], switches: Switches) -> list[str]:
    plain = [] if switches.strict_brackets else given.get("accountIds", [])
    return [*given.get(_BRACKETS, []), *plain]


def _read(name: str, texts: list[str], schema: dict[str, Any], switches: Switches) -> Any:
    if schema.get("type") == "array":
        if len(texts) > switches.max_ids:
            raise NotInOrder(f"{name} may be at most {switches.max_ids}")
        check(name, texts, schema)
        return texts
    if len(texts) > 1:
        raise NotInOrder(f"{name} may be given once")
    text = texts[0]
    if schema.get("format") == "date-time":
        return read_moment(name, text)
    bounds = ("minimum", "maximum")
    if switches.page_bounds == "clamped" and any(bound in schema for bound in bounds):
        value: int = read_text(name, text, {"type": "integer"})
        return min(max(value, schema["minimum"]), schema.get("maximum", value))
    return read_text(name, text, schema)
