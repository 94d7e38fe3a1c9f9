"""The rules of an organization: their versions, their runs, and what each run moves."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from itertools import count
from typing import Any

from seqdata.sandbox.rules.amounts import (
    Decision,
    Purse,
    decide,
    in_groups,
    in_order,
    takes_part,
    within_limit,
)
from seqdata.sandbox.rules.conditions import matching_step
from seqdata.sandbox.rules.execution import FAILURES, LIVE, SIMULATION, Execution, TriggerDetails
from seqdata.sandbox.rules.facts import LimitKey, Occasion
from seqdata.sandbox.rules.model import Action, OnFundsTransferred, Rule, RuleVersion, Scheduled
from seqdata.sandbox.rules.readings import Readings
from seqdata.sandbox.rules.schedule import cron, due_at
from seqdata.sandbox.world import banking
from seqdata.sandbox.world.book import Book, make_id
from seqdata.sandbox.world.clock import HOUR, SECOND
from seqdata.sandbox.world.movements import (
    Ending,
    Legs,
    Words,
    compound,
    incoming,
    inside,
    outgoing,
    refused,
)
from seqdata.sandbox.world.records import Holding, Outside, Payment, RuleRun, Transfer

Account = Holding | Outside
#: Gives the instant of each action of a run.
Pace = Callable[[list[Action]], list[int]]

#: What is said of a transfer that failed, by the code of its reason.
REASONS = {
    "INSUFFICIENT_FUNDS": "Insufficient funds",
    "RESOURCE_DELETED": "Account was deleted",
    "NULL_BALANCE": "Balance is not known",
    "ACCOUNT_NO_MINIMUM_PAYMENT_AMOUNT": "Account has no minimum payment",
    "ACCOUNT_NO_LAST_STATEMENT_BALANCE": "Account has no statement balance",
    "TRANSFER_AMOUNT_LESS_THAN_ONE_DOLLAR": "Amount is less than one dollar",
}
#: Runs that somebody asks for, by hand or by the REST API.
ASKED = ("MANUAL", "SEQUENCE_API", "REMOTE_API")
#: What comes to an account is on its way for no longer than this.
_LONGEST_WAY = 40 * 24 * HOUR


class NotTriggered(ValueError):
    """A rule that does not run. `code` is the word of the REST API for the reason."""

    def __init__(self, code: str, rule_id: str) -> None:
        super().__init__(f"{code}: rule {rule_id} was not triggered")
        self.code = code


@dataclass(slots=True, eq=False)
class BookFacts:
    """The books of an organization as rules see them."""

    book: Book
    moved: dict[LimitKey, list[Transfer]]
    readings: Readings
    #: What the run has moved that no balance shows: all of a simulation, pulls from outside.
    unseen: dict[str, int] = field(default_factory=dict)
    #: What a simulation has moved under each limit.
    pretended: Counter[LimitKey] = field(default_factory=Counter)

    def account(self, account_id: str) -> Account | None:
        """Find an account, also a deleted one."""
        return self.book.holdings.get(account_id) or self.book.outside.get(account_id)

    def is_there(self, account_id: str) -> bool:
        """Whether an account exists and is not deleted."""
        account = self.account(account_id)
        return account is not None and getattr(account, "deleted_at", None) is None

    def available(self, account_id: str) -> int | None:
        """Give the balance; a run is preceded by a refresh, so that it is today's."""
        account = self.account(account_id)
        if account is None or (isinstance(account, Outside) and account.shown is None):
            return None
        return account.balance + self.unseen.get(account_id, 0)

    def on_the_way(self, account_id: str) -> int:
        """Give what is announced to a pod and has not arrived."""
        holding = self.book.holdings.get(account_id)
        if holding is None:
            return 0
        first = bisect_left(holding.keys, (self.book.now - _LONGEST_WAY, ""))
        transfers = (self.book.transfers[own_id] for _, own_id in holding.keys[first:])
        return sum(
            one.cents for one in transfers if one.destination is holding and not one.is_final
        )

    def _debt(self, account_id: str) -> Outside | None:
        account = self.account(account_id)
        debt = account.linked if isinstance(account, Holding) else account
        return debt if debt is not None and debt.is_liability else None

    def owed(self, account_id: str) -> int | None:
        """Give the debt of an account, or of the one that a pod is linked with."""
        debt = self._debt(account_id)
        return None if debt is None else debt.balance

    def minimum(self, account_id: str) -> int | None:
        """Give the least payment by the last statement."""
        debt = self._debt(account_id)
        return debt.statement.minimum_cents if debt and debt.statement else None

    def last_statement(self, account_id: str) -> int | None:
        """Give what the last statement says is owed."""
        debt = self._debt(account_id)
        return debt.statement.balance_cents if debt and debt.statement else None

    def note(self, account_id: str, cents: int) -> None:
        """Remember a movement that no balance shows yet."""
        self.unseen[account_id] = self.unseen.get(account_id, 0) + cents

    def used(self, key: LimitKey, since: int) -> int:
        """Give what a group has moved since, without what the readings leave out."""
        total = self.pretended[key]
        for transfer in reversed(self.moved.get(key, [])):
            if transfer.created_at < since:
                break
            if transfer.status in FAILURES:
                total += transfer.cents if self.readings.limit_counts_failed else 0
            elif transfer.status == "COMPLETE" or self.readings.limit_counts_pending:
                total += transfer.cents
        return total


