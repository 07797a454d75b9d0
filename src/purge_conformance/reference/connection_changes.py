"""Changes below the application: they see each request and its connection, and may close it without an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from purge_conformance.reference.mutation import Change, with_headers

if TYPE_CHECKING:
    from purge_conformance.reference.asgi import ASGIApp, Message, Receive, Scope, Send
    from purge_conformance.reference.behaviour import Behaviour, Reply

RequestHandler = Callable[["ASGIApp", "Scope", "Receive", "Send"], Awaitable[None]]
SILENT = "x-no-answer"  # a header that is never sent: the answer that has it is not sent either
CUT = "x-cut-answer"  # of the answer that has it only the head is sent
HANGING = "x-hanging-answer"  # the answer that has it is not sent, and the connection stays open


def wrap_app_with(handle_request: RequestHandler) -> Change:
    """Decorate a coroutine that handles a request; it gets the original application."""

    def change(behaviour: Behaviour) -> Behaviour:
        def wrap_app(app: ASGIApp) -> ASGIApp:
            inner = behaviour.wrap_app(app)

            async def serve(scope: Scope, receive: Receive, send: Send) -> None:
                await handle_request(inner, scope, receive, send)

            return serve

        return replace(behaviour, wrap_app=wrap_app)

    return change


def marked(reply: Reply, mark: str = SILENT) -> Reply:
    """Return the reply with a mark: `withholding_marked` sends none of it, or only its head."""
    return with_headers(reply, {mark: "1"})


async def close(scope: Scope) -> None:
    """Close the connection of a request; the protocol then expects no answer."""
    scope["wire"].close()
    await asyncio.sleep(0)


@wrap_app_with
async def withholding_marked(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Close the connection in place of a marked answer, or after its head, or wait until the client closes it."""
    messages: list[Message] = []

    async def collect(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, collect)
    names = {name.decode("latin-1") for message in messages for name, _ in message.get("headers", ())}
    if HANGING in names:
        while (await receive())["type"] != "http.disconnect":
            pass
    if {SILENT, HANGING} & names:
        await close(scope)
        return
    if CUT in names:
        original = scope["wire"].rewrite
        scope["wire"].rewrite = lambda data: original(data) if data.startswith(b"HTTP/") else b""
    for message in messages:
        await send(message)
    if CUT in names:
        await close(scope)
