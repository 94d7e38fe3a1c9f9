"""What the panel shows for what it knows: pure functions, no desk and no browser."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_exceptions import SAMPLES

from seqdata import exceptions as ex
from seqdata.core.money import parse_cents
from seqdata.core.text import format_cents
from seqdata.safeguards import Completed, Failed, OpenIntent, Settlement, StagedTransfer, Unknown
from seqdata.safeguards.accounts import Account
from seqdata.safeguards.desk import Limits
from seqdata.safeguards.outcomes import Rehearsed, Returned
from seqdata.widgets.panel import html as panel_html
from seqdata.widgets.panel import state as panel_state
from seqdata.widgets.panel import view as panel_view
from seqdata.widgets.panel.state import DOING, PanelState, begin, refused

NOW = datetime(2026, 11, 23, 17, tzinfo=UTC)
ZONE = ZoneInfo("America/New_York")
BILLS = Account("p1", "Bills", "pod", 50_000, can_be_source=True)
FOOD = Account("p2", "Food", "pod", None, can_be_source=True)
PORT = Account("r1", "Main", "port", 7, can_be_source=True)
BANK = Account("a1", "Bills", "account", -100, can_be_source=False)
STATE = PanelState("https://app.example", "kim", is_sandbox=False, accounts=(BANK, FOOD, BILLS))


def staged(source: Account = BILLS, destination: Account = FOOD, note: str = "") -> StagedTransfer:
    return StagedTransfer(
        "i1", "kim", source, destination, 1234, note, False, NOW, NOW + timedelta(seconds=300),
        1_000_000, 2_500_000, 2_498_766, "org", "https://app.example", False, expected="at once",
    )  # fmt: skip


def intent(intent_id: str = "i1", source: str = "Bills") -> OpenIntent:
    return OpenIntent(
        intent_id, "kim", 1234, source, "Food", "p1", "p2", "", NOW, "org", "https://app.example",
        "HTTP 502", 0,
    )  # fmt: skip


class Tags(HTMLParser):
    """Collects the tags and attributes of a piece of HTML."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.names: set[str] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.names |= {name for name, _ in attrs}


OWN_TAGS = {
    "b", "bdi", "br", "code", "dd", "details", "div", "dl", "dt", "li", "small", "span", "strong",
    "summary", "ul",
}  # fmt: skip
OWN_NAMES = {
    "aria-hidden", "aria-label", "aria-valuemax", "aria-valuemin", "aria-valuenow",
    "aria-valuetext", "class", "role", "style", "title",
}  # fmt: skip


@pytest.mark.parametrize("action", list(DOING))
def test_nothing_begins_while_something_is_under_way(action: str) -> None:
    """While one action is under way, or after the panel was closed, no other begins."""
    for doing in DOING:
        assert begin(replace(STATE, staged=staged(), doing=doing), action) is None
        assert begin(replace(STATE, doing=doing), action) is None
    assert begin(panel_state.closed(STATE), action) is None


def test_what_needs_a_staged_transfer_waits_for_one() -> None:
    """Confirm, Rehearse and Cancel need a staged transfer, and Review that there is none."""
    for action in ("confirm", "rehearse", "cancel"):
        assert begin(STATE, action) is None
        begun = begin(replace(STATE, staged=staged()), action)
        assert begun is not None
        assert begun.doing == action
    assert begin(replace(STATE, staged=staged()), "stage") is None
    assert begin(STATE, "stage") is not None


def test_what_follows_a_sending_is_not_called_one() -> None:
    """As soon as an outcome is there, nothing says any more that it is being sent."""
    sending = replace(STATE, staged=staged(), doing="confirm")
    for outcome, following in (
        (Completed("t1"), "again"), (Unknown("timeout"), "again"), (Failed("no"), "note"),
        (Rehearsed("i1"), "note"),
    ):  # fmt: skip
        after = panel_state.done(panel_state.concluded(sending, outcome))
        assert after.doing == following
        assert "Sending" not in panel_view.busy_line(after)
        assert panel_state.ended(after).is_idle
    refusal = panel_state.done(refused(sending, RuntimeError("boom")))
    assert refusal.is_reading_again


