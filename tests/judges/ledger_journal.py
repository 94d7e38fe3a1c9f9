"""A plain-text journal of the Parquet tables, for hledger: every movement, every observation.

Written from the tables alone, in SQL, by the service's own rules: money leaves a pod or port when
the transfer is made (but not while it waits for approval), and comes back when it failed; it
reaches one at once from another, and from outside when its payment completed; a completed reversal
gives back what had moved. Nothing here is of the package's analysis.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb

#: What moved each pod and port: id of the transfer, account, moment in UTC, signed cents.
MOVEMENTS = """
WITH own AS (SELECT id FROM accounts WHERE kind IN ('pod', 'port')),
paid AS (SELECT id, max(completed_at) AS done_at FROM legs
         WHERE leg IN ('payment', 'push') AND state = 'settled' GROUP BY id),
undone AS (SELECT id, max(completed_at) AS done_at FROM legs
           WHERE leg = 'reversal' AND state = 'settled' GROUP BY id),
told AS (
    SELECT t.*, t.state IN ('failed', 'cancelled') AS is_returned,
           t.source_id IN (SELECT id FROM own) AS leaves,
           t.destination_id IN (SELECT id FROM own) AS arrives,
           coalesce(t.settled_at, paid.done_at) AS paid_at,
           coalesce(t.returned_at, undone.done_at) AS undone_at
    FROM transfers t LEFT JOIN paid USING (id) LEFT JOIN undone USING (id)
    WHERE t.removed_at IS NULL AND t.amount_cents IS NOT NULL
),
moves AS (
    SELECT id, source_id AS account, created_at AS moment, -amount_cents AS cents FROM told
    WHERE leaves AND status <> 'PENDING_APPROVAL'
    AND (NOT is_returned OR updated_at > created_at)
    UNION ALL
    SELECT id, source_id, updated_at, amount_cents FROM told
    WHERE leaves AND is_returned AND updated_at > created_at
    UNION ALL
    SELECT id, destination_id, CASE WHEN leaves THEN created_at ELSE paid_at END, amount_cents
    FROM told WHERE arrives AND state = 'settled'
    UNION ALL
    SELECT id, source_id, undone_at, amount_cents FROM told
    WHERE leaves AND NOT is_returned AND undone_at IS NOT NULL
    UNION ALL
    SELECT id, destination_id, undone_at, -amount_cents FROM told
    WHERE arrives AND state = 'settled' AND undone_at IS NOT NULL
)
SELECT id, account, epoch_us(moment), cents FROM moves ORDER BY moment, id, account, cents
"""

#: What was observed: account, moment in UTC, cents.
OBSERVATIONS = """
SELECT account_id, epoch_us(moment), balance_cents FROM (
    SELECT account_id, as_of AS moment, balance_cents FROM balances
    UNION SELECT account_id, confirmed_at, balance_cents FROM balances
) WHERE account_id IN (SELECT id FROM accounts WHERE kind IN ('pod', 'port'))
ORDER BY moment, account_id
"""

#: Where money is that moved on one side only.
ELSEWHERE = "assets:elsewhere"


def tables_of(folder: Path) -> duckdb.DuckDBPyConnection:
    """Open the tables of an organization's cache folder as views of their names."""
    db = duckdb.connect()
    db.execute("SET TimeZone = 'UTC'")
    for name in ("transfers", "legs", "accounts", "balances"):
        files = folder / name / "**" / "*.parquet"
        if not (folder / name).is_dir():
            files = folder / f"{name}.parquet"
        db.execute(
            f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{files}', hive_partitioning=false)"
        )
    return db


def journal(db: duckdb.DuckDBPyConnection, *, wrong: str | None = None) -> str:
    """Write the journal; a transfer that is `wrong` moves a cent more than it did.

    An account's balance at its first observation, less what had moved by then, is what it began
    with; every later observation is asserted.
    """
    moves = db.execute(MOVEMENTS).fetchall()
    seen = db.execute(OBSERVATIONS).fetchall()
    first: dict[str, tuple[int, int]] = {}
    for account, at, cents in seen:
        first.setdefault(account, (at, cents))
    entries = []
    for account, (at, cents) in first.items():
        before = sum(moved for _, mine, when, moved in moves if mine == account and when <= at)
        entries.append((0, 0, _moved("opening", account, cents - before, "equity:opening")))
    for id_, account, at, cents in moves:
        more = 0 if id_ != wrong else 1 if cents > 0 else -1
        entries.append((at, 1, _moved(id_, account, cents + more, ELSEWHERE)))
    for account, at, cents in seen:
        entries.append((at, 2, [f"observed {at}", f"    {_name(account)}  $0 = {_dollars(cents)}"]))
    names = [ELSEWHERE, "equity:opening", *map(_name, sorted(first))]
    lines = ["commodity $1,000.00", *(f"account {name}" for name in names)]
    for at, _, (what, *postings) in sorted(entries, key=lambda entry: entry[:2]):
        day = datetime.fromtimestamp(at / 1e6, UTC).date()
        lines += ["", f"{day.isoformat()} {what}", *postings]
    return "\n".join(lines) + "\n"


def _moved(what: str, account: str, cents: int, other: str) -> list[str]:
    return [what, f"    {_name(account)}  {_dollars(cents)}", f"    {other}"]


def _name(account: str) -> str:
    return f"assets:held:{account}"


def _dollars(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}${abs(cents) // 100}.{abs(cents) % 100:02d}"
