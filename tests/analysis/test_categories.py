"""What each transfer was for."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from purchases import Paid, accounts_of, annotations, categorized, settled
from tables import fewer

from seqdata.analysis.spend.categories import Rule, Rules, categorize, read_rules
from seqdata.analysis.spend.rulesfile import add_payee
from seqdata.exceptions import CorruptFile, InvalidSetting

OWN = 'starter = false\n[[rule]]\ncategory = "Mine"\n'


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return tmp_path / "categories.toml"


def category(row: Paid, rules: Path | None = None) -> str:
    return categorized(row, rules=rules)["category"].iloc[0]


def buy(payee: str, cents: int = 12_34, pod: str = "Buffer", note: str | None = None) -> Paid:
    return Paid(f"Pod: {pod}", f"Merchant: {payee}", cents, note=note)


def test_a_note_of_a_person_comes_before_rules_and_accounts() -> None:
    """An annotation wins over a rule, a rule over nothing, and the source of each is told."""
    rows = categorized(
        buy("Joe's Pizza"),
        buy("Joe's Pizza"),
        buy("Qwx"),
        Paid("Pod: Bills", "Account: Savings", 5),
        Paid("Pod: Bills", "Account: Savings", 5),
        t1=" Dates ",
        t2="",
        t4="College",
    )
    assert rows["category"].tolist() == [
        "Dining", "Dates", "Uncategorized", "Moved to own accounts", "College",
    ]  # fmt: skip
    assert rows["category_source"].tolist() == [
        "rule", "annotation", "none", "own account", "annotation",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "destination", "expected"),
    [
        ("Pod: Bills", "Account: Everyday Checking", "Moved to own accounts"),
        ("Account: Everyday Checking", "Pod: Bills", "Moved to own accounts"),
        ("Account: Checking", "Account: Savings", "Moved to own accounts"),
        ("Pod: Bills", "Account: Card of Travel", "Debt payments"),
        ("Account: Checking", "Account: Loan", "Debt payments"),
        ("Port: Pay", "Account: House", "Debt payments"),
        ("Port: Pay", "Pod: Groceries", "Internal"),
        ("ExternalEntity: Qwx", "Port: Pay", "Other income"),
        (None, "Pod: Groceries", "Other income"),
        ("Merchant: Qwx", "Pod: Buffer", "Uncategorized"),
        ("Pod: Buffer", "ExternalEntity: Qwx", "Uncategorized"),
        ("Pod: Buffer", None, "Uncategorized"),
    ],
)
def test_the_ends_say_what_no_rule_does(
    source: str | None, destination: str | None, expected: str
) -> None:
    """Moves, debts, income and unknown payees are told apart by who stands at the ends."""
    assert category(Paid(source, destination, 5)) == expected


def test_the_payee_is_who_is_at_the_other_end() -> None:
    """Others' names are normalized, the names of own accounts never, and the original stays."""
    rows = categorized(
        buy("Corner Store\n#0042"),
        buy("CORNER STORE"),
        buy("Corner Store"),
        Paid("Merchant: Corner Store #7", "Pod: Buffer", 5),
        Paid("Pod: Bills", "Account: Checking #2", 5),
        Paid("Port: Pay", "Pod: Fund 2026", 5),
    )
    assert rows["payee"].tolist() == ["Corner Store"] * 4 + ["Checking #2", "Fund 2026"]
    assert rows["destination_name"].iloc[0] == "Corner Store\n#0042"
    assert str(rows["payee"].dtype) == "str"
    assert str(rows["category"].dtype) == str(rows["category_source"].dtype) == "category"


