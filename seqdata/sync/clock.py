"""The service's time in one sync: what its answers agree on, and not what one of them says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from statistics import median_low
from typing import NamedTuple, TypeVar

from seqdata.core.logs import logger
from seqdata.core.moments import micros
from seqdata.sources.base import Delivery, Snapshot, TransferDetails

#: Answers of one sync whose clocks are further apart than this do not agree.
TOLERANCE = timedelta(minutes=10) // timedelta(microseconds=1)

D = TypeVar("D", bound=Delivery)

log = logger(__name__)


class Voice(NamedTuple):
    """What one answer says of the time, and how far that is from this machine's timer."""

    served_at: datetime
    offset: int


class ServiceClock:
    """Compares what the answers of one sync say of the time; the middle one is believed.

    Parameters
    ----------
    timer
        Seconds that pass on this machine: answers are not given at one moment.
    """

    def __init__(self, timer: Callable[[], float]) -> None:
        self._timer = timer
        self._offsets: list[int] = []

    def heard(self, served_at: datetime) -> Voice:
        """Note what an answer says of the time."""
        voice = Voice(served_at, micros(served_at) - round(self._timer() * 1_000_000))
        self._offsets.append(voice.offset)
        return voice

    @property
    def is_torn(self) -> bool:
        """Whether there are two answers and they do not agree: a third has to decide."""
        return len(self._offsets) == 2 and max(self._offsets) - min(self._offsets) > TOLERANCE

    def moment(self, voice: Voice) -> datetime:
        """Return what an answer says of the time, or what it should have said."""
        wrong_by = voice.offset - median_low(self._offsets)
        if abs(wrong_by) <= TOLERANCE:
            return voice.served_at
        log.warning("the service's clock: an answer said %s, others disagree", voice.served_at)
        return voice.served_at - timedelta(microseconds=wrong_by)


def at(delivery: D, moment: datetime) -> D:
    """Return a delivery as one that was served at a moment."""
    if delivery.served_at == moment:
        return delivery
    if isinstance(delivery, Snapshot):
        seen = {"as_of": micros(moment), "confirmed_at": micros(moment)}
        balances = [{**row, **seen} for row in delivery.balances]
        return replace(delivery, served_at=moment, balances=balances)
    if isinstance(delivery, TransferDetails):
        details = [{**row, "fetched_at": micros(moment)} for row in delivery.details]
        return replace(delivery, served_at=moment, details=details)
    return replace(delivery, served_at=moment)
