"""The lies: wrong answers of the API, each a fault with its options, in one list.

A proxy, a cache, an application on a phone, a migration, a tired operator or a database that lags
gives them. A new lie is one entry of `LIES`; tests walk the list, and the page of the lies is made
from it. ``box.fail(**LIES["rows_missing"].fault)`` switches one on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

PAGES = "ActivityLogV2Transfers"
ACCOUNTS = "SelectSourceAndDestination"
DETAILS = "TransferReferenceDrawerContentV2"


@dataclass(frozen=True)
class Lie:
    """A wrong answer: which fault gives it, of which class it is, and what it says."""

    name: str
    kind: str
    options: dict[str, Any] = field(repr=False)
    family: str
    operation: str
    about: str

    @property
    def fault(self) -> dict[str, Any]:
        """What :meth:`Sandbox.fail` is called with."""
        return {"kind": self.kind, "operation": self.operation, **self.options}


#: Name, kind, operation, what it says, and options.
_Row = tuple[str, str, str, str, dict[str, Any]]


def _page(name: str, kind: str, about: str, /, **options: Any) -> _Row:
    return name, kind, PAGES, about, options


def _accounts(name: str, kind: str, about: str, /, **options: Any) -> _Row:
    return name, kind, ACCOUNTS, about, options


def _detail(name: str, kind: str, about: str, /, **options: Any) -> _Row:
    return name, kind, DETAILS, about, options


_BY_FAMILY: dict[str, list[_Row]] = {
    "rows are missing": [
        _page("rows_missing", "wrong_page", "Three rows of a page are left out, and nothing tells.",
              variant="missing", row=1, rows=3),
        _page("list_ends", "wrong_page", "The list ends in the middle: no next page.",
              variant="ends"),
        _page("list_empty", "wrong_page", "There are no transfers at all.", variant="empty"),
        _page("no_next_page", "unknown_value", "A whole page says that none follows.",
              of="page", field="pageInfo.hasNextPage", value=False),
        _page("page_shifted", "shifted_page",
              "The next page begins three rows too far down, as offsets do when rows go.", by=3),
        _page("cursor_ahead", "wrong_page", "The cursor leads a week too far down.",
              variant="ahead"),
    ],
    "rows are doubled or out of order": [
        _page("rows_doubled", "wrong_page", "Each row of a page comes twice.", variant="doubled"),
        _page("rows_reversed", "wrong_page", "The oldest row of a page comes first.",
              variant="reversed"),
        _page("page_shifted_back", "shifted_page",
              "The next page begins with three rows that were on this one.", by=-3),
        _page("cursor_back", "wrong_page", "The cursor leads to the first page again.",
              variant="back"),
        _page("filter_ignored", "ignored_filter", "The dates of the filter are not listened to."),
        _page("one_id_twice", "wrong_value", "Two rows have each other's id.",
              field="id", variant="swapped"),
    ],
    "an older state": [
        _page("stale_page", "stale",
              "A database that lags: the newest rows missing, the changed as they were made.",
              hours=36),
        _detail("stale_detail", "stale",
                "A database that lags: a new transfer is null, a changed one as it was made.",
                hours=36),
        _detail("detail_of_before", "unknown_value", "A settled transfer is pending again.",
                field="status", value="PENDING"),
        _page("previous_page", "cached_answer", "The page before comes again, out of a cache."),
        _accounts("previous_accounts", "cached_answer",
                  "The accounts of the last reading come again, out of a cache."),
        _detail("previous_detail", "cached_answer", "The transfer that was asked for before."),
        _page("status_of_before", "unknown_value", "Settled rows are pending again.",
              field="status", value="PENDING", row=None),
        _page("updated_earlier", "unknown_value", "The rows were changed last before anything was.",
              field="updatedAt", value="2020-01-01T00:00:00Z", row=None),
    ],
    "of something else": [
        _page("page_of_other_organization", "misheard", "Another organization's transfers come.",
              variant="organization"),
        _page("other_organization", "unknown_value", "The organization has another id.",
              of="organization", field="id", value="00000000-0000-4000-a000-000000000000"),
        _detail("other_transfer", "misheard", "Another transfer than the one that was asked for.",
                variant="transfer"),
        _detail("detail_of_other_organization", "misheard",
                "Another organization is asked, which does not have the transfer.",
                variant="organization"),
        _page("other_operation", "cached_answer", "The answer to another operation.",
              variant="other"),
        _accounts("accounts_swapped", "wrong_value", "Two accounts have each other's id.",
                  of="account", field="id", variant="swapped"),
        _accounts("names_swapped", "wrong_value", "Accounts have each other's names.",
                  of="account", field="name", variant="swapped", row=None),
        _page("parties_swapped", "wrong_value", "Two rows have each other's destination.",
              field="destination", variant="swapped"),
    ],
    "accounts are missing": [
        _accounts("no_pods", "unknown_value", "There are no pods.",
                  of="organization", field="pods", value=[]),
        _accounts("no_outside_accounts", "unknown_value", "There are no outside accounts.",
                  of="organization", field="accounts", value=[]),
        _accounts("pod_missing", "missing_field", "One pod is missing.",
                  of="organization", field="pods.2"),
        _accounts("no_membership", "unknown_value", "The user belongs to no organization.",
                  of="answer", field="me.memberships", value=[]),
        _accounts("one_membership", "missing_field", "The user has left this organization.",
                  of="answer", field="me.memberships.0"),
    ],
    "null": [
        _page("null_row", "missing_field", "A row of a page is null.",
              of="page", field="edges.1", null=True),
        _page("null_node", "missing_field", "The transfer of a row is null.",
              of="page", field="edges.1.node", null=True),
        _page("null_rows", "missing_field", "The rows of a page are null.",
              of="page", field="edges", null=True),
        _page("null_page", "missing_field", "A page is null.",
              of="organization", field="transferReferences", null=True),
        _page("null_organization", "missing_field", "The organization is null.",
              of="answer", field="organization", null=True),
        _page("null_page_info", "missing_field", "What follows is null.",
              of="page", field="pageInfo", null=True),
        _page("null_cursor", "missing_field", "A next page is to come, and its cursor is null.",
              of="page", field="pageInfo.endCursor", null=True),
        _page("null_amount", "missing_field", "The amount of a row is null.",
              field="amount", null=True),
        _page("null_source", "missing_field", "The source of a row is null.",
              field="source", null=True),
        _accounts("null_pods", "missing_field", "The list of pods is null.",
                  of="organization", field="pods", null=True),
        _accounts("null_pod", "missing_field", "One pod is null.",
                  of="organization", field="pods.2", null=True),
        _accounts("null_balances", "missing_field", "Every balance is null.",
                  of="account", field="metadata.balance", row=None, null=True),
        _accounts("null_me", "missing_field", "The user is null.",
                  of="answer", field="me", null=True),
        _detail("null_transfer", "missing_field",
                "A transfer that exists is null when it is asked for by its id.",
                of="organization", field="transferReference", null=True),
        _detail("null_details", "missing_field", "The details of a transfer are null.",
                field="details", null=True),
    ],
    "other names and types": [
        _page("field_missing", "missing_field", "No row has a status.", field="status", row=None),
        _page("field_renamed", "renamed_field", "The status has another name, in every row.",
              field="status", row=None),
        _page("amount_renamed", "renamed_field", "The cents have another name, in every row.",
              field="amount.cents", name="amountInCents", row=None),
        _page("rows_renamed", "renamed_field", "The rows of a page have another name.",
              of="page", field="edges"),
        _page("amount_as_text", "changed_type", "Amounts are texts.", row=None),
        _page("amount_as_dollars", "changed_type", "Amounts are dollars.", to="float", row=None),
        _page("moment_as_number", "changed_type", "Moments are milliseconds.",
              field="createdAt", row=None),
        _page("id_as_object", "changed_type", "An id is an object.", field="id", to="object"),
        _page("status_unknown", "unknown_value", "A status that nobody knows.", field="status"),
        _accounts("balance_as_text", "changed_type", "A balance is a text.",
                  of="account", field="metadata.balance.cents", to="text"),
        _accounts("pods_renamed", "renamed_field", "The list of pods has another name.",
                  of="organization", field="pods"),
    ],
    "values that cannot be": [
        _page("amount_huge", "wrong_value", "An amount that no 64 bits hold.",
              variant="huge_number"),
        _page("amount_negative", "wrong_value", "An amount below zero.", variant="negative"),
        _page("amount_zero", "wrong_value", "An amount of zero.", variant="zero"),
        _page("text_huge", "wrong_value", "A description of a megabyte.",
              field="description", variant="huge_text"),
        _page("text_half", "wrong_value", "A description that ends in half of a character.",
              field="description", variant="half_character"),
        _page("text_controls", "wrong_value", "A description that clears the screen.",
              field="description", variant="controls"),
        _page("id_half", "wrong_value", "An id that ends in half of a character.",
              field="id", variant="half_character"),
        _accounts("name_half", "wrong_value", "The name of an account ends in half of a character.",
                  of="account", field="name", variant="half_character"),
        _accounts("balance_huge", "wrong_value", "A balance that no 64 bits hold.",
                  of="account", field="metadata.balance.cents", variant="huge_number"),
    ],
    "of another time": [
        _page("created_date_alone", "wrong_value", "A row was made on a day, at no time.",
              field="createdAt", variant="date_alone"),
        _page("created_year_1", "wrong_value", "A row was made in the year 1.",
              field="createdAt", variant="year_1"),
        _page("created_year_9999", "wrong_value", "A row was made in the year 9999.",
              field="createdAt", variant="year_9999"),
        _page("created_in_a_year", "wrong_value", "Every row was made in a year from now.",
              field="createdAt", variant="in_a_year", row=None),
        _page("updated_in_a_year", "wrong_value", "Every row was changed in a year from now.",
              field="updatedAt", variant="in_a_year", row=None),
        _page("date_ahead", "wrong_header", "The clock of an answer is 400 days ahead.", days=400),
        _page("date_behind", "wrong_header", "The clock of an answer is 400 days behind.",
              days=-400),
        _accounts("accounts_date_ahead", "wrong_header",
                  "The clock of the accounts is 400 days ahead.", days=400),
        _accounts("accounts_date_behind", "wrong_header",
                  "The clock of the accounts is 400 days behind.", days=-400),
        _page("date_missing", "wrong_header", "An answer has no date.", value=None),
        _page("date_unreadable", "wrong_header", "The date of an answer is none.",
              value="yesterday"),
    ],
    "counts are wrong": [
        _page(f"count_{variant}", kind, about, of="organization", field="numberOfTransfers.count",
              **options)
        for variant, kind, about, options in (
            ("zero", "wrong_value", "There are no transfers, says the count.", {"variant": "zero"}),
            ("more", "wrong_value", "The count is three too many.", {"variant": "more"}),
            ("fewer", "wrong_value", "The count is three too few.", {"variant": "fewer"}),
            ("negative", "wrong_value", "The count is below zero.", {"variant": "negative"}),
            ("huge", "wrong_value", "No 64 bits hold the count.", {"variant": "huge_number"}),
            ("text", "changed_type", "The count is a text.", {"to": "text"}),
            ("null", "missing_field", "The count is null.", {"null": True}),
        )
    ],
    "no answer of GraphQL": [
        _page(f"body_{variant}", "wrong_body", about, variant=variant)
        for variant, about in (
            ("empty", "Nothing, under status 200."),
            ("no_content", "Nothing, under status 204."),
            ("html", "A page of HTML, under status 200."),
            ("redirect", "A redirect to a page of login."),
            ("null", "The JSON null."),
            ("list", "An empty list."),
            ("text", "A text."),
            ("object", "An object without data."),
            ("no_data", "Data that is null, and no error."),
        )
    ],
    "refused in wrong words": [
        _page("says_try_again", "errors_without_data", "An error without a code says to try again.",
              code="", message="Try again after 2 seconds"),
        _page("says_cursor", "errors_without_data", "A rate limit speaks of a cursor.",
              code="RATE_LIMITED", message="Too many requests for this cursor, at most 100 pages"),
        _page("says_size", "errors_without_data", "An internal error speaks of the page's size.",
              message="first must be at most 100"),
        _page("says_not_found", "errors_without_data", "An organization that exists is not found.",
              code="NOT_FOUND", message="Organization not found"),
        _page("says_logged_out", "errors_without_data", "A login that is good has expired.",
              code="UNAUTHENTICATED", message="Please log in"),
    ],
    "right data under a no": [
        _page("data_beside_errors", "errors_with_data", "Whole data stands beside an error."),
        _page("data_under_500", "wrong_status", "Whole data comes under status 500.", status=500),
        _page("data_under_404", "wrong_status", "Whole data comes under status 404.", status=404),
        _page("data_as_html", "wrong_header", "Whole data is called a page of HTML.",
              name="content-type", value="text/html"),
    ],
}  # fmt: skip

LIES: dict[str, Lie] = {
    name: Lie(name, kind, options, family, operation, about)
    for family, told in _BY_FAMILY.items()
    for name, kind, operation, about, options in told
}
