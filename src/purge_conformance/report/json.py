"""report.json: the judged run, from which every other report can be written again."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

import jsonschema
from jsonschema.exceptions import best_match

from purge_conformance import catalogue
from purge_conformance.errors import BadData
from purge_conformance.evidence.safe_text import one_line, visible_json
from purge_conformance.report.plain import SCHEMA, from_dict, to_dict

if TYPE_CHECKING:
    from pathlib import Path

    from purge_conformance.report.model import Run

FILE_NAME = "report.json"


def dump(run: Run) -> str:
    """Return the run as the text of `report.json`, the same text for the same run."""
    text = json.dumps(to_dict(run), ensure_ascii=False, allow_nan=False, indent=2)
    # As escapes, hidden characters are read back unchanged, and a terminal that shows the file interprets none. UTF-8
    # cannot encode a lone surrogate at all.
    return visible_json(text) + "\n"


def load(place: Path) -> Run:
    """Return the run of a report: a `report.json`, or the folder that holds it.

    Raises:
        BadData: there is no `report.json`, or it is not valid against `spec/report.schema.json`.
    """
    path = place if place.is_file() else place / FILE_NAME
    data = _parse(path)
    version = data.get("schema", data.get("format"))
    if version != SCHEMA:
        raise BadData(
            f"{path} has version {one_line(json.dumps(version), 40)} of report.schema.json, expected {SCHEMA}. "
            f"Write it again: purge-conformance judge {shlex.quote(str(path.parent))} --out FOLDER"
        )
    violation = best_match(jsonschema.Draft202012Validator(catalogue.document("report.schema.json")).iter_errors(data))
    if violation is not None:
        raise BadData(
            f"{path} is not valid against report.schema.json at {violation.json_path}: "
            f"{one_line(violation.message, 300)}. "
            f"{_restore(path)}"
        )
    return from_dict(data)


def _restore(path: Path) -> str:
    """Return the next step for a report that cannot be read."""
    if path.name != FILE_NAME:
        return f"Restore the file, or give the {FILE_NAME} of a run, or its folder."
    return f"Restore the file, or write it again: purge-conformance judge {shlex.quote(str(path.parent))} --out FOLDER"


def _parse(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadData(f"{path.parent} has no {FILE_NAME}. Give the folder that a run wrote with --out.") from None
    except (OSError, ValueError, RecursionError) as error:
        reason = f"{path} cannot be read as JSON ({one_line(str(error), 200)})"
        raise BadData(f"{reason}. {_restore(path)}") from None
    if not isinstance(data, dict):
        raise BadData(f"{path} contains a JSON {type(data).__name__}, expected an object. {_restore(path)}")
    return data
