"""An app is described as a person knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purge_conformance.evidence import notes
from purge_conformance.evidence.app_descriptions import describe_apps_in, name_apps_in
from purge_conformance.evidence.steps import App, Place, Scenario, Step

if TYPE_CHECKING:
    from typing import Any

    from meta.support.story import EvidenceBuilder

GUID, OTHER, PROCESS = (f"{n}{n}{n}{n}{n}{n}{n}{n}-0000-4000-8000-000000000000" for n in (1, 2, 3))
BEFORE = Place(Step.OPENING)


def app(builder: EvidenceBuilder, **members: Any) -> dict[str, Any]:  # noqa: ANN401 -- any JSON value
    """Return an app in a list, with a name."""
    return {**builder.app(GUID), "name": "shop", **members}


@pytest.mark.parametrize(
    ("processes", "words"),
    [
        ([{"guid": GUID, "type": "web", "instances": 2}], "STARTED, 2 instances"),
        ([{"guid": GUID, "type": "web", "instances": 0}], "STARTED, 0 instances; scaled to 0 instances"),
        (
            [{"guid": GUID, "type": "web", "instances": 1}, {"guid": OTHER, "type": "worker", "instances": 0}],
            "STARTED, web with 1 and worker with 0 instances",
        ),
        (
            [{"guid": PROCESS, "type": "web", "instances": 1}],
            f"STARTED, 1 instance; its web process has another guid ({PROCESS}), as after a rolling deployment",
        ),
        ([], "STARTED"),
    ],
)
def test_app_is_described(processes: list[dict[str, Any]], words: str, builder: EvidenceBuilder) -> None:
    """Name, guid, state, instances, and what is special about the app."""
    rows = [{**row, "relationships": {"app": {"data": {"guid": GUID}}}} for row in processes]
    builder.add_snapshot(Scenario.PURGE, BEFORE, apps=[app(builder)], processes=rows)
    assert describe_apps_in(builder.evidence, f"an event for the started app {GUID}.", 9) == (
        f"shop ({GUID}): {words}",
    )


def test_app_is_found_by_its_process(builder: EvidenceBuilder) -> None:
    """The guid of a process names its app; an unknown guid names none, and only an app's own guid has a name."""
    builder.add_snapshot(Scenario.PURGE, BEFORE, apps=[app(builder)], processes=[builder.process(PROCESS, GUID)])
    assert describe_apps_in(builder.evidence, f"{PROCESS}, {OTHER}", 9)[0].startswith(f"shop ({GUID}): ")
    assert name_apps_in(builder.evidence, f"{PROCESS}, {OTHER}, {GUID}", 9) == {GUID: "shop"}


def test_state_is_that_of_the_finding(builder: EvidenceBuilder) -> None:
    """The last snapshot that began before the finding counts."""
    for step, state in ((Step.OPENING, "STOPPED"), (Step.CLOSING, "STARTED")):
        builder.add_snapshot(Scenario.PURGE, Place(step), apps=[app(builder, state=state)])
    assert "STOPPED" in describe_apps_in(builder.evidence, GUID, 3)[0]
    assert "STARTED" in describe_apps_in(builder.evidence, GUID, 4)[0]


def test_space_has_its_name(builder: EvidenceBuilder) -> None:
    """The space is named as the answers about it do, and the suite's own app says what it is for."""
    builder.add_exchange(
        Scenario.FOUNDATION,
        Step.CREATE,
        method="POST",
        path="/v3/spaces",
        status=201,
        data={"guid": "s-1", "name": "dev"},
    )
    builder.add_note(Scenario.FOUNDATION, notes.APPS, {App.OTHER_ORG: GUID})
    space = {"relationships": {"space": {"data": {"guid": "s-1"}}}}
    builder.add_snapshot(Scenario.PURGE, BEFORE, apps=[app(builder, **space)])
    assert describe_apps_in(builder.evidence, GUID, 9) == (
        f"shop ({GUID}): STARTED, space dev; the only one in a second organization",
    )


def test_nothing_is_known_without_apps(builder: EvidenceBuilder) -> None:
    """Evidence without a list of apps describes none."""
    assert describe_apps_in(builder.evidence, GUID, 1) == ()
