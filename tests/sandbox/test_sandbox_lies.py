"""The lies of the sandbox: each changes what it says, once, and the world is what it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from sandbox_http import NOW, Answer, Http

from seqdata.sandbox import Sandbox
from seqdata.sandbox.faults.lies import ACCOUNTS, DETAILS, LIES, PAGES, Lie
from seqdata.sources.webapp.documents import document

#: What each lie changes of two answers: a page and the next one, the accounts twice, two details.
CHANGES = {
    "rows_missing": "edges: 20 to 17",
    "list_ends": "edges: 20 to 10, pageInfo.endCursor, pageInfo.hasNextPage",
    "list_empty": "edges: 20 to 0, pageInfo.endCursor, pageInfo.hasNextPage",
    "no_next_page": "pageInfo.hasNextPage",
    "page_shifted": "edges.*.cursor x20, edges.*.node: another x20, pageInfo.endCursor",
    "cursor_ahead": "pageInfo.endCursor",
    "rows_doubled": "edges: 20 to 40",
    "rows_reversed": "edges.*.cursor x20, edges.*.node: another x20",
    "page_shifted_back": "edges.*.cursor x20, edges.*.node: another x20, pageInfo.endCursor",
    "cursor_back": "pageInfo.endCursor",
    "filter_ignored": "edges.*.cursor x20, edges.*.node: another x20, pageInfo.endCursor",
    "one_id_twice": "edges.*.node.id x2",
    "stale_page": "edges: 20 to 8, numberOfTransfers.count",
    "stale_detail": "transferReference",
    "detail_of_before": "transferReference.status",
    "previous_page": "edges.*.cursor x20, edges.*.node: another x20, pageInfo.endCursor",
    "previous_detail": "transferReference: another",
    "status_of_before": "edges.*.node.status x18",
    "updated_earlier": "edges.*.node.updatedAt x20",
    "page_of_other_organization": "organization: another",
    "other_organization": "id",
    "other_transfer": "transferReference: another",
    "detail_of_other_organization": "organization: another",
    "other_operation": "me: gone, organization: another",
    "accounts_swapped": "ports.*.id x2",
    "names_swapped": "accounts.*.name x10, pods.*.name x24, ports.*.name x6",
    "parties_swapped": "edges.*.node.destination: another x2",
    "no_pods": "pods: 12 to 0",
    "no_outside_accounts": "accounts: 5 to 0",
    "pod_missing": "pods: 12 to 11",
    "no_membership": "me.memberships: 2 to 0",
    "one_membership": "me.memberships: 2 to 1",
    "null_row": "edges.*",
    "null_node": "edges.*.node",
    "null_rows": "edges",
    "null_page": "transferReferences",
    "null_organization": "organization",
    "null_page_info": "pageInfo",
    "null_cursor": "pageInfo.endCursor",
    "null_amount": "edges.*.node.amount",
    "null_source": "edges.*.node.source",
    "null_pods": "pods",
    "null_pod": "pods.*",
    "null_balances": "accounts.*.metadata.balance x8, pods.*.metadata.balance x24, "
                     "ports.*.metadata.balance x6",
    "null_me": "me",
    "null_transfer": "transferReference",
    "null_details": "transferReference.details",
    "field_missing": "edges.*.node.status: gone x20",
    "field_renamed": "edges.*.node.status: gone x20, edges.*.node.statusV2: new x20",
    "amount_renamed": "edges.*.node.amount.amountInCents: new x20, "
                      "edges.*.node.amount.cents: gone x20",
    "rows_renamed": "edges: gone, edgesV2: new",
    "amount_as_text": "edges.*.node.amount.cents x20",
    "amount_as_dollars": "edges.*.node.amount.cents x20",
    "moment_as_number": "edges.*.node.createdAt x20",
    "id_as_object": "edges.*.node.id",
    "status_unknown": "edges.*.node.status",
    "balance_as_text": "ports.*.metadata.balance.cents",
    "pods_renamed": "pods: gone, podsV2: new",
    "amount_huge": "edges.*.node.amount.cents",
    "amount_negative": "edges.*.node.amount.cents",
    "amount_zero": "edges.*.node.amount.cents",
    "text_huge": "edges.*.node.description",
    "text_half": "edges.*.node.description",
    "text_controls": "edges.*.node.description",
    "id_half": "edges.*.node.id",
    "name_half": "ports.*.name",
    "balance_huge": "ports.*.metadata.balance.cents",
    "created_date_alone": "edges.*.node.createdAt",
    "created_year_1": "edges.*.node.createdAt",
    "created_year_9999": "edges.*.node.createdAt",
    "created_in_a_year": "edges.*.node.createdAt x20",
    "updated_in_a_year": "edges.*.node.updatedAt x20",
    "date_ahead": "date",
    "date_behind": "date",
    "accounts_date_ahead": "date",
    "accounts_date_behind": "date",
    "date_missing": "date",
    "date_unreadable": "date",
    "count_zero": "numberOfTransfers.count",
    "count_more": "numberOfTransfers.count",
    "count_fewer": "numberOfTransfers.count",
    "count_negative": "numberOfTransfers.count",
    "count_huge": "numberOfTransfers.count",
    "count_text": "numberOfTransfers.count",
    "count_null": "numberOfTransfers.count",
    "body_empty": "body, content-type",
    "body_no_content": "body, content-type, status",
    "body_html": "body, content-type",
    "body_redirect": "body, content-type, status",
    "body_null": "body",
    "body_list": "body",
    "body_text": "body",
    "body_object": "data: gone",
    "body_no_data": "data",
    "says_try_again": "data, errors: new",
    "says_cursor": "data, errors: new",
    "says_size": "data, errors: new",
    "says_not_found": "data, errors: new",
    "says_logged_out": "data, errors: new",
    "data_beside_errors": "errors: new",
    "data_under_500": "status",
    "data_under_404": "status",
    "data_as_html": "content-type",
}  # fmt: skip


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    """Serve a small world of two organizations to all tests of lies."""
    with Sandbox(now=NOW, months=1, organizations=2) as box:
        yield box


@pytest.fixture
def box(shared: Sandbox) -> Iterator[Sandbox]:
    """Give the shared world to one test, and let no fault outlive it."""
    yield shared
    shared.clear_faults()


def ask(web: Http, operation: str, **variables: Any) -> Answer:
    """Ask as the package does."""
    name = f"{operation}Counted" if operation == PAGES else operation
    known = {"organizationId": web.box.organization_id, **variables}
    return web.graphql(document(name), None if operation == ACCOUNTS else known)


def pages(web: Http) -> Iterator[Answer]:
    """Ask for a page of the day before, and for the page after it, by its true cursor."""
    until = (web.box.now - timedelta(days=1)).isoformat()
    asked = {"transferFilter": {"createdAt": {"end": until}}, "first": 20}
    page = web.page(first=20, filter=asked["transferFilter"])["transferReferences"]
    after = page["pageInfo"]["endCursor"]
    yield ask(web, PAGES, **asked, after="")
    yield ask(web, PAGES, **asked, after=after)


def settled(box: Sandbox) -> list[str]:
    """The two newest transfers that have ended."""
    rows = box.transfers(box.organization_id)
    return [row["id"] for row in rows if row["status"] == "COMPLETE"][:2]


def answers(web: Http, operation: str) -> list[Answer]:
    """What the API says to two questions of an operation."""
    if operation == PAGES:
        return list(pages(web))
    if operation == DETAILS:
        return [ask(web, DETAILS, id=one) for one in settled(web.box)]
    return [ask(web, ACCOUNTS), ask(web, ACCOUNTS)]


def facts(answer: Answer) -> dict[str, Any]:
    """All of an answer: its status, two headers, and its JSON, or its text."""
    try:
        body = answer.json
    except ValueError:
        body = answer.body
    headers = {name: answer.headers[name] for name in ("date", "content-type")}
    return {"status": answer.status, **headers, "body": body}


def is_another(true: Any, told: Any) -> bool:
    """Whether two objects have different ids, and more that differs."""
    if not (isinstance(true, dict) and isinstance(told, dict)) or true.get("id") == told.get("id"):
        return False
    return {**true, "id": None} != {**told, "id": None}


def differences(true: Any, told: Any, path: str = "") -> Iterator[str]:
    """Where two values differ: paths, with rows as `*`, and what became of the length of a list."""
    if is_another(true, told):
        yield f"{path}: another"
    elif isinstance(true, dict) and isinstance(told, dict):
        for name in true.keys() | told.keys():
            inner = f"{path}.{name}".removeprefix(".")
            if name not in told:
                yield f"{inner}: gone"
            elif name not in true:
                yield f"{inner}: new"
            else:
                yield from differences(true[name], told[name], inner)
    elif isinstance(true, list) and isinstance(told, list):
        if len(true) != len(told):
            yield f"{path}: {len(true)} to {len(told)}"
        else:
            for one, other in zip(true, told, strict=True):
                yield from differences(one, other, f"{path}.*")
    elif (type(true), true) != (type(told), told):
        yield path


def shortened(place: str) -> str:
    """A path without what every path begins with."""
    for lead in ("body.", "data.", "organization.", "transferReferences."):
        place = place.removeprefix(lead)
    return place.replace("me.memberships.*.organization.", "")


def told(box: Sandbox, lie: Lie) -> str:
    """What a lie changes of two answers, as text: paths, and how often."""
    web = Http(box)
    true = [facts(one) for one in answers(web, lie.operation)]
    assert web.request("POST", "/sandbox/faults", lie.fault).status == 200
    lied = [facts(one) for one in answers(web, lie.operation)]
    found = Counter(place for pair in zip(true, lied, strict=True) for place in differences(*pair))
    places = sorted((shortened(place), n) for place, n in found.items())
    return ", ".join(f"{place} x{n}" if n > 1 else place for place, n in places)


def waiting(web: Http) -> list[Any]:
    """The faults that have not acted as often as asked."""
    found: list[Any] = web.request("GET", "/sandbox/faults").json["waiting"]
    return found


def test_every_lie_says_what_it_changes() -> None:
    """Each lie has its line in the table, but the one that needs a world that moves."""
    assert {*CHANGES, "previous_accounts"} == LIES.keys()


@pytest.mark.parametrize("lie", [LIES[name] for name in CHANGES], ids=lambda lie: lie.name)
def test_a_lie_changes_what_it_says_and_nothing_else(box: Sandbox, lie: Lie) -> None:
    """A lie acts once and changes what it says; the world, and the next answers, are as before."""
    web = Http(box)
    world = box.transfers()
    true = [facts(one) for one in answers(web, lie.operation)]
    assert told(box, lie) == CHANGES[lie.name]
    assert waiting(web) == []
    assert [facts(one) for one in answers(web, lie.operation)] == true
    assert box.transfers() == world


def test_the_accounts_of_before_come_out_of_a_cache() -> None:
    """A day later the accounts come once more with the balances that they had."""
    with Sandbox(now=NOW, months=1) as box:
        web = Http(box)
        before = facts(ask(web, ACCOUNTS))["body"]
        box.advance(days=3)
        box.fail(**LIES["previous_accounts"].fault)
        assert facts(ask(web, ACCOUNTS))["body"] == before
        assert facts(ask(web, ACCOUNTS))["body"] != before


def test_a_database_that_lags_shows_what_it_knew(box: Sandbox) -> None:
    """Of some days ago: rows since then are missing, changed ones pending, the count is less."""
    web, days = Http(box), 4
    then = (box.now - timedelta(days=days)).isoformat()[:19]
    known = {row["id"]: row for row in box.transfers(box.organization_id)}
    box.fail("stale", operation=PAGES, hours=24 * days)
    asked = {"transferFilter": {}, "first": 100, "after": "", "numberOfTransfersFilter": {}}
    organization = ask(web, PAGES, **asked).json["data"]["organization"]
    shown = [edge["node"] for edge in organization["transferReferences"]["edges"]]
    old = [one for one in known.values() if one["created_at"] <= then][: len(shown)]
    assert [one["id"] for one in shown] == [one["id"] for one in old]
    assert organization["numberOfTransfers"]["count"] == len(
        [one for one in known.values() if one["created_at"] <= then]
    )
    changed = [one for one in old if one["updated_at"] > then]
    assert changed
    assert [
        one["id"]
        for one in shown
        if one["updatedAt"] == one["createdAt"] and one["id"] in {row["id"] for row in changed}
    ] == [row["id"] for row in changed]
    assert {one["status"] for one in shown
            if one["id"] in {row["id"] for row in changed}} == {"PENDING"}  # fmt: skip


def test_a_lie_can_wait_for_its_time() -> None:
    """Between `since` and `until` of the world's clock a fault acts, before and after not."""
    with Sandbox(now=NOW, months=1) as box:
        web = Http(box)
        since, until = box.now + timedelta(hours=1), (box.now + timedelta(hours=3)).isoformat()
        box.fail("wrong_body", operation=ACCOUNTS, times=9, since=since, until=until)
        bodies = []
        for _ in range(4):
            bodies.append(ask(web, ACCOUNTS).body == b"")
            box.advance(hours=1)
        assert bodies == [False, True, True, False]
        assert waiting(web)[0]["since"] == "2026-11-01T01:00:00Z"


