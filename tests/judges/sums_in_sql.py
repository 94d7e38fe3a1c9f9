"""What each analysis must come to, in SQL over the Parquet tables, by the rules that the docs tell.

A payment counts when it was made or when it arrived, a refund or a reversal when it came; what
failed counts nowhere; no sum depends on ``kind``. Who a payee is and what a transfer was for are
labels that are given; money, moments and parties are the tables' own. Nothing here is of the
package's analysis.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb

TABLES = ("transfers", "legs", "accounts", "balances", "annotations")

#: Each transfer that counts: where it lies, and when it arrived and came back.
TOLD = """
CREATE TABLE told AS
WITH done AS (SELECT id, max(completed_at) FILTER (leg IN ('payment', 'push')) AS paid_at,
                     max(completed_at) FILTER (leg = 'reversal') AS undone_at
              FROM legs WHERE state = 'settled' GROUP BY id)
SELECT t.id, t.state, t.direction, t.amount_cents AS cents, t.created_at, t.updated_at, t.status,
       t.source_id, t.destination_id, t.source_party, t.destination_party,
       coalesce(t.source_party IN ('pod', 'port'), false) AS leaves,
       coalesce(t.destination_party IN ('pod', 'port'), false) AS arrives,
       coalesce(t.source_party IN ('pod', 'port', 'account'), false) AS from_own,
       coalesce(t.destination_party IN ('pod', 'port', 'account'), false) AS to_own,
       coalesce(t.source_party = 'merchant', false) AND t.direction = 'INCOMING' AS is_refund,
       CASE WHEN t.state = 'settled' THEN coalesce(t.settled_at, done.paid_at,
           CASE WHEN t.direction = 'INTERNAL' THEN t.created_at
           ELSE least(t.updated_at, t.created_at + INTERVAL 7 DAY) END) END AS effective_at,
       CASE WHEN t.state = 'settled' THEN coalesce(t.returned_at, done.undone_at) END AS undone_at,
       l.payee, l.category
FROM transfers t LEFT JOIN done USING (id) LEFT JOIN labels l USING (id)
WHERE t.removed_at IS NULL AND t.amount_cents IS NOT NULL
"""

#: The transfers again, those that were split as a row a part; one that does not add up is whole.
LINES = """
CREATE TABLE lines AS
WITH parts AS (
    SELECT a.id, unnest(json_keys(a.split)) AS category, a.split FROM annotations a
    JOIN told USING (id) WHERE a.split IS NOT NULL
    AND told.cents = list_sum([(json_value(a.split, '$."' || k || '"'))::BIGINT
                               FOR k IN json_keys(a.split)])
)
SELECT t.* REPLACE (coalesce(p.category, t.category) AS category,
    coalesce(json_value(p.split, '$."' || p.category || '"')::BIGINT, t.cents) AS cents)
FROM told t LEFT JOIN parts p ON p.id = t.id
"""

#: What was spent: signed cents at a moment; `is_open` where it is on its way.
SPENT = """
CREATE TABLE {name} AS
WITH mine AS (
    SELECT *, CASE WHEN is_refund THEN destination_id ELSE source_id END AS account_id,
           CASE WHEN is_refund THEN destination_id WHEN leaves THEN source_id END AS pod_id
    FROM lines WHERE category NOT IN ({left_out})
    AND (is_refund OR direction = 'OUTGOING')
)
SELECT *, CASE WHEN is_refund THEN effective_at ELSE created_at END AS paid_on,
       effective_at AS settled_on, CASE WHEN is_refund THEN -cents ELSE cents END AS spent_cents,
       0 AS open_cents, id AS counted FROM mine WHERE state = 'settled'
