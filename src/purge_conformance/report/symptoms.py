"""What a failure looks like, as a set of features: which requirements fail, and the words that say how.

Features are equal in two runs of one defect: guids, times, names and numbers are left out, except statuses.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from purge_conformance.report.defect import Defect
    from purge_conformance.report.model import Finding, Result

MAX_FINDINGS = 5  # of a requirement, whose words count
_VARYING = re.compile(
    r"""
    [0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}  # a guid
    | \d{4}-\d{2}-\d{2}T[\d:.]+(?:Z|[+-]\d{2}:\d{2})?  # a time
    | https?://[^/\s"]+  # a host
    | \b(?=[0-9a-f]*\d)[0-9a-f]{8,}\b  # a digest, or an id of the run
    """,
    re.IGNORECASE | re.VERBOSE,
)
_WORD = re.compile(r"[a-z][a-z_-]*[a-z]|\b[1-5]\d\d\b|\b0 instances")


def features_of(requirement: str, findings: Iterable[Finding], sent: Iterable[str] = ()) -> Iterator[str]:
    """Yield the features of a requirement that failed.

    Args:
        requirement: its id.
        findings: how it failed.
        sent: the requests that show it, in words.
    """
    yield requirement
    for finding in list(findings)[:MAX_FINDINGS]:
        texts = {"expected": finding.expected, "got": finding.got, "apps": " ".join(map(_facts, finding.apps))}
        for part, text in texts.items():
            yield from (f"{requirement} {part} {word}" for word in _words(text))
    for text in sent:
        yield from (f"sent {word}" for word in _words(text))


def symptoms_of(defect: Defect, results: Iterable[Result]) -> frozenset[str]:
    """Return the features of a defect, from the results of its run."""
    features: set[str] = set()
    for result in results:
        if result.id in defect.requirements:
            own = [finding for finding in result.findings if finding.exchange in defect.exchanges]
            features.update(features_of(result.id, own or result.findings, [defect.sent]))
    return frozenset(features)


def _facts(app: str) -> str:
    """Return what is known of an app, without its name, its guid and its space."""
    return re.sub(r"space [^;]*", "", app.partition("): ")[2])


def _words(text: str) -> list[str]:
    return _WORD.findall(_VARYING.sub(" ", text).lower())
