"""The official API: laws of its ids, moments, permissions and pages."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdata.sandbox.platform.identity import shown_id, twin
from seqdata.sandbox.platform.keys import read_permissions
from seqdata.sandbox.platform.lists import Found, Stretch, merged
from seqdata.sandbox.platform.shapes import NotInOrder, check, read_moment
from seqdata.sandbox.world.clock import micros

IDS = st.uuids(version=4).map(str)
KEYS = st.lists(st.tuples(st.integers(0, 50), st.text("abc", min_size=1, max_size=3)), unique=True)
OFFSETS = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
YEARS = {"min_value": datetime(1970, 1, 2), "max_value": datetime(2100, 1, 1)}


@given(IDS)
def test_the_other_id_leads_back(own_id: str) -> None:
    """The id in one API gives the one in the other, both ways, and is another UUID."""
    assert twin(twin(own_id)) == own_id != twin(own_id)
    for ids in ("equal", "none", "some"):
        assert shown_id(shown_id(own_id, ids), ids) == own_id
    assert twin(own_id)[14] == "4"
    assert twin(own_id)[19] in "89ab"


@given(st.text())
def test_what_is_no_id_stays(text: str) -> None:
    """What cannot be an id is looked for as it is."""
    if len(text) != 36:
        assert shown_id(text, "none") == text


@given(st.datetimes(**YEARS, timezones=OFFSETS))
def test_a_moment_is_read_in_any_offset(at: datetime) -> None:
    """A moment with an offset is the same instant; without one it is refused."""
    assert read_moment("from", at.isoformat()) == micros(at)
    utc = at.astimezone(UTC)
    assert read_moment("from", f"{utc:%Y-%m-%dT%H:%M:%S.%f}Z") == micros(at)
    with pytest.raises(NotInOrder):
        read_moment("from", at.replace(tzinfo=None).isoformat())


@given(st.text())
def test_any_text_is_a_moment_or_refused(text: str) -> None:
    """No text is anything but a moment or a refusal."""
    with suppress(NotInOrder):
        assert isinstance(read_moment("to", text), int)


@given(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()))
def test_whole_numbers_are_those_of_json_schema(value: object) -> None:
    """100.0 is an integer, true is none."""
    is_whole = not isinstance(value, bool) and isinstance(value, int | float) and value % 1 == 0
    try:
        check("n", value, {"type": "integer"})
        assert is_whole
    except NotInOrder:
        assert not is_whole


ALL_OR_IDS = st.one_of(st.just("all"), st.lists(IDS, unique=True).map(sorted))
PERMISSIONS = st.fixed_dictionaries(
    {}, optional={"READ_ACCOUNTS": ALL_OR_IDS, "READ_TRANSFERS": ALL_OR_IDS,
                  "READ_RULES": ALL_OR_IDS, "TRIGGER_RULES": ALL_OR_IDS,
                  "READ_AUDIT_LOGS": st.just(True)},
)  # fmt: skip


@given(PERMISSIONS)
def test_permissions_are_written_as_they_are_read(asked: dict[str, object]) -> None:
    """What is asked for is what is said of the key."""
    assert read_permissions(asked).described() == asked


@given(st.lists(KEYS, max_size=4), st.integers(1, 7))
def test_pages_of_merged_lists_are_the_whole(lists: list[list[tuple[int, str]]], size: int) -> None:
    """Page after page gives each key once, newest first, whatever lists it stands in."""
    stretches = [Stretch(sorted(keys), None, None) for keys in lists]
    found, whole = Found(merged(stretches)), sorted({key for keys in lists for key in keys})
    pages = [found.rows(start, start + size) for start in range(0, len(whole) + size, size)]
    assert [key for page in pages for key in page] == whole[::-1]
    assert all(one > other for one, other in pairwise(found.rows(0, 10**6)))


@given(KEYS, st.integers(0, 50), st.integers(0, 50))
def test_a_stretch_is_what_lies_between(
    keys: list[tuple[int, str]], since: int, until: int
) -> None:
    """Both bounds belong to it, and any slice of it is that slice."""
    stretch = Stretch(sorted(keys), since, until)
    wanted = sorted((key for key in keys if since <= key[0] <= until), reverse=True)
    assert stretch.rows(0, 10**12) == wanted == list(stretch)
    assert stretch.rows(2, 4) == wanted[2:4]
