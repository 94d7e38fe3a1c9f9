"""What was spent, and what changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import combinations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from purchases import Paid, annotations, categorized
from tables import fewer

from seqdata import Ledger
from seqdata.analysis.settlement import settle
from seqdata.analysis.spend.categories import categorize, read_rules
from seqdata.analysis.spend.comparison import compare
from seqdata.analysis.spend.money_flow import money_flow
from seqdata.analysis.spend.spending import SUBJECTS, spending, uncategorized
from seqdata.exceptions import InvalidFilter, UnknownAccount

FREQS = ["day", "week", "month", "quarter", "year"]


def pairs(frame: pd.DataFrame, *names: str) -> list[tuple]:
    return list(frame[list(names)].itertuples(index=False, name=None))


def household() -> pd.DataFrame:
    """Two months: payments, a refund, a reversal, a debt, a move, income and a pending one."""
    return categorized(
        Paid("Pod: Food", "Merchant: Joe's Pizza", 40_00, "2026-09-30"),
        Paid("Pod: Food", "Merchant: JOE'S PIZZA", 30_00, "2026-10-02"),
        Paid("Merchant: Joe's Pizza #7", "Pod: Food", 10_00, "2026-10-09"),
        Paid("Pod: Bills", "ExternalEntity: Elm Apartments", 900_00, "2026-10-01"),
        Paid("Account: Checking", "Account: Card", 70_00, "2026-10-03", "2026-11-02"),
        Paid("Pod: Bills", "Account: Savings", 500_00, "2026-10-04"),
        Paid("Pod: Food", "Merchant: Joe's Pizza", 99_00, None, paid="2026-10-04", state="open"),
        Paid("ExternalEntity: Firm", "Port: Pay", 2_000_00, "2026-10-01"),
        Paid("Port: Pay", "Pod: Bills", 1_500_00, "2026-10-01"),
        Paid("Pod: Food", "Merchant: Qwx", None, "2026-10-05"),
        Paid("Pod: Bills", "Merchant: Qwx", 5_00, "2026-10-05"),
    )


def test_refunds_and_reversals_take_away_on_their_day() -> None:
    """A month is what settled in it, less what came back in it, by category."""
    rows = spending(household(), freq="month")
    september, october, november = (pd.Timestamp(2026, month, 1) for month in (9, 10, 11))
    assert pairs(rows, "period", "category", "spent_cents", "transfers") == [
        (september, "Dining", 40_00, 1),
        (october, "Housing", 900_00, 1),
        (october, "Debt payments", 70_00, 1),
        (october, "Dining", 20_00, 2),
        (october, "Uncategorized", 5_00, 1),
        (november, "Debt payments", -70_00, 0),
    ]
    assert rows["share"].dropna().tolist() == [pytest.approx(n / 965) for n in (40, 900, 70, 20, 5)]
    assert rows["period_share"].dropna().tolist() == [
        1, *(pytest.approx(n / 995) for n in (900, 70, 20, 5))
    ]  # fmt: skip
    assert rows["spent"].tolist() == [cents / 100 for cents in rows["spent_cents"]]


def test_moves_are_counted_when_asked_for() -> None:
    """Money that went to own accounts is left out, unless it is asked for."""
    with_moves = spending(household(), include_moves=True).set_index("category")["spent_cents"]
    without = spending(household()).set_index("category")["spent_cents"]
    assert with_moves["Moved to own accounts"] == 500_00
    assert with_moves.sum() - without.sum() == 500_00


def test_a_move_with_a_category_of_its_own_is_spending() -> None:
    """Who says what a transfer to an own account was for has spent it."""
    row = Paid("Pod: Bills", "Account: Savings", 500_00)
    assert spending(categorized(row))["spent_cents"].sum() == 0
    assert pairs(spending(categorized(row, t0="College")), "category", "spent_cents") == [
        ("College", 500_00)
    ]


def test_each_subject_has_its_names() -> None:
    """Payees are normalized, pods are ours, and accounts may be outside of Sequence."""
    rows = household()
    payees = ["Elm Apartments", "Joe's Pizza", "Qwx", "Card"]
    assert spending(rows, "payee")["payee"].tolist() == payees
    pods = spending(rows, "pod")
    assert pods["pod"].fillna("-").tolist() == ["Bills", "Food", "-"]
    assert pairs(spending(rows, "account"), "account", "spent_cents") == [
        ("Bills", 905_00), ("Food", 60_00), ("Checking", 0),
    ]  # fmt: skip


def test_a_period_is_named_by_its_first_day() -> None:
    """Columns of time hold naive first days, oldest first; a week begins on Monday."""
    days = {freq: spending(household(), None, freq=freq)["period"] for freq in FREQS}
    assert all(str(column.dtype) == "datetime64[us]" for column in days.values())
    assert days["week"].iloc[0] == pd.Timestamp(2026, 9, 28)
    assert days["quarter"].tolist() == [pd.Timestamp(2026, month, 1) for month in (7, 10)]
    assert days["year"].tolist() == [pd.Timestamp(2026, 1, 1)]


def test_filters_bound_the_day() -> None:
    """Since and until, an account at either end and categories in any case choose what counts."""
    rows = household()
    october = spending(rows, "category", since="2026-10", until=date(2026, 11, 1))
    assert october["spent_cents"].sum() == 995_00
    assert spending(rows, "payee", category=["DINING", "housing"])["payee"].tolist() == [
        "Elm Apartments", "Joe's Pizza",
    ]  # fmt: skip
    assert spending(rows, "payee", account="food")["payee"].tolist() == ["Joe's Pizza"]
    assert spending(rows, None, freq="month", account="Card")["spent_cents"].tolist() == [
        70_00,
        -70_00,
    ]


def test_what_does_not_exist_is_refused_with_the_choices() -> None:
    """An unknown word, category or account is refused, and the choices are named."""
    rows = household()
    with pytest.raises(InvalidFilter, match="by='merchant' .* category, payee, pod, account"):
        spending(rows, "merchant")
    with pytest.raises(InvalidFilter, match="Choices: category, payee"):
        spending(rows, [])
    with pytest.raises(InvalidFilter, match="category='Food' .* Dining"):
        spending(rows, category="Food")
    with pytest.raises(UnknownAccount, match="Food"):
        spending(rows, account="Nowhere")
    with pytest.raises(InvalidFilter, match="account, or freq='month'"):
        compare(rows, "2026-10", by="month")
    with pytest.raises(InvalidFilter, match="by_day='sent' .* paid, settled"):
        spending(rows, by_day="sent")


def test_a_period_among_the_words_of_by_is_read_as_freq() -> None:
    """What scripts of before ask by month is answered by `freq`: "month" alone, and in a list."""
    rows = household()
    pd.testing.assert_frame_equal(spending(rows, "month"), spending(rows, None, freq="month"))
    pd.testing.assert_frame_equal(
        spending(rows, ["month", "payee"]), spending(rows, "payee", freq="month")
    )


@pytest.mark.parametrize("freq", [None, "week"])
@pytest.mark.parametrize("by", [None, "category", ["account", "pod"]])
def test_an_empty_period_is_an_empty_table(by: str | list[str] | None, freq: str | None) -> None:
    """Where nothing was spent the table has no rows, and the same columns and types."""
    full = spending(household(), by, freq=freq)
    empty = spending(household(), by, freq=freq, since="2030")
    assert len(empty) == 0
    assert empty.dtypes.astype(str).to_dict() == full.dtypes.astype(str).to_dict()
    nothing = spending(categorized(), by, freq=freq)
    assert nothing.dtypes.astype(str).to_dict() == full.dtypes.astype(str).to_dict()


def test_what_matched_nothing_is_listed() -> None:
    """Payees without a rule are listed with what was spent, the largest first."""
    rows = categorized(
        Paid("Pod: Bills", "Merchant: Qwx", 5_00),
        Paid("Pod: Bills", "Merchant: Zed #12", 4_00),
        Paid("Pod: Bills", "Merchant: ZED", 3_00),
        Paid("Pod: Bills", "Merchant: Pizza", 9_00),
    )
    listed = uncategorized(rows)
    assert listed.columns.tolist() == [
        "payee", "spent_cents", "spent", "open_cents", "open", "transfers",
    ]  # fmt: skip
    assert pairs(listed, "payee", "spent_cents", "transfers") == [
        ("Zed", 7_00, 2),
        ("Qwx", 5_00, 1),
    ]


# -- the day on which one paid -------------------------------------------------------------------


def test_a_purchase_counts_on_the_day_on_which_one_paid() -> None:
    """What was bought on Saturday is Saturday's, though it settled on Tuesday."""
    rows = categorized(
        Paid("Pod: Food", "Merchant: Qwx", 30_00, "2026-10-06", paid="2026-10-03"),
        Paid("Merchant: Qwx", "Pod: Food", 10_00, "2026-10-07", paid="2026-10-04"),
    )
    paid, settled_ = (spending(rows, None, freq="day", by_day=day) for day in ("paid", "settled"))
    third, sixth, seventh = (pd.Timestamp(2026, 10, day) for day in (3, 6, 7))
    assert pairs(paid, "period", "spent_cents") == [(third, 30_00), (seventh, -10_00)]
    assert pairs(settled_, "period", "spent_cents") == [(sixth, 30_00), (seventh, -10_00)]
    assert paid.attrs["seqdata"]["by_day"] == "paid"
    assert settled_.attrs["seqdata"]["by_day"] == "settled"