OUTCOMES = [
    Completed("t1", arrived=True), Completed("t1"), Returned("t1", "FAILED", "closed"),
    Failed("no"), Unknown("timeout"), Rehearsed("i1"),
]  # fmt: skip


def test_outcomes_look_different() -> None:
    """Arrived, on its way, failed after all, failed, not known and tried: no two look the same."""
    shown = [panel_html.outcome(one, staged()) for one in OUTCOMES]
    for mark in (r"sqp-outcome (sqp-[\w-]+)", r'aria-hidden="true">(.)<', "<strong>(.*?)</strong>"):
        found = [re.search(mark, one) for one in shown]
        assert len({one[1] for one in found if one}) == len(OUTCOMES)
    assert "seqdata transfer" not in "".join(shown)


def test_an_unknown_outcome_is_one_card() -> None:
    """What is not known is said once, with the reason of the wire folded away."""
    state = replace(
        STATE, outcome=Unknown("curl: (52) empty", "i1"), sent=staged(), open_intents=(intent(),)
    )
    shown = panel_view.show(state, NOW, ZONE)
    assert shown.outcome == ""
    assert shown.open_transfers.count("$12.34") == 1
    folded = shown.open_transfers.partition("<details>")[2].partition("</details>")[0]
    assert "HTTP 502" in folded
    assert shown.open_transfers.count("HTTP 502") == 1
    assert "2026-11-23 12:00 EST" in panel_html.open_transfers(
        (replace(intent(), written_at=NOW, sent_at=NOW - timedelta(days=20)),), (), ZONE
    )


def test_a_refusal_is_said_in_a_persons_words() -> None:
    """No sentence of a refusal names a setting, an option or a word of Python."""
    samples = [one for one in SAMPLES if isinstance(one, ex.TransferRefused | ex.StageRefused)]
    assert len(samples) > 15
    for error in [*samples, ex.ReadOnlyMode("CreatePayment"), ex.OutcomeNotRecorded("x", "i", "y")]:
        said = panel_state.sentence(error).text
        assert not re.search(r"SEQUENCE_|--\w|\w+=\w|\w_\w|seqdata ", said), said


def test_a_rehearsal_can_be_followed_by_a_confirm() -> None:
    """After a rehearsal the staged transfer stays, and after any other outcome it goes."""
    state = replace(STATE, staged=staged())
    assert panel_state.concluded(state, Rehearsed("i1")).staged == staged()
    for outcome in (Completed("t1"), Failed("no"), Unknown("timeout")):
        after = panel_state.concluded(state, outcome)
        assert after.staged is None
        assert after.sent == staged()


def test_an_error_lets_go_of_what_cannot_be_used_any_more() -> None:
    """A refused stage and an unexpected error let the review go, and a passing error keeps it."""
    state = replace(STATE, staged=staged(), doing="confirm")
    spent = (
        ex.StageExpired("i1", 300),
        ex.StageUsed("i1", "completed"),
        ex.OutcomeNotRecorded("completed", "i1", "disk full"),
        RuntimeError("boom"),
    )
    for error in spent:
        assert refused(state, error).staged is None
    for passing in (ex.ConnectionFailed("http://x", "no route"), ex.BalanceUnknown("pod 'Bills'")):
        assert refused(state, passing).staged == staged()


def test_an_unexpected_error_is_said_without_its_text() -> None:
    """What nobody expected is told by its kind and where to look, never by its own words."""
    said = panel_state.sentence(RuntimeError("token abc"), "confirm")
    assert said.is_alert
    assert "RuntimeError" in said.text
    assert "recent events" in said.text
    assert "abc" not in said.text


def test_a_used_stage_is_no_alarm() -> None:
    """That a staged transfer was used already is a notice, and every other error an alert."""
    assert not panel_state.sentence(ex.StageUsed("i1", "completed")).is_alert
    assert panel_state.sentence(ex.StageExpired("i1", 300)).is_alert


def test_accounts_are_grouped_by_kind() -> None:
    """Pods come first, then ports, then outside accounts, each with its kind and balance."""
    assert list(panel_html.labels([BANK, PORT, FOOD, BILLS])) == [
        "Pod · Bills · $500.00",
        "Pod · Food · unknown",
        "Port · Main · $0.07",
        "Outside account · Bills · -$1.00",
    ]


