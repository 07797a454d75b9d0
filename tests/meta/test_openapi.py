"""The contract is well-formed, its examples are true, and it refuses what it should."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from referencing import Registry
from referencing.jsonschema import DRAFT202012

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = Any  # a node of a JSON or YAML document

SPEC = Path(__file__).parents[2] / "spec"
CONTRACT: dict[str, Json] = yaml.safe_load((SPEC / "openapi.yaml").read_text("utf-8"))
REGISTRY: Registry[Json] = Registry().with_resource("contract:", DRAFT202012.create_resource(CONTRACT))
OPERATIONS: dict[str, dict[str, Json]] = {
    operation["operationId"]: operation for path in CONTRACT["paths"].values() for operation in path.values()
}
DOCUMENTED = {"200", "400", "401", "403", "404", "409", "422", "500", "503"}


def at(pointer: str) -> Json:
    """What stands at a JSON pointer of the contract, references followed."""
    node: Json = CONTRACT
    for part in pointer.split("/")[1:]:
        node = node[part.replace("~1", "/").replace("~0", "~")]
        while isinstance(node, dict) and "$ref" in node:
            node = at(node["$ref"].removeprefix("#"))
    return node


def faults(schema: str, value: Json) -> list[str]:
    """What the schema at this pointer finds wrong with a value."""
    validator = Draft202012Validator(
        {"$ref": f"contract:#{schema}"}, registry=REGISTRY, format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    return [error.message for error in validator.iter_errors(value)]


def nodes(node: Json = CONTRACT, pointer: str = "") -> Iterator[tuple[str, dict[str, Json]]]:
    """Every object of the contract with its pointer, save those inside examples."""
    children = enumerate(node) if isinstance(node, list) else node.items() if isinstance(node, dict) else ()
    if isinstance(node, dict):
        yield pointer, node
    for key, child in children:
        if key not in {"example", "examples"}:
            yield from nodes(child, f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}")


def examples() -> Iterator[tuple[str, str, Json]]:
    """Every example's pointer, the pointer of the schema that it must fulfil, and its value."""
    for pointer, node in nodes():
        if "schema" in node and "example" in node:
            yield f"{pointer}/example", f"{pointer}/schema", node["example"]
        named = node.get("examples", {})
        for name in range(len(named)) if isinstance(named, list) else named:
            value = at(f"{pointer}/examples/{name}") if isinstance(named, dict) else named[name]
            if "schema" in node:
                yield f"{pointer}/examples/{name}", f"{pointer}/schema", value["value"]
            elif isinstance(named, list):
                yield f"{pointer}/examples/{name}", pointer, value


def response_pointers(operation_id: str) -> Iterator[tuple[str, str]]:
    """Status and pointer of each response of an operation."""
    for path, methods in CONTRACT["paths"].items():
        for method, operation in methods.items():
            if operation["operationId"] == operation_id:
                for status in operation["responses"]:
                    yield status, f"/paths/{path.replace('/', '~1')}/{method}/responses/{status}"


EXAMPLES = list(examples())


def test_contract_validates() -> None:
    """The contract is valid OpenAPI 3.1."""
    validate(CONTRACT)
    assert CONTRACT["openapi"].startswith("3.1.")


def test_contract_holds_three_operations() -> None:
    """The contract describes purge, list and get, and nothing else."""
    assert set(OPERATIONS) == {"purgeAndSeedAppUsageEvents", "listAppUsageEvents", "getAppUsageEvent"}


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_operation_documents_statuses(operation_id: str) -> None:
    """Each operation documents the nine statuses of the page, and its errors carry the envelope."""
    responses = {status: at(pointer) for status, pointer in response_pointers(operation_id)}
    assert set(responses) == DOCUMENTED
    for status in DOCUMENTED - {"200"}:
        schema = responses[status]["content"]["application/json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/Errors"}, status


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_operation_names_requirements(operation_id: str) -> None:
    """Each operation names every requirement about it once, and otherwise only ones about any operation."""
    named = OPERATIONS[operation_id]["x-requirements"]
    requirements = yaml.safe_load((SPEC / "requirements.yaml").read_text("utf-8"))["requirements"]
    about = {requirement["id"]: requirement["operation"] for requirement in requirements}
    assert len(named) == len(set(named))
    assert {i for i, operation in about.items() if operation == operation_id} <= set(named)
    assert {about.get(i, "no such requirement") for i in named} <= {operation_id, "any"}


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_response_has_example(operation_id: str) -> None:
    """Every response of every operation shows at least one example of its body."""
    for status, pointer in response_pointers(operation_id):
        response = at(pointer)
        bodies = response.get("content") or response["x-optional-content"]
        assert all(body["examples"] for body in bodies.values()), status


def test_parameter_has_example() -> None:
    """Every parameter shows an example."""
    assert all("example" in parameter for parameter in CONTRACT["components"]["parameters"].values())


@pytest.mark.parametrize(("schema", "value"), [example[1:] for example in EXAMPLES], ids=[e[0] for e in EXAMPLES])
def test_example_fulfils_schema(schema: str, value: Json) -> None:
    """An example is valid against the schema that it illustrates."""
    assert faults(schema, value) == []


