"""The flow line by line, on a page without a browser."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest
from login_kit import (
    APP,
    AUTH,
    CODE,
    EMAIL,
    GOOD,
    INSIDE,
    LANDING,
    PASSWORD,
    RETURNED,
    FakePage,
    ListedCodes,
    Screen,
    flow_on,
)

from seqdata.auth.login.flow import Seen, Tempo, redact
from seqdata.core.secret import Secret
from seqdata.exceptions import (
    AccountLocked,
    AuthenticationError,
    ForeignPage,
    LoginFailed,
    LoginTimeout,
    PageChanged,
    PersonNeeded,
    WrongCode,
    WrongEmail,
    WrongPassword,
)

REFUSED = replace(CODE, errors=("The code you entered is invalid",))


def test_the_steps_follow_each_other() -> None:
    """Each step is named by what the page shows, and leads to the next."""
    flow = flow_on(FakePage(GOOD))
    flow.open_application()
    for step in ("button", "e-mail", "password", "code"):
        assert flow.next_step() == step
        flow.take(step)
    assert flow.next_step() == "token"
    assert flow.read_token().access_token.get_secret_value() == "t0ken"


def test_each_secret_is_typed_on_its_own_page() -> None:
    """E-mail, password and code go to the login's pages that ask for them, once each."""
    page = FakePage(GOOD)
    flow_on(page).run()
    assert page.typed == [
        (EMAIL.url, "kim@example.test"),
        (PASSWORD.url, "pl4nted"),
        (CODE.url, "111111"),
    ]


def test_a_step_that_the_page_leaves_out_is_left_out() -> None:
    """A login that asks for no code needs none."""
    page = FakePage([LANDING, EMAIL, PASSWORD, INSIDE])
    flow_on(page).run()
    assert len(page.typed) == 2


def test_typing_pauses_are_a_persons() -> None:
    """Between two characters lie 50 to 150 ms that differ, and steps have pauses of their own."""
    page = FakePage([EMAIL, PASSWORD])
    flow_on(page).take("e-mail")
    before, *characters, after = page.pauses
    assert len(characters) == len("kim@example.test")
    assert all(0.05 <= pause <= 0.15 for pause in characters)
    assert len(set(characters)) > 10
    assert before >= 0.4
    assert after >= 0.2
    assert Tempo(scale=0.0).seconds((0.4, 1.2)) == 0.0


def test_what_is_on_the_way_is_noted() -> None:
    """The client id and state of the departure, and the answer of the return, are taken along."""
    seen = Seen()
    seen.note_address(f"{AUTH}/authorize?client_id=c1&state=s1", app_url=APP, auth_url=AUTH)
    seen.note_address(f"{AUTH}/u/login?state=other", app_url=APP, auth_url=AUTH)
    seen.note_address(f"{APP}/x#access_token=t&expires_in=7&state=s1", app_url=APP, auth_url=AUTH)
    seen.note_address(f"{APP}/x", app_url=APP, auth_url=AUTH)
    seen.note_address("https://evil.example/authorize?client_id=c2", app_url=APP, auth_url=AUTH)
    assert (seen.client_id, seen.states) == ("c1", ["s1"])
    assert seen.returned == {"access_token": "t", "expires_in": "7", "state": "s1"}


def test_an_exchange_counts_for_its_own_token_only() -> None:
    """Refresh token and lifetime of an exchange are kept where its token is the one stored."""
    page = FakePage([INSIDE])
    page.seen.exchange = {"access_token": "t0ken", "refresh_token": "r", "expires_in": 5}
    login = flow_on(page).read_token()
    assert login.refresh_token is not None
    assert login.expires_in == 5
    page.seen.exchange = {"access_token": "another", "refresh_token": "r", "expires_in": 5}
    assert flow_on(page).read_token().refresh_token is None


@pytest.mark.parametrize(
    ("screens", "kind", "step"),
    [
        ([LANDING, EMAIL, replace(EMAIL, errors=("Enter a valid email",))], WrongEmail, "e-mail"),
        (
            [LANDING, EMAIL, PASSWORD, replace(PASSWORD, errors=("Wrong email or password",))],
            WrongPassword,
            "password",
        ),
        (
            [LANDING, EMAIL, PASSWORD, replace(PASSWORD, errors=("Your account is locked.",))],
            AccountLocked,
            "password",
        ),
        ([LANDING, EMAIL, PASSWORD, CODE, REFUSED, REFUSED], WrongCode, "code"),
        ([LANDING, EMAIL, replace(PASSWORD, shows=(), text="New!")], PageChanged, "password"),
        ([LANDING, replace(EMAIL, shows=(), text="Prove you are human")], PersonNeeded, "e-mail"),
        ([LANDING, replace(EMAIL, shows=(), loading=True)], LoginTimeout, "e-mail"),
        ([LANDING, EMAIL, PASSWORD, CODE, RETURNED], LoginTimeout, "token"),
        ([replace(LANDING, shows=())], PageChanged, "button"),
        ([LANDING, Screen("https://evil.example/u/login", EMAIL.shows)], ForeignPage, "e-mail"),
    ],
)
def test_each_failure_has_its_own_kind_and_step(
    screens: list[Screen], kind: type[LoginFailed], step: str
) -> None:
    """A failure is of its own class, names the step, and can be caught as AuthenticationError."""
    with pytest.raises(AuthenticationError) as error:
        flow_on(FakePage(screens)).run()
    assert type(error.value) is kind
    assert error.value.step == step


