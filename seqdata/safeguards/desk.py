"""The transfer desk: the one door through which money moves.

``stage`` shows what will happen, ``confirm`` does it, ``cancel`` does not. The order of a
confirm is what protects the money: look again, reserve, write the intent down, send once,
write the outcome down. Whatever dies in between, the next desk finds on the disk what may have
happened.
"""

from __future__ import annotations

import logging
import signal
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Any

from seqdata.auth import access_token_for
from seqdata.client import SequenceClient
from seqdata.config import get_settings, missing
from seqdata.exceptions import (
    FolderNotWritable,
    ForeignStage,
    NobodyThere,
    OutcomeNotRecorded,
    OutcomeOpen,
    ReadOnlyMode,
    SafeguardError,
    SequenceError,
    SettleRefused,
    StageExpired,
    StageUnknown,
    StageUsed,
    UnexpectedAnswer,
)
from seqdata.files import holding
from seqdata.graphql import document, expect
from seqdata.nodes import Drift, transfer_table
from seqdata.safeguards import checks, settle
from seqdata.safeguards.accounts import Account, find_account, read_accounts
from seqdata.safeguards.attendance import is_attended
from seqdata.safeguards.audit import AuditLog, utc_now
from seqdata.safeguards.journal import (
    DRY_RUN,
    Life,
    OpenIntent,
    align,
    claimed_ids,
    intent_of,
    own_cents_since,
    read_lives,
    reserve,
    settle_reservation,
)
from seqdata.safeguards.limits import DailyLimitTracker
from seqdata.safeguards.outcomes import (
    Completed,
    ConfirmOutcome,
    Failed,
    Outcome,
    Rehearsed,
    Unknown,
    Verdict,
    judge_answer,
    judge_error,
)
from seqdata.safeguards.settle import Settlement
from seqdata.safeguards.settling import Settling
from seqdata.safeguards.staged import StagedTransfer, expected_settlement
from seqdata.source import GraphQLSource
from seqdata.transport import Transport, open_transport

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from seqdata._settings import Settings

log = logging.getLogger("seqdata")

Node = dict[str, Any]
Lives = dict[str, Life]

_OPERATION = "CreatePayment"


@dataclass(frozen=True)
class View:
    """The accounts as they are now, and the service's clock."""

    organization_id: str
    accounts: list[Account]
    served_at: datetime
    is_sandbox: bool

    def account(self, account_id: str) -> Account:
        """Return an account by its id; UnknownAccount where it is gone."""
        return find_account(account_id, self.accounts)


@dataclass(frozen=True)
class Limits:
    """What a transfer and a day may move, and what is left of `day`, over all users, in cents."""

    transfer_cents: int
    daily_cents: int
    daily_left_cents: int
    day: str


