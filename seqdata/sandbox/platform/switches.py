"""What nobody documents of the API: each question is a switch, the first answer its default."""

from __future__ import annotations

from dataclasses import Field, dataclass, field, fields
from typing import Any

from seqdata.sandbox.serving import given


def _choice(question: str, *answers: Any) -> Any:
    return field(default=answers[0], metadata={"question": question, "answers": answers})


def _number(question: str, default: int, least: int, most: int) -> Any:
    return field(default=default, metadata={"question": question, "bounds": (least, most)})


def _yes(question: str) -> Any:
    return _choice(question, True, False)


def _no(question: str) -> Any:
    return _choice(question, False, True)


@dataclass(slots=True)
class Switches:
    """How the API behaves where it may behave otherwise."""

    # -- how much, how often
    limit: str = _choice("how requests are counted", "bucket", "window", "off")
    limit_requests: int = _number("requests a minute and key", 100, 1, 1_000_000)
    limit_clock: str = _choice("the clock that they are counted on", "both", "world")
    max_ids: int = _number("ids that one request may name", 1_000, 1, 1_000_000)
    look_back_days: int = _number("days that transfers reach back; 0: all", 0, 0, 100_000)
    page_bounds: str = _choice("a page size out of bounds", "refused", "clamped")
    # -- names of things
    transfer_ids: str = _choice(
        "whether a transfer has the id that the web application gives it", "equal", "none", "some"
    )
    strict_brackets: bool = _no("whether `accountIds` without brackets is refused")
    # -- what is listed
    deleted_ids: str = _choice("deleted accounts in `accountIds`", "accepted", "403", "404")
    unknown_ids: str = _choice(
        "unknown accounts in a list, asked for with a key for all", "403", "404", "empty"
    )
    deleted_rules: bool = _no("whether `GET /rules` lists deleted rules")
    ties: str = _choice("the order of equal moments, by id", "falling", "rising")
    card_transactions: str = _choice(
        "whether there are card transactions", "offered", "text", "403", "501"
    )
    # -- what a row says
    has_next_page: bool = _yes("whether pages say `hasNextPage`")
    newer_fields: bool = _yes("whether objects have the fields that older answers lack")
    moments: str = _choice("how moments are written", "as_they_are", "seconds", "micros")
    account_numbers: str = _choice("account numbers", "full", "masked", "null")
    pulled_destination: str = _choice("the destination of EXTERNAL_PULL", "null", "named")
    deposit_source: str = _choice("the source of a deposit", "null", "named")
    rule_pull_origin: str = _choice(
        "the origin where a rule pulls from outside", "RULE", "USER_PULL", "UNKNOWN"
    )
    between_outside: str = _choice(
        "the direction between outside accounts", "MONEY_OUT", "MONEY_IN", "INTERNAL"
    )
    reversed_status: str = _choice(
        "the status of a transfer that was paid back", "COMPLETE", "ERROR"
    )
    income_balance: str = _choice(
        "the balance of an INCOME_SOURCE: what it holds, or what came in within 30 days",
        "held", "received",
    )  # fmt: skip
    balance_moves_updated_at: bool = _no("whether a balance moves an account's `updatedAt`")
    request_id_in_errors: bool = _yes("whether errors have a `requestId`")
    request_id_header: bool = _no("whether answers have a header `x-request-id`")
    unlisted_action: str = _choice(
        "the audit's action of calls that have none", "null", "LIST_TRANSFERS"
    )
    # -- outside accounts
    pending_ids: str = _choice("the id of an external row once it is posted", "new", "kept")
    transaction_zone: str = _choice(
        "the zone whose date a `transactionDate` is", "America/New_York", "UTC"
    )
    liability_payment: str = _choice(
        "the direction of a payment in the rows of a debt", "MONEY_IN", "MONEY_OUT"
    )
    # -- moving money
    early_404_seconds: int = _number("seconds that a new transfer is not found", 2, 0, 86_400)
    processing_seconds: int = _number("seconds that a new transfer is PROCESSING", 4, 0, 86_400)
    poll_seconds: int = _number(
        "seconds that pass while somebody asks for what is being prepared", 1, 0, 3_600
    )
    simulated_mode: str = _choice("the mode that a simulated POST reports", "SIMULATION", "LIVE")
    idempotency_scope: str = _choice(
        "what an idempotency key is unique within", "operation", "key", "organization"
    )
    idempotency_length: bool = _yes("whether idempotency keys over 36 characters are refused")
    idempotency_compares: str = _choice("how bodies are compared", "values", "bytes")
    remembers_refusals: bool = _no("whether a refusal is repeated under its idempotency key")
    triggers_any_rule: bool = _yes("whether rules of any trigger can be set off")

    def change(self, changes: dict[str, Any]) -> None:
        """Set switches; all others as usual. A ValueError says what there is."""
        given.check(changes, {one.name: _check(one) for one in fields(self)})
        for one in fields(self):
            setattr(self, one.name, changes.get(one.name, one.default))

    def described(self) -> dict[str, Any]:
        """Give how each switch stands."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


def _check(switch: Field[Any]) -> given.Check:
    if "bounds" in switch.metadata:
        return given.whole(*switch.metadata["bounds"])
    answers = switch.metadata["answers"]

    def checked(name: str, value: Any) -> None:
        if not any(value is one or (isinstance(one, str) and value == one) for one in answers):
            known = ", ".join(str(one) for one in answers)
            raise ValueError(f"{name} is one of {known}")

    return checked


def questions() -> dict[str, tuple[str, str]]:
    """Give what each switch decides, and the answers that it has; the first is the usual one."""
    found = {}
    for one in fields(Switches):
        bounds = one.metadata.get("bounds")
        listed = [one.default, f"{bounds[0]} to {bounds[1]}"] if bounds else one.metadata["answers"]
        found[one.name] = one.metadata["question"], ", ".join(str(answer) for answer in listed)
    return found
