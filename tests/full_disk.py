"""A disk that is full, without root: files of this process that cannot grow.

`RLIMIT_FSIZE` bounds the size of each single file a process writes, whatever writes it (Python,
pyarrow, SQLite). The soft limit can be lowered and raised again by anybody. What it cannot do:
the error is EFBIG, "File too large", and not ENOSPC; files below the limit are still written.
Both are an `OSError` of `write`, at the same place.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def full_disk(room: int = 0) -> Iterator[None]:
    """Let every write fail that would make a file larger than `room` bytes.

    It holds for all threads of this process, until the block ends. Sockets and pipes are no
    files; the output pytest captures is one, so print nothing inside.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