@dataclass(slots=True, eq=False)
class Run:
    """A run while it lasts: its actions, one after the other, each at its time."""

    execution: Execution
    rule: Rule
    occasion: Occasion
    purse: Purse
    #: What is said of its transfers.
    words: Words
    actions: list[Action] = field(default_factory=list)
    #: What was decided of each group, from its first action on.
    decided: dict[int, Iterator[Decision]] = field(default_factory=dict)
    is_retried: bool = False


class Rulebook:
    """The rules of one organization, run on its book."""

    def __init__(self, book: Book, readings: Readings) -> None:
        self.book, self.readings = book, readings
        book.rulebook = self
        #: All of them, each rule's oldest first.
        self.versions: list[RuleVersion] = []
        #: By id, oldest first.
        self.executions: dict[str, Execution] = {}
        #: The transfers of simulations, by id; they are in no book.
        self.simulated: dict[str, Transfer] = {}
        #: Scheduled rules whose hour the household knows, and the others that are on.
        self._timed: set[str] = set()
        self._scheduled: list[tuple[str, Scheduled]] = []
        self._current: dict[str, int] = {}
        self._runs: defaultdict[str, list[Execution]] = defaultdict(list)
        self._moved: dict[LimitKey, list[Transfer]] = {}
        self._numbers: defaultdict[str, Iterator[int]] = defaultdict(partial(count, 1))
        self._crons: dict[str, str] = {}
        self._paces: dict[str, Pace] = {}

    def version(self, rule_id: str) -> RuleVersion | None:
        """Give the version of a rule that is in force, also of a deleted one."""
        place = self._current.get(rule_id)
        return None if place is None else self.versions[place]

    @property
    def current(self) -> list[Rule]:
        """All rules as they are now, the oldest first, deleted ones too."""
        return [self.versions[place].rule for place in self._current.values()]

    def add(self, rule: Rule, *, cron_text: str | None = None, pace: Pace | None = None) -> None:
        """Take in a rule. One with a `cron_text` is run by the household, at about that hour."""
        if rule.id in self._current:
            raise ValueError(f"there is a rule {rule.id} already")
        if cron_text is not None:
            self._crons[rule.id] = cron_text
            self._timed.add(rule.id)
        if pace is not None:
            self._paces[rule.id] = pace
        self._put(RuleVersion(rule, 1, rule.created_at))

    def edit(self, rule_id: str, **changes: Any) -> Rule:
        """Change a rule now: a new version of it is in force."""
        place = self._current[rule_id]
        former = self.versions[place]
        now = self.book.now
        watched = former.rule.trigger
        self.versions[place] = replace(former, valid_until=now)
        rule = replace(former.rule, updated_at=now, **changes)
        self._put(RuleVersion(rule, former.number + 1, now))
        if isinstance(watched, OnFundsTransferred):
            self._watch(watched.account_id)
        return rule

    def delete(self, rule_id: str) -> None:
        """Delete a rule. It stays in the list, with its runs."""
        self.edit(rule_id, deleted_at=self.book.now)

    def _put(self, version: RuleVersion) -> None:
        rule = version.rule
        self._current[rule.id] = len(self.versions)
        self.versions.append(version)
        self._scheduled = [
            (one.id, one.trigger)
            for one in self.current
            if isinstance(one.trigger, Scheduled)
            and one.runs
            and one.is_supported
            and one.id not in self._timed
        ]
        if isinstance(rule.trigger, OnFundsTransferred):
            self._watch(rule.trigger.account_id)

    def _watch(self, account_id: str) -> None:
        """Run the rule of an account whenever money comes to it; only one can be enabled."""
        ids = [
            rule.id
            for rule in self.current
            if rule.runs
            and rule.is_supported
            and isinstance(rule.trigger, OnFundsTransferred)
            and rule.trigger.account_id == account_id
        ]
        if len(ids) > 1:
            raise ValueError(f"account {account_id} has a rule on incoming funds already")
        self.book.watched.pop(account_id, None)
        if ids:
            self.book.watched[account_id] = partial(self._on_funds, ids[0])

    def _on_funds(self, rule_id: str, transfer: Transfer) -> None:
        details = TriggerDetails("ON_FUNDS_TRANSFERRED", transfer.cents)
        self.run(rule_id, details, is_asked=transfer.id in self.book.asked)

    def due_on(self, day: date) -> list[tuple[str, int]]:
        """Give what is due in a day of UTC, and when; not the rules that the household runs."""
        dues = [(own_id, due_at(one, day, self.readings)) for own_id, one in self._scheduled]
        return [(own_id, at) for own_id, at in dues if at is not None]

    def due(self, trigger_ids: list[str]) -> list[str]:
        """Order rules that are due at the same instant."""
        rules = [self.versions[self._current[own_id]].rule for own_id in trigger_ids]
        if self.readings.due_order == "name":
            rules.sort(key=lambda rule: (rule.name or "", rule.created_at))
        else:
            is_newest = self.readings.due_order == "newest"
            rules.sort(key=lambda rule: rule.created_at, reverse=is_newest)
        return [rule.id for rule in rules]

    def trigger(
        self,
        rule_id: str,
        execute_amount: int | None = None,
        simulation: bool = False,
        *,
        by: str = "SEQUENCE_API",
    ) -> Execution:
        """Run a rule of any trigger now, or say what it would move.

        A live run moves nothing before time passes. NotTriggered says why a rule does not run:
        RULE_NOT_FOUND, INVALID_RULE, RULE_DEACTIVATED, RULE_EXECUTION_IN_PROGRESS. Whether
        transfers are on their way is no reason; a run that has not tried all its actions is.
        """
        version = self.version(rule_id)
        if version is None or version.rule.deleted_at is not None:
            raise NotTriggered("RULE_NOT_FOUND", rule_id)
        if not version.rule.is_supported:
            raise NotTriggered("INVALID_RULE", rule_id)
        if not version.rule.runs:
            raise NotTriggered("RULE_DEACTIVATED", rule_id)
        if not simulation and self.is_running(rule_id):
            raise NotTriggered("RULE_EXECUTION_IN_PROGRESS", rule_id)
        if execute_amount == 0 and self.readings.execute_zero == "none":
            execute_amount = None
        details = TriggerDetails(by, execute_amount)
        return self.simulate(rule_id, details) if simulation else self.run(rule_id, details)

    def is_running(self, rule_id: str) -> bool:
        """Whether a live run of a rule has actions left to try."""
        runs = reversed(self.executions_of(rule_id))
        return any(one.mode == LIVE and not one.is_over for one in runs)

    def executions_of(self, rule_id: str) -> list[Execution]:
        """Give the runs of a rule, simulations too, oldest first."""
        return self._runs[rule_id]

    def run(self, rule_id: str, details: TriggerDetails, *, is_asked: bool = False) -> Execution:
        """Begin a live run of a rule. One on a schedule moves at once, others within minutes."""
        run = self._begin(rule_id, details, LIVE, is_asked=is_asked)
        actions = run.actions
        pace = self._paces.get(rule_id)
        if pace is not None and details.type == "ON_FUNDS_TRANSFERRED" and not is_asked:
            times = pace(actions)
        elif details.type == "SCHEDULED":
            times = [self.book.now] * len(actions)
        else:
            times = [self.book.now + (n + 1) * 2 * SECOND for n in range(len(actions))]
        for place, at in enumerate(times):
            if at == self.book.now:
                self._act(run, place)
            else:
                self.book.plan(at, partial(self._act, run, place))
        return run.execution

    def simulate(self, rule_id: str, details: TriggerDetails) -> Execution:
        """Say what a run would move now: transfers that are in no book."""
        run = self._begin(rule_id, details, SIMULATION)
        for place in range(len(run.actions)):
            self._act(run, place)
        return run.execution

    def _begin(
        self, rule_id: str, details: TriggerDetails, mode: str, *, is_asked: bool = False
    ) -> Run:
        version = self.versions[self._current[rule_id]]
        rule, now = version.rule, self.book.now
        by_request = details.type in ASKED
        series = f"{mode}/{'asked' if is_asked or by_request else 'planned'}"
        own_id = make_id(self.book.name, series, next(self._numbers[series]))
        execution = Execution(own_id, rule_id, version.number, mode, details, now)
        self.executions[own_id] = execution
        self._runs[rule_id].append(execution)
        account, amount = rule.trigger.account_id, details.amount_cents
        facts = BookFacts(self.book, self._moved, self.readings)
        occasion = Occasion(now, account, amount, details.type == "ON_FUNDS_TRANSFERRED")
        assumed = {account: amount} if by_request and account and amount is not None else {}
        purse = Purse(facts, assumed, mode == SIMULATION)
        words = self._words(rule, own_id, is_asked=is_asked or by_request)
        run = Run(execution, rule, occasion, purse, words)
        execution.step = matching_step(rule, facts, occasion, self.readings)
        if execution.step is None:
            execution.conditions_not_met = execution.is_over = True
        else:
            run.actions = in_order(rule.steps[execution.step].actions)
        return run

    def _act(self, run: Run, place: int) -> None:
        """Try one action. The first that fails ends the run."""
        execution, action = run.execution, run.actions[place]
        if execution.is_over or (execution.next_attempt_at or 0) > self.book.now:
            return
        decision = self._decision(run, action)
        execution.attempted += 1
        if decision.refusal is None:
            decision = self._again(run, decision)
        if decision.refusal is not None:
            self._fail(run, place, decision)
            return
        if decision.cents:
            self._move(run, action, decision.cents)
        execution.is_over = place == len(run.actions) - 1

    def _decision(self, run: Run, action: Action) -> Decision:
        group = action.group_index
        if group not in run.decided:
            step = run.execution.step
            assert step is not None
            actions = next(one for one in in_groups(run.actions) if one[0].group_index == group)
            decided = decide(actions, (run.rule.id, step), run.purse, run.occasion, self.readings)
            run.decided[group] = iter(decided)
        return next(run.decided[group])

    def _again(self, run: Run, decision: Decision) -> Decision:
        """Look once more at the limit and at the money: minutes may have passed since."""
        action, step, facts = decision.action, run.execution.step, run.purse.facts
        assert step is not None
        place = (run.rule.id, step)
        decision = within_limit(decision, place, facts, run.occasion, self.readings)
        left = run.purse.left(action)
        if not decision.cents or (left is not None and left >= decision.cents):
            return decision
        if left is not None and takes_part(action, self.readings):
            return replace(decision, cents=left if left >= 100 else 0)
        return replace(decision, refusal="INSUFFICIENT_FUNDS")

    def _move(self, run: Run, action: Action, cents: int) -> None:
        execution, facts = run.execution, run.purse.facts
        assert isinstance(facts, BookFacts)
        source, destination = facts.account(action.source), facts.account(action.destination)
        assert source is not None
        assert destination is not None
        assert execution.step is not None
        key = (run.rule.id, execution.step, action.group_index)
        run.purse.spend(action.source, cents)
        if isinstance(source, Outside):
            facts.note(action.source, -cents)
        if execution.mode == SIMULATION:
            transfer = self._pretend(run, source, destination, cents)
            is_inside = isinstance(source, Holding) and isinstance(destination, Holding)
            if is_inside or self.readings.limit_counts_pending:
                facts.pretended[key] += cents
            if isinstance(source, Holding):
                facts.note(action.source, -cents)
                facts.note(action.destination, cents if isinstance(destination, Holding) else 0)
        else:
            transfer = _moved(self.book, source, destination, cents, run.words)
            self._moved.setdefault(key, []).append(transfer)
        execution.transfers.append(transfer)

    def _fail(self, run: Run, place: int, decision: Decision) -> None:
        """End a run, or try again later where that is how it is read and money was short."""
        execution, code = run.execution, decision.refusal
        assert code is not None
        self._refuse(run, decision, code)
        is_short = code == "INSUFFICIENT_FUNDS" and execution.mode == LIVE
        if is_short and self.readings.retry_hours and not run.is_retried:
            run.is_retried = True
            run.decided.clear()
            execution.next_attempt_at = self.book.now + self.readings.retry_hours * HOUR
            self.book.plan(execution.next_attempt_at, partial(self._resume, run, place))
            return
        execution.error_code, execution.error_message = code, REASONS[code]
        execution.is_over = True

    def _resume(self, run: Run, place: int) -> None:
        run.execution.next_attempt_at = None
        run.actions = run.actions[place:]
        for later in range(len(run.actions)):
            self._act(run, later)

    def _refuse(self, run: Run, decision: Decision, code: str) -> None:
        """Make the transfer of an action that failed, where its amount and its ends are known."""
        facts, action = run.purse.facts, decision.action
        assert isinstance(facts, BookFacts)
        source, destination = facts.account(action.source), facts.account(action.destination)
        if decision.cents == 0 or source is None or destination is None:
            return
        if run.execution.mode == SIMULATION:
            transfer = self._pretend(run, source, destination, decision.cents)
            transfer.status, transfer.error_reason = "FAILED", REASONS[code]
        else:
            way, words = direction(source, destination), run.words
            cents, reason = decision.cents, REASONS[code]
            transfer = refused(self.book, source, destination, cents, way, words, reason)
        transfer.error_code = code
        run.execution.transfers.append(transfer)

    def _pretend(self, run: Run, source: Account, destination: Account, cents: int) -> Transfer:
        now, words = self.book.now, run.words
        own_id = make_id(self.book.name, "simulated", next(self._numbers["transfer"]))
        way = direction(source, destination)
        transfer = Transfer(own_id, now, now, cents, source, destination, way, "RULE", "COMPLETE")
        transfer.description, transfer.rule, transfer.mode = (
            words.description,
            words.rule,
            SIMULATION,
        )
        transfer.payment = Payment("COMPLETE", now, now, None)
        self.simulated[own_id] = transfer
        return transfer

    def _words(self, rule: Rule, execution_id: str, *, is_asked: bool) -> Words:
        """Say what made a transfer. One that is asked for changes nothing that is planned."""
        kind = "ON_MONEY_IN" if isinstance(rule.trigger, OnFundsTransferred) else rule.trigger.type
        when = rule.trigger if isinstance(rule.trigger, Scheduled) else None
        at = self._crons.get(rule.id) or (cron(when) if when else None)
        series = "payment" if is_asked else "plan"
        made_by = RuleRun(kind, at, rule.id, execution_id)
        return Words("RULE", rule.description, made_by, series)


def _moved(book: Book, source: Account, destination: Account, cents: int, words: Words) -> Transfer:
    """Move money for a rule; it settles as banks do."""
    rng = book.payment_rng if words.series == "payment" else book.rng
    if isinstance(destination, Holding):
        if isinstance(source, Holding):
            return inside(book, source, destination, cents, words)
        ending = Ending(banking.settles_inside(book.now, rng))
        return incoming(book, source, destination, cents, words, ending)
    if isinstance(source, Holding):
        is_debt = destination.is_liability
        settles = banking.settles_liability if is_debt else banking.settles_outside
        return outgoing(book, source, destination, cents, words, Ending(settles(book.now, rng)))
    pull = banking.settles_inside(book.now, rng)
    legs = Legs(pull, banking.settles_inside(pull, rng))
    return compound(book, source, destination, cents, words, legs)


def direction(source: Account, destination: Account) -> str:
    """Give the direction of a movement between two accounts."""
    if isinstance(source, Holding):
        return "INTERNAL" if isinstance(destination, Holding) else "OUTGOING"
    return "INCOMING" if isinstance(destination, Holding) else "OUTGOING"
