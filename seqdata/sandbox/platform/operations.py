"""The operations: what each reads or does, for a key that is known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from seqdata.sandbox.faults.pages import Numbered
from seqdata.sandbox.faults.queue import Faults
from seqdata.sandbox.platform import audit, external
from seqdata.sandbox.platform.audit import Audit
from seqdata.sandbox.platform.description import Operation
from seqdata.sandbox.platform.errors import ApiError, NotOffered, denied, invalid, missing
from seqdata.sandbox.platform.idempotency import Idempotency, Kept
from seqdata.sandbox.platform.identity import shown_id
from seqdata.sandbox.platform.keys import Key
from seqdata.sandbox.platform.lists import Found, Stretch, Walks, merged, with_ties_rising
from seqdata.sandbox.platform.moving import Made, create_transfer
from seqdata.sandbox.platform.objects import (
    TYPES,
    Writer,
    card_id,
    status_of,
)
from seqdata.sandbox.platform.request import Request
from seqdata.sandbox.platform.rules import RuleWriter, takes_from
from seqdata.sandbox.platform.switches import Switches
from seqdata.sandbox.rules.model import Rule
from seqdata.sandbox.webapp.reply import Reply
from seqdata.sandbox.world.book import Book
from seqdata.sandbox.world.clock import HOUR, SECOND
from seqdata.sandbox.world.records import Holding, Node, Outside, Transfer
from seqdata.sandbox.world.records import Key as Place
from seqdata.sandbox.world.rulebook import NotTriggered, Rulebook
from seqdata.sandbox.world.world import Organization, World

DAY = 24 * HOUR
_END = 2**40

Account = Holding | Outside


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that is in order, and the key that it came with."""

    operation: Operation
    key: Key
    path: dict[str, Any]
    query: dict[str, Any]
    body: dict[str, Any]
    request: Request = field(repr=False)
    request_id: str = ""


