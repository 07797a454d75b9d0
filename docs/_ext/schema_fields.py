"""The directive `schema-fields`: the members of an object, as a JSON Schema of `spec/` describes them.

`{schema-fields} report.schema.json result` shows those of `$defs/result`; without a name, those of the document itself.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

SPEC = Path(__file__).parents[2] / "spec"


class SchemaFields(SphinxDirective):
    """Show a list of the members of an object: its name, its type and what it means."""

    required_arguments = 1
    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the list."""
        items = [_item(*row) for row in rows(*self.arguments)]
        return [nodes.bullet_list("", *items)]


def rows(file: str, name: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield name, type and description of each member.

    Raises:
        KeyError: there is no such object.
    """
    schema: dict[str, Any] = json.loads((SPEC / file).read_text(encoding="utf-8"))
    owner = schema["$defs"][name] if name else schema
    required = owner.get("required", ())
    for member, said in owner["properties"].items():
        absent = "" if member in required else ", may be missing"
        described = said if "description" in said or "$ref" not in said else _resolve(said, schema)
        yield member, f"{_type(said, schema)}{absent}", described.get("description", "")


def _resolve(said: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema that a reference refers to."""
    schemas: dict[str, dict[str, Any]] = schema["$defs"]
    return schemas[said["$ref"].rpartition("/")[2]]


def _type(said: dict[str, Any], schema: dict[str, Any]) -> str:
    """Return the type of a member in words; the type of a reference is that of what it refers to."""
    if "$ref" in said:
        return _type(_resolve(said, schema), schema)
    if "const" in said:
        return json.dumps(said["const"])
    if "enum" in said:
        return " or ".join(json.dumps(value) for value in said["enum"])
    if "anyOf" in said:
        return " or ".join(_type(each, schema) for each in said["anyOf"])
    named = said.get("type", "any value")
    return named if isinstance(named, str) else " or ".join(named)


def _item(name: str, kind: str, text: str) -> nodes.list_item:
    words = nodes.paragraph()
    words += [nodes.literal(text=name), nodes.Text(f" ({kind}): {text}" if text else f" ({kind})")]
    return nodes.list_item("", words)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directive."""
    app.add_directive("schema-fields", SchemaFields)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