class TransferDesk:
    """Stages, confirms, cancels and settles transfers of one user and one organization.

    All desks of a data folder, of whatever thread or process, take turns: one confirms or
    settles at a time.

    Parameters
    ----------
    settings
        Limits, user, server and data folder.
    organization_id
        By default the configured one, else the only one.
    transport, token_provider
        By default as the settings say.
    clock
        The wall clock; returns a moment with a zone. It decides on the day of a limit and on
        the life of a staged transfer.
    somebody_there
        Tells whether a person can answer.
    """

    def __init__(
        self,
        settings: Settings,
        organization_id: str | None = None,
        *,
        transport: Transport | None = None,
        token_provider: Callable[[], str] | None = None,
        clock: Callable[[], datetime] = utc_now,
        somebody_there: Callable[[], bool] = is_attended,
    ) -> None:
        self._settings = settings
        self._organization_id = organization_id or settings.org_id
        self._transport = transport or open_transport(settings)
        self._token = token_provider or partial(access_token_for, settings)
        self._client = SequenceClient("", self._token, settings=settings, transport=self._transport)
        self._clock = clock
        self._somebody_there = somebody_there
        folder = settings.data_dir
        #: The audit log of the data folder.
        self.audit = AuditLog(folder / ".audit.jsonl", now=clock)
        self._limits = DailyLimitTracker(
            folder / ".daily_limits.json", settings.max_daily_transfer_cents, now=clock
        )
        self._lock = folder / ".transfers.lock"
        self._kyc_id = settings.kyc_id

    @classmethod
    def open(cls, organization_id: str | None = None) -> TransferDesk:
        """Open the desk of the configured account; warn of transfers with no known outcome.

        Raises
        ------
        InvalidSetting
            A SEQUENCE_ variable has a value that cannot be used.
        AuditChainBroken
            The audit log was changed by something else, so what is open is not known.
        """
        desk = cls(get_settings(), organization_id)
        desk.warn_of_open_intents()
        return desk

    def __repr__(self) -> str:
        return f"TransferDesk({self._settings.app_url!r}, user={self._settings.user!r})"

    def __enter__(self) -> TransferDesk:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def user(self) -> str:
        """Whose transfers it makes (SEQUENCE_USER)."""
        return self._settings.user

    @property
    def app_url(self) -> str:
        """Which server the money is at (SEQUENCE_APP_URL)."""
        return self._settings.app_url

    @property
    def zone(self) -> ZoneInfo:
        """The reporting zone (SEQUENCE_TIMEZONE)."""
        return self._settings.zone

    @property
    def is_read_only(self) -> bool:
        """Whether it refuses to send anything (SEQUENCE_READ_ONLY)."""
        return self._settings.read_only or get_settings().read_only

    def close(self) -> None:
        """Close the connections; may be called again."""
        self._transport.close()

    # -- look ---------------------------------------------------------------------------------

    def look(self) -> View:
        """Read the accounts with their balances, in one request. Nothing is written.

        Raises
        ------
        UnknownOrganization
            It is not there, or none was chosen and there are several.
        ServiceError, UnexpectedAnswer, AuthenticationError
            The accounts could not be read.
        """
        return self._look()

    def limits(self) -> Limits:
        """Read what may still be moved today; asks the service nothing.

        Raises
        ------
        LimitsUnreadable
            The file cannot be understood. It is left as it is.
        """
        most = self._settings.max_daily_transfer_cents
        with self._limits.locked() as records:
            left = max(0, most - records.used_cents())
            return Limits(self._settings.max_transfer_cents, most, left, records.today)

    # -- stage --------------------------------------------------------------------------------

    def stage(
        self,
        source: str,
        destination: str,
        amount: str | Decimal | None = None,
        note: str = "",
        instant: bool = False,
        *,
        amount_cents: int | None = None,
        despite_unknown: bool = False,
    ) -> StagedTransfer:
        """Check a transfer and show what it will do. Nothing is sent.

        Parameters
        ----------
        source, destination
            Id or name: exact, in another case, or the only name that contains the text;
            ``pod:``, ``port:`` or ``account:`` before it asks for that kind.
        amount
            Dollars, as text ("12.34", "$1,234.56") or Decimal; floats are refused.
        note
            One line of at most 80 characters, for the other side and the audit log.
        instant
            Ask for an instant transfer, where the service offers it.
        amount_cents
            Instead of `amount`: whole cents.
        despite_unknown
            Go on although the outcome of an earlier transfer between the same two accounts is
            not known.

        Raises
        ------
        TransferRefused, ReadOnlyMode, LimitsUnreadable, AuditChainBroken
            A safeguard said no; the refusal is in the audit log.
        InvalidAmount, UsageError, UnknownAccount, UnknownOrganization, MissingSetting
            What was asked for cannot be used, or is not there.
        ServiceError, UnexpectedAnswer, AuthenticationError
            The accounts could not be read.
        """
        words = {"source": str(source), "destination": str(destination)}
        with self._noting_refusals({**words, "user_id": self._settings.user}):
            self._require_writable()
            checks.check_note(note)
            cents = checks.read_amount(amount, amount_cents)
            checks.check_amount(cents, self._settings.max_transfer_cents)
            view = self._look()
            staged = self._staged(
                view,
                find_account(source, view.accounts),
                find_account(destination, view.accounts),
                cents,
                {"note": note, "instant": bool(instant), "despite_unknown": bool(despite_unknown)},
            )
            self._log("transfer_staged", staged)
        return staged

    def _staged(
        self,
        view: View,
        source: Account,
        destination: Account,
        cents: int,
        given: Mapping[str, Any],
    ) -> StagedTransfer:
        """Check everything against the accounts as they are, and put the review together."""
        checks.check_parties(source, destination)
        checks.check_balance(source, cents)
        self._require_settled(source.id, destination.id, despite=given["despite_unknown"])
        self._kyc(view.organization_id)
        settings, now = self._settings, self._clock()
        return StagedTransfer(
            id=str(uuid.uuid4()),
            user=settings.user,
            source=source,
            destination=destination,
            amount_cents=cents,
            staged_at=now,
            expires_at=now + timedelta(seconds=settings.stage_seconds),
            transfer_limit_cents=settings.max_transfer_cents,
            daily_limit_cents=settings.max_daily_transfer_cents,
            daily_left_cents=self._left_after(cents),
            organization_id=view.organization_id,
            app_url=settings.app_url,
            is_sandbox=view.is_sandbox,
            expected=expected_settlement(source, destination, instant=given["instant"]),
            **given,
        )

    def _left_after(self, cents: int) -> int:
        with self._limits.locked() as records:
            return checks.check_day(records, cents, self._settings.max_daily_transfer_cents)

    # -- confirm ------------------------------------------------------------------------------

    def confirm(self, staged: StagedTransfer, *, dry_run: bool = False) -> ConfirmOutcome:
        """Send a staged transfer, once, after checking everything again.

        Parameters
        ----------
        dry_run
            Do all of it but the sending. The staged transfer can still be used.

        Returns
        -------
        Completed, Failed or Unknown
            Each has ``.status``. After Unknown the amount stays counted; never send it again,
            see :meth:`settle`. A dry run returns Rehearsed.

        Raises
        ------
        StageUsed, StageExpired, StageUnknown, ForeignStage
            It cannot be used (any more).
        TransferRefused, ReadOnlyMode, LimitsUnreadable, AuditChainBroken
            A safeguard said no. Nothing was sent.
        ServiceError, UnexpectedAnswer, AuthenticationError
            The balances could not be read again. Nothing was sent.
        OutcomeNotRecorded
            It was sent, and its outcome could not be written down.
        """
        with self._noting_refusals(_words_of(staged)), self._taking_turns():
            lives = self._lives()
            self._require_usable(staged, lives)
            self._require_writable()
            more: Node = {DRY_RUN: True} if dry_run else {}
            self._log("transfer_confirmed", staged, **more)
            view = self._look()
            self._check_again(staged, view, lives)
            kyc_id, token = self._kyc(view.organization_id), self._token()
            self._reserve(staged, lives)
            self._write_intent(staged, served_at=view.served_at.isoformat(), **more)
            if dry_run:
                self._record(staged, Rehearsed(staged.id))
                return Rehearsed(staged.id)
            return self._send_and_record(staged, view, kyc_id, token)

    def _check_again(self, staged: StagedTransfer, view: View, lives: Lives) -> None:
        if view.organization_id != staged.organization_id:
            raise StageUnknown(staged.id)
        source = view.account(staged.source.id)
        destination = view.account(staged.destination.id)
        checks.check_note(staged.note)
        checks.check_amount(staged.amount_cents, self._settings.max_transfer_cents)
        checks.check_parties(source, destination)
        shown = staged.source.balance_cents or 0
        own = own_cents_since(lives, lives[staged.id], staged.user, source.id)
        checks.check_not_fallen(source, shown, own)
        checks.check_balance(source, staged.amount_cents)
        self._require_settled(
            source.id, destination.id, despite=staged.despite_unknown, lives=lives
        )
        self._require_attended(is_sandbox=view.is_sandbox)

    def _reserve(self, staged: StagedTransfer, lives: Lives) -> None:
        """Count the amount to today, on the disk, where it fits."""
        with self._limits.locked() as records:
            align(records, lives)
            checks.check_day(records, staged.amount_cents, self._settings.max_daily_transfer_cents)
            reserve(records, staged.user, staged.id, staged.amount_cents)

    def _write_intent(self, staged: StagedTransfer, **more: Any) -> None:
        try:
            self._log("transfer_requested", staged, state="reserved", **more)
        except BaseException:  # nothing was sent: whatever was written, it has failed
            with suppress(SequenceError):
                self._log("transfer_failed", staged, error="it was never sent", **more)
            with suppress(SequenceError):
                self._follow(staged.id, "failed")
            raise

    # -- sending ------------------------------------------------------------------------------

    def _send_and_record(
        self, staged: StagedTransfer, view: View, kyc_id: str, token: str
    ) -> Outcome:
        known: Outcome = Unknown("it was interrupted while sending", staged.id)
        try:
            with _terminable():
                verdict = self._send(staged, kyc_id, token)
                known = replace(verdict.outcome, intent_id=staged.id)
                if isinstance(known, Completed):
                    known = self._identified(known, staged, view, verdict.ok)
        except BaseException:
            with suppress(SequenceError):
                self._record(staged, known)
            raise
        self._record(staged, known)
        return known

    def _send(self, staged: StagedTransfer, kyc_id: str, token: str) -> Verdict:
        """Send the payment, once, with a token that was there before the intent."""
        client = SequenceClient(token, settings=self._settings, transport=self._transport)
        variables = {
            "id": kyc_id,
            "source": {"id": staged.source.id, "type": staged.source.kind.upper()},
            "destination": {"id": staged.destination.id, "type": staged.destination.kind.upper()},
            "amount": staged.amount_cents,
            "isInstantTransfer": staged.instant,
            "achDescription": staged.note,
        }
        try:
            answer = client.ask(document("CreatePaymentWithTransfers"), variables, _OPERATION)
            return judge_answer(answer.data)
        except Exception as error:  # noqa: BLE001 - whatever it is, the money may have moved
            return Verdict(judge_error(error))

    def _identified(
        self, known: Completed, staged: StagedTransfer, view: View, ok: Node
    ) -> Completed:
        """Learn the new transfer's id: from the answer, else from one reading of the activity."""
        try:
            lives = self._lives()
            intent, claimed = intent_of(lives[staged.id]), claimed_ids(lives)
            rows = _rows_of(ok, view.organization_id)
            found = settle.matches(rows, intent, claimed) or settle.doubtful(rows, intent, claimed)
            found = settle.narrowed(found, intent)
            if len(found) != 1:
                source = self._source(view.organization_id)
                reading = settle.read_activity(source, intent.sent_at - settle.MARGIN)
                found = settle.narrowed(settle.matches(reading.rows, intent, claimed), intent)
        except Exception as error:  # noqa: BLE001 - the money has moved, whatever this is
            return replace(known, why_no_id=str(error) or type(error).__name__)
        if len(found) != 1:
            return replace(known, why_no_id=f"{len(found)} transfers could be this one")
        return replace(known, transfer_id=found[0]["id"])

    def _record(self, staged: StagedTransfer, outcome: ConfirmOutcome) -> None:
        """Write an outcome down: the audit log first, which the reservation follows."""
        facts: Node = {"served_state": outcome.status}
        if isinstance(outcome, Completed):
            facts |= {"transfer_id": outcome.transfer_id, "why_no_id": outcome.why_no_id or None}
        elif isinstance(outcome, Failed):
            facts["error"] = outcome.reason
        elif isinstance(outcome, Unknown):
            facts["error"] = outcome.why
        else:
            facts[DRY_RUN] = True
        event = "rehearsed" if isinstance(outcome, Rehearsed) else outcome.status
        try:
            self._log(f"transfer_{event}", staged, **facts)
        except SequenceError as error:
            raise OutcomeNotRecorded(outcome.status, staged.id, str(error)) from error
        state = "failed" if isinstance(outcome, Rehearsed) else outcome.status
        self.follow_or_warn(staged.id, state, facts.get("transfer_id"))

    def _follow(self, intent_id: str, state: str, transfer_id: str | None = None) -> None:
        with self._limits.locked() as records:
            settle_reservation(records, intent_id, state, transfer_id)

    def follow_or_warn(self, intent_id: str, state: str, transfer_id: str | None) -> None:
        """Let the reservation follow an outcome that the log holds."""
        # The log holds the outcome: the next desk mends the reservation, which counts till then.
        try:
            self._follow(intent_id, state, transfer_id)
        except SequenceError as error:
            log.warning("limits file not updated: intent=%s error=%s", intent_id, error)

    # -- cancel -------------------------------------------------------------------------------

    def cancel(self, staged: StagedTransfer) -> None:
        """Give a staged transfer up; it cannot be confirmed any more.

        Raises
        ------
        StageUsed, StageUnknown, ForeignStage
            It was used already, or is not one of yours.
        """
        with self._noting_refusals(_words_of(staged)), self._taking_turns():
            self._require_own(staged, self._lives())
            self._log("transfer_cancelled", staged)

    # -- settle -------------------------------------------------------------------------------

    def open_intents(self) -> list[OpenIntent]:
        """Return the transfers of this server that were sent and have no known outcome.

        Where another thread or process is sending one at this moment, its end is waited for.
        """
        lives = self._lives_at_rest().values()
        return [intent_of(life) for life in lives if self._is_open_here(life)]

    def warn_of_open_intents(self) -> None:
        """Log a warning for each transfer whose outcome is not known."""
        for intent in self.open_intents():
            log.warning("outcome unknown, run seqdata transfer settle: %s", intent)

    def settle(
        self,
        *,
        choose: Mapping[str, str] | None = None,
        assume_failed: Iterable[str] = (),
    ) -> list[Settlement]:
        """Find out what became of the transfers without a known outcome, from the activity.

        Parameters
        ----------
        choose
            Intent id to transfer id: which of several candidates is the one.
        assume_failed
            Intent ids that a person gives up: not found in two complete readings, the last of
            them 24 hours after the intent or later.

        Returns
        -------
        list of Settlement
            One for each that was open: Completed, Failed, or Unknown with its candidates.

        Raises
        ------
        SettleRefused
            A choice or an assumption that does not hold; the others are settled.
        PagingError, ServiceError, UnexpectedAnswer, AuthenticationError
            The activity could not be read completely. Nothing was settled.
        """
        with self._taking_turns():
            lives = self._lives()
            chosen, given_up = dict(choose or {}), set(assume_failed)
            opened = [life for life in lives.values() if self._is_open_here(life)]
            _require_open({*chosen, *given_up}, opened)
            with self._limits.locked() as records:
                align(records, lives)
            done: list[Settlement] = []
            for intents in _by_organization(opened):
                since = min(one.sent_at for one in intents) - settle.MARGIN
                source = self._source(intents[0].organization_id)
                reading = settle.read_activity(source, since)
                done += Settling(self, lives, intents, reading, chosen, given_up).run()
            return done

    # -- what is allowed ----------------------------------------------------------------------

    def _require_writable(self) -> None:
        if self.is_read_only:
            raise ReadOnlyMode(_OPERATION)

    def _require_attended(self, *, is_sandbox: bool) -> None:
        is_allowed = is_sandbox or self._settings.allow_unattended_transfers
        if not is_allowed and not self._somebody_there():
            raise NobodyThere

    def _require_settled(
        self, source_id: str, destination_id: str, *, despite: bool, lives: Lives | None = None
    ) -> None:
        known = self._lives_at_rest() if lives is None else lives
        for life in known.values():
            if despite or not self._is_open_here(life):
                continue
            intent = intent_of(life)
            if {intent.source_id, intent.destination_id} == {source_id, destination_id}:
                since = intent.sent_at.isoformat(timespec="seconds")
                raise OutcomeOpen(intent.amount_cents, intent.source, intent.destination, since)

    def _require_own(self, staged: StagedTransfer, lives: Lives) -> Life:
        """Compare a staged transfer with what the log says was staged: it is used once."""
        life = lives.get(staged.id)
        if life is None or life.staged is None or staged.app_url != self._settings.app_url:
            raise StageUnknown(staged.id)
        if life.staged.get("user_id") != self._settings.user:
            raise ForeignStage(str(life.staged.get("user_id")), self._settings.user)
        if any(life.staged.get(key) != value for key, value in _logged(staged.facts()).items()):
            raise StageUnknown(staged.id)
        if life.state == "expired":
            raise StageExpired(staged.id, self._settings.stage_seconds)
        if life.state != "staged":
            raise StageUsed(staged.id, life.state)
        return life

    def _require_usable(self, staged: StagedTransfer, lives: Lives) -> None:
        self._require_own(staged, lives)
        # A clock that was set back must not lengthen a life.
        if not staged.staged_at <= self._clock() < staged.expires_at:
            self._log("transfer_expired", staged)
            raise StageExpired(staged.id, self._settings.stage_seconds)

    # -- inside -------------------------------------------------------------------------------

    @contextmanager
    def _taking_turns(self) -> Iterator[None]:
        """Keep all desks of the data folder apart: nothing is in flight but what we hold."""
        with holding(self._lock):
            yield

    def _lives(self) -> Lives:
        self.audit.require_intact()
        return read_lives(self.audit.entries())

    def _lives_at_rest(self) -> Lives:
        """Read the lives while no transfer is in flight; not for who holds the lock."""
        lives = self._lives()
        if any(life.is_open and life.state == "requested" for life in lives.values()):
            with self._taking_turns():
                return self._lives()
        return lives

    def _is_open_here(self, life: Life) -> bool:
        request = life.requested or {}
        here = (self._settings.app_url, self._organization_id or request.get("organization_id"))
        return life.is_open and (request.get("app_url"), request.get("organization_id")) == here

    def _look(self) -> View:
        name = "SelectSourceAndDestination"
        answer = self._client.ask(document(name), None, name)
        organization_id, accounts = read_accounts(answer.data, self._organization_id)
        self._organization_id = organization_id
        served_at = answer.served_at or self._clock()
        return View(organization_id, accounts, served_at, answer.is_sandbox)

    def _kyc(self, organization_id: str) -> str:
        """Return the configured KYC, or the only one of the organization."""
        if self._kyc_id is None:
            self._kyc_id = self._only_kyc(organization_id)
        return self._kyc_id

    def _only_kyc(self, organization_id: str) -> str:
        name = "ActivityLogV2Transfers"
        variables = {
            "organizationId": organization_id, "transferFilter": {}, "after": "", "first": 1,
        }  # fmt: skip
        data = self._client.ask(document(name), variables, name).data
        kycs = expect(expect(data, "organization", dict), "kycs", list)
        ids = [expect(one, "id", str) for one in kycs]
        if len(ids) != 1:
            raise missing("SEQUENCE_KYC_ID", f"This organization has: {', '.join(ids) or 'none'}.")
        return ids[0]

    def _source(self, organization_id: str) -> GraphQLSource:
        return GraphQLSource(self._client, organization_id, clock=self._clock)

    def _log(self, event: str, staged: StagedTransfer, **more: Any) -> None:
        self.audit.log(event, **{**staged.facts(), **more})

    @contextmanager
    def _noting_refusals(self, words: Mapping[str, Any]) -> Iterator[None]:
        """Write every refusal of a safeguard into the audit log, and let it pass on."""
        try:
            yield
        except SafeguardError as error:
            said: Node = {**words, "error": str(error), "refusal": type(error).__name__}
            with suppress(FolderNotWritable):
                self.audit.log("transfer_refused", **said)
            raise