@pytest.mark.parametrize(
    ("condition", "fits", "fits_not"),
    [
        ('payee = "book"', buy("The BOOK Nook"), buy("Facebook")),
        ('payee = "face*"', buy("Facebook"), buy("Surface")),
        ('payee = "*book"', buy("Facebook"), buy("Bookshop")),
        ('payee = "café zoë"', buy("CAFE\u0301  ZOË"), buy("Café Zoëlle")),
        ('payee = "zoë"', buy("Café Zoë #12"), buy("Zoëlle")),
        ('payee = ".*"', buy("a.b"), buy("ab")),
        ('payee = "corner * store"', buy("Corner & Store"), buy("Store Corner")),
        ('payee = ["qwx", "zed"]', buy("Zed"), buy("Zod")),
        ('payee = "sq"', buy("SQ *Qwx"), buy("Qwx")),
        ('note = "for the kids"', buy("Qwx", note="toys\nfor the Kids"), buy("Qwx")),
        ('pod = "kids"', buy("Qwx", pod="KIDS"), buy("Qwx", pod="Bills")),
        ("min = 12.34", buy("Qwx", 12_34), buy("Qwx", 12_33)),
        ('max = "$1,000"', buy("Qwx", 1_000_00), buy("Qwx", 1_000_01)),
        ('pod = "kids"\nmin = 5', buy("Q", 9_00, "Kids"), buy("Q", 4_99, "Kids")),
        ('direction = "incoming"', Paid("Merchant: Q", "Pod: B", 5), buy("Q")),
        ('account = "s*"', Paid("Pod: B", "Account: Sav", 5), Paid("Pod: B", "Account: X", 5)),
        ('account = "x"', Paid("Account: X", "Account: Savings", 5), buy("X")),
        ('payee = "savings"', buy("Savings"), Paid("Pod: B", "Account: Savings", 5)),
        ('pod = "bills"', buy("Q", pod="Bills"), Paid("Port: Pay", "Pod: Bills", 5)),
        ('pod = "b"', Paid("Merchant: Q", "Pod: B", 5), Paid("ExternalEntity: Q", "Pod: B", 5)),
        ('pod = "b"\ndirection = "INCOMING"', Paid("Merchant: Q", "Pod: B", 5), buy("Q")),
        ('pod = "b"\ndirection = "INCOMING"', Paid("ExternalEntity: Q", "Pod: B", 5), buy("Q")),
        ("refund = true", Paid("Merchant: Q", "Pod: B", 5), Paid(None, "Pod: B", 5)),
        ("refund = false", Paid(None, "Pod: B", 5), Paid("Merchant: Q", "Pod: B", 5)),
        ('payee = "joe\u2019s"', buy("JOE'S #12"), buy("Joseph")),
        ('payee = "joes"', buy("Joe's"), buy("Joe Saul")),
        ('payee = "joe\'s"', buy("JOES"), buy("Joesph")),
    ],
)  # fmt: skip
def test_all_conditions_of_a_rule_must_fit(
    own: Path, condition: str, fits: Paid, fits_not: Paid
) -> None:
    """Patterns are whole words in any case, a star is anything, and amounts are inclusive."""
    own.write_text(OWN + condition, encoding="utf-8")
    assert category(fits, own) == "Mine"
    assert category(fits_not, own) != "Mine"


def test_the_first_rule_that_fits_wins(own: Path) -> None:
    """Rules are asked in their order, with amounts or without, own ones before the starter set."""
    own.write_text(
        """
        [[rule]]
        category = "Feast"
        payee = "pizza"
        min = 100
        [[rule]]
        category = "Joe"
        payee = "joe's"
        [[rule]]
        category = "Late"
        payee = "joe's"
        min = 1
        """
    )
    rows = [buy("Joe's Pizza", 100_00), buy("Joe's Pizza", 99_99), buy("Moe's Pizza", 5)]
    assert categorized(*rows, rules=own)["category"].tolist() == ["Feast", "Joe", "Dining"]


