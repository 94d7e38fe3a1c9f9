"""Whole answers that are wrong: of another question, of earlier, in another form."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from seqdata.sandbox.webapp.reply import Reply
from seqdata.sandbox.world.clock import HOUR, http_date
from seqdata.sandbox.world.world import World

Options = dict[str, Any]


def html(status: int, title: str) -> Reply:
    """Give a page of HTML."""
    page = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
    return Reply(status, text=page)


# -- another question is heard -----------------------------------------------------


@dataclass(slots=True)
class Asked:
    """The variables of a call, and the world that it asks about."""

    variables: dict[str, Any] | None
    world: World


def _next_organization(world: World) -> dict[str, str]:
    ids = [one.id for one in world.organizations]
    return dict(zip(ids, ids[1:] + ids[:1], strict=True))


def _next_transfer(world: World) -> dict[str, str]:
    ids = [[key[1] for key in one.book.keys] for one in world.organizations]
    return {one: other for some in ids for one, other in zip(some[1:], some, strict=False)}


MISHEARD: dict[str, Callable[[World], dict[str, str]]] = {
    "organization": _next_organization,
    "transfer": _next_transfer,
}


def mishear(asked: Asked, options: Options) -> dict[str, Any]:
    """Take each id of a variable for another: the next organization, the next older transfer."""
    others = MISHEARD[options.get("variant", "organization")](asked.world)
    given = asked.variables or {}
    return {name: others.get(one, one) if isinstance(one, str) else one
            for name, one in given.items()}  # fmt: skip


def can_mishear(asked: Asked, options: Options) -> bool:
    """Whether there is an id that can be taken for another."""
    return mishear(asked, options) != (asked.variables or {})


# -- an answer of before -----------------------------------------------------------


#: Of so many operations the last true answer is remembered.
_REMEMBERED = 16


class Told:
    """The last true answer to each operation, the newest last."""

    def __init__(self) -> None:
        self._answers: dict[str | None, Any] = {}

    def note(self, operation: str | None, payload: Any) -> None:
        """Remember a true answer."""
        self._answers.pop(operation, None)
        self._answers[operation] = payload
        if len(self._answers) > _REMEMBERED:
            del self._answers[next(iter(self._answers))]

    def of(self, operation: str | None) -> dict[str, Any]:
        """Give what can be told again in the place of an answer, by variant."""
        others = [one for name, one in self._answers.items() if name != operation]
        return {"previous": self._answers.get(operation), "other": others[-1] if others else None}


CACHED = ("previous", "other")


def tell_again(told: dict[str, Any], options: Options) -> Any:
    """Give the previous answer to this operation, or the last one to another."""
    return deepcopy(told[options.get("variant", "previous")])


def was_told(told: dict[str, Any], options: Options) -> bool:
    """Whether there was such an answer."""
    return told[options.get("variant", "previous")] is not None


# -- another form ------------------------------------------------------------------


BODIES: dict[str, Callable[[], Reply]] = {
    "empty": lambda: Reply(text=""),
    "no_content": lambda: Reply(204, text=""),
    "html": lambda: html(200, "Welcome"),
    "redirect": lambda: Reply(302, headers={"location": "/login"}, text=""),
    "null": lambda: Reply(payload=None),
    "list": lambda: Reply(payload=[]),
    "text": lambda: Reply(payload="OK"),
    "object": lambda: Reply(payload={}),
    "no_data": lambda: Reply(payload={"data": None}),
}


def answer_otherwise(_: Reply | None, options: Options) -> Reply:
    """Answer with something that is no answer to GraphQL, under a status that says nothing."""
    return BODIES[options.get("variant", "empty")]()


def change_status(reply: Reply, options: Options) -> Reply:
    """Give the whole answer under another status."""
    reply.status = options.get("status", 500)
    return reply


def change_header(reply: Reply, options: Options) -> Reply:
    """Give a header another value, or none; `Date` can be some `days` off the world's clock."""
    value = options.get("value")
    if "days" in options:
        value = http_date(options["now"] + round(options["days"] * 24 * HOUR))
    reply.headers[options.get("name", "date").lower()] = "" if value is None else str(value)
    return reply