def test_twins_are_told_apart_by_what_a_person_knows() -> None:
    """Look-alike names have their bank and balance beside them, and an id only as the last help."""
    twins = [
        Account("a-0001", "Rent", "account", 100, can_be_source=True, institution="Chase"),
        Account("a-0002", "R\u0435nt", "account", 100, can_be_source=True, institution="Ally"),
        Account("a-0003", "Rent", "account", 200, can_be_source=True, institution="Ally"),
        Account("a-0004", "Fun", "pod", 5, can_be_source=True),
        Account("a-0005", "Fun", "pod", 5, can_be_source=True),
    ]
    assert set(panel_html.labels(twins)) == {
        "Outside account · Rent at Chase · $1.00",
        "Outside account · R\u0435nt at Ally · $1.00",
        "Outside account · Rent at Ally · $2.00",
        "Pod · Fun · $0.05 · …0004",
        "Pod · Fun · $0.05 · …0005",
    }
    shown = panel_html.review(staged(twins[0], FOOD), twins)
    assert "▲ Not Outside account · R\u0435nt at Ally · $1.00" in shown
    assert "▲ Not Outside account · Rent at Ally · $2.00" in shown
    assert "Fun" not in shown
    alike = panel_html.review(staged(twins[3], FOOD), twins)
    assert "<bdi>Fun</bdi></b> …0004" in alike
    assert "▲ Not Pod · Fun · $0.05 · …0005" in alike


@given(st.lists(st.tuples(st.text(max_size=5), st.sampled_from(["pod", "port", "account"]))))
def test_every_account_has_a_label_of_its_own(given_names: list[tuple[str, str]]) -> None:
    """However alike the names are, each account has one label, and it leads back to its id."""
    accounts = [
        Account(f"id-{i}", name, kind, 5, can_be_source=True)
        for i, (name, kind) in enumerate(given_names)
    ]
    found = panel_html.labels(accounts)
    assert sorted(found.values()) == sorted(one.id for one in accounts)
    assert all(panel_html.wanted(label, accounts) == id for label, id in found.items())


@given(st.text(max_size=12) | st.from_regex(r"\$?[0-9,]{1,8}(\.[0-9]{1,3})?", fullmatch=True))
def test_the_amount_is_told_to_the_cent(typed: str) -> None:
    """A text that is an amount is repeated to the cent, and any other is said to be none."""
    hint = panel_html.amount_hint(typed)
    try:
        cents = parse_cents(typed)
    except ex.InvalidAmount:
        assert "✓" not in hint
    else:
        assert f"✓ {format_cents(cents)}<" in hint


def test_an_amount_of_too_many_digits_is_no_amount() -> None:
    """Thousands of digits are said to be too many, and raise nothing."""
    assert "too many digits" in panel_html.amount_hint("9" * 5000)


def test_a_hint_says_which_account_is_meant() -> None:
    """Beside a name stands the account that it means; a part of a name is offered, not taken."""
    accounts = (BILLS, FOOD, BANK)
    assert panel_html.account_hint("", ()) == ""
    assert "Type a part of the name" in panel_html.account_hint("", accounts)
    assert "✓ Pod <bdi>Food</bdi>" in panel_html.account_hint("food", accounts)
    assert "✗ no account has this name; there is pod" in panel_html.account_hint("foo", accounts)
    assert "2 accounts have this name" in panel_html.account_hint("Bills", accounts)
    assert "no account has this name" in panel_html.account_hint("Rent", accounts)
    assert "holds $500.00" in panel_html.account_hint("Pod · Bills · $500.00", accounts)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "5:00"), (0.5, "5:00"), (1, "4:59"), (299, "0:01"), (299.9, "0:01")],
)
def test_the_countdown_says_what_is_left(seconds: float, words: str) -> None:
    """The countdown shows minutes and seconds, and no second clock beside them."""
    shown = panel_html.countdown(staged(), NOW + timedelta(seconds=seconds))
    assert f"<b>{words}</b> left to confirm it" in shown


def test_the_countdown_ends_in_words() -> None:
    """When the time is up the countdown says so, and what to do."""
    for late in (300, 301, 10_000):
        shown = panel_html.countdown(staged(), NOW + timedelta(seconds=late))
        assert "Its time is up" in shown
        assert "review again" in shown


