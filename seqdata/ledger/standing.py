"""What is here, how fresh it is, and what was sent: from the record, without pandas or Arrow."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from seqdata.core.moments import Moment, iso_text, moment_of, parse_moment
from seqdata.core.origins import origin_of
from seqdata.core.text import printable
from seqdata.exceptions import CacheMissing, ForeignCache, SequenceError, UnknownOrganization
from seqdata.ledger.words import freshness_words, transfers_words
from seqdata.sources.vocabulary import State, is_debt, is_reversal
from seqdata.store.known import known_organizations
from seqdata.store.shelf import Shelf
from seqdata.sync.certificate import Certificate, certify, combine_certificates

if TYPE_CHECKING:
    from seqdata.config.settings import Settings
    from seqdata.safeguards import TransferDesk
    from seqdata.store import Store

#: Stands for all organizations of a login.
ALL = "all"

#: Columns of the accounts, each with its newest balance.
ACCOUNT_COLUMNS = (
    "kind", "name", "balance_cents", "balance", "is_owed", "as_of", "goal_cents", "goal", "type",
    "provider_type", "institution", "created_at", "missing_since", "closed_at", "id",
    "linked_account_id", "organization_id", "read_from", "first_seen_at", "changed_at",
)  # fmt: skip

_MOMENTS = tuple(name for name in ACCOUNT_COLUMNS if name.endswith(("_at", "_of", "_since")))

ShelfT = TypeVar("ShelfT", bound=Shelf)
MomentT = TypeVar("MomentT")


class Standing(ABC, Generic[ShelfT]):
    """What the records of a login say of themselves.

    Parameters
    ----------
    settings
        Where the data is and which server it is of.
    organization_id
        By default the configured one, else the only one there is. :data:`ALL` holds all
        organizations of the login side by side.
    """

    def __init__(self, settings: Settings, organization_id: str | None = None) -> None:
        self._settings = settings
        self._chosen = organization_id or settings.org_id or _only_cached(settings)

    @property
    def organization_id(self) -> str:
        """Id of the organization; "all" for all of them.

        Raises
        ------
        CacheMissing
            It is neither configured nor known from a sync.

        Examples
        --------
        >>> ledger.organization_id
        """
        if self._chosen is None:
            raise self._nothing_chosen()
        return self._chosen

    @property
    def folder(self) -> Path:
        """Folder of the Parquet tables (of all organizations: the cache folder).

        Examples
        --------
        >>> ledger.folder
        """
        if self._chosen == ALL:
            return self._settings.cache_path
        return self._store_of(self.organization_id).folder

    def certificate(self) -> Certificate:
        """Say whether everything that the service has is here, and what is not known.

        Examples
        --------
        >>> ledger.certificate()
        """
        return combine_certificates([self._certificate(store) for store in self._stores])

    def certificates(self) -> list[dict[str, Any]]:
        """Return the certificate of each organization that is here, as JSON values.

        Examples
        --------
        >>> ledger.certificates()
        """
        ids = (
            cached_organizations(self._settings)
            if self._chosen in (None, ALL)
            else [str(self._chosen)]
        )
        stores = [store for store in map(self._store_of, ids) if store.exists]
        return [
            {
                **self._certificate(store).to_json(),
                "folder": str(store.folder),
                "bytes": store.size(),
            }
            for store in stores
        ]

    def _said(self, moment: MomentT) -> MomentT | str:
        """Return what a person gave as a moment, words as the ISO text that they mean.

        They are said by the service's clock: in a sandbox, "last month" is that of its world.
        """
        if not isinstance(moment, str):
            return moment
        now = datetime.now(UTC)
        if self._cached_stores():
            read = self.certificate()
            if read.last_sync_at and read.finished_at:
                now += read.last_sync_at - read.finished_at
        return iso_text(moment, self._settings.zone, now)

    def _moment(self, said: Moment) -> datetime:
        return parse_moment(self._said(said), self._settings.zone)

    def summary(self) -> dict[str, str]:
        """Say in a few lines what is here and how fresh it is: words to text."""
        stores = self._cached_stores()
        if not stores:
            several = cached_organizations(self._settings)
            if self._chosen is None and several:
                listed = ", ".join(several)
                return {"transfers": f"of several organizations: choose {listed}, or {ALL}"}
            return {"transfers": "none yet: sync() brings them"}
        certificate = self.certificate()
        kinds = [row["kind"] for store in stores for row in store.account_rows()]
        names = {"pod": "pods", "port": "ports", "account": "outside accounts"}
        return {
            "transfers": transfers_words(
                certificate.rows, self._span(stores), certificate.open_transfers
            ),
            "accounts": ", ".join(f"{kinds.count(kind)} {name}" for kind, name in names.items()),
            "last sync": freshness_words(certificate, self._settings.zone),
            "coverage": str(certificate),
            "on disk": f"{sum(store.size() for store in stores) / 1e6:.1f} MB in {self.folder}",
        }

    def sent(self) -> dict[str, list[str]]:
        """Say what the transfers that the desk sent wait for, each in a sentence.

        Returns
        -------
        dict of list of str
            ``unknown``: whose outcome is not known. ``on_their_way``: accepted in the last ten
            days, and not arrived as of the last sync. ``returned``: accepted in the last ten
            days, and then failed at the service.

        Raises
        ------
        AuditChainBroken
            The audit log was changed by something else, so it cannot be said.

        Examples
        --------
        >>> ledger.sent()
        """
        if not self._has_sent:
            return {"unknown": [], "on_their_way": [], "returned": []}
        desk = self._own_desk()
        ids = desk.watched_ids()
        return {
            "unknown": [printable(str(one)) for one in desk.open_intents()],
            "on_their_way": [printable(one.what) for one in desk.underway(self._rows_of(ids))],
            "returned": [str(one) for one in desk.returned()],
        }

    # -- inside -------------------------------------------------------------------------------

    def _check_open(self) -> None:
        """Raise where it was closed; see :class:`seqdata.Ledger`."""

    @abstractmethod
    def _store_of(self, organization_id: str) -> ShelfT:
        """Return what is here of an organization."""

    @property
    def _stores(self) -> list[ShelfT]:
        stores = self._cached_stores()
        if not stores:
            raise CacheMissing(self.folder.resolve())
        return stores

    def _nothing_chosen(self) -> SequenceError:
        """Say why no organization is known: there are several here, none, or another server's."""
        cache = self._settings.cache_path.resolve()
        if several := cached_organizations(self._settings):
            return UnknownOrganization(None, several)
        if others := known_organizations(self._settings.data_dir, self._settings.cache_path):
            return ForeignCache(cache, others[0].app_url, self._settings.app_url)
        return CacheMissing(cache)

    def _cached_stores(self) -> list[ShelfT]:
        """Return the stores of the chosen organizations that hold something."""
        if self._chosen is None:
            return []
        ids = cached_organizations(self._settings) if self._chosen == ALL else [self._chosen]
        return [store for store in map(self._store_of, ids) if store.exists]

    def _certificate(self, store: ShelfT) -> Certificate:
        return certify(store.read_state(), store.organization_id, store.counts())

    def _span(self, stores: list[ShelfT]) -> tuple[datetime, datetime] | None:
        """Tell when the first and the last transfer were made, in the reporting zone."""
        spans = [span for store in stores if (span := store.span())]
        if not spans:
            return None
        zone = self._settings.zone
        return (
            min(first for first, _ in spans).astimezone(zone),
            max(last for _, last in spans).astimezone(zone),
        )

    def _account_rows(self) -> list[dict[str, Any]]:
        """Read the accounts with the newest balance of each, and whether it is owed."""
        rows = [
            {**row, "is_owed": is_debt(row.get("type"))}
            for store in self._stores
            for row in store.account_rows()
        ]
        return sorted(rows, key=lambda row: (row["kind"], row.get("name") or "", row["id"]))

    @property
    def _has_sent(self) -> bool:
        """Whether anything is here that a desk wrote, or left of what it wrote."""
        folder = self._settings.data_dir
        return any(any(folder.glob(f"{name}*")) for name in (".audit", ".daily_limits"))

    def _rows_of(self, transfer_ids: list[str]) -> list[dict[str, Any]]:
        """Read transfers by id: id, status, state, error_reason; one given back has failed."""
        names = ("id", "status", "state", "error_reason")
        return [
            {name: row.get(name) for name in names}
            | ({"state": State.FAILED} if any(map(is_reversal, row["legs"])) else {})
            for store in self._cached_stores()
            for row in store.rows_of(transfer_ids)
        ]

    def _own_desk(self) -> TransferDesk:
        from seqdata.safeguards import TransferDesk

        return TransferDesk(self._settings, None if self._chosen == ALL else self._chosen)