UNION ALL
SELECT *, undone_at, undone_at, CASE WHEN is_refund THEN cents ELSE -cents END, 0, NULL
FROM mine WHERE undone_at IS NOT NULL
UNION ALL
SELECT *, created_at, NULL, 0, cents, NULL FROM mine
WHERE state IN ('open', 'unknown') AND NOT is_refund
"""

#: What crossed a boundary, from the place of each account: signed cents in a column at a moment.
FLOWS = """
CREATE TABLE flows_{boundary} AS
WITH ended AS (
    SELECT *, {leaves} AS goes_out, {arrives} AS comes_in FROM lines
),
crossing AS (
    SELECT id, category, destination_id AS account_id,
           CASE WHEN is_refund THEN 'out' ELSE 'in' END AS way,
           CASE WHEN is_refund THEN -cents ELSE cents END AS cents, effective_at, undone_at,
           state, created_at
    FROM ended WHERE comes_in AND NOT goes_out
    UNION ALL
    SELECT id, category, source_id, 'out', cents, effective_at, undone_at, state, created_at
    FROM ended WHERE goes_out AND NOT comes_in
    UNION ALL
    SELECT id, category, source_id, 'internal', -cents, effective_at, undone_at, state, created_at
    FROM ended WHERE goes_out AND comes_in
    UNION ALL
    SELECT id, category, destination_id, 'internal', cents, effective_at, undone_at, state,
           created_at
    FROM ended WHERE goes_out AND comes_in
)
SELECT account_id, category, way, cents, effective_at AS moment FROM crossing
WHERE state = 'settled'
UNION ALL
SELECT account_id, category, way, -cents, undone_at FROM crossing WHERE undone_at IS NOT NULL
UNION ALL
SELECT account_id, category, 'pending_' || way, cents, created_at FROM crossing
WHERE state IN ('open', 'unknown') AND way <> 'internal'
UNION ALL
SELECT account_id, category, 'transit', sign * cents, moment FROM (
    SELECT source_id AS account_id, category, cents, unnest([1, -1]) AS sign,
           unnest([created_at, CASE WHEN state = 'settled' THEN effective_at
                                    WHEN state IN ('failed', 'cancelled') THEN updated_at END])
           AS moment
    FROM ended WHERE goes_out AND status <> 'PENDING_APPROVAL'
    AND (state NOT IN ('failed', 'cancelled') OR updated_at > created_at)
) WHERE moment IS NOT NULL
"""

#: From whom to where, by ids; a payee or a category has none.
MONEY_FLOW = """
WITH ways AS (
    SELECT id, 1 AS sign, effective_at AS moment, * EXCLUDE (id) FROM lines WHERE state = 'settled'
    UNION ALL
    SELECT id, -1, undone_at, * EXCLUDE (id) FROM lines WHERE undone_at IS NOT NULL
),
named AS (
    SELECT 'income' AS from_kind, coalesce(payee, category) AS from_what,
           destination_party AS to_kind,
           destination_id AS to_what, sign * cents AS cents
    FROM ways WHERE arrives AND NOT from_own AND NOT is_refund
    UNION ALL
    SELECT 'account', source_id, destination_party, destination_id, sign * cents
    FROM ways WHERE arrives AND source_party = 'account'
    UNION ALL
    SELECT source_party, source_id, destination_party, destination_id, sign * cents
    FROM ways WHERE leaves AND arrives AND source_party <> destination_party
    UNION ALL
    SELECT source_party, source_id, 'account', destination_id, sign * cents
    FROM ways WHERE leaves AND NOT arrives AND to_own AND category = 'Moved to own accounts'
    UNION ALL
    SELECT source_party, source_id, 'category', category, sign * cents
    FROM ways WHERE leaves AND NOT arrives
    AND NOT (to_own AND category = 'Moved to own accounts')
    UNION ALL
    SELECT destination_party, destination_id, 'category', category, -sign * cents
    FROM ways WHERE is_refund
),
summed AS (
    SELECT from_kind, from_what, to_kind, to_what, sum(cents)::BIGINT AS cents
    FROM named GROUP BY ALL HAVING sum(cents) <> 0
)
SELECT * FROM summed WHERE cents > 0
UNION ALL
SELECT 'income', 'Refunds', from_kind, from_what, sum(-cents)::BIGINT
FROM summed WHERE cents < 0 AND to_kind = 'category' GROUP BY from_kind, from_what
"""

Cells = dict[tuple[object, ...], tuple[int, ...]]


def opened(folder: Path, labels: Iterable[tuple[str, str, str]]) -> duckdb.DuckDBPyConnection:
    """Open an organization's tables, with the payee and the category of each transfer."""
    db = duckdb.connect()
    db.execute("SET TimeZone = 'UTC'")
    for name in TABLES:
        files = [str(one) for one in sorted((folder / name).rglob("*.parquet"))]
        files = files or [str(folder / f"{name}.parquet")]
        db.execute(
            f"CREATE TABLE {name} AS SELECT * FROM read_parquet({files}, hive_partitioning=false)"
        )
    db.execute("CREATE TABLE labels (id VARCHAR, payee VARCHAR, category VARCHAR)")
    db.executemany("INSERT INTO labels VALUES (?, ?, ?)", list(labels))
    db.execute(TOLD)
    db.execute(LINES)
    for table, left_out in (
        ("spent", "'Internal', 'Moved to own accounts'"), ("spent_and_moved", "'Internal'"),
    ):  # fmt: skip
        db.execute(SPENT.format(name=table, left_out=left_out))
    db.execute(FLOWS.format(boundary="sequence", leaves="leaves", arrives="arrives"))
    db.execute(FLOWS.format(boundary="own", leaves="from_own", arrives="to_own"))
    return db


