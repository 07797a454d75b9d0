"""Judgments of sequences on evidence."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest

from purge_conformance.analysis.outcomes import Inconclusive, RequirementViolated
from purge_conformance.analysis.view import JudgmentView
from purge_conformance.catalogue.api import PURGE_PATH
from purge_conformance.report.model import Cause, Finding, Tally

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder


Row = dict[str, Any]
JUDGMENT = importlib.import_module("purge_conformance.conformance.test_sequences").test_list_matches_model


def finding_of(seen: JudgmentView) -> Finding:
    """Return the finding of the judgment."""
    with pytest.raises(RequirementViolated) as caught:
        JUDGMENT(seen)
    (finding,) = caught.value.findings
    return finding


def add_sequence(builder: EvidenceBuilder, number: int, *steps: tuple[str, list[Row]], shorter: bool = False) -> None:
    """Add a sequence with these steps, each with the list after it."""
    builder.add_note(
        "sequences", f"sequence {number}", {"steps": [s for s, _ in steps], "processes": 1, "shorter": shorter}
    )
    for place, (words, rows) in enumerate(steps, 1):
        refused = words.startswith("purge as")
        state = "STOPPED" if words.startswith("stop") else "STARTED"
        answered: dict[str, Any] = {"status": 401, "role": "none"} if refused else {}
        builder.add_exchange(
            "sequences",
            f"{number}.{place} {words}",
            method="POST",
            path=PURGE_PATH if words.startswith("purge") else "/v3/apps",
            data={} if words.startswith("purge") else {"guid": "A", "state": state},
            **answered,
        )
        builder.add_list("sequences", f"{number}.{place} look 0", rows)


def event(guid: str, app: str, created_at: str = "2026-07-01T12:00:00Z") -> Row:
    """Return an event in a list."""
    return {"guid": guid, "created_at": created_at, "app": {"guid": app}, "task": {"guid": None}}


RIGHT: tuple[tuple[str, list[Row]], ...] = (
    ("create a", []),
    ("start a", [event("s", "A")]),
    ("purge", [event("A", "A")]),
)
WRONG: tuple[tuple[str, list[Row]], ...] = (*RIGHT[:2], ("purge", []))


def with_first_purge(builder: EvidenceBuilder, *, seeded: list[Row] | None = None) -> EvidenceBuilder:
    """Return evidence of an organization, a space and a purge, which is correct unless other events are seeded."""
    name = "purge-conformance-0a1b2c3d-a"
    for path in ("/v3/organizations", "/v3/spaces"):
        body = f'{{"name": "{name}"}}'
        builder.add_exchange(
            "foundation", "create", method="POST", path=path, request_body=body, data={"guid": path[4:]}
        )
    builder.add_snapshot("purge", "before", [], [builder.app("b")])
    builder.add_purge("purge")
    builder.add_snapshot("purge", "after", [event("b", "b")] if seeded is None else seeded, [builder.app("b")])
    return builder


def test_agreeing_sequence_passes(builder: EvidenceBuilder) -> None:
    """Sequences that agree with the model pass."""
    add_sequence(with_first_purge(builder), 1, *RIGHT)
    JUDGMENT(builder.judgment_view)


def test_creation_may_be_recorded(builder: EvidenceBuilder) -> None:
    """An event of a created, unchanged app agrees with the model until a purge."""
    made = [event("c", "A")]
    add_sequence(with_first_purge(builder), 1, *RIGHT)
    add_sequence(builder, 2, ("create a", made), ("purge as none", made), ("purge", []))
    JUDGMENT(builder.judgment_view)
    add_sequence(builder, 3, ("create a", made), ("purge", []), ("purge as none", [event("x", "A")]))
    assert "nothing was done to it" in finding_of(builder.judgment_view).expected


def test_disagreeing_sequence_fails(builder: EvidenceBuilder) -> None:
    """A sequence that disagrees fails, and the finding shows the shortest one."""
    add_sequence(with_first_purge(builder), 1, RIGHT[0], ("purge as none", []), *WRONG[1:])
    add_sequence(builder, 2, *WRONG, shorter=True)
    assert "did not come again" not in finding_of(builder.judgment_view).got
    assert finding_of(builder.judgment_view).expected.startswith(
        "after step 3 of 3, purge: an event with the guid of a"
    )


def test_unrepeated_disagreement_is_reported(builder: EvidenceBuilder) -> None:
    """A disagreement that is not reproduced is reported with its own sequence, and with the doubt."""
    add_sequence(with_first_purge(builder), 1, *WRONG)
    add_sequence(builder, 2, *RIGHT, shorter=True)
    assert finding_of(builder.judgment_view).got == "none; played 1 times more, it did not come again"


def test_single_disagreement_is_flaky(builder: EvidenceBuilder) -> None:
    """A repeated sequence that disagrees once is failed as flaky, with an exchange of each."""
    add_sequence(with_first_purge(builder), 1, *RIGHT)
    add_sequence(builder, 2, *WRONG)
    seen = builder.judgment_view
    finding = finding_of(seen)
    assert seen.tally == Tally(trials=2, failures=1, is_flaky=True)
    steps = {x.n: x.step for x in builder.exchanges}
    assert (steps[finding.exchange or 0], steps[finding.passing_exchange or 0]) == ("2.3 look 0", "1.3 purge")


def test_simpler_requirement_is_named(builder: EvidenceBuilder) -> None:
    """If a plain purge does not seed either, the finding names that requirement."""
    add_sequence(with_first_purge(builder, seeded=[]), 1, *WRONG)
    seen = builder.judgment_view
    with pytest.raises(Inconclusive, match=r"see .*SEED-01") as caught:
        JUDGMENT(seen)
    assert caught.value.cause is Cause.TARGET


def test_foreign_purge_is_a_race(builder: EvidenceBuilder) -> None:
    """If every recorded event disappears once, a foreign client purged."""
    lost = ("purge as none", [event("A", "A", "2026-07-01T12:00:09Z")])
    add_sequence(with_first_purge(builder), 1, *RIGHT, ("stop a", [event("A", "A"), event("t", "A")]), lost)
    with pytest.raises(Inconclusive) as caught:
        JUDGMENT(builder.judgment_view)
    assert caught.value.cause is Cause.RACE
