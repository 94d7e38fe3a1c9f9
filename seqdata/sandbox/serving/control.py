"""The control endpoints under `/sandbox`: the truth, the clock, faults, tokens, the login."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import date
from itertools import islice
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from seqdata.sandbox.faults.queue import KINDS, Fault, Faults, Reply
from seqdata.sandbox.login.logins import Logins
from seqdata.sandbox.login.tokens import Tokens
from seqdata.sandbox.platform.api import Platform
from seqdata.sandbox.platform.keys import read_permissions
from seqdata.sandbox.serving import given
from seqdata.sandbox.serving.app import Log, is_loopback, respond
from seqdata.sandbox.world import corrections, truth
from seqdata.sandbox.world.clock import parse_now, utc_text
from seqdata.sandbox.world.world import World

_UNITS = {"days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}

#: The most seconds that the clock advances at once: ten years.
LONGEST = 3_653 * 86_400

#: How many transfers are written at a time.
_CHUNK = 500

Answer = Callable[[Request, Any], Any]


_TIME = dict.fromkeys(_UNITS, given.number(0, LONGEST))
_FAULT = {
    "times": given.whole(1, 1_000_000),
    "after": given.whole(0, 1_000_000),
    "operation": given.or_null(given.text),
    "since": given.or_null(given.anything),
    "until": given.or_null(given.anything),
}
_IDS = {"ids": given.texts}
_EDIT = {
    "id": given.text,
    "silently": given.yes_or_no,
    "created_at": given.text,
    **dict.fromkeys(corrections.FIELDS, given.or_null(given.text)),
}
_RENAME: dict[str, given.Check] = {"id": given.text, "payee": given.text, "name": given.text}
_TOKENS = {
    "expire": given.yes_or_no,
    "rotate": given.yes_or_no,
    "lifetime": given.or_null(given.whole(-LONGEST, LONGEST)),
}
_KEY = {
    "id": given.text,
    "name": given.text,
    "organization_id": given.text,
    "permissions": given.or_null(given.anything),
}
_LOGIN = {
    "selectors": given.text,
    "device_check": given.yes_or_no,
    "token_delay": given.number(0, 3_600),
    "flow": given.text,
    "period": given.whole(1, 86_400),
    "tries": given.whole(1, 1_000_000),
    "wrong_state": given.yes_or_no,
}


def whole_seconds(amounts: dict[str, Any]) -> int:
    """Read the seconds of `{"days": n, "hours": n, "minutes": n, "seconds": n}`."""
    given.check(amounts, _TIME)
    seconds = sum(amount * _UNITS[unit] for unit, amount in amounts.items())
    if seconds != int(seconds) or seconds > LONGEST:
        raise ValueError("the clock advances by whole seconds, and by ten years at most")
    return int(seconds)


def make_fault(asked: Any) -> Fault:
    """Read a fault; what is not one of its own settings is an option of its kind."""
    if not isinstance(asked, dict) or not isinstance(asked.get("kind"), str):
        raise ValueError("a fault is an object with a kind, which is text")
    own = {key: asked[key] for key in _FAULT if key in asked}
    given.check(own, _FAULT)
    own |= {key: _instant(key, own[key]) for key in ("since", "until") if own.get(key) is not None}
    options = {key: value for key, value in asked.items() if key not in own and key != "kind"}
    return Fault(asked["kind"], **own, options=options)


def _instant(name: str, value: Any) -> int:
    """Read a moment of the world's clock."""
    if not isinstance(value, str | date):
        raise ValueError(f"{name} is a date, or a datetime with its zone")
    return parse_now(value)


