"""No way leads past authentication and authorization."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.assertions import Inconclusive, describe_response, require_exchanges, require_no
from purge_conformance.analysis.rejected import successful_bypasses
from purge_conformance.report.model import Cause, Finding

if TYPE_CHECKING:
    from purge_conformance.analysis.assertions import JudgmentView

UNAUTHENTICATED, FORBIDDEN = 401, 403


@pytest.mark.requirement("AUTH-09")
def test_path_spellings_do_not_bypass(view: JudgmentView) -> None:
    """No other spelling of the purge's path MUST let anybody but an admin purge."""
    _require_no_bypass(view, "spelling")


@pytest.mark.requirement("AUTH-10")
def test_overrides_do_not_bypass(view: JudgmentView) -> None:
    """No header or parameter that names another method, path, user or address MUST let anybody but an admin purge."""
    _require_no_bypass(view, "override", "pretence")


@pytest.mark.requirement("AUTH-11")
def test_forged_token_is_rejected(view: JudgmentView) -> None:
    """A forged token outside the Authorization header MUST let nobody purge."""
    _require_no_bypass(view, "forged")


@pytest.mark.requirement("AUTH-12")
def test_url_token_is_rejected(view: JudgmentView) -> None:
    """A token in the URL MUST NOT count as one."""
    sent = require_exchanges(
        view, "bypass", "in-url", if_none="a token in a URL stays in logs, so that one is sent to this machine alone"
    )
    statuses_without_token = [x.status for x in view.of("refused", "credential") if x.role == "none"]
    if UNAUTHENTICATED not in statuses_without_token:
        raise Inconclusive("a purge without any token is not answered with 401 either: see AUTH-01", Cause.TARGET)
    if successful_bypasses(view, "forged"):
        raise Inconclusive("it need not even be a token: see AUTH-11", Cause.TARGET)
    violations = [x for x in sent if x.status == FORBIDDEN or (x.status or 0) // 100 == 2]
    require_no(Finding("401, as without a token", describe_response(x), x.n) for x in violations)


def _require_no_bypass(view: JudgmentView, *steps: str) -> None:
    require_no(
        Finding(f"no purge by this {x.method}", words, x.n)
        for step in steps
        for x, words in successful_bypasses(view, step)
    )
