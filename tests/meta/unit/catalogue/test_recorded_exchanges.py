"""Recorded responses of the real Cloud Controller match the OpenAPI document, except for listed differences."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from meta.support.paths import RECORDED, SPEC

if TYPE_CHECKING:
    from collections.abc import Callable

Json = Any  # a node of a JSON or YAML document

CONTRACT: Json = yaml.safe_load((SPEC / "openapi.yaml").read_text("utf-8"))
LIST: Json = CONTRACT["paths"]["/v3/app_usage_events"]["get"]
ERROR: Json = CONTRACT["components"]["responses"]["NotFound"]["content"]  # as of every other error
REGISTRY: Registry[Json] = Registry().with_resource("contract:", DRAFT202012.create_resource(CONTRACT))


@dataclass(frozen=True, slots=True)
class RecordedResponse:
    """One recorded exchange; `recorded/README.md` describes its members."""

    n: int
    via: str
    group: str
    note: str
    method: str
    path: str
    status: int
    media_type: str | None
    body: str | None = None

    def __str__(self) -> str:
        """The exchange's address in the recording and what was tried."""
        return f"{self.via} {self.n} ({self.note}): {self.method} {self.path[:80]} -> {self.status}"


def read_answers() -> tuple[RecordedResponse, ...]:
    """All recorded exchanges, in the order of the recording."""
    with gzip.open(RECORDED, "rt", encoding="utf-8") as lines:
        return tuple(RecordedResponse(**json.loads(line)) for line in lines)


ANSWERS = read_answers()


# The contract, asked about one answer


def operation_of(answer: RecordedResponse) -> dict[str, Json] | None:
    """The operation in the OpenAPI document for this method and path; None without one."""
    path = urlsplit(answer.path).path
    for template, methods in CONTRACT["paths"].items():  # the purge's fixed path stands before {guid}
        if re.fullmatch(template.replace("{guid}", "[^/]+"), path):
            return methods.get(answer.method.lower())  # type: ignore[no-any-return]
    return None


def resolve(node: Json) -> Json:
    """A node of the OpenAPI document, or the node that it refers to."""
    while "$ref" in node:
        target = CONTRACT
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


@cache
def validator(schema: str) -> Draft202012Validator:
    """The validator of a schema, given as JSON text."""
    absolute = schema.replace('"#/', '"contract:#/')
    return Draft202012Validator(
        json.loads(absolute), registry=REGISTRY, format_checker=Draft202012Validator.FORMAT_CHECKER
    )


def body_violations(answer: RecordedResponse, content: dict[str, Json]) -> list[str]:
    """The violations of media types and schemas in the body of a response."""
    media_type = (answer.media_type or "none").split(";")[0]
    if media_type not in content:
        return [f"media type {media_type}"]
    if answer.body is None:  # not kept by the recorder
        return []
    try:
        value = json.loads(answer.body)
    except ValueError:
        return ["body is no JSON"]
    return [e.message for e in validator(json.dumps(content[media_type]["schema"])).iter_errors(value)]


def violations(answer: RecordedResponse) -> list[str]:
    """The violations of the OpenAPI document in a response.

    A request that the contract has no operation for is judged when it is refused: every error
    carries the envelope. HEAD has no body by definition.
    """
    operation = operation_of(answer)
    if operation is None:
        refused = answer.status >= 400 and answer.method != "HEAD"
        return body_violations(answer, ERROR) if refused else []
    if str(answer.status) not in operation["responses"]:
        return [f"status {answer.status} is not documented"]
    response = resolve(operation["responses"][str(answer.status)])
    if "x-optional-content" in response:
        return body_violations(answer, response["x-optional-content"]) if answer.body else []
    return body_violations(answer, response["content"])


def request_violations(answer: RecordedResponse) -> list[str]:
    """The violations of the OpenAPI document in the query of a list request."""
    declared = {p["name"]: p["schema"] for p in map(resolve, LIST["parameters"])}
    found = []
    for name, text in parse_qsl(urlsplit(answer.path).query, keep_blank_values=True):
        if name in declared:
            value = parameter_value(text, resolve(declared[name])["type"])
            found += [e.message for e in validator(json.dumps(declared[name])).iter_errors(value)]
        else:
            found.append(f"{name} is not declared")
    return found


def parameter_value(text: str, kind: str) -> object:
    """The value of a query parameter, by the type of its schema."""
    if kind == "array":
        return text.split(",")
    return int(text) if kind == "integer" and re.fullmatch("-?[0-9]+", text) else text


# Where Cloud Controller and the contract differ


@dataclass(frozen=True, slots=True)
class Difference:
    """A known way in which Cloud Controller's responses violate the OpenAPI document.

    Attributes:
        number: of the documentation's statement, as in `DOCUMENTED`.
        name: kebab-case.
        recognises: whether an answer differs in this way.
    """

    number: int
    name: str
    recognises: Callable[[RecordedResponse], bool]