def test_without_a_file_the_starter_set_counts(own: Path) -> None:
    """A file that is not there changes nothing, and starter = false leaves the starter set out."""
    assert read_rules(own) == read_rules()
    own.write_text("starter = false")
    assert read_rules(own).categories == []
    assert category(buy("Joe's Pizza"), own) == "Uncategorized"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[rule]]\ncategory = "A"', "rule 1 cannot be used: expected one of the fields payee"),
        ('[[rule]]\npayee = "x"', "rule 1, category cannot be used: expected the name"),
        (OWN + 'payee = ""', "rule 1, payee cannot be used: expected a text or a list"),
        (OWN + "payee = []", "rule 1, payee cannot be used"),
        (OWN + 'payee = ["a", 3]', "rule 1, payee .*, got '3'"),
        (OWN + "min = 1.001", "rule 1, min cannot be used: expected dollars.*, got '1.001'"),
        (OWN + "min = true", "rule 1, min"),
        (OWN + "max = -5", "rule 1, max .*, got '-5'"),
        (OWN + "min = nan", "rule 1, min"),
        (OWN + "min = 5\nmax = 4.99", "rule 1, max cannot be used: expected no less than min"),
        (OWN + 'direction = "sideways"', "rule 1, direction .* or OUTGOING, got 'sideways'"),
        (OWN + 'payee = "x"\n[[rule]]\ncategory = "B"\npaye = 1', "rule 2, paye .* payee, note"),
        ('rule = "x"', r"rule cannot be used: expected tables that begin with \[\[rule\]\]"),
        ("rules = []", "rules cannot be used: expected one of the fields starter, rule"),
        (OWN + "refund = 1", "rule 1, refund cannot be used: expected true or false, got '1'"),
        ('starter = "no"', "starter cannot be used: expected true or false, got 'no'"),
    ],
)  # fmt: skip
def test_a_wrong_rule_is_named(own: Path, text: str, message: str) -> None:
    """A field that cannot be used is refused with the file, the rule's number and what is due."""
    own.write_text(text)
    with pytest.raises(InvalidSetting, match=f"categories.toml, {message}"):
        read_rules(own)


def test_a_file_that_is_no_toml_is_refused(own: Path) -> None:
    """A file that cannot be parsed is refused with the line, and one that is no text too."""
    own.write_text("[[rule]]\ncategory = A\n")
    with pytest.raises(CorruptFile, match="line 2"):
        read_rules(own)
    own.write_bytes(b"\xff\xfe")
    with pytest.raises(CorruptFile, match="categories.toml cannot be read"):
        read_rules(own)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_marks_and_line_ends_of_other_editors_are_read(own: Path, mark: bytes, end: str) -> None:
    """A byte-order mark and line ends of Windows change nothing."""
    own.write_bytes(mark + (OWN + 'payee = "caf\u00e9"').replace("\n", end).encode())
    assert category(buy("Caf\u00e9 Qwx"), own) == "Mine"


def test_a_file_in_another_encoding_is_refused_with_its_line(own: Path) -> None:
    """Latin-1 is refused with line, byte and letter; UTF-16 by name."""
    own.write_bytes((OWN + 'payee = "caf\u00e9"').encode("latin-1"))
    with pytest.raises(CorruptFile, match="line 4: the byte 0xe9 is not UTF-8; in Latin-1 it is"):
        read_rules(own)
    own.write_bytes(OWN.encode("utf-16"))
    with pytest.raises(CorruptFile, match="UTF-16"):
        read_rules(own)


def test_a_rule_knows_its_line(own: Path) -> None:
    """Where a rule begins is told, for rules of one's own."""
    own.write_text(
        '# mine\n\n[[rule]]\ncategory = "A"\nmin = 1\n[[rule]]\ncategory = "B"\nmin = 1\n'
    )
    first, second, *starter = read_rules(own).rules
    assert [first.where, second.where] == ["categories.toml, line 3", "categories.toml, line 6"]
    assert {rule.where for rule in starter} == {"the starter set"}


