"""The transfer desk: the one door through which money moves.

``stage`` shows what will happen, ``confirm`` does it, ``cancel`` does not. The order of a
confirm is what protects the money: look again, reserve, write the intent down, send once,
write the outcome down. Whatever dies in between, the next desk finds on the disk what may have
happened.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from seqdata.auth import access_token_for
from seqdata.config import get_settings
from seqdata.core.files import fixed_path
from seqdata.core.logs import logger
from seqdata.core.origins import why_no_origin
from seqdata.core.secret import Secret
from seqdata.exceptions import (
    ClockOff,
    FolderNotWritable,
    ForeignStage,
    InvalidSetting,
    LedgerClosed,
    NobodyThere,
    OutcomeNotRecorded,
    OutcomeOpen,
    ReadOnlyMode,
    SafeguardError,
    SequenceError,
    StageExpired,
    StageUnknown,
    StageUsed,
    UsageError,
)
from seqdata.http.transport import Transport, open_transport
from seqdata.safeguards import checks, matching
from seqdata.safeguards.accounts import find_account
from seqdata.safeguards.aftermath import Aftermath, decisions_of
from seqdata.safeguards.attendance import is_attended
from seqdata.safeguards.audit import Entry, utc_now
from seqdata.safeguards.book import Book, Lives
from seqdata.safeguards.bounds import Limits
from seqdata.safeguards.live_rules import LiveRules
from seqdata.safeguards.lives import (
    DRY_RUN,
    Life,
    OpenIntent,
    claimed_ids,
    intent_of,
    own_cents_since,
)
from seqdata.safeguards.outcomes import (
    Completed,
    ConfirmOutcome,
    Failed,
    Outcome,
    Rehearsed,
    Returned,
    Settlement,
    Unknown,
)
from seqdata.safeguards.scope import Scope
from seqdata.safeguards.settling import outcome_shown_by, write_returned
from seqdata.safeguards.signals import terminable, undisturbed
from seqdata.safeguards.staged import StagedTransfer, expected_settlement
from seqdata.sources.base import Account, Mover, Payment, Prepared, Row, Verdict, View
from seqdata.sources.webapp.mover import WebAppMover

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from seqdata.config.settings import Settings

__all__ = ["Limits", "TransferDesk"]

log = logger(__name__)


#: How far the clocks of this machine and of a real service may lie apart.
CLOCKS_APART = timedelta(hours=1)


#: The intents that this process began to send: no file that was put back makes it forget them.
_SENT_HERE: set[str] = set()


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
        # Whatever os.chdir does, tokens, log and limits are those of one folder.
        settings = replace(settings, data_dir=fixed_path(settings.data_dir))
        if organization_id is not None and not isinstance(organization_id, str):
            raise UsageError(f"organization_id={organization_id!r} cannot be used. Expected text.")
        if why := why_no_origin(Secret(settings.app_url)):
            raise InvalidSetting("SEQUENCE_APP_URL", why)
        self._settings = settings
        self._scope = Scope(settings.user, settings.app_url, organization_id or settings.org_id)
        self._is_closed = False
        self._mover: Mover = WebAppMover(
            settings,
            transport or open_transport(settings),
            token_provider or partial(access_token_for, settings),
            clock,
        )
        self._clock = clock
        self._somebody_there = somebody_there
        self._book = Book(settings.data_dir, settings.zone, clock)
        self._aftermath = Aftermath(self._book, self._mover, self._scope, clock)
        self._rules = LiveRules(settings)
        #: The audit log of the data folder.
        self.audit = self._book.audit

    @classmethod
    def open(cls, organization_id: str | None = None) -> TransferDesk:
        """Open the desk of the configured account; warn of what a person should know.

        That is: transfers with no known outcome, and those that failed at the service after it
        had accepted them.

        Raises
        ------
        InvalidSetting
            A SEQUENCE_ variable has a value that cannot be used.
        AuditChainBroken
            The audit log was changed by something else, so what is open is not known.
        """
        desk = cls(get_settings(), organization_id)
        desk.warn()
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
        return self._rules.read_only

    def close(self) -> None:
        """Close the connections; it sends nothing any more. May be called again."""
        self._is_closed = True
        self._mover.close()

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
        self._require_open()
        view = self._mover.accounts(self._scope.organization_id)
        self._scope.organization_id = view.organization_id
        return view

    def limits(self) -> Limits:
        """Read what may still be moved today; asks the service nothing.

        Raises
        ------
        LimitsUnreadable
            The file cannot be understood. It is left as it is.
        """
        most = self._rules.daily_cents
        with self._book.day() as day:
            left = max(0, most - day.used_cents)
            return Limits(self._rules.transfer_cents, most, left, day.date)

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
            Id, or whole name: its case and blanks do not matter; ``pod:``, ``port:`` or
            ``account:`` before it asks for that kind. A part of a name is not taken.
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
            checks.check_amount(cents, self._rules.transfer_cents)
            view = self.look()
            once = self.once_known()
            staged = self._staged(
                view,
                find_account(source, view.accounts, once),
                find_account(destination, view.accounts, once),
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
        self._require_clock(view)
        checks.check_parties(source, destination)
        checks.check_balance(source, cents)
        self._require_settled(source.id, destination.id, despite=given["despite_unknown"])
        self._mover.check(view.organization_id)
        settings, now = self._settings, self._clock()
        return StagedTransfer(
            id=str(uuid.uuid4()),
            user=settings.user,
            source=source,
            destination=destination,
            amount_cents=cents,
            staged_at=now,
            expires_at=now + timedelta(seconds=settings.stage_seconds),
            transfer_limit_cents=self._rules.transfer_cents,
            daily_limit_cents=self._rules.daily_cents,
            daily_left_cents=self._left_after(cents),
            organization_id=view.organization_id,
            app_url=settings.app_url,
            is_sandbox=view.is_sandbox,
            expected=expected_settlement(source, destination, instant=given["instant"]),
            **given,
        )

    def once_known(self) -> frozenset[str]:
        """Return the ids of the accounts that were an end of a transfer before.

        Such an id is never looked for among the names.
        """
        staged = [life.staged for life in self._book.lives_at_rest().values() if life.staged]
        ends = ("source_id", "destination_id")
        known = (entry.get(end) for entry in staged for end in ends)
        return frozenset(one for one in known if isinstance(one, str))

    def _left_after(self, cents: int) -> int:
        with self._book.day() as day:
            return checks.check_day(day, cents, self._rules.daily_cents)

    # -- confirm ------------------------------------------------------------------------------

    def confirm(self, staged: StagedTransfer, *, dry_run: bool = False) -> ConfirmOutcome:
        """Send a staged transfer, once, after checking everything again.

        Parameters
        ----------
        dry_run
            Do all of it but the sending. The staged transfer can still be used.

        Returns
        -------
        Completed, Failed, Returned or Unknown
            Each has ``.status``, ``.accepted``, ``.arrived`` and ``.service_status``. After
            Unknown the amount stays counted; never send it again, see :meth:`settle`. Returned
            was accepted, and failed at the service. A dry run returns Rehearsed.

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
        self._require_open()
        with self._noting_refusals(_words_of(staged)), self._book.turn():
            lives = self._book.mended()
            self._require_usable(staged, lives)
            self._require_writable()
            more: Entry = {DRY_RUN: True} if dry_run else {}
            confirmed = self._log("transfer_confirmed", staged, **more)
            view = self.look()
            self._check_again(staged, view, lives)
            prepared = self._mover.prepare(_payment_of(staged), view.organization_id)
            more |= {
                "served_at": (view.served_at or self._clock()).isoformat(),
                "is_sandbox": view.is_sandbox,
                "zone": str(self.zone),
            }
            self._reserve(staged, {**more, "confirmed_seq": confirmed["seq"]}, dry_run=dry_run)
            self._write_intent(staged, more)
            if dry_run:
                self._record(staged, Rehearsed(staged.id))
                return Rehearsed(staged.id)
            return self._send_and_record(staged, prepared)

    def _check_again(self, staged: StagedTransfer, view: View, lives: Lives) -> None:
        if view.organization_id != staged.organization_id:
            raise StageUnknown(staged.id)
        source = view.account(staged.source.id)
        destination = view.account(staged.destination.id)
        self._require_clock(view)
        checks.check_same_name(staged.source, source)
        checks.check_same_name(staged.destination, destination)
        checks.check_note(staged.note)
        checks.check_amount(staged.amount_cents, self._rules.transfer_cents)
        checks.check_parties(source, destination)
        shown = staged.source.balance_cents or 0
        own = own_cents_since(lives, lives[staged.id], staged.user, source.id)
        checks.check_not_fallen(source, shown, own)
        checks.check_balance(source, staged.amount_cents)
        self._require_settled(
            source.id, destination.id, despite=staged.despite_unknown, lives=lives
        )
        self._require_attended(is_sandbox=view.is_sandbox)

    def _reserve(self, staged: StagedTransfer, more: Entry, *, dry_run: bool) -> None:
        """Count the amount to today, on the disk, where it fits; a dry run only looks."""
        with self._book.day() as day:
            self._require_own(staged, day.lives)  # as it is now, while nobody else can write
            day.mend()
            checks.check_day(day, staged.amount_cents, self._rules.daily_cents)
            if not dry_run:
                day.reserve({**staged.facts(), **more}, staged.user)

    def _write_intent(self, staged: StagedTransfer, more: Entry) -> None:
        """Write down that it is sent now, in both files."""
        self._book.require_turn()
        try:
            self._log("transfer_requested", staged, state="reserved", **more)
            if DRY_RUN not in more:
                with self._book.day() as day:
                    day.mark_requested(staged.id)
            self._book.require_turn()
        except BaseException:  # nothing was sent: whatever was written, it has failed
            with suppress(SequenceError):
                self._log("transfer_failed", staged, error="it was never sent", **more)
            self._book.update_reservation(staged.id, "failed")
            raise

    # -- sending ------------------------------------------------------------------------------

    def _send_and_record(self, staged: StagedTransfer, prepared: Prepared) -> Outcome:
        known: Outcome = Unknown("it was interrupted while sending", staged.id)
        _SENT_HERE.add(staged.id)
        try:
            with terminable():
                verdict = _sent(prepared, partial(self._why_not_now, staged))
                known = _told(verdict, staged.id)
                if isinstance(known, Completed):
                    known = self._identified(verdict, staged)
        except BaseException:
            with suppress(SequenceError):
                self._record(staged, known)
            raise
        with undisturbed():
            self._record(staged, known)
        return known

    def _why_not_now(self, staged: StagedTransfer) -> str:
        """Look a last time, before the first byte leaves; "" where it may.

        This program may have been stopped for hours since the last check.
        """
        with self._book.day() as day:  # which may wait for another program
            if why := day.why_not_sent(staged.id):
                return why
            if not self._book.holds_turn:
                return "the lock that keeps transfers apart was taken away"
            if not staged.staged_at <= self._clock() < staged.expires_at:
                return "its review has expired meanwhile"
            return ""

    def _identified(self, verdict: Verdict, staged: StagedTransfer) -> Completed | Returned:
        """Learn the new transfer's id: from the answer, else from one reading of the activity."""
        try:
            found = self._own_rows(verdict.rows, staged)
        except Exception as error:  # noqa: BLE001 - the money has moved, whatever this is
            return Completed(None, str(error) or type(error).__name__, staged.id)
        if len(found) != 1:
            return Completed(None, f"{len(found)} transfers could be this one", staged.id)
        return outcome_shown_by(found[0], staged.id)

    def _own_rows(self, shown: Iterable[Row], staged: StagedTransfer) -> list[Row]:
        lives = self._book.lives()
        intent, claimed = intent_of(lives[staged.id]), claimed_ids(lives)
        found = matching.shown(shown, intent, claimed)
        if len(found) == 1:
            return found
        reading = self._mover.find(staged.organization_id, matching.earliest(intent))
        return matching.matches(reading.rows, intent, claimed)

    def _record(self, staged: StagedTransfer, outcome: ConfirmOutcome) -> None:
        """Write an outcome down: the audit log first, which the reservation follows."""
        event, facts = _event_of(outcome)
        try:
            self._log(f"transfer_{event}", staged, **facts)
            if isinstance(outcome, Returned):
                life = self._book.lives()[staged.id]
                write_returned(self._book, life, self.user, outcome)
                return
        except SequenceError as error:
            raise OutcomeNotRecorded(outcome.status, staged.id, str(error), str(outcome)) from error
        state = "failed" if isinstance(outcome, Rehearsed) else event
        self._book.update_reservation(staged.id, state, facts.get("transfer_id"))

    # -- cancel -------------------------------------------------------------------------------

    def cancel(self, staged: StagedTransfer) -> None:
        """Give a staged transfer up; it cannot be confirmed any more.

        Raises
        ------
        StageUsed, StageUnknown, ForeignStage
            It was used already, or is not one of yours.
        """
        with self._noting_refusals(_words_of(staged)), self._book.turn():
            self._require_own(staged, self._book.mended())  # a dead program may have reserved it
            self._book.require_turn()
            self._log("transfer_cancelled", staged)
            life = self._book.lives()[staged.id]
            if life.requested is not None:  # a program that was stopped went on meanwhile
                raise StageUsed(staged.id, life.state)

    # -- what became of it --------------------------------------------------------------------

    def open_intents(self) -> list[OpenIntent]:
        """Return the transfers of this server that were sent and have no known outcome.

        Where another thread or process is sending one at this moment, its end is waited for.
        """
        return self._aftermath.open_intents()

    def returned(self) -> list[Settlement]:
        """Return the transfers of the last days that failed at the service after it took them."""
        return self._aftermath.returned()

    def warn(self) -> None:
        """Log a warning for each transfer with no known outcome, or that failed afterwards."""
        for intent in self.open_intents():
            log.warning("outcome unknown, run seqdata transfer settle: %s", intent)
        for settlement in self.returned():
            log.warning("accepted, and then failed at the service: %s", settlement.sentence)

    def outcome_of(self, intent_id: str) -> Outcome | None:
        """Return what the audit log says became of a transfer; None where none was sent."""
        return self._aftermath.outcome_of(intent_id)

    def settle(
        self,
        *,
        choose: Mapping[str, str] | None = None,
        none_of: Iterable[str] = (),
        assume_failed: Iterable[str] = (),
    ) -> list[Settlement]:
        """Find out what became of transfers, from the activity.

        Of those without a known outcome; and of those that the service accepted in the last ten
        days, which can still fail there.

        Parameters
        ----------
        choose
            Intent id to transfer id: which of several candidates is the one.
        none_of
            Intent ids of which a person knows that no candidate is the one: these are never
            offered for it again.
        assume_failed
            Intent ids that a person gives up: not found in two complete readings, some minutes
            apart, the last of them 24 hours after the intent or later.

        Returns
        -------
        list of Settlement
            One for each that was open: Completed, Returned, Failed, or Unknown with its
            candidates. Then one, Returned, for each that failed after it was accepted.

        Raises
        ------
        SettleRefused
            A choice or an assumption that does not hold.
        PagingError, ServiceError, UnexpectedAnswer, AuthenticationError
            An organization's activity could not be read completely. What was found of other
            transfers is written down, and stands in the error's ``settled``.
        """
        self._require_open()
        return self._aftermath.settle(decisions_of(choose, none_of, assume_failed))

    def watched_ids(self) -> list[str]:
        """Return the service's ids of the transfers that it accepted in the last ten days."""
        return self._aftermath.watched_ids()

    def compare(self, rows: Iterable[Row]) -> list[Settlement]:
        """Compare accepted transfers with rows of the activity that were read anyway.

        Parameters
        ----------
        rows
            With id, status, error_reason and ``state``.

        Returns
        -------
        list of Settlement
            The transfers of which it was found just now that they failed at the service.
        """
        return self._aftermath.compare(rows)

    def underway(self, rows: Iterable[Row]) -> list[OpenIntent]:
        """Return accepted transfers of the last days that have not arrived, by rows as above.

        One that no row shows yet has arrived only if its own answer said so.
        """
        return self._aftermath.underway(rows)

    # -- what is allowed ----------------------------------------------------------------------

    def _require_open(self) -> None:
        if self._is_closed:
            raise LedgerClosed("transfer desk")

    def _require_writable(self) -> None:
        if self.is_read_only:
            raise ReadOnlyMode("CreatePayment")

    def _require_attended(self, *, is_sandbox: bool) -> None:
        is_allowed = is_sandbox or self._rules.allow_unattended
        if not is_allowed and not self._somebody_there():
            raise NobodyThere

    def _require_clock(self, view: View) -> None:
        """Refuse where it is not sure which day it is; a sandbox's clock is its own."""
        now, there = self._clock(), view.served_at
        if view.is_sandbox or (there is not None and abs(now - there) < CLOCKS_APART):
            return
        raise ClockOff(_minute(now), "nothing" if there is None else _minute(there))

    def _require_settled(
        self, source_id: str, destination_id: str, *, despite: bool, lives: Lives | None = None
    ) -> None:
        known = self._book.lives_at_rest() if lives is None else lives
        for life in known.values():
            if despite or not self._scope.has_open(life):
                continue
            intent = intent_of(life)
            ends = {intent.source_id, intent.destination_id}
            if ends == {source_id, destination_id} or "" in ends:  # it may be any two
                since = intent.sent_at.isoformat(timespec="seconds")
                raise OutcomeOpen(intent.amount_cents, intent.source, intent.destination, since)

    def _require_own(self, staged: StagedTransfer, lives: Lives) -> Life:
        """Compare a staged transfer with what the log says was staged: it is used once."""
        life = lives.get(staged.id)
        is_here = self._scope.is_server(staged.app_url)
        if life is None or life.staged is None or not is_here:
            raise StageUnknown(staged.id)
        if life.staged.get("user_id") != self._settings.user:
            raise ForeignStage(str(life.staged.get("user_id")), self._settings.user)
        if any(not _is_same(life.staged.get(key), value) for key, value in staged.facts().items()):
            raise StageUnknown(staged.id)
        if life.state == "expired":
            raise StageExpired(staged.id, self._settings.stage_seconds)
        if life.state not in ("staged", "confirmed") or life.requested is not None:
            raise StageUsed(staged.id, life.state)
        if staged.id in _SENT_HERE:
            raise StageUsed(staged.id, "sent by this very program, whatever its files say now")
        return life

    def _require_usable(self, staged: StagedTransfer, lives: Lives) -> None:
        self._require_own(staged, lives)
        # A clock that was set back must not lengthen a life.
        if not staged.staged_at <= self._clock() < staged.expires_at:
            self._log("transfer_expired", staged)
            raise StageExpired(staged.id, self._settings.stage_seconds)

    # -- inside -------------------------------------------------------------------------------

    def _log(self, event: str, staged: StagedTransfer, **more: Any) -> Entry:
        return self._book.write(event, {**staged.facts(), **more})

    @contextmanager
    def _noting_refusals(self, words: Mapping[str, Any]) -> Iterator[None]:
        """Write every refusal of a safeguard into the audit log, and let it pass on."""
        try:
            yield
        except SafeguardError as error:
            said: Entry = {**words, "error": str(error), "refusal": type(error).__name__}
            with suppress(FolderNotWritable):
                self.audit.log("transfer_refused", **said)
            raise


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _payment_of(staged: StagedTransfer) -> Payment:
    return Payment(
        staged.source, staged.destination, staged.amount_cents, staged.note, staged.instant
    )


