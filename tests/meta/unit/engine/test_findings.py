"""What the engine adds to a finding: the case, and the request whose answer it quotes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purge_conformance import catalogue
from purge_conformance.engine.findings import complete
from purge_conformance.evidence.steps import Scenario, Step, Tag
from purge_conformance.evidence.tag_values import CaseMode, CredentialKind
from purge_conformance.report.model import Finding

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder

REQUIREMENTS = {each.id: each for each in catalogue.requirements()}
GUID = "59c18196-3b0d-4741-8555-13dd9534fb45"
PATH = f"/v3/app_usage_events/{GUID}?page=0"
KIND = "GET /v3/app_usage_events/GUID"


MALFORMED: dict[Tag, str] = {Tag.CREDENTIAL: CredentialKind.MALFORMED}
# got, status, tags, id of the requirement, the request that is named
QUOTES: tuple[tuple[str, int | None, dict[Tag, str], str, str | None], ...] = (
    ("500 text", 500, {}, "LIST-14", f"GET {PATH} as admin"),
    ("500 text", 500, {Tag.MODE: CaseMode.NEGATIVE}, "LIST-14", f"{KIND} as admin"),
    ("200 {}", 200, {}, "LIST-14", f"{KIND} as admin"),
    ("401 text", 401, MALFORMED, "LIST-14", f"GET {PATH} with a malformed token (admin)"),
    ("no answer (reset)", None, {}, "LIST-14", f"GET {PATH} as admin"),
    ("500 text", 500, {}, "ERROR-07", None),
    ("no event", 200, {}, "LIST-14", None),
)


@pytest.mark.parametrize("number", range(len(QUOTES)))
def test_quoted_request_is_named(number: int, builder: EvidenceBuilder) -> None:
    """A finding that quotes an answer names the request, of a generated one and of a success only its kind."""
    got, status, tags, requirement, sent = QUOTES[number]
    error = None if status else "reset"
    x = builder.add_exchange(Scenario.LISTS, Step.UNSPECIFIED_QUERY, path=PATH, status=status, tags=tags, error=error)
    finding = complete(Finding("a status below 500", got, x.n), REQUIREMENTS[requirement], builder.judgment_view)
    assert finding.sent == sent
    assert finding.curl


def test_case_is_the_most_special_one_that_was_counted(builder: EvidenceBuilder) -> None:
    """A finding has the case of the judgment, or else the one of the fewest trials that its exchange counts for."""
    first, second = (builder.add_exchange(Scenario.LISTS, Step.UNSPECIFIED_QUERY) for _ in range(2))
    view = builder.judgment_view
    view.count("all", [first, second])
    view.count("special", [second])

    def case_of(finding: Finding) -> str | None:
        return complete(finding, REQUIREMENTS["LIST-14"], view).case

    assert [case_of(Finding("a", "b", x.n)) for x in (first, second)] == ["all", "special"]
    assert case_of(Finding("a", "b", second.n, case="own")) == "own"
    view.count("as-special", [second])
    assert case_of(Finding("a", "b", second.n)) is None
    assert case_of(Finding("a", "b")) is None