@pytest.mark.parametrize(
    ("condition", "fits", "fits_not"),
    [
        ('pod = "Account/x"', None, Paid("Pod: B", "Account: x", 5)),
        ('account = "Account/x"', Paid("Pod: B", "Account: x", 5), Paid("Pod: B", "Account: y", 5)),
    ],
)
def test_an_id_can_stand_for_a_name(
    own: Path, condition: str, fits: Paid | None, fits_not: Paid
) -> None:
    """An account's id in a rule means that account alone."""
    own.write_text(OWN + condition)
    assert fits is None or category(fits, own) == "Mine"
    assert category(fits_not, own) != "Mine"


def test_a_pod_can_be_named_by_its_id(own: Path) -> None:
    """Of two pods with one name, the rule with an id fits the one that has it."""
    own.write_text(OWN + 'pod = "pod_2"')
    transfers = settled(buy("Qwx"), buy("Qwx")).assign(source_id=["pod_1", "pod_2"])
    accounts = pd.DataFrame({"id": ["pod_1", "pod_2"], "name": "Buffer", "type": "POD"})
    rows = categorize(transfers, accounts.astype("str"), annotations(), read_rules(own))
    assert rows["category"].tolist() == ["Uncategorized", "Mine"]


def test_a_payee_has_the_name_that_was_given(own: Path) -> None:
    """A name of a payee in the file is what the column shows; adding one keeps the file."""
    own.write_bytes(b"starter = false\r\n# mine")
    add_payee(own, 'The "Bottle"', ["BLUE BTL*"])
    assert own.read_bytes().startswith(b"starter = false\r\n# mine\r\n")
    assert b"\n" not in own.read_bytes().replace(b"\r\n", b"")
    rows = categorized(buy("SQ *BLUE BTL COF 0042"), buy("Qwx"), rules=own)
    assert rows["payee"].tolist() == ['The "Bottle"', "Qwx"]
    before = own.read_bytes()
    with pytest.raises(InvalidSetting):
        add_payee(own, "Bottle", [])
    assert own.read_bytes() == before


def test_the_starter_set_knows_common_names() -> None:
    """Shops and bills of an American household land where one would look for them."""
    expected = {
        "Groceries": ["WHOLEFDS MKT #10234", "Trader Joe's", "COSTCO WHSE #0123"],
        "Transport": ["COSTCO GAS #0123", "UBER *TRIP"],
        "Dining": ["UBER *EATS", "SQ *BLUE BOTTLE COFFEE", "Boston Market", "Water Street Cafe"],
        "Health": ["CVS/PHARMACY #02", "Power Yoga"],
        "Subscriptions": ["NETFLIX.COM", "Prime Video*AB12C"],
        "Shopping": ["AMZN Mktp US*2K4AB1CD3"],
        "Insurance": ["STATE FARM INSURANCE"],
        "Utilities": ["PG&E", "T-MOBILE", "City Water Dept"],
        "Travel": ["DELTA AIR LINES", "Enterprise Rent-A-Car"],
        "Home": ["THE HOME DEPOT #6512"],
        "Pets": ["Chewy.com"],
        "Childcare": ["KinderCare"],
        "Taxes": ["USATAXPYMT IRS"],
        "Housing": ["Oak Property Management"],
        "Debt payments": ["CHASE CREDIT CRD AUTOPAY"],
        "Cash": ["ATM WITHDRAWAL 0012"],
        "Money to people": ["Zelle"],
    }
    shops = {name: category for category, names in expected.items() for name in names}
    rows = categorized(*[buy(name) for name in shops])
    found = dict(zip(shops, rows["category"], strict=True))
    assert found == shops


def test_the_starter_set_reads_pods_last() -> None:
    """Where the payee says nothing, the name of the pod does."""
    assert category(buy("Qwx", pod="Vacaciones en Málaga")) == "Travel"
    assert category(buy("Pizza", pod="Vacaciones en Málaga")) == "Dining"


