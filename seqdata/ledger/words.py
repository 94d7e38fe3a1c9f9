"""What a ledger says of itself: amounts, ages and spans in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

from seqdata.sync.certificate import Certificate


def transfers_words(rows: int, span: tuple[datetime, datetime] | None, waiting: int) -> str:
    """Say how many transfers there are, of which days, and how many are open."""
    if span is None:
        return f"{rows:,}" if rows else "none"
    first, last = span
    return f"{rows:,} from {first:%Y-%m-%d} to {last:%Y-%m-%d}, {waiting} open"


def freshness_words(certificate: Certificate, zone: tzinfo) -> str:
    """Say when the last sync was on the service's clock, and how long ago on this machine's."""
    if certificate.last_sync_at is None:
        return "not finished: sync() goes on where it stopped"
    moment = certificate.last_sync_at.astimezone(zone)
    ago = datetime.now(UTC) - (certificate.finished_at or certificate.last_sync_at)
    return f"{moment:%Y-%m-%d %H:%M %Z} ({_ago(ago)})"


def _ago(span: timedelta) -> str:
    minutes = span.total_seconds() / 60
    if minutes < 1.5:
        return "just now"
    if minutes < 90:
        return f"{minutes:.0f} minutes ago"
    if minutes < 48 * 60:
        return f"{minutes / 60:.0f} hours ago"
    return f"{minutes / 1440:.0f} days ago"
