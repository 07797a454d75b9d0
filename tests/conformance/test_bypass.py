"""No way leads past authentication and authorization."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.assertions import Inconclusive, answer, hold, need
from purge_conformance.analysis.rejected import bypasses
from purge_conformance.report.model import Cause, Finding

if TYPE_CHECKING:
    from purge_conformance.analysis.assertions import Seen

UNAUTHENTICATED, FORBIDDEN = 401, 403


@pytest.mark.requirement("AUTH-09")
def test_other_spellings_guarded(seen: Seen) -> None:
    """No other spelling of the purge's path MUST let anybody but an admin purge."""
    _guarded(seen, "spelling")


@pytest.mark.requirement("AUTH-10")
def test_overrides_guarded(seen: Seen) -> None:
    """No header or parameter that names another method, path, user or address MUST let anybody but an admin purge."""
    _guarded(seen, "override", "pretence")


@pytest.mark.requirement("AUTH-11")
def test_forged_tokens_elsewhere(seen: Seen) -> None:
    """A forged token outside the Authorization header MUST let nobody purge."""
    _guarded(seen, "forged")


@pytest.mark.requirement("AUTH-12")
def test_token_in_url_is_none(seen: Seen) -> None:
    """A token in the URL MUST NOT count as one."""
    sent = need(
        seen, "bypass", "in-url", why="a token in a URL stays in logs, so that one is sent to this machine alone"
    )
    plain = [x.status for x in seen.of("refused", "credential") if x.role == "none"]
    if UNAUTHENTICATED not in plain:
        raise Inconclusive("a purge without any token is not answered with 401 either: see AUTH-01", Cause.TARGET)
    if bypasses(seen, "forged"):
        raise Inconclusive("it need not even be a token: see AUTH-11", Cause.TARGET)
    taken = [x for x in sent if x.status == FORBIDDEN or (x.status or 0) // 100 == 2]
    hold(Finding("401, as without a token", answer(x), x.n) for x in taken)


def _guarded(seen: Seen, *steps: str) -> None:
    hold(Finding(f"no purge by this {x.method}", words, x.n) for step in steps for x, words in bypasses(seen, step))
