"""What the service does to its records afterwards, several organizations, the truth in parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sandbox_http import NOW, Http

from seqdata.sandbox import Sandbox

Row = dict[str, Any]


def pick(box: Sandbox, keep: Callable[[Row], object]) -> Row:
    """Find the newest transfer of a kind."""
    return next(row for row in box.transfers() if keep(row))


def last_balances(box: Sandbox) -> dict[str, int]:
    return {key: list(days.values())[-1] for key, days in box.balances().items() if days}


def ids(rows: list[Row]) -> list[str]:
    return [row["id"] for row in rows]


def test_removed_transfers_are_gone_everywhere(web: Http, box: Sandbox) -> None:
    """A removed row is in no page, no count, no detail and not in the truth; no balance moves."""
    before, money = box.transfers(), last_balances(box)
    gone = ids(before)[3:6]
    box.remove_transfers(gone)
    expected = [own_id for own_id in ids(before) if own_id not in gone]
    assert ids(web.walk()) == ids(box.transfers()) == expected
    assert web.page()["numberOfTransfers"]["count"] == len(expected)
    query = (
        "query ($id: ID!, $t: ID!) { organization(id: $id) { transferReference(id: $t) { id } } }"
    )
    answer = web.graphql(query, {"id": box.organization_id, "t": gone[0]})
    assert answer.json["data"]["organization"]["transferReference"] is None
    assert last_balances(box) == money


def test_restored_transfers_are_as_before(web: Http, box: Sandbox) -> None:
    """Removing and restoring rows over HTTP leaves the truth as it was."""
    before = box.transfers()
    some = ids(before)[::7]
    assert web.request("POST", "/sandbox/remove", {"ids": some}).json == {"removed": some}
    assert len(box.transfers()) == len(before) - len(some)
    assert web.request("POST", "/sandbox/restore", {"ids": some}).json == {"restored": some}
    assert box.transfers() == before
    assert ids(web.walk()) == ids(before)


def test_unknown_ids_are_named_and_nothing_is_removed(web: Http, box: Sandbox) -> None:
    """An id that is not visible, or not removed, is named in a ValueError and a 400."""
    before = box.transfers()
    with pytest.raises(ValueError, match="no visible transfer has the id nobody"):
        box.remove_transfers([before[0]["id"], "nobody"])
    with pytest.raises(ValueError, match="no removed transfer"):
        box.restore_transfers([before[0]["id"]])
    assert web.request("POST", "/sandbox/remove", {"ids": ["nobody"]}).status == 400
    assert box.transfers() == before


def test_a_removed_deposit_does_not_arrive_before_it_is_restored(box: Sandbox) -> None:
    """A pending row without postings is frozen while removed, and completes when restored."""
    box.advance(days=9)
    row = pick(
        box,
        lambda row: (
            (row["status"], row["activity_type"]) == ("PENDING", "ONE_TIME_TRANSFER")
            and row["direction"] == "INCOMING"
        ),
    )
    box.remove_transfers([row["id"]])
    box.advance(days=10)
    pod = row["destination"]["id"]
    before = last_balances(box)[pod]
    box.restore_transfers([row["id"]])
    back = pick(box, lambda other: other["id"] == row["id"])
    assert back["status"] == "COMPLETE"
    assert back["updated_at"] == "2026-11-20T00:00:00Z"
    assert last_balances(box)[pod] == before + row["amount_cents"]


def test_a_removed_purchase_goes_on_unseen(box: Sandbox) -> None:
    """A pending row whose money has left completes while it is away, and is restored so."""
    row = pick(box, lambda row: row["status"] == "PENDING" and row["postings"])
    box.remove_transfers([row["id"]])
    box.advance(days=40)
    box.restore_transfers([row["id"]])
    assert pick(box, lambda other: other["id"] == row["id"])["status"] != "PENDING"


@pytest.mark.parametrize("silently", [False, True])
def test_a_transfer_moves_in_time(web: Http, box: Sandbox, silently: bool) -> None:
    """A row whose createdAt is moved stands at its new place, and nothing else changes."""
    row = box.transfers()[5]
    box.advance(hours=1)
    known = box.transfers()
    box.move_created_at(row["id"], "2026-10-02T03:04:05.678901Z", silently=silently)
    moved = pick(box, lambda other: other["id"] == row["id"])
    assert moved["created_at"] == "2026-10-02T03:04:05.678Z"
    changed = {key for key in row if row[key] != moved[key]}
    assert changed == ({"created_at"} if silently else {"created_at", "updated_at"})
    assert ids(web.walk()) == ids(box.transfers()) != ids(known)
    assert sorted(ids(known)) == sorted(ids(box.transfers()))


def test_words_are_corrected_later(web: Http, box: Sandbox) -> None:
    """A correction changes the words and updatedAt, from Python and over HTTP."""
    box.advance(hours=1)
    own_id = box.transfers()[-1]["id"]
    box.edit_transfer(own_id, description="corrected")
    given = {"id": own_id, "error_reason": "R10", "silently": True}
    assert web.request("POST", "/sandbox/edit", given).json == {"edited": own_id}
    row = box.transfers()[-1]
    assert (row["description"], row["error_reason"]) == ("corrected", "R10")
    assert row["updated_at"] == "2026-11-01T01:00:00Z"
    node = web.walk()[-1]
    assert (node["description"], node["updatedAt"]) == ("corrected", row["updated_at"])
    given = {"id": own_id, "created_at": "2026-10-30T00:00:00Z"}
    assert web.request("POST", "/sandbox/edit", given).status == 200
    assert box.transfers()[-1]["id"] != own_id


def test_corrections_that_cannot_be_are_refused(web: Http, box: Sandbox) -> None:
    """An amount, the future and a time without a zone are refused."""
    own_id = box.transfers()[0]["id"]
    with pytest.raises(ValueError, match="not cents"):
        box.edit_transfer(own_id, cents=1)
    with pytest.raises(ValueError, match="future"):
        box.move_created_at(own_id, "2027-01-01T00:00:00Z")
    with pytest.raises(ValueError, match="zone"):
        box.move_created_at(own_id, "2026-01-01T00:00:00")
    assert web.request("POST", "/sandbox/edit", {"id": own_id, "cents": 1}).status == 400


# -- several organizations ---------------------------------------------------------


@pytest.fixture(scope="module")
def pair() -> Iterator[Sandbox]:
    """Serve two organizations of one user: tests only read them."""
    with Sandbox(now=NOW, months=1, organizations=2) as box:
        yield box


def test_organizations_differ_in_size_and_share_names(pair: Sandbox) -> None:
    """The second organization is about twice the first; its accounts have the same names."""
    web = Http(pair)
    sizes = [len(pair.transfers(one)) for one in pair.organization_ids]
    assert 1.5 < sizes[1] / sizes[0] < 2.5
    query = """query ($id: ID!) { organization(id: $id) {
        numberOfTransfers { count } pods { id name } ports { id name } accounts { id name } } }"""
    seen = [
        web.graphql(query, {"id": one}).json["data"]["organization"]
        for one in pair.organization_ids
    ]
    assert [one.pop("numberOfTransfers")["count"] for one in seen] == sizes
    accounts = [[node for kind in one.values() for node in kind] for one in seen]
    assert [node["name"] for node in accounts[0]] == [node["name"] for node in accounts[1]]
    assert {node["id"] for node in accounts[0]}.isdisjoint(node["id"] for node in accounts[1])


def test_one_login_sees_every_organization(pair: Sandbox) -> None:
    """The memberships of the user are the organizations, the first one first."""
    answer = Http(pair).graphql("{ me { memberships { organization { id } } } }")
    memberships = answer.json["data"]["me"]["memberships"]
    assert [one["organization"]["id"] for one in memberships] == pair.organization_ids
    assert pair.organization_ids[0] == pair.organization_id


# -- the truth in parts ------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [("limit=7", 0, 7), ("limit=9&offset=20", 20, 29), ("offset=30", 30, None), ("limit=0", 0, 0)],
)
def test_the_truth_can_be_read_in_parts(
    pair: Sandbox, query: str, first: int, last: int | None
) -> None:
    """`limit` and `offset` cut the truth, which is newest first over all organizations."""
    whole = pair.transfers()
    assert [row["created_at"] for row in whole] == sorted(
        (row["created_at"] for row in whole), key=_instant, reverse=True
    )
    assert Http(pair).request("GET", f"/sandbox/transfers?{query}").json == whole[first:last]


def _instant(text: str) -> str:
    return text.replace("Z", ".000Z") if "." not in text else text


@pytest.mark.parametrize("query", ["limit=-1", "offset=-1", "limit=many"])
def test_a_part_that_cannot_be_is_refused(pair: Sandbox, query: str) -> None:
    """A negative part, and one that is no number, are refused with 400."""
    assert Http(pair).request("GET", f"/sandbox/transfers?{query}").status == 400


def test_a_large_truth_is_streamed(household: Sandbox, reading: Http) -> None:
    """The whole truth comes in chunks, without a length, and is complete."""
    answer = reading.request("GET", "/sandbox/transfers")
    assert "content-length" not in answer.headers
    assert answer.json == household.transfers()


def test_an_account_or_payee_can_be_renamed() -> None:
    """Every row and the list of accounts then show the new name; an unknown one is refused."""
    with Sandbox(seed=7, months=1, now="2026-11-01") as box:
        row = next(one for one in box.transfers() if one["source"] and one["source"]["id"])
        payee = next(
            end["name"]
            for one in box.transfers()
            if (end := one["destination"])["kind"] == "Merchant"
        )
        box.rename(row["source"]["id"], "Renamed")
        box.rename_payee(payee, "Somebody\x1b[2J")
        names = {
            end["name"]
            for one in box.transfers()
            for end in (one["source"], one["destination"])
            if end
        }
        assert {"Renamed", "Somebody\x1b[2J"} <= names
        assert not {row["source"]["name"], payee} & names
        with pytest.raises(ValueError, match="no account has the id"):
            box.rename("nobody", "x")
        with pytest.raises(ValueError, match="nobody is called"):
            box.rename_payee("nobody", "x")