def _sent(prepared: Prepared, why_not_now: Callable[[], str]) -> Verdict:
    try:
        return prepared.send(why_not_now)
    except Exception as error:  # noqa: BLE001 - whatever it is, the money may have moved
        return Verdict("unknown", (str(error) or type(error).__name__).rstrip(". "))


def _told(verdict: Verdict, intent_id: str) -> Outcome:
    """Return the outcome that a verdict alone allows: of an accepted one the id is missing."""
    if verdict.kind == "failed":
        return Failed(verdict.why, intent_id)
    if verdict.kind == "accepted":
        return Completed(None, "it was interrupted before its id was known", intent_id)
    return Unknown(verdict.why, intent_id)


def _event_of(outcome: ConfirmOutcome) -> tuple[str, Entry]:
    """Return the event of an outcome, without ``transfer_``, and what is written with it."""
    facts: Entry = {"served_state": outcome.status, "service_status": outcome.service_status}
    if isinstance(outcome, Completed):
        why = outcome.why_no_id or None
        said = {"transfer_id": outcome.transfer_id, "why_no_id": why, "arrived": outcome.arrived}
        return "completed", {**facts, **said}
    if isinstance(outcome, Returned):  # it was accepted first
        return "completed", {**facts, "transfer_id": outcome.transfer_id}
    if isinstance(outcome, Failed):
        return "failed", {**facts, "error": outcome.reason}
    if isinstance(outcome, Unknown):
        return "unknown", {**facts, "error": outcome.why}
    return "rehearsed", {**facts, DRY_RUN: True}


def _words_of(staged: StagedTransfer) -> Entry:
    """Return what a staged transfer says of itself; StageUnknown where no desk made it so."""
    try:
        facts = staged.facts()
        json.dumps(facts)
        texts = (facts["intent_id"], facts["app_url"])
        is_whole = isinstance(staged, StagedTransfer) and all(type(one) is str for one in texts)
    except (AttributeError, TypeError, ValueError):
        is_whole = False
    if not is_whole:
        said = getattr(staged, "id", staged)
        raise StageUnknown(said if type(said) is str else repr(said)[:60])
    return facts


def _is_same(logged: object, value: object) -> bool:
    """Tell whether a value is the one that was logged: 500.0 is not 500, and None is no other."""
    return type(logged) is type(value) and logged == value