def test_a_lie_can_be_of_a_page_further_down(box: Sandbox) -> None:
    """With `after` the first pages are true, with `times` several are not."""
    box.fail("wrong_page", variant="missing", rows=2, after=1, times=2)
    rows = Http(box).walk(first=20)
    known = [row["id"] for row in box.transfers(box.organization_id)]
    lost = {known[place] for place in (20, 21, 40, 41)}
    assert [row["id"] for row in rows] == [one for one in known if one not in lost]


@pytest.mark.parametrize(("by", "first_row"), [(3, 23), (-3, 17), (-1_000, 0)])
def test_a_page_can_be_shifted(box: Sandbox, by: int, first_row: int) -> None:
    """A page begins further down, further up, or at most with the newest row."""
    known = [row["id"] for row in box.transfers(box.organization_id)]
    web = Http(box)
    after = web.page(first=20)["transferReferences"]["pageInfo"]["endCursor"]
    box.fail("shifted_page", by=by)
    rows = web.page(first=20, after=after)["transferReferences"]["edges"]
    assert [row["node"]["id"] for row in rows] == known[first_row : first_row + 20]


def test_the_cursor_that_leads_back_and_the_one_that_leads_ahead(box: Sandbox) -> None:
    """One shows the first page again, the other leaves out a week."""
    web = Http(box)
    first, cursors = web.page(first=20)["transferReferences"], []
    for variant in ("back", "ahead"):
        box.fail("wrong_page", variant=variant)
        cursors.append(web.page(first=20)["transferReferences"]["pageInfo"]["endCursor"])
    back, ahead = (web.page(first=20, after=one)["transferReferences"] for one in cursors)
    assert back["edges"] == first["edges"]
    gap = [page["edges"][end]["node"]["createdAt"] for page, end in ((first, -1), (ahead, 0))]
    moments = [datetime.fromisoformat(one) for one in gap]
    assert moments[0] - moments[1] >= timedelta(days=7)


