"""The schema, and the resolvers of the fields that a plain dict cannot answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib import resources
from typing import Any

from graphql import GraphQLError, GraphQLObjectType, GraphQLResolveInfo, GraphQLSchema, build_schema

from seqdata.sandbox.faults.queue import Faults
from seqdata.sandbox.webapp import nodes, paging
from seqdata.sandbox.webapp.payments import Refused, create_payment
from seqdata.sandbox.webapp.reply import Reply
from seqdata.sandbox.world.book import Book
from seqdata.sandbox.world.clock import day_of, midnight, utc_text
from seqdata.sandbox.world.records import Holding, Key, Node
from seqdata.sandbox.world.world import Organization, World

DEFAULT_FIRST = 10


@dataclass(slots=True)
class PageRules:
    """How large a page may be, and whether a larger one is refused or clamped."""

    cap: int = 100
    mode: str = "refuse"


@dataclass(slots=True)
class Context:
    """What resolvers see of the request and the world."""

    world: World
    faults: Faults
    page_rules: PageRules
    operation: str | None
    #: Whether counting fails in this request.
    counts: bool = True
    #: The key of the filter this request does not listen to.
    ignored: str | None = None
    #: What goes out instead of the result, once the service has acted.
    reply: Reply | None = None

    def read_filter(self, given: dict[str, Any] | None) -> paging.Filter:
        """Read the filter of a field; one that is ignored is ignored by the whole request."""
        given = given or {}
        if self.ignored is None:
            self.ignored = self.faults.ignored_filter(given, self.operation)
        return paging.read_filter({k: v for k, v in given.items() if k != self.ignored})


Info = GraphQLResolveInfo[Context]


def bad_input(message: str) -> GraphQLError:
    """Make an error that blames the caller."""
    return GraphQLError(message, extensions={"code": "BAD_USER_INPUT"})


def _world(info: Info) -> World:
    world: World = info.context.world
    return world


def _me(_: Any, info: Info) -> Node:
    world = _world(info)
    memberships = [
        {"__typename": "Membership", "id": f"{one.id}-member", "organization": _node(one)}
        for one in world.organizations
    ]
    settings = {"__typename": "UserSettings", "id": world.user.id, "showSinceYouveBeenGone": False}
    return {"id": world.user.id, "memberships": memberships, "settings": settings}


def _offer(_: Any, info: Info, location: str) -> None:
    return None


def _organization(_: Any, info: Info, id: str) -> Node:
    organization = _world(info).organization(id)
    if organization is None:
        raise GraphQLError("Organization not found", extensions={"code": "NOT_FOUND"})
    return _node(organization)


def _node(organization: Organization) -> Node:
    book = organization.book
    oldest = utc_text(book.keys[0][0]) if book.keys else None
    kyc = {"__typename": "KYC", "id": organization.kyc_id, "name": organization.name}
    return {
        "__typename": "Organization",
        "_": organization,
        "id": organization.id,
        "firstTransferDate": oldest,
        "kycs": [kyc | {"kycType": "PERSONAL"}],
        "plan": {
            "__typename": "Plan",
            "id": f"{organization.id}-plan",
            "name": "Sandbox",
            "transactionsPerMonth": 10_000,
            "transferExtraCharge": nodes.money(0),
        },
        "ports": _open_holdings(book, "Port"),
        "pods": _open_holdings(book, "Pod"),
        "accounts": [account.node for account in book.outside.values()],
    }


def _open_holdings(book: Book, kind: str) -> list[Node]:
    holdings = book.holdings.values()
    return [one.node for one in holdings if one.kind == kind and one.deleted_at is None]


def _pod(source: Node, info: Info, id: str) -> Node | None:
    holding = source["_"].book.holdings.get(id)
    is_there = holding is not None and holding.kind == "Pod" and holding.deleted_at is None
    return holding.node if is_there else None


def _transfer(source: Node, info: Info, id: str) -> Node | None:
    book: Book = source["_"].book
    transfer = book.transfers.get(id)
    return None if transfer is None or not book.is_shown(transfer) else nodes.transfer(transfer)


def _page_size(first: int | None, rules: PageRules) -> int:
    first = DEFAULT_FIRST if first is None else first
    if first < 1:
        raise bad_input(f"first must be at least 1, got {first}.")
    if first > rules.cap and rules.mode == "refuse":
        raise bad_input(f"first must be at most {rules.cap}, got {first}.")
    return min(first, rules.cap)


def _page(
    info: Info,
    book: Book,
    keys: list[Key],
    given: dict[str, Any] | None,
    after: str | None,
    first: int | None,
) -> Node:
    context: Context = info.context
    try:
        size = _page_size(first, context.page_rules)
        below = context.faults.find(after, context.operation, keys)
        page = paging.read_page(book, keys, context.read_filter(given), below, size)
    except paging.BadInput as error:
        raise bad_input(str(error)) from None
    node = nodes.connection(page, context.faults.cursors)
    return context.faults.change_page(node, after, context.operation)


def _activity(
    source: Node,
    info: Info,
    filter: dict[str, Any] | None = None,
    after: str | None = None,
    first: int | None = None,
) -> Node:
    book: Book = source["_"].book
    return _page(info, book, book.keys, filter, after, first)


def _pod_activity(
    source: Node, info: Info, first: int | None = None, after: str | None = None
) -> Node:
    holding: Holding = source["_"]
    return _page(info, _book_of(info, holding), holding.keys, None, after, first)


def _book_of(info: Info, holding: Holding) -> Book:
    books = [organization.book for organization in _world(info).organizations]
    return next(book for book in books if holding.id in book.holdings)


def _count(source: Node, info: Info, filter: dict[str, Any] | None = None) -> Node:
    context: Context = info.context
    if not context.counts:
        raise GraphQLError("Cannot count transfers")
    try:
        return {"count": paging.count(source["_"].book, context.read_filter(filter))}
    except paging.BadInput as error:
        raise bad_input(str(error)) from None


def _summary(_: Any, info: Info) -> Node:
    """Sum up the calendar month of New York, over all organizations of the user."""
    world = _world(info)
    first = day_of(world.now).replace(day=1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    rows = [
        book.transfers[key[1]]
        for book in (one.book for one in world.organizations)
        for key in _keys_within(book, first, last)
    ]
    came_in = [
        row.cents for row in rows if row.direction == "INCOMING" and row.status == "COMPLETE"
    ]
    return {
        "id": f"{world.user.id}-{first:%Y-%m}",
        "transferReferencesCount": len(rows),
        "ruleExecutionsCount": sum(row.rule is not None for row in rows),
        "totalIncomingFundsInCents": nodes.money(sum(came_in)),
    }


def _keys_within(book: Book, first: date, last: date) -> list[Key]:
    until = midnight(last + timedelta(days=1)) - 1
    low, high = paging.key_range(book.keys, paging.Filter(midnight(first), until))
    return book.keys[low:high]


def _for_kyc(_: Any, info: Info, id: str) -> Node:
    for organization in _world(info).organizations:
        if organization.kyc_id == id:
            return {"_": organization}
    raise GraphQLError("KYC not found", extensions={"code": "NOT_FOUND"})


def _create_payment(source: Node, info: Info, fields: dict[str, Any]) -> Node:
    organization: Organization = source["_"]
    try:
        fate = info.context.faults.fate(info.context.operation)
        create_payment(_world(info), organization, fields, fate)
    except Refused as refusal:
        return {"ok": None, "error": {"message": str(refusal)}}
    return _after_fault(info.context, {"ok": {"organization": _node(organization)}, "error": None})


def _after_fault(context: Context, result: Node) -> Node:
    """Tell of an accepted payment as the faults have it."""
    changed = context.faults.change_payment(result, context.operation)
    if isinstance(changed, GraphQLError):
        raise changed
    if isinstance(changed, Reply):
        context.reply = changed
        return result
    told: Node = changed
    return told


def _linked_id(source: Node, _: Info) -> str | None:
    holding: Holding = source["_"]
    return holding.linked.id if holding.linked else None


_RESOLVERS: dict[str, dict[str, Any]] = {
    "Query": {"me": _me, "organization": _organization, "activitySummary": _summary},
    "Mutation": {"forKYC": _for_kyc},
    "User": {"offer": _offer},
    "KYCMutations": {"createPayment": _create_payment},
    "Organization": {
        "pod": _pod,
        "transferReference": _transfer,
        "transferReferences": _activity,
        "numberOfTransfers": _count,
    },
    "TransferReference": {
        "details": lambda source, _: nodes.details(source["_"]),
        "ruleDetails": lambda source, _: nodes.rule(source["_"]),
    },
    "Pod": {
        "metadata": lambda source, _: nodes.holding_balance(source["_"]),
        "limits": lambda source, _: nodes.limits(),
        "liabilityMetadata": lambda source, _: nodes.liability(source["_"]),
        "linkedAccountId": _linked_id,
        "linkedAccount": lambda source, _: nodes.party(source["_"].linked),
        "transferReferences": _pod_activity,
    },
    "Port": {
        "metadata": lambda source, _: nodes.holding_balance(source["_"]),
        "limits": lambda source, _: nodes.limits(),
    },
    "Account": {"metadata": lambda source, _: nodes.outside_balance(source["_"])},
}


@cache
def load_schema(*, has_count: bool = True) -> GraphQLSchema:
    """Load the service's schema and attach the resolvers, `numberOfTransfers` too or not."""
    text = resources.files(__package__).joinpath("schema.graphql").read_text("utf-8")
    schema = build_schema(text)
    for type_name, fields in _RESOLVERS.items():
        type_ = schema.type_map[type_name]
        assert isinstance(type_, GraphQLObjectType)
        for field_name, resolve in fields.items():
            type_.fields[field_name].resolve = resolve
    if not has_count:
        organization = schema.type_map["Organization"]
        assert isinstance(organization, GraphQLObjectType)
        del organization.fields["numberOfTransfers"]
    return schema
