"""The control endpoints under `/sandbox`: the truth, the clock, faults, tokens, the login."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import islice
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from seqdata.sandbox import corrections, truth
from seqdata.sandbox.app import Log, is_loopback, respond
from seqdata.sandbox.clock import utc_text
from seqdata.sandbox.faults import KINDS, Fault, Faults, Reply
from seqdata.sandbox.login import Logins
from seqdata.sandbox.tokens import Tokens
from seqdata.sandbox.world import World

_UNITS = {"days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}

#: How many transfers are written at a time.
_CHUNK = 500

Answer = Callable[[Request, Any], Any]


def whole_seconds(given: dict[str, Any]) -> int:
    """Read the seconds of `{"days": n, "hours": n, "minutes": n, "seconds": n}`."""
    unknown = sorted(set(given) - set(_UNITS))
    if unknown:
        raise ValueError(f"unknown unit: {', '.join(unknown)}; there are {', '.join(_UNITS)}")
    seconds = sum(amount * _UNITS[unit] for unit, amount in given.items())
    if seconds < 0 or seconds != int(seconds):
        raise ValueError("the clock advances by whole seconds, from 0 up")
    return int(seconds)


def make_fault(given: dict[str, Any]) -> Fault:
    """Read a fault; what is not one of its own settings is an option of its kind."""
    own = {key: given[key] for key in ("times", "operation", "after") if key in given}
    options = {key: value for key, value in given.items() if key not in own and key != "kind"}
    return Fault(given["kind"], **own, options=options)


class Control:
    """What the control endpoints answer."""

    def __init__(
        self, world: World, faults: Faults, tokens: Tokens, logins: Logins, log: Log
    ) -> None:
        self.world, self.faults, self.tokens, self.log = world, faults, tokens, log
        self.logins = logins

    def routes(self) -> list[Route]:
        """List the endpoints, guarded against everyone but this machine."""
        table: dict[str, dict[str, Answer]] = {
            "/sandbox": {"GET": self._about},
            "/sandbox/transfers": {"GET": self._transfers},
            "/sandbox/balances": {"GET": lambda *_: truth.balances(self.world)},
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
        }
        return [
            Route(path, self._guarded(answers), methods=list(answers))
            for path, answers in table.items()
        ]

    def _guarded(self, answers: dict[str, Answer]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            if not is_loopback(request):
                return respond(Reply(403, {"message": "The controls answer to loopback only."}))
            body = await request.body()
            method = "GET" if request.method == "HEAD" else request.method
            try:
                given = json.loads(body) if body else {}
                with self.world.lock:
                    answer = answers[method](request, given)
                return answer if isinstance(answer, Response) else respond(Reply(200, answer))
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                return respond(Reply(400, {"message": f"{type(error).__name__}: {error}"}))

        return endpoint

    def _about(self, request: Request, given: Any) -> Any:
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

    def _transfers(self, request: Request, given: Any) -> Any:
        """Stream the truth as one JSON array: a million rows fit into no single answer."""
        asked = request.query_params
        limit = int(asked["limit"]) if "limit" in asked else None
        offset = int(asked.get("offset", 0))
        rows = truth.transfers(self.world, asked.get("organization_id"), limit, offset)
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

    def _remove(self, request: Request, given: Any) -> Any:
        corrections.remove(self.world, given["ids"])
        return {"removed": given["ids"]}

    def _restore(self, request: Request, given: Any) -> Any:
        corrections.restore(self.world, given["ids"])
        return {"restored": given["ids"]}

    def _edit(self, request: Request, given: Any) -> Any:
        """Correct words, or with `created_at` move a row in time."""
        fields = dict(given)
        own_id, silently = fields.pop("id"), bool(fields.pop("silently", False))
        if "created_at" in fields:
            to = fields.pop("created_at")
            corrections.move_created_at(self.world, own_id, to, silently=silently)
        if fields:
            corrections.edit(self.world, own_id, fields, silently=silently)
        return {"edited": own_id}

    def _rename(self, request: Request, given: Any) -> Any:
        if "id" in given:
            corrections.rename(self.world, str(given["id"]), str(given["name"]))
        else:
            corrections.rename_payee(self.world, str(given["payee"]), str(given["name"]))
        return {"renamed": given["name"]}

    def _forget(self, request: Request, given: Any) -> Any:
        self.log.clear()
        return []

    def _advance(self, request: Request, given: Any) -> Any:
        self.world.advance(whole_seconds(given))
        return {"now": utc_text(self.world.now)}

    def _faults(self, request: Request, given: Any) -> Any:
        return {"kinds": sorted(KINDS), "waiting": self.faults.waiting()}

    def _add_faults(self, request: Request, given: Any) -> Any:
        """One fault, or a list of them."""
        for fault in [make_fault(one) for one in (given if isinstance(given, list) else [given])]:
            self.faults.add(fault)
        return self._faults(request, given)

    def _clear_faults(self, request: Request, given: Any) -> Any:
        self.faults.clear()
        return self._faults(request, given)

    def _login(self, request: Request, given: Any) -> Any:
        """Switch to a variant of the login; what is not named is as usual."""
        self.logins.change(**given)
        return self.logins.facts()

    def _tokens(self, request: Request, given: Any) -> Any:
        """Expire all access tokens, and switch the rotation of refresh tokens."""
        if given.get("expire"):
            self.tokens.expire()
        self.tokens.rotate = bool(given.get("rotate", self.tokens.rotate))
        return {"access_token": self.tokens.issue(given.get("lifetime"))}
