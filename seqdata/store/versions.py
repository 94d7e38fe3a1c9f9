"""What was known when: pure functions from the rows of now and their earlier versions.

The versions of a transfer follow one another without a gap: each holds until its replaced_at,
where the next one begins, and the first begins at first_seen_at.
"""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa

from seqdata.core.arrow import Column, pc
from seqdata.sources.schemas import MOMENT, TRANSFERS, VERSIONS
from seqdata.store.merge import newest_first


def versions_of(present: pa.Table, earlier: pa.Table) -> pa.Table:
    """Line up all versions of one transfer (VERSIONS), oldest first.

    Parameters
    ----------
    present
        Its row of TRANSFERS, if it has one.
    earlier
        Its rows of TRANSFER_HISTORY, oldest first.
    """
    earlier = earlier.filter(_replaced(earlier, present))
    rows = pa.concat_tables([earlier.drop_columns("replaced_at"), present])
    until = [*earlier["replaced_at"].to_pylist(), *[None] * present.num_rows]
    since = [*rows["first_seen_at"].to_pylist()[:1], *until[:-1]]
    columns: list[Column] = [*rows.columns, pa.array(since, MOMENT), pa.array(until, MOMENT)]
    return pa.table(columns, schema=VERSIONS)


def as_of(present: pa.Table, earlier: pa.Table, moment: datetime) -> pa.Table:
    """Tell what was known at a moment (TRANSFERS), rows marked removed included.

    Parameters
    ----------
    present
        All rows of TRANSFERS.
    earlier
        All rows of TRANSFER_HISTORY, by id, oldest first.
    """
    at = pa.scalar(moment, MOMENT)
    later = earlier.filter(pc.greater(earlier["replaced_at"], at))
    # Of the versions replaced after the moment, the first is the one that held then.
    ids = later["id"].combine_chunks()
    first = pc.unique(pc.index_in(ids, value_set=ids))
    held = later.take(first).drop_columns("replaced_at")
    same = present.filter(pc.invert(pc.is_in(present["id"], value_set=held["id"].combine_chunks())))
    rows = pa.concat_tables([same, held.cast(TRANSFERS)])
    return newest_first(_seen_by(rows.filter(pc.less_equal(rows["first_seen_at"], at)), at))


def _replaced(earlier: pa.Table, present: pa.Table) -> Column:
    """Tell the versions that were replaced from one whose replacing was cut short."""
    marks = ["last_seen_at", "removed_at"]
    still = present.select(marks).to_pylist()
    return pa.array([row not in still for row in earlier.select(marks).to_pylist()], pa.bool_())


def _seen_by(rows: pa.Table, at: Column) -> pa.Table:
    """Leave last_seen_at empty where it is later: when it was last seen before is not kept."""
    place = rows.schema.get_field_index("last_seen_at")
    later = pc.greater(rows["last_seen_at"], at)
    seen = pc.if_else(later, pa.scalar(None, MOMENT), rows["last_seen_at"])
    return rows.set_column(place, rows.schema.field(place), seen)
