# ruff: noqa: RUF001 - letters that look like others are what this is about
"""Who gets it: a name that is gone is no other name, and a renamed account is asked about again."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from desk_helper import Shell, arrived, charged, events, open_desk
from hypothesis import given
from hypothesis import strategies as st
from waiting import LONG

from seqdata import exceptions as ex
from seqdata.core.text import normal
from seqdata.safeguards import TransferDesk
from seqdata.safeguards.accounts import find_account, near_accounts
from seqdata.sandbox import Sandbox
from seqdata.sources.base import Account, told_apart

RENT, JOINT, OLD = (
    "0a1b2c3d-0000-4000-a000-00000000aaaa",
    "0a1b2c3d-0000-4000-a000-00000000bbbb",
    "0a1b2c3d-0000-4000-a000-00000000cccc",
)
GONE = "0a1b2c3d-0000-4000-a000-00000000dddd"


def account(own_id: str, name: str, kind: str = "pod", at: str | None = None) -> Account:
    return Account(own_id, name, kind, 100_00, True, at)


HERE = [
    account(RENT, "Rent and bills"),
    account(JOINT, "Parents' joint account", "account", "First Bank"),
    account(OLD, "Groceries and more (old)", "port"),
]


@pytest.mark.parametrize("wanted", ["Rent", "rent", "pod:Rent", "Groceries", "joint", "account"])
def test_a_part_of_a_name_is_offered_and_not_taken(wanted: str) -> None:
    """A name that is gone finds no account that contains it: those are candidates in the error."""
    with pytest.raises(ex.UnknownAccount, match="Did you mean") as refused:
        find_account(wanted, HERE)
    assert refused.value.near
    assert set(refused.value.candidates) == {one.label for one in near_accounts(wanted, HERE)}


def test_candidates_say_what_tells_them_apart() -> None:
    """A candidate is shown with its kind, institution and id."""
    with pytest.raises(ex.UnknownAccount) as refused:
        find_account("joint", HERE)
    assert refused.value.candidates == (f'account "Parents\' joint account" (First Bank, {JOINT})',)


@pytest.mark.parametrize(
    "wanted", ["Parents' joint account", " parents'  JOINT account ", "Ｐarents' joint\taccount"]
)
def test_another_writing_of_a_name_is_the_name(wanted: str) -> None:
    """Case, blanks and Unicode's other forms of a letter do not matter."""
    assert find_account(wanted, HERE).id == JOINT


@pytest.mark.parametrize("wanted", [GONE, GONE.upper(), RENT.upper(), f"pod:{GONE}", f" {GONE} "])
def test_an_id_that_is_gone_is_no_name(wanted: str) -> None:
    """What is written like the ids is an id, though an account bears it as its name."""
    named = [*HERE, account("0a1b2c3d-0000-4000-a000-00000000eeee", GONE)]
    for accounts in (HERE, [*named, account("ffffffff-0000-4000-a000-00000000eeee", RENT.upper())]):
        with pytest.raises(ex.UnknownAccount):
            find_account(wanted, accounts)
    assert find_account(f" {RENT} ", HERE).id == find_account(f"pod:{RENT}", HERE).id == RENT


@given(st.lists(st.text("019", min_size=1, max_size=9), min_size=2, max_size=5, unique=True))
def test_a_mark_tells_an_account_from_all_others(ids: list[str]) -> None:
    """Accounts of one name at one bank bear different marks, however alike their ids end."""
    named = [account(f"acc-{own_id}", "Joint", "account", "First Bank") for own_id in ids]
    marks = [one.mark for one in told_apart(named)]
    assert len(set(marks)) == len(ids)


def test_what_was_an_id_is_no_name() -> None:
    """An id that was known once is never a name, however it is written."""
    accounts = [account("main", "Bills"), account("side", "old")]
    assert find_account("old", accounts).id == "side"
    accounts.append(account("more", "Groceries and more (old)"))
    with pytest.raises(ex.UnknownAccount) as refused:
        find_account("old", accounts, once_known={"old"})
    assert not refused.value.near
    assert near_accounts("old", accounts, {"old"}) == []


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Groceries", "GROCERIES"),
        ("Groceries", "Grоceries"),
        ("Groceries", "Groceries\u200b"),
        ("Groceries", "\u202eGroceries"),
        ("Groceries", "Gro\u00adceries"),
        ("Bills", "BiIls"),
    ],
)
def test_names_that_look_alike_need_an_id(name: str, other: str) -> None:
    """Of two names that a person takes for one, neither is taken; id and kind decide."""
    accounts = [account(RENT, name), account(JOINT, other, "account", "First Bank")]
    for wanted in (name, other):
        with pytest.raises(ex.UnknownAccount, match="more than one") as refused:
            find_account(wanted, accounts)
        assert refused.value.candidates == tuple(sorted(one.label for one in accounts))
    assert find_account(RENT, accounts).id == RENT
    assert find_account(f"pod:{name}", accounts).id == RENT
    assert find_account(f"account:{other}", accounts).id == JOINT


def test_a_kind_in_a_name_does_not_take_the_place_of_a_kind() -> None:
    """An account that is called "pod:Kids" does not get what is meant for the pod Kids."""
    accounts = [account(RENT, "Kids"), account(JOINT, "pod:Kids", "account")]
    with pytest.raises(ex.UnknownAccount, match="more than one"):
        find_account("pod:Kids", accounts)