def test_what_is_open_stands_beside_until_it_settles_or_fails() -> None:
    """An open payment counts on its day, apart from what is spent, and leaves when it fails."""
    for state, cents in (("open", 99_00), ("unknown", 99_00), ("failed", 0), ("cancelled", 0)):
        row = Paid("Pod: Food", "Merchant: Qwx", 99_00, None, paid="2026-10-03", state=state)
        found = spending(categorized(row), None, freq="day")
        assert found["open_cents"].sum() == cents
        assert found["spent_cents"].sum() == 0
        assert found["transfers"].sum() == 0


# -- names are no keys ---------------------------------------------------------------------------


def named(rows: pd.DataFrame, **names: str) -> pd.DataFrame:
    """Call pods otherwise in some of the rows: t0="New name"."""
    made = rows.copy()
    for own_id, name in names.items():
        made.loc[made["id"] == own_id, "source_name"] = name
    return made


def test_a_renamed_pod_is_one_row_under_its_newest_name() -> None:
    """What a pod paid under two names is one sum, and its old name still finds it."""
    rows = named(
        categorized(
            Paid("Pod: Food", "Merchant: Qwx", 1_00, "2026-10-01"),
            Paid("Pod: Food", "Merchant: Qwx", 2_00, "2026-10-05"),
        ),
        t1="Kitchen",
    )
    assert pairs(spending(rows, "pod"), "pod", "pod_id", "spent_cents") == [
        ("Kitchen", "Pod/Food", 3_00)
    ]
    assert spending(rows, "pod", account="Food")["spent_cents"].tolist() == [3_00]
    flows = money_flow(rows)
    assert pairs(flows, "from_name", "from_id", "moved_cents") == [("Kitchen", "Pod/Food", 3_00)]