def test_links_resolve() -> None:
    """Links lead from purge to list to get, by operations, parameters and values that exist."""
    followed = []
    for operation_id in OPERATIONS:
        for status, pointer in response_pointers(operation_id):
            for link in at(pointer).get("links", {}).values():
                parameters = {at(p["$ref"][1:])["name"] for p in OPERATIONS[link["operationId"]]["parameters"]}
                assert set(link["parameters"]) <= parameters
                followed.append((operation_id, status, link["operationId"]))
    assert followed == [
        ("purgeAndSeedAppUsageEvents", "200", "listAppUsageEvents"),
        ("listAppUsageEvents", "200", "getAppUsageEvent"),
    ]


def test_link_expression_finds_guid() -> None:
    """The guid that the link from list to get takes stands where its expression points."""
    link = at("/paths/~1v3~1app_usage_events/get/responses/200/links/FirstEvent")
    assert link["parameters"] == {"guid": "$response.body#/resources/0/guid"}
    page = CONTRACT["components"]["examples"]["FirstPageOfTwo"]["value"]
    assert page["resources"][0]["guid"] == CONTRACT["components"]["parameters"]["EventGuid"]["example"]


def test_security_is_defined() -> None:
    """The one security requirement names the bearer scheme, and no operation opts out of it."""
    assert CONTRACT["security"] == [{"bearer": []}]
    assert CONTRACT["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert not [name for name, operation in OPERATIONS.items() if "security" in operation]


@pytest.mark.parametrize(
    "body",
    [
        {"errors": []},
        {"errors": [{"code": 0, "detail": "string", "title": "string"}]},
        {"errors": [{"code": 0, "detail": "", "title": "", "test_mode_info": {}}], "more": 1},
        {},
    ],
    ids=json.dumps,
)
def test_envelope_accepts(body: object) -> None:
    """The envelope may be empty, since the page marks `errors` as optional, and may have further members."""
    assert faults("/components/schemas/Errors", body) == []


@pytest.mark.parametrize(
    "body",
    [
        {"description": "Unknown request", "error_code": "CF-NotFound", "code": 10000},
        {"errors": None},
        {"errors": {"code": 0, "detail": "string", "title": "string"}},
        {"errors": ["string"]},
        {"errors": [{"code": "0", "detail": "string", "title": "string"}]},
        {"errors": [{"code": 0.5, "detail": "string", "title": "string"}]},
        {"errors": [{"code": 0, "detail": None, "title": "string"}]},
        {"errors": [{"code": 0, "detail": "string"}]},
        [],
        None,
    ],
    ids=json.dumps,
)
def test_envelope_refuses(body: object) -> None:
    """What is not an array of objects with code, detail and title under `errors` is no envelope."""
    assert faults("/components/schemas/Errors", body) != []


@pytest.mark.parametrize(
    "change",
    [
        {"guid": None},
        {"guid": ""},
        {"created_at": None},
        {"created_at": "2020-05-28"},
        {"created_at": "2020-05-28T16:41:23"},
        {"created_at": "2020-13-28T16:41:23Z"},
        {"app": None},
        {"app": {"name": "dora"}},
        {"state": "STARTED"},
        {"instance_count": {"current": "2"}},
        {"links": {"self": {"href": "/v3/app_usage_events/1"}}},
    ],
    ids=json.dumps,
)
def test_event_refuses(change: dict[str, Json]) -> None:
    """An event with a member of a wrong type, format or shape is refused."""
    seeded = CONTRACT["components"]["examples"]["SeededEvent"]["value"]
    assert faults("/components/schemas/AppUsageEvent", seeded | change) != []


@pytest.mark.parametrize(
    "body",
    [
        {"guid": "1", "created_at": "2020-05-28T16:41:23Z", "app": {"guid": "1"}},
        {"guid": "1", "created_at": "2020-05-28T18:41:23.123456+02:00", "app": {"guid": None}, "metadata": {}},
    ],
    ids=["least", "further-member"],
)
def test_event_accepts(body: object) -> None:
    """An event may lack what no requirement needs, have further members, and be dated in any RFC 3339 way."""
    assert faults("/components/schemas/AppUsageEvent", body) == []


@pytest.mark.parametrize("member", ["total_results", "total_pages", "first", "last", "next", "previous"])
def test_pagination_needs(member: str) -> None:
    """A pagination object without one of its six documented members is refused."""
    (pagination,) = CONTRACT["components"]["schemas"]["Pagination"]["examples"]
    assert faults("/components/schemas/Pagination", {k: v for k, v in pagination.items() if k != member}) != []


@pytest.mark.parametrize(
    ("body", "legal"),
    [({}, True), (None, True), ([], True), ("", True), ({"a": 1}, False), ([{}], False), ("OK", False), (0, False)],
)
def test_purge_body_carries_nothing(body: object, legal: bool) -> None:  # noqa: FBT001 - a column of the table
    """A purge that answers with JSON answers with what holds nothing."""
    success = "/paths/~1v3~1app_usage_events~1actions~1destructively_purge_all_and_reseed/post/responses/200"
    assert (faults(f"{success}/x-optional-content/application~1json/schema", body) == []) is legal


@pytest.mark.parametrize("year", [1000, 1900, 2000, 2023, 2024, 9999])
def test_filter_timestamp_knows_calendar(year: int) -> None:
    """A filter's timestamp names a day that the calendar of its year has."""
    for month in range(14):
        for day in range(33):
            text = f"{year}-{month:02}-{day:02}T23:59:59Z"
            assert (faults("/components/schemas/FilterTimestamp", text) == []) is exists(year, month, day), text


def exists(year: int, month: int, day: int) -> bool:
    """Whether there is such a day."""
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True
