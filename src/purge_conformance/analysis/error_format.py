"""The error envelope of the documentation page."""

from __future__ import annotations

import codecs
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from purge_conformance.evidence.records import Exchange

EXPECTED_FORMAT = 'application/json with {"errors": [{"code": integer, "detail": string, "title": string}, ...]}'


def envelope_defect(exchange: Exchange) -> str:
    """Return the defect of an envelope, empty if it has none. `{}` has none: the page calls `errors` optional."""
    media_type = (exchange.header("Content-Type") or "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        return "another content type"
    if exchange.body.startswith(codecs.BOM_UTF8):
        return "a byte order mark before the JSON, which RFC 8259 forbids"
    if not isinstance(exchange.json, dict):
        return "not a JSON object"
    if exchange.json and not isinstance(exchange.json.get("errors"), list):
        return "no array `errors`"
    is_valid = all(map(_is_error_object, exchange.json.get("errors", [])))
    return "" if is_valid else "an error without `code`, `detail` or `title`"


def _is_error_object(item: Any) -> bool:  # noqa: ANN401 -- any JSON value
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
    """Whether a response holds a list of at least one error object, whatever its members; a 502 may be one error."""
    if exchange.status == HTTPStatus.BAD_GATEWAY and _is_error_object(exchange.json):
        return True  # as Cloud Foundry's OpenAPI document has it
    errors = exchange.json.get("errors") if isinstance(exchange.json, dict) else None
    return isinstance(errors, list) and bool(errors) and all(isinstance(error, dict) for error in errors)


def codes_and_titles(exchange: Exchange) -> list[tuple[Any, Any]]:
    """Return code and title of each error of an envelope; empty if the envelope has a defect."""
    if envelope_defect(exchange):
        return []
    return [(error["code"], error["title"]) for error in exchange.json.get("errors", [])]