@pytest.mark.parametrize(
    ("facts", "shown"),
    [
        ({"goal_cents": [500_00, 80_000]}, ["Kids (goal $500.00)", "Kids (goal $800.00)"]),
        ({"institution": ["Chase", "Ally"]}, ["Kids (Chase)", "Kids (Ally)"]),
        ({"type": ["CREDIT_CARD", "CHECKING"]}, ["Kids (credit card)", "Kids (checking)"]),
        ({"goal_cents": [None, 80_000]}, ["Kids (…/One)", "Kids (…/Two)"]),
        ({}, ["Kids (…/One)", "Kids (…/Two)"]),
    ],
)
def test_two_accounts_of_one_name_are_two_rows(facts: dict, shown: list[str]) -> None:
    """Twins are never merged: they are told apart by what a person knows of them."""
    rows = categorized(
        Paid("Pod: One", "Merchant: Qwx", 2_00), Paid("Pod: Two", "Merchant: Qwx", 1_00)
    )
    rows["source_name"] = pd.Series(["Kids", "Kids"], dtype="str")
    accounts = pd.DataFrame({"id": ["Pod/One", "Pod/Two"], "name": ["Kids", "Kids"], **facts})
    found = spending(rows, "pod", accounts=accounts)
    assert pairs(found, "pod", "spent_cents") == list(zip(shown, [2_00, 1_00], strict=True))
    flows = money_flow(rows, accounts=accounts)
    assert {*flows["from_name"]} == {*shown}


