"""Fingerprints of failures: equal in two runs of one defect, although guids, times and numbers differ."""

from __future__ import annotations

from dataclasses import astuple
from hashlib import sha256
from typing import TYPE_CHECKING

from purge_conformance.report.signature import signatures_of

if TYPE_CHECKING:
    from purge_conformance.report.model import Result


def fingerprint_of_requirement(result: Result) -> str:
    """Return what identifies the failure of a requirement, however it fails: 64 hex digits."""
    return _digest(result.id)


def fingerprint_of_failure(result: Result) -> str:
    """Return what identifies how a requirement fails, by the signatures of its findings: 64 hex digits."""
    return _digest(*sorted("\0".join(map(str, astuple(signature))) for signature in signatures_of(result)))


def _digest(*parts: str) -> str:
    return sha256("\0\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