NAMES = st.text(st.sampled_from("abAB оaо \u200bI1l:-"), max_size=6)


@given(
    st.text(st.sampled_from("abAB оaо \u200bI1l:-"), max_size=6) | st.sampled_from([RENT, GONE]),
    st.lists(st.tuples(NAMES, st.sampled_from(["pod", "port", "account"])), max_size=4),
)
def test_an_account_is_found_by_its_id_or_its_whole_name_only(
    wanted: str, drawn: list[tuple[str, str]]
) -> None:
    """Whatever the names are, what is found has the asked id, or the asked name."""
    accounts = [
        account(f"{RENT[:-1]}{number}", name, kind) for number, (name, kind) in enumerate(drawn)
    ]
    try:
        found = find_account(wanted, accounts)
    except ex.UnknownAccount:
        return
    named = {normal(wanted), normal(wanted.partition(":")[2])}
    assert found.id == wanted or normal(found.name) in named


# -- over a service ---------------------------------------------------------------------------


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(months=1, now="2026-11-01") as running:
        yield running


@pytest.fixture
def desk(box: Sandbox, tmp_path: Path) -> TransferDesk:
    return open_desk(box, tmp_path)


def id_of(desk: TransferDesk, name: str) -> str:
    return find_account(name, desk.look().accounts).id


def test_an_outside_account_says_where_it_is_held(desk: TransferDesk) -> None:
    """The institution is read, and stands in the review beside the end of the id."""
    staged = desk.stage("account:Everyday Checking", "Groceries", "5")
    assert staged.source.institution == "First Example Bank"
    assert f"(First Example Bank, …{staged.source.id[-4:]})" in staged.review()["from"]
    assert f"pod 'Groceries' (…{staged.destination.id[-4:]})" in staged.review()["to"]


@pytest.mark.parametrize("end", ["Bills", "Groceries"])
def test_a_rename_after_the_review_is_said(
    desk: TransferDesk, box: Sandbox, tmp_path: Path, end: str
) -> None:
    """Nothing is sent to, or from, what is called otherwise than it was shown."""
    staged = desk.stage("Bills", "Groceries", "5")
    box.rename(id_of(desk, end), "Somebody else")
    with pytest.raises(ex.RenamedAccount) as refused:
        desk.confirm(staged)
    assert (refused.value.was, refused.value.now) == (f"pod '{end}'", "pod 'Somebody else'")
    assert arrived(box) == []
    assert charged(tmp_path) == 0
    assert [one["refusal"] for one in events(tmp_path, "transfer_refused")] == ["RenamedAccount"]
    ends = {"Bills": "Bills", "Groceries": "Groceries", end: "Somebody else"}
    again = desk.stage(ends["Bills"], ends["Groceries"], "5")
    assert desk.confirm(again).status == "completed"


def test_a_lookalike_that_appears_makes_a_name_ambiguous(desk: TransferDesk, box: Sandbox) -> None:
    """After another account takes on the looks of a name, the name alone is refused."""
    assert desk.stage("Bills", "Groceries", "5").destination.name == "Groceries"
    box.rename(id_of(desk, "Travel Card"), "Grоceries")
    with pytest.raises(ex.UnknownAccount, match="more than one"):
        desk.stage("Bills", "Groceries", "5")
    assert desk.stage("Bills", "pod:Groceries", "5").destination.kind == "pod"


# -- at the command line ----------------------------------------------------------------------


def at_a_terminal(shell: Shell, *arguments: str, typed: str) -> subprocess.CompletedProcess[str]:
    """Run the command with a terminal as its standard input."""
    ours, theirs = pty.openpty()
    try:
        os.write(ours, typed.encode())
        return subprocess.run(
            [sys.executable, "-m", "seqdata", "transfer", *arguments],
            env=shell.environment, stdin=theirs, capture_output=True, text=True, check=False,
            timeout=LONG,
        )  # fmt: skip
    finally:
        os.close(ours)
        os.close(theirs)


def test_a_person_picks_from_what_comes_near(box: Sandbox, tmp_path: Path) -> None:
    """At a terminal the candidates are numbered, and the picked one is reviewed and sent."""
    shell = Shell(box, tmp_path)
    done = at_a_terminal(shell, "Bills", "car", "5", typed="1\ny\n")
    assert done.returncode == 0, done.stderr
    assert "1  pod 'Card Payoff' (" in done.stderr
    assert "to       pod 'Card Payoff'" in done.stdout
    assert len(arrived(box)) == 1
    for typed in ("\n", "9\n", "Card Payoff\n"):
        none = at_a_terminal(shell, "Bills", "car", "5", typed=typed)
        assert none.returncode == 2, none.stderr
        assert "Did you mean" in none.stderr
    assert len(arrived(box)) == 1


@pytest.mark.parametrize("more", [["--yes"], []])
def test_a_script_never_picks(box: Sandbox, tmp_path: Path, more: list[str]) -> None:
    """With --yes, or without a terminal, a part of a name is refused with its candidates."""
    done = Shell(box, tmp_path).run("Bills", "grocer", "5", *more, typed="1\ny\n")
    assert done.returncode == 2
    assert "Did you mean pod 'Groceries'" in done.stderr
    assert arrived(box) == []