def test_an_empty_bar_means_that_nothing_is_used() -> None:
    """The bar of the limits fills with what is used, and words beside it say what is left."""
    limits = Limits(1_000_000, 2_500_000, 1_250_000, "2026-11-23")
    assert "width:0.00%" in panel_html.limits_bar(Limits(100, 2_000, 2_000, "2026-11-23"))
    assert "width:75.00%" in panel_html.limits_bar(Limits(100, 2_000, 500, "2026-11-23"))
    assert "$12,500.00 of $25,000.00 left today (2026-11-23)" in panel_html.limits_bar(limits)
    assert 'aria-valuenow="50"' in panel_html.limits_bar(limits)
    assert "not known" in panel_html.limits_bar(None)
    assert "width:100.00%" in panel_html.limits_bar(Limits(0, 0, 0, "2026-11-23"))


def test_the_review_shows_both_ends_before_and_after() -> None:
    """The review has names, kinds, the amount, balances before and after, limits and arrival."""
    shown = panel_html.review(staged())
    for words in ("Bills", "Food", "Pod", "$12.34", "$500.00", "$487.66", "balance not known",
                  "at once", "$24,987.66 of $25,000.00"):  # fmt: skip
        assert words in shown
    assert "whose outcome is unknown" in panel_html.review(replace(staged(), despite_unknown=True))


@pytest.mark.parametrize(
    ("is_sandbox", "is_read_only", "words"),
    [
        (True, False, ["Sandbox", "Play money"]),
        (False, False, ["Real account", "real money"]),
        (None, False, ["Not known yet", "take it for a real account"]),
        (False, True, ["Real account", "Read-only"]),
        (True, True, ["Sandbox", "Read-only"]),
    ],
)
def test_the_banner_says_whether_money_is_real(
    is_sandbox: bool | None, is_read_only: bool, words: list[str]
) -> None:
    """Sandbox, real account, not known yet and read-only each have words, not a colour alone."""
    shown = panel_html.banner(replace(STATE, is_sandbox=is_sandbox, is_read_only=is_read_only))
    assert all(word in shown for word in words)
    assert ("Sandbox" in shown) == (is_sandbox is True)


def test_confirm_says_what_it_does() -> None:
    """The button names amount and recipient, and of a real account that the money is real."""
    state = replace(STATE, staged=staged())
    assert panel_view.confirm_text(state) == "Confirm: send $12.34 of real money to Food"
    sandbox = replace(state, is_sandbox=True)
    assert panel_view.confirm_text(sandbox) == "Confirm: send $12.34 to Food"


FULL = replace(
    STATE,
    limits=Limits(1_000_000, 2_500_000, 1_250_000, "2026-11-23"),
    staged=staged(),
    sent=staged(),
    outcome=Completed("t1", intent_id="i1"),
    open_intents=(intent(),),
    settlements=(
        Settlement(intent(), Unknown("not found"), (("t9", "2026-11-23T17:00:00Z"),), True),
    ),
    events=({"event_type": "transfer_staged", "amount_cents": 1234, "source": "Bills"},),
    said=(panel_state.sentence(ex.InsufficientBalance("pod 'Bills'", 1234, 50_000)),),
    troubles=("The audit log of Bills",),
)


def test_nothing_of_a_real_account_is_shown_where_nobody_looks() -> None:
    """Where nobody is there and it is not known to be a sandbox, no name or figure is shown."""
    for is_sandbox in (False, None):
        state = replace(FULL, is_attended=False, is_sandbox=is_sandbox)
        shown = panel_view.show(state, NOW, ZONE)
        parts = [str(part) for part in vars(shown).values()]
        parts += [*map(str, panel_view.intent_options(state))]
        parts += [*map(str, panel_view.candidate_options(state, "i1", ZONE))]
        assert not panel_view.may_give_up(state, "i1")
        assert not any(word in part for part in parts for word in ("Bills", "Food", "$", "kim"))
        assert "Nobody is there to look" in shown.messages
        assert "InsufficientBalance" in shown.messages
        assert shown.again_text == ""
    for state in (replace(FULL, is_attended=False, is_sandbox=True), FULL):
        assert "Bills" in panel_view.show(state, NOW, ZONE).review


