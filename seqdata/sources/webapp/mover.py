"""Money through the web application's API: accounts, a payment, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from seqdata.config import missing
from seqdata.core.secret import Secret, sealed
from seqdata.exceptions import ConfigurationError, ReadOnlyMode, UnknownOrganization
from seqdata.http.messages import Exchange
from seqdata.http.transport import Transport
from seqdata.sources.base import (
    Account,
    Drift,
    Payment,
    Reading,
    Row,
    Verdict,
    View,
    told_apart,
)
from seqdata.sources.rows import legs_in
from seqdata.sources.vocabulary import State, is_reversal
from seqdata.sources.webapp.activity import our_rows, read_activity
from seqdata.sources.webapp.client import SequenceClient
from seqdata.sources.webapp.documents import Node, document, expect
from seqdata.sources.webapp.judging import judge, payment_of
from seqdata.sources.webapp.nodes import transfer_rows
from seqdata.sources.webapp.source import GraphQLSource

if TYPE_CHECKING:
    from seqdata.config.settings import Settings


#: Under which key of an organization the accounts of a kind stand.
_KINDS = {"pod": "pods", "port": "ports", "account": "accounts"}


class WebAppMover:
    """Moves money as the web application does.

    Parameters
    ----------
    settings, transport
        Where, at which pace, and for which KYC.
    token_provider
        Returns an access token that is valid now.
    clock
        Stands in for the service's clock where an answer has no date.
    """

    def __init__(
        self,
        settings: Settings,
        transport: Transport,
        token_provider: Callable[[], str],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings, self._transport, self._clock = settings, transport, clock
        self._token_provider = token_provider
        self._client = SequenceClient("", token_provider, settings=settings, transport=transport)
        self._kyc_ids: dict[str, str] = {}

    def close(self) -> None:
        """Close the connections; may be called again."""
        self._transport.close()

    # -- looking ------------------------------------------------------------------------------

    def accounts(self, organization_id: str | None) -> View:
        """Read the accounts of an organization, in one request.

        Raises
        ------
        UnknownOrganization
            It is not there, or none was chosen and there are several.
        """
        name = "SelectSourceAndDestination"
        answer = self._client.ask(document(name), None, name)
        found, accounts = _read_accounts(answer.data, organization_id)
        return View(found, accounts, answer.served_at, answer.is_sandbox)

    def find(self, organization_id: str, since: datetime) -> Reading:
        """Read all transfers since a moment, completely, or raise PagingError."""
        return read_activity(self._source(organization_id), since)

    def look_up(self, organization_id: str, transfer_ids: Sequence[str]) -> list[Row]:
        """Read transfers by their ids, a request each; one that is paid back is "failed"."""
        source, rows = self._source(organization_id), list[Row]()
        for transfer_id in transfer_ids:
            found = source.fetch_details([transfer_id])
            is_reversed = any(is_reversal(leg) for one in found.details for leg in legs_in(one))
            for row in our_rows(found.rows):
                reason = row["error_reason"] or "its payment was reversed"
                reverted = {"state": State.FAILED, "error_reason": reason} if is_reversed else {}
                rows.append({**row, **reverted})
        return rows

    def _source(self, organization_id: str) -> GraphQLSource:
        return GraphQLSource(self._client, organization_id, clock=self._clock)

    # -- paying -------------------------------------------------------------------------------

    def check(self, organization_id: str) -> None:
        """Raise MissingSetting where it is not known for which KYC a payment is."""
        self._kyc_id(organization_id)

    def prepare(self, payment: Payment, organization_id: str) -> PreparedPayment:
        """Get the KYC and a token, so that nothing is asked for between intent and sending."""
        variables = {
            "id": self._kyc_id(organization_id),
            "source": _end(payment.source),
            "destination": _end(payment.destination),
            "amount": payment.amount_cents,
            "isInstantTransfer": payment.instant,
            "achDescription": payment.note,
        }
        return PreparedPayment(self, sealed(self._token_provider()), variables, organization_id)

    def send(self, prepared: PreparedPayment, why_not_now: Callable[[], str]) -> Verdict:
        """Send a payment, a single time, and judge what left and what came."""
        client = SequenceClient(prepared.token, settings=self._settings, transport=self._transport)
        try:
            exchange = client.send_once(
                "CreatePaymentWithTransfers", prepared.variables, "CreatePayment", why_not_now
            )
        except (ReadOnlyMode, ConfigurationError) as error:  # before anything was sent
            exchange = Exchange(left=False, fault=str(error))
        verdict = judge(exchange)
        if verdict.kind != "accepted":
            return verdict
        return replace(verdict, rows=_shown(verdict.document))

    def _kyc_id(self, organization_id: str) -> str:
        """Return the configured KYC, or the only one of the organization."""
        if self._settings.kyc_id is not None:
            return self._settings.kyc_id.get_secret_value()
        if organization_id not in self._kyc_ids:
            self._kyc_ids[organization_id] = self._only_kyc(organization_id)
        return self._kyc_ids[organization_id]

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


@dataclass(frozen=True)
class PreparedPayment:
    """A payment with its token: sending it asks for nothing any more."""

    mover: WebAppMover = field(repr=False)
    token: Secret = field(repr=False)
    variables: Node = field(repr=False)
    organization_id: str

    def send(self, why_not_now: Callable[[], str]) -> Verdict:
        """Send it, a single time, and judge what left and what came."""
        return self.mover.send(self, why_not_now)


def _end(account: Account) -> Node:
    return {"id": account.id, "type": account.kind.upper()}


def _shown(answer: Node | None) -> tuple[Row, ...]:
    """Read the newest transfers that an accepted payment's answer carries, as far as it does."""
    try:
        ok = expect(payment_of(answer) or {}, "ok", dict)
        connection = expect(expect(ok, "organization", dict), "transferReferences", dict)
        nodes = [expect(edge, "node", dict) for edge in expect(connection, "edges", list)]
        return tuple(our_rows(transfer_rows(nodes, Drift())))
    except Exception:  # noqa: BLE001 - the payment was accepted, whatever else the answer is
        return ()


def _read_accounts(data: Node, organization_id: str | None) -> tuple[str, list[Account]]:
    memberships = expect(expect(data, "me", dict), "memberships", list)
    nodes = [expect(one, "organization", dict) for one in memberships]
    known = {expect(node, "id", str): node for node in nodes}
    chosen = organization_id or (next(iter(known)) if len(known) == 1 else None)
    if chosen is None or chosen not in known:
        raise UnknownOrganization(chosen, known)
    return chosen, told_apart(
        _account(kind, node)
        for kind, key in _KINDS.items()
        for node in expect(known[chosen], key, list)
    )


def _account(kind: str, node: Node) -> Account:
    return Account(
        id=expect(node, "id", str),
        name=expect(node, "name", str),
        kind=kind,
        balance_cents=_balance(node),
        can_be_source=kind != "account" or node.get("canBeSourceOfTransfer") is True,
        institution=_institution(node),
    )


def _institution(node: Node) -> str | None:
    metadata: Any = node.get("metadata")
    inside: Any = metadata.get("institution") if isinstance(metadata, dict) else None
    named: Any = inside.get("name") if isinstance(inside, dict) else None
    return next((one for one in (node.get("institutionName"), named) if isinstance(one, str)), None)


def _balance(node: Node) -> int | None:
    found: Any = node
    for key in ("metadata", "balance", "cents"):
        found = found.get(key) if isinstance(found, dict) else None
    return found if type(found) is int else None