def test_a_date_is_as_far_off_as_asked(box: Sandbox) -> None:
    """The Date header is days off the world's clock, or is missing, or is no date."""
    web = Http(box)
    dates = []
    for options in ({"days": 400}, {"days": -400}, {"value": None}, {"value": "yesterday"}):
        box.fail("wrong_header", **options)
        dates.append(ask(web, ACCOUNTS).headers["date"])
    assert [parsedate_to_datetime(date) - box.now for date in dates[:2]] == [
        timedelta(days=400),
        timedelta(days=-400),
    ]
    assert dates[2:] == [None, "yesterday"]


def test_half_of_a_character_comes_as_javascript_writes_it(box: Sandbox) -> None:
    """Half of a surrogate pair is escaped in an answer's JSON, and is there when it is read."""
    box.fail("wrong_value", field="id", variant="half_character", row=3)
    answer = ask(Http(box), PAGES, transferFilter={}, first=5, after="")
    rows = answer.json["data"]["organization"]["transferReferences"]["edges"]
    assert answer.body.count(b"\\ud83d") == 1
    assert [row["node"]["id"][-1] == "\ud83d" for row in rows] == [False] * 3 + [True, False]


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        ("wrong_page", {"variant": "odd"}, "variant is one of"),
        ("wrong_value", {"variant": "odd"}, "variant is one of"),
        ("wrong_body", {"variant": "odd"}, "variant is one of"),
        ("misheard", {"variant": "odd"}, "variant is one of"),
        ("cached_answer", {"variant": "odd"}, "variant is one of"),
        ("wrong_header", {"name": "Content-Length"}, "none of content-length"),
        ("wrong_header", {"name": "a b"}, "name is that of a header"),
        ("shifted_page", {"by": 0.5}, "by is a whole number"),
        ("stale", {"hours": -1}, "hours is a number"),
        ("wrong_status", {"status": 99}, "status is a whole number"),
        ("renamed_field", {"of": "planet"}, "of is one of"),
        ("slow", {"since": "soon"}, "'soon' is not a date"),
        ("slow", {"until": 5}, "until is a date"),
    ],
)
def test_lies_that_mean_nothing_are_refused(
    box: Sandbox, kind: str, options: dict[str, Any], words: str
) -> None:
    """An option that a lie does not have is refused, from Python and over HTTP."""
    with pytest.raises(ValueError, match=words):
        box.fail(kind, **options)
    answer = Http(box).request("POST", "/sandbox/faults", {"kind": kind, **options})
    assert answer.status == 400
    assert words in answer.json["message"]
