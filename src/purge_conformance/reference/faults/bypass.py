"""Faults that let somebody purge past authentication and authorization."""

from __future__ import annotations

from dataclasses import replace
from posixpath import normpath
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.api.usage_events import PURGE_PATH
from purge_conformance.reference.behaviour import Call, Handler, Reply
from purge_conformance.reference.mutation import Change, around, registering

if TYPE_CHECKING:
    from collections.abc import Callable

FAULTS: dict[str, Change] = {}
fault = registering(FAULTS)


def _purge(call: Call) -> Reply:
    call.behaviour.purge_and_reseed(call.session)
    return Reply(body={})


def _purging_where(told: Callable[[Call], object], *operations: str) -> Change:
    """Purge without asking who calls, where a request tells to."""

    @around(*operations)
    def change(call: Call, answer: Handler) -> Reply:
        return _purge(call) if told(call) else answer(call)

    return change


def _spelling(canonical: Callable[[str], str]) -> Change:
    """Purge at the path that is the purge's only once it is made canonical, behind the guards."""
    return _purging_where(
        lambda call: call.method == "POST" and call.path != PURGE_PATH == canonical(call.path), "unknown_request"
    )


fault("slash-at-end-unguarded")(_spelling(lambda path: path.rstrip("/")))
fault("space-at-end-unguarded")(_spelling(lambda path: path.rstrip(" ")))
fault("line-break-at-end-unguarded")(_spelling(lambda path: path.removesuffix("\n")))
fault("capital-version-unguarded")(_spelling(lambda path: path.replace("/V3/", "/v3/", 1)))


@fault("dot-segments-purge-and-404")
@around("unknown_request")
def _(call: Call, answer: Handler) -> Reply:
    if call.method == "POST" and "/." in call.path and normpath(call.path) == PURGE_PATH:
        _purge(call)
        return call.behaviour.refusal(problems.unknown_request())
    return answer(call)


def _header(call: Call, name: str, value: str) -> bool:
    return call.headers.get(name) == value


def _query(call: Call) -> dict[str, list[str]]:
    return parse_qs(call.query_string.decode(errors="replace"))


def _on_purge_path(call: Call) -> bool:
    return call.path == PURGE_PATH


fault("method-override-unguarded")(
    _purging_where(
        lambda call: _on_purge_path(call) and _header(call, "x-http-method-override", "POST"), "unknown_request"
    )
)
fault("forwarded-user-believed")(
    _purging_where(lambda call: _header(call, "x-forwarded-user", "admin"), "purge_events")
)

fault("query-token-unverified")(_purging_where(lambda call: _query(call).get("access_token"), "purge_events"))


@fault("query-token-counts")
@around("list_events", "get_event", "purge_events")
def _(call: Call, answer: Handler) -> Reply:
    for token in _query(call).get("access_token", []):
        return answer(replace(call, authorization=call.authorization or f"bearer {token}"))
    return answer(call)
