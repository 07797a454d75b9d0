"""The OpenAPI document, its nodes and its schemas."""

from __future__ import annotations

from typing import Any

import yaml
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from meta.support.paths import SPEC

Json = Any  # a node of a JSON or YAML document
CONTRACT: dict[str, Json] = yaml.safe_load((SPEC / "openapi.yaml").read_text("utf-8"))
REGISTRY: Registry[Json] = Registry().with_resource("contract:", DRAFT202012.create_resource(CONTRACT))


def node_at(pointer: str) -> Json:
    """Return the node at a JSON pointer of the contract, with references resolved."""
    node: Json = CONTRACT
    for part in pointer.split("/")[1:]:
        node = node[part.replace("~1", "/").replace("~0", "~")]
        while isinstance(node, dict) and "$ref" in node:
            node = node_at(node["$ref"].removeprefix("#"))
    return node


def schema_errors(schema: str, value: Json) -> list[str]:
    """Return the errors of a value against the schema at this pointer."""
    validator = Draft202012Validator(
        {"$ref": f"contract:#{schema}"}, registry=REGISTRY, format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    return [error.message for error in validator.iter_errors(value)]