def test_several_may_be_asked_for_at_once() -> None:
    """Accounts and categories are one or several; what is no text is refused in a sentence."""
    rows = household()
    both = spending(rows, "pod", account=["Food", "Bills"])
    assert both["spent_cents"].sum() == 965_00
    for wrong in (5, [5], b"Food", {"Food": 1}):
        with pytest.raises(InvalidFilter, match="a text, or a list of texts"):
            spending(rows, account=wrong)
        with pytest.raises(InvalidFilter, match="a text, or a list of texts"):
            spending(rows, category=wrong)


def test_a_wide_table_has_periods_as_index() -> None:
    """Wide, each name is a column of dollars; without periods there is nothing to be wide over."""
    table = spending(household(), freq="month", wide=True)
    assert table.index.name == "period"
    assert table["Dining"].tolist()[:2] == [40.0, 20.0]
    both = spending(household(), ["pod", "category"], freq="month", wide=True)
    assert both["Food · Dining"].tolist()[:2] == [40.0, 20.0]
    with pytest.raises(InvalidFilter, match="freq="):
        spending(household(), wide=True)


# -- what changed ---------------------------------------------------------------------------------


def test_a_month_is_compared_with_the_one_before() -> None:
    """Each category has both sums, the change, and its share; the largest change comes first."""
    changes = compare(household(), "2026-10", whole=True)
    assert pairs(changes, "category", "spent_cents", "before_cents", "change_cents") == [
        ("Housing", 900_00, 0, 900_00),
        ("Debt payments", 70_00, 0, 70_00),
        ("Dining", 20_00, 40_00, -20_00),
        ("Uncategorized", 5_00, 0, 5_00),
    ]
    share = changes.set_index("category")["change_share"]
    assert share["Dining"] == -0.5
    assert share.isna().sum() == 3


def monthly(*cents: int, start: str = "2025-01-01") -> pd.DataFrame:
    days = pd.date_range(start, periods=len(cents), freq="MS")
    rows = zip(days, cents, strict=True)
    return categorized(
        *[Paid("Pod: A", "Merchant: Q", one, f"{day:%Y-%m-%d}") for day, one in rows]
    )


