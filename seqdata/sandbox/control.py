"""The control endpoints under `/sandbox`: the truth, the clock, faults and tokens."""

# ruff: noqa: ARG002 - every endpoint is given the request and its body
from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from seqdata.sandbox import truth
from seqdata.sandbox.app import Log, is_loopback, respond
from seqdata.sandbox.clock import utc_text
from seqdata.sandbox.faults import KINDS, Fault, Faults, Reply
from seqdata.sandbox.tokens import Tokens
from seqdata.sandbox.world import World

_UNITS = {"days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}

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

    def __init__(self, world: World, faults: Faults, tokens: Tokens, log: Log) -> None:
        self.world, self.faults, self.tokens, self.log = world, faults, tokens, log

    def routes(self) -> list[Route]:
        """List the endpoints, guarded against everyone but this machine."""
        table: dict[str, dict[str, Answer]] = {
            "/sandbox": {"GET": self._about},
            "/sandbox/transfers": {"GET": self._transfers},
            "/sandbox/balances": {"GET": lambda *_: truth.balances(self.world)},
            "/sandbox/payments": {"GET": lambda *_: list(self.world.payments)},
            "/sandbox/requests": {"GET": lambda *_: list(self.log), "DELETE": self._forget},
            "/sandbox/advance": {"POST": self._advance},
            "/sandbox/faults": {
                "GET": self._faults,
                "POST": self._add_faults,
                "DELETE": self._clear_faults,
            },
            "/sandbox/tokens": {"POST": self._tokens},
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
                    return respond(Reply(200, answers[method](request, given)))
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
        return truth.transfers(self.world, request.query_params.get("organization_id"))

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

    def _tokens(self, request: Request, given: Any) -> Any:
        """Expire all access tokens, and switch the rotation of refresh tokens."""
        if given.get("expire"):
            self.tokens.expire()
        self.tokens.rotate = bool(given.get("rotate", self.tokens.rotate))
        return {"access_token": self.tokens.issue(given.get("lifetime"))}