DOCUMENTED = {
    6: "statuses 200, 400, 401, 403, 404, 409, 422, 500, 503",
    7: "401 for a bad token",
    8: "every error has the JSON envelope",
}


def is_from_app_server(answer: RecordedResponse, status: int, *causes: str) -> bool:
    """Whether the application server responded itself, without a media type, for one of these causes."""
    said = (answer.body or "").partition("Puma caught this error: ")[2]
    return answer.status == status and answer.media_type is None and said.startswith(causes)


def is_from_proxy(answer: RecordedResponse, *statuses: int) -> bool:
    """Whether nginx responded itself, with its HTML page."""
    page = answer.media_type == "text/html" and (answer.body or "").startswith("<html>")
    return answer.via == "nginx" and answer.status in statuses and page


DIFFERENCES = (
    Difference(6, "unparsable-accept-or-content-type", lambda a: a.status == 406 and a.body == ""),
    Difference(6, "rate-limit", lambda a: a.status == 429 and "RateLimitExceeded" in (a.body or "")),
    Difference(6, "proxy-refuses-request", lambda a: is_from_proxy(a, 400, 405, 413, 414)),
    Difference(
        6, "server-refuses-method", lambda a: is_from_app_server(a, 501, "CONNECT ", "FOO ", "LINK ", "PROPFIND ")
    ),
    Difference(
        7,
        "token-without-signature",
        lambda a: is_from_app_server(a, 500, "undefined method `length'", "no implicit conversion of nil"),
    ),
    Difference(7, "token-with-array-payload", lambda a: is_from_app_server(a, 500, "no implicit conversion of Symbol")),
    Difference(
        8,
        "server-refuses-request",
        lambda a: is_from_app_server(a, 400, "HTTP element", "Invalid Content-Length", "Invalid HTTP format"),
    ),
    Difference(
        8, "database-or-uaa-down", lambda a: is_from_app_server(a, 500, "PG::ConnectionBad", "Connection refused")
    ),
    Difference(
        8,
        "unparsable-query-or-body",
        lambda a: a.status == 500 and (a.body or "").startswith("500 Internal Server Error"),
    ),
)


LEFT_OPEN = (
    "After guid filter must be a valid app usage event guid",  # a guid of no existing event
    "Maximum result (page * per_page) must be less than",
    "Request invalid due to parse error",  # a body, which the contract has none of
)


def test_recording_is_complete() -> None:
    """The recording has all exchanges, and each operation with each status of Cloud Controller."""
    assert len(ANSWERS) == 2060
    assert len({(answer.via, answer.n) for answer in ANSWERS}) == len(ANSWERS)
    seen = {(operation["operationId"], a.status) for a in ANSWERS if (operation := operation_of(a))}
    expected = {
        "purgeAndSeedAppUsageEvents": {200, 400, 401, 403, 406, 413, 429, 500, 503},
        "listAppUsageEvents": {200, 400, 401, 403, 406, 414, 422, 429, 500},
        "getAppUsageEvent": {200, 400, 401, 403, 404, 406, 500},
    }
    assert seen == {(name, status) for name, statuses in expected.items() for status in statuses}


def test_recorded_responses_match_openapi() -> None:
    """Every recorded response matches the OpenAPI document or has exactly one listed difference."""
    for answer in ANSWERS:
        named = [difference.name for difference in DIFFERENCES if difference.recognises(answer)]
        found = violations(answer)
        assert len(named) == bool(found), f"{answer}: expected {named or 'no difference'}, got {found}"


@pytest.mark.parametrize("reason", LEFT_OPEN)
def test_listed_rejection_occurs(reason: str) -> None:
    """A listed reason to reject a valid request occurs in a recorded response."""
    assert any(reason in (answer.body or "") and request_violations(answer) == [] for answer in rejected_lists())


def test_valid_requests_are_accepted() -> None:
    """Cloud Controller rejects no valid list request, except where the document leaves that open."""
    for answer in rejected_lists():
        if not any(reason in (answer.body or "") for reason in LEFT_OPEN):
            assert request_violations(answer) != [], f"{answer}: a valid request was refused: {answer.body}"


def rejected_lists() -> list[RecordedResponse]:
    """The list requests that Cloud Controller itself rejects, in JSON."""
    return [
        answer
        for answer in ANSWERS
        if operation_of(answer) is LIST and answer.status in {400, 422} and not body_violations(answer, ERROR)
    ]


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.name)
def test_listed_difference_occurs(difference: Difference) -> None:
    """A listed difference occurs in a recorded response."""
    assert difference.number in DOCUMENTED
    assert any(difference.recognises(answer) for answer in ANSWERS)