@pytest.mark.parametrize(
    ("period", "previous", "spent", "before"),
    [
        ("2026-01", "previous", 13, 12),
        ("2026-01", "year ago", 13, 1),
        ("2026-01", "2025-06", 13, 6),
        ("2026-02", "mean", 14, 8),  # (2 + ... + 13) / 12 = 7.5
        ("2025-03", "mean", 3, 2),  # (1 + 2) / 2 = 1.5
        ("2026", "previous", 27, 78),
        ("2026-Q1", "year ago", 27, 6),
        ("2026-Q1", "mean", 27, 20),  # (6 + 15 + 24 + 33) / 4 = 19.5
        ("2026-02-01", "year ago", 14, 2),
        (date(2026, 2, 1), "2026-01-01", 14, 13),
    ],
)
def test_a_period_is_compared_with_any_other(
    period: str | date, previous: str, spent: int, before: int
) -> None:
    """Years, quarters, months and days are compared; a mean is of the known ones, rounded."""
    rows = monthly(*range(1, 15))
    found = compare(rows, period, previous, whole=True)
    assert pairs(found, "spent_cents", "before_cents") == [(spent, before)]


@pytest.mark.parametrize(
    ("period", "previous", "message"),
    [
        ("2024-12", "previous", "period='2024-12' .* from 2025-01-01 to 2026-02-01"),
        ("2026-03", "previous", "period='2026-03' .* from 2025-01-01 to 2026-02-01"),
        ("2025-01", "previous", "previous='previous' .* from 2025-01-01"),
        ("2025-12", "year ago", "previous='year ago'"),
        ("2025-01", "mean", "previous='mean'"),
        ("2026-13", "previous", "2026, 2026-Q3, 2026-10, 2026-W40, 2026-10-05"),
        ("October", "previous", "2026, 2026-Q3"),
        ("2026-01", "last", "previous='last' .* previous, year ago, mean, 2026"),
    ],
)
def test_what_is_not_known_is_not_compared(period: str, previous: str, message: str) -> None:
    """A period outside of the data is refused with what is known, never taken for nothing."""
    with pytest.raises(InvalidFilter, match=message):
        compare(monthly(*range(1, 15)), period, previous)


def test_a_running_month_is_compared_with_the_same_days() -> None:
    """On the third of a month its three days are compared with three; the whole on request."""
    days = pd.date_range("2026-09-01", "2026-11-03").strftime("%Y-%m-%d")
    rows = categorized(*[Paid("Pod: A", "Merchant: Q", 10_00, day) for day in days])
    now = pd.Timestamp("2026-11-03 18:00", tz="America/New_York").to_pydatetime()
    fair = compare(rows, "2026-11", known_until=now)
    assert pairs(fair, "spent_cents", "before_cents", "days", "before_days") == [(3000, 3000, 3, 3)]
    assert fair.attrs["seqdata"]["in_words"] == (
        "2026-11-01 to 2026-11-03 against 2026-10-01 to 2026-10-03"
    )
    whole = compare(rows, "2026-11", whole=True, known_until=now)
    assert pairs(whole, "spent_cents", "before_cents", "days", "before_days") == [
        (3000, 31000, 3, 31)
    ]
    mean = compare(rows, "2026-11", "mean", known_until=now)
    assert pairs(mean, "before_cents", "before_days", "before_periods") == [(3000, 6, 2)]


def test_a_first_month_that_is_known_in_part_is_compared_over_its_days() -> None:
    """Where the ledger begins in the middle of a month, the next is taken from the same day on."""
    days = pd.date_range("2026-09-20", "2026-10-31").strftime("%Y-%m-%d")
    rows = categorized(*[Paid("Pod: A", "Merchant: Q", 10_00, day) for day in days])
    found = compare(rows, "2026-10")
    assert pairs(found, "spent_cents", "before_cents", "days", "before_days") == [
        (120_00, 110_00, 12, 11)
    ]
    with pytest.raises(InvalidFilter, match="whole=True: no day of both is known"):
        compare(rows[rows["created_at"] < "2026-10-04"], "2026-10")


