"""GraphQL over HTTP: a call in, a reply out. Strict about documents and variables."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    OperationDefinitionNode,
    parse,
    validate,
)
from graphql.execution import Executor, execute_sync

from seqdata.sandbox.faults.queue import Faults, Reply
from seqdata.sandbox.webapp.executor import ShortExecutor
from seqdata.sandbox.webapp.resolvers import Context, Info, PageRules, load_schema
from seqdata.sandbox.world.clock import http_date
from seqdata.sandbox.world.world import World


@dataclass(frozen=True, slots=True)
class Call:
    """What a client asks for."""

    query: str
    variables: dict[str, Any] | None
    operation: str | None


class BadCall(Exception):
    """The body is no GraphQL call."""


def read_call(body: bytes) -> Call:
    """Read the body of a request."""
    try:
        given = json.loads(body)
    except ValueError:
        raise BadCall("The body is not JSON.") from None
    if not isinstance(given, dict) or not isinstance(given.get("query"), str):
        raise BadCall("The body is no object with a text named query.")
    variables, name = given.get("variables"), given.get("operationName")
    if not isinstance(variables, dict | None) or not isinstance(name, str | None):
        raise BadCall("variables is an object, operationName a text.")
    return Call(given["query"], variables, name or None)


def _field(source: Any, info: Info, **_: Any) -> Any:
    return source.get(info.field_name)


def _type_name(value: Any, _: Info, __: Any) -> str:
    name: str = value["__typename"]
    return name


def with_own_headers(given: dict[str, str], world: World) -> dict[str, str]:
    """Add the headers of every answer, where a fault has not given them; an empty one is none.

    They are the mark of a sandbox, which world it is, and its clock: two worlds of one seed have
    the same organization ids.
    """
    own = {"x-seqdata-sandbox": "1", "x-seqdata-world": world.id, "date": http_date(world.now)}
    return {name: value for name, value in (own | given).items() if value}


def refusal(errors: list[GraphQLError], code: str) -> Reply:
    """HTTP 400 for a document or variables that are mistaken."""
    return Reply(400, {"errors": [_error(error, code) for error in errors]})


def _error(error: GraphQLError, code: str) -> dict[str, Any]:
    formatted: dict[str, Any] = dict(error.formatted)
    formatted["extensions"] = {"code": code} | dict(error.extensions or {})
    return formatted


@lru_cache(maxsize=256)
def read_document(query: str) -> DocumentNode | Reply:
    """Parse and validate a document; all worlds of a process share what was read."""
    try:
        document = parse(query)
    except GraphQLError as error:
        return refusal([error], "GRAPHQL_PARSE_FAILED")
    errors = validate(load_schema(), document)
    return refusal(errors, "GRAPHQL_VALIDATION_FAILED") if errors else document


class Api:
    """The GraphQL API over one world."""

    def __init__(
        self,
        world: World,
        faults: Faults,
        page_rules: PageRules,
        executor: type[Executor[None]] = ShortExecutor,
    ) -> None:
        self.world, self.faults, self.page_rules = world, faults, page_rules
        self.executor = executor
        self.answer(Call("{ me { id memberships { id } } }", None, None))  # warms the engine

    def operation_of(self, call: Call) -> str | None:
        """Give the name of the operation a call runs."""
        document = read_document(call.query)
        if call.operation or isinstance(document, Reply):
            return call.operation
        operations = [
            one for one in document.definitions if isinstance(one, OperationDefinitionNode)
        ]
        name = operations[0].name if len(operations) == 1 else None
        return name.value if name else None

    def serve(self, call: Call, *, is_authorized: bool) -> Reply:
        """Answer a call as the service does: with the faults that wait for it, in their order."""
        operation = self.operation_of(call)
        reply = self.faults.replace(operation)
        if reply is None and not is_authorized:
            reply = Reply(401, {"message": "Unauthorized"})
        if reply is None:
            reply = self.faults.alter(self.answer(call), operation)
        return self.faults.delay(reply, operation)

    def answer(self, call: Call) -> Reply:
        """Execute a call against the world."""
        document = read_document(call.query)
        if isinstance(document, Reply):
            return replace(document, headers={})  # faults write into a reply
        operation = self.operation_of(call)
        asks_count = "numberOfTransfers" in call.query
        variant = self.faults.count(operation) if asks_count else None
        if variant == "unknown":
            errors = validate(load_schema(has_count=False), document)
            return refusal(errors, "GRAPHQL_VALIDATION_FAILED")
        context = Context(self.world, self.faults, self.page_rules, operation, variant is None)
        with self.world.lock:
            variables = self.faults.hear(call.variables, operation, self.world)
            result = execute_sync(
                load_schema(),
                document,
                context_value=context,
                variable_values=variables,
                operation_name=call.operation,
                field_resolver=_field,
                type_resolver=_type_name,
                executor_class=self.executor,
            )
        return context.reply or self._reply(result)

    def _reply(self, result: ExecutionResult) -> Reply:
        errors = result.errors or []
        if result.data is None and errors and all(error.path is None for error in errors):
            return refusal(errors, "BAD_USER_INPUT")
        payload: dict[str, Any] = {"data": result.data}
        if errors:
            found = [_error(error, "INTERNAL_SERVER_ERROR") for error in errors]
            payload = {"errors": found} | payload
        return Reply(200, payload)
