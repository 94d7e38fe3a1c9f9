"""Answers that come late, stop half way, do not come at all, or come in a wrong way."""

from __future__ import annotations

import asyncio

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from seqdata.sandbox.faults import wire
from seqdata.sandbox.webapp.reply import Reply


class Delivery(Response):
    """The body of a reply, on the way the reply is to take."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.body, reply.status, reply.headers, reply.media_type)
        self.reply = reply

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer, or what is to arrive of it."""
        if self.reply.delay and await self._has_left(scope, receive):
            return
        if self.reply.is_cut:
            _transport(scope).abort()
        elif self.reply.is_cut_midway:
            await self._send_half(send)
            _transport(scope).close()  # abort would throw away what is on its way
        elif self.reply.wire:
            await wire.answer(self.reply.wire, self, scope, receive, send)
            return
        else:
            await super().__call__(scope, receive, send)
            return
        # The server would answer 500 if this returned before it has noticed.
        await wire.is_gone(receive, None)

    async def _has_left(self, scope: Scope, receive: Receive) -> bool:
        """Wait out the delay; whether the client left meanwhile, or the server ends."""
        try:
            return await wire.is_gone(receive, self.reply.delay)
        except asyncio.CancelledError:
            _transport(scope).abort()
            return await wire.is_gone(receive, 1)

    async def _send_half(self, send: Send) -> None:
        half = bytes(self.body[: len(self.body) // 2])
        start = {"type": "http.response.start", "status": self.status_code}
        await send({**start, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": half, "more_body": True})


def _transport(scope: Scope) -> asyncio.Transport:
    """Find the connection under a request of uvicorn, or of ours over HTTP/2."""
    transport: asyncio.Transport = scope["state"]["send"].__self__.transport
    return transport