@pytest.mark.parametrize(
    ("period", "first"), [("2026-W40", "2026-09-28"), ("2026-W01", "2025-12-29")]
)
def test_a_week_is_compared_with_the_one_before(period: str, first: str) -> None:
    """A week is written as ISO does, and begins on its Monday."""
    days = pd.date_range(first, periods=14) - pd.Timedelta(days=7)
    rows = categorized(*[Paid("Pod: A", "Merchant: Q", 1, f"{day:%Y-%m-%d}") for day in days])
    found = compare(rows, period)
    assert pairs(found, "spent_cents", "before_cents", "days") == [(7, 7, 7)]
    assert found.attrs["seqdata"]["compared"]["of"][0] == first


def test_a_quiet_period_is_known_by_the_last_sync() -> None:
    """A month after the last transfer was spent nothing in, where a sync says so."""
    rows = monthly(5, 6)
    synced = pd.Timestamp("2025-03-20", tz="UTC").to_pydatetime()
    changes = compare(rows, "2025-03", known_until=synced)
    assert pairs(changes, "spent_cents", "before_cents", "change_share") == [(0, 6, -1.0)]


# -- where it went --------------------------------------------------------------------------------


def test_money_flows_from_income_to_categories() -> None:
    """Each flow is a row from income over ports and pods to categories and own accounts."""
    flows = money_flow(household(), since="2026-10", until="2026-11")
    names = ("from_name", "from_kind", "to_name", "to_kind", "moved_cents", "transfers")
    assert pairs(flows, *names) == [
        ("Firm", "income", "Pay", "port", 2_000_00, 1),
        ("Checking", "account", "Debt payments", "category", 70_00, 1),
        ("Pay", "port", "Bills", "pod", 1_500_00, 1),
        ("Bills", "pod", "Housing", "category", 900_00, 1),
        ("Bills", "pod", "Savings", "account", 500_00, 1),
        ("Food", "pod", "Dining", "category", 20_00, 2),
        ("Bills", "pod", "Uncategorized", "category", 5_00, 1),
    ]


def test_small_income_is_grouped() -> None:
    """Of more than eight payees of income the largest seven keep their names."""
    rows = [
        Paid(f"ExternalEntity: Firm {name}", "Port: Pay", 100 + ord(name)) for name in "abcdefghi"
    ]
    flows = money_flow(categorized(*rows))
    assert flows["from_name"].tolist() == ["Other income", *(f"Firm {name}" for name in "ihgfedc")]
    assert flows["moved_cents"].sum() == sum(row.cents or 0 for row in rows)
    assert len(money_flow(categorized(*rows[:8]))) == 8


def test_a_pod_that_got_back_more_than_it_spent_takes_refunds() -> None:
    """Refunds beyond what was spent flow into the pod, so that no flow is below zero."""
    rows = categorized(Paid("Merchant: Pizza", "Pod: Food", 10_00))
    assert pairs(money_flow(rows), "from_name", "to_name", "moved_cents") == [
        ("Refunds", "Food", 10_00)
    ]


# -- laws -----------------------------------------------------------------------------------------

ENDS = [
    "Pod: A", "Pod: B", "Port: P", "Account: C", "Account: Card", "Merchant: Pizza",
    "Merchant: Qwx #12", "ExternalEntity: Elm Apartments", None,
]  # fmt: skip
DAYS = st.one_of(
    st.none(), st.dates(date(2025, 12, 25), date(2026, 3, 20)).map(lambda day: day.isoformat())
)
ROWS = st.lists(
    st.builds(
        Paid,
        st.sampled_from(ENDS),
        st.sampled_from(ENDS),
        st.one_of(st.none(), st.integers(1, 10**9)),
        on=DAYS,
        paid=DAYS,
        state=st.just("settled"),
        reversed_on=DAYS,
        note=st.none(),
    ),
    max_size=12,
)


def is_inside(end: str | None) -> bool:
    return (end or "").startswith(("Pod", "Port"))


