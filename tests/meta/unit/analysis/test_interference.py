"""Changes by foreign clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meta.support.story import AFTER, BEFORE
from purge_conformance.analysis.interference import count_changing_apps
from purge_conformance.evidence.listing import APPS
from purge_conformance.evidence.steps import Scenario, Step

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder


def test_changing_apps_are_counted(builder: EvidenceBuilder) -> None:
    """Foreign apps that are created, deleted or changed are counted; the suite's own are not."""
    builder.add_exchange(Scenario.FOUNDATION, Step.CREATE, method="POST", path=APPS, status=201, data={"guid": "own"})
    still, moved, gone = builder.app("still"), builder.app("moved"), builder.app("gone")
    builder.add_snapshot(Scenario.PURGE, BEFORE, apps=[still, moved, gone, builder.app("own")])
    builder.add_snapshot(
        Scenario.PURGE, AFTER, apps=[still, moved | {"state": "STOPPED"}, builder.app("own", "STOPPED")]
    )
    assert count_changing_apps(builder.evidence) == (3, 2)
