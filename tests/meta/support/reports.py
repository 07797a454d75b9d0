"""Content of report.json, for what reads reports of any version."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from meta.support.results import make_run
from purge_conformance.catalogue.model import Level
from purge_conformance.report.plain import to_dict

if TYPE_CHECKING:
    from pathlib import Path


def row(identifier: str, outcome: str = "passed", level: Level = Level.MUST, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return a requirement of report.json with the stable members; others replace or follow them."""
    cause, reason = (None, "") if outcome in {"passed", "failed"} else ("target", "It had no answer.")
    stable = {"id": identifier, "level": level, "profile": "core", "outcome": outcome, "cause": cause, "reason": reason}
    return stable | {"statement": f"The sentence of {identifier}.", "cases": {"only": 1}} | more


def report(*rows: dict[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return the content of a report.json with these requirements; others replace its members."""
    digests = {"requirements.yaml": "a" * 64}
    return to_dict(make_run()) | {"requirements": list(rows), "spec_digests": digests} | more


def write_report(folder: Path, data: object) -> Path:
    """Write a report.json to a folder, which is created, and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(json.dumps(data), encoding="utf-8")
    return folder
