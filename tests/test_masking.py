from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdata.sources.webapp.masking import SECRET_FIELDS, mask_number, mask_numbers


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("000123456789", "********6789"),
        ("12345", "*2345"),
        ("1234", "****"),
        ("1", "*"),
        ("", ""),
    ],
)
def test_four_characters_stay(number: str, shown: str) -> None:
    """A number keeps its length and its last four characters; a short one keeps none."""
    assert mask_number(number) == shown


def test_a_node_is_masked_at_every_depth() -> None:
    """Numbers are masked in objects and lists alike; what is null or no number stays."""
    node = {
        "name": "Rent",
        "bankAccountNumber": "000123456789",
        "routingNumber": None,
        "linked": [{"routingNumber": 121000358, "id": "121000358"}],
    }
    assert mask_numbers(node) == {
        "name": "Rent",
        "bankAccountNumber": "********6789",
        "routingNumber": None,
        "linked": [{"routingNumber": "*****0358", "id": "121000358"}],
    }


SECRET = "990011223344"
NODES = st.recursive(
    st.none() | st.booleans() | st.integers(max_value=9_999) | st.text("abc", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "name", "metadata"]), inner)
        | st.builds(
            lambda key, rest: {key: SECRET, "rest": rest},
            st.sampled_from(sorted(SECRET_FIELDS)),
            inner,
        )
    ),
)


@given(NODES)
def test_no_full_number_survives(node: object) -> None:
    """No nesting lets a full number through, and the node that was given is not changed."""
    before = copy.deepcopy(node)
    masked = mask_numbers(node)
    assert SECRET not in json.dumps(masked)
    assert mask_numbers(masked) == masked
    assert node == before
