"""Validators of the further reports, against the schemas in tests/meta/schemas."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import jsonschema
from referencing import Registry
from referencing.jsonschema import DRAFT6

from meta.support.paths import SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Callable


def errors(name: str, text: str) -> list[str]:
    """Return how a report of that format violates its schema."""
    return [f"{error.json_path}: {error.message}" for error in _validator(name).iter_errors(json.loads(text))]


@cache
def _validator(name: str) -> Any:  # noqa: ANN401 -- jsonschema has no type of all its validators
    return VALIDATORS[name]()


def _sarif() -> jsonschema.Draft4Validator:
    checker = jsonschema.Draft4Validator.FORMAT_CHECKER
    return jsonschema.Draft4Validator(_load("sarif-2.1.0.json"), format_checker=checker)


def _har() -> jsonschema.Draft6Validator:
    parts = {path.name: json.loads(path.read_text("utf-8")) for path in (SCHEMAS / "har").iterdir()}
    registry = Registry().with_resources(
        (schema["$id"].rstrip("#"), DRAFT6.create_resource(schema)) for schema in parts.values()
    )
    checker = jsonschema.Draft6Validator.FORMAT_CHECKER
    return jsonschema.Draft6Validator(parts["har.json"], registry=registry, format_checker=checker)


def _ctrf() -> jsonschema.Draft7Validator:
    return jsonschema.Draft7Validator(_load("ctrf-schema-0.0.json"))


def _gitlab() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(_load("gitlab-code-quality.json"))


def _load(name: str) -> Any:  # noqa: ANN401 -- JSON
    return json.loads((SCHEMAS / name).read_text("utf-8"))


VALIDATORS: dict[str, Callable[[], Any]] = {"sarif": _sarif, "har": _har, "ctrf": _ctrf, "gitlab": _gitlab}