#: A purchase of a month that is over: the newest that counts in one month alone.
FOCUS = """
SELECT id, source_id, category, payee FROM told WHERE leaves AND destination_party = 'merchant'
AND state = 'settled' AND undone_at IS NULL AND month(created_at) = month(effective_at)
AND created_at < (SELECT max(created_at) - INTERVAL 33 DAY FROM told)
ORDER BY created_at DESC, id LIMIT 1
"""


def focus(db: duckdb.DuckDBPyConnection) -> tuple[str, str, str, str]:
    """Return the id, the pod, the category and the payee of the purchase of FOCUS."""
    (found,) = db.execute(FOCUS).fetchall()
    return found


def one_of(column: str, values: Iterable[str]) -> str:
    """Write a condition."""
    listed = ", ".join("'" + value.replace("'", "''") + "'" for value in values)
    return f"{column} IN ({listed})"


def _day(moment: str, freq: str | None, zone: str) -> str:
    return f"date_trunc('{freq}', timezone('{zone}', {moment}))::DATE" if freq else "NULL"


def spending(
    db: duckdb.DuckDBPyConnection,
    by: str | None,
    freq: str | None,
    zone: str,
    by_day: str,
    where: str = "true",
    moved: bool = False,
) -> Cells:
    """By period and group: spent, open, transfers that settled."""
    period = _day(f"{by_day}_on", freq, zone)
    rows = db.execute(
        f"SELECT {period} AS period, {by or 'NULL'} AS what, sum(spent_cents)::BIGINT, "
        f"sum(open_cents)::BIGINT, count(DISTINCT counted) "
        f"FROM {'spent_and_moved' if moved else 'spent'} "
        f"WHERE {by_day}_on IS NOT NULL AND {where} GROUP BY ALL"
    ).fetchall()
    return {(period, what): tuple(cells) for period, what, *cells in rows}


def shares(db: duckdb.DuckDBPyConnection, by: str, freq: str, zone: str) -> Cells:
    """By period and group: its share of all and of its period, in millionths of millionths."""
    rows = db.execute(
        f"WITH summed AS (SELECT {_day('paid_on', freq, zone)} AS period, {by} AS what, "
        f"sum(spent_cents)::HUGEINT AS cents FROM spent WHERE paid_on IS NOT NULL GROUP BY ALL), "
        f"whole AS (SELECT *, sum(cents) OVER () AS total, "
        f"sum(cents) OVER (PARTITION BY period) AS period_total FROM summed) "
        f"SELECT period, what, {_share('total')}, {_share('period_total')} FROM whole"
    ).fetchall()
    return {(period, what): tuple(cells) for period, what, *cells in rows}


def _share(whole: str) -> str:
    is_part = f"cents >= 0 AND {whole} > 0 AND cents <= {whole}"
    return f"CASE WHEN {is_part} THEN round(cents::DOUBLE / {whole} * 1e12)::BIGINT ELSE -1 END"


def texts(db: duckdb.DuckDBPyConnection, words: Iterable[str]) -> Cells:
    """By state, transfers in whose names, note or reason one of some words is: sum and count."""
    like = " OR ".join(
        f"contains(lower(coalesce({column}, '')), lower('{word}'))"
        for word in words
        for column in ("description", "source_name", "destination_name", "error_reason", "id")
    )
    rows = db.execute(
        f"SELECT state, sum(amount_cents)::BIGINT, count(*) FROM transfers "
        f"WHERE removed_at IS NULL AND amount_cents IS NOT NULL AND ({like}) GROUP BY ALL"
    ).fetchall()
    return {(state,): tuple(cells) for state, *cells in rows}