def covered(rows: list[Paid]) -> int:
    """Add up one by one what went out, less what merchants and reversals gave back."""
    total = 0
    for row in rows:
        comes_in = is_inside(row.destination)
        is_refund = comes_in and (row.source or "").startswith("Merchant")
        stays = comes_in and not is_refund
        is_own = row.destination == "Account: C"
        if stays or is_own or row.on is None or row.cents is None or row.reversed_on is not None:
            continue
        total += -row.cents if is_refund else row.cents
    return total


@fewer
@given(
    ROWS,
    st.sampled_from([None, *SUBJECTS, *combinations(SUBJECTS, 2)]),
    st.sampled_from([None, *FREQS]),
    st.sampled_from(["paid", "settled"]),
)
def test_every_view_has_the_same_total(
    rows: list[Paid], by: str | tuple[str, ...] | None, freq: str | None, by_day: str
) -> None:
    """Spending by anything, and by either day, sums to what went out less what came back."""
    found = spending(categorized(*rows), by, freq=freq, by_day=by_day)
    assert found["spent_cents"].sum() == covered(rows)
    for name in {"share", "period_share"} & {*found}:
        assert found[name].dropna().between(0, 1).all()


@fewer
@given(ROWS)
def test_categories_share_out_the_total(rows: list[Paid]) -> None:
    """The spending of each category alone adds up to the spending of all."""
    frame = categorized(*rows)
    names = frame["category"].unique().tolist()
    parts = [
        spending(frame, None, freq="month", category=name)["spent_cents"].sum() for name in names
    ]
    assert sum(parts) == covered(rows)


@fewer
@given(ROWS, DAYS.filter(bool))
def test_two_halves_of_time_make_the_whole(rows: list[Paid], day: str) -> None:
    """What was paid before a day and what was paid from it on add up to all."""
    frame = categorized(*rows)
    halves = [spending(frame, until=day), spending(frame, since=day)]
    assert sum(half["spent_cents"].sum() for half in halves) == covered(rows)


@fewer
@given(ROWS)
def test_flows_to_categories_are_the_spending(rows: list[Paid]) -> None:
    """What flows to categories, less refunds beyond them, is what was spent."""
    frame = categorized(*rows)
    flows = money_flow(frame)
    to_categories = flows.loc[flows["to_kind"] == "category", "moved_cents"].sum()
    returned = flows.loc[flows["from_name"] == "Refunds", "moved_cents"].sum()
    assert (flows["moved_cents"] > 0).all()
    assert to_categories - returned == covered(rows)


# -- a household's year ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def demo() -> Iterator[Ledger]:
    with Ledger.demo(months=5, now="2026-11-01") as ledger:
        ledger.sync(details="all", details_per_request=25, progress=False)
        yield ledger


@pytest.fixture(scope="module")
def year(demo: Ledger) -> pd.DataFrame:
    rows = settle(demo.transfers, demo.legs)
    return categorize(rows, demo.accounts, annotations(), read_rules())


def test_a_households_spending_is_what_its_books_say(demo: Ledger, year: pd.DataFrame) -> None:
    """The total equals what the sandbox's own books paid to others and to what is owed."""
    assert demo.sandbox is not None
    debts = {"Travel Card", "Student Loan Servicer"}
    total = 0
    for row in demo.sandbox.transfers():
        source, destination = row["source"] or {}, row["destination"]
        is_refund = source.get("kind") == "Merchant"
        pays = destination["kind"] in ("Merchant", "ExternalEntity") or destination["name"] in debts
        if row["status"] == "COMPLETE" and (is_refund or pays):
            total += -row["amount_cents"] if is_refund else row["amount_cents"]
    assert spending(year)["spent_cents"].sum() == total
    assert {spending(year, word)["spent_cents"].sum() for word in SUBJECTS} == {total}


def test_little_of_a_household_matches_nothing(year: pd.DataFrame) -> None:
    """The starter set knows what a household buys, but for a shop that is named NA."""
    assert uncategorized(year)["payee"].tolist() == ["NA"]
    assert str(uncategorized(year)["payee"].dtype) == "str"
