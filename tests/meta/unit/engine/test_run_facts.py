"""What a report says about a run besides the outcomes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from purge_conformance.engine.run_facts import run_notes
from purge_conformance.evidence import notes
from purge_conformance.evidence.steps import Scenario, Step

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder


def notes_of(builder: EvidenceBuilder, **settings: bool) -> list[str]:
    """Return the notes of a run with these settings that ended in order."""
    builder.add_note(Scenario.CLEANUP, notes.FINISHED, value=True)
    header = builder.evidence.header
    header = replace(header, settings=header.settings | settings)
    return list(run_notes(replace(builder.evidence, header=header)))


def test_alongside_is_noted(builder: EvidenceBuilder) -> None:
    """A report says that another run may have been in progress, since the user allowed it."""
    assert notes_of(builder, alongside=True) == [
        "--alongside was given: another run of the suite may have purged or changed apps during this one."
    ]
    assert notes_of(builder, alongside=False) == []


@pytest.mark.parametrize(
    ("sent", "words"), [(True, "exited with 0 before the first purge"), (False, "was given, and no purge was sent")]
)
def test_permission_is_noted(builder: EvidenceBuilder, *, sent: bool, words: str) -> None:
    """A report says whether the command of --before-purge allowed the purges."""
    builder.add_exchange(Scenario.PREFLIGHT, Step.ROOT)
    if sent:
        builder.add_purge(Scenario.PURGE)
    assert f"The command of --before-purge {words}." in notes_of(builder, before_purge=True)