def compared(
    db: duckdb.DuckDBPyConnection, zone: str, bounds: Iterable[tuple[str, str]], by_day: str
) -> dict[str, list[int]]:
    """By category, what was spent between each two moments of the zone's clock."""
    sums = ", ".join(
        f"coalesce(sum(spent_cents) FILTER (timezone('{zone}', {by_day}_on) >= '{one}' "
        f"AND timezone('{zone}', {by_day}_on) < '{end}'), 0)::BIGINT"
        for one, end in bounds
    )
    rows = db.execute(f"SELECT category, {sums} FROM spent GROUP BY category").fetchall()
    return {name: cells for name, *cells in rows if any(cells)}


def cash_flow(
    db: duckdb.DuckDBPyConnection,
    by: str | None,
    freq: str,
    zone: str,
    boundary: str,
    where: str = "true",
) -> Cells:
    """By period and group: in, out, net, internal, in transit, pending in and out."""
    ways = ("in", "out", "internal", "transit", "pending_in", "pending_out")
    sums = ", ".join(
        f"coalesce(sum(cents) FILTER (way = '{way}'), 0)::BIGINT AS {way}_cents" for way in ways
    )
    rows = db.execute(
        f"SELECT period, what, in_cents, out_cents, in_cents - out_cents, internal_cents, "
        f"transit_cents, pending_in_cents, pending_out_cents FROM (SELECT "
        f"{_day('moment', freq, zone)} AS period, {by or 'NULL'} AS what, {sums} "
        f"FROM flows_{boundary} WHERE {where} GROUP BY ALL)"
    ).fetchall()
    return {(period, what): tuple(cells) for period, what, *cells in rows if any(cells)}


def money_flow(db: duckdb.DuckDBPyConnection) -> Cells:
    """By what it came from and went to: cents."""
    rows = db.execute(MONEY_FLOW).fetchall()
    return {(*ends,): (cents,) for *ends, cents in rows}


#: At the end of each period, what an account held: walked from the last observation before, or
#: back from the first. Days are compared, for a midnight can come twice where clocks go back.
ENDS = """
WITH days AS (
    SELECT unnest(generate_series(
        (SELECT timezone('{zone}', min(created_at))::DATE FROM told),
        (SELECT timezone('{zone}', max(confirmed_at))::DATE FROM balances), INTERVAL 1 DAY
    ))::DATE AS day
),
ends AS (
    SELECT day FROM days
    WHERE day < (SELECT timezone('{zone}', max(confirmed_at))::DATE FROM balances)
    AND date_trunc('{freq}', day) <> date_trunc('{freq}', day + 1)
),
seen AS (
    SELECT *, timezone('{zone}', moment)::DATE AS seen_on FROM (
        SELECT account_id, as_of AS moment, balance_cents FROM balances
        UNION SELECT account_id, confirmed_at, balance_cents FROM balances
    )
),
moved AS (
    SELECT account, moved_at, cents,
           timezone('{zone}', make_timestamptz(moved_at))::DATE AS moved_on
    FROM ({moves}) m(id, account, moved_at, cents)
),
anchors AS (
    SELECT day, account_id, coalesce(max(moment) FILTER (seen_on <= day), min(moment)) AS moment
    FROM ends, seen WHERE account_id IN (SELECT id FROM accounts WHERE kind IN ('pod', 'port'))
    GROUP BY ALL
)
SELECT a.day, a.account_id, (any_value(s.balance_cents) + coalesce(sum(
    CASE WHEN epoch_us(a.moment) < moved_at AND moved_on <= a.day THEN m.cents
         WHEN moved_at <= epoch_us(a.moment) AND moved_on > a.day THEN -m.cents
         ELSE 0 END), 0))::BIGINT
FROM anchors a JOIN seen s ON s.account_id = a.account_id AND s.moment = a.moment
LEFT JOIN moved m ON m.account = a.account_id
GROUP BY a.day, a.account_id
"""


def ends(db: duckdb.DuckDBPyConnection, freq: str, zone: str, moves: str) -> Cells:
    """By the last day of a period and account: what it held. `moves` says what moved it."""
    rows = db.execute(ENDS.format(freq=freq, zone=zone, moves=moves)).fetchall()
    return {(day, account): (cents,) for day, account, cents in rows}
