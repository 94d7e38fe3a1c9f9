"""The switches of the official API: each is a guess that the docs list."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sandbox_http import Http

from seqdata.sandbox import Sandbox
from seqdata.sandbox.platform.switches import questions

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "sandbox.md"


@pytest.mark.parametrize(("name", "told"), questions().items())
def test_every_switch_is_listed_as_a_guess(name: str, told: tuple[str, str]) -> None:
    """The page of what is guessed has each switch with its question and answers."""
    assert f"| `{name}` | {told[0]} | {told[1]} |" in PAGE.read_text("utf-8")


@pytest.mark.parametrize(
    "wrong", [{"limit": "none"}, {"limit_requests": 0}, {"has_next_page": 1}, {"speed": 3}]
)
def test_nonsense_switches_nothing(box: Sandbox, web: Http, wrong: dict[str, Any]) -> None:
    """What is no switch, or no answer of it, is refused over HTTP and in Python."""
    before = web.request("GET", "/sandbox/platform").json
    assert web.request("POST", "/sandbox/platform", wrong).status == 400
    with pytest.raises(ValueError, match=next(iter(wrong))):
        box.platform_variant(**wrong)
    assert web.request("GET", "/sandbox/platform").json == before


def test_what_is_not_named_is_as_usual(box: Sandbox, web: Http) -> None:
    """Setting one switch sets all others back."""
    box.platform_variant(limit="off", moments="micros")
    set_ = web.request("POST", "/sandbox/platform", {"ties": "rising"}).json
    assert (set_["limit"], set_["moments"], set_["ties"]) == ("bucket", "as_they_are", "rising")