class Stored(Standing["Store"]):
    """Where what is here can also be written."""

    def _store_of(self, organization_id: str) -> Store:
        from seqdata.store import Store

        return Store.open(
            self._settings.data_dir,
            organization_id,
            app_url=self._settings.app_url,
            cache_dir=self._settings.cache_path,
        )


class Brief(Standing[Shelf]):
    """What a command prints that need not read a table."""

    def accounts(self) -> list[dict[str, Any]]:
        """List the accounts as plain values, in the columns of :attr:`Ledger.accounts`.

        Moments are ISO text with the reporting zone's offset; what is missing is None.
        """
        return [self._plain(row) for row in self._account_rows()]

    def _plain(self, row: dict[str, Any]) -> dict[str, Any]:
        zone = self._settings.zone
        for name in _MOMENTS:
            moment = moment_of(row.get(name))
            row[name] = None if moment is None else moment.astimezone(zone).isoformat()
        for name in ("balance", "goal"):
            cents = row.get(f"{name}_cents")
            row[name] = None if cents is None else cents / 100
        return {name: row.get(name) for name in ACCOUNT_COLUMNS}

    def _store_of(self, organization_id: str) -> Shelf:
        settings = self._settings
        where: Any = {"app_url": settings.app_url, "cache_dir": settings.cache_path}
        shelf = Shelf(settings.data_dir, organization_id, **where)
        if shelf.is_sound:
            return shelf
        from seqdata.store import Store  # which mends what can be mended

        return Store.open(settings.data_dir, organization_id, **where)


def _only_cached(settings: Settings) -> str | None:
    """Return the organization of the cache, where it holds just one of this server."""
    known = cached_organizations(settings)
    return known[0] if len(known) == 1 else None


def cached_organizations(settings: Settings) -> list[str]:
    """List the organizations of this server that are here."""
    known = known_organizations(settings.data_dir, settings.cache_path)
    here = origin_of(settings.app_url)
    return [one.organization_id for one in known if origin_of(one.app_url) == here]
