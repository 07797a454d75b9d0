"""Compares recorded exchanges with `openapi.yaml`, by Schemathesis' checks of status, content type and body."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import astuple, dataclass, field
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from purge_conformance.catalogue import OPENAPI, document
from purge_conformance.evidence.bodies import body_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from requests import PreparedRequest

    from purge_conformance.evidence.records import Exchange

METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
OPTIONAL_CONTENT = "x-optional-content"
MAX_QUOTED_CHARS = 300  # characters of what a target sent
BASE_URL = "http://target.invalid"
MAX_ROWS = 5000  # of a page, Cloud Controller's maximum
MAX_FOUND = 8192
_FOUND: dict[tuple[object, ...], tuple[Violation, ...]] = {}  # many responses are equal, also those of several targets


@dataclass(frozen=True, slots=True)
class Violation:
    """One way in which a response differs from the documentation.

    Attributes:
        check: what differs: `status` is undocumented; `content type` is missing or undocumented; `body` does not parse
            or does not match the schema.
        expected: what `openapi.yaml` says.
        got: what the target sent, truncated.
        pointer: where in the body, as a JSON pointer; empty for the whole body, a status or a content type.
    """

    check: Literal["status", "content type", "body"]
    expected: str
    got: str
    pointer: str = field(default="", compare=False)


@lru_cache(maxsize=4096)
def find_operation_id(method: str, path: str) -> str | None:
    """Return the operationId that a request reaches, or None where the document has no such operation.

    Args:
        method: HTTP method, in any case.
        path: path below the target's base URL, with or without a query.
    """
    route = urlsplit(path).path
    return next((o for m, template, o in _routes() if m == method.lower() and template.fullmatch(route)), None)


def find_violations(exchange: Exchange) -> tuple[Violation, ...]:
    """Return all ways in which a response differs from the document.

    There are none without a response, or if the request reaches no operation of the document.
    """
    operation_id = find_operation_id(exchange.method, exchange.path)
    if operation_id is None or exchange.status is None:
        return ()
    types = tuple(value for name, value in exchange.response_headers if name.lower() == "content-type")
    key = exchange.method, operation_id, exchange.status, types, body_of(exchange).digest
    if key not in _FOUND:
        if len(_FOUND) >= MAX_FOUND:
            _FOUND.clear()
        body = _first_rows(exchange)
        failures = _schemathesis_failures(exchange.method, operation_id, exchange.status, types, body)
        _FOUND[key] = tuple(sorted(map(_to_violation, failures), key=astuple))  # Schemathesis returns a set
    return _FOUND[key]


def _first_rows(exchange: Exchange) -> bytes:
    """Return the body, of a page without the rows beyond `MAX_ROWS`: Schemathesis keeps each error of each row."""
    if exchange.page is None or len(exchange.page["resources"]) <= MAX_ROWS:
        return exchange.body
    return json.dumps({**exchange.page, "resources": exchange.page["resources"][:MAX_ROWS]}).encode()


@cache
def _routes() -> tuple[tuple[str, re.Pattern[str], str], ...]:
    return tuple(
        (method, re.compile("[^/]+".join(map(re.escape, re.split(r"\{[^}]*\}", path)))), operation["operationId"])
        for path, item in document(OPENAPI)["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    )


@cache
def _schema() -> Any:  # noqa: ANN401 -- a schema of Schemathesis
    import schemathesis  # noqa: PLC0415 -- half a second, which only judging needs

    config = schemathesis.Config.from_dict({"generation": {"database": "none"}})
    schema = schemathesis.openapi.from_dict(_document_with_all_content(), config=config)
    schema.config.update(base_url=BASE_URL)
    return schema


def _document_with_all_content() -> dict[str, Any]:
    """Return the document with each optional body as a required one; `_schemathesis_failures` skips an absent body."""
    openapi: dict[str, Any] = copy.deepcopy(document(OPENAPI))
    for response in _responses(openapi):
        if OPTIONAL_CONTENT in response:
            response["content"] = response.pop(OPTIONAL_CONTENT)
    return openapi


def _responses(openapi: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for item in openapi["paths"].values():
        for method, operation in item.items():
            if method in METHODS:
                yield from operation["responses"].values()


@cache
def _responses_with_optional_body() -> frozenset[tuple[str, str]]:
    """Return operationId and status of the responses whose body is optional."""
    return frozenset(
        (operation["operationId"], status)
        for item in document(OPENAPI)["paths"].values()
        for method, operation in item.items()
        if method in METHODS
        for status, response in operation["responses"].items()
        if OPTIONAL_CONTENT in response
    )


def _schemathesis_failures(
    method: str, operation_id: str, status: int, types: tuple[str, ...], body: bytes
) -> tuple[Any, ...]:
    from schemathesis import Response  # noqa: PLC0415 -- as in _schema
    from schemathesis.specs.openapi import checks  # noqa: PLC0415

    enabled_checks = [checks.status_code_conformance]
    if body or (operation_id, str(status)) not in _responses_with_optional_body():
        enabled_checks += [checks.content_type_conformance, checks.response_schema_conformance]
    headers = {"content-type": list(types)} if types else {}
    response = Response(status, headers, body, _request(method), elapsed=0.0, verify=True)
    case = _schema().find_operation_by_id(operation_id).Case(path_parameters={"guid": "any"})
    try:
        case.validate_response(response, checks=enabled_checks)
    except BaseExceptionGroup as group:
        return group.exceptions
    return ()


@cache
def _request(method: str) -> PreparedRequest:
    from requests import Request  # noqa: PLC0415 -- comes with Schemathesis

    return Request(method, BASE_URL).prepare()


def _to_violation(failure: Any) -> Violation:  # noqa: ANN401 -- a failure of Schemathesis
    from schemathesis.openapi import checks  # noqa: PLC0415 -- as in _schema

    match failure:
        case checks.UndefinedStatusCode():
            return Violation("status", " or ".join(failure.defined_status_codes), str(failure.status_code))
        case checks.UndefinedContentType():
            return Violation(
                "content type", " or ".join(failure.defined_content_types), _truncate(failure.content_type)
            )
        case checks.MissingContentType():
            return Violation("content type", " or ".join(failure.media_types), "no Content-Type")
        case checks.MalformedMediaType():
            return Violation("content type", failure.defined, _truncate(failure.actual))
        case checks.JsonSchemaError():
            return Violation(
                "body", _describe_keyword(failure), _truncate(failure.validation_message), _json_pointer(failure)
            )
    return Violation("body", "a document of that content type", _truncate(failure.message.splitlines()[-1].strip()))


def _describe_keyword(failure: Any) -> str:  # noqa: ANN401 -- a failure of Schemathesis
    """Return the JSON pointer into the body and the schema keyword that does not match there."""
    pointer = _json_pointer(failure) or "the body"
    keyword = failure.schema_path[-1]
    return _truncate(f"{pointer}: {keyword} {json.dumps(failure.schema.get(keyword))}")


def _json_pointer(failure: Any) -> str:  # noqa: ANN401 -- a failure of Schemathesis
    return "".join(f"/{part}" for part in failure.instance_path)


def _truncate(text: str) -> str:
    return text if len(text) <= MAX_QUOTED_CHARS else text[:MAX_QUOTED_CHARS] + "..."