def _require_open(intent_ids: Iterable[str], lives: Iterable[Life]) -> None:
    known = {life.intent_id for life in lives}
    for intent_id in sorted(set(intent_ids) - known):
        raise SettleRefused(intent_id, "no transfer with this id is open here")


def _by_organization(lives: Iterable[Life]) -> list[list[OpenIntent]]:
    found: dict[str, list[OpenIntent]] = {}
    for intent in map(intent_of, lives):
        found.setdefault(intent.organization_id, []).append(intent)
    return list(found.values())


def _words_of(staged: StagedTransfer) -> Node:
    if not isinstance(staged, StagedTransfer):
        raise StageUnknown(repr(staged)[:60])
    return staged.facts()


def _logged(facts: Node) -> Node:
    """Return facts as the audit log keeps them: without what is None."""
    return {key: value for key, value in facts.items() if value is not None}


def _rows_of(ok: Node, organization_id: str) -> list[Node]:
    """Read the newest transfers that the answer carries, as far as it can be understood."""
    try:
        connection = expect(expect(ok, "organization", dict), "transferReferences", dict)
        nodes = [expect(edge, "node", dict) for edge in expect(connection, "edges", list)]
        rows: list[Node] = transfer_table(nodes, organization_id, Drift()).to_pylist()
    except UnexpectedAnswer:
        return []
    return rows


@contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM raise while a transfer is being sent, so that its outcome is written down."""
    is_ours = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    )
    if not is_ours:
        yield
        return
    signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _terminate(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)