class Operations:
    """Answers what is asked, over the books of one world. Everything holds the world's lock."""

    def __init__(
        self,
        world: World,
        faults: Faults,
        switches: Switches,
        audit: Audit,
        idempotency: Idempotency,
    ) -> None:
        self.world, self.faults, self.switches = world, faults, switches
        self.audit, self.idempotency = audit, idempotency
        self.walks = Walks()
        self.made = Made()
        self._handlers: dict[str, Callable[[Asked, Organization], Reply]] = {
            "listAccounts": self._list_accounts,
            "getAccount": self._get_account,
            "listAccountTransfers": self._list_account_transfers,
            "listTransfers": self._list_transfers,
            "getTransfer": self._get_transfer,
            "createTransfer": self._create_transfer,
            "listExternalTransactions": self._list_external,
            "listTransactions": self._list_cards,
            "listAuditLog": self._list_audit,
            "listRules": self._list_rules,
            "getRule": self._get_rule,
            "triggerRule": self._trigger_rule,
            "listRuleExecutions": self._list_executions,
            "getRuleExecution": self._get_execution,
        }

    def answer(self, asked: Asked) -> Reply:
        """Answer, or raise `ApiError` or `NotOffered`."""
        organization = self.world.organization(asked.key.organization_id)
        assert organization is not None
        ignored = self.faults.ignored_filter(asked.query, asked.operation.id)
        if ignored in asked.query:
            del asked.query[ignored]
        return self._handlers[asked.operation.id](asked, organization)

    # -- what answers are made of --------------------------------------------------

    def _writer(self, organization: Organization) -> Writer:
        return Writer(organization.book, self.switches)

    def _data(self, asked: Asked, data: Node) -> Reply:
        return Reply(asked.operation.status, {"data": data, "requestId": asked.request_id})

    def _page(self, asked: Asked, listing: Any, write: Callable[[Any], Node]) -> Reply:
        """Give a page of rows, after its faults."""
        number, size = asked.query["page"], asked.query["pageSize"]
        # A number that no list reaches stands for the end of all of them.
        start = self.faults.find_start(min((number - 1) * size, _END), asked.operation.id)
        rows = listing.rows(start, start + size + 1)
        shown = Numbered([write(row) for row in rows[:size]], len(rows) > size)
        shown = self.faults.change_rows(shown, asked.operation.id)
        pagination = {"page": number, "pageSize": size}
        if self.switches.has_next_page:
            pagination["hasNextPage"] = shown.has_next
        return self._data(asked, {"items": shown.items, "pagination": pagination})

    def _find_account(self, asked: Asked, book: Book, own_id: str, scope: str) -> Account:
        if not asked.key.permissions.allows(scope, own_id):
            raise denied()
        account = account_of(book, own_id)
        if account is None:
            raise missing("ACCOUNT")
        return account

    # -- accounts ------------------------------------------------------------------

    def _list_accounts(self, asked: Asked, organization: Organization) -> Reply:
        permissions, query = asked.key.permissions, asked.query
        if not permissions.allows("READ_ACCOUNTS"):
            raise denied()
        book = organization.book
        accounts = [
            account
            for account in accounts_of(book)
            if permissions.allows("READ_ACCOUNTS", account.id)
            and (query.get("type") in (None, TYPES[account.kind]))
            and (query.get("state") == "ALL" or not is_deleted(account))
        ]
        return self._page(asked, Found(iter(accounts)), self._writer(organization).summary)

    def _get_account(self, asked: Asked, organization: Organization) -> Reply:
        account = self._find_account(asked, organization.book, asked.path["id"], "READ_ACCOUNTS")
        return self._data(asked, self._writer(organization).account(account))

    # -- transfers -----------------------------------------------------------------

    def _list_account_transfers(self, asked: Asked, organization: Organization) -> Reply:
        accounts = self._readable(asked, organization.book, [asked.path["accountId"]])
        return self._list(asked, organization, accounts)

    def _list_transfers(self, asked: Asked, organization: Organization) -> Reply:
        accounts = self._readable(asked, organization.book, asked.query["accountIds"])
        return self._list(asked, organization, accounts)

    def _readable(self, asked: Asked, book: Book, ids: Iterable[str]) -> list[Account]:
        """Give the accounts of ids, each of which the key may read the transfers of."""
        found = []
        for own_id in dict.fromkeys(ids):
            if not asked.key.permissions.allows("READ_TRANSFERS", own_id):
                raise denied()
            account = account_of(book, own_id)
            if account is None:
                _refuse(self.switches.unknown_ids)
            elif is_deleted(account) and self.switches.deleted_ids != "accepted":
                _refuse(self.switches.deleted_ids)
            else:
                found.append(account)
        return found

    def _list(self, asked: Asked, organization: Organization, accounts: list[Account]) -> Reply:
        book, query = organization.book, asked.query
        mode = query.get("executionMode", "LIVE")
        writer = self._writer(organization)

        def write(key: Place) -> Node:
            return self._written(writer, book, key[1])

        since, until = self._since(book, query.get("from")), query.get("to")
        lists = self._lists(book, accounts, mode, query.get("rule_execution_id"))
        stretches = [Stretch(keys, since, until) for keys in lists]
        wanted = self._wanted(asked, accounts)
        if wanted is None and len(stretches) == 1 and self.switches.ties == "falling":
            return self._page(asked, stretches[0], write)
        shown = (query.get(name) for name in ("direction", "status", "origin", "accountRole",
                                              "rule_execution_id", "from", "to"))  # fmt: skip
        ids = frozenset(account.id for account in accounts)
        version = (organization.id, book.version, self.made.version, self.switches_key())
        begin = partial(self._walk, book, stretches, wanted)
        return self._page(asked, self.walks.of((ids, mode, *shown, version), begin), write)

    def switches_key(self) -> tuple[Any, ...]:
        """Say how the switches stand, as far as they decide what is listed."""
        return tuple(self.switches.described().values())

    def _since(self, book: Book, since: int | None) -> int | None:
        if not self.switches.look_back_days:
            return since
        return max(since or 0, book.now - self.switches.look_back_days * DAY)

    def _lists(
        self, book: Book, accounts: list[Account], mode: str, execution_id: str | None
    ) -> list[list[Place]]:
        """Give the lists of keys in which the transfers of some accounts are."""
        if execution_id is not None:
            return [self._keys_of_run(book, accounts, execution_id)]
        lists = [self.made.keys_of(book, accounts)] if mode != "LIVE" else []
        if mode != "SIMULATION":
            is_all = len(accounts) == len(book.holdings) + len(book.outside)
            lists += [book.plain_keys] if is_all else [one.plain_keys for one in accounts]
        return lists

    def _keys_of_run(self, book: Book, accounts: list[Account], own_id: str) -> list[Place]:
        execution = _rulebook(book).executions.get(own_id)
        moved = [] if execution is None else execution.transfers
        ids = {account.id for account in accounts}
        transfers = (self._transfer(book, one.id) for one in moved)
        return sorted(one.key for one in transfers if one is not None and ids & set(ends_of(one)))

    def _wanted(self, asked: Asked, accounts: list[Account]) -> Callable[[Transfer], bool] | None:
        """Give what tells whether a transfer is asked for; None: each one is."""
        query, switches = asked.query, self.switches
        writer = Writer(self.world.organizations[0].book, switches)
        tests: list[Callable[[Transfer], bool]] = []
        if (direction := query.get("direction")) is not None:
            tests.append(lambda one: writer.direction(one) == direction)
        if (origin := query.get("origin")) is not None:
            tests.append(lambda one: writer.origin(one) == origin)
        if (status := query.get("status")) is not None:
            tests.append(lambda one: status_of(one, switches)[0] == status)
        if (role := query.get("accountRole", "either")) != "either":
            tests.append(lambda one: getattr(one, role) in accounts)
        if query.get("rule_execution_id") is not None:
            mode = query.get("executionMode", "LIVE")
            tests.append(lambda one: mode in ("ALL", one.mode))
        return (lambda one: all(test(one) for test in tests)) if tests else None

    def _walk(
        self, book: Book, stretches: list[Stretch], wanted: Callable[[Transfer], bool] | None
    ) -> Iterator[Place]:
        keys = merged(stretches)
        if self.switches.ties == "rising":
            keys = with_ties_rising(keys)
        if wanted is None:
            return keys
        return (key for key in keys if (one := self._transfer(book, key[1])) and wanted(one))

    def _transfer(self, book: Book, own_id: str) -> Transfer | None:
        return book.transfers.get(own_id) or self.made.simulated.get(own_id)

    def _written(self, writer: Writer, book: Book, own_id: str) -> Node:
        transfer = self._transfer(book, own_id)
        assert transfer is not None
        return writer.transfer(transfer)

    def _get_transfer(self, asked: Asked, organization: Organization) -> Reply:
        if not asked.key.permissions.allows("READ_TRANSFERS"):
            raise denied()
        book = organization.book
        own_id = shown_id(asked.path["id"], self.switches.transfer_ids)
        transfer = self._transfer(book, own_id)
        if transfer is None or not self._is_readable(asked, book, transfer):
            raise missing("TRANSFER")
        early = self.made.is_too_early(transfer, book.now, self.switches)
        reply = None if early else self._data(asked, self._written(self._writer(organization),
                                                                   book, own_id))  # fmt: skip
        if early or transfer.is_queued:
            self.world.advance(self.switches.poll_seconds)
        if reply is None:
            raise missing("TRANSFER")
        return reply

    def _is_readable(self, asked: Asked, book: Book, transfer: Transfer) -> bool:
        is_listed = transfer.id in self.made.simulated or book.is_shown(transfer)
        ends = ends_of(transfer)
        permissions = asked.key.permissions
        return (
            is_listed
            and not transfer.is_by_card
            and any(own_id and permissions.allows("READ_TRANSFERS", own_id) for own_id in ends)
        )

    def _create_transfer(self, asked: Asked, organization: Organization) -> Reply:
        def checks() -> tuple[Account, Account]:
            return self._ends(asked, organization.book)

        def act(ends: tuple[Account, Account]) -> Node:
            fate = self.faults.fate(asked.operation.id)
            transfer = create_transfer(
                self.world, organization, *ends, asked.body, self.switches, self.made, fate
            )
            node = self._writer(organization).transfer(transfer, is_new=True)
            if transfer.mode != "LIVE" and "executionMode" in node:
                node["executionMode"] = self.switches.simulated_mode
            return node

        return self._once(asked, checks, act, "TRANSFER_IN_PROGRESS")

    def _ends(self, asked: Asked, book: Book) -> tuple[Account, Account]:
        """Find the two ends of a transfer that a key may make, or refuse it."""
        names = asked.body["sourceAccountId"], asked.body["destinationAccountId"]
        permitted = asked.key.permissions.transfers
        if names not in permitted:
            raise denied()
        most = permitted[names]
        if most is not None and asked.body["amountInCents"] > most:
            said = f"The key may move at most {most} cents at once."
            raise ApiError(403, "MAXIMUM_AMOUNT_EXCEEDED", said)
        found = []
        for own_id, side in zip(names, ("SOURCE", "DESTINATION"), strict=True):
            account = account_of(book, own_id)
            if account is None or is_deleted(account):
                said = f"The {side.lower()} account was not found."
                raise ApiError(400, f"TRANSFER_{side}_NOT_FOUND", said)
            found.append(account)
        source, destination = found
        if source is destination or (isinstance(source, Outside) and not source.can_be_source):
            raise invalid("Money cannot be moved between these accounts.")
        return source, destination

    def _once(
        self, asked: Asked, checks: Callable[[], Any], act: Callable[[Any], Node], busy_code: str
    ) -> Reply:
        """Act once under an idempotency key: give the first answer again where there is one."""
        text = asked.request.headers.get("idempotency-key")
        key, now = asked.key, self.world.now
        name = text and self.idempotency.name(text, asked.operation.id, key.id, key.organization_id)
        is_bytes = self.switches.idempotency_compares == "bytes"
        # An intent is what is asked of which address.
        body = (asked.path, asked.request.body if is_bytes else asked.body)
        early = self.switches.remembers_refusals
        kept = self._kept(name, body, busy_code) if early else None
        if kept is None:
            try:
                found = checks()
            except ApiError as error:
                if name and early:
                    said = {"error": {"code": error.code, "message": error.message}}
                    payload = said | {"requestId": asked.request_id}
                    self.idempotency.keep(name, Kept(now, now, body, error.status, payload))
                raise
            kept = None if early else self._kept(name, body, busy_code)
        if kept is not None:
            return Reply(kept.status, kept.payload)
        reply = self._data(asked, act(found))
        if name:
            busy = now + self.switches.early_404_seconds * SECOND
            self.idempotency.keep(name, Kept(now, busy, body, reply.status, reply.payload))
        return reply

    def _kept(self, name: Any, body: Any, busy_code: str) -> Kept | None:
        if not name:
            return None
        try:
            return self.idempotency.find(name, body, self.world.now, busy_code)
        except ApiError as error:
            if error.status == 409:
                self.world.advance(self.switches.poll_seconds)
            raise

    # -- outside accounts, cards, the log ------------------------------------------

    def _list_external(self, asked: Asked, organization: Organization) -> Reply:
        accounts = self._readable(asked, organization.book, asked.query["accountIds"])
        outside = [account for account in accounts if isinstance(account, Outside)]
        query = asked.query
        since, until = query.get("from"), query.get("to")
        rows = [
            node
            for node in external.rows(self._writer(organization), outside)
            if query.get("direction") in (None, node["direction"])
            and query.get("status") in (None, node["status"])
            and (since is None or node["_date"] >= since)
            and (until is None or node["_date"] <= until)
        ]
        return self._page(asked, Found(iter(rows)), _public)

    def _list_cards(self, asked: Asked, organization: Organization) -> Reply:
        offered = self.switches.card_transactions
        if offered == "text":
            raise NotOffered
        if offered != "offered":
            code = "ACCESS_DENIED" if offered == "403" else "NOT_IMPLEMENTED"
            raise ApiError(int(offered), code, "Card transactions are not offered.")
        query, book = asked.query, organization.book
        pods = [
            account.card_keys
            for account in self._readable(asked, book, [query["accountId"]])
            if isinstance(account, Holding) and query.get("cardId") in (None, card_id(account))
        ]
        stretch = Stretch(pods[0] if pods else [], query.get("from"), query.get("to"))
        writer = self._writer(organization)
        return self._page(
            asked, stretch, lambda key: writer.card_transaction(book.transfers[key[1]])
        )

    def _list_audit(self, asked: Asked, organization: Organization) -> Reply:
        if not asked.key.permissions.reads_audit:
            raise denied()
        query, first = asked.query, self.world.now - audit.REACH
        since = query.get("from", first)
        if since < first:
            raise invalid("from is more than 90 days ago.")
        writer = self._writer(organization)
        calls = self.audit.between(since, min(query.get("to", self.world.now), self.world.now))
        rows = Found(
            call
            for call in calls
            if call.organization_id == organization.id
            and query.get("apiKeyId") in (None, call.key_id)
            and query.get("action") in (None, call.action)
        )
        return self._page(asked, rows, lambda call: audit.node(call, writer.moment(call.at)))

    # -- rules ---------------------------------------------------------------------

    def _list_rules(self, asked: Asked, organization: Organization) -> Reply:
        permissions, source = asked.key.permissions, asked.query.get("sourceId")
        if not permissions.allows("READ_RULES"):
            raise denied()
        rules = [
            rule
            for rule in organization.rulebook.current
            if permissions.allows("READ_RULES", rule.id)
            and (rule.deleted_at is None or self.switches.deleted_rules)
            and (source is None or takes_from(rule, source))
        ]
        write = RuleWriter(self._writer(organization)).summary
        return self._page(asked, Found(iter(rules)), write)

    def _find_rule(self, asked: Asked, book: Book, own_id: str, scope: str) -> Rule:
        if not asked.key.permissions.allows(scope, own_id):
            raise denied()
        version = _rulebook(book).version(own_id)
        if version is None:
            raise missing("RULE")
        return version.rule

    def _get_rule(self, asked: Asked, organization: Organization) -> Reply:
        rule = self._find_rule(asked, organization.book, asked.path["id"], "READ_RULES")
        if not rule.is_supported:
            raise ApiError(403, "INVALID_RULE", "This rule cannot be accessed using the API.")
        return self._data(asked, RuleWriter(self._writer(organization)).rule(rule))

    def _list_executions(self, asked: Asked, organization: Organization) -> Reply:
        book, query = organization.book, asked.query
        rule = self._find_rule(asked, book, asked.path["ruleId"], "READ_RULES")
        mode = query.get("executionMode", "LIVE")
        since, until = query.get("from"), query.get("to")
        rows = Found(
            one
            for one in reversed(_rulebook(book).executions_of(rule.id))
            if mode in ("ALL", one.mode)
            and query.get("status") in (None, one.status)
            and query.get("triggerType") in (None, one.trigger.type)
            and (since is None or one.created_at >= since)
            and (until is None or one.created_at <= until)
        )
        write = RuleWriter(self._writer(organization)).execution_summary
        return self._page(asked, rows, write)

    def _get_execution(self, asked: Asked, organization: Organization) -> Reply:
        book = organization.book
        rule = self._find_rule(asked, book, asked.path["ruleId"], "READ_RULES")
        execution = _rulebook(book).executions.get(asked.path["id"])
        if execution is None or execution.rule_id != rule.id:
            raise missing("RULE_EXECUTION")
        node = RuleWriter(self._writer(organization)).execution(execution)
        if not execution.is_over:
            self.world.advance(self.switches.poll_seconds)
        return self._data(asked, node)

    def _trigger_rule(self, asked: Asked, organization: Organization) -> Reply:
        book = organization.book

        def checks() -> Rule:
            rule = self._find_rule(asked, book, asked.path["id"], "TRIGGER_RULES")
            is_any = self.switches.triggers_any_rule or rule.trigger.type == "MANUAL"
            if not rule.is_supported or rule.deleted_at is not None or not is_any:
                raise ApiError(403, "INVALID_RULE", "This rule cannot be run by the API.")
            if not rule.runs:
                raise ApiError(403, "RULE_DEACTIVATED", "This rule is disabled.")
            return rule

        def act(rule: Rule) -> Node:
            given, simulation = asked.body.get("executeAmount"), asked.body.get("simulation", False)
            amount = None if given is None else int(given)
            try:
                execution = _rulebook(book).trigger(rule.id, amount, simulation)
            except NotTriggered as refusal:
                raise ApiError(409, refusal.code, "This rule is running.") from None
            for transfer in execution.transfers if simulation else ():
                self.made.simulate(book, _rulebook(book).simulated[transfer.id])
            return {"executionId": execution.id}

        return self._once(asked, checks, act, "RULE_EXECUTION_IN_PROGRESS")


def _rulebook(book: Book) -> Rulebook:
    assert book.rulebook is not None
    return book.rulebook


def accounts_of(book: Book) -> list[Account]:
    """List the accounts of a book, deleted ones too."""
    return [*book.holdings.values(), *book.outside.values()]


def account_of(book: Book, own_id: str) -> Account | None:
    """Give the account of an id, a deleted one too."""
    return book.holdings.get(own_id) or book.outside.get(own_id)


def is_deleted(account: Account) -> bool:
    """Whether an account is not there any more."""
    return isinstance(account, Holding) and account.deleted_at is not None


def ends_of(transfer: Transfer) -> list[str]:
    """Give the ids of a transfer's accounts."""
    parties = (transfer.source, transfer.destination)
    return [one.id for one in parties if one is not None and one.id is not None]


def _refuse(how: str) -> None:
    if how == "404":
        raise missing("ACCOUNT")
    if how == "403":
        raise denied()


def _public(node: Node) -> Node:
    return {name: value for name, value in node.items() if name != "_date"}
