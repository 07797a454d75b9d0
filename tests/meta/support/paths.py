"""The folders and files of the repository that tests read."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[3]
SPEC = ROOT / "spec"
CONFORMANCE = ROOT / "tests" / "conformance"
RECORDED = ROOT / "tests" / "meta" / "recorded" / "exchanges.jsonl.gz"
EXAMPLES = ROOT / "tests" / "meta" / "examples"
SCHEMAS = ROOT / "tests" / "meta" / "schemas"
