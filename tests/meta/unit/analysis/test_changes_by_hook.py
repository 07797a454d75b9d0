"""App changes by the hook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.analysis.purge_series import plain_purges
from purge_conformance.catalogue.api import PURGE_PATH
from purge_conformance.evidence.steps import App, Place, Scenario, Step, Tag

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder


def test_hook_change_separates_purges(builder: EvidenceBuilder) -> None:
    """A purge after a change by the hook is not immediately after another purge, although no request is between."""
    builder.add_purge(Scenario.PURGE)
    builder.add_exchange(
        Scenario.PURGE_AFTER_CHANGES,
        Place(Step.START_APP, app=App.TOGGLED),
        path="/v3/apps/a",
        tags={Tag.CHANGED_BY_HOOK: "hook"},
    )
    builder.add_purge(Scenario.PURGE_AFTER_CHANGES)
    builder.add_exchange(Scenario.REPEAT, Step.NEWEST_PAGE, path=PURGE_PATH)
    builder.add_purge(Scenario.REPEAT)
    assert [is_again for _, is_again in plain_purges(builder.judgment_view)] == [False, False, True]
