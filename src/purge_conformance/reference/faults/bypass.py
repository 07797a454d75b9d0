"""Faults that let somebody purge past authentication and authorization."""

from __future__ import annotations

from dataclasses import replace
from posixpath import normpath
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.api.usage_events import PURGE_PATH
from purge_conformance.reference.behaviour import Call, Handler, Reply
from purge_conformance.reference.mutation import Change, new_registrar, wrap_operations

if TYPE_CHECKING:
    from collections.abc import Callable

FAULTS: dict[str, Change] = {}
fault = new_registrar(FAULTS)


def _purge_unguarded(call: Call) -> Reply:
    call.behaviour.purge_and_reseed(call.session)
    return Reply(body={})


def _purge_if(condition: Callable[[Call], object], *operations: str) -> Change:
    """Purge without asking who calls, where a request tells to."""

    @wrap_operations(*operations)
    def change(call: Call, answer: Handler) -> Reply:
        return _purge_unguarded(call) if condition(call) else answer(call)

    return change


def _purge_at_spelling(canonical: Callable[[str], str]) -> Change:
    """Purge at the path that is the purge's only once it is made canonical, behind the guards."""
    return _purge_if(
        lambda call: call.method == "POST" and call.path != PURGE_PATH == canonical(call.path), "unknown_request"
    )


fault("slash-at-end-unguarded")(_purge_at_spelling(lambda path: path.rstrip("/")))
fault("space-at-end-unguarded")(_purge_at_spelling(lambda path: path.rstrip(" ")))
fault("line-break-at-end-unguarded")(_purge_at_spelling(lambda path: path.removesuffix("\n")))
fault("capital-version-unguarded")(_purge_at_spelling(lambda path: path.replace("/V3/", "/v3/", 1)))


@fault("dot-segments-purge-and-404")
@wrap_operations("unknown_request")
def dot_segments_purge_and_404(call: Call, answer: Handler) -> Reply:
    if call.method == "POST" and "/." in call.path and normpath(call.path) == PURGE_PATH:
        _purge_unguarded(call)
        return call.behaviour.error_reply(problems.unknown_request())
    return answer(call)


def _has_header(call: Call, name: str, value: str) -> bool:
    return call.headers.get(name) == value


def _query_values(call: Call) -> dict[str, list[str]]:
    return parse_qs(call.query_string.decode(errors="replace"))


def _on_purge_path(call: Call) -> bool:
    return call.path == PURGE_PATH


fault("method-override-unguarded")(
    _purge_if(
        lambda call: _on_purge_path(call) and _has_header(call, "x-http-method-override", "POST"), "unknown_request"
    )
)
fault("forwarded-user-believed")(_purge_if(lambda call: _has_header(call, "x-forwarded-user", "admin"), "purge_events"))

fault("query-token-unverified")(_purge_if(lambda call: _query_values(call).get("access_token"), "purge_events"))


@fault("query-token-counts")
@wrap_operations("list_events", "get_event", "purge_events")
def query_token_counts(call: Call, answer: Handler) -> Reply:
    for token in _query_values(call).get("access_token", []):
        return answer(replace(call, authorization=call.authorization or f"bearer {token}"))
    return answer(call)