def test_income_is_told_by_note_and_payee() -> None:
    """Paychecks, interest, cashback and tax refunds have categories of their own."""
    rows = categorized(
        Paid("ExternalEntity: Northwind", "Port: Pay", 5, note="Northwind PAYROLL"),
        Paid(None, "Pod: Fund", 5, note="Interest"),
        Paid("ExternalEntity: Sequence Cashback", "Pod: Fund", 5),
        Paid("ExternalEntity: IRS TREAS 310", "Port: Pay", 5),
    )
    assert rows["category"].tolist() == ["Paycheck", "Interest", "Cashback", "Tax refunds"]


def test_categories_without_transfers_are_known() -> None:
    """The categories of the column are all that the rules and annotations know, sorted."""
    known = list(categorized(buy("Qwx"), t9="Of mine")["category"].cat.categories)
    assert known == sorted(known)
    assert {"Dining", "Of mine", "Internal", "Debt payments", "Uncategorized"} <= set(known)


def test_categories_never_differ_in_case_alone(own: Path) -> None:
    """A category that is written in several ways is one, as the first rule writes it."""
    own.write_text('[[rule]]\ncategory = "DINING"\npayee = "qwx"\n')
    rows = categorized(buy("Qwx"), buy("Pizza"), buy("Zed"), rules=own, t2="dining")
    assert rows["category"].tolist() == ["DINING"] * 3


def test_no_transfers_have_categories_too() -> None:
    """An empty table gets the same columns."""
    empty, full = categorized(), categorized(buy("Qwx"))
    assert empty.dtypes.astype(str).tolist() == full.dtypes.astype(str).tolist()
    assert empty["category"].dtype == full["category"].dtype


KINDS = st.sampled_from(["Pod: A", "Port: B", "Account: C", "Account: Card", "Merchant: Pizza"])
ROWS = st.builds(
    Paid,
    st.one_of(KINDS, st.none()),
    st.one_of(KINDS, st.just("ExternalEntity: Q"), st.none()),
    st.one_of(st.integers(1, 50_00), st.none()),
    on=st.just("2026-10-05"),
    reversed_on=st.none(),
    note=st.sampled_from([None, "Interest", "fee"]),
    paid=st.none(),
    state=st.just("settled"),
)


@fewer
@given(st.lists(ROWS, max_size=8), st.randoms(use_true_random=False))
def test_a_category_depends_on_its_row_alone(rows: list[Paid], random) -> None:
    """Each transfer has a payee and category of its own, whatever stands beside it."""
    transfers = settled(*rows)
    accounts = accounts_of(transfers)
    rules = Rules(
        (
            Rule("Large", pod=("a",), min_cents=25_00),
            Rule("Pizza", payee=("pizza",)),
            Rule("Interest", note=("interest",), direction="INCOMING"),
            Rule("Fund", account=("c",), max_cents=25_00),
        )
    )
    together = categorize(transfers, accounts, annotations(), rules)
    order = list(range(len(rows)))
    random.shuffle(order)
    shuffled = categorize(transfers.iloc[order], accounts, annotations(), rules)
    pd.testing.assert_frame_equal(shuffled.sort_index(), together)
    assert together["category"].notna().all()


def test_the_example_of_the_docs_does_what_it_says(own: Path) -> None:
    """The file that the page about categories shows can be read, and its rules fit."""
    page = Path(__file__).parents[2] / "docs" / "categories.md"
    (example,) = re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    own.write_text(example, encoding="utf-8")
    rows = categorized(
        buy("Joe's Pizza", 100_00),
        buy("Joe's Pizza", 99_00),
        buy("Claywork"),
        Paid("ExternalEntity: Studio", "Port: Freelance", 5),
        Paid("Pod: Kids", "Account: Grandma's Credit Union", 5),
        rules=own,
    )
    assert rows["category"].tolist() == ["Feasts", "Dining", "Pottery", "Freelance", "College"]
