"""The error envelope of the documentation page."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from purge_conformance.evidence.records import Exchange

EXPECTED_FORMAT = 'application/json with {"errors": [{"code": integer, "detail": string, "title": string}, ...]}'


def envelope_defect(exchange: Exchange) -> str:
    """Return what is wrong with an envelope; empty if nothing is. `{}` is one: the page calls `errors` optional."""
    media_type = (exchange.header("Content-Type") or "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        return "another content type"
    if exchange.body.startswith(codecs.BOM_UTF8):
        return "a byte order mark before the JSON, which RFC 8259 forbids"
    if not isinstance(exchange.json, dict):
        return "no JSON object"
    if exchange.json and not isinstance(exchange.json.get("errors"), list):
        return "no array errors"
    return "" if all(map(_is_error_object, exchange.json.get("errors", []))) else "an error without the three members"


def _is_error_object(item: Any) -> bool:  # noqa: ANN401 -- whatever the target sent
    if not isinstance(item, dict):
        return False
    code = item.get("code")
    is_integer = isinstance(code, int) or (isinstance(code, float) and code.is_integer())
    return (
        is_integer
        and not isinstance(code, bool)
        and all(isinstance(item.get(name), str) for name in ("detail", "title"))
    )


def has_errors(exchange: Exchange) -> bool:
    """Whether an answer holds a list of at least one error, of whatever members."""
    errors = exchange.json.get("errors") if isinstance(exchange.json, dict) else None
    return isinstance(errors, list) and bool(errors) and all(isinstance(error, dict) for error in errors)


def codes_and_titles(exchange: Exchange) -> list[tuple[Any, Any]]:
    """Return code and title of each error of an envelope; nothing where it is none."""
    if envelope_defect(exchange):
        return []
    return [(error["code"], error["title"]) for error in exchange.json.get("errors", [])]
