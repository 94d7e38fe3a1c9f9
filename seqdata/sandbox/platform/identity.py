"""Whether a transfer has the same id in both APIs: all, none, or some of them."""

from __future__ import annotations

import re

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

#: Turns an id into another one, and that one back; what makes it a UUID of its kind stays.
_MASK = "5a17c3d2-6b94-0e8f-0c71-3f9d02b65a41"


def twin(own_id: str) -> str:
    """Give the other id of a transfer; of that, the first one."""
    pairs = zip(own_id, _MASK, strict=False)
    return "".join(one if one == "-" else f"{int(one, 16) ^ int(by, 16):x}" for one, by in pairs)


def shown_id(own_id: str, ids: str) -> str:
    """Give the id that a transfer has here, or of that the one that it has in the world."""
    is_one = _UUID.fullmatch(own_id) is not None
    if ids == "equal" or not is_one or (ids == "some" and _keeps(own_id)):
        return own_id
    return twin(own_id)


def _keeps(own_id: str) -> bool:
    """Whether an id is one of those that are equal: so is its twin, or not."""
    return own_id[0] in "01234567"
