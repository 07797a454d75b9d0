"""report.json: the run itself, from which every other report can be written again."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import jsonschema
from jsonschema.exceptions import best_match

from purge_conformance import catalogue
from purge_conformance.errors import BadData
from purge_conformance.report.model import FORMAT, from_dict, to_dict
from purge_conformance.report.text import one_line

if TYPE_CHECKING:
    from pathlib import Path

    from purge_conformance.report.model import Run

FILE_NAME = "report.json"
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def dump(run: Run) -> str:
    """Return the run as the text of `report.json`: keys in the model's order, the same text for the same run."""
    text = json.dumps(to_dict(run), ensure_ascii=False, allow_nan=False, indent=2)
    # A lone surrogate has no UTF-8; as an escape the file stays valid and the text comes back as it was.
    return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text) + "\n"


def load(folder: Path) -> Run:
    """Return the run that `folder` holds.

    Raises:
        BadData: there is no `report.json`, or it is not valid against `spec/report.schema.json`.
    """
    path = folder / FILE_NAME
    data = _parse(path)
    if data.get("format") != FORMAT:
        raise BadData(
            f"{path} has format {one_line(repr(data.get('format')), 40)}, this version reads {FORMAT}. "
            "Use the suite that wrote it."
        )
    violation = best_match(jsonschema.Draft202012Validator(catalogue.document("report.schema.json")).iter_errors(data))
    if violation is not None:
        raise BadData(
            f"{path} is not valid against report.schema.json at {violation.json_path}: "
            f"{one_line(violation.message, 300)}. "
            "Restore the file, or have it written again by `purge-conformance judge`."
        )
    return from_dict(data)


def _parse(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadData(f"{path.parent} holds no {FILE_NAME}. Name the folder that a run wrote with --out.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise BadData(f"{path} cannot be read as JSON ({one_line(str(error), 200)}). Restore the file.") from None
    if not isinstance(data, dict):
        raise BadData(f"{path} holds a JSON {type(data).__name__}, expected an object. Restore the file.")
    return data
