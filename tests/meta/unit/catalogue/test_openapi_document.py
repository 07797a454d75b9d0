"""The OpenAPI document is valid, and its examples and links are correct."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml
from openapi_spec_validator import validate

from meta.support.openapi_document import CONTRACT, Json, node_at, schema_errors
from meta.support.paths import SPEC

if TYPE_CHECKING:
    from collections.abc import Iterator

OPERATIONS: dict[str, dict[str, Json]] = {
    operation["operationId"]: operation for path in CONTRACT["paths"].values() for operation in path.values()
}
DOCUMENTED = {"200", "400", "401", "403", "404", "409", "422", "500", "503"}


def nodes(node: Json = CONTRACT, pointer: str = "") -> Iterator[tuple[str, dict[str, Json]]]:
    """Yield every object of the contract with its pointer, except those inside examples."""
    children = enumerate(node) if isinstance(node, list) else node.items() if isinstance(node, dict) else ()
    if isinstance(node, dict):
        yield pointer, node
    for key, child in children:
        if key not in {"example", "examples"}:
            yield from nodes(child, f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}")


def examples() -> Iterator[tuple[str, str, Json]]:
    """Yield every example's pointer, the pointer of its schema, and its value."""
    for pointer, node in nodes():
        if "schema" in node and "example" in node:
            yield f"{pointer}/example", f"{pointer}/schema", node["example"]
        named = node.get("examples", {})
        for name in range(len(named)) if isinstance(named, list) else named:
            value = node_at(f"{pointer}/examples/{name}") if isinstance(named, dict) else named[name]
            if "schema" in node:
                yield f"{pointer}/examples/{name}", f"{pointer}/schema", value["value"]
            elif isinstance(named, list):
                yield f"{pointer}/examples/{name}", pointer, value


def response_pointers(operation_id: str) -> Iterator[tuple[str, str]]:
    """Yield status and pointer of each response of an operation."""
    for path, methods in CONTRACT["paths"].items():
        for method, operation in methods.items():
            if operation["operationId"] == operation_id:
                for status in operation["responses"]:
                    yield status, f"/paths/{path.replace('/', '~1')}/{method}/responses/{status}"


EXAMPLES = list(examples())


def test_openapi_is_valid() -> None:
    """The contract is valid OpenAPI 3.1."""
    validate(CONTRACT)
    assert CONTRACT["openapi"].startswith("3.1.")


def test_openapi_has_three_operations() -> None:
    """The contract describes purge, list and get, and nothing else."""
    assert set(OPERATIONS) == {"purgeAndSeedAppUsageEvents", "listAppUsageEvents", "getAppUsageEvent"}


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_operation_documents_statuses(operation_id: str) -> None:
    """Each operation documents the nine statuses of the page, a list also 502; its errors have the error format."""
    responses = {status: node_at(pointer) for status, pointer in response_pointers(operation_id)}
    assert set(responses) == DOCUMENTED | ({"502"} if operation_id == "listAppUsageEvents" else set())
    for status in DOCUMENTED - {"200"}:
        schema = responses[status]["content"]["application/json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/Errors"}, status


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_operation_names_requirements(operation_id: str) -> None:
    """Each operation names every requirement about it once, and otherwise only general ones."""
    named = OPERATIONS[operation_id]["x-requirements"]
    requirements = yaml.safe_load((SPEC / "requirements.yaml").read_text("utf-8"))["requirements"]
    about = {requirement["id"]: requirement["operation"] for requirement in requirements}
    assert len(named) == len(set(named))
    assert {i for i, operation in about.items() if operation == operation_id} <= set(named)
    assert {about.get(i, "no such requirement") for i in named} <= {operation_id, "any"}


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_response_has_example(operation_id: str) -> None:
    """Every response of every operation has at least one example of its body."""
    for status, pointer in response_pointers(operation_id):
        response = node_at(pointer)
        bodies = response.get("content") or response["x-optional-content"]
        assert all(body["examples"] for body in bodies.values()), status


def test_parameter_has_example() -> None:
    """Every parameter has an example."""
    assert all("example" in parameter for parameter in CONTRACT["components"]["parameters"].values())


@pytest.mark.parametrize(("schema", "value"), [example[1:] for example in EXAMPLES], ids=[e[0] for e in EXAMPLES])
def test_example_fulfils_schema(schema: str, value: Json) -> None:
    """An example is valid against its schema."""
    assert schema_errors(schema, value) == []


def test_links_resolve() -> None:
    """Links lead from purge to list to get, by operations, parameters and values that exist."""
    followed = []
    for operation_id in OPERATIONS:
        for status, pointer in response_pointers(operation_id):
            for link in node_at(pointer).get("links", {}).values():
                parameters = {node_at(p["$ref"][1:])["name"] for p in OPERATIONS[link["operationId"]]["parameters"]}
                assert set(link["parameters"]) <= parameters
                followed.append((operation_id, status, link["operationId"]))
    assert followed == [
        ("purgeAndSeedAppUsageEvents", "200", "listAppUsageEvents"),
        ("listAppUsageEvents", "200", "getAppUsageEvent"),
    ]


def test_link_expression_finds_guid() -> None:
    """The expression of the link from list to get selects a guid."""
    link = node_at("/paths/~1v3~1app_usage_events/get/responses/200/links/FirstEvent")
    assert link["parameters"] == {"guid": "$response.body#/resources/0/guid"}
    page = CONTRACT["components"]["examples"]["FirstPageOfTwo"]["value"]
    assert page["resources"][0]["guid"] == CONTRACT["components"]["parameters"]["EventGuid"]["example"]


def test_security_is_defined() -> None:
    """The one security requirement names the bearer scheme, and no operation opts out of it."""
    assert CONTRACT["security"] == [{"bearer": []}]
    assert CONTRACT["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert not [name for name, operation in OPERATIONS.items() if "security" in operation]