class Control:
    """What the control endpoints answer."""

    def __init__(
        self,
        world: World,
        faults: Faults,
        tokens: Tokens,
        logins: Logins,
        platform: Platform,
        log: Log,
        app_url: str,
    ) -> None:
        self.app_url, self.platform = app_url, platform
        self.world, self.faults, self.tokens, self.log = world, faults, tokens, log
        self.logins = logins

    def routes(self) -> list[Route]:
        """List the endpoints, guarded against everyone but this machine."""
        table: dict[str, dict[str, Answer]] = {
            "/sandbox": {"GET": self._about},
            "/sandbox/transfers": {"GET": self._transfers},
            "/sandbox/balances": {"GET": lambda *_: truth.balances(self.world)},
            "/sandbox/outside": {"GET": lambda *_: truth.outside(self.world)},
            "/sandbox/payments": {"GET": lambda *_: list(self.world.payments)},
            "/sandbox/requests": {"GET": lambda *_: list(self.log), "DELETE": self._forget},
            "/sandbox/advance": {"POST": self._advance},
            "/sandbox/remove": {"POST": self._remove},
            "/sandbox/restore": {"POST": self._restore},
            "/sandbox/edit": {"POST": self._edit},
            "/sandbox/rename": {"POST": self._rename},
            "/sandbox/faults": {
                "GET": self._faults,
                "POST": self._add_faults,
                "DELETE": self._clear_faults,
            },
            "/sandbox/tokens": {"POST": self._tokens},
            "/sandbox/login": {"GET": lambda *_: self.logins.facts(), "POST": self._login},
            "/sandbox/platform": {"GET": self._switches, "POST": self._switch},
            "/sandbox/keys": {
                "GET": self._keys,
                "POST": self._make_key,
                "PATCH": self._change_key,
                "DELETE": self._revoke_key,
            },
        }
        return [
            Route(path, self._guarded(answers), methods=list(answers))
            for path, answers in table.items()
        ]

    def _guarded(self, answers: dict[str, Answer]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            if not is_loopback(request):
                return respond(Reply(403, {"message": "The controls answer to loopback only."}))
            if set(request.headers.getlist("origin")) - {self.app_url}:
                said = "The controls answer to scripts, and to the sandbox's own page."
                return respond(Reply(403, {"message": said}))
            body = await request.body()
            method = "GET" if request.method == "HEAD" else request.method
            try:
                asked = given.read_json(body)
                with self.world.lock:
                    answer = answers[method](request, asked)
                return answer if isinstance(answer, Response) else respond(Reply(200, answer))
            except ValueError as error:
                return respond(Reply(400, {"message": str(error)}))

        return endpoint

    def _about(self, request: Request, asked: Any) -> Any:
        world = self.world
        return {
            "now": utc_text(world.now),
            "seed": world.seed,
            "months": world.months,
            "scale": world.scale,
            "organizations": [
                {"id": one.id, "name": one.name, "kyc_id": one.kyc_id}
                for one in world.organizations
            ],
        }

    def _transfers(self, request: Request, asked: Any) -> Any:
        """Stream the truth as one JSON array: a million rows fit into no single answer."""
        query = request.query_params
        limit = int(query["limit"]) if "limit" in query else None
        offset = int(query.get("offset", 0))
        rows = truth.transfers(self.world, query.get("organization_id"), limit, offset)
        return StreamingResponse(self._json(rows), media_type="application/json")

    async def _json(self, rows: Iterator[dict[str, Any]]) -> AsyncIterator[str]:
        lead = "["
        while chunk := self._next(rows):
            yield lead + chunk[1:-1]
            lead = ","
            await asyncio.sleep(0)  # lets other requests in
        yield "]" if lead == "," else "[]"

    def _next(self, rows: Iterator[dict[str, Any]]) -> str:
        with self.world.lock:
            chunk = list(islice(rows, _CHUNK))
        return json.dumps(chunk, ensure_ascii=False, separators=(",", ":")) if chunk else ""

    def _remove(self, request: Request, asked: Any) -> Any:
        given.check(asked, _IDS, needed=("ids",))
        corrections.remove(self.world, asked["ids"])
        return {"removed": asked["ids"]}

    def _restore(self, request: Request, asked: Any) -> Any:
        given.check(asked, _IDS, needed=("ids",))
        corrections.restore(self.world, asked["ids"])
        return {"restored": asked["ids"]}

    def _edit(self, request: Request, asked: Any) -> Any:
        """Correct words, or with `created_at` move a row in time."""
        given.check(asked, _EDIT, needed=("id",))
        fields = dict(asked)
        own_id, silently = fields.pop("id"), fields.pop("silently", False)
        if "created_at" in fields:
            to = fields.pop("created_at")
            corrections.move_created_at(self.world, own_id, to, silently=silently)
        if fields:
            corrections.edit(self.world, own_id, fields, silently=silently)
        return {"edited": own_id}

    def _rename(self, request: Request, asked: Any) -> Any:
        """Give an account (`id`) or a payee another name."""
        given.check(asked, _RENAME, needed=("name",))
        if ("id" in asked) == ("payee" in asked):
            raise ValueError("an id or a payee is needed, and not both")
        if "id" in asked:
            corrections.rename(self.world, asked["id"], asked["name"])
        else:
            corrections.rename_payee(self.world, asked["payee"], asked["name"])
        return {"renamed": asked["name"]}

    def _forget(self, request: Request, asked: Any) -> Any:
        self.log.clear()
        return []

    def _advance(self, request: Request, asked: Any) -> Any:
        self.world.advance(whole_seconds(asked))
        return {"now": utc_text(self.world.now)}

    def _faults(self, request: Request, asked: Any) -> Any:
        return {"kinds": sorted(KINDS), "waiting": self.faults.waiting()}

    def _add_faults(self, request: Request, asked: Any) -> Any:
        """One fault, or a list of them."""
        self.faults.add(*map(make_fault, asked if isinstance(asked, list) else [asked]))
        return self._faults(request, asked)

    def _clear_faults(self, request: Request, asked: Any) -> Any:
        self.faults.clear()
        return self._faults(request, asked)

    def _login(self, request: Request, asked: Any) -> Any:
        """Switch to a variant of the login; what is not named is as usual."""
        given.check(asked, _LOGIN)
        self.logins.change(**asked)
        return self.logins.facts()

    def _tokens(self, request: Request, asked: Any) -> Any:
        """Expire all access tokens, and switch the rotation of refresh tokens."""
        given.check(asked, _TOKENS)
        if asked.get("expire"):
            self.tokens.expire()
        self.tokens.rotate = asked.get("rotate", self.tokens.rotate)
        return {"access_token": self.tokens.issue(asked.get("lifetime"))}

    def _switches(self, request: Request, asked: Any) -> Any:
        return self.platform.switches.described()

    def _switch(self, request: Request, asked: Any) -> Any:
        """Set switches of the official API; what is not named is as usual."""
        self.platform.switches.change(asked)
        return self._switches(request, asked)

    def _keys(self, request: Request, asked: Any) -> Any:
        """List the keys of the official API that are valid, without the keys themselves."""
        return [
            {
                "id": key.id,
                "name": key.name,
                "organization_id": key.organization_id,
                "permissions": key.permissions.described(),
            }
            for key in self.platform.keys.all()
        ]

    def _make_key(self, request: Request, asked: Any) -> Any:
        """Make a key; without permissions, it reads everything."""
        given.check(asked, {name: _KEY[name] for name in _KEY if name != "id"})
        key, text = self.platform.make_key(
            asked.get("name", "A key"), asked.get("permissions"), asked.get("organization_id")
        )
        return {"id": key.id, "api_key": text}

    def _change_key(self, request: Request, asked: Any) -> Any:
        given.check(asked, {name: _KEY[name] for name in ("id", "permissions")}, needed=("id",))
        self.platform.keys.change(asked["id"], read_permissions(asked.get("permissions")))
        return self._keys(request, asked)

    def _revoke_key(self, request: Request, asked: Any) -> Any:
        given.check(asked, {"id": given.text}, needed=("id",))
        self.platform.keys.revoke(asked["id"])
        return self._keys(request, asked)
