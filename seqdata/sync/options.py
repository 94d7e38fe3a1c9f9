"""What a sync is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from seqdata.exceptions import InvalidFilter
from seqdata.sync.report import Cost

DETAIL_CHOICES = ("open", "new", "all")


@dataclass(frozen=True)
class SyncOptions:
    """What a sync is asked to do.

    Parameters
    ----------
    full, since
        Read everything again; read from this moment on.
    overlap, rescan
        How far a recent sync reaches back; how often everything is read again by itself.
    accept_removals
        Believe that many transfers are gone where the first 25 of them are not known any more.
    details
        None, "open", "new" or "all": whose details are fetched.
    max_requests, max_minutes
        Budget of the details; what is left goes on in the next sync.
    details_per_request
        1 asks as the web application does; more asks with GraphQL aliases.
    keep_answers
        Keep what the service said of each thing that changed.
    seconds_per_request
        The pace, for estimates.
    """

    full: bool = False
    since: datetime | None = None
    overlap: timedelta = timedelta(days=30)
    rescan: timedelta = timedelta(days=90)
    accept_removals: bool = False
    details: str | None = None
    max_requests: int | None = None
    max_minutes: float | None = None
    details_per_request: int = 1
    keep_answers: bool = True
    seconds_per_request: float = 2.5

    def __post_init__(self) -> None:
        if self.details is not None and self.details not in DETAIL_CHOICES:
            raise InvalidFilter("details", self.details, DETAIL_CHOICES)
        for name, least in (("details_per_request", 1), ("max_requests", 0), ("max_minutes", 0)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise InvalidFilter(name, value, [f"{least} or more"])
        if self.details is None and (self.max_requests, self.max_minutes) != (None, None):
            raise InvalidFilter("max_requests", self.max_requests, ["with details= only"])
        if self.full and self.since is not None:
            raise InvalidFilter("since", self.since, ["without full=True, which reads everything"])

    def cost(self, transfers: int) -> Cost:
        """Estimate what the details of so many transfers cost, within the budget."""
        requests = -(-transfers // self.details_per_request)
        if self.max_requests is not None:
            requests = min(requests, self.max_requests)
        if self.max_minutes is not None and self.seconds_per_request > 0:
            requests = min(requests, int(self.max_minutes * 60 / self.seconds_per_request))
        now = min(transfers, requests * self.details_per_request)
        return Cost(transfers, now, requests, requests * self.seconds_per_request / 60)

    def is_spent(self, requests: int, seconds: float) -> bool:
        """Tell whether the budget of the details is used up."""
        return (self.max_requests is not None and requests >= self.max_requests) or (
            self.max_minutes is not None and seconds / 60 >= self.max_minutes
        )
