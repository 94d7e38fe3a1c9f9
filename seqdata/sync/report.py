"""What a sync did, and whether the table is complete."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from seqdata.core.shown import Shown
from seqdata.core.text import printable
from seqdata.sources.base import Window
from seqdata.sync.certificate import Certificate, combine_certificates, count_of, plain

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Progress:
    """How far a running sync is.

    ``read`` of ``expected`` (None: not known) of what ``stage`` says: "transfers" or
    "details"; ``cost`` comes once, before the first request for details.
    """

    stage: str
    read: int
    expected: int | None
    requests: int
    cost: Cost | None = None


OnProgress = Callable[[Progress], None]


@dataclass(frozen=True, repr=False)
class Cost(Shown):
    """What fetching details costs.

    ``transfers`` lack them; ``now`` of these are within the budget, which takes so many
    ``requests`` and ``minutes`` at the pace of requests.
    """

    transfers: int
    now: int
    requests: int
    minutes: float

    def __str__(self) -> str:
        budget = f", of which {self.now:,} now" if self.now < self.transfers else ""
        time = "under a minute" if self.minutes < 1 else f"about {self.minutes:.0f} minutes"
        return (
            f"Details of {count_of(self.transfers, 'transfer')}{budget}: "
            f"{count_of(self.requests, 'request')}, {time}"
        )


@dataclass(repr=False)
class SyncReport(Shown):
    """What a sync did, and whether the table is complete.

    Attributes
    ----------
    kind
        "first" (all pages), "resumed" (the rest of a first one), "recent" (the window that can
        have changed) or "full" (all pages again).
    pages, requests
        Pages of transfers read; requests sent, repeats included.
    added, updated, removed
        Transfers new here; changed; and ids of those that vanished from the service.
    in_doubt, accounts_in_doubt
        Ids of transfers and accounts that are here, and that a reading should have shown and did
        not: they are kept, with ``missing_since``.
    moved
        Ids whose created_at moved to another month.
    details, details_missing
        Transfers whose details were fetched, and how many of those wanted are still missing.
    parts
        The reports of each organization, where several were synced.
    open
        Transfers that are not final, whose status can still change.
    rows, expected_rows
        Transfers here and in the service; None where the service does not count.
    unknown_values
        Values the service sent that this version does not know, with how often; each is
        reported by the first sync that meets it.
    unknown_in
        The id of a transfer or account that has each: ``ledger.evidence(id)`` shows what was said.
    changes
        DataFrame of what changed, a row a value: id, column, before, after (all text).
    timezone
        The zone in which ``changes`` writes moments; a ledger's report has the ledger's.
    """

    organization_id: str
    kind: str
    window: Window
    pages: int = 0
    requests: int = 0
    added: int = 0
    updated: int = 0
    removed: list[str] = field(default_factory=list)
    in_doubt: list[str] = field(default_factory=list)
    accounts_in_doubt: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    details: int = 0
    details_missing: int = 0
    accounts: int = 0
    balances: int = 0
    page_size: int | None = None
    seconds: float = 0.0
    synced_at: datetime | None = None
    unknown_values: dict[str, int] = field(default_factory=dict)
    unknown_in: dict[str, str] = field(default_factory=dict)
    certificate: Certificate | None = None
    timezone: str = "UTC"
    changed: list[tuple[str, str, str | None, str | None]] = field(default_factory=list, repr=False)
    parts: list[SyncReport] = field(default_factory=list)

    @property
    def changes(self) -> pd.DataFrame:
        """What changed in this sync, a row a value: id, column, before, after (all text).

        Moments are written as the reporting zone's clock showed them, with its offset.
        """
        import pandas as pd

        names = ["id", "column", "before", "after"]
        rows = [
            (id_, column, *(self._local(column, text) for text in values))
            for id_, column, *values in self.changed
        ]
        return pd.DataFrame(rows, columns=names, dtype="str")

    def _local(self, column: str, text: str | None) -> str | None:
        """Write a moment by the clock of the zone: "2026-10-31 10:00:00-04:00"."""
        if text is None or not column.endswith("_at"):
            return text
        moment = datetime.fromisoformat(text).astimezone(ZoneInfo(self.timezone))
        return moment.isoformat(sep=" ", timespec="seconds" if not moment.microsecond else "auto")

    @property
    def rows(self) -> int:
        """Transfers here."""
        return self.certificate.rows if self.certificate else 0

    @property
    def expected_rows(self) -> int | None:
        """Transfers in the service; None where it does not count."""
        return self.certificate.expected_rows if self.certificate else None

    @property
    def open(self) -> int:
        """Transfers whose status can still change."""
        return self.certificate.open_transfers if self.certificate else 0

    @property
    def is_complete(self) -> bool | None:
        """Whether every transfer of the service is here; None where it does not count."""
        return self.certificate.is_complete if self.certificate else False

    def to_json(self) -> dict[str, Any]:
        """Return the figures as JSON values."""
        hidden = ("changed", "certificate", "window", "parts", "timezone")
        facts = {name: plain(value) for name, value in vars(self).items() if name not in hidden}
        window = {name: plain(value) for name, value in vars(self.window).items()}
        certificate = self.certificate.to_json() if self.certificate else {}
        keys = ("rows", "expected_rows", "is_complete", "gaps")
        kept = {key: certificate.get(key) for key in keys}
        parts = [part.to_json() for part in self.parts]
        return {**facts, "window": window, "open": self.open, **kept, "parts": parts}

    def __str__(self) -> str:
        if self.parts:
            named = (f"{part.organization_id}\n{part}" for part in self.parts)
            return "\n\n".join(named)
        lines = [
            f"{self._kind_words()}: {self.added:,} new, {self.updated:,} changed, "
            f"{len(self.removed):,} removed",
            f"{self._certificate_words()}; {self.accounts} accounts, {self.balances} balances",
            f"{count_of(self.pages, 'page')}, {count_of(self.requests, 'request')}, "
            f"{self.seconds:.1f} seconds",
        ]
        if self.details or self.details_missing:
            lines.append(f"details of {self.details:,}, {self.details_missing:,} still wanted")
        if self.in_doubt or self.accounts_in_doubt:
            lines.append(printable(self._doubt_words()))
        if self.moved:
            lines.append(f"moved to another month: {', '.join(self.moved)}")
        if self.unknown_values:
            new = ", ".join(sorted(self.unknown_values))
            lines.append(
                printable(f"new to seqdata, kept as sent: {new} (seqdata doctor says where)")
            )
        return "\n".join(lines)

    def _doubt_words(self) -> str:
        """Say what the service did not show, with a few of the ids."""
        some = (*self.in_doubt, *self.accounts_in_doubt)
        named = ", ".join(some[:5]) + (f" and {len(some) - 5:,} more" if len(some) > 5 else "")
        return f"not shown by the service, and kept until that is sure (missing_since): {named}"

    def _certificate_words(self) -> str:
        words = str(self.certificate) if self.certificate else "not finished"
        return words[0].upper() + words[1:]

    def _kind_words(self) -> str:
        if self.kind == "recent" and self.window.since is not None:
            return f"Synced what can have changed since {self.window.since:%Y-%m-%d}"
        words = {"first": "First sync", "resumed": "First sync, resumed", "full": "Full sync"}
        return words.get(self.kind, "Synced")


_SUMMED = (
    "pages", "requests", "added", "updated", "details", "details_missing", "accounts", "balances",
    "seconds", "removed", "in_doubt", "accounts_in_doubt", "moved", "changed",
)  # fmt: skip


def combine(reports: Sequence[SyncReport]) -> SyncReport:
    """Put the reports of several organizations together; one alone stays as it is."""
    if len(reports) == 1:
        return reports[0]
    total = SyncReport("all", "several", Window(), parts=list(reports))
    for name in _SUMMED:
        empty: Any = getattr(total, name)
        setattr(total, name, sum((getattr(report, name) for report in reports), empty))
    for report in reports:
        for what, count in report.unknown_values.items():
            total.unknown_values[what] = total.unknown_values.get(what, 0) + count
            total.unknown_in.setdefault(what, report.unknown_in[what])
    total.synced_at = max(filter(None, (r.synced_at for r in reports)), default=None)
    certificates = [report.certificate for report in reports if report.certificate]
    total.certificate = combine_certificates(certificates)
    return total
