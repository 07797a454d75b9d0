"""Fingerprints of failures: equal in two runs of one defect, although guids, times and numbers differ."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from purge_conformance.report.model import Result

_VARYING = re.compile(
    r"""
    [0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}  # a guid
    | \d{4}-\d{2}-\d{2}T[\d:.]+(?:Z|[+-]\d{2}:\d{2})?  # a time
    | \b[0-9a-f]{12,}\b  # a digest, or an id of the run
    | \d+
    """,
    re.IGNORECASE | re.VERBOSE,
)


def fingerprint_of_requirement(result: Result) -> str:
    """Return what identifies the failure of a requirement, however it fails: 64 hex digits."""
    return _digest(result.id)


def fingerprint_of_failure(result: Result) -> str:
    """Return what identifies how a requirement fails: 64 hex digits.

    It follows from the different pairs of `expected` and `got`, without what varies from run to run.
    """
    pairs = {f"{_stable(finding.expected)}\0{_stable(finding.got)}" for finding in result.findings}
    return _digest(result.id, *sorted(pairs))


def _stable(text: str) -> str:
    return _VARYING.sub("N", text)


def _digest(*parts: str) -> str:
    return sha256("\0\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