@given(st.text(min_size=1, max_size=20) | st.sampled_from(["<b>", "=SUM(A1)", "💸", '" onload="x']))
def test_no_text_from_elsewhere_becomes_markup(name: str) -> None:
    """Whatever a name, a note, an error or an event says, it adds no tag and no attribute."""
    account = Account("p1", name, "pod", 5, can_be_source=True)
    event = {"event_type": name, "source": name, "destination": name, "error": name * 40}
    state = replace(
        FULL,
        user=name,
        app_url=name,
        accounts=(account,),
        staged=staged(account, account, name),
        sent=staged(account, account, name),
        outcome=Failed(name, name),
        open_intents=(replace(intent(source=name), why=name),),
        settlements=(Settlement(intent(source=name), Completed(name)),),
        events=(event,),
        said=(panel_state.Said(name),),
        troubles=(name,),
    )
    shown = panel_view.show(state, NOW, ZONE)
    plain = "confirm_text"  # what a button is called, which no front end takes for markup
    pieces = [part for key, part in vars(shown).items() if isinstance(part, str) and key != plain]
    pieces += [panel_html.account_hint(name, (account,)), panel_html.amount_hint(name)]
    found = Tags("".join(pieces))
    assert found.tags <= OWN_TAGS
    assert found.names <= OWN_NAMES


def test_a_name_is_shown_as_it_is() -> None:
    """Names with markup, formulas and emoji are readable, in one line and in their direction."""
    for name, shown in [
        ("<b>", "<bdi>&lt;b&gt;</bdi>"),
        ("=SUM(A1)", "<bdi>=SUM(A1)</bdi>"),
        ("💸 Fun", "<bdi>💸 Fun</bdi>"),
        ("a\u202eb\nc", "<bdi>a\\u202eb\\nc</bdi>"),
    ]:
        account = Account("p1", name, "pod", 5, can_be_source=True)
        assert shown in panel_html.review(staged(account))


def test_an_open_transfer_offers_what_the_desk_found() -> None:
    """Candidates come with a first choice that is none, and giving up only where it is offered."""
    assert panel_view.candidate_options(FULL, "i1", ZONE) == (
        ("Choose the transfer that it is…", ""),
        ("2026-11-23 12:00 EST · t9", "t9"),
    )
    assert panel_view.may_give_up(FULL, "i1")
    assert panel_view.candidate_options(FULL, "i2", ZONE) == ()
    assert not panel_view.may_give_up(replace(FULL, settlements=()), "i1")
    assert not panel_view.may_give_up(replace(FULL, open_intents=()), "i1")


def test_the_events_say_what_happened() -> None:
    """An event has its time with its zone, words for a person, its ends, and the id or reason."""
    shown = panel_html.events_list(
        [
            {
                "timestamp": "2026-11-23T17:00:00+00:00",
                "event_type": "transfer_requested",
                "dry_run": True,
                "amount_cents": 1234,
                "source": "Bills",
                "destination": "Food",
                "error": "e" * 100,
            },
            {"event_type": "transfer_completed", "intent_id": "i1", "transfer_id": "t-99"},
            {"event_type": "transfer_staged", "intent_id": "i1"},
            {"event_type": "transfer_refused", "refusal": "OutcomeOpen", "error": "SEQUENCE_X"},
            {"event_type": "recovered"},
        ],
        ZONE,
    )
    for words in ("2026-11-23 12:00 EST", "Sent (only tried)", "$12.34", "Bills", "Food",
                  "e" * 79 + "…", "Recovered", "unknown", ">t-99</code>", "Before: Reviewed",
                  "an earlier one is not settled"):  # fmt: skip
        assert words in shown
    assert "Nothing yet" in panel_html.events_list([], ZONE)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)
KEYS = ("timestamp", "event_type", "amount_cents", "source", "destination", "error",
        "transfer_id", "dry_run")  # fmt: skip


@given(st.dictionaries(st.sampled_from(KEYS), JSON))
def test_lines_of_other_programs_are_shown_too(entry: dict[str, object]) -> None:
    """Whatever JSON another program put into the log, its line has its place in the table."""
    assert panel_html.events_list([entry], ZONE).count("<li>") == 1
