"""JSON is read and written as it comes, whatever it holds."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from seqdata.core.json import compact_json, parse_json

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False),
    st.text(), st.text(st.characters(categories=["Cs", "Lu"])),
)  # fmt: skip
DOCUMENTS = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12
)


@given(DOCUMENTS)
@example({"half": "\ud83d", "long": 2**64, "short": -(2**63), "é": [0.1, 1e300, "\x00"]})
def test_what_is_written_is_read_again(document: Any) -> None:
    """Any document comes back as it was, by our reader and by the standard library's."""
    written = compact_json(document)
    assert parse_json(written) == document
    assert json.loads(written) == document
    assert b"\n" not in written


@given(st.dictionaries(st.text(), SCALARS))
def test_equal_objects_are_written_alike(document: dict[str, Any]) -> None:
    """With sorted keys, the order in which an object was made leaves no trace."""
    turned = dict(reversed(document.items()))
    assert compact_json(document, sort_keys=True) == compact_json(turned, sort_keys=True)