def test_a_refusal_at_the_return_is_quoted() -> None:
    """An error that comes back in the address is the page's own word."""
    back = Screen(f"{APP}/#error=access_denied&error_description=Service+not+found&state=s")
    with pytest.raises(LoginFailed, match="access_denied: Service not found") as error:
        flow_on(FakePage([LANDING, EMAIL, PASSWORD, CODE, back])).run()
    assert error.value.step == "return"


def test_a_wrong_password_is_typed_once() -> None:
    """A refused password is never tried again."""
    page = FakePage([LANDING, EMAIL, PASSWORD, replace(PASSWORD, errors=("Wrong password",))])
    with pytest.raises(WrongPassword):
        flow_on(page).run()
    assert [text for _, text in page.typed] == ["kim@example.test", "pl4nted"]


def test_a_refused_code_is_followed_by_the_next_one_once() -> None:
    """After a refused code the next one is tried, and it may be right."""
    page = FakePage([LANDING, EMAIL, PASSWORD, CODE, REFUSED, INSIDE])
    flow_on(page).run()
    assert [text for _, text in page.typed][2:] == ["111111", "222222"]


def test_a_code_without_a_successor_is_not_tried_again() -> None:
    """Where the setting is a code itself, a refusal is final."""
    page = FakePage([LANDING, EMAIL, PASSWORD, CODE, REFUSED])
    with pytest.raises(WrongCode):
        flow_on(page, codes=ListedCodes(["111111"], has_next=False)).run()


def test_a_lock_at_the_code_is_not_tried_again() -> None:
    """Where the page says that the account is locked, no second code is typed."""
    locked = replace(CODE, errors=("Too many attempts",))
    page = FakePage([LANDING, EMAIL, PASSWORD, CODE, locked])
    with pytest.raises(AccountLocked):
        flow_on(page).run()
    assert len(page.typed) == 3


def test_an_error_that_stood_before_is_no_refusal() -> None:
    """A notice that the page always shows does not count as its answer."""
    notice = ("We use cookies",)
    screens = [
        LANDING,
        replace(EMAIL, errors=notice),
        replace(PASSWORD, errors=notice),
        CODE,
        INSIDE,
    ]
    flow_on(FakePage(screens)).run()


def test_a_page_that_turns_away_gets_no_further_character() -> None:
    """Every character is typed after a look at the address; a foreign one stops the typing."""

    class Turning(FakePage):
        def press(self, selector: str, character: str) -> None:
            super().press(selector, character)
            self.screens[self.at] = replace(self.screen, url="https://evil.example/")

    page = Turning([PASSWORD, CODE])
    with pytest.raises(ForeignPage, match=r"turned to https://evil\.example"):
        flow_on(page).take("password")
    assert page.typed[-1][1] == "p"


def test_a_field_that_holds_something_else_is_not_sent() -> None:
    """A password that did not arrive whole in its field is not submitted."""

    class Lossy(FakePage):
        def value(self, selector: str) -> Secret:
            return Secret("pl4nte")

    page = Lossy([PASSWORD, CODE])
    with pytest.raises(PageChanged):
        flow_on(page).take("password")
    assert page.at == 0


def test_a_person_is_waited_for_and_told(caplog: pytest.LogCaptureFixture) -> None:
    """With a window, a page that asks for a person is left to the person, who is told so."""

    class Attended(FakePage):
        def wait(self, seconds: float) -> None:
            super().wait(seconds)
            if self.now > 60 and self.screen.text == "Is this your device?":
                self.turn()

    check = Screen(f"{AUTH}/u/device", text="Is this your device?")
    page = Attended([LANDING, EMAIL, PASSWORD, check, CODE, INSIDE])
    with caplog.at_level(logging.WARNING, "seqdata"):
        flow_on(page, person=True).run()
    assert "login waits for you at the browser's window: step=code" in caplog.text


def test_a_person_is_not_waited_for_without_end() -> None:
    """A person who does not come within five minutes ends the login."""
    check = Screen(f"{AUTH}/u/device", text="Is this your device?")
    page = FakePage([LANDING, EMAIL, check])
    with pytest.raises(LoginFailed):
        flow_on(page, person=True).run()
    assert 300 < page.now < 320


def test_a_page_that_quotes_a_secret_is_not_quoted() -> None:
    """What the page said is cleaned of e-mail, password and code."""
    said = "No account KIM@example.test with pl4nted"
    page = FakePage([LANDING, EMAIL, PASSWORD, replace(PASSWORD, errors=(said,))])
    with pytest.raises(WrongPassword) as error:
        flow_on(page).run()
    assert "kim" not in str(error.value).lower()
    assert "pl4nted" not in str(error.value)
    assert redact("a+b", [Secret("A+B"), Secret("")]) == "█████"
